"""Concepts: what the definitions say, in loops over images and pixels, and what they say of features that are known."""

import csv
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from concept_scenes import colors, film_of_colors
from scipy.sparse import csr_array
from scipy.stats import mannwhitneyu
from torch.utils.data import DataLoader, TensorDataset

import tunewidgets as tw
from tunewidgets.derived.statistics import resamples
from tunewidgets.kernels.dissection.scores import areas
from tunewidgets.kernels.gabor.nulls import holm
from tunewidgets.zoo.cifar10 import CIFAR10_CLASSES, load_labeled

INDEX = Path(os.environ.get("TUNEWIDGETS_DATA", "nowhere"), "cifar10", "index.csv")
QUIET = {"progress": False}


def naive_auc(values, has):
    pairs = [(a > b) + (a == b) / 2 for a in values[has] for b in values[~has]]
    return sum(pairs) / len(pairs)


@pytest.fixture(scope="module")
def probe():
    return tw.Probe(colors(), "1", device="cpu")


@pytest.fixture(scope="module")
def sparse():
    """Values of 60 images in which most are 0, as those of a deep layer are, and three overlapping concepts."""
    rng = np.random.default_rng(0)
    values = np.maximum(rng.normal(-0.5, 1, (60, 5)), 0).round(1)
    has = rng.random((3, 60)) < [[0.5], [0.3], [0.15]]
    return values, has


def test_areas_are_the_share_of_pairs_in_order(sparse):
    values, has = sparse
    found = areas(values, csr_array(has.astype(np.int8)), draws=3, seed=0)
    expected = [[naive_auc(column, own) for own in has] for column in values.T]
    np.testing.assert_allclose(found.auc, expected, atol=1e-12)


def test_intervals_are_those_of_resampled_images(sparse):
    values, has = sparse
    found = areas(values, csr_array(has.astype(np.int8)), draws=40, seed=7)
    drawn = []
    for counts in resamples(range(40), 60, 7):
        images = np.repeat(np.arange(60), counts.astype(int))
        drawn.append([[naive_auc(column[images], own[images]) for own in has] for column in values.T])
    ascending = np.sort(drawn, axis=0)
    np.testing.assert_allclose(found.low, ascending[1], atol=1e-12)
    np.testing.assert_allclose(found.high, ascending[-2], atol=1e-12)


def test_p_values_are_mann_whitneys_and_larger_where_values_tie(sparse):
    values, has = sparse
    fine = values + np.random.default_rng(1).random(values.shape)
    for data, tied in ((fine, False), (values, True)):
        found = areas(data, csr_array(has.astype(np.int8)), draws=1, seed=0)
        for at in np.ndindex(found.p.shape):
            column, own = data[:, at[0]], has[at[1]]
            test = mannwhitneyu(column[own], column[~own], method="asymptotic", use_continuity=False)
            assert found.p[at] >= test.pvalue if tied else np.isclose(found.p[at], test.pvalue)


def test_permuted_labels_name_no_concept_in_95_of_100(sparse):
    values, has = sparse
    rng = np.random.default_rng(2)
    called = 0
    for _ in range(300):
        permuted = csr_array(has[:, rng.permutation(60)].astype(np.int8))
        called += holm(areas(values, permuted, draws=1, seed=0).p.ravel()).min() <= 0.05
    assert called <= 15


def test_a_unit_that_is_the_label_and_one_that_knows_nothing_of_it(probe):
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(80, 3, 6, 6, generator=generator)
    bright = np.arange(80) % 2 == 0
    images[bright, 0] = 0.9
    images[~bright, 0] = 0.1
    found = tw.concepts(probe, images, {"bright": bright}, **QUIET).squeeze("concept")
    assert found.auc.values[0] == found.auc_low.values[0] == found.auc_high.values[0] == 1
    assert found.p_holm.values[0] < 1e-9
    for unit in (1, 2):
        assert found.auc_low.values[unit] < 0.5 < found.auc_high.values[unit]
        assert found.p_holm.values[unit] > 0.05
    assert (found.positives.item(), found.asked.item()) == (40, 80)


