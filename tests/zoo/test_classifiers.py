"""The zoo's classifiers: the shapes the paper gives, named layers, and weights that survive a file."""

import pytest
import torch
from torch import nn

import tunewidgets as tw
from tunewidgets.zoo.weights import read_weights

WIDTHS = {
    "mlp": [128, 512, 2048, 2048],
    "shallow_cnn": [64, 64, 128, 128, 256],
    "vgg16_cifar10": [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512, 512],
}


@pytest.mark.parametrize("name", WIDTHS)
def test_every_network_has_the_papers_widths_at_its_rectified_layers(name):
    network = tw.zoo.load(name)
    table = tw.layers(network, (3, 32, 32))
    relus = table[table.kind == "ReLU"]
    assert relus.units.tolist() == WIDTHS[name]
    assert relus.rectified.all()
    assert not network.training
    assert network.input_size == 32


@pytest.mark.parametrize("name", WIDTHS)
def test_images_in_the_unit_range_go_through_its_own_preprocess(name):
    network = tw.zoo.load(name)
    gray = torch.full((1, 3, 32, 32), 0.4914)
    assert network.preprocess(gray)[0, 0].abs().max() < 1e-6
    assert network(network.preprocess(gray)).shape == (1, 10)


def test_the_shallow_network_has_about_400_000_parameters():
    assert 380_000 < sum(p.numel() for p in tw.zoo.load("shallow_cnn").parameters()) < 420_000


def test_weights_come_back_from_half_precision(tmp_path):
    from safetensors.torch import save_file

    network = tw.zoo.load("shallow_cnn", weights=None)
    path = tmp_path / "w.safetensors"
    save_file({k: v.half() for k, v in network.state_dict().items()}, path)
    again = tw.zoo.load("shallow_cnn", weights=path)
    assert next(again.parameters()).dtype == torch.float32
    for a, b in zip(network.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


def test_missing_weights_are_said_in_a_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there are no weights at .*; give a file that exists"):
        read_weights(tmp_path / "none.safetensors")


def test_weights_of_another_network_are_said_in_a_sentence(tmp_path):
    path = tmp_path / "mlp.pt"
    torch.save(tw.zoo.load("mlp", weights=None).state_dict(), path)
    with pytest.raises(
        ValueError,
        match=r"mlp.pt does not hold the weights of shallow_cnn with 10 classes \(without conv1.weight",
    ):
        tw.zoo.load("shallow_cnn", weights=path)


def test_no_rectifier_works_in_place():
    for name in WIDTHS:
        assert not any(m.inplace for m in tw.zoo.load(name).modules() if isinstance(m, nn.ReLU))
