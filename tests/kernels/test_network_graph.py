"""A network as plain operations: the same values and gradients as the network's own, or one sentence."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import xarray as xr
from torch import nn

import tunewidgets as tw
from tunewidgets.kernels.network.rectifiers import LeakingRectifiers
from tunewidgets.kernels.network_graph.interpreter import run
from tunewidgets.kernels.network_graph.packing import unpacked
from tunewidgets.records import RecordError, settings_of
from tunewidgets.zoo.normalize import Normalize


class Function(nn.Module):
    """A convolution, any function after it, and a layer that passes its values on in another tensor."""

    def __init__(self, function, channels=6):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, channels, 3, padding=1)
        self.function = function
        self.end = nn.Hardtanh(-1e6, 1e6)

    def forward(self, x):
        return self.end(self.function(self.conv(x)))


def names(record):
    return [json.loads(told)["op"] for told in record["operation"].values]


def drawn(module, layer="end", weights="f32", size=16, **options):
    module.input_size = size
    probe = tw.Probe(module.eval(), layer, device="cpu", **options)
    return probe, tw.network_record(probe, weights)


def drawing_of(record):
    operations = [json.loads(told) for told in record["operation"].values]
    return unpacked(operations, record["weight"].values.tobytes(), settings_of(record)["output"])


def values_of(record, images):
    """What a page computes: pixels scaled and shifted, then the operations."""
    scale, offset = (torch.from_numpy(record[name].values).view(1, 3, 1, 1) for name in ("scale", "offset"))
    return run(drawing_of(record), images * scale + offset)[1]


SHIFT = torch.linspace(-1, 1, 6).view(1, 6, 1, 1)
FUNCTIONS = {
    "relu": F.relu,
    "relu in place": lambda x: F.relu(x, inplace=True),
    "relu as a method": lambda x: x.relu_(),
    "relu6": F.relu6,
    "clamp": lambda x: x.clamp(-0.2, 0.3),
    "clamp from below": lambda x: torch.clamp(x, min=0),
    "leaky": lambda x: F.leaky_relu(x, 0.2),
    "hardsigmoid": F.hardsigmoid,
    "hardswish": F.hardswish,
    "silu": F.silu,
    "gelu": F.gelu,
    "gelu by tanh": lambda x: F.gelu(x, approximate="tanh"),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "max pooling": lambda x: F.max_pool2d(x, 3, 2, 1),
    "max pooling, rounded up": lambda x: F.max_pool2d(x, 3, 2, ceil_mode=True),
    "max pooling, a margin of -inf": lambda x: F.max_pool2d(F.pad(x, (0, 1, 2, 0), value=-torch.inf), 3, 2),
    "average pooling": lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
    "average pooling, rounded up": lambda x: F.avg_pool2d(x, (3, 2), ceil_mode=True),
    "to one size": lambda x: F.adaptive_avg_pool2d(x, (3, 5)),
    "response normalization": lambda x: F.local_response_norm(x, 3, alpha=0.5, beta=0.6, k=1.5),
    "sum": lambda x: x + F.relu(x),
    "sum in place": lambda x: (x * 2).add_(F.relu(x)),
    "product": lambda x: x * torch.sigmoid(x),
    "gate by channel": lambda x: torch.sigmoid(x.mean((2, 3), keepdim=True)) * x,
    "numbers": lambda x: 3 - ((-x * 2 + 1) / 4 - 0.5),
    "numbers by channel": lambda x: (x + SHIFT.to(x.dtype)) * SHIFT.to(x.dtype),
    "joined": lambda x: torch.cat([x, F.relu(x)], 1),
    "margin": lambda x: F.pad(x, (1, 2, 3, 4), value=0.5),
    "mirrored margin": lambda x: F.pad(x, (1, 2, 3, 1), mode="reflect"),
    "repeated margin": lambda x: F.pad(x, (1, 2, 3, 1), mode="replicate"),
    "new channels": lambda x: F.pad(x, (0, 0, 0, 0, 2, 1)),
    "some channels": lambda x: x[:, 1:4],
    "chunks": lambda x: x.chunk(2, 1)[1] + x.split(3, dim=1)[0],
    "every second place": lambda x: x[:, :, ::2, ::3],
    "features": lambda x: F.layer_norm(torch.flatten(F.adaptive_avg_pool2d(x, 2), 1), (24,)),
    "mean": lambda x: x.mean((2, 3)),
    "view": lambda x: x.view(x.size(0), -1),
    "dropout": lambda x: F.dropout(x.clone(), training=False).contiguous(),
    "unused": lambda x: (torch.fft.fft2(x), x * 2)[1],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_operation_gives_what_pytorch_gives(name):
    probe, record = drawn(Function(FUNCTIONS[name]))
    images = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(values_of(record, images), probe(images), rtol=1e-4, atol=1e-5)
    assert max(settings_of(record)["check"][key] for key in ("forward", "gradient")) < 1e-5


@pytest.mark.parametrize(
    "convolution",
    [
        {"kernel_size": 3, "stride": 2, "padding": 1, "groups": 3, "bias": False},
        {"kernel_size": (3, 5), "padding": "same", "dilation": (1, 2)},
        {"kernel_size": 4, "padding": "same"},
        {"kernel_size": 3, "padding": 1, "padding_mode": "reflect"},
    ],
)
def test_convolutions_of_every_kind(convolution):
    torch.manual_seed(0)
    probe, record = drawn(nn.Sequential(nn.Conv2d(3, 6, **convolution), nn.ReLU()), "1")
    images = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(values_of(record, images), probe(images), rtol=1e-4, atol=1e-5)


def test_batch_norms_go_into_what_is_before_them_and_margins_into_what_is_after():
    torch.manual_seed(0)
    norms = [nn.BatchNorm2d(4), nn.BatchNorm2d(5), nn.BatchNorm1d(5)]
    for norm in norms:
        norm.running_mean = torch.randn(norm.num_features)
        norm.running_var = torch.rand(norm.num_features) + 0.5
        nn.init.normal_(norm.weight)
    start = [nn.ZeroPad2d((1, 2, 3, 0)), nn.Conv2d(3, 4, 3, bias=False), norms[0], nn.ReLU()]
    middle = [nn.Dropout(), nn.Conv2d(4, 5, 3), nn.Identity(), norms[1], nn.ReLU()]
    end = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 5), norms[2]]
    probe, record = drawn(nn.Sequential(*start, *middle, *end), "12")
    assert names(record) == ["conv2d", "relu", "conv2d", "relu", "adaptive_avg_pool2d", "flatten", "linear"]
    assert json.loads(record["operation"].values[0])["padding"] == [3, 1, 0, 2]
    images = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(values_of(record, images), probe(images), rtol=1e-4, atol=1e-5)


def test_a_batch_norm_that_others_are_before_stays():
    branches = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4), nn.ReLU())
    assert names(drawn(branches, "3")[1]) == ["conv2d", "relu", "scale_shift", "relu"]


def test_the_layer_of_a_reused_module_and_of_a_block(branched):
    for layer, last in (("relu", "relu"), ("relu_1", "relu"), ("stem", "conv2d"), ("head", "linear")):
        probe, record = drawn(branched, layer)
        assert names(record)[-1] == last
        images = torch.rand(2, 3, 16, 16)
        torch.testing.assert_close(values_of(record, images), probe(images), rtol=1e-4, atol=1e-5)


def test_the_gradient_leaks_as_the_networks_does(branched):
    probe, record = drawn(branched, "relu_1")
    images = torch.rand(1, 3, 16, 16)
    gradients = []
    for values in (lambda x: probe.values(x).rectified(), lambda x: values_of(record, x)):
        given = images.clone().requires_grad_()
        with LeakingRectifiers():
            values(given).sum().backward()
        gradients.append(given.grad)
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("activation", "through"), [(nn.ReLU(), False), (nn.ReLU6(), False), (nn.GELU(), True)]
)
def test_whether_the_layer_leaks_to_what_it_is_given(activation, through):
    _, record = drawn(nn.Sequential(nn.Conv2d(3, 4, 3), activation), "1")
    assert settings_of(record)["through"] is through


def test_what_normalizes_becomes_a_scale_and_an_offset():
    normalize = Normalize([0.1, 0.2, 0.3], [0.5, 0.25, 2])
    probe, record = drawn(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), "1", preprocess=normalize)
    np.testing.assert_allclose(record["scale"], [2, 4, 0.5], rtol=1e-5)
    np.testing.assert_allclose(record["offset"], [-0.2, -0.8, -0.15], rtol=1e-5)
    images = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(values_of(record, images), probe(images), rtol=1e-4, atol=1e-5)


def test_a_network_of_one_channel_takes_three():
    probe, record = drawn(
        nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU()), "1", preprocess=lambda x: x * 2 - 1
    )
    assert probe.gray
    images = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(values_of(record, images), probe(images), rtol=1e-4, atol=1e-5)


def test_smaller_numbers_say_how_far_they_are_off():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 32, 5), nn.ReLU(), nn.Conv2d(32, 32, 5), nn.ReLU())
    records = {weights: drawn(network, "3", weights)[1] for weights in ("f32", "f16", "i8")}
    off = [settings_of(record)["check"]["forward"] for record in records.values()]
    assert off[0] < 1e-6 < off[1] < 1e-3 < off[2] < 0.1
    sizes = [record.sizes["byte"] for record in records.values()]
    np.testing.assert_allclose(sizes / np.float64(sizes[0]), [1, 0.5, 0.25], atol=0.02)
    assert {json.loads(told)["weight"]["type"] for told in records["i8"]["operation"].values[::2]} == {"i8"}


def test_numbers_too_large_for_half_precision_stay_whole():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    with torch.no_grad():
        network[0].weight[0, 0, 0, 0] = 1e6
    probe, record = drawn(network, "1", "f16")
    images = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(values_of(record, images), probe(images), rtol=1e-4, atol=1e-2)


def test_whether_images_of_another_size_are_possible():
    maps = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 3)
    )
    assert settings_of(drawn(maps, "4")[1])["any_size"] is True
    fixed = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 4), nn.ReLU())
    assert settings_of(drawn(fixed, "2")[1])["any_size"] is False
    baked = Function(lambda x: F.adaptive_avg_pool2d(x, x.shape[-1] // 2))
    assert settings_of(drawn(baked)[1])["any_size"] is False


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 4, 4)
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.end = nn.Conv2d(4, 4, 1)

    def forward(self, x):
        x = self.conv(x)
        tokens = x.flatten(2).transpose(1, 2)
        mixed = self.attention(tokens, tokens, tokens)[0]
        return self.end(mixed.transpose(1, 2).reshape(x.shape))


REFUSED = {
    "an unknown operation": (Function(lambda x: torch.cumsum(x, 3)), "operation 'cumsum'"),
    "tokens": (Attention(), "the operation 'flatten'"),
    "in a module": (nn.Sequential(nn.Conv2d(3, 4, 3), nn.GroupNorm(2, 4), nn.ReLU()), "module '1' runs"),
    "weights made of the image": (
        Function(lambda x: F.conv2d(x, F.adaptive_avg_pool2d(x, 1)[:1])),
        "operation 'conv2d'",
    ),
    "one image decides": (
        Function(lambda x: x * float(x.detach().mean())),
        "gives other values than the network",
    ),
    "a number that JSON has not": (
        Function(lambda x: F.pad(x, (1, 1), value=torch.inf).clamp(-9, 9)),
        "not finite",
    ),
}


@pytest.mark.filterwarnings("ignore:.*depend:UserWarning")
@pytest.mark.parametrize("name", REFUSED)
def test_what_a_page_cannot_do_is_refused_in_a_sentence(name):
    network, said = REFUSED[name]
    last = [each for each, _ in network.named_modules()][-1]
    with pytest.raises(ValueError, match=said) as caught:
        drawn(network, last)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_a_preprocess_that_does_more_is_refused():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    for preprocess in (lambda x: x.sqrt(), lambda x: F.interpolate(x, scale_factor=2)):
        with pytest.raises(ValueError, match="more than scale and shift"):
            drawn(network, "1", preprocess=preprocess)


def test_the_network_comes_back_as_it_was(branched):
    branched.train()
    before = {name: value.clone() for name, value in branched.state_dict().items()}
    tw.network_record(tw.Probe(branched, "relu_1", device="cpu"))
    assert branched.training
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in branched.modules())
    assert all(torch.equal(value, before[name]) for name, value in branched.state_dict().items())
    assert all(value.grad is None for value in branched.parameters())


@pytest.mark.parametrize("ending", [".zarr", ".zarr.zip"])
def test_a_network_record_is_kept_and_opened(bank_probe, ending, tmp_path):
    record = tw.network_record(bank_probe)
    back = tw.open_record(tw.save_record(record, tmp_path / f"network{ending}"))
    xr.testing.assert_identical(back, record)
    images = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(values_of(back, images), bank_probe(images), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda told: "no JSON", "can't be read"),
        (lambda told: json.dumps({**json.loads(told), "in": [7]}), "not made before it"),
        (lambda told: told.replace('"at": 0', '"at": 4000'), "not all there"),
        (lambda told: told.replace('"at": 0', '"at": -8'), "can't be read"),
    ],
)
def test_a_record_that_no_page_could_run_is_refused(bank_probe, change, said):
    record = tw.network_record(bank_probe)
    told = record["operation"].values.copy()
    told[0] = change(told[0])
    with pytest.raises(RecordError, match=said):
        tw.records.validate(record.assign(operation=("operation", told)))


TORCHVISION = {
    "resnet18": "layer2",
    "densenet121": "features.denseblock2",
    "mobilenet_v3_small": "features.6",
    "efficientnet_b0": "features.3",
}
ZOO = {
    "mlp": "relu2",
    "shallow_cnn": "relu5",
    "vgg16_cifar10": "features.9",
    "cifar_resnet20": "layer3",
    "cifar_resnet56": "layer2",
    "squeezenet1_0": "features.7",
    "squeezenet1_1": "features.7",
    "googlenet_bvlc": "inception_4a_output",
    "inceptionv1": "mixed3b",
}


@pytest.mark.parametrize("name", [*ZOO, *TORCHVISION])
def test_whole_networks_agree_with_pytorch(name):
    import torchvision

    torch.manual_seed(0)
    if name in ZOO:
        network, layer = tw.zoo.load(name, weights=None), ZOO[name]
    else:
        network, layer = getattr(torchvision.models, name)(weights=None), TORCHVISION[name]
    record = tw.network_record(tw.Probe(network.eval(), layer, device="cpu"), "f32")
    check = settings_of(record)["check"]
    assert check["forward"] < 1e-6
    assert check["gradient"] < 1e-5
