"""One cell of the recovery checklist: one method with k dimensions on one bank, judged for all three attributes.

In: fitted dimensions, the activations they were fitted on, and the bank's embedding. Out: sweep, smoothness, both nulls
and their p-values, the best dimension of each attribute and its readout.
"""

from dataclasses import dataclass

import numpy as np

from tunewidgets.kernels.gabor.nulls import (
    holm,
    label_null,
    loading_null,
    loadings_of,
    p_value,
    permuted,
    rotation_null,
)
from tunewidgets.kernels.reading.attributes import ATTRIBUTES, COMPONENTS, Embedding, columns_of
from tunewidgets.kernels.reading.readout import explained, readout_curves, smoothnesses, sweeps
from tunewidgets.kernels.tuning.dimensions import TuningDimensions
from tunewidgets.kernels.tuning.points import Others, place_points

POINTS = 32
# A curve that goes back and forth sweeps far but says nothing: this share of its length must lead somewhere.
SMOOTH = 0.65


@dataclass(frozen=True)
class Judgment:
    """What is found for the three attributes; arrays start with `attribute`, and those per dimension end with k.

    Attributes
    ----------
    best : ndarray of int, (attribute,)
        The dimension shown: the one farthest above chance, of those that recover the attribute if any do.
    values : dict
        `p`, `p_holm`, `p_rotation`, `observed`, `sweep`, `smoothness`, `r2`, `recovered`, `on_axis` of the best.
    null, null_rotation : ndarray, (attribute, draws)
        In the units of the best dimension's `observed`. The second is NaN where there is no subspace to rotate in.
    curve : ndarray, (attribute, points, 3)
        The best dimension's readout in natural units, NaN beyond an attribute's columns.
    coordinate : ndarray, (attribute, points)
        Where the points lie on it.
    """

    best: np.ndarray
    values: dict[str, np.ndarray]
    null: np.ndarray
    null_rotation: np.ndarray
    curve: np.ndarray
    coordinate: np.ndarray


