"""What is checked of one network: the layers' values and measures, against plain forward hooks and loops.

In: a network with random weights and the side of its images. Out: plain numbers, and the sentence of whatever was
refused. The references share no code with the package: hooks of PyTorch, and arithmetic.
"""

import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import tunewidgets as tw

LAYERS = 8
# Differences from hooks up to this share of a layer's largest value are rounding.
ROUNDING = 1e-6
# What goes through a mean over positions, or through the rest of the network twice, is rounded more.
MEASURED = 1e-4
# Ablation runs the rest of the network once for every unit; where that would take longer, it is left out.
MOST_SECONDS = 15.0
QUIET: dict[str, Any] = {"progress": False, "device": "cpu"}


def check(network: nn.Module, side: int) -> dict[str, Any]:
    """All checks of one network; each is True, False, or the sentence by which it was refused."""
    torch.manual_seed(0)
    network.eval()
    _fill_zeros(network)
    images = torch.rand(2, 3, side, side)
    found: dict[str, Any] = {"side": side, "bare_s": _seconds(lambda: _scores(network, images))}
    start = time.perf_counter()
    table = _tried(lambda: tw.layers(network, (3, side, side)), found, "layers")
    if table is None:
        return found
    found["listed"] = len(table)
    names = [str(table["name"][i]) for i in np.linspace(0, len(table) - 1, LAYERS).round().astype(int)]
    names = list(dict.fromkeys(names))
    raw = hooked(network, images, names)
    values = {name: _tried(lambda name=name: _probe(network, name)(images), found, name) for name in names}
    arranged = {n: like(v, raw[n]) for n, v in values.items() if v is not None and n in raw}
    found["equal"] = {name: same(values[name], other, ROUNDING) for name, other in arranged.items()}
    if arranged:
        _check_measures(network, images, arranged, found)
        _check_gradient(network, side, next(iter(reversed(arranged))), found)
    found["s"] = time.perf_counter() - start
    return found


def _fill_zeros(network: nn.Module) -> None:
    """Small weights in place of those that are all 0, as in many a fresh classifier: no gradient comes through it."""
    for value in network.parameters():
        if value.ndim > 1 and not value.any():
            nn.init.normal_(value, std=0.02)


def _check_measures(
    network: nn.Module, images: Tensor, arranged: dict[str, Tensor], found: dict[str, Any]
) -> None:
    """Class means of every layer, and the loss without one unit of one layer."""
    data = [(images[:1], torch.tensor([0])), (images[1:], torch.tensor([1]))]
    names = list(arranged)
    tree = _tried(
        lambda: tw.class_selectivity(network, data, names, progress=False, device="cpu"), found, "selectivity"
    )
    if tree is not None:
        made = {node.attrs["layer"]: node["class_mean"].values for node in tree.children.values()}
        found["class means"] = all(
            same(torch.from_numpy(made[name]).T, means(arranged[name]), MEASURED) for name in names
        )
    scores = _scores(network, images)
    if scores is None or scores.ndim != 2 or scores.shape[1] < 2:
        return
    layer, seconds = cheapest_to_ablate(arranged, found["bare_s"])
    if seconds > MOST_SECONDS:
        return
    tree = _tried(lambda: tw.ablation(network, data, layer, curves=False, **QUIET), found, "ablation")
    if tree is not None:
        [node] = tree.children.values()
        unit = int(np.abs(node["loss_increase"].values).argmax())
        labels = torch.tensor([0, 1])
        without = _scores_without(network, images, layer, unit, arranged[layer])
        expected = float(cross_entropy(without, labels) - cross_entropy(scores, labels))
        found["loss without a unit"] = abs(float(node["loss_increase"][unit]) - expected) <= MEASURED * max(
            1.0, abs(expected)
        )


def cheapest_to_ablate(arranged: dict[str, Tensor], bare: float) -> tuple[str, float]:
    """Of the layers before the last, the one whose units are ablated soonest, and about how many seconds that takes."""
    inner = list(arranged)[:-1] or list(arranged)
    seconds = {
        name: arranged[name].shape[1] * bare * (1 - at / len(arranged)) for at, name in enumerate(inner)
    }
    layer = min(inner, key=lambda name: seconds[name])
    return layer, seconds[layer]


def _check_gradient(network: nn.Module, side: int, layer: str, found: dict[str, Any]) -> None:
    """Whether the first two steps of an image are finite and move it."""

    def image(steps: int) -> Any:
        probe = _probe(network, layer)
        return tw.visualize(probe, tw.AM([0]), size=side, steps=steps, floats=True, progress=False)

    made = _tried(lambda: (image(1), image(2)), found, "visualize")
    if made is not None:
        one, two = made
        moved = float(np.abs(one["image_float"].values - two["image_float"].values).max())
        found["gradient"] = bool(np.isfinite(two["value"].values).all()) and moved > 0


def _probe(network: nn.Module, layer: str) -> tw.Probe:
    return tw.Probe(network, layer, device="cpu")


