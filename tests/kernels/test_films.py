"""Films: what the slider's images are made of, and why a dimension can have none."""

import itertools
import json

import numpy as np
import pytest

import tunewidgets as tw
from tunewidgets.kernels.tuning.points import along, place_points

QUICK = {"points": 4, "size": 32, "steps": 8, "progress": False}


@pytest.fixture(scope="module")
def sample(bank_probe):
    return tw.sample_activations(
        bank_probe, tw.zoo.images("dead-leaves", n=30, size=64), n=4000, progress=False
    )


@pytest.fixture(scope="module")
def ica(sample):
    return tw.TuningDimensions("ica", 3).fit(sample)


@pytest.fixture(scope="module")
def film(bank_probe, ica):
    return tw.render_film(bank_probe, ica, **QUICK)


def flat(film):
    images = film.image.values.reshape(*film.image.shape[:2], -1).astype(float)
    images -= images.mean(-1, keepdims=True)
    return images / np.linalg.norm(images, axis=-1, keepdims=True)


def test_a_film_is_a_record(film):
    tw.records.validate(film)
    assert film.image.shape == (3, 4, 32, 32, 3)
    assert film.status.values.tolist() == [""] * 3
    settings = json.loads(film.settings)
    assert settings["method"] == "ica"
    assert settings["sampling"] == "arc"
    assert {"chunk", "threads", "device", "images", "band", "converged"} <= set(settings)
    assert film.attrs["n_images"] == 30
    assert film.attrs["n_vectors"] == 4000


def test_targets_are_the_inverse_transform_with_the_others_at_the_mean(film, ica):
    for d in range(3):
        scores = np.repeat(ica.score_mean_[None], 4, axis=0)
        scores[:, d] = film.coordinate.values[d]
        np.testing.assert_allclose(film.target.values[d], ica.inverse_transform(scores), rtol=1e-4, atol=1e-6)


def test_the_linear_fit_in_the_film_places_a_new_vector(film, ica, sample):
    scores = (sample.values[:5] - film.center.values) @ film.unmixing.values.T
    np.testing.assert_allclose(scores, ica.transform(sample.values[:5]), rtol=1e-3, atol=1e-4)


def test_points_go_from_the_smallest_to_the_largest_observed_coordinate(ica, sample):
    scores = ica.transform(sample)
    for sampling in ("uniform", "quantile", "arc"):
        points = place_points(ica, 1, 9, sampling, "mean")
        assert points.coordinates[0] == pytest.approx(scores[:, 1].min(), rel=1e-4)
        assert points.coordinates[-1] == pytest.approx(scores[:, 1].max(), rel=1e-4)
        assert (np.diff(points.coordinates) > 0).all()
        assert points.quantiles[[0, -1]].tolist() == [0, 1]
        below = [(scores[:, 1] <= c).mean() for c in points.coordinates]
        np.testing.assert_allclose(points.quantiles, below, atol=0.01)


def test_each_sampling_is_even_in_its_own_measure(ica):
    uniform = place_points(ica, 0, 9, "uniform", "mean").coordinates
    np.testing.assert_allclose(np.diff(uniform), np.diff(uniform)[0], rtol=1e-4)
    quantiles = place_points(ica, 0, 9, "quantile", "mean").quantiles
    np.testing.assert_allclose(np.diff(quantiles), 1 / 8, atol=2e-3)

    def turned(coordinates):
        """Angle along the path between neighbors, in small pieces: the independent measure."""
        total = []
        for a, b in itertools.pairwise(coordinates):
            path = np.maximum(along(ica, 0, np.linspace(a, b, 200), "mean"), 0).astype(float)
            path /= np.linalg.norm(path, axis=1, keepdims=True)
            total.append(np.arccos(np.clip((path[1:] * path[:-1]).sum(1), -1, 1)).sum())
        return np.array(total)

    arcs = turned(place_points(ica, 0, 9, "arc", "mean").coordinates)
    np.testing.assert_allclose(arcs, arcs.mean(), rtol=0.02)
    assert turned(uniform).std() > 4 * arcs.std()


def test_neighbors_are_alike_and_the_ends_differ(bank_probe, ica):
    film = tw.render_film(bank_probe, ica, points=16, size=48, steps=64, progress=False)
    images = flat(film)
    assert (images[:, 1:] * images[:, :-1]).sum(-1).mean() >= 0.85
    assert ((images[:, 0] * images[:, -1]).sum(-1) < 0.6).all()


