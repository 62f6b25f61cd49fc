"""Records that grow: a place on disk, or at a URL, where a record is written again and again while it is being made.

In: a path or URL and records, whole or a layer at a time. Out: a record that can be opened at any time, and next to it
a place for what is not in it yet, `PATH.unfinished`, which is removed when all is done.
"""

import os
import shutil
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xarray as xr

from .._checks import AS_TEXT, a_type, local_path
from .encoding import for_disk
from .files import (
    DAMAGE,
    ZARR_OPTIONS,
    check_whole,
    files_at,
    is_url,
    looks_like_record,
    quiet,
    read,
    read_some,
    tidy,
    url_files,
    write,
)
from .lock import Lock
from .node_names import NAME, ORDER, group_name
from .validation import MARK, RecordError, validate

UNFINISHED = ".unfinished"
Fill = Callable[[str], None]


def place_of(store: str | os.PathLike[str]) -> "StorePlace":
    """Where `store` points.

    Raises
    ------
    TypeError, ValueError
        If it is not a path, or ends neither in `.zarr` nor, on disk, in `.zarr.zip`.
    FileExistsError
        If something other than a record is there.
    """
    if not isinstance(store, str | os.PathLike):
        raise TypeError(f"store is {a_type(store)}; give a path that ends in .zarr, or None")
    return Url(str(store)) if is_url(store) else Folder(local_path(store, "store", AS_TEXT).resolve())


class StorePlace(ABC):
    """A record at `path` and, in `work`, its unfinished parts; `name` is what the reader calls it."""

    name: str
    path: str
    work: str

    def at(self, part: str) -> str:
        """Where something unfinished is kept, for Zarr; `part` may itself have parts, with slashes between."""
        return "/".join([self.work, "parts", *map(group_name, part.split("/"))])

    def keep(self, part: str, dataset: xr.Dataset) -> None:
        """Keep something unfinished."""
        self._replace(self.at(part), dataset)

    def write(self, record: xr.Dataset | xr.DataTree, fill: Fill | None = None) -> None:
        """Write the whole record anew; `fill` is called with its group's path, to add what is too large for memory."""
        self._replace(self.path, record, fill)

    def write_layer(self, record: xr.Dataset, layer: str, order: int) -> None:
        """Write one layer of the record anew."""
        marked = record.assign_attrs({NAME: layer, ORDER: order})
        if self.exists(f"{self.path}/zarr.json"):
            self._replace(f"{self.path}/{group_name(layer)}", marked)
            return

        def first(root: str) -> None:
            with quiet():
                for_disk(marked).to_zarr(f"{root}/{group_name(layer)}", **ZARR_OPTIONS)

        # Together, since a tree without any layer is not a record.
        self._replace(self.path, xr.Dataset(attrs={NAME: ""}), first)

    def read(self) -> xr.Dataset | xr.DataTree:
        """The record, its values read as they are needed.

        Raises
        ------
        RecordError
            If it is damaged.
        """
        record = read(self.path, load=False)
        validate(record)
        return record

    @abstractmethod
    def some(self, names: Collection[str]) -> xr.Dataset | None:
        """Some variables of the record's root as a reader sees it, in memory; None where they can't be read."""

    @abstractmethod
    def exists(self, where: str) -> bool:
        """Whether there is something at `where`."""

    def there(self) -> bool:
        """Whether there is a record, whole or partial."""
        return self.exists(f"{self.path}/zarr.json")

    def layers(self) -> list[xr.Dataset | None]:
        """Each layer's record, in memory; None for one that is damaged."""
        return [read_part(where) for where in self._layers()]

    @abstractmethod
    def _layers(self) -> list[str]: ...

    def drop(self, part: str) -> None:
        """Forget something unfinished, if it is there."""
        self._remove(self.at(part))

    def clear(self) -> None:
        """Forget everything unfinished, and whose it was."""
        self._remove(f"{self.work}/parts")
        self._remove(f"{self.work}/zarr.json")

    @abstractmethod
    def _remove(self, where: str) -> None: ...

    def is_littered(self) -> bool:
        """Whether a killed process left something next to the record."""
        return self.exists(self.work)

    @abstractmethod
    def held(self) -> Any:
        """A context in which this process alone writes to the place."""

    @abstractmethod
    def end(self) -> None:
        """Remove the place for what is unfinished, since nothing is anymore."""

    @abstractmethod
    def _replace(self, where: str, record: xr.Dataset | xr.DataTree, fill: Fill | None = None) -> None: ...


