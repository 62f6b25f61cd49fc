"""A probe gives what the whole network would, stops at its layer, leaves nothing behind and explains errors."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import tunewidgets as tw
from tunewidgets import Probe
from tunewidgets.kernels.network.probe import tokens_to_map
from tunewidgets.kernels.network.tracing import evaluating
from tunewidgets.kernels.network.unfit import usable_on
from tunewidgets.kernels.studies.fingerprint import fingerprint


def whole_forward(model: nn.Module, name: str, images: torch.Tensor, call: int = 0) -> torch.Tensor:
    """The independent reference: an ordinary hook on an ordinary, complete forward pass."""
    seen: list[torch.Tensor] = []
    handle = model.get_submodule(name).register_forward_hook(
        lambda _m, _i, output: seen.append(output.clone())
    )
    with torch.no_grad():
        model.eval()(images)
    handle.remove()
    return seen[call]


@pytest.mark.parametrize(
    ("layer", "module", "call"),
    [
        ("stem.0", "stem.0", 0),
        ("stem", "stem", 0),
        ("relu", "relu", 0),
        ("relu_1", "relu", 1),
        ("head", "head", 0),
    ],
)
def test_values_equal_those_of_a_whole_forward_pass(branched, layer, module, call):
    images = torch.rand(3, 3, 32, 32)
    expected = whole_forward(branched, module, images, call)
    torch.testing.assert_close(Probe(branched, layer, device="cpu")(images), expected)


def test_pre_is_the_input_of_an_activation_even_when_it_works_in_place(branched):
    images = torch.rand(2, 3, 32, 32)
    probe = Probe(branched, "relu", device="cpu")
    branched.eval()
    with torch.no_grad():
        values = probe.values(images)
    expected = whole_forward(branched, "stem", images)
    torch.testing.assert_close(values.pre, expected)
    torch.testing.assert_close(values.post, expected.relu())
    assert float(values.pre.min()) < 0


def test_nothing_after_the_layer_runs(branched):
    def explode(*_):
        raise AssertionError("ran past the layer")

    branched.head.register_forward_pre_hook(explode)
    assert Probe(branched, "relu_1", device="cpu")(torch.rand(1, 3, 32, 32)).shape == (1, 8, 8, 8)


def test_the_model_comes_back_as_it_was(branched):
    branched.train()
    branched.left.eval()
    branched.left.weight.requires_grad_(False)
    modes = [module.training for module in branched.modules()]
    statistics = branched.stem[1].running_mean.clone()
    probe = Probe(branched, "relu_1", device="cpu")
    probe(torch.rand(4, 3, 32, 32))
    with pytest.raises(ValueError, match="NaN"):
        probe(torch.full((1, 3, 32, 32), torch.nan))
    assert [module.training for module in branched.modules()] == modes
    assert all(parameter.grad is None for parameter in branched.parameters())
    assert [p.requires_grad for p in branched.left.parameters()] == [False, True]
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in branched.modules())
    assert torch.equal(branched.stem[1].running_mean, statistics)


def test_of_two_looks_that_overlap_the_later_one_ends_evaluation_mode(branched):
    branched.train()
    branched.stem.eval()
    first, second = evaluating(branched), evaluating(branched)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not any(module.training for module in branched.modules())
    second.__exit__(None, None, None)
    assert branched.training
    assert branched.head.training
    assert not branched.stem.training


@pytest.mark.parametrize("way", ["torch.compile", "in place", "forward"])
@pytest.mark.filterwarnings("error")
def test_a_model_that_was_compiled_and_used_is_seen_as_any_other(branched, way):
    images, labels = torch.rand(6, 3, 32, 32), torch.arange(6) % 3
    expected = Probe(branched, "relu_1", device="cpu")(images)
    losses = tw.ablation(branched.eval(), [(images, labels)], "right", curves=False, progress=False)
    prefix, compiled = "", branched
    if way == "torch.compile":
        prefix, compiled = "_orig_mod.", torch.compile(branched, backend="eager")
    elif way == "in place":
        branched.compile(backend="eager")
    else:
        branched.forward = torch.compile(branched.forward, backend="eager")
    with torch.no_grad():
        compiled(images)
    assert f"{prefix}relu_1" in set(tw.layers(compiled, (3, 32, 32)).name)
    torch.testing.assert_close(Probe(compiled, f"{prefix}relu_1", device="cpu")(images), expected)
    found = tw.ablation(compiled, [(images, labels)], f"{prefix}right", curves=False, progress=False)
    np.testing.assert_allclose(
        found[f"{prefix}right"].loss_increase, losses["right"].loss_increase, atol=1e-6
    )
    stats = torch._dynamo.utils.counters["frames"]["total"]
    with torch.no_grad():
        compiled(images)
    assert torch._dynamo.utils.counters["frames"]["total"] == stats


def test_units_come_first_whatever_the_layout():
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(3, 7, 8, stride=8)
            self.mix = nn.Linear(7, 11)

        def forward(self, x):
            grid = self.patches(x).flatten(2).transpose(1, 2)
            return self.mix(torch.cat([torch.zeros_like(grid[:, :1]), grid], dim=1))

    model = Tokens()
    images = torch.rand(2, 3, 64, 64)
    maps = Probe(model, "mix", device="cpu")(images)
    assert maps.shape == (2, 11, 8, 8)
    grid = model.mix(model.patches(images).flatten(2).transpose(1, 2)).detach()
    torch.testing.assert_close(maps[0, :, 1, 2], grid[0, 10])


def test_tokens_without_a_class_token_keep_all_positions():
    tokens = torch.arange(2 * 9 * 4.0).reshape(2, 9, 4)
    maps = tokens_to_map(tokens)
    assert maps.shape == (2, 4, 3, 3)
    assert torch.equal(maps[1, :, 2, 0], tokens[1, 6])


def test_preprocess_is_the_models_own_unless_one_is_given(branched):
    branched.preprocess = lambda images: images * 0
    assert float(Probe(branched, "left", device="cpu")(torch.rand(1, 3, 32, 32)).std(dim=(2, 3)).max()) < 1
    dark = Probe(branched, "stem.0", device="cpu")(torch.rand(1, 3, 32, 32))
    plain = Probe(branched, "stem.0", preprocess=lambda images: images, device="cpu")(
        torch.rand(1, 3, 32, 32)
    )
    assert float(dark.std(dim=(2, 3)).max()) < 1e-6 < float(plain.std(dim=(2, 3)).min())


def test_the_fingerprint_changes_with_one_weight(branched):
    before = fingerprint(branched)
    assert fingerprint(branched) == before
    with torch.no_grad():
        branched.head.bias[0] += 1e-3
    assert fingerprint(branched) != before


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        ("Stem.0", "did you mean 'stem.0'"),
        ("heads", "did you mean 'head'"),
        ("zzz", "layers are 'stem', 'stem.0'"),
        ("relu_2", "runs 2 times in a forward pass; its last layer is 'relu_1'"),
        ("9", "the model has no layer '9'; layers are 'stem'"),
        ("_1", "the model has no layer '_1'"),
    ],
)
def test_an_unknown_layer_names_the_near_ones(branched, layer, sentence):
    with pytest.raises(ValueError, match=sentence):
        Probe(branched, layer)


@pytest.mark.parametrize(
    ("images", "error", "sentence"),
    [
        (torch.rand(1, 3, 32, 32) * 255, ValueError, "divide by 255"),
        (torch.rand(1, 3, 32, 32) - 0.5, ValueError, "undo its normalization"),
        ((torch.rand(1, 3, 32, 32) * 255).byte(), ValueError, "uint8, not float"),
        (torch.rand(3, 32, 32), ValueError, r"add a batch axis"),
        (torch.rand(1, 32, 32, 3), ValueError, r"permute\(0, 3, 1, 2\)"),
        (torch.rand(1, 1, 32, 32), ValueError, "repeat the gray channel"),
        (torch.rand(0, 3, 32, 32), ValueError, "empty"),
        (torch.full((1, 3, 32, 32), torch.nan), ValueError, "contains NaN"),
        ("photo.png", TypeError, "is a str; give a float tensor"),
    ],
)
def test_images_that_are_not_a_batch_in_0_1_are_refused(branched, images, error, sentence):
    with pytest.raises(error, match=sentence):
        Probe(branched, "relu", device="cpu")(images)


@pytest.mark.parametrize("look", [Probe.__call__, partial(tw.sample_activations, n=2, progress=False)])
def test_a_size_that_the_model_does_not_take_is_one_sentence(look):
    fixed = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(2 * 26 * 26, 4))
    with pytest.raises(ValueError, match=r"does not take images of 30 × 30 px: .*; resize them"):
        look(Probe(fixed, "2"), torch.rand(2, 3, 30, 30))


def test_arrays_are_images_too(branched):
    images = np.random.default_rng(0).random((2, 3, 32, 32))
    probe = Probe(branched, "relu", device="cpu")
    torch.testing.assert_close(probe(images), probe(torch.from_numpy(images).float()))
    torch.testing.assert_close(probe(images[..., ::-1]), probe(torch.from_numpy(images).float().flip(-1)))


def test_a_network_that_refuses_a_size_without_a_word_is_tried_with_the_next():
    class Wordless(nn.Sequential):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            if images.shape[-1] != 32:
                raise AssertionError
            return super().forward(images)

    model = Wordless(nn.Conv2d(3, 2, 3), nn.ReLU())
    probe = Probe(model, "1", device="cpu")
    assert probe.input_size == 32
    data = [(torch.rand(4, 3, 64, 64), torch.arange(4) % 2)]
    for ask, sentence in (
        (
            lambda: tw.class_selectivity(model, data, "1", progress=False),
            "images of 64 × 64 px: AssertionError;",
        ),
        (lambda: tw.layers(model, (3, 224, 224)), r"shape \(3, 224, 224\): AssertionError;"),
        (lambda: tw.visualize(probe, tw.AM([0]), size=64), "a canvas of 64 px: AssertionError;"),
    ):
        with pytest.raises(ValueError, match=sentence):
            ask()


def test_a_device_that_is_not_there_is_named(branched):
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(ValueError, match="'cuda' is not on this machine"):
        Probe(branched, "relu", device="cuda")


def test_a_model_on_another_card_than_the_one_named_is_copied_there(monkeypatch):
    class OnCard(nn.Module):
        def __init__(self, *place: str | int) -> None:
            super().__init__()
            self.place, self.moved = torch.device(*place), None

        def parameters(self):
            return iter([SimpleNamespace(device=self.place)])

        def to(self, device: torch.device) -> nn.Module:
            self.moved = device
            return self

    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    first, second, only = OnCard("cuda", 0), OnCard("cuda", 1), OnCard("mps", 0)
    for device, model in (("cuda", first), ("cuda:0", first), ("cuda:1", second), ("mps", only)):
        assert usable_on(model, torch.device(device)) is model
    for device, model in (("cuda:1", first), ("cuda", second), ("cpu", first)):
        assert usable_on(model, torch.device(device)).moved == torch.device(device)
    assert first.moved is second.moved is None


@pytest.mark.filterwarnings("ignore:.*deprecated:FutureWarning")
def test_what_torch_jit_made_is_told_so():
    made = torch.jit.script(nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU()))
    for look in (lambda: Probe(made, "1"), lambda: tw.layers(made), lambda: tw.class_selectivity(made, [])):
        with pytest.raises(TypeError, match=r"of torch\.jit, .* give the module that it was made from"):
            look()


def test_not_a_model():
    with pytest.raises(TypeError, match=r"give a torch.nn.Module"):
        Probe("resnet18", "conv1")
