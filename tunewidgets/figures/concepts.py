"""Figures of concepts: which labels and masks go with which units or tuning dimensions.

In: a concepts record. Out: `plotly.graph_objects.Figure`. Values that could be chance are drawn, but not written out.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from tunewidgets._checks import is_whole
from tunewidgets.records import RecordError, kind_of, settings_of, validate

from .arguments import listed, positive, whole
from .style import (
    AXIS,
    BLUE,
    FONT,
    GRAY,
    INK,
    SEQUENTIAL,
    TEMPLATE,
    VERMILION,
    WHITE,
    hundredths,
    plain,
    shortened,
    titled,
    wrapped,
)

CELL_X, CELL_Y, SMALLEST = 40, 24, 420  # pixels
# From one end of a dimension through no relation to the other end.
DIVERGING = [[0.0, BLUE], [0.5, "#f7f7f7"], [1.0, VERMILION]]
MEASURES = ("auc", "iou")
LEVEL = "a number above 0 and up to 1"


def concept_map(
    found: xr.Dataset,
    features: Sequence[int] | None = None,
    best: int = 1,
    measure: str = "auc",
    alpha: float = 0.05,
) -> go.Figure:
    """Units or dimensions by concepts, as a map of AUC or of IoU.

    Parameters
    ----------
    found : xarray.Dataset
        A concepts record.
    features : sequence of int, optional
        Which units or dimensions to show; None: all.
    best : int, default 1
        A concept is shown if it is among this many of any feature's strongest.
    measure : {"auc", "iou"}, default "auc"
    alpha : float, default 0.05
        AUC is written where `p_holm` is at most this, IoU where its interval lies above what chance gives.

    Returns
    -------
    plotly.graph_objects.Figure
        One row per feature (with IoU, per end of it), one column per concept.

    Raises
    ------
    RecordError
        If `found` is not a concepts record.
    ValueError
        It has no such feature, no masks were compared, or an option is out of its range.

    References
    ----------
    Bau et al., *Network dissection* (2017).

    Examples
    --------
    >>> import torch, tunewidgets as tw
    >>> probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")
    >>> flat, rough = torch.full((20, 3, 32, 32), 0.5), torch.rand(20, 3, 32, 32)
    >>> found = tw.concepts(probe, torch.cat([flat, rough]), ["flat"] * 20 + ["rough"] * 20, progress=False)
    >>> tw.figures.concept_map(found, features=[0, 1], best=2).data[0].z.shape
    (2, 2)
    """
    own = _checked(found, features, measure)
    best = whole("best", best)
    alpha = positive("alpha", alpha, 1, LEVEL)
    rows, table = _rows(own, measure, alpha)
    strength = np.abs(table["value"] - 0.5) if measure == "auc" else table["value"]
    columns = _columns(strength, best)
    names = [plain(shortened(str(name))) for name in own["concept"].values[columns]]
    value, low, high, said = (table[name][:, columns] for name in ("value", "low", "high", "said"))
    written = [
        [hundredths(v) if s else "" for v, s in zip(*pair, strict=True)]
        for pair in zip(value, said, strict=True)
    ]
    ends = {"units": ("less", "more"), "dimensions": ("low end", "high end")}[settings_of(own)["features"]]
    what = {"auc": f"AUC, from {ends[0]} (0) to {ends[1]} (1)", "iou": "IoU of active places and masks"}[
        measure
    ]
    top = 1.0 if measure == "auc" else max(float(value.max()), 1e-3)
    heat = go.Heatmap(
        z=value,
        zmin=0,
        zmax=top,
        colorscale=DIVERGING if measure == "auc" else SEQUENTIAL,
        text=written,
        texttemplate="%{text}",
        textfont={"size": 11},
        customdata=np.stack([low, high], -1),
        hovertemplate="%{y} · %{x}<br>" + measure.upper() + " %{z:.3f} [%{customdata[0]:.3f}, "
        "%{customdata[1]:.3f}]<extra></extra>",
        xgap=1,
        ygap=1,
        colorbar={"title": {"text": measure.upper()}, "thickness": 12, "len": 0.9, "outlinewidth": 0},
    )
    width, height = CELL_X * len(names), CELL_Y * len(rows)
    criterion = (
        f"written where p ≤ {alpha:g}, adjusted by Holm’s method over {own.sizes['concept']} concepts and all "
        f"{settings_of(found)['features']}"
        if measure == "auc"
        else "written where the 95% interval lies above chance"
    )
    lines = wrapped(f"{what}; {criterion}; {settings_of(found)['images']}", max(width, SMALLEST))
    return _framed(heat, own, rows, names, (width, height), lines)


def concept_bars(found: xr.Dataset, feature: int, best: int = 8, alpha: float = 0.05) -> go.Figure:
    """One unit's or dimension's strongest concepts, each with its AUC and 95% interval.

    Parameters
    ----------
    found : xarray.Dataset
        A concepts record.
    feature : int
        Which unit or dimension.
    best : int, default 8
        How many concepts, the farthest from .5.
    alpha : float, default 0.05
        A concept is drawn filled where `p_holm` is at most this.

    Returns
    -------
    plotly.graph_objects.Figure
        One line per concept, from the strongest to the weakest; beside its name, how many images have it.

    Raises
    ------
    RecordError
        If `found` is not a concepts record.
    ValueError
        If it has no such feature, or an option is out of its range.

    References
    ----------
    Bau et al., *Network dissection* (2017).

    Examples
    --------
    >>> import torch, tunewidgets as tw
    >>> probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")
    >>> flat, rough = torch.full((20, 3, 32, 32), 0.5), torch.rand(20, 3, 32, 32)
    >>> found = tw.concepts(probe, torch.cat([flat, rough]), ["flat"] * 20 + ["rough"] * 20, progress=False)
    >>> tw.figures.concept_bars(found, 0).data[0].x.tolist()
    [0.0, 1.0]
    """
    own = _checked(found, [feature], "auc").isel(feature=0)
    best = whole("best", best)
    alpha = positive("alpha", alpha, 1, LEVEL)
    auc = own["auc"].values
    chosen = np.argsort(-np.abs(auc - 0.5), kind="stable")[:best]
    chosen = chosen[np.argsort(auc[chosen], kind="stable")]
    low, high = (own[name].values[chosen] for name in ("auc_low", "auc_high"))
    related = own["p_holm"].values[chosen] <= alpha
    concepts = own["concept"].values[chosen]
    names = [
        f"{plain(shortened(str(name)))} <span style='color:{GRAY}'>{count}</span>"
        for name, count in zip(concepts, own["positives"].values[chosen], strict=True)
    ]
    points = go.Scatter(
        x=auc[chosen],
        # By number, since two names may begin alike.
        y=list(range(len(names))),
        customdata=[plain(name) for name in concepts],
        mode="markers",
        marker={
            "size": 9,
            "color": [BLUE if value < 0.5 else VERMILION for value in auc[chosen]],
            "symbol": ["circle" if one else "circle-open" for one in related],
        },
        error_x={
            "array": high - auc[chosen],
            "arrayminus": auc[chosen] - low,
            "color": GRAY,
            "thickness": 1.2,
            "width": 0,
        },
        hovertemplate="%{customdata}: %{x:.3f}<extra></extra>",
        showlegend=False,
    )
    figure = go.Figure(points)
    said = wrapped(
        f"AUC with 95% bootstrap intervals over images; filled: p ≤ {alpha:g} by Holm’s method; gray: images that have "
        "the concept",
        560,
    )
    top = 52 + 17 * len(said)
    figure.update_layout(
        template=TEMPLATE,
        **WHITE,
        font=FONT,
        title=titled(f"<b>{_called(own)}</b> {feature}: its concepts", "<br>".join(said)),
        width=640,
        height=26 * len(names) + top + 60,
        margin={"l": 180, "r": 24, "t": top, "b": 60},
    )
    figure.update_xaxes(**AXIS, title="AUC", range=[-0.02, 1.02])
    figure.update_yaxes(**{**AXIS, "ticks": ""}, tickvals=list(range(len(names))), ticktext=names)
    figure.add_vline(0.5, line={"color": GRAY, "dash": "dot", "width": 1})
    return figure


def _checked(found: xr.Dataset, features: Sequence[int] | None, measure: str) -> xr.Dataset:
    """The record with these features only."""
    validate(found)
    if (kind := kind_of(found)) != "concepts":
        raise RecordError(f"this is a {kind} record; give a concepts record, which tw.concepts makes")
    if measure not in MEASURES:
        raise ValueError(f"measure is {measure!r}; choose 'auc' or 'iou'")
    if measure == "iou" and "iou" not in found:
        raise ValueError("no masks were compared for this record, so it has no IoU; choose measure='auc'")
    there = found["feature"].values
    remedy = f"some of {there[0]} to {there[-1]}"
    wanted = listed("features", features, remedy)
    if wanted is None:
        return found
    if missing := [number for number in wanted if not (is_whole(number) and number in there)]:
        raise ValueError(f"the record has no {_called(found).lower()} {missing[0]!r}; give {remedy}")
    return found.sel(feature=wanted)


def _called(found: xr.Dataset) -> str:
    return {"units": "Unit", "dimensions": "Dimension"}[str(settings_of(found)["features"])]


def _rows(own: xr.Dataset, measure: str, alpha: float) -> tuple[list[str], dict[str, Any]]:
    """Names of the rows, and of each cell its value, its interval and whether it is more than chance."""
    numbers = own["feature"].values
    if measure == "auc":
        table = {"value": own["auc"], "low": own["auc_low"], "high": own["auc_high"]}
        return [str(n) for n in numbers], {
            **{name: values.values for name, values in table.items()},
            "said": own["p_holm"].values <= alpha,
        }
    ends = [str(end) for end in own["end"].values]
    names = [f"{n} {end}" if len(ends) > 1 else str(n) for n in numbers for end in ends]
    flat = {
        name: own[column].values.reshape(len(names), -1)
        for name, column in {
            "value": "iou",
            "low": "iou_low",
            "high": "iou_high",
            "chance": "iou_chance",
        }.items()
    }
    return names, {**flat, "said": flat["low"] > flat["chance"]}


def _columns(strength: np.ndarray, best: int) -> np.ndarray:
    """Concepts among any row's `best`, in the order in which the rows name them."""
    order = np.argsort(-strength, axis=1, kind="stable")[:, :best]
    _, first = np.unique(order, return_index=True)
    return order.ravel()[np.sort(first)]


