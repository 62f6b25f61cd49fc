"""Who exceeds whom: a unit's image beside those of the units that respond to it more strongly.

In: a unit record. Out: `plotly.graph_objects.Figure`, its images one encoded mosaic.
"""

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from tunewidgets.derived.pictures import data_uri, mosaic, webp
from tunewidgets.derived.unit_columns import layer_of

from .arguments import whole
from .own_images import checked_unit, enlarged, how_made, images_of, number_of
from .style import FONT, GRAY, TEMPLATE, WHITE, hundredths, plain, titled, wrapped

GAP = 28
WIDTH = 200  # of an image, on the figure


def exceeding_units(
    units: xr.Dataset | xr.DataTree,
    unit: int | None = None,
    layer: str | None = None,
    objective: str = "iam",
    count: int = 2,
    shown: str = "measured",
) -> go.Figure:
    """A unit's image beside the images of the units that respond more strongly to it, strongest first.

    Parameters
    ----------
    units : xarray.Dataset or xarray.DataTree
        A unit record, or a tree with one per layer.
    unit : int, optional
        Which unit; None: the most selective one that at least `count` units exceed.
    layer : str, optional
        Which layer of a tree that has several.
    objective : {"iam", "am"}
        Whose images.
    count : int, default 2
        How many exceeding units to show; where there are fewer, all.
    shown : {"measured", "display"}
        For units with two images: the one on which the others exceed it, or the one for the eye.

    Returns
    -------
    plotly.graph_objects.Figure
        One trace, the images; above the first the unit's selectivity and RS, above each other one how many times as
        strongly it responds to that image.

    Raises
    ------
    RecordError
        If `units` is not a unit record.
    ValueError
        If it has no such layer, objective or unit, no images, or no unit that so many others exceed; if `count` is less
        than 1, or `shown` is neither.

    Notes
    -----
    Figure 2 of *Understanding the Importance of Single Directions via Representative Substitution*.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> figure = tw.figures.exceeding_units(tw.zoo.example("shallow_cnn"), layer="relu1")
    >>> len(figure.layout.annotations)
    3
    """
    record = layer_of(units, layer)
    own = images_of(record, objective, shown)
    count = whole("count", count)
    at = _most_selective(own, count) if unit is None else checked_unit(own, unit)
    others = [int(other) for other in own["exceeder"].values[at] if other >= 0][:count]
    units_shown = [at, *others]
    # So that the gaps stay the same whatever the images' size.
    images = enlarged(own["image"].values[units_shown], WIDTH)
    strip = mosaic(images, len(units_shown), GAP)
    texts = [_about(own, at), *(_response(own, at, place, other) for place, other in enumerate(others))]
    wide = max(strip.shape[1], 440)
    said = wrapped(how_made(own, objective, shown, units_shown), wide)
    top = 53 + 17 * len(said) + 58
    figure = go.Figure(
        go.Image(source=data_uri(webp(strip), "webp"), x0=0.5, y0=0.5, hoverinfo="skip"),
        layout={
            "template": TEMPLATE,
            **WHITE,
            "font": FONT,
            "title": titled(
                f"<b>{plain(record.attrs['layer'])}</b>: who exceeds unit {number_of(own, at)} on its own image",
                "<br>".join(said),
            ),
            "width": wide + 2 * 32,
            "height": strip.shape[0] + top + 28,
            "margin": {"l": 32, "r": 32, "t": top, "b": 28},
        },
    )
    figure.update_xaxes(visible=False, range=[0, wide])
    figure.update_yaxes(visible=False, range=[strip.shape[0], 0])
    for place, text in enumerate(texts):
        figure.add_annotation(
            x=place * (images.shape[2] + GAP),
            y=0,
            xanchor="left",
            yanchor="bottom",
            align="left",
            yshift=4,
            showarrow=False,
            text=text,
        )
    return figure


def _most_selective(own: xr.Dataset, count: int) -> int:
    exceeded = (own["exceeder"].values >= 0).sum(1) >= count
    dead = own["dead"].values if "dead" in own else np.zeros(len(exceeded), dtype=bool)
    wanted = exceeded & own["rendered"].values & ~dead
    if not wanted.any():
        raise ValueError(
            f"no unit here is exceeded by {count} others on its own image; give a smaller count, or unit="
        )
    order = own["selectivity"].values if "selectivity" in own else -np.arange(len(wanted), dtype=float)
    return int(np.where(wanted, order, -np.inf).argmax())


def _about(own: xr.Dataset, at: int) -> str:
    facts = [
        f"{label} {hundredths(float(own[name].values[at]))}"
        for name, label in (("selectivity", "selectivity"), ("rs", "RS"))
        if name in own and np.isfinite(own[name].values[at])
    ]
    return f"<b>unit {number_of(own, at)}</b><br><span style='color:{GRAY}'>{', '.join(facts)}</span>"


def _response(own: xr.Dataset, at: int, place: int, other: int) -> str:
    ratio = float(own["exceeder_response"].values[at, place]) / float(own["own_response"].values[at])
    times = f"responds {ratio:.1f}× as strongly" if np.isfinite(ratio) else "responds more strongly"
    return f"<b>unit {number_of(own, other)}</b><br><span style='color:{GRAY}'>{times}</span>"