def test_labels_come_in_any_form(probe):
    images = torch.rand(24, 3, 5, 5, generator=torch.Generator().manual_seed(1))
    code = np.arange(24) % 3
    names = np.array(["a", "b", "c"])
    asked = {"least": 2, "draws": 5, **QUIET}
    first = tw.concepts(probe, images, names[code].tolist(), **asked)
    assert first.concept.values.tolist() == ["a", "b", "c"]
    batches = [(images[:10], torch.from_numpy(code[:10])), (images[10:], torch.from_numpy(code[10:]))]
    for others, labels, classes in (
        (images, code, names),
        (images, {name: code == at for at, name in enumerate(names)}, ()),
        (batches, None, names),
        ((images, torch.from_numpy(code)), None, names),
        (tw.zoo.images(list(zip(images, code, strict=True)), size=None), None, names),
        (DataLoader(TensorDataset(images), batch_size=7), code, names),
    ):
        found = tw.concepts(probe, others, labels, classes=classes, **asked)
        np.testing.assert_array_equal(found.auc, first.auc)
        assert found.concept.values.tolist() == ["a", "b", "c"]


def test_classes_of_one_name_are_told_apart(probe):
    images = torch.rand(24, 3, 5, 5, generator=torch.Generator().manual_seed(1))
    found = tw.concepts(probe, images, np.arange(24) % 3, classes=["crane", "ox", "crane"], least=2, **QUIET)
    assert found.concept.values.tolist() == ["crane (label 1)", "ox", "crane (label 2)"]
    bars = tw.figures.concept_bars(found, 0)
    assert len(set(bars.data[0].y)) == 3


@pytest.mark.parametrize("reduction", ["mean", "max", "center"])
def test_an_images_value_follows_from_its_map(probe, reduction):
    images = torch.rand(20, 3, 5, 5, generator=torch.Generator().manual_seed(2))
    has = np.arange(20) < 8
    found = tw.concepts(probe, images, {"x": has}, reduction=reduction, least=5, **QUIET)
    value = {"mean": images.mean((2, 3)), "max": images.amax((2, 3)), "center": images[:, :, 2, 2]}[reduction]
    expected = [naive_auc(column.numpy(), has) for column in value.T]
    np.testing.assert_allclose(found.auc.values[:, 0], expected, rtol=1e-6)


def test_labels_that_come_with_images_stay_with_them_in_any_order(probe):
    images = torch.rand(24, 3, 5, 5, generator=torch.Generator().manual_seed(1))
    pairs = TensorDataset(images, torch.arange(24) % 2)
    first = tw.concepts(probe, images, torch.arange(24) % 2, **QUIET)
    shuffled = tw.concepts(probe, DataLoader(pairs, batch_size=7, shuffle=True), **QUIET)
    np.testing.assert_allclose(first.auc, shuffled.auc, rtol=1e-6)


def test_rare_concepts_are_left_out_and_counted(probe):
    images = torch.rand(30, 3, 4, 4)
    labels = ["a"] * 14 + ["b"] * 13 + ["c"] * 3
    found = tw.concepts(probe, images, labels, **QUIET)
    assert found.concept.values.tolist() == ["a", "b"]
    assert tw.records.settings_of(found)["left_out"] == 1


@pytest.fixture(scope="module")
def film(probe):
    return film_of_colors(probe)


def test_dimensions_are_told_apart_by_their_coordinates(probe, film):
    images, dimensions, film = film
    has = np.arange(40) % 2 == 0
    found = tw.concepts(film, images, {"even": has}, probe=probe, **QUIET)
    assert found.equals(tw.concepts(dimensions, images, {"even": has}, probe=probe, **QUIET))
    vectors = images.movedim(1, -1).reshape(-1, 3).numpy()
    means = dimensions.transform(vectors).reshape(40, 36, 2).mean(1)
    expected = [naive_auc(column, has) for column in means.T]
    np.testing.assert_allclose(
        found.auc.values[:, 0], expected, atol=0.011
    )  # a pair may change its order by rounding
    assert tw.records.settings_of(found)["features"] == "dimensions"


def test_unit_records_stand_for_their_units(probe):
    images = torch.rand(20, 3, 6, 6)
    labels = torch.arange(20) % 2
    tree = tw.class_selectivity(probe.model, [(images, labels)], "1", progress=False, device="cpu")
    asked = {"least": 5, **QUIET}
    expected = tw.concepts(probe, images, labels, **asked)
    for units in (tree, tree["1"].to_dataset()):
        assert tw.concepts(units, images, labels, probe=probe, **asked).equals(expected)
    some = tw.concepts(tree["1"].to_dataset().isel(unit=[2, 0]), images, labels, probe=probe, **asked)
    assert some.feature.values.tolist() == [2, 0]
    np.testing.assert_array_equal(some.auc, expected.auc.sel(feature=[2, 0]))
    wrong = tree["1"].to_dataset().assign_coords(unit=np.arange(len(expected.feature)) + 1)
    with pytest.raises(ValueError, match="names units that layer '1' has not"):
        tw.concepts(wrong, images, labels, probe=probe, **asked)


