"""One forward pass of a model, stopped at a layer or watched from end to end.

In: an `nn.Module`, an input batch and a layer's name. Out: that layer's input and output, or every layer in forward
order. Hooks of the user's own are part of their modules, and act as in any other pass; ours, and evaluation mode, last
for one call.
"""

import functools
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules import module as every_module

from tunewidgets._checks import a_type
from tunewidgets._tensors import LayerValues
from tunewidgets.kernels.network.eager import eagerly
from tunewidgets.kernels.network.names import LayerCall, layer_modules, name_of_call
from tunewidgets.kernels.network.outputs import first_tensor, with_first
from tunewidgets.kernels.network.rectifiers import leak, leak_through
from tunewidgets.kernels.network.unfit import check_is_ready

# Modules whose input and output differ by an elementwise nonlinearity: their input is the layer's `pre`.
ACTIVATIONS = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish,
    nn.Softplus, nn.Hardswish, nn.Hardtanh, nn.Hardsigmoid, nn.Sigmoid, nn.Tanh,
)  # fmt: skip


_OURS = "of_tunewidgets"  # the mark of hooks that only look

# Of these and no others, subclasses included, all values are 0 or more.
RECTIFIED = (nn.ReLU, nn.ReLU6)


def never_negative(module: nn.Module) -> bool:
    """Whether a module is a plain ReLU or ReLU6, as nobody has changed it: no subclass, other `forward` or hook."""
    return (
        type(module) in RECTIFIED
        and "forward" not in vars(module)
        and all(_OURS in getattr(hook, "__dict__", ()) for hook in module._forward_hooks.values())
        and not every_module._global_forward_hooks
    )


class Values(NamedTuple):
    """A layer's values on one batch: before and after its nonlinearity (the same tensor where it has none)."""

    pre: LayerValues
    post: LayerValues
    never_negative: bool = False

    def rectified(self) -> LayerValues:
        """Units' responses, float32: the values after the nonlinearity, negative ones at 0.

        Backward, what is negative leaks (see `rectifiers`).
        """
        if self.never_negative:
            return self.post.float()
        return leak(self.post.float()) if self.pre is self.post else leak_through(self.pre, self.post.float())


class _Seen(Exception):
    """Ends a forward pass once everything asked of it has been seen."""


def check_mode() -> None:
    """Raise a RuntimeError in inference mode, where layers can't be watched and images can't be optimized."""
    if torch.is_inference_mode_enabled():
        raise RuntimeError(
            "torch.inference_mode() is on, in which nothing can be optimized; leave it first, or use torch.no_grad()."
        )


def check_model(model: Any) -> None:
    """Raise an error of one sentence for anything but a model whose layers can be looked at.

    Raises
    ------
    TypeError
        It is not a module, or it is one of torch.jit, which runs its layers without calling hooks; its `forward` needs
        something besides images.
    ValueError
        It holds a lazy module that has not seen a batch.
    RuntimeError
        Inference mode is on.
    """
    check_mode()
    if not isinstance(model, nn.Module):
        raise TypeError(f"model is {a_type(model)}; give a torch.nn.Module.")
    if isinstance(model, torch.jit.ScriptModule):
        raise TypeError(
            f"model is {a_type(model)} of torch.jit, whose layers can't be looked at one by one; give the "
            "module that it was made from."
        )
    check_is_ready(model)


class _Held:
    """A module's attribute that blocks hold False: of several blocks, the last puts back what was True."""

    def __init__(self, attribute: str) -> None:
        self._attribute = attribute
        self._blocks: weakref.WeakKeyDictionary[nn.Module, int] = weakref.WeakKeyDictionary()

    def hold(self, modules: list[nn.Module]) -> list[nn.Module]:
        """Those of the modules that are held now: where the attribute is True, or held by another block."""
        own = [module for module in modules if getattr(module, self._attribute) or module in self._blocks]
        for module in own:
            self._blocks[module] = self._blocks.get(module, 0) + 1
            setattr(module, self._attribute, False)
        return own

    def release(self, own: list[nn.Module]) -> None:
        """The end of a block that held these modules."""
        for module in own:
            self._blocks[module] -= 1
            if not self._blocks[module]:
                del self._blocks[module]
                setattr(module, self._attribute, True)


