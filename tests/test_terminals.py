"""Commands on a terminal of ASCII, stopped by Ctrl-C at any moment, or given arguments that no module can be called."""

import contextlib
import io
import signal
import subprocess
import sys

import pytest
from films import make_film
from recovery_records import make_recovery

import tunewidgets as tw
from tunewidgets.cli.commands import COMMANDS, main
from tunewidgets.zoo import command


def in_ascii(work):
    """What is returned, and what is written on a terminal of ASCII."""
    written = io.BytesIO()
    terminal = io.TextIOWrapper(written, encoding="ascii", write_through=True)
    with contextlib.redirect_stdout(terminal), contextlib.redirect_stderr(terminal):
        status = work()
    return status, written.getvalue().decode("ascii")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_shown_in_ascii(name):
    status, told = in_ascii(lambda: main([name, "--help"]))
    assert status == 0
    assert f"usage: tunewidgets {name}" in told


def test_records_are_told_of_in_ascii(tmp_path):
    film = make_film()
    film["label"] = ("dimension", ["Kante é – 日", "", ""])
    status, told = in_ascii(lambda: main(["info", str(tw.save_record(film, tmp_path / "film.zarr"))]))
    assert status == 0
    assert "16 x 16 px" in told
    assert r"Kante \xe9 - \u65e5" in told
    recovery = tw.save_record(make_recovery(), tmp_path / "recovery.zarr")
    assert in_ascii(lambda: main(["info", str(recovery)]))[0] == 0


def test_names_that_are_no_text_are_written_too(tmp_path):
    status, told = in_ascii(lambda: main(["info", f"{tmp_path}/a\udcff.zarr"]))
    assert status == 1
    assert "there is no record at" in told
    assert r"a\udcff.zarr" in told


def test_the_makers_commands_write_in_ascii_too():
    assert in_ascii(lambda: command.run("maker", lambda: ["16 × 16 px … done"])) == (
        0,
        "16 x 16 px ... done\n",
    )


TUNING = ["--layer", "1", "--images", "dead-leaves", "--out", "f.zarr"]


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (
            "./file.py\n:net",
            r"'./file.py\n' is no name of a module; write module:function, such as file:net, in the",
        ),
        (
            "./file.py:net",
            "'./file.py' is no name of a module; write module:function, such as file:net, in the folder",
        ),
        ("file.py:net", "there is no module 'file'"),
        ("file\n:net", r"'file\n' is no name of a module"),
        (".file:net", "'.file' is no name of a module"),
        ("a b:net()", "'a b' is no name of a module; write module:function, such as mymodels:small_cnn"),
        ("file.:net", "'file.' is no name of a module"),
    ],
)
def test_what_no_module_can_be_called_is_said_in_one_line(model, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["tuning", model, *TUNING]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("tunewidgets tuning: MODEL: ")
    assert says in line


@pytest.fixture
def ctrl_c():
    """As in a terminal: what is started in the background of a script ignores Ctrl-C, and so would these tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_an_interrupted_import_that_raises_something_else_ends_quietly(capsys, monkeypatch):
    def interrupted(args):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise RecursionError("maximum recursion depth exceeded") from None

    monkeypatch.setitem(COMMANDS, "info", interrupted)
    assert main(["info", "x.zarr"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "",
        "Stopped before it was done; what was saved earlier is as it was.",
    ]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_that_nobody_interrupted_is_still_told(capsys, monkeypatch):
    def broken(args):
        raise RecursionError("too deep")

    monkeypatch.setitem(COMMANDS, "info", broken)
    assert main(["info", "x.zarr"]) == 1
    assert "RecursionError: too deep (--debug shows where)" in capsys.readouterr().err


def test_an_interrupt_while_the_commands_are_loaded_ends_quietly():
    code = (
        "import sys\nfrom tunewidgets.cli import main\n"
        "class Pressed:\n    def find_spec(self, name, *_):\n"
        "        if name == 'tunewidgets.cli.parsers':\n            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Pressed())\nsys.exit(main(['--version']))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.strip() == "Stopped before it was done; what was saved earlier is as it was."
