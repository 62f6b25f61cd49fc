"""Readout of frequency, angle and phase from pictures alone: a witness that knows nothing of the filters.

In: pictures of textures. Out: for each the six numbers that `reading.attributes` has for a filter, from its spectrum
and from the skewness of its luminance and of its edges.
"""

import numpy as np

from tunewidgets.zoo.gabor import LUMINANCE

BAND = (0.06, 0.36)  # cycles/px, a little more than the bank's filters have


def image_readout(images: np.ndarray, band: tuple[float, float] = BAND) -> np.ndarray:
    """Mean log2 frequency, orientation and polarity of pictures.

    Frequency and angle are means over the band-passed power spectrum: of log2 f, and of cos 2θ and sin 2θ with θ the
    direction of the wave. Polarity is the third moment of the band-passed luminance, positive for bright lines on
    dark, and that of its gradient (of `|g|² g`, turned around), positive along x where edges fall to the right: for one
    filter these are what cos ψ, sin ψ cos θ and sin ψ sin θ say, in units of their own.

    Parameters
    ----------
    images : ndarray, (..., height, width, 3)
        uint8, or float in [0, 1]; taken as tiles that repeat.
    band : pair of float
        Cycles/px.

    Returns
    -------
    ndarray, (..., 6) float64
        A picture without any power in the band gets the middle of the band, and 0 for the rest.

    Raises
    ------
    ValueError
        If pictures are too small for the band to hold a frequency.

    Examples
    --------
    >>> x = np.arange(64)
    >>> grating = 0.5 + 0.2 * np.cos(2 * np.pi * x / 8) * np.ones((64, 1))
    >>> read = image_readout(np.repeat(grating[:, :, None], 3, axis=2))
    >>> float(2 ** read[0]), (read[1:3].round(3) + 0).tolist()
    (0.125, [1.0, 0.0])
    """
    pixels = images / 255 if images.dtype == np.uint8 else np.asarray(images, dtype=float)
    gray = pixels @ np.array(LUMINANCE)
    height, width = gray.shape[-2:]
    v, u = np.meshgrid(np.fft.fftfreq(height), np.fft.fftfreq(width), indexing="ij")
    frequency = np.hypot(u, v)
    inside = (frequency >= band[0]) & (frequency <= band[1])
    if not inside.any():
        raise ValueError(
            f"pictures of {width} × {height} px hold no frequency between {band[0]} and {band[1]} cycles/px; "
            "give larger ones"
        )
    spectrum = np.where(inside, np.fft.fft2(gray), 0)
    power = np.abs(spectrum) ** 2
    total = power.sum(axis=(-2, -1), keepdims=True)
    silent = total[..., 0, 0] <= 1e-12 * height * width
    share = np.divide(power, total, out=np.zeros_like(power), where=total > 0)
    angle = np.arctan2(v, u)
    logs = np.log2(np.where(inside, frequency, 1))
    even = _skewness(np.fft.ifft2(spectrum).real[..., None])[..., 0]
    slopes = [np.fft.ifft2(2j * np.pi * along * spectrum).real for along in (u, v)]
    odd = -_skewness(np.stack(slopes, axis=-1))
    read = np.stack(
        [
            (share * logs).sum(axis=(-2, -1)),
            (share * np.cos(2 * angle)).sum(axis=(-2, -1)),
            (share * np.sin(2 * angle)).sum(axis=(-2, -1)),
            even,
            odd[..., 0],
            odd[..., 1],
        ],
        axis=-1,
    )
    read[silent] = [np.log2(np.sqrt(band[0] * band[1])), 0, 0, 0, 0, 0]
    return read


def _skewness(field: np.ndarray) -> np.ndarray:
    """E[|g|² g] / E[|g|²]^1.5 of fields `(..., height, width, columns)` → `(..., columns)`."""
    squared = (field**2).sum(axis=-1)
    third = (squared[..., None] * field).mean(axis=(-3, -2))
    size = squared.mean(axis=(-2, -1))[..., None] ** 1.5
    return np.divide(third, size, out=np.zeros_like(third), where=size > 1e-18)
