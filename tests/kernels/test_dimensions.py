"""Tuning dimensions against planted factors and independent references, and as a scikit-learn estimator."""

import pickle
import warnings
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import skew
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import NMF, PCA, FactorAnalysis, FastICA, LatentDirichletAllocation, TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import LocallyLinearEmbedding
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from tunewidgets import Probe, sample_activations, zoo
from tunewidgets.kernels.tuning import decompositions
from tunewidgets.kernels.tuning.dimensions import TuningDimensions
from tunewidgets.kernels.tuning.lle import barycentric_weights

LINEAR = ("pca", "ica", "nmf")


def make_vectors(n=800, units=8, rank=5, seed=0):
    """Non-negative vectors of a given rank (of their second moments), as a rectified layer gives."""
    rng = np.random.default_rng(seed)
    sources = rng.exponential(size=(n, rank)) * np.linspace(3, 1, rank)
    return (sources @ rng.random((rank, units))).astype("float32")


X = make_vectors()


@pytest.fixture(scope="module")
def arc():
    """A curve in six dimensions: one coordinate says everything about a vector."""
    t = np.sort(np.random.default_rng(0).random(900)) * 3
    curve = np.stack([np.cos(t), np.sin(t), np.cos(2 * t), np.sin(2 * t), t, np.ones_like(t)], axis=1) + 2
    return t, curve.astype("float32")


def best_match(found, planted):
    """For each planted column, |correlation| with its own found column, under the best assignment."""
    k = planted.shape[1]
    r = np.abs(np.corrcoef(found.T, planted.T)[:k, k:])
    return max((r[list(order), range(k)] for order in permutations(range(k))), key=np.sum)


def test_pca_is_the_eigenvectors_of_the_covariance():
    fitted = TuningDimensions("pca", 4).fit(X)
    values, vectors = np.linalg.eigh(np.cov(X.T.astype(float)))
    np.testing.assert_allclose(fitted.explained_variance_ratio_, values[::-1][:4] / values.sum(), rtol=1e-6)
    reference = vectors.T[::-1][:4]
    np.testing.assert_allclose(np.abs((fitted.components_ * reference).sum(1)), 1, atol=1e-6)
    np.testing.assert_allclose(fitted.mean_, X.astype(float).mean(0), rtol=1e-6)
    np.testing.assert_allclose(fitted.transform(X), (X - fitted.mean_) @ fitted.components_.T, atol=1e-4)


def test_ica_recovers_planted_sources_up_to_order_and_sign():
    rng = np.random.default_rng(1)
    planted = np.column_stack([rng.exponential(size=4000), rng.uniform(-1, 1, 4000), rng.laplace(size=4000)])
    data = planted @ rng.normal(size=(3, 7)) + 5
    fitted = TuningDimensions("ica", 3).fit(data)
    found = fitted.transform(data)
    assert best_match(found, planted).min() > 0.99
    assert fitted.converged_
    np.testing.assert_allclose(found.std(0), 1, rtol=1e-6)
    np.testing.assert_allclose(fitted.inverse_transform(found), data, atol=1e-8)
    assert fitted.explained_variance_ratio_.sum() == pytest.approx(1)


def test_nmf_recovers_planted_parts():
    rng = np.random.default_rng(2)
    planted = rng.exponential(size=(1500, 3)) * (rng.random((1500, 3)) < 0.4)
    parts = np.kron(np.eye(3), np.ones(4)) + 0.02
    fitted = TuningDimensions("nmf", 3).fit(planted @ parts)
    found = fitted.transform(planted @ parts)
    assert (found >= 0).all()
    assert (fitted.components_ >= 0).all()
    assert not fitted.mean_.any()
    np.testing.assert_allclose(np.linalg.norm(fitted.components_, axis=1), 1, rtol=1e-6)
    assert best_match(found, planted).min() > 0.97
    residual = fitted.inverse_transform(found) - planted @ parts
    assert np.abs(residual).mean() < 0.02 * np.abs(planted @ parts).mean()
    # The linear way back is the least-squares solution for the same parts.
    solved = np.linalg.lstsq(fitted.components_.T, (planted @ parts).T, rcond=None)[0].T
    np.testing.assert_allclose((planted @ parts) @ fitted.unmixing_.T, solved, atol=1e-8)


