"""Exported pages in a real Chromium: from a file, in iframes, linked, and with no request but the page itself."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from browser.conftest import HOSTILE
from films import make_film
from playwright.sync_api import Browser, FrameLocator, Page, expect
from unit_records import make_units

import tunewidgets as tw


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
    expect(count).to_have_text("4 / 8")
    slider.focus()
    slider.press("ArrowLeft")
    expect(count).to_have_text("3 / 8")
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
    expect(frame.locator(".tw-explorer .twe-count")).to_have_text("4 / 8")
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
    expect(count).to_have_text("4 / 8")
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
    assert "#explorer.dimension=1&explorer.points=3,0,3&checklist.opened=frequency/pca-3" in address
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
    expect(page.locator(".tw-explorer .twe-count")).to_have_text("4 / 8")
    open_first_unit(page)
    expect(page).to_have_url(re.compile(r"#scatter\.unit=(\d+)&scatter-2\.unit=\1$"))


def test_a_name_that_a_reader_gave_outlives_a_reload_and_is_not_undone_by_going_back(opened: Opened):
    page = opened.page
    name = page.locator(".tw-explorer").get_by_role("textbox").nth(1)
    page.locator(".page-move").first.click()
    name.fill("fur, then & = oranges")
    name.press("Enter")
    page.go_back()
    expect(page.locator(".tw-explorer .twe-count")).to_have_text("4 / 8")
    expect(name).to_have_value("fur, then & = oranges")
    expect(page).to_have_url(re.compile("explorer.labels="))
    page.reload()
    expect(name).to_have_value("fur, then & = oranges")
    expect(page.locator(".tw-explorer").get_by_role("textbox").first).to_have_value(HOSTILE)


def test_the_image_and_a_slider_are_on_screen_together_wherever_one_scrolls(browser: Browser, exported: Path):
    # A phone, and a window of 1280 px at 200% zoom.
    for width, height in ((390, 844), (640, 480)):
        context = browser.new_context(viewport={"width": width, "height": height}, has_touch=True)
        page = context.new_page()
        page.goto(exported.as_uri())
        picture, rows = (page.locator(f".tw-explorer .{name}") for name in ("twe-picture", "twe-rows"))
        expect(picture).to_be_visible()
        # From where the image is at the top, on until half of the list has gone behind it.
        top = page.locator(".tw-explorer .twe-look").evaluate("e => e.getBoundingClientRect().top + scrollY")
        for scrolled in (0, rows.bounding_box()["height"] / 2):
            page.evaluate("y => scrollTo(0, y)", top + scrolled)
            expect(picture).to_be_in_viewport(ratio=0.95)
            covered = page.locator(".tw-explorer .twe-look").evaluate("e => e.getBoundingClientRect().bottom")
            sliders = page.locator(".twe-slider").evaluate_all(
                "es => es.map(e => e.getBoundingClientRect().toJSON())"
            )
            assert any(covered <= box["top"] and box["bottom"] <= height for box in sliders)
        small = page.locator(".tw-explorer").evaluate(
            """root => [...root.querySelectorAll('button, input, summary')]
                .filter(e => Math.min(e.offsetWidth, e.offsetHeight) < 24).map(e => e.className)"""
        )
        assert small == []
        context.close()


def test_on_paper_all_rows_are_there_with_their_colors(opened: Opened):
    page = opened.page
    page.emulate_media(media="print")
    rows = page.locator(".tw-explorer .twe-rows")
    assert rows.evaluate("e => e.scrollHeight - e.clientHeight") <= 1
    assert rows.evaluate("e => getComputedStyle(e).printColorAdjust") == "exact"
    assert page.locator(".twe-row").first.evaluate("e => getComputedStyle(e).breakInside") == "avoid"
    expect(page.locator(".tw-explorer .twe-more")).not_to_be_visible()
    page.emulate_media(media="screen")


def test_a_unit_picked_in_the_film_opens_in_a_linked_scatter(browser: Browser, tmp_path: Path):
    explorer, scatter = tw.TuningExplorer(make_film(3, 8, 32)), tw.UnitScatter(make_units(12, 8))
    path = tw.export_html(
        [explorer, scatter], tmp_path / "page.html", links=[((explorer, "unit"), (scatter, "unit"))]
    ).path
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    page.goto(path.as_uri())
    heaviest = page.locator(".twe-units li button").first
    unit = heaviest.inner_text().removeprefix("unit ")
    heaviest.press("Enter")
    expect(heaviest).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".tw-scatter .tws-unit h4")).to_contain_text(f"Unit {unit}")
    expect(page).to_have_url(re.compile(rf"#explorer\.unit={unit}&scatter\.unit={unit}$"))
    # And back: what the scatter opens is marked in the film.
    plot = page.locator(".tw-scatter").get_by_role("application")
    plot.focus()
    plot.press("ArrowRight")
    plot.press("Enter")
    now = page.locator(".tw-scatter .tws-unit h4").inner_text()
    expect(page.locator(".twe-picked strong")).to_have_text(re.match(r"Unit \d+", now)[0])
    context.close()
