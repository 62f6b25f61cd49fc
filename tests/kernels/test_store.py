"""Studies with a store: shown as far as they are made, gone on with, told apart; damage is found and made again."""

import json
import multiprocessing
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from units_networks import batches, branching, labeled_images

import tunewidgets as tw
from tunewidgets.kernels.optimization import loop
from tunewidgets.kernels.studies import workers
from tunewidgets.kernels.studies.store import Study
from tunewidgets.kernels.studies.table import Table
from tunewidgets.records.lock import Lock

LAYERS = ["relu", "body.2"]
# Three chunks for each layer's six units and objective: without a bound on contrast there are no second images.
QUICK = {
    "steps": 3, "chunk": 2, "objectives": ("am",), "progress": False, "device": "cpu", "exemplars": 2, "contrast": None,
}  # fmt: skip
FILM = {"points": 4, "steps": 3, "chunk": 2, "size": 16, "progress": False}


@pytest.fixture(scope="module")
def data():
    return batches(*labeled_images(), 5)


def units(data, **options):
    return tw.analyze_units(branching(), data, LAYERS, **{"ablation": False, **QUICK, **options})


@pytest.fixture(scope="module")
def uninterrupted(data):
    """A run without a store, and how many chunks it took."""
    with pytest.MonkeyPatch.context() as patch:
        ran = stopping_after(patch, 99)
        return units(data), len(ran)


@pytest.fixture(scope="module")
def whole(uninterrupted):
    return uninterrupted[0]


@pytest.fixture(scope="module")
def fitted():
    probe = tw.Probe(branching(), "relu", device="cpu")
    vectors = np.random.default_rng(0).exponential(size=(60, 6)).astype(np.float32)
    return probe, tw.TuningDimensions("pca", 2).fit(vectors)


def stopping_after(monkeypatch, chunks, error=KeyboardInterrupt):
    """The network runs for so many chunks, then the run is stopped; gives how many it ran for."""
    real, ran = loop._run_chunk, []

    def run(*args, **kwargs):
        if len(ran) == chunks:
            raise error("stopped on purpose")
        ran.append(1)
        return real(*args, **kwargs)

    monkeypatch.setattr(loop, "_run_chunk", run)
    # One at a time: a second worker's chunk would stop the run before the first one's is told.
    monkeypatch.setattr(workers, "worker_count", lambda device: 1)
    return ran


def same(tree, other):
    return all(tree[layer].to_dataset().equals(other[layer].to_dataset()) for layer in LAYERS)


@pytest.mark.parametrize("ending", [".zarr", ".zarr.zip"])
def test_a_stopped_study_is_shown_and_gone_on_with_and_ends_as_if_it_had_not_been(
    tmp_path, data, uninterrupted, monkeypatch, ending
):
    whole, chunks = uninterrupted
    store = tmp_path / f"u{ending}"
    with monkeypatch.context() as patch:
        ran = stopping_after(patch, 4)
        with pytest.raises(KeyboardInterrupt):
            units(data, store=store)
        assert len(ran) == 4
    partial = tw.open_record(store)
    tw.records.validate(partial)
    assert "unfinished" not in partial["relu"].attrs
    assert partial["body.2"].attrs["unfinished"] == "am: 2 of 6 images made"
    assert partial["body.2"].rendered.values.tolist() == [[True, True, False, False, False, False]]
    assert np.isnan(partial["body.2"].rs.values[0, 2:]).all()
    assert "substitutes" not in partial["body.2"]
    with monkeypatch.context() as patch:
        ran = stopping_after(patch, 99)
        tree = units(data, store=store)
        assert len(ran) == chunks - 4
    assert same(tree, whole)
    assert same(tw.open_record(store), whole)
    assert [path.name for path in tmp_path.iterdir()] == [store.name]


def test_a_study_that_is_stopped_at_any_chunk_goes_on_with_its_second_images_too(tmp_path, data, monkeypatch):
    both = {"contrast": "auto", "steps": 4}
    with monkeypatch.context() as patch:
        ran = stopping_after(patch, 99)
        whole = units(data, **both)
        chunks = len(ran)
    assert chunks > 2 * 3
    for stop in range(2, chunks, 3):
        store = tmp_path / f"{stop}.zarr"
        with monkeypatch.context() as patch:
            stopping_after(patch, stop)
            with pytest.raises(KeyboardInterrupt):
                units(data, store=store, **both)
        tw.records.validate(tw.open_record(store))
        with monkeypatch.context() as patch:
            ran = stopping_after(patch, 99)
            tree = units(data, store=store, **both)
            assert len(ran) == chunks - stop
        assert same(tree, whole)


