"""Dead leaves: the statistics they are made for, and that a scene is always the same."""

from itertools import pairwise

import numpy as np
import pytest

from tunewidgets.zoo.dead_leaves import dead_leaves


@pytest.fixture(scope="module")
def scenes():
    return np.stack([dead_leaves(96, seed=0, index=i) for i in range(24)])


def test_power_falls_as_one_over_frequency_squared(scenes):
    gray = scenes.mean(-1)
    window = np.hanning(96)[:, None] * np.hanning(96)
    power = (np.abs(np.fft.fft2((gray - gray.mean((1, 2), keepdims=True)) * window)) ** 2).mean(0)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(96), np.fft.fftfreq(96)))
    edges = np.geomspace(0.04, 0.45, 9)
    rings = [(frequency >= a) & (frequency < b) for a, b in pairwise(edges)]
    points = [(np.log(frequency[ring].mean()), np.log(power[ring].mean())) for ring in rings]
    slope = np.polyfit(*np.transpose(points), 1)[0]
    assert -2.5 < slope < -1.5


def test_luminance_varies_most_and_no_corner_is_special(scenes):
    assert scenes.dtype == np.float32
    assert scenes.min() >= 0
    assert scenes.max() <= 1
    opponent = scenes @ np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]]).T / np.sqrt([3, 6, 2])
    luminance, blue_yellow, red_green = opponent.reshape(-1, 3).std(0)
    assert luminance > 3 * blue_yellow > 3 * red_green
    quarters = scenes.mean(-1).reshape(24, 2, 48, 2, 48).std(axis=(0, 2, 4))
    assert quarters.max() / quarters.min() < 1.4


def test_leaves_are_flat_and_of_all_sizes(scenes):
    same = (scenes[:, :, 1:] == scenes[:, :, :-1]).all(-1)
    assert 0.5 < same.mean() < 0.98
    runs = np.diff(np.flatnonzero(~same.ravel()))
    assert np.median(runs) < 6
    assert runs.max() > 40


def test_a_scene_is_decided_by_seed_and_index():
    scene = dead_leaves(40, seed=1, index=2)
    assert scene.shape == (40, 40, 3)
    np.testing.assert_array_equal(scene, dead_leaves(40, seed=1, index=2))
    for other in (dead_leaves(40, seed=1, index=3), dead_leaves(40, seed=2, index=1)):
        assert (scene != other).any(-1).mean() > 0.9


def test_what_is_no_scene_is_refused():
    with pytest.raises(ValueError, match="size=7 px is too small for dead leaves; give 8 or more"):
        dead_leaves(7, 0, 0)
    with pytest.raises(ValueError, match="whole numbers from 0"):
        dead_leaves(64, 0, -1)
