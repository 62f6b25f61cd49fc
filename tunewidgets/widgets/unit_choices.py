"""What a reader of the scatter may choose on one layer, and what is chosen at first.

In: a layer's table of columns (`unit_columns.table`). Out: names for the axes, the colors and the objective. The page
makes the same choices of a layer (js/src/unit-scatter/data/choices.ts) when its reader goes there.
"""

from dataclasses import dataclass
from typing import Any

from ..records import RecordError

COLOR_COLUMNS = ("preferred_class", "accuracy_drop")


@dataclass(frozen=True)
class Choices:
    """The names that can be chosen on one layer."""

    axes: tuple[str, ...]
    colors: tuple[str, ...]
    objectives: tuple[str, ...]

    @property
    def x(self) -> str:
        return "selectivity" if "selectivity" in self.axes else self.axes[0]

    @property
    def y(self) -> str:
        others = [name for name in self.axes if name != self.x]
        return next((name for name in ("rs", "accuracy_drop", *others) if name in others), self.x)

    @property
    def color(self) -> str | None:
        return "preferred_class" if "preferred_class" in self.colors else None

    @property
    def objective(self) -> str:
        return "iam" if "iam" in self.objectives else next(iter(self.objectives), "")


def choices_of(table: dict[str, Any]) -> Choices:
    """What one layer's table leaves to choose.

    Raises
    ------
    RecordError
        If there is nothing to put on an axis.
    """
    axes = tuple(name for name, column in table["columns"].items() if column["kind"] != "class")
    if not axes:
        raise RecordError(
            f"layer {table['layer']!r} has no column of numbers to put on an axis, such as selectivity or RS; "
            "measure some with analyze_units"
        )
    colors = tuple(name for name in COLOR_COLUMNS if name in table["columns"])
    return Choices(axes, colors, tuple(table["objectives"]))
