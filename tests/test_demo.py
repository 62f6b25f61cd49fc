"""The demo: what it leaves in its folder or leaves alone, what its story shows at once, and how it is stopped."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.machinery import ModuleSpec
from types import SimpleNamespace

import nbformat
import pytest
from films import make_film
from nbformat.sign import NotebookNotary

import tunewidgets as tw
from tunewidgets.cli import demo, first_look
from tunewidgets.cli.commands import main

STORY = demo.STORY


@pytest.fixture
def served(monkeypatch):
    """What JupyterLab is asked, in place of a JupyterLab."""
    asked = []

    def server(*arguments):
        return SimpleNamespace(start=lambda: asked.append(arguments))

    monkeypatch.setattr(demo, "_server", server)
    return asked


@pytest.fixture
def at_home(monkeypatch, tmp_path):
    """Jupyter's own files in a folder of this test."""
    for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return tmp_path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_the_demo_lays_out_its_story_and_the_course(served, at_home, tmp_path, capsys):
    folder = tmp_path / "made" / "here"
    demo.run_demo(folder, browser=False, port=None)
    assert {file.name for file in folder.iterdir()} == {STORY, *demo.COURSE}
    assert served == [(folder, False, None)]
    told = capsys.readouterr().out
    assert f"Opening {folder / STORY}" in told
    assert demo.COURSE[0] in told


def test_what_the_story_shows_is_in_it_before_it_is_run_and_jupyterlab_may_show_it(served, at_home, tmp_path):
    demo.run_demo(tmp_path)
    notebook = nbformat.read(tmp_path / STORY, as_version=4)
    nbformat.validate(notebook)
    assert NotebookNotary().check_signature(notebook)
    state = notebook.metadata.widgets[first_look.WIDGETS]["state"]
    shown = [output.data for cell in notebook.cells for output in cell.get("outputs", [])]
    models = [state[data["application/vnd.jupyter.widget-view+json"]["model_id"]] for data in shown]
    assert [model["state"]["_anywidget_id"].rpartition(".")[2] for model in models] == [
        "TuningExplorer",
        "UnitScatter",
        "RecoveryChecklist",
    ]
    assert models[0]["state"]["playing"] is True
    # Without JavaScript there is a picture.
    assert all(data["image/png"] for data in shown)
    assert (tmp_path / STORY).stat().st_size <= 8e6
    # The cells that compute wait for the reader; the others are folded.
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    yours = [first_look.YOURS in cell.metadata.get("tags", []) for cell in code]
    assert yours == sorted(yours)
    for cell, own in zip(code, yours, strict=True):
        assert bool(cell.outputs) != own
        assert cell.metadata.get("jupyter", {}).get("source_hidden", False) != own


def test_telling_the_story_needs_no_torch(at_home, tmp_path):
    program = (
        "import sys; from pathlib import Path; from tunewidgets.cli import demo, first_look; "
        f"first_look.write_story(demo.notebook(demo.STORY), Path({str(tmp_path / STORY)!r})); "
        "print('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False"]


def test_a_story_that_cannot_be_written_is_said_and_nothing_is_opened(
    served, at_home, tmp_path, monkeypatch, capsys
):
    broken = tmp_path / STORY
    cells = [nbformat.v4.new_code_cell("import tunewidgets as tw\ntw.TuningExplorer('gone.zarr')")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), broken)
    found = demo.notebook
    monkeypatch.setattr(demo, "notebook", lambda name: broken if name == STORY else found(name))
    assert main(["demo", "--folder", str(tmp_path / "new")]) == 1
    assert "gone.zarr" in capsys.readouterr().err
    assert not (tmp_path / "new" / STORY).exists()
    assert served == []


def test_a_second_run_opens_what_the_reader_left(served, at_home, tmp_path, capsys):
    (tmp_path / STORY).write_text("mine")
    demo.run_demo(tmp_path)
    assert (tmp_path / STORY).read_text() == "mine"
    assert f"{STORY} is there already" in capsys.readouterr().out


