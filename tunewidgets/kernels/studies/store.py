"""Stores: how a long computation keeps what it has finished, is shown meanwhile, and goes on where it stopped.

In: a path, what was asked for, and results as they come. Out: at the path the record as far as it is made; beside it
tables of finished results (`Table`) and parts that no whole record holds yet, which go when it is done.
"""

import json
import os
import time
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
import xarray as xr
import zarr

from tunewidgets import records
from tunewidgets._checks import plain_value
from tunewidgets.kernels.studies.marks import MARKS, refuse_apart
from tunewidgets.kernels.studies.table import Table
from tunewidgets.records.files import DAMAGE
from tunewidgets.records.growing import StorePlace, place_of, read_part
from tunewidgets.records.lock import InUseError
from tunewidgets.records.node_names import ORDER, node_name
from tunewidgets.records.validation import RecordError

# Share of the time that may go into writing the record while it is partial.
SHOWING = 0.01
Shape = TypeVar("Shape", xr.Dataset, xr.DataTree)


class Study:
    """A long computation with a store, or without one, where nothing is kept and nothing is found.

    Parameters
    ----------
    store : path, URL or None
    kind : str
        Of the record.
    model_sha256 : str or None
        None where a record is of several models, which the caller compares.
    asked : mapping
        Everything that decides the result and that the caller chose; plain values. In the record it is the setting
        "asked", or, of a record without one, its settings. What is under "marks" is compared as marks are.
    left_out : mapping, optional
        What is meant by a store of before that does not say it.

    Raises
    ------
    ValueError, TypeError, FileExistsError
        The store is no path of a record, or holds something else, or something that was asked for otherwise.
    """

    def __init__(
        self,
        store: str | os.PathLike[str] | None,
        kind: str,
        model_sha256: str | None,
        asked: Mapping[str, Any],
        left_out: Mapping[str, Any] | None = None,
    ) -> None:
        self._left_out = left_out or {}
        self._place: StorePlace | None = None if store is None else place_of(store)
        self._kind = kind
        self._sha256 = model_sha256
        self.asked = dict(json.loads(json.dumps(dict(asked), default=plain_value)))
        self._held = ExitStack()
        self._began, self._spent = time.perf_counter(), 0.0
        self._order: dict[str, int] = {}
        self._goes_on = self._place is not None and self._compare_with_parts(self._place)

    def __enter__(self) -> Self:
        """Nobody else writes to the store from here on.

        Raises
        ------
        RuntimeError, OSError
            Somebody else does, or the store can't be written to.
        """
        if self._place is not None:
            self._held.enter_context(self._place.held())
            about = {"kind": self._kind, "model_sha256": self._sha256, "asked": self.asked}
            try:
                if not self._goes_on:
                    self._place.clear()
                zarr.open_group(self._place.work, mode="a", zarr_format=3).attrs["study"] = json.dumps(about)
            except BaseException:
                self._held.close()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Let others in; without an error, all is done."""
        with self._held:
            if self._place is not None and error is None:
                self._place.end()

    def asked_of(self, layer: str) -> dict[str, Any]:
        """What was asked for, with the marks of one layer alone, for its record."""
        marks = self.asked.get(MARKS, {})
        if "network" not in marks:
            return self.asked
        own = {name: mark for name, mark in marks["network"].items() if name == layer}
        return {**self.asked, MARKS: {**marks, "network": own}}

    @property
    def keeps(self) -> bool:
        """Whether there is a store."""
        return self._place is not None

    def record(self) -> xr.Dataset | None:
        """The whole record, where an earlier call has finished it."""
        found = self._found(xr.Dataset)
        if found is None or "unfinished" in found.attrs:
            return None
        self.tidy()
        return found

    def tree_so_far(self) -> xr.DataTree | None:
        """The record of a kind that is a tree, as far as it is there, in memory."""
        found = self._found(xr.DataTree)
        return None if found is None else found.load()

    def _found(self, shape: type[Shape]) -> Shape | None:
        if self._place is None or not self._place.there():
            return None
        try:
            found = self._place.read()
        except RecordError as error:
            warnings.warn(f"{error}; it is made again", stacklevel=4)
            return None
        if not isinstance(found, shape):
            raise ValueError(f"{self._place.name} holds a record of another kind; give another store.")
        self._compare_with(found)
        return found

    def as_shown(self, names: Collection[str]) -> xr.Dataset | None:
        """Some variables of the record as it lies there, into which a reader may have written meanwhile."""
        return None if self._place is None else self._place.some(names)

    def layers(self) -> list[str]:
        """The layers whose records earlier calls have finished."""
        if self._place is None or not self._place.there():
            return []
        whole, damaged = [], 0
        for found in self._place.layers():
            if found is None:
                damaged += 1
                continue
            self._compare_with(found)
            layer = str(found.attrs["layer"])
            self._order[layer] = int(found.attrs.get(ORDER, len(self._order)))
            if "unfinished" not in found.attrs:
                whole.append(layer)
        if damaged:
            warnings.warn(
                f"{damaged} layer{'s' * (damaged > 1)} in {self._place.name} {'are' if damaged > 1 else 'is'} damaged "
                "and will be made again",
                stacklevel=3,
            )
        return whole

    def tidy(self) -> None:
        """Take away what somebody left beside a whole record who was killed at the very end."""
        if self._place is not None and self._place.is_littered():
            try:
                with self:
                    pass
            except InUseError:
                return  # somebody is adding to it

    def tree(self, layers: Sequence[str], made: Mapping[str, xr.Dataset]) -> xr.DataTree:
        """The layers' records: of the store, or, without one, those that were `made`."""
        if self._place is None:
            return records.layer_tree(made)
        tree = self._place.read()
        return records.layer_tree({layer: tree[node_name(layer)].to_dataset() for layer in layers})

    def table(
        self, part: str, rows: int, chunk: int, fields: Mapping[str, Sequence[int]], about: Mapping[str, Any]
    ) -> Table | None:
        """The table of a part's results, new or as an earlier call left it; None without a store.

        Raises
        ------
        ValueError
            The earlier results were made otherwise, except in chunks of another shape, which goes on.
        """
        if self._place is None:
            return None
        table = Table(self._place.at(part), rows, chunk, fields, about)
        if table.earlier is not None:
            self._refuse({**table.earlier, "chunk": None}, {**table.about, "chunk": None})
            table.about = table.earlier
        return table

    def kept(self, part: str) -> xr.Dataset | None:
        """A part that an earlier call finished."""
        return None if self._place is None else read_part(self._place.at(part))

    def keep(self, part: str, dataset: xr.Dataset) -> None:
        """Keep a finished part until the record is whole."""
        if self._place is not None:
            self._place.keep(part, dataset)

    def show(
        self,
        make: Callable[[], xr.Dataset | xr.DataTree],
        note: str,
        layer: str | None = None,
        now: bool = False,
    ) -> None:
        """Write the record as far as it is made, unless that has taken its share of the time already."""
        started = time.perf_counter()
        if self._place is None or (self._spent > SHOWING * (started - self._began) and not now):
            return
        shown = make().copy()
        shown.attrs = {**shown.attrs, "unfinished": note}
        self._write(shown, layer)
        self._spent += time.perf_counter() - started

    def finish_large(self, record: xr.Dataset, fill: Callable[[str], None]) -> xr.Dataset:
        """Write a record for good, of which `fill` adds what is too large for memory; gives it as it is there."""
        assert self._place is not None
        self._place.write(record, fill)
        found = self._place.read()
        assert isinstance(found, xr.Dataset)
        return found

    def finish(self, record: xr.Dataset | xr.DataTree, layer: str | None = None) -> None:
        """Write the record, or the layer's, for good; its parts are needed no more."""
        if self._place is not None:
            self._write(record, layer)
            if layer is not None:
                self._place.drop(layer)

    def _write(self, record: xr.Dataset | xr.DataTree, layer: str | None) -> None:
        assert self._place is not None
        records.validate(record)
        if layer is None:
            self._place.write(record)
        else:
            assert isinstance(record, xr.Dataset)
            order = self._order.setdefault(layer, max(self._order.values(), default=-1) + 1)
            self._place.write_layer(record, layer, order)

    def _compare_with(self, record: xr.Dataset | xr.DataTree) -> None:
        assert self._place is not None
        if records.kind_of(record) != self._kind:
            raise ValueError(f"{self._place.name} holds a record of another kind; give another store.")
        settings = records.settings_of(record)
        self._compare(str(record.attrs["model_sha256"]), settings.get("asked", settings))

    def _compare_with_parts(self, place: StorePlace) -> bool:
        """Whether an earlier call has left parts that can be used."""
        if not place.exists(f"{place.work}/zarr.json"):
            return False
        try:
            text = zarr.open_group(place.work, mode="r", zarr_format=3).attrs["study"]
            about = dict(json.loads(str(text)))
            kind, sha256, asked = str(about["kind"]), str(about["model_sha256"]), dict(about["asked"])
        except DAMAGE:
            warnings.warn(f"{place.work} is damaged; what it held is made again", stacklevel=4)
            return False
        if kind != self._kind:
            raise ValueError(f"{place.name} holds a record of another kind; give another store.")
        self._compare(sha256, asked)
        return True

    def _compare(self, sha256: str, asked: Mapping[str, Any]) -> None:
        assert self._place is not None
        if self._sha256 is not None and sha256 != self._sha256:
            raise ValueError(
                f"{self._place.name} holds records of a model with other weights; give another store, or remove it."
            )
        earlier, now = _filled(asked, self._left_out), dict(self.asked)
        marks = earlier.pop(MARKS, {}), now.pop(MARKS, {})
        self._refuse(earlier, now)
        refuse_apart(self._place.name, *marks)

    def _refuse(self, earlier: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        """Raise a ValueError that names the first difference."""
        assert self._place is not None
        for key, value in now.items():
            before = earlier.get(key)
            if isinstance(value, dict) and isinstance(before, dict):
                self._refuse({**dict.fromkeys(value), **before}, {**dict.fromkeys(before), **value})
            elif before != value:
                raise ValueError(
                    f"{self._place.name} holds records made with {key}={before!r}, not {value!r}; give "
                    "another store, or the same settings to go on."
                )


def _filled(asked: Mapping[str, Any], left_out: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for, together with what is meant where it does not say."""
    inner = {
        name: {**value, **asked.get(name, {})}
        for name, value in left_out.items()
        if isinstance(value, Mapping)
    }
    return {**left_out, **asked, **inner}


def plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as JSON can hold them, to compare with those of an earlier call."""
    return {name: _plain(value) for name, value in sorted(options.items())}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, str | int | float | bool | type(None)) else repr(value)
