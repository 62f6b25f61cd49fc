"""What comes with the package: trained weights that need no network, and the record that they gave."""

import json
import os
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from safetensors import safe_open
from torch import nn
from units_networks import labeled_images

import tunewidgets as tw
from tunewidgets.makers import example as make_example
from tunewidgets.zoo import examples, registry, sources
from tunewidgets.zoo.cifar10 import Labeled, load_labeled
from tunewidgets.zoo.classifiers import SHIPPED
from tunewidgets.zoo.train import evaluate

WEIGHTS = SHIPPED / "shallow_cnn.safetensors"
LAYERS = {"relu1": 64, "relu2": 64, "relu3": 128, "relu4": 128, "relu5": 256}
FILMS = [name for name, recipe in make_example.RECIPES.items() if isinstance(recipe, make_example.FilmRecipe)]
REAL = os.environ.get("TUNEWIDGETS_DATA", "")


def logged():
    return [json.loads(line) for line in (SHIPPED / "shallow_cnn.log.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def record():
    return tw.zoo.example("shallow_cnn")


def test_the_shallow_network_comes_trained_and_small():
    trained, drawn = tw.zoo.load("shallow_cnn"), tw.zoo.load("shallow_cnn", weights=None)
    assert not torch.equal(trained.conv1.weight, drawn.conv1.weight)
    assert next(trained.parameters()).dtype == torch.float32
    assert torch.equal(trained.fc.weight, tw.zoo.load("shallow_cnn").fc.weight)
    assert WEIGHTS.stat().st_size <= 10**6
    with safe_open(WEIGHTS, "pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118


def test_other_classes_than_those_it_was_trained_on_get_random_weights():
    assert tw.zoo.load("shallow_cnn", classes=3).classifier.out_features == 3


def test_its_log_says_how_it_was_trained_to_83_percent():
    rows = logged()
    # One run, and a second one that started from its weights.
    for run in (list(run) for _, run in groupby(rows, key=lambda row: row.get("start"))):
        assert [row["epoch"] for row in run] == list(range(1, run[0]["epochs"] + 1))
    assert {row["network"] for row in rows} == {"shallow_cnn"}
    assert (rows[-1]["data"], rows[-1]["limit"]) == ("cifar10", None)
    assert rows[-1]["test_accuracy"] >= 0.83


@pytest.mark.skipif(
    not (Path(REAL) / "cifar10" / "index.csv").is_file(),
    reason="TUNEWIDGETS_DATA names no folder with CIFAR-10",
)
def test_it_names_83_percent_of_cifar10s_test_images():
    quarter = Labeled(*(values[::4] for values in load_labeled("cifar10", train=False)))
    accuracy = evaluate(tw.zoo.load("shallow_cnn"), quarter)
    # Of all 10,000 what the log says; of every fourth so many, up to rounding on another machine.
    assert accuracy == pytest.approx(2092 / 2500, abs=3 / 2500)
    assert logged()[-1]["test_accuracy"] == pytest.approx(0.838, abs=0.001)


def test_the_example_is_whole_and_belongs_to_the_shipped_weights(record):
    tw.records.validate(record)
    assert {layer: node.sizes["unit"] for layer, node in record.children.items()} == LAYERS
    mine = tw.Probe(tw.zoo.load("shallow_cnn"), "relu1", device="cpu").provenance()["model_sha256"]
    for layer, node in record.children.items():
        units = node.to_dataset()
        assert units.attrs["model_sha256"] == mine
        assert units.image.shape == (2, LAYERS[layer], 32, 32, 3)
        assert units.objective.values.tolist() == ["am", "iam"]
        assert units.cls.values.tolist()[:2] == ["airplane", "automobile"]
        rendered = units.rendered.values & ~units.silent.values
        assert rendered.mean() > 0.8
        assert ((units.rs.values >= 0) & (units.rs.values < 1))[rendered].all()
        assert ((units.selectivity >= 0) & (units.selectivity <= 1)).all()
        assert (units.cumulative_accuracy[:, 0] > units.cumulative_accuracy[:, -1]).all()


def test_the_examples_numbers_are_those_of_its_own_images(record):
    """The images were measured before they were rounded to 8 bits, which moves a response by a few percent at most."""
    network = tw.zoo.load("shallow_cnn")
    units = record["relu2"].to_dataset().sel(objective="am")
    images = torch.from_numpy(units.image.values).permute(0, 3, 1, 2).float() / 255
    response = tw.Probe(network, "relu2", device="cpu").rectified(images).mean((2, 3))
    own = response.diag().numpy()
    np.testing.assert_allclose(own, units.own_response, rtol=0.1, atol=0.02)
    assert np.median(np.abs(own / np.maximum(units.own_response, 1e-3) - 1)) < 0.02


def test_the_example_is_small_and_holds_no_photographs(record):
    assert examples.EXAMPLES["shallow_cnn"].stat().st_size <= 4 * 10**6
    for node in record.children.values():
        assert not [name for name in node.data_vars if "exemplar_image" in name or "spread_image" in name]
        assert int(node.exemplar.max()) < 10_000


@pytest.mark.parametrize("name", examples.ABOUT)
def test_an_example_is_a_record_without_photographs(name):
    found = tw.zoo.example(name)
    tw.records.validate(found)
    nodes = list(found.subtree) if isinstance(found, xr.DataTree) else [found]
    photographs = {"patch", "exemplar_image", "spread_image", "patch_image"}
    assert set().union(*(photographs & set(node.data_vars) for node in nodes)) == set()


def test_the_examples_are_listed_with_what_they_show_and_are_small():
    table = tw.zoo.example()
    assert table.columns.tolist() == ["name", "shows", "MB"]
    files = {path.name for path in SHIPPED.glob("*.zarr.zip")}
    assert files == {f"{name}.zarr.zip" for name in table["name"]}
    assert set(make_example.RECIPES) == set(table["name"])
    assert sum(examples.EXAMPLES[name].stat().st_size for name in FILMS) <= 6e6
    assert max(table["MB"]) <= 4


@pytest.mark.parametrize("name", FILMS)
def test_a_film_is_what_its_recipe_says(name):
    recipe, film = make_example.RECIPES[name], tw.zoo.example(name)
    assert film.attrs["layer"] == recipe.layer
    assert (film.sizes["dimension"], film.sizes["point"]) == (recipe.components, recipe.points)
    assert film.image.shape[2:] == (recipe.side, recipe.side, 3)
    assert (film.attrs["n_images"], film.attrs["picture_quality"]) == (1000, recipe.quality)
    assert not film.status.values.any()
    # Neither gray nor burnt out, and along a dimension something changes.
    assert (film.image.std(("y", "x")).mean("rgb") > 3).all()
    assert float(((film.image == 0) | (film.image == 255)).mean()) < 0.02
    first, last = film.image.isel(point=0).astype(int), film.image.isel(point=-1).astype(int)
    assert (abs(first - last).mean(("y", "x", "rgb")) > 5).all()


def test_the_examples_open_and_show_without_torch():
    program = (
        "import sys, tunewidgets as tw; tree = tw.zoo.example('shallow_cnn'); "
        "tw.TuningExplorer(tw.zoo.example('googlenet_4a')); tw.UnitScatter(tw.zoo.example('resnet20_units')); "
        "tw.RecoveryChecklist(tw.zoo.example('gabor_recovery')); "
        "print(len(tree.children), 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["5", "False"]


def test_an_unknown_example_is_said_with_near_names():
    with pytest.raises(ValueError, match=r"no example called 'shalow_cnn'; did you mean 'shallow_cnn'\?"):
        tw.zoo.example("shalow_cnn")


@pytest.fixture
def small(monkeypatch):
    """A small network and few images in place of the real ones."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 5), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    )
    network.eval().input_size = 16
    monkeypatch.setattr(registry, "load", lambda name: network)
    pairs, real = list(zip(*labeled_images(12), strict=True)), sources.images
    monkeypatch.setattr(sources, "images", lambda source, **options: real(pairs, **options))


def test_an_example_is_made_resumed_and_refused_when_too_large(small, tmp_path, monkeypatch, capsys):
    out, work = tmp_path / "out.zarr.zip", tmp_path / "work.zarr"
    sizes = ["--images", "12", "--steps", "4", "--restarts", "1"]
    arguments = ["shallow_cnn", *sizes, "--work", str(work), "--out", str(out)]
    assert make_example.main(arguments) == 0
    tree = tw.open_record(out)
    assert list(tree.children) == ["1"]
    assert {"rs", "selectivity", "accuracy_drop", "exemplar"} <= set(tree["1"].data_vars)
    out.unlink()
    monkeypatch.setattr("tunewidgets.kernels.single_units.units._streamed", None)  # nothing is measured again
    assert make_example.main(arguments) == 0
    monkeypatch.setattr(make_example, "LARGEST", 1000)
    assert make_example.main(arguments) == 1
    assert "more than 0; leave something out" in capsys.readouterr().err
    assert not out.exists()
