"""The scatter of units: one column of a unit record against another, one point per unit.

In: unit records. Out: `plotly.graph_objects.Figure`; and the same without data, as a template whose traces name the
columns they are bound to. The page holds the template and the columns and binds them itself, choice by choice
(js/src/unit-scatter/plot/figure.ts does what `bound` does), so everything that does not depend on a choice is written
here once.
"""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from tunewidgets.derived.statistics import rank_correlation
from tunewidgets.derived.unit_axes import place
from tunewidgets.derived.unit_columns import OBJECTIVE_NAMES, axis_facts, layer_of, table
from tunewidgets.records import layers_of

from .scatter_images import with_images
from .style import (
    AXIS,
    BLUE,
    FONT,
    SEQUENTIAL,
    TEMPLATE,
    WHITE,
    hundredths,
    mark_of,
    plain,
    shortened,
    titled,
)

# More classes than this can't be told apart; the rarest share one mark.
NAMED = 14
HOVER = {"share": ".3f", "percent": ".2%", "number": ".3~g", "count": "d"}
TICKS = {"share": "", "percent": ".2~%", "number": "", "count": ""}
# On a root scale a trace holds roots; the values themselves, for the hover text, are in these.
PLAIN_VALUES = {"x": "hovertext", "y": "text"}


def unit_scatter(
    units: xr.Dataset | xr.DataTree,
    x: str = "selectivity",
    y: str = "rs",
    color: str | None = "preferred_class",
    objective: str = "iam",
    layer: str | None = None,
    images: bool | Sequence[int] = False,
    shown: str = "display",
) -> go.Figure:
    """A layer's units, one column of the record against another, with Spearman's rho in the title.

    Parameters
    ----------
    units : xarray.Dataset or xarray.DataTree
        A unit record, or a tree with one per layer.
    x, y : str
        Columns: "selectivity", "rs", "rs_normalized", "substitutes", "own_response", "mean_activation",
        "precision_at_k", "auc", "accuracy_drop", "worst_class_drop" or "loss_increase".
    color : {"preferred_class", "accuracy_drop"}, optional
        What colors the points; None (or "none"): one color for all.
    objective : {"iam", "am"}
        Whose images RS and the like are of.
    layer : str, optional
        Which layer of a tree that has several.
    images : bool or sequence of int, default False
        True: units' images in place of their points, as far as there is room for them, in the units' order. A
        sequence: those of these units, in this order.
    shown : {"display", "measured"}
        For units with two images: the one for the eye, or the one that RS was measured on.

    Returns
    -------
    plotly.graph_objects.Figure
        One trace per class, or a single one; each names in `meta` the columns that it shows, and has the units' numbers
        in `customdata`. Dead units, and those without a value, are left out and counted in the title, where rho has its
        95% bootstrap interval over units. Where half of a layer's values lie within a fifth of the way from 0 to the
        farthest, as RS does in deep layers, the axis has a root scale, and says so: a trace then holds the values'
        signed square roots in its `x` or `y`, and the values themselves in its `hovertext` or `text`; ticks and what
        appears under the mouse are values. The axes end where the values of this objective do.

    Raises
    ------
    RecordError
        If `units` is not a unit record.
    ValueError
        If it has no such layer, objective, column or color, `images` names a unit it doesn't have, or `shown` is
        neither.

    Notes
    -----
    RS against selectivity is figures 1, 3a, 4, 5 and 6a of *Understanding the Importance of Single Directions via
    Representative Substitution*, a layer at a time; `rs_selectivity_panels` has several side by side.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> units = tw.open_record("units.zarr")  # doctest: +SKIP
    >>> tw.figures.unit_scatter(units, layer="relu3").show()  # doctest: +SKIP
    """
    choice = {"x": x, "y": y, "color": color or "none", "objective": objective}
    record = layer_of(units, layer)
    figure = go.Figure(bound(unit_scatter_template(units), table(record), choice))
    # None are asked for by False, and by an empty list.
    return (
        figure
        if images is False or np.size(images) == 0
        else with_images(figure, record, objective, images, shown)
    )


def unit_scatter_template(units: xr.Dataset | xr.DataTree) -> dict[str, Any]:
    """The scatter without data, which the page fills with the columns that its reader chooses.

    Parameters
    ----------
    units : xarray.Dataset or xarray.DataTree
        A unit record, or a tree with one per layer: one template serves all layers, so that a class keeps its mark.

    Returns
    -------
    dict
        JSON-ready. `traces`: by color, plotly traces whose `meta` names their columns: `x`, `y`, `color`, and where a
        trace holds only some units, the column (`of`) that has one of the values `among`. `layout`: plotly's.
        `hover`, `ticks`: d3 formats by kind of column. `objectives`: how their names are written.

    Raises
    ------
    RecordError
        If `units` is not a unit record.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> tw.figures.unit_scatter_template(tw.open_record("units.zarr"))["traces"].keys()  # doctest: +SKIP
    dict_keys(['none', 'preferred_class', 'accuracy_drop'])
    """
    records = list(layers_of(units).values())
    size = 9 if max(record.sizes["unit"] for record in records) <= 512 else 6
    traces = {"none": [_trace(size, "units", {"color": BLUE, "symbol": "circle"})]}
    if any("preferred_class" in record for record in records):
        traces["preferred_class"] = _class_traces(records, size)
    if any("accuracy_drop" in record for record in records):
        traces["accuracy_drop"] = [_importance_trace(size)]
    return {
        "traces": traces,
        "layout": {
            "template": TEMPLATE,
            **WHITE,
            "font": FONT,
            "title": titled("", ""),
            "margin": {"l": 64, "r": 24, "t": 96, "b": 56},
            "hovermode": "closest",
            "legend": {"title": {"text": "preferred class"}, "itemsizing": "constant", "tracegroupgap": 0},
            "xaxis": {**AXIS, "title": {"text": ""}},
            "yaxis": {**AXIS, "title": {"text": ""}},
        },
        "hover": HOVER,
        "ticks": TICKS,
        "objectives": OBJECTIVE_NAMES,
    }