def _tried(call: Callable[[], Any], found: dict[str, Any], name: str) -> Any:
    """What the call gives; None, and its sentence among the refusals, where it was refused."""
    try:
        return call()
    except Exception as error:
        # A library's refusal is one line of these two; all else came up from below.
        clear = isinstance(error, ValueError | TypeError) and "\n" not in str(error)
        kind = "refused" if clear else "raw"
        found.setdefault(kind, {})[name] = f"{type(error).__name__}: {error}"[:300]
        return None


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _scores(network: nn.Module, images: Tensor) -> Tensor | None:
    """The first tensor that the network gives; None where it takes no such images."""
    try:
        with torch.no_grad():
            return next(tensors(network(_inputs(network, images))), None)
    except Exception:
        return None


def _inputs(network: nn.Module, images: Tensor) -> Tensor:
    own = getattr(network, "preprocess", None)
    return own(images) if callable(own) else images


def _scores_without(network: nn.Module, images: Tensor, layer: str, unit: int, arranged: Tensor) -> Tensor:
    module, wanted = called(network, layer)
    calls = 0

    def silence(_: nn.Module, __: Any, output: Any) -> None:
        nonlocal calls
        if calls == wanted:
            [value] = list(tensors(output))[:1]
            value.select(unit_axis(value, arranged.shape[1]), unit).zero_()
        calls += 1

    handle = module.register_forward_hook(silence)
    try:
        scores = _scores(network, images)
    finally:
        handle.remove()
    assert scores is not None
    return scores


def called(network: nn.Module, name: str) -> tuple[nn.Module, int]:
    """The module behind a layer's name, and which of its calls is meant."""
    modules = dict(network.named_modules())
    if name in modules:
        return modules[name], 0
    again = re.fullmatch(r"(.*)_(\d+)", name)
    assert again is not None, name
    return modules[again[1]], int(again[2])


def hooked(network: nn.Module, images: Tensor, names: list[str]) -> dict[str, Tensor]:
    """The layers' values by plain hooks, as the modules give them."""
    raw: dict[str, Tensor] = {}
    handles = []
    for name in names:
        module, wanted = called(network, name)
        keep = partial(_keep, raw, name, wanted, iter(range(10**6)))
        handles.append(module.register_forward_hook(keep))
    try:
        _scores(network, images)
    finally:
        for handle in handles:
            handle.remove()
    return raw


def _keep(raw: dict[str, Tensor], name: str, wanted: int, calls: Iterator[int], *seen: Any) -> None:
    """Keep a module's output, the last of what its hook has seen, if this is the call that is wanted."""
    value = next(tensors(seen[-1]), None)
    if next(calls) == wanted and value is not None:
        raw[name] = value.detach().clone()


def tensors(output: Any) -> Iterator[Tensor]:
    """The tensors of a module's output, in order."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, dict):
        for value in output.values():
            yield from tensors(value)
    elif isinstance(output, tuple | list):
        for value in output:
            yield from tensors(value)
    elif hasattr(output, "__dict__"):
        yield from tensors(vars(output))


def unit_axis(value: Tensor, units: int) -> int:
    """Where the units of a module's own layout are: channels first, else last."""
    return 1 if value.ndim in (2, 4) and value.shape[1] == units else value.ndim - 1


def layouts(raw: Tensor, shape: torch.Size) -> Iterator[Tensor]:
    """A module's value in each arrangement that has this shape: as it is, channels last, or tokens as a map."""
    if raw.shape == shape:
        yield raw
    if raw.ndim == 4 and len(shape) == 4 and raw.permute(0, 3, 1, 2).shape == shape:
        yield raw.permute(0, 3, 1, 2)
    if raw.ndim == 3 and len(shape) == 4:
        places = shape[2] * shape[3]
        for tokens in (raw, raw.transpose(1, 2), raw.transpose(0, 1)):
            for part in (tokens[:, -places:], tokens[:, :places]):
                if part.shape == (shape[0], places, shape[1]):
                    yield part.transpose(1, 2).reshape(shape)
    if raw.ndim == 3 and len(shape) == 2 and raw[:, 0].shape == shape:
        yield raw[:, 0]


def like(values: Tensor, raw: Tensor) -> Tensor:
    """The raw value in the arrangement that is nearest to `values`; itself where none has its shape."""
    candidates = list(layouts(raw.float(), values.shape))
    return min(candidates, key=lambda one: float((one - values).abs().max()), default=raw)


def same(values: Tensor, other: Tensor, rounding: float) -> bool:
    """Whether two tensors are equal up to a share of the largest value."""
    if values.shape != other.shape:
        return False
    scale = float(other.abs().max()) or 1.0
    return bool((values.double() - other.double()).abs().max() <= rounding * scale)


def means(arranged: Tensor) -> Tensor:
    """Each image's unit activations: rectified, the mean over positions."""
    rectified = arranged.double().relu()
    return rectified.mean((2, 3)) if rectified.ndim == 4 else rectified
