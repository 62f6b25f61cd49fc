"""Unit columns: every measure of units as a column of the scatter, the table and the figures.

In: a layer's unit record. Out: named columns with one value per unit, their labels and axes (`unit_axes`); and all of
a layer's columns as one JSON-ready table, which the page draws and figures are built from. Numbers are rounded once,
here, to what float32 can tell apart, so that Python's figures and the page's never differ. Imports no torch.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from ..records import layers_of, settings_of
from .unit_axes import Axis, Kind, axis_of, scale_of

__all__ = ["Column", "axes", "axis_facts", "chosen", "columns", "layer_of", "made", "table", "waiting"]

Value = float | int | None

OBJECTIVE_NAMES = {"am": "AM", "iam": "IAM"}
# How the status begins for a unit whose image has not been made: that is not a failure, it waits.
NOT_MADE = "not made yet"
WAITING = "not made"
# How images were optimized, by the setting `objective_at`.
OPTIMIZED = {
    "leaky": "leaking rectifiers",
    "leaky here": "leaky at the layer’s own rectifier",
    "pre": "optimized before the layer’s own rectifier",
    "post": "optimized after the layer’s own rectifier",
}


@dataclass(frozen=True)
class Column:
    """One column of a unit record.

    `values` has one number per unit, None where the column means nothing for it; `kind` says how to write a number;
    `per_objective` whether the column differs by objective; `axis` spreads these values. Under every objective the
    column's axis has the same scale, and its ends are those of the objective's own values.
    """

    values: list[Value]
    label: str
    kind: Kind
    per_objective: bool
    axis: Axis


@dataclass(frozen=True)
class _Source:
    """Where a column comes from: its label, its kind, whether dead units have none, how it is read."""

    label: str
    kind: Kind
    alive: bool = False
    read: Callable[[xr.Dataset], xr.DataArray | None] | None = None


def _worst_class_drop(units: xr.Dataset) -> xr.DataArray | None:
    if "class_accuracy_drop" not in units:
        return None
    # NaN if the data have no image of a class.
    return units["class_accuracy_drop"].max("cls", skipna=True)


def _own_response(units: xr.Dataset) -> xr.DataArray | None:
    response = units.get("own_response")
    # A silent unit does not respond to its own image, so the value would mean nothing.
    return response if response is None or "silent" not in units else response.where(~units["silent"])


_SOURCES: dict[str, _Source] = {
    "selectivity": _Source("class selectivity", "share", alive=True),
    "rs": _Source("RS", "share"),
    "rs_normalized": _Source("RS with gain divided out", "share"),
    "substitutes": _Source("units that respond alike", "count"),
    "own_response": _Source("response to its own image", "number", read=_own_response),
    "mean_activation": _Source("mean activation over the data", "number", alive=True),
    "precision_at_k": _Source("precision@k for the preferred class", "share", alive=True),
    "auc": _Source("AUC for the preferred class", "share", alive=True),
    "accuracy_drop": _Source("accuracy drop when ablated", "percent"),
    "worst_class_drop": _Source("accuracy drop of the worst class", "percent", read=_worst_class_drop),
    "loss_increase": _Source("loss increase when ablated", "number"),
    "readability": _Source("readability", "share"),
    "preferred_class": _Source("preferred class", "class", alive=True),
}


def columns(units: xr.Dataset, objective: str | None = "iam") -> dict[str, Column]:
    """Every column of a unit record that can stand on an axis or color the points.

    Parameters
    ----------
    units : xarray.Dataset
        A layer's unit record.
    objective : str, optional
        Which objective's values, where a column has several; ignored in a record without images.

    Returns
    -------
    dict of str to Column
        In a fixed order; what the record lacks is absent.

    Raises
    ------
    ValueError
        If the record has no such objective.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> units = xr.Dataset({"accuracy_drop": ("unit", np.float32([0.1, np.nan]))})
    >>> columns(units)["accuracy_drop"].values
    [0.1, None]
    """
    if (there := _objectives(units)) and objective not in there:
        raise ValueError(f"this record has no objective {objective!r}; it has {' and '.join(there)}")
    found = {}
    for name, whole in _wholes(units):
        source = _SOURCES[name]
        per_objective = "objective" in whole.dims
        own = whole.sel(objective=objective).values if per_objective else whole.values
        found[name] = Column(
            values=_cut(own, source.kind),
            label=source.label,
            kind=source.kind,
            per_objective=per_objective,
            axis=axis_of(own, source.kind, scale_of(whole.values, source.kind)),
        )
    return found


def axes(units: xr.Dataset) -> dict[str, dict[str, dict[str, Any]]]:
    """For columns that differ by objective: the axis under each, as in `table`.

    These change when an image is made; those of other columns do not.
    """
    return {
        name: _axes_by_objective(whole, _SOURCES[name].kind)
        for name, whole in _wholes(units)
        if "objective" in whole.dims
    }


def _axes_by_objective(whole: xr.DataArray, kind: Kind) -> dict[str, dict[str, Any]]:
    scale = scale_of(whole.values, kind)
    return {
        str(name): axis_of(whole.sel(objective=name).values, kind, scale).facts()
        for name in whole["objective"].values
    }


def waiting(units: xr.Dataset) -> xr.DataArray:
    """Which units' images have not been made yet, `(objective, unit)` bool; a unit whose image failed does not wait."""
    absent = ~units["rendered"]
    if "status" not in units:
        return absent
    untried = [text == "" or text.startswith(WAITING) for text in units["status"].values.ravel().tolist()]
    return absent & np.reshape(untried, absent.shape)