def _trace(size: int, name: str, marker: dict[str, Any], **more: Any) -> dict[str, Any]:
    outline = {"width": 0.7, "color": "rgba(60,60,60,0.6)"}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "showlegend": False,
        "cliponaxis": False,
        "marker": {"size": size, "opacity": 0.85, "line": outline, **marker},
        "hovertemplate": "<extra></extra>",
        **more,
        "meta": {"x": "selectivity", "y": "rs", **more.get("meta", {})},
    }


def _class_traces(records: list[xr.Dataset], size: int) -> list[dict[str, Any]]:
    """One trace per class that some unit prefers, in the classes' order; the rarest of many together."""
    preferred = np.concatenate(
        [
            record["preferred_class"].values[~record["dead"].values]
            for record in records
            if "preferred_class" in record
        ]
    )
    classes, counts = np.unique(preferred, return_counts=True)
    named = classes
    if len(classes) > NAMED:
        named = np.sort(classes[np.argsort(-counts, kind="stable")[: NAMED - 1]])
    names = _class_names(records)
    traces = []
    for at, which in enumerate(named.tolist()):
        name = plain(shortened(names.get(which, f"class {which}")))
        traces.append(_class_trace(size, name, mark_of(at), [which]))
    if rest := sorted(set(classes.tolist()) - set(named.tolist())):
        mark = {"color": "#b5b5b5", "symbol": "circle"}
        traces.append(_class_trace(size, f"{len(rest)} other classes", mark, rest))
    return traces


def _class_trace(size: int, name: str, mark: dict[str, str], classes: list[int]) -> dict[str, Any]:
    return _trace(
        size,
        name,
        mark,
        showlegend=True,
        hovertemplate=f"<extra>{name}</extra>",
        meta={"of": "preferred_class", "among": classes},
    )


def _class_names(records: list[xr.Dataset]) -> dict[int, str]:
    for record in records:
        if "cls" in record.coords:
            values = record["cls"].values.tolist()
            return {
                at: value if isinstance(value, str) else f"class {value}" for at, value in enumerate(values)
            }
    return {}


def _importance_trace(size: int) -> dict[str, Any]:
    bar = {
        "title": {"text": "accuracy drop<br>when ablated"},
        "tickformat": TICKS["percent"],
        "thickness": 14,
        "len": 0.8,
        "outlinewidth": 0,
    }
    return _trace(
        size,
        "units",
        {"symbol": "circle", "colorscale": SEQUENTIAL, "showscale": True, "colorbar": bar},
        hovertemplate=f"<br>accuracy drop %{{marker.color:{HOVER['percent']}}}<extra></extra>",
        meta={"color": "accuracy_drop"},
    )


