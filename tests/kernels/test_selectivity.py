"""Class selectivity: what the definition says, one image and one unit at a time, and what it says of known means."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from units_networks import CASES, PRECISIONS, batches, branching, labeled_images, values_at

import tunewidgets as tw
from tunewidgets.kernels.single_units.critics import Histograms, TopImages
from tunewidgets.kernels.single_units.selectivity import selectivity_index

QUIET = {"progress": False, "device": "cpu"}


def naive(values, labels, reduction="mean", rectify=True):
    """Eq. 1 by loops: index, preferred class and class means of every unit."""
    n, units, _ = values.shape
    means = []
    for unit in range(units):
        by_class = {}
        for image in range(n):
            positions = [float(v) for v in values[image, unit]]
            if rectify:
                positions = [max(v, 0.0) for v in positions]
            x = max(positions) if reduction == "max" else sum(positions) / len(positions)
            by_class.setdefault(int(labels[image]), []).append(x)
        means.append([sum(by_class[c]) / len(by_class[c]) for c in sorted(by_class)])
    index, preferred = [], []
    for row in means:
        best = max(range(len(row)), key=row.__getitem__)
        rest = [m for c, m in enumerate(row) if c != best]
        rest = sum(rest) / len(rest)
        index.append(0.0 if all(m == 0 for m in row) else (row[best] - rest) / (row[best] + rest))
        preferred.append(best)
    return index, preferred, means


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("reduction", ["mean", "max"])
@pytest.mark.parametrize("precision", PRECISIONS, ids=str)
def test_every_kind_of_layer_agrees_with_loops(case, reduction, precision):
    make, layers = CASES[case]
    network, near = make().to(precision), {"rtol": PRECISIONS[precision], "atol": 1e-6}
    images, labels = labeled_images()
    tree = tw.class_selectivity(network, batches(images, labels, 5), layers, reduction=reduction, **QUIET)
    for layer in layers:
        index, preferred, means = naive(values_at(network, layer, images), labels, reduction)
        record = tree[layer].to_dataset()
        np.testing.assert_allclose(record.class_mean, means, **near)
        np.testing.assert_allclose(record.selectivity, index, **near)
        assert record.preferred_class.values.tolist() == preferred
        np.testing.assert_allclose(record.mean_activation, np.mean(means, 1), **near)


def test_nothing_depends_on_batch_size_or_order():
    network = branching()
    images, labels = labeled_images(30)
    shuffled = torch.randperm(30, generator=torch.Generator().manual_seed(3))
    first = tw.class_selectivity(network, batches(images, labels, 30), "relu", critics=True, k=7, **QUIET)
    other = tw.class_selectivity(
        network, batches(images[shuffled], labels[shuffled], 4), "relu", critics=True, k=7, **QUIET
    )
    for name, column in first["relu"].data_vars.items():
        np.testing.assert_allclose(column, other["relu"][name], atol=1e-5, err_msg=str(name))


def test_known_class_means_give_known_indices():
    means = np.array([[0, 3, 0, 0], [2, 2, 2, 2], [0, 0, 0, 0], [1, 3, 1, 1]], dtype=float)
    index, preferred, dead = selectivity_index(means)
    assert index.tolist() == [1, 0, 0, 0.5]
    assert preferred.tolist() == [1, 0, 0, 1]
    assert dead.tolist() == [False, False, True, False]


def test_precision_and_auc_agree_with_sorting_and_counting_pairs():
    network = branching()
    images, labels = labeled_images(40, side=16)
    tree = tw.class_selectivity(
        network, batches(images, labels, 7), ["body.2", "norm"], critics=True, k=9, **QUIET
    )
    for layer in ("body.2", "norm"):
        record = tree[layer].to_dataset()
        x = values_at(network, layer, images).relu().mean(2).float().numpy()
        for unit in range(x.shape[1]):
            wanted = labels.numpy() == int(record.preferred_class[unit])
            last = np.sort(x[:, unit])[-9]
            above, tied = x[:, unit] > last, x[:, unit] == last
            right = wanted[above].sum() + (9 - above.sum()) * wanted[tied].mean()
            assert record.precision_at_k.values[unit] == pytest.approx(right / 9, abs=1e-6)
            pairs = [(a > b) + 0.5 * (a == b) for a in x[wanted, unit] for b in x[~wanted, unit]]
            error = float(record.auc_error[unit])
            assert abs(float(record.auc[unit]) - np.mean(pairs)) <= error + 1e-6
            assert error < 0.01


def test_ties_at_the_kth_image_count_by_their_share():
    values = torch.tensor([[3.0], [1.0], [1.0], [1.0], [0.0], [1.0]])
    labels = torch.tensor([0, 0, 1, 1, 0, 0])
    for order in (torch.arange(6), torch.tensor([5, 4, 3, 2, 1, 0]), torch.tensor([4, 2, 5, 0, 3, 1])):
        for size in (1, 2, 6):
            top = TopImages(1, 3)
            for v, y in zip(values[order].split(size), labels[order].split(size), strict=True):
                top.add(v, y, 2)
            assert float(top.precision(torch.tensor([0]))) == pytest.approx((1 + 2 * 0.5) / 3)


@pytest.mark.parametrize("signed", [False, True])
def test_histograms_widen_without_losing_or_moving_anything(signed):
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(200, 3, generator=generator) ** 3
    values = values if signed else values.relu()
    labels = torch.arange(200) % 2
    order = values.abs().amax(1).argsort()
    whole, grown = Histograms(3, signed), Histograms(3, signed)
    whole.add(values, labels, 2)
    for v, y in zip(values[order].split(9), labels[order].split(9), strict=True):
        grown.add(v, y, 2)
    assert torch.equal(whole.range, grown.range)
    assert torch.equal(whole.counts, grown.counts)
    assert whole.counts.sum() == 600


def test_a_dead_unit_is_flagged_and_has_index_0():
    network = branching()
    with torch.no_grad():
        network.body[1].bias[2] = -100
    tree = tw.class_selectivity(network, [labeled_images()], "body.2", **QUIET)
    silent = (values_at(network, "body.2", labeled_images()[0]) == 0).all(2).all(0)
    assert silent[2]
    assert not silent.all()
    assert tree["body.2"].dead.values.tolist() == silent.tolist()
    assert tree["body.2"].selectivity.values[2] == 0


def test_negative_values_kept_are_warned_of():
    with pytest.warns(UserWarning, match=r"layer 'norm' has negative activations .* can leave \[0, 1\]"):
        tree = tw.class_selectivity(branching(), [labeled_images()], "norm", rectify=False, **QUIET)
    images, labels = labeled_images()
    _, _, means = naive(values_at(branching(), "norm", images), labels, rectify=False)
    np.testing.assert_allclose(tree["norm"].class_mean, means, rtol=1e-4, atol=1e-6)


def test_a_later_operation_in_place_changes_nothing_and_no_hook_stays():
    network = branching()
    images, labels = labeled_images()
    alone = tw.class_selectivity(network, [(images, labels)], "norm", **QUIET)
    expected = naive(values_at(network, "norm", images), labels)[0]
    np.testing.assert_allclose(alone["norm"].selectivity, expected, atol=1e-5)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


def test_a_model_in_training_mode_is_said_and_put_back():
    network = branching()
    network.norm.train()
    network.training = True
    with pytest.warns(UserWarning, match="is in training mode; it is measured in evaluation mode"):
        tree = tw.class_selectivity(network, [labeled_images()], "norm", **QUIET)
    assert network.training
    assert network.norm.training
    assert not network.late.training
    expected = naive(values_at(branching(), "norm", labeled_images()[0]), labeled_images()[1])[0]
    np.testing.assert_allclose(tree["norm"].selectivity, expected, atol=1e-5)


def test_all_rectified_layers_are_taken_where_none_is_named():
    tree = tw.class_selectivity(branching(), [labeled_images()], **QUIET)
    assert list(tree.children) == ["relu", "body.2", "relu_1"]
    linear = nn.Sequential(nn.Flatten(), nn.Linear(48, 4))
    linear.eval().input_size = 4
    assert list(tw.class_selectivity(linear, [labeled_images(side=4)], **QUIET).children) == ["1"]


@pytest.mark.parametrize("name", ["mlp", "shallow_cnn", "vgg16_cifar10"])
def test_the_zoos_networks_need_no_layer_named(name):
    network = tw.zoo.load(name)
    tree = tw.class_selectivity(network, [labeled_images(4, 2, side=32)], **QUIET)
    table = tw.layers(network, (3, 32, 32))
    assert list(tree.children) == table.name[table.kind == "ReLU"].tolist()


def test_every_kind_of_labeled_data_gives_the_same():
    network = branching()
    images, labels = labeled_images()
    pairs = torch.utils.data.TensorDataset(images, labels)
    kinds = {
        "pair": (images, labels),
        "data set": [(image, int(label)) for image, label in pairs],
        "torch data set": pairs,
        "loader": torch.utils.data.DataLoader(pairs, batch_size=4),
        "generator": (batch for batch in batches(images, labels, 6)),
        "flipped arrays": (images.numpy()[::-1], labels.numpy()[::-1]),
    }
    expected = naive(values_at(network, "relu", images), labels)[0]
    for kind, data in kinds.items():
        tree = tw.class_selectivity(network, data, "relu", **QUIET)
        np.testing.assert_allclose(tree["relu"].selectivity, expected, atol=1e-5, err_msg=kind)


def test_numbers_may_be_numpys():
    images, labels = labeled_images()
    data, numbers = [(images, labels)], {"k": np.int64(5), "classes": labels.numpy().max() + 1}
    tree = tw.class_selectivity(branching(), data, "relu", critics=True, **numbers, **QUIET)
    assert tree["relu"].sizes["cls"] == 3
    assert tw.exemplars(branching(), data, "relu", **numbers, **QUIET)["relu"].sizes["k"] == 5


def changed(network, value):
    with torch.no_grad():
        network.late.weight[0, 0, 0, 0] = value
    return network


IMAGES, LABELS = labeled_images()
BAD = {
    "outside the classes": (
        {"data": [(IMAGES, LABELS)], "classes": 2},
        r"image 2 has the label 2, outside the classes 0 to 1",
    ),
    "negative label": ({"data": [(IMAGES, LABELS - 1)]}, r"image 0 has the label -1, outside the classes"),
    "a class with no image": (
        {"data": [(IMAGES, LABELS)], "classes": ["cat", "dog", "hen", "owl"]},
        r"class 3 \(owl\) has no image among the 18; add some",
    ),
    "a gap": ({"data": [(IMAGES, LABELS * 2)]}, "class 1 has no image among the 18"),
    "one class": ({"data": [(IMAGES, LABELS * 0)]}, "all images are of one class"),
    "one class named": ({"data": [(IMAGES, LABELS)], "classes": 1}, "there is one class only"),
    "dry": ({"data": iter(())}, "the data set ran dry: it gave no image"),
    "empty": ({"data": []}, "the data set is empty"),
    "wrong size": (
        {"data": [(IMAGES[:, :, :12, :12], LABELS)]},
        r"the images are 12 × 12 px and the model takes 16 × 16; resize them",
    ),
    "labels of another number": ({"data": [(IMAGES, LABELS[:5])]}, r"labels has shape \(5,\)"),
    "NaN weights": (
        {"model": changed(branching(), float("nan")), "data": [(IMAGES, LABELS)]},
        "the model's late.weight holds NaN or infinite values",
    ),
    "no such layer": (
        {"data": [(IMAGES, LABELS)], "layers": "rleu"},
        "has no layer 'rleu'; did you mean 'relu'",
    ),
    "reduction": ({"data": [(IMAGES, LABELS)], "reduction": "sum"}, "reduction is 'sum'; choose one of"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize(
    "kernel", [tw.class_selectivity, tw.exemplars, tw.ablation], ids=lambda k: k.__name__
)
def test_bad_input_is_said_in_one_sentence(case, kernel):
    options, sentence = BAD[case]
    if kernel is tw.ablation and "reduction" in options:
        options, sentence = {"data": [(IMAGES, LABELS)], "method": "sum"}, "method is 'sum'; choose"
    with pytest.raises(ValueError, match=sentence) as caught:
        kernel(**{"model": branching(), **options}, **QUIET)
    assert "\n" not in str(caught.value)


def test_a_model_that_tells_no_size_says_what_it_does_not_take():
    network = branching()
    del network.input_size
    data = [(IMAGES[:, :, :3, :3], LABELS)]
    for ask in (
        tw.class_selectivity,
        partial(tw.ablation, curves=False),
        partial(tw.ablation, curves=False, method="mean"),
    ):
        with pytest.raises(ValueError, match=r"does not take images of 3 × 3 px: .*; resize them"):
            ask(network, data, "late", **QUIET)


def test_images_without_labels_are_said():
    with pytest.raises(TypeError, match=r"data is a Tensor; give batches of \(images, labels\)"):
        tw.class_selectivity(branching(), IMAGES, **QUIET)
    with pytest.raises(TypeError, match=r"data gives a Tensor where a pair \(images, labels\) belongs"):
        tw.class_selectivity(branching(), [IMAGES], **QUIET)


def test_a_source_that_gives_fewer_images_the_second_time_ran_dry():
    class Drying:
        left = 3

        def __iter__(self):
            self.left -= 1
            return iter(batches(IMAGES, LABELS, 6)[: self.left + 1])

    with pytest.raises(ValueError, match="ran dry: it gave 18 images in one pass and 12 in another"):
        tw.ablation(branching(), Drying(), "late", **QUIET)


def test_the_record_is_valid_and_survives_the_disk(tmp_path):
    tree = tw.class_selectivity(
        branching(), [labeled_images()], critics=True, classes=["a", "b", "c"], **QUIET
    )
    tw.save_record(tree, tmp_path / "units.zarr")
    again = tw.open_record(tmp_path / "units.zarr")
    assert again["body.2"].cls.values.tolist() == ["a", "b", "c"]
    assert again["body.2"].attrs["tunewidgets_record"] == "units/1"
    np.testing.assert_array_equal(again["body.2"].selectivity, tree["body.2"].selectivity)


@pytest.mark.parametrize(("name", "usable"), [("mask", True), ("running_bound", False)])
def test_a_mask_may_be_infinite_and_running_statistics_may_not(name, usable):
    model = branching()
    model.register_buffer(name, torch.full((4, 4), -torch.inf).triu(1))
    options = {"layers": "relu", "device": "cpu", "progress": False}
    data = [(IMAGES, LABELS)]
    if usable:
        found = tw.class_selectivity(model, data, **options)["relu"]
        np.testing.assert_array_equal(
            found.class_mean, tw.class_selectivity(branching(), data, **options)["relu"].class_mean
        )
    else:
        with pytest.raises(ValueError, match="the model's running_bound holds NaN or infinite values"):
            tw.class_selectivity(model, data, **options)
    getattr(model, name)[0, 0] = torch.nan
    with pytest.raises(ValueError, match=f"the model's {name} holds NaN or infinite values"):
        tw.class_selectivity(model, data, **options)
