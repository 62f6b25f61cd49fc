"""Records: the contract between what computes and what shows, and how it is kept on disk.

In: xarray objects that kernels make, or paths. Out: the same objects, checked, with attributes that say how
they were made. The tables of variables are in `schemas`, reading and writing in `files`.
Imports no torch and no view: a record opens wherever xarray and Zarr are installed.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import xarray as xr

from .. import __version__
from .._checks import AS_TEXT, is_whole, local_path, plain_value
from .files import is_url, read, root_attrs, write
from .layers import layers_of
from .node_names import NAME, group_name, node_name
from .schemas import SCHEMAS
from .validation import MARK, RecordError, check_kept, mark, schema_of, validate

__all__ = [
    "SCHEMA",
    "RecordError",
    "group_name",
    "kind_of",
    "layer_tree",
    "layers_of",
    "new_attrs",
    "open_record",
    "save_record",
    "settings_of",
    "validate",
]

SCHEMA: dict[str, int] = {kind: schema.version for kind, schema in SCHEMAS.items()}
_PACKAGES = ("torch", "torchvision", "scikit-learn", "numpy", "xarray", "zarr")


def new_attrs(
    kind: str,
    *,
    model: str,
    model_sha256: str,
    layer: str,
    settings: Mapping[str, Any],
    seed: int | None,
    n_images: int | None,
    n_vectors: int | None,
    weights_from: str | None = None,
) -> dict[str, Any]:
    """The attributes of a new record: what it is, and how, when and with which versions it was made.

    Parameters
    ----------
    kind : str
        The kind of record, a key of `SCHEMA`.
    model, model_sha256, layer : str
        The model's name, the fingerprint of its weights, and the layer's dotted name (`Probe.provenance()`).
    settings : mapping
        Everything else that decides the result; NumPy numbers and arrays are stored as numbers and lists.
    seed : int or None
        The seed, None where nothing is drawn.
    n_images, n_vectors : int or None
        How many images, and how many activation vectors, the record is based on; None where there are none.
    weights_from : str, optional
        Where the weights are from, "random" for random ones; left out of the record where this is unknown.

    Returns
    -------
    dict
        Plain values (str, int, None), ready for `Dataset.attrs`.

    Raises
    ------
    ValueError, TypeError
        If the kind is unknown, or a setting cannot be written as JSON.

    Examples
    --------
    >>> attrs = new_attrs("film", model="gabor_bank", model_sha256="…", layer="relu",
    ...                   settings={"method": "ica"}, seed=0, n_images=10, n_vectors=1000)
    >>> attrs["tunewidgets_record"], attrs["settings"]
    ('film/1', '{"method": "ica"}')
    """
    versions = {"tunewidgets": __version__}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    try:
        settings_json = json.dumps(dict(settings), ensure_ascii=False, allow_nan=False, default=plain_value)
    except ValueError:
        raise ValueError(
            "a record's settings contain a NaN or an infinity, which JSON cannot hold; use None instead"
        ) from None
    return {
        MARK: mark(kind),
        "model": str(model),
        "model_sha256": str(model_sha256),
        "layer": str(layer),
        "settings": settings_json,
        "seed": None if seed is None else int(seed),
        "n_images": None if n_images is None else int(n_images),
        "n_vectors": None if n_vectors is None else int(n_vectors),
        "versions": json.dumps(versions),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        **({} if weights_from is None else {"weights_from": str(weights_from)}),
    }


def kind_of(record: xr.Dataset | xr.DataTree) -> str:
    """The kind of a record, such as "film"; for a tree, that of its first node that has one.

    Raises
    ------
    RecordError
        If it is not a record, or one that this version does not know.

    Examples
    --------
    >>> kind_of(xr.Dataset(attrs={"tunewidgets_record": "film/1"}))
    'film'
    """
    nodes = record.subtree if isinstance(record, xr.DataTree) else [record]
    attrs = next((node.attrs for node in nodes if MARK in node.attrs), record.attrs)
    return schema_of(attrs)[0]


def settings_of(record: xr.Dataset | xr.DataTree) -> dict[str, Any]:
    """A record's settings, read back from the JSON in its attributes.

    Raises
    ------
    RecordError
        If the record has none, or they are not JSON.

    Examples
    --------
    >>> settings_of(xr.Dataset(attrs={"settings": '{"method": "ica"}'}))
    {'method': 'ica'}
    """
    try:
        return dict(json.loads(record.attrs["settings"]))
    except (KeyError, TypeError, ValueError):
        raise RecordError(
            "this record's attribute 'settings' is missing or not a JSON object; "
            "make its attributes with tunewidgets.records.new_attrs"
        ) from None


def with_settings(record: xr.Dataset, **settings: Any) -> xr.Dataset:
    """The record with more settings.

    Raises
    ------
    RecordError
        If the record has none, or they are not JSON.

    Examples
    --------
    >>> settings_of(with_settings(xr.Dataset(attrs={"settings": "{}"}), steps=8))
    {'steps': 8}
    """
    both = {**settings_of(record), **settings}
    text = json.dumps(both, ensure_ascii=False, allow_nan=False, default=plain_value)
    return record.assign_attrs(settings=text)


def layer_tree(records: Mapping[str, xr.Dataset]) -> xr.DataTree:
    """One tree of several layers' records, in their order.

    A layer's name becomes its node's name wherever a DataTree allows it; one with a `/` is encoded by
    `group_name`, and the node's attribute `tunewidgets_name` keeps the true name.

    Parameters
    ----------
    records : mapping of str to Dataset
        One record per layer, by the layer's name.

    Examples
    --------
    >>> list(layer_tree({"conv1": xr.Dataset(), "a/b": xr.Dataset()}).children)
    ['conv1', 'a%2Fb']
    """
    named = {
        node_name(layer): record if node_name(layer) == layer else record.assign_attrs({NAME: layer})
        for layer, record in records.items()
    }
    return xr.DataTree.from_dict({f"/{name}": record for name, record in named.items()})


def save_record(
    record: xr.Dataset | xr.DataTree, path: str | os.PathLike[str], picture_quality: int | None = None
) -> Path:
    """Write a record to a `.zarr` folder, or to one `.zarr.zip` file to send to a colleague.

    The record appears at `path` complete or not at all: it is written next to it and moved there. An earlier
    record at `path` is replaced; anything else there is left alone.

    Parameters
    ----------
    record : xarray.Dataset or xarray.DataTree
        A valid record (`validate`).
    path : str or path
        Ends in `.zarr` or `.zarr.zip`; missing parent folders are made.
    picture_quality : int, optional
        None: images are kept to the bit. From 1 to 100: as WebP of this quality, which takes a tenth of the room at 85
        and looks the same; whoever opens the record has these images, and its attribute `picture_quality` says so.

    Returns
    -------
    pathlib.Path
        Where it was written.

    Raises
    ------
    RecordError
        If `record` is not a valid record, or has an attribute that a file can't hold.
    ValueError
        If the path ends in neither, or is a URL, or there is no such quality.
    FileExistsError
        If something other than a record is at `path`.
    OSError
        If the folder of `path` can't be written to.
    RuntimeError
        If this Python can't start threads, as in a browser.

    Examples
    --------
    >>> save_record(xr.Dataset(), "film.zarr")
    Traceback (most recent call last):
        ...
    tunewidgets.records.RecordError: this is not a tunewidgets record: it has no attribute \