def _wholes(units: xr.Dataset) -> Iterator[tuple[str, xr.DataArray]]:
    """The columns that the record has, NaN where one means nothing for a unit."""
    for name, source in _SOURCES.items():
        whole = source.read(units) if source.read else units.get(name)
        if whole is None:
            continue
        if source.alive and "dead" in units:
            whole = whole.where(~units["dead"])
        if "objective" in whole.dims:
            whole = whole.where(units["rendered"]) if "rendered" in units else whole
        yield name, whole


def table(units: xr.Dataset) -> dict[str, Any]:
    """A layer's columns under all objectives, ready for JSON: what the page gets once per layer.

    Returns
    -------
    dict
        `layer`; `unit` numbers; `objectives`; `dead` unit numbers; `silent`, `failed` and `waiting` (not made yet) unit
        numbers by objective; `made`, by objective how its images were made; `columns` by name with `label`, `kind`,
        `values`, a list, or a list by objective, and in the same way the `axis` that spreads them.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> units = xr.Dataset({"accuracy_drop": ("unit", np.float32([0.1, 0.2]))}, attrs={"settings": "{}", "layer": "fc"})
    >>> table(units)["columns"]["accuracy_drop"]["values"]
    [0.1, 0.2]
    """
    objectives = _objectives(units)
    # A record made without an objective has only the columns measured on data.
    asked: list[str | None] = [*objectives] or [None]
    every = {objective: columns(units, objective) for objective in asked}
    first = next(iter(every.values()))
    number = units["unit"].values.tolist() if "unit" in units.coords else list(range(units.sizes["unit"]))
    waits = waiting(units) if "rendered" in units else None

    def flagged(flag: np.ndarray) -> list[int]:
        return [number[at] for at in np.flatnonzero(flag)]

    def by_objective(flag: xr.DataArray | None) -> dict[str, list[int]]:
        return {} if flag is None else {o: flagged(flag.sel(objective=o).values) for o in objectives}

    return {
        "layer": str(units.attrs.get("layer", "")),
        "unit": number,
        "objectives": objectives,
        "dead": flagged(units["dead"].values) if "dead" in units else [],
        "silent": by_objective(units.get("silent")),
        "failed": by_objective(None if waits is None else ~units["rendered"] & ~waits),
        "waiting": by_objective(waits),
        "made": {
            o: f"{OBJECTIVE_NAMES.get(o, o)} images, {made(units)}".removesuffix(", ") for o in objectives
        },
        "columns": {
            name: {
                "label": column.label,
                "kind": column.kind,
                "axis": {o: every[o][name].axis.facts() for o in objectives}
                if column.per_objective
                else column.axis.facts(),
                "values": {o: every[o][name].values for o in objectives}
                if column.per_objective
                else column.values,
            }
            for name, column in first.items()
        },
    }


def layer_of(units: xr.Dataset | xr.DataTree, layer: str | None = None) -> xr.Dataset:
    """One layer's unit record.

    Raises
    ------
    ValueError
        If there is no such layer, or there are several and none is named.
    """
    records = layers_of(units)
    if layer is None and len(records) == 1:
        return next(iter(records.values()))
    if layer is None:
        raise ValueError(f"there are several layers here; say layer= one of {', '.join(records)}")
    return chosen(records, [layer])[layer]


def axis_facts(column: dict[str, Any], objective: str) -> dict[str, Any]:
    """The axis of a `table`'s column, as it is under an objective."""
    axis: dict[str, Any] = column["axis"]
    return axis[objective] if isinstance(column["values"], dict) else axis


def chosen(records: dict[str, xr.Dataset], layers: Sequence[str] | None) -> dict[str, xr.Dataset]:
    """The records of the named layers, in that order; None: all.

    Raises
    ------
    ValueError
        If there is no such layer.
    """
    wanted = list(records) if layers is None else [layers] if isinstance(layers, str) else list(layers)
    for layer in wanted:
        if layer not in records:
            raise ValueError(f"there is no layer {layer!r} here; the layers are {', '.join(records)}")
    return {layer: records[layer] for layer in wanted}


def _objectives(units: xr.Dataset) -> list[str]:
    return [str(name) for name in units["objective"].values] if "objective" in units.dims else []


def made(*records: xr.Dataset) -> str:
    """How the records' images were made, in a few words, each way once, because results depend on it."""
    return "; ".join(dict.fromkeys(filter(None, map(_made, records))))


def _made(units: xr.Dataset) -> str:
    settings = settings_of(units)
    words = []
    if "size" in settings:
        words.append(f"{settings['size']} px")
    if "steps" in settings:
        words.append(f"{settings['steps']} steps")
    if "objective_at" in settings:
        # Before records had the setting `contrast`, only the layer's own rectifier leaked.
        at = "leaky here" if settings["objective_at"] == "leaky" and "contrast" not in settings else None
        words.append(OPTIMIZED[at or settings["objective_at"]])
    if settings.get("restarts", 1) > 1:
        words.append(f"mean of {settings['restarts']} restarts")
    return ", ".join(words)


def _cut(values: np.ndarray, kind: Kind) -> list[Value]:
    whole = kind in ("count", "class")
    shortest = np.asarray(values, np.float32)
    # The shortest decimal that float32 reads as this number, so that no two numbers become the same.
    return [None if not np.isfinite(v) else int(v) if whole else float(str(v)) for v in shortest]
