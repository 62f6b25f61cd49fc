"""The README's moving pictures: each widget used in a real browser, as a person would.

    uv run --group test python docs/make_pictures.py [NAME ...]

In: the records that come with the package. Out: tuning-explorer.webp, on a dark page too, unit-scatter.webp and
recovery-checklist.webp beside this file. A pointer is drawn in, since a browser's screenshots show none.
"""

import argparse
import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

from browser.lab import CHROMIUM_ARGS, find_chromium  # noqa: E402
from PIL import Image  # noqa: E402
from playwright.sync_api import Locator, Page, sync_playwright  # noqa: E402

import tunewidgets as tw  # noqa: E402

HERE = Path(__file__).parent
WIDTH, HEIGHT, TALL, TOP = 1080, 660, 800, 44
QUALITY = 70
ROWS, NAME = (1, 3), "fur"
LAYER, UNITS = "relu2", (43, 1, 24, 4)  # stripes that others respond to, and one that nearly all exceed
MOST_BYTES = 2_000_000
STEP, GLIDE, LOOK, LONG_LOOK = 90, 45, 1500, 2600  # milliseconds
POINTER = """() => {
    const pointer = document.createElement("div");
    pointer.innerHTML = `<svg width="22" height="26" viewBox="0 0 22 26">
        <path d="M2 1v19l5-4.6L10.4 24l3.4-1.5-3.4-8.1H17z" fill="#111" stroke="#fff" stroke-width="1.6"/></svg>`;
    pointer.style.cssText = "position:fixed;left:0;top:0;z-index:9999;pointer-events:none;";
    document.body.append(pointer);
    document.addEventListener("mousemove", (event) => {
        pointer.style.transform = `translate(${event.clientX - 2}px, ${event.clientY - 1}px)`;
    }, { capture: true });
    document.querySelector("footer")?.remove();
}"""


class Recorder:
    """A page and the frames that were taken of it, each with how long it stays."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.at = (WIDTH * 0.6, HEIGHT * 0.9)
        self.frames: list[tuple[Image.Image, int]] = []
        page.mouse.move(*self.at)

    def take(self, milliseconds: int) -> None:
        shot = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        self.frames.append((shot, milliseconds))

    def glide(self, x: float, y: float) -> None:
        """Move the pointer there, slower at both ends."""
        (x0, y0), count = self.at, 9
        for step in range(1, count + 1):
            share = step / count
            share = share * share * (3 - 2 * share)
            self.page.mouse.move(x0 + (x - x0) * share, y0 + (y - y0) * share)
            self.take(GLIDE)
        self.at = (x, y)

    def glide_to(self, target: Locator) -> None:
        box = target.bounding_box()
        assert box is not None
        self.glide(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def click(self, look: int = LOOK) -> None:
        self.page.mouse.click(*self.at)
        self.page.wait_for_timeout(250)
        self.take(look)

    def drag(self, to_x: float, count: int) -> None:
        """Drag what is under the pointer to the side, a frame for each of `count` steps."""
        x0, y = self.at
        self.page.mouse.down()
        for step in range(1, count + 1):
            self.page.mouse.move(x0 + (to_x - x0) * step / count, y)
            self.take(STEP)
        self.page.mouse.up()
        self.at = (to_x, y)

    def scroll(self, distance: float) -> None:
        """Scroll the page, slower at both ends."""
        count, done = 7, 0.0
        for step in range(1, count + 1):
            share = step / count
            wanted = distance * share * share * (3 - 2 * share)
            self.page.evaluate("(by) => window.scrollBy({ top: by, behavior: 'instant' })", wanted - done)
            done = wanted
            self.take(GLIDE)

    def save(self, path: Path) -> None:
        first, *rest = [frame for frame, _ in self.frames]
        first.save(
            path,
            save_all=True,
            append_images=rest,
            duration=[milliseconds for _, milliseconds in self.frames],
            loop=0,
            quality=QUALITY,
            method=6,
            kmax=40,
        )


def explore(record: Recorder) -> None:
    """Drag two sliders from end to end, and give a dimension a name to ask about."""
    sliders = record.page.locator(".twe-slider")
    record.take(LOOK)
    for row in ROWS:
        box = sliders.nth(row).bounding_box()
        assert box is not None
        left, right = box["x"] + 7, box["x"] + box["width"] - 7
        record.glide(left, box["y"] + box["height"] / 2)
        record.drag(right, 31)
        record.take(LOOK)
    record.page.keyboard.press("l")
    for letter in NAME:
        record.page.keyboard.type(letter)
        record.take(2 * STEP)
    record.page.keyboard.press("Enter")
    record.page.wait_for_timeout(200)
    record.take(LONG_LOOK)


def open_units(record: Recorder) -> None:
    """Open four units, see images in their places, then color all by what losing them costs."""
    record.take(LOOK)
    for unit in UNITS:
        x, y = _where(record.page, unit)
        record.glide(x, y)
        record.click(LOOK // 3)
        # Off the point, since its hover card would hide others.
        record.glide(x + 50, HEIGHT / 2)
        record.take(LOOK)
    record.glide_to(record.page.get_by_role("button", name="Images", exact=True))
    record.click(LONG_LOOK)
    color = record.page.get_by_label("Color")
    record.glide_to(color)
    color.select_option(label="accuracy drop when ablated")
    record.page.wait_for_timeout(400)
    record.take(LONG_LOOK)


def _where(page: Page, unit: int) -> tuple[float, float]:
    """Where a unit's point is in the window."""
    x, y = page.evaluate(
        """(unit) => {
            const plot = document.querySelector(".tw-scatter .js-plotly-plot");
            const { xaxis, yaxis } = plot._fullLayout;
            const { x, y } = plot.getBoundingClientRect();
            const trace = plot.data.find((each) => each.customdata?.includes(unit));
            const at = trace.customdata.indexOf(unit);
            return [
                x + xaxis._offset + xaxis.d2p(trace.x[at]),
                y + yaxis._offset + yaxis.d2p(trace.y[at]),
            ];
        }""",
        unit,
    )
    return x, y


