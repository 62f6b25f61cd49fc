"""The demo's story: a notebook whose first cells show finished records, and what they show.

In: the notebook as it is shipped, with pictures of what it shows. Out: the same notebook with its widgets in it, moving
as soon as it is opened, or its texts and widgets in order. Nothing is computed: the records come with the package.
"""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunewidgets.derived.whole_files import written_whole

STORY = "00_first_look.ipynb"
# The first cell with this tag, and what follows it, is for the reader to run.
YOURS = "yours"
WIDGETS = "application/vnd.jupyter.widget-state+json"


def story_parts(path: Path) -> list[Any]:
    """The story as `export_html` takes it: texts (str) and widgets, in order, up to the cells for the reader to run."""
    return [
        _text(cell) if widget is None else widget
        for cell, widget in _told(json.loads(path.read_text(encoding="utf-8")))
    ]


def not_run_yet(path: Path) -> dict[str, Any]:
    """A notebook without the pictures that it keeps of its outputs: they would give answers away, and do not move."""
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"], cell["outputs"] = None, []
    return notebook


def write_story(source: Path, copy: Path) -> None:
    """Write the notebook to `copy` with its widgets in it; JupyterLab shows them once somebody vouches for it."""
    from ipywidgets.embed import dependency_state

    notebook = not_run_yet(source)
    widgets = []
    for cell, widget in _told(notebook):
        if widget is None:
            continue
        widgets.append(widget)
        data, metadata = widget._repr_mimebundle_()
        cell["execution_count"] = len(widgets)
        shown = {"data": data, "metadata": metadata, "execution_count": len(widgets)}
        cell["outputs"] = [{"output_type": "execute_result", **shown}]
    state = dependency_state(widgets, drop_defaults=False)
    notebook["metadata"]["widgets"] = {WIDGETS: {"version_major": 2, "version_minor": 0, "state": state}}
    with written_whole(copy) as part:
        part.write_text(json.dumps(notebook, ensure_ascii=False, indent=1), encoding="utf-8")


def _told(notebook: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    """The cells that tell the story, each with the widget that its code shows; None for a text."""
    names: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if YOURS in cell["metadata"].get("tags", []):
            return
        yield cell, last_value(_text(cell), names) if cell["cell_type"] == "code" else None


def _text(cell: dict[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def last_value(code: str, names: dict[str, Any]) -> Any:
    """What a cell shows: the value of its last line, once the lines before it have run."""
    tree = ast.parse(code)
    last = tree.body.pop()
    assert isinstance(last, ast.Expr)
    exec(compile(tree, STORY, "exec"), names)
    return eval(compile(ast.Expression(last.value), STORY, "eval"), names)


def vouch_for(path: Path) -> None:
    """Sign a notebook as one that this user trusts: JupyterLab shows the widgets of no other."""
    import nbformat
    from nbformat.sign import NotebookNotary

    NotebookNotary().sign(nbformat.read(path, as_version=4))
