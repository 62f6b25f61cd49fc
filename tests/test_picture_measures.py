"""What the benchmark of images says of pictures: cases whose answers are known."""

import numpy as np
import pytest
import torch
from benchmarks.picture_measures import clipped, evenly, fine_share, gray, mean_magnitude, one_color, ranks


def picture(values: np.ndarray) -> np.ndarray:
    """One uint8 picture `(1, H, W, 3)` of values in [0, 1] `(H, W)`, the same in each channel."""
    return np.repeat((values * 255).round().astype(np.uint8)[None, :, :, None], 3, axis=-1)


def grating(cycles: int, side: int = 64) -> np.ndarray:
    wave = 0.5 + 0.4 * np.cos(2 * np.pi * cycles * np.arange(side) / side)
    return np.tile(wave, (side, 1))


def test_classes_spread_over_all_and_fewer_are_among_more():
    assert evenly(1000, 4) == [0, 250, 500, 750]
    assert set(evenly(1000, 4)) < set(evenly(1000, 20)) < set(evenly(1000, 100))


def test_a_picture_is_gray_by_its_variation_not_by_its_color():
    faint = 0.5 + 0.02 * np.sign(grating(4) - 0.5)
    pictures = np.concatenate([picture(np.full((64, 64), 0.9)), picture(faint), picture(grating(4))])
    assert gray(pictures).tolist() == [True, True, False]


@pytest.mark.parametrize(("share", "expected"), [(0.6, True), (0.4, False)])
def test_a_picture_is_of_one_color_where_more_than_half_of_it_is(share, expected):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (1, 50, 50, 3)).astype(np.uint8)
    pixels[:, : round(50 * share)] = (200, 10, 10)
    assert one_color(pixels).tolist() == [expected]


def test_clipped_values_are_counted_by_channel():
    pixels = np.full((1, 10, 10, 3), 128, dtype=np.uint8)
    pixels[..., 0] = 255
    pixels[:, :5, :, 1] = 0
    assert clipped(pixels)[0] == pytest.approx(0.5)


def test_energy_is_fine_above_a_quarter_of_a_cycle_per_pixel():
    pictures = np.concatenate([picture(grating(6)), picture(grating(26)), picture(np.full((64, 64), 0.3))])
    np.testing.assert_allclose(fine_share(pictures), [0, 1, 0], atol=1e-3)


def test_a_rank_counts_ties_against_the_picture():
    scores = torch.tensor([[3.0, 2.0, 1.0, 0.0], [3.0, 2.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    assert ranks(scores, torch.tensor([0, 2, 1])).tolist() == [0, 2, 3]


def test_mean_magnitude_is_that_of_each_decorrelated_channel():
    random = torch.Generator().manual_seed(0)
    plain = torch.rand(5, 3, 8, 8, generator=random)
    colors = torch.eye(3) + 0.2 * torch.rand(3, 3, generator=random)
    mean = torch.tensor([0.4, 0.5, 0.6])
    photographs = torch.einsum("nchw,cd->ndhw", plain, colors) + mean[:, None, None]
    expected = np.mean([np.abs(np.fft.rfft2(image.numpy())) for image in plain], axis=0)
    found = mean_magnitude(photographs.split(2), mean, colors)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
