"""A unit is the same unit wherever it is asked: at its own rectifier, or inside the block's output that it ends in."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import tunewidgets as tw

QUICK = {"size": 32, "steps": 24, "progress": False}


class Inception(nn.Module):
    """Two branches, each with a rectifier of its own, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(6, 4, 3, padding=1), nn.Conv2d(6, 4, 1)
        self.relu_left, self.relu_right = nn.ReLU(), nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.relu_left(self.left(x)), self.relu_right(self.right(x))], 1)


class Residual(nn.Module):
    """A block that ends in its rectifier, as a ResNet's do."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.after = nn.Conv2d(6, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.relu2 = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu2(x + self.after(self.relu(self.conv(x))))


class Network(nn.Module):
    """A stem, and a block whose output is called "layer", or whose last rectifier is."""

    def __init__(self, block: nn.Module, inner: str = "") -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 5, stride=2, padding=2)
        if inner:
            # A module with two names is listed by the first.
            self.layer = block.get_submodule(inner)
            self.block = block
        else:
            self.layer = block
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.stem(x)), 2)
        return self.block(x) if self.inner else self.layer(x)


def network(kind: type[nn.Module], inner: str = "") -> nn.Module:
    """The same weights whatever goes by the name."""
    torch.manual_seed(0)
    block, stem = kind(), nn.Conv2d(3, 6, 5, stride=2, padding=2)
    made = Network(block, inner)
    made.stem = stem
    with torch.no_grad():
        # Most of a gray image's values are silent.
        for conv in (module for module in block.modules() if isinstance(module, nn.Conv2d)):
            conv.weight.mul_(3)
            conv.bias.sub_(0.2)
    return made.eval()


def images(model: nn.Module, units: list[int]):
    return tw.visualize(tw.Probe(model, "layer", device="cpu"), tw.AM(units), chunk=2, **QUICK)


@pytest.mark.parametrize(
    ("kind", "inner", "first", "units"),
    [(Inception, "relu_left", 0, 4), (Inception, "relu_right", 4, 4)],
)
def test_the_same_image_and_response(kind, inner, first, units):
    own = images(network(kind, inner), list(range(units)))
    outer = network(kind)
    probe = tw.Probe(outer, "layer", device="cpu")
    # Names of targets count too: units of a branch come with another number in the block.
    renamed = tw.AM([first + unit for unit in range(units)])
    renamed.names = lambda: tw.AM(range(units)).names()
    whole = tw.visualize(probe, renamed, chunk=2, **QUICK)
    assert own.status.values.tolist() == whole.status.values.tolist()
    np.testing.assert_array_equal(whole.image.values, own.image.values)
    response = whole.response.values[:, first : first + units]
    np.testing.assert_allclose(response, own.response.values, rtol=1e-5)
    assert (np.diag(own.response.values) > 0).all()


def test_a_block_and_the_rectifier_that_ends_it_are_one_layer_with_the_same_images_and_rs():
    both = tw.representative_substitution(
        network(Residual), ["layer", "layer.relu2"], chunk=2, device="cpu", **QUICK
    )
    block, rectifier = (both[layer].to_dataset() for layer in ("layer", "layer.relu2"))
    assert block.rendered.all()
    for name in ("image", "rs", "own_response", "display_image"):
        np.testing.assert_array_equal(block[name].values, rectifier[name].values)


def test_layers_with_values_of_their_own_have_random_numbers_of_their_own():
    model = network(Residual)
    assert tw.Probe(model, "layer").origin == tw.Probe(model, "layer.relu2").origin == "layer.relu2"
    assert [tw.Probe(model, layer).origin for layer in ("stem", "layer.after", "layer.relu")] == [
        "stem",
        "layer.after",
        "layer.relu",
    ]
    twice = nn.Sequential(nn.Conv2d(3, 4, 3), shared := nn.ReLU(), nn.Conv2d(4, 4, 3), shared)
    assert tw.Probe(twice, "1").origin == "1"
    assert tw.Probe(twice, "1_1").origin == "1_1"
