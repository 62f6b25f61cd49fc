"""The canvas on which only phases change: each frequency keeps the magnitude that it has in photographs.

In: phases, of noise or of an image. Out: images `(N, 3, H, W)` in (0, 1), differentiable with respect to the phases. An
optimizer that can't put more energy into a frequency than photographs have there can't draw patterns that nobody can
read.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from tunewidgets._tensors import CanvasParameters, Images
from tunewidgets.kernels.canvas.spectrum import colored, image_spectrum, logits_of, radial_frequency

# Measured on 1,000 photographs of ImageNet by tests/benchmarks/photograph_spectrum.py: the mean magnitude, per pixel,
# of each decorrelated color's spectrum at these frequencies, cycles per image, and of its mean color.
CYCLES = (1, 2, 4, 8, 16, 32, 64, 128)
MAGNITUDES = (
    (0.580, 0.238, 0.0976, 0.0418, 0.0170, 0.00737, 0.00342, 0.00151),
    (0.486, 0.200, 0.0859, 0.0372, 0.0154, 0.00719, 0.00349, 0.00201),
    (0.465, 0.202, 0.0897, 0.0401, 0.0185, 0.0101, 0.00474, 0.00285),
)
MEAN_COLOR = (1.18, 1.72, 1.36)
# How close a sign comes to 1 when an image becomes parameters: at 1 the cosine has no gradient.
NEARLY = 0.99
# The share of these frequencies, cycles per pixel, that is left of a photograph scaled down to the canvas's size.
FINE = (2**-4, 2**-3, 2**-2, 2**-1, 2**-0.5)
LEFT = (0.93, 0.86, 0.71, 0.46, 0.32)


def interpolated(at: Tensor, knots: Sequence[float], values: Sequence[float]) -> Tensor:
    """A curve through `values` at `knots`, piecewise straight on logarithmic axes, and beyond the outer knots too."""
    x, y, log_at = torch.tensor(knots).log(), torch.tensor(values).log(), at.log()
    right = torch.searchsorted(x, log_at).clamp(1, len(x) - 1)
    slope = (y[right] - y[right - 1]) / (x[right] - x[right - 1])
    return (y[right - 1] + slope * (log_at - x[right - 1])).exp()


def photograph_magnitudes(size: int) -> Tensor:
    """Mean magnitude of each frequency in photographs of this side, `(3, size, size // 2 + 1)`, norm "ortho"."""
    frequency = radial_frequency(size)
    frequency[0, 0] = 1 / size
    left = interpolated(frequency.clamp(min=FINE[0]), FINE, LEFT)
    colors = [interpolated(frequency * size, CYCLES, values) * left for values in MAGNITUDES]
    magnitudes = torch.stack(colors) * size
    magnitudes[:, 0, 0] = torch.tensor(MEAN_COLOR) * size
    return magnitudes


@dataclass(frozen=True)
class MacoCanvas:
    """Phases in decorrelated colors, at the magnitudes of photographs.

    Fel et al., *Unlocking feature visualization for deeper networks with magnitude constrained optimization* (2023).
    Where a real image's spectrum has a sign and no phase, most notably at the mean color, the cosine of the parameter
    decides, and the magnitude is at most that of photographs.

    Parameters
    ----------
    size : int
        Side of the square image, pixels.
    band : float, optional
        Highest frequency the image may hold, cycles per pixel; None keeps all.
    gray : bool, default False
        Whether images are gray, for a network that sees no colors.
    """

    size: int
    band: float | None = None
    gray: bool = False
    # The magnitudes are the bound.
    contrast: ClassVar[None] = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one target's parameters."""
        return (3, self.size, self.size // 2 + 1)

    @cached_property
    def magnitude(self) -> Tensor:
        """The magnitude of each coefficient, `(3, size, size // 2 + 1)`."""
        magnitude = photograph_magnitudes(self.size)
        if self.band is not None:
            magnitude = torch.where(radial_frequency(self.size) <= self.band, magnitude, 0.0)
        return magnitude

    def start(self, generator: torch.Generator) -> Tensor:
        """One target's initial parameters: all phases are equally likely."""
        return (torch.rand(self.shape, generator=generator) * 2 - 1) * math.pi

    def image(self, parameters: CanvasParameters) -> Images:
        """`(N, *shape)` parameters as `(N, 3, size, size)` images."""
        magnitude = self.magnitude.to(parameters.device).expand(parameters.shape)
        logits = logits_of(torch.polar(magnitude, self._mirrored(parameters)), self.size)
        return colored(logits, self.gray).sigmoid()

    def parameters(self, images: Tensor) -> Tensor:
        """`(N, 3, size, size)` images in [0, 1] as parameters: their phases."""
        spectrum = image_spectrum(images)
        phases = spectrum.angle()
        for row in self._signed:
            for column in self._signed:
                share = spectrum[..., row, column].real / self.magnitude[:, row, column].clamp(min=1e-12)
                phases[..., row, column] = share.clamp(-NEARLY, NEARLY).acos()
        return phases

    @property
    def _signed(self) -> tuple[int, ...]:
        """The rows, and the columns, at whose crossings a real image's spectrum has a sign and no phase."""
        return (0,) if self.size % 2 else (0, self.size // 2)

    def _mirrored(self, phases: Tensor) -> Tensor:
        """The phases, with each column that mirrors itself built from one of its halves.

        A real image has no other spectrum: halves with independent phases would partly cancel.
        """
        last = -1 if self.size % 2 == 0 else phases.shape[-1]
        columns = [self._whole(phases[..., :1]), phases[..., 1:last], self._whole(phases[..., last:])]
        return torch.cat(columns, dim=-1)

    def _whole(self, columns: Tensor) -> Tensor:
        """Columns of phases whose later rows are the earlier ones, mirrored and negated."""
        twice = (self.size - 1) // 2
        own = columns[..., : self.size - twice, :]
        return torch.cat([own, -own[..., 1 : twice + 1, :].flip(-2)], dim=-2)
