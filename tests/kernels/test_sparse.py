"""Sparse autoencoders: what is planted is found, by the named method and by dictionaries trained elsewhere."""

import warnings

import numpy as np
import pytest
import torch
import xarray as xr
from sklearn.decomposition import DictionaryLearning, MiniBatchDictionaryLearning
from sklearn.exceptions import ConvergenceWarning

import tunewidgets as tw
from tunewidgets.kernels.tuning import sparse_training


def planted(n=3000, atoms=64, units=32, active=5, noise=0.05):
    """Vectors of a few of many directions each, and the directions."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((atoms, units))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    codes = np.zeros((n, atoms))
    for row in codes:
        row[rng.choice(atoms, active, replace=False)] = rng.uniform(0.5, 1.5, active)
    return codes @ rows + noise * rng.standard_normal((n, units)), rows


def found(rows, components, least=0.9):
    """The share of the directions that some component comes near."""
    lengths = np.linalg.norm(components, axis=1, keepdims=True)
    cosines = rows @ (components / np.where(lengths > 0, lengths, 1)).T
    return float((np.abs(cosines).max(axis=1) >= least).mean())


@pytest.fixture(scope="module")
def by_scikit_learn():
    """The share of planted directions that a peer finds."""
    X, rows = planted()
    peer = MiniBatchDictionaryLearning(
        64, alpha=0.3, fit_algorithm="cd", positive_code=True, random_state=0, max_iter=4
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return found(rows, peer.fit(X).components_)


@pytest.mark.parametrize("selection", ["topk", "batch_topk"])
def test_planted_directions_are_found_as_by_scikit_learn(selection, by_scikit_learn):
    X, rows = planted()
    ours = tw.SparseAutoencoder(64, active=5, selection=selection, steps=500).fit(X)
    assert found(rows, ours.components_) >= by_scikit_learn - 0.05
    assert found(rows, ours.components_) > 0.8
    assert ours.explained_variance_ > 0.8
    codes = ours.transform(X)
    assert codes.min() == 0
    assert (codes > 0).sum(axis=1).mean() == pytest.approx(5, rel=0.1)
    np.testing.assert_allclose(np.linalg.norm(ours.components_, axis=1), 1, atol=1e-12)


def test_the_named_method_gives_more_dimensions_than_units_in_the_form_of_all_others():
    X, _ = planted(n=600, units=8, atoms=16, active=2)
    fitted = tw.TuningDimensions("sae", n_components=24).fit(X)
    again = tw.TuningDimensions("sae", n_components=24).fit(X)
    np.testing.assert_array_equal(fitted.components_, again.components_)
    codes = fitted.transform(X)
    assert codes.shape == (600, 24)
    assert codes.min() == 0
    assert fitted.dead_.shape == (24,)
    assert (codes.max(axis=0)[fitted.dead_] == 0).all()
    # At most so many: a code that would be negative is 0.
    assert 1 < fitted.l0_ <= 3
    assert (codes > 0).sum(1).max() <= 3
    assert (np.diff(fitted.explained_variance_ratio_) <= 0).all()
    assert isinstance(fitted.converged_, bool)
    missed = np.square(X - fitted.inverse_transform(codes)).sum() / np.square(X - X.mean(0)).sum()
    assert missed < 0.5
    other = tw.TuningDimensions("pca", 2).fit(X)
    assert not hasattr(other, "dead_")


def test_vectors_on_disk_give_a_dictionary_a_block_at_a_time(monkeypatch):
    X, rows = planted(n=1500, atoms=24, units=16, active=2)
    given = xr.DataArray(X.astype(np.float32), dims=("sample", "unit"))
    from tunewidgets.kernels.tuning import dimensions

    monkeypatch.setattr(dimensions, "is_large", lambda X: True)
    monkeypatch.setattr(dimensions, "MOST_SCORES", 24 * 500)
    monkeypatch.setattr(dimensions, "blocks_of", lambda X: (X[i : i + 300] for i in range(0, len(X), 300)))
    fitted = tw.TuningDimensions("sae", n_components=24).fit(given)
    assert fitted.streamed_
    assert found(rows, fitted.components_) > 0.8
    # Every third vector's scores alone are kept, and are like all of them.
    assert fitted.score_histogram_[0].sum() == 500
    np.testing.assert_allclose(fitted.score_mean_, fitted.transform(X).mean(0), atol=0.05)


def test_codes_that_fall_out_of_use_come_back(monkeypatch):
    X, _ = planted(n=1000, atoms=24, units=16, active=2)
    monkeypatch.setattr(sparse_training, "IDLE", 20)

    def dead_after(blind):
        training = sparse_training.Training(X, 32, 2, False, X.mean(0), X.var(0).sum(), "cpu", 0)
        with torch.no_grad():
            training.encoder[:blind] = 0
        monkeypatch.setattr(
            training, "_restart", training._restart if blind < 20 else lambda dead, left: None
        )
        training.run(lambda: iter(X.reshape(8, -1, 16)), 200, 8)
        return training.dead[:10].sum()

    assert dead_after(10) <= 2
    assert dead_after(20) == 10


def test_a_film_of_codes_goes_from_none_to_the_top_of_what_is_usual():
    probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")
    scenes = tw.zoo.images("dead-leaves", n=12, size=48)
    sample = tw.sample_activations(probe, scenes, n=2000, progress=False)
    dims = tw.TuningDimensions("sae", 32).fit(sample)
    for sampling in ("arc", "uniform", "quantile"):
        film = tw.render_film(
            probe, dims, points=3, size=16, steps=1, sampling=sampling, only=[0, 1], progress=False
        )
        codes = dims.transform(sample)[:, :2]
        np.testing.assert_array_equal(film.coordinate[:, 0], 0)
        np.testing.assert_allclose(film.coordinate[:, -1], np.quantile(codes, 0.999, axis=0), rtol=1e-4)
        assert (film.coordinate[:, -1] < codes.max(axis=0)).all()
        assert tw.records.settings_of(film)["method"] == "sae"
    assert tw.TuningExplorer(film)._film["method"] == "SAE"


class Encoder(torch.nn.Module):
    """As of the package overcomplete: `encode` gives what comes before the choice, too."""

    def __init__(self, rows):
        super().__init__()
        self.rows = torch.nn.Parameter(torch.tensor(rows, dtype=torch.float32))

    def encode(self, x):
        before = x @ self.rows.T
        return before, torch.relu(before)

    def decode(self, codes):
        return codes @ self.rows


def test_a_dictionary_trained_elsewhere_is_taken_as_it_is():
    X, rows = planted(n=300, atoms=8, units=8, active=2)
    rows = np.linalg.qr(rows)[0]
    X = np.abs(X) @ rows
    fitted = tw.TuningDimensions(Encoder(rows)).fit(X)
    assert fitted.method_name_ == "Encoder"
    np.testing.assert_allclose(fitted.inverse_transform(fitted.transform(X)), X, atol=1e-5)
    with pytest.raises(ValueError, match="can't encode and decode vectors of the 5 units"):
        tw.TuningDimensions(Encoder(rows)).fit(X[:, :5])


def test_scikit_learn_may_have_more_dimensions_than_units_too():
    X, _ = planted(n=80, atoms=12, units=6, active=2)
    learned = DictionaryLearning(8, alpha=0.1, max_iter=5, random_state=0, transform_algorithm="lasso_lars")
    assert tw.TuningDimensions(learned).fit(X).components_.shape == (8, 6)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"active": 9}, "from 1 to n_components=8"),
        ({"selection": "most"}, "choose 'topk' or 'batch_topk'"),
        ({"steps": 0}, "a whole number from 1"),
    ],
)
def test_a_setting_outside_its_range_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        tw.SparseAutoencoder(8, **settings).fit(np.eye(8))
