"""Images without a gradient: known optima of black boxes, each target on its own, and answers that are refused."""

import builtins
import json
import threading

import numpy as np
import pytest
import torch
from torch import nn

import tunewidgets as tw
from tunewidgets.kernels.canvas.canvases import FourierCanvas, make_canvas
from tunewidgets.kernels.canvas.jitter import Jitter
from tunewidgets.kernels.optimization import gallery
from tunewidgets.kernels.optimization.evolution import free_parameters, low_band

QUICK = {"optimizer": "cma", "size": 8, "steps": 6, "progress": False, "floats": True}
WEIGHTS = np.random.default_rng(0).normal(size=(3, 3, 8, 8)).astype(np.float32)


def linear(images):
    return np.einsum("nchw,uchw->nu", images, WEIGHTS)


def test_a_linear_black_boxs_image_reaches_the_optimum_known_in_closed_form():
    """Of sum(w * x) with x in [0, 1] the largest value is the sum of the positive weights; half of it is gray's."""
    few = WEIGHTS[:2, :, :4, :4]

    def small(images):
        return np.einsum("nchw,uchw->nu", images, few)

    options = QUICK | {"canvas": "pixel", "steps": 150, "size": 4}
    made = tw.visualize(small, tw.AM([0, 1]), objective_at="pre", **options)
    best, gray = few.clip(min=0).sum((1, 2, 3)), few.sum((1, 2, 3)) / 2
    reached = (made.response.values[[0, 1], [0, 1]] - gray) / (best - gray)
    assert (reached > 0.97).all()


def test_a_quadratic_black_boxs_image_is_its_template():
    """The answer 1 - |x - template|² is largest at the template, which the canvas can hold."""
    canvas = FourierCanvas(4)
    start = torch.randn(1, *canvas.shape, generator=torch.Generator().manual_seed(1))
    template = canvas.image(start)[0].numpy()

    def near(images):
        return (1 - ((images - template) ** 2).mean((1, 2, 3)))[:, None]

    made = tw.visualize(near, tw.AM([0]), band=0.8, **QUICK | {"steps": 250, "size": 4})
    assert made.response.item() > 1 - 1e-3
    assert np.abs(made.image_float.values[0] - np.moveaxis(template, 0, -1)).mean() < 0.03


def test_a_probe_can_be_asked_without_its_gradient(bank_probe):
    """Low frequencies alone, but most of what the gradient finds in as many steps."""
    asked = {"size": 16, "steps": 40, "progress": False}
    climbed = tw.visualize(bank_probe, tw.AM([3]), **asked)
    evolved = tw.visualize(bank_probe, tw.AM([3]), optimizer="cma", **asked)
    assert evolved.response.values[0, 3] > 0.7 * climbed.response.values[0, 3]
    assert bank_probe.network.filters.weight.grad is None


def test_the_same_seed_gives_the_same_images_and_another_gives_others():
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    first, again = (tw.visualize(linear, tw.AM([0, 2]), **QUICK) for _ in range(2))
    other = tw.visualize(linear, tw.AM([0, 2]), seed=1, **QUICK)
    assert first.equals(again)
    assert not np.array_equal(first.image_float, other.image_float)
    assert np.random.random() == expected  # noqa: NPY002


@pytest.mark.parametrize("asked", ["function", "probe"])
def test_an_image_does_not_depend_on_the_other_targets(bank_probe, asked):
    answers = {"function": linear, "probe": bank_probe}[asked]
    together = tw.visualize(answers, tw.AM([0, 1, 2]), **QUICK)
    alone = tw.visualize(answers, tw.AM([1]), **QUICK)
    assert np.array_equal(alone.image_float[0], together.image_float[1])
    assert np.array_equal(alone.value[0], together.value[1])


def test_the_record_is_visualizes_own():
    made = tw.visualize(linear, tw.AM([0, 1]), restarts=2, checkpoints=(3, 6), **QUICK)
    tw.records.validate(made)
    assert made.restart.values.tolist() == [0, 0, 1, 1]
    assert not np.array_equal(made.image_float[0], made.image_float[2])
    assert (made.value.values[:, -1] > made.value.values[:, 0]).all()
    assert made.response_checkpoint.shape == (4, 2, 3)
    images = np.moveaxis(made.image_float.values, -1, 1)
    np.testing.assert_allclose(made.response.values, np.maximum(linear(images), 0), rtol=1e-4)
    settings = json.loads(made.settings)
    assert (settings["optimizer"], settings["chunk"]) == ("cma", 4 + int(3 * np.log(3 * 64)))
    assert made.attrs["model"] == "linear"


