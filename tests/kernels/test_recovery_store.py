"""A recovery checklist with a store: killed, read meanwhile, held by another process, damaged, of an older version."""

import json
import multiprocessing
import os
import signal
import sys

import numpy as np
import pytest
import xarray as xr

import tunewidgets as tw
from tunewidgets import zoo
from tunewidgets.kernels.gabor import run as recovery_run

METHODS, COUNTS, SEEDS = ("pca", "ica"), (2, 3), (0, 1)
FILMS = {
    "n_components": (2,), "seeds": (0,), "films": True, "random_directions": 6,
    "film_options": {"size": 32, "steps": 4},
}  # fmt: skip


def zero_mean(seed):
    return zoo.gabor_bank(seed=seed)


def recovery(store=None, **options):
    quick = {
        "bank": zero_mean, "methods": METHODS, "n_components": COUNTS, "seeds": SEEDS, "n": 2000, "permutations": 19,
        "images": zoo.images("dead-leaves", n=20, size=64), "progress": False,
    }  # fmt: skip
    return tw.gabor_recovery(store=store, **{**quick, **options})


def counted(patch, name, stop=None, ends=KeyboardInterrupt):
    """Lists the calls of a function of the run; the call number `stop` ends it."""
    real, calls = getattr(recovery_run, name), []

    def call(*args, **kwargs):
        if len(calls) == stop:
            raise ends
        calls.append(name)
        return real(*args, **kwargs)

    patch.setattr(recovery_run, name, call)
    return calls


def same(one, other):
    """Everything of two records but when they were made."""
    assert [node.path for node in one.subtree] == [node.path for node in other.subtree]
    for node in one.subtree:
        xr.testing.assert_equal(node.to_dataset(inherit=False), other[node.path].to_dataset(inherit=False))


@pytest.fixture(scope="module")
def whole():
    return recovery()


def as_version_1(store):
    """Give a record the words of before: the dimension `decomposition` was `method`."""
    (store / "decomposition").rename(store / "method")
    for about in store.rglob("zarr.json"):
        text = json.loads(about.read_text())
        if "dimension_names" in text:
            text["dimension_names"] = [
                "method" if name == "decomposition" else name for name in text["dimension_names"]
            ]
        if text["attributes"].get("tunewidgets_record") == "recovery/2":
            text["attributes"]["tunewidgets_record"] = "recovery/1"
        about.write_text(json.dumps(text))


@pytest.mark.parametrize("ending", [".zarr", ".zarr.zip"])
def test_a_stopped_checklist_is_shown_and_gone_on_with_cell_by_cell(tmp_path, whole, monkeypatch, ending):
    store = tmp_path / f"r{ending}"
    with monkeypatch.context() as patch:
        counted(patch, "judge", 3)
        with pytest.raises(KeyboardInterrupt):
            recovery(store)
    partial = tw.open_record(store)
    tw.records.validate(partial)
    assert partial.attrs["unfinished"] == "3 of 8 cells judged"
    assert (partial["status"] == "").values.sum() == 3
    with monkeypatch.context() as patch:
        judged = counted(patch, "judge")
        tree = recovery(store)
        assert len(judged) == 5
        same(recovery(store), tree)
        assert len(judged) == 5
    same(tree, whole)
    same(tw.open_record(store), whole)
    assert "unfinished" not in tw.open_record(store).attrs
    assert [path.name for path in tmp_path.iterdir()] == [store.name]


def killed_at(store, cell):
    real, begun = recovery_run.judge, []

    def judge(*args):
        if len(begun) == cell:
            os.kill(os.getpid(), signal.SIGKILL)
        begun.append(1)
        return real(*args)

    recovery_run.judge = judge
    recovery(store)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGKILL")
def test_after_a_kill_nothing_is_computed_twice_but_the_unfinished_cell(tmp_path, whole, monkeypatch):
    store = tmp_path / "r.zarr"
    process = multiprocessing.get_context("spawn").Process(target=killed_at, args=(str(store), 6))
    process.start()
    process.join(240)
    assert process.exitcode == -signal.SIGKILL
    judged = counted(monkeypatch, "judge")
    same(recovery(store), whole)
    assert len(judged) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["r.zarr"]


def test_films_and_the_random_ones_they_are_judged_by_are_made_once(tmp_path, monkeypatch):
    store = tmp_path / "r.zarr"
    expected = recovery(**FILMS)
    with monkeypatch.context() as patch:
        counted(patch, "render_film", 1)
        with pytest.raises(KeyboardInterrupt):
            recovery(store, **FILMS)
    assert list(tw.open_record(store)["films"].children) == ["bank-pca-2"]
    with pytest.raises(
        ValueError, match="made with steps=4, not 5; give another store, or the same settings"
    ):
        recovery(store, **{**FILMS, "film_options": {"size": 32, "steps": 5}})
    with monkeypatch.context() as patch:
        judged, drawn = counted(patch, "judge"), counted(patch, "random_films")
        filmed = counted(patch, "render_film")
        tree = recovery(store, **FILMS)
    assert (judged, drawn, len(filmed)) == ([], [], 1)
    same(tree, expected)
    same(tw.open_record(store), expected)


