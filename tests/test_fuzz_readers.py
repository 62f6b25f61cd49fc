"""Readers on damaged and hostile files: one sentence or a valid record, at once, and nothing written or run."""

import io
import pickle
import shutil
import struct
import zipfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch
from films import make_film
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit_records import make_units

import tunewidgets as tw
from tunewidgets.records import RecordError, validate

FUZZ = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    tree = tw.records.layer_tree({"a": make_units(6, 8, layer="a")})
    return {
        ".zarr": tw.save_record(make_film(2, 3, 8), folder / "film.zarr"),
        ".tree.zarr": tw.save_record(tree, folder / "units.zarr"),
        ".zarr.zip": tw.save_record(make_film(2, 3, 8), folder / "film.zarr.zip"),
    }


def opens_or_says(path):
    """Either a valid record, or one sentence, with Zarr and without; nothing beside the path."""
    before = sorted(p.name for p in path.parent.iterdir())
    for zarr_reads in (True, False):
        said = ""
        try:
            with patch("tunewidgets.records.files.threads_start", lambda zarr_reads=zarr_reads: zarr_reads):
                validate(tw.open_record(path))
        except (RecordError, FileNotFoundError) as error:
            said = str(error)
        assert "\n" not in said
        assert sorted(p.name for p in path.parent.iterdir()) == before


@pytest.mark.parametrize("kind", [".zarr", ".tree.zarr"])
@FUZZ
@given(data=st.data())
def test_a_folder_with_one_file_changed(saved, tmp_path, kind, data):
    path = tmp_path / "record.zarr"
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(saved[kind], path)
    files = sorted(p for p in path.rglob("*") if p.is_file())
    file = data.draw(st.sampled_from(files))
    raw = file.read_bytes()
    how = data.draw(st.sampled_from(["cut", "flip", "replace", "remove"]))
    if how == "remove":
        file.unlink()
    elif how == "replace":
        file.write_bytes(data.draw(st.binary(max_size=60)))
    else:
        at = data.draw(st.integers(0, len(raw) - 1))
        file.write_bytes(raw[:at] if how == "cut" else raw[:at] + bytes([raw[at] ^ 0x41]) + raw[at + 1 :])
    opens_or_says(path)


@FUZZ
@given(at=st.integers(0, 10**6), size=st.integers(0, 40), value=st.binary(min_size=1, max_size=4))
def test_a_zip_with_bytes_changed_or_cut(saved, tmp_path, at, size, value):
    raw = saved[".zarr.zip"].read_bytes()
    at %= len(raw)
    path = tmp_path / "record.zarr.zip"
    path.write_bytes(raw[:at] + value + raw[at + size :])
    opens_or_says(path)


@FUZZ
@given(raw=st.binary(max_size=300))
def test_any_bytes_for_a_zip(tmp_path, raw):
    path = tmp_path / "record.zarr.zip"
    path.write_bytes(raw)
    opens_or_says(path)


@pytest.mark.parametrize("name", ["/etc/evil", "../evil", "image/../../evil", "C:\\evil", "a" * 5000])
def test_members_that_point_outside_are_not_followed(saved, tmp_path, name):
    path = tmp_path / "inner" / "record.zarr.zip"
    path.parent.mkdir()
    shutil.copy(saved[".zarr.zip"], path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"evil")
    opens_or_says(path)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["inner", "record.zarr.zip"]
    assert not Path("/etc/evil").exists()


def test_a_bomb_is_not_unpacked_into_memory(saved, tmp_path):
    import resource

    path = tmp_path / "bomb.zarr.zip"
    shutil.copy(saved[".zarr.zip"], path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("huge", "w") as member:
        for _ in range(300):
            member.write(bytes(2**20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    opens_or_says(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024


class Exploit:
    """Runs code where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@FUZZ
@given(raw=st.binary(max_size=200))
def test_weights_files_of_any_bytes(tmp_path, raw):
    for ending in (".pt", ".safetensors"):
        path = tmp_path / f"weights{ending}"
        path.write_bytes(raw)
        with pytest.raises((ValueError, OSError, TypeError, RuntimeError)) as told:
            tw.zoo.load("shallow_cnn", weights=str(path))
        assert "\n" not in str(told.value)


def test_weights_files_run_no_code(tmp_path):
    path, mark = tmp_path / "weights.pt", tmp_path / "ran"
    for write in (
        lambda: path.write_bytes(pickle.dumps(Exploit(mark))),
        lambda: torch.save({"conv1.weight": Exploit(mark)}, path),
    ):
        write()
        with pytest.raises((ValueError, OSError, TypeError, RuntimeError)):
            tw.zoo.load("shallow_cnn", weights=str(path))
        assert not mark.exists()


def test_a_safetensors_header_that_promises_too_much(tmp_path):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(struct.pack("<Q", 2**62) + b"{}")
    with pytest.raises((ValueError, OSError, RuntimeError)):
        tw.zoo.load("shallow_cnn", weights=str(path))


def test_an_array_of_objects_is_not_unpickled(saved, tmp_path):
    path, mark = tmp_path / "record.zarr", tmp_path / "ran"
    shutil.copytree(saved[".zarr"], path)
    held = io.BytesIO()
    np.save(held, np.array([Exploit(mark)], dtype=object), allow_pickle=True)
    chunk = next(p for p in (path / "label").rglob("*") if p.is_file() and p.name != "zarr.json")
    chunk.write_bytes(held.getvalue())
    opens_or_says(path)
    assert not mark.exists()