def test_lle_straightens_a_curve_and_finds_the_way_back(arc):
    t, curve = arc
    fitted = TuningDimensions("lle", 1, subsample=400).fit(curve)
    found = fitted.transform(curve)
    rank = np.argsort(np.argsort(found[:, 0]))
    assert abs(np.corrcoef(rank, np.arange(len(t)))[0, 1]) > 0.99
    back = fitted.inverse_transform(found)
    assert ((back - curve) ** 2).sum() / ((curve - curve.mean(0)) ** 2).sum() < 0.01
    np.testing.assert_array_equal(back[:, 5], 3)
    assert np.isnan(fitted.explained_variance_ratio_).all()
    for absent in ("components_", "unmixing_", "mean_"):
        assert not hasattr(fitted, absent)


def test_lle_coordinates_are_scikit_learns_up_to_scale(arc):
    _, curve = arc
    fitted = TuningDimensions("lle", 2, n_neighbors=12).fit(curve)
    reference = LocallyLinearEmbedding(n_neighbors=12, n_components=2, eigen_solver="dense").fit(curve[:, :5])
    ours, theirs = fitted.transform(curve[::7]), reference.transform(curve[::7, :5])
    r = np.corrcoef(ours.T, theirs.T)[:2, 2:]
    np.testing.assert_allclose(np.abs(np.diag(r)), 1, atol=1e-3)


def test_barycentric_weights_are_the_constrained_least_squares_solution():
    rng = np.random.default_rng(0)
    points, neighbors = rng.normal(size=(5, 3)), rng.normal(size=(5, 4, 3))
    weights = barycentric_weights(points, neighbors)
    np.testing.assert_allclose(weights.sum(1), 1)
    for point, near, found in zip(points, neighbors, weights, strict=True):
        gram = (near - point) @ (near - point).T
        gram += 1e-3 * np.trace(gram) * np.eye(4)
        # Lagrange: gram w = λ 1, Σ w = 1.
        system = np.block([[gram, -np.ones((4, 1))], [np.ones((1, 4)), np.zeros((1, 1))]])
        np.testing.assert_allclose(found, np.linalg.solve(system, [0, 0, 0, 0, 1])[:4], atol=1e-9)


def test_vectors_that_fall_into_groups_and_copies_still_embed():
    rng = np.random.default_rng(0)
    groups = np.concatenate([rng.random((60, 5)), rng.random((60, 5)) + 100, np.zeros((300, 5))])
    fitted = TuningDimensions("lle", 2, n_neighbors=5).fit(groups)
    assert np.isfinite(fitted.transform(groups)).all()
    assert np.isfinite(fitted.inverse_transform(fitted.score_quantiles_.T)).all()


@pytest.mark.parametrize("method", ["pca", "ica"])
def test_components_and_unmixing_are_each_others_inverse(method):
    fitted = TuningDimensions(method, 3).fit(X)
    np.testing.assert_allclose(fitted.components_ @ fitted.unmixing_.T, np.eye(3), atol=1e-8)
    np.testing.assert_allclose(
        fitted.transform(X), (X - fitted.mean_) @ fitted.unmixing_.T, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("method", ["pca", "ica", "nmf", "lle"])
def test_going_back_and_forth_changes_nothing_more(method):
    fitted = TuningDimensions(method, 2, subsample=300).fit(X)
    scores = fitted.transform(X.astype(float))
    if method == "lle":
        assert np.corrcoef(fitted.transform(fitted.inverse_transform(scores))[:, 0], scores[:, 0])[0, 1] > 0.9
    else:
        np.testing.assert_allclose(fitted.transform(fitted.inverse_transform(scores)), scores, atol=2e-2)


@pytest.mark.parametrize("method", LINEAR)
def test_all_components_together_give_the_data_back(method):
    fitted = TuningDimensions(method, 5).fit(X)
    back = fitted.inverse_transform(fitted.transform(X))
    assert ((back - X) ** 2).sum() < (2e-3 if method == "nmf" else 1e-9) * ((X - X.mean(0)) ** 2).sum()


@pytest.mark.parametrize("method", LINEAR)
def test_explained_variance_is_that_of_each_dimension_alone_and_orders_them(method):
    fitted = TuningDimensions(method, 4).fit(X)
    scores = fitted.transform(X.astype(float))
    total = X.astype(float).var(0).sum()
    for share, score, component in zip(
        fitted.explained_variance_ratio_, scores.T, fitted.components_, strict=True
    ):
        assert share == pytest.approx(np.outer(score, component).var(0).sum() / total, rel=1e-3)
    assert (np.diff(fitted.explained_variance_ratio_) <= 0).all()
    if method != "nmf":
        unexplained = X - fitted.inverse_transform(scores)
        assert fitted.explained_variance_ratio_.sum() == pytest.approx(1 - unexplained.var(0).sum() / total)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["pca", "ica", "nmf"]), st.integers(1, 4), st.integers(0, 1000))
