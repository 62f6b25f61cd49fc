"""Checks of records: is this a record, and does it hold what its kind's table in `schemas` says?

In: an xarray Dataset or DataTree. Out: nothing, or a `RecordError` that says in one sentence what is wrong. Public
through `tunewidgets.records`.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from tunewidgets._checks import a_type

from .schemas import SCHEMAS, Schema

MARK = "tunewidgets_record"
ATTRS = ("model", "model_sha256", "layer", "settings", "seed", "versions", "n_images", "n_vectors", "created")


class RecordError(ValueError):
    """What is wrong with a record, or with what was taken for one, in one sentence."""

    __module__ = "tunewidgets.records"  # its public home, which tracebacks show


def mark(kind: str) -> str:
    """`"film"` → `"film/1"`, the value of `attrs["tunewidgets_record"]`."""
    if kind not in SCHEMAS:
        raise ValueError(f"there is no kind of record called {kind!r}; the kinds are {', '.join(SCHEMAS)}")
    return f"{kind}/{SCHEMAS[kind].version}"


def schema_of(attrs: Mapping[Any, Any]) -> tuple[str, Schema]:
    """The kind and the schema that a record's attributes name.

    Raises
    ------
    RecordError
        If they name no kind, an unknown one, or a newer version than this tunewidgets reads.
    """
    text = attrs.get(MARK)
    if text is None:
        raise RecordError(
            f"this is not a tunewidgets record: it has no attribute {MARK!r}; "
            "records come from tunewidgets' kernels, such as render_film"
        )
    kind, _, number = str(text).partition("/")
    if not kind or not (number.isascii() and number.isdigit()):
        raise RecordError(
            f"this is not a tunewidgets record: its attribute {MARK!r} is {text!r}, "
            "where a kind and a version such as 'film/1' belong"
        )
    if kind not in SCHEMAS:
        raise RecordError(
            f"this tunewidgets doesn't know {kind!r} records ({text}), it reads up to "
            f"{', '.join(map(mark, SCHEMAS))}; upgrade tunewidgets"
        )
    if int(number) > SCHEMAS[kind].version:
        raise RecordError(
            f"made by a newer tunewidgets ({text}, this one reads up to {mark(kind)}); upgrade tunewidgets"
        )
    return kind, SCHEMAS[kind]


def validate(record: xr.Dataset | xr.DataTree) -> None:
    """Check that `record` is a record this tunewidgets can show.

    Looks at attributes, dimensions and dtypes only, except that text is checked to be text.

    Parameters
    ----------
    record : xarray.Dataset or xarray.DataTree
        A record; in a tree, every node that holds variables must be one.

    Raises
    ------
    RecordError
        What is wrong, in one sentence: not a record, of a newer schema, an attribute or a variable missing
        or with the wrong dims or dtype, no points, no dimensions.

    Examples
    --------
    >>> import xarray as xr
    >>> validate(xr.Dataset())
    Traceback (most recent call last):
        ...
    tunewidgets.records.RecordError: this is not a tunewidgets record: it has no attribute \
'tunewidgets_record'; records come from tunewidgets' kernels, such as render_film
    """
    if isinstance(record, xr.DataTree):
        nodes = [n for n in record.subtree if MARK in n.attrs or n.data_vars]
        if not nodes:
            schema_of(record.attrs)
        for node in nodes:
            try:
                _validate(node.to_dataset())
            except RecordError as error:
                raise RecordError(
                    f"in {node.path!r}: {error}" if node is not record else str(error)
                ) from None
    elif isinstance(record, xr.Dataset):
        _validate(record)
    else:
        raise RecordError(
            f"this is not a tunewidgets record: it is {a_type(record)}, "
            "where an xarray Dataset or DataTree belongs; tw.open_record gives one"
        )


def check_kept(record: xr.Dataset | xr.DataTree) -> None:
    """Check that a file can hold every attribute of a record, of its variables too.

    Raises
    ------
    RecordError
        Which one it can't hold.
    """
    nodes = list(record.subtree) if isinstance(record, xr.DataTree) else [record]
    for node in nodes:
        own = [("the record", node.attrs), *((f"{name!r}", v.attrs) for name, v in node.variables.items())]
        for of, attrs in own:
            for name, value in attrs.items():
                if not isinstance(name, str) or not _is_kept(value):
                    raise RecordError(
                        f"the attribute {name!r} of {of} is {a_type(value)} that a record's file can't hold; "
                        "name it by text, and make it text, numbers, or lists or dicts of these"
                    )


def _is_kept(value: Any) -> bool:
    """Whether this is what JSON can hold, or NumPy's numbers at the top."""
    plain = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    try:
        json.dumps(plain)
    except (TypeError, ValueError):
        return False
    return True


