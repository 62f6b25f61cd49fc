"""The teaching notebooks run from top to bottom, and are committed without outputs.

Their first code cell, tagged "parameters", holds the sizes; here it is replaced by small ones.
"""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tunewidgets.records import open_record

ROOT = Path(__file__).parents[1]
SMALL = "n_images, n_vectors, points, size, steps = 10, 1500, 5, 24, 4"
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module", params=sorted(p.name for p in (ROOT / "notebooks").glob("*.ipynb")))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / "notebooks" / name, as_version=4)


def test_is_committed_without_outputs(name):
    code = [cell for cell in read(name).cells if cell.cell_type == "code"]
    assert [cell.outputs for cell in code] == [[]] * len(code)
    assert {cell.execution_count for cell in code} == {None}


def test_runs_from_top_to_bottom(name, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = read(name)
    [parameters] = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assert set(SMALL.partition("=")[0].replace(",", " ").split()) <= set(parameters.source.split())
    parameters.source = SMALL
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    shown = [
        output.data
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if WIDGET in output.get("data", {})
    ]
    # The explorer itself, not a progress bar: it carries its still picture.
    assert any("image/png" in data for data in shown)
    film = open_record(tmp_path / "gabor_film.zarr")
    assert film.sizes["point"] == 5
