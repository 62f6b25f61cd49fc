"""The widgets under axe-core, the accessibility checker, before and after use, in light and dark.

Needs js/node_modules, which building the page's code leaves there.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.lab import ROOT
from playwright.sync_api import Browser, Page, expect

AXE = ROOT / "js" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module", params=["light", "dark"])
def page(browser: Browser, exported: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    if not AXE.is_file():
        pytest.skip(f"{AXE} is missing: run `npm ci` in js/")
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, color_scheme=request.param)
    page = context.new_page()
    page.goto(exported.as_uri())
    expect(page.locator(".tw-explorer .twe-count")).to_have_text("4 / 8")
    expect(page.locator(".tw-scatter canvas.tws-large")).to_have_count(2)
    page.evaluate(AXE.read_text(encoding="utf-8") + "; 0")
    yield page
    context.close()


def findings(page: Page) -> list[str]:
    """What axe finds that keeps somebody out, a line each."""
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: "
        + json.dumps([node["html"][:160] for node in rule["nodes"][:3]], ensure_ascii=False)
        for rule in found["violations"]
        if rule["impact"] in SERIOUS
    ]


def test_nothing_keeps_anybody_out_at_first(page: Page):
    assert findings(page) == []


def test_nothing_keeps_anybody_out_of_what_was_opened(page: Page):
    plot = page.locator(".tw-scatter").first.get_by_role("application")
    plot.focus()
    plot.press("ArrowRight")
    plot.press("Enter")
    plot.press("p")
    gallery = page.locator(".tw-scatter").first.get_by_role("listbox")
    gallery.press("End")
    gallery.press("Enter")
    expect(page.locator(".tw-scatter").first.locator(".tws-unit")).to_have_count(2)
    page.locator(".tw-scatter").first.locator(".tws-term").first.focus()
    page.locator(".tw-scatter").first.get_by_role("button", name="Table of").click()
    page.locator(".twr-cell").first.click()
    expect(page.locator(".twr-detail canvas").first).to_be_visible()
    slider = page.locator(".tw-explorer").get_by_role("slider").first
    slider.focus()
    slider.press("ArrowLeft")
    assert findings(page) == []


def test_nothing_is_out_of_sight_at_twice_the_size(page: Page):
    # 200% zoom of a window of 1280 px is a window of 640.
    page.set_viewport_size({"width": 640, "height": 480})
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    page.set_viewport_size({"width": 1400, "height": 1000})
