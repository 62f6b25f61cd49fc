"""Hostile names in a widget, in a real Chromium: they are shown as they are, and nothing of them runs."""

from playwright.sync_api import expect

NOTEBOOK = """
from unit_records import make_units
import tunewidgets as tw
evil = "<script>window.evil = 1</script><img src=x onerror='window.evil = 1'>"
record = make_units(12, 16, layer=evil, classes=[evil, "\\u202eשלום", "c" * 10_000])
widget = tw.UnitScatter(tw.records.layer_tree({evil: record}))
widget
"""


def test_names_are_shown_as_they_are_and_nothing_of_them_runs(open_notebook):
    notebook = open_notebook(NOTEBOOK)
    root = notebook.page.locator(".tw-scatter")
    expect(root.locator(".scatterlayer .point").first).to_be_visible(timeout=60_000)
    notebook.python("widget.unit = 3")
    expect(root.locator(".tws-unit h4")).to_contain_text("3", timeout=60_000)
    expect(root.locator(".tws-title h4")).to_contain_text("<script>window.evil = 1</script>", timeout=60_000)
    assert root.locator("script, img[src='x']").count() == 0
    assert notebook.page.evaluate("window.evil") is None
