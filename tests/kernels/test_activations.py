"""Sampled activations: the right values at the right places, balanced, and always the same."""

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from tunewidgets import zoo
from tunewidgets.kernels.data import image_batches
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.tuning.activations import sample_activations

BANK = zoo.gabor_bank(n=4)
MAPPED = Probe(BANK, "filters", device="cpu")  # before its ReLU: negative values must not get through
FLAT = Probe(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 5)), "1", device="cpu")
BATCH = torch.rand(6, 3, 21, 25, generator=torch.Generator().manual_seed(0))  # maps of 8 × 10, 6 × 8 inside


def sample(probe=MAPPED, images=BATCH, n=20, **options):
    return sample_activations(probe, images, n, progress=False, **options)


def test_vectors_are_the_rectified_values_at_their_positions():
    found = sample(n=100)
    maps = MAPPED(BATCH).clamp(min=0).numpy()
    assert found.dims == ("sample", "unit")
    assert found.dtype == np.float32
    assert (found == 0).any()
    assert (found > 0).any()
    for vector in found:
        expected = maps[int(vector.image), :, int(vector.y), int(vector.x)]
        np.testing.assert_allclose(vector, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("pooling", "over"), [("mean", lambda x: x.mean((1, 2))), ("rms", lambda x: np.sqrt((x**2).mean((1, 2))))]
)
def test_pooled_vectors_are_of_the_rectified_values_around_their_positions(pooling, over):
    found = sample(n=6 * 24, pool=3, pooling=pooling)  # every neighborhood that keeps clear of the border
    assert (found.attrs["pool"], found.attrs["pooling"]) == (3, pooling)
    maps = MAPPED(BATCH).clamp(min=0).numpy()
    for vector in found:
        image, y, x = int(vector.image), int(vector.y), int(vector.x)
        expected = over(maps[image, :, y - 1 : y + 2, x - 1 : x + 2])
        np.testing.assert_allclose(vector, expected, atol=1e-6)
    places = set(zip(*(found[c].values.tolist() for c in ("image", "y", "x")), strict=True))
    assert places == {(i, y, x) for i in range(6) for y in range(2, 6) for x in range(2, 8)}


def test_normalized_vectors_point_as_they_did_and_strong_ones_are_no_longer_than_one():
    plain, found = sample(n=100), sample(n=100, normalize=True)
    lengths = np.linalg.norm(plain, axis=1)
    contrast = np.median(lengths[lengths > 0])
    assert found.attrs["contrast"] == pytest.approx(contrast)
    np.testing.assert_allclose(found, plain / (lengths + contrast)[:, None], atol=1e-6)


def test_normalizing_a_layer_that_is_silent_leaves_it_silent():
    silent = Probe(nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU()), "1", device="cpu")
    with torch.no_grad():
        silent.model[0].weight.zero_()
        silent.model[0].bias.fill_(-1)
    assert not sample(silent, normalize=True).any()


def test_positions_are_distinct_within_an_image_and_away_from_every_border():
    found = sample(n=6 * 48)  # every position there is
    places = set(zip(*(found[c].values.tolist() for c in ("image", "y", "x")), strict=True))
    assert places == {(i, y, x) for i in range(6) for y in range(1, 7) for x in range(1, 9)}


def test_positions_are_uniform():
    many = torch.zeros(300, 3, 17, 17)  # maps of 6 × 6, 4 × 4 inside
    for n in (300, 900):
        found = sample(images=many, n=n)
        counts = np.histogram2d(found.y, found.x, bins=[np.arange(1, 6)] * 2)[0]
        chi_squared = ((counts - n / 16) ** 2 / (n / 16)).sum()
        assert chi_squared < 37.7  # p = .001 at 15 degrees of freedom


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(0, 2**40))
def test_images_give_equal_numbers_up_to_one(n, seed):
    found = sample(n=n, seed=seed)
    counts = np.bincount(found.image, minlength=6)
    assert counts.sum() == n == found.attrs["n_vectors"]
    assert counts.max() - counts.min() <= 1
    assert found.attrs["n_images"] == np.count_nonzero(counts)
    assert (np.diff(found.image) >= 0).all()


def test_a_number_an_image_takes_as_few_images_as_are_needed():
    found = sample(n=11, per_image=4)
    assert sorted(np.unique(found.image, return_counts=True)[1]) == [3, 4, 4]
    assert len({tuple(sample(n=11, per_image=4, seed=s).image.values) for s in range(5)}) > 1


def test_the_same_seed_gives_the_same_vectors_however_the_images_come(monkeypatch):
    first = sample(n=50)
    pairs = TensorDataset(BATCH, torch.arange(6))
    for images in (
        BATCH.numpy(),
        [BATCH[:1], BATCH[1:]],
        (batch for batch in BATCH.split(4)),
        DataLoader(pairs, batch_size=4),
        zoo.images(BATCH, size=None, batch_size=2),
    ):
        again = sample(images=images, n=50)
        np.testing.assert_allclose(again, first, atol=1e-6)
        for coordinate in ("image", "y", "x"):
            np.testing.assert_array_equal(again[coordinate], first[coordinate])
    monkeypatch.setattr(image_batches, "CHUNK", 2)
    np.testing.assert_allclose(sample(n=50), first, atol=1e-6)
    assert not np.array_equal(sample(n=50, seed=1).y, first.y)


def test_an_images_positions_do_not_depend_on_the_images_around_it():
    few, many = sample(images=BATCH[:3], n=9), sample(n=18)
    np.testing.assert_array_equal(few.y, many.y[:9])
    np.testing.assert_array_equal(few.x, many.x[:9])


