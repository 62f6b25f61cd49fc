"""RS against class selectivity: one panel per layer, the objectives together.

In: unit records. Out: `plotly.graph_objects.Figure`.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from tunewidgets.derived.statistics import rank_correlation
from tunewidgets.derived.unit_axes import ends_of
from tunewidgets.derived.unit_columns import OBJECTIVE_NAMES, chosen, made, table
from tunewidgets.records import layers_of

from .arguments import LAYERS, listed
from .panels import panel_grid
from .style import BLUE, VERMILION, correlated, plain

MARKS = {"am": {"color": VERMILION, "symbol": "diamond"}, "iam": {"color": BLUE, "symbol": "circle"}}


def rs_selectivity_panels(
    units: xr.Dataset | xr.DataTree,
    layers: Sequence[str] | str | None = None,
    objectives: Sequence[str] | str | None = None,
) -> go.Figure:
    """RS against class selectivity, one panel per layer on common axes, with Spearman's rho above each.

    Parameters
    ----------
    units : xarray.Dataset or xarray.DataTree
        A unit record, or a tree with one per layer.
    layers : sequence of str, optional
        Which layers, in this order; None: all.
    objectives : sequence of {"am", "iam"}, optional
        Whose images, each with its own color; None: all that the record has.

    Returns
    -------
    plotly.graph_objects.Figure
        One trace per layer and objective, named after the objective. Above each panel is rho with its 95% bootstrap
        interval over units and their number, dead ones and those without an RS left out.

    Raises
    ------
    RecordError
        If `units` is not a unit record.
    ValueError
        If it has no such layer or objective, or holds no RS.

    Notes
    -----
    *Understanding the Importance of Single Directions via Representative Substitution*, on a record of the paper's
    network and with its layers named: figure 1, layers 1 and 3 of the shallow network under both objectives; figure 3a,
    the fully connected layer under IAM; figure 4, layers 1, 3, 9 and 11 of VGG16 on CIFAR-10; figure 5, layers 1
    and 3 of the MLP; figure 6a, layers 3 and 11 of VGG16 on ImageNet.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> units = tw.zoo.example("shallow_cnn")
    >>> tw.figures.rs_selectivity_panels(units, ["relu1", "relu3"]).data[0].name
    'AM'
    """
    records = chosen(layers_of(units), listed("layers", layers, LAYERS))
    wanted = listed("objectives", objectives, "one or both of ('am', 'iam'), or None for all")
    tables = {}
    for layer, record in records.items():
        tables[layer] = table(record)
        if lacking := {"rs", "selectivity"} - set(tables[layer]["columns"]):
            raise ValueError(
                f"layer {layer!r} has no {' and no '.join(sorted(lacking))}; measure them with analyze_units"
            )
        for objective in wanted or []:
            if objective not in (there := tables[layer]["objectives"]):
                raise ValueError(f"this record has no objective {objective!r}; it has {' and '.join(there)}")
    points = {
        (layer, objective): _points(one, objective)
        for layer, one in tables.items()
        for objective in wanted or one["objectives"]
    }
    headings = [
        "<br>".join(
            [f"<b>{plain(layer)}</b>"]
            + [_said(one, objective, points[layer, objective]) for objective in wanted or one["objectives"]]
        )
        for layer, one in tables.items()
    ]
    first = next(iter(records.values()))
    how = made(*records.values())
    figure, places = panel_grid(
        headings,
        f"<b>{plain(first.attrs['model'])}</b>: RS against class selectivity",
        f"one point per unit; images: {how}" if how else "one point per unit",
        "class selectivity",
        "RS",
    )
    for place, (layer, one) in zip(places, tables.items(), strict=True):
        for objective in wanted or one["objectives"]:
            x, y, numbers = points[layer, objective]
            figure.add_scatter(
                x=x,
                y=y,
                customdata=numbers,
                mode="markers",
                name=OBJECTIVE_NAMES.get(objective, objective),
                cliponaxis=False,
                marker={
                    "size": 6,
                    "opacity": 0.6,
                    "line": {"width": 0.5, "color": "white"},
                    **MARKS.get(objective, MARKS["iam"]),
                },
                hovertemplate="<b>unit %{customdata}</b><br>class selectivity %{x:.3f}<br>RS %{y:.3f}",
                **place,
            )
    for at, update in enumerate((figure.update_xaxes, figure.update_yaxes)):
        update(range=ends_of(np.concatenate([one[at] for one in points.values()]), "share"))
    return figure


def _points(one: dict, objective: str) -> tuple[list[float], list[float], list[int]]:
    """Selectivity, RS and number of each unit that has both."""
    x, y = one["columns"]["selectivity"]["values"], one["columns"]["rs"]["values"][objective]
    dead = set(one["dead"])
    kept = [
        at
        for at, number in enumerate(one["unit"])
        if number not in dead and x[at] is not None and y[at] is not None
    ]
    return [x[at] for at in kept], [y[at] for at in kept], [one["unit"][at] for at in kept]


def _said(one: dict, objective: str, points: tuple[list[float], list[float], list[int]]) -> str:
    count, total = len(points[2]), len(one["unit"])
    found = rank_correlation(np.array(points[:2], dtype=np.float64))
    of = f"n = {count}" if count == total else f"n = {count} of {total}"
    color = MARKS.get(objective, MARKS["iam"])["color"]
    return (
        f"<span style='color:{color}'><b>{OBJECTIVE_NAMES.get(objective, plain(objective))}</b> "
        f"{correlated(*found)}, {of}</span>"
    )
