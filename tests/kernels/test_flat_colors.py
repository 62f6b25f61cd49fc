"""Units that respond to a color most get the color and say so; the others get a pattern, if they start silent too."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import tunewidgets as tw
from tunewidgets.kernels.canvas.canvases import FourierCanvas, PixelCanvas
from tunewidgets.kernels.optimization.contrast import linearity
from tunewidgets.kernels.optimization.flat_colors import flat_colors
from tunewidgets.kernels.optimization.loop import TRIED
from tunewidgets.kernels.optimization.options import ImageOptions
from tunewidgets.kernels.optimization.outcomes import reason
from tunewidgets.kernels.optimization.recipes import prepare


@pytest.fixture
def color_and_edge() -> tw.Probe:
    """Unit 0 responds to red less green; unit 1 to a vertical edge, and to no flat color at all."""
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
    best = flat_colors(
        color_and_edge, tw.AM([0, 1]), FourierCanvas(32), "post", linearity(color_and_edge, 32)
    )
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
    assert made.status.values[0].startswith("flat: one color is the best that was found")
    assert "tw.Neuron" in made.status.values[0]
    assert made.status.values[1] == ""


def test_directions_have_no_color_of_their_own(bank_probe):
    assert flat_colors(bank_probe, tw.Direction(np.eye(28)[:2]), FourierCanvas(32), "post", bool) is None


@pytest.fixture
def two_layers() -> tw.Probe:
    """Of a second layer unit 0 responds to red less green, unit 1 to vertical edges."""
    first, second = nn.Conv2d(3, 3, 4, bias=False), nn.Conv2d(3, 2, 1)
    with torch.no_grad():
        for conv in (first, second):
            conv.weight.zero_()
        first.weight[0, 0], first.weight[0, 1] = 0.1, -0.1
        # Edges of both polarities, so that a grating has them everywhere.
        first.weight[1, :, :, :2], first.weight[1, :, :, 2:] = 1, -1
        first.weight[2] = -first.weight[1]
        second.weight[0, 0], second.weight[1, 1:] = 1, 0.1
        second.bias.fill_(-0.05)
    return tw.Probe(nn.Sequential(first, nn.ReLU(), second, nn.ReLU()), "3", device="cpu")


OPTIONS = {"size": 24, "progress": False, "floats": True}


class TestOfASecondLayer:
    def test_a_color_that_wins_is_the_image_and_the_status(self, two_layers):
        made = tw.visualize(two_layers, tw.AM([0, 1]), steps=24, **OPTIONS)
        color, pattern = made.status.values.tolist()
        assert color.startswith("flat: ")
        assert pattern == ""
        image = made.image_float.values[0]
        assert image.std(axis=(0, 1)).max() < 0.05
        assert image[..., 0].mean() > image[..., 1].mean() + 0.4
        assert made.image_float.values[1].mean(-1).std() > 0.1

    def test_the_color_is_what_a_pattern_loses_to(self, two_layers):
        """It responds no less than the best of the flat colors, under the same bound of contrast."""
        made = tw.visualize(two_layers, tw.AM([0]), steps=24, **OPTIONS)
        best = flat_colors(
            two_layers, tw.AM([0]), FourierCanvas(24, contrast=1.2), "leaky", linearity(two_layers, 24)
        )
        assert not best.early
        assert made.response.values[0, 0] >= 0.99 * float(best.scores[0])

    def test_a_pattern_that_falls_behind_on_the_way_has_its_whole_run(self, two_layers):
        """At 40% of the steps it is behind a color that it beats in the end."""
        probe, goal, steps = two_layers, tw.AM([1]), 40
        gallery, _ = prepare(probe, goal, ImageOptions(size=24, steps=steps, chunk=1))
        colors = gallery.recipe.colors
        first = tw.visualize(probe, goal, steps=steps, chunk=1, **OPTIONS)
        values = first.value.values[0]
        between = float(values[int(TRIED * steps)] + values[-1]) / 2
        assert values[int(TRIED * steps)] < between < values[-1]
        gallery.recipe = replace(
            gallery.recipe, colors=replace(colors, scores=torch.full_like(colors.scores, between))
        )
        gallery.fill(progress=False)
        [outcome] = gallery.finished.values()
        assert torch.equal(outcome.image, torch.from_numpy(first.image_float.values[0]).movedim(-1, 0))
        assert reason(outcome, goal, gallery.recipe) == ""

    def test_a_second_try_from_the_color_is_kept_only_where_it_is_better(self, two_layers):
        goal = tw.AM([1])
        gallery, _ = prepare(two_layers, goal, ImageOptions(size=24, steps=12, chunk=1))
        colors = gallery.recipe.colors
        gallery.recipe = replace(
            gallery.recipe,
            colors=replace(colors, scores=torch.full_like(colors.scores, 1e6), logits=torch.zeros(1, 3)),
        )
        gallery.fill(progress=False)
        first = tw.visualize(two_layers, goal, steps=12, chunk=1, **OPTIONS)
        [outcome] = gallery.finished.values()
        assert float(outcome.values[-1]) >= float(first.value.values[0, -1])


class Silenced(nn.Module):
    """A unit behind two rectifiers, both silent on gray and on an image as it starts."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.out = nn.Conv2d(3, 1, 4), nn.Conv2d(1, 1, 1), nn.Identity()
        with torch.no_grad():
            self.first.weight[:, :, :, :2], self.first.weight[:, :, :, 2:] = 0.5, -0.5
            self.first.bias.fill_(-2)
            self.second.weight.fill_(1)
            self.second.bias.fill_(-0.2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.nn.functional.relu(self.first(x), inplace=True)
        return self.out(self.second(x).clamp(min=0))


def test_a_unit_behind_two_rectifiers_is_alive():
    options = {"size": 24, "steps": 32, "progress": False}
    probe = tw.Probe(Silenced(), "out", device="cpu")
    alive = tw.visualize(probe, tw.AM([0]), **options)
    assert alive.status.item() == ""
    assert alive.response.item() > 0.1
    exact = tw.visualize(probe, tw.AM([0]), objective_at="post", **options)
    assert exact.status.item().startswith("silent: no image that was tried excites this unit")
    assert exact.response.item() == 0
