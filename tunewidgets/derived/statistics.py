"""Statistics: the rank correlation of two columns of a unit record, with a bootstrap interval and honest counts.

In: a layer's unit record and the names of two columns, or the columns. Out: Spearman's rho, its interval, how many
units it rests on, and how many were left out as dead or as failed; given a third column, the partial correlation.
Public as `tunewidgets.statistics`.

The page computes the same (js/src/unit-scatter/plot/spearman.ts), and its figures must show the same numbers. So the
draws are plain 32-bit integers that come out alike in both languages, ranks are doubled to stay whole, and nothing is
rounded before the last division.
"""

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

__all__ = ["mean_interval", "rank_correlation", "spearman"]

Floats = NDArray[np.float64]

DRAWS, LEVEL = 1000, 0.95
TAIL = 0.025  # on either side of an interval
# How many numbers the bootstrap holds at a time.
BLOCK = 2**21


class Correlation(NamedTuple):
    """Spearman's rho with its bootstrap interval; NaN where it is not defined."""

    rho: float
    low: float
    high: float
    n: int
    dead: int
    failed: int


class Interval(NamedTuple):
    """Spearman's rho of complete columns with its bootstrap interval; NaN where it is not defined."""

    rho: float
    low: float
    high: float


def spearman(
    record: xr.Dataset,
    x: str,
    y: str,
    *,
    objective: str | None = None,
    given: str | None = None,
    draws: int = DRAWS,
) -> Correlation:
    """Spearman's rank correlation of two columns over a layer's units.

    Parameters
    ----------
    record : xarray.Dataset
        One layer's unit record.
    x, y : str
        Columns with a value per unit, or per objective and unit.
    objective : str, optional
        Which objective, where a column has several: "am" or "iam".
    given : str, optional
        A column whose share is taken out of both, such as "mean_activation": the result is the partial correlation of
        the ranks.
    draws : int, default 1000
        Resamples of the percentile bootstrap over units.

    Returns
    -------
    Correlation
        `rho`, `low`, `high`; `n`, the units it rests on; `dead`, those left out as dead; `failed`, those left out for
        lack of a value (their image failed, or they don't respond to it).

    Raises
    ------
    ValueError
        A column is not in the record or has other dims, `objective` is needed or is not there, or `draws` is less than
        1.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> record = xr.Dataset({"a": ("unit", np.arange(9.0)), "b": ("unit", np.arange(9.0) ** 2)})
    >>> spearman(record, "a", "b")[:4]
    (1.0, 1.0, 1.0, 9)
    """
    names = [x, y] if given is None else [x, y, given]
    columns = np.stack([_column(record, name, objective) for name in names])
    dead = record["dead"].values if "dead" in record else np.zeros(columns.shape[1], dtype=bool)
    failed = ~np.isfinite(columns).all(0) & ~dead
    used = columns[:, ~dead & ~failed]
    found = rank_correlation(used, draws=draws)
    return Correlation(*found, used.shape[1], int(dead.sum()), int(failed.sum()))


