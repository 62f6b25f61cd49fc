"""Older records brought up to date: dimensions that earlier versions of a schema called something else.

In: an xarray object as it was read. Out: the same with its dimensions renamed and its version raised, so that no code
beyond reading ever meets an old name. The earlier names are listed in `schemas`.
"""

from typing import Any

import xarray as xr

from .schemas import SCHEMAS
from .validation import MARK, mark

# Every name that some schema has given up.
EARLIER = frozenset(name for schema in SCHEMAS.values() for name in schema.renamed)


def up_to_date(record: xr.Dataset | xr.DataTree) -> xr.Dataset | xr.DataTree:
    """The record with its schema's present names; the record itself if it already has them.

    Examples
    --------
    >>> old = xr.Dataset(coords={"method": ["pca"]}, attrs={"tunewidgets_record": "recovery/1"})
    >>> list(up_to_date(old).coords), up_to_date(old).attrs["tunewidgets_record"]
    (['decomposition'], 'recovery/2')
    """
    if isinstance(record, xr.Dataset):
        return _renamed(record)
    if not any(_earlier(node.attrs) for node in record.subtree):
        return record
    nodes = {node.path: _renamed(node.to_dataset(inherit=False)) for node in record.subtree}
    return xr.DataTree.from_dict(nodes, name=record.name)


def _earlier(attrs: Any) -> dict[str, str]:
    """Earlier name → present name, for the dimensions of a record with these attributes."""
    kind, _, number = str(attrs.get(MARK, "")).partition("/")
    schema = SCHEMAS.get(kind)
    return dict(schema.renamed) if schema and number.isdecimal() and int(number) < schema.version else {}


def _renamed(dataset: xr.Dataset) -> xr.Dataset:
    earlier = _earlier(dataset.attrs)
    if not earlier:
        return dataset
    kind = str(dataset.attrs[MARK]).partition("/")[0]
    renamed = dataset.rename({old: new for old, new in earlier.items() if old in dataset.dims})
    return renamed.assign_attrs({MARK: mark(kind)})