def _framed(
    heat: go.Heatmap,
    own: xr.Dataset,
    rows: list[str],
    columns: list[str],
    size: tuple[int, int],
    lines: list[str],
) -> go.Figure:
    heat.update(x=list(range(len(columns))), y=list(range(len(rows))))
    figure = go.Figure(heat)
    width, height = max(size[0], SMALLEST), size[1]
    top = 52 + 17 * len(lines)
    bottom = 24 + int(5.2 * max(len(name) for name in columns))
    figure.update_layout(
        template=TEMPLATE,
        **WHITE,
        font=FONT,
        title=titled(
            f"<b>{plain(own.attrs['model'])}</b> {plain(own.attrs['layer'])}: {_called(own).lower()}s and concepts",
            "<br>".join(lines),
        ),
        width=width + 72 + 90,
        height=height + top + bottom,
        margin={"l": 72, "r": 90, "t": top, "b": bottom},
    )
    bare = {**AXIS, "showgrid": False, "ticks": "", "showline": False}
    figure.update_xaxes(
        **bare, tickvals=list(range(len(columns))), ticktext=columns, tickangle=-45, tickfont={"color": INK}
    )
    figure.update_yaxes(
        **bare, tickvals=list(range(len(rows))), ticktext=rows, autorange="reversed", title=_called(own)
    )
    return figure
