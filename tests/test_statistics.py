"""Statistics on bare columns: rho with its bootstrap interval, and the interval of a few networks' mean.

Those on records are tested beside the records (tests/kernels/test_units.py).
"""

import numpy as np
import pytest
from scipy import stats

from tunewidgets.derived.statistics import mean_interval, rank_correlation


def resampled_rhos(columns: np.ndarray, draws: int) -> np.ndarray:
    """The plain way: draw units, rank, correlate."""
    rng = np.random.default_rng(0)
    picks = rng.integers(0, columns.shape[1], (draws, columns.shape[1]))
    a, b = (stats.rankdata(column[picks], axis=1) for column in columns)
    a, b = (ranks - ranks.mean(1, keepdims=True) for ranks in (a, b))
    return (a * b).sum(1) / np.sqrt((a**2).sum(1) * (b**2).sum(1))


@pytest.mark.parametrize("levels", [4, 1000])
def test_the_interval_is_that_of_a_plain_bootstrap(levels):
    rng = np.random.default_rng(1)
    x = rng.normal(size=70)
    columns = np.round(np.stack([x, x + rng.normal(size=70)]) * levels) / levels
    found = rank_correlation(columns, draws=4000)
    plain = np.quantile(resampled_rhos(columns, 3000), [0.025, 0.975])
    assert found.rho == pytest.approx(stats.spearmanr(*columns).statistic, abs=1e-12)
    np.testing.assert_allclose([found.low, found.high], plain, atol=0.025)


def test_the_same_units_are_drawn_every_time():
    columns = np.random.default_rng(2).normal(size=(2, 50))
    assert rank_correlation(columns) == rank_correlation(columns)


def test_many_units_are_drawn_block_by_block(monkeypatch):
    columns = np.random.default_rng(3).normal(size=(2, 40))
    whole = rank_correlation(columns, draws=101)
    monkeypatch.setattr("tunewidgets.derived.statistics.BLOCK", 400)
    assert rank_correlation(columns, draws=101) == whole


def test_too_few_units_have_no_rho():
    assert np.isnan(rank_correlation(np.array([[1.0, 2.0], [2.0, 1.0]]))).all()


def test_an_interval_of_no_draw_is_refused():
    with pytest.raises(ValueError, match="draws=0 make no interval"):
        rank_correlation(np.eye(3)[:2], draws=0)


def test_values_without_a_rank_are_refused():
    with pytest.raises(
        ValueError, match="holds NaN or infinite values, which have no rank; leave those units out"
    ):
        rank_correlation(np.array([[1.0, np.nan, 3.0], [1.0, 2.0, 3.0]]))


def test_a_mean_has_the_interval_of_student():
    values = np.array([0.1, 0.25, -0.05, 0.2, np.nan])
    kept = values[:4]
    low, high = stats.t.interval(0.95, 3, kept.mean(), stats.sem(kept))
    assert mean_interval(values) == pytest.approx((kept.mean(), low, high))


def test_one_network_has_no_interval():
    alone = mean_interval(np.array([0.3, np.nan]))
    assert alone.rho == 0.3
    assert np.isnan([alone.low, alone.high]).all()
