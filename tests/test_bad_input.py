"""Every mistake of the table is answered by the right error, in one sentence with the remedy, before any long work."""

import re

import pytest
from bad_commands import COMMANDS
from bad_input import CASES
from bad_networks import NETWORKS

from tunewidgets.cli.commands import main
from tunewidgets.kernels.optimization import loop


@pytest.fixture(autouse=True)
def nothing_long(monkeypatch, tmp_path):
    """The optimization may not begin, and nothing may be left in the folder that one works in."""

    def begun(*args, **kwargs):
        pytest.fail("long work was begun")

    monkeypatch.setattr(loop, "_run_chunk", begun)
    monkeypatch.chdir(tmp_path)
    yield
    assert list(tmp_path.iterdir()) == []


def test_the_table_is_long():
    assert len(CASES) + len(COMMANDS) >= 150


@pytest.mark.parametrize(
    "case", [pytest.param(c, id=f"{n}-{c.name}") for n, c in enumerate([*CASES, *NETWORKS])]
)
@pytest.mark.filterwarnings("ignore")
def test_a_mistake_in_a_call_is_answered_in_one_sentence(case):
    with pytest.raises(case.error) as told:
        case.call()
    text = str(told.value)
    assert case.says in text
    assert "\n" not in text
    assert 10 < len(text) < 500


@pytest.mark.parametrize(("arguments", "status", "says"), COMMANDS)
def test_a_mistake_in_a_command_is_answered_in_one_line(arguments, status, says, capsys):
    assert main(arguments) == status
    lines = capsys.readouterr().err.strip().splitlines()
    assert says in lines[-1]
    assert not any(re.match("Traceback", line) for line in lines)
    if status == 1:
        assert len(lines) == 1
