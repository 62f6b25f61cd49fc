"""Figures of films: tuning dimensions as rows of images, and one dimension above the data it comes from.

In: film records. Out: `plotly.graph_objects.Figure`. Images go in as one encoded mosaic, so that a figure
stays small and opens without a network.
"""

import html
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from tunewidgets.derived.film_text import dimension_name, method_name, share_text
from tunewidgets.derived.pictures import data_uri, mosaic, webp
from tunewidgets.records import RecordError, kind_of, settings_of, validate

from .arguments import place_in, whole
from .style import BLUE, FONT, GRAY, VERMILION, plain

GAP = 4
CELL = ", the width of an image in pixels"
TITLE_SIZE = 15
# What a letter of a bold title takes of its size, rather too much than too little; and room at a figure's edges.
LETTER, EDGE = 0.62, 12
MARGIN = {"l": 150, "r": 24, "t": 64, "b": 64}


def film_sheet(film: xr.Dataset, points: int | None = None, cell: int = 72) -> go.Figure:
    """A film as a sheet: one row of images per tuning dimension, one column per point.

    Parameters
    ----------
    film : xarray.Dataset
        A film record.
    points : int, optional
        How many of the points to show, evenly spread from the first to the last; by default all, up to 12.
    cell : int
        Width of one image in the figure, in pixels.

    Returns
    -------
    plotly.graph_objects.Figure
        Its only trace is the mosaic; a dimension that can't be shown has its status sentence instead.

    Raises
    ------
    RecordError
        If `film` is not a valid record.
    ValueError
        If `points` or `cell` is no whole number from 1.

    Notes
    -----
    The layout of images by dimension and point is that of the paper "Identifying and interpreting tuning
    dimensions in deep networks".

    Examples
    --------
    >>> import tunewidgets as tw
    >>> tw.figures.film_sheet(tw.open_record("film.zarr")).show()  # doctest: +SKIP
    """
    _check(film)
    cell = whole("cell", cell, remedy=CELL)
    columns = _spread(film.sizes["point"], points)
    images = film["image"].isel(point=columns).values
    rows, height, width = len(images), images.shape[2], images.shape[3]
    # White where there is no image: a black square would look like an image.
    failed = film["status"].values.astype(str) != ""
    images = np.where(failed[:, None, None, None, None], np.uint8(255), images)
    sheet = mosaic(images.reshape(-1, height, width, 3), len(columns), GAP)
    step_x, step_y = width + GAP, height + GAP
    figure = _image_figure(film, sheet, cell / width)
    figure.update_xaxes(
        tickvals=[at * step_x + width / 2 for at in range(len(columns))],
        ticktext=[str(point) for point in columns],
        title="point",
    )
    figure.update_yaxes(
        tickvals=[row * step_y + height / 2 for row in range(rows)],
        ticktext=[_row_text(film, row) for row in range(rows)],
    )
    for row in np.flatnonzero(failed):
        figure.add_annotation(
            x=0,
            y=row * step_y + height / 2,
            text=plain(film["status"].values[row]),
            showarrow=False,
            xanchor="left",
            font={"color": GRAY},
        )
    return figure


def film_strip(film: xr.Dataset, dimension: int, points: int | None = None, cell: int = 72) -> go.Figure:
    """One tuning dimension: its images in a row, and under them the data's histogram with each point's place.

    Parameters
    ----------
    film : xarray.Dataset
        A film record.
    dimension : int
        Which of its dimensions.
    points : int, optional
        How many images to show, evenly spread from the first to the last; by default all, up to 12.
    cell : int
        Width of one image in the figure, in pixels.

    Returns
    -------
    plotly.graph_objects.Figure
        Traces: the images; the histogram of observed coordinates; the points, with the cosine reached.

    Raises
    ------
    RecordError
        If `film` is not a valid record.
    ValueError
        If it has no such dimension, if that dimension can't be shown, or if `points` or `cell` is no whole number
        from 1.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> tw.figures.film_strip(tw.open_record("film.zarr"), 0).show()  # doctest: +SKIP
    """
    _check(film)
    cell = whole("cell", cell, remedy=CELL)
    dimension = place_in("dimension", dimension, film.sizes["dimension"], "this film")
    one = film.isel(dimension=dimension)
    if one["status"].item():
        raise ValueError(
            f"dimension {dimension} of this film has no images ({one['status'].item()}); choose another one"
        )
    columns = _spread(film.sizes["point"], points)
    images = one["image"].isel(point=columns).values
    width = images.shape[2]
    strip = mosaic(images, len(columns), GAP)
    figure = _image_figure(film, strip, cell / width, below=170)
    share = share_text(film, dimension)
    source = f"<span style='color:{GRAY}'>{plain(film.attrs['model'])}, {plain(film.attrs['layer'])}</span>"
    name = f"<b>{plain(dimension_name(film, dimension))}</b>{share and f', {share}'}"
    whole_width = figure.layout.width + 64 - MARGIN["l"]
    title = _title(name, "   ", f"{source}{_doubt(film)}", whole_width, 64)
    figure.update_layout(title=title, margin={"l": 64}, width=whole_width)
    figure.update_xaxes(
        tickvals=[at * (width + GAP) + width / 2 for at in range(len(columns))],
        ticktext=[f"{value:.2g}".replace("-", "−") for value in one["coordinate"].values[columns]],
    )
    figure.update_yaxes(showticklabels=False)
    strip_share = figure.layout.yaxis.domain[0]
    edges, counts, coordinate = (one[name].values for name in ("bin_edge", "histogram", "coordinate"))
    figure.add_bar(
        x=(edges[1:] + edges[:-1]) / 2,
        y=counts,
        width=np.diff(edges),
        marker={"color": "#c4c4c4", "line": {"width": 0}},
        xaxis="x2",
        yaxis="y2",
        name="data",
        hovertemplate="%{y} observations near %{x:.3g}<extra></extra>",
    )
    figure.add_scatter(
        x=coordinate,
        y=np.zeros(film.sizes["point"]),
        customdata=np.stack([np.arange(film.sizes["point"]), one["cosine"].values], -1),
        mode="markers",
        marker={"symbol": "line-ns", "size": 9, "line": {"width": 1.5, "color": BLUE}},
        cliponaxis=False,
        xaxis="x2",
        yaxis="y2",
        name="points",
        hovertemplate=(
            "point %{customdata[0]}: coordinate %{x:.3g}, cosine %{customdata[1]:.2f}<extra></extra>"
        ),
    )
    figure.update_layout(
        xaxis2={
            "title": "coordinate",
            "anchor": "y2",
            "range": [float(min(edges[0], coordinate[0])), float(max(edges[-1], coordinate[-1]))],
            "zeroline": False,
            "ticks": "outside",
            "showgrid": False,
        },
        yaxis2={
            "domain": [0, strip_share * 0.62],
            "anchor": "x2",
            "title": "vectors",
            "rangemode": "tozero",
            "showgrid": False,
            "zeroline": True,
            "zerolinecolor": GRAY,
        },
    )
    return figure


