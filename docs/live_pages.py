"""The gallery's pages: mkdocs calls this while it builds the site.

In: the code of gallery.md, as a reader would run it. Out: a page for each block, beside the gallery in the site, and a
frame around it above the block.
"""

import re
from pathlib import Path
from typing import Any

from tunewidgets.cli.first_look import last_value
from tunewidgets.export import export_html

GALLERY = "gallery.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
MOST_MB = 4.0
FRAME = (
    '<iframe src="{number}.html" title="{title}" loading="lazy" '
    'style="width: 100%; height: 46rem; border: 1px solid #8884; border-radius: 4px"></iframe>'
)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The gallery with a frame above each block; any other page as it is."""
    if page.file.src_uri != GALLERY:
        return markdown
    titles = iter(re.findall(r"^## (.+)$", markdown, re.M))
    numbers = iter(range(len(BLOCK.findall(markdown))))
    return BLOCK.sub(
        lambda block: f"{FRAME.format(number=next(numbers), title=next(titles))}\n\n{block[0]}", markdown
    )


def on_post_build(config: Any, **_: Any) -> None:
    """Write the pages into the built site."""
    write_pages(Path(config["docs_dir"]) / GALLERY, Path(config["site_dir"]) / "gallery")


def write_pages(gallery: Path, folder: Path) -> list[Path]:
    """One page for each block of the gallery's code, numbered from 0."""
    folder.mkdir(parents=True, exist_ok=True)
    names: dict[str, Any] = {}
    pages = []
    for number, code in enumerate(BLOCK.findall(gallery.read_text(encoding="utf-8"))):
        widget = last_value(code, names)
        pages.append(export_html(widget, folder / f"{number}.html", max_mb=MOST_MB).path)
    return pages
