"""Live work, what all of it shares: a probe of its own, and steps that are short enough to be stopped between them.

In: the reader's probe, an ascent. Out: a twin of the probe that a worker can use while the reader uses theirs, and the
ascent a slice of a second further on.
"""

import copy
import time

import torch

from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.tracing import evaluating, find_layer
from tunewidgets.kernels.optimization.loop import Ascent

# Seconds between two images, and so the longest that a cancelled request goes on, unless one step takes longer.
SLICE = 0.05


def climb(ascent: Ascent, steps: int) -> None:
    """Go on for one slice, or to the last of `steps`."""
    until = time.perf_counter() + SLICE
    with evaluating(ascent.probe.network):
        ascent.step()
        while ascent.done < steps and time.perf_counter() < until:
            ascent.step()


def leave_a_core(probe: Probe) -> None:
    """On a CPU let this thread compute by itself: a core stays free for whoever else computes."""
    if probe.device.type == "cpu":
        torch.set_num_threads(1)


def apart(probe: Probe) -> Probe:
    """The same probe with modules of its own around the same weights.

    What the worker does to modes and hooks then never meets what the reader's cell does to the model meanwhile.
    """
    weights = {id(tensor): tensor for tensor in (*probe.network.parameters(), *probe.network.buffers())}
    twin = copy.copy(probe)
    twin._network = copy.deepcopy(probe.network, weights).eval()
    twin.place = find_layer(twin._network, probe.layer)
    return twin
