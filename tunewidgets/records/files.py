"""The files of records: an xarray object to and from a Zarr v3 folder or one zip of such a folder.

In: a Dataset or DataTree and a path. Out: files, complete or not at all, and the object again. Nothing here
knows what a record means; `tunewidgets.records` checks that before writing and after reading.
"""

import json
import math
import os
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xarray as xr

from .._checks import AS_TEXT, local_path
from .encoding import for_disk
from .leftovers import REPLACED, leftovers, place_beside
from .node_names import NAME, ORDER, node_name
from .older import EARLIER, up_to_date
from .validation import MARK, RecordError, is_text
from .without_zarr import Files, plain_tree, threads_start

_ZIP = ".zarr.zip"
# Every chunk is written, since a missing one would read as zeros.
ZARR_OPTIONS: dict[str, Any] = {
    "mode": "w", "consolidated": False, "zarr_format": 3, "write_empty_chunks": True,
}  # fmt: skip
# What reading a damaged record raises.
DAMAGE = (OSError, ValueError, RuntimeError, KeyError, TypeError, IndexError, zipfile.BadZipFile)


@contextmanager
def quiet() -> Iterator[None]:
    """A context without warnings of Zarr that are of no use to a reader."""
    # Older releases of zarr warn, at every array of text, that this codec is not in the specification yet.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The codec `vlen-utf8` is currently not part")
        yield


@quiet()
def write(
    record: xr.Dataset | xr.DataTree, path: str | os.PathLike[str], picture_quality: int | None = None
) -> Path:
    """Write to `path`: a folder, or one file where it ends in `.zarr.zip`. See `records.save_record`."""
    target = local_path(path, "the record's path").resolve()
    if not target.name.endswith((".zarr", _ZIP)):
        raise ValueError(
            f"{target.name!r} can't be a record's path; end it in .zarr for a folder or {_ZIP} for one file"
        )
    if target.exists() and not looks_like_record(target):
        raise FileExistsError(
            f"{target} exists and is not a tunewidgets record, so it is left alone; choose another path"
        )
    if not threads_start():
        raise RuntimeError(
            "a record can't be written here: this Python can't start threads, in which Zarr writes; "
            "write it with a Python outside a browser"
        )
    with _scratch(target) as scratch:
        folder = scratch / "record.zarr"
        for_disk(record, picture_quality).to_zarr(folder, **ZARR_OPTIONS)
        if target.name.endswith(_ZIP):
            # Zipped only now that it is finished: writing through a ZipStore leaves duplicate entries.
            os.replace(_zipped(folder, scratch / "record.zip"), target)
        else:
            if target.exists():
                target.rename(scratch / REPLACED)
            folder.rename(target)
    return target


@quiet()
def read(path: str | os.PathLike[str], load: bool = True) -> xr.Dataset | xr.DataTree:
    """Read what `write` wrote, into memory or, from a folder, as its values are needed. See `records.open_record`.

    What an earlier version wrote comes with the present names (`older`).
    """
    return up_to_date(_read_url(str(path), load) if is_url(path) else _read_path(path, load))


def _read_path(path: str | os.PathLike[str], load: bool) -> xr.Dataset | xr.DataTree:
    target = local_path(path, "the record's path", AS_TEXT)
    if not target.exists():
        lost = next((place for place in leftovers(target) if (place / REPLACED).exists()), None)
        if lost is not None:
            raise FileNotFoundError(
                f"there is no record at {target}, since a process was killed while it replaced it; the earlier "
                f"record is {lost / REPLACED}: move it back, or save the new one again"
            )
        beside = sorted(p.name for p in target.parent.glob("*.zarr*")) if target.parent.is_dir() else []
        hint = f"; records beside it: {', '.join(beside[:5])}" if beside else ""
        raise FileNotFoundError(
            f"there is no record at {target}{hint}; give the path that save_record wrote to"
        )
    attrs = root_attrs(target)
    try:
        with _opened(target) as files:
            check_whole(files)
            if not threads_start():
                return _plainly(files, attrs)
        if target.is_dir():
            return _loaded(target, attrs, load)
        from zarr.storage import ZipStore

        with ZipStore(target, mode="r") as store:
            return _loaded(store, attrs, True)
    except DAMAGE as error:
        raise damaged(target, error) from error


