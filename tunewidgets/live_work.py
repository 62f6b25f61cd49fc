"""Live work: where a widget gets the kernels that make more of its record while a reader looks.

In: the probe that a reader gave. Out: its `LiveWork`. The only arrow from what is shown to what computes, and it is
followed only once there is a probe.
"""

import sys
from typing import Any

from .live_protocols import LiveWork


def live_work(probe: Any, layer: str) -> LiveWork:
    """What a probe does for a widget.

    Raises
    ------
    TypeError
        If it is no probe; the sentence names the `layer` that it should be of.
    """
    # Whoever has a probe has loaded its module, and torch with it; nobody else is to wait for that.
    loaded = sys.modules.get("tunewidgets.kernels.network.probe")
    if loaded is None or not isinstance(probe, loaded.Probe):
        raise TypeError(f"probe is a {type(probe).__name__}; give tw.Probe(model, layer), {layer}")
    from .kernels.live.work import ProbeWork

    return ProbeWork(probe)
