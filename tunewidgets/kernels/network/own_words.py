"""What a network says of itself, also where a wrapper hides it: preprocessing, image size, where its weights are from.

In: a network. Out: its `preprocess`, `input_size` and `weights_from`, or those of a network inside it. Whether the
latter hold for the whole is not guessed but observed: what reaches the inner network is compared with what the whole
was given, and with what the preprocessing makes of that.
"""

import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from tunewidgets._checks import a_type
from tunewidgets.kernels.network.names import can_be_watched
from tunewidgets.kernels.network.outputs import first_tensor
from tunewidgets.kernels.network.refusals import REFUSALS
from tunewidgets.kernels.network.tracing import evaluating, of_this_thread
from tunewidgets.zoo.carried import Size, as_size, likely_sizes, only_size, unwrapped

Preprocess = Callable[[Tensor], Tensor]
# Sides at which it is tried what reaches an inner network.
SIDES = (64, 224)
# How far what reaches it may be from what was expected, as a share of the largest value: bfloat16 rounds to 1 / 256.
SAME = 0.02


class OwnWords(NamedTuple):
    """What holds for a whole network: None where it says nothing, or what it says holds for a part only."""

    preprocess: Preprocess | None = None
    size: Size | None = None
    weights_from: str | None = None


class _Entered(Exception):
    """Ends a forward pass once every inner network has been reached."""


def own_words(network: nn.Module, warn: bool = True) -> OwnWords:
    """What the network says of itself; a warning says where an inner network's preprocessing may be missing.

    Inside DataParallel, torch.compile and their kin a network is itself. One that a user's own wrapper holds speaks for
    the whole if images reach it as they were given. If they reach it preprocessed, the wrapper does that, and nothing
    is to be done again.
    """
    itself = unwrapped(network)
    size, weights_from = only_size(itself), _text(itself, "weights_from")
    preprocess = _callable(itself)
    if preprocess is not None:
        return OwnWords(preprocess, size, weights_from)
    if warn:
        _warn_of_no_function(network)
    holders = _holders(itself)
    if not holders:
        return OwnWords(None, size, weights_from)
    known = _observed.get(itself)
    if known is None or known[0] != tuple(map(id, holders.values())):
        found, doubt = _observe(itself, holders)
        known = _observed[itself] = (tuple(map(id, holders.values())), found)
        if doubt and warn:
            warnings.warn(doubt, stacklevel=4)
    inner = known[1]
    return OwnWords(inner.preprocess, size or inner.size, weights_from or inner.weights_from)


# What was observed of networks that wrap others, as long as they hold the same ones.
_observed: "weakref.WeakKeyDictionary[nn.Module, tuple[tuple[int, ...], OwnWords]]" = (
    weakref.WeakKeyDictionary()
)


def _warn_of_no_function(network: nn.Module) -> None:
    """Warn of a `preprocess` that says in numbers or words what is done to images, and so can't be applied."""
    for name, module in network.named_modules():
        own: Any = getattr(module, "preprocess", None)
        if isinstance(own, (str, Mapping, Sequence)) and len(own):
            where = f"the model's {name}.preprocess" if name else "the model's preprocess"
            warnings.warn(
                f"{where} is {a_type(own)} and no function, so images reach the model without it; give "
                "preprocess=, such as torchvision.transforms.Normalize(mean, std), or preprocess=lambda images: images "
                "if they need none.",
                stacklevel=5,
            )
            return


def _callable(module: nn.Module) -> Preprocess | None:
    own: Any = getattr(module, "preprocess", None)
    return own if callable(own) else None


def _text(module: nn.Module, name: str) -> str | None:
    value = getattr(module, name, None)
    return value if isinstance(value, str) else None


def _holders(network: nn.Module) -> dict[str, nn.Module]:
    """The outermost networks inside this one that carry a `preprocess` or an `input_size` of their own, by name."""
    found: dict[str, nn.Module] = {}
    for name, module in network.named_modules():
        if name and not any(name.startswith(f"{outer}.") for outer in found):
            told = as_size(getattr(module, "input_size", None)) is not None and any(module.children())
            if told or _callable(module) is not None:
                found[name] = module
    return found