def test_what_a_reader_enters_while_it_is_made_is_kept(tmp_path, monkeypatch):
    store = tmp_path / "r.zarr"
    real, calls = recovery_run.judge, []

    def judge(*args):
        calls.append(1)
        if len(calls) == 5:
            checklist = tw.RecoveryChecklist(store)
            checklist.verdicts = {"phase/pca-2": "yes"}
            checklist.notes = {"angle/ica-3": "hm"}
            tw.save_record(checklist.judged(), store)
        return real(*args)

    monkeypatch.setattr(recovery_run, "judge", judge)
    tree = recovery(store)
    again = tw.RecoveryChecklist(store)
    assert (again.verdicts, again.notes) == ({"phase/pca-2": "yes"}, {"angle/ica-3": "hm"})
    assert tree["verdict"].sel(attribute="phase", decomposition="pca", n_components=2).item() == "yes"
    assert (tree["status"] == "").all()


@pytest.mark.parametrize("ending", [".zarr", ".zarr.zip"])
def test_a_reader_may_take_a_verdict_back(tmp_path, whole, ending):
    store = tmp_path / f"r{ending}"
    checklist = tw.RecoveryChecklist(whole)
    checklist.verdicts = {"phase/pca-2": "yes", "angle/pca-2": "no"}
    tw.save_record(checklist.judged(), store)
    assert (recovery(store)["verdict"] != "").sum() == 2
    checklist.verdicts = {"angle/pca-2": "no"}
    tw.save_record(checklist.judged(), store)
    recovery(store, seeds=(2,))
    assert tw.RecoveryChecklist(store).verdicts == {"angle/pca-2": "no"}


def test_a_damaged_record_is_made_anew_and_keeps_what_the_reader_entered(tmp_path, whole):
    store = tmp_path / "r.zarr"
    checklist = tw.RecoveryChecklist(whole)
    checklist.verdicts, checklist.notes = {"phase/ica-3": "unsure"}, {"phase/ica-3": "look again"}
    tw.save_record(checklist.judged(), store)
    for chunk in (store / "null" / "c").rglob("*"):
        if chunk.is_file():
            chunk.unlink()
    with pytest.warns(UserWarning, match="is damaged .* made again"):
        tree = recovery(store)
    np.testing.assert_array_equal(tree["null"], whole["null"])
    again = tw.RecoveryChecklist(store)
    assert (again.verdicts, again.notes) == (checklist.verdicts, checklist.notes)


def waiting(store, ready, done):
    real = recovery_run.judge

    def judge(*args):
        ready.set()
        done.wait(240)
        return real(*args)

    recovery_run.judge = judge
    recovery(store)


def test_the_second_of_two_processes_is_told_before_any_work(tmp_path, whole, monkeypatch):
    store = tmp_path / "r.zarr"
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    process = context.Process(target=waiting, args=(str(store), ready, done))
    process.start()
    try:
        assert ready.wait(240)
        judged = counted(monkeypatch, "judge")
        with pytest.raises(RuntimeError, match=rf"process {process.pid} on .* is writing to .*r.zarr; wait"):
            recovery(store)
        assert judged == []
    finally:
        done.set()
        process.join(120)
    assert process.exitcode == 0
    same(tw.open_record(store), whole)


def test_a_record_of_version_1_opens_shows_and_goes_on(tmp_path, whole, monkeypatch):
    store = tmp_path / "r.zarr"
    checklist = tw.RecoveryChecklist(recovery(seeds=(0,)))
    checklist.verdicts = {"phase/pca-3": "yes"}
    tw.save_record(checklist.judged(), store)
    as_version_1(store)
    assert "method" in xr.open_zarr(store, consolidated=False).dims
    opened = tw.open_record(store)
    tw.records.validate(opened)
    assert opened.attrs["tunewidgets_record"] == "recovery/2"
    assert opened["p"].sel(decomposition="pca").sizes["n_components"] == 2
    shown = tw.RecoveryChecklist(store)
    assert shown.verdicts == {"phase/pca-3": "yes"}
    assert [cell.key for cell in shown.cells()][:2] == ["frequency/pca-2", "frequency/pca-3"]
    judged = counted(monkeypatch, "judge")
    tree = recovery(store)
    assert len(judged) == 4
    for name in ("p", "null", "share", "readout_curve"):
        np.testing.assert_array_equal(tree[name], whole[name])
    again = tw.open_record(store)
    assert "method" not in again.dims
    assert again["verdict"].sel(attribute="phase", decomposition="pca", n_components=3).item() == "yes"


def test_an_older_record_in_one_file_opens_too(tmp_path, whole):
    folder = tw.save_record(whole, tmp_path / "r.zarr")
    as_version_1(folder)
    plain = xr.open_datatree(folder, engine="zarr", consolidated=False).load()
    with pytest.raises(tw.records.RecordError, match="decomposition"):
        tw.records.validate(plain)
    packed = tmp_path / "old.zarr.zip"
    tw.records.files._zipped(folder, packed)
    same(tw.open_record(packed), whole)


def test_a_store_can_be_a_url(whole, monkeypatch):
    fsspec = pytest.importorskip("fsspec")
    store = "memory://checklists/r.zarr"
    try:
        with monkeypatch.context() as patch:
            counted(patch, "judge", 5)
            with pytest.raises(KeyboardInterrupt):
                recovery(store)
        judged = counted(monkeypatch, "judge")
        same(recovery(store), whole)
        assert len(judged) == 3
        same(tw.open_record(store), whole)
        assert not fsspec.filesystem("memory").exists("memory://checklists/r.zarr.unfinished")
    finally:
        fsspec.filesystem("memory").rm("/checklists", recursive=True)
