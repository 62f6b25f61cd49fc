"""The visible band: where a filter of known spectrum stops letting anything through."""

import numpy as np
import pytest
import torch
from torch import nn

from tunewidgets import Probe
from tunewidgets.kernels.optimization.band import choose_band, visible_band


def blur(width: float) -> nn.Module:
    """A Gaussian blur of this standard deviation in pixels."""
    x = torch.arange(-8, 9.0)
    kernel = torch.exp(-(x.square()[:, None] + x.square()) / (2 * width**2))
    conv = nn.Conv2d(3, 1, 17, padding=8, padding_mode="circular", bias=False)
    with torch.no_grad():
        conv.weight[:] = kernel / kernel.sum()
    return conv


@pytest.mark.parametrize("width", [1.0, 2.0])
def test_a_blurs_band_is_that_of_its_spectrum(width):
    """Its power falls as exp(-(2 pi f width)^2): 99% of it, over the plane, lies below sqrt(ln 100) / (2 pi width)."""
    expected = np.sqrt(np.log(100)) / (2 * np.pi * width)
    model = nn.Sequential(blur(width))
    assert visible_band(Probe(model, "0", device="cpu"), 64) == pytest.approx(expected, abs=0.02)


def test_a_layer_that_sees_single_pixels_sees_every_frequency():
    model = nn.Sequential(nn.Conv2d(3, 2, 1))
    assert visible_band(Probe(model, "0", device="cpu"), 32) > 0.6


def test_a_band_is_measured_given_or_left_out(bank_probe):
    assert choose_band(bank_probe, 32, None) is None
    assert choose_band(bank_probe, 32, 0.2) == 0.2
    assert 0.3 < choose_band(bank_probe, 64, "auto") < 0.5
