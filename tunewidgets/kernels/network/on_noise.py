"""What a network makes of one fixed image of noise: it tells whether a network computes what it once computed.

In: a network, layers of it and how it is given images. Out: marks of what reaches the network, of each layer's values
and of the output. The weights' fingerprint says nothing of a preprocess, of hooks or of the code of a `forward`; this
does, for one small forward pass.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from tunewidgets.kernels.network.names import LayerCall
from tunewidgets.kernels.network.outputs import first_tensor
from tunewidgets.kernels.network.refusals import REFUSALS
from tunewidgets.kernels.network.steadiness import depends_on_chance
from tunewidgets.kernels.network.tracing import evaluating, run_to
from tunewidgets.kernels.network.working_size import weights_dtype
from tunewidgets.kernels.studies.marks import sketch

# How far a layer's values may be from those of another machine, relative to their norm; TensorFloat-32 has 10 bits.
WITHIN = {torch.float16: 0.05, torch.bfloat16: 0.2}
WITHIN_ELSE = 0.02
# What reaches the network is computed without it, and rounded to its precision alike everywhere.
INPUT_WITHIN = 2e-3


def on_noise(
    network: nn.Module,
    places: Mapping[str, LayerCall],
    inputs: Callable[[Tensor], Tensor],
    size: tuple[int, int],
    whole: bool = False,
) -> dict[str, dict[str, Any]]:
    """By layer, marks of the network's input, of the layer's values and, with `whole`, of the network's output.

    What depends on chance is left out.
    """
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0)).to(device)
    with torch.no_grad():
        given, again = inputs(image.clone()), inputs(image.clone())
    if not torch.equal(given, again):
        return {}
    common: dict[str, Any] = {"size": list(size), "input": sketch(given, INPUT_WITHIN)}
    marks = {layer: dict(common) for layer in places}
    if depends_on_chance(network):
        return marks
    within = WITHIN.get(weights_dtype(network), WITHIN_ELSE)

    def reached(layer: str, value: Tensor) -> None:
        marks[layer]["values"] = sketch(value, within)

    with torch.no_grad(), evaluating(network):
        run_to(places, lambda: network(given.clone()), reached)
        output = _output(network, again) if whole else None
    if output is not None:
        for mark in marks.values():
            mark["output"] = sketch(output, within)
    return marks


def _output(network: nn.Module, inputs: Tensor) -> Tensor | None:
    """The network's output; None where what comes after the layers takes no image of this size."""
    try:
        return first_tensor(network(inputs))
    except REFUSALS:
        return None


def marks_of(probes: Iterable[Any], whole: bool = False) -> dict[str, dict[str, Any]]:
    """Marks of several probes' layers, those of one network and one size in one pass."""
    groups: dict[tuple[int, tuple[int, int]], list[Any]] = {}
    for probe in probes:
        groups.setdefault((id(probe.network), probe.image_size), []).append(probe)
    found: dict[str, dict[str, Any]] = {}
    for (_, size), group in groups.items():
        found |= on_noise(group[0].network, {p.layer: p.place for p in group}, group[0].inputs, size, whole)
    return found
