"""What responses to a layer's own images tell: RS, which units exceed which, and which could replace which; only NumPy.

In: responses, one row per image, which was made for one unit, and one column per unit. Out: numbers and lists by row.
Row i belongs to unit i's image, unless `units` says which unit each row belongs to.
"""

from collections.abc import Iterator

import numpy as np

# A response counts as stronger from this relative difference on: smaller ones are the rounding of equal units.
ROUNDING = 1e-6
ALIKE = 0.9  # cosine of two units' response patterns from which one could stand in for the other
# Columns of units that are compared with all others at a time.
BLOCK = 64


def _own(response: np.ndarray, units: np.ndarray | None) -> np.ndarray:
    """In each row, the response of the unit that its image was made for."""
    rows = np.arange(len(response))
    return response[rows, rows if units is None else units]


def substitution(response: np.ndarray, units: np.ndarray | None = None) -> np.ndarray:
    """RS (eq. 4) for `(rows, U)` responses; NaN where the unit does not fire on its own image."""
    own = _own(response, units)
    above = response > (own * (1 + ROUNDING))[:, None]
    return np.where(own > 0, above.sum(1) / response.shape[1], np.nan).astype(np.float32)


def normalized_substitution(
    response: np.ndarray, mean_activation: np.ndarray, units: np.ndarray | None = None
) -> np.ndarray:
    """RS with each unit's responses divided by its mean activation; units that respond to no data are left out."""
    mean = np.asarray(mean_activation, dtype=np.float64)
    alive = mean > 0
    result = np.full(len(response), np.nan, np.float32)
    if alive.any():
        units = np.arange(len(response)) if units is None else units
        rows = alive[units]
        ratio = response[np.ix_(rows, alive)] / mean[alive]
        # Each row's unit, counted among the living ones only.
        result[rows] = substitution(ratio, (np.cumsum(alive) - 1)[units[rows]])
    return result


def exceeders(response: np.ndarray, k: int, units: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Which units respond more strongly than a row's, strongest first: `(rows, k)` units (-1) and responses (NaN)."""
    own = _own(response, units)
    above = (response > (own * (1 + ROUNDING))[:, None]) & (own > 0)[:, None]
    ranked = np.where(above, response, -np.inf)
    order = np.argsort(-ranked, axis=1, kind="stable")[:, :k]
    strength = np.take_along_axis(ranked, order, 1)
    there = np.isfinite(strength)
    shape = (len(response), k)
    who, how_much = np.full(shape, -1, np.int32), np.full(shape, np.nan, np.float32)
    who[:, : order.shape[1]] = np.where(there, order, -1)
    how_much[:, : order.shape[1]] = np.where(there, strength, np.nan)
    return who, how_much


def substitutes(patterns: np.ndarray) -> np.ndarray:
    """How many other units' columns have a cosine above `ALIKE` with a unit's."""
    return np.concatenate(list(substitutes_by_blocks(patterns)))


def substitutes_by_blocks(patterns: np.ndarray) -> Iterator[np.ndarray]:
    """The same, `BLOCK` units at a time, so that a caller may stop in between."""
    length = np.linalg.norm(patterns.astype(np.float64), axis=0)
    unit = patterns / np.where(length > 0, length, 1)
    for first in range(0, unit.shape[1], BLOCK):
        alike = (unit[:, first : first + BLOCK].T @ unit) > ALIKE
        rows = np.arange(len(alike))
        alike[rows, first + rows] = False
        yield alike.sum(1).astype(np.int32)


def mean_of_present(values: np.ndarray) -> np.ndarray:
    """Mean over the first axis of the values that are not NaN; NaN where there are none; float32."""
    there = np.isfinite(values)
    count = there.sum(0)
    total = np.where(there, values, 0).sum(0, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
