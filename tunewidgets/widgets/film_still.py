"""The explorer's still picture: what a film looks like where no widget can run.

In: a film record, as its reader left it, the dimensions to show and where their sliders stand. Out: one Pillow image,
in a few milliseconds.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from PIL import Image, ImageDraw, ImageFont

from ..derived.film_text import dimension_name, film_warnings, method_name, share_text
from ..derived.pictures import mosaic
from ..records import settings_of
from .stills import INK, QUIET, fitted

CELL, GAP, NAME, MARGIN, HEAD = 72, 3, 190, 16, 44
COLUMNS, ROWS = 7, 8
WARM, ACCENT = (185, 80, 0), (0, 114, 178)


def film_still(
    film: xr.Dataset, dimensions: Sequence[int], points: Sequence[int] | None = None
) -> Image.Image:
    """A row of images for each of the first dimensions, with a heading that says what they are of.

    `points`: one per dimension; the image nearest to it is framed, as in the widget.
    """
    rows = list(dimensions)[:ROWS]
    settings = settings_of(film)
    notes = film_warnings(settings)
    if len(dimensions) > ROWS:
        notes.append(f"and {len(dimensions) - ROWS} more dimensions")
    columns = min(COLUMNS, film.sizes["point"])
    inner = NAME + columns * (CELL + GAP) - GAP
    width = 2 * MARGIN + inner
    height = 2 * MARGIN + HEAD + len(rows) * (CELL + GAP) + 20 * len(notes)
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    bold, plain = ImageFont.load_default(15), ImageFont.load_default(12)

    title = f"{film.attrs['model']} · {film.attrs['layer']}"
    draw.text((MARGIN, MARGIN - 4), fitted(title, bold, inner), INK, bold)
    line = f"tuning dimensions by {method_name(settings)}, {settings.get('sampling', 'unknown')} sampling"
    draw.text((MARGIN, MARGIN + 16), fitted(line, plain, inner), QUIET, plain)
    for row, dimension in enumerate(rows):
        top = MARGIN + HEAD + row * (CELL + GAP)
        draw.text((MARGIN, top + 18), fitted(dimension_name(film, dimension), plain, NAME - 12), INK, plain)
        draw.text((MARGIN, top + 36), share_text(film, dimension), QUIET, plain)
        status = str(film["status"].values[dimension])
        if status:
            draw.text((MARGIN + NAME, top + 28), fitted(status, plain, inner - NAME), QUIET, plain)
        else:
            strip = film_row(film, dimension, columns)
            picture.paste(Image.fromarray(strip), (MARGIN + NAME, top))
            if points is not None:
                at = int(np.abs(row_points(film, columns) - points[row]).argmin())
                left = MARGIN + NAME + at * (CELL + GAP)
                draw.rectangle((left - 2, top - 2, left + CELL + 1, top + CELL + 1), outline=ACCENT, width=2)
    for at, note in enumerate(notes):
        top = height - MARGIN - 20 * (len(notes) - at) + 4
        draw.text((MARGIN, top), fitted(note, plain, inner), WARM, plain)
    return picture


def row_points(film: xr.Dataset, columns: int) -> np.ndarray:
    """`columns` points, evenly from the first to the last; fewer where the film has fewer."""
    return np.unique(np.linspace(0, film.sizes["point"] - 1, columns).round().astype(int))


def film_row(film: xr.Dataset, dimension: int, columns: int) -> np.ndarray:
    """`columns` images from the first point to the last, at the size of a still picture's cells."""
    images = film["image"].values[dimension, row_points(film, columns)]
    cells = [
        np.asarray(Image.fromarray(image).resize((CELL, CELL), Image.Resampling.BILINEAR)) for image in images
    ]
    return mosaic(np.stack(cells), columns=len(cells), gap=GAP)
