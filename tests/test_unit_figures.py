"""The paper's figures of units: they show the records' own numbers, and say how sure those are."""

import base64
import io

import numpy as np
import pytest
import xarray as xr
from PIL import Image
from scipy import stats
from unit_records import make_tree, make_units

from tunewidgets import figures
from tunewidgets.derived.statistics import mean_interval, spearman
from tunewidgets.records import layer_tree

LAYERS = ["features.1", "features.4", "features.7"]


def with_curves(tree: xr.DataTree, random_orders: int = 8) -> xr.DataTree:
    """The tree with cumulative curves: accuracy falls from .8, and the random orders' band is .05 to either side."""
    records = {}
    for node in tree.children.values():
        record = node.to_dataset()
        units = record.sizes["unit"]
        share = np.linspace(0, 1, 5)
        accuracy = np.stack([0.8 - 0.7 * share**power for power in (2, 0.5, 1)])
        band = 0.05 * np.array([0, 0, 1])[:, None] * (share * (1 - share) > 0)
        curves = {
            "cumulative_accuracy": accuracy,
            "cumulative_low": accuracy - band,
            "cumulative_high": accuracy + band,
        }
        records[str(record.attrs["layer"])] = record.assign(
            {name: (("order", "step"), values.astype(np.float32)) for name, values in curves.items()}
        ).assign_coords(
            order=np.array(["most selective first", "least selective first", "random"], dtype=object),
            step=np.round(share * units).astype(int),
        )
    return layer_tree(records)


@pytest.fixture(scope="module")
def tree() -> xr.DataTree:
    return with_curves(make_tree(3, 24, 8, dead=[2]))


@pytest.fixture(scope="module")
def networks() -> list[xr.DataTree]:
    return [
        layer_tree(
            {name: make_units(24, 2, layer=name, seed=10 * seed + at) for at, name in enumerate(LAYERS)}
        )
        for seed in range(4)
    ]


