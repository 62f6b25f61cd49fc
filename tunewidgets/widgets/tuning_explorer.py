"""Widgets, the tuning explorer: a film record under sliders.

In: a film record or its path, and a photo to place along its dimensions. Out: a widget whose slider positions, labels,
active dimension and place in the photo are synced traits. The page is js/src/tuning-explorer; what it is sent is made
in `film_page` and `photo_page`.
"""

import os
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import traitlets as t
import xarray as xr
from PIL import Image

from ..records import RecordError, open_record, validate
from .base import INLINE_BUDGET, NO_BUDGET, Index, Widget
from .film_page import film_facts, film_sprite, inline_sprites, patch_sprite
from .film_still import film_still
from .photo_page import photo_facts


class TuningExplorer(Widget):
    """Move along a film's tuning dimensions and watch the preferred image change.

    Parameters
    ----------
    film : xarray.Dataset, str or path
        A film record (`render_film`, `add_patches`), or where one was saved.
    probe : Probe, optional
        The layer that the film was made for; needed for `image`.
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
        Where each row's slider stands, from 0 to the number of points less 1.
    labels : list of str
        What the reader calls each row; empty where nothing was typed and no suggestion taken.
    rejected : list of bool
        Which rows' suggested label (`read_film`) the reader turned down.
    playing : bool
        Whether the active row's slider runs by itself; it stops after one round trip.
    position : list of int
        The row and column of the layer's map that is marked in the photo; empty for none.

    Raises
    ------
    RecordError
        If `film` is not a valid film record.
    FileNotFoundError
        If there is no record at the path given.
    ValueError
        If `dimensions` names one the film doesn't have, or none, or one twice; if `image` comes without its `probe`,
        is no picture, or the film has no linear fit.
    traitlets.TraitError
        If a trait is set to something the film has no place for.

    Notes
    -----
    The images are sent with the page, up to 4 MB; beyond that the page asks the kernel for them. Scrubbing,
    playing, typing labels and looking about in the photo need no kernel.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> explorer = tw.TuningExplorer("film.zarr")  # doctest: +SKIP
    >>> explorer.points = [0, 5, 31]  # doctest: +SKIP
    >>> tw.save_record(explorer.labeled(), "film.zarr")  # doctest: +SKIP
    """

    bundle_name = "tuning-explorer"

    dimension = Index(0).tag(sync=True)
    points = t.List(Index()).tag(sync=True)
    labels = t.List(t.Unicode()).tag(sync=True)
    rejected = t.List(t.Bool()).tag(sync=True)
    playing = t.Bool(False).tag(sync=True)
    position = t.List(Index()).tag(sync=True)
    _film = t.Dict().tag(sync=True)
    _sprites = t.List(t.Bytes()).tag(sync=True)
    _patches = t.List(t.Bytes()).tag(sync=True)
    _photo = t.Dict().tag(sync=True)

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
                "points": [self._record.sizes["point"] - 1] * len(self._shown),
                "labels": known,
                "rejected": [False] * len(self._shown),
                **traits,
            },
            _film=film_facts(self._record, self._shown),
            _sprites=sprites,
            _patches=patches,
            _photo=photo,
        )

    @property
    def film(self) -> xr.Dataset:
        """The film record, whole and as it was given."""
        return self._record

    def labeled(self) -> xr.Dataset:
        """The film with the labels of this widget in it and without the suggestions that were turned down, ready for
        `save_record`; `film` stays as it was.
        """
        labels, suggested = (
            np.array(self._record[name].values, dtype=object) for name in ("label", "suggested_label")
        )
        labels[self._shown] = self.labels
        suggested[np.array(self._shown)[self.rejected]] = ""
        return self._record.assign(label=("dimension", labels), suggested_label=("dimension", suggested))

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

    @t.validate("position")
    def _check_position(self, proposal: dict[str, Any]) -> list[int]:
        value, (rows, columns) = proposal["value"], self._map_shape
        if value and not (len(value) == 2 and 0 <= value[0] < rows and 0 <= value[1] < columns):
            place = (
                f"a row below {rows} and a column below {columns}" if rows else "[], since it has no photo"
            )
            raise t.TraitError(f"position is {value}, which this explorer has no place for; give {place}")
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

    def _answers(self) -> dict[str, Any]:
        return {
            "sprite": lambda message: [film_sprite(self._record, self._asked(message))],
            "patches": lambda message: [patch_sprite(self._record, self._asked(message))],
        }

    def _asked(self, message: dict[str, Any]) -> int:
        at = message.get("dimension")
        if type(at) is not int or not 0 <= at < len(self._shown):
            raise ValueError(f"there is no dimension {at!r} in this explorer")
        return self._shown[at]

    def _still(self) -> Image.Image:
        return film_still(self._record, self._shown, self.labels)


def _film_of(film: xr.Dataset | str | os.PathLike[str]) -> xr.Dataset:
    record = open_record(film) if isinstance(film, (str, os.PathLike)) else film
    validate(record)
    kind = str(record.attrs.get("tunewidgets_record", "")).partition("/")[0]
    if not isinstance(record, xr.Dataset) or kind != "film":
        raise RecordError(
            f"TuningExplorer shows film records, and this is a {kind or 'tree of'} record; "
            "make a film with render_film"
        )
    return record


def _shown(dimensions: Sequence[int] | None, count: int) -> list[int]:
    if dimensions is None:
        return list(range(count))
    shown = [int(at) for at in dimensions]
    wrong = [at for at in shown if not 0 <= at < count]
    if wrong or not shown or len(set(shown)) < len(shown):
        what = "names none" if not shown else f"holds {wrong[0]}" if wrong else "names one of them twice"
        raise ValueError(
            f"dimensions {what}; give different numbers from 0 to {count - 1}, or None for all of them"
        )
    return shown
