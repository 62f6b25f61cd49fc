"""The reproduction notebook: committed as it ran, and honest about how many trained networks it rests on."""

import json
import os
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from scipy.stats import spearmanr, t
from unit_records import make_units

from tunewidgets.records import layer_tree, save_record, settings_of

ROOT = Path(__file__).parents[1]
SHALLOW = {"relu1": 20, "relu2": 20, "relu3": 30, "relu4": 30, "relu5": 40}
VGG16 = dict.fromkeys([f"features.{at}" for at in (1, 3, 6, 8, 11, 13, 15, 18, 20, 22, 25)], 12)
TRAINED = {"training": {"seed": 3, "epochs": 4, "test_accuracy": 0.75}}
MEASURED = {"images": "40 test images", "restarts": 1, **TRAINED}


def read(name="reproduction"):
    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)


def network(layers, seed):
    """A made-up network's records, as `make_reproduction` leaves them."""
    records = {}
    for at, (layer, units) in enumerate(layers.items()):
        record = make_units(units, 8, layer=layer, seed=20 * seed + at).drop_vars("image")
        curves = np.tile(np.linspace(0.75, 0.1, 4, dtype=np.float32), (3, 1))
        record = record.assign_coords(
            checkpoint=[64, 128],
            order=np.array(["most selective first", "least selective first", "random"], dtype=object),
            step=[0, 4, 8, 12],
        ).assign(
            rs_checkpoint=record["rs"].expand_dims({"checkpoint": 2}, axis=2),
            **{f"cumulative_{name}": (("order", "step"), curves) for name in ("accuracy", "low", "high")},
        )
        settings = json.dumps({**settings_of(record), **MEASURED})
        records[layer] = record.assign_attrs(settings=settings)
    return layer_tree(records)


def run(folder, monkeypatch, name="reproduction"):
    """What every cell said, by its name, run where the records in `folder` are."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    notebook = read(name)
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return {
        cell.id: "".join(
            output.get("text", "") + output.get("data", {}).get("text/html", "")
            + output.get("data", {}).get("text/plain", "") for output in cell.outputs
        )
        for cell in notebook.cells
        if cell.cell_type == "code"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["reproduction", "reproduction_imagenet"])
def test_is_committed_as_it_ran_from_top_to_bottom(name):
    code = [cell for cell in read(name).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [o for cell in code for o in cell.outputs if o.output_type == "error"]
    assert len({cell.id for cell in code if cell.outputs}) >= len(code) - 2
    assert not re.search(r"/(work|home|root|tmp)/", json.dumps([cell.outputs for cell in code]))


def test_one_network_is_called_one_and_has_no_interval_over_seeds(tmp_path, monkeypatch):
    said = run(tmp_path, monkeypatch)
    assert "Training seeds of the shallow CNN used below: 1 (the shipped one)" in said["records"]
    assert "over the units of one network" in said["findings"]
    assert "training seeds)" not in said["findings"]
    # A mean over the units of one network is one number.
    assert "no interval" in said["findings"]
    assert "claim 7 is not examined" in said["claim-7-table"]
    assert "claim 8 is not examined" in said["claim-8-table"]
    assert "83.8%" in said["records"]  # what its log says of all test images


def test_several_seeds_have_students_interval_over_seeds(tmp_path, monkeypatch):
    trees = [network(SHALLOW, seed) for seed in range(3)]
    for seed, tree in enumerate(trees):
        save_record(tree, tmp_path / "reproduction" / f"shallow_cnn-cifar10-{seed}.zarr.zip")
    save_record(network(dict(list(SHALLOW.items())[:4]), 5), tmp_path / "reproduction/mlp-cifar10-0.zarr.zip")
    save_record(network(VGG16, 6), tmp_path / "reproduction/vgg16_cifar10-cifar10-0.zarr.zip")
    # Networks trained on other data are not mixed in.
    save_record(trees[0], tmp_path / "reproduction" / "shallow_cnn-digits-0.zarr.zip")
    said = run(tmp_path, monkeypatch)
    assert "Training seeds of the shallow CNN used below: 3\n" in said["records"]
    assert said["records"].count("75.0%") == 2 * 5  # as HTML and as text: three seeds, an MLP and a VGG16
    assert "over 3 training seeds" in said["findings"]
    for layer in ("relu1", "relu4"):
        found = [
            spearmanr(tree[layer].selectivity, tree[layer].rs.sel(objective="iam")).statistic
            for tree in trees
        ]
        half = t.ppf(0.975, 2) * np.std(found, ddof=1) / np.sqrt(3)
        mean = np.mean(found)
        assert f"{mean:+.2f}  ({mean - half:+.2f} to {mean + half:+.2f})" in said["claim-5-table"]
    assert "features.25" in said["claim-7-table"]
    assert "relu4" in said["claim-8-table"]
    assert "7. VGG16: RS varies less" in said["findings"]
    assert "8. MLP: RS varies less" in said["findings"]
    assert "1 network" in said["findings"]


def test_networks_on_imagenet_are_read_layer_by_layer_and_missing_ones_named(tmp_path, monkeypatch):
    tree = network({"relu_conv1": 24, "relu_conv2": 24, "relu_inception_3a_5x5": 30}, 7)
    save_record(tree, tmp_path / "reproduction" / "googlenet_bvlc-imagenet.zarr.zip")
    said = run(tmp_path, monkeypatch, "reproduction_imagenet")
    assert "There is no record of SqueezeNet 1.0 here" in said["records"] + said["panels-squeezenet"]
    for layer in ("relu_conv1", "relu_inception_3a_5x5"):
        rho = spearmanr(tree[layer].selectivity, tree[layer].rs.sel(objective="iam")).statistic
        assert f"{rho:+.2f}" in said["correlations"]
        assert layer in said["gain"]
    assert "ρ with depth" in said["trend"]
