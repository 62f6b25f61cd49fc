"""Rank correlation of two columns of a unit record, with a bootstrap interval and honest counts. Imports no torch.

In: a layer's unit record and two columns. Out: Spearman's rho, its interval and how many units it rests on, and how
many were left out as dead or as failed. Given a third column, the partial correlation.
"""

from typing import NamedTuple

import numpy as np
import xarray as xr


class Correlation(NamedTuple):
    """Spearman's rho with its bootstrap interval; NaN where it is not defined."""

    rho: float
    low: float
    high: float
    n: int
    dead: int
    failed: int


def spearman(
    record: xr.Dataset,
    x: str,
    y: str,
    *,
    objective: str | None = None,
    given: str | None = None,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Correlation:
    """Spearman's rank correlation of two columns over a layer's units.

    Parameters
    ----------
    record : xarray.Dataset
        One layer's unit record.
    x, y : str
        Columns with a value a unit, or a value an objective and unit.
    objective : str, optional
        Which objective, where a column has several: "am" or "iam".
    given : str, optional
        A column whose part is taken out of both: the partial correlation of the ranks, such as given
        "mean_activation".
    draws, level, seed
        Of the percentile bootstrap over units.

    Returns
    -------
    Correlation
        `rho`, `low`, `high`; `n` units; `dead` ones left out; `failed` ones left out, which lack a value (an image that
        failed, or a unit that never fires on its own).

    Raises
    ------
    ValueError
        A column is not in the record or has other dims, or a number is outside its range.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> record = xr.Dataset({"a": ("unit", np.arange(9.0)), "b": ("unit", np.arange(9.0) ** 2)})
    >>> spearman(record, "a", "b")[:4]
    (1.0, 1.0, 1.0, 9)
    """
    if draws < 1 or not 0 < level < 1:
        raise ValueError(
            f"draws={draws} and level={level} make no interval; give draws from 1 and a level within 0 and 1"
        )
    names = [x, y] if given is None else [x, y, given]
    columns = np.stack([_column(record, name, objective) for name in names])
    dead = record["dead"].values if "dead" in record else np.zeros(columns.shape[1], dtype=bool)
    failed = ~np.isfinite(columns).all(0) & ~dead
    used = columns[:, ~dead & ~failed]
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, max(used.shape[1], 1), (draws, used.shape[1]))
    rhos = np.array([_rho(used[:, pick]) for pick in drawn]) if used.shape[1] > 2 else np.array([np.nan])
    rhos = rhos[np.isfinite(rhos)]
    tail = (1 - level) / 2
    low, high = np.quantile(rhos, [tail, 1 - tail]) if len(rhos) else (np.nan, np.nan)
    return Correlation(_rho(used), float(low), float(high), used.shape[1], int(dead.sum()), int(failed.sum()))


def _column(record: xr.Dataset, name: str, objective: str | None) -> np.ndarray:
    if name not in record:
        own = [key for key, value in record.data_vars.items() if value.dims in _DIMS]
        raise ValueError(
            f"the record has no column {name!r}; it has {', '.join(map(str, own)) or 'none with a value a unit'}"
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
            f"{name} has the dims ({', '.join(map(str, values.dims))}), not one value a unit; choose another column"
        )
    return values.values.astype(np.float64)


_DIMS = (("unit",), ("objective", "unit"))


def _rho(columns: np.ndarray) -> float:
    """Of the first two rows, given the third if there is one; NaN where a row is constant."""
    from scipy.stats import rankdata

    if columns.shape[1] < 3:
        return float("nan")
    ranks = rankdata(columns, axis=1)
    ranks -= ranks.mean(1, keepdims=True)
    if len(ranks) == 3:
        given = ranks[2] @ ranks[2]
        if given > 0:
            ranks = ranks[:2] - np.outer(ranks[:2] @ ranks[2], ranks[2]) / given
    a, b = ranks[:2]
    norm = np.sqrt((a @ a) * (b @ b))
    # What is left of a column that the third explains wholly is rounding.
    return float(np.clip(a @ b / norm, -1, 1)) if norm > 1e-9 * columns.shape[1] else float("nan")
