"""Canvases: torch-lucent's image for the same spectrum, bands, and transformations that do nothing."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tunewidgets.kernels.canvas.canvases import FourierCanvas, PixelCanvas, make_canvas, radial_frequency
from tunewidgets.kernels.canvas.jitter import Jitter


@pytest.mark.parametrize("size", [16, 64])
def test_the_image_equals_lucents_for_the_same_spectrum(size):
    from lucent.optvis import param

    torch.manual_seed(0)
    spectra, lucent_image = param.image(size, batch=2)
    ours = FourierCanvas(size).image(spectra[0].detach().cpu())
    torch.testing.assert_close(ours, lucent_image().detach().cpu(), atol=1e-5, rtol=0)


def test_odd_sides_work():
    canvas = FourierCanvas(33)
    image = canvas.image(torch.stack([canvas.start(torch.Generator().manual_seed(0))]))
    assert image.shape == (1, 3, 33, 33)
    assert 0 < float(image.min()) < float(image.max()) < 1


def test_a_band_leaves_nothing_above_it():
    canvas = FourierCanvas(48, band=0.2, deviation=1.0)
    image = canvas.image(canvas.start(torch.Generator().manual_seed(0))[None])
    spectrum = torch.fft.rfft2(torch.logit(image.double())).abs().square().sum((0, 1))
    frequency = radial_frequency(48)
    assert float(spectrum[frequency > 0.2].sum() / spectrum.sum()) < 1e-9


def test_a_pixel_canvas_moves_one_pixel_at_a_time():
    canvas = PixelCanvas(8)
    parameters = torch.zeros(1, *canvas.shape)
    parameters[0, 1, 2, 3] = 5
    changed = (canvas.image(parameters) != 0.5).nonzero().tolist()
    assert changed == [[0, 1, 2, 3]]


@pytest.mark.parametrize(
    ("name", "size", "sentence"),
    [("cppn", 32, "choose one of 'fourier', 'pixel'"), ("fourier", 1, "at least 2 pixels")],
)
def test_a_canvas_that_is_not_there(name, size, sentence):
    with pytest.raises(ValueError, match=sentence):
        make_canvas(name, size)


def test_zero_strength_is_the_identity():
    images = torch.rand(2, 3, 16, 16)
    draws = torch.rand(2, 4) * 2 - 1
    assert Jitter(0, 0, 0).apply(images, draws) is images
    torch.testing.assert_close(Jitter().apply(images, draws * 0), images, atol=1e-5, rtol=0)


@settings(max_examples=20, deadline=None)
@given(dy=st.integers(-8, 8), dx=st.integers(-8, 8), size=st.sampled_from([15, 16]))
def test_a_shift_by_whole_pixels_rolls_the_image(dy, dx, size):
    images = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(1))
    jitter = Jitter(shift=8, scale=0, turn=0)
    moved = jitter.apply(images, torch.tensor([[dy / 8, dx / 8, 0.0, 0.0]]))
    torch.testing.assert_close(moved, images.roll((-dy, -dx), (2, 3)), atol=2e-5, rtol=0)


def test_a_weaker_strength_weakens_all_but_a_steady_shift():
    images = torch.rand(1, 3, 16, 16)
    draws = torch.tensor([[0.5, 0.0, 0.7, -0.6]])
    assert Jitter().apply(images, draws, 0.0) is images
    moved = Jitter(shift=8, steady=True).apply(images, draws, 0.0)
    torch.testing.assert_close(moved, images.roll(-4, 2), atol=2e-5, rtol=0)


def test_a_quarter_turn_turns_about_the_center():
    images = torch.rand(1, 3, 12, 12)
    turned = Jitter(shift=0, scale=0, turn=90).apply(images, torch.tensor([[0.0, 0.0, 0.0, 1.0]]))
    torch.testing.assert_close(turned, torch.rot90(images, 1, (2, 3)), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("strengths", "sentence"),
    [({"shift": -1}, "shift is -1"), ({"turn": "10"}, "turn is '10'"), ({"scale": 1.0}, "below 1")],
)
def test_a_strength_that_is_none(strengths, sentence):
    with pytest.raises(ValueError, match=sentence):
        Jitter(**strengths)


def test_each_image_has_its_own_transformation():
    image = torch.rand(1, 3, 16, 16)
    draws = torch.rand(3, 4) * 2 - 1
    together = Jitter().apply(image.expand(3, -1, -1, -1), draws)
    for n in range(3):
        torch.testing.assert_close(together[n : n + 1], Jitter().apply(image, draws[n : n + 1]))
    assert float((together[0] - together[1]).abs().max()) > 0.01
