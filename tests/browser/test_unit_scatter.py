"""UnitScatter in a real JupyterLab and a real Chromium, as a reader uses it."""

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser.lab import WAIT, Notebook, eventually
from playwright.sync_api import FloatRect, Locator, expect

NOTEBOOK = """
from unit_records import make_tree
import tunewidgets as tw
tree = make_tree(
    2, 48, 32, dead=[3], silent=[5], failed={7: "the image held NaN"}, exemplars=4,
    display=True, flat=[10, 11], one_position=[10],
)
widget = tw.UnitScatter(tree)
widget
"""


class Scatter:
    """What a reader sees of one view of the scatter."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.page = notebook.page
        self.root: Locator = notebook.page.locator(".tw-scatter")
        self.plot = self.root.get_by_role("application")
        self.title = self.root.locator(".tws-title h4")
        self.heading = self.root.locator(".tws-unit h4")
        self.large = self.root.locator("canvas.tws-large")

    def python(self, name: str) -> str:
        return self.notebook.python(f"print(widget.{name})")

    def expect_first_state(self, timeout: int) -> None:
        expect(self.root.locator(".tws-invitation")).to_be_visible(timeout=timeout)
        expect(self.title).to_have_text("features.1: RS (IAM) against class selectivity", timeout=timeout)

    def place(self, unit: int) -> tuple[float, float]:
        """Where a unit's point is on the screen, by its ring: the one that plotly.js itself drew lies under it."""
        self.notebook.python(f"widget.unit = {unit}")
        ring = self.root.locator(".tws-ring-opened")
        expect(ring.locator("text")).to_have_text(str(unit), timeout=WAIT)
        box = ring.locator("circle").bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def whole_plot(self) -> FloatRect:
        """Where the plot is on the screen, all of it in view."""
        self.plot.evaluate("plot => plot.scrollIntoView({ block: 'center' })")
        box = self.plot.bounding_box()
        assert box is not None
        return box


@pytest.fixture(scope="module")
def shown(open_notebook: Callable[[str], Notebook]) -> Scatter:
    """The scatter of all tests in this file: opening a notebook takes longer than what is done in it."""
    scatter = Scatter(open_notebook(NOTEBOOK))
    expect(scatter.root.locator(".scatterlayer .point").first).to_be_visible(timeout=60_000)
    return scatter


@pytest.fixture
def scatter(shown: Scatter) -> Iterator[Scatter]:
    """The same one as it was at first, and a check that the console stayed silent and no address was asked for."""
    shown.page.keyboard.press("Escape")
    shown.notebook.set_back(
        "widget.layer = 'features.1'; widget.objective = 'iam'; widget.unit = widget.pinned = None; "
        "widget.selected = []; widget.images = False; "
        "widget.x, widget.y, widget.color = 'selectivity', 'rs', 'preferred_class'",
        shown.expect_first_state,
    )
    foreign: list[str] = []
    shown.page.on(
        "request", lambda asked: foreign.append(asked.url) if "127.0.0.1" not in asked.url[:30] else None
    )
    yield shown
    assert shown.notebook.complaints == []
    assert [url for url in foreign if not url.startswith(("data:", "blob:"))] == []


def lonely(scatter: Scatter) -> int:
    """The unit that stands highest, with no other on its point."""
    return int(
        scatter.notebook.python("print(int(widget.record()['rs'].sel(objective='iam').argmax('unit')))")
    )


def test_a_click_on_a_point_opens_its_unit(scatter):
    unit = lonely(scatter)
    x, y = scatter.place(unit)
    scatter.notebook.python("widget.unit = None")
    expect(scatter.root.locator(".tws-invitation")).to_be_visible(timeout=WAIT)
    scatter.page.mouse.click(x, y)
    expect(scatter.heading).to_contain_text(f"Unit {unit}")
    eventually(lambda: scatter.python("unit"), str(unit))
    # What exceeds it is opened by a click on its image.
    other = scatter.root.locator(".tws-exceeders b").first.inner_text()
    before = scatter.large.evaluate("canvas => canvas.toDataURL()")
    scatter.root.locator(".tws-exceeders button").first.click()
    expect(scatter.heading).to_contain_text(f"Unit {other}")
    assert scatter.large.evaluate("canvas => canvas.toDataURL()") != before


def test_arrows_walk_enter_opens_and_p_pins(scatter):
    scatter.place(lonely(scatter))
    scatter.plot.focus()
    first = scatter.python("unit")
    scatter.page.keyboard.press("p")
    scatter.page.keyboard.press("ArrowDown")
    expect(scatter.root.locator(".tws-card")).to_be_visible()
    scatter.page.keyboard.press("Enter")
    expect(scatter.heading).to_have_count(2)
    eventually(lambda: scatter.python("pinned"), first)
    assert scatter.python("unit") != first
    expect(scatter.plot).to_be_focused()


