"""Exported pages: widgets, and text between them, as one HTML file that needs no kernel and no network.

In: widgets and Markdown. Out: a file. It holds all the widgets' images; what a reader does in a widget stays in the
page.
"""

import base64
import hashlib
import html
import json
import os
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ._checks import a_type, is_number, is_whole, local_path, whole_text
from .derived.whole_files import written_whole
from .widgets.base import Widget
from .widgets.page_code import bundle

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

__all__ = ["ExportedPage", "export_html"]

Piece: TypeAlias = Widget | str

PAGES = (".html", ".htm")
THEMES = ("auto", "light", "dark")
# WebP qualities to try, best first, until a page fits; below the last, images show block artifacts.
QUALITIES = range(90, 25, -5)
# What a page's address says about one trait.
MOVE = re.compile(r"([\w-]+)\.(\w+)=.*")
DEFAULT_EXPORT = re.compile(r"export\s*\{\s*([\w$]+) as default\s*\};?\s*$")

PAGE = """<!doctype html>
<html lang="en"{theme}>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="tunewidgets">
<title>{title}</title>
<style>{styles}</style>
</head>
<body>
<main>
<noscript>This page shows what it holds with JavaScript, which is off here.
In JupyterLab, press Trust HTML above.</noscript>
{body}
<footer>Made with tunewidgets. Everything on this page is in this one file.</footer>
</main>
<script type="application/json" id="tw-data">{data}</script>
{scripts}
</body>
</html>
"""


@dataclass(frozen=True)
class ExportedPage(os.PathLike[str]):
    """A page that was written: its place, its size, and the quality of its images.

    Attributes
    ----------
    path : Path
    bytes : int
        Size of the file.
    quality : int
        WebP quality of its images, 1 to 100.
    at_best : int
        Bytes the page would have taken at the quality asked for; the same as `bytes` if nothing had to be lowered.
    """

    path: Path
    bytes: int
    quality: int
    at_best: int

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        said = f"{self.path}: {self.bytes / 1e6:.2f} MB, images at WebP quality {self.quality}"
        return said if self.at_best == self.bytes else f"{said}, lowered from {self.at_best / 1e6:.2f} MB"


