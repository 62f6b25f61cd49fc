"""Points along a tuning dimension: where its images are made, and what they are made for.

In: fitted dimensions and the index of one. Out: coordinates from one end of what was observed to the other, and the
target activation at each.
"""

from typing import Literal, NamedTuple, get_args

import numpy as np

from tunewidgets.kernels.tuning.dimensions import TuningDimensions

Sampling = Literal["arc", "uniform", "quantile"]
SAMPLINGS = get_args(Sampling)
Others = Literal["mean", "zero"]
OTHERS = get_args(Others)
# Points of the fine path along which equal angles are found.
FINE = 2001


class Points(NamedTuple):
    """Points along one dimension: coordinate, share of the data below it, and target activations (points, units)."""

    coordinates: np.ndarray
    quantiles: np.ndarray
    targets: np.ndarray


def place_points(
    dimensions: TuningDimensions, index: int, count: int, sampling: Sampling, others: Others
) -> Points:
    """`count` points along dimension `index`, by one of `SAMPLINGS`, the other dimensions held as `others` says.

    Paper B, sections 3.3 and A.1 (*Identifying and interpreting tuning dimensions in deep networks*); "arc" is ours.
    """
    observed = dimensions.score_quantiles_[index]
    low, high = reach(dimensions, index)
    if sampling == "quantile":
        shares = np.linspace(0, 1, len(observed))
        coordinates = np.interp(np.linspace(0, 1, count), shares, observed).clip(max=high)
    elif sampling == "uniform":
        coordinates = np.linspace(low, high, count)
    else:
        coordinates = _equal_angles(dimensions, index, count, others)
    quantiles = share_below(observed, coordinates)
    targets = along(dimensions, index, coordinates, others)
    return Points(coordinates.astype(np.float32), quantiles.astype(np.float32), targets.astype(np.float32))


def reach(dimensions: TuningDimensions, index: int) -> tuple[float, float]:
    """From where to where the points go: all that was observed; of a sparse code, from 0 to its 99.9% quantile.

    A code that is rarer than that goes to its largest value.
    """
    observed = dimensions.score_quantiles_[index]
    below = observed[-2] if hasattr(dimensions, "dead_") else observed[-1]
    return float(observed[0]), float(below if below > observed[0] else observed[-1])


def share_below(observed: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """The share of the data strictly below each coordinate, from the data's quantiles at equal shares, sorted.

    Many may lie at one coordinate, as where units are silent: they are not below it.
    """
    shares = np.linspace(0, 1, len(observed))
    first = np.searchsorted(observed, coordinates, side="left").clip(max=len(observed) - 1)
    return np.where(observed[first] == coordinates, shares[first], np.interp(coordinates, observed, shares))


def along(dimensions: TuningDimensions, index: int, coordinates: np.ndarray, others: Others) -> np.ndarray:
    """Target activations, (points, units), where dimension `index` moves and the others stay."""
    held = dimensions.score_mean_ if others == "mean" else np.zeros_like(dimensions.score_mean_)
    scores = np.repeat(held[None], len(coordinates), axis=0)
    scores[:, index] = coordinates
    return np.asarray(dimensions.inverse_transform(scores))


def _equal_angles(dimensions: TuningDimensions, index: int, count: int, others: Others) -> np.ndarray:
    """Coordinates whose rectified targets lie equal angles apart: equal steps would squeeze the change into a few."""
    low, high = reach(dimensions, index)
    path = np.linspace(low, high, FINE)
    targets = np.maximum(along(dimensions, index, path, others), 0)
    lengths = np.linalg.norm(targets, axis=1, keepdims=True)
    directions = np.divide(targets, lengths, out=np.zeros_like(targets), where=lengths > 0)
    # The chord keeps its digits at the small angles where the arc cosine loses them.
    chords = np.linalg.norm(np.diff(directions, axis=0), axis=1)
    chords[(lengths[1:, 0] == 0) | (lengths[:-1, 0] == 0)] = 0
    turned = np.concatenate([[0], np.cumsum(2 * np.arcsin(np.clip(chords / 2, 0, 1)))])
    if turned[-1] == 0:
        return np.linspace(low, high, count)
    # A stretch without any turn has no inverse; a slope far below one step's angle gives it one.
    turned += np.linspace(0, 1e-9 * turned[-1], FINE)
    return np.interp(np.linspace(0, turned[-1], count), turned, path)
