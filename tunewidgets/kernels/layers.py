"""The layers of a model, in forward order, and what each sees of the image.

In: an `nn.Module`. Out: a pandas DataFrame. Receptive field and stride follow from arithmetic over the operations that
really run (convolutions, pooling, whatever joins their results), so functional calls and branches count too; what
mixes all positions (attention, global pooling, a linear layer on a flattened map) sees the whole input.
"""

import math
import weakref
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from tunewidgets.kernels.probe import Probe
from tunewidgets.kernels.tracing import evaluating, forward_to, watch_layers

Pair = tuple[int, int]


@dataclass(frozen=True)
class Sight:
    """What one position of a tensor sees: its window and its step in input pixels, (y, x).

    `window` None stands for the whole input. `flat` marks a map whose positions were folded into features.
    """

    window: Pair | None = (1, 1)
    step: Pair = (1, 1)
    rectified: bool = False
    flat: bool = False

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
        return Sight(window, step, self.rectified and other.rectified, self.flat or other.flat)


RECTIFIERS = {"relu", "relu_", "threshold", "sigmoid", "softmax", "_softmax", "softplus"}
# Operations that neither mix positions nor change signs.
CARRIERS = {
    "view", "_unsafe_view", "reshape", "permute", "transpose", "t", "expand", "unsqueeze", "squeeze", "select", "slice",
    "split", "split_with_sizes", "chunk", "unbind", "clone", "detach", "contiguous", "alias", "_to_copy", "copy_",
    "lift", "cat", "stack", "constant_pad_nd", "native_dropout", "channel_shuffle", "pixel_shuffle",
}  # fmt: skip
NORMALIZERS = {
    "native_batch_norm", "_native_batch_norm_legit_no_training", "_native_batch_norm_legit", "cudnn_batch_norm",
    "miopen_batch_norm", "native_layer_norm", "_batch_norm_impl_index",
}  # fmt: skip
PRODUCTS = {"addmm", "mm", "linear", "mkldnn_linear", "_mkldnn_linear"}


def _pair(value: Any, default: int = 1) -> Pair:
    values = [value] if isinstance(value, int) else list(value)
    if not values:
        return (default, default)
    return (values[-2] if len(values) > 1 else values[-1], values[-1])


class _Watch(TorchDispatchMode):
    """Carries a `Sight` along with every tensor that depends on the image."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self._by_id: dict[int, tuple[weakref.ref, Sight]] = {}
        self.put(image, Sight())

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
        if name in {"convolution", "conv2d", "_convolution", "mkldnn_convolution", "cudnn_convolution"}:
            if named.get("transposed"):
                return replace(sight, window=None, rectified=False)
            kernel = _pair(named["weight"].shape[2:])
            moved = sight.through(kernel, _pair(named["stride"]), _pair(named["dilation"]))
            return replace(moved, rectified=False)
        if "max_pool" in name or name in {"avg_pool1d", "avg_pool2d", "avg_pool3d"}:
            kernel = _pair(named["kernel_size"])
            stride = _pair(named.get("stride") or named["kernel_size"])
            return sight.through(kernel, stride, _pair(named.get("dilation", 1)))
        if "adaptive" in name:
            return self._adaptive(sight, inputs[0], result)
        if name in RECTIFIERS or (
            name in {"hardtanh", "hardtanh_", "clamp", "clamp_min"}
            and named.get("min_val", named.get("min", 0)) == 0
        ):
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

    @staticmethod
    def _adaptive(sight: Sight, source: Tensor, result: Any) -> Sight:
        target = result[0] if isinstance(result, tuple) else result
        if source.shape[-2:] == target.shape[-2:]:
            return sight
        kernel = [math.ceil(a / b) for a, b in zip(source.shape[-2:], target.shape[-2:], strict=True)]
        if tuple(target.shape[-2:]) == (1, 1):
            return replace(sight, window=None)
        return sight.through(_pair(kernel), _pair(kernel))


def _folds(source: Tensor, result: Any) -> bool:
    """Whether a view folds a map's positions into the feature axis: (N, C, h, w) to (N, C*h*w)."""
    if not isinstance(result, Tensor) or source.ndim < 3 or result.ndim != 2:
        return False
    return (
        result.shape[0] == source.shape[0]
        and math.prod(source.shape[2:]) > 1
        and result.shape[1] > source.shape[1]
    )