@pytest.mark.parametrize(
    ("labels", "options", "sentence"),
    [
        (["a", "b"], {}, "there are 2 labels for 20 images; give one per image"),
        (["a"] * 20, {}, "all images have the one label 'a', so there is nothing to tell it from"),
        (
            ["a", "b"] * 10,
            {"least": 11},
            "no concept is in 11 images .* 'a' comes nearest, with 10 of 20",
        ),
        ({"a": [True] * 3}, {}, "the concept 'a' has 3 labels for 20 images"),
        ({"a": [2] * 20}, {}, "other values than yes and no"),
        ({}, {}, "labels names no concept"),
        ([0, 3] * 10, {"classes": ["a", "b"]}, "a label is 3, outside the 2 classes"),
        (np.full(20, 0.5), {}, "labels are of type float64; give a name or a whole number"),
        ("cat", {}, "labels is 'cat'; give one per image"),
        (None, {}, "these images come without labels"),
        (["a", "b"] * 10, {"reduction": "sum"}, "choose one of 'mean', 'max', 'center'"),
        (["a", "b"] * 10, {"share": 1.5}, "share is 1.5"),
        (["a", "b"] * 10, {"draws": 0}, "draws is 0; give a whole number from 1"),
    ],
)
def test_what_can_not_be_asked_is_said_in_a_sentence(probe, labels, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        tw.concepts(probe, torch.rand(20, 3, 4, 4), labels, **(QUIET | options))


def test_other_sources_are_refused_in_a_sentence(probe, film):
    images, dimensions, film = film
    labels = ["a", "b"] * 20
    other = tw.Probe(colors(2.0), "1", device="cpu")
    for source, options, error, sentence in (
        (film, {}, ValueError, "the network has to see the images; give it"),
        (film, {"probe": other}, ValueError, "this record was made with other weights"),
        (dimensions, {"probe": other}, ValueError, "was made with other weights"),
        (tw.TuningDimensions("pca", 2), {"probe": probe}, ValueError, "are not fitted"),
        (film.image, {"probe": probe}, TypeError, "film_or_units is a DataArray"),
        (xr.DataTree(), {"probe": probe}, ValueError, "the records have no layer '1'"),
    ):
        with pytest.raises(error, match=sentence):
            tw.concepts(source, images, labels, **options, **QUIET)
    broken = colors()
    with torch.no_grad():
        broken[0].weight[0, 0] = torch.nan
    with pytest.raises(ValueError, match="layer '1' gives NaN or infinite values"):
        tw.concepts(tw.Probe(broken, "1", device="cpu"), images, labels, **QUIET)


def nouns():
    """What the file names of CIFAR-10's photographs for testing call them: finer than its classes, such as "elk"."""
    with INDEX.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["batch"] == "test_batch"]
    return [row["filename"].partition("_s_")[0] for row in rows]


@pytest.mark.skipif(not INDEX.is_file(), reason="TUNEWIDGETS_DATA names no folder with CIFAR-10")
def test_units_of_a_trained_network_go_with_its_classes_and_their_nouns():
    """On a tenth of the photographs for testing: each class has its units, permuted labels have none."""
    labels, names = load_labeled("cifar10", False).labels.numpy(), nouns()
    by_noun = {}
    for label, noun in zip(labels, names, strict=True):
        by_noun.setdefault(noun, Counter())[label] += 1
    assert len(names) == 10_000
    # A noun belongs to one class, but for a few that mean two things.
    assert sum(max(counts.values()) for counts in by_noun.values()) > 9_900
    chosen = np.arange(0, 10_000, 10)
    source = tw.zoo.images("cifar10", size=32)
    images = torch.stack([source[int(index)] for index in chosen])
    probe = tw.Probe(tw.zoo.load("shallow_cnn"), "relu5", device="cpu")
    asked = {"draws": 2, **QUIET}
    own = tw.concepts(probe, images, labels[chosen], classes=CIFAR10_CLASSES, **asked)
    assert (own.auc.max("feature") > 0.8).all()
    assert ((own.p_holm <= 0.05) & (own.auc > 0.5)).any("feature").all()
    fine = tw.concepts(probe, images, [names[index] for index in chosen], least=8, **asked)
    assert float((fine.p_holm <= 0.05).any("feature").mean()) > 0.25
    permuted = np.random.default_rng(0).permutation(labels[chosen])
    assert (tw.concepts(probe, images, permuted, **asked).p_holm > 0.05).all()
