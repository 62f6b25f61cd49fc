"""Every network of the zoo with random weights: layers → probe → visualize → unit record → film, on tiny images."""

import pytest
import torch
from torch import Tensor, nn

import tunewidgets as tw
from tunewidgets.cli.summary import summary
from tunewidgets.zoo.registry import NETWORKS

# name -> options that make it small where it can be, a layer near the image, its units, the images' side; Lucid's
# network pools 7 × 7 places at its end, which only images of 224 px have.
CHAINS: dict[str, tuple[dict, str, int, int]] = {
    "cifar_resnet20": ({}, "layer1.0.relu2", 16, 32),
    "googlenet_bvlc": ({}, "relu_conv1", 64, 32),
    "inceptionv1": ({}, "conv2d0", 64, 32),
    "googlenet": ({"init_weights": False}, "conv1", 64, 32),
    "vgg16": ({"part": "features", "init_weights": False}, "features.1", 64, 32),
    "resnet18": ({}, "relu", 64, 32),
    "resnet50": ({}, "layer1.0.conv1", 64, 32),
    "squeezenet1_0": ({}, "features.3.squeeze_activation", 16, 48),
    "squeezenet1_1": ({}, "features.3.squeeze_activation", 16, 48),
    "convnext_tiny": ({}, "features.1.0", 96, 32),
    "vit_b_16": ({"image_size": 64}, "encoder.layers.encoder_layer_0.ln_1", 768, 64),
    "timm:test_vit": ({"img_size": 64}, "blocks.0.attn", 64, 64),
    "test_convnext": ({}, "stages.0.blocks.0.mlp.act", 96, 32),
}


def made(name: str) -> nn.Module:
    options = CHAINS[name][0]
    if name.startswith(("timm:", "test_")):
        pytest.importorskip("timm", reason="timm's networks need timm (the extra `timm`)")
    torch.manual_seed(0)
    model = tw.zoo.load(name, weights=None, **options)
    if name == "vit_b_16":
        # Fingerprints of all twelve blocks would take most of the time, and the first is like the others.
        model.encoder.layers = model.encoder.layers[:1]
    return model


def images(side: int) -> Tensor:
    return torch.rand(6, 3, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", CHAINS)
def test_goes_through_the_whole_chain(name):
    _, layer, units, side = CHAINS[name]
    model = made(name)
    assert model.weights_from == "random"
    assert not model.training
    whole = 224 if name == "inceptionv1" else side
    table = tw.layers(model, (3, whole, whole)).set_index("name")
    assert table.units[layer] == units

    probe = tw.Probe(model, layer, device="cpu")
    assert (probe.units, probe.has_map) == (units, True)
    maps = probe(images(side))
    assert maps.shape[:2] == (6, units)
    assert float(maps.std()) > 0

    drawn = tw.visualize(probe, tw.AM([0, 1, 2, units - 1]), size=side, steps=2, progress=False)
    assert drawn.image.shape == (4, side, side, 3)
    # Of random units some are silent, and after two steps many a pattern is behind a color.
    assert any(status == "" or status.startswith("flat") for status in drawn.status.values)

    data = [(images(side), torch.arange(6) % 2)]
    objectives = ("am",) if units < 100 else ()
    tree = tw.analyze_units(
        model, data, layer, objectives, ablation=False, exemplars=2, steps=2, size=side, progress=False
    )
    (record,) = (node.to_dataset() for node in tree.children.values())
    tw.records.validate(record)
    assert record.sizes["unit"] == units
    assert record.attrs["weights_from"] == "random"

    sampled = tw.sample_activations(probe, images(side), n=24, per_image=4, progress=False)
    film = tw.render_film(
        probe, tw.TuningDimensions("pca", 2).fit(sampled), points=2, steps=2, size=side, progress=False
    )
    tw.records.validate(film)
    assert film.sizes["unit"] == units
    assert "random weights" in summary(film)

    if "vit" in name or "convnext" in name:
        explorer = tw.TuningExplorer(film)
        scatter = tw.UnitScatter(tree)
        for widget in (explorer, scatter):
            assert widget._repr_mimebundle_()[0]["image/png"]
            widget.close()


def test_all_of_the_registry_goes_through_the_chain_or_is_tested_elsewhere():
    elsewhere = {"gabor_bank", "mlp", "shallow_cnn", "vgg16_cifar10"}
    deeper = {f"cifar_resnet{depth}" for depth in (32, 44, 56, 110)}
    assert {*NETWORKS} - elsewhere - deeper == {name for name in CHAINS if name in NETWORKS}


@pytest.mark.parametrize("depth", [20, 32, 44, 56, 110])
def test_cifar_resnets_have_as_many_layers_as_their_name_says(depth):
    network = tw.zoo.load(f"cifar_resnet{depth}", weights=None)
    weighted = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    assert len(weighted) == depth
    assert not any(m.inplace for m in network.modules() if isinstance(m, nn.ReLU))
    if depth < 50:
        assert network(network.preprocess(images(32))).shape == (6, 10)


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "inceptionv1", "googlenet_bvlc"])
def test_preprocess_is_differentiable_and_leaves_the_size_alone(name):
    model = made(name)
    x = images(32).requires_grad_()
    model.preprocess(x).sum().backward()
    assert model.preprocess(x).shape == x.shape
    assert float(x.grad.abs().min()) > 0