def trace_layers(model: nn.Module, inputs: Tensor) -> list[dict[str, Any]]:
    """One row a layer, in forward order, for `inputs` of shape (1, 3, H, W)."""
    size = (int(inputs.shape[-2]), int(inputs.shape[-1]))
    rows: list[dict[str, Any]] = []
    watch = _Watch(inputs)

    def seen(name: str, module: nn.Module, value: Tensor) -> None:
        sight = watch.get(value)
        if value.ndim not in (2, 3, 4) or sight is None:
            return
        # A window as wide as the image sees all of it, whatever arithmetic adds for the padding.
        window = sight.window or size
        last = isinstance(module, (nn.Linear, nn.LayerNorm)) or value.ndim != 4
        rows.append(
            {
                "name": name,
                "kind": type(module).__name__,
                "units": int(value.shape[-1 if last else 1]),
                "output_shape": tuple(int(n) for n in value.shape[1:]),
                "receptive_field": (min(window[0], size[0]), min(window[1], size[1])),
                "stride": sight.step,
                "rectified": sight.rectified,
            }
        )

    with evaluating(model), torch.no_grad(), watch:
        watch_layers(model, inputs, seen)
    return rows


def layers(model: nn.Module, input_size: tuple[int, int, int] = (3, 224, 224)) -> pd.DataFrame:
    """List the layers of a model in forward order.

    Parameters
    ----------
    model : torch.nn.Module
        Any module that takes one batch of images. It comes back as it was.
    input_size : (int, int, int), default (3, 224, 224)
        Channels, height and width of the image that is sent through.

    Returns
    -------
    pandas.DataFrame
        One row a layer: `name` (dotted; a module used again gives `relu`, `relu_1`, …), `kind` (its class), `units`,
        `output_shape` (without the batch), `receptive_field` and `stride` in input pixels (y, x; a layer that sees
        everything has the input's size), `rectified` (whether its values cannot be negative).

    Raises
    ------
    TypeError
        `model` is not a module.
    ValueError
        The model does not take an image of this size.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> bank = tw.zoo.gabor_bank()
    >>> table = tw.layers(bank, input_size=(3, 64, 64))
    >>> table[["name", "units", "receptive_field", "rectified"]].values.tolist()[-1]
    ['relu', 28, (7, 7), True]
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model is a {type(model).__name__}; give a torch.nn.Module.")
    parameter = next(model.parameters(), torch.zeros(()))
    image = torch.zeros(1, *input_size, dtype=parameter.dtype, device=parameter.device)
    try:
        rows = trace_layers(model, image)
    except (RuntimeError, ValueError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f"the model does not take an image of shape {tuple(input_size)}: {reason}; give its own input_size."
        ) from error
    columns = ["name", "kind", "units", "output_shape", "receptive_field", "stride", "rectified"]
    return pd.DataFrame(rows, columns=columns)


def receptive_field(probe: Probe) -> int | None:
    """Side in pixels of what one position of the probe's layer sees; None where it sees the whole input."""
    window = sight_of(probe).window
    return None if window is None else max(window)


def sight_of(probe: Probe) -> Sight:
    """What one position of the probe's layer sees; its `window` is None where that is the whole input."""
    size = probe.input_size
    image = torch.full((1, 3, size, size), 0.5, device=probe.device)
    watch = _Watch(image)
    with evaluating(probe.network), torch.no_grad(), watch:
        inputs = image if probe.preprocess is None else probe.preprocess(image)
        value = forward_to(probe.network, probe.place, inputs).post
    sight = watch.get(value) or Sight(None, (size, size), False, False)
    if sight.window is not None and max(sight.window) >= size:
        return replace(sight, window=None)
    return sight
