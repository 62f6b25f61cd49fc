"""Figures of images and text alone, drawn by Pillow where no browser is found.

In: a plotly figure and the scale, in pixels per pixel of the figure. Out: a Pillow image, laid out as plotly lays it
out. Film sheets, galleries and exceeding units are such figures; one with points, lines or bars is not.
"""

import base64
import io
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, NamedTuple

import plotly.graph_objects as go
from PIL import Image, ImageDraw, ImageFont

from .style import INK

LINE = 1.3  # from line to line, in sizes of the type
TITLE_GAP, TICK_GAP, INSET = 14, 3, 2  # pixels: below a title, beyond a tick, around an annotation
# Fonts that computers have, regular and bold; Pillow brings one more, which has neither Greek nor bold.
FACES = (
    ("Arial.ttf", "Arial Bold.ttf"),
    ("arial.ttf", "arialbd.ttf"),
    ("LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf"),
    ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
)
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class TextRun(NamedTuple):
    """A piece of text that looks the same throughout."""

    text: str
    bold: bool
    color: str


def can_paint(figure: go.Figure) -> bool:
    """Whether a figure is made of images and text alone."""
    layout = figure.layout
    return (
        len(figure.data) > 0
        and all(trace.type == "image" and trace.source for trace in figure.data)
        and {(trace.xaxis or "x", trace.yaxis or "y") for trace in figure.data} == {("x", "y")}
        and not (layout.shapes or layout.images or layout.showlegend)
        and all(not note.showarrow and _on_axes(note) for note in layout.annotations)
    )


def _on_axes(note: Any) -> bool:
    return (note.xref or "x", note.yref or "y") == ("x", "y")


def paint(figure: go.Figure, scale: float) -> Image.Image:
    """Draw a figure that `can_paint` accepts, at `scale` pixels per pixel of the figure."""
    return _Painter(figure, scale).painted()


