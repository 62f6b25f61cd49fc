"""Null distributions: how far would an attribute sweep if nothing had been recovered?

In: targets along dimensions, or a subspace and its data; an embedding; a random generator. Out: the statistic of many
draws, p-values with Holm's correction, and intervals over bank seeds.
"""

import numpy as np

from tunewidgets.kernels.gabor.lines import equal_angles, on_lines
from tunewidgets.kernels.reading.attributes import Embedding
from tunewidgets.kernels.reading.readout import STILL, explained, responses, sweeps, weights_of

# Two statistics closer than this count as equal: rounding must not decide which is larger.
TIE = 1e-6
BOOTSTRAPS = 2000
TAIL = 0.025  # on either side of a 95% interval
# Vectors projected at once.
ROWS = 2048


def permuted(embedding: Embedding, draws: int, rng: np.random.Generator) -> np.ndarray:
    """The filters' attributes, permuted among the filters in whole rows: `(draws, units, 6)`."""
    units = len(embedding.values)
    order = rng.permuted(np.tile(np.arange(units), (draws, 1)), axis=1)
    return embedding.values[order]


def label_null(
    targets: np.ndarray, base: np.ndarray, embedding: Embedding, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How far the farthest of k dimensions sweeps each attribute when what it changes carries other filters' labels.

    What all dimensions start from keeps the right labels. There, filters respond unequally, those of low frequencies
    more than others, so the mean attribute is not the bank's; any direction that adds to the responses, or takes away
    from them, moves it from there or back. That says nothing about the direction, so every draw has it as well.

    Some dimensions move the activation far and sweep any labels far; the largest plain sweep would be theirs in nearly
    every draw, and would say little about the others. So each dimension's sweeps count in units of their own average
    over the draws.

    Parameters
    ----------
    targets : ndarray, (k, points, units)
    base : ndarray, (units,)
        The activation at which all dimensions meet.
    embedding : Embedding
        The right labels.
    labels : ndarray, (draws, units, 6)
        From `permuted`.

    Returns
    -------
    null : ndarray, (attribute, draws)
        The largest sweep of k dimensions, each divided by its average.
    average : ndarray, (attribute, k)
        What observed sweeps are to be divided by too; 1 for dimensions that stay where they are.
    """
    drawn = sweeps(_curves(targets, base, embedding, labels))
    average = drawn.mean(axis=2)
    average[average <= STILL] = 1
    return (drawn / average[:, :, None]).max(axis=1), average


def loading_null(targets: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same for the R² of the dimensions' loadings, for banks whose filters respond to uniform light.

    An R² is a share, on one scale for all dimensions, so the averages are 1.
    """
    drawn = explained(loadings_of(targets), labels)
    return drawn.max(axis=1), np.ones(drawn.shape[:2])


def loadings_of(targets: np.ndarray) -> np.ndarray:
    """How much each filter's activation changes from one end of a dimension to the other: `(..., units)`."""
    return np.asarray(targets[..., -1, :] - targets[..., 0, :])


def rotated_axes(k: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Random rotations, uniform over the orthogonal group: `(draws, k, k)`, rows are axes."""
    q, r = np.linalg.qr(rng.standard_normal((draws, k, k)))
    signs = np.where(np.diagonal(r, axis1=1, axis2=2) < 0, -1.0, 1.0)
    return np.asarray((q * signs[:, None, :]).transpose(0, 2, 1))


def rotation_null(
    vectors: np.ndarray,
    basis: np.ndarray,
    base: np.ndarray,
    embedding: Embedding,
    points: int,
    draws: int,
    rng: np.random.Generator,
    statistic: str,
) -> np.ndarray:
    """How far the farthest of k arbitrary orthogonal axes of a subspace sweeps each attribute.

    Each axis runs from the smallest to the largest coordinate that the data have on it, the others held at `base`,
    with points at equal angles.

    Parameters
    ----------
    vectors : ndarray, (n, units)
        The data.
    basis : ndarray, (k, units)
        Orthonormal rows that span the subspace.
    base : ndarray, (units,)
        Where all axes meet.
    embedding : Embedding
    points, draws : int
    rng : numpy.random.Generator
    statistic : {"sweep", "r2"}

    Returns
    -------
    ndarray, (attribute, draws)
    """
    k = len(basis)
    axes = rotated_axes(k, draws, rng).reshape(draws * k, k)
    low, high = _ranges((vectors - base) @ basis.T, axes)
    directions = axes @ basis
    targets = on_lines(base, directions, equal_angles(base, directions, low, high, points))
    if statistic == "r2":
        found = explained(loadings_of(targets), embedding.values[None])[..., 0]
    else:
        found = sweeps(weights_of(targets) @ embedding.values)
    return np.asarray(found.reshape(len(found), draws, k).max(axis=2))


def p_value(null: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """`(1 + #{null >= observed}) / (draws + 1)`.

    Parameters
    ----------
    null : ndarray, (attribute, draws)
    observed : ndarray, (attribute, k)

    Returns
    -------
    ndarray, (attribute, k)

    Examples
    --------
    >>> p_value(np.array([[1.0, 2.0, 3.0]]), np.array([[2.0, 4.0]]))
    array([[0.75, 0.25]])
    """
    as_large = null[:, None, :] >= observed[:, :, None] - TIE
    return np.asarray((1 + as_large.sum(axis=2)) / (null.shape[1] + 1))


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's adjusted p-values (1979) of several claims made at once, over the first axis.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03]))
    array([0.03, 0.06, 0.06])
    """
    order = np.argsort(p, axis=0, kind="stable")
    left = len(p) - np.arange(len(p)).reshape(-1, *[1] * (p.ndim - 1))
    ascending = np.maximum.accumulate(np.take_along_axis(p, order, axis=0) * left, axis=0)
    adjusted = np.empty_like(p, dtype=float)
    np.put_along_axis(adjusted, order, np.minimum(ascending, 1), axis=0)
    return adjusted


def furthest_of(pool: np.ndarray, k: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """The furthest of `k` axes drawn from a pool `(attribute, axes)`, `draws` times over: `(attribute, draws)`."""
    chosen = rng.permuted(np.tile(np.arange(pool.shape[1]), (draws, 1)), axis=1)[:, :k]
    return np.asarray(pool[:, chosen].max(axis=2))


def bootstrap_mean(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The 95% interval of a mean over bank seeds, by drawing seeds anew: `(seeds, ...)` → `(2, ...)`.

    NaN where there are fewer than two seeds.
    """
    seeds = len(values)
    if seeds < 2:
        return np.full((2, *values.shape[1:]), np.nan)
    share = rng.multinomial(seeds, np.full(seeds, 1 / seeds), BOOTSTRAPS) / seeds
    means = np.tensordot(share, values, axes=1)
    return np.asarray(np.quantile(means, [TAIL, 1 - TAIL], axis=0))


def _curves(targets: np.ndarray, base: np.ndarray, embedding: Embedding, labels: np.ndarray) -> np.ndarray:
    """Population vectors `(k, draws, points, 6)` in which the part that is `base` has the right labels."""
    k, points, units = targets.shape
    draws, _, numbers = labels.shape
    active = responses(targets).reshape(k * points, units)
    kept = np.maximum(base, 0) @ (embedding.values - labels)
    weighted = active @ labels.transpose(1, 0, 2).reshape(units, draws * numbers) + kept.ravel()
    curves = weighted / active.sum(axis=1, keepdims=True)
    return np.asarray(curves.reshape(k, points, draws, numbers).transpose(0, 2, 1, 3))


def _ranges(coordinates: np.ndarray, axes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The smallest and the largest coordinate `(axes,)` of the data on each axis."""
    data, turned = coordinates.astype(np.float32), axes.T.astype(np.float32)
    low, high = np.full(len(axes), np.inf, np.float32), np.full(len(axes), -np.inf, np.float32)
    for start in range(0, len(data), ROWS):
        here = data[start : start + ROWS] @ turned
        np.minimum(low, here.min(axis=0), out=low)
        np.maximum(high, here.max(axis=0), out=high)
    return low.astype(float), high.astype(float)
