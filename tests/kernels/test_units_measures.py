"""Whole unit records by other measures than the usual ones, in double precision, and of what cannot be analyzed."""

import numpy as np
import pytest
import torch
from units_networks import batches, branching, labeled_images, values_at

import tunewidgets as tw

QUIET = {"progress": False, "device": "cpu"}
QUICK = {"steps": 2, "exemplars": 3, **QUIET}
IMAGES, LABELS = labeled_images()
DATA = batches(IMAGES, LABELS, 5)


@pytest.mark.parametrize(("reduction", "rectify"), [("max", True), ("mean", False)])
def test_another_measure_holds_for_every_column(reduction, rectify):
    measure = {"reduction": reduction, "rectify": rectify}
    network = branching()
    record = tw.analyze_units(network, DATA, "body.2", ("am",), ablation=False, **measure, **QUICK)["body.2"]
    pieces = [
        tw.class_selectivity(network, DATA, "body.2", critics=True, **measure, **QUIET),
        tw.exemplars(network, DATA, "body.2", k=3, **measure, **QUIET),
        tw.representative_substitution(
            network, "body.2", ("am",), data=DATA, steps=2, k=3, **measure, **QUIET
        ),
    ]
    for piece in pieces:
        for name, column in piece["body.2"].data_vars.items():
            assert np.array_equal(record[name], column, equal_nan=column.dtype.kind == "f"), name
    settings = tw.records.settings_of(record.to_dataset())
    assert {name: settings[name] for name in measure} == measure


def test_a_store_of_another_measure_is_not_gone_on_with(tmp_path):
    options = {"store": tmp_path / "units.zarr", "ablation": False, **QUICK}
    tw.analyze_units(branching(), DATA, "relu", (), **options)
    with pytest.raises(ValueError, match="holds records made with reduction='mean', not 'max'; give another"):
        tw.analyze_units(branching(), DATA, "relu", (), reduction="max", **options)


def test_a_network_in_double_precision_is_measured_in_it_and_left_so():
    network = branching().double()
    record = tw.analyze_units(network, DATA, "relu", ("am",), ablation_options={"points": 3}, **QUICK)["relu"]
    tw.records.validate(record.to_dataset())
    expected = values_at(network, "relu", IMAGES).clamp(min=0).mean((0, 2))
    np.testing.assert_allclose(record.mean_activation, expected, rtol=1e-6)
    assert {p.dtype for p in network.parameters()} == {torch.float64}


def test_pictures_have_the_side_of_the_images():
    record = tw.analyze_units(branching(), DATA, "relu", ("am",), ablation=False, pictures=16, **QUICK)[
        "relu"
    ]
    assert record.exemplar_image.shape[2:] == record.image.shape[2:] == (16, 16, 3)


def broken():
    network = branching()
    with torch.no_grad():
        network.norm.running_mean[0] = torch.nan
    return network


BAD = {
    "pictures of another side": (
        {"pictures": 8},
        r"pictures is 8 and the images made for layer 'relu' are 16 px a side, .* give pictures=16, or size=8",
    ),
    "reduction": ({"reduction": "sum"}, "reduction is 'sum'; choose one of 'mean', 'max', 'center'"),
    "exemplars": ({"exemplars": -1}, "exemplars is -1; give how many images per unit, or 0 for none"),
    "labels outside the classes": ({"classes": 2}, "image 2 has the label 2, outside the classes 0 to 1"),
    "a class with no image": ({"classes": 4}, "class 3 has no image among the 18"),
    "one class": ({"data": [(IMAGES, LABELS * 0)]}, "all images are of one class"),
    "dry": ({"data": iter(())}, "the data set ran dry"),
    "wrong size": (
        {"data": [(IMAGES[:, :, :9, :9], LABELS)]},
        "images are 9 × 9 px and the model takes 16 × 16",
    ),
    "NaN weights": ({"model": broken()}, "the model's norm.running_mean holds NaN or infinite values"),
    "no such layer": ({"layers": "rleu"}, "has no layer 'rleu'; did you mean 'relu'"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_analyzed_is_said_in_one_sentence(case):
    options, sentence = BAD[case]
    asked = {"model": branching(), "data": DATA, "layers": "relu", "objectives": ("am",), **QUICK, **options}
    with pytest.raises(ValueError, match=sentence) as caught:
        tw.analyze_units(**asked)
    assert "\n" not in str(caught.value)
