"""The Gabor bank against scikit-image's kernels, and what its filters are said to be."""

import copy

import numpy as np
import pytest
import torch
from skimage.filters import gabor_kernel

from tunewidgets import zoo
from tunewidgets.zoo.gabor import LUMINANCE, gabor_bank


def weights(bank):
    return bank.filters.weight.detach()[:, 0].double().numpy()


def unit(kernel):
    return kernel / np.linalg.norm(kernel)


@pytest.mark.parametrize(
    ("gamma", "sigma", "zero_mean"), [(1.0, 2.0, True), (0.6, 1.5, True), (1.0, 2.0, False)]
)
def test_filters_are_scikit_images_gabor_kernels(gamma, sigma, zero_mean):
    bank = gabor_bank(n=12, seed=3, gamma=gamma, sigma=sigma, zero_mean=zero_mean)
    for found, (_, row) in zip(weights(bank), bank.attributes.iterrows(), strict=True):
        shape = {"theta": row.angle, "sigma_x": sigma, "sigma_y": sigma / gamma, "n_stds": 8}
        reference = gabor_kernel(row.frequency, offset=row.phase, **shape).real
        envelope = np.abs(gabor_kernel(row.frequency, **shape))
        middle = tuple(slice(s // 2 - 3, s // 2 + 4) for s in reference.shape)
        reference, envelope = reference[middle], envelope[middle]
        if zero_mean:
            reference = reference - envelope * reference.sum() / envelope.sum()
        np.testing.assert_allclose(found, unit(reference), atol=1e-6)


def test_filters_have_unit_norm_and_zero_mean_and_a_uniform_image_gives_nothing():
    bank = gabor_bank()
    kernels = weights(bank)
    assert kernels.shape == (28, 7, 7)
    np.testing.assert_allclose(np.linalg.norm(kernels, axis=(1, 2)), 1, atol=1e-6)
    np.testing.assert_allclose(kernels.sum((1, 2)), 0, atol=1e-6)
    assert bank.filters(bank.luminance(torch.full((1, 3, 20, 20), 0.7))).abs().max() < 1e-5
    assert np.abs(weights(gabor_bank(zero_mean=False)).sum((1, 2))).max() > 0.5


def test_the_network_is_rectified_filters_on_luminance():
    bank = gabor_bank(n=5, stride=2)
    assert [name for name, _ in bank.named_children()] == ["luminance", "filters", "relu"]
    assert not bank.training
    assert bank.filters.bias is None
    assert bank.luminance.bias is None
    image = torch.rand(1, 3, 16, 18)
    out = bank(bank.preprocess(image))[0].detach().numpy()
    gray = np.tensordot(LUMINANCE, image[0].double().numpy(), 1)
    assert out.shape == (5, 5, 6)
    for y, x in [(0, 0), (4, 5), (2, 3)]:
        patch = gray[2 * y : 2 * y + 7, 2 * x : 2 * x + 7]
        np.testing.assert_allclose(
            out[:, y, x], np.maximum((weights(bank) * patch).sum((1, 2)), 0), atol=1e-5
        )


def test_a_filter_answers_most_to_a_grating_of_its_own_frequency_and_angle():
    bank = gabor_bank(n=6, seed=1, size=21, sigma=4.0, stride=1)
    y, x = np.mgrid[-10:11, -10:11]
    for index, (_, own) in enumerate(bank.attributes.iterrows()):

        def energy(frequency, angle, index=index):
            wave = np.exp(2j * np.pi * frequency * (x * np.cos(angle) + y * np.sin(angle)))
            return abs((weights(bank)[index] * wave).sum())

        best = energy(own.frequency, own.angle)
        for other in (0.5, 0.9, np.pi / 2):
            assert energy(own.frequency, own.angle + other) < best
        assert energy(own.frequency * 1.6, own.angle) < best


def test_attributes_lie_in_their_ranges_and_depend_on_the_seed_alone():
    known = gabor_bank(n=200, seed=4, frequency=(0.1, 0.2)).attributes
    assert known.shape == (200, 3)
    assert known.frequency.between(0.1, 0.2).all()
    assert known.angle.between(0, np.pi).all()
    assert known.phase.between(0, 2 * np.pi).all()
    assert known.phase.max() > 1.8 * np.pi
    assert known.equals(gabor_bank(n=200, seed=4, frequency=(0.1, 0.2)).attributes)
    assert not known.equals(gabor_bank(n=200, seed=5, frequency=(0.1, 0.2)).attributes)


def test_a_copy_keeps_attributes_and_weights():
    bank = gabor_bank(n=3)
    twin = copy.deepcopy(bank)
    assert twin.attributes.equals(bank.attributes)
    assert torch.equal(twin.filters.weight, bank.filters.weight)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"n": 0}, "n=0 makes no Gabor bank; give a whole number from 1"),
        ({"size": 2}, "size=2 makes no Gabor bank; give a whole number from 3"),
        ({"stride": 1.5}, "stride=1.5"),
        ({"seed": -1}, "seed=-1"),
        ({"frequency": (0.3, 0.1)}, "no range of frequencies"),
        ({"frequency": (0.1, 0.7)}, "0 < low <= high <= 0.5"),
        ({"sigma": 0}, "sigma=0"),
    ],
)
def test_parameters_out_of_range_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        gabor_bank(**options)


def test_load_knows_the_bank_and_names_near_names():
    assert torch.equal(
        zoo.load("gabor_bank", n=4, seed=2).filters.weight, gabor_bank(n=4, seed=2).filters.weight
    )
    with pytest.raises(ValueError, match="no network called 'gaborbank'; did you mean 'gabor_bank'"):
        zoo.load("gaborbank")
    with pytest.raises(ValueError, match="no network called 'qqq'; there are gabor_bank"):
        zoo.load("qqq")
