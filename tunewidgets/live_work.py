"""Live work: where a widget gets the kernels that make more of its record while a reader looks.

In: the probe that a reader gave. Out: its `LiveWork`. This is the only import from what shows to what computes, and it
runs only once there is a probe.
"""

import sys
from typing import Any

from tunewidgets._checks import a_type

from .live_protocols import LiveWork


def live_work(probe: Any, layer: str) -> LiveWork:
    """The work that a probe can do for a widget.

    Raises
    ------
    TypeError
        If it is no probe; the sentence names the `layer` that it should be of.
    """
    # Whoever has a probe has already loaded its module, and torch with it; nobody else should have to wait for that.
    loaded = sys.modules.get("tunewidgets.kernels.network.probe")
    if loaded is None or not isinstance(probe, loaded.Probe):
        raise TypeError(f"probe is {a_type(probe)}; give tw.Probe(model, layer), {layer}")
    from .kernels.live.work import ProbeWork

    return ProbeWork(probe)
