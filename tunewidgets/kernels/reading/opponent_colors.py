"""Opponent colors of pictures: how much of a picture is orange, how much blue, and so on.

In: pictures. Out: for each the amount of five hues; its position along pairs of them, and how far it holds both. The
color space is OKLab (Ottosson 2020), in which blue stays blue as it pales, which it doesn't in CIELAB.
"""

from typing import NamedTuple

import numpy as np

# The CSS colors of these names, in the order of their hues; Table 2's, so that yellow lies between orange and green.
HUES = {
    "red": (255, 0, 0),
    "orange": (255, 165, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
    "purple": (128, 0, 128),
}


class Axis(NamedTuple):
    """A pair of hues: the negative end and the positive end."""

    low: str
    high: str


AXES = {
    "green/purple": Axis("green", "purple"),
    "orange/blue": Axis("orange", "blue"),
    "green/red": Axis("green", "red"),
    "blue/red": Axis("blue", "red"),
}
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def oklab(colors: np.ndarray) -> np.ndarray:
    """OKLab's L, a and b of sRGB colors `(..., 3)`, uint8 or float in [0, 1].

    References
    ----------
    B. Ottosson, *A perceptual color space for image processing*, 2020.

    Examples
    --------
    >>> (oklab(np.array([1.0, 1.0, 1.0])).round(3) + 0).tolist()
    [1.0, 0.0, 0.0]
    """
    values = colors / 255 if colors.dtype == np.uint8 else np.asarray(colors, dtype=float)
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T)


def hue_amounts(pictures: np.ndarray) -> np.ndarray:
    """How much of each of `HUES` pictures hold.

    A pixel's chroma is shared between the two hues that lie next to its own on the circle, by how near they are; a
    picture's amounts are means over its pixels. They add up to its mean chroma.

    Parameters
    ----------
    pictures : ndarray, (..., height, width, 3)
        uint8, or float in [0, 1].

    Returns
    -------
    ndarray, (..., 5) float64
        In OKLab's units of chroma; sRGB's pure blue has .31.

    Examples
    --------
    >>> blue = np.zeros((2, 2, 3), np.uint8) + np.array([0, 0, 255], np.uint8)
    >>> dict(zip(HUES, hue_amounts(blue).round(2).tolist()))["blue"]
    0.31
    """
    lab = oklab(pictures)
    chroma, hue = np.hypot(lab[..., 1], lab[..., 2]), _hue(lab)
    anchors = _hue(oklab(np.array(list(HUES.values()), np.uint8)))
    around = np.append(anchors, anchors[0] + 2 * np.pi)
    # The circle is cut open at red, the first anchor.
    place = np.interp(anchors[0] + (hue - anchors[0]) % (2 * np.pi), around, np.arange(len(around)))
    amounts = [
        (chroma * np.clip(1 - np.abs(_from(place - index, len(anchors))), 0, 1)).mean(axis=(-2, -1))
        for index in range(len(anchors))
    ]
    return np.stack(amounts, axis=-1)


def opposition(pictures: np.ndarray) -> np.ndarray:
    """Where pictures lie along each of `AXES`, and how much they hold of both its hues at once.

    Parameters
    ----------
    pictures : ndarray, (..., height, width, 3)
        uint8, or float in [0, 1].

    Returns
    -------
    ndarray, (..., 4, 2) float64
        By axis: the amount of its second hue less that of its first; and twice the smaller of the two, the contrast of
        a picture that is half one and half the other.
    """
    amounts, names = hue_amounts(pictures), list(HUES)
    low, high = (
        np.stack([amounts[..., names.index(axis[end])] for axis in AXES.values()], axis=-1) for end in (0, 1)
    )
    return np.stack([high - low, 2 * np.minimum(low, high)], axis=-1)


def _hue(lab: np.ndarray) -> np.ndarray:
    """Angle from 0 to 2π."""
    return np.asarray(np.arctan2(lab[..., 2], lab[..., 1]) % (2 * np.pi))


def _from(difference: np.ndarray, around: int) -> np.ndarray:
    """The same difference the short way around."""
    return (difference + around / 2) % around - around / 2
