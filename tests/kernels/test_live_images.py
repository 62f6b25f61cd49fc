"""Images off a film's grid: what they are asked for, where they start, how they grow, and what they leave behind."""

import json

import numpy as np
import pytest
import torch
from films import make_film

import tunewidgets as tw
from tunewidgets.derived.film_space import FilmPoint, FilmSpace
from tunewidgets.kernels.canvas.canvases import FourierCanvas, PixelCanvas
from tunewidgets.kernels.live.images import LiveImages
from tunewidgets.kernels.optimization import loop
from tunewidgets.kernels.tuning.films import achieved
from tunewidgets.records import settings_of


@pytest.fixture(scope="module")
def sample(bank_probe):
    scenes = tw.zoo.images("dead-leaves", n=6, size=48)
    return tw.sample_activations(bank_probe, scenes, n=600, progress=False)


@pytest.fixture(scope="module", params=[("pca", "mean"), ("nmf", "mean"), ("nmf", "zero")], ids="-".join)
def fitted(request, bank_probe, sample):
    method, others = request.param
    dims = tw.TuningDimensions(method, 3).fit(sample)
    film = tw.render_film(
        bank_probe, dims, points=5, others=others, sampling="uniform", size=24, steps=3, progress=False
    )
    return dims, film


@pytest.fixture(scope="module")
def film(bank_probe, sample):
    dims = tw.TuningDimensions("pca", 3).fit(sample)
    return tw.render_film(bank_probe, dims, points=5, size=24, steps=8, progress=False)


class TestSpace:
    def test_asks_for_the_inverse_transform_of_all_coordinates(self, fitted):
        dims, film = fitted
        space = FilmSpace(film)
        for coordinates in np.random.default_rng(0).normal(size=(8, 3)):
            wanted = dims.inverse_transform(coordinates[None])[0]
            assert space.target(coordinates) == pytest.approx(wanted, abs=1e-5)

    def test_holds_the_others_where_the_film_does(self, fitted):
        dims, film = fitted
        home = np.zeros(3) if '"others": "zero"' in film.attrs["settings"] else dims.score_mean_
        space = FilmSpace(film)
        assert space.home == pytest.approx(home, abs=1e-5)
        for row in range(3):
            place = space.completed({row: film.coordinate.values[row, 1]})
            assert space.target(place) == pytest.approx(film.target.values[row, 1], abs=1e-5)

    def test_a_film_of_some_dimensions_holds_the_missing_ones_too(self, bank_probe, sample):
        dims = tw.TuningDimensions("nmf", 3).fit(sample)
        some = tw.render_film(bank_probe, dims, points=3, only=[0, 2], size=24, steps=1, progress=False)
        place = dims.score_mean_.copy()
        place[[0, 2]] = 0.7, 0.1
        asked = FilmSpace(some).target([0.7, 0.1])
        assert asked == pytest.approx(dims.inverse_transform(place[None])[0], abs=1e-5)

    def test_nearest_is_the_films_own_image_at_its_own_target(self, film):
        space = FilmSpace(film)
        assert space.nearest(film.target.values[1, 4]) == FilmPoint(1, 4)
        assert space.nearest(10 * film.target.values[2, 0]) == FilmPoint(2, 0)

    def test_never_starts_from_a_dimension_without_images(self, film):
        status = np.array(["", "constant direction", ""], dtype=object)
        failed = film.assign(status=("dimension", status))
        assert FilmSpace(failed).nearest(film.target.values[1, 4]).dimension != 1

    def test_says_that_lle_has_no_linear_fit(self):
        film = make_film().drop_vars(["component", "unmixing", "center", "unit_mask"])
        with pytest.raises(
            ValueError, match="no linear fit, so its dimensions can't be combined; use a film"
        ):
            FilmSpace(film)


class TestGrowing:
    def test_starts_from_the_films_image_and_ends_nearer_to_the_target(self, film, bank_probe):
        live = LiveImages(film, bank_probe)
        place = [0.8, -0.5, 0.6]
        first, *_, last = live.grow(place)
        nearest = live.space.nearest(live.space.target(place))
        assert (first.image == film.image.values[nearest]).all()
        assert (first.step, last.step, last.steps) == (0, 48, 48)
        assert last.cosine > first.cosine
        pixels = torch.from_numpy(last.image).permute(2, 0, 1)[None].float() / 255
        vector = torch.from_numpy(np.maximum(live.space.target(place), 0)[None].astype(np.float32))
        assert achieved(bank_probe, pixels, vector, "everywhere")[0] == pytest.approx(last.cosine)

    def test_is_the_same_whatever_was_asked_before(self, film, bank_probe):
        live = LiveImages(film, bank_probe)
        *_, one = live.grow([0.3, 0.2, 0.1], steps=6)
        next(live.grow([-1, 1, 0]))
        *_, again = live.grow([0.3, 0.2, 0.1], steps=6)
        assert (one.image == again.image).all()

    def test_leaves_the_readers_model_alone_in_the_middle_of_a_step(self, film):
        bank = tw.zoo.gabor_bank()
        bank.train()
        growing = LiveImages(film, tw.Probe(bank, "relu", device="cpu")).grow([0.3, 0.2, 0.1], steps=4)
        next(growing)
        next(growing)
        assert all(module.training for module in bank.modules())
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in bank.modules())
        assert all(parameter.grad is None for parameter in bank.parameters())

    def test_says_what_is_wrong_before_it_computes(self, film, bank_probe):
        silent = film.assign(target=film.target - 1000, center=film.center - 1000)
        with pytest.raises(ValueError, match="no unit is to respond at these coordinates; move a slider"):
            next(LiveImages(silent, bank_probe).grow([0, 0, 0]))

    def test_takes_only_the_films_own_layer_and_weights(self, film):
        with pytest.raises(ValueError, match="this film was made with other weights"):
            LiveImages(film, tw.Probe(tw.zoo.gabor_bank(seed=1), "relu", device="cpu"))


@pytest.mark.parametrize(("at", "leaking"), [("leaky", True), ("post", False)])
def test_a_film_goes_on_as_it_was_optimized(film, bank_probe, monkeypatch, at, leaking):
    """Films of before rectifiers leaked say "post", and nothing of contrast."""
    settings = settings_of(film) | {"objective_at": at}
    del settings["contrast"]
    seen, whole = set(), loop.network_values

    def watched(probe, images, precision, leaking=True):
        seen.add(leaking)
        return whole(probe, images, precision, leaking)

    monkeypatch.setattr(loop, "network_values", watched)
    live = LiveImages(film.assign_attrs(settings=json.dumps(settings)), bank_probe)
    *_, last = live.grow([0.3, 0.2, 0.1], steps=4)
    assert last.step == 4
    assert seen == {leaking}


@pytest.mark.parametrize("canvas", [FourierCanvas(16), PixelCanvas(16)])
def test_an_images_parameters_give_the_image(canvas):
    images = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 0.9 + 0.05
    assert torch.allclose(canvas.image(canvas.parameters(images)), images, atol=1e-4)


def test_a_limited_canvas_takes_what_its_band_can_hold():
    canvas = FourierCanvas(16, band=0.2)
    own = canvas.image(canvas.start(torch.Generator().manual_seed(0))[None] * 30)
    assert torch.allclose(canvas.image(canvas.parameters(own)), own, atol=1e-4)
    limited = canvas.parameters(torch.rand(1, 3, 16, 16))
    assert (limited[0, :, canvas.scale[..., 0] == 0] == 0).all()
