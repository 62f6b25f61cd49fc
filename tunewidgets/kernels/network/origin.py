"""Layers that are one under several names. In: a network, a layer and an input. Out: the name that stands for them all.

A block and the rectifier that ends it give the very same values. Random numbers are drawn by the name found here, so
that their units get the same images whichever name was asked for.
"""

import torch
from torch import Tensor, nn

from tunewidgets.kernels.network.tracing import Place, evaluating, first_tensor, forward_to, of_this_thread


def origin(network: nn.Module, place: Place, inputs: Tensor) -> str:
    """The module, by its name and call, that made the layer's values; the layer itself where it made them.

    Of modules that pass a tensor on or work in place on it, the last without modules of its own.
    """
    calls: dict[str, int] = {}
    made: list[tuple[str, bool, Tensor]] = []
    handles = []

    def listen(name: str, module: nn.Module) -> None:
        is_leaf = next(module.children(), None) is None

        @of_this_thread
        def after(_: nn.Module, __: tuple, output: object) -> None:
            call = calls.get(name, 0)
            calls[name] = call + 1
            value = first_tensor(output)
            if value is not None:
                made.append((f"{name}_{call}" if call else name, is_leaf, value))

        handles.append(module.register_forward_hook(after))

    try:
        for name, module in network.named_modules():
            if name:
                listen(name, module)
        with torch.no_grad(), evaluating(network):
            own = forward_to(network, place, inputs).post
    finally:
        for handle in handles:
            handle.remove()
    same = [(name, is_leaf) for name, is_leaf, value in made if value is own]
    leaves = [name for name, is_leaf in same if is_leaf]
    return leaves[-1] if leaves else same[0][0] if same else place.layer
