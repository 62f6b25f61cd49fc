"""What a reader of the scatter may choose on one layer, and what is chosen at first.

In: a layer's table of columns (`unit_columns.table`). Out: names for the axes, the colors and the objective. The page
makes the same choices of a layer (js/src/unit-scatter/data/choices.ts) when its reader goes there.
"""

from dataclasses import dataclass, replace
from typing import Any

from ..derived.unit_columns import axis_facts
from ..records import RecordError

FIRST_Y = ("rs", "accuracy_drop", "mean_activation")
COLOR_COLUMNS = ("preferred_class", "accuracy_drop")


@dataclass(frozen=True)
class Choices:
    """The names that can be chosen on one layer."""

    axes: tuple[str, ...]
    colors: tuple[str, ...]
    objectives: tuple[str, ...]
    # The axes on which the layer's units are not all in one place.
    varied: frozenset[str]

    @property
    def x(self) -> str:
        return "selectivity" if "selectivity" in self.axes else self.axes[0]

    @property
    def y(self) -> str:
        """RS where it tells units apart, as it does not in most deep layers; else another measure that does."""
        others = [name for name in self.axes if name != self.x]
        known = [name for name in FIRST_Y if name in others] + others
        return next((name for name in known if name in self.varied), (known or [self.x])[0])

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
    choices = Choices(axes, colors, tuple(table["objectives"]), frozenset())
    varied = frozenset(name for name in axes if _is_varied(table["columns"][name], choices.objective))
    return replace(choices, varied=varied)


def _is_varied(column: dict[str, Any], objective: str) -> bool:
    return bool(axis_facts(column, objective)["varied"])
