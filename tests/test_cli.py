"""The command line as a newcomer meets it: help, exit statuses, one-sentence errors, what `info` tells."""

import re
import subprocess
import sys

import pytest
import torch
from films import make_film
from PIL import Image

import tunewidgets as tw
from tunewidgets.cli.commands import main

ARGUMENTS = ["--layer", "relu", "--images", "dead-leaves"]


@pytest.fixture
def film_path(tmp_path):
    return tw.save_record(make_film(), tmp_path / "film.zarr")


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    """A module of the reader's own, in the folder the command is run in."""
    (tmp_path / "mymodels.py").write_text(
        "from torch import nn, rand\n"
        "def small():\n"
        "    return nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU())\n"
        "def no_model():\n"
        "    return 'a text'\n"
        "def my_images():\n"
        "    return rand(12, 3, 32, 32)\n"
        "def tiny():\n"
        "    layers = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)\n"
        "    return nn.Sequential(*layers).eval()\n"
        "def my_pairs():\n"
        "    return [(image, i % 2) for i, image in enumerate(rand(8, 3, 12, 12))]\n"
        "limit = 3\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    sys.modules.pop("mymodels", None)


@pytest.mark.parametrize("command", ["demo", "units", "tuning", "gabor", "view", "info", "layers", "check"])
def test_every_command_has_help(command, capsys):
    assert main([command, "--help"]) == 0
    told = capsys.readouterr().out
    assert f"usage: tunewidgets {command}" in told
    assert "--debug" in told


def test_without_a_command_the_help_is_shown(capsys):
    assert main([]) == 2
    assert "tunewidgets demo" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["dmeo"],
        ["info"],
        ["demo", "--port", "0"],
        ["tuning", "gabor_bank"],
        ["units", "shallow_cnn"],
        ["units", "shallow_cnn", "--data", "digits", "--out", "u.zarr", "--layers", "relu1,,relu2"],
        ["units", "shallow_cnn", "--data", "digits", "--out", "u.zarr", "--restarts", "0"],
        ["tuning", "gabor_bank", *ARGUMENTS, "--out", "film.zarr", "--components", "0"],
        ["tuning", "gabor_bank", *ARGUMENTS, "--out", "film.zarr", "--method", "tsne"],
    ],
)
def test_wrong_arguments_leave_with_2(arguments, capsys):
    assert main(arguments) == 2
    assert "error:" in capsys.readouterr().err


def complaint(arguments, capsys):
    """Exit status and the one line on the error stream."""
    status = main(arguments)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return status, lines[0]


def test_a_failure_is_one_sentence_and_leaves_with_1(capsys, tmp_path):
    status, line = complaint(["info", str(tmp_path / "none.zarr")], capsys)
    assert status == 1
    assert line.startswith("tunewidgets info: there is no record at ")


@pytest.mark.parametrize("place", [0, 2])
def test_debug_shows_where_it_failed(capsys, tmp_path, place):
    arguments = ["info", str(tmp_path / "none.zarr")]
    arguments.insert(place, "--debug")
    assert main(arguments) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_fault_of_ours_is_named_and_says_how_to_see_more(capsys, monkeypatch, film_path):
    def broken(path):
        raise KeyError("image")

    monkeypatch.setattr("tunewidgets.records.open_record", broken)
    status, line = complaint(["info", str(film_path)], capsys)
    assert (status, line) == (1, "tunewidgets info: KeyError: 'image' (--debug shows where)")


def test_an_interrupted_command_leaves_with_1_and_no_traceback(capsys, monkeypatch, film_path):
    def interrupted(path):
        raise KeyboardInterrupt

    monkeypatch.setattr("tunewidgets.records.open_record", interrupted)
    assert main(["info", str(film_path)]) == 1
    assert "Stopped" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("gabor_bnak", r"no network called 'gabor_bnak'.*gabor_bank.*module:function"),
        ("nowhere:model", "there is no module 'nowhere'"),
        ("mymodels:big", "mymodels has no function 'big'; it has .*small"),
        ("mymodels:limit", "mymodels has no function 'limit'"),
    ],
)
def test_a_model_that_is_not_there_is_a_wrong_argument(model, says, own_module, capsys):
    status, line = complaint(["tuning", model, *ARGUMENTS, "--out", "film.zarr"], capsys)
    assert status == 2
    assert re.search(says, line)


def test_info_tells_what_a_film_is_and_how_it_was_made(film_path, capsys):
    assert main(["info", str(film_path)]) == 0
    told = capsys.readouterr().out
    for fact in (
        "3 tuning dimensions, 8 points",
        "gabor_bank",
        "relu",
        "method",
        "ica",
        "4,000 activation vectors",
    ):
        assert fact in told
    assert "Dimensions (whole)" in told


def test_info_says_what_is_missing(tmp_path, capsys):
    path = tw.save_record(make_film(failed={1: "constant direction: it never turns"}), tmp_path / "film.zarr")
    assert main(["info", str(path)]) == 0
    told = capsys.readouterr().out
    assert "partial: 2 of 3 have images" in told
    assert "constant direction: it never turns" in told