def test_no_forward_pass_holds_many_images_or_any_that_gives_nothing(monkeypatch):
    seen = []
    forward = BANK.forward
    monkeypatch.setattr(BANK, "forward", lambda x: seen.append(len(x)) or forward(x))
    sample(images=torch.zeros(100, 3, 21, 25), n=40)
    # And one of noise, by which the network is known again.
    assert sum(seen) == 40 + 1
    assert max(seen) <= image_batches.CHUNK


def test_a_layer_without_a_map_gives_one_vector_an_image():
    images = torch.rand(7, 3, 64, 64)
    found = sample(FLAT, images, n=7)
    np.testing.assert_allclose(found, FLAT(images).relu(), atol=1e-6)
    assert found.image.values.tolist() == list(range(7))
    assert set(found.coords) == {"image"}
    with pytest.raises(ValueError, match=r"only 7 positions \(one vector per image\); ask for n=7 or"):
        sample(FLAT, images, n=8)


def test_a_pooled_map_gives_its_only_position():
    pooled = Probe(nn.Sequential(BANK, nn.AdaptiveAvgPool2d(1)), "1", device="cpu")
    found = sample(pooled, n=6)
    assert found.y.values.tolist() == found.x.values.tolist() == [0] * 6
    np.testing.assert_allclose(found, BANK(BATCH).mean((2, 3)).detach(), atol=1e-6)


def test_attributes_say_where_the_vectors_come_from():
    attrs = sample(images=zoo.images("dead-leaves", n=5, size=32), n=10, seed=3).attrs
    assert attrs["model_sha256"] == MAPPED.provenance()["model_sha256"]
    assert (attrs["layer"], attrs["seed"], attrs["n_images"], attrs["n_vectors"]) == ("filters", 3, 5, 10)
    assert attrs["images"] == "5 dead-leaves scenes, 32 px, seed 0"
    assert sample().attrs["images"] == "6 images of a Tensor"


class Shrinking:
    passes = 0

    def __iter__(self):
        self.passes += 1
        return iter([BATCH, BATCH] if self.passes == 1 else [BATCH])


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        (
            {"n": 289},
            ValueError,
            r"n=289 .* up to 49 per image, but 6 images have only 288 positions \(48 per image",
        ),
        ({"n": 10_000}, ValueError, "ask for n=288 or fewer, or give more images"),
        ({"images": torch.zeros(2, 3, 9, 9)}, ValueError, "map is 2×2 on these images.*give larger images"),
        ({"n": 25, "per_image": 4}, ValueError, "4 vectors from each of 6 images are 24, not the n=25"),
        ({"n": 100, "per_image": 50}, ValueError, "up to 50 per image"),
        ({"per_image": "all"}, ValueError, "per_image='all' .* whole number from 1 or \"auto\""),
        ({"n": 0}, ValueError, "n=0 can't be used; give a whole number from 1"),
        ({"n": 2.5}, ValueError, "n=2.5"),
        ({"seed": -1}, ValueError, "seed=-1 can't be used; give a whole number from 0"),
        ({"pool": 2}, ValueError, "pool=2 can't be used; give an odd number"),
        ({"pool": 3, "pooling": "max"}, ValueError, "pooling is 'max'; choose one of 'mean', 'rms'"),
        ({"pool": 9}, ValueError, "pool=9 is wider than the layer's 8×10 map"),
        ({"pool": 7}, ValueError, "map .*give larger images"),
        ({"pool": 3, "probe": FLAT}, ValueError, "pool=3 can't be used on '1', which has no map"),
        ({"images": BATCH[:0]}, ValueError, "no images to sample"),
        ({"images": []}, ValueError, "no images to sample"),
        ({"images": "photos"}, TypeError, r"images is a str; .*zoo.images\('photos'\)"),
        ({"images": 3}, TypeError, "images is an int"),
        ({"images": ["a.jpg"]}, TypeError, "gives a str where a batch"),
        ({"images": BATCH * 255}, ValueError, r"not within \[0, 1\]"),
        ({"images": BATCH * float("nan")}, ValueError, "NaN"),
        ({"images": BATCH[0]}, ValueError, r"images\[None\]"),
        ({"images": Shrinking()}, ValueError, "gave 6 in one pass and 12 in another"),
    ],
)
def test_what_cannot_be_sampled_gets_one_sentence(options, error, sentence):
    with pytest.raises(error, match=sentence) as caught:
        sample(**options)
    assert "\n" not in str(caught.value)


def test_several_layers_of_one_model_in_one_pass_are_each_by_itself(monkeypatch):
    probes = [Probe(BANK, layer, device="cpu") for layer in ("relu", "filters")]
    passes = []
    forward = BANK.forward
    monkeypatch.setattr(BANK, "forward", lambda x: passes.append(len(x)) or forward(x))
    together = sample(probes, n=40, pool=3)
    # One image of noise, by which the network is known again, and all the others once.
    assert passes == [1, len(BATCH)]
    for one, probe in zip(together, probes, strict=True):
        xr.testing.assert_identical(one, sample(probe, n=40, pool=3))
    assert not any(module._forward_hooks for module in BANK.modules())


def test_probes_that_do_not_belong_together_are_refused():
    for probes, words in (
        ([MAPPED, FLAT], "several models"),
        ([MAPPED, MAPPED], "give each layer once"),
        ([], "no probe"),
    ):
        with pytest.raises(ValueError, match=words):
            sample(probes)