def export_html(
    content: Piece | Iterable[Piece | Sequence[Piece]],
    path: str | os.PathLike[str],
    *,
    title: str = "tunewidgets",
    theme: str = "auto",
    links: Iterable[Any] = (),
    quality: int = 90,
    max_mb: float | None = None,
) -> ExportedPage:
    """Write widgets as one HTML file that works offline, without a kernel, wherever a browser opens it.

    Parameters
    ----------
    content : widget, str, or a sequence of these
        What is on the page, from top to bottom. Text is Markdown. The parts of a sequence within the sequence stand
        side by side where there is room.
    path : str or path
        Where to write, ending in `.html` or `.htm`; an existing file is replaced.
    title : str
        What the browser calls the page.
    theme : {"auto", "light", "dark"}
        "auto" follows the reader's system.
    links : iterable, optional
        Traits that follow one another on the page: pairs of ends such as `((scatter, "unit"), (other, "unit"))`, or
        what `ipywidgets.jslink` and `jsdlink` return.
    quality : int, default 90
        WebP quality of the images, 1 to 100.
    max_mb : float, optional
        The largest size of the file in megabytes (10⁶ bytes). The images' quality is lowered until it fits.

    Returns
    -------
    ExportedPage
        The path, with the size and quality of what was written; printing it shows all three.

    Raises
    ------
    ValueError
        If there is no widget, an option is out of its range, a link names no trait of a widget on the page, in the text
        or in `links`, the path is a URL or ends in something else, or the page can't be made as small as `max_mb`.
    TypeError
        If `content` holds anything but widgets of tunewidgets and text.
    FileNotFoundError
        If the folder of `path` is missing.

    Notes
    -----
    The page may run its own code and nothing else: its Content-Security-Policy names that code by its hash and forbids
    every request. HTML in Markdown is shown as text. A page holds the layers or dimensions that its widgets hold: to
    show fewer, give `TuningExplorer` its `dimensions`, and `UnitScatter` a record of fewer layers.

    The page's address records the state of its widgets, so a copied address leads to what its sender saw. Links in the
    text may lead to such a state too: `[unit 7](#scatter.layer=relu3&scatter.unit=7)`. On a page the widgets are called
    `explorer`, `scatter` and `checklist`, further ones of a kind `scatter-2` and so on; after the dot come the traits
    that say what is looked at, with lists written as `explorer.points=0,31,5` and nothing for None, as in
    `scatter.unit=`.

    Examples
    --------
    >>> import tempfile, tunewidgets as tw
    >>> scatter = tw.UnitScatter(tw.zoo.example("shallow_cnn"), layer="relu3")
    >>> page = tw.export_html(["# Units", scatter], tempfile.mkdtemp() + "/units.html", max_mb=3)
    >>> page.bytes < 3e6
    True
    """
    rows = _rows(content)
    widgets = list({id(piece): piece for row in rows for piece in row if isinstance(piece, Widget)}.values())
    if not widgets:
        raise ValueError("there is no widget in content; give at least one")
    if theme not in THEMES:
        raise ValueError(f"theme is {theme!r}; choose one of {', '.join(map(repr, THEMES))}")
    if not is_whole(quality, 1, 100):
        raise ValueError(f"quality is {quality!r}; give a whole number from 1 to 100")
    if max_mb is not None and not (is_number(max_mb) and max_mb > 0):
        raise ValueError(f"max_mb is {max_mb!r}; give a positive number of megabytes, or None for no bound")
    if not isinstance(title, str):
        raise TypeError(f"title is {a_type(title)}; give text")
    if isinstance(links, str) or not isinstance(links, Iterable):
        raise TypeError(
            f"links is {links!r}; give a list of links, such as [((scatter, 'unit'), (other, 'unit'))]"
        )
    target = page_path(path)
    facts = [_link_facts(one, widgets) for one in links]
    names = _names(widgets)
    for text in (piece for row in rows for piece in row if isinstance(piece, str)):
        _check_moves(text, dict(zip(names, widgets, strict=True)))
    most = float("inf") if max_mb is None else max_mb * 1e6

    @cache
    def page(tried: int) -> bytes:
        data = {
            "widgets": [
                {
                    "code": w.bundle_name,
                    "name": name,
                    "place": w.place_traits,
                    "kept": w.kept_traits,
                    "state": w.page_state(tried),
                }
                for name, w in zip(names, widgets, strict=True)
            ],
            "links": facts,
        }
        return whole_text(_page(rows, widgets, data, title, theme)).encode()

    # The lower the quality, the smaller the page, so bisection finds it in a few tries.
    tries = [quality, *(lower for lower in QUALITIES if lower < quality)]
    fits = len(page(quality)) <= most
    at = 0 if fits else bisect_left(tries, True, lo=1, key=lambda tried: len(page(tried)) <= most)
    if at == len(tries):
        raise ValueError(
            f"even with images at WebP quality {tries[-1]} the page takes {len(page(tries[-1])) / 1e6:.2f} MB, more "
            f"than max_mb={max_mb}; leave out widgets, layers or dimensions, or allow more"
        )
    best = page(tries[at])
    with written_whole(target) as part:
        part.write_bytes(best)
    return ExportedPage(target, len(best), tries[at], len(page(quality)))


def page_path(path: str | os.PathLike[str], what: str = "the page's path") -> Path:
    """Where a page is written, before it is made.

    Raises
    ------
    FileNotFoundError
        Its folder is missing.
    TypeError, ValueError
        It is no path of a page on this machine.
    """
    target = local_path(path, what)
    if target.is_dir():
        raise ValueError(f"{target} is a folder; give a file in it, such as {target / 'page.html'}")
    if target.suffix.lower() not in PAGES:
        raise ValueError(f"{target.name!r} is no name of a page; end it in {' or '.join(PAGES)}")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {target.parent}; make it first, or give another path")
    return target


def _rows(content: Any) -> list[list[Piece]]:
    """What stands on the page: rows of pieces side by side."""
    pieces = [content] if isinstance(content, (Widget, str)) else content
    if not isinstance(pieces, Iterable):
        raise TypeError(f"content is {a_type(content)}; give widgets of tunewidgets and text")
    rows = [[row] if isinstance(row, (Widget, str)) else row for row in pieces]
    for row in rows:
        wrong = (
            [row] if not isinstance(row, Sequence) else [p for p in row if not isinstance(p, (Widget, str))]
        )
        if wrong:
            raise TypeError(
                f"content holds {a_type(wrong[0])}; give widgets of tunewidgets, text, and sequences of these"
            )
    return [list(row) for row in rows]


def _names(widgets: Sequence[Widget]) -> list[str]:
    """What addresses call the widgets: `scatter`, `scatter-2`."""
    kinds = [widget.page_name for widget in widgets]
    earlier = [kinds[:at].count(kind) for at, kind in enumerate(kinds)]
    return [kind if count == 0 else f"{kind}-{count + 1}" for kind, count in zip(kinds, earlier, strict=True)]


