"""One forward pass of a model, stopped at a layer or watched from end to end.

In: an `nn.Module`, an input batch and a layer's name. Out: that layer's input and output, or every layer in forward
order. Layers are named by the dotted name of their module; the second and later calls of a module that is used
again are named `relu_1`, `relu_2`, … Hooks and evaluation mode last for one call.
"""

import difflib
import functools
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from tunewidgets._tensors import LayerValues
from tunewidgets.kernels.network.eager import eagerly
from tunewidgets.kernels.network.rectifiers import leak, leak_through

# Modules whose input and output differ by an elementwise nonlinearity: their input is the layer's `pre`.
ACTIVATIONS = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish,
    nn.Softplus, nn.Hardswish, nn.Hardtanh, nn.Hardsigmoid, nn.Sigmoid, nn.Tanh,
)  # fmt: skip


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
        It is not a module, or it is one of torch.jit, which runs its layers without calling hooks.
    RuntimeError
        Inference mode is on.
    """
    check_mode()
    if not isinstance(model, nn.Module):
        raise TypeError(f"model is a {type(model).__name__}; give a torch.nn.Module.")
    if isinstance(model, torch.jit.ScriptModule):
        raise TypeError(
            f"model is a {type(model).__name__} of torch.jit, whose layers can't be looked at one by one; give the "
            "module that it was made from."
        )


def unknown_layer(layer: str, names: list[str]) -> str:
    """The sentence for a layer that does not exist, with the nearest names, or the first ones."""
    lowered = {name.lower(): name for name in reversed(names)}
    near = [lowered[n] for n in difflib.get_close_matches(layer.lower(), lowered, n=5, cutoff=0.5)]
    near += [name for name in names if layer and layer.lower() in name.lower() and name not in near][
        : 5 - len(near)
    ]
    if near:
        hint = f"did you mean {', '.join(repr(name) for name in near)}?"
    else:
        hint = f"layers are {', '.join(repr(name) for name in names[:12])}{', …' if len(names) > 12 else ''}."
    return f"the model has no layer {layer!r}; {hint} tw.layers(model) lists them all."


def first_line(error: BaseException) -> str:
    """The first line of what an error says; its kind where it says nothing, as a bare `assert`."""
    said = str(error).strip()
    return said.splitlines()[0] if said else type(error).__name__


def is_about_determinism(error: BaseException) -> bool:
    """Whether torch refuses an operation because of `torch.use_deterministic_algorithms(True)`: it says what to do."""
    return torch.are_deterministic_algorithms_enabled() and "deterministic" in str(error)


# Modules in training mode that blocks hold in evaluation mode, and how many blocks hold each.
_held: "weakref.WeakKeyDictionary[nn.Module, int]" = weakref.WeakKeyDictionary()
_holding = threading.Lock()


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode for the length of a block; each module's own mode is put back afterwards.

    Where several threads look at one model, the last of their blocks does that. What `torch.compile` made is bypassed.
    """
    with _holding:
        own = [module for module in model.modules() if module.training or module in _held]
        for module in own:
            _held[module] = _held.get(module, 0) + 1
            module.training = False
    try:
        with eagerly(model):
            yield
    finally:
        with _holding:
            for module in own:
                _held[module] -= 1
                if not _held[module]:
                    del _held[module]
                    module.training = True


def of_this_thread(hook: Callable) -> Callable:
    """A hook that ignores forward passes of other threads, since several may look at one model at once."""
    thread = threading.get_ident()

    @functools.wraps(hook)
    def heard(*args: Any, **kwargs: Any) -> Any:
        return hook(*args, **kwargs) if threading.get_ident() == thread else None

    return heard


@contextmanager
def taking(images: Tensor) -> Iterator[None]:
    """Wrap what a network does with these images; if it does not take them, an error of one sentence says so.

    Raises
    ------
    ValueError
        The network does not take the images.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, AssertionError) as error:
        if is_about_determinism(error):
            raise
        raise ValueError(
            f"the model does not take images of {images.shape[2]} × {images.shape[3]} px: {first_line(error)}; resize "
            "them, for instance with tw.zoo.images(data, size=...)."
        ) from error


def first_tensor(output: Any) -> Tensor | None:
    """The tensor a module gives, or the first of several (attention gives its weights too)."""
    if isinstance(output, Tensor):
        return output
    if isinstance(output, (tuple, list)) and output:
        return first_tensor(output[0])
    if isinstance(output, dict) and output:
        return first_tensor(next(iter(output.values())))
    return None


class LayerCall(NamedTuple):
    """Where a layer is in a network: its name, its module and which of the module's calls it is (0 for the first)."""

    layer: str
    module: nn.Module
    call: int


def find_layer(model: nn.Module, layer: str) -> LayerCall:
    """The module behind a layer's name.

    Raises
    ------
    ValueError
        The model has no such layer; the message lists similar names.
    """
    # The model itself is not one of its layers, so "_1" and a bare "1" are not later calls of it.
    modules = {name: module for name, module in model.named_modules() if name}
    if layer in modules:
        return LayerCall(layer, modules[layer], 0)
    base, _, call = layer.rpartition("_")
    if call.isdigit() and int(call) > 0 and base in modules:
        return LayerCall(layer, modules[base], int(call))
    raise ValueError(unknown_layer(layer, list(modules)))


def forward_to(model: nn.Module, place: LayerCall, inputs: Tensor) -> Values:
    """Run `model` on `inputs` until a layer has its values, and no further.

    Raises
    ------
    ValueError
        The forward pass ended without reaching the layer (an unused module, or a call that is not made).
    """
    layer, module, call = place
    calls = 0
    values: Values | None = None

    @of_this_thread
    def before(_: nn.Module, args: tuple, kwargs: dict) -> None:
        nonlocal calls, values
        calls += 1
        if calls == call + 1:
            pre = first_tensor(args) if args else first_tensor(kwargs)
            if pre is None:
                return
            # An in-place activation would overwrite the values asked for.
            source = pre.clone() if getattr(module, "inplace", False) else pre
            values = Values(pre, module.forward(source), isinstance(module, nn.ReLU))
            raise _Seen

    @of_this_thread
    def after(_: nn.Module, __: tuple, output: Any) -> None:
        nonlocal calls, values
        calls += 1
        value = first_tensor(output)
        if calls == call + 1 and value is not None:
            values = Values(value, value)
            raise _Seen

    if isinstance(module, ACTIVATIONS):
        handle = module.register_forward_pre_hook(before, with_kwargs=True)
    else:
        handle = module.register_forward_hook(after)
    try:
        with suppress(_Seen):
            model(inputs)
    finally:
        handle.remove()
    if values is not None:
        return values
    if calls:
        name = layer.removesuffix(f"_{call}") if call else layer
        raise ValueError(
            f"layer {layer!r} is not reached: {name!r} runs {calls} time{'s' if calls > 1 else ''} in a forward pass; "
            f"its last layer is {name + (f'_{calls - 1}' if calls > 1 else '')!r}."
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
    handles = []

    def listener(name: str) -> Callable:
        @of_this_thread
        def after(module: nn.Module, _: tuple, output: Any) -> None:
            call = counts.get(name, 0)
            counts[name] = call + 1
            value = first_tensor(output)
            if value is not None:
                seen(f"{name}_{call}" if call else name, module, value)

        return after

    try:
        for name, module in model.named_modules():
            if name:
                handles.append(module.register_forward_hook(listener(name)))
        yield
    finally:
        for handle in handles:
            handle.remove()
