"""What a network says of itself holds through wrappers: never lost without a word, and never done twice."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import nn

import tunewidgets as tw
from tunewidgets import Probe
from tunewidgets.zoo.normalize import Normalize

IMAGES = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@contextmanager
def silence() -> Iterator[None]:
    """Fail on any warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


class Small(nn.Module):
    """A network that carries what the zoo's carry."""

    def __init__(self, mean: float = 0.4) -> None:
        super().__init__()
        self.conv, self.relu = nn.Conv2d(3, 4, 3), nn.ReLU()
        self.preprocess = Normalize([mean] * 3, [0.2] * 3)
        self.input_size, self.weights_from = 32, "here"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.conv(x))


class Wrapper(nn.Module):
    """A user's own, with something before the network."""

    def __init__(self, *networks: nn.Module, before: nn.Module | None = None) -> None:
        super().__init__()
        self.networks, self.before = nn.ModuleList(networks), before

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x if self.before is None else self.before(x)
        return torch.stack([network(x) for network in self.networks]).mean(0)


class InParts(nn.Module):
    """One that calls what is inside the network, and not the network."""

    def __init__(self, network: nn.Module, normalizes: bool) -> None:
        super().__init__()
        self.network, self.normalizes = network, normalizes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network.conv(self.network.preprocess(x) if self.normalizes else x)


@pytest.fixture
def small() -> Small:
    torch.manual_seed(0)
    return Small().eval()


def expected(small: Small) -> torch.Tensor:
    with torch.no_grad():
        return small.conv((IMAGES - 0.4) / 0.2)


WRAPPERS = {
    "DataParallel": (nn.DataParallel, "module."),
    "compiled": (lambda network: torch.compile(network, backend="eager"), "_orig_mod."),
    "averaged": (lambda network: torch.optim.swa_utils.AveragedModel(network), "module."),
    "in both": (
        lambda network: nn.DataParallel(torch.compile(network, backend="eager")),
        "module._orig_mod.",
    ),
    "only child": (nn.Sequential, "0."),
    "user's": (Wrapper, "networks.0."),
    "normalizes": (lambda network: nn.Sequential(Normalize([0.4] * 3, [0.2] * 3), network), "1."),
    "in parts": (lambda network: InParts(network, normalizes=False), "network."),
    "in parts, normalizes": (lambda network: InParts(network, normalizes=True), "network."),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_images_are_normalized_once_whatever_is_around_a_network(small, name):
    wrap, prefix = WRAPPERS[name]
    with silence():
        probe = Probe(wrap(small).eval(), f"{prefix}conv", device="cpu")
    torch.testing.assert_close(probe(IMAGES), expected(small))
    assert probe.image_size == (32, 32)
    assert probe.provenance()["weights_from"] == "here"


@pytest.mark.filterwarnings("ignore:the model is in training mode")
def test_all_kernels_normalize_alike(small):
    data = [(IMAGES, torch.arange(2))]
    found = [
        tw.class_selectivity(model, data, layer, progress=False, device="cpu")[layer]
        for model, layer in ((small, "relu"), (nn.DataParallel(small), "module.relu"))
    ]
    torch.testing.assert_close(*(torch.from_numpy(each.class_mean.values) for each in found))
    with pytest.raises(ValueError, match="the model takes 32 × 32"):
        tw.class_selectivity(
            nn.DataParallel(small),
            [(torch.rand(2, 3, 40, 40), torch.arange(2))],
            progress=False,
            device="cpu",
        )


@pytest.mark.parametrize("before", [nn.AvgPool2d(1, stride=2), Normalize([0.1] * 3, [0.5] * 3)])
def test_a_wrapper_that_changes_images_in_another_way_is_told_of(small, before):
    wrapped = Wrapper(small, before=before).eval()
    with pytest.warns(
        UserWarning, match=r"changes images before they reach 'networks.0', whose preprocess is not"
    ):
        probe = Probe(wrapped, "networks.0.conv", device="cpu")
    with torch.no_grad():
        torch.testing.assert_close(probe(IMAGES), small.conv(before(IMAGES)))
    with silence():
        Probe(wrapped, "networks.0.conv", lambda images: images, device="cpu")


def test_networks_that_are_not_preprocessed_alike_are_told_of(small):
    with pytest.warns(UserWarning, match=r"\('networks.0', 'networks.1'\) that are not preprocessed alike"):
        probe = Probe(Wrapper(small, Small(0.1)).eval(), "networks.0.conv", device="cpu")
    assert probe.preprocess is None
    with silence():
        alike = Probe(Wrapper(small, Small(0.4)).eval(), "networks.0.conv", device="cpu")
    torch.testing.assert_close(alike(IMAGES), expected(small))


def test_observing_leaves_a_network_as_it_was(small):
    wrapped = Wrapper(small).eval()
    Probe(wrapped, "networks.0.conv", device="cpu")
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in wrapped.modules())


@pytest.mark.parametrize("preprocess", [{"mean": [0.5] * 3, "std": [0.5] * 3}, "imagenet", (0.5, 0.5)])
def test_a_preprocess_that_is_no_function_is_told_of(preprocess):
    network = Small()
    del network.preprocess
    network.preprocess = preprocess
    wrapped = nn.Sequential(network)
    with pytest.warns(UserWarning, match=r"the model's preprocess is a \w+ and no function"):
        Probe(network, "relu", device="cpu")
    with pytest.warns(UserWarning, match=r"the model's 0.preprocess is a \w+ and no function"):
        Probe(wrapped, "0.relu", device="cpu")
    with silence():
        Probe(network, "relu", preprocess=lambda images: images, device="cpu")
