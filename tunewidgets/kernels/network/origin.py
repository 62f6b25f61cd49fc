"""Layers that are the same under several names. In: a network, a layer and an input. Out: the name that stands for them
all.

A block and the rectifier that ends it give the very same values. Random numbers are drawn by the name found here, so
that their units get the same images whichever name was asked for.
"""

import torch
from torch import Tensor, nn

from tunewidgets.kernels.network.names import LayerCall
from tunewidgets.kernels.network.tracing import evaluating, forward_to, watching


def origin(network: nn.Module, place: LayerCall, inputs: Tensor) -> str:
    """The name, with its call, of the module that made the layer's values; the layer itself if it made them.

    Of modules that pass a tensor on or work in place on it, the last without modules of its own.
    """
    made: list[tuple[str, bool, Tensor]] = []

    def seen(name: str, module: nn.Module, value: Tensor) -> None:
        made.append((name, next(module.children(), None) is None, value))

    with watching(network, seen), torch.no_grad(), evaluating(network):
        own = forward_to(network, place, inputs).post
    same = [(name, is_leaf) for name, is_leaf, value in made if value is own]
    leaves = [name for name, is_leaf in same if is_leaf]
    return leaves[-1] if leaves else same[0][0] if same else place.layer
