"""TuningExplorer with a kernel that answers: all sliders together, in a real JupyterLab and a real Chromium."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser.lab import WAIT, Notebook, eventually
from browser.together import FILM, Explorer, opened
from playwright.sync_api import expect

NOTEBOOK = FILM + "widget = tw.TuningExplorer(film, probe, points=[5, 5, 5])\nwidget"
CONNECTED = "kernel connected"


@pytest.fixture(scope="module")
def shown(open_notebook: Callable[[str], Notebook]) -> Explorer:
    return opened(open_notebook(NOTEBOOK))


@pytest.fixture
def explorer(shown: Explorer) -> Iterator[Explorer]:
    """The same one, its sliders one at a time again, and a check that the console stayed silent."""
    shown.notebook.set_back(
        "widget.coordinates = []; widget.dimension = 0",
        lambda wait: expect(shown.root.locator(".twe-together")).to_have_count(0, timeout=wait),
    )
    yield shown
    assert shown.notebook.complaints == []


def test_all_sliders_together_and_the_image_is_kept(explorer):
    expect(explorer.light).to_have_text(CONNECTED)
    explorer.together()
    explorer.expect_finished()
    first = explorer.pixels()
    explorer.slide(1, 3.4)
    explorer.slide(2, 0.7)
    explorer.expect_finished()
    assert explorer.pixels() != first
    here = "[round(float(c), 3) for c in widget.coordinates]"
    wanted = (
        "[round(float(c), 3) for c in (film.coordinate[0, 5], film.coordinate[1, 3] * .6 + film.coordinate[1, 4] * .4,"
        " film.coordinate[2, 0] * .3 + film.coordinate[2, 1] * .7)]"
    )
    eventually(lambda: explorer.python(here), explorer.python(wanted))
    explorer.keep.click()
    expect(explorer.keep).to_have_text("In the record", timeout=WAIT)
    expect(explorer.root.get_by_role("button", name="Kept image 1")).to_be_visible()
    eventually(lambda: explorer.python("widget.labeled().combined_image.shape"), "(1, 32, 32, 3)")
    # Away, and back by a click on what was kept: at once, since it is remembered.
    explorer.root.get_by_role("button", name="All to the mean").click()
    explorer.expect_finished()
    before = explorer.python("widget.coordinates")
    explorer.root.get_by_role("button", name="Kept image 1").click()
    explorer.expect_finished()
    assert explorer.python("widget.coordinates") != before


def test_python_moves_all_sliders(explorer):
    explorer.notebook.python("widget.coordinates = {0: 0.5, 2: -0.25}")
    expect(explorer.root.locator(".twe-together")).to_be_visible(timeout=WAIT)
    explorer.expect_finished()
    expect(explorer.sliders.nth(2)).to_have_attribute("aria-valuetext", "coordinate −0.25")


def test_walks_at_random_until_the_reader_takes_over(explorer):
    explorer.together()
    explorer.expect_finished()
    start = explorer.python("widget.coordinates")
    walk = explorer.root.locator(".twe-walk")
    walk.click()
    expect(walk).to_have_text("Stop walk")
    eventually(lambda: explorer.python("widget.coordinates") != start, True)
    explorer.slide(0, 2)
    expect(walk).to_have_text("Random walk")
    explorer.expect_finished()


def test_goes_to_the_image_that_it_grew_from(explorer):
    explorer.notebook.python("widget.coordinates = {0: float(film.coordinate[0, 1]) + 0.01, 1: 0.01, 2: 0.0}")
    explorer.expect_finished()
    explorer.root.locator(".twe-origin button").click()
    eventually(lambda: explorer.python("widget.coordinates[1] + widget.coordinates[2]"), "0.0")


def test_answers_while_a_cell_runs(explorer):
    explorer.together()
    explorer.expect_finished()
    explorer.notebook.page.evaluate(
        """() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
            .requestExecute({ code: 'import time; time.sleep(6)' }); }"""
    )
    explorer.slide(0, 1.5)
    # On a thread of its own where messages have one; after the cell, and saying so, where they wait.
    explorer.expect_finished()
    expect(explorer.light).to_have_text(CONNECTED)


def test_a_cell_waits_for_the_reader(explorer):
    explorer.together()
    explorer.expect_finished()
    page = explorer.notebook.page
    page.evaluate(
        """() => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            window.waited = kernel.requestExecute({
                code: "dimension = await widget.wait_for('dimension', timeout=60)" }).done
                .then((reply) => reply.content.evalue ?? "no error");
        }"""
    )
    page.wait_for_timeout(500)
    explorer.root.locator(".twe-row").nth(2).click()
    assert page.evaluate("() => window.waited") == "no error"
    assert explorer.python("dimension") == "2"
    explorer.root.locator(".twe-row").nth(0).click()


@pytest.mark.parametrize("theme", ["Light", "Dark"])
@pytest.mark.parametrize("width", [1400, 600])
def test_fits_its_place_in_either_theme(explorer, artifacts: Path, theme: str, width: int):
    page = explorer.notebook.page
    page.set_viewport_size({"width": width, "height": 1300})
    explorer.notebook.theme(theme)
    explorer.together()
    explorer.slide(1, 3.4)
    explorer.expect_finished()
    page.screenshot(path=artifacts / f"live-explorer-{width}-{theme.lower()}.png")
    wide, room = explorer.root.evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert wide <= room
