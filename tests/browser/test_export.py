"""Exported pages in a real Chromium: from a file, in iframes, linked, and with no request but the page itself."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from browser.conftest import HOSTILE
from playwright.sync_api import Browser, FrameLocator, Page, expect


@dataclass
class Opened:
    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(params=["light", "dark"])
def opened(browser: Browser, exported: Path, request: pytest.FixtureRequest) -> Iterator[Opened]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, color_scheme=request.param)
    found = Opened(context.new_page())
    found.page.on("request", lambda asked: found.requests.append(asked.url))
    found.page.on("console", lambda said: found.complaints.append(said.text))
    found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
    found.page.goto(exported.as_uri())
    yield found
    context.close()
    assert {url.partition("#")[0] for url in found.requests} == {exported.as_uri()}
    assert found.complaints == []


def open_first_unit(root: Page | FrameLocator) -> None:
    """With the keyboard: the plot's cursor goes to a point, Enter opens it."""
    plot = root.locator(".tw-scatter").first.get_by_role("application")
    plot.focus()
    plot.press("ArrowRight")
    plot.press("Enter")


def test_everything_works_from_a_file(opened: Opened, artifacts: Path, request: pytest.FixtureRequest):
    page = opened.page
    slider = page.locator(".tw-explorer").get_by_role("slider").first
    count = page.locator(".tw-explorer .twe-count")
    expect(count).to_have_text("8 / 8")
    slider.focus()
    slider.press("ArrowLeft")
    expect(count).to_have_text("7 / 8")
    scatters = page.locator(".tw-scatter")
    expect(scatters).to_have_count(2)
    # The most interesting unit is open at first.
    expect(scatters.locator("canvas.tws-large")).to_have_count(2)
    first = scatters.first.locator(".tws-unit h4").inner_text()
    open_first_unit(page)
    expect(scatters.first.locator(".tws-unit h4")).not_to_have_text(first)
    opened_units = [scatters.nth(at).locator(".tws-unit h4").inner_text() for at in range(2)]
    assert opened_units[0] == opened_units[1]
    page.locator(".twr-cell").first.click()
    expect(page.locator(".twr-detail canvas").first).to_be_visible()
    theme = request.node.callspec.params["opened"]
    page.screenshot(path=artifacts / f"page-{theme}.png", full_page=True)


def test_what_a_reader_typed_stays_text(opened: Opened):
    page = opened.page
    expect(page.locator(".page-text")).to_contain_text(HOSTILE)
    expect(page.locator(".tw-explorer").get_by_role("textbox").first).to_have_value(HOSTILE)
    expect(page).to_have_title(HOSTILE)


def test_the_page_fits_a_narrow_window(opened: Opened, artifacts: Path, request: pytest.FixtureRequest):
    page = opened.page
    for width in (600, 320):
        page.set_viewport_size({"width": width, "height": 1000})
        expect(page.locator(".tw-explorer .twe-picture")).to_be_visible()
        page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)
        theme = request.node.callspec.params["opened"]
        page.screenshot(path=artifacts / f"page-{width}-{theme}.png", full_page=True)


@pytest.mark.parametrize("sandbox", [None, "allow-scripts"])
def test_works_in_an_iframe_with_and_without_an_origin(
    browser: Browser, exported: Path, tmp_path: Path, sandbox: str | None
):
    rule = f' sandbox="{sandbox}"' if sandbox else ""
    source = html.escape(exported.read_text(encoding="utf-8"))
    outer = tmp_path / "outer.html"
    outer.write_text(f'<iframe{rule} style="width:1300px;height:900px" srcdoc="{source}"></iframe>', "utf-8")
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(outer.as_uri())
    frame = page.frame_locator("iframe")
    expect(frame.locator(".tw-explorer .twe-count")).to_have_text("8 / 8")
    open_first_unit(frame)
    expect(frame.locator("canvas.tws-large")).to_have_count(2)
    frame.get_by_role("link", name="unit 3").click()
    expect(frame.locator(".tws-unit h4").first).to_contain_text("Unit 3")
    page.wait_for_timeout(500)
    context.close()
    assert complaints == []


def test_words_in_the_text_move_the_widgets_and_going_back_leads_back(opened: Opened):
    page = opened.page
    count, unit = (
        page.locator(".tw-explorer .twe-count"),
        page.locator(".tw-scatter").first.locator(".tws-unit h4"),
    )
    first = unit.text_content()
    assert not first.startswith("Unit 3")
    page.get_by_role("link", name="one end").click()
    expect(count).to_have_text("1 / 8")
    page.get_by_role("link", name="unit 3").click()
    expect(unit).to_contain_text("Unit 3")
    page.get_by_role("link", name="no place").click()
    expect(unit).to_contain_text("Unit 3")
    page.go_back()
    expect(unit).to_have_text(first)
    expect(count).to_have_text("1 / 8")
    page.go_back()
    expect(count).to_have_text("8 / 8")
    page.go_forward()
    expect(count).to_have_text("1 / 8")


def test_the_address_follows_the_reader_and_leads_another_reader_there(opened: Opened, exported: Path):
    page = opened.page
    slider = page.locator(".tw-explorer").get_by_role("slider").nth(1)
    slider.focus()
    slider.press("Home")
    page.locator(".twr-cell").first.click()
    expect(page).to_have_url(re.compile("checklist.opened="))
    address = page.url
    assert "#explorer.dimension=1&explorer.points=7,0,7&checklist.opened=frequency/pca-3" in address
    page.goto("about:blank")
    page.goto(address)
    expect(page.locator(".tw-explorer .twe-count")).to_have_text("1 / 8")
    expect(page.locator(".twr-detail canvas").first).to_be_visible()
    page.wait_for_timeout(500)
    assert page.url == address
    # What nobody has a place for changes nothing, and is gone once the reader moves on.
    page.goto("about:blank")
    page.goto(
        f"{exported.as_uri()}#scatter.unit=999&scatter.layer=&explorer.points=%E0%A4%A&checklist.opened=x"
    )
    expect(page.locator(".tw-explorer .twe-count")).to_have_text("8 / 8")
    open_first_unit(page)
    expect(page).to_have_url(re.compile(r"#scatter\.unit=(\d+)&scatter-2\.unit=\1$"))
