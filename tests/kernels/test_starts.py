"""Images that go on from others: each from its own, within the bound that was asked for, and known to a store."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
import torch

import tunewidgets as tw
from tunewidgets.kernels.optimization import gallery
from tunewidgets.kernels.optimization.accentuation import brought_back, distance

QUICK = {"size": 32, "steps": 12, "progress": False, "floats": True}


@pytest.fixture(scope="module")
def photographs():
    return torch.stack([tw.zoo.images("photos", size=32)[n] for n in range(2)])


@pytest.fixture
def probe(branched):
    return tw.Probe(branched, "relu_1", device="cpu")


def floats(made):
    return made.image_float.values


def relative_distance(probe, images, starts):
    here, there = (probe.rectified(batch).numpy() for batch in (images, starts))
    norms = [np.linalg.norm(values.reshape(len(values), -1), axis=1) for values in (here - there, there)]
    return norms[0] / norms[1]


@pytest.mark.parametrize("canvas", ["fourier", "pixel"])
def test_a_step_that_hardly_moves_leaves_the_photograph_as_it_is(probe, photographs, canvas):
    made = tw.visualize(probe, tw.AM([0, 1]), canvas=canvas, start=photographs, lr=1e-7, **QUICK)
    np.testing.assert_allclose(floats(made), photographs.movedim(1, -1), atol=3e-3)


def test_the_distance_is_measured_on_the_finished_image(probe, photographs):
    made = tw.visualize(probe, tw.AM([0, 1]), start=photographs, **QUICK)
    images = torch.tensor(floats(made)).movedim(-1, 1)
    np.testing.assert_allclose(made.distance, relative_distance(probe, images, photographs), rtol=0.03)
    assert "distance" not in tw.visualize(probe, tw.AM([0]), **QUICK)


@pytest.mark.parametrize("canvas", ["fourier", "maco"])
def test_who_may_leave_farther_goes_farther_and_responds_more(probe, photographs, canvas):
    options = QUICK | {"steps": 48, "canvas": canvas, "lr": 0.05}
    goal = tw.AM([0, 2])
    near, far, free = (
        tw.visualize(probe, goal, start=photographs, leave=leave, **options) for leave in (0.1, 0.4, None)
    )
    own = [made.response.values[[0, 1], [0, 2]] for made in (near, far, free)]
    assert (near.distance.values <= 0.1).all()
    assert (far.distance.values <= 0.4).all()
    assert (near.distance.values < far.distance.values).all()
    assert (far.distance.values < free.distance.values).all()
    assert (own[0] < own[1]).all()
    assert (own[1] < own[2]).all()
    # The cost of leaving holds it there by itself: what remains to be brought back is little.
    assert (far.distance.values > 0.3).all()


def test_the_bound_means_the_same_whatever_a_layer_is_measured_in(branched, photographs):
    """Weights a thousand times as large make a score and a distance that are too, and the same image."""
    options = QUICK | {"steps": 24, "leave": 0.2, "start": photographs, "precision": "float32"}
    small = tw.visualize(tw.Probe(branched, "left", device="cpu"), tw.AM([0, 1]), **options)
    with torch.no_grad():
        branched.left.weight *= 1024
        branched.left.bias *= 1024
    large = tw.visualize(tw.Probe(branched, "left", device="cpu"), tw.AM([0, 1]), **options)
    np.testing.assert_allclose(large.distance, small.distance, rtol=1e-2)
    assert np.abs(floats(large) - floats(small)).mean() < 2e-3


def test_one_photograph_is_for_all_targets_and_each_may_have_its_own(probe, photographs):
    one = tw.visualize(probe, tw.AM([0, 0]), start=photographs[0].numpy(), chunk=4, **QUICK)
    each = tw.visualize(probe, tw.AM([0, 0]), start=photographs, chunk=4, **QUICK)
    assert np.array_equal(floats(one)[0], floats(one)[1])
    assert np.array_equal(floats(one)[0], floats(each)[0])
    assert not np.allclose(floats(each)[0], floats(each)[1], atol=0.1)


@pytest.mark.parametrize("canvas", ["fourier", "maco"])
def test_an_image_does_not_depend_on_who_shares_its_chunk(probe, photographs, canvas):
    options = QUICK | {"chunk": 4, "leave": 0.2, "canvas": canvas}
    alone = tw.visualize(probe, tw.AM([2]), start=photographs[1], **options)
    together = tw.visualize(
        probe,
        tw.AM([0, 2, 5]),
        start=torch.stack([photographs[0], photographs[1], photographs[0]]),
        **options,
    )
    assert np.array_equal(floats(alone)[0], floats(together)[1])
    assert float(alone.distance[0]) == float(together.distance[1])


def test_photographs_of_another_size_and_form_are_fitted_to_the_canvas(probe):
    wide = torch.rand(3, 48, 80, generator=torch.Generator().manual_seed(0))
    made = tw.visualize(probe, tw.AM([0]), start=wide, lr=1e-7, **QUICK)
    expected = torch.nn.functional.interpolate(wide[None], (32, 53), mode="bilinear", antialias=True)
    np.testing.assert_allclose(floats(made)[0], expected[0, :, :, 10:42].movedim(0, -1), atol=3e-3)


def test_a_photograph_keeps_its_contrast(probe):
    hard = (torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    made = tw.visualize(probe, tw.AM([0]), start=hard, lr=1e-7, **QUICK)
    np.testing.assert_allclose(floats(made)[0], hard.movedim(0, -1), atol=3e-3)


def test_a_layer_that_is_silent_on_the_photograph_makes_no_nan(branched, photographs):
    with torch.no_grad():
        branched.left.bias.fill_(-100)
        branched.left.weight.fill_(0.01)
    probe = tw.Probe(branched, "left", device="cpu")
    made = tw.visualize(probe, tw.AM([0]), start=photographs[0], leave=0.5, **QUICK)
    assert np.isfinite(floats(made)).all()
    assert float(made.distance[0]) <= 0.5


@pytest.mark.parametrize("at", ["pre", "post"])
def test_a_bound_holds_wherever_the_unit_is_optimized(probe, photographs, at):
    made = tw.visualize(probe, tw.AM([0]), start=photographs[0], leave=0.1, objective_at=at, **QUICK)
    assert float(made.distance[0]) <= 0.1


def test_a_store_goes_on_and_knows_the_photograph(probe, photographs, tmp_path, monkeypatch):
    options = QUICK | {"chunk": 2, "leave": 0.2, "importance": True, "start": photographs[[0, 1, 0, 1]]}
    goal = tw.AM([0, 1, 2, 3])
    whole = tw.visualize(probe, goal, **options)

    with monkeypatch.context() as patch:
        patch.setattr(gallery, "in_threads", stopped_after_one(gallery.in_threads))
        with pytest.raises(KeyboardInterrupt):
            tw.visualize(probe, goal, store=tmp_path / "a.zarr", **options)
    resumed = tw.visualize(probe, goal, store=tmp_path / "a.zarr", **options)
    for name in ("image_float", "importance", "distance"):
        assert np.array_equal(resumed[name], whole[name])
    again = tw.open_record(tmp_path / "a.zarr")
    tw.records.validate(again)
    assert tw.records.settings_of(again)["leave"] == 0.2
    for other, named in (({"start": photographs[[1, 1, 0, 1]]}, "start="), ({"leave": 0.3}, "leave=")):
        with pytest.raises(ValueError, match=named):
            tw.visualize(probe, goal, store=tmp_path / "a.zarr", **(options | other))


def stopped_after_one(spread):
    def one(*work):
        yield next(spread(*work))
        raise KeyboardInterrupt

    return one


def test_workers_make_the_same_image(photographs):
    probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")
    options = QUICK | {"steps": 3, "leave": 0.2, "canvas": "maco", "chunk": 1, "start": photographs}
    here = tw.visualize(probe, tw.AM([0, 1]), **options)
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        there = tw.visualize(probe, tw.AM([0, 1]), executor=executor, **options)
    for name in ("image_float", "importance", "distance"):
        assert np.array_equal(here[name], there[name])


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"start": "photo.jpg"}, TypeError, "start is a str; give a tensor or array"),
        ({"start": torch.rand(32, 32)}, ValueError, r"start has shape \(32, 32\)"),
        ({"start": torch.rand(32, 32, 3)}, ValueError, r"start has shape \(32, 32, 3\)"),
        ({"start": torch.rand(3, 3, 32, 32)}, ValueError, "3 images for 2 targets"),
        ({"start": torch.rand(3, 32, 32) * 255}, ValueError, "start ranges .* divide by 255"),
        ({"start": torch.full((3, 32, 32), torch.nan)}, ValueError, "start holds NaN"),
        ({"leave": 0.5}, ValueError, "no image to leave"),
        ({"start": torch.rand(3, 32, 32), "leave": 0}, ValueError, "leave is 0"),
        ({"start": torch.rand(3, 32, 32), "leave": True}, ValueError, "leave is True"),
        ({"start": torch.rand(3, 32, 32), "leave": np.inf}, ValueError, "leave is inf"),
        ({"start": torch.rand(3, 32, 32), "optimizer": "cma"}, ValueError, "can't start from an image"),
    ],
)
def test_what_is_no_start_says_so(bank_probe, options, error, sentence):
    with pytest.raises(error, match=sentence):
        tw.visualize(bank_probe, tw.AM([0, 1]), **QUICK, **options)


def test_only_what_left_too_far_is_brought_back():
    start = torch.zeros(3, 4)
    parameters = torch.tensor([[1.0, 0, 0, 0], [3.0, 4, 0, 0], [0, 0, 0, 0]])
    held = brought_back(parameters, start, lambda moved: moved.norm(dim=1), 2.0)
    assert torch.equal(held[[0, 2]], parameters[[0, 2]])
    torch.testing.assert_close(held[1], parameters[1] * 0.4, rtol=2e-3, atol=0)
    assert float(held[1].norm()) <= 2


def test_distance_has_a_gradient_at_the_start():
    values = torch.rand(2, 3, 4, 4, requires_grad=True)
    (gradient,) = torch.autograd.grad(distance(values, values.detach()).sum(), values)
    assert bool((gradient == 0).all())
