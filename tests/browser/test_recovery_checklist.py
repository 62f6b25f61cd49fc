"""RecoveryChecklist in a real JupyterLab and a real Chromium, as a reader uses it."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from browser.lab import WAIT, Notebook, eventually
from playwright.sync_api import Locator, expect

NOTEBOOK = """
from recovery_records import STRENGTH, make_recovery
import tunewidgets as tw
report = make_recovery(
    readouts=("activation", "image"), films=True, size=32, failed={("nmf", 6): "NMF found fewer dimensions"},
    draws=199, strength={**STRENGTH, "pca": (1.5, 1.5, 1.9)},
)
widget = tw.RecoveryChecklist(report)
widget
"""
ANGLE_ICA_6 = 11


class Page:
    """What a reader sees of the checklist."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.root: Locator = notebook.page.locator(".tw-checklist")
        self.cells = self.root.locator(".twr-cell")
        self.detail = self.root.locator(".twr-detail")

    def python(self, name: str) -> str:
        return self.notebook.python(f"print(widget.{name})")

    def expect_first_state(self, timeout: int) -> None:
        expect(self.detail).to_have_count(0, timeout=timeout)
        expect(self.root.locator(".twr-agreement")).to_have_text("No verdict yet.", timeout=timeout)


@pytest.fixture(scope="module")
def shown(open_notebook: Callable[[str], Notebook]) -> Page:
    page = Page(open_notebook(NOTEBOOK))
    expect(page.cells.first).to_be_visible(timeout=60_000)
    return page


@pytest.fixture
def checklist(shown: Page):
    shown.notebook.set_back(
        "widget.opened = ''; widget.verdicts = {}; widget.notes = {}; widget.bank = 'zero-mean'; "
        "widget.readout = 'activation'; widget.seed = 0; widget.alpha = .05",
        shown.expect_first_state,
    )
    yield shown
    assert shown.notebook.complaints == []


def test_judged_by_keyboard_alone(checklist):
    checklist.cells.first.focus()
    keys = checklist.notebook.page.keyboard
    for key in ("ArrowDown", "ArrowRight", "y", "Enter"):
        keys.press(key)
    expect(checklist.detail.locator("h4")).to_have_text("Angle by PCA-6")
    expect(checklist.detail.locator("canvas")).to_have_count(12)
    for key in ("ArrowRight", "n", "ArrowDown", "u", "Escape"):
        keys.press(key)
    expect(checklist.detail).to_have_count(0)
    expect(checklist.cells.nth(18)).to_be_focused()
    eventually(
        lambda: checklist.python("verdicts"),
        "{'angle/pca-6': 'yes', 'angle/ica-3': 'no', 'phase/ica-3': 'unsure'}",
    )
    # None of these keys did to the notebook what they do elsewhere.
    count = "() => window.jupyterapp.shell.currentWidget.content.widgets.length"
    assert checklist.notebook.page.evaluate(count) == 1


def test_film_readout_and_nulls_of_an_opened_cell(checklist):
    checklist.cells.nth(ANGLE_ICA_6).click()
    expect(checklist.detail.locator("h4")).to_have_text("Angle by ICA-6")
    frames = checklist.detail.locator("canvas")
    expect(frames).to_have_count(12)
    assert frames.first.evaluate("c => c.toDataURL()") != frames.last.evaluate("c => c.toDataURL()")
    expect(checklist.detail.locator(".twr-here")).to_have_count(2)
    checklist.root.get_by_role("button", name="pictures").click()
    expect(checklist.detail.locator(".twr-here")).to_have_count(1)
    expect(checklist.detail).to_contain_text("Films are not compared within a subspace")
    eventually(lambda: checklist.python("readout"), "image")


def test_a_cell_that_is_not_there_is_no_no(checklist):
    cell = checklist.cells.nth(5)
    assert cell.locator("[data-mark=no]").count() == 1  # the paper's own
    expect(cell.locator(".twr-marks [data-mark=absent]")).to_have_count(2)
    cell.click()
    expect(checklist.detail).to_contain_text("Not there: NMF found fewer dimensions")


def test_all_three_follow_the_level_the_bank_and_the_seed(checklist):
    row = checklist.root.locator(".twr-together")
    expect(row.locator("th")).to_have_text("All three")
    code = "[(c.in_subspace, f'{c.recovering}/{c.seeds}' if c.seeds else 'not there') for c in widget.all_three()]"
    for choice in ("", "widget.alpha = .025", "widget.bank = 'with mean'; widget.seed = 2"):
        marked = checklist.notebook.python(f"{choice}\nprint({code})")
        expect(row.locator(".twr-share")).to_have_text(
            [count for _, count in ast.literal_eval(marked)], timeout=WAIT
        )
        signs = {True: "yes", False: "no", None: "absent"}
        for at, (mark, _) in enumerate(ast.literal_eval(marked)):
            first = row.locator("td").nth(at).locator("[data-mark]").first
            expect(first).to_have_attribute("data-mark", signs[mark], timeout=WAIT)


