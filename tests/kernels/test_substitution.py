"""Representative substitution: counts by hand, layers whose answer is known, and the optimum of IAM."""

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn
from units_networks import CASES, PRECISIONS, branching, labeled_images, tiny_vit, values_at

import tunewidgets as tw
from tunewidgets.kernels.canvas.jitter import Jitter
from tunewidgets.kernels.single_units.substitution_measures import (
    exceeders,
    normalized_substitution,
    substitutes,
    substitution,
)

QUICK = {"steps": 6, "progress": False, "device": "cpu"}


def naive_rs(response):
    """Eq. 4 by loops."""
    rows = []
    for i, row in enumerate(response.tolist()):
        count = sum(1 for j, x in enumerate(row) if j != i and x > row[i])
        rows.append(count / len(row) if row[i] > 0 else np.nan)
    return rows


def linear_layer(weight):
    network = nn.Sequential(nn.Flatten(), nn.Linear(weight.shape[1], len(weight), bias=False), nn.ReLU())
    with torch.no_grad():
        network[1].weight.copy_(weight)
    network.input_size = 4
    return network.eval()


def test_rs_agrees_with_counting_and_leaves_out_who_never_fires():
    response = np.random.default_rng(0).random((20, 20)).astype(np.float32)
    response[3, 3] = 0
    np.testing.assert_allclose(substitution(response), naive_rs(response), atol=1e-6)
    assert np.isnan(substitution(response)[3])


def test_exceeders_are_in_order_and_filled_up_with_nobody():
    response = np.array([[2, 5, 3, 1], [0, 9, 1, 1], [4, 4, 1, 9], [1, 2, 3, 0]], dtype=np.float32)
    who, how_much = exceeders(response, 6)
    assert who.tolist() == [[1, 2, *[-1] * 4], [-1] * 6, [3, 0, 1, *[-1] * 3], [-1] * 6]
    np.testing.assert_array_equal(how_much[2], [9, 4, 4, np.nan, np.nan, np.nan])


def test_normalized_rs_does_not_depend_on_gain():
    rng = np.random.default_rng(1)
    response, mean = rng.random((8, 8)), rng.random(8) + 0.1
    gain = 2.0 ** rng.integers(-4, 5, 8)
    same = normalized_substitution(response, mean)
    np.testing.assert_array_equal(same, normalized_substitution(response * gain, mean * gain))
    assert not np.array_equal(substitution(response), substitution(response * gain))
    mean[2] = 0
    without = normalized_substitution(response, mean)
    alive = np.arange(8) != 2
    assert np.isnan(without[2])
    np.testing.assert_allclose(
        without[alive], naive_rs((response / np.where(alive, mean, 1))[alive][:, alive])
    )


def test_substitutes_agree_with_loops():
    patterns = np.random.default_rng(2).random((12, 6))
    patterns[:, 4] = patterns[:, 1] * 3
    patterns[:, 5] = 0
    expected = []
    for i in range(6):
        count = 0
        for j in range(6):
            a, b = patterns[:, i], patterns[:, j]
            length = np.sqrt((a @ a) * (b @ b))
            count += i != j and length > 0 and a @ b / length > 0.9
        expected.append(count)
    assert substitutes(patterns).tolist() == expected
    assert expected[1] >= 1


@pytest.mark.parametrize(("make", "layer"), [(branching, "body.2"), (branching, "relu_1"), (tiny_vit, "act")])
def test_a_record_agrees_with_its_own_images(make, layer):
    network = make()
    tree = tw.representative_substitution(network, layer, responses=True, restarts=2, k=3, **QUICK)
    record = tree[layer].to_dataset()
    tw.records.validate(tree)
    made = {
        name: tw.visualize(
            tw.Probe(network, layer, device="cpu"), objective(range(record.sizes["unit"])), steps=6, restarts=2,
            contrast=None, progress=False,
        )
        for name, objective in (("am", tw.AM), ("iam", tw.IAM))
    }  # fmt: skip
    units = record.sizes["unit"]
    for name, images in made.items():
        response = images.response.values.reshape(2, units, units)
        failed = ~np.isfinite(response).all(2)
        expected = np.array([naive_rs(part) for part in response])
        expected[failed] = np.nan
        here = record.sel(objective=name)
        np.testing.assert_allclose(here.rs_restarts.T, expected, atol=1e-6)
        there = np.isfinite(expected)
        mean = np.where(there, expected, 0).sum(0) / np.maximum(there.sum(0), 1)
        np.testing.assert_allclose(here.rs, np.where(there.any(0), mean, np.nan), atol=1e-6)
        assert np.array_equal(here.image.values, images.image.values[:units])
        np.testing.assert_allclose(here.own_response, np.diag(response[0]))
        np.testing.assert_allclose(here.response.astype(np.float32), response[0], rtol=1e-3, atol=1e-6)
        np.testing.assert_array_equal(here.rs_checkpoint[:, -1], here.rs_restarts[:, 0])
        assert here.silent.values.tolist() == (~failed[0] & (np.diag(response[0]) <= 0)).tolist()
        assert here.rs.values[here.silent.values & ~there[1]].size == np.isnan(here.rs.values).sum()
    assert record.checkpoint.values.tolist() == [1, 3, 6]


