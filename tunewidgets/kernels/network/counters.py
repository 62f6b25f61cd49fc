"""Buffers in which a network counts its own forward passes.

In: a network and a batch. Out: the names of those buffers, which are no part of what the network computes from: with
them, it would be another network after each look at it, and no study of it could go on.
"""

import weakref
from contextlib import suppress

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from tunewidgets.kernels.network.tracing import evaluating

_known: "weakref.WeakKeyDictionary[nn.Module, frozenset[str]]" = weakref.WeakKeyDictionary()


def counters(network: nn.Module, inputs: Tensor) -> frozenset[str]:
    """Names of the buffers that grow by the same amount in each pass; what the passes made here change is put back."""
    if network not in _known:
        _known[network] = _found(network, inputs)
    return _known[network]


def _found(network: nn.Module, inputs: Tensor) -> frozenset[str]:
    places = {
        f"{path}.{name}".lstrip("."): (module, name, value)
        for path, module in network.named_modules()
        # Those count batches in training alone.
        if not isinstance(module, _NormBase)
        for name, value in module._buffers.items()
        if value is not None and name not in module._non_persistent_buffers_set and _may_count(value)
    }
    if not places:
        return frozenset()

    def now() -> dict[str, Tensor]:
        return {key: module._buffers[name].clone() for key, (module, name, _) in places.items()}

    def after_a_pass() -> dict[str, Tensor]:
        # What follows the layer may take other images alone; what counts before that is seen all the same.
        with suppress(Exception), evaluating(network), torch.no_grad():
            network(inputs.clone())
        return now()

    before = now()
    try:
        once = after_a_pass()
        grown = [key for key, value in before.items() if not torch.equal(value, once[key])]
        twice = after_a_pass() if grown else once
    finally:
        for key, (module, name, value) in places.items():
            with torch.no_grad():
                module._buffers[name] = value.copy_(before[key])
    return frozenset(key for key in grown if torch.equal(once[key] - before[key], twice[key] - once[key]))


def _may_count(value: Tensor) -> bool:
    """Whether it is a number, or whole numbers, such as how often each entry of a codebook was used."""
    is_whole = not value.is_floating_point() and not value.is_complex() and value.dtype != torch.bool
    return (value.numel() == 1 and value.dtype != torch.bool) or (is_whole and value.numel() > 0)
