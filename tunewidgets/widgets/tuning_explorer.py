"""Widgets, the tuning explorer: a film record under sliders.

In: a film record or its path. Out: a widget whose slider positions, labels and active dimension are synced
traits. The page is js/src/tuning-explorer; what it is sent is made in `film_page`.
"""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets as t
import xarray as xr
from PIL import Image

from ..records import RecordError, open_record, validate
from .base import INLINE_BUDGET, Index, Widget
from .film_page import film_facts, film_sprite, inline_sprites
from .film_still import film_still


class TuningExplorer(Widget):
    """Move along a film's tuning dimensions and watch the preferred image change.

    Parameters
    ----------
    film : xarray.Dataset, str or path
        A film record (`render_film`), or where one was saved.
    dimensions : sequence of int, optional
        Which of the film's dimensions to show, in this order; all of them by default.

    Attributes
    ----------
    dimension : int
        The active row, from 0 in the order shown.
    points : list of int
        Where each row's slider stands, from 0 to the number of points less 1.
    labels : list of str
        What the reader calls each row; empty where nothing was typed.
    playing : bool
        Whether the active row's slider runs by itself; it stops after one round trip.

    Raises
    ------
    RecordError
        If `film` is not a valid film record.
    FileNotFoundError
        If there is no record at the path given.
    ValueError
        If `dimensions` names one the film doesn't have, or none, or one twice.
    traitlets.TraitError
        If a trait is set to something the film has no place for.

    Notes
    -----
    The images are sent with the page, up to 4 MB; beyond that the page asks the kernel for them. Scrubbing,
    playing and typing labels need no kernel.

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
    playing = t.Bool(False).tag(sync=True)
    _film = t.Dict().tag(sync=True)
    _sprites = t.List(t.Bytes()).tag(sync=True)

    def __init__(
        self,
        film: xr.Dataset | str | os.PathLike[str],
        dimensions: Sequence[int] | None = None,
        **traits: Any,
    ) -> None:
        self._record = _film_of(film)
        self._shown = _shown(dimensions, self._record.sizes["dimension"])
        known = [str(label) for label in self._record["label"].values[self._shown]]
        super().__init__(
            **{
                "points": [self._record.sizes["point"] - 1] * len(self._shown),
                "labels": known,
                **traits,
            },
            _film=film_facts(self._record, self._shown),
            _sprites=inline_sprites(self._record, self._shown, INLINE_BUDGET),
        )

    @property
    def film(self) -> xr.Dataset:
        """The film record, whole and as it was given."""
        return self._record

    def labeled(self) -> xr.Dataset:
        """The film with the labels of this widget in it, ready for `save_record`; `film` stays as it was."""
        labels = np.array(self._record["label"].values, dtype=object)
        labels[self._shown] = self.labels
        return self._record.assign(label=("dimension", labels))

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

    @t.validate("labels")
    def _check_labels(self, proposal: dict[str, Any]) -> list[str]:
        self._check_length("labels", proposal["value"], "a label, which may be empty,")
        return proposal["value"]

    def _check_length(self, name: str, value: list[Any], what: str) -> None:
        count = len(self._shown)
        if len(value) != count:
            raise t.TraitError(
                f"{name} has {len(value)} entries, but this explorer shows {count} dimensions; "
                f"give {what} for each"
            )

    def _answers(self) -> dict[str, Any]:
        return {"sprite": self._answer_sprite}

    def _answer_sprite(self, message: dict[str, Any]) -> list[bytes]:
        at = message.get("dimension")
        if type(at) is not int or not 0 <= at < len(self._shown):
            raise ValueError(f"there is no dimension {at!r} in this explorer")
        return [film_sprite(self._record, self._shown[at])]

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
