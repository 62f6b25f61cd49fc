"""Browser tests: the explorer while all sliders move together, as a reader sees it."""

import re

from browser.lab import WAIT, Notebook
from playwright.sync_api import Locator, expect

FILM = """
import tunewidgets as tw
probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")
scenes = tw.zoo.images("dead-leaves", n=8, size=64)
sample = tw.sample_activations(probe, scenes, n=800, progress=False)
film = tw.render_film(probe, tw.TuningDimensions("pca", 3).fit(sample), 6, size=32, steps=3, progress=False)
"""


class Explorer:
    """What a reader sees of one view while all sliders move together."""

    def __init__(self, notebook: Notebook, view: int = 0) -> None:
        self.notebook = notebook
        self.root: Locator = notebook.page.locator(".tw-explorer").nth(view)
        self.sliders = self.root.get_by_role("slider")
        self.picture = self.root.locator("canvas.twe-picture")
        self.count = self.root.locator(".twe-count")
        self.light = self.root.locator(".tw-kernel")
        self.growth = self.root.locator(".tw-growth")
        self.keep = self.root.get_by_role("button", name=re.compile("Add to record|In the record"))

    def together(self) -> None:
        self.root.get_by_role("button", name="All sliders together").click()
        expect(self.root.locator(".twe-together")).to_be_visible()

    def slide(self, row: int, place: float) -> None:
        """Moves a slider as a drag does, to a place counted in points."""
        self.sliders.nth(row).evaluate(
            """(slider, place) => {
                slider.value = String(place);
                slider.dispatchEvent(new Event("input", { bubbles: true }));
            }""",
            place,
        )

    def expect_finished(self) -> None:
        expect(self.count).to_have_text("finished", timeout=2 * WAIT)
        expect(self.growth).to_have_count(0)

    def expect_growing(self) -> None:
        expect(self.count).to_have_text(re.compile(r"step [1-9]\d* / 48"), timeout=WAIT)

    def pixels(self) -> str:
        return self.picture.evaluate("canvas => canvas.toDataURL()")

    def python(self, expression: str) -> str:
        return self.notebook.python(f"print({expression})")


def opened(notebook: Notebook) -> Explorer:
    """The notebook's first explorer, with its first image."""
    explorer = Explorer(notebook)
    expect(explorer.picture).to_be_visible(timeout=4 * WAIT)
    return explorer