def _observe(network: nn.Module, holders: dict[str, nn.Module]) -> tuple[OwnWords, str]:
    """What the inner networks say that holds for the whole, and a sentence of doubt, empty where there is none."""
    image, entered = _entering(network, holders)
    if image is None:
        return OwnWords(), ""
    given = {name: value for name, value in entered.items() if value.ndim == 4 and value.shape[1] in (1, 3)}
    same = [name for name, value in given.items() if _alike(value, image)]
    made = {name: _made(holders[name], image) for name in given}
    done = [name for name in given if name not in same and _alike(given[name], made[name])]
    words = [_text(holders[name], "weights_from") for name in given]
    weights_from = words[0] if len(words) == 1 else None
    sizes = {as_size(getattr(holders[name], "input_size", None)) for name in (*same, *done)}
    size = sizes.pop() if len(sizes) == 1 else None
    asking = [name for name in same if made[name] is not None]
    lost = [name for name in given if name not in (*same, *done) and made[name] is not None]
    kind = type(network).__name__
    if lost:
        return OwnWords(None, size, weights_from), (
            f"the {kind} changes images before they reach {lost[0]!r}, whose preprocess is not applied; give "
            "preprocess= if images need it, or preprocess=lambda images: images if the model does all by itself."
        )
    if any(not _alike(made[name], made[asking[0]]) for name in asking) or (asking and done):
        return OwnWords(None, size, weights_from), (
            f"the {kind} holds several networks ({', '.join(map(repr, [*asking, *done]))}) that are not preprocessed "
            "alike, and none of their preprocess is applied; give the one that the whole needs as preprocess=."
        )
    return OwnWords(_callable(holders[asking[0]]) if asking else None, size, weights_from), ""


def _entering(network: nn.Module, holders: dict[str, nn.Module]) -> tuple[Tensor | None, dict[str, Tensor]]:
    """An image, and what reaches each inner network of it: the input of the first of its modules that is called."""
    first = next((p for p in network.parameters() if p.is_floating_point()), torch.zeros(()))
    random = torch.Generator().manual_seed(0)
    sizes = dict.fromkeys([*likely_sizes(network), *((side, side) for side in SIDES)])
    for size in sizes:
        image = torch.rand(1, 3, *size, generator=random).to(first)
        entered: dict[str, Tensor] = {}
        handles = []

        def listener(name: str, entered: dict[str, Tensor] = entered) -> Callable:
            @of_this_thread
            def before(_: nn.Module, args: tuple, kwargs: dict) -> None:
                value = first_tensor(args) if args else first_tensor(kwargs)
                if name not in entered and value is not None:
                    entered[name] = value.detach().clone()
                    if len(entered) == len(holders):
                        raise _Entered

            return before

        try:
            for name, holder in holders.items():
                own: Any = getattr(holder, "preprocess", None)
                aside = set(own.modules()) if isinstance(own, nn.Module) else set()
                for module in holder.modules():
                    # A wrapper may call the inner network's own preprocess, which is on the way to it.
                    if module not in aside and can_be_watched(module):
                        handles.append(module.register_forward_pre_hook(listener(name), with_kwargs=True))
            with suppress(_Entered, *REFUSALS), torch.no_grad(), evaluating(network):
                network(image.clone())
        finally:
            for handle in handles:
                handle.remove()
        if entered:
            return image, entered
    return None, {}


def _made(holder: nn.Module, image: Tensor) -> Tensor | None:
    """What an inner network's preprocess makes of an image; None where it has none, or one that takes no images."""
    preprocess = _callable(holder)
    if preprocess is None:
        return None
    with suppress(*REFUSALS, AttributeError), torch.no_grad():
        return first_tensor(preprocess(image.float()))
    return None


def _alike(one: Tensor | None, other: Tensor | None) -> bool:
    if one is None or other is None or one.shape != other.shape:
        return False
    one, other = one.float(), other.float()
    return bool((one - other).abs().max() <= SAME * max(1.0, float(other.abs().max())))