@pytest.mark.parametrize("out", ["film", "film.zip", "film.nc"])
def test_an_unwritable_name_is_found_before_anything_is_computed(out, capsys):
    status, line = complaint(["tuning", "no_such_model", *ARGUMENTS, "--out", out], capsys)
    assert status == 2
    assert "end it in .zarr" in line


def test_an_earlier_record_is_not_overwritten(film_path, capsys):
    status, line = complaint(["tuning", "no_such_model", *ARGUMENTS, "--out", str(film_path)], capsys)
    assert status == 2
    assert "exists already" in line


@pytest.mark.parametrize("folder", ["no/such/folder"])
def test_a_folder_that_is_not_there_is_a_wrong_argument(folder, own_module, capsys):
    status, line = complaint(
        ["tuning", "mymodels:small", "--layer", "1", "--images", folder, "--out", "film.zarr"], capsys
    )
    assert status == 2
    assert f"there is no folder {folder}" in line


def test_an_unknown_layer_fails_with_the_near_names(own_module, capsys):
    status, line = complaint(
        [
            "tuning",
            "gabor_bank",
            "--layer",
            "rellu",
            "--images",
            "dead-leaves",
            "--n-images",
            "2",
            "--out",
            "f.zarr",
        ],
        capsys,
    )
    assert status == 1
    assert "relu" in line


def test_tuning_writes_a_film_of_the_readers_own_model_and_images(own_module):
    command = (
        "tuning mymodels:small --layer 1 --images mymodels:my_images --image-size 32 --samples 500 "
        "--method pca --components 2 --points 3 --steps 4 --out film.zarr.zip"
    )
    run = subprocess.run(
        [sys.executable, "-m", "tunewidgets", *command.split()],
        capture_output=True,
        text=True,
        cwd=own_module,
    )
    assert run.returncode == 0, run.stderr
    assert "film.zarr.zip" in run.stdout
    film = tw.open_record(own_module / "film.zarr.zip")
    assert dict(film.sizes) | {"dimension": 2, "point": 3, "unit": 8} == dict(film.sizes)
    assert (film.attrs["layer"], film.attrs["n_images"]) == ("1", 12)


TINY = ["units", "mymodels:tiny", "--image-size", "12", "--steps", "2", "--no-ablation"]


def test_units_writes_records_and_goes_on_where_it_stopped(own_module, capsys, monkeypatch):
    command = [*TINY, "--data", "mymodels:my_pairs", "--out", "u.zarr"]
    from tunewidgets.kernels.single_units import units

    real, made = units.UnitImages, []

    def stopped(observed, layer, *args, **kwargs):
        made.append(layer)
        if len(made) == 2:
            raise KeyboardInterrupt
        return real(observed, layer, *args, **kwargs)

    monkeypatch.setattr(units, "UnitImages", stopped)
    torch.manual_seed(0)
    assert main([*command, "--layers", "0,1"]) == 1
    assert "Stopped before it was done" in capsys.readouterr().err
    shown = tw.open_record("u.zarr")
    assert ["unfinished" in shown[layer].attrs for layer in ("0", "1")] == [False, True]
    torch.manual_seed(0)
    assert main([*command, "--layers", "0,1"]) == 0
    assert made == ["0", "1", "1"]
    assert "8 units of 0, 1; open it with" in capsys.readouterr().out
    tree = tw.open_record("u.zarr")
    assert {"rs", "selectivity", "exemplar", "image"} <= set(tree["1"].data_vars)
    assert tree["1"].attrs["n_images"] == 8
    torch.manual_seed(0)
    status, line = complaint([*command, "--layers", "0,1", "--seed", "1"], capsys)
    assert (status, "made with seed=0, not 1" in line) == (1, True)


def test_a_folder_of_class_folders_and_a_zoo_source_are_labeled_data(own_module, capsys):
    for i, name in enumerate(["a/1.png", "a/2.png", "b/3.png", "b/4.png"]):
        (own_module / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 16), (60 * i, 99, 255 - 60 * i)).save(own_module / "photos" / name)
    assert main([*TINY, "--layers", "1", "--data", "photos", "--objectives", "am", "--out", "f.zarr"]) == 0
    folder = tw.open_record("f.zarr")["1"]
    assert folder.cls.values.tolist() == ["a", "b"]
    assert folder.objective.values.tolist() == ["am"]
    digits = [*TINY, "--data", "digits", "--layers", "1", "--n-images", "120", "--objectives", "am"]
    assert main([*digits, "--out", "d.zarr.zip"]) == 0
    assert tw.open_record("d.zarr.zip")["1"].sizes["cls"] == 10


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"--data": "dead-leaves"}, "SOURCE: dead-leaves has no labels; give a folder with a sub-folder"),
        ({"--data": "mymodels:my_images"}, "SOURCE: mymodels:my_images has no labels"),
        ({"--out": "units.nc"}, "end it in .zarr for a folder"),
        ({"--objectives": "am,max"}, "there is no objective 'max'; give am, iam or both"),
        ({"--weights": "w.pt"}, "let mymodels:tiny load its own"),
    ],
)
def test_what_units_cannot_mean_is_a_wrong_argument(changed, says, own_module, capsys):
    options = {"--data": "mymodels:my_pairs", "--out": "u.zarr", **changed}
    status, line = complaint([*TINY, *[word for pair in options.items() for word in pair]], capsys)
    assert status == 2
    assert says in line


