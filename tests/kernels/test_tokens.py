"""Tokens, and channels that lie last: a unit is a feature, its map the image's places and nothing else."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import ConvNeXt, SwinTransformer, VisionTransformer
from torchvision.models.convnext import CNBlockConfig

import tunewidgets as tw
from tunewidgets.kernels.network.capture import Capture, Observed

POISON = 1e6
IMAGES = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


class Tokens(nn.Module):
    """Patches of 8 px with tokens of no place before and after them, and a layer of each kind over them all."""

    def __init__(self, before: int = 1, after: int = 0, sequence_first: bool = False) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 7, 8, stride=8)
        self.first = nn.Parameter(torch.full((1, before, 7), POISON))
        self.last = nn.Parameter(torch.full((1, after, 7), POISON))
        self.dropout = nn.Dropout()
        self.mix = nn.Linear(7, 11, bias=False)
        self.act = nn.GELU()
        self.norm = nn.LayerNorm(11)
        self.head = nn.Linear(11, 5)
        self.sequence_first = sequence_first
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        grid = self.patches(x).flatten(2).transpose(1, 2)
        n = len(grid)
        tokens = torch.cat([self.first.expand(n, -1, -1), grid, self.last.expand(n, -1, -1)], dim=1)
        if self.sequence_first:
            tokens = tokens.transpose(0, 1)
        tokens = self.norm(self.act(self.mix(self.dropout(tokens))))
        return self.head(tokens.mean(0 if self.sequence_first else 1))


def places(model: Tokens, layer: str, images: Tensor) -> Tensor:
    """The reference: the same arithmetic on the map, without any token that has no place."""
    value = model.patches(images).permute(0, 2, 3, 1)
    for name in ("dropout", "mix", "act", "norm"):
        value = model.get_submodule(name)(value)
        if name == layer:
            return value.permute(0, 3, 1, 2)
    raise AssertionError(layer)


@pytest.mark.parametrize("layer", ["dropout", "mix", "act", "norm"])
@pytest.mark.parametrize(
    ("before", "after", "sequence_first"), [(1, 0, False), (5, 0, False), (0, 2, False), (1, 0, True), (9, 0, False)]
)  # fmt: skip
def test_tokens_of_no_place_never_leak_into_a_map(layer, before, after, sequence_first):
    # 16 patches and 9 others make 25, which a square would hide.
    model = Tokens(before, after, sequence_first)
    probe = tw.Probe(model, layer, device="cpu")
    torch.testing.assert_close(probe(IMAGES), places(model, layer, IMAGES).detach())
    capture = Capture(Observed(model, layer, device="cpu"), peaks=True)
    reduced = capture(IMAGES)[layer]
    torch.testing.assert_close(reduced.activations, places(model, layer, IMAGES).relu().mean((2, 3)).detach())
    assert int(reduced.peak.max()) < 16
    assert f"{before + after} token{'s' if before + after > 1 else ''} apart" in repr(probe)


def test_a_grid_that_is_no_square_keeps_its_shape_and_its_class_token_apart():
    # 3 × 5 patches and a class token are 16 tokens: a square, if one only counts them.
    images = torch.rand(2, 3, 24, 40)
    model = Tokens()
    probe = tw.Probe(model, "mix", device="cpu")
    torch.testing.assert_close(probe(images), places(model, "mix", images).detach())
    # The one row away from the borders, of which each image gives all three places.
    sample = tw.sample_activations(probe, images, n=6, progress=False)
    expected = places(model, "mix", images).relu().detach()
    for vector in sample:
        own = expected[int(vector.image), :, int(vector.y), int(vector.x)]
        np.testing.assert_allclose(vector, own, atol=1e-5)


def test_units_of_tokens_are_ablated_and_sampled_as_features():
    model = Tokens()
    data = [(IMAGES, torch.tensor([0, 1]))]
    record = tw.ablation(model, data, "act", curves=False, progress=False)["act"].to_dataset()
    assert record.sizes["unit"] == 11
    with torch.no_grad():
        scores = model.eval()(IMAGES)
    handle = model.act.register_forward_hook(lambda m, i, value: value.index_fill(2, torch.tensor([4]), 0.0))
    with torch.no_grad():
        without = model(IMAGES)
    handle.remove()
    labels = torch.tensor([0, 1])
    rise = F.cross_entropy(without, labels) - F.cross_entropy(scores, labels)
    assert float(record.loss_increase[4]) == pytest.approx(float(rise), abs=1e-5)
    sampled = tw.sample_activations(tw.Probe(model, "mix", device="cpu"), IMAGES, n=8, progress=False)
    assert float(abs(sampled).max()) < POISON / 1e3


@pytest.fixture(scope="module")
def vit() -> VisionTransformer:
    model = VisionTransformer(32, 8, num_layers=2, num_heads=2, hidden_dim=12, mlp_dim=20)
    model.input_size = 32
    nn.init.normal_(model.heads.head.weight)
    with torch.no_grad():
        model.class_token.fill_(POISON)
    return model.eval()


BLOCK = "encoder.layers.encoder_layer_0"


@pytest.mark.parametrize(
    ("layer", "units"),
    [("conv_proj", 12), (f"{BLOCK}.self_attention", 12), (f"{BLOCK}.mlp.1", 20), (f"{BLOCK}.mlp", 12), (BLOCK, 12)],
)  # fmt: skip
def test_a_vision_transformers_parts_are_maps_of_its_patches(vit, layer, units):
    probe = tw.Probe(vit, layer, device="cpu")
    assert (probe.units, probe.has_map) == (units, True)
    assert "a map of 4 × 4 at 32 px" in repr(probe)
    maps = probe(IMAGES)
    assert maps.shape == (2, units, 4, 4)
    seen = []
    handle = vit.get_submodule(layer).register_forward_hook(lambda m, i, value: seen.append(value))
    with torch.no_grad():
        vit(IMAGES)
    handle.remove()
    raw = seen[0][0] if isinstance(seen[0], tuple) else seen[0]
    if raw.ndim == 3:
        raw = raw[:, 1:].transpose(1, 2).reshape(2, units, 4, 4)
    torch.testing.assert_close(maps, raw, rtol=1e-4, atol=1e-4)


def test_the_residual_stream_holds_no_poison_but_what_attention_brought(vit):
    before = tw.Probe(vit, "encoder.dropout", device="cpu")(IMAGES)
    assert float(before.abs().max()) < 100 < POISON


def test_a_class_token_by_itself_is_features_without_a_map():
    class Alone(Tokens):
        def forward(self, x: Tensor) -> Tensor:
            tokens = torch.cat(
                [self.first.expand(len(x), -1, -1), self.patches(x).flatten(2).transpose(1, 2)], 1
            )
            return self.head(self.norm(self.mix(tokens[:, :1]))[:, 0])

    probe = tw.Probe(Alone(), "norm", device="cpu")
    assert (probe.units, probe.has_map) == (11, False)


CONVNEXT = ConvNeXt([CNBlockConfig(8, 12, 1), CNBlockConfig(12, None, 1)])
SWIN = SwinTransformer([4, 4], 8, [1, 1], [1, 2], [4, 4])


@pytest.mark.parametrize(
    ("model", "layer", "units", "last"),
    [
        (CONVNEXT, "features.1.0.block.4", 32, True),
        (CONVNEXT, "features.1.0", 8, False),
        (SWIN, "features.1.0.mlp.1", 32, True),
        (SWIN, "features.1.0", 8, True),
    ],
)
def test_channels_that_lie_last_are_the_units(model, layer, units, last):
    maps = tw.Probe(model, layer, device="cpu")(IMAGES)
    # Eight places a side, so that only where the axis comes from can tell it, not how long it is.
    assert maps.shape == (2, units, 8, 8)
    assert tw.layers(model, (3, 32, 32)).set_index("name").units[layer] == units
    seen = []
    handle = model.get_submodule(layer).register_forward_hook(lambda m, i, value: seen.append(value))
    with torch.no_grad():
        model.eval()(IMAGES)
    handle.remove()
    torch.testing.assert_close(maps, seen[0].movedim(-1, 1) if last else seen[0])


def test_heads_and_windows_one_by_one_are_refused_with_the_remedy():
    class Heads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens = Tokens()
            self.heads, self.windows = nn.Identity(), nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            values = self.tokens.patches(x).flatten(2).transpose(1, 2)[..., :6]
            self.windows(values.reshape(-1, 4, 6))
            split = self.heads(values.reshape(len(x), 16, 2, 3).transpose(1, 2))
            return split.flatten(1)

    with pytest.raises(ValueError, match=r"nothing is a unit at a place .* choose the attention's output"):
        tw.Probe(Heads(), "heads", device="cpu")
    with pytest.raises(ValueError, match="rows for one image"):
        tw.Probe(Heads(), "windows", device="cpu")


class Residual(nn.Module):
    """A residual network that rectifies by function, so that its modules are convolutions and blocks only."""

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(6, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return F.relu(x + self.conv2(F.relu(self.conv1(x), inplace=True)))

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.block, self.head = nn.Conv2d(3, 6, 3), self.Block(), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.block(F.relu(self.stem(x))).mean((2, 3)))


def test_a_residual_network_with_functional_relus_goes_the_whole_way():
    model = Residual().eval()
    table = tw.layers(model, (3, 32, 32)).set_index("name")
    assert table.rectified[["block.conv1", "block.conv2", "block"]].tolist() == [False, False, True]
    labels = torch.arange(6) % 3
    data = [(torch.rand(6, 3, 32, 32), labels)]
    tree = tw.analyze_units(
        model, data, ["block.conv1", "block"], ("am",), exemplars=0, steps=2, size=16, progress=False
    )
    for name, node in tree.children.items():
        tw.records.validate(node.to_dataset())
        assert node.sizes["unit"] == 6, name
        assert "accuracy_drop" in node


def test_the_units_of_unfold_are_its_features():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Unfold(2, stride=2)).eval()
    probe = tw.Probe(network, "1", device="cpu")
    assert (probe.units, probe.has_map) == (16, True)
    torch.testing.assert_close(probe(IMAGES).flatten(2), network(IMAGES))
    row = tw.layers(network, (3, 32, 32)).iloc[-1]
    assert (row.units, row.receptive_field, row.stride) == (16, (4, 4), (2, 2))


def test_places_that_are_units_are_refused_on_images_of_another_size():
    class Weights(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches, self.softmax, self.head = (
                nn.Conv2d(3, 4, 8, stride=8),
                nn.Softmax(-1),
                nn.Linear(4, 2),
            )

        def forward(self, x: Tensor) -> Tensor:
            tokens = self.patches(x).flatten(2).transpose(1, 2)
            return self.head((self.softmax(tokens @ tokens.transpose(1, 2)) @ tokens).mean(1))

    network = Weights().eval()
    looks = (
        lambda: tw.Probe(network, "softmax", device="cpu")(IMAGES),
        lambda: tw.sample_activations(
            tw.Probe(network, "softmax", device="cpu"), IMAGES, n=2, progress=False
        ),
        lambda: tw.class_selectivity(network, [(IMAGES, torch.arange(2))], "softmax", progress=False),
        lambda: tw.ablation(network, [(IMAGES, torch.arange(2))], "softmax", curves=False, progress=False),
    )
    for look in looks:
        with pytest.raises(
            ValueError, match="has 64 units on images of 64 × 64 px and 16 on these of 32 × 32 px"
        ):
            look()
    network.input_size = 32
    assert tw.Probe(network, "softmax", device="cpu").units == 16


class Windows(nn.Module):
    """Tokens of each image cut into windows, as batches of windows: of so many, or of such a length."""

    def __init__(self, count: int = 0, length: int = 0) -> None:
        super().__init__()
        self.patches, self.inner = nn.Conv2d(3, 6, 8, 8), nn.Linear(6, 6)
        self.count, self.length = count, length

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        length = self.length or tokens.shape[1] // self.count
        windows = self.inner(tokens.reshape(-1, length, 6))
        return windows.reshape(len(x), -1, 6).mean(1)


def test_windows_of_one_token_each_are_not_taken_for_tokens_before_images():
    with pytest.raises(ValueError, match="gives 64 rows for one image"):
        tw.Probe(Windows(count=64).eval(), "inner", device="cpu")


def test_one_window_on_the_image_that_was_tried_and_several_on_a_larger_one_are_refused_there():
    model = Windows(length=64).eval()
    probe = tw.Probe(model, "inner", device="cpu")
    assert probe(torch.rand(2, 3, 64, 64)).shape[0] == 2
    larger = torch.rand(2, 3, 128, 128)
    data = [(larger, torch.arange(2))]
    for measured in (
        lambda: probe(larger),
        lambda: tw.class_selectivity(model, data, "inner", device="cpu", progress=False),
        lambda: tw.sample_activations(probe, [larger], n=4, progress=False),
    ):
        with pytest.raises(ValueError, match="gives 8 rows for 2 images"):
            measured()
