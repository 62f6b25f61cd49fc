"""Readout: what a population of filters with known tuning says about the points along a dimension.

In: target activations along a dimension, and the embedding of the filters' attributes. Out: for each attribute a curve,
how far it sweeps, and how straight it goes there.
"""

import numpy as np

from tunewidgets.kernels.reading.attributes import ATTRIBUTES, Embedding, columns_of

# A curve shorter than this stays where it is: targets have single precision.
STILL = 1e-5


def responses(targets: np.ndarray) -> np.ndarray:
    """Each filter's response at each point: `(..., points, units)` → the same shape, at no point all 0.

    A point at which no filter responds takes the responses of the nearest point that has any; if there is none, all
    filters respond the same.
    """
    rectified = np.maximum(targets, 0)
    empty = ~rectified.any(axis=-1)
    if empty.any():
        rectified[np.broadcast_to(empty.all(axis=-1, keepdims=True), empty.shape)] = 1
        place = np.arange(empty.shape[-1])
        distance = np.abs(place[:, None] - place) + np.where(empty, 2 * len(place), 0)[..., None, :]
        rectified = np.take_along_axis(rectified, distance.argmin(axis=-1)[..., None], axis=-2)
    return np.asarray(rectified)


def weights_of(targets: np.ndarray) -> np.ndarray:
    """Each filter's response at each point, as shares of 1: `(..., points, units)` → the same shape."""
    responded = responses(targets)
    return np.asarray(responded / responded.sum(axis=-1, keepdims=True))


def population_vector(targets: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The mean of the filters' attributes, each filter with its share of the activation.

    Parameters
    ----------
    targets : ndarray, (..., points, units)
        Activations; negative ones count as 0.
    values : ndarray, (units, columns)
        `Embedding.values`.

    Returns
    -------
    ndarray, (..., points, columns)

    References
    ----------
    A. P. Georgopoulos, A. B. Schwartz and R. E. Kettner, *Neuronal population coding of movement direction*, 1986.

    Examples
    --------
    >>> population_vector(np.array([[1.0, 3.0, -5.0]]), np.array([[0.0], [1.0], [9.0]]))
    array([[0.75]])
    """
    return np.asarray(weights_of(targets) @ values)


def sweep(curve: np.ndarray) -> np.ndarray:
    """The largest distance between two points of a curve: `(..., points, columns)` → `(...)`."""
    if curve.shape[-1] == 1:
        return np.ptp(curve[..., 0], axis=-1)
    one, other = np.triu_indices(curve.shape[-2], 1)
    squared = np.zeros((*curve.shape[:-2], len(one)))
    for column in range(curve.shape[-1]):
        along = curve[..., column]
        squared += (along[..., one] - along[..., other]) ** 2
    return np.sqrt(squared.max(axis=-1))


def smoothness(curve: np.ndarray) -> np.ndarray:
    """The sweep divided by the length of the path, `(..., points, columns)` → `(...)`: 1 for a straight line, 0 for a
    curve that stays where it is.
    """
    length = np.linalg.norm(np.diff(curve, axis=-2), axis=-1).sum(axis=-1)
    return np.divide(sweep(curve), length, out=np.zeros_like(length), where=length > STILL)


def sweeps(curves: np.ndarray) -> np.ndarray:
    """The sweep of each attribute, `(..., points, 6)` → `(attribute, ...)`."""
    return np.stack([sweep(curves[..., columns_of(name)]) for name in ATTRIBUTES])


def smoothnesses(curves: np.ndarray) -> np.ndarray:
    """The smoothness of each attribute, `(..., points, 6)` → `(attribute, ...)`."""
    return np.stack([smoothness(curves[..., columns_of(name)]) for name in ATTRIBUTES])


def explained(loadings: np.ndarray, values: np.ndarray) -> np.ndarray:
    """R² of loadings regressed on the filters' attributes, each attribute by itself.

    Parameters
    ----------
    loadings : ndarray, (..., units)
        How much each filter's activation changes along a dimension.
    values : ndarray, (draws, units, 6)
        `Embedding.values`, of one or several orders of the filters' labels; centered.

    Returns
    -------
    ndarray, (attribute, ..., draws)
    """
    centered = loadings - loadings.mean(axis=-1, keepdims=True)
    total = (centered**2).sum(axis=-1)[..., None]
    shares = []
    for name in ATTRIBUTES:
        basis = np.linalg.qr(values[..., columns_of(name)])[0]
        inside = (np.einsum("...u,buc->...bc", centered, basis) ** 2).sum(axis=-1)
        shares.append(np.divide(inside, total, out=np.zeros_like(inside), where=total > 1e-18))
    return np.stack(shares)


def readout_curves(targets: np.ndarray, embedding: Embedding) -> np.ndarray:
    """Population vectors `(..., points, 6)` along dimensions, of activations `(..., points, units)`."""
    return population_vector(targets, embedding.values)
