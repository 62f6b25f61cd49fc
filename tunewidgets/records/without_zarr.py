"""Reading records without Zarr, which works in threads: a browser's Python has none.

In: a record's files as they are on disk. Out: its groups as one xarray tree in memory, as Zarr and xarray decode them.
Knows the codecs that records are written with, and raises an error for any other.
"""

import itertools
import json
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from . import packed_pictures

CHECKSUM = 4  # bytes after a chunk


class Files(NamedTuple):
    """The files of a record, by their paths within it, and what reads the bytes of one."""

    names: list[str]
    read: Callable[[str], bytes]


def threads_start() -> bool:
    """Whether this Python can start a thread."""
    try:
        threading.Thread(target=int).start()
    except RuntimeError:
        return False
    return True


def plain_tree(files: Files) -> xr.DataTree:
    """All groups of a record, under the names that Zarr knows them by.

    Raises
    ------
    ValueError
        If a chunk is damaged, or an array is stored in a way that no record's is.
    """
    there = set(files.names)
    groups: dict[str, dict[str, Any]] = {}
    arrays: dict[str, dict[str, xr.Variable]] = {}
    for name in sorted(there):
        if name.rpartition("/")[2] != "zarr.json":
            continue
        path = name.rpartition("/")[0]
        about = json.loads(files.read(name))
        if about["node_type"] == "group":
            groups[f"/{path}"] = about.get("attributes", {})
        else:
            parent, _, own = path.rpartition("/")
            arrays.setdefault(f"/{parent}", {})[own] = _variable(files, there, path, about)
    return xr.DataTree.from_dict(
        {path: xr.decode_cf(xr.Dataset(arrays.get(path), attrs=attrs)) for path, attrs in groups.items()}
    )


def _variable(files: Files, there: set[str], path: str, about: dict[str, Any]) -> xr.Variable:
    shape, size = about["shape"], about["chunk_grid"]["configuration"]["chunk_shape"]
    is_text = about["data_type"] == "string"
    dtype = np.dtype(object if is_text else about["data_type"])
    fill = about["fill_value"]
    # JSON has no NaN or infinity, so Zarr writes them as text.
    whole = np.full(shape, float(fill) if dtype.kind == "f" else fill, dtype)
    for place in itertools.product(*(range(-(-n // step)) for n, step in zip(shape, size, strict=True))):
        name = "/".join([path, "c", *map(str, place)])
        if name not in there:
            continue
        encoded = _decompressed(files.read(name), about["codecs"], path, tuple(size))
        values = _texts(encoded) if is_text else np.frombuffer(encoded, dtype.newbyteorder("<"))
        corner = tuple(slice(at * step, (at + 1) * step) for at, step in zip(place, size, strict=True))
        # A chunk at the edge is stored at its full size.
        inside = tuple(map(slice, whole[corner].shape))
        whole[corner] = values.reshape(size)[inside]
    # Not needed here: records mark missing values by NaN, and this is all that the attribute says.
    attrs = {key: value for key, value in about.get("attributes", {}).items() if key != "_FillValue"}
    return xr.Variable(about.get("dimension_names") or (), whole, attrs)


def _decompressed(chunk: bytes, codecs: list[dict[str, Any]], path: str, shape: tuple[int, ...]) -> bytes:
    """A chunk as it was before the codecs: numbers with their lowest byte first, or strings."""
    for codec in reversed(codecs):
        match codec["name"]:
            case "crc32c":
                chunk = _checked(chunk, path)
            case "zstd":
                chunk = _unzstd(chunk)
            case packed_pictures.CODEC:
                chunk = packed_pictures.unpacked(chunk, shape).tobytes()
            case "bytes" if codec.get("configuration", {}).get("endian") != "big":
                continue
            case "vlen-utf8":
                continue
            case other:
                raise ValueError(f"{path} is stored with the codec {other!r}, which only Zarr can read")
    return chunk


def _checked(chunk: bytes, path: str) -> bytes:
    try:
        from google_crc32c import value
    except ImportError:
        # What older versions of Zarr depend on.
        from crc32c import crc32c as value  # type: ignore[no-redef]

    content, checksum = chunk[:-CHECKSUM], chunk[-CHECKSUM:]
    if value(content) != int.from_bytes(checksum, "little"):
        raise ValueError(f"a chunk of {path} does not match its checksum")
    return content


def _unzstd(chunk: bytes) -> bytes:
    try:
        # In Python's own library from 3.14 on.
        from compression import zstd
    except ImportError:
        from numcodecs import zstd

        return bytes(zstd.decompress(chunk))
    try:
        return zstd.decompress(chunk)
    except zstd.ZstdError as error:
        raise ValueError(str(error)) from error


def _texts(encoded: bytes) -> np.ndarray:
    """Zarr's strings of any length: the number of strings, then each with its length before it."""
    texts, at = [], 4
    for _ in range(int.from_bytes(encoded[:at], "little")):
        start = at + 4
        at = start + int.from_bytes(encoded[at:start], "little")
        texts.append(encoded[start:at].decode())
    return np.array(texts, object)
