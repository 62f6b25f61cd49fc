"""Networks as other people write them: hooks, names, subclasses and outputs that no tutorial has, seen alike by all."""

import collections
import dataclasses
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from unusual_networks import DATA, IMAGES, QUIET, Small, check_alike, hooked

import tunewidgets as tw
from tunewidgets.kernels.network.capture import Capture, Observed
from tunewidgets.kernels.network.names import find_layer, name_of_call, unknown_layer
from tunewidgets.kernels.network.outputs import copy_of, first_tensor, tensors, with_first
from tunewidgets.kernels.network.replay import Replay

HOOKS = {
    "a mask": lambda _m, _i, output: output * (torch.arange(output.shape[1]) != 2)[:, None, None],
    "below 0": lambda _m, _i, output: output - 0.1,
    "in place": lambda _m, _i, output: output.add_(0.1),
    "a norm over units": lambda _m, _i, output: output / (output.abs().amax(1, keepdim=True) + 0.1),
}


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("layer", ["conv", "mid"])
def test_a_hook_that_changes_a_layers_output_is_part_of_the_layer(layer, hook):
    model = Small()
    plain = hooked(model.get_submodule(layer), model, IMAGES)
    model.get_submodule(layer).register_forward_hook(HOOKS[hook])
    assert not torch.equal(check_alike(model, layer), plain)


@pytest.mark.parametrize("hook", [name for name in HOOKS if name != "in place"])
def test_a_hook_that_changes_an_activations_output_is_part_of_it(hook):
    model = Small()
    model.relu.register_forward_hook(HOOKS[hook])
    check_alike(model, "relu")


@pytest.mark.parametrize("inplace", [False, True])
def test_a_hook_before_an_activation_is_part_of_it(inplace):
    model = Small()
    model.relu.inplace = inplace
    model.relu.register_forward_pre_hook(lambda _m, given: (given[0] + 0.25,))
    check_alike(model, "relu")
    with torch.no_grad():
        before = tw.Probe(model, "relu", device="cpu").values(IMAGES).pre
        torch.testing.assert_close(before, model.conv(IMAGES) + 0.25)


def test_a_hook_before_the_layer_acts_once_when_the_rest_runs_again():
    model = Small()
    model.conv.register_forward_hook(lambda _m, _i, output: output.clamp(max=0.2) * 2)
    check_alike(model, "relu")
    # A hook that gives its own result again, but does not pass a silenced unit on as it is.
    model.relu.register_forward_hook(HOOKS["a norm over units"])
    check_alike(model, "relu")
    assert not Replay(model, find_layer(model, "relu"), IMAGES[:2]).whole


def test_a_hook_that_overwrites_what_the_gradient_needs_is_told_of():
    model = Small().eval()
    model.relu.register_forward_hook(lambda _m, _i, output: output.mul_(3))
    probe = tw.Probe(model, "relu", device="cpu")
    torch.testing.assert_close(probe(IMAGES), hooked(model.relu, model, IMAGES))
    with pytest.raises(
        ValueError,
        match=r"the gradient of layer 'relu' can't be computed: the network, or a hook, .* in place",
    ):
        tw.visualize(probe, tw.AM([0]), size=16, steps=2, progress=False)


def test_a_hook_of_all_modules_is_honored_too():
    def lower(module: nn.Module, _given: Any, output: Tensor) -> Tensor | None:
        return output - 0.1 if isinstance(module, nn.ReLU) else None

    handle = nn.modules.module.register_module_forward_hook(lower)
    try:
        check_alike(Small(), "relu2")
    finally:
        handle.remove()


class Names(nn.Module):
    """A module called twice, beside one that has the name of its second call."""

    input_size = 16

    def __init__(self, **beside: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b, self.c = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3), nn.Conv2d(5, 6, 3)
        self.relu, self.relu_1, self.head = nn.ReLU(), nn.ReLU(), nn.Linear(6, 3)
        for name in beside:
            self.add_module(name, nn.Identity())

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu_1(self.c(self.relu(self.b(self.relu(self.a(x))))))
        return self.head(self.relu_1(x).mean((2, 3)))


def test_each_call_has_a_name_of_its_own():
    model = Names().eval()
    names = ["a", "relu", "b", "relu_call_1", "c", "relu_1", "relu_1_1", "head"]
    assert tw.layers(model, (3, 16, 16)).name.tolist() == names
    for layer, module, call in (
        ("relu", model.relu, 0),
        ("relu_call_1", model.relu, 1),
        ("relu_1", model.relu_1, 0),
        ("relu_1_1", model.relu_1, 1),
    ):
        check_alike(model, layer, call, module)
        assert tw.Probe(model, layer, device="cpu").origin == layer
    by_default = Capture(Observed(model, device="cpu"))(IMAGES)
    assert list(by_default) == ["relu", "relu_call_1", "relu_1", "relu_1_1"]
    with pytest.raises(
        ValueError, match="'relu' runs 2 times in a forward pass; its last layer is 'relu_call_1'"
    ):
        tw.Probe(model, "relu_2")


