"""A saved notebook as HTML: a true picture of each widget, asked of no server, and the file not too large."""

import base64
import io
import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image
from traitlets.config import Config

nbconvert = pytest.importorskip("nbconvert", reason="nbconvert comes with JupyterLab, in the group test")
ROOT = Path(__file__).parents[1]
CELLS = (
    "import tunewidgets as tw\nfrom films import make_film\nfrom recovery_records import make_recovery",
    "tw.TuningExplorer(make_film(6, 32, 64))",
    "tw.UnitScatter(tw.zoo.example('shallow_cnn'))",
    "tw.RecoveryChecklist(make_recovery(seeds=(0,), films=True))",
)


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    """The three widgets of the demo, run and saved with their state, as JupyterLab saves it when asked to."""
    folder = tmp_path_factory.mktemp("nbconvert")
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    paths = [str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(paths))
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        NotebookClient(
            made, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
        ).execute()
    return made


def test_three_widgets_leave_a_notebook_under_8_mb(notebook):
    assert notebook.metadata.widgets
    assert len(nbformat.writes(notebook)) <= 8e6


def test_without_the_saved_state_every_widget_is_a_picture(notebook):
    # What the guide says: `jupyter nbconvert --to html --ClearMetadataPreprocessor.enabled=True ...`
    config = Config()
    config.ClearMetadataPreprocessor.enabled = True
    config.ClearMetadataPreprocessor.clear_cell_metadata = False
    page, _ = nbconvert.HTMLExporter(config=config).from_notebook_node(notebook)
    assert "html-manager" not in page
    assert "widget-view+json" not in page
    pictures = re.findall(r'<img[^>]*src="data:image/png;base64,([^"]+)"', page)
    assert len(pictures) == 3
    for picture in pictures:
        image = Image.open(io.BytesIO(base64.b64decode(picture)))
        assert min(image.size) > 100
        low, high = image.convert("L").getextrema()
        assert high - low > 100
