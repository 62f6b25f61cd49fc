"""Activation vectors as they are sampled: held in memory, or written to a store block by block.

In: numbered vectors and the positions they come from. Out: a DataArray `(sample, unit)`, in memory or on disk.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Self

import numpy as np
import xarray as xr
import zarr

from tunewidgets import records
from tunewidgets.kernels.studies.store import Study
from tunewidgets.kernels.studies.table import Table
from tunewidgets.records.encoding import compressors

ROWS = 1 << 14  # vectors in a block
# A fit in memory holds this many copies of the vectors in float64; beyond this many bytes it is done block by block.
COPIES, MEMORY = 4, 1 << 30
EXACT = 1 << 24  # whole numbers that float32 holds


class Vectors(AbstractContextManager["Vectors"], ABC):
    """A place for a known number of vectors."""

    @abstractmethod
    def lacks(self, start: int, stop: int) -> bool:
        """Whether some of these vectors are still missing."""

    @abstractmethod
    def take(self, numbers: np.ndarray, vectors: np.ndarray, where: np.ndarray) -> None:
        """Vectors `(m, units)` by their numbers, ascending, with image, y and x `(m, 3)`."""

    @abstractmethod
    def finished(self, attrs: dict[str, Any], has_map: bool, normalize: bool) -> xr.DataArray:
        """All of them."""


class HeldVectors(Vectors):
    """In memory."""

    def __init__(self, n: int, units: int) -> None:
        self._vectors = np.empty((n, units), np.float32)
        self._where = np.empty((n, 3), np.int64)

    def __exit__(self, *error: object) -> None:
        """Nothing is held open."""

    def lacks(self, start: int, stop: int) -> bool:
        return True

    def take(self, numbers: np.ndarray, vectors: np.ndarray, where: np.ndarray) -> None:
        self._vectors[numbers] = vectors
        self._where[numbers] = where

    def finished(self, attrs: dict[str, Any], has_map: bool, normalize: bool) -> xr.DataArray:
        vectors = self._vectors
        if normalize:
            contrast = contrast_of(vectors)
            attrs = {**attrs, "contrast": contrast}
            vectors = normalized(vectors, contrast)
        coords = _coordinates(self._where, has_map)
        return xr.DataArray(vectors, dims=("sample", "unit"), coords=coords, attrs=attrs, name="activation")


class StoredVectors(Vectors):
    """On disk: no more than a block of vectors is in memory."""

    def __init__(
        self, store: str | os.PathLike[str], n: int, units: int, model_sha256: str, asked: dict[str, Any]
    ) -> None:
        if str(store).endswith(".zip"):
            raise ValueError(
                f"{store} is one file, and vectors are read from their store as they are asked for; end it in .zarr, "
                "for a folder"
            )
        if int(asked["n_images"]) >= EXACT:
            raise ValueError(f"a store holds vectors of up to {EXACT:,} images; sample them in parts")
        self._study = Study(store, "activations", model_sha256, asked)
        # Python integers, since older versions of Zarr take no others.
        self._n, self._units = int(n), int(units)
        self._there = np.zeros(-(-n // ROWS), bool)
        self._blocks: dict[int, np.ndarray] = {}
        self._filled: dict[int, int] = {}
        self._table: Table | None = None

    def __enter__(self) -> Self:
        self._study.__enter__()
        fields = {"activation": (self._units,), "where": (3,)}
        self._table = self._study.table("vectors", self._n, ROWS, fields, {})
        assert self._table is not None
        if self._table.earlier is not None:
            self._there[:] = [block is not None for _, block in self._table.chunks()]
        return self

    def __exit__(self, *error: Any) -> None:
        self._study.__exit__(*error)

    def earlier(self) -> xr.DataArray | None:
        """The vectors, if an earlier call has finished them."""
        record = self._study.record()
        return None if record is None else _array(record)

    def lacks(self, start: int, stop: int) -> bool:
        return not self._there[start // ROWS : -(-stop // ROWS)].all()

    def take(self, numbers: np.ndarray, vectors: np.ndarray, where: np.ndarray) -> None:
        assert self._table is not None
        rows = np.concatenate([vectors, where.astype(np.float32)], axis=1)
        for number in np.unique(numbers // ROWS):
            if self._there[number]:
                continue
            first = int(number) * ROWS
            size = min(ROWS, self._n - first)
            block = self._blocks.setdefault(int(number), np.empty((size, rows.shape[1]), np.float32))
            own = numbers // ROWS == number
            block[numbers[own] - first] = rows[own]
            self._filled[int(number)] = self._filled.get(int(number), 0) + int(own.sum())
            if self._filled[int(number)] == size:
                self._table.put(first, self._blocks.pop(int(number)))
                self._there[number] = True

    def finished(self, attrs: dict[str, Any], has_map: bool, normalize: bool) -> xr.DataArray:
        assert self._table is not None
        table, lengths, where = self._table, np.empty(self._n, np.float32), np.empty((self._n, 3), np.int64)
        for first, block in table.chunks():
            if block is None:
                raise OSError(
                    "what was written to the store can't be read back; run again with another store"
                )
            lengths[first : first + len(block)] = np.linalg.norm(block[:, :-3], axis=1)
            where[first : first + len(block)] = block[:, -3:]
        if normalize:
            attrs = {**attrs, "contrast": _typical(lengths)}

        def fill(group: str) -> None:
            array = zarr.create_array(
                group,
                name="activation",
                shape=(self._n, self._units),
                chunks=(min(ROWS, self._n), self._units),
                dtype="float32",
                compressors=compressors(),
                dimension_names=("sample", "unit"),
                config={"write_empty_chunks": True},
            )
            for first, block in table.chunks():
                assert block is not None
                vectors = block[:, :-3]
                array[first : first + len(block)] = (
                    normalized(vectors, attrs["contrast"]) if normalize else vectors
                )

        provenance = {name: attrs[name] for name in ("model", "model_sha256", "layer")}
        counts = {name: attrs[name] for name in ("n_images", "n_vectors")}
        more = {
            name: value for name, value in attrs.items() if name not in {**provenance, **counts, "seed": 0}
        }
        record = xr.Dataset(
            coords=_coordinates(where, has_map),
            attrs=records.new_attrs(
                "activations",
                **provenance,
                **counts,
                settings={"asked": self._study.asked, "sample": more},
                seed=attrs["seed"],
            ),
        )
        return _array(self._study.finish_large(record, fill))


def _array(record: xr.Dataset) -> xr.DataArray:
    """The vectors as `sample_activations` gives them."""
    names = ("model", "model_sha256", "layer", "seed", "n_images", "n_vectors")
    attrs = {name: record.attrs[name] for name in names}
    return record["activation"].assign_attrs({**attrs, **records.settings_of(record)["sample"]})


def _coordinates(where: np.ndarray, has_map: bool) -> dict[str, tuple[str, np.ndarray]]:
    coords = {"image": ("sample", where[:, 0])}
    if has_map:
        coords |= {"y": ("sample", where[:, 1]), "x": ("sample", where[:, 2])}
    return coords


def is_large(X: Any) -> bool:
    """Whether vectors are on disk and too many to be fitted in memory."""
    return (
        isinstance(X, xr.DataArray)
        and set(X.dims) == {"sample", "unit"}
        and not X.variable._in_memory
        and X.size * 8 * COPIES > MEMORY
    )


def blocks_of(X: xr.DataArray) -> Iterator[xr.DataArray]:
    """The vectors a block at a time, none of which stays in memory."""
    for first in range(0, X.sizes["sample"], ROWS):
        yield X.isel(sample=slice(first, first + ROWS))


def contrast_of(vectors: np.ndarray) -> float:
    """The median length of those vectors `(n, units)` that are not all 0; 1 if there are none."""
    return _typical(np.linalg.norm(vectors, axis=1))


def _typical(lengths: np.ndarray) -> float:
    return float(np.median(lengths[lengths > 0])) if lengths.any() else 1.0


def normalized(vectors: np.ndarray, contrast: float) -> np.ndarray:
    """Vectors `(n, units)`, each divided by its length plus `contrast`."""
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + contrast), vectors.dtype)
