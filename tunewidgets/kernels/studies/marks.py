"""Marks: a few numbers by which a study knows again what it was made of, on other machines too.

In: tensors, or nested names with such marks and other plain values. Out: a mark that JSON can hold; and where two sets
of marks say that what was marked is not the same.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tunewidgets._tensors import dense

MARKS = "marks"  # what a study's marks are called among what was asked for
NUMBERS = 16  # in a sketch
CHUNK = 1 << 20  # values that are summed at a time


def sketch(values: Tensor, within: float) -> dict[str, Any]:
    """A tensor as a few sums of its values under fixed random signs.

    The distance of two sketches is about that of the tensors (Charikar et al., *Finding frequent items in data
    streams*, 2002), so that a change of one unit among hundreds shows and another machine's rounding does not. `within`
    is how far apart, relative to their norm, two still count as the same.
    """
    values = dense(values)
    if values.is_complex():
        values = torch.view_as_real(values)
    flat = values.detach().reshape(-1).cpu()
    sums = np.zeros(NUMBERS)
    for first in range(0, len(flat), CHUNK):
        part = np.nan_to_num(flat[first : first + CHUNK].double().numpy())
        signed = part * _signs(first, len(part))
        sums += np.pad(signed, (0, -len(signed) % NUMBERS)).reshape(-1, NUMBERS).sum(0)
    return {
        "shape": list(values.shape),
        "sketch": [float(f"{number:.5g}") for number in sums],
        "within": within,
    }


def _signs(first: int, count: int) -> np.ndarray:
    """1 or -1 for each place, by arithmetic alone: a generator may change with its library."""
    place = np.arange(first, first + count, dtype=np.uint64)
    for multiplier, shift in ((0x9E3779B97F4A7C15, 31), (0xBF58476D1CE4E5B9, 27)):
        place *= np.uint64(multiplier)
        place ^= place >> np.uint64(shift)
    return 1.0 - 2.0 * ((place >> np.uint64(17)) & np.uint64(1)).astype(np.float64)


def apart(earlier: Any, now: Any, where: tuple[str, ...] = ()) -> tuple[tuple[str, ...], Any, Any] | None:
    """Where two sets of marks differ, with both values; None where they agree.

    What only one of them has is not compared: a store of before has fewer, and one of other layers has others.
    """
    if not (isinstance(earlier, Mapping) and isinstance(now, Mapping)):
        return None if earlier == now else (where, earlier, now)
    if "sketch" in earlier and "sketch" in now:
        return None if _same(earlier, now) else (where, earlier, now)
    for name in now:
        if name in earlier and (found := apart(earlier[name], now[name], (*where, name))) is not None:
            return found
    return None


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if one["shape"] != other["shape"]:
        return False
    a, b = (np.asarray(each["sketch"], dtype=np.float64) for each in (one, other))
    scale = max(np.linalg.norm(a), np.linalg.norm(b))
    return bool(np.linalg.norm(a - b) <= max(one["within"], other["within"]) * scale)


def refuse_apart(store: str, earlier: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise a ValueError where a store's records were made by another network, or of other data, than are given now."""
    mine = now.get("network", {})
    for layer, mark in earlier.get("network", {}).items():
        if changed := what_changed(mark, mine.get(layer, {})):
            raise ValueError(
                f"{store} holds records of layer {layer!r} made with {changed}; give another store, or the same "
                "preprocess and network to go on."
            )
    found = apart(earlier.get("data", {}), now.get("data", {}))
    if found is not None:
        (part, *_), before, after = found
        what = f"{before} images, not {after}" if part == "count" else f"other {part}"
        raise ValueError(
            f"{store} holds records made with {what}; give another store, or the same data to go on."
        )


def what_changed(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What is not as it was by one layer's marks, in words; empty where nothing is.

    Marks of images of another size say nothing.
    """
    if earlier.get("size") != now.get("size"):
        return ""
    found = apart(earlier, now)
    if found is None:
        return ""
    if found[0] == ("input",):
        return "another preprocess"
    return "a network of the same weights that computes something else (other hooks, or another forward)"
