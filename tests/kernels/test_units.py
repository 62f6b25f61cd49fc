"""Whole unit records, made in one call, resumed, shared among workers; and correlations of their columns."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import xarray as xr
from scipy import stats
from torch.utils.data import DataLoader
from units_networks import batches, branching, labeled_images

import tunewidgets as tw
from tunewidgets.derived.statistics import spearman
from tunewidgets.kernels.single_units import units

QUICK = {"steps": 4, "progress": False, "device": "cpu", "exemplars": 3}
LAYERS = ["relu", "body.2"]


@pytest.fixture(scope="module")
def data():
    return batches(*labeled_images(), 5)


@pytest.fixture(scope="module")
def whole(data):
    return tw.analyze_units(branching(), data, LAYERS, ablation_options={"points": 3}, **QUICK)


def test_a_whole_record_holds_what_its_pieces_give(whole, data):
    network, quiet = branching(), {"progress": False, "device": "cpu"}
    selectivity = tw.class_selectivity(network, data, LAYERS, critics=True, **quiet)
    pieces = [
        selectivity,
        tw.exemplars(network, data, LAYERS, k=3, **quiet),
        tw.ablation(network, data, LAYERS, points=3, **quiet),
        tw.representative_substitution(network, LAYERS, data=data, steps=4, k=3, **quiet),
    ]
    tw.records.validate(whole)
    assert list(whole.children) == LAYERS
    for layer in LAYERS:
        expected = set()
        for piece in pieces:
            for name, column in piece[layer].data_vars.items():
                expected.add(name)
                if column.dtype.kind == "f":
                    np.testing.assert_allclose(whole[layer][name], column, atol=1e-6, err_msg=str(name))
                else:
                    assert np.array_equal(whole[layer][name], column), name
        assert set(whole[layer].data_vars) == expected


def test_the_data_are_streamed_once_for_all_layers_and_once_a_layer_for_its_ablation(data):
    class Counting:
        passes = 0

        def __iter__(self):
            self.passes += 1
            return iter(data)

    counting = Counting()
    tw.analyze_units(branching(), counting, LAYERS, (), ablation=False, **QUICK)
    assert counting.passes == 1
    tw.analyze_units(branching(), counting, LAYERS, (), ablation_options={"curves": False}, **QUICK)
    assert counting.passes == 1 + 1 + len(LAYERS)


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path, data, whole, monkeypatch):
    options = {"store": tmp_path / "units.zarr", "ablation_options": {"points": 3}, **QUICK}
    real, made = units.UnitImages, []

    def stopped(observed, layer, *args, **kwargs):
        made.append(layer)
        if len(made) == 2:
            raise KeyboardInterrupt
        return real(observed, layer, *args, **kwargs)

    monkeypatch.setattr(units, "UnitImages", stopped)
    with pytest.raises(KeyboardInterrupt):
        tw.analyze_units(branching(), data, LAYERS, **options)
    finished, waiting = tw.open_record(options["store"]).children.values()
    assert "unfinished" not in finished.attrs
    assert "still to come" in waiting.attrs["unfinished"]
    tree = tw.analyze_units(branching(), data, LAYERS, **options)
    assert made == [*LAYERS, LAYERS[1]]
    for layer in LAYERS:
        xr.testing.assert_equal(
            tree[layer].to_dataset()[["rs", "image"]], whole[layer].to_dataset()[["rs", "image"]]
        )
    assert list(tw.open_record(options["store"]).children) == LAYERS
    with pytest.raises(ValueError, match=r"holds records made with steps=4, not 5; give another store"):
        tw.analyze_units(branching(), data, LAYERS, **{**options, "steps": 5})
    images, labels = (torch.cat(column) for column in zip(*data, strict=True))
    for others in (batches(images.roll(1, 0), labels, 5), batches(images, labels.roll(1), 5)):
        with pytest.raises(
            ValueError, match=r"made with first_images='images of mean 0\.\d+, .*with labels \d, "
        ):
            tw.analyze_units(branching(), others, LAYERS, **options)
    otherwise = tw.analyze_units(branching(), batches(images, labels, 3), LAYERS, **options)
    xr.testing.assert_identical(otherwise[LAYERS[0]].to_dataset(), tree[LAYERS[0]].to_dataset())
    other = branching()
    with torch.no_grad():
        other.head.bias += 1
    with pytest.raises(ValueError, match="records of a model with other weights; give another store"):
        tw.analyze_units(other, data, LAYERS, **options)


def test_a_store_shows_each_measure_as_it_comes_and_importance_last(tmp_path, data, whole, monkeypatch):
    store = tmp_path / "units.zarr"

    def stopped(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(units, "ablate", stopped)
    with pytest.raises(KeyboardInterrupt):
        tw.analyze_units(branching(), data, LAYERS, store=store, **QUICK)
    first, second = (node.to_dataset() for node in tw.open_record(store).children.values())
    assert first.attrs["unfinished"] == "importance is still to come"
    assert "loss_increase" not in first
    for name in ("rs", "image", "selectivity"):
        np.testing.assert_array_equal(first[name], whole[LAYERS[0]][name])
    assert second.attrs["unfinished"] == "more than class measures is still to come"
    assert "image" not in second
    np.testing.assert_array_equal(second.selectivity, whole[LAYERS[1]].selectivity)
    tw.UnitScatter(tw.open_record(store), layer=LAYERS[1])


def test_data_that_shuffle_are_taken_where_no_image_has_to_be_found_again(tmp_path, whole):
    data = DataLoader(list(zip(*labeled_images(), strict=True)), 5, shuffle=True)
    options = {"layers": "relu", "objectives": (), "ablation": False, **QUICK}
    found = tw.analyze_units(branching(), data, **{**options, "exemplars": 0})["relu"]
    np.testing.assert_allclose(found.selectivity, whole["relu"].selectivity, atol=1e-6)
    for more in ({}, {"exemplars": 0, "store": tmp_path / "u.zarr"}):
        with pytest.raises(ValueError, match="shuffles, so an image has another number at every pass"):
            tw.analyze_units(branching(), data, **{**options, **more})


def test_an_executor_makes_the_same_images(data, whole):
    with ThreadPoolExecutor(2) as executor:
        tree = tw.analyze_units(branching(), data, LAYERS, ablation=False, executor=executor, **QUICK)
    for layer in LAYERS:
        # Another thread may round otherwise, which a few steps hardly amplify.
        np.testing.assert_allclose(tree[layer].own_response, whole[layer].own_response, rtol=0.02)
        assert tree[layer].rendered.equals(whole[layer].rendered)


def test_training_mode_is_said_once_and_put_back(data):
    network = branching().train()
    with pytest.warns(UserWarning, match="training mode") as said:
        tw.analyze_units(network, data, "relu", ("am",), **QUICK, ablation_options={"curves": False})
    assert len([w for w in said if "training mode" in str(w.message)]) == 1
    assert all(module.training for module in network.modules())


def record(n=40, seed=0, **more):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, n))
    columns = {"x": x, "y": x + rng.normal(size=n), "z": z, "both": z + x, **more}
    return xr.Dataset({name: ("unit", values) for name, values in columns.items()})


def test_spearmans_rho_agrees_with_scipy_also_with_ties():
    units = record(tied=np.arange(40) // 7)
    for y in ("y", "z", "tied"):
        found = spearman(units, "x", y)
        assert found.rho == pytest.approx(stats.spearmanr(units.x, units[y]).statistic, abs=1e-12)
        assert found.low < found.rho < found.high
        assert found.n == 40


def test_the_interval_covers_as_often_as_it_says():
    inside = 0
    for seed in range(60):
        found = spearman(record(60, seed), "x", "z", draws=200)
        inside += found.low <= 0 <= found.high
    assert inside >= 50


def test_partial_correlation_is_that_of_the_ranks_residuals():
    units = record()
    a, b, c = (stats.rankdata(units[name]) for name in ("both", "x", "z"))
    residuals = [v - np.polyval(np.polyfit(c, v, 1), c) for v in (a, b)]
    expected = np.corrcoef(*residuals)[0, 1]
    assert spearman(units, "both", "x", given="z").rho == pytest.approx(expected, abs=1e-9)


def test_dead_and_failed_units_are_left_out_and_counted():
    dead, value = np.zeros(40, dtype=bool), np.arange(40.0)
    dead[:3], value[2:7] = True, np.nan
    found = spearman(record(dead=dead, rs=value), "x", "rs")
    assert (found.n, found.dead, found.failed) == (33, 3, 4)
    kept = record().x.values[7:]
    assert found.rho == pytest.approx(stats.spearmanr(kept, np.arange(33)).statistic)


def test_what_has_no_correlation_gives_nan_not_a_number():
    found = spearman(record(flat=np.ones(40)), "x", "flat")
    assert np.isnan([found.rho, found.low, found.high]).all()
    assert found.n == 40


def test_a_column_of_several_objectives_wants_one_named(whole):
    layer = whole["relu"].to_dataset()
    assert spearman(layer, "rs", "selectivity", objective="iam").n <= 6
    with pytest.raises(ValueError, match="rs is there for am and iam; say which with objective='am'"):
        spearman(layer, "rs", "selectivity")
    with pytest.raises(ValueError, match="no column 'rz'; it has selectivity"):
        spearman(layer, "rz", "selectivity")
    with pytest.raises(ValueError, match="not one value per unit"):
        spearman(layer, "class_mean", "selectivity")
