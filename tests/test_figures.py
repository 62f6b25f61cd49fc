"""Figures: they show the record's own images and numbers, in their places."""

import base64
import io
import re

import numpy as np
import pytest
import xarray as xr
from films import make_film
from PIL import Image

from tunewidgets import figures
from tunewidgets.records import RecordError


@pytest.fixture(scope="module")
def film() -> xr.Dataset:
    film = make_film(3, 10, 24, failed={1: "constant direction: nothing turns"})
    return film.assign(label=("dimension", np.array(["<i>phase</i>", "", ""], dtype=object)))


def picture(figure) -> np.ndarray:
    encoded = figure.data[0].source.partition(",")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB"), float)


def test_sheet_has_every_image_where_its_ticks_say(film):
    figure = figures.film_sheet(film)
    whole = picture(figure)
    assert list(figure.layout.xaxis.ticktext) == [str(p) for p in range(10)]
    for row, y in zip((0, 2), np.array(figure.layout.yaxis.tickvals)[[0, 2]], strict=True):
        for point, x in enumerate(figure.layout.xaxis.tickvals):
            top, left = round(y - 12), round(x - 12)
            seen = whole[top : top + 24, left : left + 24]
            assert np.abs(seen - film["image"].values[row, point]).mean() < 14


def test_sheet_says_why_a_row_is_empty(film):
    figure = figures.film_sheet(film)
    [note] = figure.layout.annotations
    assert note.text == "constant direction: nothing turns"
    assert note.y == figure.layout.yaxis.tickvals[1]
    assert picture(figure)[28:52].mean() > 250


def test_labels_are_text(film):
    assert figures.film_sheet(film).layout.yaxis.ticktext[0].startswith("&lt;i&gt;phase&lt;/i&gt;")
    assert "&lt;i&gt;" in figures.film_strip(film, 0).layout.title.text


def test_fewer_points_are_spread_from_first_to_last(film):
    assert list(figures.film_sheet(film, points=4).layout.xaxis.ticktext) == ["0", "3", "6", "9"]
    assert len(figures.film_sheet(make_film(1, 40, 8)).layout.xaxis.ticktext) == 12


@pytest.mark.parametrize("points", [1, 2, 3, 6])
def test_titles_fit_however_few_images_are_shown(points):
    film = make_film(2, 12, 24).assign_attrs(
        layer="features.denseblock4.denselayer16.relu2", model="DenseNet"
    )
    for figure in (figures.film_sheet(film, points=points), figures.film_strip(film, 0, points=points)):
        title = figure.layout.title
        lines = [re.sub("<[^>]+>", "", line) for line in title.text.split("<br>")]
        left = title.x * figure.layout.width if title.xref == "container" else figure.layout.margin.l
        # A bold letter of a wide font takes some six tenths of its size.
        assert left + 0.6 * title.font.size * max(map(len, lines)) <= figure.layout.width
        assert "DenseNet" in title.text


def test_strip_has_images_histogram_and_points(film):
    figure = figures.film_strip(film, 2)
    _, bars, points = figure.data
    np.testing.assert_array_equal(bars.y, film["histogram"].values[2])
    np.testing.assert_allclose(points.x, film["coordinate"].values[2])
    np.testing.assert_allclose(points.customdata[:, 1], film["cosine"].values[2])
    assert "12.5% of variance" in figure.layout.title.text
    # Images above, histogram below, apart.
    assert figure.layout.yaxis2.domain[1] < figure.layout.yaxis.domain[0]


def test_convergence_is_said():
    stopped = make_film(1, 2, 8, converged=False)
    for figure in (figures.film_sheet(stopped), figures.film_strip(stopped, 0)):
        assert "did not converge" in figure.layout.title.text
    assert "by FastICA" in figures.film_sheet(make_film(1, 2, 8, method="FastICA")).layout.title.text
    assert "did not converge" not in figures.film_sheet(make_film(1, 2, 8)).layout.title.text


def test_figures_are_small_and_complete():
    figure = figures.film_sheet(make_film(6, 32, 64, noise=6), points=32)
    assert len(figure.to_json()) < 600_000
    assert "http" not in figure.data[0].source


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda film: figures.film_strip(film, 3), ValueError, "this film has 3; give 0 to 2"),
        (lambda film: figures.film_strip(film, 1), ValueError, "has no images .constant direction"),
        (lambda film: figures.film_sheet(film, points=0), ValueError, "give a whole number, 1 or more"),
        (lambda film: figures.film_sheet(film.drop_vars("image")), RecordError, "lacks the variable image"),
    ],
)
def test_what_can_not_be_drawn_is_refused_in_a_sentence(film, call, error, sentence):
    with pytest.raises(error, match=sentence):
        call(film)
