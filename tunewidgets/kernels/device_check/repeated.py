"""The same images made twice on a device, and how far apart they come out.

In: a specimen and a device. Out: the largest difference of a color value, 0 for the same bits.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from tunewidgets.kernels.device_check.specimen import LAYERS, Specimen
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.optimization.visualize import visualize

STEPS = 4


def twice(specimen: Specimen, device: torch.device) -> float:
    """The largest difference between the images, in [0, 1], of two equal calls of `visualize`."""
    probe = Probe(specimen.network, LAYERS[-1], device=device)
    first, second = (
        visualize(
            probe,
            specimen.objective,
            specimen.side,
            STEPS,
            chunk=specimen.images,
            floats=True,
            progress=False,
        )["image_float"].values
        for _ in range(2)
    )
    return float(abs(first - second).max())


@contextmanager
def deterministic() -> Iterator[None]:
    """Torch's deterministic algorithms for a block, as a user would ask for them; then as it was."""
    before, warning = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warning)