def test_a_lock_on_windows_is_closed_before_its_file_goes(tmp_path, monkeypatch):
    lock = Lock(tmp_path / "film.lock", "film.zarr")
    unlink = Path.unlink

    def refused_while_open(path, **options):
        if not lock._file.closed:
            raise PermissionError("the file is in use")
        unlink(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr("sys.platform", "win32")
        patch.setattr(Path, "unlink", refused_while_open)
        lock.release()
    assert not lock.path.exists()


def test_numpys_numbers_ask_for_the_same_as_pythons(tmp_path, fitted):
    numpys = {name: value if name == "progress" else np.int64(value) for name, value in FILM.items()}
    made = tw.render_film(*fitted, **numpys, seed=np.int64(1), store=tmp_path / "film.zarr")
    assert tw.render_film(*fitted, **FILM, seed=1, store=tmp_path / "film.zarr").equals(made)


def test_the_data_are_not_gone_through_again(tmp_path, data, monkeypatch):
    class Counting(list):
        passes = 0

        def __iter__(self):
            yield from super().__iter__()
            Counting.passes += 1

    counting = Counting(data)
    options = {"store": tmp_path / "u.zarr", "ablation": True, "ablation_options": {"curves": False}}
    with monkeypatch.context() as patch:
        stopping_after(patch, 1)
        with pytest.raises(KeyboardInterrupt):
            units(counting, **options)
    before = Counting.passes
    tree = units(counting, **options)
    assert (tree["body.2"].silent.values.any(), tree["relu"].silent.values.any()) == (True, False)
    # Both layers' ablation, and the search for a photograph that excites the second's silent unit.
    assert Counting.passes == before + 3
    assert tree["relu"].attrs["n_images"] == 18
    assert same(tree, units(data, **{**options, "store": None}))


def test_a_film_is_shown_and_gone_on_with(tmp_path, fitted, monkeypatch):
    expected = tw.render_film(*fitted, **FILM)
    store = tmp_path / "film.zarr"
    with monkeypatch.context() as patch:
        stopping_after(patch, 3)
        with pytest.raises(KeyboardInterrupt):
            tw.render_film(*fitted, **FILM, store=store)
    partial = tw.open_record(store)
    assert partial.attrs["unfinished"] == "6 of 8 images made"
    assert partial.status.values[0] == ""
    assert partial.status.values[1].startswith("not made yet")
    with monkeypatch.context() as patch:
        assert len(stopping_after(patch, 99)) == 0
        film = tw.render_film(*fitted, **FILM, store=store)
    assert film.equals(expected)
    assert tw.open_record(store).equals(expected)
    assert tw.render_film(*fitted, **FILM, store=store).equals(expected)
    other = tw.TuningDimensions("pca", 2).fit(np.random.default_rng(1).exponential(size=(60, 6)))
    with pytest.raises(ValueError, match=r"made with dimensions='Direction of 8, \w+', not"):
        tw.render_film(fitted[0], other, **FILM, store=store)


def test_images_and_substitution_have_stores_too(tmp_path, fitted, monkeypatch):
    probe = fitted[0]
    options = {"size": 16, "steps": 3, "chunk": 2, "progress": False}
    expected = tw.visualize(probe, tw.AM(range(4)), **options)
    with monkeypatch.context() as patch:
        stopping_after(patch, 1)
        with pytest.raises(KeyboardInterrupt):
            tw.visualize(probe, tw.AM(range(4)), **options, store=tmp_path / "i.zarr")
    assert tw.open_record(tmp_path / "i.zarr").status.values.tolist()[2:] == ["not made yet"] * 2
    made = tw.visualize(probe, tw.AM(range(4)), **options, store=tmp_path / "i.zarr")
    assert made.equals(expected)
    with pytest.raises(ValueError, match=r"made with objective='AM of 4, \w+', not 'IAM of 4"):
        tw.visualize(probe, tw.IAM(range(4)), **options, store=tmp_path / "i.zarr")
    with pytest.raises(ValueError, match="holds a record of another kind"):
        tw.render_film(*fitted, **FILM, store=tmp_path / "i.zarr")
    rs = {"steps": 3, "chunk": 2, "progress": False, "objectives": ("am",), "device": "cpu"}
    tree = tw.representative_substitution(branching(), LAYERS, **rs, store=tmp_path / "rs.zarr")
    assert same(tree, tw.representative_substitution(branching(), LAYERS, **rs))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"steps": 4}, "made with steps=3, not 4"),
        ({"seed": 1}, "made with seed=0, not 1"),
        ({"chunk": 3}, "made with chunk=2, not 3"),
        (
            {"jitter": tw.Jitter(0)},
            r"made with jitter=None, not 'Jitter\(shift=0, .*steady=False\)'",
        ),
    ],
)
def test_a_study_that_goes_on_otherwise_is_refused_in_a_sentence(tmp_path, data, monkeypatch, change, says):
    store = tmp_path / "u.zarr"
    with monkeypatch.context() as patch:
        stopping_after(patch, 1)
        with pytest.raises(KeyboardInterrupt):
            units(data, store=store)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(
        ValueError, match=says + "; give another store, or the same settings to go on"
    ) as told:
        units(data, store=store, **change)
    assert "\n" not in str(told.value)
    other = branching()
    with torch.no_grad():
        other.head.bias += 1
    with pytest.raises(ValueError, match="of a model with other weights; give another store"):
        tw.analyze_units(other, data, LAYERS, **{"ablation": False, **QUICK}, store=store)
    assert files == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_a_resumed_study_takes_the_stored_chunk_shape(tmp_path, fitted, monkeypatch):
    probe = fitted[0]
    options = {"size": 16, "steps": 3, "progress": False, "store": tmp_path / "i.zarr"}
    monkeypatch.setattr("tunewidgets.kernels.optimization.recipes.choose_chunk", lambda *args: 2)
    with monkeypatch.context() as patch:
        stopping_after(patch, 1)
        with pytest.raises(KeyboardInterrupt):
            tw.visualize(probe, tw.AM(range(6)), **options)
    monkeypatch.setattr("tunewidgets.kernels.optimization.recipes.choose_chunk", lambda *args: 6)
    made = tw.visualize(probe, tw.AM(range(6)), **options)
    assert tw.records.settings_of(made)["chunk"] == 2