class Folder(StorePlace):
    """A `.zarr` folder; for a `.zarr.zip` file, the folder that it is zipped from, among what is unfinished."""

    def __init__(self, path: Path) -> None:
        if not path.name.endswith((".zarr", ".zarr.zip")):
            raise ValueError(
                f"store is {path.name!r}; end it in .zarr for a folder, or in .zarr.zip for one file"
            )
        if path.exists() and not looks_like_record(path):
            raise FileExistsError(
                f"{path} exists and is not a tunewidgets record, so it is left alone; choose another store"
            )
        self._final = path
        self._lock = path.with_name(f".{path.name}.lock")
        self.name = str(path)
        self.work = f"{path}{UNFINISHED}"
        self.path = f"{self.work}/record.zarr" if path.name.endswith(".zip") else str(path)

    def exists(self, where: str) -> bool:
        return Path(where).exists()

    def there(self) -> bool:
        return super().there() or self._final.exists()

    def is_littered(self) -> bool:
        return super().is_littered() or self._lock.exists()

    def layers(self) -> list[xr.Dataset | None]:
        if super().there() or not self._final.exists():
            return super().layers()
        tree = read(self._final)
        return [node.to_dataset() for node in tree.children.values()] if isinstance(tree, xr.DataTree) else []

    def read(self) -> xr.Dataset | xr.DataTree:
        if super().there():
            return super().read()
        record = read(self._final)
        validate(record)
        return record

    def some(self, names: Collection[str]) -> xr.Dataset | None:
        return read_some(self._final, names)

    def _layers(self) -> list[str]:
        root = Path(self.path)
        return [str(folder) for folder in sorted(root.iterdir()) if folder.is_dir()] if root.is_dir() else []

    def _remove(self, where: str) -> None:
        if Path(where).is_dir():
            shutil.rmtree(where, ignore_errors=True)
        else:
            Path(where).unlink(missing_ok=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        try:
            Path(self.work).mkdir(parents=True, exist_ok=True)
            lock = Lock(self._lock, self.name)
        except OSError as error:
            raise OSError(
                f"{self._final.parent} can't be written to ({error.strerror or error}); give a store in a "
                "writable folder"
            ) from error
        try:
            shutil.rmtree(f"{self.work}/scratch", ignore_errors=True)
            if self.path != self.name and self._final.exists() and not Path(self.path).exists():
                write(read(self._final), self.path)
            yield
        finally:
            self._zip()
            lock.release()

    def end(self) -> None:
        self._zip()
        shutil.rmtree(self.work, ignore_errors=True)

    def _zip(self) -> None:
        if self.path != self.name and Path(self.path).exists():
            write(read(self.path), self._final)

    def _replace(self, where: str, record: xr.Dataset | xr.DataTree, fill: Fill | None = None) -> None:
        target = Path(where)
        scratch = Path(self.work, "scratch", uuid.uuid4().hex)
        scratch.mkdir(parents=True)
        try:
            with quiet():
                for_disk(record).to_zarr(scratch / "new", **ZARR_OPTIONS)
            if fill is not None:
                fill(str(scratch / "new"))
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                target.rename(scratch / "old")
            (scratch / "new").rename(target)
        finally:
            if (scratch / "old").exists() and not target.exists():
                (scratch / "old").rename(target)
            shutil.rmtree(scratch, ignore_errors=True)


class Url(StorePlace):
    """A `.zarr` at any URL that fsspec knows. Each object is there complete or not at all; nothing locks the place."""

    def __init__(self, url: str) -> None:
        self.name = self.path = url.rstrip("/")
        if not self.name.endswith(".zarr"):
            raise ValueError(f"store is {url!r}; end the URL in .zarr")
        self.work = self.name + UNFINISHED
        self._files, _ = url_files(url)

    def exists(self, where: str) -> bool:
        return bool(self._files.exists(where))

    def some(self, names: Collection[str]) -> xr.Dataset | None:
        return read_some(self.path, names)

    def _layers(self) -> list[str]:
        if not self.exists(self.path):
            return []
        names = [str(entry["name"]) for entry in self._files.ls(self.path) if entry["type"] == "directory"]
        return [f"{self.path}/{name.rstrip('/').rpartition('/')[2]}" for name in sorted(names)]

    @contextmanager
    def held(self) -> Iterator[None]:
        yield

    def end(self) -> None:
        self._remove(self.work)

    def _remove(self, where: str) -> None:
        if self.exists(where):
            self._files.rm(where, recursive=True)

    def _replace(self, where: str, record: xr.Dataset | xr.DataTree, fill: Fill | None = None) -> None:
        self._remove(where)
        with quiet():
            for_disk(record).to_zarr(where, **ZARR_OPTIONS)
        if fill is not None:
            fill(where)


def read_part(where: str) -> xr.Dataset | None:
    """A layer of a record, or something unfinished, in memory; None where it is missing or damaged."""
    try:
        check_whole(files_at(where))
        with quiet(), xr.open_dataset(where, engine="zarr", consolidated=False) as dataset:
            found = tidy(dataset.load())
        if MARK in found.attrs:
            validate(found)
    except (*DAMAGE, RecordError):
        return None
    return found
