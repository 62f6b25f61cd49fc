"""Live requests when something goes wrong, or happens twice: nothing finished is lost, and nothing turns for ever."""

from collections.abc import Callable

import pytest
from browser.lab import WAIT, Notebook
from browser.slow import GONE, KERNEL, SLOWLY, expect_said_and_try_again
from browser.together import FILM, Explorer, opened
from playwright.sync_api import expect

NOTEBOOK = (
    FILM
    + SLOWLY
    + """
class Slow(Slowly, type(probe.network)):
    pause = 0.04
probe.network.__class__ = Slow
widget = tw.TuningExplorer(film, probe)
widget
"""
)


@pytest.fixture(scope="module")
def shown(open_notebook: Callable[[str], Notebook]) -> Explorer:
    return opened(open_notebook(NOTEBOOK))


@pytest.fixture
def growing(shown: Explorer) -> Explorer:
    """The explorer in the middle of an image that was never asked for before; run again where the kernel has gone."""
    if shown.light.inner_text() == GONE:
        shown.notebook.run_all()
    expect(shown.light).to_have_text("kernel connected", timeout=4 * WAIT)
    shown.notebook.python(
        "Slow.broken = False; import random; widget.coordinates = {1: random.uniform(-0.1, 0.1)}"
    )
    shown.expect_growing()
    return shown


def expect_the_record_alone(explorer: Explorer) -> None:
    """No kernel, and it says so: what the record holds is shown and moves, and nothing turns for ever."""
    expect(explorer.light).to_have_text(GONE, timeout=2 * WAIT)
    expect(explorer.growth).to_have_count(0)
    expect(explorer.count).to_have_text("from the record")
    before = explorer.pixels()
    explorer.slide(0, 1.2)
    assert explorer.pixels() != before
    expect(explorer.root.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    expect(explorer.growth).to_have_count(0)
    explorer.root.get_by_role("button", name="One slider at a time").click()
    explorer.slide(0, 4)
    expect(explorer.count).to_have_text("5 / 6")


def test_what_a_worker_raises_is_said_and_can_be_tried_again(growing):
    growing.notebook.python("Slow.broken = True")
    expect_said_and_try_again(growing.notebook, growing.root)
    growing.expect_finished()


def test_stops_when_the_reader_says_so_and_goes_on(growing):
    growing.root.get_by_role("button", name="Stop", exact=True).click()
    expect(growing.growth).to_have_count(0)
    expect(growing.count).to_contain_text("stopped")
    stopped = growing.count.inner_text()
    growing.notebook.page.wait_for_timeout(600)
    assert growing.count.inner_text() == stopped
    growing.root.get_by_role("button", name="Go on").click()
    growing.expect_finished()


def test_an_interrupted_kernel_finishes_the_image(growing):
    growing.notebook.page.evaluate(f"() => {KERNEL}.interrupt()")
    growing.expect_finished()


def test_a_page_reloaded_in_the_middle_shows_the_image_when_it_is_there(growing):
    page = growing.notebook.page
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    growing.notebook.open_again()
    expect(growing.root.locator(".twe-together")).to_be_visible(timeout=2 * WAIT)
    growing.expect_finished()


def test_a_restarted_kernel_leaves_the_record(growing):
    growing.notebook.page.evaluate(f"() => {KERNEL}.restart()")
    expect_the_record_alone(growing)


def test_a_killed_kernel_leaves_the_record_and_the_next_run_picks_up(growing):
    growing.notebook.page.evaluate(
        f"() => {{ {KERNEL}.requestExecute({{ code: 'import os; os.kill(os.getpid(), 9)' }}); }}"
    )
    page = growing.notebook.page
    page.locator(".jp-Dialog").get_by_role("button", name="Ok").click()
    expect_the_record_alone(growing)
    page.wait_for_function(f"() => {KERNEL}.status === 'idle'", timeout=4 * WAIT)
    growing.notebook.run_all()
    expect(growing.light).to_have_text("kernel connected", timeout=4 * WAIT)
    growing.together()
    growing.expect_finished()


def test_two_views_of_one_widget_show_the_same(open_notebook):
    notebook = open_notebook(NOTEBOOK.replace("\nwidget\n", "\nSlow.pause = 0\ndisplay(widget)\nwidget\n"))
    one, other = Explorer(notebook), Explorer(notebook, 1)
    expect(other.picture).to_be_visible(timeout=4 * WAIT)
    one.together()
    expect(other.root.locator(".twe-together")).to_be_visible()
    other.slide(1, 2.3)
    one.expect_finished()
    other.expect_finished()
    assert one.pixels() == other.pixels()
    assert one.sliders.nth(1).input_value() == other.sliders.nth(1).input_value()
    assert notebook.complaints == []


TWO = NOTEBOOK.replace("\nwidget\n", "\nsecond = tw.TuningExplorer(film, probe)\ndisplay(widget)\nsecond\n")


def test_two_widgets_on_one_probe_compute_at_once_and_each_its_own(open_notebook):
    notebook = open_notebook(TWO)
    one, other = Explorer(notebook), Explorer(notebook, 1)
    expect(other.picture).to_be_visible(timeout=4 * WAIT)
    notebook.python("widget.coordinates = {1: 0.1}; second.coordinates = {1: -0.1}")
    one.expect_growing()
    other.expect_growing()
    expect(one.growth).to_have_count(1)
    one.expect_finished()
    other.expect_finished()
    assert one.pixels() != other.pixels()
    # Linked in the page, they move together.
    notebook.python(
        "import ipywidgets; Slow.pause = 0\n"
        "links = [ipywidgets.jslink((widget, name), (second, name)) for name in ('dimension', 'coordinates')]"
    )
    expect(other.sliders.nth(1)).to_have_value(one.sliders.nth(1).input_value())
    one.slide(2, 1.5)
    expect(other.sliders.nth(2)).to_have_value("1.5")
    expect(other.root.locator(".twe-row").nth(2)).to_have_attribute("aria-current", "true")
    one.expect_finished()
    other.expect_finished()
    assert one.pixels() == other.pixels()
    assert notebook.complaints == []
