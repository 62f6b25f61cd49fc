"""The scatter of units: Python's figure shows the record's numbers, and the page's is the same for every choice."""

import json
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from in_node import answer_in_node
from scipy import stats
from unit_choices import choices, make_comparison
from unit_records import make_tree, make_units

from tunewidgets import figures
from tunewidgets.derived.statistics import rank_correlation
from tunewidgets.derived.unit_columns import layer_of, table
from tunewidgets.figures import scatter
from tunewidgets.records import RecordError

GOLDEN = Path(__file__).parent / "unit_scatter_golden.json"


@pytest.fixture(scope="module")
def tree() -> xr.DataTree:
    return make_comparison()


def drawn(tree: xr.DataTree, layer: str, choice: dict[str, str]) -> dict:
    return json.loads(figures.unit_scatter(tree, **choice, layer=layer).to_json())


def test_python_and_page_draw_the_same_for_every_choice(tree, tmp_path, monkeypatch):
    layers = ("block<1>", "fc")
    asked = [{**choice, "layer": layer} for layer in layers for choice in choices(layer_of(tree, layer))]
    tables = {layer: table(layer_of(tree, layer)) for layer in layers}
    template = figures.unit_scatter_template(tree)
    page = answer_in_node(
        'import { figure } from "./src/unit-scatter/plot/figure";',
        "given.choices.map((c: any) => figure(given.template, given.tables[c.layer], c))",
        {"template": template, "tables": tables, "choices": asked},
        tmp_path,
    )
    assert len(page) == len(asked) > 900
    # Neither the color nor, for many a column, the objective changes the correlation.
    remembered = lru_cache(maxsize=None)(lambda x, y: rank_correlation(np.array([x, y])))
    monkeypatch.setattr(scatter, "rank_correlation", lambda pair: remembered(*map(tuple, pair)))
    for at, (choice, shown) in enumerate(zip(asked, page, strict=True)):
        layer = choice["layer"]
        plain = {name: value for name, value in choice.items() if name != "layer"}
        assert shown == json.loads(json.dumps(scatter.bound(template, tables[layer], plain))), choice
        # What plotly.py makes of it takes long, so for a share of them.
        if at % 60 == 0:
            assert shown == drawn(tree, layer, plain), choice


def golden(tree: xr.DataTree) -> dict[str, list]:
    """Templates, tables and figures of a share of all choices, a line each, for the page's own tests."""
    cases = []
    for layer, step in (("block<1>", 61), ("fc", 47)):
        every = choices(layer_of(tree, layer))
        cases += [(layer, every[at * step % len(every)]) for at in range(8)]
    return {
        "template": [figures.unit_scatter_template(tree)],
        "tables": [table(layer_of(tree, layer)) for layer in ("block<1>", "fc")],
        "cases": [
            {"layer": layer, "choice": choice, "figure": drawn(tree, layer, choice)}
            for layer, choice in cases
        ],
    }


def test_what_the_page_s_own_tests_compare_with_is_up_to_date():
    now = golden(make_comparison(12))
    if os.environ.get("TUNEWIDGETS_WRITE_GOLDEN"):
        rows = {name: ",\n".join(json.dumps(row) for row in some) for name, some in now.items()}
        text = ",\n".join(f'"{name}": [\n{some}\n]' for name, some in rows.items())
        GOLDEN.write_text(f"{{\n{text}\n}}\n", encoding="utf-8")
    assert json.loads(GOLDEN.read_text(encoding="utf-8")) == json.loads(json.dumps(now)), (
        "the scatter has changed: run this test once with TUNEWIDGETS_WRITE_GOLDEN=1, then npm test"
    )


def test_points_are_the_record_s_numbers():
    units = make_units(30, 2, dead=[4], silent=[7], seed=3)
    figure = figures.unit_scatter(units, color=None, objective="am")
    [points] = figure.data
    own = units.sel(objective="am")
    np.testing.assert_array_equal(np.float32(points.x), units["selectivity"].values[list(points.customdata)])
    np.testing.assert_array_equal(np.float32(points.text), own["rs"].values[list(points.customdata)])
    assert sorted(points.customdata) == sorted(set(range(30)) - {4, 7})
    assert "n = 28 of 30: 1 dead, 1 silent" in figure.layout.title.subtitle.text
    rho = stats.spearmanr(points.x, np.float64(points.text)).statistic
    assert f"ρ = {rho:.2f}".replace("-", "−") in figure.layout.title.subtitle.text
    assert points.meta["x"] == "selectivity"
    assert points.meta["y"] == "rs"


