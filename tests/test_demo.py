"""The demo: what it leaves in its folder, makes again or leaves alone, and how it is stopped."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from importlib.machinery import ModuleSpec

import numpy as np
import pytest
from films import make_film

import tunewidgets as tw
from tunewidgets.cli import demo
from tunewidgets.cli.commands import main
from tunewidgets.records import settings_of
from tunewidgets.zoo.examples import EXAMPLES

QUICK = demo.DemoRecipe(n_images=4, samples=400, components=2, points=3, size=32, steps=3)


@pytest.fixture
def served(monkeypatch):
    """What JupyterLab is asked, in place of a JupyterLab."""
    asked = []
    monkeypatch.setattr(demo, "_serve", lambda *arguments: asked.append(arguments))
    return asked


@pytest.fixture
def shipped(monkeypatch, tmp_path):
    """Notebooks and a record of units to lay out, whatever the real ones hold today."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    for name in (demo.TOUR, demo.NEXT, demo.UNITS):
        (folder / name).write_text(f"shipped {name}")
    monkeypatch.setattr(demo, "notebook", lambda name: folder / name)
    monkeypatch.setattr(demo, "units_record", lambda: folder / demo.UNITS)
    return folder


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_the_demo_makes_its_film_from_photographs_and_synthetic_scenes(served, shipped, tmp_path):
    folder = tmp_path / "made" / "here"
    demo.run_demo(folder, browser=False, port=None, recipe=QUICK)
    film = tw.open_record(folder / demo.RECORD)
    assert (film.sizes["dimension"], film.sizes["point"], film.sizes["y"]) == (2, 3, 32)
    assert film.attrs["n_images"] == 4
    assert np.ptp(film["image"].values) > 0
    for name in (demo.TOUR, demo.NEXT, demo.UNITS):
        assert (folder / name).read_text() == f"shipped {name}"
    assert served == [(folder, False, None)]


def test_a_second_run_opens_the_film_that_is_there(served, shipped, tmp_path, monkeypatch, capsys):
    demo.run_demo(tmp_path, recipe=QUICK)
    film = tw.open_record(tmp_path / demo.RECORD)
    tw.save_record(film.assign(label=("dimension", ["angle", ""])), tmp_path / demo.RECORD)
    monkeypatch.setattr(demo, "_compute_film", lambda *_: pytest.fail("the film was made again"))
    demo.run_demo(tmp_path, recipe=QUICK)
    assert list(tw.open_record(tmp_path / demo.RECORD)["label"].values) == ["angle", ""]
    assert "there already" in capsys.readouterr().out


def test_another_recipe_makes_another_film_and_keeps_the_earlier_one(served, shipped, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "_compute_film", lambda path, recipe: tw.save_record(make_film(), path))
    demo.run_demo(tmp_path, recipe=QUICK)
    demo.run_demo(tmp_path, recipe=replace(QUICK, seed=1))
    demo.run_demo(tmp_path, recipe=replace(QUICK, seed=2))
    assert {path.name for path in tmp_path.glob("*.zarr")} == {
        "gabor_film.zarr",
        "gabor_film-earlier-1.zarr",
        "gabor_film-earlier-2.zarr",
    }


def test_another_version_makes_the_film_again():
    assert QUICK.as_settings()["tunewidgets"] == tw.__version__


def test_a_damaged_film_is_set_aside_and_said_so(served, shipped, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "_compute_film", lambda path, recipe: tw.save_record(make_film(), path))
    (tmp_path / demo.RECORD).mkdir()
    demo.run_demo(tmp_path, recipe=QUICK)
    assert "not a tunewidgets record" in capsys.readouterr().out
    assert tw.open_record(tmp_path / demo.RECORD).sizes["dimension"] == 3


def test_a_notebook_that_was_edited_stays(served, shipped, tmp_path, capsys):
    mine = tmp_path / demo.NEXT
    mine.write_text("mine")
    demo.lay_out(shipped / demo.NEXT, mine)
    assert mine.read_text() == "mine"
    assert f"{demo.NEXT} is kept as you left it" in capsys.readouterr().out


def test_an_untouched_notebook_is_not_talked_about(shipped, tmp_path, capsys):
    demo.lay_out(shipped / demo.TOUR, tmp_path / demo.TOUR)
    demo.lay_out(shipped / demo.TOUR, tmp_path / demo.TOUR)
    assert capsys.readouterr().out == ""


