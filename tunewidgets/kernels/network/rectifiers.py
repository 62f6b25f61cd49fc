"""Rectifiers that leak backward: even a silent unit has a gradient, and nothing that is measured changes.

In: a `with` block around a network's forward pass. Out: inside it every rectifier that a gradient passes gives exactly
what it always gives, and lets `SLOPE` of the gradient through where its own slope is 0. Modules, functions and methods
are caught alike, in place or not, in whatever code the network calls; in this thread alone, and only for this pass.
The ancestors are Lucid's and Lucent's redirected gradients, which act on modules and for an image's first steps.
"""

from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

# The share of the gradient that a rectifier passes backward where it is flat. Larger values pull images toward patterns
# that never reach the unit.
SLOPE = 0.05


def leak(values: Tensor) -> Tensor:
    """`values` rectified, for a layer without a nonlinearity of its own: what is negative leaks backward.

    A 0 among them is an earlier rectifier's, which leaks by itself.
    """
    return _Rectified.apply(values)


def leak_through(before: Tensor, after: Tensor) -> Tensor:
    """A nonlinearity's result `after`, rectified; where it is negative, `before` gets the gradient that leaks.

    A nonlinearity may fall there (GELU, SiLU), so that its own slope would lead down.
    """
    return _RectifiedAfter.apply(before, after)


class _Rectified(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        ctx.save_for_backward(values < 0)
        return values.relu()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (below,) = ctx.saved_tensors
        return torch.where(below, gradients[0] * SLOPE, gradients[0])


class _RectifiedAfter(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, before: Tensor, after: Tensor) -> Tensor:
        ctx.save_for_backward(after < 0)
        return after.relu()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        (below,) = ctx.saved_tensors
        (gradient,) = gradients
        return torch.where(below, gradient * SLOPE, 0.0), torch.where(below, 0.0, gradient)


class _LeakingReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, inplace: bool) -> Tensor:
        if inplace:
            ctx.mark_dirty(x)
        result = x.relu_() if inplace else x.relu()
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (result,) = ctx.saved_tensors
        # One operation, as cheap as the exact gradient: of a ReLU the result tells the sign of what it was given.
        return torch.ops.aten.leaky_relu_backward(gradients[0], result, SLOPE, True), None


