"""Dimensions that come back, and some that do not."""

import numpy as np
import pytest
import xarray as xr
from sklearn.decomposition import PCA, FastICA

import tunewidgets as tw
from tunewidgets.kernels.tuning.stability import matched


@pytest.fixture(scope="module")
def made():
    probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")
    scenes = tw.zoo.images("dead-leaves", n=12, size=48)
    sample = tw.sample_activations(probe, scenes, n=600, progress=False)

    def film(dims, **options):
        return tw.render_film(probe, dims, points=2, size=16, steps=1, progress=False, **options)

    return sample, film


def test_matches_are_one_to_one_whatever_their_order_and_signs():
    rows = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))[0][:4]
    np.testing.assert_allclose(matched(rows, -3 * rows[[2, 0, 3, 1]]), 1)
    # Both are nearest to the first of the others, and one only can have it.
    near = np.array([[1.0, 0.0], [0.9, 0.1]])
    assert sorted(matched(near, np.eye(2)).round(2)) == [0.11, 1]
    assert (matched(rows, rows[:2]) > 0.5).sum() == 2


def test_a_direction_that_stands_out_comes_back_and_noise_does_not(made):
    rng = np.random.default_rng(0)
    sample, film = made
    noise = rng.standard_normal((400, 28)) * np.where(np.arange(28) == 3, 6, 1) + 9
    planted = sample[:400].copy(data=noise.astype(np.float32))
    dims = tw.TuningDimensions("pca", 4).fit(planted)
    shown = tw.add_stability(film(dims), dims, planted, repeats=5, progress=False)
    assert shown.stability[0] > 0.97
    assert (shown.stability[1:] < 0.9).all()
    again = tw.add_stability(film(dims, only=[2, 0]), dims, planted, repeats=5, progress=False)
    np.testing.assert_array_equal(again.stability, shown.stability[[2, 0]])


@pytest.mark.parametrize("method", ["pca", "ica", "nmf", PCA(2), FastICA(2, random_state=0)])
def test_every_linear_method_has_it_and_it_is_kept(made, method, tmp_path):
    sample, film = made
    dims = tw.TuningDimensions(method, 2).fit(sample)
    shown = tw.add_stability(film(dims), dims, sample, repeats=2, progress=False)
    assert ((shown.stability > 0.3) & (shown.stability <= 1 + 1e-6)).all()
    tw.save_record(shown, tmp_path / "film.zarr")
    xr.testing.assert_identical(tw.open_record(tmp_path / "film.zarr").load().stability, shown.stability)
    assert tw.records.settings_of(shown)["stability"] == {"repeats": 2, "seed": 0}


def test_what_cannot_come_back_is_refused(made):
    sample, film = made
    dims = tw.TuningDimensions("pca", 2).fit(sample)
    shown = film(dims)
    other = tw.TuningDimensions("ica", 2).fit(sample)
    curve = tw.TuningDimensions("lle", 2).fit(sample)
    with pytest.raises(ValueError, match="of other dimensions"):
        tw.add_stability(shown, other, sample)
    with pytest.raises(ValueError, match="no linear fit"):
        tw.add_stability(shown, curve, sample)
    with pytest.raises(ValueError, match="repeats=0"):
        tw.add_stability(shown, dims, sample, repeats=0)
    with pytest.raises(TypeError, match="give the DataArray"):
        tw.add_stability(shown, dims, sample.values)
