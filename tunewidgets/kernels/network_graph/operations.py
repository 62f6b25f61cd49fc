"""What a network does up to a layer, one plain operation after another.

In: nothing. Out: `Operation`, `Drawing`, and what keeps a network from being drawn. Value 0 is what the network is
given, operation k makes value k + 1; one image at a time, without a batch axis.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor


class NotDrawable(ValueError):
    """Why a network can't be taken along, in one sentence."""


@dataclass(frozen=True)
class Operation:
    """One operation: its name, the values it takes, its attributes as JSON has them, and its weights, float64.

    `where` is the dotted name of the module that runs it. An `unknown` one has a name that no page knows.
    """

    name: str
    inputs: tuple[int, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    weight: Tensor | None = None
    bias: Tensor | None = None
    where: str = ""
    unknown: bool = False


@dataclass(frozen=True)
class Drawing:
    """A network's operations in the order they run, and which values are the layer's, before and after what it does."""

    operations: tuple[Operation, ...]
    output: int
    before: int

    def needed(self) -> "Drawing":
        """Without operations that nothing up to the layer takes.

        Raises
        ------
        NotDrawable
            One that is needed is unknown.
        """
        wanted = {self.output, self.before}
        for at in range(len(self.operations), 0, -1):
            if at in wanted:
                wanted.update(self.operations[at - 1].inputs)
        for at in sorted(wanted - {0}):
            one = self.operations[at - 1]
            if one.unknown:
                place = f"module {one.where!r}" if one.where else "the model itself"
                raise NotDrawable(
                    f"{place} runs the operation {one.name!r}, which a page can't do; choose a layer before it."
                )
        return self.keeping(wanted)

    def keeping(self, wanted: set[int]) -> "Drawing":
        """With these values alone, numbered anew."""
        numbers = {0: 0}
        kept = []
        for at, one in enumerate(self.operations, start=1):
            if at in wanted:
                kept.append(replace(one, inputs=tuple(numbers[value] for value in one.inputs)))
                numbers[at] = len(kept)
        return Drawing(tuple(kept), numbers[self.output], numbers[self.before])
