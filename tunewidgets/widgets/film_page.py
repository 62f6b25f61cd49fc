"""The explorer's payload: what its page is sent once of a film record.

In: a film record and the dimensions to show. Out: a JSON-ready dict of titles and small tables, and one encoded mosaic
of images per dimension. NaN becomes None, numbers are rounded to what a page can show.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..derived.film_text import film_warnings, method_name, suggestion
from ..derived.pictures import mosaic, square_columns, webp
from ..records import settings_of
from .film_effects import effect_facts

TOP_UNITS = 6


def film_facts(film: xr.Dataset, dimensions: Sequence[int]) -> dict[str, Any]:
    """Everything the page shows of a film except its images."""
    settings = settings_of(film)
    points = film.sizes["point"]
    return {
        "model": str(film.attrs["model"]),
        "layer": str(film.attrs["layer"]),
        "method": method_name(settings),
        "sampling": str(settings.get("sampling", "unknown")),
        "warnings": film_warnings(settings),
        "points": points,
        "unitCount": film.sizes["unit"],
        "cells": {
            "width": film.sizes["x"],
            "height": film.sizes["y"],
            "columns": square_columns(points),
        },
        "patches": _patches(film),
        "dimensions": [_dimension(film, at) for at in dimensions],
    }


def middle_points(film: xr.Dataset, dimensions: Sequence[int]) -> list[int]:
    """For each dimension, the point with nearest to half of the data below it; the middle point where none is known."""
    middles = []
    for dimension in dimensions:
        away = np.abs(film["quantile"].values[dimension] - 0.5)
        known = np.isfinite(away).any()
        middles.append(int(np.nanargmin(away)) if known else (film.sizes["point"] - 1) // 2)
    return middles


def _patches(film: xr.Dataset) -> dict[str, Any] | None:
    """How the mosaics of real patches are laid out: each point's follow one another."""
    if "patch" not in film:
        return None
    each = film.sizes["exemplar"]
    about = settings_of(film).get("patches", {})
    return {
        "each": each,
        "of": str(about.get("images", "images")),
        "cells": {
            "width": film.sizes["patch_x"],
            "height": film.sizes["patch_y"],
            "columns": square_columns(film.sizes["point"] * each),
        },
    }


def patch_sprite(film: xr.Dataset, dimension: int, quality: int = 90) -> bytes:
    """All real patches of one dimension as one WebP, point after point (`patches` of `film_facts`)."""
    patches = film["patch"].isel(dimension=dimension).values
    return webp(mosaic(patches.reshape(-1, *patches.shape[2:])), quality)


def film_sprite(film: xr.Dataset, dimension: int, quality: int = 90) -> bytes:
    """All images of one dimension as one WebP, cells in reading order (`cells` of `film_facts`)."""
    return webp(mosaic(film["image"].isel(dimension=dimension).values), quality)


def inline_sprites(
    film: xr.Dataset,
    dimensions: Sequence[int],
    budget: int,
    sprite_of: Callable[[xr.Dataset, int], bytes] = film_sprite,
) -> list[bytes]:
    """The sprites of `dimensions`, in order, as long as they fit in `budget` bytes; empty bytes for the rest."""
    sprites = [b""] * len(dimensions)
    for at, dimension in enumerate(dimensions):
        if film["status"].values[dimension]:
            continue
        sprite = sprite_of(film, dimension)
        budget -= len(sprite)
        if budget < 0:
            break
        sprites[at] = sprite
    return sprites


def _dimension(whole: xr.Dataset, index: int) -> dict[str, Any]:
    film = whole.isel(dimension=index)
    units, weights = top_units(film["target"].values)
    return {
        "index": int(index),
        "suggestion": suggestion(whole, index),
        "status": str(film["status"].item()),
        "share": _number(film["explained_variance"].item()),
        "readability": _readability(film),
        "coordinate": _numbers(film["coordinate"].values),
        "quantile": _numbers(film["quantile"].values),
        "cosine": _numbers(film["cosine"].values),
        "histogram": _numbers(film["histogram"].values, missing=0),
        "edges": _numbers(film["bin_edge"].values),
        "units": units,
        "weights": [_numbers(row) for row in weights],
        "patchCoordinate": [_numbers(row) for row in film["patch_coordinate"].values]
        if "patch" in film
        else [],
        "stability": _number(film["stability"].item()) if "stability" in film else None,
        "effects": effect_facts(film),
    }


def _readability(film: xr.Dataset) -> dict[str, float] | None:
    """The dimension's score with its interval, p and the mean score of random axes; None where it was not tested."""
    if "readability" not in film or not np.isfinite(film["readability"].item()):
        return None
    names = {"score": "", "low": "_low", "high": "_high", "p": "_p_holm"}
    found = {name: _number(film[f"readability{ending}"].item()) for name, ending in names.items()}
    return {name: value for name, value in found.items() if value is not None} | {
        "chance": float(f"{film['readability_null'].values.mean():.4g}")
    }


def top_units(target: NDArray[np.float32]) -> tuple[list[list[int]], list[list[float]]]:
    """The units with the largest positive weights in each point's target, heaviest first.

    Only positive weights count: an image is optimized for the rectified target.
    """
    order = np.argsort(-np.nan_to_num(target), axis=1, kind="stable")[:, :TOP_UNITS]
    units, weights = [], []
    for row, best in zip(target, order, strict=True):
        positive = [int(u) for u in best if row[u] > 0]
        units.append(positive)
        weights.append([float(row[u]) for u in positive])
    return units, weights


def _number(value: float) -> float | None:
    return float(f"{value:.4g}") if np.isfinite(value) else None


def _numbers(values: Any, missing: float | None = None) -> list[Any]:
    return [missing if _number(v) is None else _number(v) for v in values]
