"""Widgets, the scatter of units: unit records as a plot that one clicks, and the opened unit beside it.

In: a unit record, a tree of one a layer, or a path. Out: a widget whose layer, objective, opened, pinned and
selected units, axes and colors are synced traits. The page is js/src/unit-scatter; what it is sent is made in
`unit_page`, `unit_sheets`, `unit_columns` and `figures.unit_scatter_template`.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

import traitlets as t
import xarray as xr
from PIL import Image

from ..figures import unit_scatter_template
from ..records import RecordError, layer_tree, open_record, validate
from ..unit_columns import layers_of, table
from .base import INLINE_BUDGET, NO_BUDGET, Index, Widget
from .unit_choices import Choices, choices_of
from .unit_page import layer_facts
from .unit_sheets import Sheets
from .unit_still import unit_still


class UnitScatter(Widget):
    """Click through a layer's units: where they stand among the others, what they prefer, who could replace them.

    Parameters
    ----------
    units : xarray.Dataset, xarray.DataTree, str or path
        A unit record, a tree of one a layer (`analyze_units`), or where one was saved.

    Attributes
    ----------
    layer : str
        The layer shown. Another layer closes the opened unit and forgets pinned and selected ones.
    objective : str
        Whose images are shown, "am" or "iam"; empty where the record has none.
    unit : int or None
        The opened unit, None where none is open.
    pinned : int or None
        The unit kept beside it to compare with.
    selected : list of int
        The units of the reader's selection, in rising order and each once.
    x, y : str
        The columns on the axes.
    color : str or None
        The column that colors the points; None for one color.

    Raises
    ------
    RecordError
        If `units` is not a valid unit record, or a tree of such.
    FileNotFoundError
        If there is no record at the path given.
    traitlets.TraitError
        If a trait is set to something the record has no place for.

    Notes
    -----
    The images are sent with the page, up to 4 MB; beyond that the page asks the kernel for them. All else needs no
    kernel. RS is that of the paper *Understanding the Importance of Single Directions via Representative
    Substitution* (eq. 4).

    Examples
    --------
    >>> import tunewidgets as tw
    >>> scatter = tw.UnitScatter("units.zarr.zip")  # doctest: +SKIP
    >>> scatter.unit, scatter.y = 17, "accuracy_drop"  # doctest: +SKIP
    >>> scatter.record()["rs"].isel(unit=scatter.selected)  # doctest: +SKIP
    """

    bundle_name = "unit-scatter"

    layer = t.Unicode().tag(sync=True)
    objective = t.Unicode().tag(sync=True)
    unit = Index(None, allow_none=True).tag(sync=True)
    pinned = Index(None, allow_none=True).tag(sync=True)
    selected = t.List(Index()).tag(sync=True)
    x = t.Unicode().tag(sync=True)
    y = t.Unicode().tag(sync=True)
    color = t.Unicode(None, allow_none=True).tag(sync=True)
    _units = t.Dict().tag(sync=True)
    _sprites = t.List(t.Bytes()).tag(sync=True)

    def __init__(self, units: xr.Dataset | xr.DataTree | str | os.PathLike[str], **traits: Any) -> None:
        self._layers = _layers_of(units)
        tables = {name: table(record) for name, record in self._layers.items()}
        self._choices = {name: choices_of(found) for name, found in tables.items()}
        self._sheets = Sheets(self._layers)
        # The layer that each of these was set for: with another layer they mean nothing.
        self._homes: dict[str, str] = {}
        first = traits.get("layer", next(iter(self._layers)))
        known = self._choices.get(first) or next(iter(self._choices.values()))
        super().__init__(
            **{
                "layer": first,
                "objective": known.objective,
                "x": known.x,
                "y": known.y,
                "color": known.color,
                **traits,
            },
            _units={
                "model": str(next(iter(self._layers.values())).attrs["model"]),
                "template": unit_scatter_template(layer_tree(self._layers)),
                "layers": [
                    {**layer_facts(record), "table": tables[name], "sheets": self._sheets.table(name)}
                    for name, record in self._layers.items()
                ],
            },
            _sprites=self._sheets.inline(INLINE_BUDGET),
        )

    def record(self, layer: str | None = None) -> xr.Dataset:
        """The unit record of a layer, by default of the one shown.

        Raises
        ------
        ValueError
            If there is no such layer.
        """
        name = self.layer if layer is None else layer
        if name not in self._layers:
            raise ValueError(self._no_layer(name))
        return self._layers[name]

    def on_unit(self, callback: Callable[[int | None], Any]) -> None:
        """Call `callback` with the unit, or None, whenever another one is opened or the opened one is closed.

        Examples
        --------
        >>> scatter.on_unit(print)  # doctest: +SKIP
        """
        self.observe(lambda change: callback(change["new"]), "unit")

    @t.validate("layer")
    def _check_layer(self, proposal: dict[str, Any]) -> str:
        if proposal["value"] not in self._layers:
            raise t.TraitError(self._no_layer(proposal["value"]))
        return proposal["value"]

    def _no_layer(self, name: str) -> str:
        return f"there is no layer {name!r} here; give {_listed(self._layers)}"

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
        count = self.record().sizes["unit"]
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

    def _all_images(self, quality: int) -> dict[str, list[bytes]]:
        return {"_sprites": self._sheets.inline(NO_BUDGET, quality)}

    def _answers(self) -> dict[str, Any]:
        return {"sprite": self._answer_sprite}

    def _answer_sprite(self, message: dict[str, Any]) -> list[bytes]:
        at = message.get("page")
        if type(at) is not int or not 0 <= at < len(self._sheets):
            raise ValueError(f"there is no page {at!r} of images here; there are {len(self._sheets)}")
        return [self._sheets.encoded(at)]

    def _still(self) -> Image.Image:
        return unit_still(self.record(), self.x, self.y, self.objective, self.unit, len(self._layers))


def _layers_of(units: xr.Dataset | xr.DataTree | str | os.PathLike[str]) -> Mapping[str, xr.Dataset]:
    """The unit records by their layers' true names, in their order."""
    record = open_record(units) if isinstance(units, (str, os.PathLike)) else units
    validate(record)
    found = layers_of(record)
    for name, layer in found.items():
        if "unit" in layer.coords and layer["unit"].values.tolist() != list(range(layer.sizes["unit"])):
            raise RecordError(
                f"layer {name!r} of this record holds only some of its units, and UnitScatter names units by their "
                "place; give the whole record and select units in the widget"
            )
    return found


def _listed(names: Any) -> str:
    return ", ".join(repr(name) for name in names)
