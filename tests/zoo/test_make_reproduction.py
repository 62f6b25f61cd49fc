"""The records of a reproduction: a file a training seed, with its training told; a stopped run goes on."""

import json

import numpy as np
import pytest

import tunewidgets as tw
from tunewidgets.makers import reproduction as make_reproduction
from tunewidgets.records import settings_of
from tunewidgets.zoo import classifiers, train
from tunewidgets.zoo import registry as zoo_registry

QUICK = "mlp --data digits --seeds 2 --epochs 2 --images 40 --steps 4 --limit 128 --device cpu"


@pytest.fixture
def small(monkeypatch):
    """The paper's MLP with two layers and a few units in each."""
    monkeypatch.setattr(classifiers, "HIDDEN", (5, 6))


def test_every_seed_gives_a_record_that_tells_its_training(small, tmp_path, capsys):
    assert make_reproduction.main([*QUICK.split(), "--out", str(tmp_path)]) == 0
    files = [tmp_path / f"mlp-digits-{seed}.zarr.zip" for seed in (0, 1)]
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == [*map(str, files)]
    first, second = (tw.open_record(path) for path in files)
    for seed, tree in enumerate((first, second)):
        tw.records.validate(tree)
        assert {name: node.sizes["unit"] for name, node in tree.children.items()} == {"relu1": 5, "relu2": 6}
        log = (tmp_path / "runs" / f"mlp-digits-{seed}" / "log.jsonl").read_text().splitlines()
        for node in tree.children.values():
            record = node.to_dataset()
            assert {"selectivity", "rs", "rs_checkpoint", "accuracy_drop", "auc"} <= set(record)
            assert "image" not in record
            assert settings_of(record)["training"] == json.loads(log[-1])
            assert (record.attrs["seed"], record.attrs["n_images"]) == (seed, 40)
    assert first["relu1"].attrs["model_sha256"] != second["relu1"].attrs["model_sha256"]
    assert not np.array_equal(first["relu2"].class_mean, second["relu2"].class_mean)


def test_a_stopped_run_goes_on(small, tmp_path, monkeypatch, capsys):
    arguments = [*QUICK.split(), "--out", str(tmp_path)]
    load, loaded = zoo_registry.load, []

    def stopped(*given, **options):
        loaded.append(options)
        if len(loaded) == 2:
            raise KeyboardInterrupt
        return load(*given, **options)

    monkeypatch.setattr(zoo_registry, "load", stopped)
    assert make_reproduction.main(arguments) == 1
    assert "run the same command again to go on" in capsys.readouterr().err
    assert [path.name for path in tmp_path.glob("*.zarr.zip")] == ["mlp-digits-0.zarr.zip"]
    # Both are trained by now, and the first is analyzed: nothing of that is done again.
    monkeypatch.setattr(train, "_epoch", lambda *_: pytest.fail("trained again"))
    measured: list[tuple] = []
    monkeypatch.setattr("tunewidgets.kernels.single_units.units.stream", counted(measured))
    assert make_reproduction.main(arguments) == 0
    assert len(measured) == 1
    assert len(list(tmp_path.glob("*.zarr.zip"))) == 2


def counted(calls):
    from tunewidgets.kernels.single_units.units import stream

    def counting(*given):
        calls.append(given)
        return stream(*given)

    return counting


def test_other_settings_in_the_same_folder_are_refused(small, tmp_path, capsys):
    quick = [*QUICK.replace("--seeds 2", "--seeds 1").split(), "--out", str(tmp_path)]
    assert make_reproduction.main(quick) == 0
    assert make_reproduction.main([*quick, "--epochs", "3"]) == 1
    assert "holds a run with epochs=2, not 3" in capsys.readouterr().err
    assert make_reproduction.main([*quick, "--steps", "5"]) == 1
    assert "holds records made with steps=4, not 5" in capsys.readouterr().err


def test_one_seed_some_layers_and_no_ablation_can_be_asked_for(small, tmp_path):
    asked = QUICK.replace("--seeds 2", "--seeds 1 --first 3 --layers relu2 --no-ablation").split()
    assert make_reproduction.main([*asked, "--out", str(tmp_path)]) == 0
    assert [path.name for path in tmp_path.glob("*.zarr.zip")] == ["mlp-digits-3.zarr.zip"]
    tree = tw.open_record(tmp_path / "mlp-digits-3.zarr.zip")
    assert list(tree.children) == ["relu2"]
    assert "rs" in tree["relu2"]
    assert "accuracy_drop" not in tree["relu2"]


def test_no_seed_is_refused(tmp_path, capsys):
    assert make_reproduction.main(["mlp", "--seeds", "0", "--out", str(tmp_path)]) == 1
    assert "seeds is 0" in capsys.readouterr().err
    assert make_reproduction.main(["mlp", "--first", "-1", "--out", str(tmp_path)]) == 1
    assert "first is -1" in capsys.readouterr().err
