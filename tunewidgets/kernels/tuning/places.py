"""Where activation vectors fall along a film's dimensions.

In: a film record with a linear fit, and vectors or an image. Out: coordinates, by vector or by position of the layer's
map. Only the record is needed, not the estimator that found the dimensions.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
import xarray as xr

from tunewidgets.kernels.data.vectors import normalized
from tunewidgets.kernels.network.finite import check_values
from tunewidgets.kernels.network.on_noise import marks_of
from tunewidgets.kernels.network.probe import Probe, check_is_probe
from tunewidgets.kernels.optimization.contrast import NATURAL
from tunewidgets.kernels.studies.marks import what_changed
from tunewidgets.kernels.tuning.activations import pooled
from tunewidgets.records import settings_of


class VectorsMade(NamedTuple):
    """How vectors are made from a layer's map."""

    pool: int
    pooling: str
    contrast: float | None

    def vector_at(self, values: torch.Tensor, position: np.ndarray) -> np.ndarray:
        """The vector `(units,)` at a position of one image's values `(1, units, ...)`."""
        values = values.relu()
        if values.ndim == 4:
            seen = pooled(values, self.pool, self.pooling)
            # Neighborhoods are named by their middle.
            row, column = (int(place) - self.pool // 2 for place in position)
            values = seen[:, :, row, column]
        vector = values.cpu().numpy()
        return np.asarray(vector if self.contrast is None else normalized(vector, self.contrast))[0]


def made_as(attrs: Mapping[Any, Any]) -> VectorsMade:
    """How vectors of a sample with these attributes, or of a film with these settings, were made."""
    contrast = attrs.get("vector_contrast", attrs.get("contrast"))
    if "vector_contrast" not in attrs and contrast == NATURAL:
        # Of a film from before the two had names of their own: that which bounds its images, no length of vectors.
        contrast = None
    return VectorsMade(
        int(attrs.get("pool", 1)),
        str(attrs.get("pooling", "mean")),
        None if contrast is None else float(contrast),
    )


class Fit(NamedTuple):
    """What places a vector along linear dimensions, and how vectors are made from a layer's map."""

    unmixing: np.ndarray  # (dimensions, units)
    center: np.ndarray
    unit_mask: np.ndarray
    pool: int = 1
    pooling: str = "mean"
    contrast: float | None = None

    def coordinates(self, vectors: np.ndarray) -> np.ndarray:
        """Coordinates `(n, dimensions)` float32 of vectors `(n, units)`."""
        centered = vectors[:, self.unit_mask].astype(np.float64) - self.center[self.unit_mask]
        return np.asarray(centered @ self.unmixing[:, self.unit_mask].T.astype(np.float64), dtype=np.float32)

    def maps(self, probe: Probe, images: torch.Tensor) -> np.ndarray:
        """Coordinates `(N, dimensions, h, w)` of each position of the layer's map on images `(N, 3, H, W)` in [0, 1].

        Where vectors are pooled over neighborhoods, there are as many positions as neighborhoods. A layer without a map
        has one position.
        """
        values = probe.rectified(images)
        if probe.has_map:
            values = pooled(values, self.pool, self.pooling)
        n, units, *shape = values.shape
        vectors = values.reshape(n, units, -1).movedim(1, 2).reshape(-1, units).cpu().numpy()
        check_values(bool(np.isfinite(vectors.sum())), probe.network, probe.layer)
        if self.contrast is not None:
            vectors = normalized(vectors, self.contrast)
        height, width = shape or (1, 1)
        along = self.coordinates(vectors).reshape(n, height, width, -1)
        return np.ascontiguousarray(np.moveaxis(along, -1, 1))


def fit_of(film: xr.Dataset) -> Fit:
    """The film's linear fit.

    Raises
    ------
    ValueError
        If it has none.
    """
    if "unmixing" not in film:
        raise ValueError(
            "this film's method has no linear fit, so no vector can be placed along its dimensions; use a film made "
            "with 'pca', 'ica' or 'nmf'"
        )
    made = made_as(settings_of(film))
    return Fit(film["unmixing"].values, film["center"].values, film["unit_mask"].values, *made)


def coordinates_of(film: xr.Dataset, vectors: np.ndarray) -> np.ndarray:
    """Coordinates `(n, dimensions)` float32 of vectors `(n, units)` along the film's dimensions.

    Raises
    ------
    ValueError
        If the film has no linear fit, or another number of units.
    """
    fit = fit_of(film)
    if vectors.shape[1] != film.sizes["unit"]:
        raise ValueError(
            f"the vectors have {vectors.shape[1]} units and the film {film.sizes['unit']}; give activations of the "
            f"film's own layer, {film.attrs['layer']!r}"
        )
    return fit.coordinates(vectors)


def places_on(film: xr.Dataset, probe: Probe, image: torch.Tensor) -> np.ndarray:
    """Coordinates `(dimensions, h, w)` float32 of each position of the layer's map on an image `(3, H, W)` in [0, 1].

    Where the film's vectors are pooled over neighborhoods, there are as many positions as neighborhoods. A layer
    without a map has one position.

    Raises
    ------
    ValueError
        If the film has no linear fit, was made for another layer or with other weights, or the image is too small.
    """
    check_probe(film, probe)
    return np.asarray(fit_of(film).maps(probe, image[None])[0])


def check_probe(film: xr.Dataset, probe: Probe) -> None:
    """Raise a ValueError if the film was made for another layer, or with other weights or another preprocess."""
    check_source("this film", {**film.attrs, "on_noise": settings_of(film).get("on_noise", {})}, probe)


def check_source(what: str, attrs: Mapping[Any, Any], probe: Probe) -> None:
    """Raise a ValueError, about `what`, if these attributes are of another layer or network than the probe's, or of one
    that is given its images in another way.
    """
    check_is_probe(probe)
    mine = probe.provenance()
    if str(attrs["layer"]) != mine["layer"]:
        raise ValueError(
            f"{what} is of layer {attrs['layer']!r} and the probe of {mine['layer']!r}; give its own"
        )
    if str(attrs["model_sha256"]) != mine["model_sha256"]:
        raise ValueError(
            f"{what} was made with other weights than this {mine['model']} has; give the model it was made with"
        )
    noise = attrs.get("on_noise", {})
    earlier = json.loads(noise) if isinstance(noise, str) else noise
    if earlier and (changed := what_changed(earlier, marks_of([probe]).get(probe.layer, {}))):
        raise ValueError(f"{what} was made with {changed}; give the probe it was made with")