def test_a_crowded_axis_has_roots_and_says_values():
    units = make_units(60, 2, layer="deep")
    crowded = np.repeat(np.float32([0, 1, 2, 40]) / 60, [20, 20, 15, 5])
    units["rs"] = (("objective", "unit"), np.stack([crowded, crowded]))
    figure = figures.unit_scatter(units, color=None)
    [points] = figure.data
    np.testing.assert_allclose(np.square(points.y), np.float64(points.text), rtol=1e-6)
    np.testing.assert_array_equal(np.float32(points.text), crowded[list(points.customdata)])
    assert "RS %{text:.3f}" in points.hovertemplate
    assert "class selectivity %{x:.3f}" in points.hovertemplate
    axis = figure.layout.yaxis
    assert axis.title.text == "RS (IAM), root scale"
    np.testing.assert_allclose(np.square(axis.tickvals), np.array(axis.ticktext, float), rtol=1e-6)
    assert figure.layout.xaxis.tickvals is None


def test_a_class_keeps_its_mark_in_every_layer():
    tree = make_tree(3, 40, 2)
    marks: dict[str, set] = {}
    for layer in tree.children:
        for trace in figures.unit_scatter(tree, layer=layer).data:
            marks.setdefault(trace.name, set()).add((trace.marker.color, trace.marker.symbol))
            preferred = tree[layer]["preferred_class"].values[list(trace.customdata)]
            assert {str(tree[layer]["cls"].values[p]) for p in preferred} <= {trace.name}
    assert all(len(found) == 1 for found in marks.values())
    assert len({mark for found in marks.values() for mark in found}) == len(marks) == 10


def test_many_classes_share_the_last_mark():
    units = make_units(200, 2, classes=[f"thing {at}" for at in range(60)])
    figure = figures.unit_scatter(units)
    assert len(figure.data) == 14
    assert "other classes" in figure.data[-1].name
    assert sum(len(trace.x) for trace in figure.data) == 200


def test_accuracy_drop_colors_by_scale():
    units = make_units(20, 2)
    [points] = figures.unit_scatter(units, color="accuracy_drop").data
    np.testing.assert_array_equal(np.float32(points.marker.color), units["accuracy_drop"].values)
    assert points.marker.showscale


def test_a_constant_column_has_no_rho_and_is_said(tree):
    figure = figures.unit_scatter(tree, layer="fc")
    assert "ρ is not defined, n = 24" in figure.layout.title.subtitle.text
    assert figure.layout.yaxis.range == (-0.04, 1.04)


def test_how_images_were_made_is_said_where_they_matter(tree):
    shown = figures.unit_scatter(tree, layer="block<1>").layout.title.subtitle.text
    assert "IAM images, 2 px, 128 steps, leaky at the layer’s own rectifier" in shown
    apart = figures.unit_scatter(tree, y="auc", layer="block<1>").layout.title.subtitle.text
    assert "images" not in apart


def test_a_long_name_leaves_the_plot_its_room():
    breeds = ["American Staffordshire terrier, Staffordshire terrier", "c" * 10_000]
    figure = figures.unit_scatter(make_units(30, 2, classes=breeds))
    assert {trace.name for trace in figure.data} == {"American Staffordshire…", f"{'c' * 23}…"}


def test_names_are_text(tree):
    figure = figures.unit_scatter(tree, layer="block<1>")
    assert figure.layout.title.text.startswith("<b>block&lt;1&gt;</b>")
    assert "&lt;i&gt;cats&lt;/i&gt; &amp; dogs" in [trace.name for trace in figure.data]


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({}, ValueError, "several layers here; say layer= one of block<1>, fc"),
        ({"layer": "conv9"}, ValueError, "no layer 'conv9' here"),
        ({"layer": "fc", "x": "accuracy_drop"}, ValueError, "no column 'accuracy_drop' to put on an axis"),
        ({"layer": "fc", "x": "preferred_class"}, ValueError, "no column 'preferred_class'"),
        ({"layer": "fc", "color": "red"}, ValueError, "can be colored by none, preferred_class$"),
        ({"layer": "fc", "color": "accuracy_drop"}, ValueError, "can be colored by none, preferred_class$"),
        ({"layer": "fc", "objective": "cam"}, ValueError, "no objective 'cam'; it has am and iam"),
    ],
)
def test_what_can_not_be_drawn_is_refused_in_a_sentence(tree, options, error, sentence):
    with pytest.raises(error, match=sentence):
        figures.unit_scatter(tree, **options)


def test_another_record_is_refused():
    from films import make_film

    with pytest.raises(RecordError, match="not a unit record but a film record"):
        figures.unit_scatter(make_film(1, 2, 8))
    with pytest.raises(RecordError, match="no unit record in this tree"):
        figures.unit_scatter(xr.DataTree())
