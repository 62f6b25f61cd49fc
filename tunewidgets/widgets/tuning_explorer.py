"""The tuning explorer: a film record under sliders.

In: a film record or its path, and a photo to place along its dimensions. Out: a widget whose slider positions, labels,
active dimension and place in the photo are synced traits. The page is js/src/tuning-explorer; its payload is made in
`film_page` and `photo_page`.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets as t
import xarray as xr
from PIL import Image

from .._checks import is_whole
from ..records import RecordError, kind_of, open_record, validate
from .base import INLINE_BUDGET, NO_BUDGET, Index, Widget
from .changeable import Text, Values
from .film_live import Combinations, kept_in
from .film_page import film_facts, film_sprite, inline_sprites, middle_points, patch_sprite
from .film_still import film_still
from .photo_page import photo_facts

if TYPE_CHECKING:
    import plotly.graph_objects as go


class Coordinates(Values):
    """Coordinates, one per row; a mapping of rows to coordinates leaves the other rows where they are."""

    def validate(self, obj: Any, value: Any) -> Any:
        if isinstance(value, Mapping):
            value = obj._with_coordinates(value)
        return super().validate(obj, value)


class TuningExplorer(Widget):
    """Move along a film's tuning dimensions and watch the preferred image change.

    Parameters
    ----------
    film : xarray.Dataset, str or path
        A film record (`render_film`, `add_patches`), or where one was saved.
    probe : Probe, optional
        The layer that the film was made for. With it all sliders can also move together, and the kernel makes the image
        for their combination. Needed for `image`.
    dimensions : sequence of int, optional
        Which of the film's dimensions to show, in this order; all of them by default.
    image : str, path, Pillow image, ndarray or Tensor, optional
        A photo: the explorer shows where each position of the layer's map falls along each dimension. An array is
        `(H, W, 3)` uint8 or `(3, H, W)` float in [0, 1].

    Attributes
    ----------
    dimension : int
        The active row, from 0 in the order shown.
    points : list of int
        Where each row's slider stands, from 0 to the number of points less 1. At first in the middle of the data: at
        the point with nearest to half of the data below it.
    labels : list of str
        What the reader calls each row; empty where nothing was typed and no suggestion taken.
    rejected : list of bool
        Which rows' suggested label (`read_film`) the reader turned down.
    playing : bool
        Whether the active row's slider runs by itself; it stops after one round trip.
    position : list of int
        The row and column of the layer's map that is marked in the photo; empty for none.
    coordinates : list of float
        Where all sliders stand together, one coordinate per row; empty while they move one at a time. It can also be
        set to a dict of rows to coordinates.
    unit : int or None
        The unit that the reader picked among those that weigh most, from 0; None for none. Linked with the `unit` of
        a `UnitScatter` of the same layer (`ipywidgets.jslink`, or `links=` of `export_html`), a click here opens it
        there.

    Raises
    ------
    RecordError
        If `film` is not a valid film record.
    FileNotFoundError
        If there is no record, or no photo, at the path given.
    TypeError
        If `probe` is no `Probe`.
    ValueError
        If `dimensions` names one the film doesn't have, or none, or one twice; if `image` comes without its `probe`,
        is no picture, or the film has no linear fit; if the probe is not the film's.
    traitlets.TraitError
        If a trait is set to something the film has no place for.

    Notes
    -----
    The images are sent with the page, up to 4 MB; beyond that the page asks the kernel for them. Scrubbing, playing,
    typing labels and exploring the photo need no kernel. Images of several sliders together (eq. 1 of *Identifying and
    interpreting tuning dimensions in deep networks*, for the inverse transform of all coordinates) start from the
    film's nearest one and grow in view; `keep` and `labeled` put them into the record.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> explorer = tw.TuningExplorer("film.zarr")  # doctest: +SKIP
    >>> explorer.points = [0, 5, 31]  # doctest: +SKIP
    >>> ipywidgets.jslink((explorer, "unit"), (scatter, "unit"))  # doctest: +SKIP
    >>> tw.save_record(explorer.labeled(), "film.zarr")  # doctest: +SKIP
    """

    bundle_name = "tuning-explorer"
    page_name = "explorer"
    place_traits = ("dimension", "points", "playing", "position", "coordinates", "unit")
    kept_traits = ("labels", "rejected")

    dimension = Index(0).tag(sync=True)
    points = Values(Index()).tag(sync=True)
    labels = Values(Text()).tag(sync=True)
    rejected = Values(t.Bool()).tag(sync=True)
    playing = t.Bool(False).tag(sync=True)
    position = Values(Index()).tag(sync=True)
    unit = Index(None, allow_none=True).tag(sync=True)
    _film = t.Dict().tag(sync=True)
    _sprites = t.List(t.Bytes()).tag(sync=True)
    _patches = t.List(t.Bytes()).tag(sync=True)
    _photo = t.Dict().tag(sync=True)
    coordinates = Coordinates(t.Float()).tag(sync=True)
    _combine = t.Dict().tag(sync=True)
    _kept = t.List(t.Dict()).tag(sync=True)

    def __init__(
        self,
        film: xr.Dataset | str | os.PathLike[str],
        probe: Any = None,
        dimensions: Sequence[int] | None = None,
        image: Any = None,
        **traits: Any,
    ) -> None:
        self._record = _film_of(film)
        self._shown = _shown(dimensions, self._record.sizes["dimension"])
        self._map_shape = (0, 0)
        self._combinations = None
        if probe is not None and "component" in self._record:
            self._combinations = Combinations(self._record, self._shown, probe)
        photo = {} if image is None else photo_facts(self._record, probe, image, self._shown)
        if photo:
            self._map_shape = (photo["rows"], photo["columns"])
        sprites = inline_sprites(self._record, self._shown, INLINE_BUDGET)
        patches: list[bytes] = []
        if "patch" in self._record:
            left = INLINE_BUDGET - sum(map(len, sprites))
            patches = inline_sprites(self._record, self._shown, left, patch_sprite)
        known = [str(label) for label in self._record["label"].values[self._shown]]
        super().__init__(
            **{
                "points": middle_points(self._record, self._shown),
                "labels": known,
                "rejected": [False] * len(self._shown),
                **traits,
            },
            _film=film_facts(self._record, self._shown),
            _sprites=sprites,
            _patches=patches,
            _photo=photo,
            _combine={"home": list(self._combinations.home)} if self._combinations else {},
            _kept=kept_in(self._record, self._shown, {}),
        )

    @property
    def film(self) -> xr.Dataset:
        """The film record, whole and as it was given."""
        return self._record

    def labeled(self) -> xr.Dataset:
        """The film as the reader left it, ready for `save_record`: with labels and kept images, without the suggestions
        that were turned down; `film` stays as it was.
        """
        labels, suggested = (
            np.array(self._record[name].values, dtype=object) for name in ("label", "suggested_label")
        )
        labels[self._shown] = self.labels
        suggested[np.array(self._shown)[self.rejected]] = ""
        labeled = self._record.assign(label=("dimension", labels), suggested_label=("dimension", suggested))
        return self._combinations.into(labeled) if self._combinations else labeled

    def figure(self) -> "go.Figure":
        """The dimension whose row is open, by `tw.figures.film_strip`; `tw.figures.film_sheet(film)` has them all.

        `tw.figures.save(explorer.figure(), "dimension.pdf", width_mm=180)` makes a file of it.
        """
        # Imported here, since the widget itself needs no plotly.
        from ..figures import film_strip

        return film_strip(self.labeled(), self._shown[self.dimension])

    def keep(self) -> None:
        """Add the image at `coordinates` to the record that `labeled` gives; it is made first, if it is not yet.

        Raises
        ------
        ValueError
            If the sliders don't move together, or no unit is asked to respond where they stand.
        """
        self._keep(self.coordinates, make=True)

    def _keep(self, coordinates: Any, make: bool) -> list[bytes]:
        combinations = self._needs_combinations()
        combinations.keep(combinations.rows(coordinates), make)
        self._kept = kept_in(self._record, self._shown, combinations.kept)
        return []

    def _needs_combinations(self) -> Combinations:
        if self._combinations is None:
            raise ValueError(
                "the sliders can't move together here: give probe=, the layer that the film was made for, and a "
                "film of a linear method"
            )
        return self._combinations

    def _with_coordinates(self, given: Mapping[Any, Any]) -> list[float]:
        if self._combinations is None:
            return list(given.values())
        for row in given:
            if type(row) is not int or not 0 <= row < len(self._shown):
                raise t.TraitError(
                    f"coordinates names row {row!r}, but this explorer shows {len(self._shown)} dimensions; give 0 to "
                    f"{len(self._shown) - 1}"
                )
        return self._combinations.completed(given, self.coordinates)

    @t.validate("dimension")
    def _check_dimension(self, proposal: dict[str, Any]) -> int:
        value, count = proposal["value"], len(self._shown)
        if not 0 <= value < count:
            raise t.TraitError(
                f"dimension is {value}, but this explorer shows {count} dimensions; give 0 to {count - 1}"
            )
        return value

    @t.validate("points")
    def _check_points(self, proposal: dict[str, Any]) -> list[int]:
        value, last = proposal["value"], self._record.sizes["point"] - 1
        self._check_length("points", value, f"a point from 0 to {last}")
        for at, point in enumerate(value):
            if not 0 <= point <= last:
                raise t.TraitError(
                    f"points[{at}] is {point}, but the film has {last + 1} points; give 0 to {last}"
                )
        return value

    @t.validate("unit")
    def _check_unit(self, proposal: dict[str, Any]) -> int | None:
        value, count = proposal["value"], self._record.sizes["unit"]
        if value is not None and not 0 <= value < count:
            raise t.TraitError(
                f"unit is {value}, but the film's layer has {count} units; give 0 to {count - 1}, or None"
            )
        return value

    @t.validate("position")
    def _check_position(self, proposal: dict[str, Any]) -> list[int]:
        value, (rows, columns) = proposal["value"], self._map_shape
        if value and not (len(value) == 2 and 0 <= value[0] < rows and 0 <= value[1] < columns):
            place = (
                f"a row below {rows} and a column below {columns}" if rows else "[], since it has no photo"
            )
            raise t.TraitError(f"position is {value}, which this explorer has no place for; give {place}")
        return value

    @t.validate("coordinates")
    def _check_coordinates(self, proposal: dict[str, Any]) -> list[float]:
        value = proposal["value"]
        if value:
            try:
                return list(self._needs_combinations().rows(value))
            except ValueError as error:
                raise t.TraitError(str(error)) from None
        return value

    @t.validate("labels")
    def _check_labels(self, proposal: dict[str, Any]) -> list[str]:
        self._check_length("labels", proposal["value"], "a label, which may be empty,")
        return proposal["value"]

    @t.validate("rejected")
    def _check_rejected(self, proposal: dict[str, Any]) -> list[bool]:
        self._check_length("rejected", proposal["value"], "True or False")
        return proposal["value"]

    def _check_length(self, name: str, value: list[Any], what: str) -> None:
        count = len(self._shown)
        if len(value) != count:
            raise t.TraitError(
                f"{name} has {len(value)} entries, but this explorer shows {count} dimensions; "
                f"give {what} for each"
            )

    def _all_images(self, quality: int) -> dict[str, list[bytes]]:
        images = inline_sprites(self._record, self._shown, NO_BUDGET, partial(film_sprite, quality=quality))
        if "patch" not in self._record:
            return {"_sprites": images}
        patches = inline_sprites(self._record, self._shown, NO_BUDGET, partial(patch_sprite, quality=quality))
        return {"_sprites": images, "_patches": patches}

    def _replies(self) -> dict[str, Any]:
        return {
            "sprite": lambda message: [film_sprite(self._record, self._asked(message))],
            "patches": lambda message: [patch_sprite(self._record, self._asked(message))],
            "keep": lambda message: self._keep(message.get("coordinates"), make=False),
        }

    def _computations(self) -> dict[str, Any]:
        return {"image": self._image} if self._combinations else {}

    def _image(self, message: dict[str, Any]) -> Any:
        combinations = self._needs_combinations()
        rows = combinations.rows(message.get("coordinates"))
        return rows, combinations.grow(rows)

    def _asked(self, message: dict[str, Any]) -> int:
        at = message.get("dimension")
        if type(at) is not int or not 0 <= at < len(self._shown):
            raise ValueError(f"there is no dimension {at!r} in this explorer")
        return self._shown[at]

    def _still(self) -> Image.Image:
        return film_still(self.labeled(), self._shown, self.points)


def _film_of(film: xr.Dataset | str | os.PathLike[str]) -> xr.Dataset:
    record = open_record(film) if isinstance(film, (str, os.PathLike)) else film
    validate(record)
    if (kind := kind_of(record)) != "film" or not isinstance(record, xr.Dataset):
        raise RecordError(
            f"TuningExplorer shows film records, one at a time, and this is a {kind} record"
            f"{' in a tree' if isinstance(record, xr.DataTree) else ''}; make a film with render_film"
        )
    return record


def _shown(dimensions: Sequence[int] | None, count: int) -> list[int]:
    if dimensions is None:
        return list(range(count))
    shown = list(dimensions) if isinstance(dimensions, Iterable) else []
    wrong = [at for at in shown if not is_whole(at, 0, count - 1)]
    if wrong or not shown or len(set(shown)) < len(shown):
        what = "names none" if not shown else f"holds {wrong[0]!r}" if wrong else "names one of them twice"
        raise ValueError(
            f"dimensions {what}; give different numbers from 0 to {count - 1}, or None for all of them"
        )
    return [int(at) for at in shown]
