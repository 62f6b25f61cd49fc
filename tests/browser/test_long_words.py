"""Names of 110 characters without a space, wherever a record may have one: nothing scrolls sideways at 390 px."""

from pathlib import Path

import pytest
from films import make_film
from playwright.sync_api import Browser, Page, expect
from recovery_records import make_recovery
from unit_records import CLASSES, make_units

import tunewidgets as tw

WIDTH = 390
WORD = "n02123045_tabby_tabby_cat_domestic_cat_felis_domesticus_longhair_shorthair_siamese_persian_abyssinian_bombay_x"


@pytest.fixture(scope="module")
def page_of_words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert len(WORD) == 110
    film = make_film(3, 8, 32, failed={2: f"constant: {WORD}"})
    film.attrs |= {"model": WORD, "layer": WORD}
    film["suggested_label"] = ("dimension", [WORD, WORD, ""])
    units = make_units(
        layer=WORD, classes=[f"{at}{WORD}" for at in range(len(CLASSES))], exemplars=4, failed={1: WORD}
    )
    units.attrs["model"] = WORD
    recovery = make_recovery(seeds=(0,), films=True, failed={("lle", 6): WORD})
    recovery.attrs["model"] = WORD
    checklist = tw.RecoveryChecklist(recovery)
    cells = [cell.key for cell in checklist.cells()]
    checklist.verdicts, checklist.notes = {cells[0]: "yes"}, {cells[0]: WORD}
    checklist.opened = cells[0]
    # A class is what a unit's first image is told by, so that it has one.
    scatter = tw.UnitScatter(units, unit=3, pinned=1)
    widgets = [tw.TuningExplorer(film, labels=[WORD, "", ""]), scatter, checklist]
    return tw.export_html([f"# {WORD}", *widgets], tmp_path_factory.mktemp("words") / "page.html").path


WIDE = """width => [...document.querySelectorAll("main *")]
  .filter(e => e.getBoundingClientRect().right > width + 0.5 && e.checkVisibility())
  .map(e => `${e.tagName}.${e.className} ${Math.round(e.getBoundingClientRect().right)}`)"""


def fits(page: Page) -> None:
    page.wait_for_timeout(200)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= WIDTH, f"{wide} px: {page.evaluate(WIDE, WIDTH)[:12]}"


def test_a_page_of_long_words_does_not_scroll_sideways(
    browser: Browser, page_of_words: Path, artifacts: Path
):
    context = browser.new_context(viewport={"width": WIDTH, "height": 844})
    page = context.new_page()
    page.goto(page_of_words.as_uri())
    expect(page.locator(".tws-unit h4").first).to_be_visible()
    expect(page.locator(".twr-detail")).to_be_visible()
    page.screenshot(path=artifacts / "long-words.png", full_page=True)
    fits(page)
    page.get_by_role("button", name="Table").click()
    page.screenshot(path=artifacts / "long-words-table.png", full_page=True)
    fits(page)
    context.close()
