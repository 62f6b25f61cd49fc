"""Pictures as WebP, which takes a tenth of the room that pixels do, and shows a little less.

In: pictures, uint8 `(..., H, W, 3)`. Out: bytes, and from them pictures that look the same. Each stands for itself:
what lies beside a picture does not show in it.
"""

import io
import math

import numpy as np
from PIL import Image

CODEC = "tunewidgets.webp"
"""What a record calls this way to store pictures."""
COUNT = 4  # bytes of a number, the lowest first


def packed(pictures: np.ndarray, quality: int) -> bytes:
    """The length of each picture's WebP, then the WebPs."""
    encoded = []
    for picture in pictures.reshape(-1, *pictures.shape[-3:]):
        target = io.BytesIO()
        # The slowest of its methods: made once, read often.
        Image.fromarray(picture).save(target, "webp", quality=quality, method=6)
        encoded.append(target.getvalue())
    return np.array([len(each) for each in encoded], "<u4").tobytes() + b"".join(encoded)


def unpacked(encoded: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """The pictures, uint8, in `shape`.

    Raises
    ------
    ValueError
        If the bytes are not those of so many pictures of this size.
    """
    count = math.prod(shape[:-3])
    start, pictures = count * COUNT, []
    for length in np.frombuffer(encoded[:start], "<u4").tolist():
        try:
            with Image.open(io.BytesIO(encoded[start : start + length]), formats=["webp"]) as picture:
                pictures.append(np.asarray(picture.convert("RGB")))
        except OSError as error:
            raise ValueError(f"a picture can't be read: {error}") from error
        start += length
    if len(pictures) != count or any(picture.shape != shape[-3:] for picture in pictures):
        raise ValueError(f"these are not {count} pictures of the shape {shape[-3:]}")
    return np.stack(pictures).reshape(shape)
