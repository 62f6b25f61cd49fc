"""The table of layers: names and order, and receptive fields against the gradient's actual support."""

import pandas as pd
import pytest
import torch
import torchvision
from torch import nn

import tunewidgets as tw
from tunewidgets.kernels.network.names import find_layer
from tunewidgets.kernels.network.tracing import forward_to


def support(model: nn.Module, layer: str, size: int) -> tuple[int, int]:
    """Height and width of the input pixels that can move the center of `layer`, by gradient: the reference.

    All weights are made positive and the input is random, so that no contribution can cancel; maximum pooling lets
    through one path at a time, so the support is joined over several inputs.
    """
    for parameter in model.parameters():
        parameter.data.abs_().add_(0.01)
    seen = torch.zeros(size, size, dtype=torch.bool)
    for seed in range(24):
        image = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(seed)).requires_grad_()
        value = forward_to(model.eval(), find_layer(model, layer), image).post
        center = value[0, :, value.shape[2] // 2, value.shape[3] // 2] if value.ndim == 4 else value[0]
        (gradient,) = torch.autograd.grad(center.sum(), image)
        seen |= (gradient[0].abs().sum(0) > 0).cpu()
    rows, columns = seen.any(1).nonzero(), seen.any(0).nonzero()
    return int(rows.max() - rows.min() + 1), int(columns.max() - columns.min() + 1)


def row(table: pd.DataFrame, name: str) -> pd.Series:
    return table.set_index("name").loc[name]


def test_layers_come_in_forward_order_with_reused_modules_counted(branched):
    table = tw.layers(branched, input_size=(3, 48, 48))
    assert table["name"].tolist() == [
        "stem.0", "stem.1", "stem", "relu", "left", "right", "relu_1", "pool", "head",
    ]  # fmt: skip
    assert row(table, "relu_1")[["kind", "units", "output_shape"]].tolist() == ["ReLU", 8, (8, 12, 12)]
    assert table["rectified"].tolist() == [False, False, False, True, False, False, True, True, False]


def test_what_bounds_its_values_is_rectified_where_it_lets_no_negative_one_through():
    class Clamped(nn.Module):
        def __init__(self, least, most=None):
            super().__init__()
            self.bounds = least, most

        def forward(self, x):
            return x.clamp(*self.bounds)

    bounds = [
        nn.Hardtanh(),
        nn.Hardtanh(0.0, 2.0),
        nn.ReLU6(),
        nn.ReLU6(inplace=True),
        Clamped(None, 6),
        Clamped(0.0, 6),
        Clamped(torch.tensor([[[0.0]], [[1.0]]])),
        Clamped(torch.tensor([[[0.0]], [[-1.0]]])),
    ]
    for bound, rectified in zip(bounds, [False, True, True, True, False, True, True, False], strict=True):
        table = tw.layers(nn.Sequential(nn.Conv2d(3, 2, 1), bound), input_size=(3, 8, 8))
        assert row(table, "1")["rectified"] == rectified, bound


@pytest.mark.parametrize("layer", ["stem.0", "relu", "left", "right", "relu_1"])
def test_receptive_fields_are_the_gradients_support(branched, layer):
    table = tw.layers(branched, input_size=(3, 48, 48))
    assert row(table, layer)["receptive_field"] == support(branched, layer, 48)


def test_strides_multiply_and_a_linear_layer_sees_everything(branched):
    table = tw.layers(branched, input_size=(3, 48, 48))
    assert row(table, "relu_1")["stride"] == (4, 4)
    assert row(table, "head")["receptive_field"] == (48, 48)


@pytest.mark.parametrize(
    ("layer", "field"), [("conv1", 7), ("maxpool", 11), ("layer1.0.relu_1", 27), ("layer2.0.conv1", 51)]
)
def test_a_residual_network(layer, field):
    model = torchvision.models.resnet18(weights=None)
    table = tw.layers(model, input_size=(3, 96, 96))
    assert row(table, layer)["receptive_field"] == (field, field)
    assert support(model, layer, 96) == (field, field)


def test_attention_sees_the_whole_input():
    model = torchvision.models.VisionTransformer(32, 8, num_layers=1, num_heads=2, hidden_dim=16, mlp_dim=24)
    table = tw.layers(model, input_size=(3, 32, 32))
    assert row(table, "conv_proj")["receptive_field"] == (8, 8)
    assert row(table, "encoder.layers.encoder_layer_0.ln_1")["receptive_field"] == (8, 8)
    assert row(table, "encoder.layers.encoder_layer_0.self_attention")["receptive_field"] == (32, 32)
    assert row(table, "encoder.layers.encoder_layer_0.mlp.0")["units"] == 24


def test_dilation_and_rectangular_kernels():
    model = nn.Sequential(nn.Conv2d(3, 2, (3, 5), dilation=2), nn.AvgPool2d(3, stride=2), nn.Conv2d(2, 2, 3))
    table = tw.layers(model, input_size=(3, 40, 40))
    assert row(table, "2")["receptive_field"] == (11, 15) == support(model, "2", 40)


@pytest.mark.parametrize("pool", [nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool2d])
def test_adaptive_pooling_takes_even_parts(pool):
    model = nn.Sequential(nn.Conv2d(3, 2, 3), pool(2), pool(1))
    table = tw.layers(model, input_size=(3, 18, 18))
    assert row(table, "1")["receptive_field"] == (10, 10) == support(model, "1", 18)
    assert row(table, "2")["receptive_field"] == (18, 18)


def test_the_model_comes_back_as_it_was(branched):
    branched.train()
    tw.layers(branched, input_size=(3, 32, 32))
    assert branched.training
    assert branched.stem[1].training
    assert not any(module._forward_hooks for module in branched.modules())


def test_a_size_the_model_does_not_take_is_one_sentence():
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 4))
    with pytest.raises(ValueError, match=r"does not take an image of shape .* give its own input_size"):
        tw.layers(model, (3, 224, 224))
    assert row(tw.layers(model), "1")["output_shape"] == (4,)


def test_not_a_model():
    with pytest.raises(TypeError, match=r"give a torch.nn.Module"):
        tw.layers("vgg16")
