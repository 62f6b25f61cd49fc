"""Activation vectors on disk: the same as in memory, resumed, and fitted a block at a time to the same dimensions."""

import numpy as np
import pytest
import torch
import xarray as xr
from torch.utils.data import DataLoader
from units_networks import branching

import tunewidgets as tw
from tunewidgets.kernels.data import vectors
from tunewidgets.kernels.tuning import activations

IMAGES = [torch.rand(7, 3, 24, 24, generator=torch.Generator().manual_seed(n)) for n in range(4)]
QUICK = {"n": 90, "progress": False}


@pytest.fixture(scope="module")
def probe():
    return tw.Probe(branching(), "relu", device="cpu")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(vectors, "ROWS", 16)


@pytest.mark.parametrize("options", [{}, {"pool": 3, "pooling": "rms", "normalize": True}, {"per_image": 4}])
def test_on_disk_are_the_same_vectors_as_in_memory(tmp_path, probe, options):
    held = tw.sample_activations(probe, IMAGES, **QUICK, **options)
    stored = tw.sample_activations(probe, IMAGES, **QUICK, **options, store=tmp_path / "a.zarr")
    assert stored.attrs == held.attrs
    assert not stored.variable._in_memory
    xr.testing.assert_equal(stored.compute(), held)
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]
    assert tw.open_record(tmp_path / "a.zarr")["activation"].equals(held)


def test_numbers_may_be_numpys(tmp_path, probe):
    plain = {"n": 12, "per_image": 2, "seed": 3, "pool": 3}
    numpys = {name: np.int64(value) for name, value in plain.items()}
    made = tw.sample_activations(probe, IMAGES, **numpys, progress=False, store=tmp_path / "a.zarr")
    opened = tw.sample_activations(probe, IMAGES, **plain, progress=False, store=tmp_path / "a.zarr")
    xr.testing.assert_identical(made, opened)


def test_stopped_sampling_goes_on_where_it_was(tmp_path, probe, monkeypatch):
    expected = tw.sample_activations(probe, IMAGES, **QUICK)
    seen, real = [], activations.see_together

    def stopping_at(stop):
        def see(probes, images, take):
            if len(seen) == stop:
                raise KeyboardInterrupt
            seen.append(len(images))
            return real(probes, images, take)

        return see

    monkeypatch.setattr(activations, "see_together", stopping_at(3))
    with pytest.raises(KeyboardInterrupt):
        tw.sample_activations(probe, IMAGES, **QUICK, store=tmp_path / "a.zarr")
    seen.clear()
    monkeypatch.setattr(activations, "see_together", stopping_at(None))
    found = tw.sample_activations(probe, IMAGES, **QUICK, store=tmp_path / "a.zarr")
    assert sum(seen) < 28 - 14
    xr.testing.assert_equal(found.compute(), expected)
    seen.clear()
    xr.testing.assert_equal(
        tw.sample_activations(probe, IMAGES, **QUICK, store=tmp_path / "a.zarr").compute(), expected
    )
    assert not seen
    with pytest.raises(ValueError, match=r"made with first_images='images of mean 0\.\d+, "):
        tw.sample_activations(probe, IMAGES[::-1], **QUICK, store=tmp_path / "a.zarr")
    with pytest.raises(ValueError, match="made with seed=0, not 1; give another store"):
        tw.sample_activations(probe, IMAGES, **QUICK, seed=1, store=tmp_path / "a.zarr")


def test_a_store_of_vectors_is_a_folder_which_they_can_be_read_from_later(tmp_path, probe):
    with pytest.raises(ValueError, match=r"end it in \.zarr, for a folder"):
        tw.sample_activations(probe, IMAGES, **QUICK, store=tmp_path / "a.zarr.zip")
    shuffled = DataLoader(torch.cat(IMAGES), 7, shuffle=True)
    with pytest.raises(ValueError, match="shuffles, so an image has another number"):
        tw.sample_activations(probe, shuffled, **QUICK, store=tmp_path / "a.zarr")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def large(tmp_path, monkeypatch):
    """Vectors of three independent sparse sources in eight units, two of which never vary, on disk and in memory."""
    rng = np.random.default_rng(0)
    X = (rng.exponential(size=(2000, 3)) ** 1.5 @ rng.uniform(0.1, 1, (3, 6))).astype(np.float32)
    X += rng.uniform(0, 0.01, X.shape).astype(np.float32)
    X = np.concatenate([X, np.full((2000, 1), 3, np.float32), np.zeros((2000, 1), np.float32)], 1)
    held = xr.DataArray(X, dims=("sample", "unit"), name="activation")
    held.to_dataset().to_zarr(tmp_path / "x.zarr", consolidated=False, zarr_format=3)
    monkeypatch.setattr(vectors, "ROWS", 300)
    monkeypatch.setattr(vectors, "MEMORY", 1000)
    return xr.open_zarr(tmp_path / "x.zarr", chunks=None, consolidated=False)["activation"], held


@pytest.mark.parametrize(("method", "close"), [("pca", 1e-6), ("ica", 1e-3)])
def test_a_block_at_a_time_finds_the_dimensions_of_all_at_once(large, method, close):
    stored, held = large
    blocks = tw.TuningDimensions(method, 3).fit(stored)
    whole = tw.TuningDimensions(method, 3).fit(held)
    assert (blocks.streamed_, whole.streamed_) == (True, False)
    assert not stored.variable._in_memory
    for name in ("components_", "unmixing_", "mean_", "score_mean_", "explained_variance_ratio_"):
        ours, theirs = getattr(blocks, name), getattr(whole, name)
        atol = close * max(np.abs(theirs).max(), 1)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=atol, err_msg=name)
    assert blocks.unit_mask_.tolist() == whole.unit_mask_.tolist() == [True] * 6 + [False] * 2
    np.testing.assert_allclose(blocks.score_quantiles_, whole.score_quantiles_, atol=close * 20)
    assert blocks.converged_


def test_nmf_in_mini_batches_explains_nearly_as_much(large):
    stored, held = large
    blocks, whole = (tw.TuningDimensions("nmf", 3).fit(X) for X in (stored, held))
    assert blocks.streamed_
    errors = [
        np.square(fit.inverse_transform(fit.transform(held.values)) - held.values).mean()
        for fit in (blocks, whole)
    ]
    assert errors[0] < 0.05 * held.values.var(0).mean()
    assert (blocks.components_ >= 0).all()


@pytest.mark.parametrize(
    ("n_components", "says"), [(7, "rank 6; ask for n_components=6"), (0, "whole number from 1")]
)
def test_what_cannot_be_fitted_is_said_of_blocks_too(large, n_components, says):
    with pytest.raises(ValueError, match=says):
        tw.TuningDimensions("pca", n_components).fit(large[0])


def test_negative_values_and_gaps_in_any_block_are_found(large, tmp_path):
    held = large[1]
    for value, says in ((-1.0, "Negative values in data passed to NMF, down to -1"), (np.nan, "contain NaN")):
        wrong = held.copy(deep=True)
        wrong[1500, 2] = value
        where = tmp_path / f"{value}.zarr"
        wrong.to_dataset().to_zarr(where, consolidated=False, zarr_format=3)
        opened = xr.open_zarr(where, chunks=None, consolidated=False)["activation"]
        with pytest.raises(ValueError, match=says):
            tw.TuningDimensions("nmf", 3).fit(opened)
