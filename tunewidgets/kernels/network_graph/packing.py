"""A drawing as JSON and bytes, and back.

In: a `Drawing` and a type of numbers. Out: its operations as a page reads them, and their weights, little endian.
Weights of convolutions and linear layers are float32, float16, or int8 with a scale for each output channel; all other
ones, and biases, are float32.
"""

import math
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from tunewidgets.kernels.network_graph.operations import Drawing, NotDrawable, Operation

Type = Literal["f32", "f16", "i8"]
NUMPY: dict[str, np.dtype] = {"f32": np.dtype("<f4"), "f16": np.dtype("<f2"), "i8": np.dtype("i1")}
ALIGNED = 8
LARGEST_HALF = 65504.0
LARGEST_INT8 = 127


class Packing:
    """Bytes that grow, and the places of tensors among them."""

    def __init__(self, type: Type) -> None:
        self._type = type
        self._parts: list[bytes] = []
        self._length = 0

    def operation(self, one: Operation) -> dict[str, Any]:
        """An operation as JSON has it.

        Raises
        ------
        NotDrawable
            An attribute is a number that JSON has not.
        """
        attributes = {
            name: float(value) if isinstance(value, np.floating) else value
            for name, value in one.attributes.items()
        }
        if any(isinstance(value, float) and not math.isfinite(value) for value in attributes.values()):
            raise NotDrawable(
                f"module {one.where!r} runs the operation {one.name!r} with a number that is not finite, which a page "
                "can't do; choose a layer before it."
            )
        large = one.name in ("conv2d", "linear")
        weights = (
            {} if one.weight is None else {"weight": self._tensor(one.weight, self._type if large else "f32")}
        )
        if one.bias is not None:
            weights["bias"] = self._tensor(one.bias, "f32")
        return {"op": one.name, "in": list(one.inputs), **attributes, **weights}

    def bytes(self) -> bytes:
        """All of them."""
        return b"".join(self._parts)

    def _tensor(self, values: Tensor, type: Type) -> dict[str, Any]:
        numbers = values.numpy()
        if type == "f16" and np.abs(numbers).max(initial=0) > LARGEST_HALF:
            type = "f32"
        if type != "i8":
            return {
                "at": self._place(numbers.astype(NUMPY[type])),
                "shape": list(numbers.shape),
                "type": type,
            }
        rows = np.abs(numbers.reshape(len(numbers), -1)).max(1)
        # A channel of zeros stays one.
        scales = np.where(rows > 0, rows / LARGEST_INT8, 1.0).astype(np.float32)
        whole = np.rint(numbers / scales.astype(np.float64).reshape(-1, *[1] * (numbers.ndim - 1)))
        at = self._place(np.clip(whole, -LARGEST_INT8, LARGEST_INT8).astype(NUMPY[type]))
        shape = list(numbers.shape)
        return {
            "at": at,
            "shape": shape,
            "type": type,
            "scales": self._tensor(torch.from_numpy(scales), "f32"),
        }

    def _place(self, numbers: np.ndarray) -> int:
        data = np.ascontiguousarray(numbers).tobytes()
        at = self._length
        self._parts += [data, bytes(-len(data) % ALIGNED)]
        self._length += len(data) + -len(data) % ALIGNED
        return at


def packed(drawing: Drawing, type: Type) -> tuple[list[dict[str, Any]], bytes]:
    """The operations of a drawing as JSON, and the bytes of their weights."""
    packing = Packing(type)
    operations = [packing.operation(one) for one in drawing.operations]
    return operations, packing.bytes()


def unpacked(operations: list[dict[str, Any]], weights: bytes, output: int) -> Drawing:
    """The drawing that a page makes of them."""
    found = []
    for told in operations:
        attributes = {
            name: value for name, value in told.items() if name not in ("op", "in", "weight", "bias")
        }
        weight, bias = (_values(told.get(name), weights) for name in ("weight", "bias"))
        found.append(Operation(told["op"], tuple(told["in"]), attributes, weight, bias))
    return Drawing(tuple(found), output, output)


def _values(told: dict[str, Any] | None, weights: bytes) -> Tensor | None:
    if told is None:
        return None
    count = math.prod(told["shape"])
    numbers = np.frombuffer(weights, NUMPY[told["type"]], count, told["at"]).astype(np.float64)
    values = torch.from_numpy(numbers.reshape(told["shape"]))
    scales = _values(told.get("scales"), weights)
    return values if scales is None else values * scales.reshape(-1, *[1] * (values.ndim - 1))
