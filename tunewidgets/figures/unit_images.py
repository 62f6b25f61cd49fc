"""Units by their images: one unit on a card, and a layer's units side by side in a gallery.

In: a unit record. Out: `plotly.graph_objects.Figure`. Axes are in the figure's own pixels, so that every image and its
caption are exactly in place.
"""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from tunewidgets.derived.pictures import data_uri, mosaic, webp
from tunewidgets.derived.shown_images import has_display, is_flat
from tunewidgets.derived.unit_columns import OBJECTIVE_NAMES, columns, layer_of

from .arguments import whole
from .own_images import checked_unit, enlarged, how_made, images_of, number_of, written
from .style import AXIS, BLUE, FONT, GRAY, SMALL, TEMPLATE, WHITE, plain, shortened, titled, wrapped

# Pixels: an image on a card and in a gallery, between two, below one.
SIDE, CELL, GAP, CAPTION = 200, 72, 8, 34
LEFT, RIGHT, TOP, BOTTOM, LINE = 32, 32, 84, 28, 17
NAMES, BARS, BAR = 128, 240, 20  # pixels: room for classes' names, the longest bar, from bar to bar
CLASSES, EXEMPLARS, MOST = 10, 6, 96
FACTS = {
    "selectivity": "selectivity",
    "rs": "RS",
    "substitutes": "respond alike",
    "accuracy_drop": "accuracy drop",
    "worst_class_drop": "worst class",
}


