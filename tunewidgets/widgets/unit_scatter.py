"""The scatter of units: unit records as a plot to click through, with the opened unit beside it.

In: a unit record, a tree with one per layer, or a path. Out: a widget whose layer, objective, opened, pinned and
selected units, axes and colors are synced traits. The page is js/src/unit-scatter; its payload is made in `unit_page`,
`unit_sheets`, `unit_columns` and `figures.unit_scatter_template`.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import traitlets as t
import xarray as xr
from PIL import Image

from ..derived.interesting_unit import most_interesting
from ..derived.unit_columns import table
from ..figures import unit_scatter, unit_scatter_template
from ..records import RecordError, layer_tree, layers_of, open_record, validate
from .base import INLINE_BUDGET
from .unit_choices import choices_of
from .unit_live import UnitsOnRequest
from .unit_page import layer_facts
from .unit_run import Run
from .unit_sheets import Sheets
from .unit_still import unit_still
from .unit_traits import UnitTraits


class UnitScatter(UnitTraits):
    """Click through a layer's units: where they stand among the others, what they prefer, who could replace them.

    Parameters
    ----------
    units : xarray.Dataset, xarray.DataTree, str or path
        A unit record, a tree with one per layer (`analyze_units`), or where one was saved.
    probe : Probe, optional
        The model that the record was made of, at any of its layers: a click on a unit without images then makes them.
    image_options : mapping, optional
        With `probe`, how images are made for layers that have none: `size`, `steps`, `seed`, `canvas`, `lr`, `jitter`,
        `objective_at`, `precision` and `band`, as in `visualize`. A layer that has some images gets more like them.

    Attributes
    ----------
    layer : str
        The layer shown. Another layer closes the opened unit and forgets pinned and selected ones.
    objective : str
        Whose images are shown, "am" or "iam"; empty where the record has none.
    unit : int or None
        The opened unit, None where none is open. At first, unless it is given, the most interesting one of the layer
        shown: the most class-selective of the units that respond well and whose image shows a pattern (neither silent
        nor flat; `tunewidgets.derived.interesting_unit` has the rule). None in a layer without images; `unit=None`
        opens none anywhere.
    pinned : int or None
        The unit kept beside it to compare with.
    selected : list of int
        The units of the reader's selection, in ascending order, each once.
    x, y : str
        The columns on the axes. At first RS (`y`) against class selectivity; where RS has one value for more than 19 in
        20 units, as in many deep layers, the first of accuracy drop, mean activation and the others that has not.
    color : str or None
        The column that colors the points; None for one color.
    images : bool
        Whether units' images stand in the plot in place of their points, as far as there is room: those of the selected
        units, or of all if none is selected.

    Raises
    ------
    RecordError
        If `units` is not a valid unit record, or a tree of such; if a layer holds only some of its units, or nothing to
        put on an axis.
    FileNotFoundError
        If there is no record at the path given.
    TypeError
        If `probe` is no `Probe`, or there is no such image option.
    ValueError
        If a layer is not the probe's model's, has other weights, or its record does not say how its images were made;
        if `image_options` come without a `probe`, or all layers have images.
    traitlets.TraitError
        If a trait is set to something the record has no place for.

    Notes
    -----
    The images are sent with the page, up to 4 MB; beyond that the page asks the kernel for them. All else needs no
    kernel. Where a unit has two images, the one for the eye is shown, and the opened unit offers the one that RS was
    measured on; an exported page has all of the first kind, and of the second as many as fit into 4 MB with them.

    RS is that of the paper *Understanding the Importance of Single Directions via Representative Substitution* (eq. 4).

    With a probe, images are made one at a time, in chunks of 1 on one thread: from the same settings and seed they are
    those that `analyze_units(..., chunk=1)` makes, on a CPU to the bit, in whatever order they are asked for. In larger
    chunks a network rounds differently and an optimization makes more of it: other pixels, and responses that agree
    within a few percent. The setting `live` of the record lists the units made here, and what was tried on some of
    them: more restarts, of which the better image is kept while `rs` is the mean over all of them, and more steps.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> scatter = tw.UnitScatter("units.zarr.zip")  # doctest: +SKIP
    >>> scatter.unit, scatter.y = 17, "accuracy_drop"  # doctest: +SKIP
    >>> scatter.record()["rs"].isel(unit=scatter.selected)  # doctest: +SKIP

    Images where there are none yet, and the record with them:

    >>> import torch
    >>> bank = tw.zoo.gabor_bank(n=4)
    >>> data = [(torch.rand(8, 3, 16, 16), torch.arange(8) % 2)]
    >>> units = tw.class_selectivity(bank, data, "relu", progress=False)
    >>> probe = tw.Probe(bank, "relu", device="cpu")
    >>> scatter = tw.UnitScatter(units, probe, image_options={"size": 16, "steps": 4})
    >>> scatter.render([2])
    >>> scatter.record()["rendered"].sel(objective="iam").values.tolist()
    [False, False, True, False]
    """

    bundle_name = "unit-scatter"
    page_name = "scatter"
    place_traits = ("layer", "objective", "unit", "pinned", "selected", "x", "y", "color", "images")

    _units = t.Dict().tag(sync=True)
    _sprites = t.List(t.Bytes()).tag(sync=True)
    _rendering = t.Dict().tag(sync=True)

    def __init__(
        self,
        units: xr.Dataset | xr.DataTree | str | os.PathLike[str],
        probe: Any = None,
        image_options: Mapping[str, Any] | None = None,
        **traits: Any,
    ) -> None:
        self._given = _layers_of(units)
        self._on_request: UnitsOnRequest | None = None
        if probe is not None:
            self._on_request = UnitsOnRequest(
                self._given, probe, image_options, self._is_open, self._note_growth
            )
        elif image_options:
            raise ValueError(
                "image_options say how images are made, and that needs a network; give probe= too"
            )
        # Whether images have been made since the page's state was put together.
        self._grew = False
        tables = {name: table(self._now(name)) for name in self._given}
        self._choices = {name: choices_of(found) for name, found in tables.items()}
        self._sheets = Sheets({name: self._now(name) for name in self._given})
        # The layer that each of these was set for: with another layer they mean nothing.
        self._homes: dict[str, str] = {}
        first = traits.get("layer", next(iter(self._given)))
        if not isinstance(first, str) or first not in self._given:
            raise ValueError(self._no_layer(first))
        known = self._choices[first]
        objective = traits.get("objective", known.objective)
        if "unit" not in traits:
            traits = {**traits, "unit": most_interesting(self._now(first), objective)}
        super().__init__(
            **{
                "layer": first,
                "objective": objective,
                "x": known.x,
                "y": known.y,
                "color": known.color,
                **traits,
            },
            _units=self._facts(tables),
            _sprites=self._sheets.inline(INLINE_BUDGET),
            _rendering={} if self._on_request is None else {"ready": True},
        )

    def record(self, layer: str | None = None) -> xr.Dataset:
        """The unit record of a layer, by default of the one shown, with the images made here: ready for `save_record`.

        Raises
        ------
        ValueError
            If there is no such layer.
        """
        name = self.layer if layer is None else layer
        if name not in self._given:
            raise ValueError(self._no_layer(name))
        return self._given[name] if self._on_request is None else self._on_request.growing[name].record()

    def figure(self) -> go.Figure:
        """The plot as it stands, by `tw.figures.unit_scatter`, to change or to save.

        `tw.figures.save(scatter.figure(), "units.pdf", width_mm=120)` makes a file of it.

        Examples
        --------
        >>> import tunewidgets as tw
        >>> scatter = tw.UnitScatter(tw.zoo.example("shallow_cnn"), layer="relu3", color=None)
        >>> scatter.figure().layout.xaxis.title.text
        'class selectivity'
        """
        record = self.record()
        images: list[int] = []
        if self.images and "image" in record:
            # As on the page: the opened and the pinned unit first, then the selection, or all.
            first = [unit for unit in (self.unit, self.pinned) if unit is not None]
            images = list(dict.fromkeys([*first, *(self.selected or range(record.sizes["unit"]))]))
        return unit_scatter(record, self.x, self.y, self.color, self.objective, images=images)

    def render(self, units: Sequence[int] | None = None) -> None:
        """Make the images of units of the layer shown that have none yet; returns when they are there.

        Parameters
        ----------
        units : sequence of int, optional
            In this order; by default all that wait: the selected ones first, then the most class-selective.

        Raises
        ------
        ValueError
            If there is no probe, or no such unit.
        TypeError
            If `units` is no list of units.
        Exception
            Whatever the network raises. What was finished before stays.

        Notes
        -----
        The page shows them as they come, and its Cancel ends this call too.

        Examples
        --------
        >>> scatter.render([17, 4])  # doctest: +SKIP
        """
        if self._on_request is None:
            raise ValueError("images can't be made here: give probe=, the model that the record was made of")
        if units is not None and not isinstance(units, Iterable):
            raise TypeError(f"units is {units!r}; give a list of units, such as [17, 4]")
        growing = self._on_request.growing[self.layer]
        chosen = growing.waiting_units(self.selected) if units is None else units
        run = self._on_request.run(self.layer, self.objective, chosen)
        request = self._live.start("python", "units", run)
        try:
            # In short waits, which an interrupt ends.
            while not request.ended.wait(0.1):
                pass
        except KeyboardInterrupt:
            self._live.cancel()
            raise
        if request.error is not None:
            raise request.error

    def on_unit(self, callback: Callable[[int | None], Any]) -> None:
        """Call `callback` with the unit, or None, whenever another one is opened or the opened one is closed.

        Examples
        --------
        >>> scatter.on_unit(print)  # doctest: +SKIP
        """
        self.observe(lambda change: callback(change["new"]), "unit")

    def _now(self, layer: str) -> xr.Dataset:
        """A layer's record as it is, which may change while it is looked at."""
        return self._given[layer] if self._on_request is None else self._on_request.growing[layer].now

    def _is_open(self, layer: str, unit: int) -> bool:
        return layer == self.layer and unit in (self.unit, self.pinned)

    def _note_growth(self, layer: str, columns: dict[str, Any] | None) -> None:
        self._grew = True
        if columns is not None:
            self._choices[layer] = choices_of(columns)

    def _facts(self, tables: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
        """What the page is sent once, images apart."""
        return {
            "model": str(next(iter(self._given.values())).attrs["model"]),
            "template": unit_scatter_template(layer_tree(self._given)),
            "layers": [
                {**layer_facts(self._now(name)), "table": found, "sheets": self._sheets.table(name)}
                for name, found in tables.items()
            ],
        }

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """The traits' values, for a page; one that is opened now gets what was made since the widget was."""
        wanted = [key] if isinstance(key, str) else key
        if self._grew and (wanted is None or {"_units", "_sprites"} & set(wanted)):
            self._catch_up()
        return super().get_state(key, drop_defaults)

    def page_state(self, quality: int) -> dict[str, Any]:
        """What a page without a kernel is given."""
        if self._grew:
            self._catch_up()
        return super().page_state(quality)

    def _catch_up(self) -> None:
        # In place: the pages that are open were told of every unit already, and must not be sent all of it again.
        self._grew = False
        self._units.update(self._facts({name: table(self._now(name)) for name in self._given}))
        self._sprites[:] = self._sheets.inline(INLINE_BUDGET)

    def _all_images(self, quality: int) -> dict[str, list[bytes]]:
        return {"_sprites": self._sheets.inline(INLINE_BUDGET, quality, least=True)}

    def _replies(self) -> dict[str, Any]:
        return {"sprite": self._sprite_reply}

    def _sprite_reply(self, message: dict[str, Any]) -> list[bytes]:
        at = message.get("page")
        if type(at) is not int or not 0 <= at < len(self._sheets):
            raise ValueError(f"there is no page {at!r} of images here; there are {len(self._sheets)}")
        return [self._sheets.encoded(at)]

    def _computations(self) -> dict[str, Any]:
        return {} if self._on_request is None else {"render": self._render}

    def _render(self, message: dict[str, Any]) -> tuple[str, Run]:
        assert self._on_request is not None
        layer, objective = message.get("layer", self.layer), message.get("objective", self.objective)
        if layer not in self._given:
            raise ValueError(self._no_layer(layer))
        # One key: whatever is asked joins what is under way.
        return "units", self._on_request.asked(message, layer, objective, self.selected)

    def _still(self) -> Image.Image:
        return unit_still(self._now(self.layer), self.x, self.y, self.objective, self.unit, len(self._given))


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
