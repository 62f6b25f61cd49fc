"""What a translation is given and gives.

In: nothing. Out: `Call`, one call of an operation of PyTorch's, and `Step`, an operation that a page knows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Step:
    """An operation to note; of several, each after the first takes the value of the one before.

    Its inputs are tensors as PyTorch has them. The name "same" stands for none: the value is the one it takes.
    """

    name: str
    inputs: tuple[Tensor, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    weight: Tensor | None = None
    bias: Tensor | None = None


Steps = list[Step]


@dataclass(frozen=True)
class Call:
    """A call that has ended: its result, and what was known before it, since it may have worked in place.

    `shapes` are by the tensors' ids; `is_value` tells whether something was made of the image.
    """

    result: Any
    shapes: Mapping[int, torch.Size]
    is_value: Callable[[Any], bool]

    def shape(self, value: Tensor) -> torch.Size:
        """The shape that a tensor had when it was given."""
        return self.shapes.get(id(value), value.shape)


def pair(given: Any) -> list[int]:
    """One number, or one for each axis, as two: down and across."""
    if isinstance(given, int):
        return [given, given]
    numbers = [int(each) for each in given]
    return numbers * 2 if len(numbers) == 1 else numbers