def test_the_story_as_a_page(tmp_path, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(demo.webbrowser, "open", lambda address: opened.append(address) or True)
    folder = tmp_path / "new"
    assert main(["demo", "--page", "--folder", str(folder)]) == 0
    page = folder / demo.PAGE
    assert opened == [page.as_uri()]
    text = page.read_text(encoding="utf-8")
    for code in ("tuning-explorer", "unit-scatter", "recovery-checklist"):
        assert f'"code":"{code}"' in text
    assert "What turns into what?" in text
    assert "Your turn" not in text
    assert page.stat().st_size <= 4e6
    assert main(["demo", "--page", "--no-browser", "--folder", str(folder)]) == 0
    assert len(opened) == 1
    assert "Open it in a browser" in capsys.readouterr().out


def test_a_page_in_no_folder_is_a_sentence(tmp_path, capsys):
    assert main(["demo", "--html", str(tmp_path / "no" / "page.html")]) == 1
    assert "there is no folder" in capsys.readouterr().err


def test_a_cell_shows_the_value_of_its_last_line():
    names = {}
    assert first_look.last_value("a = 2\na + 1", names) == 3
    assert first_look.last_value("a", names) == 2


@pytest.fixture
def small_story(tmp_path):
    """A story of two records that are made quickly."""
    tw.save_record(make_film(2, 3, 16), tmp_path / "film.zarr")
    cells = [
        nbformat.v4.new_markdown_cell("# A story"),
        nbformat.v4.new_code_cell(
            f"import tunewidgets as tw\nfilm = {str(tmp_path / 'film.zarr')!r}\ntw.TuningExplorer(film)"
        ),
        nbformat.v4.new_code_cell("1 / 0", metadata={"tags": [first_look.YOURS]}),
        nbformat.v4.new_markdown_cell("after"),
    ]
    path = tmp_path / "story.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_the_readers_cells_are_not_run(small_story, at_home, tmp_path):
    first, second = first_look.story_parts(small_story)
    assert first == "# A story"
    assert isinstance(second, tw.TuningExplorer)
    first_look.write_story(small_story, tmp_path / "copy.ipynb")
    cells = json.loads((tmp_path / "copy.ipynb").read_text())["cells"]
    assert [len(cell.get("outputs", [])) for cell in cells] == [0, 1, 0, 0]
    assert "".join(cells[2]["source"]) == "1 / 0"


def test_a_notebook_that_was_edited_stays_and_an_untouched_one_is_not_talked_about(tmp_path, capsys):
    first, *_ = demo.COURSE
    source, copy = demo.notebook(first), tmp_path / first
    demo.lay_out(source, copy)
    demo.lay_out(source, copy)
    assert capsys.readouterr().out == ""
    copy.write_text("mine")
    demo.lay_out(source, copy)
    assert copy.read_text() == "mine"
    assert f"{first} is kept as you left it" in capsys.readouterr().out


def test_a_folder_of_the_readers_in_a_notebooks_place_stays(tmp_path, capsys):
    first, *_ = demo.COURSE
    (tmp_path / first).mkdir()
    demo.lay_out(demo.notebook(first), tmp_path / first)
    assert (tmp_path / first).is_dir()
    assert "kept as you left it" in capsys.readouterr().out


@pytest.mark.parametrize("name", [demo.STORY, *demo.COURSE])
def test_the_notebooks_are_found(name):
    assert demo.notebook(name).name == name


def test_a_missing_notebook_is_named(tmp_path, monkeypatch, served, capsys):
    monkeypatch.setattr(demo, "COURSE", ("03_gone.ipynb",))
    assert main(["demo", "--folder", str(tmp_path / "new")]) == 1
    assert "03_gone.ipynb is missing" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_without_jupyterlab_one_sentence_says_how_to_get_it(monkeypatch, tmp_path, capsys):
    def no_jupyterlab(name: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(demo, "find_spec", no_jupyterlab)
    assert main(["demo", "--folder", str(tmp_path / "new")]) == 1
    assert "pip install 'tunewidgets[demo]'" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_taken_port_is_found_before_anything_is_laid_out(tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["demo", "--folder", str(tmp_path / "new"), "--port", str(port)]) == 1
    assert f"port {port} is taken" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_file_in_the_folders_place_is_named(served, tmp_path, capsys):
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
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / STORY).write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
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
        address = re.compile(rf"http://127\.0\.0\.1:{port}/lab/tree/{STORY}\?token=(\S+)")
        wait_until(lambda: address.search(log.read_text()), process, log)
        query = f"token={token or address.search(log.read_text())[1]}"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/contents?{query}", timeout=60) as answer:
            served = answer.read().decode()
        news = f"http://127.0.0.1:{port}/lab/api/settings/@jupyterlab/apputils-extension:notification?{query}"
        with urllib.request.urlopen(news, timeout=60) as answer:
            asks = json.load(answer)["schema"]["properties"]["fetchNews"]["default"]
        process.send_signal(stop)
        assert process.wait(60) == 0, log.read_text()
    finally:
        process.kill()
    for name in (STORY, *demo.COURSE):
        assert name in served
    assert asks == "false"
    assert "Traceback" not in log.read_text()
    assert f"What you made is in {folder}" in log.read_text()


def wait_until(reached, process, log):
    deadline = time.monotonic() + 90
    while not reached():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
