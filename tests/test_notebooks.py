"""The teaching notebooks run from top to bottom, with no network and no data set at hand, and keep their pictures.

A code cell tagged "parameters" holds the sizes; here it is replaced by small ones. What a run showed is kept as a page
in artifacts/notebooks/.
"""

import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from notebook_pages import write_page

from tunewidgets.records import open_record

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "docs"))
from make_notebook_pictures import code_mark  # noqa: E402

FIRST = "00_first_look.ipynb"
TOUR, SINGLE = "01_tuning_dimensions.ipynb", "02_single_directions.ipynb"
RECOVERY, COLORS = "03_gabor_recovery.ipynb", "04_inceptionv1.ipynb"
SMALL = {
    FIRST: "n_images, n_vectors, points, steps = 8, 1500, 3, 2",
    TOUR: "n_images, n_vectors, points, size, steps = 10, 1500, 5, 24, 4",
    SINGLE: "size, steps, epochs = 16, 4, 1",
    RECOVERY: "n_images, n_vectors, n_seeds, permutations, methods, size, steps = 8, 1000, 2, 39, ('pca',), 16, 2",
    COLORS: "n_images, n_vectors, n_components, points, size, steps, null = 8, 1000, 3, 3, 16, 2, 139",
}
NOTE = "Run with small sizes, to see that it runs: the pictures are rough. The notebook itself makes better ones."
WIDGET = "application/vnd.jupyter.widget-view+json"


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / "notebooks" / name, as_version=4)


def test_every_teaching_notebook_is_run_here():
    assert {path.name for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")} == set(SMALL)


@pytest.mark.parametrize("name", SMALL)
def test_is_committed_with_pictures_of_the_code_it_has(name):
    notebook, shown = read(name), outputs(read(name))
    assert notebook.metadata["pictures_of"] == code_mark(notebook), (
        f"run docs/make_notebook_pictures.py {name}"
    )
    assert "widgets" not in notebook.metadata
    kinds = {kind for output in shown for kind in output.get("data", {})}
    assert kinds <= {"image/png", "text/plain", "text/html"}
    assert any("image/png" in output.get("data", {}) for output in shown)
    assert {output.output_type for output in shown} <= {"stream", "execute_result", "display_data"}
    assert (ROOT / "notebooks" / name).stat().st_size < 1.5e6


def run(name, folder, monkeypatch):
    """The notebook, executed with small sizes in `folder`."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    # There is no CIFAR-10, and it can't be downloaded either: a reader may have neither.
    monkeypatch.setenv("TUNEWIDGETS_DATA", str(folder))
    notebook = read(name)
    [parameters] = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    names = SMALL[name].partition("=")[0].replace(",", " ").split()
    assert names == re.findall(r"^(\w+) =", parameters.source, re.MULTILINE)
    parameters.source = SMALL[name]
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    page = ROOT / "artifacts" / "notebooks" / f"{Path(name).stem}.html"
    write_page(notebook, page, NOTE)
    links = Links()
    links.feed(page.read_text(encoding="utf-8"))
    assert [link for link in links.loaded if not link.startswith("data:")] == []
    assert links.loaded.count("data:image/png") >= len(stills(notebook))
    return notebook


class Links(HTMLParser):
    """What a page loads, of pictures in it no more than their kind."""

    def __init__(self):
        super().__init__()
        self.loaded = []

    def handle_starttag(self, tag, attrs):
        if tag != "a":
            self.loaded += [
                (value or "").partition(";")[0] for name, value in attrs if name in ("src", "href")
            ]


def outputs(notebook, cell=None):
    """What a cell, or every cell, shows; without what libraries warn of, which hangs on their versions."""
    return [
        output
        for each in notebook.cells
        if cell in (None, each.id)
        for output in each.get("outputs", [])
        if output.get("name") != "stderr"
    ]


def stills(notebook):
    """The widgets themselves, not progress bars: they carry their still picture."""
    data = [output.get("data", {}) for output in outputs(notebook)]
    return [each["image/png"] for each in data if WIDGET in each and "image/png" in each]


def test_the_first_look_shows_finished_records_and_then_makes_a_film(tmp_path, monkeypatch):
    notebook = run(FIRST, tmp_path, monkeypatch)
    assert len(set(stills(notebook))) == 4
    [table] = outputs(notebook, "layers")
    assert "relu2" in table.text


def test_the_tour_makes_a_film_and_shows_it(tmp_path, monkeypatch):
    notebook = run(TOUR, tmp_path, monkeypatch)
    assert len(stills(notebook)) == 1
    assert open_record(tmp_path / "gabor_film.zarr").sizes["point"] == 5


def test_single_directions_shows_units_and_a_twin_that_computes_the_same(tmp_path, monkeypatch):
    notebook = run(SINGLE, tmp_path, monkeypatch)
    assert len(set(stills(notebook))) == 3
    [made] = outputs(notebook, "on-request-python")
    assert made.data["text/plain"].count("\n") == 3
    [said] = outputs(notebook, "twin")
    difference, largest = (float(line.rpartition(" ")[2]) for line in said.text.splitlines())
    assert difference < 1e-4 * largest
    [rho] = outputs(notebook, "rho")
    assert all(f"relu{number}" in rho.data["text/plain"] for number in range(1, 6))
    assert list((tmp_path / "runs").glob("*/weights.safetensors"))


def test_recovery_has_a_film_of_nothing_first_and_then_a_table_to_judge(tmp_path, monkeypatch):
    notebook = run(RECOVERY, tmp_path, monkeypatch)
    # Two films that differ, and the table.
    assert len(set(stills(notebook))) == 3
    [said] = outputs(notebook, "reveal")
    assert said.text.strip() in ("made of nothing: film A", "made of nothing: film B")
    [table] = outputs(notebook, "save")
    assert "| PCA-3 |" in table.text
    report = open_record(tmp_path / "gabor_recovery.zarr")
    assert report.sizes["seed"] == 2
    assert set(report["bank"].values) == {"zero-mean", "with mean"}


def test_colors_are_named_by_eye_and_by_a_program_and_a_network_at_hand_is_named(tmp_path, monkeypatch):
    notebook = run(COLORS, tmp_path, monkeypatch)
    # By eye, with suggestions, and on a photograph.
    assert len(stills(notebook)) == 3
    # A kernel sends what is printed in one piece or in several.
    said = "".join(output.text for output in outputs(notebook, "network"))
    assert "is not there: what follows is of a small network" in said
    film = open_record(tmp_path / "color_film.zarr")
    assert film["attribute_p_holm"].shape == (3, 7)
    assert "patch" in film