def rank_correlation(columns: np.ndarray, *, draws: int = DRAWS) -> Interval:
    """Spearman's rho of two rows without gaps, given the third where there is one, with its 95% interval.

    Parameters
    ----------
    columns : (2 or 3, n) array
        One row per column, all finite.
    draws : int
        Resamples of the n units, always the same ones, for the percentile bootstrap; the interval's ends are two of
        their values.

    Returns
    -------
    Interval
        NaN where there are fewer than three units or a column is constant; resamples of which that is true are left
        out of the interval.

    Raises
    ------
    ValueError
        `draws` is less than 1, or a value is not finite.

    Examples
    --------
    >>> rank_correlation(np.array([[1, 2, 3, 4], [1, 3, 2, 4]]))[0]
    0.8
    """
    if draws < 1:
        raise ValueError(f"draws={draws} make no interval; give 1 or more")
    if not np.isfinite(columns).all():
        raise ValueError("a column holds NaN or infinite values, which have no rank; leave those units out")
    n = columns.shape[1]
    if n < 3:
        return Interval(np.nan, np.nan, np.nan)
    block = max(1, BLOCK // n)
    parts = [
        _rho(columns, resamples(range(start, min(start + block, draws)), n, seed=0))
        for start in range(0, draws, block)
    ]
    resampled = np.sort(np.concatenate(parts))
    resampled = resampled[np.isfinite(resampled)]
    rho = float(_rho(columns, np.ones((1, n)))[0])
    if not len(resampled):
        return Interval(rho, np.nan, np.nan)
    out = int(np.floor((1 - LEVEL) / 2 * len(resampled) + 1e-9))
    return Interval(rho, float(resampled[out]), float(resampled[len(resampled) - 1 - out]))


def mean_interval(values: np.ndarray) -> Interval:
    """The mean of several networks' rho, with its 95% interval over networks (Student's t).

    Parameters
    ----------
    values : (n,) array
        One rho per network; NaN are left out.

    Returns
    -------
    Interval
        `rho`, the mean; `low` and `high`, NaN where there are fewer than two values.

    Examples
    --------
    >>> round(float(mean_interval(np.array([0.1, 0.2, 0.3, np.nan])).rho), 6)
    0.2
    """
    from scipy.stats import t

    there = values[np.isfinite(values)]
    if len(there) < 2:
        return Interval(float(there[0]) if len(there) else np.nan, np.nan, np.nan)
    mean = there.mean()
    half = t.ppf((1 + LEVEL) / 2, len(there) - 1) * there.std(ddof=1) / np.sqrt(len(there))
    return Interval(mean, mean - half, mean + half)


def share_interval(successes: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Clopper and Pearson's exact 95% interval of shares: `(2, ...)`, NaN where there was no trial.

    For 20 of 20, resampling would give no interval at all.

    Examples
    --------
    >>> share_interval(np.array(20), np.array(20)).round(3)
    array([0.832, 1.   ])
    """
    from scipy.stats import beta

    with np.errstate(invalid="ignore"):
        low = np.where(successes == 0, 0, beta.ppf(TAIL, successes, trials - successes + 1))
        high = np.where(successes == trials, 1, beta.ppf(1 - TAIL, successes + 1, trials - successes))
    return np.where(trials > 0, np.stack([low, high]), np.nan)


def _column(record: xr.Dataset, name: str, objective: str | None) -> Floats:
    if name not in record:
        own = [key for key, value in record.data_vars.items() if value.dims in _DIMS]
        raise ValueError(
            f"the record has no column {name!r}; it has {', '.join(map(str, own)) or 'none with a value per unit'}"
        )
    values = record[name]
    if "objective" in values.dims:
        there = [str(value) for value in record["objective"].values]
        if objective is None and len(there) > 1:
            raise ValueError(
                f"{name} is there for {' and '.join(there)}; say which with objective={there[0]!r}"
            )
        if objective is not None and objective not in there:
            raise ValueError(f"the record has no objective {objective!r}; it has {', '.join(there)}")
        values = values.sel(objective=there[0] if objective is None else objective)
    if values.dims != ("unit",):
        raise ValueError(
            f"{name} has the dims ({', '.join(map(str, values.dims))}), not one value per unit; choose another column"
        )
    return values.values.astype(np.float64)


_DIMS = (("unit",), ("objective", "unit"))


def resamples(which: range, n: int, seed: int) -> Floats:
    """How often each unit occurs in each of the resamples `which`: `(len(which), n)`, every row of sum n."""
    number = np.arange(which.start * n, which.stop * n, dtype=np.uint64) + np.uint64(
        seed * 0x9E3779B9 % 2**32
    )
    drawn = np.floor(_scrambled(number.astype(np.uint32)).astype(np.float64) * n / 2**32).astype(np.int64)
    rows = np.repeat(np.arange(len(which)), n)
    counts = np.bincount(rows * n + drawn, minlength=len(which) * n)
    return counts.reshape(len(which), n).astype(np.float64)


def _scrambled(number: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """A good 32-bit hash (Wellons' lowbias32): neighbors come out as if drawn."""
    number = (number ^ (number >> np.uint32(16))) * np.uint32(0x7FEB352D)
    number = (number ^ (number >> np.uint32(15))) * np.uint32(0x846CA68B)
    return number ^ (number >> np.uint32(16))


def _rho(columns: np.ndarray, counts: Floats) -> Floats:
    """Rho of each resample, a row of `counts`; given the third column where there is one; NaN where one is constant."""
    ranks = [doubled_ranks(column, counts) for column in columns]
    rho = _pearson(ranks[0], ranks[1], counts)
    if len(ranks) == 2:
        return rho
    a, b = (np.nan_to_num(_pearson(rank, ranks[2], counts)) for rank in ranks[:2])
    left = (1 - a**2) * (1 - b**2)
    # Where the third explains a column completely, what is left of it is rounding error.
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(left > 1e-12, np.clip((rho - a * b) / np.sqrt(left), -1, 1), np.nan)


def doubled_ranks(column: np.ndarray, counts: Floats) -> Floats:
    """Twice the mean rank that each unit has in each resample: whole numbers, also among ties."""
    levels, level = np.unique(column, return_inverse=True)
    order = np.argsort(level, kind="stable")
    starts = np.searchsorted(level[order], np.arange(len(levels)))
    there = np.add.reduceat(counts[:, order], starts, axis=1)
    before = np.cumsum(there, axis=1) - there
    return (2 * before + there + 1)[:, level]


def _pearson(a: Floats, b: Floats, counts: Floats) -> Floats:
    n = counts.shape[1]
    mean = n * (n + 1.0) ** 2
    together, own_a, own_b = ((counts * p * q).sum(1) - mean for p, q in ((a, b), (a, a), (b, b)))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.clip(np.where((own_a > 0) & (own_b > 0), together / np.sqrt(own_a * own_b), np.nan), -1, 1)
