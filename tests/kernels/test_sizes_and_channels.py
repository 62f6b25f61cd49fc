"""Sizes and channels: the one that a network takes is found, and where there is none its own words are quoted."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import tunewidgets as tw
from tunewidgets import Probe


class Strict(nn.Module):
    """One size, refused in the way that is asked for."""

    def __init__(self, size: tuple[int, int], error: type[Exception] = ValueError, channels: int = 3) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.relu, self.head = nn.Conv2d(channels, 4, 5, stride=4), nn.ReLU(), nn.Linear(4, 2)
        self.wanted, self.error = size, error

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if tuple(x.shape[2:]) != self.wanted:
            raise self.error(f"Input image size ({x.shape[2]}*{x.shape[3]}) doesn't match model.")
        return self.head(self.relu(self.conv(x)).mean((2, 3)))


REFUSALS = [RuntimeError, AssertionError, ValueError, KeyError, IndexError, TypeError]


@pytest.mark.parametrize("error", REFUSALS)
def test_a_size_that_is_refused_in_any_way_is_followed_by_the_next(error):
    net = Strict((96, 96), error).eval()
    probe = Probe(net, "relu", device="cpu")
    assert probe.image_size == (96, 96)
    assert tw.layers(net).output_shape[0] == (4, 23, 23)
    images = torch.rand(2, 3, 64, 64)
    for call in (
        lambda: probe(images),
        lambda: tw.sample_activations(probe, images, n=4, progress=False),
        lambda: tw.class_selectivity(net, [(images, torch.arange(2))], progress=False, device="cpu"),
        lambda: tw.ablation(net, [(images, torch.arange(2))], curves=False, progress=False, device="cpu"),
    ):
        with pytest.raises(
            ValueError,
            match=r"does not take images of 64 × 64 px: Input image size \(64\*64\) doesn't match model",
        ):
            call()
    with pytest.raises(ValueError, match=r"no values on a canvas of 64 px: Input image size"):
        tw.visualize(probe, tw.AM([0]), size=64, progress=False)


@pytest.mark.parametrize("error", REFUSALS)
def test_where_no_size_works_the_networks_own_words_are_quoted(error):
    net = Strict((111, 111), error).eval()
    words = r"took no image of the sizes tried \(\d+ × \d+ px: Input image size \(\d+\*\d+\) doesn't match model.\)"
    for call in (
        lambda: Probe(net, "relu", device="cpu"),
        lambda: tw.layers(net),
        lambda: tw.class_selectivity(net, [], progress=False),
    ):
        with pytest.raises(ValueError, match=words):
            call()


SAYS = {
    "input_size": {"input_size": 72},
    "config": {"config": SimpleNamespace(image_size=72)},
    "config of two": {"config": SimpleNamespace(image_size=[72, 72])},
    "default_cfg": {"default_cfg": {"input_size": (3, 72, 72)}},
    "pretrained_cfg": {"pretrained_cfg": SimpleNamespace(input_size=(3, 72, 72))},
}


@pytest.mark.parametrize("said", SAYS)
def test_a_size_that_no_one_else_has_is_tried_where_the_network_says_it(said):
    net = Strict((72, 72)).eval()
    vars(net).update(SAYS[said])
    for model, prefix in ((net, ""), (nn.DataParallel(net), "module."), (nn.Sequential(net), "0.")):
        assert Probe(model, f"{prefix}relu", device="cpu").image_size == (72, 72)
        assert set(tw.layers(model)[:3].output_shape) >= {(4, 17, 17)}


def test_layers_are_listed_at_the_models_own_size_unless_another_is_asked_for():
    net = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1))
    assert tw.layers(net).output_shape[0] == (2, 224, 224)
    net.default_cfg = {"input_size": (3, 160, 128)}
    assert tw.layers(net).output_shape[0] == (2, 160, 128)
    assert tw.layers(net, (3, 224, 224)).output_shape[0] == (2, 224, 224)
    net.input_size = 48
    assert tw.layers(net).output_shape[0] == (2, 48, 48)


def test_an_oblong_network_is_measured_at_its_size_and_says_so_where_images_are_square():
    net = Strict((48, 32)).eval()
    net.input_size = (48, 32)
    probe = Probe(net, "relu", device="cpu")
    assert "on a map of 11 × 7 at 48 × 32 px" in repr(probe)
    images = torch.rand(4, 3, 48, 32)
    data = [(images, torch.arange(4) % 2)]
    with torch.no_grad():
        torch.testing.assert_close(probe(images), net.relu(net.conv(images)))
    assert tw.sample_activations(probe, images, n=8, progress=False).shape == (8, 4)
    assert tw.class_selectivity(net, data, progress=False, device="cpu")["relu"].sizes["unit"] == 4
    assert tw.ablation(net, data, curves=False, progress=False, device="cpu")["relu"].sizes["unit"] == 4
    assert tw.exemplars(net, data, k=2, progress=False, device="cpu")["relu"].sizes["unit"] == 4
    with pytest.raises(ValueError, match="the model takes 48 × 32; resize them, for instance with torch"):
        tw.class_selectivity(net, [(torch.rand(4, 3, 48, 48), torch.arange(4) % 2)], progress=False)
    with pytest.raises(
        ValueError, match=r"images of 48 × 32 px, and those made here are square; give the probe"
    ):
        tw.visualize(probe, tw.AM([0]), steps=2, progress=False)
    resized = Probe(net, "relu", lambda batch: nn.functional.interpolate(batch, (48, 32)), device="cpu")
    made = tw.visualize(resized, tw.AM([0]), steps=2, progress=False)
    assert made.sizes["y"] == made.sizes["x"]


@pytest.fixture
def one_channel() -> Strict:
    net = Strict((40, 40), channels=1).eval()
    net.input_size = 40
    with torch.no_grad():
        # Blind to flat colors, so that patterns are its best images.
        net.conv.weight -= net.conv.weight.mean((1, 2, 3), keepdim=True)
        net.conv.bias.zero_()
    return net


def test_a_network_of_one_channel_sees_gray_images(one_channel):
    probe = Probe(one_channel, "relu", device="cpu")
    images = torch.rand(4, 3, 40, 40)
    gray = (images * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    with torch.no_grad():
        expected = one_channel.relu(one_channel.conv(gray))
    torch.testing.assert_close(probe(images), expected)
    torch.testing.assert_close(probe(gray), expected)
    for given in (images, gray):
        data = [(given, torch.arange(4) % 2)]
        found = tw.class_selectivity(one_channel, data, "relu", progress=False, device="cpu")["relu"]
        means = expected.mean((2, 3))
        assert found.class_mean.values == pytest.approx(
            torch.stack([means[0::2].mean(0), means[1::2].mean(0)], 1).numpy(), abs=1e-5
        )
        assert tw.sample_activations(probe, given, n=8, progress=False).shape == (8, 4)
    assert tw.layers(one_channel).units[0] == 4


@pytest.mark.parametrize("canvas", ["fourier", "pixel", "maco"])
def test_images_for_a_network_of_one_channel_are_gray(one_channel, canvas):
    made = tw.visualize(
        Probe(one_channel, "relu", device="cpu"),
        tw.AM([0, 1]),
        steps=3,
        canvas=canvas,
        progress=False,
        floats=True,
    )
    image = made.image.values.astype(int)
    assert np.ptp(image, axis=-1).max() == 0
    assert np.ptp(image) > 0


def test_films_for_a_network_of_one_channel_are_gray(one_channel):
    probe = Probe(one_channel, "relu", device="cpu")
    vectors = tw.sample_activations(probe, torch.rand(8, 3, 40, 40), n=60, progress=False)
    dimensions = tw.TuningDimensions("pca", 2).fit(vectors)
    film = tw.render_film(probe, dimensions, points=2, steps=2, progress=False)
    assert np.ptp(film.image.values.astype(int), axis=-1).max() == 0


def test_a_normalization_of_one_channel_comes_after_graying(one_channel):
    one_channel.preprocess = lambda images: (images - 0.5) / 0.25
    images = torch.full((1, 3, 40, 40), 0.5)
    with torch.no_grad():
        expected = one_channel.relu(one_channel.conv(torch.zeros(1, 1, 40, 40)))
    torch.testing.assert_close(Probe(one_channel, "relu", device="cpu")(images), expected)


@pytest.mark.parametrize("channels", [2, 4, 6, 13])
def test_other_channels_are_spoken_of(channels):
    net = Strict((64, 64), RuntimeError, channels).eval()
    for call in (
        lambda: Probe(net, "relu", device="cpu"),
        lambda: tw.layers(net),
        lambda: tw.class_selectivity(net, [], progress=False, device="cpu"),
    ):
        with pytest.raises(
            ValueError, match=rf"takes images of {channels} channels, and images here have three, red, green"
        ):
            call()
    more = Probe(net, "relu", lambda images: images[:, :1].expand(-1, channels, -1, -1), device="cpu")
    assert more(torch.rand(2, 3, 64, 64)).shape == (2, 4, 15, 15)


def test_gray_images_are_still_refused_by_networks_of_color():
    with pytest.raises(ValueError, match="repeat the gray channel"):
        Probe(Strict((64, 64)).eval(), "relu", device="cpu")(torch.rand(1, 1, 64, 64))
