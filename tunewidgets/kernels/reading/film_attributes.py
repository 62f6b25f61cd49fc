"""What a film's pictures say about the seven attributes that early dimensions of a color network may stand for.

In: pictures along dimensions. Out: for each attribute a curve, and how far it goes. *Identifying and interpreting
tuning dimensions in deep networks*, Table 2, whose marks were given by eye.
"""

from collections.abc import Callable, Mapping

import numpy as np

from tunewidgets.kernels.reading.image_readout import image_readout
from tunewidgets.kernels.reading.opponent_colors import AXES, opposition
from tunewidgets.kernels.reading.readout import smoothness, sweep

# Columns of `image_readout`.
TEXTURES = {"frequency": slice(0, 1), "angle": slice(1, 3), "phase": slice(3, 6)}
FILM_ATTRIBUTES = (*TEXTURES, *AXES)
Measure = Callable[[np.ndarray], np.ndarray]
# Waves longer than this share of the picture are shading, and those near the Nyquist frequency are noise.
LONGEST, HIGHEST = 0.5, 0.4


def attribute_curves(pictures: np.ndarray) -> dict[str, np.ndarray]:
    """What pictures say about each attribute.

    Of the luminance between 2 waves per picture and .4 cycles/px, weighted by power: `frequency` is the mean log2
    frequency, `angle` the mean of (cos 2θ, sin 2θ), `phase` the polarity of lines and of edges (`image_readout`). The
    colors are, for each axis of opponent hues, the picture's position on it and how much it holds of both hues at once
    (`opposition`), in OKLab's units of chroma.

    Parameters
    ----------
    pictures : ndarray, (..., height, width, 3)
        uint8, or float in [0, 1].

    Returns
    -------
    dict of str to ndarray, (..., columns)
        By the names of `FILM_ATTRIBUTES`; 1, 2, 3 and four times 2 columns.
    """
    lowest = 1 / (LONGEST * min(pictures.shape[-3:-1]))
    textures = image_readout(pictures, (lowest, HIGHEST))
    colors = opposition(pictures)
    curves = {name: textures[..., columns] for name, columns in TEXTURES.items()}
    return curves | {name: colors[..., at, :] for at, name in enumerate(AXES)}


def attribute_sweeps(curves: Mapping[str, np.ndarray]) -> np.ndarray:
    """How far each attribute goes along curves `(..., points, columns)`: `(..., attribute)`.

    Both hues of a color axis must take part. Either pictures go from one to the other (of the position counts what lies
    on both sides of neutral, twice the shorter side: from gray to blue is no orange/blue), or their contrast grows.
    """
    return _of_each(curves, sweep, lambda curve: _opposed(curve).max(axis=-1))


def attribute_smoothnesses(curves: Mapping[str, np.ndarray]) -> np.ndarray:
    """How straight each attribute goes there, `(..., attribute)`: 1 for a straight line.

    For a color axis, by position or by contrast, whichever goes farther.
    """
    return _of_each(
        curves,
        smoothness,
        lambda curve: np.where(
            _opposed(curve).argmax(axis=-1) == 0, smoothness(curve[..., :1]), smoothness(curve[..., 1:])
        ),
    )


def two_sided(line: np.ndarray) -> np.ndarray:
    """Twice the shorter of the ways to both sides of 0, `(..., points)` → `(...)`; 0 for a line on one side."""
    return np.maximum(2 * np.minimum(line.max(axis=-1), -line.min(axis=-1)), 0)


def _opposed(curve: np.ndarray) -> np.ndarray:
    """How far position and contrast go, `(..., points, 2)` → `(..., 2)`."""
    return np.stack([two_sided(curve[..., 0]), np.ptp(curve[..., 1], axis=-1)], axis=-1)


def _of_each(curves: Mapping[str, np.ndarray], of_texture: Measure, of_color: Measure) -> np.ndarray:
    return np.stack(
        [(of_color if name in AXES else of_texture)(curves[name]) for name in FILM_ATTRIBUTES], axis=-1
    )
