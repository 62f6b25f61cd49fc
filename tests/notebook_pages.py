"""A run notebook as a page: its text and pictures, and plotly's figures, in one file that asks nobody for anything.

In: a notebook with its outputs. Out: an HTML file.
"""

from pathlib import Path

import nbformat
import plotly.io as pio
from jinja2 import DictLoader
from nbconvert import HTMLExporter
from plotly.offline import get_plotlyjs
from traitlets.config import Config

WIDGET = "application/vnd.jupyter.widget-view+json"
PLOTLY = "application/vnd.plotly.v1+json"
# Without what the page would ask others for: code for widgets, formulas and diagrams, of which there are none.
TEMPLATE = """
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{% if resources.plotly %}<script>{{ resources.plotly }}</script>{% endif %}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
"""


def write_page(notebook: nbformat.NotebookNode, path: Path, note: str) -> None:
    """Write the notebook's page with a note above it. The notebook stays as it is."""
    shown = nbformat.from_dict(notebook)
    shown.cells.insert(0, nbformat.v4.new_markdown_cell(f"*{note}*"))
    for cell in shown.cells:
        if "outputs" in cell:
            # A bar stands where it stood when it was first shown.
            cell.outputs = [output for output in cell.outputs if not _is_progress(output)]
    outputs = [output for cell in shown.cells for output in cell.get("outputs", ())]
    plots = [output for output in outputs if PLOTLY in output.get("data", {})]
    for output in plots:
        figure = dict(output["data"][PLOTLY])
        output["data"] = {"text/html": pio.to_html(figure, include_plotlyjs=False, full_html=False)}
    # Each widget's own picture: its saved state would need code from elsewhere.
    config = Config({"ClearMetadataPreprocessor": {"enabled": True, "clear_cell_metadata": False}})
    exporter = HTMLExporter(
        config=config, extra_loaders=[DictLoader({"page.html.j2": TEMPLATE})], template_file="page.html.j2"
    )
    about = {
        "metadata": {"name": path.stem.replace("_", " ")},
        "plotly": get_plotlyjs() if plots else "",
    }
    page, _ = exporter.from_notebook_node(shown, about)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def _is_progress(output: nbformat.NotebookNode) -> bool:
    data = output.get("data", {})
    return WIDGET in data and "image/png" not in data
