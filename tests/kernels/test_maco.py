"""The maco canvas: magnitudes that nothing moves, phases that everything does, and where the pixels matter."""

import numpy as np
import pytest
import torch

import tunewidgets as tw
from tunewidgets.kernels.canvas.canvases import canvas_name, make_canvas
from tunewidgets.kernels.canvas.maco import MacoCanvas, interpolated, photograph_magnitudes
from tunewidgets.kernels.canvas.spectrum import image_spectrum, radial_frequency
from tunewidgets.kernels.optimization.flat_colors import flat_colors
from tunewidgets.kernels.optimization.loop import generator
from tunewidgets.kernels.optimization.objectives import AM

QUICK = {"size": 32, "steps": 6, "progress": False, "floats": True}


def floats(made):
    return made.image_float.values


def has_a_phase(size):
    """Which entries `(size, size // 2 + 1)` of a real image's half spectrum are not real themselves."""
    phase = torch.ones(size, size // 2 + 1, dtype=torch.bool)
    ends = [0] if size % 2 else [0, size // 2]
    for row in ends:
        phase[row, ends] = False
    return phase


@pytest.mark.parametrize("size", [2, 3, 16, 33])
def test_any_phases_make_an_image_with_the_magnitudes_of_photographs(size):
    canvas = MacoCanvas(size)
    parameters = 3 * torch.randn(2, *canvas.shape, generator=torch.Generator().manual_seed(0))
    magnitude = image_spectrum(canvas.image(parameters)).abs()
    phase = has_a_phase(size)
    torch.testing.assert_close(
        magnitude[..., phase], canvas.magnitude[:, phase].expand(2, -1, -1), rtol=1e-2, atol=1e-3
    )
    assert bool((magnitude[..., ~phase] <= canvas.magnitude[:, ~phase] * 1.01).all())


@pytest.mark.parametrize("size", [16, 33])
def test_an_image_of_the_canvas_comes_back_from_its_phases(size):
    canvas = MacoCanvas(size)
    image = canvas.image(canvas.start(torch.Generator().manual_seed(0))[None])
    torch.testing.assert_close(canvas.image(canvas.parameters(image)), image, atol=2e-3, rtol=0)


def test_a_photograph_keeps_its_phases_and_every_parameter_a_gradient():
    canvas = MacoCanvas(32)
    photograph = tw.zoo.images("photos", size=32)[0][None]
    parameters = canvas.parameters(photograph).requires_grad_()
    image = canvas.image(parameters)
    phase = has_a_phase(32)
    turned = image_spectrum(image.detach())[..., phase] / image_spectrum(photograph)[..., phase]
    torch.testing.assert_close(turned.angle(), torch.zeros_like(turned.real), atol=1e-2, rtol=0)
    weights = torch.rand(image.shape, generator=torch.Generator().manual_seed(0))
    (gradient,) = torch.autograd.grad((image * weights).sum(), parameters)
    assert bool((gradient[..., 0, 0] != 0).all())


def test_magnitudes_fall_with_frequency_and_follow_the_photograph_to_every_size():
    """A photograph twice as large has the same coefficients a pixel, at the same cycles per image."""
    small, large = photograph_magnitudes(64), photograph_magnitudes(128)
    torch.testing.assert_close(large[:, :3, :3], 2 * small[:, :3, :3], rtol=1e-5, atol=0)
    order = radial_frequency(64).flatten().argsort()[1:]
    along = small.flatten(1)[:, order]
    assert bool((along.diff(dim=1) <= 1e-6).all())


def test_a_power_law_is_interpolated_and_carried_on_as_it_is():
    at = torch.tensor([0.5, 1.0, 3.0, 20.0])
    torch.testing.assert_close(interpolated(at, (1, 2, 8), (8.0, 2.0, 0.125)), 8 * at**-2)


def test_a_band_leaves_nothing_above_it():
    canvas = make_canvas("maco", 32, band=0.2)
    power = image_spectrum(canvas.image(canvas.start(generator(0, "band"))[None])).abs().square()
    assert float(power[..., radial_frequency(32) > 0.2].sum() / power.sum()) < 1e-9


def test_steps_move_the_phases_alone(bank_probe):
    made = tw.visualize(bank_probe, tw.AM([3]), canvas="maco", **(QUICK | {"steps": 24}))
    assert float(made.value[0, -1]) > 1.2 * float(made.value[0, 0])
    canvas, phase = MacoCanvas(32), has_a_phase(32)
    magnitude = image_spectrum(torch.tensor(floats(made)).movedim(-1, 1)).abs()
    torch.testing.assert_close(magnitude[0][:, phase], canvas.magnitude[:, phase], rtol=1e-2, atol=1e-3)


def test_an_image_does_not_depend_on_who_shares_its_chunk(branched):
    probe = tw.Probe(branched, "relu_1", device="cpu")
    options = QUICK | {"chunk": 4, "canvas": "maco"}
    together = tw.visualize(probe, tw.AM([0, 1, 2, 3, 5]), **options)
    alone = tw.visualize(probe, tw.AM([2]), **options)
    assert np.array_equal(floats(alone)[0], floats(together)[2])
    assert np.array_equal(alone.importance[0], together.importance[2])


def test_there_is_no_flat_color_to_go_on_from(bank_probe):
    assert flat_colors(bank_probe, AM([0]), MacoCanvas(32), "leaky", bool) is None


def test_a_record_names_the_canvas_by_which_it_is_made_again(bank_probe):
    made = tw.visualize(bank_probe, tw.AM([0]), canvas="maco", **QUICK)
    settings = tw.records.settings_of(made)
    assert canvas_name(settings["canvas"]) == "maco"
    assert settings["contrast"] is None


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"contrast": 1.2}, "have the contrast of photographs"),
        ({"optimizer": "cma"}, "a phase for every frequency"),
    ],
)
def test_what_does_not_go_with_it(bank_probe, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        tw.visualize(bank_probe, tw.AM([0]), canvas="maco", **QUICK, **options)


@pytest.mark.parametrize("canvas", ["maco", "fourier"])
def test_importance_is_the_summed_size_of_the_gradients_to_the_image(canvas):
    """Of a network that is linear in the image the gradient is known, and the same at every step."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 2))
    with torch.no_grad():
        model[1].bias.fill_(20)
    model.input_size = 8
    probe = tw.Probe(model, "1", device="cpu")
    options = {"size": 8, "steps": 5, "canvas": canvas, "jitter": tw.Jitter(0, 0, 0), "progress": False}
    made = tw.visualize(probe, tw.AM([0, 1]), importance=True, **options)
    expected = 5 * model[1].weight.detach().abs().view(2, 3, 8, 8).sum(1)
    np.testing.assert_allclose(made.importance.values, expected, rtol=1e-5)


def test_importance_is_kept_where_it_was_asked_for(bank_probe):
    fourier = tw.visualize(bank_probe, tw.AM([0]), **QUICK)
    asked = tw.visualize(bank_probe, tw.AM([0]), importance=True, **QUICK)
    left_out = tw.visualize(bank_probe, tw.AM([0]), importance=False, canvas="maco", **QUICK)
    assert "importance" not in fourier
    assert "importance" not in left_out
    assert asked.importance.dtype == np.float32
    assert np.array_equal(floats(asked), floats(fourier))


def test_importance_needs_a_gradient(bank_probe):
    with pytest.raises(ValueError, match="computed from gradients"):
        tw.visualize(bank_probe, tw.AM([0]), optimizer="cma", importance=True, **QUICK)


def test_importance_follows_the_image_through_its_transformations():
    """A unit that looks at one pixel of an image that is shifted all over hangs on many of its pixels."""
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 1))
    with torch.no_grad():
        model[1].weight.zero_()
        model[1].weight.view(3, 8, 8)[:, 4, 4] = 1
    model.input_size = 8
    probe = tw.Probe(model, "1", device="cpu")
    options = {"size": 8, "steps": 16, "progress": False, "canvas": "maco"}
    still = tw.visualize(probe, tw.AM([0]), jitter=tw.Jitter(0, 0, 0), **options).importance.values[0]
    moved = tw.visualize(probe, tw.AM([0]), jitter=tw.Jitter(4, 0, 0), **options).importance.values[0]
    assert np.argwhere(still > 0).tolist() == [[4, 4]]
    assert (moved > 0).sum() > 10
    np.testing.assert_allclose(moved.sum(), still.sum(), rtol=1e-4)
