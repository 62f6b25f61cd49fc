"""The gradient that images follow, or a sentence that says why there is none.

In: a goal computed from images by a network, and tensors. Out: its gradient by each of them.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils.checkpoint import CheckpointError

from tunewidgets.kernels.network.probe import Probe

# How PyTorch names the gradient of what has none, and of steps, whose gradient is 0.
NO_GRADIENT = ("NotImplemented", "WarnNotImplemented", "Round", "Floor", "Ceil", "Trunc", "Sign")


def gradients(goal: Tensor, wanted: Sequence[Tensor], probe: Probe) -> tuple[Tensor, ...]:
    """The gradient of `goal`, a number, by each of the tensors.

    Raises
    ------
    ValueError
        The network lets no gradient through to the layer, or overwrites what it is computed from.
    """
    if not goal.requires_grad:
        raise ValueError(_without_gradient(probe))
    try:
        return torch.autograd.grad(goal, wanted)
    except RuntimeError as error:
        if "use_reentrant" in str(error) or "not have been used in the graph" in str(error):
            raise ValueError(_without_gradient(probe)) from error
        if isinstance(error, CheckpointError):
            raise ValueError(
                f"the gradient of layer {probe.layer!r} can't be computed: a checkpoint before it computes otherwise "
                "when it runs again; turn checkpoints off, or give optimizer='cma', which needs no gradient."
            ) from error
        if "modified by an inplace operation" in str(error):
            raise ValueError(
                f"the gradient of layer {probe.layer!r} can't be computed: the network, or a hook, overwrites in place "
                "what it is computed from; do that on a copy, or give optimizer='cma', which needs no gradient."
            ) from error
        raise


def check_leads_somewhere(gradient: Tensor, goal: Tensor, probe: Probe) -> None:
    """Raise a ValueError of one sentence if a gradient is 0 because an operation has none, and gives 0 in its place.

    Such are the layers of a network quantized dynamically, and roundings. A silent unit's gradient may be 0 as well.
    """
    if bool(gradient.any()):
        return
    waiting, met = [goal.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in met:
            continue
        met.add(node)
        if node.name().rpartition("::")[2].startswith(NO_GRADIENT):
            raise ValueError(_without_gradient(probe))
        waiting += [before for before, _ in node.next_functions]


def _without_gradient(probe: Probe) -> str:
    return (
        f"no gradient reaches the image from layer {probe.layer!r}: before it the network detaches its values, "
        "rounds them, computes in quantized numbers, or in a checkpoint with use_reentrant=True; set that to False, "
        "give the float model, or give optimizer='cma', which needs no gradient."
    )
