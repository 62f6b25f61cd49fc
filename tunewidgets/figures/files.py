"""Figures as files of a width on paper: SVG, PDF and PNG.

In: a plotly figure. Out: a file, drawn by plotly's own kaleido in this computer's Chrome or Chromium; if there is none,
by Pillow, for figures of images and text alone. A figure is scaled as a whole, so that nothing moves; text that becomes
too small to read raises a warning.
"""

import io
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from PIL import Image

from .._checks import a_type, local_path
from ..derived.whole_files import written_whole
from .arguments import positive
from .painting import can_paint, paint

FORMATS = (".pdf", ".png", ".svg")
MM, POINT = 96 / 25.4, 0.75  # CSS pixels per millimeter; points per CSS pixel
PATIENCE = 90  # seconds for a Chrome that starts and draws
LARGEST = 32_767  # pixels a side that Chrome can draw
SMALLEST_TEXT = 5.0  # points; the least that journals print


class NoBrowserError(Exception):
    """Plotly can't draw a figure as a file here."""


class NoKaleidoError(NoBrowserError, ImportError):
    """The package that talks to the browser is missing."""


class NoChromeError(NoBrowserError, RuntimeError):
    """The browser is missing."""


def save(
    figure: go.Figure, path: str | os.PathLike[str], *, width_mm: float | None = None, dpi: int = 300
) -> Path:
    """Save a figure as a file, as wide on paper as asked.

    Common widths: one column 85 to 89 mm, one and a half 120 to 140, two columns 180. Chrome or Chromium draws the
    file. Without either, film sheets, galleries and exceeding units can still be drawn: as PNG, or as PDF with the text
    as part of the picture.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        One of `tw.figures`, or any other.
    path : path
        Ends in .svg, .pdf (both with text as text, the PDF with its fonts) or .png.
    width_mm : float, optional
        Width on paper in millimeters; None keeps the size on the screen, at 96 pixels per inch.
    dpi : int, default 300
        Pixels per inch of that width, for a PNG and for a PDF drawn without a browser.

    Returns
    -------
    pathlib.Path
        Where the file is.

    Raises
    ------
    TypeError
        `figure` is not a plotly figure.
    ValueError
        The name ends in something else, the path is a URL or a folder's, the folder is missing, a number is not
        positive, or the picture would have more than 32,767 pixels a side.
    ImportError
        The figure needs the package kaleido, which is missing (`pip install 'tunewidgets[export]'`).
    RuntimeError
        The figure needs Chrome or Chromium, and none is found.

    Warns
    -----
    UserWarning
        Text would be smaller than 5 points, or is part of the picture in a PDF.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> figure = tw.figures.rs_selectivity_by_layer(tw.zoo.example("shallow_cnn"))
    >>> tw.figures.save(figure, "figure.pdf", width_mm=120)  # doctest: +SKIP
    PosixPath('figure.pdf')
    """
    file = _checked(figure, path, width_mm, dpi)
    wide, high = _size(figure)
    scale = 1.0 if width_mm is None else width_mm * MM / wide
    _warn_of_small_text(figure, scale, width_mm)
    kind = file.suffix.lower()[1:]
    pixels = scale * dpi / 96
    try:
        drawn = _drawn(figure, kind, wide, high, pixels if kind == "png" else scale)
    except NoBrowserError:
        if kind == "svg" or not can_paint(figure):
            raise
        if kind == "pdf":
            warnings.warn(
                f"the text in {file.name} is part of the picture; it stays text where Chrome or Chromium is found",
                stacklevel=2,
            )
        _check_pixels(figure, width_mm, dpi)
        with written_whole(file) as part:
            _save_painted(figure, part, pixels, dpi)
        return file
    with written_whole(file) as part:
        if kind == "png":
            Image.open(io.BytesIO(drawn)).save(part, dpi=(dpi, dpi))
        else:
            part.write_bytes(drawn)
    return file


def _save_painted(figure: go.Figure, file: Path, pixels: float, dpi: int) -> None:
    picture = paint(figure, pixels)
    if file.suffix.lower() == ".png":
        picture.save(file, dpi=(dpi, dpi))
    else:
        picture.save(file, resolution=dpi, quality=95)


