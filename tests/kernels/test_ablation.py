"""Importance: the same numbers as whole passes give, image by image, whatever comes before and after the layer."""

import copy
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn
from units_networks import CASES, PRECISIONS, batches, branching, labeled_images, tiny_vit

import tunewidgets as tw
from tunewidgets.kernels.network.names import find_layer
from tunewidgets.kernels.network.replay import Replay
from tunewidgets.kernels.single_units.silencing import drop_error, scored

QUIET = {"progress": False, "device": "cpu"}
PLAIN = {**QUIET, "curves": False}


def whole_pass(network, layer, images, units, fill=None):
    """Scores in float64 with units of a layer silenced, by an ordinary hook on the whole network."""
    double = copy.deepcopy(network).double()
    name, _, call = layer.rpartition("_")
    name, call = (name, int(call)) if call.isdigit() and name else (layer, 0)
    calls = []

    def silence(module, _, output):
        calls.append(1)
        if len(calls) != call + 1:
            return None
        output = output.clone()
        last = output.ndim == 3 or isinstance(module, nn.Linear)
        for unit in units:
            value = 0.0 if fill is None else fill[unit]
            if last:
                output[..., unit] = value
            else:
                output[:, unit] = value
        return output

    double.get_submodule(name).register_forward_hook(silence)
    with torch.no_grad():
        return torch.stack(
            [row for image in images for row in (calls.clear(), double(image[None].double()))[1]]
        )


def naive(logits, labels):
    """Accuracy, loss and accuracy by class, by loops."""
    right, loss = [], []
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        right.append(float(max(range(len(row)), key=row.__getitem__) == label))
        loss.append(np.log(np.sum(np.exp(row))) - row[label])
    by_class = [np.mean([r for r, y in zip(right, labels, strict=True) if y == c]) for c in range(3)]
    return np.mean(right), np.mean(loss), np.array(by_class)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("precision", PRECISIONS, ids=str)
def test_every_kind_of_layer_agrees_with_whole_passes(case, precision):
    make, layers = CASES[case]
    network, near = make().to(precision), PRECISIONS[precision]
    images, labels = labeled_images(12)
    tree = tw.ablation(network, batches(images, labels, 5), layers, **PLAIN)
    for layer in layers:
        record = tree[layer].to_dataset()
        base = naive(whole_pass(network, layer, images, []), labels)
        for unit in range(record.sizes["unit"]):
            accuracy, loss, by_class = naive(whole_pass(network, layer, images, [unit]), labels)
            assert float(record.accuracy_drop[unit]) == pytest.approx(base[0] - accuracy, abs=1e-6)
            assert float(record.loss_increase[unit]) == pytest.approx(loss - base[1], abs=near)
            np.testing.assert_allclose(record.class_accuracy_drop[unit], base[2] - by_class, atol=1e-6)
        assert tw.records.settings_of(record)["accuracy"] == pytest.approx(base[0])


@pytest.mark.parametrize(
    ("make", "layer"), [(branching, "stem"), (branching, "relu_1"), (tiny_vit, "block.linear1")]
)
@pytest.mark.parametrize("precision", PRECISIONS, ids=str)
def test_a_unit_can_be_set_to_its_mean_instead(make, layer, precision):
    network, near = make().to(precision), PRECISIONS[precision]
    images, labels = labeled_images(9)
    tree = tw.ablation(network, batches(images, labels, 4), layer, method="mean", **PLAIN)
    found = []
    name = layer.removesuffix("_1")
    copied = copy.deepcopy(network).double()
    copied.get_submodule(name).register_forward_hook(lambda m, i, o: found.append(o.clone()))
    with torch.no_grad():
        copied(images.double())
    value = found[1 if layer.endswith("_1") else 0]
    axes = tuple(a for a in range(value.ndim) if a != (value.ndim - 1 if value.ndim == 3 else 1))
    means = value.mean(axes)
    base = naive(whole_pass(network, layer, images, []), labels)
    for unit in range(len(means)):
        _, loss, _ = naive(whole_pass(network, layer, images, [unit], means), labels)
        assert float(tree[layer].loss_increase[unit]) == pytest.approx(loss - base[1], abs=near)