# How many pixels of the page are painted on a canvas.
PAINTED = """canvas => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, at) => at % 4 === 3 && value > 0).length / devicePixelRatio ** 2;
}"""


def test_images_stand_in_the_plot_and_a_click_into_one_opens_its_unit(scatter, artifacts: Path):
    unit = lonely(scatter)
    scatter.notebook.python(f"widget.pinned = {unit}")
    scatter.root.get_by_role("button", name="Images", exact=True).click()
    eventually(lambda: scatter.python("images"), "True")
    plane = scatter.root.locator("canvas.tws-plane")
    eventually(lambda: plane.evaluate(PAINTED) >= 8 * 36 * 36, True)
    ring = scatter.root.locator(".tws-ring-pinned rect").bounding_box()
    assert ring is not None
    x, y = ring["x"] + ring["width"] / 2, ring["y"] + ring["height"] / 2
    # Near its corner, where the image is but no point would be meant.
    scatter.page.mouse.move(x + 14, y + 14)
    expect(scatter.root.locator(".tws-card b")).to_have_text(f"unit {unit}")
    scatter.page.mouse.click(x + 14, y + 14)
    eventually(lambda: scatter.python("unit"), str(unit))
    scatter.page.screenshot(path=artifacts / "scatter-images.png")
    # Of a selection only its own.
    scatter.notebook.python(f"widget.selected = [{unit}]")
    eventually(lambda: round(plane.evaluate(PAINTED)), 36 * 36)


def test_a_box_selects(scatter):
    box = scatter.whole_plot()
    mouse = scatter.page.mouse
    mouse.move(box["x"] + 70, box["y"] + 40)
    mouse.down()
    mouse.move(box["x"] + 330, box["y"] + box["height"] - 60, steps=8)
    mouse.up()
    eventually(lambda: len(scatter.python("selected")) > 2, True)
    units = scatter.python("selected")
    expect(scatter.root.locator(".tws-selection")).to_contain_text(f"{units.count(',') + 1} selected")
    # A reader of the table sees the same ones; rows out of view are not in the page.
    scatter.root.get_by_role("button", name="Table of 48 units").click()
    scatter.root.get_by_label("selected only").check()
    expect(scatter.root.locator(".tws-scroll table")).to_have_attribute(
        "aria-rowcount", f"{units.count(',') + 2}"
    )
    rows = scatter.root.locator(".tws-scroll tbody tr:not(.tws-gap) th").all_inner_texts()
    assert units.startswith("[" + ", ".join(rows))
    scatter.root.get_by_role("button", name="Table of 48 units").click()


def test_the_gallery_shows_every_unit_and_is_whole_by_keyboard(scatter, artifacts: Path):
    gallery = scatter.root.get_by_role("region", name="Gallery")
    pictures, tiles = gallery.get_by_role("listbox"), gallery.locator("[role=option]")
    best = int(scatter.notebook.python("print(int(widget.record()['selectivity'].argmax('unit')))"))
    # Wherever an opened unit has brought it.
    pictures.focus()
    scatter.page.keyboard.press("Home")
    expect(tiles.first.locator("b")).to_have_text(str(best))
    # All of them by way of the keyboard, though only some are in the page at a time.
    seen = set()
    for _ in range(48):
        current = pictures.get_attribute("aria-activedescendant")
        seen.add(current.rpartition("-")[2])
        scatter.page.keyboard.press("ArrowRight")
    assert seen == {str(unit) for unit in range(48)}
    scatter.page.keyboard.press("Home")
    scatter.page.keyboard.press("Enter")
    eventually(lambda: scatter.python("unit"), str(best))
    expect(pictures).to_be_focused()
    scatter.page.keyboard.press("s")
    scatter.page.keyboard.press("p")
    eventually(lambda: (scatter.python("selected"), scatter.python("pinned")), (f"[{best}]", str(best)))
    gallery.get_by_label("Show").select_option("silent")
    # The dead one is silent too.
    expect(tiles.locator("b")).to_have_text(["5", "3"])
    gallery.get_by_label("Show").select_option("all")
    gallery.get_by_label("Sort by").select_option("rs")
    gallery.get_by_role("button", name="Highest first").click()
    expect(gallery.get_by_role("button", name="Lowest first")).to_be_visible()
    gallery.screenshot(path=artifacts / "scatter-gallery.png")


