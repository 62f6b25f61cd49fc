"""Records in a Python that starts no threads, as in a browser: all that Zarr reads is read without it, and shown."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from films import make_film
from recovery_records import make_recovery
from unit_records import make_tree, make_units

import tunewidgets as tw
from tunewidgets.records import encoding, files
from tunewidgets.zoo.examples import EXAMPLES

ROOT = Path(__file__).parents[1]
NASTY = ("a/b", "100%", "..", "trailing.", "layer2.0.conv1")


def odd_film() -> xr.Dataset:
    """A film with missing numbers, long text, and coordinates that are no dimension or have none."""
    film = make_film(2, 3, 8, failed={1: "constant direction: the target never turns"})
    film["label"] = ("dimension", np.array(["Überkante — 方向 🧭", "x" * 70_000], object))
    return film.assign_coords(turn=("point", np.arange(3) > 1), weight=np.float64(0.5), none=("void", []))


RECORDS = {
    "film": lambda: make_film(3, 8, 32, noise=4),
    "odd film": odd_film,
    "units": lambda: make_units(12, 8, dead=[3], silent=[4], failed={5: "stopped"}, exemplars=3),
    "layers": lambda: make_tree(),
    "nasty names": lambda: tw.records.layer_tree({name: make_film(1, 2, 8, seed=1) for name in NASTY}),
    "recovery": lambda: make_recovery(seeds=(0, 1), methods=("pca", "ica"), films=True),
}


@pytest.fixture
def read_without_zarr(monkeypatch):
    def read(path):
        with monkeypatch.context() as patch:
            patch.setattr(files, "threads_start", lambda: False)
            for module in ("zarr", "zarr.storage"):
                patch.setitem(sys.modules, module, None)
            return tw.open_record(path)

    return read


@pytest.mark.parametrize("ending", [".zarr", ".zarr.zip"])
@pytest.mark.parametrize("name", RECORDS)
def test_every_kind_of_record_is_what_zarr_reads(name, ending, read_without_zarr, tmp_path):
    path = tw.save_record(RECORDS[name](), tmp_path / f"record{ending}")
    plain, zarr = read_without_zarr(path), tw.open_record(path)
    xr.testing.assert_identical(plain, zarr)
    nodes = (list(each.subtree) if isinstance(each, xr.DataTree) else [each] for each in (plain, zarr))
    for one, other in zip(*nodes, strict=True):
        assert list(getattr(one, "children", ())) == list(getattr(other, "children", ()))
        assert one.sizes == other.sizes
        assert {name: v.dtype for name, v in one.variables.items()} == {
            name: v.dtype for name, v in other.variables.items()
        }


def test_a_record_from_before_there_were_checksums(read_without_zarr):
    # Of its arrays, chunks of nothing but zeros are not on disk.
    path = EXAMPLES["shallow_cnn"]
    xr.testing.assert_identical(read_without_zarr(path), tw.open_record(path))


def test_an_array_of_many_chunks_of_which_the_last_are_cut(read_without_zarr, tmp_path):
    film = make_film(3, 5, 16)
    path = tmp_path / "film.zarr"
    chunks = {name: tuple(min(2, n) for n in v.shape) for name, v in film.variables.items() if v.ndim == 2}
    film.to_zarr(
        path,
        consolidated=False,
        zarr_format=3,
        encoding={
            name: {"chunks": chunk, "compressors": encoding.compressors()} for name, chunk in chunks.items()
        },
    )
    assert len(list(path.joinpath("coordinate", "c").rglob("*"))) > 6
    xr.testing.assert_identical(read_without_zarr(path), tw.open_record(path))


def test_a_damaged_chunk_is_said(read_without_zarr, tmp_path):
    path = tw.save_record(make_film(1, 2, 8), tmp_path / "film.zarr")
    chunk = path / "coordinate" / "c" / "0" / "0"
    chunk.write_bytes(bytes(len(chunk.read_bytes())))
    with pytest.raises(tw.records.RecordError, match="a chunk of coordinate does not match its checksum"):
        read_without_zarr(path)


def test_another_codec_is_named(read_without_zarr, tmp_path):
    path = tmp_path / "film.zarr"
    from zarr.codecs import GzipCodec

    make_film(1, 2, 8).to_zarr(
        path, consolidated=False, zarr_format=3, encoding={"cosine": {"compressors": [GzipCodec()]}}
    )
    with pytest.raises(tw.records.RecordError, match="cosine is stored with the codec 'gzip'"):
        read_without_zarr(path)


def test_a_python_without_threads_shows_records_and_says_that_it_can_write_none(tmp_path):
    path = tw.save_record(make_film(2, 3, 16), tmp_path / "film.zarr.zip")
    code = f"""
import _thread, sys, threading
def refused(*_, **__):
    raise RuntimeError("can't start new thread")
for module in (_thread, threading):
    for name in ("start_new_thread", "start_joinable_thread", "_start_new_thread", "_start_joinable_thread"):
        if hasattr(module, name):
            setattr(module, name, refused)
for name in ("torch", "torchvision", "lucent"):
    sys.modules[name] = None
import tunewidgets as tw
film = tw.open_record({str(path)!r})
explorer = tw.TuningExplorer(film)
assert explorer.figure().data
assert tw.UnitScatter(tw.zoo.example("shallow_cnn")).figure().data
try:
    tw.save_record(film, {str(tmp_path / "again.zarr")!r})
except RuntimeError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("a record can't be written here: this Python can't start threads")
    assert not (tmp_path / "again.zarr").exists()
