"""Figures as files where no Chrome is: those of images and text are drawn all the same, and in the same places."""

import re
from importlib import import_module

import numpy as np
import plotly.graph_objects as go
import pytest
from films import make_film
from PIL import Image
from unit_records import make_tree, make_units

from tunewidgets import figures
from tunewidgets.figures.painting import can_paint, paint

files = import_module("tunewidgets.figures.files")
FAILED = "constant direction: nothing turns"
PAINTED = {
    "film sheet": lambda: figures.film_sheet(make_film(3, 6, 24, failed={1: FAILED})),
    "gallery": lambda: figures.unit_gallery(make_units(14, 16), across=6),
    "exceeding units": lambda: figures.exceeding_units(make_tree(2, 24, 8), layer="features.1"),
}


@pytest.fixture(params=["no Chrome", "no kaleido"])
def no_browser(request, monkeypatch):
    if request.param == "no kaleido":
        monkeypatch.setattr(files, "find_spec", lambda name: None)
        return ImportError

    def without(*_, **__):
        raise RuntimeError("\n\nKaleido requires Google Chrome to be installed.\n")

    monkeypatch.setattr(files, "find_spec", lambda name: True)
    monkeypatch.setattr(go.Figure, "to_image", without)
    return RuntimeError


@pytest.mark.parametrize("name", PAINTED)
def test_without_a_browser_a_png_is_as_wide_as_asked(name, no_browser, tmp_path):
    figure = PAINTED[name]()
    picture = Image.open(figures.save(figure, tmp_path / "figure.png", width_mm=180, dpi=200))
    assert picture.info["dpi"] == pytest.approx((200, 200), abs=0.1)
    assert picture.width / 200 * 25.4 == pytest.approx(180, abs=0.2)
    assert picture.height / picture.width == pytest.approx(
        figure.layout.height / figure.layout.width, abs=0.002
    )


def test_without_a_browser_a_pdf_is_as_wide_and_says_that_its_text_is_a_picture(no_browser, tmp_path):
    with pytest.warns(UserWarning, match=r"the text in sheet\.pdf is part of the picture"):
        path = figures.save(PAINTED["film sheet"](), tmp_path / "sheet.pdf", width_mm=180)
    content = path.read_bytes()
    assert content.startswith(b"%PDF")
    width = float(re.search(rb"/MediaBox \[\s*0 0 ([\d.]+) ", content).group(1))
    assert width / 72 * 25.4 == pytest.approx(180, abs=0.5)


@pytest.mark.parametrize(
    ("figure", "name"),
    [
        (lambda: figures.film_strip(make_film(2, 6, 16), 0), "strip.png"),
        (lambda: figures.rs_selectivity_panels(make_tree(1, 12, 8)), "panels.pdf"),
        (PAINTED["film sheet"], "sheet.svg"),
    ],
)
def test_what_only_a_browser_draws_says_so(figure, name, no_browser, tmp_path):
    with pytest.raises(no_browser, match=r"kaleido|none is found here"):
        figures.save(figure(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_each_image_is_where_its_row_and_column_are():
    film = make_film(3, 6, 24, failed={1: FAILED})
    figure = figures.film_sheet(film, cell=48)
    scale = 1.5
    painted = np.asarray(paint(figure, scale), float)
    side, step = 48 * scale, 48 * scale * 28 / 24
    left, top = figure.layout.margin.l * scale, figure.layout.margin.t * scale
    for row in (0, 2):
        for point in range(6):
            x, y = round(left + point * step), round(top + row * step)
            seen = painted[y : y + round(side), x : x + round(side)]
            wanted = Image.fromarray(film["image"].values[row, point]).resize(seen.shape[:2], 0)
            assert np.abs(seen - np.asarray(wanted, float)).mean() < 16


def test_text_is_drawn_with_its_marks_and_none_of_its_markup():
    figure = PAINTED["gallery"]()
    bare = go.Figure(figure)
    bare.layout.annotations = ()
    both = [np.asarray(paint(each, 1), int) for each in (figure, bare)]
    inked = np.abs(both[0] - both[1]).sum(2) > 60
    note = figure.layout.annotations[0]
    x, y = round(32 + note.x), round(84 + note.y)
    assert inked[y : y + 20, x : x + 72].sum() > 30
    # Bold number and gray value, as wide as plain text; with markup they would run far beyond the image.
    assert not inked[y : y + 20, x + 72 : x + 79].any()


def test_what_pillow_can_not_draw_is_known():
    sheet = PAINTED["film sheet"]()
    assert can_paint(sheet)
    assert not can_paint(go.Figure())
    assert not can_paint(go.Figure(sheet).add_shape(type="line", x0=0, x1=1, y0=0, y1=1))
    assert not can_paint(go.Figure(sheet).add_scatter(x=[0], y=[0]))
    assert not can_paint(go.Figure(sheet).add_annotation(x=0, y=0, text="here", showarrow=True))
