"""An image's values are its own: where chance or the other images of a batch decide them too, a warning says so."""

import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import tunewidgets as tw
from tunewidgets import Probe


class Dropping(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.dropout(x, 0.1, training=True)


class Skipping(nn.Module):
    """Stochastic depth that is always on, for the whole batch."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * (torch.rand(()) < 0.5)


class Noisy(nn.Module):
    """Noise of a thousandth, from NumPy, of which PyTorch knows nothing."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + 1e-2 * x.std() * torch.from_numpy(np.random.standard_normal(x.shape)).to(x)  # noqa: NPY002


class AcrossImages(nn.Module):
    """Attention whose batch axis is taken for the tokens'."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = x.flatten(2).transpose(1, 2)
        return self.attention(tokens, tokens, tokens)[0].transpose(1, 2).reshape(x.shape)


def network(middle: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Sequential()
    layers.add_module("conv", nn.Conv2d(3, 4, 3, stride=4))
    layers.add_module("middle", middle)
    layers.add_module("relu", nn.ReLU())
    return layers.eval()


CHANCE = "layer 'relu' gives for an image depends on chance"
BATCH = "layer 'relu' gives for an image depends on the other images of its batch"


@pytest.mark.parametrize(
    ("middle", "sentence"),
    [
        (
            Dropping(),
            CHANCE + r", since something in the model \(perhaps 'middle', a Dropping\) draws random",
        ),
        (Skipping(), CHANCE),
        (Noisy(), CHANCE),
        (
            nn.BatchNorm2d(4, track_running_stats=False),
            BATCH + r", since .* \(perhaps 'middle', a BatchNorm2d\)",
        ),
        (AcrossImages(), BATCH),
    ],
)
def test_values_that_are_not_an_images_own_are_told_of_once(middle, sentence):
    net = network(middle)
    with pytest.warns(UserWarning, match=sentence) as told:
        Probe(net, "relu", device="cpu")
    assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Probe(net, "relu", device="cpu")


def test_a_measure_of_all_layers_tells_once_and_names_the_first():
    net = network(nn.BatchNorm2d(4, track_running_stats=False))
    data = [(torch.rand(4, 3, 32, 32), torch.arange(4) % 2)]
    with pytest.warns(UserWarning, match="what layer 'middle' gives") as told:
        tw.class_selectivity(net, data, ["conv", "relu", "middle"], progress=False, device="cpu")
    assert len(told) == 1


def test_layers_before_it_are_fine():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Probe(network(Dropping()), "conv", device="cpu")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("name", ["resnet18", "shallow_cnn"])
def test_rounding_is_no_dependence(name, dtype):
    net = tw.zoo.load(name, weights=None).to(dtype)
    layers = ("layer1.0.relu", "layer4.1.relu_1", "fc") if name == "resnet18" else ("relu1", "relu5")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for layer in layers:
            Probe(net, layer, device="cpu")


def test_random_numbers_that_do_not_matter_are_no_chance():
    class Drawing(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            torch.rand(3)
            return x

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Probe(network(Drawing()), "relu", device="cpu")


class Looping(nn.Module):
    """One image of a batch at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = network(nn.Identity())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.inside(image[None]) for image in x]).mean((2, 3))


@pytest.mark.parametrize(
    "look",
    [
        lambda model, data: Probe(model, "inside.relu", device="cpu"),
        lambda model, data: tw.exemplars(model, data, "inside.relu", k=2, progress=False),
        lambda model, data: tw.ablation(model, data, "inside.relu", progress=False),
        lambda model, data: tw.class_selectivity(model, data, progress=False),
    ],
)
def test_a_network_that_loops_over_its_images_is_refused(look):
    model, data = Looping().eval(), [(torch.rand(4, 3, 32, 32), torch.arange(4) % 2)]
    for _ in range(2):
        with pytest.raises(
            ValueError, match=r"'inside.relu' gives as much for two images as for one.*inside its loop"
        ):
            look(model, data)


def test_a_layer_whose_shape_depends_on_the_number_of_images_is_told_of():
    class Cutting(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x[:, :, : len(x) + 1]

    with pytest.warns(UserWarning, match=BATCH):
        Probe(network(Cutting()), "relu", device="cpu")
