"""What part of the image each value of a network sees, and how values are laid out, from the operations that really
run.

In: a forward pass under a `Watch`. Out: a `Sight` for every tensor that depends on the image. Receptive fields follow
from arithmetic over convolutions and pooling; which axis holds the units, and which tokens belong to no place of the
image, from how axes are moved, folded and joined.
"""

import math
import weakref
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

Pair = tuple[int, int]


@dataclass(frozen=True)
class Sight:
    """What one position of a tensor sees: its window and its step in input pixels, (y, x).

    `window` None stands for the whole input. `flat` marks a map whose positions were folded into features. `axis` is
    the one that holds the units, None where it is not known; `outside` says how many tokens before and after the
    image's own belong to no place in it, such as a class token.
    """

    window: Pair | None = (1, 1)
    step: Pair = (1, 1)
    rectified: bool = False
    flat: bool = False
    axis: int | None = 1
    outside: Pair = (0, 0)

    def unit_axis(self, dimensions: int) -> int:
        """The axis of the units in a tensor of so many dimensions; where it is not known, the usual one."""
        if self.axis is not None and 0 < self.axis < dimensions:
            return self.axis
        return dimensions - 1 if dimensions == 3 else 1

    def is_map(self, shape: tuple[int, ...], size: Pair) -> bool:
        """Whether `(N, …)` of four axes, from an image of this size, can be units at places: attention's heads are not.

        Of a square image the map is square.
        """
        if len(shape) != 4 or self.axis is not None:
            return True
        if size[0] == size[1] and shape[2] != shape[3]:
            return False
        return all(
            places <= 2 * math.ceil(side / min(self.step))
            for places, side in zip(shape[2:], size, strict=True)
        )

    def through(self, kernel: Pair, stride: Pair, dilation: Pair = (1, 1)) -> "Sight":
        """After a convolution or pooling with this kernel."""
        step = (self.step[0] * stride[0], self.step[1] * stride[1])
        if self.window is None:
            return replace(self, step=step)
        reach = [(k - 1) * d * s for k, d, s in zip(kernel, dilation, self.step, strict=True)]
        return replace(self, window=(self.window[0] + reach[0], self.window[1] + reach[1]), step=step)

    def joined(self, other: "Sight") -> "Sight":
        """Of the sum or concatenation of two tensors."""
        window = None
        if self.window is not None and other.window is not None:
            window = (max(self.window[0], other.window[0]), max(self.window[1], other.window[1]))
        step = (max(self.step[0], other.step[0]), max(self.step[1], other.step[1]))
        outside = (max(self.outside[0], other.outside[0]), max(self.outside[1], other.outside[1]))
        rectified, flat = self.rectified and other.rectified, self.flat or other.flat
        return Sight(window, step, rectified, flat, self.axis, outside)


NEVER_NEGATIVE = {"relu", "relu_", "threshold", "sigmoid", "softmax", "_softmax", "softplus"}
# Operations that neither mix positions nor change signs.
CARRIERS = {
    "view", "_unsafe_view", "reshape", "permute", "transpose", "t", "expand", "unsqueeze", "squeeze", "select", "slice",
    "split", "split_with_sizes", "chunk", "unbind", "clone", "detach", "contiguous", "alias", "_to_copy", "copy_",
    "lift", "cat", "stack", "constant_pad_nd", "native_dropout", "channel_shuffle", "pixel_shuffle",
    "quantize_per_tensor", "dequantize",
}  # fmt: skip
NORMALIZERS = {
    "native_batch_norm", "_native_batch_norm_legit_no_training", "_native_batch_norm_legit", "cudnn_batch_norm",
    "miopen_batch_norm", "native_layer_norm", "_batch_norm_impl_index",
}  # fmt: skip
PRODUCTS = {"addmm", "mm", "linear", "mkldnn_linear", "_mkldnn_linear"}
CONVOLUTIONS = {
    "convolution", "conv2d", "conv2d_relu", "_convolution", "mkldnn_convolution", "cudnn_convolution",
}  # fmt: skip


def _pair(value: Any) -> Pair:
    values = [value] if isinstance(value, int) else list(value)
    if not values:
        return (1, 1)
    return (values[-2] if len(values) > 1 else values[-1], values[-1])