def damaged_table(tmp_path, how):
    fields = {"a": (2,), "b": (3,)}
    where = str(tmp_path / "t")
    table = Table(where, 6, 2, fields, {"seed": 0})
    for row in range(6):
        table.add(row, {"a": np.full(2, row), "b": np.full(3, -row)})
    how(sorted(p for p in Path(where).rglob("*") if p.is_file() and p.name != "zarr.json"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Table(where, 6, 2, fields, {"seed": 0}).load()


def test_a_table_gives_back_its_rows_and_leaves_out_what_is_cut_flipped_or_gone(tmp_path):
    def cut(files):
        files[0].write_bytes(files[0].read_bytes()[:-5])

    def flip(files):
        raw = bytearray(files[1].read_bytes())
        raw[9] ^= 4
        files[1].write_bytes(bytes(raw))

    assert sorted(damaged_table(tmp_path / "0", lambda files: None)) == list(range(6))
    for name, how, left in (
        ("1", cut, [2, 3, 4, 5]),
        ("2", flip, [0, 1, 4, 5]),
        ("3", lambda files: files[2].unlink(), [0, 1, 2, 3]),
        ("4", lambda files: files[0].write_bytes(b""), [2, 3, 4, 5]),
    ):
        rows = damaged_table(tmp_path / name, how)
        assert sorted(rows) == left
        assert all((rows[n]["a"] == n).all() and (rows[n]["b"] == -n).all() for n in rows)


def test_an_unfinished_chunk_is_not_there(tmp_path):
    table = Table(str(tmp_path / "t"), 5, 2, {"a": ()}, {})
    for row in (3, 0, 4):
        table.add(row, {"a": np.float32(row)})
    assert sorted(Table(str(tmp_path / "t"), 5, 2, {"a": ()}, {}).load()) == [4]


def test_a_damaged_layer_is_never_shown_and_is_made_again(tmp_path, data, whole):
    store = tmp_path / "u.zarr"
    units(data, store=store)
    chunk = next((store / "relu" / "image" / "c").rglob("0"))
    while chunk.is_dir():
        chunk /= "0"
    raw = bytearray(chunk.read_bytes())
    raw[len(raw) // 2] ^= 1
    chunk.write_bytes(bytes(raw))
    with pytest.raises(tw.records.RecordError, match="is damaged"):
        tw.open_record(store)["relu"].image.load()
    with pytest.warns(UserWarning, match="1 layer in .* is damaged and will be made again"):
        assert same(units(data, store=store), whole)
    chunk.unlink()
    with pytest.raises(tw.records.RecordError, match=r"1 of 1 chunks of relu/image are missing"):
        tw.open_record(store)
    with pytest.warns(UserWarning, match="will be made again"):
        assert same(units(data, store=store), whole)
    assert same(tw.open_record(store), whole)


def test_what_a_kill_at_the_very_end_left_is_taken_away(tmp_path, data, whole):
    store = tmp_path / "u.zarr"
    units(data, store=store)
    (tmp_path / "u.zarr.unfinished" / "parts").mkdir(parents=True)
    (tmp_path / ".u.zarr.lock").touch()
    assert same(units(data, store=store), whole)
    assert [path.name for path in tmp_path.iterdir()] == ["u.zarr"]


def hold(store, ready, done):
    with Study(store, "units", "0", {}):
        ready.set()
        done.wait(60)


def test_the_second_of_two_processes_is_told(tmp_path, data):
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    process = context.Process(target=hold, args=(str(tmp_path / "u.zarr"), ready, done))
    process.start()
    try:
        assert ready.wait(120)
        with pytest.raises(RuntimeError, match=rf"process {process.pid} on .* is writing to .*u.zarr; wait"):
            Study(tmp_path / "u.zarr", "units", "0", {}).__enter__()
    finally:
        done.set()
        process.join(60)
    with Study(tmp_path / "u.zarr", "units", "0", {}):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_store_can_be_a_url(data, uninterrupted, monkeypatch):
    whole, chunks = uninterrupted
    fsspec = pytest.importorskip("fsspec")
    store = "memory://studies/u.zarr"
    try:
        with monkeypatch.context() as patch:
            stopping_after(patch, 4)
            with pytest.raises(KeyboardInterrupt):
                units(data, store=store)
        assert tw.open_record(store)["body.2"].attrs["unfinished"] == "am: 2 of 6 images made"
        with monkeypatch.context() as patch:
            ran = stopping_after(patch, 99)
            assert same(units(data, store=store), whole)
            assert len(ran) == chunks - 4
        assert same(tw.open_record(store), whole)
        assert not fsspec.filesystem("memory").exists("memory://studies/u.zarr.unfinished")
    finally:
        fsspec.filesystem("memory").rm("/studies", recursive=True)


@pytest.mark.parametrize(
    ("store", "error", "says"),
    [
        (3, TypeError, "store is an int; give a path that ends in .zarr"),
        ("units", ValueError, "store is 'units'; end it in .zarr"),
        ("memory://units", ValueError, "end the URL in .zarr"),
        ("/proc/none/u.zarr", OSError, "/proc/none can't be written to"),
    ],
)
def test_what_is_no_store_is_said_before_any_work(data, monkeypatch, store, error, says):
    ran = stopping_after(monkeypatch, 0)
    with pytest.raises(error, match=says):
        units(data, store=store)
    assert not ran


def test_what_is_at_the_path_already_is_left_alone(tmp_path, data):
    (tmp_path / "u.zarr").mkdir()
    (tmp_path / "u.zarr" / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="is not a tunewidgets record, so it is left alone"):
        units(data, store=tmp_path / "u.zarr")
    assert [p.name for p in tmp_path.rglob("*")] == ["u.zarr", "mine.txt"]


def test_what_a_study_says_of_itself_being_damaged_is_made_again(tmp_path, data, whole, monkeypatch):
    store = tmp_path / "u.zarr"
    with monkeypatch.context() as patch:
        stopping_after(patch, 4)
        with pytest.raises(KeyboardInterrupt):
            units(data, store=store)
    about = tmp_path / "u.zarr.unfinished" / "zarr.json"
    assert json.loads(json.loads(about.read_text())["attributes"]["study"])["asked"]["steps"] == 3
    about.write_text(about.read_text()[:40])
    with pytest.warns(UserWarning, match="is damaged; what it held is made again"):
        assert same(units(data, store=store), whole)
    shutil.rmtree(store)
    assert isinstance(units(data, store=store), xr.DataTree)