def _checked(figure: Any, path: str | os.PathLike[str], width_mm: float | None, dpi: int) -> Path:
    if not isinstance(figure, go.Figure):
        raise TypeError(f"figure is {a_type(figure)}; give a plotly figure, as tw.figures makes them")
    file = local_path(path, "the figure's path")
    if file.suffix.lower() not in FORMATS:
        raise ValueError(f"{file.name!r} says no format; end the name in {', '.join(FORMATS)}")
    if not file.parent.is_dir():
        raise ValueError(f"there is no folder {str(file.parent)!r}; make it first")
    if file.is_dir():
        raise ValueError(f"{str(file)!r} is a folder; give the path of a file")
    if width_mm is not None:
        positive("width_mm", width_mm)
    positive("dpi", dpi)
    if file.suffix.lower() == ".png":
        _check_pixels(figure, width_mm, dpi)
    return file


def _check_pixels(figure: go.Figure, width_mm: float | None, dpi: float) -> None:
    """Raise a ValueError if a picture would be larger than can be drawn."""
    wide, high = _size(figure)
    scale = dpi / 96 * (1.0 if width_mm is None else width_mm * MM / wide)
    if max(wide, high) * scale > LARGEST:
        raise ValueError(
            f"dpi={dpi!r} makes a picture of {wide * scale:,.0f} × {high * scale:,.0f} pixels; give a smaller dpi or "
            f"width_mm, for up to {LARGEST:,} pixels a side"
        )


def _size(figure: go.Figure) -> tuple[float, float]:
    """Width and height in CSS pixels, plotly's own where the figure says nothing."""
    return float(figure.layout.width or 700), float(figure.layout.height or 450)


def _warn_of_small_text(figure: go.Figure, scale: float, width_mm: float | None) -> None:
    smallest = min(_font_sizes(figure.to_plotly_json()), default=12.0) * POINT * scale
    if width_mm is not None and smallest < SMALLEST_TEXT:
        enough = width_mm * SMALLEST_TEXT / smallest
        warnings.warn(
            f"at {width_mm:g} mm the smallest text is {smallest:.1f} points; {enough:.0f} mm make it "
            f"{SMALLEST_TEXT:g}, or draw fewer panels",
            stacklevel=3,
        )


def _font_sizes(part: Any, within: str = "") -> Iterator[float]:
    """The sizes, in CSS pixels, of all fonts that a figure names."""
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "size" and within.endswith("font") and isinstance(value, int | float):
                yield float(value)
            else:
                yield from _font_sizes(value, name)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _font_sizes(value, within)


def _drawn(figure: go.Figure, kind: str, wide: float, high: float, scale: float) -> bytes:
    if find_spec("kaleido") is None:
        raise NoKaleidoError(
            "figures as files need the package kaleido; install it with: pip install 'tunewidgets[export]'"
        )
    try:
        return bytes(_soon(lambda: figure.to_image(format=kind, width=wide, height=high, scale=scale)))
    except RuntimeError as error:
        if isinstance(error, NoChromeError) or "Chrome" not in str(error):
            raise
        # Plotly's own words are eight lines that name a command which downloads a browser.
        raise NoChromeError(
            "figures as files are drawn by Chrome or Chromium, and none is found here; install one of them"
        ) from error


def _soon(draw: Callable[[], Any]) -> Any:
    """What `draw` returns. Plotly waits forever for a Chrome that dies as it starts, so a second one is then tried."""
    for _ in range(2):
        drawn: Future[Any] = Future()

        def run(drawn: Future[Any] = drawn) -> None:
            try:
                drawn.set_result(draw())
            except Exception as error:
                drawn.set_exception(error)

        # A daemon: a thread that waits forever must not keep Python from ending.
        threading.Thread(target=run, daemon=True).start()
        try:
            return drawn.result(PATIENCE)
        except TimeoutError:
            continue
    raise NoChromeError(f"Chrome was started twice and drew nothing in {PATIENCE} seconds; try again")