'tunewidgets_record'; records come from tunewidgets' kernels, such as render_film
    """
    validate(record)
    check_kept(record)
    if picture_quality is None:
        return write(record, path)
    if not is_whole(picture_quality, 1, 100):
        raise ValueError(
            f"picture_quality={picture_quality!r} is no quality; give 1 to 100, or None for all bits"
        )
    lossy = record.copy()
    lossy.attrs["picture_quality"] = int(picture_quality)
    return write(lossy, path, int(picture_quality))


def open_record(path: str | os.PathLike[str]) -> xr.Dataset | xr.DataTree:
    """Open a record that `save_record` wrote, all of it in memory; needs no torch.

    Parameters
    ----------
    path : str or path
        A `.zarr` folder, a `.zarr.zip` file, or a URL of a folder that fsspec knows.

    Returns
    -------
    xarray.Dataset or xarray.DataTree
        What was saved, or what exists so far of a study that is still running (`attrs["unfinished"]` says so). Its text
        is Python strings (dtype object), and a dimension that an earlier version called something else has its present
        name.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`.
    RecordError
        If what is there is not a record, is one of a newer schema, or is incomplete.
    ImportError, ValueError
        If a URL needs a package that is not installed, or fsspec does not know its kind.

    Examples
    --------
    >>> open_record("missing.zarr")
    Traceback (most recent call last):
        ...
    FileNotFoundError: there is no record at missing.zarr; give the path that save_record wrote to
    """
    if not is_url(path) and (target := local_path(path, "the record's path", AS_TEXT)).exists():
        attrs = root_attrs(target)
        # Before anything is decoded: a newer schema may hold what this version cannot read.
        if MARK in attrs or NAME not in attrs:
            schema_of(attrs)
    record = read(path)
    validate(record)
    return record