def test_the_black_box_is_asked_one_generation_at_a_time_in_the_callers_thread():
    asked, threads = [], torch.get_num_threads()

    def counting(images):
        assert threading.current_thread() is threading.main_thread()
        assert torch.get_num_threads() == threads
        asked.append((images.dtype, images.shape, float(images.min()), float(images.max())))
        return torch.from_numpy(linear(images))[:, :, None, None]

    tw.visualize(counting, tw.AM([0, 1]), chunk=7, **QUICK)
    first, *later = asked
    assert first[1] == (2, 3, 8, 8)
    assert sorted({shape[0] for _, shape, _, _ in later}) == [2, 7]
    assert sum(shape[0] == 7 for _, shape, _, _ in later) == 2 * QUICK["steps"]
    assert all(kind == np.float32 and low >= 0 and high <= 1 for kind, _, low, high in asked)


def test_moved_images_are_asked_about_and_the_image_is_measured_as_it_is():
    options = QUICK | {"jitter": Jitter(2, 0.1, 5)}
    made = tw.visualize(linear, tw.AM([0]), **options)
    still = tw.visualize(linear, tw.AM([0]), **QUICK)
    assert not np.array_equal(made.value, still.value)
    images = np.moveaxis(made.image_float.values, -1, 1)
    np.testing.assert_allclose(made.response.values, np.maximum(linear(images), 0), rtol=1e-4)


@pytest.mark.parametrize("size", [7, 8])
def test_free_parameters_are_all_that_an_image_has(size):
    """As many as the pixels, and no two do the same: the images they make are linearly independent."""
    canvas = FourierCanvas(size)
    free = free_parameters(canvas)
    assert len(free) == 3 * size * size
    parameters = torch.zeros(len(free), int(np.prod(canvas.shape)))
    parameters[torch.arange(len(free)), free] = 1
    logits = torch.logit(canvas.image(parameters.view(-1, *canvas.shape)).double()).flatten(1)
    assert torch.linalg.matrix_rank(logits, rtol=1e-4) == len(free)


def test_the_default_band_holds_about_600_parameters():
    for size in (24, 64, 224):
        assert 500 < len(free_parameters(make_canvas("fourier", size, low_band(size)))) < 700
    assert len(free_parameters(make_canvas("fourier", 8, low_band(8)))) == 3 * 64


def test_stopping_keeps_what_is_finished(monkeypatch):
    whole = gallery.evolve

    def stopped(*args, **kwargs):
        for index, chunk in enumerate(whole(*args, **kwargs)):
            if index == 1:
                raise KeyboardInterrupt
            yield chunk

    monkeypatch.setattr(gallery, "evolve", stopped)
    made = tw.visualize(linear, tw.AM([0, 1]), **QUICK)
    assert made.status.values.tolist() == ["", "not made: interrupted"]


def test_answers_that_are_nan_or_never_change_are_flagged():
    def status(function):
        return tw.visualize(function, tw.AM([0]), **QUICK).status.item()

    assert status(lambda images: images.mean((2, 3))) == ""
    nan = status(lambda images: np.full((len(images), 1), np.nan))
    assert nan.startswith("failed: the network gave NaN or infinite values")
    constant = status(lambda images: np.ones((len(images), 1)))
    assert constant.startswith("failed: the objective never rose above its start; it may not depend on")
    assert status(lambda images: -images.mean((2, 3))).startswith("silent: no image that was tried")


@pytest.mark.parametrize(
    ("function", "options", "error", "sentence"),
    [
        (
            linear,
            {"optimizer": "adam"},
            ValueError,
            "a function has no gradient for optimizer='adam' to follow",
        ),
        (linear, {"optimizer": "newton"}, ValueError, "optimizer is 'newton'; choose one of 'adam', 'cma'"),
        (linear, {"band": "auto"}, ValueError, "band='auto' is measured by the gradient"),
        (linear, {"executor": 4}, ValueError, "a function is called in this process"),
        (linear, {"size": 1}, ValueError, "size is 1; give the side"),
        (linear, {"chunk": 2}, ValueError, "chunk is 2; give the population"),
        (linear, {"lr": -1.0}, ValueError, "lr is -1.0; give the initial spread"),
        (lambda images: images.mean(), {}, ValueError, r"returned shape \(\) for 2 images"),
        (lambda images: images[:1].mean((2, 3)), {}, ValueError, r"returned shape \(1, 3\) for 2 images"),
        (lambda images: images.mean(3), {}, ValueError, r"returned shape \(2, 3, 8\) for 2 images"),
        (lambda images: "high", {}, ValueError, "returned a str of type <U4; it has to give numbers"),
        (nn.Linear(2, 2), {}, TypeError, r"probe is a Linear; give tw.Probe\(model, layer\)"),
        ("linear", {}, TypeError, "probe is a str; give"),
    ],
)
def test_what_can_not_be_asked_is_one_sentence(function, options, error, sentence):
    with pytest.raises(error, match=sentence):
        tw.visualize(function, tw.AM([0]), **(QUICK | options))


def test_a_missing_library_is_one_sentence(monkeypatch):
    whole = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "cmaes":
            raise ImportError(name)
        return whole(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        ImportError, match=r"needs the package cmaes; install it with: pip install 'tunewidgets\[cma\]'"
    ):
        tw.visualize(linear, tw.AM([0]), **QUICK)
