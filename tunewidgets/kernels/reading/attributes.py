"""The attributes that distinguish Gabor filters, as points that can be averaged.

In: frequencies, angles and phases. Out: for each attribute a point in 1, 2 or 3 dimensions, the same for the two ways
of writing one filter: (angle, phase) and (angle + π, -phase).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

ATTRIBUTES = ("frequency", "angle", "phase")
# Where each attribute's numbers stand among the six that describe a filter.
COLUMNS = {"frequency": slice(0, 1), "angle": slice(1, 3), "phase": slice(3, 6)}
COMPONENTS = 3  # of the attribute that needs the most


@dataclass(frozen=True)
class Embedding:
    """A bank's attributes as points, centered over the bank and of total variance 1 each.

    Attributes
    ----------
    values : ndarray, (units, 6)
        The columns of `COLUMNS`; `center + scale * values` are those of `points_of`.
    center, scale : ndarray, (6,)
        All columns of one attribute have the same scale.
    """

    values: np.ndarray
    center: np.ndarray
    scale: np.ndarray

    def natural(self, curves: np.ndarray) -> np.ndarray:
        """Readouts `(..., 6)` in the units of `points_of`: log2 of cycles/px, and parts of the unit sphere."""
        return np.asarray(self.center + self.scale * curves)


def points_of(frequency: np.ndarray, angle: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """`(n, 6)`: log2 f; cos 2θ, sin 2θ; cos ψ, sin ψ cos θ, sin ψ sin θ.

    Parameters
    ----------
    frequency : ndarray, (n,)
        Cycles/px.
    angle, phase : ndarray, (n,)
        Radians.

    Examples
    --------
    >>> one = points_of(np.array([0.25]), np.array([0.3]), np.array([1.0]))
    >>> other = points_of(np.array([0.25]), np.array([0.3 + np.pi]), np.array([-1.0]))
    >>> bool(np.allclose(one, other))
    True
    """
    columns = (
        np.log2(frequency),
        np.cos(2 * angle),
        np.sin(2 * angle),
        np.cos(phase),
        np.sin(phase) * np.cos(angle),
        np.sin(phase) * np.sin(angle),
    )
    return np.stack(columns, axis=-1)


def embed(attributes: Any) -> Embedding:
    """The embedding of a bank.

    Parameters
    ----------
    attributes : pandas.DataFrame
        Columns `frequency` in cycles/px, `angle` and `phase` in radians, one row per filter.

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
    points = points_of(*(attributes[name].to_numpy(dtype=float) for name in ATTRIBUTES))
    center = points.mean(axis=0)
    scale = np.empty(6)
    for name, columns in COLUMNS.items():
        spread = float(np.sqrt(points[:, columns].var(axis=0).sum()))
        if not spread > 1e-9:
            raise ValueError(
                f"all {len(points)} filters of the bank have the same {name}, so nothing can show that it is "
                "recovered; give a bank in which it differs"
            )
        scale[columns] = spread
    return Embedding((points - center) / scale, center, scale)
