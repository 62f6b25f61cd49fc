"""A drawing with fewer operations that gives the same values.

In: a `Drawing`. Out: another one. Batch norms go into the convolution or linear layer before them, and margins into the
convolution or pooling after them, wherever nothing else takes the value between.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import torch

from tunewidgets.kernels.network_graph.operations import Drawing, Operation


def folded(drawing: Drawing) -> Drawing:
    """As many operations folded into others as can be."""
    operations = list(drawing.operations)
    taken = Counter(value for one in operations for value in one.inputs)
    taken.update({drawing.output, drawing.before})
    gone: set[int] = set()
    for number, one in enumerate(operations, start=1):
        before = one.inputs[0] if len(one.inputs) == 1 else 0
        if not before or taken[before] > 1:
            continue
        earlier = operations[before - 1]
        for fold in FOLDS:
            both = fold(earlier, one)
            if both is not None:
                # In the later one's place, with what the earlier one takes.
                operations[number - 1] = both
                gone.add(before)
                break
    kept = set(range(1, len(operations) + 1)) - gone
    return replace(drawing, operations=tuple(operations)).keeping(kept)


def _normalization(earlier: Operation, later: Operation) -> Operation | None:
    if later.name != "scale_shift" or earlier.name not in ("conv2d", "linear"):
        return None
    assert earlier.weight is not None
    assert later.weight is not None
    assert later.bias is not None
    scale = later.weight
    weight = earlier.weight * scale.reshape(-1, *[1] * (earlier.weight.ndim - 1))
    bias = later.bias if earlier.bias is None else later.bias + earlier.bias * scale
    return replace(earlier, weight=weight, bias=bias)


def _margin(earlier: Operation, later: Operation) -> Operation | None:
    if earlier.name != "pad" or earlier.attributes["mode"] != "constant":
        return None
    if later.name == "conv2d":
        fits = earlier.attributes["value"] == 0
    else:
        fits = (
            later.name == "max_pool2d"
            and earlier.attributes["value"] == -math.inf
            and not later.attributes["ceil"]
        )
    if not fits:
        return None
    margins = zip(earlier.attributes["padding"], later.attributes["padding"], strict=True)
    attributes = {**later.attributes, "padding": [own + more for own, more in margins]}
    return replace(later, inputs=earlier.inputs, attributes=attributes)


FOLDS: tuple[Callable[[Operation, Operation], Operation | None], ...] = (_normalization, _margin)


def gray_first(drawing: Drawing, luma: tuple[float, ...], scale: float, offset: float) -> Drawing:
    """The drawing of a network of one channel for RGB images: their luma comes first, scaled and shifted."""
    weight = torch.tensor(luma, dtype=torch.float64).reshape(1, -1, 1, 1) * scale
    plain = {"stride": [1, 1], "padding": [0, 0, 0, 0], "dilation": [1, 1], "groups": 1}
    bias = torch.tensor([offset], dtype=torch.float64)
    first = Operation("conv2d", (0,), plain, weight, bias)
    later = [replace(one, inputs=tuple(value + 1 for value in one.inputs)) for one in drawing.operations]
    return Drawing((first, *later), drawing.output + 1, drawing.before + 1)
