"""Lists and dicts of the widgets changed in place: checked and sent as an assignment is, or refused."""

import copy
import pickle

import pytest
import traitlets as t
from films import make_film
from hypothesis import given, settings
from hypothesis import strategies as st
from recovery_records import make_recovery
from unit_records import make_units

import tunewidgets as tw
from tunewidgets.widgets.changeable import DICT_CHANGES, LIST_CHANGES, Entries, Values


class Holder(t.HasTraits):
    values = Values(t.Int())
    entries = Entries(key_trait=t.Unicode(), value_trait=t.Int())


def heard(widget, name):
    said = []
    widget.observe(lambda change: said.append(copy.copy(change["new"])), name)
    return said


def test_labels_are_typed_one_at_a_time():
    explorer = tw.TuningExplorer(make_film())
    said = heard(explorer, "labels")
    labels = explorer.labels
    labels[0] = "edge"
    labels[1] = "curve"
    assert explorer.labels == labels == ["edge", "curve", ""]
    assert said == [["edge", "", ""], ["edge", "curve", ""]]
    assert explorer.labeled()["label"].values.tolist() == ["edge", "curve", ""]


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        (
            "labels",
            lambda value: value.append("x"),
            "labels has 4 entries, but this explorer shows 3 dimensions",
        ),
        ("labels", lambda value: value.clear(), "labels has 0 entries"),
        ("points", lambda value: value.__setitem__(0, 99), r"points\[0\] is 99, but the film has 8 points"),
        ("rejected", lambda value: value.pop(), "rejected has 2 entries"),
        ("position", lambda value: value.extend([0, 0]), "has no place for"),
        ("coordinates", lambda value: value.append(1.0), "can't move together here"),
    ],
)
def test_what_there_is_no_place_for_is_refused_and_changes_nothing(name, change, sentence):
    explorer = tw.TuningExplorer(make_film())
    before = list(getattr(explorer, name))
    with pytest.raises(t.TraitError, match=sentence):
        change(getattr(explorer, name))
    assert getattr(explorer, name) == before


def test_a_selection_grows_and_stays_in_order():
    scatter = tw.UnitScatter(make_units())
    said = heard(scatter, "selected")
    scatter.selected.extend([4, 1])
    scatter.selected.append(2)
    assert scatter.selected == [1, 2, 4]
    assert said == [[1, 4], [1, 2, 4]]
    with pytest.raises(t.TraitError, match="selected holds 999"):
        scatter.selected += [999]
    assert scatter.selected == [1, 2, 4]


def test_verdicts_and_notes_are_given_one_at_a_time():
    checklist = tw.RecoveryChecklist(make_recovery())
    cell = next(cell.key for cell in checklist.cells())
    checklist.verdicts[cell] = "unsure"
    checklist.notes.update({cell: "look again"})
    with pytest.raises(t.TraitError, match="give 'yes', 'no' or 'unsure'"):
        checklist.verdicts[cell] = "perhaps"
    with pytest.raises(t.TraitError, match="which this table doesn't have"):
        checklist.notes["nowhere"] = "x"
    shown = next(one for one in checklist.cells() if one.key == cell)
    assert (shown.verdict, shown.note) == ("unsure", "look again")
    del checklist.notes[cell]
    assert checklist.notes == {}


def test_all_changes_that_python_knows_are_caught():
    def changing(kind):
        return {name for name in dir(kind) if name in {*LIST_CHANGES, *DICT_CHANGES}}

    assert set(LIST_CHANGES) == changing(list)
    assert set(DICT_CHANGES) == changing(dict)


STEPS = st.lists(
    st.sampled_from(
        [
            lambda v: v.append(7), lambda v: v.extend([5, 3]), lambda v: v.insert(0, 1), lambda v: v.sort(),
            lambda v: v.reverse(), lambda v: v.clear(), lambda v: v.__imul__(2), lambda v: v.__iadd__([9]),
            lambda v: v and v.pop(), lambda v: v and v.__delitem__(0), lambda v: v.__setitem__(slice(0, 1), [4, 4]),
        ]
    ),
    max_size=8,
)  # fmt: skip


@given(STEPS)
@settings(max_examples=40, deadline=None)
def test_it_is_a_list_like_any_other(steps):
    holder, plain = Holder(), []
    kept, said = holder.values, heard(holder, "values")
    for step in steps:
        step(plain)
        step(kept)
        assert plain == kept == holder.values
        assert holder.values is kept
    assert not said or said[-1] == plain


def test_it_is_a_dict_like_any_other():
    holder = Holder()
    holder.entries |= {"a": 1}
    assert holder.entries.setdefault("b", 2) == 2
    assert holder.entries.pop("a") == 1
    assert holder.entries.popitem() == ("b", 2)
    assert holder.entries == {}


def test_copies_and_earlier_values_are_plain():
    holder = Holder(values=[1], entries={"a": 1})
    for same in (copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))):
        assert type(same(holder.values)) is list
        assert type(same(holder.entries)) is dict
    before = holder.values
    holder.values = [2]
    before.append(3)
    assert (holder.values, before) == ([2], [1, 3])


HALF, JOINED = "a\ud800b", "\ud83d\ude00"


def test_halves_of_a_character_can_be_saved_and_exported(tmp_path):
    explorer = tw.TuningExplorer(make_film())
    explorer.labels = [HALF, JOINED, ""]
    assert explorer.labels == ["a\ufffdb", "\U0001f600", ""]
    found = tw.open_record(tw.save_record(explorer.labeled(), tmp_path / "film.zarr"))
    assert found["label"].values.tolist() == explorer.labels
    page = tw.export_html([f"# {HALF}", explorer], tmp_path / "page.html", title=HALF)
    assert "a\ufffdb" in page.path.read_text(encoding="utf-8")
    checklist = tw.RecoveryChecklist(make_recovery())
    cell = next(cell.key for cell in checklist.cells())
    checklist.notes = {cell: HALF}
    assert checklist.notes[cell] == "a\ufffdb"


def test_a_records_own_halves_are_replaced_on_disk(tmp_path):
    film = make_film()
    film["label"] = ("dimension", [HALF, "", ""])
    film.attrs["model"] = HALF
    found = tw.open_record(tw.save_record(film, tmp_path / "film.zarr"))
    assert found["label"].values[0] == found.attrs["model"] == "a\ufffdb"