def test_short_names_are_spelled_out_on_hover_and_focus(scatter):
    scatter.notebook.python(f"widget.unit = {lonely(scatter)}")
    tip = scatter.root.locator(".tws-tip")
    term = scatter.root.locator(".tw-numbers").get_by_role("button", name="RS", exact=True)
    term.hover()
    expect(tip).to_contain_text("representative substitution")
    scatter.page.keyboard.press("Tab")
    scatter.page.mouse.move(5, 5)
    term.focus()
    scatter.page.keyboard.press("Shift+Tab")
    scatter.page.keyboard.press("Tab")
    expect(term).to_be_focused()
    expect(tip).to_contain_text("representative substitution")
    inside = "(tip) => { const [a, b] = [tip, tip.closest('.tw')].map((e) => e.getBoundingClientRect());"
    assert tip.evaluate(f"{inside} return a.left >= b.left && a.right <= b.right; }}")
    scatter.page.keyboard.press("Escape")
    expect(tip).to_have_count(0)
    expect(scatter.heading).to_be_visible()
    described = scatter.root.get_by_role("button", name="IAM", exact=True).first
    assert "independent activation maximization" in described.evaluate(
        "button => document.getElementById(button.getAttribute('aria-describedby')).textContent"
    )


def test_what_a_finger_needs_is_large_enough_and_nothing_is_cut_in_a_narrow_cell(scatter):
    unit = lonely(scatter)
    scatter.notebook.python(f"widget.pinned = {unit}; widget.unit = {unit - 1 if unit else 1}")
    scatter.root.get_by_role("button", name="Table of 48 units").click()
    for width in (1400, 700, 470):
        scatter.page.set_viewport_size({"width": width, "height": 1600})
        expect(scatter.heading).to_have_count(2)
        eventually(lambda: scatter.root.evaluate("root => root.scrollWidth <= root.clientWidth"), True)
        one, two = (scatter.root.locator(".tws-unit").nth(at).bounding_box() for at in range(2))
        assert abs(one["y"] - two["y"]) < 1
        assert one["x"] + one["width"] <= two["x"]
        small = scatter.root.evaluate(
            """root => [...root.querySelectorAll("button, select, .modebar-btn, label, [role=option]")]
                .map((one) => [one.textContent, one.getBoundingClientRect()])
                .filter(([, { width, height }]) => width > 0 && (width < 24 || height < 24))
                .map(([text, { width, height }]) => `${text} ${width} x ${height}`)"""
        )
        assert small == []
    scatter.page.set_viewport_size({"width": 1400, "height": 1000})
    scatter.root.get_by_role("button", name="Table of 48 units").click()


def test_what_changed_while_it_was_hidden_is_drawn_once_it_is_shown(scatter):
    scatter.root.evaluate("root => { root.parentElement.style.display = 'none'; }")
    scatter.notebook.python("widget.images = True; widget.y = 'auc'")
    scatter.page.wait_for_timeout(300)
    scatter.root.evaluate("root => { root.parentElement.style.display = ''; }")
    expect(scatter.title).to_contain_text("AUC for the preferred class against")
    plane = scatter.root.locator("canvas.tws-plane")
    eventually(lambda: plane.evaluate(PAINTED) >= 8 * 36 * 36, True)
    # While JupyterLab loads another theme, nothing has any room.
    for theme in ("Dark", "Light"):
        scatter.notebook.theme(theme)
        eventually(lambda: plane.evaluate(PAINTED) >= 8 * 36 * 36, True)


def test_a_lasso_selects_and_stays_the_tool(scatter):
    tool = scatter.root.locator(".modebar-btn[data-val=lasso]")
    scatter.plot.hover()
    tool.click()
    expect(tool).to_have_class(re.compile("active"))
    box = scatter.whole_plot()
    middle, across = box["x"] + 220, box["y"] + box["height"] / 2
    mouse = scatter.page.mouse
    mouse.move(middle + 130, across)
    mouse.down()
    for step in range(1, 17):
        angle = 2 * math.pi * step / 16
        mouse.move(middle + 130 * math.cos(angle), across + 90 * math.sin(angle))
    mouse.up()
    eventually(lambda: scatter.python("selected") != "[]", True)
    count = scatter.python("selected").count(",") + 1
    expect(scatter.root.locator(".tws-selection")).to_contain_text(f"{count} selected")
    assert count < 44  # not all: the ring holds the middle of the plot
    expect(tool).to_have_class(re.compile("active"))
    scatter.root.locator(".modebar-btn[data-val=select]").click()