class _Painter:
    def __init__(self, figure: go.Figure, scale: float) -> None:
        self.layout, self.scale = figure.layout, scale
        self.traces = figure.data
        margin = self.layout.margin
        self.left, self.top = margin.l, margin.t
        self.wide = self.layout.width - margin.l - margin.r
        self.high = self.layout.height - margin.t - margin.b
        size = (round(self.layout.width * scale), round(self.layout.height * scale))
        self.picture = Image.new("RGB", size, self.layout.paper_bgcolor or "white")
        self.draw = ImageDraw.Draw(self.picture)

    def painted(self) -> Image.Image:
        for trace in self.traces:
            self._image(trace)
        self._title()
        self._ticks()
        for note in self.layout.annotations:
            x = self._x(note.x) + (note.xshift or 0) + INSET * {"left": 1, "right": -1}.get(note.xanchor, 0)
            # Plotly shifts upward.
            y = self._y(note.y) - (note.yshift or 0)
            anchors = (note.xanchor or "center", note.yanchor or "middle")
            self._text(note.text, (x, y), anchors, self._size(note.font), color=note.font.color)
        return self.picture

    def _x(self, value: float) -> float:
        """Where a coordinate stands, in the figure's own pixels."""
        (start, end), (low, high) = self.layout.xaxis.range, self.layout.xaxis.domain or (0, 1)
        return self.left + self.wide * (low + (value - start) / (end - start) * (high - low))

    def _y(self, value: float) -> float:
        (start, end), (low, high) = self.layout.yaxis.range, self.layout.yaxis.domain or (0, 1)
        return self.top + self.high * (1 - low - (value - start) / (end - start) * (high - low))

    def _size(self, font: Any) -> float:
        return float(font.size or self.layout.font.size or 12)

    def _image(self, trace: Any) -> None:
        image = Image.open(io.BytesIO(base64.b64decode(trace.source.partition(",")[2]))).convert("RGB")
        dx, dy = trace.dx or 1, trace.dy or 1
        left, top = (trace.x0 or 0) - dx / 2, (trace.y0 or 0) - dy / 2
        corners = (
            self._x(left),
            self._y(top),
            self._x(left + dx * image.width),
            self._y(top + dy * image.height),
        )
        box = [round(corner * self.scale) for corner in corners]
        size = (max(1, box[2] - box[0]), max(1, box[3] - box[1]))
        # Pixels stay pixels when they are enlarged, as in the browser.
        how = Image.Resampling.NEAREST if size[0] >= image.width else Image.Resampling.LANCZOS
        self.picture.paste(image.resize(size, how), (box[0], box[1]))

    def _title(self) -> None:
        title = self.layout.title
        if not title.text:
            return
        size = self._size(title.font)
        # Plotly centers a title in the margin unless it is told where it stands.
        above = self.top / 2 - size * 0.9 if title.y is None else (title.pad.t or 0)
        below = self._text(title.text, (self.left, above), ("left", "top"), size, color=title.font.color)
        if title.subtitle.text:
            font = title.subtitle.font
            place = (self.left, below + TITLE_GAP)
            self._text(title.subtitle.text, place, ("left", "top"), self._size(font), color=font.color)

    def _ticks(self) -> None:
        x, y = self.layout.xaxis, self.layout.yaxis
        size = self._size(self.layout.font)
        bottom, left = self.top + self.high, self.left
        for axis, name in ((x, "x"), (y, "y")):
            if axis.visible is False or axis.showticklabels is False:
                continue
            away = (axis.ticklen or 5) + TICK_GAP
            for value, text in zip(axis.tickvals or (), axis.ticktext or (), strict=True):
                if name == "x":
                    self._text(text, (self._x(value), bottom + away), ("center", "top"), size)
                else:
                    self._text(text, (left - away, self._y(value)), ("right", "middle"), size)
        if x.visible is not False and x.title.text:
            place = (self.left + self.wide / 2, bottom + 3 * size)
            self._text(x.title.text, place, ("center", "top"), self._size(x.title.font))

    def _text(
        self,
        markup: str,
        place: tuple[float, float],
        anchors: tuple[str, str],
        size: float,
        color: str | None = None,
    ) -> float:
        """Draw text with its anchor at `place`; how far down it reaches, in the figure's own pixels."""
        lines = list(_lines(markup, color or self.layout.font.color or INK))
        step = size * LINE
        height = step * len(lines)
        top = place[1] - {"top": 0, "middle": height / 2, "bottom": height}[anchors[1]]
        fonts = {bold: _font(size * self.scale, bold) for bold in (False, True)}
        for row, line in enumerate(lines):
            widths = [self.draw.textlength(run.text, fonts[run.bold]) for run in line]
            x = place[0] * self.scale - sum(widths) * {"left": 0, "center": 0.5, "right": 1}[anchors[0]]
            baseline = (top + row * step + size) * self.scale
            for run, width in zip(line, widths, strict=True):
                self.draw.text((x, baseline), run.text, run.color, fonts[run.bold], anchor="ls")
                x += width
        return top + height


def _font(size: float, bold: bool) -> Font:
    for faces in FACES:
        try:
            return ImageFont.truetype(faces[bold], size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def _lines(markup: str, color: str) -> Iterator[list[TextRun]]:
    """Plotly's small HTML as lines of text."""
    reader = _Markup(color)
    reader.feed(markup)
    reader.close()
    yield from reader.lines


class _Markup(HTMLParser):
    def __init__(self, color: str) -> None:
        super().__init__()
        self.lines: list[list[TextRun]] = [[]]
        self._bold, self._colors = 0, [color]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.lines.append([])
        elif tag == "b":
            self._bold += 1
        elif tag == "span":
            style = dict(attrs).get("style") or ""
            named = [
                value
                for key, _, value in (part.partition(":") for part in style.split(";"))
                if key == "color"
            ]
            self._colors.append(named[0].strip() if named else self._colors[-1])

    def handle_endtag(self, tag: str) -> None:
        if tag == "b":
            self._bold -= 1
        elif tag == "span" and len(self._colors) > 1:
            self._colors.pop()

    def handle_data(self, data: str) -> None:
        self.lines[-1].append(TextRun(data, self._bold > 0, self._colors[-1]))
