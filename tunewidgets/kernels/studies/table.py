"""A table of results on disk, written in chunks of rows.

In: rows of numbers as they are finished, in any order. Out: the same rows in a later process. A chunk is one object of
a Zarr array, with its checksum: it is there whole or not at all, and a damaged one counts as missing.
"""

import json
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import zarr
from zarr.codecs import Crc32cCodec

from tunewidgets._checks import plain_value
from tunewidgets.records.files import DAMAGE


class Table:
    """Rows of float32 results, each a set of named fields.

    Parameters
    ----------
    store : str
        A folder or URL that Zarr can open; if nothing is there yet, the table is created.
    rows : int
    chunk : int
        Rows that are written together. An existing table keeps its own number.
    fields : mapping of str to shape
        What a row holds.
    about : mapping
        Plain values that say how the rows are made; `earlier` holds those of an existing table.
    """

    def __init__(
        self,
        store: str,
        rows: int,
        chunk: int,
        fields: Mapping[str, Sequence[int]],
        about: Mapping[str, Any],
    ) -> None:
        self._fields = {name: tuple(shape) for name, shape in fields.items()}
        self._sizes = {name: int(np.prod(shape)) for name, shape in self._fields.items()}
        self._pending: dict[int, np.ndarray] = {}
        self._lock = threading.Lock()  # chunks come from several threads
        # Python integers, since older versions of Zarr take no others.
        rows, chunk = int(rows), int(chunk)
        # The first column marks written rows: what is absent reads as NaN.
        width = 1 + sum(self._sizes.values())
        self.about = dict(json.loads(json.dumps(dict(about), default=plain_value)))
        self.earlier: dict[str, Any] | None = None
        try:
            self._array = zarr.open_array(store, mode="r+", zarr_format=3)
            if self._array.shape != (rows, width):
                raise ValueError(f"a table of shape {self._array.shape}")
            self.earlier = dict(json.loads(str(self._array.attrs["about"])))
        except DAMAGE:
            self._array = zarr.create_array(
                store,
                shape=(rows, width),
                chunks=(chunk, width),
                dtype="float32",
                fill_value=np.nan,
                compressors=[Crc32cCodec()],
                attributes={"about": json.dumps(self.about)},
                overwrite=True,
            )
        self.rows, self.chunk = rows, int(self._array.chunks[0])

    def say(self, **about: Any) -> None:
        """Change what the table says about how its rows are made."""
        self.about |= about
        self._array.attrs["about"] = json.dumps(self.about)

    def load(self) -> dict[int, dict[str, np.ndarray]]:
        """Every row that is there, by its number; a chunk that is damaged is left out with a warning."""
        found: dict[int, dict[str, np.ndarray]] = {}
        if self.earlier is None:
            return found
        damaged = 0
        for first in range(0, self.rows, self.chunk):
            try:
                block = np.asarray(self._array[first : first + self.chunk])
            except DAMAGE:
                damaged += 1
                continue
            if (block[:, 0] == 1).all():
                found |= {first + n: self._unpacked(row) for n, row in enumerate(block)}
        if damaged:
            warnings.warn(
                f"{damaged} chunk{'s' * (damaged > 1)} of {self._array.store_path} {'are' if damaged > 1 else 'is'} "
                "damaged and will be made again",
                stacklevel=2,
            )
        return found

    def chunks(self) -> Iterator[tuple[int, np.ndarray | None]]:
        """The number of each chunk's first row, and its rows side by side without names; None for a missing chunk."""
        for first in range(0, self.rows, self.chunk):
            try:
                block = np.asarray(self._array[first : first + self.chunk])
            except DAMAGE:
                block = np.zeros((1, 1), np.float32)
            yield first, block[:, 1:] if (block[:, 0] == 1).all() else None

    def put(self, first: int, block: np.ndarray) -> None:
        """Write a whole chunk, its fields side by side."""
        self._array[first : first + len(block)] = np.insert(block, 0, 1, axis=1)

    def add(self, row: int, values: Mapping[str, np.ndarray]) -> None:
        """Take one finished row, from any thread; its chunk is written once its last row is there."""
        parts = [np.asarray(values[name], np.float32).ravel() for name in self._fields]
        whole_row = np.concatenate([[np.float32(1)], *parts])
        with self._lock:
            self._pending[row] = whole_row
        first = row // self.chunk * self.chunk
        together = range(first, min(first + self.chunk, self.rows))
        with self._lock:
            whole = all(n in self._pending for n in together)
            rows = [self._pending.pop(n) for n in together] if whole else []
        if rows:
            self._array[first : together.stop] = np.stack(rows)

    def _unpacked(self, row: np.ndarray) -> dict[str, np.ndarray]:
        values, start = {}, 1
        for name, shape in self._fields.items():
            values[name] = row[start : start + self._sizes[name]].reshape(shape)
            start += self._sizes[name]
        return values
