"""Figure of readability: how well units, dimensions and random axes are read, layer by layer.

In: records that `tw.readability` scored. Out: `plotly.graph_objects.Figure`.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from tunewidgets.derived.film_text import method_name
from tunewidgets.derived.statistics import mean_interval
from tunewidgets.records import kind_of, layers_of, settings_of, validate

from .style import AXIS, FONT, GRAY, TEMPLATE, WHITE, hundredths, mark_of, plain, titled, wrapped

WIDE = 110  # pixels per layer
GUESSING, LEVEL = 0.5, 0.05


class _Point(NamedTuple):
    """One kind of axis in one layer: the mean of its scores, its interval, and the mean of its random axes."""

    layer: str
    kind: str
    mean: float
    low: float
    high: float
    null: float
    said: str


def readability_by_layer(records: Any) -> go.Figure:
    """How readable units and tuning dimensions are, layer by layer, beside random axes.

    Parameters
    ----------
    records : record, or a sequence of them
        Films and unit records, of one layer or of several, that `tw.readability` scored. Layers come in the order in
        which they are first named.

    Returns
    -------
    plotly.graph_objects.Figure
        For each kind of axis (units, PCA, ICA and so on) its mean score with a 95% interval over units or dimensions
        (Student's t), and a hollow mark for the mean score of the random axes that it was compared with. A line is
        where guessing is.

    Raises
    ------
    RecordError
        If what is given are no records.
    ValueError
        If nothing is given, a record has no scores, or observers differ, whose scores can't be compared.

    Notes
    -----
    After the figures of Zimmermann, Klein and Brendel, *Scale alone does not improve mechanistic interpretability in
    vision models* (2023), with random axes added.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> probe = tw.Probe(tw.zoo.gabor_bank(n=9), "relu", device="cpu")
    >>> scenes = tw.zoo.images("dead-leaves", n=8, size=64)
    >>> sample = tw.sample_activations(probe, scenes, n=1000, progress=False)
    >>> dims = tw.TuningDimensions("pca", 2).fit(sample)
    >>> film = tw.render_film(probe, dims, points=2, size=16, steps=1, progress=False)
    >>> others = tw.zoo.images("dead-leaves", n=20, size=64, seed=1)
    >>> asked = tw.add_trials(film, probe, others, n=4, catch=8, progress=False)
    >>> scored = tw.readability(asked, "texture", progress=False)
    >>> [trace.name for trace in tw.figures.readability_by_layer(scored).data]
    ['PCA', 'PCA, random axes']
    """
    layers = _scored(records)
    told = [settings_of(one)["readability"] for one in layers]
    observers = list(dict.fromkeys(f"{one['observer']}, α = {one['alpha']}" for one in told))
    if len(observers) > 1:
        raise ValueError(
            f"these scores are of several observers ({'; '.join(observers)}), which can't be compared; score all "
            "records with one"
        )
    points = [_point(one) for one in layers]
    names = list(dict.fromkeys(point.layer for point in points))
    kinds = list(dict.fromkeys(point.kind for point in points))
    figure = go.Figure()
    for at, kind in enumerate(kinds):
        _add(figure, [point for point in points if point.kind == kind], names, kind, at, len(kinds))
    width = max(380, WIDE * len(names))
    observer = told[0]["observer"]
    trials = ", ".join(dict.fromkeys(str(settings_of(one)["trials"]["n"]) for one in layers))
    said = wrapped(
        f"observer: {observer}; {trials} trials each; bars: 95% interval of the mean; hollow: random axes; line: "
        "guessing",
        width,
    )
    models = ", ".join(dict.fromkeys(str(one.attrs["model"]) for one in layers))
    top = 46 + 17 * len(said) + 34
    figure.update_layout(
        template=TEMPLATE,
        **WHITE,
        font=FONT,
        title=titled(f"<b>{plain(models)}</b>: what can be read", "<br>".join(said)),
        width=width + 96,
        height=300 + top + 56,
        margin={"l": 72, "r": 24, "t": top, "b": 56},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
    )
    figure.add_hline(y=GUESSING, line={"color": GRAY, "width": 1, "dash": "dot"})
    figure.update_xaxes(
        **{**AXIS, "showgrid": False, "ticks": ""},
        tickvals=list(range(len(names))),
        ticktext=[plain(name) for name in names],
        range=[-0.5, len(names) - 0.5],
    )
    figure.update_yaxes(**AXIS, title="readability")
    return figure


def _scored(records: Any) -> list[xr.Dataset]:
    """All layers' records that have scores."""
    several = isinstance(records, Iterable) and not isinstance(records, xr.DataTree | xr.Dataset | str)
    given = list(records) if several else [records]
    if not given:
        raise ValueError("there is no record to draw; give what readability gave, once or more")
    found: list[xr.Dataset] = []
    for one in given:
        validate(one)
        layers = list(layers_of(one).values()) if isinstance(one, xr.DataTree) else [one]
        scored = [layer for layer in layers if "readability" in layer]
        if not scored:
            raise ValueError("a record has no scores; give what readability gave")
        found += scored
    return found


def _point(record: xr.Dataset) -> _Point:
    units = kind_of(record) == "units"
    scores = record["readability"].values.astype(float)
    scores = scores[np.isfinite(scores)]
    mean, low, high = mean_interval(scores)
    kind = "units" if units else method_name(settings_of(record))
    null = record["readability_null"].values
    better = int((record["readability_p_holm"].values <= LEVEL).sum())
    said = (
        f"{len(scores)} {'units' if units else 'dimensions'}, {better} of them better than random axes "
        f"({hundredths(float(null.mean()))}, {len(null)} axes)"
    )
    return _Point(str(record.attrs["layer"]), kind, mean, low, high, float(null.mean()), said)


def _add(figure: go.Figure, points: list[_Point], names: list[str], kind: str, at: int, count: int) -> None:
    """One kind of axis: its scores, and hollow beside them those of its random axes."""
    mark = mark_of(at)
    # Side by side, so that one interval does not hide another.
    place = np.array([names.index(point.layer) for point in points]) + 0.14 * (at - (count - 1) / 2)
    mean = np.array([point.mean for point in points])
    figure.add_scatter(
        x=place.tolist(),
        y=mean.tolist(),
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [point.high - point.mean for point in points],
            "arrayminus": [point.mean - point.low for point in points],
            "thickness": 1.5,
            "width": 4,
        },
        mode="markers",
        marker={**mark, "size": 9},
        name=kind,
        legendgroup=kind,
        customdata=[point.said for point in points],
        hovertemplate=f"{plain(kind)}: %{{y:.2f}}, %{{customdata}}<extra></extra>",
    )
    figure.add_scatter(
        x=place.tolist(),
        y=[point.null for point in points],
        mode="markers",
        marker={"color": mark["color"], "symbol": f"{mark['symbol']}-open", "size": 8},
        name=f"{kind}, random axes",
        legendgroup=kind,
        showlegend=False,
        hovertemplate=f"random axes beside {plain(kind)}: %{{y:.2f}}<extra></extra>",
    )
