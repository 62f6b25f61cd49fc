"""Networks whose weights are unusual, that run in unusual ways, or that count: the right value, or one sentence."""

import copy
import warnings

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from unusual_networks import DATA, IMAGES, QUIET, Small, check_alike

import tunewidgets as tw
from tunewidgets.kernels.live.steps import apart
from tunewidgets.kernels.network.counters import counters
from tunewidgets.kernels.network.unfit import twin_of, usable_on
from tunewidgets.kernels.studies.fingerprint import fingerprint

pytestmark = pytest.mark.filterwarnings("ignore")


def visualize(model: nn.Module, layer: str, **options):
    return tw.visualize(
        tw.Probe(model, layer, device="cpu"), tw.AM([0]), size=16, steps=2, progress=False, **options
    )


class Encoder(nn.Module):
    """Tokens of which the last ones are padding, in PyTorch's encoder."""

    input_size = 16

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.patches = nn.Conv2d(3, 8, 4, 4)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        padding = torch.zeros(tokens.shape[:2], dtype=torch.bool)
        padding[:, -2:] = True
        return self.head(self.encoder(tokens, src_key_padding_mask=padding)[:, :-2].mean(1))


@pytest.mark.parametrize(
    "layer", ["encoder.layers.0", "encoder.layers.0.norm1", "encoder.layers.1.linear1", "encoder"]
)
def test_the_layers_of_an_encoder_that_packs_its_tokens(layer):
    model = Encoder().eval()
    with torch.no_grad():
        packed = model(IMAGES)
    assert model.encoder.use_nested_tensor
    slow = copy.deepcopy(model)
    slow.encoder.use_nested_tensor = False
    seen: list[Tensor] = []
    slow.get_submodule(layer).register_forward_hook(lambda _m, _i, output: seen.append(output))
    with torch.no_grad():
        torch.testing.assert_close(slow(IMAGES), packed, atol=1e-5, rtol=1e-4)
    maps = tw.Probe(model, layer, device="cpu")(IMAGES)
    torch.testing.assert_close(maps.flatten(2).transpose(1, 2), seen[0])
    found = tw.class_selectivity(model, DATA, layer, **QUIET)[layer]
    np.testing.assert_allclose(found.mean_activation, seen[0].relu().mean((0, 1)), atol=1e-6)
    assert np.isfinite(tw.ablation(model, DATA, layer, curves=False, **QUIET)[layer].loss_increase).all()
    assert layer in tw.layers(model, (3, 16, 16)).name.tolist()
    assert np.isfinite(visualize(model, layer).value).all()
    assert model.encoder.use_nested_tensor


def quantized() -> nn.Module:
    """A network whose weights and values are whole numbers."""
    torch.manual_seed(0)
    ao = torch.ao.quantization
    model = nn.Sequential(
        ao.QuantStub(), nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.ReLU(),
        ao.DeQuantStub(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3),
    ).eval()  # fmt: skip
    model.qconfig = ao.get_default_qconfig(torch.backends.quantized.engine)
    model[6:].qconfig = model[8].qconfig = None
    ao.fuse_modules(model, [["1", "2"]], inplace=True)
    ao.prepare(model, inplace=True)
    model(IMAGES)
    ao.convert(model, inplace=True)
    model.input_size = 16
    return model


@pytest.mark.skipif(torch.backends.quantized.engine == "none", reason="no quantized operations")
def test_a_quantized_network_is_measured_and_told_that_it_has_no_gradient():
    model = quantized()
    seen: list[Tensor] = []
    handle = model[4].register_forward_hook(lambda _m, _i, output: seen.append(output.dequantize()))
    model(IMAGES)
    handle.remove()
    torch.testing.assert_close(tw.Probe(model, "4", device="cpu")(IMAGES), seen[0])
    table = tw.layers(model, (3, 16, 16)).set_index("name")
    assert table.receptive_field[["1", "3"]].tolist() == [(3, 3), (7, 7)]
    assert table.stride["3"] == (2, 2)
    assert table.rectified[["1", "3", "4"]].tolist() == [True, False, True]
    found = tw.class_selectivity(model, DATA, "4", **QUIET)["4"]
    np.testing.assert_allclose(found.mean_activation, seen[0].mean((0, 2, 3)), atol=1e-6)
    with pytest.raises(ValueError, match=r"layer '4' gives quantized numbers, .* give the float model"):
        tw.ablation(model, DATA, "4", curves=False, **QUIET)
    with pytest.raises(ValueError, match=r"no gradient reaches the image from layer '4': .* optimizer='cma'"):
        visualize(model, "4")
    assert visualize(model, "4", optimizer="cma").image.size


