"""Figures as files: SVG, PDF and PNG of the size they have on the screen, with their text in them."""

import io
import shutil
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from unit_records import make_tree

from tunewidgets import figures

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
    pio.write_images(list(drawn.values()), list(paths.values()), scale=1, **sizes)
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
