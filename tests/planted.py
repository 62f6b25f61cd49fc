"""A network whose units are exactly a hue, an orientation or a spatial frequency, and gratings that have all three.

In: seeds and sizes. Out: images, and a network that reads their attributes off their spectra and colors. Its last
unit never changes, and the one before responds to nothing that can be seen.
"""

import numpy as np
import torch
from torch import Tensor, nn

NAMES = ("hue", "orientation", "frequency", "hidden", "constant")


def gratings(n: int, size: int = 32, seed: int = 0) -> Tensor:
    """`(n, 3, size, size)` in [0, 1]: gratings of chance angle, phase, frequency, hue, brightness and contrast."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    angle, phase, hue = rng.uniform(0, 1, (3, n)) * np.pi * np.array([[1], [2], [2]])
    frequency = 2.0 ** rng.uniform(-4, -2, n)
    along = np.cos(angle)[:, None, None] * x + np.sin(angle)[:, None, None] * y
    wave = np.cos(2 * np.pi * frequency[:, None, None] * along + phase[:, None, None])
    gray = rng.uniform(0.4, 0.6, n)[:, None, None] + rng.uniform(0.08, 0.16, n)[:, None, None] * wave
    # Red against cyan and blue against yellow, without luminance.
    axes = np.array([[0.701, -0.299, -0.299], [-0.114, -0.114, 0.886]])
    color = 0.2 * (np.cos(hue)[:, None] * axes[0] + np.sin(hue)[:, None] * axes[1])
    noise = rng.normal(scale=0.01, size=(n, 3, size, size))
    images = gray[:, None] + color[:, :, None, None] + noise
    return torch.from_numpy(np.clip(images, 0, 1).astype(np.float32))


class Planted(nn.Module):
    """From images `(N, 3, H, W)` to units `(N, 5)`, in the order of `NAMES`, none of them negative."""

    def __init__(self) -> None:
        super().__init__()
        self.read = Read()

    def forward(self, images: Tensor) -> Tensor:
        return self.read(images)


class Read(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, images: Tensor) -> Tensor:
        mean = images.mean((2, 3))
        hue = torch.atan2(mean[:, 2] - mean[:, 1], mean[:, 0] - mean[:, 1])
        weights = torch.tensor([0.299, 0.587, 0.114], device=images.device)
        gray = torch.einsum("nchw,c->nhw", images, weights)
        gray = gray - gray.mean((1, 2), keepdim=True)
        power = torch.fft.fft2(gray).abs().square()
        y, x = torch.meshgrid(
            torch.fft.fftfreq(gray.shape[1]), torch.fft.fftfreq(gray.shape[2]), indexing="ij"
        )
        radius, twice = torch.hypot(x, y), 2 * torch.atan2(y, x)
        total = power.sum((1, 2))
        octave = (power * radius.clamp(min=1e-3).log2()).sum((1, 2)) / total
        turn = (power * twice.cos()).sum((1, 2)) / total
        hidden = (images[:, 0, 0, 0] * 1e4) % 1
        constant = torch.ones_like(hidden)
        return self.scale * torch.stack([1 + hue.cos(), 1 + turn, 8 + octave, hidden, constant], 1)
