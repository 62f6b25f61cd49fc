"""Panels: small plots of one kind side by side, on axes that can be compared.

In: one heading per panel. Out: a figure with empty, aligned axes of a fixed size, to which traces are added by row and
column. All panels share their ranges: what looks higher is higher.
"""

import math

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from .style import AXIS, FONT, TEMPLATE, WHITE, titled, wrapped

ALONE, SIDE, GAP_X = 420, 250, 36  # pixels: a panel alone, one of several, and the gap between two
LEFT, RIGHT, BOTTOM = 72, 24, 60
LINE_HEIGHT, ACROSS = 17, 4


def panel_grid(
    headings: list[str], title: str, subtitle: str, x: str, y: str, *, legend: bool = False
) -> tuple[go.Figure, list[dict[str, int]]]:
    """Empty panels under their headings, and where each is: `{"row": …, "col": …}`."""
    rows = math.ceil(len(headings) / ACROSS)
    across = math.ceil(len(headings) / rows)
    side = SIDE if len(headings) > 1 else ALONE
    lines = max(heading.count("<br>") + 1 for heading in headings)
    head = LINE_HEIGHT * lines + 8
    gap = head + 64
    width, height = across * side + (across - 1) * GAP_X, rows * side + (rows - 1) * gap
    said = wrapped(subtitle, width + RIGHT)
    # Room for the title, its second line, and the first row's headings.
    top = 50 + LINE_HEIGHT * len(said) + head + (28 if legend else 0)
    figure = make_subplots(
        rows,
        across,
        shared_xaxes="all",
        shared_yaxes="all",
        horizontal_spacing=GAP_X / width if across > 1 else 0,
        vertical_spacing=gap / height if rows > 1 else 0,
    )
    figure.update_layout(
        template=TEMPLATE,
        **WHITE,
        font=FONT,
        title=titled(title, "<br>".join(said)),
        width=width + LEFT + RIGHT,
        height=height + top + BOTTOM,
        margin={"l": LEFT, "r": RIGHT, "t": top, "b": BOTTOM},
        showlegend=legend,
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1 + (head + 4) / height,
            "yanchor": "bottom",
        },
    )
    figure.update_xaxes(**AXIS)
    figure.update_yaxes(**AXIS)
    places = []
    for at, heading in enumerate(headings):
        place = {"row": at // across + 1, "col": at % across + 1}
        places.append(place)
        # The row below a short last row has no axis there to be labeled.
        lowest = at + across >= len(headings)
        figure.update_xaxes(title=x if lowest else None, showticklabels=lowest, **place)
        figure.update_yaxes(title=y if place["col"] == 1 else None, **place)
        name = f"{(at and at + 1) or ''}"
        figure.add_annotation(
            x=0,
            y=1,
            xref=f"x{name} domain",
            yref=f"y{name} domain",
            xanchor="left",
            yanchor="bottom",
            yshift=4,
            align="left",
            showarrow=False,
            text=heading,
        )
    for at in range(len(headings), rows * across):
        figure.update_xaxes(visible=False, row=rows, col=at % across + 1)
        figure.update_yaxes(visible=False, row=rows, col=at % across + 1)
    return figure, places