def by_name(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def headings(figure):
    return [note.text for note in figure.layout.annotations]


def test_panels_show_each_layer_under_each_objective(tree):
    figure = figures.rs_selectivity_panels(tree, ["features.1", "features.7"])
    assert [trace.name for trace in figure.data] == ["AM", "IAM"] * 2
    for trace, (layer, objective) in zip(
        figure.data, [(a, o) for a in ("features.1", "features.7") for o in ("am", "iam")], strict=True
    ):
        record = tree[layer].to_dataset().sel(objective=objective)
        which = list(trace.customdata)
        assert which == [unit for unit in range(24) if unit != 2]
        np.testing.assert_array_equal(np.float32(trace.x), record["selectivity"].values[which])
        np.testing.assert_array_equal(np.float32(trace.y), record["rs"].values[which])
    # Each trace in its layer's panel.
    assert [trace.yaxis for trace in figure.data] == ["y", "y", "y2", "y2"]


def test_panels_say_rho_as_the_statistics_do(tree):
    figure = figures.rs_selectivity_panels(tree, ["features.1"], "iam")
    found = spearman(tree["features.1"].to_dataset(), "rs", "selectivity", objective="iam")
    rho, low, high = (f"{value:.2f}".replace("-", "−") for value in found[:3])
    [heading] = headings(figure)
    assert f"ρ = {rho} [{low}, {high}], n = 23 of 24" in heading
    assert "AM " not in heading.replace("IAM", "")


def test_panels_share_ranges_that_hold_every_point(tree):
    figure = figures.rs_selectivity_panels(tree)
    ranges = {tuple(figure.layout[f"yaxis{at}"].range) for at in ("", 2, 3)}
    assert len(ranges) == 1
    [(low, high)] = ranges
    assert all(low < min(trace.y) and max(trace.y) < high for trace in figure.data)


def test_five_layers_stand_in_two_rows_without_an_empty_plot():
    figure = figures.rs_selectivity_panels(make_tree(5, 8, 2), objectives=["am"])
    assert len(headings(figure)) == len(figure.data) == 5
    rows = {round(figure.layout[f"yaxis{at or ''}"].domain[0], 3) for at in (0, 2, 3, 4, 5)}
    assert len(rows) == 2
    assert figure.layout.xaxis6.visible is False
    # The last panel of a column has the numbers, also above an empty place.
    assert figure.layout.xaxis3.showticklabels
    assert not figure.layout.xaxis.showticklabels


def test_one_network_by_layer_has_its_rho_and_bootstrap_interval(tree):
    figure = figures.rs_selectivity_by_layer(tree, LAYERS[::-1])
    assert [text.partition("<br>")[0] for text in figure.layout.xaxis.ticktext] == LAYERS[::-1]
    for objective in ("am", "iam"):
        [line] = by_name(figure, objective.upper())
        for at, layer in enumerate(LAYERS[::-1]):
            found = spearman(tree[layer].to_dataset(), "rs", "selectivity", objective=objective)
            shown = (
                line.y[at],
                line.y[at] - line.error_y.arrayminus[at],
                line.y[at] + line.error_y.array[at],
            )
            assert shown == pytest.approx(found[:3], nan_ok=True)


def test_several_networks_have_each_rho_and_the_interval_of_their_mean(networks):
    figure = figures.rs_selectivity_by_layer(networks, objectives=["iam"])
    rhos = np.array(
        [
            [spearman(net[layer].to_dataset(), "rs", "selectivity", objective="iam").rho for layer in LAYERS]
            for net in networks
        ]
    )
    points, line = figure.data
    np.testing.assert_allclose(points.y, rhos.ravel())
    assert line.y[1] == pytest.approx(rhos[:, 1].mean())
    assert line.y[1] + line.error_y.array[1] == pytest.approx(mean_interval(rhos[:, 1]).high)
    assert "4 networks" in figure.layout.title.subtitle.text


def test_what_another_column_explains_can_be_taken_out(tree):
    figure = figures.rs_selectivity_by_layer(tree, objectives="iam", given="mean_activation")
    found = spearman(
        tree[LAYERS[0]].to_dataset(), "rs", "selectivity", objective="iam", given="mean_activation"
    )
    assert figure.data[0].y[0] == pytest.approx(found.rho)
    assert "mean activation taken out" in figure.layout.title.subtitle.text.replace("<br>", " ")


def test_a_rho_that_is_not_defined_leaves_a_gap_and_is_said(tree):
    flat = tree["features.4"].to_dataset()
    flat = flat.assign(rs=xr.zeros_like(flat["rs"]))
    figure = figures.rs_selectivity_by_layer(
        layer_tree({"features.1": tree["features.1"].to_dataset(), "features.4": flat}), objectives="iam"
    )
    assert np.isfinite(figure.data[0].y[0])
    assert np.isnan(figure.data[0].y[1])
    assert "no point where ρ is not defined" in figure.layout.title.subtitle.text.replace("<br>", " ")


@pytest.mark.parametrize("importance", ["accuracy_drop", "loss_increase"])
def test_importance_is_told_by_rs_and_by_selectivity(tree, importance):
    figure = figures.importance_by_layer(tree, importance=importance, objective="am")
    record = tree["features.1"].to_dataset()
    alive = ~record["dead"].values
    drop = record[importance].values[alive]
    for name, column in (
        ("RS (AM)", record["rs"].sel(objective="am").values),
        ("class selectivity", record["selectivity"].values),
    ):
        [line] = by_name(figure, name)
        assert line.y[0] == pytest.approx(stats.spearmanr(column[alive], drop).statistic)


def tiles(figure) -> list[np.ndarray]:
    """The images of an exceeding_units figure, cut out of its mosaic where its annotations stand."""
    encoded = figure.data[0].source.partition(",")[2]
    whole = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB"), float)
    return [whole[:, int(note.x) : int(note.x) + whole.shape[0]] for note in figure.layout.annotations]


def test_a_unit_stands_beside_those_that_exceed_it(tree):
    record = tree["features.1"].to_dataset().sel(objective="am")
    figure = figures.exceeding_units(tree, layer="features.1", objective="am", count=3)
    shown = [int(text.removeprefix("<b>unit ").partition("<")[0]) for text in headings(figure)]
    assert shown[1:] == record["exceeder"].values[shown[0], :3].tolist()
    often = (record["exceeder"].values >= 0).sum(1) >= 3
    assert shown[0] == np.where(often, record["selectivity"].values, -1).argmax()
    for unit, tile in zip(shown, tiles(figure), strict=True):
        times = len(tile) // 8
        wanted = record["image"].values[unit].repeat(times, 0).repeat(times, 1)
        assert np.abs(tile - wanted).mean() < 10
    ratio = record["exceeder_response"].values[shown[0], 0] / record["own_response"].values[shown[0]]
    assert f"responds {ratio:.1f}× as strongly" in headings(figure)[1]


def test_a_unit_that_nobody_exceeds_stands_alone(tree):
    record = tree["features.1"].to_dataset()
    alone = int(np.flatnonzero(record["rs"].sel(objective="iam").values == 0)[0])
    figure = figures.exceeding_units(tree, alone, layer="features.1")
    assert len(headings(figure)) == 1
    assert "RS 0.00" in headings(figure)[0]


def test_curves_are_the_record_s_with_the_band_of_random_orders(tree):
    figure = figures.ablation_curves(tree, ["features.4"])
    record = tree["features.4"].to_dataset()
    for row, order in enumerate(record["order"].values):
        [line] = by_name(figure, order)
        np.testing.assert_allclose(line.y, record["cumulative_accuracy"].values[row])
        np.testing.assert_allclose(line.x, record["step"].values / 24)
    [band] = [trace for trace in figure.data if trace.fill]
    assert band.legendgroup == "random"
    np.testing.assert_allclose(band.y[:5], record["cumulative_high"].values[2])
    np.testing.assert_allclose(band.y[:4:-1], record["cumulative_low"].values[2])


def test_an_order_is_named_once_for_all_panels(tree):
    figure = figures.ablation_curves(tree)
    assert sum(bool(trace.showlegend) for trace in figure.data) == 3
    assert figure.layout.yaxis.range[0] == 0
    assert all(max(trace.y) <= figure.layout.yaxis.range[1] for trace in figure.data)


def test_names_are_text():
    odd = make_units(12, 2, layer="<b>1</b>")
    drawn = [
        figures.rs_selectivity_panels(odd),
        figures.rs_selectivity_by_layer(odd),
        figures.exceeding_units(odd, 0),
    ]
    assert all("<b>1</b>" not in figure.to_json() for figure in drawn)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda t: figures.rs_selectivity_panels(t, ["conv9"]), "no layer 'conv9' here; the layers are"),
        (
            lambda t: figures.rs_selectivity_panels(t, objectives=["cam"]),
            "no objective 'cam'; it has am and iam",
        ),
        (lambda t: figures.rs_selectivity_panels(make_units(4, 2, images=False)), "has no rs; measure"),
        (lambda t: figures.rs_selectivity_by_layer([]), "no record to draw"),
        (lambda t: figures.rs_selectivity_by_layer([t, make_tree(1, 4, 2)]), "no layer 'features.4' here"),
        (
            lambda t: figures.importance_by_layer(make_tree(1, 9, 2, ablation=False)),
            "no column 'accuracy_drop'",
        ),
        (lambda t: figures.exceeding_units(t, 99, "features.1"), "unit is 99, but this layer has 24"),
        (
            lambda t: figures.exceeding_units(t, layer="features.1", count=0),
            "count is 0; give a whole number",
        ),
        (lambda t: figures.exceeding_units(t, layer="features.1", objective="x"), "no objective 'x'"),
        (lambda t: figures.exceeding_units(make_units(4, 2, images=False)), "no images of units"),
        (lambda t: figures.exceeding_units(make_units(4, 2, failed={1: "failed: NaN"}), 1), "failed: NaN"),
        (lambda t: figures.exceeding_units(make_units(6, 2, copies=True)), "no unit here is exceeded by 2"),
        (lambda t: figures.ablation_curves(make_units(4, 2)), "no cumulative curves"),
    ],
)
def test_what_can_not_be_drawn_is_refused_in_a_sentence(tree, call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call(tree)
