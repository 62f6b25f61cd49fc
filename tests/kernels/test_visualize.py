"""The engine: images that reach known optima, each on its own, and failures that say why."""

import gc
import json

import numpy as np
import pytest
import torch
from torch import nn

import tunewidgets as tw
from tunewidgets.kernels.canvas.canvases import make_canvas
from tunewidgets.kernels.canvas.jitter import Jitter
from tunewidgets.kernels.optimization import loop
from tunewidgets.kernels.optimization.recipes import choose_size

QUICK = {"size": 32, "steps": 6, "progress": False, "floats": True}


def floats(made):
    return made.image_float.values


def test_a_linear_units_image_reaches_the_optimum_known_in_closed_form():
    """Of sum(w * x) with x in [0, 1] the largest value is the sum of the positive weights."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 5, bias=False))
    model.input_size = 8
    probe = tw.Probe(model, "1", device="cpu")
    made = tw.visualize(
        probe,
        tw.AM(range(5)),
        size=8,
        steps=512,
        canvas="pixel",
        jitter=Jitter(0, 0, 0),
        objective_at="pre",
        progress=False,
    )
    best = model[1].weight.clamp(min=0).sum(1).detach()
    own = torch.tensor(made.response.values[range(5), range(5)])
    torch.testing.assert_close(own, best, rtol=0.01, atol=0)


def test_a_gabor_units_image_comes_near_the_best_full_contrast_grating(bank_probe):
    """Which is the theoretical optimum but for its edges; a start from noise keeps a few defects of the pattern."""
    made = tw.visualize(bank_probe, tw.AM([0, 9]), size=32, steps=64, progress=False)
    y, x = np.mgrid[:32, :32]
    best = np.zeros(2)
    for frequency in np.linspace(0.05, 0.4, 8):
        for angle in np.linspace(0, np.pi, 12, endpoint=False):
            wave = np.cos(2 * np.pi * frequency * (x * np.cos(angle) + y * np.sin(angle)))
            image = np.repeat((0.5 + 0.5 * wave)[None, None], 3, axis=1).astype(np.float32)
            best = np.maximum(best, bank_probe.rectified(image)[0, [0, 9]].mean((1, 2)).numpy())
    assert (made.response.values[[0, 1], [0, 9]] > 0.85 * best).all()


def test_the_same_seed_gives_the_same_images_and_another_gives_others(bank_probe):
    first, again = (tw.visualize(bank_probe, tw.AM([3, 4]), **QUICK) for _ in range(2))
    other = tw.visualize(bank_probe, tw.AM([3, 4]), seed=1, **QUICK)
    assert np.array_equal(floats(first), floats(again))
    assert not np.array_equal(floats(first), floats(other))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_an_image_does_not_depend_on_who_shares_its_chunk(branched, precision):
    probe = tw.Probe(branched, "relu_1", device="cpu")
    options = QUICK | {"chunk": 4, "precision": precision}
    together = floats(tw.visualize(probe, tw.AM([0, 1, 2, 3, 5, 6]), **options))
    alone = floats(tw.visualize(probe, tw.AM([2]), **options))
    shuffled = floats(tw.visualize(probe, tw.AM([6, 5, 3, 2, 1, 0]), **options))
    assert np.array_equal(alone[0], together[2])
    assert np.array_equal(shuffled, together[::-1])


def test_another_chunk_shape_gives_the_same_responses_within_rounding(branched):
    probe = tw.Probe(branched, "relu_1", device="cpu")
    options = QUICK | {"steps": 24, "precision": "float32"}
    wide = tw.visualize(probe, tw.AM(range(8)), chunk=8, **options)
    narrow = tw.visualize(probe, tw.AM(range(8)), chunk=3, **options)
    own = range(8)
    np.testing.assert_allclose(wide.response.values[own, own], narrow.response.values[own, own], rtol=0.02)


def test_the_response_is_measured_on_the_final_untransformed_image(branched):
    probe = tw.Probe(branched, "relu_1", device="cpu")
    made = tw.visualize(probe, tw.IAM([1, 4]), checkpoints=(3, 6), **QUICK)
    images = torch.tensor(floats(made)).movedim(-1, 1)
    expected = probe.rectified(images).mean((2, 3)).numpy()
    np.testing.assert_allclose(made.response.values, expected, rtol=1e-5)
    np.testing.assert_allclose(made.response_checkpoint.sel(checkpoint=6).values, expected, rtol=1e-5)
    assert not np.allclose(made.response_checkpoint.sel(checkpoint=3).values, expected)


def test_the_images_are_bytes_of_the_floats(bank_probe):
    made = tw.visualize(bank_probe, tw.AM([0]), **QUICK)
    assert made.image.dtype == np.uint8
    assert np.abs(made.image.values / 255 - floats(made)).max() <= 0.5 / 255 + 1e-6


def test_restarts_start_elsewhere(bank_probe):
    made = tw.visualize(bank_probe, tw.AM([0, 7]), restarts=3, **QUICK)
    assert made.restart.values.tolist() == [0, 0, 1, 1, 2, 2]
    assert made.own_unit.values.tolist() == [0, 7, 0, 7, 0, 7]
    single = tw.visualize(bank_probe, tw.AM([0, 7]), chunk=json.loads(made.settings)["chunk"], **QUICK)
    assert np.array_equal(floats(made)[:2], floats(single))
    assert not np.array_equal(floats(made)[0], floats(made)[2])


def test_a_unit_that_never_answers_is_flagged_after_a_second_start():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 3, 3), nn.ReLU())
    with torch.no_grad():
        # Unit 0 responds to no flat color, so that its image has a pattern.
        model[0].weight[0] -= model[0].weight[0].mean((1, 2), keepdim=True)
        model[0].weight[1] = -model[0].weight[1].abs()
        model[0].bias[1] = -5
    made = tw.visualize(tw.Probe(model, "1", device="cpu"), tw.AM([0, 1]), **QUICK)
    assert made.status.values.tolist() == [
        "",
        "silent: no image that was tried excites this unit",
    ]


def test_weights_that_are_nan_are_flagged():
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())
    with torch.no_grad():
        model[0].weight[1, 0, 0, 0] = torch.nan
    made = tw.visualize(tw.Probe(model, "0", device="cpu"), tw.AM([1]), **QUICK)
    assert made.status.item().startswith("failed: the network gave NaN")


def test_stopping_keeps_what_is_finished(bank_probe, monkeypatch):
    from tunewidgets.kernels.optimization import gallery as module

    whole = module.optimize

    def stopped(*args, **kwargs):
        for index, chunk in enumerate(whole(*args, **kwargs)):
            if index == 1:
                raise KeyboardInterrupt
            yield chunk

    monkeypatch.setattr(module, "optimize", stopped)
    made = tw.visualize(bank_probe, tw.AM([0, 1, 2, 3]), chunk=2, **QUICK)
    # Chunks come in the order they are done, so the first to be kept may be either.
    done = made.status.values == ""
    assert done.tolist() in ([True, True, False, False], [False, False, True, True])
    assert set(made.status.values[~done]) == {"not made: interrupted"}
    assert np.isnan(made.response.values[~done]).all()
    assert all(image.any() for image in made.image.values[done])


@pytest.mark.parametrize("kernel", [1, 31])
def test_the_chunk_is_bounded_by_what_an_image_keeps_whatever_the_weights_take(kernel, monkeypatch):
    model = nn.Sequential(
        nn.Conv2d(3, 8, kernel, padding=kernel // 2),
        nn.Conv2d(8, 8, kernel, padding=kernel // 2),
        nn.Conv2d(8, 100, 31),  # after the layer: heavy, and never run
    )
    probe = tw.Probe(model, "1", device="cpu")
    # Each convolution keeps its input: 3 and 8 maps of 32 x 32 floats an image, and the canvas some more.
    monkeypatch.setattr(loop, "CHUNK_BYTES", 8 * (3 + 8) * 32 * 32 * 4)
    canvas = make_canvas("pixel", 32, None)
    assert 2 <= loop.choose_chunk(probe, canvas, "float32", jobs=64) <= 8
    monkeypatch.setattr(loop, "CHUNK_BYTES", 1)
    assert loop.choose_chunk(probe, canvas, "float32", jobs=64) == 1


def test_running_out_of_memory_halves_the_chunk_and_says_so(bank_probe, monkeypatch):
    whole = loop._run_chunk

    def small_device(probe, objective, jobs, on_step, recipe):
        if recipe.chunk > 2:
            raise torch.OutOfMemoryError("no room")
        return whole(probe, objective, jobs, on_step, recipe)

    monkeypatch.setattr(loop, "_run_chunk", small_device)
    made = tw.visualize(bank_probe, tw.AM(range(5)), chunk=8, **QUICK)
    assert json.loads(made.settings)["chunk"] == 2
    assert set(made.status.values) == {""}


def test_the_model_comes_back_as_it_was(branched):
    branched.train()
    tw.visualize(tw.Probe(branched, "relu_1", device="cpu"), tw.AM([0]), **QUICK)
    assert all(module.training for module in branched.modules())
    assert all(p.grad is None and p.requires_grad for p in branched.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in branched.modules())


def test_settings_say_how_the_images_were_made(bank_probe):
    made = tw.visualize(bank_probe, tw.AM([0]), seed=5, **QUICK)
    tw.records.validate(made)
    settings = json.loads(made.settings)
    assert {"chunk", "threads", "device", "precision", "lr", "jitter", "steps", "objective_at"} <= set(
        settings
    )
    assert made.attrs["seed"] == 5
    assert made.attrs["layer"] == "relu"


def test_checkpoints_may_come_in_any_order_and_more_than_once(bank_probe):
    made = tw.visualize(bank_probe, tw.AM([0]), checkpoints=(4, 2, 4), **QUICK)
    assert made.checkpoint.values.tolist() == [2, 4]
    assert made.response_checkpoint.shape[1] == 2
    again = tw.visualize(bank_probe, tw.AM([0]), checkpoints=iter([2, 4]), **QUICK)
    assert again.equals(made)


def test_the_canvas_follows_the_receptive_field(branched, bank_probe):
    assert choose_size(bank_probe, "auto") == 64
    assert choose_size(tw.Probe(branched, "head", device="cpu"), "auto") == 64
    assert choose_size(bank_probe, 40) == 40
    assert choose_size(tw.Probe(branched.double(), "stem", device="cpu"), "auto") == 64
    # 7 px, and steps of 8 for each of six more: wider than the 64 px at which a probe is tried first.
    deep = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 7, 8, 3), *(torch.nn.Conv2d(4, 4, 3, padding=1) for _ in range(6))
    )
    fields = dict(zip(*(tw.layers(deep)[name] for name in ("name", "receptive_field")), strict=True))
    for layer, side in (("2", 39), ("6", 103)):
        assert fields[layer] == (side, side)
        assert choose_size(tw.Probe(deep, layer, device="cpu"), "auto") == 2 * side
    deep.input_size = 96
    assert choose_size(tw.Probe(deep, "6", device="cpu"), "auto") == 96


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"size": 4}, "has no values on a canvas of 4 px"),
        ({"size": "big"}, "give the side in pixels or 'auto'"),
        ({"steps": 0}, "steps is 0"),
        ({"restarts": 0}, "restarts is 0"),
        ({"canvas": "oil"}, "choose one of 'fourier', 'pixel'"),
        ({"objective_at": "mid"}, "choose one of 'leaky', 'pre', 'post'"),
        ({"checkpoints": (99,)}, "checkpoint 99 is not among steps 1 to 6"),
        ({"chunk": 0}, "chunk is 0"),
        ({"precision": "int8"}, "choose 'auto', 'float32' or 'bfloat16'"),
    ],
)
def test_options_outside_their_range_are_one_sentence(bank_probe, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        tw.visualize(bank_probe, tw.AM([0]), **(QUICK | options))


def test_calls_leave_no_tensor_and_no_hook_behind(branched):
    probe = tw.Probe(branched, "relu_1", device="cpu")

    def left() -> int:
        gc.collect()
        return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())

    tw.visualize(probe, tw.AM([0, 1]), **QUICK)
    before = left()
    for _ in range(3):
        tw.visualize(probe, tw.AM([0, 1]), **QUICK)
    assert left() == before


def test_inference_mode_is_told_and_no_grad_is_not_in_the_way():
    network, data = tw.zoo.gabor_bank(n=4), [(torch.rand(4, 3, 16, 16), torch.arange(4) % 2)]
    probe = tw.Probe(network, "relu", device="cpu")
    options = {"size": 16, "steps": 2, "progress": False}
    with torch.no_grad():
        within = tw.visualize(probe, tw.AM([1]), **options)
    assert within.equals(tw.visualize(probe, tw.AM([1]), **options))
    sample = tw.sample_activations(probe, data, n=36, progress=False)
    dimensions = tw.TuningDimensions("pca", 2).fit(sample)
    with torch.inference_mode():
        for refused in (
            lambda: tw.Probe(network, "relu"),
            lambda: tw.visualize(probe, tw.AM([1]), **options),
            lambda: tw.render_film(probe, dimensions, points=2, **options),
            lambda: tw.class_selectivity(network, data, "relu", progress=False),
        ):
            with pytest.raises(
                RuntimeError, match=r"inference_mode\(\) is on.*leave it first, or use torch.no_grad"
            ):
                refused()
