"""Hosts other than JupyterLab: Notebook 7, Voilà and marimo, each with a click that Python hears of."""

import os
import re
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.lab import ROOT, Server, free_port, serving
from playwright.sync_api import Browser, Page, expect

pytest.importorskip("marimo", reason="marimo is not installed: run with the group test")
CELL = "import tunewidgets as tw\nfrom unit_records import make_tree\nscatter = tw.UnitScatter(make_tree())\nscatter"
APP_CELLS = (
    "import ipywidgets\nimport tunewidgets as tw\nfrom films import make_film\n"
    "from recovery_records import make_recovery\nfrom unit_records import make_tree\n"
    "scatter, said = tw.UnitScatter(make_tree()), ipywidgets.Label()\n"
    "scatter.on_unit(lambda unit: setattr(said, 'value', f'opened: {unit}'))\nscatter",
    "said",
    "tw.TuningExplorer(make_film(3, 8, 32))",
    "tw.RecoveryChecklist(make_recovery(seeds=(0,), methods=('pca', 'ica'), films=True))",
)
APP = """
import marimo

app = marimo.App(width="full")


@app.cell
def _():
    import marimo as mo
    import tunewidgets as tw
    from films import make_film
    from recovery_records import make_recovery
    from unit_records import make_tree
    return make_film, make_recovery, make_tree, mo, tw


@app.cell
def _(make_tree, mo, tw):
    scatter = mo.ui.anywidget(tw.UnitScatter(make_tree()))
    scatter
    return (scatter,)


@app.cell
def _(mo, scatter):
    mo.md(f"opened: {scatter.value['unit']}")
    return


@app.cell
def _(make_film, mo, tw):
    mo.ui.anywidget(tw.TuningExplorer(make_film(3, 8, 32)))
    return


@app.cell
def _(make_recovery, mo, tw):
    mo.ui.anywidget(tw.RecoveryChecklist(make_recovery(seeds=(0,), methods=("pca", "ica"), films=True)))
    return
"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    yield context.new_page()
    context.close()


def open_next_unit(page: Page) -> int:
    """With the keyboard; the number of the unit that the page says is open."""
    plot = page.locator(".tw-scatter").get_by_role("application")
    heading = page.locator(".tws-unit h4")
    # One is open at first.
    first = heading.inner_text()
    plot.focus()
    plot.press("ArrowRight")
    plot.press("Enter")
    expect(heading).not_to_have_text(first)
    return int(re.search(r"\d+", heading.inner_text()).group())


def test_marimo_shows_every_widget_and_its_cells_follow_a_click(page: Page, tmp_path: Path, artifacts: Path):
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    port = free_port()
    command = [
        *(sys.executable, "-m", "marimo", "--quiet", "run", "app.py", "--headless", "--no-token"),
        *("--host", "127.0.0.1", "--port", str(port)),
    ]
    env = os.environ | {
        "HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
    }
    with serving(command, f"http://127.0.0.1:{port}/health", tmp_path / "marimo.log", tmp_path, env):
        page.goto(f"http://127.0.0.1:{port}")
        expect(page.locator(".tw-scatter canvas.tws-large")).to_be_visible(timeout=60_000)
        expect(page.locator(".tw-explorer .twe-count")).to_have_text("4 / 8")
        expect(page.locator(".twr-cell").first).to_be_visible()
        unit = open_next_unit(page)
        expect(page.get_by_text(f"opened: {unit}")).to_be_visible()
        page.screenshot(path=artifacts / "marimo.png")


def test_notebook_7_shows_a_widget_and_hears_of_a_click(page: Page, tmp_path: Path, artifacts: Path):
    pytest.importorskip("notebook", reason="Notebook 7 is not installed: run with the group test")
    port, token = free_port(), secrets.token_hex(16)
    server = Server(f"http://127.0.0.1:{port}", token, tmp_path)
    name = server.write_notebook("shown.ipynb", CELL, "print('opened:', scatter.unit)")
    command = [
        *(sys.executable, "-m", "notebook", "--no-browser", "--allow-root", "--expose-app-in-browser"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", f"--IdentityProvider.token={token}"),
        f"--ServerApp.root_dir={tmp_path}",
    ]
    env = os.environ | {
        "HOME": str(tmp_path),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
    }
    with serving(command, f"{server.url}/api/status?token={token}", tmp_path / "notebook.log", tmp_path, env):
        page.goto(f"{server.url}/notebooks/{name}?token={token}")
        cells = page.locator(".jp-CodeCell")
        expect(cells).to_have_count(2, timeout=60_000)
        page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=60_000,
        )
        cells.first.click()
        page.keyboard.press("Shift+Enter")
        expect(page.locator(".tw-scatter canvas.tws-large")).to_be_visible(timeout=60_000)
        unit = open_next_unit(page)
        cells.nth(1).locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
        expect(cells.nth(1).get_by_text(f"opened: {unit}")).to_be_visible()
        page.screenshot(path=artifacts / "notebook-7.png")


def test_voila_shows_every_widget_and_the_kernel_hears_of_a_click(
    page: Page, tmp_path: Path, artifacts: Path
):
    pytest.importorskip("voila", reason="Voilà is not installed: run with the group test")
    port = free_port()
    Server(f"http://127.0.0.1:{port}", "", tmp_path).write_notebook("app.ipynb", *APP_CELLS)
    command = [
        *(sys.executable, "-m", "voila", "app.ipynb", "--no-browser", f"--port={port}"),
        *("--Voila.ip=127.0.0.1", "--ExecutePreprocessor.timeout=120"),
    ]
    env = os.environ | {
        "HOME": str(tmp_path),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
    }
    # Not the page, for Voilà runs the notebook anew for each reader.
    up = f"http://127.0.0.1:{port}/voila/static/voila.js"
    with serving(command, up, tmp_path / "voila.log", tmp_path, env):
        page.goto(f"http://127.0.0.1:{port}", timeout=90_000)
        expect(page.locator(".tw-scatter canvas.tws-large")).to_be_visible(timeout=60_000)
        expect(page.locator(".tw-explorer .twe-count")).to_have_text("4 / 8")
        expect(page.locator(".twr-cell").first).to_be_visible()
        unit = open_next_unit(page)
        expect(page.get_by_text(f"opened: {unit}")).to_be_visible()
        page.screenshot(path=artifacts / "voila.png")
