"""Figures of units, layer by layer: how two columns correlate from the first layer to the last, with intervals.

In: the unit records of one network, or of several trained alike. Out: `plotly.graph_objects.Figure`.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from tunewidgets.derived.statistics import mean_interval, spearman
from tunewidgets.derived.unit_columns import OBJECTIVE_NAMES, chosen, made
from tunewidgets.records import layers_of

from .arguments import LAYERS, listed
from .style import AXIS, BLUE, FONT, GRAY, GREEN, TEMPLATE, VERMILION, WHITE, plain, titled, wrapped

WIDE, NARROW = 96, 52  # pixels per layer, for few layers and for many

Records = xr.DataTree | Sequence[xr.DataTree]


class _Series(NamedTuple):
    """One line: its name, color and symbol, the columns that are correlated, and the objective they are of."""

    name: str
    color: str
    symbol: str
    x: str
    y: str
    objective: str | None


def rs_selectivity_by_layer(
    units: Records,
    layers: Sequence[str] | None = None,
    objectives: Sequence[str] = ("am", "iam"),
    given: str | None = None,
) -> go.Figure:
    """Spearman's rho of RS and class selectivity, layer by layer.

    Parameters
    ----------
    units : xarray.DataTree, or a sequence of them
        The unit records of one network, or of several that were trained alike from different seeds.
    layers : sequence of str, optional
        Which layers, in this order; None: all.
    objectives : sequence of {"am", "iam"}
        A line for each.
    given : str, optional
        A column whose share is taken out of both, such as "mean_activation": the partial correlation.

    Returns
    -------
    plotly.graph_objects.Figure
        For one network, rho with its 95% bootstrap interval over units. For several, each network's rho as a small
        point, and their mean with its 95% interval over networks (Student's t).

    Raises
    ------
    RecordError
        If what is given are not unit records.
    ValueError
        If a record has no such layer, objective or column.

    Notes
    -----
    Figures 3b (the convolutions of the shallow network) and 6b (those of VGG16 on ImageNet) of *Understanding the
    Importance of Single Directions via Representative Substitution*.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> units = tw.zoo.example("shallow_cnn")
    >>> figure = tw.figures.rs_selectivity_by_layer(units, ["relu1", "relu2", "relu3", "relu4"])
    >>> [trace.name for trace in figure.data]
    ['AM', 'IAM']
    """
    marks = {"am": (VERMILION, "diamond"), "iam": (BLUE, "circle")}
    series = [
        _Series(OBJECTIVE_NAMES.get(o, o), *marks.get(o, (GREEN, "square")), "rs", "selectivity", o)
        for o in listed("objectives", objectives, "one or both of ('am', 'iam')") or ("am", "iam")
    ]
    return _by_layer(units, layers, series, given, "RS and class selectivity by layer", "Spearman’s ρ")


def importance_by_layer(
    units: Records,
    layers: Sequence[str] | None = None,
    objective: str = "iam",
    importance: str = "accuracy_drop",
    given: str | None = None,
) -> go.Figure:
    """Which predicts a unit's importance, RS or class selectivity: Spearman's rho of each with the accuracy drop.

    Parameters
    ----------
    units : xarray.DataTree, or a sequence of them
        As in `rs_selectivity_by_layer`, measured with ablation.
    layers : sequence of str, optional
        Which layers, in this order; None: all.
    objective : {"iam", "am"}
        The images that RS was measured on.
    importance : {"accuracy_drop", "loss_increase"}
        The measure of what ablating a unit does.
    given : str, optional
        A column whose share is taken out of both, such as "mean_activation": the partial correlation.

    Returns
    -------
    plotly.graph_objects.Figure
        A line for RS and one for class selectivity; points and intervals as in `rs_selectivity_by_layer`.

    Raises
    ------
    RecordError
        If what is given are not unit records.
    ValueError
        If a record has no such layer, objective or column.

    Notes
    -----
    The central claim of *Understanding the Importance of Single Directions via Representative Substitution*: units of
    high RS can be replaced, so ablating them costs little (rho below 0), while selectivity does not predict it.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> figure = tw.figures.importance_by_layer(tw.zoo.example("shallow_cnn"))
    >>> [trace.name for trace in figure.data]
    ['RS (IAM)', 'class selectivity']
    """
    names = {"accuracy_drop": "accuracy drop", "loss_increase": "loss increase"}
    series = [
        _Series(
            f"RS ({OBJECTIVE_NAMES.get(objective, objective)})", BLUE, "circle", "rs", importance, objective
        ),
        _Series("class selectivity", GREEN, "square", "selectivity", importance, None),
    ]
    what = names.get(importance, importance)
    return _by_layer(
        units, layers, series, given, "what tells a unit’s importance?", f"Spearman’s ρ with {what}"
    )


def _by_layer(
    units: Records,
    layers: Sequence[str] | None,
    series: list[_Series],
    given: str | None,
    title: str,
    y: str,
) -> go.Figure:
    several = isinstance(units, Iterable) and not isinstance(units, (xr.DataTree, xr.Dataset, str))
    trees: list[Any] = list(units) if several else [units]
    if not trees:
        raise ValueError("there is no record to draw; give the unit records of one network or more")
    networks = [layers_of(tree) for tree in trees]
    names = list(chosen(networks[0], listed("layers", layers, LAYERS)))
    networks = [chosen(network, names) for network in networks]
    figure = go.Figure()
    for at, one in enumerate(series):
        # Side by side, so that one interval does not hide another.
        _add(figure, networks, names, one, given, offset=0.14 * (at - (len(series) - 1) / 2))
    models = ", ".join(dict.fromkeys(str(network[names[0]].attrs["model"]) for network in networks))
    bars = (
        "bars: 95% bootstrap interval over units"
        if len(networks) == 1
        else f"small points: {len(networks)} networks; bars: 95% interval of their mean"
    )
    if given is not None:
        bars = f"partial correlation, {given.replace('_', ' ')} taken out; {bars}"
    how = made(*(record for network in networks for record in network.values()))
    if any(value is None or np.isnan(value) for trace in figure.data for value in trace.y):
        bars += "; no point where ρ is not defined"
    many = len(names) > 8
    width = max(380, (NARROW if many else WIDE) * len(names))
    said = wrapped("; ".join([bars, *([f"images: {how}"] if how else [])]), width)
    below = 92 if many else 56
    top = 46 + 17 * len(said) + 34
    figure.update_layout(
        template=TEMPLATE,
        **WHITE,
        font=FONT,
        title=titled(f"<b>{plain(models)}</b>: {title}", "<br>".join(said)),
        width=width + 96,
        height=300 + top + below,
        margin={"l": 72, "r": 24, "t": top, "b": below},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
    )
    labels = [
        f"{plain(name)}<br><span style='color:{GRAY}'>{networks[0][name].sizes['unit']} units</span>"
        if not many
        else plain(name)
        for name in names
    ]
    figure.update_xaxes(
        **{**AXIS, "showgrid": False, "ticks": ""},
        tickvals=list(range(len(names))),
        ticktext=labels,
        tickangle=-45 if many else 0,
        range=[-0.5, len(names) - 0.5],
    )
    figure.update_yaxes(**{**AXIS, "zeroline": True, "zerolinecolor": GRAY}, title=y)
    return figure


def _add(
    figure: go.Figure,
    networks: list[dict[str, xr.Dataset]],
    names: list[str],
    one: _Series,
    given: str | None,
    offset: float,
) -> None:
    """One line: a mean or a rho per layer, its interval, and each network's own rho where there are several."""
    found = [
        [spearman(network[name], one.x, one.y, objective=one.objective, given=given) for name in names]
        for network in networks
    ]
    place = np.arange(len(names)) + offset
    rho = np.array([[layer.rho for layer in network] for network in found])
    if len(networks) == 1:
        middle = rho[0]
        low, high = (np.array([getattr(layer, end) for layer in found[0]]) for end in ("low", "high"))
        said = [f"n = {layer.n} units" for layer in found[0]]
    else:
        middle, low, high = np.array([mean_interval(values) for values in rho.T]).T
        said = [f"{np.isfinite(values).sum()} networks" for values in rho.T]
        # Beside the mean's interval, and without a name of their own in the legend.
        figure.add_scatter(
            x=np.tile(place + (0.07 if offset >= 0 else -0.07), len(networks)).tolist(),
            y=rho.ravel().tolist(),
            mode="markers",
            marker={"color": one.color, "symbol": one.symbol, "size": 5, "opacity": 0.45},
            name=f"{one.name}, each network",
            legendgroup=one.name,
            showlegend=False,
            customdata=np.repeat(np.arange(len(networks)), len(names)).tolist(),
            hovertemplate="network %{customdata}: ρ = %{y:.2f}<extra></extra>",
        )
    figure.add_scatter(
        x=place.tolist(),
        y=middle.tolist(),
        error_y={
            "type": "data",
            "symmetric": False,
            "array": (high - middle).tolist(),
            "arrayminus": (middle - low).tolist(),
            "thickness": 1.5,
            "width": 4,
        },
        mode="lines+markers",
        line={"color": one.color, "width": 1.5},
        marker={"color": one.color, "symbol": one.symbol, "size": 9},
        name=one.name,
        legendgroup=one.name,
        customdata=said,
        hovertemplate=f"{plain(one.name)}: ρ = %{{y:.2f}}, %{{customdata}}<extra></extra>",
    )
