"""Networks that can't be looked at, or copied, as they are: a sentence for each that says what to do.

In: an `nn.Module`. Out: nothing, or an error of one sentence; a copy of it on another device.
"""

import copy
import inspect
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from tunewidgets.kernels.network.outputs import tensors

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def check_is_ready(model: nn.Module) -> None:
    """Raise an error of one sentence unless the network has its weights' shapes and takes images alone.

    Raises
    ------
    TypeError
        Its `forward` needs something else than images, or takes nothing.
    ValueError
        A lazy module has not seen its first batch, from which it takes its shapes.
    """
    needed, takes_some = _arguments(model.forward)
    if needed or not takes_some:
        has = f"needs {' and '.join(map(repr, needed))} besides images" if needed else "takes no images"
        raise TypeError(
            f"the model's forward {has}; give a module that takes images alone, such as one whose own forward calls "
            "this model with the rest filled in."
        )
    for name, value in _state(model):
        if is_lazy(value):
            raise ValueError(
                f"the model's {name} belongs to a lazy module, which has no weights before its first batch; call "
                "model(images) once, and load weights if there are any."
            )


def check_has_values(model: nn.Module) -> None:
    """Raise a ValueError of one sentence if a weight is on the meta device, where it has a shape and no values."""
    for name, value in _state(model):
        if value.is_meta:
            raise ValueError(
                f"the model's {name} is on the meta device and has no values; call model.to_empty(device='cpu') and "
                "load its weights."
            )


def usable_on(model: nn.Module, device: torch.device) -> nn.Module:
    """The model itself if it lives on this device and its weights can be differentiated through, else a copy there.

    Raises
    ------
    ValueError
        Its weights are on the meta device, or it can't be copied.
    """
    check_has_values(model)
    first = next(model.parameters(), None)
    if first is None:
        return model
    # "cuda" alone means the current one of several.
    wanted = torch.cuda.current_device() if str(device) == "cuda" else device.index
    same_card = wanted is None or first.device.index in (None, wanted)
    is_there = same_card and first.device.type == device.type
    # Made or loaded in inference mode; its copy, made outside of it, is a network like any other.
    if is_there and not any(value.is_inference() for _, value in _state(model)):
        return model
    twin = twin_of(
        model, f"move it to {device} yourself and give device={str(device)!r}" if not is_there else ""
    )
    return twin if is_there else twin.to(device)


def twin_of(model: nn.Module, otherwise: str = "", shares_weights: bool = False) -> nn.Module:
    """A deep copy of a network.

    Parameters
    ----------
    model : torch.nn.Module
        What it keeps of its last pass with gradients, such as the weight that the older `weight_norm` computes, is
        copied without them.
    otherwise : str
        What to do if the model can't be copied.
    shares_weights : bool, default False
        Whether the copy has the model's own parameters and buffers, and only its modules are new.

    Raises
    ------
    ValueError
        It holds something that can't be copied.
    """
    memo: dict[int, Tensor] = {}
    for module in model.modules():
        for value in tensors(list(vars(module).values())):
            if not value.is_leaf:
                memo[id(value)] = value.detach().clone()
    if shares_weights:
        memo |= {id(value): value for _, value in _state(model)}
    try:
        return copy.deepcopy(model, memo)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # whatever a part of it raises that is not made to be copied
        said = str(error).strip().splitlines()[:1] or [type(error).__name__]
        remedy = otherwise or "give its modules no attribute that can't be copied"
        raise ValueError(f"the model can't be copied ({said[0]}); {remedy}.") from error


def _state(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from model.named_parameters()
    yield from model.named_buffers()


def _arguments(forward: Callable) -> tuple[list[str], bool]:
    """What a call needs besides its first argument, and whether it takes any."""
    try:
        parameters = list(inspect.signature(forward).parameters.values())
    except (TypeError, ValueError):
        return [], True  # a function that does not say
    positional = [each for each in parameters if each.kind in POSITIONAL]
    by_name = [each for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY]
    takes_some = bool(positional) or any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters)
    needed = [each.name for each in (*positional[1:], *by_name) if each.default is inspect.Parameter.empty]
    return needed, takes_some
