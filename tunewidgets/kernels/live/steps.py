"""What all live work shares: a separate probe, and steps so short that the work can be stopped between them.

In: the reader's probe, or an ascent. Out: a twin of the probe that a worker can use while the reader uses the original,
or the ascent advanced by a slice of a second.
"""

import copy
import time

import torch

from tunewidgets.kernels.network.names import find_layer
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.tracing import evaluating
from tunewidgets.kernels.network.unfit import twin_of
from tunewidgets.kernels.optimization.loop import Ascent

# Seconds between two images, and so the longest that a canceled request runs on, unless a single step takes longer.
SLICE = 0.05


def climb(ascent: Ascent, steps: int) -> None:
    """Advance for one slice of time, or to the last of `steps`."""
    until = time.perf_counter() + SLICE
    with evaluating(ascent.probe.network):
        ascent.step()
        while ascent.done < steps and time.perf_counter() < until:
            ascent.step()


def leave_a_core(probe: Probe) -> None:
    """On a CPU, limit this thread to a single core, so that another stays free for other work."""
    if probe.device.type == "cpu":
        torch.set_num_threads(1)


def apart(probe: Probe) -> Probe:
    """The same probe with modules of its own around the same weights.

    What the worker does to modes and hooks then never interferes with what the reader's cell does to the model.
    """
    twin = copy.copy(probe)
    twin._network = twin_of(probe.network, shares_weights=True).eval()
    twin.place = find_layer(twin._network, probe.layer)
    return twin