def test_signs_are_those_of_the_longer_tail_and_masked_units_stay_constant(method, k, seed):
    data = make_vectors(120, 6, 5, seed)
    data[:, 2], data[:, 4] = 0, 1.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = TuningDimensions(method, k).fit(data)
    assert fitted.unit_mask_.tolist() == [True, True, False, True, False, True]
    assert not fitted.components_[:, [2, 4]].any()
    assert not fitted.unmixing_[:, [2, 4]].any()
    scores = fitted.transform(data.astype(float))
    if method == "nmf":
        assert (scores >= 0).all()
    else:
        assert (skew(scores) > -1e-6).all()
    np.testing.assert_array_equal(fitted.inverse_transform(scores)[:, [2, 4]], np.tile([0, 1.5], (120, 1)))


@pytest.mark.parametrize("method", ["pca", "ica", "nmf", "lle"])
def test_the_same_seed_gives_the_same_fit_bit_for_bit(method):
    one, two = (TuningDimensions(method, 3, random_state=5, subsample=200).fit(X) for _ in range(2))
    np.testing.assert_array_equal(one.transform(X), two.transform(X))
    np.testing.assert_array_equal(one.score_quantiles_, two.score_quantiles_)
    if method != "lle":
        np.testing.assert_array_equal(one.components_, two.components_)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize("method", LINEAR)
def test_the_scale_of_the_activations_does_not_matter(method, scale):
    plain, scaled = (TuningDimensions(method, 3).fit(X.astype(float) * s) for s in (1, scale))
    np.testing.assert_allclose(scaled.explained_variance_ratio_, plain.explained_variance_ratio_, rtol=0.02)
    cosines = (scaled.components_ * plain.components_).sum(1)
    cosines /= np.linalg.norm(scaled.components_, axis=1) * np.linalg.norm(plain.components_, axis=1)
    np.testing.assert_allclose(cosines, 1, atol=1e-2)


def test_the_summary_of_scores_is_that_of_the_data():
    fitted = TuningDimensions("ica", 3).fit(X)
    scores = fitted.transform(X.astype(float))
    np.testing.assert_allclose(fitted.score_mean_, scores.mean(0), atol=1e-9)
    np.testing.assert_allclose(fitted.score_quantiles_[:, [0, -1]].T, [scores.min(0), scores.max(0)])
    np.testing.assert_allclose(fitted.score_quantiles_[:, 500], np.median(scores, 0))
    assert (fitted.score_histogram_.sum(1) == len(X)).all()
    for count, edge, score in zip(fitted.score_histogram_, fitted.score_edges_, scores.T, strict=True):
        assert abs(count[7] - ((score >= edge[7]) & (score < edge[8])).sum()) <= 1


