"""What a reader of the scatter chooses: its synced traits, and the values they may have.

In: the layers' records and what can be chosen on each. Out: traits that refuse, in one sentence, what the record shown
does not have, and that forget what belongs to another layer.
"""

from collections.abc import Mapping
from typing import Any

import traitlets as t
import xarray as xr

from .base import Index, Widget
from .changeable import Values
from .unit_choices import Choices


class UnitTraits(Widget):
    """The scatter's traits; a subclass sets `_given` and `_choices` before its first trait."""

    _given: Mapping[str, xr.Dataset]
    _choices: dict[str, Choices]
    # The layer that each of these was set for: with another layer they mean nothing.
    _homes: dict[str, str]

    layer = t.Unicode().tag(sync=True)
    objective = t.Unicode().tag(sync=True)
    unit = Index(None, allow_none=True).tag(sync=True)
    pinned = Index(None, allow_none=True).tag(sync=True)
    selected = Values(Index()).tag(sync=True)
    x = t.Unicode().tag(sync=True)
    y = t.Unicode().tag(sync=True)
    color = t.Unicode(None, allow_none=True).tag(sync=True)
    images = t.Bool(False).tag(sync=True)

    @t.validate("layer")
    def _check_layer(self, proposal: dict[str, Any]) -> str:
        if proposal["value"] not in self._given:
            raise t.TraitError(self._no_layer(proposal["value"]))
        return proposal["value"]

    def _no_layer(self, name: str) -> str:
        return f"there is no layer {name!r} here; give {_listed(self._given)}"

    @t.validate("objective")
    def _check_objective(self, proposal: dict[str, Any]) -> str:
        known = self._choice().objectives
        if proposal["value"] not in (known or ("",)):
            what = f"give {_listed(known)}" if known else "its record has none, so leave objective empty"
            raise t.TraitError(f"objective is {proposal['value']!r} on layer {self.layer!r}; {what}")
        return proposal["value"]

    @t.validate("x", "y")
    def _check_axis(self, proposal: dict[str, Any]) -> str:
        name, known = proposal["value"], self._choice().axes
        if name not in known:
            raise t.TraitError(
                f"{proposal['trait'].name} is {name!r}, and layer {self.layer!r} has no such column for an axis; "
                f"give {_listed(known)}"
            )
        return name

    @t.validate("color")
    def _check_color(self, proposal: dict[str, Any]) -> str | None:
        name, known = proposal["value"], self._choice().colors
        if name is not None and name not in known:
            raise t.TraitError(
                f"color is {name!r}, and layer {self.layer!r} can't be colored by that; "
                f"give {_listed([*known, None])}"
            )
        return name

    @t.validate("unit", "pinned")
    def _check_unit(self, proposal: dict[str, Any]) -> int | None:
        name, value = proposal["trait"].name, proposal["value"]
        self._check_place(name, value)
        self._homes[name] = self.layer
        return value

    @t.validate("selected")
    def _check_selected(self, proposal: dict[str, Any]) -> list[int]:
        for unit in proposal["value"]:
            self._check_place("selected", unit)
        self._homes["selected"] = self.layer
        return sorted(set(proposal["value"]))

    def _check_place(self, name: str, unit: int | None) -> None:
        count = self._given[self.layer].sizes["unit"]
        if unit is not None and not 0 <= unit < count:
            what = "holds" if name == "selected" else "is"
            raise t.TraitError(
                f"{name} {what} {unit}, but layer {self.layer!r} has {count} units; give 0 to {count - 1}"
            )

    @t.observe("layer")
    def _leave_layer(self, _change: Any) -> None:
        """What belongs to the earlier layer is forgotten, what this one lacks goes back to its default."""
        known = self._choice()
        empty: dict[str, Any] = {"unit": None, "pinned": None, "selected": []}
        with self.hold_sync():
            for name, value in empty.items():
                if self._homes.get(name) != self.layer:
                    setattr(self, name, value)
            if self.objective not in (known.objectives or ("",)):
                self.objective = known.objective
            for name in ("x", "y"):
                if getattr(self, name) not in known.axes:
                    setattr(self, name, getattr(known, name))
            if self.color is not None and self.color not in known.colors:
                self.color = known.color

    def _choice(self) -> Choices:
        return self._choices[self.layer]


def _listed(names: Any) -> str:
    return ", ".join(repr(name) for name in names)
