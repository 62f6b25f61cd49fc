"""What a program can say of pictures: gray, of one color, burnt out, fine-grained, and recognized by a network.

In: uint8 pictures `(N, H, W, 3)`, or a network's scores of them. Out: one value a picture.
"""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

# Spatial standard deviation, mean of the channels, under which an eye sees nothing but gray.
GRAY = 0.03
# Values this near to 0 and 1 count as burnt out.
CLIPPED = 0.02
# Levels of a channel that count as one color.
LEVELS = 32
# Half of the Nyquist frequency, cycles per pixel.
HALF_NYQUIST = 0.25


def evenly(count: int, n: int) -> list[int]:
    """`n` of `range(count)`, evenly spread from 0 on."""
    return [i * count // n for i in range(n)]


def gray(pictures: np.ndarray) -> np.ndarray:
    """Whether a picture hardly varies over its positions."""
    return (pictures / 255).std(axis=(1, 2)).mean(axis=-1) < GRAY


def one_color(pictures: np.ndarray) -> np.ndarray:
    """Whether more than half of a picture's pixels share one cell of a grid of 32 levels a channel."""
    side = 256 // LEVELS
    cells = (pictures // LEVELS).astype(int) @ [side * side, side, 1]
    return np.array([np.bincount(own.ravel()).max() / own.size > 0.5 for own in cells])


def clipped(pictures: np.ndarray) -> np.ndarray:
    """Share of a picture's values at the ends of their range."""
    shares = pictures / 255
    return ((shares < CLIPPED) | (shares > 1 - CLIPPED)).mean(axis=(1, 2, 3))


def spectral_energy(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Energy above half the Nyquist frequency, and all of it but the mean's, of the pictures' brightness."""
    brightness = pictures.mean(-1)
    power = np.abs(np.fft.fft2(brightness - brightness.mean((1, 2), keepdims=True))) ** 2
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(n) for n in pictures.shape[1:3]], indexing="ij"))
    return power[:, frequency > HALF_NYQUIST].sum(-1), power.sum((1, 2))


def fine_share(pictures: np.ndarray) -> np.ndarray:
    """Share of each picture's energy above half the Nyquist frequency; 0 where it has none."""
    fine, whole = spectral_energy(pictures)
    return np.divide(fine, whole, out=np.zeros_like(whole), where=whole > 0)


def ranks(scores: Tensor, own: Tensor) -> Tensor:
    """How many other classes score at least as high as a picture's own, for `(N, classes)` scores.

    A tie counts against the picture: where a network's scores end in a rectifier, most classes share the score 0.
    """
    mine = scores.gather(1, own[:, None])
    return (scores >= mine).sum(1) - 1


def mean_magnitude(photographs: Iterable[Tensor], mean: Tensor, colors: Tensor) -> np.ndarray:
    """Mean magnitude of the half spectrum of photographs `(N, 3, H, W)`, float32 `(3, H, W // 2 + 1)`.

    Less their mean color `(3,)`, which would be the spectrum's zero frequency, and in the decorrelated colors from
    which `colors` `(3, 3)` makes RGB: row vectors times the matrix.
    """
    total, count = torch.zeros(()), 0
    back = torch.linalg.inv(colors)
    for batch in photographs:
        plain = torch.einsum("nchw,cd->ndhw", batch - mean[:, None, None], back)
        total = total + torch.fft.rfft2(plain).abs().sum(0)
        count += len(batch)
    return (total / count).numpy()
