"""TuningExplorer in a real JupyterLab and a real Chromium, as a reader uses it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser.lab import WAIT, Notebook, eventually
from playwright.sync_api import Locator, expect

NOTEBOOK = """
from films import make_film
import tunewidgets as tw
film = make_film(6, 32, 64, 28, noise=4, failed={4: "constant direction: nothing turns"}, converged=False)
widget = tw.TuningExplorer(film)
widget
"""


class Explorer:
    """What a reader sees of one view of the explorer."""

    def __init__(self, notebook: Notebook, view: int = 0) -> None:
        self.notebook = notebook
        self.root: Locator = notebook.page.locator(".tw-explorer").nth(view)
        self.rows = self.root.locator(".twe-row")
        self.sliders = self.root.get_by_role("slider")
        self.labels = self.root.get_by_role("textbox")
        self.picture = self.root.locator("canvas.twe-picture")
        self.count = self.root.locator(".twe-count")
        self.play = self.root.locator(".twe-play")

    def pixels(self) -> str:
        return self.picture.evaluate("canvas => canvas.toDataURL()")

    def python(self, name: str) -> str:
        return self.notebook.python(f"print(widget.{name})")

    def expect_active(self, dimension: int, timeout: int = WAIT) -> None:
        expect(self.rows.nth(dimension)).to_have_attribute("aria-current", "true", timeout=timeout)

    def expect_first_state(self, timeout: int) -> None:
        self.expect_active(0, timeout)
        expect(self.count).to_have_text("32 / 32", timeout=timeout)
        for row in range(6):
            expect(self.labels.nth(row)).to_have_value("", timeout=timeout)


@pytest.fixture(scope="module")
def shown(open_notebook: Callable[[str], Notebook]) -> Explorer:
    """The explorer of all tests in this file: opening a notebook takes longer than what is done in it."""
    explorer = Explorer(open_notebook(NOTEBOOK))
    expect(explorer.picture).to_be_visible(timeout=60_000)
    return explorer


@pytest.fixture
def explorer(shown: Explorer) -> Iterator[Explorer]:
    """The same one as it was at first, and a check that the console stayed silent."""
    shown.notebook.set_back(
        "widget.playing = False; widget.dimension = 0; widget.points = [31] * 6; widget.labels = [''] * 6",
        shown.expect_first_state,
    )
    yield shown
    assert shown.notebook.complaints == []


def test_moves_by_keyboard_and_python_sees_it(explorer):
    explorer.sliders.nth(0).focus()
    before = explorer.pixels()
    for _ in range(5):
        explorer.notebook.page.keyboard.press("ArrowLeft")
    expect(explorer.count).to_have_text("27 / 32")
    assert explorer.pixels() != before
    eventually(lambda: explorer.python("points"), "[26, 31, 31, 31, 31, 31]")
    explorer.notebook.page.keyboard.press("ArrowDown")
    explorer.notebook.page.keyboard.press("Home")
    expect(explorer.count).to_have_text("1 / 32")
    expect(explorer.sliders.nth(1)).to_be_focused()
    eventually(lambda: explorer.python("points"), "[26, 0, 31, 31, 31, 31]")
    assert explorer.python("dimension") == "1"


def test_moves_by_mouse_and_python_sees_it(explorer):
    box = explorer.sliders.nth(2).bounding_box()
    before = explorer.pixels()
    mouse = explorer.notebook.page.mouse
    # From the thumb, which is at the right end, to the middle.
    mouse.move(box["x"] + box["width"] - 7, box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=12)
    mouse.up()
    explorer.expect_active(2)
    assert explorer.pixels() != before
    point = int(explorer.sliders.nth(2).input_value())
    assert 14 <= point <= 17
    eventually(lambda: explorer.python("points"), f"[31, 31, {point}, 31, 31, 31]")


def test_scrubbing_asks_nothing_of_python(explorer):
    """A busy kernel can answer nothing: the page moves all the same, and the last value arrives."""
    explorer.notebook.page.evaluate(
        """() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
            .requestExecute({ code: 'import time; time.sleep(3)' }); }"""
    )
    explorer.sliders.nth(0).focus()
    seen = set()
    for _ in range(8):
        explorer.notebook.page.keyboard.press("ArrowLeft")
        seen.add(explorer.pixels())
    assert len(seen) == 8
    expect(explorer.count).to_have_text("24 / 32")
    eventually(lambda: explorer.python("points[0]"), "23")


def test_follows_python(explorer):
    before = explorer.pixels()
    explorer.notebook.python(
        "widget.dimension = 3; widget.points = [0, 1, 2, 3, 4, 5]; widget.labels = list('abcdef')"
    )
    explorer.expect_active(3)
    expect(explorer.count).to_have_text("4 / 32", timeout=WAIT)
    expect(explorer.labels.nth(5)).to_have_value("f", timeout=WAIT)
    assert [explorer.sliders.nth(at).input_value() for at in range(6)] == list("012345")
    assert explorer.pixels() != before


def test_label_typed_in_the_page_arrives_as_text(explorer):
    explorer.labels.nth(1).fill("orientation <b>&amp;")
    eventually(lambda: explorer.python("labels[1]"), "orientation <b>&amp;")
    explorer.labels.nth(1).press("Enter")
    expect(explorer.sliders.nth(1)).to_be_focused()
    expect(explorer.root.locator(".twe-title")).to_have_text("orientation <b>&amp;")
    assert explorer.root.locator("b").count() == 0
    assert explorer.python("labeled()['label'].values[1]") == "orientation <b>&amp;"


def test_enter_on_a_button_is_the_buttons_and_not_the_notebooks(explorer):
    explorer.play.focus()
    explorer.notebook.page.keyboard.press("Enter")
    expect(explorer.play).to_have_text("Stop")
    explorer.notebook.page.keyboard.press("Enter")
    expect(explorer.play).to_have_text("Play")
    # In command mode, Enter puts the cursor into the cell.
    expect(explorer.play).to_be_focused()


def test_play_plays_and_stops(explorer):
    explorer.notebook.python("widget.points = [10] * 6")
    expect(explorer.count).to_have_text("11 / 32", timeout=WAIT)
    before = explorer.pixels()
    explorer.play.click()
    expect(explorer.play).to_have_text("Stop")
    eventually(lambda: explorer.python("playing"), "True")
    expect(explorer.count).not_to_have_text("11 / 32", timeout=WAIT)
    assert explorer.pixels() != before
    explorer.sliders.nth(0).focus()
    explorer.notebook.page.keyboard.press(" ")
    expect(explorer.play).to_have_text("Play")
    eventually(lambda: explorer.python("playing"), "False")
    rest = explorer.count.text_content()
    explorer.notebook.page.wait_for_timeout(500)
    assert explorer.count.text_content() == rest
    eventually(lambda: explorer.python("points[0] + 1"), rest.partition(" ")[0])


def test_two_views_are_in_step(open_notebook):
    notebook = open_notebook(NOTEBOOK)
    explorer, page = Explorer(notebook), notebook.page
    expect(explorer.picture).to_be_visible(timeout=60_000)
    page.evaluate(
        """async () => {
            const { content, context } = window.jupyterapp.shell.currentWidget;
            context.model.sharedModel.addCell({ cell_type: 'code', source: 'widget' });
            content.activeCellIndex = content.widgets.length - 1;
            await window.jupyterapp.commands.execute('notebook:run-cell');
        }"""
    )
    second = Explorer(notebook, view=1)
    expect(second.picture).to_be_visible(timeout=WAIT)
    second.sliders.nth(3).focus()
    page.keyboard.press("Home")
    explorer.expect_active(3)
    expect(explorer.count).to_have_text("1 / 32")
    explorer.labels.nth(3).fill("phase")
    expect(second.labels.nth(3)).to_have_value("phase")
    assert explorer.pixels() == second.pixels()
    assert notebook.complaints == []


def test_a_failed_dimension_says_why(explorer):
    expect(explorer.sliders.nth(4)).to_be_disabled()
    expect(explorer.rows.nth(4)).to_contain_text("constant direction: nothing turns")
    explorer.rows.nth(4).click()
    explorer.expect_active(4)
    expect(explorer.root.locator(".twe-screen")).to_have_text("constant direction: nothing turns")
    expect(explorer.play).to_be_disabled()
    explorer.notebook.page.keyboard.press("ArrowUp")
    explorer.expect_active(3)


def test_keys_leave_the_notebook_alone(explorer):
    explorer.sliders.nth(0).focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "ArrowLeft"):
        explorer.notebook.page.keyboard.press(key)
    cells = explorer.notebook.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets.length"
    )
    assert cells == 1
    explorer.expect_active(1)


def test_images_beyond_the_budget_come_from_the_kernel(open_notebook):
    small = "import tunewidgets.widgets.tuning_explorer as te; te.INLINE_BUDGET = 60_000\n"
    notebook = open_notebook(small + NOTEBOOK)
    explorer = Explorer(notebook)
    expect(explorer.picture).to_be_visible(timeout=60_000)
    assert notebook.python("print([bool(s) for s in widget._sprites])") == str([True] + [False] * 5)
    for dimension in (5, 3):
        explorer.rows.nth(dimension).click()
        expect(explorer.picture).to_be_visible(timeout=WAIT)
    assert notebook.complaints == []


PHOTO = """
import tunewidgets as tw
probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")
scenes = tw.zoo.images("dead-leaves", n=8, size=64)
sample = tw.sample_activations(probe, scenes, n=800, progress=False)
film = tw.render_film(probe, tw.TuningDimensions("pca", 3).fit(sample), 6, size=32, steps=3, progress=False)
film = tw.add_patches(film, probe, sample, scenes, progress=False)
widget = tw.TuningExplorer(film, probe, image=scenes[0])
widget
"""


def test_pointing_at_a_photo_moves_every_slider_there(open_notebook, artifacts: Path):
    notebook = open_notebook(PHOTO)
    explorer = Explorer(notebook)
    expect(explorer.picture).to_be_visible(timeout=60_000)
    photo = explorer.root.locator(".twe-photo")
    expect(explorer.root.locator(".twe-patches canvas")).to_have_count(8)
    beside, picture = (explorer.root.locator(name).bounding_box() for name in (".twe-beside", ".twe-picture"))
    assert beside["height"] == pytest.approx(picture["height"], abs=1)
    assert beside["x"] > picture["x"] + picture["width"]
    box = photo.bounding_box()
    # The map's 29 positions of 2 px begin at pixel 3 of 64: half way down is row 14, pixel 6 the middle of column 1.
    photo.click(position={"x": box["width"] * 6 / 64, "y": box["height"] / 2})
    eventually(lambda: explorer.python("position"), "[14, 1]")
    nearest = (
        "import numpy as np; from tunewidgets.kernels.tuning.places import places_on; "
        "own = places_on(film, probe, scenes[0])[:, 14, 1]; "
        "print(np.abs(film['coordinate'].values - own[:, None]).argmin(1).tolist())"
    )
    eventually(lambda: explorer.python("points"), notebook.python(nearest))
    expect(explorer.root.locator(".twe-mark")).to_have_count(3)
    photo.press("ArrowRight")
    eventually(lambda: explorer.python("position"), "[14, 2]")
    notebook.page.screenshot(path=artifacts / "tuning-explorer-photo.png")
    assert notebook.complaints == []


TOGETHER = """
import ipywidgets
from films import make_film
import tunewidgets as tw
first, second, third = (tw.TuningExplorer(make_film(9, 7, 32)) for _ in range(3))
widget = first
ipywidgets.VBox([
    ipywidgets.HBox([first, second]),
    ipywidgets.Tab([ipywidgets.HTML("some text"), third], titles=["text", "film"]),
])
"""


def test_fits_where_it_is_put_beside_another_and_behind_a_tab(open_notebook):
    notebook = open_notebook(TOGETHER)
    explorers = notebook.page.locator(".tw-explorer")
    expect(explorers.nth(1)).to_be_visible(timeout=60_000)
    first, second = (explorers.nth(at).bounding_box() for at in range(2))
    assert first["width"] == second["width"] > 500
    assert first["y"] == second["y"]
    notebook.page.locator(".lm-TabBar-tab", has_text="film").click()
    third = explorers.nth(2)
    expect(third.locator(".twe-picture")).to_be_visible(timeout=WAIT)
    expect(third.locator(".twe-more")).to_contain_text("more below")
    assert third.bounding_box()["width"] > 1000
    assert notebook.complaints == []


MANY = """
import numpy as np
from films import make_film
import tunewidgets as tw
film = make_film(64, 32, 64, 64, noise=4)
names = ["angle, p = .035", "orange/blue, p = .02", "", "green/purple, p = .035"] * 16
dims = ("dimension", "point", "exemplar")
patches = film["image"].values[:, :, None, ::4, ::4].repeat(4, 2)
film = film.assign(
    suggested_label=("dimension", np.array(names, dtype=object)),
    patch=((*dims, "patch_y", "patch_x", "rgb"), patches),
    patch_image=(dims, np.zeros(patches.shape[:3], np.int32)),
    patch_position=((*dims, "yx"), np.zeros((*patches.shape[:3], 2), np.int32)),
    patch_coordinate=(dims, np.zeros(patches.shape[:3], np.float32)),
)
widget = tw.TuningExplorer(film)
widget
"""


def test_a_layers_64_dimensions_are_gone_through_by_a_key_each(open_notebook, artifacts: Path):
    notebook = open_notebook(MANY)
    explorer, keyboard = Explorer(notebook), notebook.page.keyboard
    expect(explorer.picture).to_be_visible(timeout=60_000)
    notebook.page.set_viewport_size({"width": 1400, "height": 1000})
    explorer.sliders.nth(0).focus()
    stage, more = (explorer.root.locator(name).bounding_box() for name in (".twe-stage", ".twe-more"))
    assert more["y"] + more["height"] == pytest.approx(stage["y"] + stage["height"], abs=1)
    below = explorer.root.locator(
        ".twe-rows"
    ).evaluate("""list => [...list.children].filter(row =>
        row.getBoundingClientRect().bottom - row.clientHeight / 2 > list.getBoundingClientRect().bottom).length""")
    expect(explorer.root.locator(".twe-more")).to_have_text(f"{below} more below")
    notebook.page.screenshot(path=artifacts / "tuning-explorer-64.png")
    for row in range(64):
        explorer.expect_active(row)
        expect(explorer.picture).to_be_visible(timeout=WAIT)
        # Take one, turn one down, type one, and so on.
        if row % 4 == 1:
            keyboard.press("n")
        elif row % 4 == 2:
            keyboard.press("l")
            keyboard.type("texture")
            keyboard.press("Enter")
            keyboard.press("ArrowDown")
        else:
            keyboard.press("y")
    expect(explorer.root.locator(".twe-progress")).to_have_text("48 of 64 labeled")
    eventually(lambda: explorer.python("labels[:4]"), "['angle', '', 'texture', 'green/purple']")
    eventually(lambda: explorer.python("rejected[60:]"), "[False, True, False, False]")
    expect(explorer.rows.nth(63)).to_be_in_viewport()
    expect(explorer.root.locator(".twe-more")).to_have_text("Back to the first")
    notebook.page.screenshot(path=artifacts / "tuning-explorer-64-done.png")
    assert notebook.complaints == []


@pytest.mark.parametrize("theme", ["Light", "Dark"])
@pytest.mark.parametrize("width", [1400, 600])
def test_fits_its_place_in_either_theme(explorer, artifacts: Path, theme: str, width: int):
    page = explorer.notebook.page
    page.set_viewport_size({"width": width, "height": 1300})
    explorer.notebook.theme(theme)
    explorer.notebook.python("widget.labels = ['phase', '', 'orientation, a very long label', '', '', '']")
    explorer.rows.nth(1).click()
    page.keyboard.press("ArrowLeft")
    expect(explorer.root.locator(".twe-title")).to_have_text("dimension 1")
    page.screenshot(path=artifacts / f"tuning-explorer-{width}-{theme.lower()}.png")
    root = explorer.root
    wide, room = root.evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert wide <= room
    overflowing = root.evaluate(
        """root => [...root.querySelectorAll('*')]
            .filter(e => !e.closest('.tw-hidden, svg'))
            .filter(e => e.getBoundingClientRect().right > root.getBoundingClientRect().right + 1)
            .map(e => e.className)"""
    )
    assert overflowing == []
    if width == 1400:
        assert explorer.root.locator(".twe-rows").evaluate("e => e.scrollHeight - e.clientHeight") == 0
    text, background = root.evaluate("e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]")
    assert (_luminance(text) < _luminance(background)) == (theme == "Light")


def _luminance(color: str) -> float:
    return sum(float(part) for part in color.partition("(")[2].rstrip(")").split(",")[:3])
