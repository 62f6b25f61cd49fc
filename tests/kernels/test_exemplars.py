"""Exemplars: the images that sorting all activations gives, whatever the batches."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from units_networks import CASES, PRECISIONS, batches, branching, labeled_images, values_at

import tunewidgets as tw
from tunewidgets.kernels.network.capture import Capture, Observed

QUIET = {"progress": False, "device": "cpu"}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("precision", PRECISIONS, ids=str)
def test_the_strongest_images_are_those_that_sorting_gives(case, precision):
    make, layers = CASES[case]
    network, near = make().to(precision), {"rtol": PRECISIONS[precision], "atol": 1e-6}
    images, labels = labeled_images()
    tree = tw.exemplars(network, batches(images, labels, 5), layers, k=4, **QUIET)
    for layer in layers:
        maps = values_at(network, layer, images).relu()
        x = maps.mean(2).numpy()
        record = tree[layer].to_dataset()
        for unit in range(x.shape[1]):
            who = record.exemplar.values[unit]
            np.testing.assert_allclose(x[who, unit], np.sort(x[:, unit])[::-1][:4], **near)
            np.testing.assert_allclose(record.exemplar_activation[unit], x[who, unit], **near)
            assert len(set(who.tolist())) == 4


def test_positions_are_those_of_the_maps_maximum():
    network = branching()
    images, labels = labeled_images()
    record = tw.exemplars(network, [(images, labels)], "body.0", k=2, **QUIET)["body.0"].to_dataset()
    maps = values_at(network, "body.0", images).relu().view(len(images), 6, 8, 8)
    for unit in range(6):
        for k in range(2):
            y, x = record.exemplar_position.values[unit, k]
            image = int(record.exemplar[unit, k])
            assert maps[image, unit, y, x] == pytest.approx(float(maps[image, unit].max()), rel=1e-5)


def test_features_have_no_map_and_so_one_place():
    images, labels = labeled_images()
    seen = Capture(Observed(branching(), "head", device="cpu"), peaks=True)(images)
    # Nothing of the layer's device, then, that would meet what is kept on the CPU.
    assert seen["head"].peak is None
    record = tw.exemplars(branching(), [(images, labels)], "head", k=2, **QUIET)["head"]
    assert (record.exemplar_position.values == 0).all()


def test_the_spread_goes_in_even_steps_from_the_strongest_to_the_weakest():
    network = branching()
    images, labels = labeled_images(60)
    record = tw.exemplars(network, batches(images, labels, 7), "relu", k=5, **QUIET)["relu"].to_dataset()
    x = values_at(network, "relu", images).relu().mean(2).numpy()
    for unit in range(6):
        who = record.spread.values[unit]
        shown = record.spread_activation.values[unit]
        there = who >= 0
        np.testing.assert_allclose(x[who[there], unit], shown[there], rtol=1e-4, atol=1e-6)
        assert who[0] == x[:, unit].argmax()
        high, low = x[:, unit].max(), x[:, unit].min()
        for target, value in zip(np.linspace(high, low, 5)[there], shown[there], strict=True):
            nearest = x[np.abs(x[:, unit] - target).argmin(), unit]
            assert abs(value - target) <= abs(nearest - target) + high / 16


@pytest.mark.parametrize("size", [1, 7, 60])
def test_nothing_depends_on_the_batch_size(size):
    network = branching()
    images, labels = labeled_images(60)
    whole, parts = (
        tw.exemplars(network, batches(images, labels, n), "relu", k=5, **QUIET)["relu"] for n in (60, size)
    )
    for name in ("exemplar_activation", "spread_activation"):
        np.testing.assert_allclose(whole[name], parts[name], atol=1e-5)


def test_fewer_images_than_asked_for_leave_places_empty():
    images, labels = labeled_images(3)
    record = tw.exemplars(branching(), [(images, labels)], "relu", k=5, **QUIET)["relu"].to_dataset()
    assert (record.exemplar.values[:, 3:] == -1).all()
    assert np.isnan(record.exemplar_activation.values[:, 3:]).all()
    assert (record.exemplar_position.values[:, 3:] == -1).all()
    tw.records.validate(record)


def test_pictures_are_the_images_themselves():
    images, labels = labeled_images()
    data = batches(images, labels, 4)
    record = tw.exemplars(branching(), data, "relu", k=2, pictures=16, **QUIET)["relu"].to_dataset()
    expected = (images * 255 + 0.5).to(torch.uint8).permute(0, 2, 3, 1).numpy()
    for kind in ("exemplar", "spread"):
        who = record[kind].values
        assert np.array_equal(record[f"{kind}_image"].values[who >= 0], expected[who[who >= 0]])
    half = tw.exemplars(branching(), data, "relu", k=2, pictures=8, **QUIET)["relu"]
    assert half.exemplar_image.shape == (6, 2, 8, 8, 3)


def test_bad_input_is_said_in_one_sentence():
    with pytest.raises(ValueError, match="k is 0; give how many images per unit, at least 1"):
        tw.exemplars(branching(), [labeled_images()], "relu", k=0, **QUIET)
    with pytest.raises(ValueError, match="pictures is 0; give the side in pixels"):
        tw.exemplars(branching(), [labeled_images()], "relu", pictures=0, **QUIET)
    pairs = list(zip(*labeled_images(), strict=True))
    tw.exemplars(branching(), DataLoader(pairs, 4), "relu", k=2, **QUIET)
    with pytest.raises(ValueError, match=r"DataLoader shuffles, .* give one with shuffle=False"):
        tw.exemplars(branching(), DataLoader(pairs, 4, shuffle=True), "relu", k=2, **QUIET)
