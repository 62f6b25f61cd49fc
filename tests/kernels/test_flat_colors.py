"""A unit that answers to a color most gets the color, and one that answers to a pattern gets the pattern."""

import numpy as np
import pytest
import torch
from torch import nn

import tunewidgets as tw
from tunewidgets.kernels.canvas import FourierCanvas, PixelCanvas
from tunewidgets.kernels.optimization.flat_colors import flat_colors


@pytest.fixture
def color_and_edge() -> tw.Probe:
    """Unit 0 answers to red less green; unit 1 to a vertical edge, and to no flat color at all."""
    conv = nn.Conv2d(3, 2, 4, bias=False)
    with torch.no_grad():
        conv.weight.zero_()
        conv.weight[0, 0], conv.weight[0, 1] = 1, -1
        conv.weight[1, :, :, :2], conv.weight[1, :, :, 2:] = 1, -1
    return tw.Probe(nn.Sequential(conv, nn.ReLU()), "1", device="cpu")


@pytest.mark.parametrize("canvas", [FourierCanvas(16), FourierCanvas(15), PixelCanvas(16)])
def test_a_flat_image_has_the_color_that_is_asked_for(canvas):
    color = torch.tensor([0.9, 0.2, 0.6])
    image = canvas.image(canvas.flat(torch.logit(color))[None])
    torch.testing.assert_close(image, color.view(1, 3, 1, 1).expand_as(image), atol=1e-5, rtol=0)


def test_the_best_color_is_found_for_each_unit(color_and_edge):
    best = flat_colors(color_and_edge, tw.AM([0, 1]), FourierCanvas(32), "post")
    red, green = best.logits[0].sigmoid()[:2].tolist()
    assert red > 0.99
    assert green < 0.01
    assert float(best.scores[0]) == pytest.approx(16, rel=1e-3)
    assert float(best.scores[1]) == pytest.approx(0, abs=1e-3)


def test_images_end_at_the_color_or_at_the_pattern(color_and_edge):
    made = tw.visualize(color_and_edge, tw.AM([0, 1]), size=32, steps=24, progress=False, floats=True)
    flat, striped = made.image_float.values
    assert made.response.values[0, 0] == pytest.approx(16, rel=0.01)
    assert flat[..., 0].min() > 0.95
    assert flat[..., 1].max() < 0.05
    assert striped.mean(-1).std(axis=1).mean() > 0.1


def test_directions_have_no_color_of_their_own(bank_probe):
    assert flat_colors(bank_probe, tw.Direction(np.eye(28)[:2]), FourierCanvas(32), "post") is None
