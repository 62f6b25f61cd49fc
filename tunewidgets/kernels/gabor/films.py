"""Judging a Gabor bank's film by its pictures: frequency, angle and phase, compared with films of random directions.

In: a film, the bank's embedding, and a pool of films of random directions of activation space. Out: a judgment of the
kind that activations get.
"""

from typing import Any

import numpy as np
import xarray as xr

from tunewidgets.kernels.gabor.cell import POINTS, Judgment, Rules, best_by_pictures, shown_curves
from tunewidgets.kernels.gabor.nulls import furthest_of, p_value
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.reading.attributes import ATTRIBUTES, Embedding
from tunewidgets.kernels.reading.image_readout import image_readout
from tunewidgets.kernels.reading.readout import smoothnesses, sweeps
from tunewidgets.kernels.tuning.dimensions import TuningDimensions
from tunewidgets.kernels.tuning.films import render_film
from tunewidgets.kernels.tuning.random_axes import RandomDirections

# Points drawn along a random direction; a film is compared with them by as many points of its own.
NULL_POINTS = 8


def random_films(
    probe: Probe, activations: xr.DataArray, embedding: Embedding, directions: int, seed: int, **options: Any
) -> np.ndarray:
    """How far the pictures along random directions sweep each attribute: `(attribute, directions)`."""
    swept = []
    units = int((activations.values.max(axis=0) > activations.values.min(axis=0)).sum())
    for start in range(0, directions, units):
        method = RandomDirections(min(units, directions - start), random_state=seed + start)
        film = render_film(probe, TuningDimensions(method).fit(activations), NULL_POINTS, **options)
        swept.append(sweeps(_scaled(film, embedding)))
    return np.concatenate(swept, axis=1)


def judge_film(film: xr.Dataset, embedding: Embedding, pool: np.ndarray, rules: Rules, seed: int) -> Judgment:
    """Judge a film by its pictures; dimensions that have none are left out.

    Parameters
    ----------
    film : Dataset
        A film record with `POINTS` points per dimension.
    embedding : Embedding
    pool : ndarray, (attribute, directions)
        From `random_films`; each draw of the null is the largest of k of them. If empty, there is no null and no mark.
    rules : Rules
    seed : int
    """
    curves = _scaled(film, embedding)
    drawn = np.flatnonzero(film["status"].values == "")
    k = len(film["status"])
    few = np.linspace(0, POINTS - 1, NULL_POINTS).round().astype(int)
    observed, smooth, swept = (np.full((len(ATTRIBUTES), k), np.nan) for _ in range(3))
    observed[:, drawn] = sweeps(curves[drawn][:, few])
    swept[:, drawn], smooth[:, drawn] = sweeps(curves[drawn]), smoothnesses(curves[drawn])
    null = np.full((len(ATTRIBUTES), rules.draws), np.nan)
    p = np.full(observed.shape, np.nan)
    if pool.shape[1]:
        rng = np.random.default_rng([seed, 2])
        null = furthest_of(pool, k, rules.draws, rng)
        p = np.where(np.isnan(observed), np.nan, p_value(null, observed))
    best, values = best_by_pictures(p, observed, swept, smooth, rules.alpha)
    return Judgment(
        np.where(np.isnan(values["sweep"]), -1, best),
        values,
        null,
        np.full(null.shape, np.nan),
        shown_curves(embedding.natural(curves), best),
        film["coordinate"].values[best],
    )


def _scaled(film: xr.Dataset, embedding: Embedding) -> np.ndarray:
    """Readouts of a film's pictures in the bank's standard deviations; polarities keep their own units.

    Attributes that `image_readout` can't read from pictures are NaN.
    """
    scale = np.concatenate([embedding.scale[:3], np.ones(3)])
    center = np.concatenate([embedding.center[:3], np.zeros(3)])
    read = (image_readout(film["image"].values) - center) / scale
    unread = np.full((*read.shape[:-1], len(embedding.scale) - read.shape[-1]), np.nan)
    return np.concatenate([read, unread], axis=-1)
