"""UnitScatter with a network at hand: units are rendered on request, in a real JupyterLab and a real Chromium."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser.lab import WAIT, Notebook, eventually
from browser.slow import GONE, KERNEL, SLOWLY, expect_said_and_try_again
from playwright.sync_api import Locator, expect

NOTEBOOK = (
    SLOWLY
    + """
import torch
import tunewidgets as tw

class Slow(Slowly, torch.nn.Sequential):
    pass

torch.manual_seed(0)
network = Slow(torch.nn.Conv2d(3, 12, 5), torch.nn.ReLU()).eval()
data = [(torch.rand(60, 3, 16, 16), torch.arange(60) % 4)]
units = tw.class_selectivity(network, data, "1", classes=["cat", "dog", "frog", "ship"], progress=False)
probe = tw.Probe(network, "1", device="cpu")
widget = tw.UnitScatter(units, probe, {"size": 16, "steps": 8})
widget
"""
)


class Scatter:
    """What a reader sees of one view of the scatter."""

    def __init__(self, notebook: Notebook, view: int = 0) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.root: Locator = notebook.page.locator(".tw-scatter").nth(view)
        self.plot = self.root.get_by_role("application")
        self.heading = self.root.locator(".tws-unit h4")
        self.large = self.root.locator("canvas.tws-large")
        self.growth = self.root.locator(".tw-growth")
        self.run = self.root.locator(".tws-run")
        self.waiting = self.root.locator(".tws-waiting")
        self.light = self.root.locator(".tw-kernel")
        self.all = self.root.locator(".tws-all")
        self.points = self.root.locator(".scatterlayer .point")

    def python(self, expression: str) -> str:
        return self.notebook.python(f"print({expression})")

    def rendered(self) -> list[int]:
        """The units with both images, as Python has them."""
        return eval(self.python("widget.record()['rendered'].all('objective').values.nonzero()[0].tolist()"))

    def ready(self) -> None:
        expect(self.points.first).to_be_attached(timeout=4 * WAIT)

    def expect_finished(self) -> None:
        expect(self.large).to_be_visible(timeout=2 * WAIT)
        expect(self.growth).to_have_count(0, timeout=2 * WAIT)


@pytest.fixture(scope="module")
def shown(open_notebook: Callable[[str], Notebook]) -> Scatter:
    scatter = Scatter(open_notebook(NOTEBOOK))
    scatter.ready()
    return scatter


@pytest.fixture
def scatter(shown: Scatter) -> Iterator[Scatter]:
    """The same one, with a new record; and a check that the console stayed silent."""
    # A page that is loaded again begins every widget that the kernel still has.
    shown.notebook.python("globals().get('widget') and widget.close()")
    shown.notebook.run_all()
    expect(shown.light).to_have_text("kernel connected", timeout=4 * WAIT)
    expect(shown.waiting).to_contain_text("None of 12 units", timeout=4 * WAIT)
    shown.ready()
    yield shown
    assert shown.notebook.complaints == []


def test_a_click_on_a_hollow_point_renders_its_unit(scatter):
    scatter.points.nth(4).scroll_into_view_if_needed()
    box = scatter.points.nth(4).bounding_box()
    scatter.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(scatter.heading).to_contain_text("Unit")
    scatter.expect_finished()
    unit = int(scatter.python("widget.unit"))
    assert scatter.rendered() == [unit]
    expect(scatter.waiting).to_contain_text("11 of 12 units are not")
    expect(scatter.root.locator(".tw-numbers")).to_contain_text(re.compile(r"RS[01]\.\d"))
    expect(scatter.root.locator(".tws-course")).to_have_count(2)
    # It has left the lane for its place in the plot; Enter on another one does what a click does.
    scatter.plot.focus()
    scatter.page.keyboard.press("ArrowDown")
    scatter.page.keyboard.press("Enter")
    eventually(lambda: len(scatter.rendered()), 2)
    scatter.expect_finished()


def test_more_of_one_unit(scatter):
    scatter.notebook.python("widget.unit = 3")
    scatter.expect_finished()
    actions = scatter.root.locator(".tws-actions")
    actions.get_by_role("button", name="Another restart").click()
    expect(actions).to_contain_text(re.compile("Another start: (better|no better)"), timeout=WAIT)
    actions.get_by_role("button", name="Twice the steps").click()
    expect(actions).to_contain_text(re.compile("16 steps: (better|no better)"), timeout=WAIT)
    found = "widget.record()['rs_restarts'].sel(objective='iam').values[3].shape"
    assert scatter.python(found) == "(2,)"


def test_all_of_them_with_a_click_in_the_meantime_and_cancel(scatter):
    scatter.notebook.python("Slow.pause = 0.04")
    scatter.all.click()
    expect(scatter.run).to_contain_text("of 12", timeout=WAIT)
    last = scatter.python("widget._on_request.growing['1'].waiting_units()[-1]")
    scatter.notebook.python(f"widget.unit = {last}")
    scatter.expect_finished()
    assert int(last) in scatter.rendered()
    expect(scatter.run).to_be_visible()
    scatter.root.get_by_role("button", name="Cancel").click()
    expect(scatter.run).to_have_count(0)
    scatter.notebook.python("Slow.pause = 0")
    count = len(scatter.rendered())
    assert count < 12
    expect(scatter.waiting).to_contain_text(f"{12 - count} of 12 units are not")
    scatter.all.click()
    expect(scatter.root.locator(".tw-livebar")).to_contain_text("All 12 units are rendered", timeout=2 * WAIT)
    expect(scatter.root.get_by_label("y axis").locator("option")).to_contain_text(
        ["units that respond alike"]
    )
    assert scatter.rendered() == list(range(12))


def test_what_a_worker_raises_is_said_and_can_be_tried_again(scatter):
    scatter.notebook.python("widget.unit = 1")
    scatter.expect_finished()
    scatter.notebook.python("Slow.broken = True; widget.unit = 2")
    expect_said_and_try_again(scatter.notebook, scatter.root)
    scatter.expect_finished()
    assert scatter.rendered() == [1, 2]


def test_an_interrupted_kernel_goes_on_and_a_page_loaded_again_finds_it(scatter):
    scatter.notebook.python("widget.unit = 1")
    scatter.expect_finished()
    # Longer than a page takes to load, on a machine with other work too.
    scatter.notebook.python("Slow.pause = 3")
    scatter.all.click()
    expect(scatter.run).to_be_visible(timeout=WAIT)
    scatter.page.evaluate(f"() => {KERNEL}.interrupt()")
    scatter.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    scatter.notebook.open_again()
    expect(scatter.run).to_be_visible(timeout=2 * WAIT)
    # What was finished before is there, with its image.
    expect(scatter.heading).to_contain_text("Unit 1")
    expect(scatter.large).to_be_visible(timeout=WAIT)
    scatter.notebook.python("Slow.pause = 0")
    expect(scatter.root.locator(".tw-livebar")).to_contain_text("All 12 units are rendered", timeout=2 * WAIT)


def test_a_restarted_kernel_leaves_what_is_finished_and_says_why_no_more_comes(scatter):
    scatter.notebook.python("widget.unit = 1")
    scatter.expect_finished()
    scatter.notebook.python("Slow.pause = 0.2; widget.unit = 5")
    expect(scatter.growth).to_have_count(1, timeout=WAIT)
    scatter.page.evaluate(f"() => {KERNEL}.restart()")
    expect(scatter.light).to_have_text(GONE, timeout=2 * WAIT)
    expect(scatter.growth).to_have_count(0)
    expect(scatter.root.locator(".tws-status")).to_contain_text("Making images takes a kernel")
    expect(scatter.all).to_be_disabled()
    # The finished one opens as before.
    scatter.root.get_by_role("button", name="Table of 12 units").click()
    scatter.root.locator(".tws-scroll tbody tr").nth(1).click()
    expect(scatter.large).to_be_visible()
    scatter.root.get_by_role("button", name="Table of 12 units").click()


TWICE = NOTEBOOK.replace(
    "\nwidget\n",
    "\nother = tw.UnitScatter(units, probe, {'size': 16, 'steps': 8})\ndisplay(widget)\ndisplay(widget)\nother\n",
)


def test_two_views_show_the_same_and_two_widgets_on_one_probe_each_its_own(open_notebook):
    notebook = open_notebook(TWICE)
    one, same, other = (Scatter(notebook, view) for view in range(3))
    other.ready()
    notebook.python("widget.unit = 2; other.unit = 7")
    for view, unit in ((one, 2), (same, 2), (other, 7)):
        expect(view.heading).to_contain_text(f"Unit {unit}", timeout=WAIT)
        view.expect_finished()
        expect(view.waiting).to_contain_text("11 of 12")
    pictures = [view.large.evaluate("canvas => canvas.toDataURL()") for view in (one, same, other)]
    assert pictures[0] == pictures[1] != pictures[2]
    notebook.python("widget.render([0])")
    expect(same.waiting).to_contain_text("10 of 12", timeout=WAIT)
    expect(other.waiting).to_contain_text("11 of 12")
    assert notebook.complaints == []


def test_looks(scatter, artifacts: Path):
    """Screenshots for people to look at: none rendered, rendering, some rendered, wide and narrow, light and dark."""
    page = scatter.page
    page.set_viewport_size({"width": 1400, "height": 1300})
    for theme in ("Light", "Dark"):
        scatter.notebook.theme(theme)
        scatter.root.screenshot(path=artifacts / f"live-units-none-{theme.lower()}.png")
    scatter.notebook.python("Slow.pause = 0.06")
    scatter.all.click()
    scatter.notebook.python("widget.unit = 4")
    expect(scatter.root.locator("canvas.tws-partial").first).to_be_visible(timeout=WAIT)
    scatter.root.screenshot(path=artifacts / "live-units-rendering-dark.png")
    scatter.notebook.theme("Light")
    scatter.root.screenshot(path=artifacts / "live-units-rendering-light.png")
    scatter.notebook.python("Slow.pause = 0")
    expect(scatter.root.locator(".tw-livebar")).to_contain_text("All 12 units are rendered", timeout=2 * WAIT)
    scatter.root.screenshot(path=artifacts / "live-units-all-light.png")
    scatter.notebook.run_all()
    expect(scatter.waiting).to_contain_text("None of 12", timeout=2 * WAIT)
    scatter.notebook.python("widget.render([1, 4, 6, 7]); widget.unit = 4; widget.pinned = 7")
    scatter.root.get_by_role("button", name="Table of 12 units").click()
    for width in (1400, 600):
        page.set_viewport_size({"width": width, "height": 1700})
        expect(scatter.heading).to_have_count(2)
        page.wait_for_timeout(400)
        scatter.root.screenshot(path=artifacts / f"live-units-some-{width}.png")
        assert scatter.root.evaluate("root => root.scrollWidth <= root.clientWidth")
    page.set_viewport_size({"width": 1400, "height": 1000})
