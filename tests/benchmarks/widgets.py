"""Benchmark of the widgets in JupyterLab and Chromium, by the page's own clock.

In: nothing, or `--moves N`, or a part. Out: a table on the terminal and artifacts/widgets.json. `lab`: on a film of
6 × 32 points at 64 px, the size of the state without the code, the time from a slider's input event to the finished
draw call, and from the arrival of the state to the first paint; on the shipped record of units, the size of the state;
with 512 and 4,096 units, the time from a click on a point to its unit's image, and to the first paint. `exported` and
`live`: what `exported_page` and `live_requests` measure.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[at]) for at in range(3)]

import exported_page  # noqa: E402
import live_requests  # noqa: E402
from browser.lab import CHROMIUM_ARGS, ROOT, Notebook, find_chromium, jupyterlab  # noqa: E402
from films import make_film  # noqa: E402
from playwright.sync_api import Browser, sync_playwright  # noqa: E402

import tunewidgets as tw  # noqa: E402

FILM = "make_film(6, 32, 64, 28, noise=4)"
CELL = f"from films import make_film\nimport tunewidgets as tw\ntw.TuningExplorer({FILM})"
REPEATS = 5
BOUNDS = {"state_kb": 600, "bundle_kb": 60, "draw_ms": 8, "first_paint_ms": 300}
UNIT_BOUNDS = {"units_state_kb": 1500, "units_bundle_kb": 1400, "open_512_ms": 33, "open_4096_ms": 100}

# Installed before the page's code runs, so that the first paint is seen too.
OBSERVE = """() => {
    window.measured = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.measured.push([entry.name, entry.duration]);
    }).observe({ entryTypes: ["measure"] });
}"""


def measured(notebook: Notebook, name: str) -> list[float]:
    return notebook.page.evaluate(
        "(name) => window.measured.filter(([n]) => n === name).map(([, ms]) => ms)", name
    )


def sizes(widget: tw.TuningExplorer | tw.UnitScatter) -> tuple[int, int]:
    """Bytes of a widget's state without code and style, and of the code that it shares with others."""
    state = {name: value for name, value in widget.get_state().items() if name not in {"_esm", "_css"}}
    sprites = sum(map(len, state.pop("_sprites")))
    return len(json.dumps(state).encode()) + sprites, len(widget._code.code.encode())


def state_size() -> tuple[int, int]:
    """Bytes of the synced state without the code, and of the code."""
    return sizes(tw.TuningExplorer(make_film(6, 32, 64, 28, noise=4)))


def in_the_page(browser: Browser, moves: int) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory() as folder, jupyterlab(Path(folder)) as server:
        first_paints, keys, drags = [], [], []
        for repeat in range(REPEATS):
            context = browser.new_context(viewport={"width": 1400, "height": 1000})
            notebook = Notebook(context.new_page(), server)
            notebook.open(server.write_notebook(f"bench{repeat}.ipynb", CELL))
            notebook.page.evaluate(OBSERVE)
            notebook.run_all()
            notebook.page.locator("canvas.twe-picture").wait_for(timeout=60_000)
            notebook.page.wait_for_function(
                "() => window.measured.some(([n]) => n === 'tunewidgets:first-paint')"
            )
            first_paints += measured(notebook, "tunewidgets:first-paint")
            if repeat == 0:
                keys, drags = by_keys(notebook, moves), by_mouse(notebook, moves)
            context.close()
    return {"first_paint_ms": first_paints, "draw_ms by keys": keys, "draw_ms by mouse": drags}


