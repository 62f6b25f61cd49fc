"""The explorer's photo and patches: what the page is sent, and what cannot be placed."""

import io

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image

import tunewidgets as tw
from tunewidgets.kernels.tuning.places import places_on


@pytest.fixture(scope="module")
def scenes():
    return tw.zoo.images("dead-leaves", n=6, size=48, seed=3)


@pytest.fixture(scope="module")
def probe():
    return tw.Probe(tw.zoo.gabor_bank(n=9), "relu", device="cpu")


@pytest.fixture(scope="module")
def film(probe, scenes):
    sample = tw.sample_activations(probe, scenes, n=600, progress=False)
    film = tw.render_film(
        probe, tw.TuningDimensions("pca", 3).fit(sample), points=4, size=16, steps=1, progress=False
    )
    return tw.add_patches(film, probe, sample, scenes, k=2, side=8, progress=False)


def test_coordinates_of_every_position_come_as_bytes(film, probe, scenes):
    explorer = tw.TuningExplorer(film, probe, dimensions=[2, 0], image=scenes[1])
    photo = explorer._photo
    assert (photo["width"], photo["height"], photo["rows"], photo["columns"], photo["step"]) == (
        48,
        48,
        21,
        21,
        [2, 2],
    )
    levels = np.frombuffer(photo["places"], np.uint8).reshape(2, 21, 21)
    low, high = (np.array(photo[name])[:, None, None] for name in ("low", "high"))
    expected = places_on(film, probe, (scenes[1] * 255).round() / 255)[[2, 0]]
    np.testing.assert_allclose(low + levels / 255 * (high - low), expected, atol=(high - low).max() / 255)


def test_every_form_of_a_picture_is_the_same_photo(film, probe, scenes, tmp_path):
    pixels = (scenes[2] * 255).round().to(torch.uint8).movedim(0, -1).numpy()
    Image.fromarray(pixels).save(tmp_path / "scene.png")
    forms = [pixels, Image.fromarray(pixels), tmp_path / "scene.png", str(tmp_path / "scene.png"), scenes[2],
             scenes[2][None], scenes[2].numpy()]  # fmt: skip
    photos = [tw.TuningExplorer(film, probe, image=form)._photo for form in forms]
    assert len({photo["places"] for photo in photos}) == 1


def test_a_photograph_is_turned_as_its_camera_says(film, probe, tmp_path):
    upright = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 40, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # held on its side
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    upright.save(tmp_path / "upright.png")
    turned, expected = (
        tw.TuningExplorer(film, probe, image=tmp_path / f"{name}.png")._photo
        for name in ("turned", "upright")
    )
    assert (turned["width"], turned["height"]) == (40, 60)
    assert turned["places"] == expected["places"]


def test_patches_follow_one_another_point_by_point(film):
    explorer = tw.TuningExplorer(film)
    layout = explorer._film["patches"]
    assert (layout["each"], layout["cells"]) == (2, {"width": 8, "height": 8, "columns": 3})
    mosaic = np.asarray(Image.open(io.BytesIO(explorer._patches[1]))).astype(int)
    third = mosaic[8:16, 8:16]  # of point 2, the first
    assert np.abs(third - film["patch"].values[1, 2, 0]).mean() < 12  # WebP loses a little
    assert explorer._film["dimensions"][1]["patchCoordinate"][2][0] == pytest.approx(
        float(film["patch_coordinate"][1, 2, 0]), rel=1e-3
    )
    assert explorer._photo == {}


def test_patches_beyond_the_budget_wait_in_the_kernel(film, monkeypatch):
    sprites = sum(map(len, tw.TuningExplorer(film)._sprites))
    monkeypatch.setattr("tunewidgets.widgets.tuning_explorer.INLINE_BUDGET", sprites + 1)
    explorer = tw.TuningExplorer(film)
    assert all(explorer._sprites)
    assert not any(explorer._patches)
    sent = []
    explorer.send = lambda content, buffers=None: sent.append((content, buffers))
    explorer._reply(explorer, {"id": 1, "kind": "patches", "dimension": 2}, [])
    assert sent[0][0] == {"id": 1, "kind": "done"}
    assert Image.open(io.BytesIO(sent[0][1][0])).size == (24, 24)


def test_a_position_is_one_of_the_map(film, probe, scenes):
    explorer = tw.TuningExplorer(film, probe, image=scenes[1])
    explorer.position = [20, 0]
    for wrong in ([21, 0], [-1, 2], [3]):
        with pytest.raises(traitlets.TraitError, match="give a row below 21 and a column below 21"):
            explorer.position = wrong
    assert explorer.position == [20, 0]
    with pytest.raises(traitlets.TraitError, match="since it has no photo"):
        tw.TuningExplorer(film).position = [0, 0]


def test_what_cannot_be_placed_is_said_in_one_sentence(film, probe, scenes, tmp_path):
    (tmp_path / "no.png").write_text("no picture")
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:2000])
    for image, sentence in (
        (np.zeros((4, 4)), r"image has shape \(4, 4\) and dtype float64; give a file"),
        (scenes[0] * 255, r"outside \[0, 1\]"),
        (tmp_path / "no.png", "can't be read as an image"),
        (tmp_path / "half.png", "can't be read as an image"),
        (np.zeros((3, 3, 3), np.uint8), "does not take images of 3 × 3 px"),
    ):
        with pytest.raises(ValueError, match=sentence):
            tw.TuningExplorer(film, probe, image=image)
    with pytest.raises(FileNotFoundError, match=r"there is no photo at nowhere\.png; give a file"):
        tw.TuningExplorer(film, probe, image="nowhere.png")
    with pytest.raises(ValueError, match="can only be placed by the network; give probe="):
        tw.TuningExplorer(film, image=scenes[0])
    with pytest.raises(ValueError, match="film is of layer 'relu' and the probe of 'filters'"):
        tw.TuningExplorer(film, tw.Probe(probe.model, "filters", device="cpu"), image=scenes[0])


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_a_photo_of_more_than_8_bits_is_read_in_its_own_range(film, probe, tmp_path, dtype):
    ramp = np.linspace(0, 1, 48 * 48, dtype=np.float32).reshape(48, 48)
    deep = Image.fromarray(ramp if dtype == np.float32 else (ramp * 65535).round().astype(dtype))
    deep.save(tmp_path / "deep.tif")
    expected = tw.TuningExplorer(film, probe, image=np.repeat(ramp[None], 3, axis=0))._photo
    for image in (deep, tmp_path / "deep.tif"):
        photo = tw.TuningExplorer(film, probe, image=image)._photo
        assert photo["image"] == expected["image"]
        assert photo["places"] == expected["places"]