@pytest.mark.skipif(torch.backends.quantized.engine == "none", reason="no quantized operations")
def test_a_layer_quantized_dynamically_has_no_gradient_and_those_before_it_have():
    model = torch.ao.quantization.quantize_dynamic(Small().eval(), {nn.Linear}, dtype=torch.qint8)
    assert visualize(model, "relu2").image.equals(visualize(Small().eval(), "relu2").image)
    with pytest.raises(ValueError, match="no gradient reaches the image from layer 'head'"):
        visualize(model, "head")
    with torch.no_grad():
        model.conv.weight.zero_()
        model.conv.bias.fill_(-1)
        model.mid.bias.fill_(-1)
    assert visualize(model, "relu2").status.item()  # silent, and said so


def test_weights_without_values_are_told_so():
    with torch.device("meta"):
        model = Small()
    for look in (
        lambda: tw.Probe(model, "relu"),
        lambda: tw.class_selectivity(model, DATA, "relu", **QUIET),
    ):
        with pytest.raises(
            ValueError, match=r"model's conv.weight is on the meta device .* call model.to_empty"
        ):
            look()
    assert tw.layers(model, (3, 16, 16)).units.tolist() == [4, 4, 5, 5, 3]


def test_a_network_made_in_inference_mode_is_one_like_any_other():
    with torch.inference_mode():
        model = nn.Sequential(Small(), nn.BatchNorm1d(3))
        model.input_size = 16
    assert torch.equal(check_alike(model, "0.relu2"), check_alike(Small(), "relu2"))
    assert model[0].conv.weight.is_inference()


def test_a_lazy_network_keeps_its_first_batch_to_its_owner():
    model = Small()
    model.mid = nn.LazyConv2d(5, 3)
    for look in (
        lambda: tw.layers(model, (3, 16, 16)),
        lambda: tw.Probe(model, "relu"),
        lambda: tw.ablation(model, DATA, "relu", **QUIET),
    ):
        with pytest.raises(
            ValueError, match=r"mid.weight belongs to a lazy module, .* call model\(images\) once"
        ):
            look()
    assert isinstance(model.mid, nn.LazyConv2d)
    model(IMAGES)
    check_alike(model, "relu2")


class Checkpointed(Small):
    def __init__(self, reentrant: bool) -> None:
        super().__init__()
        self.reentrant = reentrant

    def features(self, x: Tensor) -> Tensor:
        return checkpoint(super().features, x, use_reentrant=self.reentrant)


class Normalized(Small):
    """Its local normalization is computed in a faster way, which a checkpoint that runs again does not take."""

    def features(self, x: Tensor) -> Tensor:
        return checkpoint(
            lambda x: super(Normalized, self).features(nn.functional.local_response_norm(x, 3)),
            x,
            use_reentrant=False,
        )


class Detached(Small):
    def features(self, x: Tensor) -> Tensor:
        return super().features(x).detach()


@pytest.mark.parametrize("layer", ["relu", "relu2"])
def test_a_checkpoint_that_runs_again_is_measured_and_told_that_it_has_no_gradient(layer):
    plain = check_alike(Small(), layer)
    assert torch.equal(check_alike(Checkpointed(False), layer), plain)
    model = Checkpointed(True).eval()
    assert torch.equal(tw.Probe(model, layer, device="cpu")(IMAGES), plain)
    for options in ({}, {"band": "auto"}, {"chunk": 1}):
        with pytest.raises(
            ValueError, match=f"no gradient .* layer '{layer}': .* use_reentrant=True; set that to False"
        ):
            visualize(model, layer, **options)


def test_a_checkpoint_that_computes_otherwise_is_told_of():
    with pytest.raises(
        ValueError, match=r"layer 'relu2' can't be computed: a checkpoint .*; turn checkpoints off"
    ):
        visualize(Normalized().eval(), "relu2")


@pytest.mark.parametrize("frozen", [False, True])
def test_a_checkpoint_leaves_images_as_they_are(frozen):
    images = [
        visualize(model.requires_grad_(not frozen), "relu2").image.values
        for model in (Small().eval(), Checkpointed(False).eval())
    ]
    np.testing.assert_array_equal(*images)


def test_values_that_are_detached_have_no_gradient():
    with pytest.raises(ValueError, match="layer 'relu2': before it the network detaches its values"):
        visualize(Detached().eval(), "relu2")
    assert visualize(Detached().eval(), "relu2", optimizer="cma").image.size


def test_a_network_with_the_older_weight_norm_can_be_copied():
    model = Small()
    torch.nn.utils.weight_norm(model.mid)
    model.cache = {"last": [model(IMAGES)]}
    with pytest.raises(RuntimeError):
        copy.deepcopy(model)
    twin = twin_of(model)
    assert torch.equal(twin(IMAGES), model(IMAGES))
    assert twin.mid.weight_g is not model.mid.weight_g
    assert torch.equal(twin.cache["last"][0], model.cache["last"][0])
    assert usable_on(model, torch.device("meta")).mid.weight_g.is_meta
    work = apart(tw.Probe(model, "relu2", device="cpu"))
    assert work.network.mid.weight_g is model.mid.weight_g
    assert work.network.mid is not model.mid
    torch.testing.assert_close(work(IMAGES), tw.Probe(Small().eval(), "relu2", device="cpu")(IMAGES))