def test_the_image_for_the_eye_is_the_measured_pattern_at_bounded_contrast_and_changes_no_measure():
    network = branching()
    both = tw.representative_substitution(network, "body.2", **{**QUICK, "steps": 24})["body.2"].to_dataset()
    alone = tw.representative_substitution(network, "body.2", contrast=None, **{**QUICK, "steps": 24})[
        "body.2"
    ]
    tw.records.validate(both)
    assert tw.records.settings_of(both)["display_contrast"] == 1.2
    assert "display" not in alone
    for name in alone.data_vars:
        xr.testing.assert_equal(both[name], alone[name])
    probe = tw.Probe(network, "body.2", device="cpu")
    for name in both.objective.values:
        one = both.sel(objective=name)
        bounded = one.display.values == "bounded contrast"
        assert bounded.any()
        assert set(one.display.values) <= {"", "bounded contrast", "one position"}
        assert (one.display.values != "").tolist() == (one.rendered & ~one.silent).values.tolist()
        images = torch.from_numpy(one.display_image.values[bounded]).permute(0, 3, 1, 2).float() / 255
        logits = images.clamp(0.5 / 255, 1 - 0.5 / 255).logit()
        assert float(logits.flatten(1).std(1).max()) < 1.25
        response = probe.rectified(images).mean((2, 3))[range(len(images)), np.flatnonzero(bounded)]
        np.testing.assert_allclose(one.display_response.values[bounded], response, rtol=0.02, atol=1e-3)
        measured = one.image.values[bounded].reshape(len(images), -1).astype(float)
        shown = one.display_image.values[bounded].reshape(len(images), -1).astype(float)
        assert all(np.corrcoef(a, b)[0, 1] > 0.7 for a, b in zip(measured, shown, strict=True))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("precision", PRECISIONS, ids=str)
def test_every_kind_of_layer_agrees_with_loops_over_its_images(case, precision):
    make, layers = CASES[case]
    network, near = make().to(precision), PRECISIONS[precision]
    tree = tw.representative_substitution(network, layers, ("am",), **{**QUICK, "steps": 2})
    for layer in layers:
        record = tree[layer].to_dataset().sel(objective="am")
        probe, units = tw.Probe(network, layer, device="cpu"), record.sizes["unit"]
        made = tw.visualize(probe, tw.AM(range(units)), steps=2, floats=True, contrast=None, progress=False)
        response = values_at(network, layer, torch.from_numpy(made.image_float.values).permute(0, 3, 1, 2))
        response = response.clamp(min=0).mean(2).numpy()
        np.testing.assert_allclose(record.own_response, np.diag(response), rtol=near, atol=1e-6)
        np.testing.assert_allclose(record.rs, naive_rs(response), atol=1e-6)


