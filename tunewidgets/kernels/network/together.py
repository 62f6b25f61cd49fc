"""Values of several layers of one model in a single forward pass.

In: probes of one model, and images. Out: each layer's values as the pass reaches it, so that no map is kept. The
pass ends at the last of them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from tunewidgets.kernels.network.names import find_layer
from tunewidgets.kernels.network.probe import Probe, check_images
from tunewidgets.kernels.network.refusals import taking
from tunewidgets.kernels.network.tracing import evaluating, run_to

Seen = Callable[[int, Tensor], Any]


def check_together(probes: Sequence[Probe]) -> None:
    """Raise a ValueError unless the probes look at one model, with the same preprocessing and each at another layer."""
    first = probes[0]
    for other in probes[1:]:
        if other.model is not first.model or other.device != first.device:
            raise ValueError(
                "the probes are of several models or devices; give probes of one model on one device"
            )
        if other.preprocess is not first.preprocess and first.network is other.network:
            raise ValueError(
                "the probes preprocess their images in different ways; give them all the same preprocess"
            )
    names = [probe.layer for probe in probes]
    if len(set(names)) < len(names):
        raise ValueError(f"the probes are of layers {', '.join(names)}; give each layer once")


@torch.no_grad()
def see_together(probes: Sequence[Probe], images: Any, seen: Seen) -> None:
    """Call `seen(i, values)` for each probe, in the order in which the pass reaches their layers.

    Values are float, `(N, units, h, w)` or `(N, units)`, as the layer gives them, and only good until `seen` returns:
    the network may go on in place.

    Raises
    ------
    ValueError
        A layer is not reached.
    """
    first = probes[0]
    batch = check_images(images, first.gray).to(first.device, copy=True)

    def run() -> None:
        with taking(batch), evaluating(first.network):
            first.network(first.inputs(batch))

    def reached(index: int, value: Tensor) -> None:
        seen(index, probes[index].units_of(value, batch).float())

    places = {index: find_layer(first.network, probe.layer) for index, probe in enumerate(probes)}
    if left := run_to(places, run, reached):
        names = ", ".join(repr(probes[index].layer) for index in sorted(left))
        raise ValueError(f"the forward pass ended without reaching {names}; use another layer")