def test_a_drop_comes_with_the_standard_error_of_its_images_own_drops():
    images, labels = labeled_images(15)
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(24, 3)
    ).eval()
    with torch.no_grad():
        # No class is ahead on average, so that single units turn images over.
        network[4].bias -= network(images).mean(0)
    record = tw.ablation(network, batches(images, labels, 4), "1", **PLAIN)["1"].to_dataset()
    with torch.no_grad():
        before = (network(images).argmax(1) == labels).double().numpy()
    some = 0
    for unit in range(6):
        after = (whole_pass(network, "1", images, [unit]).argmax(1) == labels).double().numpy()
        own = before - after
        some += int(np.abs(own).sum())
        assert float(record.accuracy_drop_se[unit]) == pytest.approx(own.std(ddof=1) / np.sqrt(15), abs=1e-6)
        for label in range(3):
            of_class = own[labels.numpy() == label]
            expected = of_class.std(ddof=1) / np.sqrt(len(of_class))
            assert float(record.class_accuracy_drop_se[unit, label]) == pytest.approx(expected, abs=1e-6)
    assert some > 0


def test_one_image_tells_nothing_of_a_drops_error():
    assert np.isnan(drop_error(np.array(1.0), np.array(1.0), 1))
    assert np.isnan(drop_error(np.array([np.nan]), np.array([0.0]), np.array([0.0]))).all()


def test_nothing_depends_on_batch_size_or_order(monkeypatch):
    network = branching()
    images, labels = labeled_images(20)
    shuffled = torch.randperm(20, generator=torch.Generator().manual_seed(3))
    first = tw.ablation(network, [(images, labels)], "body.0", points=4, random_orders=3, **QUIET)
    monkeypatch.setattr("tunewidgets.kernels.single_units.ablation.LARGEST_BATCH", 3)
    other = tw.ablation(
        network, [(images[shuffled], labels[shuffled])], "body.0", points=4, random_orders=3, **QUIET
    )
    for name, column in first["body.0"].data_vars.items():
        np.testing.assert_allclose(column, other["body.0"][name], atol=1e-5, err_msg=str(name))


def test_cumulative_curves_silence_units_in_their_order():
    network = branching()
    images, labels = labeled_images(15)
    selectivity = {"relu": np.array([0.1, 0.9, 0.3, 0.2, 0.8, 0.5])}
    tree = tw.ablation(
        network, [(images, labels)], "relu", points=4, random_orders=5, selectivity=selectivity, **QUIET
    )
    record = tree["relu"].to_dataset()
    assert record.step.values.tolist() == [0, 2, 4, 6]
    assert record.order.values.tolist() == ["most selective first", "least selective first", "random"]
    for place, order in enumerate(([1, 4, 5, 2, 3, 0], [0, 3, 2, 5, 4, 1])):
        expected = [naive(whole_pass(network, "relu", images, order[:n]), labels)[0] for n in (0, 2, 4, 6)]
        np.testing.assert_allclose(record.cumulative_accuracy[place], expected, atol=1e-6)
    low, mean, high = (record[f"cumulative_{name}"].values for name in ("low", "accuracy", "high"))
    assert (low <= mean + 1e-6).all()
    assert (mean <= high + 1e-6).all()
    np.testing.assert_array_equal(low[:2], high[:2])


def test_orders_may_be_those_of_a_record():
    network = branching()
    data = [labeled_images(15)]
    units = tw.class_selectivity(network, data, "relu", **QUIET)
    options = {"points": 4, "random_orders": 2, **QUIET}
    by_array = tw.ablation(
        network, data, "relu", selectivity={"relu": units["relu"].selectivity.values}, **options
    )
    for record in (units, units["relu"].to_dataset()):
        by_record = tw.ablation(network, data, "relu", selectivity=record, **options)
        xr.testing.assert_equal(by_record["relu"].to_dataset(), by_array["relu"].to_dataset())


