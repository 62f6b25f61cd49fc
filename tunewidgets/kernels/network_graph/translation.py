"""PyTorch's operations as those that a page knows.

In: an operation's name, what it was given and what it gave. Out: the steps of a page's engine that do the same, or None
where there are none. Each function below has the parameters of PyTorch's own, and is found by its name.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from tunewidgets.kernels.network_graph.arrangement import ARRANGEMENTS, split
from tunewidgets.kernels.network_graph.steps import Call, Step, Steps, pair

SPLITS = ("chunk", "split", "tensor_split")


def steps_of(name: str, call: Call, args: tuple, kwargs: dict) -> Mapping[int, Steps] | None:
    """The steps that make each tensor of a call's result, by its id; None if a page can't do them."""
    name = name.strip("_")
    if name in SPLITS:
        return split(call, *args, **kwargs)
    translate = TRANSLATIONS.get(name)
    if translate is None or not isinstance(call.result, Tensor):
        return None
    try:
        steps = translate(call, *args, **kwargs)
    except TypeError:  # a way of calling it that is not known here
        return None
    return None if steps is None else {id(call.result): steps}


def _conv2d(
    call: Call,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Steps | None:
    if weight.ndim != 4 or len(call.shape(input)) != 4:
        return None
    steps, (down, across) = pair(dilation), weight.shape[2:]
    if padding == "same":
        # As PyTorch has it: of an odd number, the one more is below and on the right.
        rows, columns = steps[0] * (down - 1), steps[1] * (across - 1)
        margin = [rows // 2, columns // 2, rows - rows // 2, columns - columns // 2]
    else:
        margin = pair(0 if padding == "valid" else padding) * 2
    attributes = {"stride": pair(stride), "padding": margin, "dilation": steps, "groups": groups}
    return [Step("conv2d", (input,), attributes, weight, bias)]


def _linear(call: Call, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Steps | None:
    return [Step("linear", (input,), {}, weight, bias)] if len(call.shape(input)) == 2 else None


def _batch_norm(
    call: Call,
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    *rest: Any,
    eps: float = 1e-5,
) -> Steps | None:
    if training or running_mean is None or running_var is None:
        return None
    eps = rest[0] if rest else eps
    scale = 1 / (running_var.double() + eps).sqrt()
    scale = scale if weight is None else scale * weight.double()
    shift = -running_mean.double() * scale
    return [Step("scale_shift", (input,), {}, scale, shift if bias is None else shift + bias.double())]


def _layer_norm(
    call: Call,
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Steps | None:
    if len(call.shape(input)) != 2 or len(normalized_shape) != 1:
        return None
    return [Step("layer_norm", (input,), {"axis": "last", "eps": eps}, weight, bias)]


def _plain(name: str, **attributes: Any) -> Callable[..., Steps]:
    """An elementwise function without parameters."""

    def translate(call: Call, input: Tensor, inplace: bool = False) -> Steps:
        return [Step(name, (input,), attributes)]

    return translate


def _clamp(call: Call, input: Tensor, min: Any = None, max: Any = None) -> Steps | None:
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        return None
    return [_clamped(input, min, max)]


def _hardtanh(
    call: Call, input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Steps:
    return [_clamped(input, min_val, max_val)]


def _clamped(input: Tensor, low: float | None, high: float | None) -> Step:
    if (low, high) == (0, None):
        return Step("relu", (input,))
    return (
        Step("relu6", (input,))
        if (low, high) == (0, 6)
        else Step("clamp", (input,), {"low": low, "high": high})
    )


def _leaky_relu(call: Call, input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Steps:
    return [Step("leaky_relu", (input,), {"slope": negative_slope})]


def _gelu(call: Call, input: Tensor, approximate: str = "none") -> Steps:
    return [Step("gelu", (input,), {"tanh": approximate == "tanh"})]


def _max_pool2d(
    call: Call,
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Steps | None:
    window = _window(kernel_size, stride, padding, ceil_mode)
    whole = len(call.shape(input)) == 4 and not return_indices
    return [Step("max_pool2d", (input,), {**window, "dilation": pair(dilation)})] if whole else None


def _avg_pool2d(
    call: Call,
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Steps | None:
    if len(call.shape(input)) != 4:
        return None
    counted = {"count_include_pad": count_include_pad, "divisor": divisor_override}
    return [Step("avg_pool2d", (input,), {**_window(kernel_size, stride, padding, ceil_mode), **counted})]


def _window(kernel: Any, stride: Any, padding: Any, ceil: bool) -> dict[str, Any]:
    # PyTorch's own code has an empty list for "as large as the kernel".
    step = kernel if stride is None or stride == [] else stride
    return {"kernel": pair(kernel), "stride": pair(step), "padding": pair(padding) * 2, "ceil": ceil}


def _adaptive_avg_pool2d(call: Call, input: Tensor, output_size: Any) -> Steps | None:
    if len(call.shape(input)) != 4:
        return None
    return [Step("adaptive_avg_pool2d", (input,), {"size": list(call.result.shape[2:])})]


def _mean(call: Call, input: Tensor, dim: Any = None, keepdim: bool = False) -> Steps | None:
    shape = call.shape(input)
    axes = {axis % len(shape) for axis in ([dim] if isinstance(dim, int) else dim or ())}
    if len(shape) != 4 or axes != {2, 3}:
        return None
    pooled = Step("adaptive_avg_pool2d", (input,), {"size": [1, 1]})
    return [pooled] if keepdim else [pooled, Step("flatten")]


def _local_response_norm(
    call: Call, input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Steps:
    return [Step("lrn", (input,), {"size": size, "alpha": alpha, "beta": beta, "k": k})]


def _add(call: Call, input: Any, other: Any, alpha: float = 1) -> Steps | None:
    return _sum(call, input, other) if alpha == 1 else None


def _sub(call: Call, input: Any, other: Any, alpha: float = 1) -> Steps | None:
    # A difference of two values would need one of them negated first, in between.
    return None if alpha != 1 or call.is_value(other) else _sum(call, input, -other)


def _rsub(call: Call, input: Any, other: Any) -> Steps | None:
    number = _number(other)
    return (
        None
        if number is None
        else [
            Step("mul_const", (input,), {"value": -1.0}),
            Step("add_const", (), {"value": number}),
        ]
    )


def _neg(call: Call, input: Tensor) -> Steps:
    return [Step("mul_const", (input,), {"value": -1.0})]


def _mul(call: Call, input: Any, other: Any) -> Steps | None:
    value, by = (input, other) if call.is_value(input) else (other, input)
    if call.is_value(by):
        return _together("mul", call, value, by)
    number = _number(by)
    if number is not None:
        return [Step("mul_const", (value,), {"value": number})]
    channels = _by_channel(call, value, by)
    return (
        None
        if channels is None
        else [Step("scale_shift", (value,), {}, channels, torch.zeros_like(channels))]
    )


def _div(call: Call, input: Any, other: Any, rounding_mode: str | None = None) -> Steps | None:
    if rounding_mode is not None or call.is_value(other):
        return None
    return _mul(call, input, 1 / (other.double() if isinstance(other, Tensor) else other))


def _sum(call: Call, input: Any, other: Any) -> Steps | None:
    value, more = (input, other) if call.is_value(input) else (other, input)
    if call.is_value(more):
        return _together("add", call, value, more)
    number = _number(more)
    if number is not None:
        return [Step("add_const", (value,), {"value": number})]
    channels = _by_channel(call, value, more)
    return (
        None if channels is None else [Step("scale_shift", (value,), {}, torch.ones_like(channels), channels)]
    )


def _together(name: str, call: Call, one: Tensor, other: Tensor) -> Steps | None:
    """Of two values of one shape, or of a map and one number for each of its channels."""
    shapes = [tuple(call.shape(one)), tuple(call.shape(other))]
    whole = tuple(call.result.shape)
    known = whole in shapes and all(shape in (whole, (*whole[:2], 1, 1)) for shape in shapes)
    # The map comes first.
    return [Step(name, (one, other) if shapes[0] == whole else (other, one))] if known else None


def _number(given: Any) -> float | None:
    """A constant that is one number."""
    if isinstance(given, Tensor):
        return float(given) if given.numel() == 1 else None
    return float(given) if isinstance(given, int | float) else None


def _by_channel(call: Call, value: Tensor, constant: Any) -> Tensor | None:
    """A constant that has one number for each channel of a value, `(C,)`."""
    shape = call.shape(value)
    if not isinstance(constant, Tensor) or call.result.shape != shape:
        return None
    padded = (1,) * (len(shape) - constant.ndim) + tuple(constant.shape)
    fits = padded == (1, shape[1], *(1,) * (len(shape) - 2))
    return constant.reshape(-1).double() if fits else None


TRANSLATIONS: Mapping[str, Callable[..., Steps | None]] = {
    "conv2d": _conv2d,
    "linear": _linear,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    **{
        name: _plain(name)
        for name in ("relu", "relu6", "hardsigmoid", "hardswish", "silu", "sigmoid", "tanh")
    },
    "clamp": _clamp,
    "clip": _clamp,
    "clamp_min": _clamp,
    "hardtanh": _hardtanh,
    "leaky_relu": _leaky_relu,
    "gelu": _gelu,
    "max_pool2d": _max_pool2d,
    "avg_pool2d": _avg_pool2d,
    "adaptive_avg_pool2d": _adaptive_avg_pool2d,
    "mean": _mean,
    "local_response_norm": _local_response_norm,
    **dict.fromkeys(("add", "radd", "iadd"), _add),
    **dict.fromkeys(("sub", "isub"), _sub),
    "rsub": _rsub,
    "neg": _neg,
    **dict.fromkeys(("mul", "rmul", "imul"), _mul),
    **dict.fromkeys(("div", "truediv", "itruediv"), _div),
    **ARRANGEMENTS,
}