class _Leaking(torch.autograd.Function):
    """Any elementwise rectifier `run(x)`, flat where `is_flat(x)`; `slope(gradient, x)` is its own gradient."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        run: Callable[[Tensor], Tensor],
        is_flat: Callable[[Tensor], Tensor],
        slope: Callable[[Tensor, Tensor], Tensor],
        inplace: bool,
    ) -> Tensor:
        ctx.save_for_backward(x.clone() if inplace else x)
        ctx.is_flat, ctx.slope = is_flat, slope
        if inplace:
            ctx.mark_dirty(x)
            return x.copy_(run(x))
        return run(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (x,) = ctx.saved_tensors
        (gradient,) = gradients
        return torch.where(ctx.is_flat(x), gradient * SLOPE, ctx.slope(gradient, x)), None, None, None, None


class _LeakingMaximum(torch.autograd.Function):
    """The larger of two tensors, one of which is 0 and has no gradient."""

    @staticmethod
    def forward(ctx: Any, input: Tensor, other: Tensor) -> Tensor:
        # Both are saved, in PyTorch's own order, so that `torch.utils.checkpoint` can recompute and replace them.
        ctx.save_for_backward(other, input)
        return torch.maximum(input, other)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        (gradient,), (other, input) = gradients, ctx.saved_tensors

        def leaking(x: Tensor, zero: Tensor) -> Tensor:
            rising = torch.where(x == zero, gradient / 2, gradient)
            return torch.where(x < zero, gradient * SLOPE, rising).to(x.dtype)

        first, second = ctx.needs_input_grad
        return leaking(input, other) if first else None, leaking(other, input) if second else None


def _is_flat(low: float | None, high: float | None) -> Callable[[Tensor], Tensor]:
    """Where a function that is constant up to `low` and from `high` on has slope 0."""
    bounds = ((torch.le, low), (torch.ge, high))
    beyond = [partial(compare, other=bound) for compare, bound in bounds if bound is not None]
    return lambda x: reduce(torch.logical_or, [is_beyond(x) for is_beyond in beyond])


def _unchanged(gradient: Tensor, x: Tensor) -> Tensor:
    return gradient


def _relu(input: Tensor, inplace: bool = False) -> Tensor:
    return _LeakingReLU.apply(input, inplace)


def _clamp(input: Tensor, min: Any = None, max: Any = None, inplace: bool = False) -> Tensor | None:
    bounds = [bound for bound in (min, max) if bound is not None]
    if not bounds or not all(isinstance(bound, int | float) for bound in bounds):
        return None
    run = partial(torch.clamp, min=min, max=max)
    return _Leaking.apply(input, run, _is_flat(min, max), _unchanged, inplace)


def _clamp_max(input: Tensor, max: Any, inplace: bool = False) -> Tensor | None:
    return _clamp(input, None, max, inplace)


def _hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    run = partial(F.hardtanh, min_val=min_val, max_val=max_val)
    return _Leaking.apply(input, run, _is_flat(min_val, max_val), _unchanged, inplace)


def _relu6(input: Tensor, inplace: bool = False) -> Tensor:
    return _hardtanh(input, 0.0, 6.0, inplace)


def _threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    run = partial(F.threshold, threshold=threshold, value=value)
    return _Leaking.apply(input, run, _is_flat(threshold, None), _unchanged, inplace)


def _hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    return _Leaking.apply(input, F.hardsigmoid, _is_flat(-3.0, 3.0), aten.hardsigmoid_backward, inplace)


def _hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    return _Leaking.apply(input, F.hardswish, _is_flat(-3.0, None), aten.hardswish_backward, inplace)


def _maximum(input: Tensor, other: Any = None, *rest: Any, **named: Any) -> Tensor | None:
    """The larger of a value and 0, which is also a rectifier; a maximum of anything else is not."""
    if rest or named or not isinstance(other, Tensor):
        return None
    x, zero = (input, other) if input.requires_grad else (other, input)
    fits = zero.numel() > 0 and torch.broadcast_shapes(x.shape, zero.shape) == x.shape
    return None if zero.requires_grad or not fits or bool(zero.any()) else _LeakingMaximum.apply(input, other)


aten = torch.ops.aten
# Every name under which PyTorch's rectifiers are called (exported programs call `aten`), with what leaks in its place;
# None from that: it is none.
RECTIFIERS: dict[Any, Callable[..., Tensor | None]] = {
    function: partial(leaking, inplace=True) if inplace else leaking
    for functions, leaking, inplace in (
        ((F.relu, torch.relu, Tensor.relu, aten.relu, aten.relu.default), _relu, False),
        ((torch.relu_, Tensor.relu_, aten.relu_, aten.relu_.default), _relu, True),
        ((torch.clamp, torch.clip, torch.clamp_min), _clamp, False),
        ((Tensor.clamp, Tensor.clip, Tensor.clamp_min), _clamp, False),
        ((aten.clamp, aten.clamp.default, aten.clamp_min, aten.clamp_min.default), _clamp, False),
        ((torch.clamp_, torch.clip_, torch.clamp_min_), _clamp, True),
        ((Tensor.clamp_, Tensor.clip_, Tensor.clamp_min_), _clamp, True),
        ((aten.clamp_, aten.clamp_.default, aten.clamp_min_, aten.clamp_min_.default), _clamp, True),
        ((torch.clamp_max, Tensor.clamp_max, aten.clamp_max, aten.clamp_max.default), _clamp_max, False),
        ((torch.clamp_max_, Tensor.clamp_max_, aten.clamp_max_, aten.clamp_max_.default), _clamp_max, True),
        ((F.hardtanh, aten.hardtanh, aten.hardtanh.default), _hardtanh, False),
        ((F.hardtanh_, aten.hardtanh_, aten.hardtanh_.default), _hardtanh, True),
        ((F.relu6, aten.relu6, aten.relu6.default), _relu6, False),
        ((aten.relu6_, aten.relu6_.default), _relu6, True),
        ((F.threshold, torch.threshold, aten.threshold, aten.threshold.default), _threshold, False),
        ((torch.threshold_, aten.threshold_, aten.threshold_.default), _threshold, True),
        ((F.hardsigmoid, aten.hardsigmoid, aten.hardsigmoid.default), _hardsigmoid, False),
        ((aten.hardsigmoid_, aten.hardsigmoid_.default), _hardsigmoid, True),
        ((F.hardswish, aten.hardswish, aten.hardswish.default), _hardswish, False),
        ((aten.hardswish_, aten.hardswish_.default), _hardswish, True),
        ((torch.maximum, Tensor.maximum, torch.max, Tensor.max), _maximum, False),
        ((aten.maximum, aten.maximum.default), _maximum, False),
    )
    for function in functions
}


class LeakingRectifiers(TorchFunctionMode):
    """Inside the block, and in its thread, rectifiers leak backward; forward they are exact."""

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        leaking = RECTIFIERS.get(func)
        if leaking is not None and _passes_gradient(args, kwargs):
            result = leaking(*args, **{name: value for name, value in kwargs.items() if name != "out"})
            if result is not None:
                return result
        return func(*args, **kwargs)


def _passes_gradient(args: tuple, kwargs: dict) -> bool:
    """Whether a call's result has a gradient that goes on to what it was given."""
    given = (*args, *kwargs.values())
    return (
        torch.is_grad_enabled()
        and kwargs.get("out") is None
        and any(isinstance(value, Tensor) and value.requires_grad for value in given)
    )