def best_by_pictures(
    p: np.ndarray, observed: np.ndarray, sweep: np.ndarray, smoothness: np.ndarray, alpha: float
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """`Judgment.best` and `values` from a film's pictures, all `(attribute, k)`; there is no subspace to rotate in."""
    recovers = np.where(np.isnan(p), np.nan, (p <= alpha) & (smoothness >= SMOOTH))
    lead = np.nan_to_num(recovers) * (1 + np.nanmax(observed, initial=0))
    best = np.where(np.isnan(observed), -np.inf, observed + lead).argmax(axis=1)

    def of_best(values: np.ndarray) -> np.ndarray:
        return np.take_along_axis(values, best[:, None], axis=1)[:, 0]

    unknown = np.full(len(p), np.nan)
    return best, {
        "p": of_best(p),
        "p_holm": holm(of_best(p)),
        "observed": of_best(observed),
        "sweep": of_best(sweep),
        "smoothness": of_best(smoothness),
        "recovered": of_best(recovers),
        **dict.fromkeys(("p_rotation", "r2", "on_axis"), unknown),
    }


@dataclass(frozen=True)
class Rules:
    """How a cell is judged: draws of each null, level, where the other dimensions are held, and what is compared.

    `statistic` is "sweep", or "r2" for a bank whose filters respond to uniform light. There the activation along any
    direction rises with the light and the filters most sensitive to it dominate, so how far an attribute sweeps says
    little about the direction: permuted labels would sweep as far, and hardly anything could sweep farther.
    """

    draws: int
    alpha: float
    others: Others
    statistic: str


def judge(
    dimensions: TuningDimensions, vectors: np.ndarray, embedding: Embedding, rules: Rules, seed: int
) -> Judgment:
    """Judge fitted dimensions on a bank.

    Parameters
    ----------
    dimensions : TuningDimensions
    vectors : ndarray, (n, units)
        What they were fitted on.
    embedding : Embedding
        Of the bank's filters.
    rules : Rules
    seed : int
        Decides the draws of both nulls.
    """
    placed = [
        place_points(dimensions, index, POINTS, "arc", rules.others)
        for index in range(dimensions.n_components_)
    ]
    targets = np.stack([points.targets for points in placed]).astype(float)
    found = measure(targets, embedding)
    observed = found[rules.statistic]
    # One random stream per null, so that one method's draws don't depend on which others are judged.
    labels = permuted(embedding, rules.draws, np.random.default_rng([seed, 0]))
    base = _base(dimensions, rules.others)
    if rules.statistic == "sweep":
        null, average = label_null(targets, base, embedding, labels)
    else:
        null, average = loading_null(targets, labels)
    compared = observed / average
    p = p_value(null, compared)
    smooth = found["smoothness"] >= SMOOTH
    recovers = (p <= rules.alpha) & smooth
    # Dimensions that recover come first, and among them the one farthest above chance.
    best = (compared + np.where(recovers, 1 + compared.max(), 0)).argmax(axis=1)
    null_rotation = _rotations(dimensions, base, vectors, embedding, rules, seed)
    p_rotation = p_value(null_rotation, observed)
    p_rotation[np.isnan(null_rotation).any(axis=1)] = np.nan

    def of_best(values: np.ndarray) -> np.ndarray:
        return np.take_along_axis(values, best[:, None], axis=1)[:, 0]

    on_axis = np.where(np.isnan(p_rotation), np.nan, (p_rotation <= rules.alpha) & smooth)
    values = {
        "p": of_best(p),
        "p_holm": holm(of_best(p)),
        "p_rotation": of_best(p_rotation),
        "observed": of_best(observed),
        "recovered": of_best(recovers).astype(float),
        "on_axis": of_best(on_axis),
        **{name: of_best(found[name]) for name in ("sweep", "smoothness", "r2")},
    }
    curves = embedding.natural(readout_curves(targets, embedding))
    coordinates = np.stack([points.coordinates for points in placed])
    null = null * of_best(average)[:, None]
    return Judgment(best, values, null, null_rotation, shown_curves(curves, best), coordinates[best])


def measure(targets: np.ndarray, embedding: Embedding) -> dict[str, np.ndarray]:
    """`sweep`, `smoothness` and `r2`, each `(attribute, k)`, of activations `(k, points, units)` along dimensions."""
    curves = readout_curves(targets, embedding)
    return {
        "sweep": sweeps(curves),
        "smoothness": smoothnesses(curves),
        "r2": explained(loadings_of(targets), embedding.values[None])[..., 0],
    }


def _base(dimensions: TuningDimensions, others: Others) -> np.ndarray:
    """Where all dimensions meet: the activation `(units,)` with every dimension held where the others are held."""
    held = dimensions.score_mean_ if others == "mean" else np.zeros_like(dimensions.score_mean_)
    return np.asarray(dimensions.inverse_transform(held[None])[0])


def _rotations(
    dimensions: TuningDimensions,
    base: np.ndarray,
    vectors: np.ndarray,
    embedding: Embedding,
    rules: Rules,
    seed: int,
) -> np.ndarray:
    if not hasattr(dimensions, "components_"):
        return np.full((len(ATTRIBUTES), rules.draws), np.nan)
    basis = np.linalg.qr(dimensions.components_.T)[0].T
    rng = np.random.default_rng([seed, 1])
    return rotation_null(vectors, basis, base, embedding, POINTS, rules.draws, rng, rules.statistic)


def shown_curves(curves: np.ndarray, best: np.ndarray) -> np.ndarray:
    """The readout `(attribute, points, 3)` of each attribute's best dimension, from curves `(k, points, 6)`."""
    shown = np.full((len(ATTRIBUTES), curves.shape[1], COMPONENTS), np.nan)
    for row, name in enumerate(ATTRIBUTES):
        own = curves[best[row], :, columns_of(name)]
        shown[row, :, : own.shape[1]] = own
    return shown