def test_a_dimension_is_the_same_alone_as_with_others(bank_probe, ica, film):
    alone = tw.render_film(bank_probe, ica, only=[2], **QUICK)
    assert alone.dimension.values.tolist() == [2]
    assert np.array_equal(alone.image.values[0], film.image.values[2])
    assert np.array_equal(alone.cosine.values[0], film.cosine.values[2])


def test_the_same_seed_gives_the_same_film_and_another_gives_another(bank_probe, ica, film):
    assert np.array_equal(tw.render_film(bank_probe, ica, **QUICK).image, film.image)
    assert not np.array_equal(tw.render_film(bank_probe, ica, seed=1, **QUICK).image, film.image)


def test_the_paper_mode_reaches_a_higher_cosine_at_the_price_of_strength(bank_probe, ica):
    options = QUICK | {"steps": 48}
    paper = tw.render_film(bank_probe, ica, mode="cosine", **options)
    display = tw.render_film(bank_probe, ica, mode="dot_cosine", **options)
    assert float(paper.cosine.mean()) > float(display.cosine.mean())


def test_nmf_with_the_others_at_zero_has_nothing_to_show_and_says_so(bank_probe, sample):
    nmf = tw.TuningDimensions("nmf", 2).fit(sample)
    film = tw.render_film(bank_probe, nmf, others="zero", **QUICK)
    assert all(status.startswith("constant direction") for status in film.status.values)
    assert np.isnan(film.cosine.values).all()
    assert not film.image.values.any()
    held = tw.render_film(bank_probe, nmf, others="mean", **QUICK)
    assert held.status.values.tolist() == ["", ""]


def test_dimensions_along_which_no_unit_answers_are_told_as_such(bank_probe, sample):
    below = tw.TuningDimensions("pca", 2).fit(-sample.values - 1)
    film = tw.render_film(bank_probe, below, **QUICK)
    assert all(status.startswith("no direction") for status in film.status.values)


def test_lle_has_a_film_without_a_linear_fit(bank_probe, sample):
    lle = tw.TuningDimensions("lle", 2, subsample=300).fit(sample)
    film = tw.render_film(bank_probe, lle, **QUICK)
    tw.records.validate(film)
    assert "component" not in film
    assert np.isnan(film.explained_variance.values).all()


def test_a_single_position(bank_probe, ica):
    film = tw.render_film(bank_probe, ica, at="center", only=[0], **(QUICK | {"steps": 32}))
    maps = bank_probe.rectified(film.image.values[0].astype(np.float32).transpose(0, 3, 1, 2) / 255)
    center = maps[:, :, 6, 6].numpy()
    target = np.maximum(film.target.values[0], 0)
    reached = (center * target).sum(1) / np.linalg.norm(center, axis=1) / np.linalg.norm(target, axis=1)
    np.testing.assert_allclose(film.cosine.values[0], reached, atol=0.02)


def test_stopping_keeps_the_dimensions_that_are_finished(bank_probe, ica, film, monkeypatch):
    from tunewidgets.kernels.optimization import gallery as module

    whole = module.optimize

    def stopped(probe, objective, jobs, recipe, *rest):
        yield from whole(probe, objective, jobs[:4], recipe, *rest)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "optimize", stopped)
    partial = tw.render_film(bank_probe, ica, **QUICK)
    assert partial.status.values[0] == ""
    assert all(status.startswith("not made: interrupted") for status in partial.status.values[1:])
    assert np.array_equal(partial.image.values[0], film.image.values[0])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"points": 1}, "at least 2 points"),
        ({"sampling": "even"}, "choose one of 'arc', 'uniform', 'quantile'"),
        ({"others": "median"}, "choose one of 'mean', 'zero'"),
        ({"mode": "dot"}, "choose 'dot_cosine' or 'cosine'"),
        ({"only": [7]}, "the fit has dimensions 0 to 2"),
        ({"only": []}, "the fit has dimensions 0 to 2"),
        ({"band": "wide"}, "give a frequency in cycles per pixel"),
        ({"size": 3}, "has no values on a canvas of 3 px"),
    ],
)
def test_options_outside_their_range_are_one_sentence(bank_probe, ica, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        tw.render_film(bank_probe, ica, **(QUICK | options))


def test_dimensions_of_another_layer_or_none_are_refused(bank_probe, bank, ica):
    with pytest.raises(ValueError, match="fitted on 28 units and layer 'luminance' has 1"):
        tw.render_film(tw.Probe(bank, "luminance", device="cpu"), ica, **QUICK)
    with pytest.raises(ValueError, match=r"not fitted; call dimensions.fit"):
        tw.render_film(bank_probe, tw.TuningDimensions("pca", 2), **QUICK)
