"""Network dissection: overlaps of active places and masks, in loops over pictures and pixels."""

import numpy as np
import pytest
import torch
import xarray as xr
from concept_scenes import NAMES, colors, film_of_colors, scenes, write_broden
from scipy.special import expit
from torch import nn

import tunewidgets as tw
from tunewidgets.kernels.dissection.masks import Overlaps, Thresholds, logit_interval

QUIET = {"progress": False}


@pytest.fixture(scope="module")
def probe():
    return tw.Probe(colors(), "1", device="cpu")


@pytest.fixture(scope="module", name="scenes")
def made():
    return scenes()


def naive_overlaps(maps, fields, thresholds, side):
    """IoU by loops over pictures: maps `(pictures, units, side, side)`."""
    found = {}
    for category in ("color", "object", "scene"):
        asked = [at for at, own in enumerate(fields) if category in own]
        for number in NAMES:
            masks = {}
            for at in asked:
                layers = [np.full((side, side), v) if isinstance(v, int) else v for v in fields[at][category]]
                masks[at] = np.any([layer == number for layer in layers], axis=0)
            if not any(mask.any() for mask in masks.values()):
                continue
            for unit, threshold in enumerate(thresholds):
                both = either = 0
                for at in asked:
                    active = maps[at, unit] > threshold
                    both += (active & masks[at]).sum()
                    either += (active | masks[at]).sum()
                found[category, number, unit] = both / either
    return found


@pytest.fixture(scope="module")
def dissected(probe, scenes, tmp_path_factory):
    folder = write_broden(tmp_path_factory.mktemp("broden") / "tiny", *scenes, side=8)
    return tw.concepts(probe, folder, least=2, share=0.05, reduction="max", **QUIET)


def test_overlaps_are_those_of_loops_over_pictures(dissected, scenes):
    pictures, fields = scenes
    maps = np.stack(pictures).transpose(0, 3, 1, 2) / np.float32(255)
    thresholds = dissected.threshold.sel(end="high").values
    expected = naive_overlaps(maps, fields, thresholds, 8)
    by_name = {name: number for number, name in NAMES.items()}
    assert len(expected) == dissected.iou.size
    for at, name in enumerate(dissected.concept.values):
        category = str(dissected.category.values[at])
        for unit in range(3):
            found = float(dissected.iou.values[unit, 0, at])
            assert found == pytest.approx(expected[category, by_name[name], unit], abs=1e-6)


def test_thresholds_leave_the_share_asked_for(dissected, scenes):
    maps = np.stack(scenes[0]).transpose(3, 0, 1, 2).reshape(3, -1) / np.float32(255)
    threshold, share = dissected.threshold.values[:, 0], dissected.active_share.values[:, 0]
    above = (maps > threshold[:, None]).mean(1)
    np.testing.assert_allclose(share, above, atol=1e-6)
    assert (share <= 0.05).all()
    # A bin of 4,096 lower, more than the share would be active, but for values that are equal.
    bin_lower = (maps > (threshold - 2 / 2047)[:, None]).mean(1)
    assert ((bin_lower > 0.05) | (above == bin_lower)).all()


def test_only_pictures_that_were_asked_count(dissected, scenes):
    fields = scenes[1]
    assert dissected.asked.sel(concept="sky").item() == 24
    assert dissected.positives.sel(concept="sky").item() == 16
    assert dissected.asked.sel(concept="red-c").item() == sum("color" in own for own in fields)
    assert dissected.positives.sel(concept="kitchen").item() == 8
    assert dissected.asked.sel(concept="kitchen").item() == 15


def test_a_unit_that_is_the_mask_covers_it_wholly(probe, scenes, tmp_path):
    pictures, fields = scenes
    reds = [np.where((field["object"][0] == 300)[..., None], 255, 0).astype(np.uint8) for field in fields]
    pictures = [
        np.concatenate([red, picture[..., 1:]], -1) for red, picture in zip(reds, pictures, strict=True)
    ]
    folder = write_broden(tmp_path / "tiny", pictures, fields, side=8)
    found = tw.concepts(probe, folder, least=2, share=0.1, reduction="max", **QUIET)
    sky = found.sel(feature=0, end="high", concept="sky")
    assert sky.iou == sky.iou_low == sky.iou_high == 1
    assert sky.auc == 1
    grass = found.sel(feature=1, end="high", concept="grass")
    assert abs(grass.iou - grass.iou_chance) < 0.05
    assert grass.iou_low < grass.iou_chance < grass.iou_high


def test_a_dimensions_low_end_is_the_high_end_turned_round(probe, scenes, tmp_path):
    _, _, film = film_of_colors(probe)
    folder = write_broden(tmp_path / "tiny", *scenes, side=8)
    turned = film.assign(unmixing=-film.unmixing)
    asked = {"probe": probe, "least": 2, "share": 0.05, **QUIET}
    one, other = tw.concepts(film, folder, **asked), tw.concepts(turned, folder, **asked)
    np.testing.assert_allclose(one.iou.sel(end="low"), other.iou.sel(end="high"), atol=1e-6)
    np.testing.assert_allclose(one.threshold.sel(end="low"), -other.threshold.sel(end="high"), atol=1e-6)
    np.testing.assert_allclose(one.auc, 1 - other.auc, atol=1e-6)


