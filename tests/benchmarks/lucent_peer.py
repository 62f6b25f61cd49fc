"""torch-lucent as the peer in the benchmarks: one image at a time, as its users run it.

In: a network that takes images in [0, 1], and an objective. Out: the image it ends at, and the seconds it took.
"""

import time
import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lucent.optvis import param, render


class Whole(nn.Module):
    """A network behind its own preprocessing, which is what Lucent is to run."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network(self.network.preprocess(images))


def lucent_image(
    network: nn.Module, objective: Any, size: int, steps: int, seed: int, fixed_size: int | None
) -> tuple[Tensor, float]:
    """Lucent's image `(1, 3, size, size)` after `steps`, untransformed, and the seconds it took."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (Lucent draws its transformations from the global generator)
    start = time.perf_counter()
    images = render.render_vis(
        Whole(network),
        objective,
        lambda: param.image(size),
        thresholds=(steps,),
        preprocess=False,
        progress=False,
        show_image=False,
        fixed_image_size=fixed_size,
    )
    seconds = time.perf_counter() - start
    _remove_hooks(network)
    return torch.from_numpy(images[0]).permute(0, 3, 1, 2), seconds


def _remove_hooks(network: nn.Module) -> None:
    """Lucent leaves a hook on every module; left there, each of its images would be slower than the one before."""
    for module in network.modules():
        module._forward_hooks.clear()
