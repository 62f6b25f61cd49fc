"""What the teaching notebooks show, kept in them as pictures and text, so that one sees it where nothing can run.

    uv run --group test python docs/make_notebook_pictures.py [NAME ...]

In: the notebooks, which are run from top to bottom. Out: the same files, in which a widget or a figure is a PNG, and no
output needs code from elsewhere. A mark says which code the pictures are of.
"""

import argparse
import base64
import hashlib
import io
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import plotly.io as pio
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
PLOTLY, WIDGET = "application/vnd.plotly.v1+json", "application/vnd.jupyter.widget-view+json"
COLORS, MOST_PIXELS, MOST_HTML = 128, 900, 20_000


def run(path: Path) -> NotebookNode:
    """A notebook with all that its cells show."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        place = {"metadata": {"path": folder}}
        NotebookClient(notebook, timeout=3600, kernel_name="python3", resources=place).execute()
    return notebook


def pictured(notebook: NotebookNode) -> None:
    """Replace what the cells show by what any viewer can show."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [still for output in cell.outputs if (still := _still(output)) is not None]
    notebook.metadata.pop("widgets", None)
    notebook.metadata["pictures_of"] = code_mark(notebook)


def code_mark(notebook: NotebookNode) -> str:
    """What a notebook's code is recognized by."""
    code = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def _still(output: NotebookNode) -> NotebookNode | None:
    """An output as a picture or a text; None for a progress bar or a warning."""
    if output.output_type == "stream":
        return output if output.name == "stdout" else None
    data: dict[str, Any] = output.get("data", {})
    if PLOTLY in data:
        kept = {"image/png": _smaller(pio.to_image(dict(data[PLOTLY]), format="png", scale=1.5))}
    elif "image/png" in data:
        kept = {"image/png": _smaller(base64.b64decode(data["image/png"]))}
    elif WIDGET in data:
        return None
    else:
        kept = {kind: text for kind, text in data.items() if _is_short(kind, text)}
    output.data, output.metadata = nbformat.from_dict(kept), nbformat.from_dict({})
    return output


def _is_short(kind: str, text: Any) -> bool:
    """Whether a text is kept: every plain one, and a table's HTML, but not a record's, which folds and needs styles."""
    return kind == "text/plain" or (kind == "text/html" and len(text) < MOST_HTML)


def _smaller(png: bytes) -> str:
    """A picture no wider than a page, in few colors."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.thumbnail((MOST_PIXELS, 10 * MOST_PIXELS), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="such as 01_tuning_dimensions; all by default")
    names = parser.parse_args().names or [path.stem for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))]
    for name in names:
        path = NOTEBOOKS / f"{Path(name).stem}.ipynb"
        notebook = run(path)
        pictured(notebook)
        nbformat.write(notebook, path)
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