def by_keys(notebook: Notebook, moves: int) -> list[float]:
    notebook.page.locator(".twe-slider").first.focus()
    notebook.page.evaluate("() => { window.measured = []; }")
    for move in range(moves):
        notebook.page.keyboard.press("ArrowLeft" if (move // 31) % 2 == 0 else "ArrowRight")
    notebook.page.wait_for_timeout(200)
    return measured(notebook, "tunewidgets:draw")


def by_mouse(notebook: Notebook, moves: int) -> list[float]:
    box = notebook.page.locator(".twe-slider").nth(1).bounding_box()
    assert box is not None
    y, mouse = box["y"] + box["height"] / 2, notebook.page.mouse
    mouse.move(box["x"] + box["width"] - 7, y)
    mouse.down()
    notebook.page.evaluate("() => { window.measured = []; }")
    for move in range(moves):
        # 31 steps of the slider from end to end and back, so that every move lands on another point.
        there = abs((move + 1) % 62 - 31) / 31
        mouse.move(box["x"] + 7 + there * (box["width"] - 14), y)
    mouse.up()
    notebook.page.wait_for_timeout(200)
    return measured(notebook, "tunewidgets:draw")


def unit_state_size() -> tuple[int, int]:
    """Bytes of the scatter's synced state without the code, and of the code."""
    return sizes(tw.UnitScatter(tw.zoo.example("shallow_cnn")))


def opening(browser: Browser, units: int, clicks: int) -> dict[str, list[float]]:
    """Milliseconds from a click on a point to the image of its unit, and to the first paint."""
    cell = f"from unit_records import make_units\nimport tunewidgets as tw\ntw.UnitScatter(make_units({units}, 32))"
    with tempfile.TemporaryDirectory() as folder, jupyterlab(Path(folder)) as server:
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        notebook = Notebook(context.new_page(), server)
        notebook.open(server.write_notebook("bench.ipynb", cell))
        notebook.page.evaluate(OBSERVE)
        notebook.run_all()
        notebook.page.wait_for_function(
            "() => window.measured.some(([n]) => n === 'tunewidgets:first-paint')", timeout=60_000
        )
        places = notebook.page.evaluate(
            """(clicks) => {
                const points = [...document.querySelectorAll(".tw-scatter .scatterlayer .point")];
                return Array.from({ length: clicks }, (_, at) => {
                    const box = points[at * Math.floor(points.length / clicks)].getBoundingClientRect();
                    return [box.x + box.width / 2, box.y + box.height / 2];
                });
            }""",
            clicks,
        )
        for x, y in places:
            notebook.page.mouse.click(x, y)
            notebook.page.wait_for_timeout(100)
        found = {
            f"open_{units}_ms": measured(notebook, "tunewidgets:open"),
            f"units_{units}_first_paint_ms": measured(notebook, "tunewidgets:first-paint"),
        }
        context.close()
        return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--moves", type=int, default=100, help="slider moves of each kind (default: 100)")
    parser.add_argument(
        "part", nargs="?", choices=["lab", "exported", "live"], help="measure only this (default: all)"
    )
    arguments = parser.parse_args()
    moves = arguments.moves
    chromium = find_chromium()
    if chromium is None:
        sys.exit("this benchmark needs Chromium or Chrome on PATH; install Debian's package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGS)
        times: dict[str, list[float]] = {}
        if arguments.part in (None, "exported"):
            times |= exported_page.measure(browser)
        if arguments.part in (None, "lab"):
            times |= in_the_page(browser, moves)
            for units in (512, 4096):
                times |= opening(browser, units, max(5, moves // 4))
        if arguments.part in (None, "live"):
            times |= live_requests.measure(browser)
        version = browser.version
        browser.close()
    state, code = state_size()
    unit_state, unit_code = unit_state_size()
    rows: list[tuple[str, float, float, int, float]] = [
        ("state_kb", state / 1000, state / 1000, 1, BOUNDS["state_kb"]),
        ("bundle_kb", code / 1000, code / 1000, 1, BOUNDS["bundle_kb"]),
        ("units_state_kb", unit_state / 1000, unit_state / 1000, 1, UNIT_BOUNDS["units_state_kb"]),
        ("units_bundle_kb", unit_code / 1000, unit_code / 1000, 1, UNIT_BOUNDS["units_bundle_kb"]),
    ]
    for name, values in times.items():
        # The scatter's first paint has no bound of its own: nan.
        bound = (BOUNDS | UNIT_BOUNDS | live_requests.BOUNDS | exported_page.BOUNDS).get(
            name.split()[0], float("nan")
        )
        rows.append((name, statistics.median(values), max(values), len(values), bound))
    print(f"{FILM}, Chromium {version}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'':28}{'median':>10}{'worst':>10}{'n':>6}{'bound':>8}")
    for name, middle, worst, count, bound in rows:
        print(f"{name:28}{middle:10.1f}{worst:10.1f}{count:6d}{bound:8.0f}")
    report: dict[str, Any] = {
        "film": FILM,
        "chromium": version,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "results": {
            name: {"median": middle, "worst": worst, "n": count, "bound": bound if bound == bound else None}
            for name, middle, worst, count, bound in rows
        },
    }
    target = ROOT / "artifacts" / "widgets.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
