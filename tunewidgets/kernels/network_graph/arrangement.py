"""PyTorch's operations that move values and compute nothing, as those that a page knows.

In: a call. Out: its steps, as in `translation`. Only channels can be taken apart, and maps thinned out.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from tunewidgets.kernels.network_graph.steps import Call, Step, Steps

EVERYTHING = slice(None)


def split(call: Call, input: Tensor, *args: Any, dim: int = 0, **kwargs: Any) -> Mapping[int, Steps] | None:
    """A split into parts, one after the other along the channels."""
    parts = call.result
    total = call.shape(input)[1] if len(call.shape(input)) > 1 else 0
    if not isinstance(parts, (list, tuple)) or sum(part.shape[1] for part in parts) != total:
        return None
    if any(part.shape[2:] != call.shape(input)[2:] for part in parts):
        return None
    found, start = {}, 0
    for part in parts:
        found[id(part)] = [_select(input, start, start + part.shape[1])]
        start += part.shape[1]
    return found


def _select(input: Tensor, start: int, end: int) -> Step:
    return Step("select", (input,), {"from": start, "to": end})


def _same(call: Call, input: Tensor, *args: Any, **kwargs: Any) -> Steps:
    return [Step("same", (input,))]


def _dropout(
    call: Call, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Steps | None:
    return None if training else [Step("same", (input,))]


def _cast(call: Call, input: Tensor, *args: Any, **kwargs: Any) -> Steps | None:
    return [Step("same", (input,))] if call.result.is_floating_point() else None


def _reshape(call: Call, input: Tensor, *args: Any, **kwargs: Any) -> Steps | None:
    """Of a map to the features of one image, and back to a map of one position; all else moves units."""
    before, after = tuple(call.shape(input)), tuple(call.result.shape)
    if before == after:
        return [Step("same", (input,))]
    if before[:1] != after[:1] or len(after) != 2:
        return None
    return [Step("flatten", (input,))]


def _cat(call: Call, tensors: Any, dim: int = 0) -> Steps | None:
    values = tuple(tensors)
    along = dim % call.result.ndim
    return [Step("cat", values)] if along == 1 and all(map(call.is_value, values)) else None


def _pad(
    call: Call, input: Tensor, pad: Any, mode: str = "constant", value: float | None = None
) -> Steps | None:
    shape = call.shape(input)
    sides = [int(each) for each in pad]
    if len(shape) != 4 or len(sides) % 2 or mode not in ("constant", "reflect", "replicate"):
        return None
    left, right, top, bottom, first, last, *more = [*sides, *[0] * (8 - len(sides))]
    if any(more) or min(left, right, top, bottom, first, last) < 0:
        return None
    steps = []
    if left or right or top or bottom or not (first or last):
        attributes = {"padding": [top, left, bottom, right], "value": float(value or 0), "mode": mode}
        steps.append(Step("pad", (input,), attributes))
    if first or last:
        if value:
            return None
        # New channels of zeros, by a convolution of one pixel that carries each old channel to its new place.
        count = shape[1]
        places = torch.zeros(first + count + last, count, 1, 1, dtype=torch.float64)
        places[torch.arange(count) + first, torch.arange(count)] = 1
        plain = {"stride": [1, 1], "padding": [0, 0, 0, 0], "dilation": [1, 1], "groups": 1}
        steps.append(Step("conv2d", () if steps else (input,), plain, places))
    return steps


def _getitem(call: Call, input: Tensor, index: Any) -> Steps | None:
    """Some channels, or every n-th row and column."""
    shape = call.shape(input)
    slices = list(index) if isinstance(index, tuple) else [index]
    if Ellipsis in slices:
        at = slices.index(Ellipsis)
        slices[at : at + 1] = [EVERYTHING] * (len(shape) - len(slices) + 1)
    slices += [EVERYTHING] * (len(shape) - len(slices))
    if len(shape) < 2 or len(slices) != len(shape) or not all(isinstance(each, slice) for each in slices):
        return None
    images, channels, *places = (each.indices(size) for each, size in zip(slices, shape, strict=True))
    if images != (0, shape[0], 1) or channels[2] != 1:
        return None
    steps = []
    if channels[:2] != (0, shape[1]):
        steps.append(_select(input, channels[0], channels[1]))
    if any(place != (0, size, 1) for place, size in zip(places, shape[2:], strict=True)):
        if len(places) != 2 or any(
            (start, stop) != (0, size) for (start, stop, _), size in zip(places, shape[2:], strict=True)
        ):
            return None
        # Pooling over one pixel: the steps are all that is left of it.
        window = {
            "kernel": [1, 1],
            "stride": [step for *_, step in places],
            "padding": [0] * 4,
            "ceil": False,
        }
        counted = {"count_include_pad": True, "divisor": None}
        steps.append(Step("avg_pool2d", () if steps else (input,), {**window, **counted}))
    return steps or [Step("same", (input,))]


ARRANGEMENTS: Mapping[str, Callable[..., Steps | None]] = {
    **dict.fromkeys(("clone", "contiguous"), _same),
    **dict.fromkeys(("float", "double", "to", "type"), _cast),
    **dict.fromkeys(
        ("dropout", "dropout2d", "alpha_dropout", "feature_alpha_dropout", "feature_dropout"), _dropout
    ),
    **dict.fromkeys(("flatten", "view", "reshape", "squeeze"), _reshape),
    **dict.fromkeys(("cat", "concat", "concatenate"), _cat),
    "pad": _pad,
    "getitem": _getitem,
}