def test_no_two_calls_share_a_name_whatever_the_modules_are_called():
    modules = ["relu", "relu_1", "relu_call", "relu_call_1", "relu_1_1", "relu_call_call_1", "1", "_1"]
    given = [name_of_call(module, call, modules) for module in modules for call in range(4)]
    assert len(set(given)) == len(given)
    model = Names(relu_call_1="")
    assert find_layer(model, "relu_call_1").module is model.relu_call_1
    assert find_layer(model, "relu_call_call_1")[1:] == (model.relu, 1)
    # Where nothing collides there is the usual name alone.
    assert find_layer(model, "b_1")[1:] == (model.b, 1)
    with pytest.raises(ValueError, match="no layer 'b_call_1'"):
        find_layer(model, "b_call_1")


class BelowZero(nn.ReLU):
    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, 0.3)


class BelowZero6(nn.ReLU6):
    def forward(self, x: Tensor) -> Tensor:
        return x.clamp(-1, 6)


class Doubled(nn.SiLU):
    """Of another shape than what it is given."""

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(torch.cat([x, -x], 1))


@pytest.mark.parametrize("kind", [BelowZero, BelowZero6])
def test_a_rectifiers_subclass_counts_as_rectified_only_if_it_rectifies(kind):
    model = Small()
    model.relu = kind()
    assert float(check_alike(model, "relu").min()) < 0
    assert not tw.layers(model, (3, 16, 16)).set_index("name").rectified["relu"]


def test_a_rectifier_with_another_forward_is_no_rectifier():
    model = Small()
    model.relu.forward = lambda x: x * 0.5
    assert float(check_alike(model, "relu").min()) < 0


def test_an_activation_that_changes_the_shape():
    model = Small()
    model.relu, model.mid = Doubled(), nn.Conv2d(8, 5, 3)
    assert check_alike(model, "relu").shape[1] == 8


@dataclasses.dataclass
class Result:
    nothing: Any
    hidden: Any


@dataclasses.dataclass(frozen=True)
class Frozen:
    """One that can't be written to."""

    nothing: Any
    hidden: Any


class Pair(NamedTuple):
    loss: Any
    logits: Any


class ModelOutput(collections.OrderedDict):
    """As Hugging Face's: values by name, by attribute and, without those that are None, by place."""

    def __init__(self, **values: Any) -> None:
        super().__init__({name: value for name, value in values.items() if value is not None})
        self.__dict__.update(values)

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self.__dict__[name] = value


WRAPPED = {
    "(None, x)": (lambda x: (None, x), lambda given: given[1]),
    "[[], (x,)]": (lambda x: [[], (x,)], lambda given: given[1][0]),
    "dict": (lambda x: {"none": None, "x": x}, lambda given: given["x"]),
    "dataclass": (lambda x: Result(None, x), lambda given: given.hidden),
    "frozen dataclass": (lambda x: Frozen(None, (x,)), lambda given: given.hidden[0]),
    "named tuple": (lambda x: Pair(x.sum(), x), lambda given: given.logits),
    "ModelOutput": (
        lambda x: ModelOutput(loss=x.sum(), logits=x, attentions=None),
        lambda given: given.logits,
    ),
}


class Wrapping(nn.Module):
    def __init__(self, module: nn.Module, wrap: Any) -> None:
        super().__init__()
        self.module, self.wrap = module, wrap

    def forward(self, x: Tensor) -> Any:
        return self.wrap(self.module(x))


@pytest.mark.parametrize("kind", WRAPPED)
def test_a_layer_whose_tensor_is_inside_something(kind):
    wrap, unwrap = WRAPPED[kind]

    class Unwrapping(Small):
        def features(self, x: Tensor) -> Tensor:
            return unwrap(super().features(x))

    model = Unwrapping()
    model.mid = Wrapping(model.mid, wrap)
    expected = check_alike(Small(), "mid")
    assert torch.equal(check_alike(model, "mid"), expected)
    assert "mid" in tw.layers(model, (3, 16, 16)).name.tolist()


@pytest.mark.parametrize("kind", WRAPPED)
@pytest.mark.parametrize("layer", ["relu", "head"])
def test_a_classifier_whose_scores_are_inside_something(kind, layer):
    class Classifier(Small):
        def forward(self, x: Tensor) -> Any:
            return WRAPPED[kind][0](super().forward(x))

    found = tw.ablation(Classifier().eval(), DATA, layer, **QUIET)[layer]
    expected = tw.ablation(Small().eval(), DATA, layer, **QUIET)[layer]
    for name in ("loss_increase", "accuracy_drop", "cumulative_accuracy"):
        np.testing.assert_array_equal(found[name], expected[name])