def test_a_folder_of_the_readers_in_a_records_place_stays(shipped, tmp_path, capsys):
    mine = tmp_path / demo.UNITS
    mine.mkdir()
    demo.lay_out(shipped / demo.UNITS, mine)
    assert mine.is_dir()
    assert "kept as you left it" in capsys.readouterr().out


def test_what_lies_there_is_told(served, shipped, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "_compute_film", lambda path, recipe: tw.save_record(make_film(), path))
    demo.run_demo(tmp_path, recipe=QUICK)
    told = capsys.readouterr().out
    assert f"{demo.UNITS}, the units of a small network, is there too" in told
    assert demo.NEXT in told


@pytest.mark.parametrize("name", [demo.TOUR, demo.NEXT])
def test_the_notebooks_are_found(name):
    assert demo.notebook(name).name == name


def test_the_record_of_units_is_found_and_is_one():
    assert "relu1" in tw.open_record(demo.units_record()).children


def test_a_missing_notebook_is_named(tmp_path, monkeypatch, served, capsys):
    monkeypatch.setattr(demo, "NEXT", "03_gone.ipynb")
    assert main(["demo", "--folder", str(tmp_path / "new")]) == 1
    assert "03_gone.ipynb is missing" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_missing_record_of_units_is_named(tmp_path, monkeypatch, served, capsys):
    monkeypatch.setitem(EXAMPLES, "shallow_cnn", tmp_path / "gone.zarr.zip")
    assert main(["demo", "--folder", str(tmp_path / "new")]) == 1
    assert "gone.zarr.zip is missing" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_without_jupyterlab_one_sentence_says_how_to_get_it(monkeypatch, tmp_path, capsys):
    def no_jupyterlab(name: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(demo, "find_spec", no_jupyterlab)
    assert main(["demo", "--folder", str(tmp_path / "new")]) == 1
    assert "pip install 'tunewidgets[demo]'" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_taken_port_is_found_before_anything_is_computed(shipped, tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["demo", "--folder", str(tmp_path / "new"), "--port", str(port)]) == 1
    assert f"port {port} is taken" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_file_in_the_folders_place_is_named(served, shipped, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["demo", "--folder", str(tmp_path / "file")]) == 1
    assert "is a file" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send to one process")
@pytest.mark.parametrize(
    ("stop", "token"),
    [(signal.SIGINT, None), (signal.SIGTERM, "set-by-the-reader")],
    ids=["Ctrl-C", "terminated, own token"],
)
def test_jupyterlab_opens_in_the_folder_and_leaves_politely(tmp_path, stop, token):
    recipe = demo.DemoRecipe()
    film = make_film(recipe=recipe.as_settings())
    folder = tmp_path / "demo"
    tw.save_record(film, folder / demo.RECORD)
    assert settings_of(film)["recipe"] == recipe.as_settings()
    (folder / demo.TOUR).write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    port = free_port()
    home = {name: str(tmp_path / "home") for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    options = ["--no-browser", "--port", str(port), "--folder", str(folder)]
    log = tmp_path / "log"
    with log.open("w") as lines:
        process = subprocess.Popen(
            [sys.executable, "-m", "tunewidgets", "demo", *options],
            stdout=lines,
            stderr=subprocess.STDOUT,
            env={**os.environ, **home} | ({"JUPYTER_TOKEN": token} if token else {}),
        )
    try:
        # Said when the server is up, as a reader would learn it.
        address = re.compile(rf"http://127\.0\.0\.1:{port}/lab/tree/{demo.TOUR}\?token=(\S+)")
        wait_until(lambda: address.search(log.read_text()), process, log)
        query = f"token={token or address.search(log.read_text())[1]}"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/contents?{query}", timeout=60) as answer:
            served = answer.read().decode()
        process.send_signal(stop)
        assert process.wait(60) == 0, log.read_text()
    finally:
        process.kill()
    for name in (demo.TOUR, demo.NEXT, demo.RECORD, demo.UNITS):
        assert name in served
    assert "Traceback" not in log.read_text()
    assert f"What you made is in {folder}" in log.read_text()


def wait_until(reached, process, log):
    deadline = time.monotonic() + 90
    while not reached():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
