"""A cell that is run again and again: the page's code reaches JupyterLab and the saved notebook once."""

import json
import re
from collections.abc import Callable

from browser.lab import Notebook, eventually
from playwright.sync_api import expect

CELL = (
    "import tunewidgets as tw\nfrom unit_records import make_units\n"
    "widget = tw.UnitScatter(make_units(8, 8))\nwidget"
)
# The scatter's code brings plotly, over a megabyte; nothing else that the kernel sends here is a tenth of it.
LARGE = 1_000_000


def test_code_is_sent_once_and_saved_once(open_notebook: Callable[[str], Notebook]):
    notebook = open_notebook(CELL)
    page = notebook.page
    points = page.locator(".tw-scatter canvas.tws-large")
    expect(points).to_be_visible(timeout=60_000)
    page.evaluate(
        """() => {
            window.received = [];
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            kernel.anyMessage.connect((_, { msg, direction }) => {
                if (direction === "recv") window.received.push(JSON.stringify(msg.content).length);
            });
        }"""
    )
    for _ in range(3):
        before = notebook.python("print(widget.model_id)")
        notebook.run_all()
        eventually(lambda before=before: notebook.python("print(widget.model_id)") != before, True)
        expect(points).to_be_visible()
    received = page.evaluate("() => window.received")
    assert len(received) > 10
    assert max(received) < LARGE
    page.evaluate(
        """async () => {
            const { commands } = window.jupyterapp;
            await commands.execute("@jupyter-widgets/jupyterlab-manager:saveWidgetState");
            await commands.execute("docmanager:save");
        }"""
    )
    name = page.evaluate("() => window.jupyterapp.shell.currentWidget.context.path")
    saved = notebook.server.folder / name
    eventually(lambda: "widget-state+json" in saved.read_text(encoding="utf-8"), True)
    states = json.loads(saved.read_text(encoding="utf-8"))["metadata"]["widgets"]
    (kept,) = states.values()
    sizes = [len(json.dumps(model["state"])) for model in kept["state"].values()]
    assert sum(size > LARGE for size in sizes) == 1
    # Without the kernel that made it, the saved state is all there is.
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    notebook.complaints.clear()
    page.reload()
    expect(page.locator(".tw-scatter canvas.tws-large")).to_be_visible(timeout=60_000)
    assert not [said for said in notebook.complaints if re.search("anywidget|tunewidgets", said)]
