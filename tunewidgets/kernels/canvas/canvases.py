"""Image parameterizations: the numbers that the optimizer changes, and the RGB images they stand for.

Here the spectrum or the pixels; the phases alone are in `maco`. In: noise, one draw per target. Out: images
`(N, 3, H, W)` in (0, 1), differentiable with respect to the parameters. Spectrum, color and clamp are float32 whatever
the network runs in.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import torch
from torch import Tensor

from tunewidgets._tensors import CanvasParameters, Images
from tunewidgets.kernels.canvas.maco import MacoCanvas
from tunewidgets.kernels.canvas.spectrum import (
    COLOR_CORRELATION,
    colored,
    image_logits,
    image_spectrum,
    logits_of,
    radial_frequency,
)

# Lucid's divisor between spectrum and logits.
SOFTENING = 4.0


def bounded(logits: Tensor, contrast: float | None) -> Tensor:
    """`(N, 3, H, W)` logits, each image's scaled down to a standard deviation of at most `contrast`.

    An image whose contrast may grow without bound burns out: black, white and pure colors drive an early layer slightly
    more strongly, and hide what a later one responds to.
    """
    if contrast is None:
        return logits
    deviation = logits.flatten(1).std(1).clamp(min=1e-6)
    return logits * (contrast / deviation).clamp(max=1)[:, None, None, None]


@dataclass(frozen=True)
class FourierCanvas:
    """The Fourier basis, every frequency scaled to the energy it has in natural images, in decorrelated colors.

    Paper B, section 3.3 (Identifying and interpreting tuning dimensions in deep networks), after Olah et al. (2017);
    for the same spectrum the image equals torch-lucent's.

    Parameters
    ----------
    size : int
        Side of the square image, pixels.
    band : float, optional
        Highest frequency the image may hold, cycles per pixel; None keeps all.
    deviation : float, default 0.01
        Standard deviation of the initial noise.
    contrast : float, optional
        Largest standard deviation of an image's logits (see `bounded`); None: no bound.
    gray : bool, default False
        Whether images are gray, for a network that sees no colors.
    """

    size: int
    band: float | None = None
    deviation: float = 0.01
    contrast: float | None = None
    gray: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one target's parameters."""
        return (3, self.size, self.size // 2 + 1, 2)

    @cached_property
    def scale(self) -> Tensor:
        """What each coefficient is multiplied by, `(size, size//2+1, 1)`."""
        frequency = radial_frequency(self.size)
        scale = 1 / (frequency.clamp(min=1 / self.size) * SOFTENING)
        if self.band is not None:
            scale = torch.where(frequency <= self.band, scale, 0.0)
        return scale[..., None]

    def start(self, generator: torch.Generator) -> Tensor:
        """One target's initial parameters."""
        return torch.randn(self.shape, generator=generator) * self.deviation

    def flat(self, logits: Tensor) -> Tensor:
        """Parameters of one image of a single color, `(3,)` logits of its RGB."""
        parameters = torch.zeros(self.shape)
        decorrelated = torch.linalg.solve(COLOR_CORRELATION, logits)
        parameters[:, 0, 0, 0] = decorrelated * self.size / self.scale[0, 0]
        return parameters

    def image(self, parameters: CanvasParameters) -> Images:
        """`(N, *shape)` parameters as `(N, 3, size, size)` images."""
        scale = self.scale.to(parameters.device)
        spectrum = torch.view_as_complex(parameters * scale)
        return bounded(colored(logits_of(spectrum, self.size), self.gray), self.contrast).sigmoid()

    def parameters(self, images: Images) -> CanvasParameters:
        """`(N, 3, size, size)` images in [0, 1] as parameters: as close to them as the band allows."""
        parts = torch.view_as_real(image_spectrum(images))
        return torch.where(self.scale > 0, parts / self.scale.clamp(min=1e-12), 0.0)


@dataclass(frozen=True)
class PixelCanvas:
    """Each pixel's color is a parameter of its own: the baseline for the Fourier canvas (paper B, section 3.3)."""

    size: int
    deviation: float = 0.01
    contrast: float | None = None
    gray: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one target's parameters."""
        return (3, self.size, self.size)

    def start(self, generator: torch.Generator) -> Tensor:
        """One target's initial parameters."""
        return torch.randn(self.shape, generator=generator) * self.deviation

    def flat(self, logits: Tensor) -> Tensor:
        """Parameters of one image of a single color, `(3,)` logits of its RGB."""
        return logits[:, None, None].expand(self.shape).clone()

    def image(self, parameters: CanvasParameters) -> Images:
        """`(N, *shape)` parameters as `(N, 3, size, size)` images."""
        return bounded(colored(parameters, self.gray), self.contrast).sigmoid()

    def parameters(self, images: Images) -> CanvasParameters:
        """`(N, 3, size, size)` images in [0, 1] as parameters."""
        return image_logits(images)


# Canvases that can hold an image of a single color.
ColorCanvas = FourierCanvas | PixelCanvas
Canvas = ColorCanvas | MacoCanvas
CanvasName = Literal["fourier", "pixel", "maco"]
CANVASES = get_args(CanvasName)


def canvas_name(recorded: str) -> CanvasName:
    """The name by which `make_canvas` knows a canvas, from its class's name in a record's settings."""
    names: dict[str, CanvasName] = {
        "FourierCanvas": "fourier",
        "PixelCanvas": "pixel",
        "MacoCanvas": "maco",
    }
    return names[recorded]


def check_canvas(name: str, contrast: float | None) -> None:
    """Raise a ValueError if there is no such canvas, or if one of fixed contrast is given another contrast."""
    if name not in CANVASES:
        raise ValueError(f"canvas is {name!r}; choose one of {', '.join(map(repr, CANVASES))}.")
    if name == "maco" and contrast is not None:
        raise ValueError(
            f"contrast is {contrast!r}, but images on canvas='maco' have the contrast of photographs; leave it out, "
            "or give canvas='fourier'."
        )


def make_canvas(
    name: CanvasName,
    size: int,
    band: float | None = None,
    deviation: float = 0.01,
    contrast: float | None = None,
    gray: bool = False,
) -> Canvas:
    """The canvas called `name`; `deviation` is the standard deviation of the initial noise, `gray` is without colors.

    Raises
    ------
    ValueError
        There is no such canvas, the size is below 2 pixels, or a canvas of fixed contrast is given another contrast.
    """
    if size < 2:
        raise ValueError(f"size is {size}; an image needs at least 2 pixels per side.")
    check_canvas(name, contrast)
    if name == "fourier":
        return FourierCanvas(size, band, deviation, contrast, gray)
    return PixelCanvas(size, deviation, contrast, gray) if name == "pixel" else MacoCanvas(size, band, gray)