def bound(template: dict[str, Any], columns: dict[str, Any], choice: dict[str, str]) -> dict[str, Any]:
    """The template bound to a layer's table of columns, as `choice` says: plotly's `data` and `layout`.

    The page's figure.ts does the same; whatever changes here changes there.
    """
    objective = choice["objective"]
    if columns["objectives"] and objective not in columns["objectives"]:
        raise ValueError(
            f"this record has no objective {objective!r}; it has {' and '.join(columns['objectives'])}"
        )
    there = [
        color
        for color, traces in template["traces"].items()
        if all(
            name in columns["columns"]
            for trace in traces
            for name in (trace["meta"].get("of"), trace["meta"].get("color"))
            if name
        )
    ]
    if choice["color"] not in there:
        raise ValueError(
            f"color is {choice['color']!r}; this layer's units can be colored by {', '.join(there)}"
        )
    x, y = (_column(columns, choice[axis]) for axis in ("x", "y"))
    values = {name: _values(column, objective) for name, column in columns["columns"].items()}
    of_x, of_y = values[choice["x"]], values[choice["y"]]
    axes = {axis: axis_facts(column, objective) for axis, column in (("x", x), ("y", y))}
    where = {axis: PLAIN_VALUES[axis] if one["scale"] == "root" else axis for axis, one in axes.items()}
    dead = set(columns["dead"])
    drawn = [
        at
        for at, number in enumerate(columns["unit"])
        if number not in dead and of_x[at] is not None and of_y[at] is not None
    ]
    data = []
    for trace in template["traces"][choice["color"]]:
        trace = copy.deepcopy(trace)
        meta = trace["meta"]
        meta |= {"x": choice["x"], "y": choice["y"]}
        mine = drawn
        if "of" in meta:
            among, kept = set(meta["among"]), values[meta["of"]]
            mine = [at for at in drawn if kept[at] in among]
        for axis, of in (("x", of_x), ("y", of_y)):
            known = [value for value in map(of.__getitem__, mine) if value is not None]
            trace[axis] = [place(value, axes[axis]["scale"]) for value in known]
            if axes[axis]["scale"] == "root":
                trace[PLAIN_VALUES[axis]] = [_written(value) for value in known]
        trace["customdata"] = [columns["unit"][at] for at in mine]
        # By these plotly follows a unit as it moves from one figure to the next.
        trace["ids"] = [str(number) for number in trace["customdata"]]
        if "color" in meta:
            trace["marker"]["color"] = [values[meta["color"]][at] for at in mine]
        lines = [
            f"{plain(column['label'])} %{{{where[axis]}:{template['hover'][column['kind']]}}}"
            for axis, column in (("x", x), ("y", y))
        ]
        trace["hovertemplate"] = (
            f"<b>unit %{{customdata}}</b><br>{'<br>'.join(lines)}{trace['hovertemplate']}"
        )
        data.append(trace)
    layout = copy.deepcopy(template["layout"])
    named = {axis: _axis_name(template, column, objective) for axis, column in (("x", x), ("y", y))}
    for axis, column in (("x", x), ("y", y)):
        scale, (low, high) = axes[axis]["scale"], axes[axis]["range"]
        layout[f"{axis}axis"] |= {
            "title": {"text": named[axis] + (", root scale" if scale == "root" else "")},
            "type": "log" if scale == "log" else "linear",
            "range": [low, high],
            "tickformat": template["ticks"][column["kind"]],
        }
        if scale == "log":
            layout[f"{axis}axis"]["dtick"] = 1 if high - low > 3 else "D2"
        elif scale == "root":
            places, texts = zip(*axes[axis]["ticks"], strict=True)
            layout[f"{axis}axis"] |= {"tickmode": "array", "tickvals": [*places], "ticktext": [*texts]}
    layout["title"]["text"] = f"<b>{plain(columns['layer'])}</b>: {named['y']} against {named['x']}"
    said = [_correlation(columns, objective, of_x, of_y, drawn)]
    if (isinstance(x["values"], dict) or isinstance(y["values"], dict)) and objective in columns["made"]:
        said.append(plain(columns["made"][objective]))
    layout["title"]["subtitle"]["text"] = "<br>".join(said)
    return {"data": data, "layout": layout}


def _written(value: float) -> str:
    """A number as JavaScript writes it: plotly.py would make a text of its own of it."""
    if value and abs(value) < 1e-6:
        return np.format_float_scientific(value, trim="-", exp_digits=1)
    # No minus before 0.
    return np.format_float_positional(value + 0.0, trim="-")


def _column(columns: dict[str, Any], name: str) -> dict[str, Any]:
    axes = [key for key, column in columns["columns"].items() if column["kind"] != "class"]
    if name not in axes:
        raise ValueError(f"there is no column {name!r} to put on an axis; this record has {', '.join(axes)}")
    return columns["columns"][name]


def _values(column: dict[str, Any], objective: str) -> list[float | int | None]:
    values = column["values"]
    return values[objective] if isinstance(values, dict) else values


def _axis_name(template: dict[str, Any], column: dict[str, Any], objective: str) -> str:
    name = plain(column["label"])
    if isinstance(column["values"], dict):
        name += f" ({template['objectives'].get(objective, plain(objective))})"
    return name


def _correlation(columns: dict[str, Any], objective: str, of_x: list, of_y: list, drawn: list[int]) -> str:
    """Rho with its interval, and of how many units, in words."""
    pairs = np.array([[of_x[at], of_y[at]] for at in drawn], dtype=np.float64).reshape(-1, 2).T
    rho, low, high = rank_correlation(pairs)
    if np.isfinite([rho, low, high]).all():
        interval = f"[{hundredths(low)}, {hundredths(high)}]"
        said = f"Spearman’s ρ = {hundredths(rho)}, 95% interval {interval}"
    else:
        said = "Spearman’s ρ is not defined"
    count, total = len(drawn), len(columns["unit"])
    if count == total:
        return f"{said}, n = {count}"
    out = set(columns["unit"]) - {columns["unit"][at] for at in drawn}
    reasons = []
    for word, units in (
        ("dead", columns["dead"]),
        ("silent", columns["silent"].get(objective, [])),
        ("failed", columns["failed"].get(objective, [])),
        ("not rendered yet", columns["waiting"].get(objective, [])),
    ):
        if some := out & set(units):
            reasons.append(f"{len(some)} {word}")
            out -= some
    if out:
        reasons.append(f"{len(out)} without a value")
    return f"{said}, n = {count} of {total}: {', '.join(reasons)}"