def _check_moves(markdown: str, named: Mapping[str, Widget]) -> None:
    """Raise a ValueError if a link in the text would move what is not on the page."""
    tokens = [inner for token in _markdown().parse(markdown) for inner in token.children or ()]
    addresses = [str(token.attrs["href"]) for token in tokens if token.type == "link_open"]
    for part in (part for address in addresses if address[0] == "#" for part in address[1:].split("&")):
        move = MOVE.fullmatch(part)
        if move is None:
            continue
        widget = named.get(move[1])
        known = named if widget is None else [f"{move[1]}.{trait}" for trait in widget.place_traits]
        if widget is None or move[2] not in widget.place_traits:
            remedy = (
                f"give one of {', '.join(known)}" if known else f"there is no place in {move[1]} to lead to"
            )
            raise ValueError(f"a link in the text leads to {part!r}, which is not on the page; {remedy}")


def _link_facts(given: Any, widgets: Sequence[Widget]) -> dict[str, Any]:
    """One link as the page's host reads it."""
    # The objects of jslink and jsdlink have their two ends as traits; only jslink's goes both ways.
    one_way = type(given).__name__ == "DirectionalLink"
    ends = (given.source, given.target) if hasattr(given, "source") else given
    try:
        places = [[_place(widget, widgets), _trait(widget, name)] for widget, name in ends]
        source, target = places
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"a link can't be read: {error}; give two ends such as ((scatter, 'unit'), (other, 'unit')), "
            "both of widgets on the page"
        ) from None
    return {"source": source, "target": target, "back": not one_way}


def _place(widget: Any, widgets: Sequence[Widget]) -> int:
    found = [at for at, one in enumerate(widgets) if one is widget]
    if not found:
        raise ValueError(f"{a_type(widget)} is not on the page")
    return found[0]


def _trait(widget: Widget, name: Any) -> str:
    if name not in widget.reader_traits():
        raise ValueError(f"{name!r} is no trait of {type(widget).__name__} that a reader changes")
    return str(name)


def _page(
    rows: list[list[Piece]], widgets: Sequence[Widget], data: dict[str, Any], title: str, theme: str
) -> str:
    names = list(dict.fromkeys(widget.bundle_name for widget in widgets))
    scripts = [*(_registered(name, bundle(name, "js")) for name in names), bundle("page-host", "js")]
    return PAGE.format(
        theme="" if theme == "auto" else f' data-tw-theme="{theme}"',
        policy=_policy(scripts),
        title=html.escape(title),
        styles="".join(bundle(name, "css") for name in ("page-host", *names)),
        body="\n".join(_row(row, widgets) for row in rows),
        # Inside a script element only "<" can end it or start a comment.
        data=json.dumps(_packed(data), ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace(
            "<", "\\u003c"
        ),
        scripts="\n".join(f'<script type="module">{script}</script>' for script in scripts),
    )


def _registered(name: str, code: str) -> str:
    """A widget's module as code that needs no import: a script in a page has no address to import it from."""
    code, found = DEFAULT_EXPORT.subn(
        lambda match: f"(globalThis.tunewidgets??={{}})[{json.dumps(name)}]={match[1]};", code
    )
    if found != 1 or "</script" in code.lower() or "<!--" in code:
        raise RuntimeError(
            f"{name}.js can't stand in a page: it has no default export, or ends a script; build it again"
        )
    return code


def _policy(scripts: Sequence[str]) -> str:
    """Nothing but the page itself: its own scripts by their hashes, images that are in it, no request."""
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _row(row: list[Piece], widgets: Sequence[Widget]) -> str:
    pieces = [
        _text(p) if isinstance(p, str) else f'<div data-widget="{_place(p, widgets)}"></div>' for p in row
    ]
    return pieces[0] if len(pieces) == 1 else f'<div class="page-row">{"".join(pieces)}</div>'


def _text(markdown: str) -> str:
    return f'<div class="page-text">{_markdown().render(markdown)}</div>'


def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    # Raw HTML stays off, since text is text; so do images, since the page may not load anything.
    return MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def _packed(value: Any) -> Any:
    """JSON-ready: bytes as `{"$bytes": base64}`."""
    if isinstance(value, (bytes, memoryview)):
        return {"$bytes": base64.b64encode(value).decode("ascii")}
    if isinstance(value, dict):
        return {key: _packed(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_packed(inner) for inner in value]
    return value
