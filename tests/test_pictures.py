"""Pictures: mosaics put every image where it belongs, and encoding keeps it."""

import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tunewidgets.derived.pictures import data_uri, mosaic, png, square_columns, webp


@given(count=st.integers(1, 20), columns=st.integers(1, 6), gap=st.integers(0, 3))
def test_every_image_is_in_its_place(count, columns, gap):
    images = np.random.default_rng(0).integers(0, 255, (count, 3, 4, 3), dtype=np.uint8)
    whole = mosaic(images, columns, gap)
    rows = -(-count // columns)
    assert whole.shape == (rows * 3 + (rows - 1) * gap, columns * 4 + (columns - 1) * gap, 3)
    left = np.ones(whole.shape[:2], bool)
    for at, image in enumerate(images):
        y, x = (at // columns) * (3 + gap), (at % columns) * (4 + gap)
        np.testing.assert_array_equal(whole[y : y + 3, x : x + 4], image)
        left[y : y + 3, x : x + 4] = False
    assert (whole[left] == 255).all()


@pytest.mark.parametrize("shape", [(0, 4, 4, 3), (4, 4, 3), (2, 4, 4, 1)])
def test_only_color_images(shape):
    with pytest.raises(ValueError, match="images of shape"):
        mosaic(np.zeros(shape, np.uint8))


def test_square():
    assert [square_columns(n) for n in (1, 2, 4, 5, 32, 36)] == [1, 2, 2, 3, 6, 6]


def test_encoding_keeps_the_image():
    y, x = np.mgrid[:48, :64]
    image = np.stack([4 * x, 5 * y, 255 - 3 * x], -1).clip(0, 255).astype(np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png(image)))), image)
    back = np.asarray(Image.open(io.BytesIO(webp(image))).convert("RGB"), float)
    assert np.abs(back - image).mean() < 4
    kind, _, encoded = data_uri(webp(image), "webp").partition(",")
    assert kind == "data:image/webp;base64"
    assert base64.b64decode(encoded) == webp(image)