def test_a_class_that_dies_shows_where_the_whole_does_not():
    """The network names a class by the channel that is its color, so each unit carries one class alone."""
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.ReLU(), nn.Linear(3, 3, bias=False))
    with torch.no_grad():
        network[3].weight.copy_(torch.eye(3))
    network.eval().input_size = 4
    images = torch.zeros(12, 3, 4, 4)
    labels = torch.arange(12) % 3
    images[torch.arange(12), labels] = 1
    record = tw.ablation(network, [(images, labels)], "2", **PLAIN)["2"].to_dataset()
    # With its unit silent, a class's scores all tie at 0, and the first class is named.
    np.testing.assert_allclose(record.accuracy_drop, [0, 1 / 3, 1 / 3], atol=1e-6)
    np.testing.assert_allclose(np.diag(record.class_accuracy_drop), [0, 1, 1])


@pytest.mark.parametrize("case", CASES)
def test_what_comes_before_the_layer_is_not_computed_again(case):
    make, layers = CASES[case]
    network = make()
    images, _ = labeled_images(2)
    layer = layers[-2]
    replay = Replay(network, find_layer(network, layer), images)
    assert not replay.whole
    replay.record(images)
    ran = []
    first = next(m for m in network.modules() if isinstance(m, nn.Conv2d))
    compute = first._conv_forward
    first._conv_forward = lambda *a: ran.append(1) or compute(*a)
    with replay.running():
        replay.run(torch.zeros_like)
    del first._conv_forward
    assert not ran


def test_a_network_that_replays_wrongly_is_run_whole():
    class Aliased(nn.Module):
        """What a convolution gave is overwritten by a module that is skipped in a replay, and used again."""

        def __init__(self):
            super().__init__()
            self.conv, self.relu = nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True)
            self.more, self.head = nn.Conv2d(4, 4, 1), nn.Linear(4, 3)

        def forward(self, x):
            x = self.conv(x)
            y = self.relu(x)
            return self.head((x + self.more(y)).mean((2, 3)))

    torch.manual_seed(0)
    network = Aliased().eval()
    network.input_size = 16
    images, labels = labeled_images(6)
    replay = Replay(network, find_layer(network, "more"), images)
    assert replay.whole
    record = tw.ablation(network, [(images, labels)], "more", **PLAIN)["more"].to_dataset()
    base = naive(whole_pass(network, "more", images, []), labels)
    for unit in range(4):
        _, loss, _ = naive(whole_pass(network, "more", images, [unit]), labels)
        assert float(record.loss_increase[unit]) == pytest.approx(loss - base[1], abs=1e-4)


def test_scores_of_a_device_without_double_precision_are_counted_on_the_cpu():
    class Single(torch.Tensor):
        def double(self):
            raise TypeError("this device has no double precision")

        def cpu(self):
            return self.as_subclass(torch.Tensor)

    scores, labels = torch.rand(8, 3), torch.arange(8) % 3
    for found, expected in zip(
        scored(scores.as_subclass(Single), labels), scored(scores, labels), strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=0, atol=0)


class Pair(NamedTuple):
    maps: torch.Tensor
    note: str


