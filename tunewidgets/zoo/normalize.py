"""Normalization: an image's channels, shifted and scaled as a network was trained to see them.

In: RGB images in [0, 1]. Out: the network's input. Differentiable, and for any size: resizing is the image source's
job, and an image that is being optimized already has its size.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


class Normalize(nn.Module):
    """`(images - mean) / std` by channel.

    Parameters
    ----------
    mean, std : sequence of 3 floats
        In units of images in [0, 1].
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return (images - self.mean) / self.std
