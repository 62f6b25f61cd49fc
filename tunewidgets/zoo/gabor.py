"""A bank of Gabor filters: a one-layer network of known tuning, to test a method on.

In: how many filters, their size and the ranges of their parameters. Out: an `nn.Module` from RGB images in
[0, 1] to rectified responses, with the parameters of every filter in `attributes`.
"""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from tunewidgets._checks import allocating, check_flags, is_number, is_whole

if TYPE_CHECKING:
    import pandas as pd

LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601


class GaborBank(nn.Sequential):
    """`luminance` → `filters` → `relu`; made by `gabor_bank`.

    Attributes
    ----------
    attributes : pandas.DataFrame
        One row per filter: `frequency` in cycles/px, `angle` of the wave vector and `phase` in radians.
    """

    attributes: "pd.DataFrame"
    luminance: nn.Conv2d
    filters: nn.Conv2d
    relu: nn.ReLU

    @staticmethod
    def preprocess(images: Tensor) -> Tensor:
        """The images unchanged: the bank takes them in [0, 1]."""
        return images


def gabor_bank(
    n: int = 28,
    seed: int = 0,
    size: int = 7,
    stride: int = 2,
    frequency: tuple[float, float] = (0.08, 0.32),
    sigma: float = 2.0,
    gamma: float = 1.0,
    zero_mean: bool = True,
) -> GaborBank:
    """A bank of Gabor filters with random frequencies, angles and phases.

    Filter: `exp(-(x'² + γ² y'²) / 2σ²) · cos(2π f x' + ψ)` with `x' = x cos θ + y sin θ`, x to the right and y downward
    in pixels; of unit L2 norm, without bias, applied without padding to the image's luminance.

    Parameters
    ----------
    n : int, default 28
        Number of filters.
    seed : int, default 0
        Decides the parameters: f uniform in `frequency`, θ in [0, π), ψ in [0, 2π).
    size, stride : int, default 7 and 2
        Side of a filter, and the step between its positions, in pixels.
    frequency : pair of float, default (0.08, 0.32)
        Range of f in cycles/px; below about half a cycle per filter nothing of the wave is left in it.
    sigma, gamma : float, default 2 and 1
        Width of the envelope in pixels, and its aspect ratio.
    zero_mean : bool, default True
        Subtract the scaled envelope, so that a filter gives 0 on a uniform image. Without it the first
        principal component of the responses is luminance.

    Returns
    -------
    GaborBank
        Images `(N, 3, H, W)` in [0, 1] → `(N, n, h, w)`; layers `luminance`, `filters`, `relu`; in evaluation
        mode.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    MemoryError
        If there is not enough memory for the filters.

    References
    ----------
    *Identifying and interpreting tuning dimensions in deep networks*, the Gabor filter bank.

    Examples
    --------
    >>> bank = gabor_bank()
    >>> bank(torch.rand(2, 3, 64, 64)).shape
    torch.Size([2, 28, 29, 29])
    >>> list(bank.attributes)
    ['frequency', 'angle', 'phase']
    """
    check_flags(zero_mean=zero_mean)
    import pandas as pd

    for name, value, least in (("n", n, 1), ("seed", seed, 0), ("size", size, 3), ("stride", stride, 1)):
        if not is_whole(value, least):
            raise ValueError(f"{name}={value!r} makes no Gabor bank; give a whole number from {least}")
    pair = list(frequency) if isinstance(frequency, Iterable) else []
    if not (len(pair) == 2 and all(map(is_number, pair)) and 0 < pair[0] <= pair[1] <= 0.5):
        raise ValueError(
            f"frequency={frequency!r} is no range of frequencies; "
            "give (low, high) in cycles/px with 0 < low <= high <= 0.5"
        )
    if not all(is_number(value) and 0 < value < math.inf for value in (sigma, gamma)):
        raise ValueError(f"sigma={sigma!r} and gamma={gamma!r} shape no envelope; give numbers above 0")
    rng = np.random.default_rng(seed)
    attributes = pd.DataFrame(
        {
            "frequency": rng.uniform(pair[0], pair[1], n),
            "angle": rng.uniform(0, math.pi, n),
            "phase": rng.uniform(0, 2 * math.pi, n),
        },
        index=pd.RangeIndex(n, name="unit"),
    )
    with allocating(f"{n} filters of {size} px a side", "give fewer or smaller ones"):
        kernels = _kernels(*attributes.to_numpy().T, size=size, sigma=sigma, gamma=gamma, zero_mean=zero_mean)

    bank = GaborBank()
    # One luminance channel first: a third of the arithmetic of filters that see three channels.
    bank.luminance = nn.Conv2d(3, 1, 1, bias=False)
    bank.filters = nn.Conv2d(1, n, size, stride, bias=False)
    bank.relu = nn.ReLU()
    with torch.no_grad():
        bank.luminance.weight.copy_(torch.tensor(LUMINANCE).view(1, 3, 1, 1))
        bank.filters.weight.copy_(torch.from_numpy(kernels).unsqueeze(1))
    bank.attributes = attributes
    return bank.eval()


def _kernels(
    frequency: np.ndarray,
    angle: np.ndarray,
    phase: np.ndarray,
    *,
    size: int,
    sigma: float,
    gamma: float,
    zero_mean: bool,
) -> np.ndarray:
    """`(n, size, size)` float64 filters of unit norm, rows are y."""
    axis = np.arange(size) - (size - 1) / 2
    y, x = np.meshgrid(axis, axis, indexing="ij")
    f, theta, psi = (values[:, None, None] for values in (frequency, angle, phase))
    along = x * np.cos(theta) + y * np.sin(theta)
    across = -x * np.sin(theta) + y * np.cos(theta)
    envelope = np.exp(-(along**2 + (gamma * across) ** 2) / (2 * sigma**2))
    kernels = envelope * np.cos(2 * np.pi * f * along + psi)
    if zero_mean:
        total, room = kernels.sum((1, 2), keepdims=True), envelope.sum((1, 2), keepdims=True)
        kernels -= envelope * total / room
    return np.asarray(kernels / np.linalg.norm(kernels, axis=(1, 2), keepdims=True))
