"""Running a drawing: what a page's engine does, by PyTorch's functions.

In: a `Drawing` and a batch of preprocessed images. Out: the layer's values before and after its nonlinearity. It runs
in the precision of what it is given; within `LeakingRectifiers` its gradient leaks as a network's does.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tunewidgets.kernels.network_graph.operations import Drawing


def run(drawing: Drawing, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """The layer's `(pre, post)` on inputs `(N, C, H, W)`; one tensor twice where it has no nonlinearity."""
    values = [inputs]
    for one in drawing.operations:
        taken = [values[at] for at in one.inputs]
        weights = [
            None if each is None else each.to(inputs.dtype).to(inputs.device)
            for each in (one.weight, one.bias)
        ]
        values.append(OPERATIONS[one.name](one.attributes, taken, *weights))
    return values[drawing.before], values[drawing.output]


def _conv2d(a: Mapping[str, Any], taken: list[Tensor], weight: Tensor, bias: Tensor | None) -> Tensor:
    (x,), (top, left, bottom, right) = taken, a["padding"]
    margin = (top, left)
    if (top, left) != (bottom, right):
        x, margin = F.pad(x, (left, right, top, bottom)), (0, 0)
    return F.conv2d(x, weight, bias, a["stride"], margin, a["dilation"], a["groups"])


def _scale_shift(a: Mapping[str, Any], taken: list[Tensor], weight: Tensor, bias: Tensor) -> Tensor:
    shape = (1, -1, *[1] * (taken[0].ndim - 2))
    return taken[0] * weight.view(shape) + bias.view(shape)


def _max_pool2d(a: Mapping[str, Any], taken: list[Tensor], *_: None) -> Tensor:
    (x,), (top, left, bottom, right) = taken, a["padding"]
    margin = (top, left)
    # PyTorch's own margin is at most half of the kernel.
    most = min(a["kernel"]) // 2
    if (top, left) != (bottom, right) or max(margin) > most:
        x, margin = F.pad(x, (left, right, top, bottom), value=-torch.inf), (0, 0)
    return F.max_pool2d(x, a["kernel"], a["stride"], margin, a["dilation"], a["ceil"])


def _avg_pool2d(a: Mapping[str, Any], taken: list[Tensor], *_: None) -> Tensor:
    counted = a["count_include_pad"], a["divisor"]
    return F.avg_pool2d(taken[0], a["kernel"], a["stride"], a["padding"][:2], a["ceil"], *counted)


def _pad(a: Mapping[str, Any], taken: list[Tensor], *_: None) -> Tensor:
    top, left, bottom, right = a["padding"]
    value = a["value"] if a["mode"] == "constant" else None
    return F.pad(taken[0], (left, right, top, bottom), a["mode"], value)


def _layer_norm(
    a: Mapping[str, Any], taken: list[Tensor], weight: Tensor | None, bias: Tensor | None
) -> Tensor:
    return F.layer_norm(taken[0], taken[0].shape[-1:], weight, bias, a["eps"])


def _plain(function: Callable[..., Tensor], *names: str) -> Callable[..., Tensor]:
    """A function of the values taken, and of attributes after them."""
    return lambda a, taken, *_: function(*taken, *[a[name] for name in names])


OPERATIONS: Mapping[str, Callable[..., Tensor]] = {
    "conv2d": _conv2d,
    "linear": lambda a, taken, weight, bias: F.linear(taken[0], weight, bias),
    "scale_shift": _scale_shift,
    "layer_norm": _layer_norm,
    "relu": _plain(F.relu),
    "relu6": _plain(F.relu6),
    "clamp": _plain(torch.clamp, "low", "high"),
    "leaky_relu": _plain(F.leaky_relu, "slope"),
    "hardsigmoid": _plain(F.hardsigmoid),
    "hardswish": _plain(F.hardswish),
    "silu": _plain(F.silu),
    "gelu": lambda a, taken, *_: F.gelu(taken[0], approximate="tanh" if a["tanh"] else "none"),
    "sigmoid": _plain(torch.sigmoid),
    "tanh": _plain(torch.tanh),
    "max_pool2d": _max_pool2d,
    "avg_pool2d": _avg_pool2d,
    "adaptive_avg_pool2d": _plain(F.adaptive_avg_pool2d, "size"),
    "lrn": _plain(F.local_response_norm, "size", "alpha", "beta", "k"),
    "add": _plain(torch.add),
    "mul": _plain(torch.mul),
    "add_const": _plain(torch.add, "value"),
    "mul_const": _plain(torch.mul, "value"),
    "cat": lambda a, taken, *_: torch.cat(taken, 1),
    "pad": _pad,
    "flatten": lambda a, taken, *_: taken[0].flatten(1),
    "select": lambda a, taken, *_: taken[0][:, a["from"] : a["to"]],
}
