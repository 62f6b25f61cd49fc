"""What a table can't say of a network record: whether its operations are such, and find their weights.

In: a record. Out: a sentence, or None.
"""

import json
import math
from collections.abc import Iterator
from typing import Any

import xarray as xr

BYTES = {"f32": 4, "f16": 2, "i8": 1}
AGAIN = "make the network record again"


def network_fault(network: xr.Dataset) -> str | None:
    """What is wrong with a network's operations, in one sentence."""
    try:
        settings = json.loads(network.attrs["settings"])
        output = settings["output"]
        operations = [json.loads(told) for told in network["operation"].values]
        taken = [[int(value) for value in told["in"]] for told in operations]
        names = [str(told["op"]) for told in operations]
        ends = [list(_ends(told)) for told in operations]
    except (KeyError, TypeError, ValueError):
        return f"an operation of this network record can't be read; {AGAIN}"
    if type(output) is not int or not 0 < output <= len(operations):
        return f"this network record names value {output!r} as its layer's and has {len(operations)}; {AGAIN}"
    for at, (name, values, last) in enumerate(zip(names, taken, ends, strict=True)):
        if not values or not all(0 <= value <= at for value in values):
            return f"operation {at} of this network record, {name}, takes values that are not made before it; {AGAIN}"
        if max(last, default=0) > network.sizes["byte"]:
            return f"the weights of operation {at} of this network record, {name}, are not all there; {AGAIN}"
    return None


def _ends(told: dict[str, Any]) -> Iterator[int]:
    """Where the tensors of an operation end among the bytes."""
    for name in ("weight", "bias", "scales"):
        tensor = told.get(name)
        if tensor is not None:
            if int(tensor["at"]) < 0:
                raise ValueError
            yield int(tensor["at"]) + math.prod(tensor["shape"]) * BYTES[tensor["type"]]
            yield from _ends(tensor)
