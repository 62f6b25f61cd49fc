"""What canvases share: an image as logits in decorrelated colors, and the frequencies of its spectrum.

In: images `(N, 3, H, W)` in [0, 1], or the side of one. Out: float32 logits, frequencies in cycles per pixel.
"""

import torch
from torch import Tensor

# Square root of the covariance of natural images' colors, columns scaled to a norm of at most 1, as Lucid measured it
# on ImageNet: an optimizer that moves along these axes moves along the colors that photographs have.
COLOR_CORRELATION = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
COLOR_CORRELATION = COLOR_CORRELATION / COLOR_CORRELATION.norm(dim=0).max()
# What black in a finished image counts as when it becomes parameters again (white: 1 less this): half a byte's step.
DARKEST = 0.5 / 255


def mix_channels(matrix: Tensor, maps: Tensor) -> Tensor:
    """Each position's channels times `matrix` (out, in), for maps `(N, in, h, w)`.

    Done as a batch of products: `torch.matmul` would move the channels behind the positions and back, copying twice.
    """
    mixed = torch.bmm(matrix.expand(len(maps), -1, -1), maps.flatten(2))
    return mixed.unflatten(2, maps.shape[2:])


def image_logits(images: Tensor) -> Tensor:
    """The logits of images in [0, 1]; black and white have finite ones."""
    return images.clamp(DARKEST, 1 - DARKEST).logit()


def image_spectrum(images: Tensor) -> Tensor:
    """The half spectrum `(N, 3, H, W // 2 + 1)` of each decorrelated color of images in [0, 1], norm "ortho"."""
    return torch.fft.rfft2(
        mix_channels(torch.linalg.inv(COLOR_CORRELATION), image_logits(images)), norm="ortho"
    )


def logits_of(spectrum: Tensor, size: int) -> Tensor:
    """The logits `(N, 3, size, size)` of RGB that a half spectrum of decorrelated colors stands for."""
    maps = torch.fft.irfft2(spectrum, s=(size, size), norm="ortho")
    return mix_channels(COLOR_CORRELATION.to(maps), maps)


def colored(logits: Tensor, gray: bool) -> Tensor:
    """`(N, 3, H, W)` logits as they are, or all three the same: their mean, for what sees no colors."""
    return logits.mean(1, keepdim=True).expand_as(logits) if gray else logits


def radial_frequency(size: int) -> Tensor:
    """Cycles per pixel of each entry of a real image's half spectrum, `(size, size // 2 + 1)`."""
    fy = torch.fft.fftfreq(size)[:, None]
    fx = torch.fft.rfftfreq(size)[None, :]
    return (fy.square() + fx.square()).sqrt()
