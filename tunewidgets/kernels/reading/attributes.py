"""What distinguishes Gabor filters from one another, as points that can be averaged: the checklist's attributes.

In: frequencies, angles and phases, and whatever else a bank's table tells of its filters. Out: for each attribute a
point in 1, 2 or 3 dimensions, the same for the two ways of writing one filter: (angle, phase) and (angle + π, -phase).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

COMPONENTS = 3  # numbers that a record and its page have room for, of an attribute


@dataclass(frozen=True)
class Attribute:
    """What a checklist has to know of an attribute.

    Attributes
    ----------
    count : int
        How many numbers its points have, up to `COMPONENTS`.
    points : function
        From a bank's table, a column `(n,)` a name, to `(n, count)`; distances are what counts.
    """

    count: int
    points: Callable[[Mapping[str, np.ndarray]], np.ndarray]


def _octaves(filters: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.log2(filters["frequency"])[:, None]


def _doubled_angle(filters: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.stack([np.cos(2 * filters["angle"]), np.sin(2 * filters["angle"])], axis=-1)


def _polarity(filters: Mapping[str, np.ndarray]) -> np.ndarray:
    angle, phase = filters["angle"], filters["phase"]
    return np.stack([np.cos(phase), np.sin(phase) * np.cos(angle), np.sin(phase) * np.sin(angle)], axis=-1)


# By the names that a bank's table has them under, in the order of a record. Another one goes last.
ATTRIBUTES: dict[str, Attribute] = {
    "frequency": Attribute(1, _octaves),
    "angle": Attribute(2, _doubled_angle),
    "phase": Attribute(3, _polarity),
}


def columns_of(name: str) -> slice:
    """Where an attribute's numbers stand among all that describe a filter.

    Examples
    --------
    >>> columns_of("angle")
    slice(1, 3, None)
    """
    names = list(ATTRIBUTES)
    first = sum(ATTRIBUTES[before].count for before in names[: names.index(name)])
    return slice(first, first + ATTRIBUTES[name].count)


@dataclass(frozen=True)
class Embedding:
    """A bank's attributes as points, centered over the bank and of total variance 1 each.

    Attributes
    ----------
    values : ndarray, (units, numbers)
        Attribute by attribute (`columns_of`), 6 numbers of the three; `center + scale * values` are those of
        `points_of`.
    center, scale : ndarray, (numbers,)
        Of one attribute, every column has the same scale.
    """

    values: np.ndarray
    center: np.ndarray
    scale: np.ndarray

    def natural(self, curves: np.ndarray) -> np.ndarray:
        """Readouts `(..., numbers)` in the units of `points_of`: log2 of cycles/px, and parts of the unit sphere."""
        return np.asarray(self.center + self.scale * curves)


def points_of(
    frequency: np.ndarray, angle: np.ndarray, phase: np.ndarray, **others: np.ndarray
) -> np.ndarray:
    """`(n, 6)`: log2 f; cos 2θ, sin 2θ; cos ψ, sin ψ cos θ, sin ψ sin θ; and what further attributes add.

    Parameters
    ----------
    frequency : ndarray, (n,)
        Cycles/px.
    angle, phase : ndarray, (n,)
        Radians.
    **others : ndarray, (n,)
        Further columns of a bank's table.

    Examples
    --------
    >>> one = points_of(np.array([0.25]), np.array([0.3]), np.array([1.0]))
    >>> other = points_of(np.array([0.25]), np.array([0.3 + np.pi]), np.array([-1.0]))
    >>> bool(np.allclose(one, other))
    True
    """
    filters = {"frequency": frequency, "angle": angle, "phase": phase, **others}
    return np.concatenate([attribute.points(filters) for attribute in ATTRIBUTES.values()], axis=-1)


def embed(attributes: Any) -> Embedding:
    """The embedding of a bank.

    Parameters
    ----------
    attributes : pandas.DataFrame
        Columns `frequency` in cycles/px, `angle` and `phase` in radians and one of each further attribute's name, one
        row per filter.

    Raises
    ------
    ValueError
        If a column is missing, or all filters share one value of an attribute.
    """
    missing = [name for name in ATTRIBUTES if name not in attributes]
    if missing:
        raise ValueError(
            f"the bank's attributes lack {', '.join(missing)}; "
            f"give a table with {', '.join(ATTRIBUTES)}, one row per filter"
        )
    told = {*ATTRIBUTES, *attributes.select_dtypes("number")}
    points = points_of(**{name: attributes[name].to_numpy(dtype=float) for name in told})
    center = points.mean(axis=0)
    scale = np.empty(points.shape[1])
    for name in ATTRIBUTES:
        columns = columns_of(name)
        spread = float(np.sqrt(points[:, columns].var(axis=0).sum()))
        if not spread > 1e-9:
            raise ValueError(
                f"all {len(points)} filters of the bank have the same {name}, so nothing can show that it is "
                "recovered; give a bank in which it differs"
            )
        scale[columns] = spread
    return Embedding((points - center) / scale, center, scale)