def test_layer_objective_and_columns_change_without_a_kernel(scatter):
    scatter.page.evaluate(
        """() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
            .requestExecute({ code: 'import time; time.sleep(3)' }); }"""
    )
    scatter.root.get_by_label("Layer").select_option("features.4")
    scatter.root.get_by_role("button", name="AM", exact=True).click()
    scatter.root.get_by_label("x axis").select_option("auc")
    scatter.root.get_by_label("Color").select_option("accuracy_drop")
    expect(scatter.title).to_have_text(
        "features.4: RS (AM) against AUC for the preferred class", timeout=2_500
    )
    eventually(lambda: scatter.python("layer"), "features.4")
    assert [scatter.python(name) for name in ("objective", "x", "color")] == ["am", "auc", "accuracy_drop"]


def test_dead_silent_and_failed_units_are_said_in_words(scatter):
    for unit, words in ((3, "Dead"), (5, "Silent"), (7, "No IAM image: the image held NaN.")):
        scatter.notebook.python(f"widget.unit = {unit}")
        expect(scatter.root.locator(".tw-note", has_text=words)).to_be_visible(timeout=WAIT)


def test_the_image_for_the_eye_gives_way_to_the_measured_one_by_keyboard(scatter):
    scatter.notebook.python("widget.unit = 2")
    which = scatter.root.get_by_role("group", name="Which IAM image of unit 2")
    expect(which.get_by_role("button", name="for the eye")).to_have_attribute("aria-pressed", "true")
    expect(scatter.large).to_have_attribute("aria-label", "IAM image of unit 2, bounded contrast")
    contrast = """canvas => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const green = data.filter((_, at) => at % 4 === 1);
        const mean = green.reduce((sum, value) => sum + value, 0) / green.length;
        return Math.sqrt(green.reduce((sum, value) => sum + (value - mean) ** 2, 0) / green.length);
    }"""
    soft = scatter.large.evaluate(contrast)
    which.get_by_role("button", name="for the eye").focus()
    scatter.page.keyboard.press("Tab")
    scatter.page.keyboard.press("Enter")
    expect(scatter.large).to_have_attribute("aria-label", "IAM image of unit 2, as RS was measured")
    eventually(lambda: scatter.large.evaluate(contrast) > 1.3 * soft, True)
    expect(scatter.root.locator(".tws-which p")).to_contain_text("the image that RS was measured on")
    scatter.page.keyboard.press("Shift+Tab")
    scatter.page.keyboard.press("Enter")
    expect(scatter.large).to_have_attribute("aria-label", "IAM image of unit 2, bounded contrast")


def test_a_flat_unit_is_said_in_words_with_what_says_more(scatter):
    scatter.notebook.python("widget.unit = 10")
    note = scatter.root.locator(".tw-note", has_text="Flat: one color")
    expect(note).to_contain_text("one position of its map", timeout=WAIT)
    expect(scatter.large).to_have_attribute("aria-label", "IAM image of unit 10, one position")
    scatter.notebook.python("widget.unit = 11")
    expect(note).to_contain_text("images of the data that it responds to most", timeout=WAIT)
    expect(scatter.large).to_have_attribute("aria-label", "IAM image of unit 11, one flat color")
    expect(scatter.root.get_by_role("region", name="Unit 11, one flat color")).to_be_visible()


def test_looks(scatter, artifacts: Path):
    """Screenshots for people to look at, wide and narrow, light and dark."""
    scatter.place(lonely(scatter))
    for theme in ("Light", "Dark"):
        scatter.notebook.theme(theme)
        scatter.root.screenshot(path=artifacts / f"unit-scatter-{theme.lower()}.png")
        expect(scatter.root).to_have_attribute("data-tw-theme", theme.lower())
    scatter.notebook.theme("Light")
    scatter.page.set_viewport_size({"width": 700, "height": 1800})
    plot, unit = scatter.plot, scatter.root.locator(".tws-unit")
    expect(scatter.root.locator(".main-svg").first).to_have_attribute(
        "width", f"{plot.bounding_box()['width']:.0f}"
    )
    assert unit.bounding_box()["y"] > plot.bounding_box()["y"] + plot.bounding_box()["height"]
    assert scatter.root.evaluate("root => root.scrollWidth <= root.clientWidth")
    legend, title = (scatter.root.locator(name).bounding_box() for name in (".legend .bg", ".xtitle"))
    assert legend["y"] >= title["y"] + title["height"] - 1
    scatter.root.screenshot(path=artifacts / "unit-scatter-narrow.png")
    scatter.page.set_viewport_size({"width": 1400, "height": 1000})