class Watch(TorchDispatchMode):
    """Carries a `Sight` along with every tensor that depends on the image."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self._by_id: dict[int, tuple[weakref.ref, Sight]] = {}
        self.put(image, Sight())

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """No: PyTorch would import its compiler for that, in seconds, and nothing compiled runs under this mode."""
        return False

    def put(self, tensor: Tensor, sight: Sight) -> None:
        self._by_id[id(tensor)] = (weakref.ref(tensor), sight)

    def get(self, tensor: Any) -> Sight | None:
        if not isinstance(tensor, Tensor):
            return None
        reference, sight = self._by_id.get(id(tensor), (None, None))
        return sight if reference is not None and reference() is tensor else None

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        result = func(*args, **(kwargs or {}))
        inputs = [
            t for a in args for t in (a if isinstance(a, (list, tuple)) else [a]) if self.get(t) is not None
        ]
        if inputs:
            sight = self._after(func, args, kwargs or {}, inputs, result)
            sight = self._laid_out(func, args, kwargs or {}, inputs[0], result, sight)
            for tensor in result if isinstance(result, (list, tuple)) else [result]:
                if isinstance(tensor, Tensor):
                    self.put(tensor, sight)
        return result

    def _after(self, func: Any, args: tuple, kwargs: dict, inputs: list[Tensor], result: Any) -> Sight:
        name = func.overloadpacket.__name__
        sights = [s for s in map(self.get, inputs) if s is not None]
        sight = sights[0]
        for other in sights[1:]:
            sight = sight.joined(other)
        named = dict(zip([a.name for a in func._schema.arguments], args, strict=False)) | kwargs
        if name in CONVOLUTIONS:
            if named.get("transposed"):
                return replace(sight, window=None, rectified=False)
            return replace(sight.through(*_geometry(named)), rectified=name.endswith("relu"))
        if "adaptive" in name:
            return self._adaptive(sight, inputs[0], result)
        if name == "im2col":
            kernel, stride, dilation = (_pair(named[each]) for each in ("kernel_size", "stride", "dilation"))
            return sight.through(kernel, stride, dilation)
        if "max_pool" in name or name in {"avg_pool1d", "avg_pool2d", "avg_pool3d"}:
            kernel = _pair(named["kernel_size"])
            stride = _pair(named.get("stride") or named["kernel_size"])
            return sight.through(kernel, stride, _pair(named.get("dilation", 1)))
        if name in NEVER_NEGATIVE or _cuts_at_0(name, named):
            return replace(sight, rectified=True)
        if name in CARRIERS:
            return replace(sight, flat=sight.flat or _folds(inputs[0], result))
        if name in NORMALIZERS:
            return replace(sight, rectified=False)
        if name in PRODUCTS:
            return replace(sight, window=None if sight.flat else sight.window, rectified=False, flat=False)
        if torch.Tag.pointwise in func.tags:
            keeps = name in {"mul", "add", "add_", "div", "pow"} and len(sights) == sum(
                isinstance(a, Tensor) for a in args
            )
            scaled = name in {"add", "mul", "div", "pow"} and all(
                not isinstance(a, (int, float)) or a >= 0 for a in args
            )
            return replace(sight, rectified=sight.rectified and (keeps or scaled))
        return replace(sight, window=None, rectified=sight.rectified and name == "mean")

    def _laid_out(
        self, func: Any, args: tuple, kwargs: dict, source: Tensor, result: Any, sight: Sight
    ) -> Sight:
        """The sight with the result's unit axis and the tokens that belong to no place."""
        name = func.overloadpacket.__name__
        first = next((r for r in (result if isinstance(result, (list, tuple)) else [result])), None)
        before = self.get(source)
        if not isinstance(first, Tensor) or before is None:
            return sight
        named = dict(zip([a.name for a in func._schema.arguments], args, strict=False)) | kwargs
        if "convolution" in name or name in CONVOLUTIONS:
            return replace(sight, axis=1, outside=(0, 0))
        if name in PRODUCTS or name == "_native_multi_head_attention":
            return replace(sight, axis=first.ndim - 1)
        axis = axis_after(name, named, before.axis, source, first)
        outside = sight.outside
        if name == "cat" and first.ndim == 3 and int(named.get("dim", 0)) % 3 != axis:
            outside = self._placeless(named["tensors"], int(named.get("dim", 0)), outside)
        elif name == "slice" and source.ndim == 3 and int(named.get("dim", 0)) % 3 not in (0, axis):
            outside = _sliced(outside, source.shape[int(named.get("dim", 0))], named)
        elif name in {"select", "mean", "sum", "amax"} and source.ndim == 3 and first.ndim < 3:
            outside = (0, 0)  # one token, or all of them as one
        return replace(sight, axis=axis, outside=outside)

    def _placeless(self, tensors: Any, dim: int, outside: Pair) -> Pair:
        """Tokens before and after the image's, once tensors that do not depend on it are joined to them."""
        seen = [self.get(tensor) is not None for tensor in tensors]
        lengths = [tensor.shape[dim] for tensor in tensors]
        first, last = seen.index(True), len(seen) - 1 - seen[::-1].index(True)
        return (outside[0] + sum(lengths[:first]), outside[1] + sum(lengths[last + 1 :]))

    @staticmethod
    def _adaptive(sight: Sight, source: Tensor, result: Any) -> Sight:
        target = result[0] if isinstance(result, tuple) else result
        if source.shape[-2:] == target.shape[-2:]:
            return sight
        kernel = [math.ceil(a / b) for a, b in zip(source.shape[-2:], target.shape[-2:], strict=True)]
        if tuple(target.shape[-2:]) == (1, 1):
            return replace(sight, window=None)
        return sight.through(_pair(kernel), _pair(kernel))