def test_ica_that_does_not_converge_says_so_without_a_warning(monkeypatch):
    noise = np.random.default_rng(0).normal(size=(500, 8))
    monkeypatch.setattr(decompositions, "ITERATIONS", 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = TuningDimensions("ica", 6).fit(noise)
    assert fitted.converged_ is False
    assert np.isfinite(fitted.components_).all()


@pytest.mark.parametrize(
    ("method", "k"),
    [
        (PCA(3), 3),
        (PCA(3, whiten=True), 3),
        (FastICA(3, whiten="unit-variance", random_state=0), 3),
        (NMF(2, init="nndsvda", max_iter=500), 2),
        (TruncatedSVD(2, random_state=0), 2),
        (FactorAnalysis(2), 2),
    ],
)
def test_any_scikit_learn_decomposition_serves(method, k):
    data = X[:, :6].astype(float)
    fitted = TuningDimensions(method).fit(data)
    assert (fitted.n_components_, fitted.method_name_) == (k, type(method).__name__)
    reference = clone(method).fit(data)
    scores, own = fitted.transform(data), reference.transform(data)
    r = np.abs(np.corrcoef(scores.T, own.T)[:k, k:])
    np.testing.assert_allclose(r.max(0), 1, atol=1e-6)
    if hasattr(reference, "inverse_transform"):
        np.testing.assert_allclose(
            fitted.inverse_transform(scores), reference.inverse_transform(own), atol=1e-6
        )
    assert (np.diff(fitted.explained_variance_ratio_) <= 0).all()
    assert not hasattr(method, "components_")


def test_the_pca_of_a_scikit_learn_object_is_ours():
    ours, theirs = TuningDimensions("pca", 3).fit(X), TuningDimensions(PCA(3)).fit(X)
    np.testing.assert_allclose(ours.components_, theirs.components_, atol=1e-5)
    np.testing.assert_allclose(ours.explained_variance_ratio_, theirs.explained_variance_ratio_, rtol=1e-5)


def test_arrays_frames_and_labeled_arrays_of_either_order_are_accepted():
    plain = TuningDimensions("pca", 2).fit(X)
    labeled = xr.DataArray(
        X, dims=("sample", "unit"), attrs={"n_images": 40, "images": "40 scenes", "layer": "relu"}
    )
    for given_as in (labeled, labeled.T, X.tolist(), pd.DataFrame(X)):
        fitted = TuningDimensions("pca", 2).fit(given_as)
        np.testing.assert_allclose(fitted.transform(given_as), plain.transform(X), atol=1e-4)
    assert TuningDimensions("pca", 2).fit(labeled.T).sample_ == {**labeled.attrs, "n_vectors": 800}
    assert plain.sample_ == {"images": "an ndarray of vectors", "n_images": None, "n_vectors": 800}


@pytest.mark.parametrize("names", [range(8), range(10, 18), list("hgfedcba")])
def test_units_are_taken_by_their_names_in_whatever_order_they_come(names):
    whole = xr.DataArray(X, dims=("sample", "unit"), coords={"unit": list(names)})
    dimensions = TuningDimensions("pca", 3).fit(whole)
    expected = dimensions.transform(X)
    for order in (slice(None, None, -1), [3, 1, 0, 2, 7, 6, 5, 4]):
        turned = whole.isel(unit=order)
        np.testing.assert_array_equal(dimensions.transform(turned), expected)
        np.testing.assert_array_equal(dimensions.transform(turned.T), expected)
    for others in (whole.isel(unit=slice(1, None)), whole.assign_coords(unit=range(20, 28))):
        with pytest.raises(ValueError, match="other units than those that were fitted"):
            dimensions.transform(others)


def test_numbered_units_are_fitted_in_the_order_of_their_numbers():
    whole = xr.DataArray(X, dims=("sample", "unit"), coords={"unit": range(8)})
    turned = TuningDimensions("pca", 3).fit(whole.isel(unit=slice(None, None, -1)))
    plain = TuningDimensions("pca", 3).fit(X)
    np.testing.assert_array_equal(turned.components_, plain.components_)
    np.testing.assert_array_equal(turned.transform(X), plain.transform(X))
    # Where vectors were fitted without names, units are called by their places.
    np.testing.assert_array_equal(plain.transform(whole.isel(unit=[1, 0, *range(2, 8)])), plain.transform(X))


@pytest.mark.parametrize(
    "method", [LatentDirichletAllocation(3, random_state=0), BernoulliRBM(3, random_state=0)]
)
def test_what_does_not_reconstruct_the_vectors_is_no_decomposition(method):
    with pytest.raises(ValueError, match=f"{type(method).__name__} does not reconstruct the vectors"):
        TuningDimensions(method).fit(X / X.max())


class Opposed(BaseEstimator):
    """Two components nearly alike, whose coordinates take back what the other gives."""

    def fit(self, X, y=None):
        axis = PCA(1).fit(X).components_[0]
        self.components_ = np.stack([axis, axis])
        self.mean_ = X.mean(axis=0)
        return self

    def transform(self, X):
        along = (X - self.mean_) @ self.components_[0]
        return np.stack([4 * along, -3 * along], axis=1)


def test_no_dimension_explains_more_than_there_is():
    with pytest.raises(
        ValueError, match=r"a dimension of this Opposed explains \d+(\.\d+)? times the variance"
    ):
        TuningDimensions(Opposed()).fit(X)


def test_results_keep_the_dtype_of_what_they_are_given():
    fitted = TuningDimensions("ica", 2).fit(X)
    assert fitted.transform(X).dtype == np.float32
    assert fitted.transform(X.astype(float)).dtype == np.float64
    assert fitted.inverse_transform(fitted.transform(X)).dtype == np.float32


def test_it_clones_pickles_sets_output_and_joins_pipelines():
    dimensions = TuningDimensions("ica", 3, random_state=7)
    twin = clone(dimensions)
    assert twin.get_params() == dimensions.get_params()
    assert twin.set_params(n_components=2).n_components == 2
    fitted = dimensions.fit(X)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.transform(X), fitted.transform(X))
    frame = clone(dimensions).set_output(transform="pandas").fit_transform(X)
    assert list(frame) == [f"tuningdimensions{i}" for i in range(3)]
    labels = (X[:, 0] > np.median(X[:, 0])).astype(int)
    chain = make_pipeline(StandardScaler(), TuningDimensions("pca", 5), LogisticRegression()).fit(X, labels)
    assert chain.score(X, labels) > 0.8