def test_masks_of_another_size_lie_by_the_layers_stride(tmp_path):
    """A convolution without padding: its outer positions lie inside the image, and masks reach beyond them."""
    network = nn.Sequential(nn.Conv2d(3, 1, 3, stride=2, bias=False), nn.ReLU())
    with torch.no_grad():
        network[0].weight.zero_()[:, :, 1, 1] = 1 / 3
    rng = np.random.default_rng(6)
    pictures = [rng.integers(0, 256, (9, 9, 3)).astype(np.uint8) for _ in range(6)]
    fields = [{"object": [np.where(rng.random((6, 6)) < 0.4, 2, 0)]} for _ in range(5)] + [
        {"object": [np.zeros((6, 6), int)]}
    ]
    folder = write_broden(tmp_path / "tiny", pictures, fields, side=6)
    probe = tw.Probe(network, "1", device="cpu")
    found = tw.concepts(probe, folder, least=1, share=0.3, **QUIET)
    maps = np.zeros((6, 1, 6, 6))
    for at, picture in enumerate(pictures):
        centers = picture.mean(-1)[1::2, 1::2] / 255  # positions 0..3 lie at pixels 1, 3, 5, 7
        for y, x in np.ndindex(6, 6):
            py, px = (np.clip((1.5 * q + 0.25 - 1) / 2, 0, 3) for q in (y, x))
            a, b = min(int(py), 2), min(int(px), 2)
            square = centers[a : a + 2, b : b + 2]
            maps[at, 0, y, x] = np.array([a + 1 - py, py - a]) @ square @ np.array([b + 1 - px, px - b])
    expected = naive_overlaps(maps, fields, found.threshold.values[:, 0], 6)
    assert found.iou.item() == pytest.approx(expected["object", 2, 0], abs=1e-6)


def test_iou_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(8)

    def pictures(n):
        """Masks that are there in half the pictures, and activity that follows them loosely."""
        for _ in range(n):
            mask = rng.random((1, 24)) < 0.5 * (rng.random() < 0.5)
            yield (
                (rng.random((1, 24)) < np.where(mask, 0.6, 0.1)),
                {"object": {1: mask[0]} if mask.any() else {}},
            )

    def summed(n):
        sums = Overlaps(1)
        for active, masks in pictures(n):
            sums.add(active, masks)
        return sums.of("object", 1)

    truth = summed(20_000).iou[0]
    held = [found.low[0] <= truth <= found.high[0] for found in (summed(60) for _ in range(300))]
    assert 0.9 <= np.mean(held) <= 0.99


def test_a_logit_interval_stays_within_0_and_1():
    low, high = logit_interval(np.array([0.0, 0.5, 1.0]), np.array([0.1, 0.1, 0.1]))
    assert low.tolist()[::2] == high.tolist()[::2] == [0, 1]
    half = 1.959964 * 0.1 / 0.25
    np.testing.assert_allclose([low[1], high[1]], expit([-half, half]), atol=1e-6)


def test_thresholds_do_not_depend_on_the_order_of_images():
    maps = np.random.default_rng(9).normal(size=(12, 2, 3, 3)).astype(np.float32)
    one, other = Thresholds(2), Thresholds(2)
    for image in maps:
        one.add(image[None])
    other.add(maps[::-1])
    np.testing.assert_array_equal(one.at(0.1)[0], other.at(0.1)[0])


def test_more_positions_than_32_bits_hold_are_counted():
    thresholds = Thresholds(1)
    maps = np.zeros((1, 1, 32, 32), np.float32)
    maps[0, 0, 3, 3] = 1
    thresholds.add(maps)
    few = thresholds.at(0.1)
    # As many times the same map as make four billion positions, nearly all of them silent.
    thresholds._histograms.counts *= 2**22
    for one, other in zip(thresholds.at(0.1), few, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_record_comes_back_from_disk(dissected, tmp_path):
    back = tw.open_record(tw.save_record(dissected, tmp_path / "concepts.zarr.zip"))
    assert isinstance(back, xr.Dataset)
    assert back.identical(dissected)


def test_folders_that_are_not_brodens_are_refused_in_a_sentence(probe, scenes, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has no index.csv, which Broden's layout needs"):
        tw.concepts(probe, tmp_path, **QUIET)
    folder = write_broden(tmp_path / "tiny", *scenes, side=8)
    with pytest.raises(ValueError, match="brings its own labels; leave labels out"):
        tw.concepts(probe, folder, ["a"] * 24, **QUIET)
    flat = nn.Sequential(nn.Flatten(), nn.Linear(192, 2))
    flat.input_size = 8
    with pytest.raises(ValueError, match="layer '1' has no map to compare masks with"):
        tw.concepts(tw.Probe(flat, "1", device="cpu"), folder, **QUIET)
    labels = folder / "label.csv"
    whole = labels.read_text()
    labels.write_text(whole.replace("300,sky,", "301,sky,"))
    with pytest.raises(ValueError, match=r"has the concept 300, which label.csv does not name"):
        tw.concepts(probe, folder, **QUIET)
    labels.write_text(whole.replace("number,", "code,"))
    with pytest.raises(ValueError, match=r"label.csv has no column 'number'"):
        tw.concepts(probe, folder, **QUIET)
    labels.write_text(whole)
    (folder / "images" / "set" / "3_color_0.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"names set/3_color_0.png, and there is no such file"):
        tw.concepts(probe, folder, **QUIET)
    silent = [{"object": [np.zeros((8, 8), int)]} for _ in scenes[0]]
    with pytest.raises(ValueError, match="hold no concept, since all their pixels are 0"):
        tw.concepts(probe, write_broden(tmp_path / "silent", scenes[0], silent, side=8), **QUIET)
    bare = write_broden(tmp_path / "bare", scenes[0], [{} for _ in scenes[0]], side=8)
    with pytest.raises(ValueError, match="has a mask or a label; fill in a column such as 'object'"):
        tw.concepts(probe, bare, **QUIET)
