"""Figures as files: SVG, PDF and PNG of the size they have on the screen, with their text in them."""

import io
import re
import shutil
import threading
import warnings
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from unit_records import make_tree

from tunewidgets import figures

save_module = import_module("tunewidgets.figures.files")

pytest.importorskip("kaleido", reason="needs kaleido, which draws plotly's figures as files")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    if not any(map(shutil.which, BROWSERS)):
        pytest.skip("needs Chrome or Chromium, in which plotly draws")
    import plotly.io as pio

    folder = tmp_path_factory.mktemp("figures")
    tree = make_tree(2, 24, 8)
    drawn = {
        "panels.svg": figures.rs_selectivity_panels(tree),
        "layers.pdf": figures.rs_selectivity_by_layer(tree),
        "exceeding.png": figures.exceeding_units(tree, layer="features.1"),
    }
    paths = {name: folder / name for name in drawn}
    # All at once, because starting the browser is what takes long; so plotly does not look up each size by itself.
    sizes = {side: [figure.layout[side] for figure in drawn.values()] for side in ("width", "height")}
    save_module._soon(lambda: pio.write_images(list(drawn.values()), list(paths.values()), scale=1, **sizes))
    return paths


def test_svg_has_its_text_as_text_and_every_point(files):
    root = ElementTree.parse(files["panels.svg"]).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    text = " ".join(root.itertext())
    assert "RS against class selectivity" in text
    assert "features.4" in text
    points = [node for node in root.iter() if "point" in node.get("class", "").split()]
    assert len(points) == 2 * 2 * 24


def test_pdf_is_one_page_with_fonts(files):
    content = files["layers.pdf"].read_bytes()
    assert content.startswith(b"%PDF")
    assert content.count(b"/Type /Page\n") == 1
    assert b"/Font" in content


def test_png_has_the_figure_s_size_and_its_images(files):
    figure = figures.exceeding_units(make_tree(2, 24, 8), layer="features.1")
    picture = Image.open(io.BytesIO(files["exceeding.png"].read_bytes())).convert("RGB")
    assert picture.size == (figure.layout.width, figure.layout.height)
    assert len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) > 500


@pytest.mark.parametrize("name", ["column.pdf", "column.svg", "column.png"])
def test_save_makes_a_file_of_the_width_asked_for(name, files, tmp_path):
    figure = figures.rs_selectivity_panels(make_tree(2, 12, 8))
    aspect = figure.layout.height / figure.layout.width
    path = figures.save(figure, tmp_path / name, width_mm=120, dpi=150)
    if name.endswith("pdf"):
        box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", path.read_bytes())
        width, height = (float(side) / 72 * 25.4 for side in box.groups())
    elif name.endswith("svg"):
        root = ElementTree.parse(path).getroot()
        width, height = (float(root.get(side)) / 96 * 25.4 for side in ("width", "height"))
    else:
        picture = Image.open(path)
        assert picture.info["dpi"] == pytest.approx((150, 150), abs=0.1)
        width, height = (side / 150 * 25.4 for side in picture.size)
    assert width == pytest.approx(120, abs=0.5)
    assert height == pytest.approx(120 * aspect, abs=0.5)


def test_text_too_small_to_print_is_said_with_the_width_that_helps(monkeypatch, tmp_path):
    monkeypatch.setattr(save_module, "_drawn", lambda *_: b"<svg/>")
    figure = figures.rs_selectivity_panels(make_tree(2, 12, 8))
    with pytest.warns(
        UserWarning, match=r"at 40 mm the smallest text is 2\.. points; (\d+) mm make it 5"
    ) as said:
        figures.save(figure, tmp_path / "small.svg", width_mm=40)
    enough = int(re.search(r"; (\d+) mm", str(said[0].message)).group(1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures.save(figure, tmp_path / "enough.svg", width_mm=enough + 1)


def test_a_chrome_that_dies_is_started_again_and_not_waited_for_without_end(monkeypatch, tmp_path):
    """Whether `to_image` answers: at the second time, or never."""
    figure = figures.rs_selectivity_by_layer(make_tree(2, 24, 8))
    monkeypatch.setattr(save_module, "PATIENCE", 0.2)
    never, calls = threading.Event(), []

    def dies_once(self, **options):
        calls.append(options)
        if len(calls) == 1:
            never.wait(20)
        return b"drawn"

    monkeypatch.setattr("plotly.graph_objects.Figure.to_image", dies_once)
    assert figures.save(figure, tmp_path / "figure.svg").read_bytes() == b"drawn"
    assert len(calls) == 2
    monkeypatch.setattr("plotly.graph_objects.Figure.to_image", lambda self, **options: never.wait(20))
    with pytest.raises(RuntimeError, match="Chrome was started twice and drew nothing"):
        figures.save(figure, tmp_path / "none.svg")
    assert not (tmp_path / "none.svg").exists()
    never.set()


def test_without_a_browser_one_sentence_says_so(monkeypatch, tmp_path):
    def without(*_, **__):
        raise RuntimeError("\n\nKaleido requires Google Chrome to be installed.\n")

    figure = figures.rs_selectivity_panels(make_tree(1, 12, 8))
    monkeypatch.setattr(type(figure), "to_image", without)
    with pytest.raises(RuntimeError, match="drawn by Chrome or Chromium, and none is found"):
        figures.save(figure, tmp_path / "figure.svg")


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"path": "figure.eps"}, ValueError, r"'figure.eps' says no format; end the name in .pdf"),
        ({"path": "nowhere/figure.pdf"}, ValueError, "there is no folder 'nowhere'"),
        ({"width_mm": 0}, ValueError, "width_mm is 0; give a positive number"),
        ({"dpi": -1}, ValueError, "dpi is -1; give a positive number"),
        ({"figure": "figure"}, TypeError, "figure is a str; give a plotly figure"),
    ],
)
def test_what_can_not_be_saved_is_one_sentence(options, error, sentence, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    asked = {"figure": figures.rs_selectivity_panels(make_tree(1, 12, 8)), "path": "figure.pdf"} | options
    with pytest.raises(error, match=sentence):
        figures.save(**asked)
    assert not list(tmp_path.iterdir())
