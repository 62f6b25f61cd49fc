"""One picture in any form, as a float tensor of the size asked for.

In: a PIL image, an array or a tensor of one image, or an image file. Out: `(3, H, W)` float32 in [0, 1],
resized on the short side and center-cropped.
"""

import mimetypes
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor

from tunewidgets._checks import a_type
from tunewidgets.derived.picture_files import read_picture
from tunewidgets.derived.pictures import deep_levels

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
# Images too, but Pillow reads them only in some versions, or with a plugin.
SOMETIMES = (".avif", ".heic", ".heif", ".jfif", ".jp2", ".jpe", ".jxl", ".tga", ".pbm", ".pnm", ".ico")
# How far outside [0, 1] values may be: without a word, as rounding leaves them; and with one, as resizing does.
ROUNDING, BEYOND = 1e-4, 1.001e-3


def readable_suffixes() -> frozenset[str]:
    """The suffixes of image files that can be read here, lower case."""
    readers = {suffix for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    return frozenset({*SUFFIXES, *readers.intersection(SOMETIMES)})


def is_image_file(path: Path) -> bool:
    """Whether a file is an image by its name, readable here or not."""
    kind, _ = mimetypes.guess_type(path.name)
    return path.suffix.lower() in (*SUFFIXES, *SOMETIMES) or (kind or "").startswith("image/")


def to_picture(value: Any, size: int | None, name: str) -> Tensor:
    """`value` as `(3, size, size)` float32 in [0, 1].

    Parameters
    ----------
    value : PIL.Image.Image, ndarray or Tensor
        Gray or RGB, channels first or last; an alpha channel is dropped. 8-bit values are divided by 255.
    size : int or None
        Side in pixels; None leaves height and width as they are.
    name : str
        What the picture is called in errors, such as "image 3".

    Raises
    ------
    TypeError, ValueError
        If it is no image, holds NaN, or holds values outside [0, 1].

    Examples
    --------
    >>> to_picture(np.full((20, 30), 255, np.uint8), size=8, name="image 0").shape
    torch.Size([3, 8, 8])
    """
    if isinstance(value, Image.Image):
        try:
            value.load()  # as Pillow reads a file only when its pixels are asked for
        except (OSError, SyntaxError, ValueError) as error:
            raise ValueError(f"{name} can't be read ({error}); repair its file or take it out") from error
        return _from_pil(value, size, name)
    if not isinstance(value, np.ndarray | Tensor):
        raise TypeError(f"{name} is {a_type(value)}; give PIL images, arrays or tensors")
    _check_has_values(value, name)
    channels_first = isinstance(value, Tensor)
    tensor = (
        torch.from_numpy(np.ascontiguousarray(value))
        if isinstance(value, np.ndarray)
        else value.detach().cpu()
    )
    return fit(_rgb(in_unit_range(tensor, name), channels_first, name), size)


def open_picture(path: Path, size: int | None) -> Tensor:
    """`to_picture` for an image file, upright by its EXIF orientation.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file can't be read as an image.
    """
    image = read_picture(path, size)
    # In place, since a copy would not know which format it comes from.
    ImageOps.exif_transpose(image, in_place=True)
    return _from_pil(image, size, str(path))


def in_unit_range(tensor: Tensor, name: str) -> Tensor:
    """Pixel values as float32 in [0, 1]; `name` is what a `ValueError` calls them."""
    _check_has_values(tensor, name)
    if tensor.dtype == torch.uint8:
        return tensor.float() / 255
    if tensor.dtype == torch.bool:
        return tensor.float()
    if not tensor.dtype.is_floating_point:
        kind = str(tensor.dtype).removeprefix("torch.")
        raise ValueError(f"{name} is of dtype {kind}; give uint8, or floats in [0, 1]")
    if tensor.numel() == 0:
        raise ValueError(f"{name} has shape {tuple(tensor.shape)} and so no pixels; give one that has some")
    low, high = (float(v) for v in torch.aminmax(tensor))
    if not (low == low and high == high):
        raise ValueError(f"{name} holds NaN; repair it or take it out")
    outside = max(-low, high - 1)
    if outside > BEYOND:
        remedy = (
            "divide by 255"
            if low >= -BEYOND and high > 2
            else "undo the normalization, the probe does its own"
        )
        raise ValueError(f"{name} ranges from {low:.5g} to {high:.5g}, not within [0, 1]; {remedy}")
    if outside > ROUNDING:
        warnings.warn(
            "images hold values up to 0.001 outside [0, 1], as resizing leaves them, and are clipped to [0, 1]; clip "
            "them yourself if that is meant",
            stacklevel=3,
        )
    return tensor.float().clamp(0, 1)


def _check_has_values(image: Any, name: str) -> None:
    if isinstance(image, Tensor) and image.is_meta:
        raise ValueError(f"{name} is on the meta device and so has no values; give one that has")


def fit(picture: Tensor, size: int | None) -> Tensor:
    """`(..., 3, H, W)` resized so that the short side is `size`, then the middle square of it."""
    height, width = picture.shape[-2:]
    if size is None or height == width == size:
        return picture
    scaled = _scaled(height, width, size)
    if scaled != (height, width):
        batch = picture.reshape(-1, 3, height, width)
        batch = F.interpolate(batch, scaled, mode="bilinear", antialias=True, align_corners=False)
        picture = batch.clamp_(0, 1).reshape(*picture.shape[:-2], *scaled)
    top, left = _middle(*scaled, size)
    return picture[..., top : top + size, left : left + size]


def _scaled(height: int, width: int, size: int) -> tuple[int, int]:
    scale = size / min(height, width)
    return max(size, round(height * scale)), max(size, round(width * scale))


def _middle(height: int, width: int, size: int) -> tuple[int, int]:
    return (height - size) // 2, (width - size) // 2


def _from_pil(image: Image.Image, size: int | None, name: str) -> Tensor:
    levels = deep_levels(image, name)
    if levels is not None:
        return fit(in_unit_range(torch.from_numpy(levels), name).expand(3, -1, -1), size)
    image = image.convert("RGB")
    if size is not None:
        height, width = _scaled(image.height, image.width, size)
        image = image.resize((width, height), Image.Resampling.BILINEAR)
        top, left = _middle(height, width, size)
        image = image.crop((left, top, left + size, top + size))
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


def _rgb(image: Tensor, channels_first: bool, name: str) -> Tensor:
    """One image with its 3 channels in front; where both ends could be channels, `channels_first` decides."""
    if image.ndim == 2:
        return image.expand(3, -1, -1)
    if image.ndim == 3:
        first, last = image.shape[0] in (1, 3, 4), image.shape[-1] in (1, 3, 4)
        if first or last:
            if not (first and (channels_first or not last)):
                image = image.permute(2, 0, 1)
            return image.expand(3, -1, -1) if image.shape[0] == 1 else image[:3]
    raise ValueError(
        f"{name} has shape {tuple(image.shape)}; "
        "give (3, height, width), (height, width, 3) or (height, width)"
    )
