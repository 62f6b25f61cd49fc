"""Where activation vectors fall along a film's dimensions.

In: a film record with a linear fit, and vectors or an image. Out: coordinates, by vector or by position of the layer's
map. Only the record is needed, not the estimator that found the dimensions.
"""

import numpy as np
import torch
import xarray as xr

from tunewidgets.kernels.activations import normalized, pooled
from tunewidgets.kernels.probe import Probe
from tunewidgets.records import settings_of


def coordinates_of(film: xr.Dataset, vectors: np.ndarray) -> np.ndarray:
    """Coordinates `(n, dimensions)` float32 of vectors `(n, units)` along the film's dimensions.

    Raises
    ------
    ValueError
        If the film has no linear fit, or another number of units.
    """
    if "unmixing" not in film:
        raise ValueError(
            "this film's method has no linear fit, so no vector can be placed along its dimensions; use a film made "
            "with 'pca', 'ica' or 'nmf'"
        )
    if vectors.shape[1] != film.sizes["unit"]:
        raise ValueError(
            f"the vectors have {vectors.shape[1]} units and the film {film.sizes['unit']}; give activations of the "
            f"film's own layer, {film.attrs['layer']!r}"
        )
    mask = film["unit_mask"].values
    centered = vectors[:, mask].astype(np.float64) - film["center"].values[mask]
    return np.asarray(centered @ film["unmixing"].values[:, mask].T.astype(np.float64), dtype=np.float32)


def places_on(film: xr.Dataset, probe: Probe, image: torch.Tensor) -> np.ndarray:
    """Coordinates `(dimensions, h, w)` float32 of each position of the layer's map on an image `(3, H, W)` in [0, 1].

    Where the film's vectors are means of neighborhoods, there are as many positions as neighborhoods. A layer without a
    map has one position.

    Raises
    ------
    ValueError
        If the film has no linear fit, was made for another layer or with other weights, or the image is too small.
    """
    check_probe(film, probe)
    settings = settings_of(film)
    values = probe.rectified(image[None])
    if probe.has_map:
        values = pooled(values, int(settings.get("pool", 1)))
    shape = tuple(values.shape[2:]) or (1, 1)
    vectors = values[0].reshape(values.shape[1], -1).T.cpu().numpy()
    if "contrast" in settings:
        vectors = normalized(vectors, float(settings["contrast"]))
    return coordinates_of(film, vectors).T.reshape(-1, *shape)


def check_probe(film: xr.Dataset, probe: Probe) -> None:
    """Raise a ValueError if the film was made for another layer or other weights than the probe's."""
    mine = probe.provenance()
    if str(film.attrs["layer"]) != mine["layer"]:
        raise ValueError(
            f"this film is of layer {film.attrs['layer']!r} and the probe of {mine['layer']!r}; give its own"
        )
    if str(film.attrs["model_sha256"]) != mine["model_sha256"]:
        raise ValueError(
            f"this film was made with other weights than this {mine['model']} has; give the model it was made with"
        )
