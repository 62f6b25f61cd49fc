"""Pictures: many small images arranged as one, images as encoded bytes, and the levels of those with more than 8 bits.

In: uint8 arrays from a record, or a Pillow image. Out: mosaics, WebP or PNG bytes, data addresses, levels. Widgets,
still pictures and figures all arrange and encode images here; needs only NumPy and Pillow.
"""

import base64
import io
import math
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["data_uri", "deep_levels", "mosaic", "png", "square_columns", "webp"]

Pixels = NDArray[np.uint8]
# Of 16 bits: pictures whose levels end below this are almost black, mostly since they have 12 bits or fewer.
DIM = 4096


def square_columns(count: int) -> int:
    """How many images per row make a mosaic of `count` images about square.

    Examples
    --------
    >>> square_columns(32)
    6
    """
    return max(1, math.ceil(math.sqrt(count)))


def mosaic(images: Pixels, columns: int | None = None, gap: int = 0) -> Pixels:
    """Arrange images of one size in rows, in reading order; gaps and leftover cells are white.

    Parameters
    ----------
    images : (N, H, W, 3) uint8 array
        The images, at least one.
    columns : int, optional
        Images per row; by default as many as make it about square.
    gap : int
        Pixels between neighbors.

    Returns
    -------
    (rows·H + gaps, columns·W + gaps, 3) uint8 array

    Raises
    ------
    ValueError
        If `images` is not a non-empty stack of color images.

    Examples
    --------
    >>> import numpy as np
    >>> mosaic(np.zeros((5, 8, 8, 3), np.uint8), columns=3, gap=1).shape
    (17, 26, 3)
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 3 or len(images) == 0:
        raise ValueError(
            f"a mosaic is made of images of shape (N, height, width, 3); got {images.shape}; "
            "take them from a record's image variable"
        )
    count, height, width, _ = images.shape
    columns = square_columns(count) if columns is None else columns
    rows = math.ceil(count / columns)
    tiles = np.full((rows * columns, height + gap, width + gap, 3), 255, np.uint8)
    tiles[:count, :height, :width] = images
    grid = tiles.reshape(rows, columns, height + gap, width + gap, 3).swapaxes(1, 2)
    grid = grid.reshape(rows * (height + gap), columns * (width + gap), 3)
    return np.ascontiguousarray(grid[: len(grid) - gap or None, : grid.shape[1] - gap or None])


def webp(image: Pixels, quality: int = 90) -> bytes:
    """Encode an (H, W, 3) uint8 image as lossy WebP."""
    target = io.BytesIO()
    Image.fromarray(image).save(target, "webp", quality=quality, method=4)
    return target.getvalue()


def png(image: Pixels | Image.Image) -> bytes:
    """Encode an image as PNG, fast rather than as small as possible."""
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    target = io.BytesIO()
    picture.save(target, "png", compress_level=3)
    return target.getvalue()


def data_uri(encoded: bytes, kind: str) -> str:
    """Encoded bytes as an address that needs no file: `data:image/<kind>;base64,…`.

    Examples
    --------
    >>> data_uri(b"abc", "png")
    'data:image/png;base64,YWJj'
    """
    return f"data:image/{kind};base64,{base64.b64encode(encoded).decode('ascii')}"


def deep_levels(image: Image.Image, name: str) -> np.ndarray | None:
    """The levels `(H, W)` float32 of a gray picture of more than 8 bits, which Pillow's own conversion would clip.

    Whole numbers of 16 bits are divided by 65,535; floats come as they are. Whole numbers of no known depth, Pillow's
    mode I, are divided by 255 where none is larger, else by 65,535. None for any other picture, which Pillow converts
    right. `name` is what a ValueError calls it.

    Warns
    -----
    UserWarning
        The depth is a guess, or the picture is almost black at its own.

    Examples
    --------
    >>> from PIL import Image
    >>> deep_levels(Image.fromarray(np.array([[0, 65535]], np.uint16)), "image").tolist()
    [[0.0, 1.0]]
    >>> deep_levels(Image.fromarray(np.array([[0, 65535]], np.int32)), "image").tolist()
    [[0.0, 1.0]]
    >>> deep_levels(Image.new("L", (2, 1)), "image") is None
    True
    """
    if image.mode == "F":
        return np.array(image)
    if not image.mode.startswith("I"):
        return None
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError(
            f"{name} holds whole numbers from {values.min()} to {values.max()}, which no image of 16 bits does; "
            "give an array of floats in [0, 1]"
        )
    largest = _largest_level(image, int(values.max()))
    return (values / np.float32(largest)).astype(np.float32)


def _largest_level(image: Image.Image, brightest: int) -> int:
    """The level of white in a picture of whole numbers."""
    # Pillow gives files of 16 bits in mode I too, in all of their range.
    is_known = image.mode != "I" or image.format in ("PNG", "PPM")
    if not is_known and 0 < brightest <= 255:
        # No picture is named, so that the same is said once for many.
        warnings.warn(
            "a picture of whole numbers (Pillow's mode I) has no level above 255, so its levels are taken for those of "
            "8 bits; convert it to mode L if they are, or to I;16 if they go up to 65,535",
            stacklevel=5,
        )
        return 255
    if 0 < brightest < DIM:
        warnings.warn(
            "a picture of 16 bits has no level above 4,095 of 65,535 and so is almost black; if its levels are of 12 "
            "bits or fewer, multiply them, by 16 for 12 bits",
            stacklevel=5,
        )
    return 65535
