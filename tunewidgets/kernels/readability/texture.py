"""An observer without weights: pictures compared by their colors and by what they hold of each scale and orientation.

In: pictures, uint8. Out: features, whose squared distance says how unlike two pictures look. The statistics are in the
manner of Portilla and Simoncelli (*A parametric texture model based on joint statistics of complex wavelet
coefficients*, 2000), fewer of them, and with where in the picture each color lies.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 64  # pixels at which pictures are compared
SCALES, ORIENTATIONS = 4, 6
# Luminance (Rec. 601), red against green, blue against yellow.
OPPONENT = ((0.299, 0.587, 0.114), (1.0, -1.0, 0.0), (-0.5, -0.5, 1.0))
# Energies below this, in squared parts of white, are noise; above, their logarithm counts.
FLOOR = 1e-6
# The standard deviation of each statistic over patches of photographs, for which all weigh the same: the energy of a
# channel (in nats), how it is shared among scales and, within a scale, among orientations; a channel's mean, and how
# much brighter or more colored a place is than the mean.
ENERGY, SCALE, ORIENTATION, COLOR, PLACE = 1.0, 0.46, 0.55, 0.12, 0.09
GRID = 4
AT_ONCE = 256


class Texture:
    """Multi-scale oriented energies and color statistics; needs no weights."""

    name = "texture"
    # Fitted by maximum likelihood to planted answers (tests/benchmarks/readability.py), never to a record.
    alpha: float | None = 0.91

    def __init__(self) -> None:
        self.filters = oriented_filters(SIDE)

    def embed(self, pictures: np.ndarray) -> np.ndarray:
        """Features `(N, F)` float32 of pictures `(N, y, x, 3)` uint8."""
        return np.concatenate(
            [self._embed(pictures[start : start + AT_ONCE]) for start in range(0, len(pictures), AT_ONCE)]
        )

    def _embed(self, pictures: np.ndarray) -> np.ndarray:
        rgb = torch.from_numpy(np.ascontiguousarray(pictures)).movedim(3, 1).float() / 255
        if rgb.shape[2:] != (SIDE, SIDE):
            rgb = F.interpolate(rgb, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
        opponent = torch.einsum("nchw,dc->ndhw", rgb, torch.tensor(OPPONENT))
        mean = opponent.mean((2, 3))
        places = F.adaptive_avg_pool2d(opponent - mean[..., None, None], GRID)
        energy = (energies(opponent, self.filters) + FLOOR).log()
        by_scale = energy.mean(3)
        whole = by_scale.mean(2)
        groups = [
            whole / ENERGY,
            (by_scale - whole[..., None]) / SCALE,
            (energy - by_scale[..., None]) / ORIENTATION,
            mean / COLOR,
            places / PLACE,
        ]
        # Each group counts by its mean squared difference, however many numbers it has.
        return torch.cat([group.flatten(1) / group[0].numel() ** 0.5 for group in groups], 1).numpy()


def oriented_filters(side: int) -> Tensor:
    """Polar-separable band-pass filters `(SCALES, ORIENTATIONS, side, side)` in the Fourier domain, one octave wide.

    They pass one of two opposite frequencies, so that what comes out has an amplitude whatever the wave's phase.
    """
    y, x = torch.meshgrid(torch.fft.fftfreq(side), torch.fft.fftfreq(side), indexing="ij")
    radius, angle = torch.hypot(x, y).clamp(min=1e-6), torch.atan2(y, x)
    centers = 0.25 / 2.0 ** torch.arange(SCALES)
    octaves = torch.log2(radius) - torch.log2(centers)[:, None, None]
    radial = torch.exp(-(octaves**2) / (2 * 0.5**2))
    turn = angle - torch.arange(ORIENTATIONS)[:, None, None] * torch.pi / ORIENTATIONS
    along = torch.cos(turn)
    angular = torch.where(along > 0, along, 0) ** (ORIENTATIONS - 1)
    passed = radial[:, None] * angular[None]
    passed[..., 0, 0] = 0
    return passed


def energies(opponent: Tensor, filters: Tensor) -> Tensor:
    """Mean squared amplitudes `(N, 3, SCALES, ORIENTATIONS)` of opponent channels `(N, 3, side, side)`.

    The mean over places of what a filter lets through is, by Parseval, a sum over frequencies.
    """
    side = opponent.shape[-1]
    # A window, or the picture's opposite borders would meet in an edge that is not there.
    window = torch.hann_window(side, periodic=False)
    flat = opponent - opponent.mean((2, 3), keepdim=True)
    power = torch.fft.fft2(flat * window[:, None] * window[None]).abs().square() / side**4
    return torch.einsum("nchw,sohw->ncso", power, filters.square())