def test_preprocess_is_what_the_weights_own_transforms_do():
    import torchvision

    model = made("resnet18")
    own = torchvision.models.ResNet18_Weights.DEFAULT.transforms(crop_size=32, resize_size=32)
    x = images(32)
    torch.testing.assert_close(model.preprocess(x), own(x), atol=1e-4, rtol=1e-4)


def test_torchvisions_googlenet_sees_images_from_minus_one_to_one():
    model = made("googlenet")
    seen = []
    handle = model.conv1.register_forward_hook(lambda m, args, out: seen.append(args[0]))
    with torch.no_grad():
        model(model.preprocess(torch.stack([torch.zeros(3, 64, 64), torch.ones(3, 64, 64)])))
    handle.remove()
    torch.testing.assert_close(seen[0][0], torch.full((3, 64, 64), -1.0))
    torch.testing.assert_close(seen[0][1], torch.full((3, 64, 64), 1.0))


def test_inceptionv1_has_lucids_layers_as_rectifiers_and_gives_scores():
    from lucent.modelzoo.inceptionv1.InceptionV1 import InceptionV1

    model = made("inceptionv1")
    theirs = InceptionV1(pretrained=False, redirected_ReLU=False).eval()
    theirs.load_state_dict(model.state_dict())
    x = images(224)[:1]
    with torch.no_grad():
        torch.testing.assert_close(model(model.preprocess(x)).softmax(1), theirs(x * 255 - 117))
    assert isinstance(model.mixed4a_3x3, nn.ReLU)


def test_what_fits_one_size_only_says_which():
    assert made("vit_b_16").input_size == 64
    pytest.importorskip("timm", reason="timm's networks need timm (the extra `timm`)")
    strict = tw.zoo.load("timm:vit_tiny_patch16_224", weights=None, img_size=64, depth=1)
    assert strict.input_size == 64
    # It resamples its embedding of positions for any size.
    assert not hasattr(made("timm:test_vit"), "input_size")
    assert not hasattr(made("resnet18"), "input_size")
    assert not hasattr(made("test_convnext"), "input_size")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nope", "the zoo has no network called 'nope'; there are gabor_bank, mlp"),
        ("resnet19", "did you mean 'resnet18'"),
        ("vgg16_cifar", "did you mean 'vgg16_cifar10'"),
        ("squeezenet", "'squeezenet1_"),
    ],
)
def test_an_unknown_network_has_near_names(name, sentence):
    with pytest.raises(ValueError, match=sentence):
        tw.zoo.load(name)


def test_without_timm_its_networks_say_how_to_install_it(monkeypatch):
    monkeypatch.setattr("tunewidgets.zoo.timm_networks.has_timm", lambda: False)
    with pytest.raises(ModuleNotFoundError, match=r"pip install tunewidgets\[timm\]"):
        tw.zoo.load("timm:convnext_atto")
    with pytest.raises(ValueError, match="the zoo has no network called 'convnext_atto'"):
        tw.zoo.load("convnext_atto")


def test_timms_weights_are_names_of_its_own_or_files(tmp_path):
    pytest.importorskip("timm", reason="timm's networks need timm (the extra `timm`)")
    model = made("test_convnext")
    torch.save(model.state_dict(), tmp_path / "mine.pt")
    assert tw.zoo.load("test_convnext", weights=tmp_path / "mine.pt").weights_from == "mine.pt"
    with pytest.raises(ValueError, match=r"mine.pt does not hold the weights of test_convnext2"):
        tw.zoo.load("test_convnext2", weights=tmp_path / "mine.pt")
    with pytest.raises(
        ValueError, match="timm has no pretrained weights for 'coatnet_0_224'; give weights=PATH"
    ):
        tw.zoo.load("timm:coatnet_0_224")
