"""Weights: what is read, what is refused and how, and a download that is kept, checked and explained."""

import pickle
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import tunewidgets as tw
from tunewidgets.zoo.weights import download, read_weights


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """PyTorch's folder for downloads, empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


@pytest.fixture
def offline(cache, monkeypatch):
    def refuse(*_, **__):
        raise URLError("no route to host")

    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    return cache


def small() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2))


@pytest.mark.parametrize("held", ["state_dict", "model", None])
def test_checkpoints_of_every_usual_kind_are_read(held, tmp_path):
    state = small().state_dict()
    parallel = {
        f"module.{key}": value.half() if value.is_floating_point() else value for key, value in state.items()
    }
    torch.save(parallel if held is None else {held: parallel, "epoch": 3}, tmp_path / "w.pth")
    read = read_weights(tmp_path / "w.pth")
    assert list(read) == list(state)
    torch.testing.assert_close(read["0.weight"], state["0.weight"], rtol=1e-3, atol=1e-3)
    assert read["0.weight"].dtype == torch.float32


class Evil:
    def __reduce__(self):
        return (print, ("code of a stranger",))


def test_a_pickle_that_could_run_code_is_refused_and_not_run(tmp_path, capsys):
    (tmp_path / "w.pt").write_bytes(pickle.dumps({"weight": Evil()}))
    with pytest.raises(
        ValueError, match="is not read, as it could run any code; save the model's state_dict"
    ):
        read_weights(tmp_path / "w.pt")
    assert "stranger" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("w.safetensors", b"<html>", "no whole safetensors file .*; fetch it again"),
        ("w.pt", b"", "is no PyTorch checkpoint"),
    ],
)
def test_a_broken_file_is_one_sentence(name, content, sentence, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=sentence):
        read_weights(tmp_path / name)


def test_what_is_no_state_dict_is_one_sentence(tmp_path):
    torch.save([torch.zeros(2)], tmp_path / "w.pt")
    with pytest.raises(ValueError, match="holds no tensors by name; give a model's state_dict"):
        read_weights(tmp_path / "w.pt")


def test_weights_that_do_not_fit_are_refused_with_the_keys_that_differ():
    state = tw.zoo.load("cifar_resnet20", weights=None).state_dict()
    state["conv1.weight"] = torch.zeros(16, 1, 3, 3)
    del state["linear.bias"], state["bn1.num_batches_tracked"]
    state["fc.weight"] = torch.zeros(1)
    with pytest.raises(ValueError, match="the weights of cifar_resnet20") as caught:
        tw.zoo.load("cifar_resnet20", weights=state)
    said = str(caught.value)
    assert "without linear.bias" in said
    assert "besides fc.weight" in said
    assert "conv1.weight is (16, 1, 3, 3) there and (16, 3, 3, 3) here" in said
    assert "num_batches_tracked" not in said


def test_a_long_list_of_differing_keys_is_counted():
    with pytest.raises(ValueError, match=r"without .*bn1.weight, .* and \d+ more"):
        tw.zoo.load(
            "cifar_resnet20", weights={"linear.weight": torch.zeros(10, 64), "linear.bias": torch.zeros(10)}
        )


def test_weights_of_another_kind_are_one_sentence():
    with pytest.raises(TypeError, match="weights of googlenet_bvlc is an int; give a name, a path"):
        tw.zoo.load("googlenet_bvlc", weights=3)


def test_a_network_says_where_its_weights_are_from(tmp_path):
    network = tw.zoo.load("cifar_resnet20", weights=None)
    assert network.weights_from == "random"
    save_file(network.state_dict(), tmp_path / "mine.safetensors")
    again = tw.zoo.load("cifar_resnet20", weights=tmp_path / "mine.safetensors")
    assert again.weights_from == "mine.safetensors"
    assert torch.equal(again.conv1.weight, network.conv1.weight)
    assert tw.zoo.load("cifar_resnet20", weights=network.state_dict()).weights_from == "a state dict"
    images = torch.rand(4, 3, 32, 32)
    data = [(images, torch.arange(4) % 2)]
    record = tw.class_selectivity(again, data, "relu", progress=False)["relu"].to_dataset()
    assert record.attrs["weights_from"] == "mine.safetensors"
    assert tw.Probe(network, "relu").provenance()["weights_from"] == "random"


def test_part_of_the_weights_is_refused_unless_that_part_is_asked_for():
    whole = tw.zoo.load("squeezenet1_1", weights=None)
    state = {key: value for key, value in whole.state_dict().items() if key.startswith("features")}
    with pytest.raises(
        ValueError, match=r"without classifier.1.weight.* part='features' to have that part alone"
    ):
        tw.zoo.load("squeezenet1_1", weights=state)
    part = tw.zoo.load("squeezenet1_1", weights=state, part="features")
    images = torch.rand(1, 3, 64, 64)
    layer = "features.3.expand3x3_activation"
    probes = [tw.Probe(model, layer, device="cpu") for model in (part, whole.eval())]
    assert torch.equal(probes[0](images), probes[1](images))
    assert tw.layers(part, (3, 64, 64)).name.iloc[-1] == "features"
    with pytest.raises(ValueError, match="only 'features', which images enter, works by itself"):
        tw.zoo.load("squeezenet1_1", weights=None, part="classifier")


def test_what_lies_in_the_data_folder_is_found_there_and_missed_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.delenv("TUNEWIDGETS_DATA", raising=False)
    with pytest.raises(
        FileNotFoundError, match="set the environment variable TUNEWIDGETS_DATA to a folder with"
    ):
        tw.zoo.load("cifar_resnet32")
    monkeypatch.setenv("TUNEWIDGETS_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"has no models/cifar10-resnet32.safetensors; put it there"):
        tw.zoo.load("cifar_resnet32")
    (tmp_path / "models").mkdir()
    network = tw.zoo.load("cifar_resnet32", weights=None)
    save_file(network.state_dict(), tmp_path / "models" / "cifar10-resnet32.safetensors")
    assert torch.equal(tw.zoo.load("cifar_resnet32").conv1.weight, network.conv1.weight)


def test_a_download_is_kept_and_held_to_its_checksum(cache, tmp_path):
    source = tmp_path / "there.pth"
    source.write_bytes(b"weights")
    path = download(source.as_uri(), "a network", progress=False)
    assert path == cache / "there.pth"
    assert path.read_bytes() == b"weights"
    source.unlink()
    assert download(source.as_uri(), "a network", progress=False) == path
    path.write_bytes(b"other weights")
    with pytest.raises(
        ValueError, match=r"has another checksum than it should .*; remove it to have it fetched again"
    ):
        download(source.as_uri(), "a network", progress=False)


def test_a_download_that_fails_leaves_nothing_and_says_what_to_do(cache, tmp_path):
    with pytest.raises(
        ConnectionError, match=r"a network could not be downloaded from file:.*; try again with a net"
    ):
        download((tmp_path / "nowhere.pth").as_uri(), "a network", progress=False)
    assert not [*cache.iterdir()]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("squeezenet1_0", "give weights='deepcompression' or PATH, or weights=None for random ones"),
        ("inceptionv1", "the trained weights of inceptionv1 could not be downloaded .*no route to host"),
    ],
)
def test_trained_networks_offline_are_one_sentence(name, sentence, offline):
    with pytest.raises(ConnectionError, match=sentence):
        tw.zoo.load(name)


def test_inceptionv1_takes_what_torch_lucent_names(cache, tmp_path, monkeypatch):
    original = tw.zoo.load("inceptionv1", weights=None)
    torch.save(original.state_dict(), tmp_path / "inception5h.pth")
    from lucent.modelzoo.inceptionv1.InceptionV1 import model_urls

    monkeypatch.setitem(model_urls, "inceptionv1", (tmp_path / "inception5h.pth").as_uri())
    network = tw.zoo.load("inceptionv1", progress=False)
    assert network.weights_from == "inception5h of torch-lucent"
    assert torch.equal(network.conv2d0_pre_relu_conv.weight, original.conv2d0_pre_relu_conv.weight)
    assert (cache / "inception5h.pth").is_file()


def test_torchvisions_weights_come_from_its_cache_under_their_own_name(offline):
    original = tw.zoo.load("squeezenet1_1", weights=None)
    offline.mkdir(parents=True)
    torch.save(original.state_dict(), offline / "squeezenet1_1-b8a52dc0.pth")
    network = tw.zoo.load("squeezenet1_1", weights="IMAGENET1K_V1")
    assert network.weights_from == "IMAGENET1K_V1 of torchvision"
    assert torch.equal(network.classifier[1].weight, original.classifier[1].weight)


def test_a_name_that_no_weights_have_lists_those_that_there_are():
    with pytest.raises(ValueError, match="'IMAGENET1K_V1', 'IMAGENET1K_V2', files, and None"):
        tw.zoo.load("resnet50", weights="imagenet")
