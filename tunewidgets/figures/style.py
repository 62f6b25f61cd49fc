"""The style of all figures: colors, symbols, type and text.

In: a figure's texts and marks. Out: plotly settings as plain dicts, and text made safe. A figure sets everything it
needs, so that it looks the same under any plotly template.
"""

import textwrap
from typing import Any

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, ORANGE, YELLOW = "#56B4E9", "#E69F00", "#F0E442"
GRAY, INK, LINE = "#767676", "#222222", "#e4e4e4"
# Okabe and Ito's, without black, which a dark page hides. With ten symbols, 70 pairs before one repeats.
COLORS = (BLUE, VERMILION, GREEN, PURPLE, SKY, ORANGE, YELLOW)
# fmt: off
SYMBOLS = (
    "circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "x", "star", "bowtie", "hourglass",
)
# fmt: on
# Viridis from its light end: more is darker.
SEQUENTIAL = [[0.0, "#f0e51c"], [0.25, "#74d055"], [0.5, "#20908d"], [0.75, "#404588"], [1.0, "#440154"]]
FONT = {"family": "Helvetica, Arial, sans-serif", "size": 12, "color": INK}
SMALL = 12
LONGEST_NAME = 24  # characters in a legend
TITLE = {"x": 0, "xref": "paper", "font": {"size": 15}}
AXIS: dict[str, Any] = {
    "showline": True,
    "linecolor": GRAY,
    "linewidth": 1,
    "ticks": "outside",
    "ticklen": 4,
    "tickcolor": GRAY,
    "showgrid": True,
    "gridcolor": LINE,
    "zeroline": False,
}
WHITE = {"paper_bgcolor": "#ffffff", "plot_bgcolor": "#ffffff"}
# Empty, since plotly would fill in a missing one.
TEMPLATE: dict[str, Any] = {"data": {"scatter": [{"type": "scatter"}]}}


def plain(text: object) -> str:
    """Text that someone typed, escaped so that plotly doesn't read it as markup."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shortened(text: str) -> str:
    """A name, cut to the room in a legend, which would otherwise grow at the plot's expense."""
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1].rstrip()}…"


def mark_of(place: int) -> dict[str, str]:
    """The color and symbol of the class, layer or curve at `place` in its list."""
    return {"color": COLORS[place % len(COLORS)], "symbol": SYMBOLS[place % len(SYMBOLS)]}


def hundredths(value: float) -> str:
    """A number with two decimals and a true minus sign, halves away from zero, as the page writes it."""
    whole = int(100 * abs(value) + 0.5)
    return f"{'−' if value < 0 and whole else ''}{whole // 100}.{whole % 100:02d}"


def correlated(rho: float, low: float, high: float) -> str:
    """Rho with its interval, in brief."""
    if rho != rho or low != low:
        return "ρ not defined"
    return f"ρ = {hundredths(rho)} [{hundredths(low)}, {hundredths(high)}]"


def wrapped(text: str, width: int) -> list[str]:
    """Text in lines that fit `width` pixels at the size of a subtitle, safe for plotly."""
    return [plain(line) for line in textwrap.wrap(text, max(20, int(width / 5.6)))]


def titled(title: str, subtitle: str) -> dict[str, Any]:
    """A figure's title, at its top, above quieter lines."""
    return {
        **TITLE,
        "text": title,
        "y": 1,
        "yref": "container",
        "yanchor": "top",
        "pad": {"t": 16},
        "subtitle": {"text": subtitle, "font": {"size": SMALL, "color": GRAY}},
    }
