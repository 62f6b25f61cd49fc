"""torch-lucent as the peer in the benchmarks: one image at a time, as its users run it.

In: a network that takes images in [0, 1], and an objective. Out: the image it ends at, and the seconds it took. The
image does not hang on what comes after the layer that is asked for, so where only the image is wanted Lucent's own
renderer may run on a network that stops there; seconds are always the whole network's, as its users run it.
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


class _Reached(Exception):
    """Ends a forward pass at the layer that is asked for."""


class Behind(nn.Module):
    """A network behind its own preprocessing, which is what Lucent is to run; with `last` it stops after that layer."""

    def __init__(self, network: nn.Module, last: str | None = None) -> None:
        super().__init__()
        self.network = network
        self.last = last

    def forward(self, images: Tensor) -> Tensor | None:
        inputs = self.network.preprocess(images)
        if self.last is None:
            return self.network(inputs)
        # Hooks run in the order they were made, so Lucent's has the layer's values by the time this one stops.
        handle = self.network.get_submodule(self.last).register_forward_hook(_stop)
        try:
            return self.network(inputs)
        except _Reached:
            return None
        finally:
            handle.remove()


def _stop(*_: Any) -> None:
    raise _Reached


def lucent_image(
    network: nn.Module,
    objective: Any,
    size: int,
    steps: int,
    seed: int,
    fixed_size: int | None,
    last: str | None = None,
) -> tuple[Tensor, float]:
    """Lucent's image `(1, 3, size, size)` after `steps`, untransformed, and the seconds it took.

    With `last` the network stops after that layer: the same image, and seconds that say nothing of Lucent.
    """
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (Lucent draws its transformations from the global generator)
    start = time.perf_counter()
    images = render.render_vis(
        Behind(network, last),
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
