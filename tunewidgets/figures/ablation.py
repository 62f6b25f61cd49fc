"""Ablation figures: how accuracy falls as more and more units are silenced.

In: unit records with cumulative curves. Out: `plotly.graph_objects.Figure`.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from tunewidgets.derived.unit_columns import chosen
from tunewidgets.records import layers_of, settings_of

from .arguments import LAYERS, listed
from .panels import panel_grid
from .style import BLUE, GRAY, VERMILION, plain

ORDERS = {
    "most selective first": {"color": VERMILION, "symbol": "diamond", "dash": "solid"},
    "least selective first": {"color": BLUE, "symbol": "circle", "dash": "solid"},
    "random": {"color": GRAY, "symbol": "square", "dash": "dot"},
}


def ablation_curves(units: xr.Dataset | xr.DataTree, layers: Sequence[str] | str | None = None) -> go.Figure:
    """Accuracy as units are silenced one after another, in three orders, one panel per layer.

    Parameters
    ----------
    units : xarray.Dataset or xarray.DataTree
        A unit record, or a tree with one per layer, measured with cumulative ablation.
    layers : sequence of str, optional
        Which layers, in this order; None: all.

    Returns
    -------
    plotly.graph_objects.Figure
        In each panel a line for the most selective units first, one for the least selective first, and one for random
        orders: their mean, within the band from the lowest to the highest of them.

    Raises
    ------
    RecordError
        If `units` is not a unit record.
    ValueError
        If it has no such layer, or no cumulative curves.

    Notes
    -----
    The curves of Morcos et al. (2018), *On the importance of single directions for generalization*, to which
    *Understanding the Importance of Single Directions via Representative Substitution* replies.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> figure = tw.figures.ablation_curves(tw.zoo.example("shallow_cnn"), ["relu1"])
    >>> [trace.name for trace in figure.data if trace.showlegend]
    ['most selective first', 'least selective first', 'random']
    """
    records = chosen(layers_of(units), listed("layers", layers, LAYERS))
    for layer, record in records.items():
        if "cumulative_accuracy" not in record:
            raise ValueError(
                f"layer {layer!r} has no cumulative curves; measure them with ablation(..., curves=True)"
            )
    first = next(iter(records.values()))
    settings = settings_of(first)
    drawn = settings.get("random_orders")
    said = [f"units’ output set to {'0' if settings.get('ablation', 'zero') == 'zero' else 'its mean'}"]
    if drawn:
        said.append(f"band: lowest to highest of {drawn} random orders")
    if "images" in settings:
        said.append(str(settings["images"]))
    figure, places = panel_grid(
        [f"<b>{plain(layer)}</b>, {record.sizes['unit']} units" for layer, record in records.items()],
        f"<b>{plain(first.attrs['model'])}</b>: accuracy as units are silenced",
        "; ".join(said),
        "share of units silenced",
        "accuracy",
        legend=True,
    )
    for at, (place, record) in enumerate(zip(places, records.values(), strict=True)):
        share = record["step"].values / record.sizes["unit"]
        for row, order in enumerate(map(str, record["order"].values)):
            low, middle, high = (
                record[f"cumulative_{name}"].values[row].astype(float) for name in ("low", "accuracy", "high")
            )
            if (high > low).any():
                _add_band(figure, share, low, high, order, place)
            mark = ORDERS.get(order, ORDERS["random"])
            figure.add_scatter(
                x=share,
                y=middle,
                customdata=record["step"].values,
                mode="lines+markers",
                name=order,
                legendgroup=order,
                showlegend=at == 0,
                cliponaxis=False,
                line={"color": mark["color"], "width": 1.8, "dash": mark["dash"]},
                marker={"color": mark["color"], "symbol": mark["symbol"], "size": 5},
                hovertemplate=f"{plain(order)}: %{{y:.1%}} with %{{customdata}} units silenced<extra></extra>",
                **place,
            )
    figure.update_xaxes(tickformat=".0%", range=[-0.02, 1.02], dtick=0.25)
    most = max(float(record["cumulative_high"].max()) for record in records.values())
    figure.update_yaxes(tickformat=".0%", range=[0, 1.05 * most])
    return figure


def _add_band(
    figure: go.Figure, share: np.ndarray, low: np.ndarray, high: np.ndarray, order: str, place: dict[str, int]
) -> None:
    figure.add_scatter(
        x=np.concatenate([share, share[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        mode="lines",
        fill="toself",
        fillcolor="rgba(118,118,118,0.2)",
        line={"width": 0},
        name=f"{order}, band",
        legendgroup=order,
        showlegend=False,
        hoverinfo="skip",
        **place,
    )