class Output(dict):
    """Values by name, also as attributes."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


@pytest.mark.parametrize(
    "packed",
    [lambda x: x, lambda x: Pair(x, "of two"), lambda x: Output(maps=x)],
    ids=["bare", "named", "mapping"],
)
def test_a_layer_may_pack_what_it_gives(packed):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x):
            return packed(self.conv(x).relu())

    class Packing(nn.Module):
        def __init__(self):
            super().__init__()
            self.block, self.head = Block(), nn.Linear(4, 3)

        def forward(self, x):
            given = self.block(x)
            # Written to, so that replays have to copy what they keep.
            maps = (given if isinstance(given, torch.Tensor) else given.maps).mul_(2)
            return self.head(maps.mean((2, 3)))

    torch.manual_seed(0)
    network = Packing().eval()
    network.input_size = 16
    images, labels = labeled_images(6)
    record = tw.ablation(network, [(images, labels)], "block", **PLAIN)["block"].to_dataset()
    with torch.no_grad():
        values = 2 * network.block.conv(images).relu().mean((2, 3))
        base = naive(network.head(values), labels)
        for unit in range(4):
            without = values.clone()
            without[:, unit] = 0
            _, loss, _ = naive(network.head(without), labels)
            assert float(record.loss_increase[unit]) == pytest.approx(loss - base[1], abs=1e-4)


def test_a_head_that_takes_one_size_gets_images_of_the_data():
    torch.manual_seed(0)
    # Its ReLU takes images of any size, its head those of 28 px alone.
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 26 * 26, 3)
    ).eval()  # fmt: skip
    images, labels = torch.rand(6, 3, 28, 28), torch.arange(6) % 3
    record = tw.ablation(network, [(images, labels)], "1", **PLAIN)["1"].to_dataset()
    base = naive(whole_pass(network, "1", images, []), labels)
    for unit in range(4):
        _, loss, _ = naive(whole_pass(network, "1", images, [unit]), labels)
        assert float(record.loss_increase[unit]) == pytest.approx(loss - base[1], abs=1e-5)
    with pytest.raises(ValueError, match="does not take images of 30 × 30 px"):
        tw.ablation(network, [(torch.rand(6, 3, 30, 30), labels)], "1", **PLAIN)


def test_only_the_last_output_is_kept_of_a_plain_chain():
    network = tw.zoo.load("shallow_cnn")
    replay = Replay(network, find_layer(network, "relu3"), torch.rand(2, 3, 32, 32))
    assert not replay.whole
    replay.record(torch.rand(2, 3, 32, 32))
    assert replay.writable
    # conv3's output and relu3's, of float32
    assert replay.kept_bytes == 2 * 128 * 16 * 16 * 4


def test_the_model_comes_back_as_it_was():
    network = branching()
    before = copy.deepcopy(network.state_dict())
    network.train()
    with pytest.warns(UserWarning, match="training mode"):
        tw.ablation(network, [labeled_images(6)], ["norm", "late"], **PLAIN)
    assert all(module.training for module in network.modules())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())
    assert not any("forward" in vars(module) for module in network.modules())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


class _InPlace(nn.Module):
    """Centers its input in place, then a residual of what it was given: what a replay must not do twice."""

    def __init__(self):
        super().__init__()
        self.conv, self.relu, self.head = nn.Conv2d(3, 3, 3, padding=1), nn.ReLU(), nn.Linear(3, 3)

    def forward(self, x):
        x.sub_(0.5)
        return self.head((x + self.relu(self.conv(x))).mean((2, 3)))


def test_what_works_in_place_on_its_input_leaves_the_users_images_alone():
    torch.manual_seed(0)
    network = _InPlace().eval()
    images, labels = labeled_images(12)
    mine = images.clone()
    probe = tw.Probe(network, "relu", device="cpu")
    torch.testing.assert_close(probe(mine), probe(mine))
    tw.class_selectivity(network, [(mine, labels)], "relu", **QUIET)
    tw.sample_activations([probe, tw.Probe(network, "conv")], mine, n=12, progress=False)
    record = tw.ablation(network, [(mine, labels)], "relu", **PLAIN)["relu"].to_dataset()
    assert torch.equal(mine, images)
    base = naive(whole_pass(network, "relu", images, []), labels)
    for unit in range(3):
        _, loss, _ = naive(whole_pass(network, "relu", images, [unit]), labels)
        assert float(record.loss_increase[unit]) == pytest.approx(loss - base[1], abs=1e-5)


def test_several_threads_may_measure_one_model_while_others_look_at_it():
    images, labels = labeled_images(12)
    network = branching().train()
    data = batches(images, labels, 4)
    probe = tw.Probe(network, "late", device="cpu")

    def importance(_):
        return tw.ablation(network, data, "late", **PLAIN)["late"].loss_increase.values

    def selectivity(_):
        return tw.class_selectivity(network, data, "late", **QUIET)["late"].selectivity.values

    def looks(_):
        return np.stack([probe(images).numpy() for _ in range(30)])

    def names(_):
        return tw.layers(network, (3, *images.shape[2:])).name.to_numpy()

    kinds = (importance, selectivity, looks, names)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "the model is in training mode")
        alone = {kind: kind(0) for kind in kinds}
        with ThreadPoolExecutor(4) as pool:
            found = [(kind, pool.submit(kind, 0)) for _ in range(4) for kind in kinds]
            for kind, future in found:
                np.testing.assert_array_equal(future.result(), alone[kind])
    assert all(module.training for module in network.modules())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())
    assert not any("forward" in vars(module) for module in network.modules())


def test_bad_input_is_said_in_one_sentence():
    images, labels = labeled_images(12, classes=3)
    five = [(images[:10], torch.arange(10) % 5)]
    with pytest.raises(
        ValueError, match=r"a label is 4 and the network has 3 classes, 0 to 2; correct the labels"
    ):
        tw.ablation(branching(), five, "late", **PLAIN)
    with pytest.raises(ValueError, match=r"needs class scores \(N, classes\): give a classifier"):
        tw.ablation(tw.zoo.gabor_bank(n=4), [(images, labels)], "relu", **PLAIN)
    with pytest.raises(ValueError, match="method is 'noise'; choose 'zero' or 'mean'"):
        tw.ablation(branching(), [(images, labels)], "late", method="noise", **PLAIN)
    with pytest.raises(ValueError, match=r"selectivity has shape \(2,\) for layer 'late'; give \(4,\)"):
        tw.ablation(branching(), [(images, labels)], "late", selectivity={"late": np.ones(2)}, **QUIET)


class Giving(nn.Module):
    """A classifier that gives its scores as `give` packs them, with the features before them."""

    def __init__(self, give):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.relu, self.head, self.give = nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Linear(6, 3), give

    def forward(self, x):
        features = self.relu(self.conv(x)).mean((2, 3))
        return self.give(features, self.head(features))


def importance(give, **options):
    network = Giving(give).eval()
    network.input_size = 16
    return tw.ablation(network, batches(*labeled_images(), 5), "relu", **{**PLAIN, **options})["relu"]


def test_the_loss_of_probabilities_is_that_of_the_scores_before_the_softmax():
    plain = importance(lambda _, scores: scores)
    with pytest.warns(UserWarning, match="scores are probabilities"):
        after = importance(lambda _, scores: scores.softmax(1))
    np.testing.assert_allclose(after.loss_increase, plain.loss_increase, atol=1e-6)
    np.testing.assert_allclose(after.class_accuracy_drop, plain.class_accuracy_drop)


@pytest.mark.parametrize(
    "give",
    [
        lambda features, scores: (features, scores),
        lambda features, scores: (scores, features),
        lambda features, scores: (features[:, :, None, None], scores),
        lambda features, scores: {"loss": features, "logits": scores},
    ],
)
def test_of_several_tensors_the_scores_are_those_with_a_column_for_each_class(give):
    plain = importance(lambda _, scores: scores)
    np.testing.assert_allclose(importance(give, classes=3).loss_increase, plain.loss_increase, atol=1e-7)


def test_several_tensors_that_could_be_the_scores_are_refused():
    with pytest.raises(
        ValueError, match=r"2 tensors that could be its class scores, with 6 and 3 columns.*classes="
    ):
        importance(lambda features, scores: (features, scores))
    with pytest.raises(ValueError, match="with 3 and 3 columns"):
        importance(lambda _, scores: (torch.zeros_like(scores), scores), classes=3)


def test_a_detector_has_no_class_scores_and_that_is_said():
    class Detector(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.filters = nn.Conv2d(3, 4, 3)

        def forward(self, x):
            boxes = self.filters(x).mean((0, 1)).reshape(-1, 4)
            return [{"boxes": boxes, "scores": boxes[:, 0]}]

    images = torch.rand(2, 3, 16, 18)
    with pytest.raises(
        ValueError, match=r"gives 56 rows for \d images?, so it gives no class scores, as a detector"
    ):
        tw.ablation(Detector().eval(), [(images, torch.arange(2))], "filters", device="cpu", progress=False)
