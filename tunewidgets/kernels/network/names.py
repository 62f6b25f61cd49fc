"""Names of layers: each call of each module has one of its own.

In: a network, and a name or a module's call. Out: the other of the two. The first call has the module's dotted name,
later ones are `relu_1`, `relu_2`, … as torchvision names them. Where a module bears that name itself, the call is
`relu_call_1`.
"""

import difflib
import re
from collections.abc import Collection
from typing import NamedTuple

import torch
from torch import nn

NEAR = 5  # names in a suggestion


class LayerCall(NamedTuple):
    """Where a layer is in a network: its name, its module and which of the module's calls it is (0 for the first)."""

    layer: str
    module: nn.Module
    call: int


def layer_modules(model: nn.Module) -> dict[str, nn.Module]:
    """A network's modules by their dotted names, without the network itself, which is not one of its layers.

    Nor are modules of torch.jit, which run without calling hooks.
    """
    return {name: module for name, module in model.named_modules() if name and can_be_watched(module)}


def can_be_watched(module: nn.Module) -> bool:
    """Whether a module calls hooks, as those of torch.jit don't."""
    return not isinstance(module, torch.jit.ScriptModule)


def name_of_call(module: str, call: int, names: Collection[str]) -> str:
    """The name of a module's call, unlike that of any other call in a network whose modules have these `names`."""
    if call == 0:
        return module
    usual = f"{module}_{call}"
    return usual if usual not in names else f"{module}{_mark(names)}_{call}"


def _mark(names: Collection[str]) -> str:
    """What no module's name contains, so that no name with it can be another's."""
    mark = "_call"
    while any(mark in name for name in names):
        mark += "_call"
    return mark


def find_layer(model: nn.Module, layer: str) -> LayerCall:
    """The module behind a layer's name.

    Raises
    ------
    ValueError
        The model has no such layer; the message lists similar names.
    """
    modules = layer_modules(model)
    if layer in modules:
        return LayerCall(layer, modules[layer], 0)
    base, _, call = layer.rpartition("_")
    if call.isdigit() and int(call) > 0:
        if base in modules:
            return LayerCall(layer, modules[base], int(call))
        base = base.removesuffix(_mark(modules))
        if base in modules and f"{base}_{call}" in modules:
            return LayerCall(layer, modules[base], int(call))
    if any(name == layer for name, _ in model.named_modules() if name):
        raise ValueError(
            f"layer {layer!r} is a module of torch.jit, whose values can't be looked at; use the module that it was "
            "made from, or the layer after it."
        )
    if not modules:
        raise ValueError(
            f"the model is a single {type(model).__name__} without layers of its own; give "
            "torch.nn.Sequential(model), whose layer '0' it is."
        )
    raise ValueError(unknown_layer(layer, list(modules)))


def unknown_layer(layer: str, names: list[str]) -> str:
    """The sentence for a layer that does not exist, with the nearest names, or the first ones."""
    near = _near(layer, names)
    if near:
        hint = f"did you mean {', '.join(repr(name) for name in near)}?"
    else:
        hint = f"layers are {', '.join(repr(name) for name in names[:12])}{', …' if len(names) > 12 else ''}."
    return f"the model has no layer {layer!r}; {hint} tw.layers(model) lists them all."


def _near(layer: str, names: list[str]) -> list[str]:
    """Names that may be meant, the likeliest first."""
    asked, plain = layer.lower(), _letters(layer)
    if not plain:
        return []
    same = [name for name in names if _letters(name) == plain]
    # A block that is no module: what it gives is mostly called its output, and stands last of its parts.
    parts = [name for name in reversed(names) if _letters(name).startswith(plain) and name not in same]
    parts.sort(key=lambda name: not _letters(name).endswith(("output", "out")))
    lowered = {name.lower(): name for name in reversed(names)}
    alike = [lowered[name] for name in difflib.get_close_matches(asked, lowered, n=NEAR, cutoff=0.5)]
    holding = sorted((name for name in names if asked in name.lower()), key=len)
    # A block of another family's name, with the same number: inception_4a for mixed4a, block4 for layer4.
    number = _number(layer)
    numbered = [name for name in names if number and _number(name) == number]
    numbered = sorted(numbered, key=lambda name: (name.count(".") != layer.count("."), len(name)))
    near = [*same, *parts[:1], *alike, *parts[1:], *holding]
    return list(dict.fromkeys(near or numbered))[:NEAR]


def _letters(name: str) -> str:
    """A name without case and separators."""
    return re.sub(r"[\W_]", "", name.lower())


def _number(name: str) -> str:
    """The number that a name ends in, with a letter that belongs to it: "4a"."""
    found = re.search(r"[a-z]_?(\d+[a-z]?)$", name.lower())
    return found[1] if found else ""
