"""Films that were read, as a checklist: what its cells hold, where the paper's marks stand, and what is refused."""

from math import comb

import numpy as np
import pytest
import xarray as xr
from films import make_film
from read_films import DRAWS, K, make_read_film

import tunewidgets as tw
from tunewidgets.derived.recovery_marks import cells_of, paper_mark
from tunewidgets.kernels.reading.film_attributes import attribute_curves


@pytest.fixture(scope="module")
def tree():
    return tw.film_checklist(
        {"conv2d0": [make_read_film("pca", ("angle",)), make_read_film("ica", ("angle", "blue/red"))]}
    )


def furthest_of(pool, k):
    """The mean of the largest of k values drawn from a pool without replacement."""
    chances = [comb(below, k - 1) / comb(len(pool), k) for below in range(len(pool))]
    return float(np.sort(pool) @ chances)


def cell(tree, key):
    return next(each for each in cells_of(tree) if each.key == key)


def test_a_mark_is_for_what_lies_beyond_the_furthest_of_as_many_random_axes(tree):
    marked = [each.key for each in cells_of(tree) if each.in_subspace]
    assert marked == ["angle/conv2d0 PCA-4", "angle/conv2d0 ICA-4", "blue/red/conv2d0 ICA-4"]
    assert cell(tree, "angle/conv2d0 PCA-4").p == pytest.approx(1 / (DRAWS + 1))
    assert {each.on_axis for each in cells_of(tree)} == {None}
    where = {"decomposition": "conv2d0 ICA", "n_components": 4, "seed": 0, "readout": "image"}
    assert int(tree["best_dimension"].sel({"attribute": "blue/red", **where}).item()) == 2
    null = tree["null"].sel({"attribute": "angle", **where}).values
    single = make_read_film()["attribute_null"].values[1]
    assert np.isin(null, single).all()
    assert null.mean() == pytest.approx(furthest_of(single, 4), abs=0.04)


def test_the_curves_are_those_of_the_best_dimensions_pictures(tree):
    film = make_read_film("ica", ("angle", "blue/red"))
    own = attribute_curves(film["image"].values[2])["angle"]
    where = {
        "attribute": "angle",
        "decomposition": "conv2d0 ICA",
        "n_components": 4,
        "seed": 0,
        "readout": "image",
    }
    found = tree["readout_curve"].sel(where).squeeze().values
    np.testing.assert_allclose(found[:, :2], own, rtol=1e-6)
    assert np.isnan(found[:, 2]).all()


def test_the_papers_marks_stand_beside_its_own_layers_with_16_components_only(tree):
    assert {each.paper for each in cells_of(tree)} == {None}
    columns = [f"conv2d{layer} {method}" for layer in (0, 1) for method in ("PCA", "ICA")]
    table = [[paper_mark(row, column, 16) for column in columns] for row in range(7)]
    # Table 2: PCA misses green/red in both layers, and frequency in the first; all else was seen.
    missed = {
        (row, columns[at]) for row, line in enumerate(table) for at, mark in enumerate(line) if not mark
    }
    assert missed == {(0, "conv2d0 PCA"), (5, "conv2d0 PCA"), (5, "conv2d1 PCA")}


def test_it_is_a_record_that_the_checklist_shows_and_writes(tree, tmp_path):
    reopened = tw.open_record(tw.save_record(tree, tmp_path / "table2.zarr"))
    checklist = tw.RecoveryChecklist(reopened)
    assert len(checklist.cells()) == 14
    assert checklist._report["subject"] == "films"
    assert len(checklist._report["strips"]) >= 2
    checklist.verdicts = {"angle/conv2d0 PCA-4": "yes"}
    text = checklist.to_markdown()
    assert "| beyond random axes | ✓ | ✓ |" in text
    assert "on the axis" not in text
    assert "Gabor" not in text
    assert checklist.judged()["verdict"].values[1, 0, 0] == "yes"
    assert checklist._still().size[0] > 300
    # Its own verdicts are empty, and a line without any is left out.
    assert len(tw.figures.recovery_table(reopened).data[0].cells.values[0]) == 2 * 7


def test_a_dimension_without_pictures_is_not_chosen(tree):
    film = make_read_film("ica", ("angle",), status=("", "", "constant direction", ""))
    for name in ("observed", "sweep", "smoothness", "p", "p_holm"):
        film[f"attribute_{name}"][2] = np.nan
    one = tw.film_checklist({"a": film})
    assert not cell(one, "angle/a ICA-4").in_subspace
    # The furthest of three, as many as are shown.
    expected = furthest_of(film["attribute_null"].values[1], 3)
    assert one["null"].sel(attribute="angle").values.mean() == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize(
    ("films", "words"),
    [
        ({}, "there is no film"),
        ({"a": [make_read_film(), make_read_film()]}, "two films are of a ICA"),
        ({"a": make_read_film(points=8)}, "render it with points=32"),
        ({"a": make_film(K, 32, 16)}, "was not read"),
        ({"a": make_read_film(status=("no direction",) * 4)}, "no dimension that can be shown: no direction"),
    ],
)
def test_films_that_make_no_checklist_are_refused(films, words):
    with pytest.raises(ValueError, match=words):
        tw.film_checklist(films)


def test_layers_may_differ_in_their_number_of_components():
    few = make_read_film("pca").isel(dimension=[0, 1])
    tree = tw.film_checklist({"a": few, "b": make_read_film()})
    reasons = {each.key: each.reason for each in cells_of(tree) if each.attribute == "angle"}
    assert reasons["angle/a PCA-4"] == "no film with so many dimensions was given"
    assert reasons["angle/b ICA-4"] == ""
    assert isinstance(tree, xr.DataTree)