def read_some(path: str | os.PathLike[str], names: Collection[str]) -> xr.Dataset | None:
    """Some variables of a record's root, in memory, even if others are damaged; None if these are damaged too."""
    wanted = {"zarr.json", *names, *EARLIER}
    try:
        with _opened(path) as files:
            own = [name for name in files.names if name.partition("/")[0] in wanted]
            some = Files(own, files.read)
            check_whole(some)
            found = up_to_date(tidy(plain_tree(some).to_dataset()))
    except DAMAGE:
        return None
    assert isinstance(found, xr.Dataset)
    return found


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[Files]:
    """The files of a record, wherever it is."""
    if is_url(path) or not Path(path).is_file():
        yield files_at(path)
        return
    with zipfile.ZipFile(path) as archive:
        yield Files(archive.namelist(), archive.read)


def _read_url(url: str, load: bool) -> xr.Dataset | xr.DataTree:
    files = files_at(url)
    if "zarr.json" not in files.names:
        raise FileNotFoundError(f"there is no record at {url}; give the URL that it was written to")
    try:
        check_whole(files)
        attrs = dict(json.loads(files.read("zarr.json"))["attributes"])
        return _loaded(url, attrs, load) if threads_start() else _plainly(files, attrs)
    except DAMAGE as error:
        raise damaged(url, error) from error


def damaged(path: str | os.PathLike[str], error: Exception) -> RecordError:
    """The error for a record that can't be read."""
    return RecordError(
        f"the record {path} is damaged ({str(error).splitlines()[0] if str(error) else error!r}); "
        "copy it again from where it was made, or make it again"
    )


def root_attrs(path: Path) -> dict[str, Any]:
    """The attributes of the root group, read without Zarr so that a record of any version can be identified.

    Raises
    ------
    RecordError
        If `path` holds no Zarr v3 group.
    """
    try:
        if path.is_dir():
            text = (path / "zarr.json").read_text(encoding="utf-8")
        else:
            with zipfile.ZipFile(path) as archive:
                text = archive.read("zarr.json").decode()
        return dict(json.loads(text)["attributes"])
    except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile):
        raise RecordError(
            f"{path} is not a tunewidgets record: it holds no Zarr v3 group; "
            "give a .zarr folder or a .zarr.zip file that tw.save_record wrote"
        ) from None


def looks_like_record(path: Path) -> bool:
    """Whether what is at `path` is marked as a record."""
    try:
        return not {MARK, NAME}.isdisjoint(root_attrs(path))
    except RecordError:
        return False


