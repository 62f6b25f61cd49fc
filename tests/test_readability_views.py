"""Readability where it is shown: as a column, in the explorer, in names, and as a figure by layer."""

import numpy as np
import pytest
import xarray as xr
from films import make_film
from unit_records import make_units

import tunewidgets as tw
from tunewidgets import figures, records
from tunewidgets.derived.film_text import dimension_name, suggestion
from tunewidgets.derived.unit_columns import columns
from tunewidgets.widgets.film_page import film_facts


def scored(
    record: xr.Dataset, of: str, scores, p, layer="relu", observer="texture", null=(0.5, 0.6)
) -> xr.Dataset:
    """A record with scores, as `tw.readability` leaves it."""
    scores, p = np.array(scores, np.float32), np.array(p, np.float32)
    columns = {
        "": scores,
        "_low": scores - np.float32(0.1),
        "_high": scores + np.float32(0.1),
        "_p": p,
        "_p_holm": p,
    }
    found = record.assign({f"readability{ending}": (of, values) for ending, values in columns.items()})
    found = found.assign(readability_null=("axis", np.array(null, np.float32))).assign_attrs(layer=layer)
    found = records.with_settings(found, readability={"observer": observer, "alpha": 1.0}, trials={"n": 20})
    records.validate(found)
    return found


@pytest.fixture
def film():
    film = make_film(4, 3, 8)
    film["suggested_label"][:] = ["angle, p = .02", "angle, p = .02", "angle, p = .02", ""]
    return scored(film, "dimension", [0.8, 0.55, np.nan, 0.5], [0.01, 0.3, np.nan, 0.9])


def test_a_suggestion_is_shown_where_the_dimension_can_be_read_or_was_not_tested(film):
    assert [suggestion(film, at) for at in range(4)] == ["angle, p = .02", "", "angle, p = .02", ""]
    assert [dimension_name(film, at) for at in range(4)] == ["angle", "dimension 1", "angle", "dimension 3"]
    untested = film.drop_vars([name for name in film.variables if str(name).startswith("readability")])
    assert suggestion(untested, 1) == "angle, p = .02"
    # What the reader wrote stays.
    film["label"][1] = "curves"
    assert dimension_name(film, 1) == "curves"


def test_the_explorer_gets_scores_of_what_was_tested(film):
    facts = film_facts(film, [0, 1, 2])["dimensions"]
    assert facts[0]["readability"] == {"score": 0.8, "low": 0.7, "high": 0.9, "p": 0.01, "chance": 0.55}
    assert [one["suggestion"] for one in facts] == ["angle, p = .02", "", "angle, p = .02"]
    assert facts[2]["readability"] is None
    assert film_facts(make_film(1, 2, 8), [0])["dimensions"][0]["readability"] is None


def test_units_have_a_column_and_what_was_not_tested_none():
    units = make_units(5, 2)
    found = columns(scored(units, "unit", [0.5, 0.6, 0.7, np.nan, 0.9], [0.5] * 5))
    assert found["readability"].values == pytest.approx([0.5, 0.6, 0.7, None, 0.9])
    assert "readability" not in columns(units)


def test_the_figure_has_each_kind_s_mean_by_layer_and_its_random_axes():
    units = [
        scored(make_units(8, 2), "unit", np.linspace(0.6, 0.7, 8), [0.01] * 2 + [0.5] * 6, layer)
        for layer in ("conv", "block<1>")
    ]
    dimensions = scored(
        make_film(4, 3, 8), "dimension", [0.7, 0.8, 0.8, 0.9], [0.2] * 4, "conv", null=(0.6, 0.7)
    )
    figure = figures.readability_by_layer([*units, dimensions])
    traces = {trace.name: trace for trace in figure.data}
    assert list(traces) == ["units", "units, random axes", "ICA", "ICA, random axes"]
    assert traces["units"].y == pytest.approx([0.65, 0.65])
    assert traces["ICA"].y == pytest.approx([0.8])
    assert traces["ICA, random axes"].y == pytest.approx([0.65])
    assert "8 units, 2 of them better than random axes (0.55, 2 axes)" in traces["units"].customdata[0]
    assert figure.layout.xaxis.ticktext == ("conv", "block&lt;1&gt;")
    assert figure.layout.shapes[0].y0 == 0.5
    tree = tw.records.layer_tree({"conv": units[0], "block": units[1]})
    assert figures.readability_by_layer(tree).data[0].y == pytest.approx([0.65, 0.65])


def test_what_cannot_be_drawn_is_said_in_one_sentence(film):
    with pytest.raises(ValueError, match="there is no record to draw"):
        figures.readability_by_layer([])
    with pytest.raises(ValueError, match="a record has no scores; give what readability gave"):
        figures.readability_by_layer([film, make_film()])
    other = scored(make_film(4, 3, 8), "dimension", [0.5] * 4, [0.5] * 4, observer="lpips")
    with pytest.raises(ValueError, match="of several observers"):
        figures.readability_by_layer([film, other])
