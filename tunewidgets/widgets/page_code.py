"""The page's code: read from static/, and sent to a notebook once however many widgets show it.

In: a bundle's name. Out: its text, or the traits by which a widget finds it in its page.
"""

import hashlib
import sys
from functools import cache
from pathlib import Path
from typing import Any

import ipywidgets
import traitlets as t

STATIC = Path(__file__).parent.parent / "static"


def bundle(name: str, suffix: str) -> str:
    """The text of one built file of static/.

    Raises
    ------
    FileNotFoundError
        If it was not built.
    """
    path = STATIC / f"{name}.{suffix}"
    if not path.is_file():
        raise FileNotFoundError(
            f"the page's code {path.name} is missing from {path.parent}; "
            "reinstall tunewidgets, or in a source checkout run `npm ci && npm run build` in js/"
        )
    return path.read_text(encoding="utf-8")


class PageCode(ipywidgets.Widget):
    """A bundle as a model of its own, to which widgets refer, so that no one of them repeats it."""

    code = t.Unicode().tag(sync=True)
    digest = t.Unicode().tag(sync=True)


_held: dict[str, PageCode] = {}


def code_traits(name: str) -> dict[str, Any]:
    """The traits `_esm` and `_code` of a widget whose page is this bundle.

    `_esm` is a loader, which finds the code through `_code`; in marimo, whose page lends widgets no models of others
    and which sends equal code once by itself, it is the code.
    """
    if _in_marimo():
        return {"_esm": bundle(name, "js"), "_code": None}
    held = _held.get(name)
    # `Widget.close_all` closes it too.
    if held is None or held.comm is None:
        code = bundle(name, "js")
        held = _held[name] = PageCode(code=code, digest=hashlib.sha256(code.encode()).hexdigest())
    return {"_esm": _loader(), "_code": held}


@cache
def _loader() -> str:
    return bundle("loader", "js")


def _in_marimo() -> bool:
    marimo = sys.modules.get("marimo")
    return marimo is not None and marimo.running_in_notebook()
