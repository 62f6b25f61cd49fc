"""The scatter's still picture: what a layer of units looks like where no widget can run.

In: one layer's unit record, two columns, an objective and the opened unit. Out: one Pillow image, in a few
milliseconds: the scatter on the left, images of units on the right.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ..derived.shown_images import shown_images
from ..derived.unit_axes import Axis, place
from ..derived.unit_columns import Column, columns, waiting
from .stills import BLUE, INK, LINE, QUIET, Font, fitted

MARGIN, HEAD, PLOT, AXIS = 16, 56, (440, 320), 40
CELL, GAP, ACROSS, DOWN = 72, 22, 4, 3
WARM = (213, 94, 0)


def unit_still(
    units: xr.Dataset, x: str, y: str, objective: str, opened: int | None, layers: int
) -> Image.Image:
    """The scatter of `x` and `y`, and a dozen units' images from the least `x` to the largest.

    The opened unit, if there is one, comes first and is ringed.
    """
    known = columns(units, objective)
    pictures = "image" in units and objective in units["objective"].values
    wide = 2 * MARGIN + AXIS + PLOT[0] + (MARGIN + ACROSS * (CELL + 6) if pictures else 0)
    still = Image.new("RGB", (wide, HEAD + PLOT[1] + AXIS + MARGIN), "white")
    draw = ImageDraw.Draw(still)
    bold, plain = ImageFont.load_default(15), ImageFont.load_default(12)
    title = f"{units.attrs['model']} · {units.attrs['layer']}"
    draw.text((MARGIN, MARGIN - 4), fitted(title, bold, wide - 2 * MARGIN), INK, bold)
    line = f"{units.sizes['unit']} units" + (f", one of {layers} layers" if layers > 1 else "")
    if pictures:
        line += f"; {objective.upper()} images"
        if missing := int(waiting(units).sel(objective=objective).sum()):
            line += f", {missing} not rendered yet"
    draw.text((MARGIN, MARGIN + 16), line, QUIET, plain)

    at_x, at_y = _along(known[x], PLOT[0]), PLOT[1] - _along(known[y], PLOT[1])
    there = np.flatnonzero(np.isfinite(at_x) & np.isfinite(at_y))
    left, top = MARGIN + AXIS, HEAD
    draw.line([(left, top), (left, top + PLOT[1]), (left + PLOT[0], top + PLOT[1])], LINE, 1)
    _ends(draw, known[x], known[y], (left, top), plain)
    for unit in there:
        _dot(draw, left + at_x[unit], top + at_y[unit], 3, fill=BLUE)
    if opened is not None and opened in there:
        _dot(draw, left + at_x[opened], top + at_y[opened], 8, outline=WARM)
    if pictures:
        _gallery(still, draw, units, objective, opened, there[np.argsort(at_x[there], kind="stable")], plain)
    return still


def _along(column: Column, length: int) -> NDArray[np.float64]:
    """Where each unit stands on an axis `length` pixels long, NaN where it has no value."""
    scale, (low, high) = column.axis.scale, column.axis.range
    values = np.array([np.nan if value is None else place(value, scale) for value in column.values], float)
    return ((np.log10(values) if scale == "log" else values) - low) * length / (high - low)


def _dot(draw: ImageDraw.ImageDraw, x: float, y: float, radius: int, **paint: tuple[int, int, int]) -> None:
    draw.ellipse([x - radius, y - radius, x + radius, y + radius], **paint)  # type: ignore[arg-type]


def _ends(
    draw: ImageDraw.ImageDraw,
    x: Column,
    y: Column,
    corner: tuple[int, int],
    font: Font,
) -> None:
    """The axes' names and the values at their ends."""
    left, top = corner
    bottom, right = top + PLOT[1], left + PLOT[0]
    ends = _said(x.axis)
    draw.text((left, bottom + 4), ends[0], QUIET, font)
    draw.text((right, bottom + 4), ends[1], QUIET, font, anchor="ra")
    draw.text(((left + right) / 2, bottom + 4), x.label, INK, font, anchor="ma")
    ends = _said(y.axis)
    draw.text((left - 5, bottom), ends[0], QUIET, font, anchor="rs")
    draw.text((left - 5, top), ends[1], QUIET, font, anchor="ra")
    draw.text((left + 6, top), y.label, INK, font)


def _said(axis: Axis) -> list[str]:
    """The values at an axis' ends."""
    of_end = {"log": lambda end: 10**end, "root": lambda end: end * abs(end)}.get(axis.scale, float)
    return [f"{of_end(end):.2g}" for end in axis.range]


def _gallery(
    still: Image.Image,
    draw: ImageDraw.ImageDraw,
    units: xr.Dataset,
    objective: str,
    opened: int | None,
    ranked: NDArray[np.int_],
    font: Font,
) -> None:
    shown = units.sel(objective=objective)
    images = shown_images(shown)
    rendered = shown["rendered"].values
    ranked = ranked[rendered[ranked]]
    first = [opened] if opened is not None and rendered[opened] else []
    rest = ranked[ranked != opened]
    spread = np.unique(np.linspace(0, len(rest) - 1, ACROSS * DOWN - len(first)).round().astype(int))
    chosen = [*first, *(rest[spread].tolist() if len(rest) else [])]
    corner = 2 * MARGIN + AXIS + PLOT[0]
    for at, unit in enumerate(chosen):
        x, y = corner + at % ACROSS * (CELL + 6), HEAD + at // ACROSS * (CELL + GAP)
        image = Image.fromarray(images[unit]).resize((CELL, CELL), Image.Resampling.BILINEAR)
        still.paste(image, (x, y))
        if unit == opened:
            draw.rectangle([x - 2, y - 2, x + CELL + 1, y + CELL + 1], outline=WARM, width=2)
        draw.text((x, y + CELL + 2), f"unit {unit}", QUIET, font)
