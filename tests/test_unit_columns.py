"""Unit columns: the record's numbers, None where they mean nothing, with ranges and scales that hold them."""

import json

import numpy as np
import pytest
import xarray as xr
from unit_records import make_tree, make_units

from tunewidgets.derived.unit_columns import chosen, columns, layer_of, made, table
from tunewidgets.records import RecordError, layer_tree, layers_of


@pytest.fixture(scope="module")
def units() -> xr.Dataset:
    return make_units(40, 2, layer="relu", dead=[3], silent=[5], failed={8: "failed: NaN"})


def test_every_number_is_the_record_s_to_the_last_bit(units):
    for objective in ("am", "iam"):
        found = columns(units, objective)
        one = units.sel(objective=objective)
        for name in ("selectivity", "rs", "rs_normalized", "own_response", "accuracy_drop", "loss_increase"):
            values = np.array(found[name].values, dtype=float).astype(np.float32)
            kept = np.isfinite(values)
            np.testing.assert_array_equal(values[kept], one[name].values[kept])


def test_numbers_outlive_json(units):
    assert json.loads(json.dumps(table(units), allow_nan=False)) == table(units)


def test_what_means_nothing_is_none(units):
    found = columns(units, "iam")
    missing = {name: [u for u, v in enumerate(c.values) if v is None] for name, c in found.items()}
    of_data = ("selectivity", "auc", "precision_at_k", "preferred_class", "mean_activation")
    assert all(missing[name] == [3] for name in of_data)
    # A dead unit answers to no image either; a failed one has none.
    assert {5, 8} <= set(missing["rs"])
    assert {5, 8} <= set(missing["own_response"])
    assert missing["accuracy_drop"] == missing["worst_class_drop"] == []


def test_the_worst_class_is_the_one_that_loses_most(units):
    units = units.assign(class_accuracy_drop=units["class_accuracy_drop"].copy())
    units["class_accuracy_drop"][7, 2] = 0.9
    units["class_accuracy_drop"][:, 4] = np.nan
    assert columns(units)["worst_class_drop"].values[7] == pytest.approx(0.9)


def test_counts_and_classes_are_whole_numbers(units):
    found = columns(units)
    for name in ("substitutes", "preferred_class"):
        assert {type(value) for value in found[name].values if value is not None} == {int}


def test_what_the_record_lacks_is_absent():
    bare = make_units(8, 2, images=False, ablation=False)
    assert not {"rs", "accuracy_drop", "worst_class_drop"} & set(columns(bare))
    assert {"selectivity", "auc"} <= set(columns(bare))
    assert table(bare)["objectives"] == []
    assert "rs" not in table(bare)["columns"]


def test_an_axis_ends_where_the_values_of_its_objective_do(units):
    spread = np.linspace(0.1, 1, 40, dtype=np.float32)
    units = units.assign(rs=(("objective", "unit"), np.stack([spread, spread / 2])))
    for objective in ("am", "iam"):
        values = units["rs"].sel(objective=objective).values
        axis = columns(units, objective)["rs"].axis
        assert axis.scale == "linear"
        span = np.nanmax(values) - np.nanmin(values)
        assert axis.range == pytest.approx(
            (np.nanmin(values) - 0.04 * span, np.nanmax(values) + 0.04 * span), rel=1e-5
        )
        assert axis.facts() == table(units)["columns"]["rs"]["axis"][objective]


def test_objectives_share_a_column_s_scale(units):
    crowded = np.full(40, 0.01, np.float32)
    crowded[0] = 1
    spread = np.linspace(0, 0.05, 40, dtype=np.float32)
    units = units.assign(rs=(("objective", "unit"), np.stack([crowded, spread])))
    assert {columns(units, name)["rs"].axis.scale for name in ("am", "iam")} == {"root"}


def test_a_log_scale_helps_where_values_are_wide_and_above_zero(units):
    wide = units.assign(mean_activation=("unit", np.geomspace(1e-4, 10, 40).astype(np.float32)))
    found = columns(wide)["mean_activation"]
    assert found.axis.scale == "log"
    assert found.axis.range[0] < -4 + 0.5
    assert found.axis.range[1] > 1
    assert columns(units)["selectivity"].axis.scale == "linear"
    negative = units.assign(loss_increase=("unit", np.linspace(-1, 100, 40).astype(np.float32)))
    assert columns(negative)["loss_increase"].axis.scale != "log"


def test_a_constant_column_still_has_an_axis(units):
    flat = units.assign(rs=xr.zeros_like(units["rs"]), loss_increase=xr.full_like(units["loss_increase"], 2))
    assert columns(flat)["rs"].axis.range == (-0.04, 1.04)
    assert columns(flat)["loss_increase"].axis.range == (1.8, 2.2)
    empty = units.assign(rs=xr.full_like(units["rs"], np.nan))
    assert columns(empty)["rs"].axis.range == (-0.04, 1.04)


def test_the_table_says_who_is_left_out_and_why(units):
    found = table(units)
    assert found["dead"] == [3]
    assert 5 in found["silent"]["iam"]
    assert found["failed"] == {"am": [8], "iam": [8]}
    assert found["columns"]["rs"]["values"]["am"] == columns(units, "am")["rs"].values


def test_a_part_of_a_layer_keeps_its_units_numbers(units):
    part = units.assign_coords(unit=np.arange(40)).isel(unit=[3, 10, 20])
    assert table(part)["unit"] == [3, 10, 20]
    assert table(part)["dead"] == [3]


def test_each_way_of_making_images_is_said_once():
    small, large = make_units(4, 2), make_units(4, 3)
    assert made(small, small) == "2 px, 128 steps, leaky at the layer’s own rectifier"
    assert made(small, large).count("px") == 2
    several = small.assign_attrs(settings=json.dumps({"restarts": 3}))
    assert made(several) == "mean of 3 restarts"


def test_what_leaked_while_images_were_optimized_is_said_as_it_was():
    before, now = make_units(4, 2), make_units(4, 2, display=True)
    assert made(now) == "2 px, 128 steps, leaking rectifiers"
    assert "leaking rectifiers" not in made(before)
    exact = now.assign_attrs(settings=json.dumps({"objective_at": "pre", "contrast": None}))
    assert made(exact) == "optimized before the layer’s own rectifier"


def test_layers_are_found_by_their_true_names():
    tree = layer_tree({name: make_units(4, 2, layer=name) for name in ("a/b", "c")})
    assert list(layers_of(tree)) == ["a/b", "c"]
    assert layer_of(tree, "a/b").attrs["layer"] == "a/b"
    assert list(chosen(layers_of(tree), ["c"])) == ["c"]


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: columns(make_units(4, 2), "cam"), ValueError, "no objective 'cam'; it has am and iam"),
        (lambda: layer_of(make_tree(2, 4, 2)), ValueError, "several layers here; say layer="),
        (
            lambda: layer_of(make_units(4, 2), "fc"),
            ValueError,
            "no layer 'fc' here; the layers are features.1",
        ),
        (lambda: layers_of(xr.Dataset()), RecordError, "this is not a tunewidgets record"),
        (
            lambda: layers_of(layer_tree({"trained": make_units(4, 2), "random": make_units(4, 2)})),
            RecordError,
            "two records of this tree are of layer 'features.1', /trained and /random; give those of one network",
        ),
        (
            lambda: layers_of(
                make_units(4, 2).pipe(lambda units: units.where(units.selectivity > 0.01, drop=True))
            ),
            RecordError,
            r"dead of this units record is \w+, where bool belongs; .*; record.isel\(unit=...\) chooses units",
        ),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
