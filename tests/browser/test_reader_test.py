"""ReaderTest in a real Chromium, from an exported page: ten trials by keyboard on a narrow screen, and a reload."""

from pathlib import Path

import pytest
from browser.test_accessibility import AXE, findings
from playwright.sync_api import Browser, Page, expect
from trial_records import make_trials

import tunewidgets as tw


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("test") / "test.html"
    return tw.export_html(tw.ReaderTest(make_trials(side=48), trials=12), path).path.as_uri()


@pytest.fixture
def page(browser: Browser, address: str):
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page, complaints = context.new_page(), []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    yield page
    context.close()
    assert complaints == []


def redder(page: Page) -> str:
    """The key of the side that the references call for, told by its color alone."""
    red = "canvas => { const c = document.createElement('canvas'); c.width = c.height = 1;"
    red += "const t = c.getContext('2d'); t.drawImage(canvas, 0, 0, 1, 1); return t.getImageData(0, 0, 1, 1).data[0]; }"
    left, right = (page.locator(".twq-patch canvas").nth(at).evaluate(red) for at in (0, 1))
    return "ArrowLeft" if left > right else "ArrowRight"


def test_ten_trials_by_keyboard_alone_outlive_a_reload(page, artifacts: Path):
    root = page.locator(".tw-reader-test")
    root.focus()
    for trial in range(10):
        expect(page.get_by_role("region", name=f"Trial {trial + 1} of 12")).to_be_visible()
        page.wait_for_timeout(80)  # until both patches are drawn
        page.keyboard.press(redder(page))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    root.screenshot(path=artifacts / "reader-test-390.png")
    page.wait_for_timeout(1200)
    assert "test.answers=" in page.url
    page.reload()
    expect(page.get_by_role("region", name="Trial 11 of 12")).to_be_visible()
    root.focus()
    page.keyboard.press("u")
    expect(page.get_by_role("region", name="Trial 10 of 12")).to_be_visible()
    page.keyboard.press(redder(page))
    page.keyboard.press("Escape")
    rates = page.locator(".twq-rates tfoot tr")
    right, asked = rates.first.locator("td").first.inner_text().split(" of ")
    assert right == asked
    expect(page.locator(".twq-missed")).to_have_count(0)
    root.screenshot(path=artifacts / "reader-test-results-390.png")


def test_names_are_there_for_those_who_hear_the_page(page):
    expect(page.get_by_role("button", name="Choose the left patch")).to_be_visible()
    expect(page.get_by_role("img", name="High end: 5 pictures")).to_be_visible()
    page.get_by_role("button", name="Choose the right patch").click()
    expect(page.get_by_role("status").first).to_have_text("Trial 2 of 12", timeout=5000)
    expect(page.get_by_role("progressbar", name="Trials answered")).to_have_attribute("value", "1")


@pytest.mark.skipif(not AXE.is_file(), reason=f"{AXE} is missing: run `npm ci` in js/")
def test_nothing_keeps_anybody_out(page):
    page.evaluate(AXE.read_text(encoding="utf-8") + "; 0")
    assert findings(page) == []
    page.locator(".tw-reader-test").focus()
    for key in ("ArrowLeft", "ArrowRight", "ArrowLeft", "Escape"):
        page.keyboard.press(key)
    expect(page.locator(".twq-rates")).to_be_visible()
    assert findings(page) == []
