"""The explorer's photo: where each position of a layer's map on one photo falls along each dimension.

In: a film record, its probe, a photo and the dimensions to show. Out: what the page is sent: the photo, the coordinates
as bytes, and where on the photo each position lies. The network runs here, once; exploring the photo doesn't need it.
"""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from PIL import Image, ImageOps

from .._checks import READ_HERE, local_path
from ..derived.picture_files import read_picture
from ..derived.pictures import deep_levels, webp
from ..live_work import live_work
from .film_live import PROBE

# The photo that the page shows is at most this wide; the network sees it at full size.
SHOWN = 512
LEVELS = 255


def photo_facts(film: xr.Dataset, probe: Any, image: Any, dimensions: Sequence[int]) -> dict[str, Any]:
    """The photo, and by dimension, row and column its coordinate as a byte between `low` and `high`.

    Raises
    ------
    ValueError
        If there is no probe, the film is not the probe's or has no linear fit, or `image` is no picture.
    TypeError
        If `probe` is something else.
    """
    if probe is None:
        raise ValueError(
            "image can only be placed by the network; give probe=, the layer that the film was made for"
        )
    picture = _pixels(image)
    found = live_work(probe, PROBE).places(film, picture)
    places = found.coordinates[list(dimensions)]
    rows, columns = places.shape[1:]
    low, high = places.min((1, 2)), places.max((1, 2))
    span = np.where(high > low, high - low, 1)[:, None, None]
    quantized = np.round((places - low[:, None, None]) / span * LEVELS).astype(np.uint8)
    shown = Image.fromarray(picture)
    shown.thumbnail((SHOWN, SHOWN), Image.Resampling.LANCZOS)
    return {
        "image": webp(np.asarray(shown)),
        "width": picture.shape[1],
        "height": picture.shape[0],
        "rows": rows,
        "columns": columns,
        "step": list(found.step),
        "low": [float(f"{v:.5g}") for v in low],
        "high": [float(f"{v:.5g}") for v in high],
        "places": quantized.tobytes(),
    }


def _of_pillow(image: Image.Image, name: str) -> np.ndarray:
    """`(H, W, 3)` uint8, or `(3, H, W)` floats of a picture of more than 8 bits."""
    levels = deep_levels(image, name)
    return np.array(image.convert("RGB")) if levels is None else np.repeat(levels[None], 3, axis=0)


def _pixels(image: Any) -> np.ndarray:
    """`(H, W, 3)` uint8 of whatever was given."""
    if isinstance(image, str | os.PathLike):
        try:
            opened = read_picture(local_path(image, "the photo", READ_HERE))
        except FileNotFoundError:
            raise FileNotFoundError(f"there is no photo at {image}; give a file that exists") from None
        # Upright by its EXIF orientation, like the zoo's images.
        image = _of_pillow(ImageOps.exif_transpose(opened), str(image))
    elif isinstance(image, Image.Image):
        image = _of_pillow(image, "image")
    values = np.asarray(image.detach().cpu() if hasattr(image, "detach") else image)
    if values.ndim == 4 and len(values) == 1:
        values = values[0]
    if values.ndim == 3 and values.dtype == np.uint8 and values.shape[2] == 3:
        return np.ascontiguousarray(values)
    if values.ndim == 3 and values.dtype.kind == "f" and values.shape[0] == 3:
        if not (np.isfinite(values).all() and values.min() >= -1e-4 and values.max() <= 1 + 1e-4):
            raise ValueError("image holds values outside [0, 1]; divide by 255, or undo its normalization")
        return np.ascontiguousarray(np.round(np.moveaxis(values, 0, -1).clip(0, 1) * 255).astype(np.uint8))
    raise ValueError(
        f"image has shape {values.shape} and dtype {values.dtype}; give a file, a Pillow image, (H, W, 3) uint8 or "
        "(3, H, W) float in [0, 1]"
    )
