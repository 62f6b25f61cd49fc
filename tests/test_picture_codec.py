"""Pictures as WebP on disk: they look the same in a tenth of the room, with Zarr and without, and damage is found."""

import numpy as np
import pytest
import xarray as xr
from films import make_film
from unit_records import make_tree

import tunewidgets as tw
from tunewidgets.records import RecordError
from tunewidgets.records.files import _opened
from tunewidgets.records.packed_pictures import packed, unpacked
from tunewidgets.records.without_zarr import plain_tree


def smooth(*shape):
    """Pictures of a few large waves, as those that engines make are."""
    y, x = np.mgrid[: shape[-3], : shape[-2]] / shape[-2]
    # One phase a picture: WebP keeps colors at half the side.
    phases = np.random.default_rng(0).uniform(0, 6, (*shape[:-3], 1, 1, 1)) + np.linspace(0, 0.3, shape[-1])
    waves = np.sin(9 * x[..., None] + 5 * y[..., None] + phases)
    return (127 + 100 * waves).astype(np.uint8)


def test_pictures_come_back_nearly_the_same_each_for_itself():
    pictures = smooth(2, 3, 48, 32, 3)
    back = unpacked(packed(pictures, 90), pictures.shape)
    assert np.abs(back.astype(int) - pictures).mean() < 3
    alone = unpacked(packed(pictures[1, 1], 90), pictures[1, 1].shape)
    np.testing.assert_array_equal(back[1, 1], alone)


@pytest.mark.parametrize("harm", [lambda b: b[:-30], lambda b: b[:3], lambda b: b"\0" * len(b)])
def test_bytes_that_are_no_pictures_are_a_value_error(harm):
    pictures = smooth(2, 16, 16, 3)
    with pytest.raises(ValueError, match=r"picture|buffer"):
        unpacked(harm(packed(pictures, 90)), pictures.shape)


@pytest.mark.parametrize("name", ["record.zarr", "record.zarr.zip"])
@pytest.mark.parametrize("make", [lambda: make_film(3, 4, 48), make_tree], ids=["film", "units"])
def test_a_record_keeps_all_but_the_last_bits_of_its_pictures(name, make, tmp_path):
    record = make()
    path = tw.save_record(record, tmp_path / name, picture_quality=90)
    back = tw.open_record(path)
    assert back.attrs["picture_quality"] == 90
    assert "picture_quality" not in record.attrs
    pairs = (
        [(record[node.path].to_dataset(), back[node.path].to_dataset()) for node in record.leaves]
        if isinstance(record, xr.DataTree)
        else [(record, back)]
    )
    for before, after in pairs:
        assert after["image"].dtype == np.uint8
        pictures = before["image"].values
        np.testing.assert_array_equal(after["image"], unpacked(packed(pictures, 90), pictures.shape))
        lossless = [n for n, v in before.items() if not (v.dtype == np.uint8 and v.dims[-1:] == ("rgb",))]
        xr.testing.assert_equal(after[lossless], before[lossless])
    with _opened(path) as files:
        plain = plain_tree(files)
    for node in plain.leaves:
        if "image" in node:
            theirs = back[node.path] if isinstance(back, xr.DataTree) else back
            np.testing.assert_array_equal(node["image"].values, theirs["image"].values)


def test_it_takes_much_less_room():
    pictures = smooth(4, 64, 64, 3)
    assert len(packed(pictures, 85)) < pictures.nbytes / 8


@pytest.mark.parametrize("quality", [0, 101, 85.5, "high", True])
def test_a_quality_that_is_none_is_a_sentence(quality, tmp_path):
    with pytest.raises(ValueError, match="is no quality; give 1 to 100"):
        tw.save_record(make_film(1, 2, 16), tmp_path / "a.zarr", picture_quality=quality)


def test_a_damaged_chunk_is_said(tmp_path):
    path = tw.save_record(make_film(1, 2, 32), tmp_path / "a.zarr", picture_quality=85)
    chunk = next(file for file in (path / "image").rglob("*") if file.is_file() and "c" in file.parts)
    chunk.write_bytes(chunk.read_bytes()[:-9] + b"123456789")
    with pytest.raises(RecordError, match="is damaged"):
        tw.open_record(path)