@pytest.mark.parametrize(("reduction", "rectify"), [("max", True), ("center", True), ("mean", False)])
def test_another_reduction_is_measured_on_the_same_images(reduction, rectify):
    network, layer = branching(), "late"
    tree = tw.representative_substitution(
        network, layer, restarts=2, responses=True, reduction=reduction, rectify=rectify, **QUICK
    )
    record = tree[layer].to_dataset()
    tw.records.validate(tree)
    usual = tw.representative_substitution(network, layer, restarts=2, **QUICK)[layer]
    np.testing.assert_array_equal(record.image, usual.image)
    assert record.checkpoint.values.tolist() == [6]
    assert tw.records.settings_of(record)["reduction"] == reduction
    probe = tw.Probe(network, layer, device="cpu")
    for objective, make in (("am", tw.AM), ("iam", tw.IAM)):
        made = tw.visualize(
            probe, make(range(4)), steps=6, restarts=2, floats=True, contrast=None, progress=False
        )
        maps = values_at(network, layer, torch.from_numpy(made.image_float.values).permute(0, 3, 1, 2))
        maps = maps.clamp(min=0) if rectify else maps
        side = int(maps.shape[2] ** 0.5)
        center = maps[:, :, (side // 2) * side + side // 2]
        response = (
            {"max": maps.amax(2), "mean": maps.mean(2), "center": center}[reduction].view(2, 4, 4).numpy()
        )
        here = record.sel(objective=objective)
        np.testing.assert_allclose(here.response.astype(float), response[0], rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(here.rs_restarts.T, [naive_rs(part) for part in response], atol=1e-6)


def test_copies_of_one_unit_have_rs_0_and_all_are_substitutes():
    torch.manual_seed(0)
    network = linear_layer(torch.rand(1, 48).repeat(5, 1))
    record = tw.representative_substitution(network, "2", **QUICK)["2"].to_dataset()
    assert (record.rs == 0).all()
    assert record.rendered.all()
    # IAM has nothing to climb among copies, and the record says so.
    assert all("never rose" in text for text in record.sel(objective="iam").status.values)
    assert (record.substitutes == 4).all()
    assert (record.exceeder == -1).all()


def test_a_unit_that_never_fires_is_flagged_and_has_no_rs():
    weight = torch.rand(4, 48)
    weight[2] = -1
    record = tw.representative_substitution(linear_layer(weight), "2", ("am",), **QUICK)["2"].to_dataset()
    assert record.silent.values.tolist() == [[False, False, True, False]]
    assert np.isnan(record.rs.values[0]).tolist() == [False, False, True, False]
    assert record.status.values[0, 2].startswith("silent")


def test_iams_optimum_on_a_linear_layer_is_reached():
    """Of w_i - mean of the others the best image in [0, 1] is white where it is positive, black elsewhere."""
    torch.manual_seed(0)
    weight = torch.randn(4, 48) + 0.5
    network = linear_layer(weight)
    tree = tw.representative_substitution(
        network, "1", ("iam",), responses=False, canvas="pixel", jitter=Jitter(0, 0, 0), objective_at="pre",
        **{**QUICK, "steps": 512},
    )  # fmt: skip
    image = torch.from_numpy(tree["1"].image.values[0]).float().permute(0, 3, 1, 2).flatten(1) / 255
    difference = weight - (weight.sum(0) - weight) / 3
    reached = (image * difference).sum(1)
    torch.testing.assert_close(reached, difference.clamp(min=0).sum(1), rtol=0.01, atol=0)


def test_mean_activations_are_measured_where_data_are_given():
    network = branching()
    data = [labeled_images()]
    measured = tw.representative_substitution(network, "relu", ("am",), data=data, **QUICK)["relu"]
    mean = tw.class_selectivity(network, data, "relu", progress=False, device="cpu")["relu"].mean_activation
    given = tw.representative_substitution(
        network, "relu", ("am",), mean_activation={"relu": mean.values}, **QUICK
    )
    np.testing.assert_array_equal(measured.rs_normalized, given["relu"].rs_normalized)
    assert "rs_normalized" not in tw.representative_substitution(network, "relu", ("am",), **QUICK)["relu"]


def test_bad_input_is_said_in_one_sentence():
    network = branching()
    with pytest.raises(ValueError, match=r"objectives is \('am', 'max'\); give one or both of"):
        tw.representative_substitution(network, "relu", ("am", "max"), **QUICK)
    with pytest.raises(TypeError, match="there is no option 'stepz'; those of the images are band, canvas"):
        tw.representative_substitution(network, "relu", stepz=3, **QUICK)
    with pytest.raises(ValueError, match=r"checkpoints is 'all'; give steps, such as \(16, 64\), or 'auto'"):
        tw.representative_substitution(network, "relu", checkpoints="all", **QUICK)
    with pytest.raises(
        ValueError, match="checkpoints asks for step 3, where rectified means alone are measured"
    ):
        tw.representative_substitution(network, "relu", checkpoints=[3], reduction="max", **QUICK)
    with pytest.raises(ValueError, match="reduction is 'sum'; choose one of"):
        tw.representative_substitution(network, "relu", reduction="sum", **QUICK)
    with pytest.raises(ValueError, match=r"mean_activation has shape \(2,\) for layer 'relu'; give \(6,\)"):
        tw.representative_substitution(network, "relu", mean_activation={"relu": np.ones(2)}, **QUICK)
    with torch.no_grad():
        network.head.bias[0] = torch.nan
    with pytest.raises(ValueError, match=r"the model's head.bias holds NaN"):
        tw.representative_substitution(network, "relu", **QUICK)