def test_weights_are_for_the_zoos_networks_and_must_be_there(own_module, capsys):
    rest = ["--data", "digits", "--out", "u.zarr"]
    status, line = complaint(["units", "mlp", "--weights", "none.pt", *rest], capsys)
    assert (status, "there are no weights at none.pt" in line) == (2, True)
    (own_module / "w.pt").write_text("")
    status, line = complaint(["units", "gabor_bank", "--weights", "w.pt", *rest], capsys)
    assert (status, "gabor_bank takes none" in line) == (2, True)


def test_gabor_prints_the_checklist_and_goes_on_with_more_seeds(tmp_path, capsys):
    out = str(tmp_path / "recovery.zarr")
    small = ["--n-images", "12", "--image-size", "48", "--samples", "500"]
    assert main(["gabor", "--out", out, *small]) == 0
    told = capsys.readouterr().out
    assert re.search(r"zero-mean bank, by activations, sweep, 1 bank seed\n +pca-3 +pca-6 +ica-3", told)
    assert re.search(r"\nphase +recovered +1.00", told)
    assert re.search(r"with mean bank, by activations, R² of loadings", told)
    assert re.search(r"\n +paper +\+ +\+ +\+ +\+ +- +- +- +-\n", told)
    assert main(["gabor", "--out", out, "--seeds", "2", *small]) == 0
    assert "2 bank seeds" in capsys.readouterr().out
    assert tw.open_record(out)["seed"].values.tolist() == [0, 1]
    assert complaint(["gabor", "--out", "recovery.csv"], capsys)[0] == 2


def test_layers_prints_the_table_and_downloads_nothing(own_module, capsys, monkeypatch):
    def no_download(*_, **__):
        raise AssertionError("weights make no difference to the table")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", no_download)
    for model, name, units in (
        ("resnet18", "layer4.1.relu_1", 512),
        ("gabor_bank", "relu", 28),
        ("mymodels:small", "1", 8),
    ):
        assert main(["layers", model, "--input-size", "64"]) == 0
        told = capsys.readouterr().out
        assert re.search(rf"^[* ] {re.escape(name)} +ReLU +{units} ", told, re.MULTILINE)
        assert "images of 64 × 64 px" in told
    assert main(["layers", "mymodels:small"]) == 0
    assert "8 × 220 × 220" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["resnet81"], "no network called 'resnet81'"),
        (["gabor_bank", "--weights", "none"], "gabor_bank takes none"),
        (["resnet18", "--weights", "nowhere"], "no weights called 'nowhere'"),
    ],
)
def test_layers_of_a_model_that_is_not_there_is_a_wrong_argument(arguments, says, capsys):
    status, line = complaint(["layers", *arguments], capsys)
    assert (status, says in line) == (2, True)


def test_a_size_that_the_model_does_not_take_fails(capsys):
    status, line = complaint(["layers", "mlp", "--input-size", "40"], capsys)
    assert (status, "does not take an image of shape (3, 40, 40)" in line) == (1, True)


def report_of(rows):
    from tunewidgets.kernels.device_check.report import DeviceReport

    return lambda device, progress: DeviceReport(device, "a machine", "the CPU in float32", rows)


def test_check_prints_its_table_and_verdict_and_leaves_with_1_where_something_is_wrong(capsys, monkeypatch):
    from tunewidgets.kernels.device_check.report import Row

    row = Row("parity", "activations", 1e-6, "1.0e-06", 1e-4)
    monkeypatch.setattr(tw, "check", report_of((row,)))
    assert main(["check", "--device", "cuda"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"\nparity +activations +1.0e-06 +1e-04\n", told)
    assert told.endswith("\n\ncuda computes what it should.\n")
    row = Row("parity", "activations", 1e-2, "1.0e-02", 1e-4)
    monkeypatch.setattr(tw, "check", report_of((row,)))
    assert main(["check", "--device", "cuda"]) == 1
    told = capsys.readouterr()
    assert re.search(r"\nparity +activations +1.0e-02 +1e-04 +FAILED\n", told.out)
    (line,) = told.err.splitlines()
    assert line.startswith(
        "tunewidgets check: Something is wrong with cuda (activations: 1.0e-02). Don't trust"
    )


def test_a_device_that_is_not_there_is_a_wrong_argument(capsys):
    for device in ("cuda:9", "abacus"):
        status, line = complaint(["check", "--device", device], capsys)
        assert status == 2
        assert line.startswith(f"tunewidgets check: --device: device '{device}' is ")