_training = _Held("training")
# An encoder in evaluation mode packs tokens of unequal numbers into nested tensors, which only its own fast path takes:
# not its layers one by one, nor anything that looks at them.
_nesting = _Held("use_nested_tensor")
_holding = threading.Lock()


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode for the length of a block; each module's own mode is put back afterwards.

    Where several threads look at one model, the last of their blocks does that. What `torch.compile` made is bypassed,
    and so are nested tensors.
    """
    with _holding:
        modules = list(model.modules())
        trained = _training.hold(modules)
        nested = _nesting.hold([module for module in modules if isinstance(module, nn.TransformerEncoder)])
    try:
        with eagerly(model):
            yield
    finally:
        with _holding:
            _training.release(trained)
            _nesting.release(nested)


def of_this_thread(hook: Callable) -> Callable:
    """A hook that ignores forward passes of other threads, since several may look at one model at once."""
    thread = threading.get_ident()

    @functools.wraps(hook)
    def heard(*args: Any, **kwargs: Any) -> Any:
        return hook(*args, **kwargs) if threading.get_ident() == thread else None

    vars(heard)[_OURS] = True
    return heard


def forward_to(model: nn.Module, place: LayerCall, inputs: Tensor) -> Values:
    """Run `model` on `inputs` until a layer has its values, and no further.

    Raises
    ------
    ValueError
        The forward pass ended without reaching the layer (an unused module, or a call that is not made), or the layer
        runs inside a transform of torch.func.
    """
    layer, module, call = place
    calls = 0
    given: Tensor | None = None
    values: Values | None = None
    empty = ""
    transformed = False
    rectified = never_negative(module)

    @of_this_thread
    def before(_: nn.Module, args: tuple, kwargs: dict) -> tuple[tuple, dict] | None:
        nonlocal given
        if calls != call:
            return None
        given = first_tensor(args) if args else first_tensor(kwargs)
        if not getattr(module, "inplace", False):
            return None
        # An in-place activation would overwrite the values asked for.
        return (with_first(args, torch.clone), kwargs) if args else (args, with_first(kwargs, torch.clone))

    @of_this_thread
    def after(_: nn.Module, __: tuple, output: Any) -> None:
        nonlocal calls, values, empty, transformed
        calls += 1
        if calls != call + 1:
            return
        value = first_tensor(output)
        if value is None:
            empty = type(output).__name__
            raise _Seen
        if torch._C._functorch.is_functorch_wrapped_tensor(value):
            transformed = True
            raise _Seen
        # Where shapes differ, what was given is not the values before an elementwise nonlinearity.
        pre = value if given is None or given.shape != value.shape else given
        values = Values(pre, value, rectified)
        raise _Seen

    handles: list[Any] = []
    try:
        if isinstance(module, ACTIVATIONS):
            handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
        handles.append(module.register_forward_hook(after))
        with suppress(_Seen):
            model(inputs)
    finally:
        for handle in handles:
            handle.remove()
    if values is not None:
        return values
    if transformed:
        raise ValueError(
            f"layer {layer!r} runs inside torch.vmap or another transform of torch.func, out of which its values can't "
            "be taken; give a model that takes the whole batch without it."
        )
    if empty:
        raise ValueError(
            f"layer {layer!r} gives no tensor but a {empty}; use a layer inside it, or the one that comes after it."
        )
    if calls:
        modules = layer_modules(model)
        name = next((name for name, each in modules.items() if each is module), layer)
        raise ValueError(
            f"layer {layer!r} is not reached: {name!r} runs {calls} time{'s' if calls > 1 else ''} in a forward pass; "
            f"its last layer is {name_of_call(name, calls - 1, modules)!r}."
        )
    raise ValueError(
        f"layer {layer!r} is not reached: the model never calls it in its forward pass; use another layer."
    )


def run_to(
    places: Mapping[Any, LayerCall], run: Callable[[], Any], seen: Callable[[Any, Tensor], None]
) -> set[Any]:
    """Call `run`, which runs a network, and `seen(key, value)` as each place is reached; the last one ends the pass.

    Returns the keys of the places that were not reached.
    """
    left = set(places)

    def reached(key: Any, value: Tensor) -> None:
        seen(key, value)
        left.discard(key)
        if not left:
            raise _Seen

    handles = _listen_at(places, reached)
    try:
        with suppress(_Seen):
            run()
    finally:
        for handle in handles:
            handle.remove()
    return left


def _listen_at(places: Mapping[Any, LayerCall], seen: Callable[[Any, Tensor], None]) -> list[Any]:
    """Hooks that call `seen(key, value)` as each place is reached in this thread; the caller removes them."""
    wanted: dict[nn.Module, dict[int, Any]] = {}
    for key, place in places.items():
        wanted.setdefault(place.module, {})[place.call] = key

    def listener(keys: dict[int, Any]) -> Callable:
        calls = 0

        @of_this_thread
        def after(_: nn.Module, __: tuple, output: Any) -> None:
            nonlocal calls
            call, calls = calls, calls + 1
            value = first_tensor(output) if call in keys else None
            if value is not None:
                seen(keys[call], value)

        return after

    return [module.register_forward_hook(listener(keys)) for module, keys in wanted.items()]


def watch_layers(model: nn.Module, inputs: Tensor, seen: Callable[[str, nn.Module, Tensor], None]) -> None:
    """Run `model` on `inputs` and call `seen(name, module, value)` as each layer finishes, in forward order."""
    with watching(model, seen), torch.no_grad():
        model(inputs)


@contextmanager
def watching(model: nn.Module, seen: Callable[[str, nn.Module, Tensor], None]) -> Iterator[None]:
    """Call `seen(name, module, value)` as each layer finishes, in forward passes of this thread within the block."""
    counts: dict[str, int] = {}
    modules = layer_modules(model)
    handles = []

    def listener(name: str) -> Callable:
        @of_this_thread
        def after(module: nn.Module, _: tuple, output: Any) -> None:
            call = counts.get(name, 0)
            counts[name] = call + 1
            value = first_tensor(output)
            if value is not None:
                seen(name_of_call(name, call, modules), module, value)

        return after

    try:
        for name, module in modules.items():
            handles.append(module.register_forward_hook(listener(name)))
        yield
    finally:
        for handle in handles:
            handle.remove()