def _check(film: xr.Dataset) -> None:
    """Raise a RecordError unless this is a film."""
    validate(film)
    if (kind := kind_of(film)) != "film":
        raise RecordError(f"a film record belongs here, and this is a {kind} record; render_film makes films")


def _doubt(film: xr.Dataset) -> str:
    """What a title says of a method that did not converge."""
    if settings_of(film).get("converged") is not False:
        return ""
    return f" <span style='color:{VERMILION}'>(did not converge)</span>"


def _title(first: str, between: str, then: str, width: int, left: int) -> dict[str, Any]:
    """A title over the images; where the figure is too narrow for it, two lines from its edge, in letters that fit."""
    one, two = (len(html.unescape(re.sub("<[^>]+>", "", part))) for part in (first, then))
    if (one + len(between) + two) * LETTER * TITLE_SIZE <= width - left:
        return {"text": f"{first}{between}{then}", "x": 0, "xref": "paper", "font": {"size": TITLE_SIZE}}
    size = min(TITLE_SIZE, (width - 2 * EDGE) / (LETTER * max(one, two)))
    return {"text": f"{first}<br>{then}", "x": EDGE / width, "xref": "container", "font": {"size": size}}


def _image_figure(film: xr.Dataset, image: np.ndarray, scale: float, below: int = 0) -> go.Figure:
    """A figure whose plot area is `image`, each pixel `scale` figure pixels wide, with `below` pixels of room under
    it.
    """
    height, width = image.shape[:2]
    tall = height * scale + below
    source = f"<b>{plain(film.attrs['model'])}, {plain(film.attrs['layer'])}</b>"
    found = f"tuning dimensions by {plain(method_name(settings_of(film)))}{_doubt(film)}"
    wide = round(width * scale) + MARGIN["l"] + MARGIN["r"]
    figure = go.Figure(
        # Drawn in the image's own pixels; the axes' ranges cut the half pixel that plotly adds on every side.
        go.Image(source=data_uri(webp(image), "webp"), x0=0.5, y0=0.5, hoverinfo="skip"),
        layout={
            "template": "plotly_white",
            "title": _title(source, ": ", found, wide, MARGIN["l"]),
            "font": FONT,
            "margin": MARGIN,
            "width": wide,
            "height": round(tall) + MARGIN["t"] + MARGIN["b"],
            "showlegend": False,
            "bargap": 0,
        },
    )
    # Invisible ticks keep the labels off the images.
    hidden = {"ticks": "outside", "ticklen": 6, "tickcolor": "rgba(0,0,0,0)"}
    axis = {"showgrid": False, "zeroline": False, "constrain": "domain", **hidden}
    figure.update_xaxes(range=[0, width], **axis)
    figure.update_yaxes(range=[height, 0], domain=[below / tall, 1], **axis)
    return figure


def _spread(available: int, points: int | None) -> Sequence[int]:
    remedy = f", or None for up to 12 of the film's {available}"
    wanted = 12 if points is None else whole("points", points, remedy=remedy)
    return np.unique(np.linspace(0, available - 1, min(wanted, available)).round().astype(int)).tolist()


def _row_text(film: xr.Dataset, dimension: int) -> str:
    share = share_text(film, dimension)
    return plain(dimension_name(film, dimension)) + (
        f"<br><span style='color:{GRAY}'>{share}</span>" if share else ""
    )
