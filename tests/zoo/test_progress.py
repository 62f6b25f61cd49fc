"""Progress: a bar in a terminal, a line a minute in a file, nothing where none is asked for."""

import io
import subprocess
import sys

from tunewidgets.zoo.progress import LineBar, progress_bar


def lines(total, seconds, **options):
    """What a bar writes to a file while it counts to `total`, by a clock that goes on `seconds` at each step."""
    clock, file = [0.0], io.StringIO()
    bar = LineBar(total=total, file=file, desc="units", **options)
    bar._time = lambda: clock[0]
    bar.start_t = bar.last_print_t = 0.0
    with bar:
        for _ in range(total):
            clock[0] += seconds
            bar.update()
    return file.getvalue().splitlines()


def test_a_line_a_minute_and_one_at_the_end():
    written = lines(10, 20.0)
    assert [line.partition("|")[0] for line in written] == [
        "units:  30%",
        "units:  60%",
        "units:  90%",
        "units: 100%",
    ]


def test_what_takes_less_than_a_minute_writes_nothing():
    assert lines(10, 5.0) == []


def test_a_file_holds_no_carriage_returns_and_short_work_is_silent():
    code = """
import torch, tunewidgets as tw
network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 5), torch.nn.ReLU()).eval()
tw.class_selectivity(network, [(torch.rand(8, 3, 16, 16), torch.arange(8) % 2)], "1")
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stderr == ""


def test_nothing_is_shown_unless_asked(capsys):
    assert list(progress_bar(range(3), show=False, desc="units")) == [0, 1, 2]
    assert capsys.readouterr().err == ""


def test_a_terminal_has_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert not isinstance(progress_bar(range(3), show=True), LineBar)
