"""Bounded contrast: no image burns out, and none pays for it where the layer is linear in the image."""

import json

import numpy as np
import pytest
import torch
from torch import nn

import tunewidgets as tw
from tunewidgets.kernels.canvas.canvases import FourierCanvas, PixelCanvas, bounded
from tunewidgets.kernels.network.blackbox import BlackBox
from tunewidgets.kernels.optimization import contrast as module
from tunewidgets.kernels.optimization.contrast import NATURAL, choose_contrast, linearity, sees_linearly
from tunewidgets.kernels.optimization.options import ImageOptions
from tunewidgets.kernels.optimization.recipes import prepare

QUICK = {"size": 24, "steps": 24, "progress": False}


@pytest.fixture(scope="module")
def deep():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 5, padding=2), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 6, 3), nn.ReLU()
    ).eval()  # fmt: skip


def logits(deviation, n=1, seed=0):
    values = torch.randn(n, 3, 12, 12, generator=torch.Generator().manual_seed(seed))
    return values / values.flatten(1).std(1)[:, None, None, None] * deviation


class TestBounded:
    def test_a_weak_image_stays_as_it_is(self):
        weak = logits(1.1)
        assert torch.equal(bounded(weak, 1.2), weak)
        assert torch.equal(bounded(logits(50), None), logits(50))

    @pytest.mark.parametrize("deviation", [1.3, 5, 400])
    def test_a_strong_one_gets_exactly_the_bound_and_keeps_its_pattern(self, deviation):
        strong = logits(deviation)
        scaled = bounded(strong, 1.2)
        assert float(scaled.std()) == pytest.approx(1.2, rel=1e-5)
        torch.testing.assert_close(scaled / 1.2, strong / deviation)

    def test_whoever_is_beside_it(self):
        images = torch.cat([logits(0.2, seed=1), logits(9, seed=2), logits(3, seed=3)])
        together = bounded(images, 1.2)
        for number in range(3):
            assert torch.equal(together[number : number + 1], bounded(images[number : number + 1], 1.2))
        moved = bounded(torch.cat([images[:1] * 100, images[1:]]), 1.2)
        assert torch.equal(moved[1:], together[1:])

    @pytest.mark.parametrize("canvas", [FourierCanvas(16, contrast=1.2), PixelCanvas(16, contrast=1.2)])
    def test_one_color_has_a_gradient(self, canvas):
        """Of white and gray the deviation is 0, and its own gradient is not defined."""
        for level in (0.0, 9.0):
            parameters = canvas.flat(torch.full((3,), level))[None].requires_grad_()
            (gradient,) = torch.autograd.grad(canvas.image(parameters).sum(), parameters)
            assert torch.isfinite(gradient).all()

    def test_an_image_that_becomes_parameters_again_is_the_same(self):
        for canvas in (FourierCanvas(12, contrast=1.2), PixelCanvas(12, contrast=1.2)):
            image = bounded(logits(5), 1.2).sigmoid()
            torch.testing.assert_close(
                canvas.image(canvas.parameters(image).reshape(1, *canvas.shape)), image, atol=1e-4, rtol=0
            )


class TestSeesLinearly:
    @pytest.mark.parametrize(
        ("layer", "linear"), [("0", True), ("1", True), ("2", True), ("3", False), ("4", False), ("5", False)]
    )
    def test_up_to_the_first_rectifier(self, deep, layer, linear):
        assert sees_linearly(tw.Probe(deep, layer, device="cpu"), 24) == linear

    def test_behind_the_models_own_preprocessing(self, deep):
        def normalized(images):
            return (images - 0.45) / torch.tensor([0.2, 0.3, 0.25]).view(3, 1, 1) * 255

        assert sees_linearly(tw.Probe(deep, "2", preprocess=normalized, device="cpu"), 24)
        assert not sees_linearly(tw.Probe(deep, "5", preprocess=normalized, device="cpu"), 24)
        squared = tw.Probe(deep, "0", preprocess=lambda images: images.square(), device="cpu")
        assert not sees_linearly(squared, 24)

    def test_a_linear_unit_and_a_black_box(self):
        flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 2))
        flat.input_size = 8
        assert sees_linearly(tw.Probe(flat, "1", device="cpu"), 8)
        assert sees_linearly(BlackBox(lambda images: images.mean((2, 3)), 8), 8)
        assert not sees_linearly(BlackBox(lambda images: np.square(images).mean((2, 3)), 8), 8)

    def test_the_model_is_left_in_its_mode(self, deep):
        deep.train()
        before = deep[1].running_mean.clone()
        assert sees_linearly(tw.Probe(deep, "2", device="cpu"), 24)
        assert deep[1].training
        assert torch.equal(deep[1].running_mean, before)
        deep.eval()


class TestChoice:
    def test_by_the_layer_or_as_asked(self, deep):
        first, second = (tw.Probe(deep, layer, device="cpu") for layer in ("2", "5"))
        assert choose_contrast("auto", linearity(first, 24)) is None
        assert choose_contrast("auto", linearity(second, 24)) == NATURAL
        assert choose_contrast(2, linearity(first, 24)) == 2.0
        assert choose_contrast(None, linearity(second, 24)) is None

    def test_a_layer_is_looked_at_once_for_its_contrast_and_its_colors(self, deep, monkeypatch):
        looked = []

        def counted(probe, size):
            looked.append(probe.layer)
            return sees_linearly(probe, size)

        monkeypatch.setattr(module, "sees_linearly", counted)
        probe = tw.Probe(deep, "5", device="cpu")
        prepare(probe, tw.AM([0]), ImageOptions(size=24, steps=3))
        assert looked == ["5"]
        prepare(probe, tw.Direction(np.ones((1, probe.units))), ImageOptions(size=24, steps=3, contrast=1.0))
        assert looked == ["5"]

    @pytest.mark.parametrize("wrong", ["high", 0, -1.2, True, float("inf"), float("nan"), [1.2]])
    def test_what_is_no_contrast_is_one_sentence(self, deep, wrong):
        with pytest.raises(
            ValueError, match=r"contrast is .*; give the largest standard deviation of an image's"
        ):
            tw.visualize(tw.Probe(deep, "5", device="cpu"), tw.AM([0]), contrast=wrong, **QUICK)

    def test_the_record_says_which(self, deep, bank_probe):
        def settings(probe, **options):
            return json.loads(tw.visualize(probe, tw.AM([0]), **(QUICK | {"steps": 2} | options)).settings)

        probe = tw.Probe(deep, "5", device="cpu")
        assert settings(probe)["contrast"] == NATURAL
        assert settings(probe, contrast=0.7, canvas="pixel")["contrast"] == 0.7
        assert settings(probe, contrast=None)["contrast"] is None
        assert settings(bank_probe)["contrast"] is None


@pytest.mark.parametrize("canvas", ["fourier", "pixel"])
def test_images_do_not_burn_out(deep, canvas):
    def clipped(**options):
        options |= {"canvas": canvas, "steps": 64}
        made = tw.visualize(tw.Probe(deep, "5", device="cpu"), tw.AM(range(6)), **(QUICK | options))
        image = made.image.values
        return float(((image <= 2) | (image >= 253)).mean())

    assert clipped() <= 0.02
    assert clipped(contrast=None) > 0.05