def judge(record: Recorder) -> None:
    """Open a cell, look at its film, and say what one sees."""
    record.take(LOOK)
    record.glide_to(record.page.locator(".twr-cell").nth(18))
    record.click(LOOK // 2)
    panel = record.page.get_by_text("Does phase change along it?").bounding_box()
    assert panel is not None
    record.scroll(panel["y"] - HEIGHT / 2)
    record.take(LOOK)
    record.glide_to(record.page.get_by_role("button", name="yes", exact=True))
    record.click(LONG_LOOK)


def recordings() -> dict[str, tuple[Callable[[], object], Callable[[Recorder], None], int]]:
    """Each picture's widget, what is done in it, and its height."""

    def film() -> object:
        return tw.TuningExplorer(tw.zoo.example("googlenet_4a"))

    return {
        "tuning-explorer": (film, explore, HEIGHT),
        "tuning-explorer-dark": (film, explore, HEIGHT),
        "unit-scatter": (
            lambda: tw.UnitScatter(tw.zoo.example("shallow_cnn"), layer=LAYER),
            open_units,
            TALL,
        ),
        "recovery-checklist": (
            lambda: tw.RecoveryChecklist(tw.zoo.example("gabor_recovery")),
            judge,
            HEIGHT,
        ),
    }


def main() -> None:
    """Make the pictures that are asked for, or all."""
    known = recordings()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *known], help="which pictures (default: all)")
    names = parser.parse_args().names or list(known)
    chromium = find_chromium()
    if chromium is None:
        sys.exit("the pictures are taken in Chromium or Chrome, and none is on PATH; install one")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGS)
        for name in names:
            widget, act, height = known[name]
            page = browser.new_page(viewport={"width": WIDTH, "height": height})
            theme = "dark" if name.endswith("dark") else "light"
            exported = tw.export_html(widget(), Path(folder, f"{name}.html"), theme=theme)
            page.goto(exported.path.as_uri())
            page.locator(".tw").wait_for()
            page.wait_for_timeout(1000)
            page.evaluate(POINTER)
            # A page that is shorter than its window would not scroll.
            page.evaluate(
                "(top) => { document.body.style.minHeight = '200vh'; window.scrollTo(0, top); }", TOP
            )
            record = Recorder(page)
            act(record)
            record.save(HERE / f"{name}.webp")
            page.close()
            print(
                f"{name}.webp: {len(record.frames)} frames, {(HERE / f'{name}.webp').stat().st_size / 1e3:.0f} kB"
            )
        browser.close()
    sizes = {name: (HERE / f"{name}.webp").stat().st_size for name in known}
    large = {name: size for name, size in sizes.items() if size > MOST_BYTES}
    if large:
        sys.exit(f"more than {MOST_BYTES / 1e6:g} MB: {large}")


if __name__ == "__main__":
    main()
