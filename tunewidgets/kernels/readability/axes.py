"""Axes that trials ask about: a film's dimensions or a layer's units, and random ones among them.

In: a film or a layer's unit record, and sampled vectors. Out: every vector's coordinate along every axis.
"""

from typing import NamedTuple

import numpy as np
import xarray as xr

from tunewidgets.kernels.data.vectors import normalized
from tunewidgets.kernels.dissection.features import numbers_of
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.tuning.dimensions import TuningDimensions
from tunewidgets.kernels.tuning.places import fit_of
from tunewidgets.kernels.tuning.random_axes import MixedAxes


class Axes(NamedTuple):
    """Coordinates of vectors along a record's own axes and along random ones, `(n, axes)` each.

    `drawn` are the random axes as dimensions, of which a film can be rendered; None for units.
    """

    own: np.ndarray
    random: np.ndarray
    drawn: TuningDimensions | None


def axes_of(record: xr.Dataset, kind: str, probe: Probe, sample: xr.DataArray, catch: int, seed: int) -> Axes:
    """Coordinates along the record's axes, and along `catch` random ones of the same space.

    Those of a film mix its dimensions at random, those of units all units of the layer, each in units of its standard
    deviation.
    """
    if kind == "units":
        return _of_units(sample.values, numbers_of(record, probe), catch, seed)
    return _of_film(record, sample, catch, seed)


def _of_units(vectors: np.ndarray, numbers: np.ndarray, catch: int, seed: int) -> Axes:
    spread = vectors.std(0)
    weights = np.random.default_rng([seed, 1]).standard_normal((vectors.shape[1], catch))
    standard = (vectors - vectors.mean(0)) / np.where(spread > 0, spread, np.inf)
    return Axes(vectors[:, numbers], (standard @ weights).astype(np.float32), None)


def _of_film(film: xr.Dataset, sample: xr.DataArray, catch: int, seed: int) -> Axes:
    fit = fit_of(film)
    if fit.contrast is not None:
        sample = sample.copy(data=normalized(sample.values, fit.contrast)).assign_attrs(contrast=fit.contrast)
    # A unit that does not vary in this sample can be in none of its random axes.
    varies = sample.values.max(axis=0) > sample.values.min(axis=0)
    component, unmixing = (film[name].values.astype(float)[:, varies] for name in ("component", "unmixing"))
    mixed = MixedAxes(component, unmixing, catch, np.random.RandomState([seed, 1]))
    drawn = TuningDimensions(mixed).fit(sample)
    return Axes(fit.coordinates(sample.values), drawn.transform(sample), drawn)