@contextmanager
def _scratch(target: Path) -> Iterator[Path]:
    # A sibling, so that the final rename stays on one file system and is therefore atomic.
    with _writable(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
    with place_beside(target) as scratch:
        with _writable(target.parent):
            scratch.mkdir()
        try:
            yield scratch
        finally:
            replaced = scratch / REPLACED
            if replaced.exists() and not target.exists():
                replaced.rename(target)


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OSError(
            f"{folder} can't be written to ({error.strerror or error}); give a path in a writable folder"
        ) from error


def _zipped(folder: Path, archive_path: Path) -> Path:
    # Stored, not deflated: Zarr's chunks are compressed already.
    with zipfile.ZipFile(archive_path, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(file, file.relative_to(folder).as_posix())
    return archive_path


def is_url(path: str | os.PathLike[str]) -> bool:
    """Whether a record's path is a URL."""
    return isinstance(path, str) and "://" in path


def url_files(url: str) -> tuple[Any, str]:
    """The file system behind a URL, and the path that it knows the URL by."""
    import fsspec

    try:
        return fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise ImportError(f"{url} can't be opened ({error}); install it, or give a local path") from error
    except ValueError as error:
        raise ValueError(
            f"{url} can't be opened ({error}); give a local path, or a URL that fsspec knows"
        ) from error


def files_at(path: str | os.PathLike[str]) -> Files:
    """The files of a record in a folder or at a URL."""
    if is_url(path):
        system, root = url_files(str(path))
        names = [str(name)[len(root) :].strip("/") for name in system.find(root)]
        return Files(names, lambda name: system.cat_file(f"{root}/{name}"))
    folder = Path(path)
    names = [
        os.path.relpath(os.path.join(where, name), folder).replace(os.sep, "/")
        for where, _, found in os.walk(folder)
        for name in found
    ]
    return Files(names, lambda name: (folder / name).read_bytes())


def check_whole(files: Files) -> None:
    """Raise a ValueError if a chunk is missing, which Zarr would read as zeros.

    Records from before there were checksums are not checked: their chunks of zeros were not written.
    """
    chunks = Counter(found[1] for name in files.names if (found := re.fullmatch(r"(.*)/c(?:/\d+)*", name)))
    for name in files.names:
        if not name.endswith("zarr.json"):
            continue
        about = json.loads(files.read(name))
        if "crc32c" not in [codec.get("name") for codec in about.get("codecs", ())]:
            continue
        array = name.removesuffix("/zarr.json")
        shape, chunk = about["shape"], about["chunk_grid"]["configuration"]["chunk_shape"]
        expected = math.prod(-(-n // size) for n, size in zip(shape, chunk, strict=True))
        if chunks[array] < expected:
            raise ValueError(f"{expected - chunks[array]} of {expected} chunks of {array} are missing")


def _loaded(store: Any, attrs: dict[str, Any], load: bool) -> xr.Dataset | xr.DataTree:
    # So that Zarr knows the codec also where the package's entry points are not installed.
    from . import picture_codec  # noqa: F401

    if NAME not in attrs:
        with xr.open_dataset(store, engine="zarr", consolidated=False) as dataset:
            return tidy(dataset.load() if load else dataset)
    with xr.open_datatree(store, engine="zarr", consolidated=False) as tree:
        return _named_as_saved(tree, attrs[NAME], load)


def _plainly(files: Files, attrs: dict[str, Any]) -> xr.Dataset | xr.DataTree:
    """The same as `_loaded`, without Zarr and all in memory."""
    tree = plain_tree(files)
    return _named_as_saved(tree, attrs[NAME]) if NAME in attrs else tidy(tree.to_dataset())


def _named_as_saved(tree: xr.DataTree, name: str, load: bool = True) -> xr.DataTree:
    """The tree with its nodes' true names, in their order."""
    datasets: dict[str, xr.Dataset] = {}

    def add(node: xr.DataTree, path: str) -> None:
        dataset = node.to_dataset(inherit=False)
        dataset = tidy(dataset.load() if load else dataset)
        true = dataset.attrs.pop(NAME, node.name)
        dataset.attrs.pop(ORDER, None)
        if true and node_name(true) != true:
            dataset.attrs[NAME] = true
        datasets[path] = dataset
        for key, child in sorted(node.children.items(), key=lambda item: item[1].attrs.get(ORDER, 0)):
            add(child, f"{path.rstrip('/')}/{node_name(str(child.attrs.get(NAME, key)))}")

    add(tree, "/")
    return xr.DataTree.from_dict(datasets, name=name or None)


def tidy(dataset: xr.Dataset) -> xr.Dataset:
    """A record as it was before it was written."""
    # However NumPy holds strings on this machine, a record's text is Python strings.
    text = {n: v for n, v in dataset.variables.items() if v.dtype.kind in "UT" or is_text(v)}
    tidied = dataset.assign({n: (v.dims, v.values.astype(object), v.attrs) for n, v in text.items()})
    tidied.encoding = {}
    # In place: to drop an encoding, the oldest supported xarray would read everything from disk.
    for variable in tidied.variables.values():
        variable.encoding = {}
    return tidied