@pytest.mark.parametrize("kind", WRAPPED)
def test_an_output_with_another_tensor_in_it_is_of_the_same_kind_and_the_old_one_unchanged(kind):
    wrap, unwrap = WRAPPED[kind]
    tensor = torch.rand(2, 3)
    output = wrap(tensor)
    changed = with_first(output, lambda value: value * 0)
    assert type(changed) is type(output)
    assert unwrap(output) is first_tensor(output) is tensor
    assert not unwrap(changed).any()
    again = copy_of(output)
    assert unwrap(again) is not tensor
    assert [value.tolist() for value in tensors(again)] == [value.tolist() for value in tensors(output)]


def test_a_layer_without_a_tensor_is_told_so():
    model = Small()
    model.mid = Wrapping(model.mid, lambda x: None)
    with pytest.raises(ValueError, match="layer 'mid' gives no tensor but a NoneType; use a layer inside it"):
        tw.Probe(model, "mid")


BLOCKS = [
    f"inception_{n}{part}"
    for n in ("3a", "4a", "4b")
    for part in ("_1x1", "_3x3_reduce", "_3x3", "_pool", "_output")
]


@pytest.mark.parametrize(
    ("asked", "names", "first"),
    [
        ("inception_4a", BLOCKS, ["inception_4a_output"]),
        ("Inception-4a", BLOCKS, ["inception_4a_output"]),
        ("inception_4a_outptu", BLOCKS, ["inception_4a_output"]),
        ("inception4b_3x3", BLOCKS, ["inception_4b_3x3"]),
        ("inception_4a", ["mixed3a", "mixed4a_1x1", "mixed4a", "mixed4b"], ["mixed4a"]),
        ("block4", ["conv1", "layer1.conv4", "layer4", "layer4.0"], ["layer4", "layer1.conv4"]),
        ("4a", ["mixed4a_1x1", "mixed4a", "mixed4b"], ["mixed4a", "mixed4a_1x1"]),
        ("features.relu3", ["features", "features.conv3", "features.relu_3"], ["features.relu_3"]),
    ],
)
def test_a_misspelled_block_names_what_is_meant_first(asked, names, first):
    said = unknown_layer(asked, names)
    assert f"did you mean {', '.join(map(repr, first))}" in said


def test_only_a_few_names_are_suggested():
    assert unknown_layer("inception_4", BLOCKS).count("'") == 2 * (1 + 5)


class Rearranged(nn.Module):
    """A network with one more step, of which each value is seen as another kind of tensor."""

    def __init__(self, step) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)
        self.step = nn.Identity()
        self.step.register_forward_hook(lambda _m, _i, output: step(output))

    def forward(self, x):
        value = self.step(self.conv(x))
        value = value.to_dense() if value.is_sparse else value
        return self.head((value.abs() if value.is_complex() else value).mean((2, 3)))


def test_sparse_values_are_taken_as_dense_ones():
    network = Rearranged(torch.Tensor.to_sparse).eval()
    images = torch.rand(4, 3, 12, 12)
    torch.testing.assert_close(tw.Probe(network, "step", device="cpu")(images), network.conv(images))
    tree = tw.class_selectivity(network, [(images, torch.arange(4) % 2)], "step", progress=False)
    expected = network.conv(images).relu().mean((2, 3))[::2].mean(0)
    torch.testing.assert_close(torch.from_numpy(tree["step"].class_mean.values[:, 0]), expected)


def test_complex_values_are_refused():
    with pytest.raises(ValueError, match="gives complex numbers"):
        tw.Probe(Rearranged(torch.fft.fft2).eval(), "step", device="cpu")


def test_a_network_inside_vmap_is_refused():
    class Mapped(Rearranged):
        def forward(self, x):
            return torch.vmap(lambda one: super(Mapped, self).forward(one[None])[0])(x)

    with pytest.raises(ValueError, match=r"runs inside torch.vmap"):
        tw.Probe(Mapped(lambda value: value).eval(), "conv", device="cpu")


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_a_module_of_torch_jit_is_passed_over_where_it_is_not_asked_for():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 2),
    ).eval()
    network.input_size = 12
    images, labels = torch.rand(6, 3, 12, 12), torch.arange(6) % 2
    plain = tw.ablation(network, [(images, labels)], "1", curves=False, progress=False)["1"]
    network[2] = torch.jit.script(network[2])
    found = tw.ablation(network, [(images, labels)], "1", curves=False, progress=False)["1"]
    torch.testing.assert_close(found.loss_increase.values, plain.loss_increase.values)
    assert list(tw.layers(network, (3, 12, 12)).name) == ["0", "1", "3", "4", "5", "6"]
    with pytest.raises(ValueError, match=r"'2' is a module of torch.jit"):
        tw.Probe(network, "2", device="cpu")