def test_a_network_that_cannot_be_copied_is_told_what_to_do():
    model = Small()
    model.lock = __import__("threading").Lock()
    with pytest.raises(ValueError, match=r"can't be copied \(cannot pickle .*\); move it to meta yourself"):
        usable_on(model, torch.device("meta"))
    with pytest.raises(
        ValueError, match=r"can't be copied \(cannot pickle .*\); give its modules no attribute"
    ):
        apart(tw.Probe(model, "relu2", device="cpu"))


class WithLabels(Small):
    def forward(self, x: Tensor, labels: Tensor, *, mask: Tensor) -> Tensor:
        return super().forward(x)


class WithChoices(Small):
    def forward(
        self, pixel_values: Tensor, labels: Tensor | None = None, *more: Tensor, **named: Tensor
    ) -> Tensor:
        return super().forward(pixel_values)


class WithNothing(Small):
    def forward(self) -> None:
        return None


@pytest.mark.parametrize(
    ("kind", "has"),
    [(WithLabels, "needs 'labels' and 'mask' besides images"), (WithNothing, "takes no images")],
)
def test_a_forward_that_needs_more_than_images_is_told_so(kind, has):
    for look in (
        lambda model: tw.layers(model, (3, 16, 16)),
        lambda model: tw.Probe(model, "relu"),
        lambda model: tw.exemplars(model, DATA, "relu", **QUIET),
    ):
        with pytest.raises(
            TypeError, match=f"the model's forward {has}; give a module that takes images alone"
        ):
            look(kind())


def test_a_forward_that_takes_more_than_images_is_one_like_any_other():
    assert torch.equal(check_alike(WithChoices(), "relu"), check_alike(Small(), "relu"))


class Counting(Small):
    """Counts passes, images and the use of its classes, after everything else; remembers a number that is no count."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(4)
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))
        self.register_buffer("images", torch.zeros(1))
        self.register_buffer("used", torch.zeros(3, dtype=torch.int32))
        self.register_buffer("size", torch.tensor(5))
        self.register_buffer("seen", torch.tensor(False))

    def forward(self, x: Tensor) -> Tensor:
        scores = super().forward(x)
        self.calls += 1
        self.images = self.images + len(x)
        self.used.index_add_(0, scores.argmax(1), torch.ones(len(x), dtype=torch.int32))
        return scores


def test_counters_are_found_and_put_back():
    model = Counting().eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    calls = model.calls
    assert counters(model, IMAGES) == {"calls", "images", "used"}
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.calls is calls
    assert counters(Small().eval(), IMAGES) == frozenset()


def test_a_network_that_counts_keeps_its_fingerprint_until_a_weight_changes():
    model = Counting().eval()
    probe = tw.Probe(model, "relu", device="cpu")
    first = probe.provenance()["model_sha256"]
    model(IMAGES)
    assert probe.provenance()["model_sha256"] == first
    assert tw.Probe(model, "head", device="cpu").provenance()["model_sha256"] == first
    model.size += 1
    assert probe.provenance()["model_sha256"] != first
    # Of a network without counters it is what it always was.
    plain = Small().eval()
    assert tw.Probe(plain, "relu", device="cpu").provenance()["model_sha256"] == fingerprint(plain)


def test_a_study_of_a_network_that_counts_goes_on_where_it_stopped(tmp_path):
    model = Counting().eval()

    def study():
        return tw.analyze_units(
            model, DATA, "relu2", objectives=("am",), steps=2, store=tmp_path / "u.zarr", size=16, **QUIET
        )

    def images():
        return visualize(model, "relu2", store=tmp_path / "i.zarr")

    def vectors():
        probe = tw.Probe(model, "relu", device="cpu")
        return tw.sample_activations(probe, IMAGES, n=24, progress=False, store=tmp_path / "v.zarr")

    made = study()["relu2"].attrs["created"], images().attrs["created"], vectors().values
    calls = int(model.calls)
    assert study()["relu2"].attrs["created"] == made[0]
    assert images().attrs["created"] == made[1]
    np.testing.assert_array_equal(vectors().values, made[2])
    assert calls > 0
    with warnings.catch_warnings(), torch.no_grad():
        model.head.weight += 1
    with pytest.raises(ValueError, match="a model with other weights"):
        study()


@pytest.mark.parametrize("step", [torch.round, torch.floor, torch.ceil, torch.trunc, torch.sign])
def test_a_network_that_rounds_its_images_says_that_no_gradient_comes_through(step):
    class Rounding(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.filters = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.filters(step(255 * x) / 255).mean((2, 3))

    probe = tw.Probe(Rounding().eval(), "filters", device="cpu")
    with pytest.raises(
        ValueError, match=r"no gradient reaches the image from layer 'filters': .* rounds them"
    ):
        tw.visualize(probe, tw.AM([0]), size=16, steps=2, progress=False)