def test_a_note_is_text_and_is_saved(checklist, tmp_path):
    checklist.cells.nth(ANGLE_ICA_6).click()
    note = checklist.detail.get_by_role("textbox")
    note.press_sequentially("yes, <b>no</b> | nu")
    note.press("Enter")
    expect(checklist.cells.nth(ANGLE_ICA_6)).to_be_focused()
    eventually(lambda: checklist.python("notes['angle/ica-6']"), "yes, <b>no</b> | nu")
    assert checklist.python("verdicts") == "{}"
    assert checklist.detail.locator("input").evaluate("e => e.value") == "yes, <b>no</b> | nu"
    assert checklist.python("judged()['note'].sel(attribute='angle').values[1, 1]") == "yes, <b>no</b> | nu"


@pytest.mark.parametrize(("name", "method"), [("Markdown", "markdown"), ("LaTeX", "latex"), ("CSV", "csv")])
def test_saves_the_table_that_python_writes(checklist, tmp_path, name, method):
    checklist.notebook.python(
        "widget.verdicts = {'angle/ica-6': 'yes'}; "
        "widget.notes = {'angle/ica-6': 'a \"b\" | c_d\\n50%', 'phase/lle-3': 'é, x'}; widget.seed = 2; "
        "widget.alpha = .025; widget.bank = 'with mean'"
    )
    expect(checklist.root.locator(".twr-agreement")).to_contain_text("1 of 24", timeout=WAIT)
    expect(checklist.root.locator(".tw-note")).to_be_visible(timeout=WAIT)
    checklist.root.locator(".twr-copy select").select_option(name)
    with checklist.notebook.page.expect_download() as download:
        checklist.root.get_by_role("button", name="Save").click()
    path = tmp_path / "table"
    download.value.save_as(path)
    assert path.read_text(encoding="utf-8").rstrip() == checklist.python(f"to_{method}()")


@pytest.mark.parametrize("theme", ["Light", "Dark"])
@pytest.mark.parametrize("width", [1400, 600])
def test_fits_its_place_in_either_theme(checklist, artifacts: Path, theme: str, width: int):
    page = checklist.notebook.page
    page.set_viewport_size({"width": width, "height": 1800})
    checklist.notebook.theme(theme)
    page.screenshot(path=artifacts / f"recovery-checklist-{width}-{theme.lower()}-first.png")
    checklist.cells.nth(ANGLE_ICA_6).click()
    page.keyboard.press("n")
    expect(checklist.detail.locator("canvas")).to_have_count(12)
    page.screenshot(path=artifacts / f"recovery-checklist-{width}-{theme.lower()}.png")
    overflowing = checklist.root.evaluate(
        """root => [...root.querySelectorAll('*')]
            .filter(e => !e.closest('.tw-hidden, svg'))
            .filter(e => e.getBoundingClientRect().right > root.getBoundingClientRect().right + 1)
            .map(e => e.className)"""
    )
    assert overflowing == []
    page.set_viewport_size({"width": 1400, "height": 1000})


TABLE_2 = """
from read_films import make_read_film
import tunewidgets as tw
films = [make_read_film(method, ("angle", "blue/red")) for method in ("ica", "pca")]
films[0]["attribute_sweep"] += 0.25
widget = tw.RecoveryChecklist(tw.film_checklist({"conv2d0": films, "conv2d1": films}))
widget
"""


def test_films_of_layers_are_a_checklist_whose_names_have_room(open_notebook, artifacts: Path):
    notebook = open_notebook(TABLE_2)
    page = Page(notebook)
    expect(page.cells).to_have_count(7 * 4, timeout=60_000)
    for width in (1400, 600):
        notebook.page.set_viewport_size({"width": width, "height": 1600})
        notebook.page.screenshot(path=artifacts / f"recovery-checklist-films-{width}.png")
        fits = "names => names.map(name => name.scrollWidth <= name.clientWidth)"
        assert set(page.root.locator(".twr-table th").evaluate_all(fits)) == {True}
    page.cells.nth(4).click()
    expect(page.detail.locator("h4")).to_have_text("Angle by conv2d0 ICA-4")
    expect(page.detail.locator(".twr-facts")).to_contain_text("5.25")
    expect(page.detail.locator(".twr-facts")).to_contain_text("at as many, D is 5.00")
    expect(page.detail.locator(".twr-plot").last).to_contain_text("observed D = 5.00")
    page.cells.nth(5).click()
    expect(page.detail.locator(".twr-facts")).not_to_contain_text("at as many")
    assert notebook.complaints == []
