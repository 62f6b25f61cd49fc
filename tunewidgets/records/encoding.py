"""How a record is written: each variable's codecs, and a tree by its groups' names.

In: a record in memory. Out: the same for Zarr, text of any length, pictures to the bit or as WebP.
"""

from typing import Any

import numpy as np
import xarray as xr

from .._checks import whole_text
from .node_names import NAME, ORDER, group_name
from .validation import is_text


def for_disk(
    record: xr.Dataset | xr.DataTree, picture_quality: int | None = None
) -> xr.Dataset | xr.DataTree:
    """The record as it is written: text of any length, a checksum after every chunk, a tree's nodes by group names.

    Pictures as they are, or as WebP of a quality.
    """
    if isinstance(record, xr.DataTree):
        return _renamed_for_disk(record, picture_quality)
    return _encoded(record, picture_quality)


def _encoded(dataset: xr.Dataset, picture_quality: int | None) -> xr.Dataset:
    plain = _with_vlen_strings(dataset)
    for variable in plain.variables.values():
        is_pictures = variable.dtype == np.uint8 and variable.dims[-1:] == ("rgb",)
        if is_pictures and picture_quality is not None:
            variable.encoding = _as_webp(variable.shape, picture_quality)
        else:
            variable.encoding = {"compressors": compressors()}
    return plain


def _as_webp(shape: tuple[int, ...], quality: int) -> dict[str, Any]:
    """Pictures as WebP, those of an innermost row (of a dimension, of an objective) in one file."""
    from zarr.codecs import Crc32cCodec

    from .picture_codec import PictureCodec

    chunk = (*[1] * len(shape[:-4]), *shape[-4:])
    return {"serializer": PictureCodec(quality), "compressors": (Crc32cCodec(),), "chunks": chunk}


def compressors() -> tuple[Any, Any]:
    """How a chunk is written: compressed, then its checksum."""
    from zarr.codecs import Crc32cCodec, ZstdCodec

    return ZstdCodec(), Crc32cCodec()


def _with_vlen_strings(dataset: xr.Dataset) -> xr.Dataset:
    # numpy's "<U12" would become Zarr's fixed-length text, which is not part of the Zarr v3 specification.
    # Half a character, as of a file name that is no UTF-8, can't be written.
    text = {n: v.astype(object) for n, v in dataset.variables.items() if v.dtype.kind in "UT" or is_text(v)}
    whole = {name: (v.dims, _whole(v.values), v.attrs) for name, v in text.items()}
    attrs = {name: whole_text(v) if isinstance(v, str) else v for name, v in dataset.attrs.items()}
    return dataset.assign(whole).assign_attrs(attrs).drop_encoding()


_whole = np.vectorize(lambda value: whole_text(value) if isinstance(value, str) else value, otypes=[object])


def _renamed_for_disk(tree: xr.DataTree, picture_quality: int | None) -> xr.DataTree:
    datasets: dict[str, xr.Dataset] = {}

    def add(node: xr.DataTree, path: str, marks: dict[str, Any]) -> None:
        dataset = _encoded(node.to_dataset(inherit=False), picture_quality)
        datasets[path] = dataset.assign_attrs(marks)
        for order, (key, child) in enumerate(node.children.items()):
            true = str(child.attrs.get(NAME, key))
            add(child, f"{path.rstrip('/')}/{group_name(true)}", {NAME: true, ORDER: order})

    add(tree, "/", {NAME: tree.name or ""})
    return xr.DataTree.from_dict(datasets)
