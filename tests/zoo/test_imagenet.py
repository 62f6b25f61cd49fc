"""ImageNet's photographs as sources: labels, names, the network's outputs, and what is said where they are not."""

import pytest
import torch
from PIL import Image
from torch import nn

import tunewidgets as tw
from tunewidgets.makers import imagenet as make_imagenet
from tunewidgets.records import settings_of

NAMES = {"n02": ("church", 497), "n01": ("tench", 0), "n03": ("French horn", 566)}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three classes of two photographs, and a sample of three, as the data folder has them."""
    rows = ["path,synset,ilsvrc_index,name,origin"]
    for number in range(2):
        for place, (synset, (name, index)) in enumerate(NAMES.items()):
            path = tmp_path / "imagenet-labelled" / synset / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            gray = 60 * place + 40
            Image.new(*(("L", (40, 32), gray) if number else ("RGB", (40, 32), (gray,) * 3))).save(path)
            rows.append(f"{synset}/{number}.jpg,{synset},{index},{name},val")
    (tmp_path / "imagenet-labelled" / "labels.csv").write_text("\n".join(rows) + "\n")
    for name in ("n02_goldfish", "n01_tench", "n03_great_white_shark"):
        (tmp_path / "imagenet-sample").mkdir(exist_ok=True)
        Image.new("RGB", (40, 48)).save(tmp_path / "imagenet-sample" / f"{name}.jpg")
    monkeypatch.setenv("TUNEWIDGETS_DATA", str(tmp_path))
    return tmp_path


def test_labeled_photographs_are_numbered_by_class_and_know_the_networks_outputs(folder):
    source = tw.zoo.images("imagenet-labelled", size=24)
    assert source.classes == ("tench", "church", "French horn")
    assert source.outputs == (0, 497, 566)
    assert len(source) == 6
    images, labels = next(source.labeled())
    assert labels.tolist() == [1, 0, 2, 1, 0, 2]
    assert images.shape == (6, 3, 24, 24)
    assert float(images[2].mean()) == pytest.approx(160 / 255, abs=0.02)
    fewer = tw.zoo.images(source, n=3)
    assert fewer.outputs == source.outputs
    assert source.describe() == "6 photographs of imagenet-labelled, 24 px"


def test_the_samples_order_is_the_classes(folder):
    source = tw.zoo.images("imagenet-sample", size=24)
    assert source.classes == ("tench", "goldfish", "great white shark")
    assert [source.pair(i)[1] for i in range(3)] == [0, 1, 2]


class Knows(nn.Module):
    """Six hundred classes, of which the brightness of the image decides one."""

    def __init__(self) -> None:
        super().__init__()
        self.unit = nn.Conv2d(3, 2, 1)
        nn.init.constant_(self.unit.weight, 1 / 3)
        nn.init.zeros_(self.unit.bias)

    def forward(self, x):
        bright = self.unit(x).mean((1, 2, 3))
        scores = torch.full((len(x), 600), -1e3)
        for index, brightness in ((497, 40), (0, 100), (566, 160)):  # church, tench, French horn
            scores[:, index] = -(bright - brightness / 255).abs()
        return scores


def test_importance_is_measured_against_the_networks_own_outputs(folder):
    source = tw.zoo.images("imagenet-labelled", size=24)
    record = tw.ablation(Knows().eval(), source, "unit", curves=False, progress=False)["unit"].to_dataset()
    assert settings_of(record)["accuracy"] == 1.0
    assert record.cls.values.tolist() == ["tench", "church", "French horn"]
    # Half the brightness: horns (80) are taken for tenches (100), tenches (50) for churches (40).
    assert record.class_accuracy_drop.values[0].tolist() == [1.0, 0.0, 1.0]
    assert float(record.accuracy_drop[0]) == pytest.approx(2 / 3)


def test_without_the_folder_it_says_where_they_are_looked_for(tmp_path, monkeypatch):
    monkeypatch.delenv("TUNEWIDGETS_DATA", raising=False)
    with pytest.raises(
        FileNotFoundError, match="set the environment variable TUNEWIDGETS_DATA to a folder with imag"
    ):
        tw.zoo.images("imagenet-sample")
    monkeypatch.setenv("TUNEWIDGETS_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"has no imagenet-labelled/labels.csv; put it there"):
        tw.zoo.images("imagenet-labelled")


def test_the_reproductions_records_hold_every_layer_and_no_image_and_go_on(
    folder, tmp_path, monkeypatch, capsys
):
    layers = {
        "features.1": make_imagenet.UnitsPlan(32, 6),
        "features.3.squeeze_activation": make_imagenet.UnitsPlan(40, 5),
    }
    monkeypatch.setattr(make_imagenet, "LAYERS", {"squeezenet1_0": (None, layers)})
    command = ["squeezenet1_0", "--steps", "2", "--device", "cpu", "--out", str(tmp_path / "out")]
    torch.manual_seed(0)
    assert make_imagenet.main(command) == 0
    tree = tw.open_record(tmp_path / "out" / "squeezenet1_0-imagenet.zarr.zip")
    assert list(tree.children) == [*layers]
    for layer, plan in layers.items():
        record = tree[layer].to_dataset()
        tw.records.validate(record)
        assert "image" not in record
        assert {"rs", "rs_checkpoint", "selectivity"} <= set(record)
        assert record.attrs["n_images"] == plan.photographs
        assert record.attrs["weights_from"] == "random"
        assert settings_of(record)["size"] == plan.side
    assert "squeezenet1_0-imagenet.zarr.zip" in capsys.readouterr().out
    # Other weights than the finished layers have are no way to go on.
    assert make_imagenet.main(command) == 1
    assert "other weights" in capsys.readouterr().err
