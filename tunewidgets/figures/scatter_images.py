"""Images in the scatter: each where its unit's point is, as far as there is room.

In: a bound scatter figure, the layer's record, and units in an order. Out: the figure with images in its layout. Where
two would overlap, the first in order gets the room and the other stays a point, as on the page
(js/src/unit-scatter/plot/image-placement.ts).
"""

from collections.abc import Iterable, Sequence

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from PIL import Image
from plotly.colors import sample_colorscale

from tunewidgets.derived.pictures import data_uri, webp

from .arguments import listed, place_in
from .own_images import enlarged, images_of
from .style import GRAY

# Pixels: the figure, what its margins and a legend leave to the plot, an image in it with its frame, and between two.
WIDTH, HEIGHT = 960, 680
PLOT = (740, 520)
SIDE, GAP = 36, 2
# An image as it is kept, so that it is sharp in print; its frame.
DETAIL, FRAME = 128, 8

Point = tuple[float, float]


def with_images(
    figure: go.Figure, record: xr.Dataset, objective: str, units: bool | Sequence[int], shown: str
) -> go.Figure:
    """Put the images of `units` into a scatter of one layer; True stands for all units that are drawn.

    Raises
    ------
    TypeError
        If `units` are none.
    ValueError
        If the record has no images of that objective, there is no such unit, or `shown` is neither "display" nor
        "measured".
    """
    own = images_of(record, objective, shown)
    count = own.sizes["unit"]
    remedy = "True, or a list of units such as [17, 4]"
    if isinstance(units, str):
        raise TypeError(f"images is {units!r}; give {remedy}")
    wanted = range(count) if units is True else listed("images", units, remedy)
    order = [place_in("a unit of images", unit, count, "this layer") for unit in wanted or ()]
    rendered = own["rendered"].values
    points, colors = _places(figure)
    for unit in standing(points, (unit for unit in order if rendered[unit])):
        x, y = points[unit]
        figure.add_layout_image(
            source=_framed(own["image"].values[unit], colors[unit]),
            xref="x domain",
            yref="y domain",
            x=x,
            y=y,
            xanchor="center",
            yanchor="middle",
            sizex=SIDE / PLOT[0],
            sizey=SIDE / PLOT[1],
            layer="above",
        )
    return figure.update_layout(width=WIDTH, height=HEIGHT)


def standing(points: dict[int, Point], order: Iterable[int]) -> list[int]:
    """Units, in order, whose images overlap none before them; `points` are shares of the plot's width and height."""
    units: list[int] = []
    taken = np.empty((0, 2))
    step = (SIDE + GAP) / np.array(PLOT)
    for unit in order:
        if unit in points and not (np.abs(taken - points[unit]) < step).all(1).any():
            units.append(unit)
            taken = np.vstack([taken, points[unit]])
    return units


def _places(figure: go.Figure) -> tuple[dict[int, Point], dict[int, str]]:
    """Where each drawn unit's point is, from 0 to 1 along both axes, and its color where it has one of its own."""
    points, colors = {}, {}
    for trace in figure.data:
        shares = [
            _share(axis, values)
            for axis, values in ((figure.layout.xaxis, trace.x), (figure.layout.yaxis, trace.y))
        ]
        for unit, x, y, color in zip(trace.customdata, *shares, _colors(trace), strict=True):
            points[int(unit)], colors[int(unit)] = (float(x), float(y)), color
    return points, colors


def _colors(trace: go.Scatter) -> list[str]:
    """Its points' colors: the trace's own, or their values' on its scale; gray without a value."""
    marker = trace.marker
    if isinstance(marker.color, str):
        return [marker.color] * len(trace.x)
    values = np.array(marker.color, np.float64)
    known = values[np.isfinite(values)]
    span = float(np.ptp(known)) if len(known) else 0.0
    shares = (values - known.min()) / span if span else np.where(np.isfinite(values), 0.5, np.nan)
    scale = [list(stop) for stop in marker.colorscale]
    return [GRAY if np.isnan(share) else sample_colorscale(scale, [float(share)])[0] for share in shares]


def _share(axis: go.layout.XAxis | go.layout.YAxis, values: Sequence[float]) -> np.ndarray:
    along = np.asarray(values, np.float64)
    low, high = axis.range
    return ((np.log10(along) if axis.type == "log" else along) - low) / (high - low)


def _framed(image: np.ndarray, color: str) -> str:
    """The image on its color, as an address."""
    large = Image.fromarray(enlarged(image[None], DETAIL)[0])
    large.thumbnail((DETAIL, DETAIL))
    framed = Image.new("RGB", (large.width + 2 * FRAME, large.height + 2 * FRAME), color)
    framed.paste(large, (FRAME, FRAME))
    return data_uri(webp(np.asarray(framed)), "webp")