def _geometry(named: dict[str, Any]) -> tuple[Pair, Pair, Pair]:
    """A convolution's kernel, stride and dilation."""
    packed = named.get("packed_weight")
    if packed is None:
        return _pair(named["weight"].shape[2:]), _pair(named["stride"]), _pair(named["dilation"])
    # A quantized convolution's weight is an object that holds all of it.
    weight, _ = packed.unpack()
    return _pair(weight.shape[2:]), _pair(packed.stride()), _pair(packed.dilation())


def _cuts_at_0(name: str, named: dict[str, Any]) -> bool:
    """Whether an operation that bounds values lets no negative one through."""
    if name.startswith("hardtanh"):
        least = named.get("min_val", -1)
    else:
        least = named.get("min") if name.startswith("clamp") and not name.startswith("clamp_max") else None
    return least is not None and bool((torch.as_tensor(least) >= 0).all())


def _folds(source: Tensor, result: Any) -> bool:
    """Whether a view folds a map's positions into the feature axis: (N, C, h, w) to (N, C*h*w)."""
    if not isinstance(result, Tensor) or source.ndim < 3 or result.ndim != 2:
        return False
    return (
        result.shape[0] == source.shape[0]
        and math.prod(source.shape[2:]) > 1
        and result.shape[1] > source.shape[1]
    )


def axis_after(
    name: str, named: dict[str, Any], axis: int | None, source: Tensor, result: Tensor
) -> int | None:
    """Where an operation that moves, folds or drops axes leaves the one that holds the units; None: nowhere."""
    if axis is None or axis >= source.ndim:
        return None
    n = source.ndim
    if name in {"im2col", "col2im"}:  # places become the last axis, or are two axes again
        return 1
    if name == "permute":
        return [int(d) % n for d in named["dims"]].index(axis)
    if name in {"transpose", "t"}:
        a, b = (0, 1) if name == "t" else (int(named["dim0"]) % n, int(named["dim1"]) % n)
        return {a: b, b: a}.get(axis, axis)
    if name == "unsqueeze":
        return axis + (int(named["dim"]) % (n + 1) <= axis)
    if name in {"select", "unbind"}:
        dropped = int(named.get("dim", 0)) % n
        return None if dropped == axis else axis - (dropped < axis)
    if result.ndim == n and result.shape[axis] == source.shape[axis]:
        return axis
    if name in {"view", "_unsafe_view", "reshape", "squeeze", "expand", "mean", "sum", "amax", "max"}:
        return _same_axis(source, axis, result)
    # What keeps the number of axes keeps their meaning: a slice, a part, a concatenation of units.
    return axis if result.ndim == n else None


def _same_axis(source: Tensor, axis: int, result: Tensor) -> int | None:
    """The axis of `result` with as many entries, and as many values after each, as `axis` had."""
    after = math.prod(source.shape[axis + 1 :])
    for place in range(1, result.ndim):
        if result.shape[place] == source.shape[axis]:
            rest = math.prod(result.shape[place + 1 :])
            # A mean over the positions behind the units leaves none.
            if rest in (after, 1):
                return place
    return None


def _sliced(outside: Pair, length: int, named: dict[str, Any]) -> Pair:
    start, end = named.get("start") or 0, named.get("end")
    end = length if end is None else min(int(end), length)
    start, end = start + length if start < 0 else start, end + length if end < 0 else end
    return max(0, min(outside[0], end) - start), max(0, end - max(start, length - outside[1]))