def test_refitting_with_another_method_leaves_nothing_of_the_first(arc):
    dimensions = TuningDimensions("pca", 1).fit(arc[1])
    dimensions.set_params(method="lle", subsample=200).fit(arc[1])
    assert not hasattr(dimensions, "components_")
    dimensions.set_params(method="nmf").fit(arc[1])
    assert dimensions.components_.shape == (1, 6)


@parametrize_with_checks(
    [
        TuningDimensions("pca", 1),
        TuningDimensions("ica", 1),
        TuningDimensions("nmf", 1),
        TuningDimensions("sae", 1),
    ]
)
def test_it_keeps_the_rules_of_scikit_learn(estimator, check):
    check(estimator)


def test_the_activations_of_a_gabor_bank_have_dimensions():
    probe = Probe(zoo.gabor_bank(), "relu", device="cpu")
    vectors = sample_activations(probe, zoo.images("dead-leaves", n=40, size=48), n=4000, progress=False)
    fitted = TuningDimensions("ica", 6).fit(vectors)
    assert fitted.converged_
    assert fitted.components_.shape == (6, 28)
    assert fitted.sample_["n_images"] == 40
    assert fitted.sample_["layer"] == "relu"
    assert 0.3 < fitted.explained_variance_ratio_.sum() < 1


NEGATIVE = X - 1
DEAD = np.ones((50, 4))


@pytest.mark.parametrize(
    ("options", "data", "error", "sentence"),
    [
        (
            ("pca", 6),
            X,
            ValueError,
            "n_components=6 .* 800 vectors, 8 of 8 units .* rank 5; ask for n_components=5",
        ),
        (("ica", 9), X, ValueError, "n_components=9 is more than the data hold"),
        (("nmf", 6), X, ValueError, "rank 5; ask for n_components=5 or fewer"),
        (("lle", 6), X, ValueError, "rank 5"),
        (
            ("pca", 3),
            X[:3],
            ValueError,
            "3 vectors, 8 of 8 units that vary, rank 2; ask for n_components=2 or fewer",
        ),
        (
            ("pca", 8),
            xr.DataArray(X, dims=("sample", "unit"), attrs={"n_images": 12}),
            ValueError,
            "800 vectors of 12 images,.*or give more images",
        ),
        ((PCA(7),), X, ValueError, "n_components=7 is more"),
        (("pca", 1), DEAD, ValueError, "none of the 4 units varies over these 50 vectors.*another layer"),
        (("nmf", 2), NEGATIVE, ValueError, "Negative values .* NMF, down to -.*; rectify the activations"),
        (("pca", 2), np.where(X > 8, np.nan, X), ValueError, "rows of the vectors contain NaN or inf"),
        (("pca", 2), np.where(X > 8, np.inf, X), ValueError, "800 rows of the vectors contain NaN or inf"),
        (("pca", 2), X[:1], ValueError, "1 sample"),
        (("lle", 1), X[:12], ValueError, "n_neighbors=15 vectors, but there are only 12 distinct"),
        (("pcaa", 2), X, ValueError, "no method 'pcaa'; did you mean 'pca'"),
        (("umap", 2), X, ValueError, "no method 'umap'"),
        (("pca", 0), X, ValueError, "n_components=0 can't be used; give a whole number from 1"),
        (("pca", 2.0), X, ValueError, "n_components=2.0 can't be used"),
        (("pca", True), X, ValueError, "n_components=True"),
        ((PCA, 2), X, TypeError, "method is the class PCA; give 'pca'"),
        (
            (3, 2),
            X,
            TypeError,
            "method is an int; give 'pca', 'ica', 'nmf', 'lle', 'sae' or a scikit-learn decomposition",
        ),
        ((StandardScaler(),), X, TypeError, "StandardScaler has no components_"),
    ],
)
def test_what_has_no_dimensions_gets_one_sentence(options, data, error, sentence):
    with pytest.raises(error, match=sentence) as caught:
        TuningDimensions(*options).fit(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("coordinates", "sentence"),
    [
        (np.zeros((2, 3)), "have 3 columns; give 2, one for each dimension"),
        ([[0.0, np.nan]], "1 of 1 rows of the coordinates contain NaN"),
    ],
)
def test_coordinates_of_other_shape_or_without_value_are_refused(coordinates, sentence):
    with pytest.raises(ValueError, match=sentence):
        TuningDimensions("pca", 2).fit(X).inverse_transform(coordinates)
