"""Benchmark of the exported demo page: how soon it can be used.

In: a browser. Out: milliseconds from the start of navigation to the page's load event, to the answer of a slider that
is moved as soon as it is there, and to the last widget's first paint; what of that comes after the load event; its
size in MB.
"""

from pathlib import Path

from browser.lab import ROOT
from playwright.sync_api import Browser

from tunewidgets.cli.demo import write_demo_page

REPEATS = 9
WIDGETS = 3
BOUNDS = {"page_mb": 4, "page_usable_after_load_ms": 1000}

# Before any of the page's own code. The first slider is moved as soon as there is one, as a quick reader would.
WATCH = """
window.measured = {};
new PerformanceObserver((list) => {
    for (const { name, startTime, duration } of list.getEntries()) {
        (window.measured[name] ??= []).push(startTime + duration);
    }
}).observe({ entryTypes: ["measure"] });
const move = () => {
    const slider = document.querySelector(".twe-slider");
    if (!slider) return requestAnimationFrame(move);
    slider.value = String(Number(slider.value) > 0 ? 0 : 1);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
};
requestAnimationFrame(move);
"""
FOUND = """(widgets) => {
    const { "tunewidgets:draw": draws, "tunewidgets:first-paint": paints } = window.measured;
    const load = performance.getEntriesByType("navigation")[0].loadEventEnd;
    if (!draws || !load || (paints ?? []).length < widgets) return null;
    return { load, slider: draws[0], all: Math.max(...paints) };
}"""


def measure(browser: Browser) -> dict[str, list[float]]:
    """The demo's page, opened from a file in a new browser profile each time."""
    folder = ROOT / "artifacts" / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "demo.html"
    write_demo_page(page)
    times: list[dict[str, float]] = [_opened(browser, page) for _ in range(REPEATS)]
    return {
        "page_mb": [page.stat().st_size / 1e6],
        "page_load_ms": [one["load"] for one in times],
        "page_slider_ms": [one["slider"] for one in times],
        "page_all_painted_ms": [one["all"] for one in times],
        "page_usable_after_load_ms": [
            max(0.0, one["slider"] - one["load"], one["all"] - one["load"]) for one in times
        ],
    }


def _opened(browser: Browser, path: Path) -> dict[str, float]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(path.as_uri())
    found = page.wait_for_function(FOUND, arg=WIDGETS, timeout=60_000).json_value()
    context.close()
    return dict(found)