def _validate(record: xr.Dataset) -> None:
    kind, schema = schema_of(record.attrs)
    again = f"make the {kind} record again"
    missing = [name for name in ATTRS if name not in record.attrs]
    if missing:
        raise RecordError(
            f"this {kind} record lacks the attribute{'s' * (len(missing) > 1)} {', '.join(missing)}; "
            "make its attributes with tunewidgets.records.new_attrs"
        )
    absent = [name for name, v in schema.variables.items() if v.required and name not in record]
    if absent:
        raise RecordError(
            f"this {kind} record lacks the variable{'s' * (len(absent) > 1)} {', '.join(absent)}; {again}"
        )
    for name, variable in schema.variables.items():
        if name not in record:
            continue
        found = record[name]
        lacking = [other for other in variable.needs if other not in record]
        if lacking:
            raise RecordError(
                f"this {kind} record has {name} but not {', '.join(lacking)}, and they belong together; "
                f"{again}"
            )
        if found.dims != variable.dims:
            raise RecordError(
                f"{name} of this {kind} record has the dims ({', '.join(map(str, found.dims))}), where "
                f"({', '.join(variable.dims)}) belong; transpose or rename them, or {again}"
            )
        if not _has_dtype(found, variable.dtype):
            raise RecordError(_wrong_dtype(kind, found, variable.dtype))
    for dim, sentence in schema.empty.items():
        if record.sizes[dim] == 0:
            raise RecordError(sentence)
    for dim, size in schema.sizes.items():
        if record.sizes[dim] != size:
            raise RecordError(
                f"the dim {dim} of this {kind} record has size {record.sizes[dim]}, where {size} belongs; "
                f"{again}"
            )
    wrong = schema.check(record)
    if wrong:
        raise RecordError(wrong)


def check_flags(record: xr.Dataset) -> None:
    """Check that a record's yes-or-no variables still are; `Dataset.where` turns them into other types.

    Raises
    ------
    RecordError
        A variable's dtype is no longer bool.
    """
    kind, schema = schema_of(record.attrs)
    for name, variable in schema.variables.items():
        if variable.dtype == "bool" and name in record and record[name].dtype != bool:
            raise RecordError(
                f"{_wrong_dtype(kind, record[name], 'bool')}; record.isel(unit=...) chooses units and keeps types"
            )


def _wrong_dtype(kind: str, found: xr.DataArray, wanted: str) -> str:
    return (
        f"{found.name} of this {kind} record is {_dtype_name(found)}, where {wanted} belongs; convert it, or make "
        f"the {kind} record again"
    )


def is_text(array: xr.DataArray | xr.Variable) -> bool:
    """Whether every value is a string, whichever of NumPy's three ways of holding strings is used."""
    if array.dtype.kind in "UT":
        return True
    return array.dtype.kind == "O" and all(isinstance(value, str) for value in np.ravel(array.values))


def _has_dtype(array: xr.DataArray, dtype: str) -> bool:
    return is_text(array) if dtype == "str" else array.dtype == np.dtype(dtype)


def _dtype_name(array: xr.DataArray) -> str:
    return "str" if is_text(array) else str(array.dtype)