def unit_card(
    units: xr.Dataset | xr.DataTree, unit: int, layer: str | None = None, shown: str = "display"
) -> go.Figure:
    """All that a record says about one unit: its images, its measures, and what it responds to.

    Parameters
    ----------
    units : xarray.Dataset or xarray.DataTree
        A unit record, or a tree with one per layer.
    unit : int
        Which unit.
    layer : str, optional
        Which layer of a tree that has several.
    shown : {"display", "measured"}
        If it has two images per objective: the one for the eye, or the one that RS was measured on.

    Returns
    -------
    plotly.graph_objects.Figure
        Traces: its images, one per objective; the images of the data that it responds to most, if the record has them;
        bars of its mean activation by class, of the ten strongest classes.

    Raises
    ------
    RecordError
        If `units` is not a unit record.
    ValueError
        If it has no such layer or unit, or no image of it; if `shown` is neither.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> figure = tw.figures.unit_card(tw.zoo.example("shallow_cnn"), 3, layer="relu1")
    >>> [trace.type for trace in figure.data]
    ['image', 'image', 'bar']
    """
    record = layer_of(units, layer)
    # IAM first, as everywhere; if one failed, only the other.
    there = [str(name) for name in record["objective"].values] if "objective" in record.coords else []
    first = "iam" if "iam" in there or not there else there[0]
    own = images_of(record, first, shown)
    unit = checked_unit(own, unit)
    every = {name: images_of(record, name, shown) for name in dict.fromkeys([first, *there])}
    pictures = [
        (_which(name, one, unit, shown), enlarged(one["image"].values[[unit]], SIDE)[0])
        for name, one in every.items()
        if one["rendered"].values[unit]
    ]
    wide = len(pictures) * (SIDE + GAP) - GAP
    exemplars = (
        enlarged(record["exemplar_image"].values[unit][:EXEMPLARS], CELL)
        if "exemplar_image" in record
        else np.empty((0, 1, 1, 3), np.uint8)
    )
    high = SIDE + CAPTION + ((wide - (EXEMPLARS - 1) * GAP) // EXEMPLARS + CAPTION if len(exemplars) else 0)
    bars = "class_mean" in record
    figure = _empty(
        wide + (NAMES + BARS if bars else 0),
        high,
        f"<b>{plain(record.attrs['layer'])}: unit {number_of(own, unit)}</b>",
        _facts(record, first, unit),
        across=wide,
    )
    for place, (name, image) in enumerate(pictures):
        left = place * (SIDE + GAP)
        _add_image(figure, image, left, 0, SIDE)
        _add_text(figure, f"<span style='color:{GRAY}'>{plain(name)}</span>", left, SIDE)
    if len(exemplars):
        strip = mosaic(exemplars, EXEMPLARS, max(1, round(GAP * exemplars.shape[2] / CELL)))
        _add_image(figure, strip, 0, SIDE + CAPTION, wide)
        _add_text(figure, f"<span style='color:{GRAY}'>what it responds to most</span>", 0, high - CAPTION)
    if bars:
        _add_bars(figure, record, unit, high)
    return figure


def unit_gallery(
    units: xr.Dataset | xr.DataTree,
    layer: str | None = None,
    objective: str = "iam",
    by: str = "selectivity",
    count: int | None = None,
    across: int = 12,
    shown: str = "display",
) -> go.Figure:
    """The images of a layer's units side by side, from the largest value of a measure to the smallest.

    Parameters
    ----------
    units : xarray.Dataset or xarray.DataTree
        A unit record, or a tree with one per layer.
    layer : str, optional
        Which layer of a tree that has several.
    objective : {"iam", "am"}
        Whose images.
    by : str, default "selectivity"
        The column that orders them, such as "rs" or "accuracy_drop"; units without a value come last.
    count : int, optional
        How many units to show, evenly spread over that order; by default all, up to 96.
    across : int, default 12
        Images per row.
    shown : {"display", "measured"}
        For units with two images: the one for the eye, or the one that RS was measured on.

    Returns
    -------
    plotly.graph_objects.Figure
        One trace, the images; below each the unit and its value.

    Raises
    ------
    RecordError
        If `units` is not a unit record.
    ValueError
        If it has no such layer, objective or column, no images, `count` or `across` is less than 1, or `shown` is
        neither.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> figure = tw.figures.unit_gallery(tw.zoo.example("shallow_cnn"), layer="relu1", count=12)
    >>> len(figure.layout.annotations)
    12
    """
    record = layer_of(units, layer)
    own = images_of(record, objective, shown)
    known = columns(record, objective)
    if by not in known:
        raise ValueError(f"this record has no column {by!r}; it has {', '.join(known)}")
    count = MOST if count is None else whole("count", count)
    across = whole("across", across)
    order = _ordered(own, known[by].values)
    if not len(order):
        raise ValueError(f"no unit of this layer has an image for {objective!r}")
    chosen = order[np.unique(np.linspace(0, len(order) - 1, min(len(order), count)).round().astype(int))]
    across = min(across, len(chosen))
    images = enlarged(own["image"].values[chosen], CELL)
    height, width = images.shape[1:3]
    # All in the images' own pixels: rounded to them, captions would drift away from their images.
    step = CELL / width
    gap, room = max(1, round(GAP / step)), round(CAPTION / step)
    sheet = mosaic(np.pad(images, ((0, 0), (0, room), (0, 0), (0, 0)), constant_values=255), across, gap)
    total = own.sizes["unit"]
    wide = max(sheet.shape[1] * step, 440)
    figure = _empty(
        wide,
        sheet.shape[0] * step,
        f"<b>{plain(record.attrs['layer'])}</b>: "
        f"{f'{len(chosen)} of {total}' if len(chosen) < total else f'all {total}'} units by {known[by].label}",
        "<br>".join(wrapped(how_made(own, objective, shown, chosen.tolist()), round(wide))),
    )
    _add_image(figure, sheet, 0, 0, sheet.shape[1] * step)
    for place, at in enumerate(chosen):
        row, column = divmod(place, across)
        value = written(record, known[by], at)
        text = f"<b>{number_of(own, at)}</b> <span style='color:{GRAY}'>{value}</span>"
        top = row * (height + room + gap) + height
        _add_text(figure, text, column * (width + gap) * step, top * step)
    return figure


def _which(objective: str, own: xr.Dataset, unit: int, shown: str) -> str:
    """What one image of a unit is."""
    kind = ""
    if has_display(own)[unit] and shown == "display":
        kind = str(own["display"].values[unit])
    elif is_flat(own)[unit]:
        kind = "one flat color"
    elif has_display(own)[unit]:
        kind = "as RS was measured"
    return ", ".join(filter(None, [f"{OBJECTIVE_NAMES.get(objective, objective)} image", kind]))


def _ordered(own: xr.Dataset, values: list[Any]) -> np.ndarray:
    """Units with an image, the largest value first, those without one last."""
    number = np.array([-np.inf if value is None else value for value in values], float)
    order = np.argsort(-number, kind="stable")
    return order[own["rendered"].values[order]]


def _empty(width: float, height: float, title: str, subtitle: str, across: float | None = None) -> go.Figure:
    """A figure without a trace, whose first axes count its pixels."""
    across = width if across is None else across
    top = TOP + LINE * subtitle.count("<br>")
    return go.Figure(
        layout={
            "template": TEMPLATE,
            **WHITE,
            "font": FONT,
            "title": titled(title, subtitle),
            "width": round(width) + LEFT + RIGHT,
            "height": round(height) + top + BOTTOM,
            "margin": {"l": LEFT, "r": RIGHT, "t": top, "b": BOTTOM},
            "showlegend": False,
            "xaxis": {"visible": False, "range": [0, across], "domain": [0, across / width]},
            "yaxis": {"visible": False, "range": [height, 0]},
        }
    )


def _add_image(figure: go.Figure, image: np.ndarray, left: float, top: float, width: float) -> None:
    step = width / image.shape[1]
    # Plotly's x0 and y0 are the middle of the first pixel.
    place = {"x0": left + step / 2, "y0": top + step / 2, "dx": step, "dy": step}
    figure.add_trace(go.Image(source=data_uri(webp(image), "webp"), hoverinfo="skip", **place))


def _add_text(figure: go.Figure, text: str, left: float, top: float) -> None:
    figure.add_annotation(
        x=left,
        y=top,
        text=text,
        xanchor="left",
        yanchor="top",
        xshift=-2,
        yshift=-2,
        align="left",
        showarrow=False,
    )


def _facts(record: xr.Dataset, objective: str, unit: int) -> str:
    known = columns(record, objective)
    facts = [
        f"{label} {written(record, known[name], unit)}" for name, label in FACTS.items() if name in known
    ]
    if "preferred_class" in known:
        facts.insert(0, f"prefers {written(record, known['preferred_class'], unit)}")
    return ", ".join(facts)


def _add_bars(figure: go.Figure, record: xr.Dataset, unit: int, high: int) -> None:
    means = record["class_mean"].values[unit]
    strongest = np.argsort(-means, kind="stable")[:CLASSES]
    classes = record["cls"].values if "cls" in record.coords else None
    names = [f"class {at}" if classes is None else str(classes[at]) for at in strongest]
    across = figure.layout.width - LEFT - RIGHT
    figure.add_bar(
        orientation="h",
        x=means[strongest],
        y=np.arange(len(strongest)),
        width=0.6,
        customdata=[plain(name) for name in names],
        marker={"color": [BLUE, *["#a6a6a6"] * (len(strongest) - 1)], "line": {"width": 0}},
        hovertemplate="%{customdata}: %{x:.3g}<extra></extra>",
        xaxis="x2",
        yaxis="y2",
    )
    figure.update_layout(
        xaxis2={
            **AXIS,
            "domain": [1 - BARS / across, 1],
            "anchor": "y2",
            "rangemode": "tozero",
            "nticks": 5,
            "title": {"text": "mean activation", "font": {"size": SMALL}},
        },
        yaxis2={
            "domain": [1 - min(high - CAPTION, len(names) * BAR) / high, 1],
            "anchor": "x2",
            "range": [len(names) - 0.5, -0.5],
            "tickvals": list(range(len(names))),
            "ticktext": [plain(shortened(name)) for name in names],
            "showgrid": False,
            "zeroline": False,
        },
    )
