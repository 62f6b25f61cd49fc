"""The page's code: held once for all widgets of a kernel, and found again wherever a widget's state is taken along."""

import sys
from types import SimpleNamespace

import ipywidgets
import pytest
from films import make_film
from ipywidgets.embed import dependency_state
from unit_records import make_units

import tunewidgets as tw
from tunewidgets.widgets import page_code


def test_fifty_widgets_hold_their_code_once():
    film = make_film(1, 3, 8)
    many = [tw.TuningExplorer(film) for _ in range(50)]
    assert len({id(explorer._code) for explorer in many}) == 1
    code = page_code.bundle("tuning-explorer", "js")
    assert many[0]._code.code == code
    assert all(len(explorer.get_state()["_esm"]) < 2_000 for explorer in many)
    assert tw.UnitScatter(make_units(4, 8))._code is not many[0]._code


def test_the_code_goes_with_the_state_of_one_widget():
    explorer = tw.TuningExplorer(make_film(1, 3, 8))
    state = dependency_state([explorer])
    reference = state[explorer.model_id]["state"]["_code"]
    assert state[reference.removeprefix("IPY_MODEL_")]["state"]["code"] == explorer._code.code


def test_closed_code_is_made_anew():
    before = tw.TuningExplorer(make_film(1, 3, 8))._code
    ipywidgets.Widget.close_all()
    after = tw.TuningExplorer(make_film(1, 3, 8))._code
    assert after is not before
    assert after.comm is not None


@pytest.mark.parametrize("runs", [True, False])
def test_marimo_is_given_the_code_itself(monkeypatch, runs):
    monkeypatch.setitem(sys.modules, "marimo", SimpleNamespace(running_in_notebook=lambda: runs))
    explorer = tw.TuningExplorer(make_film(1, 3, 8))
    assert (explorer._esm == page_code.bundle("tuning-explorer", "js")) == runs
    assert (explorer._code is None) == runs
