"""Browser tests: fixtures.

Without a Chromium they are skipped, or fail where TUNEWIDGETS_REQUIRE_BROWSER=1.
"""

import contextlib
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser.lab import CHROMIUM_ARGS, ROOT, Notebook, Server, find_chromium, jupyterlab
from films import make_film
from playwright.sync_api import Browser, sync_playwright
from recovery_records import make_recovery
from unit_records import make_tree

import tunewidgets as tw

HOSTILE = "<script>document.title = 'taken'</script><img src=x onerror=\"document.title='taken'\"> אב"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = find_chromium()
    if chromium is None:
        reason = "no Chromium or Chrome on PATH; install one, such as Debian's package chromium"
        if os.environ.get("TUNEWIDGETS_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Server]:
    with jupyterlab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="module")
def open_notebook(browser: Browser, server: Server) -> Iterator[Callable[[str], Notebook]]:
    """A new notebook with one cell, in a new browser profile, its cell run."""
    with contextlib.ExitStack() as closing:

        def opened(cell: str) -> Notebook:
            context = browser.new_context(viewport={"width": 1400, "height": 1000})
            closing.callback(context.close)
            notebook = Notebook(context.new_page(), server)
            notebook.open(server.write_notebook(f"{uuid.uuid4().hex}.ipynb", cell))
            notebook.run_all()
            return notebook

        yield opened


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Where screenshots are kept; ignored by git."""
    folder = ROOT / "artifacts"
    folder.mkdir(exist_ok=True)
    return folder


MOVING_WORDS = (
    "See [one end](#explorer.points=0,7,7), [unit 3](#scatter.layer=features.1&scatter.unit=3) "
    "and [no place](#scatter.unit=999)."
)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with every widget, two of them linked, and text that tries to be more than text."""
    explorer = tw.TuningExplorer(make_film(3, 8, 32), labels=[HOSTILE, "", ""])
    scatter, other = tw.UnitScatter(make_tree()), tw.UnitScatter(make_tree())
    checklist = tw.RecoveryChecklist(make_recovery(seeds=(0,), methods=("pca", "ica"), films=True))
    page = tw.export_html(
        [f"# A page\n\n{HOSTILE}\n\n{MOVING_WORDS}", explorer, [scatter, other], checklist],
        tmp_path_factory.mktemp("page") / "page.html",
        title=HOSTILE,
        links=[((scatter, "unit"), (other, "unit"))],
    )
    return page.path
