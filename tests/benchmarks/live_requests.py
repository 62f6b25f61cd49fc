"""Benchmark of live requests: all of an explorer's sliders together, in JupyterLab and Chromium, on 64 px images.

In: a browser. Out: by the page's clock, the time from a slider's stop to the first grown image and to the finished one,
of a Gabor bank and of a layer as large as GoogLeNet's first; from Stop to the worker's end; and what 200 slider moves
in 10 seconds do to the queue, the memory and the frames. The same of units on request in the scatter: from a click to
the first image and to the finished one, and from Stop to the end.
"""

import tempfile
from pathlib import Path

from browser.lab import Notebook, jupyterlab
from playwright.sync_api import Browser

BOUNDS = {
    "live_first_ms": 300,
    "live_final_ms": 1500,
    "live_cancel_ms": 250,
    "live_running": 1,
    "live_waiting": 1,
    "live_wrong_last": 0,
    "live_frame_ms": 33.4,
}
MOVES, SECONDS = 200, 10
FILM = """
import os, torch, tunewidgets as tw
probe = {probe}
sample = tw.sample_activations(probe, tw.zoo.images("dead-leaves", n=24, size=64), n=2000, progress=False)
film = tw.render_film(probe, tw.TuningDimensions("pca", 4).fit(sample), 12, size=64, steps=16, progress=False)
widget = tw.TuningExplorer(film, probe)
widget
"""
PROBES = {
    "gabor": 'tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")',
    # 64 filters of 7 × 7 pixels and 3 colors at a stride of 2.
    "conv1": 'tw.Probe(torch.nn.Sequential(torch.nn.Conv2d(3, 64, 7, 2, 3), torch.nn.ReLU()), "1", device="cpu")',
}
# The shipped network's first layer, 64 units, on images of 32 px by 64 steps.
UNITS = """
import tunewidgets as tw
recorded = tw.zoo.example("shallow_cnn")["relu1"].to_dataset()
measured = recorded[["selectivity", "preferred_class", "class_mean", "mean_activation", "dead"]]
probe = tw.Probe(tw.zoo.load("shallow_cnn"), "relu1", device="cpu")
widget = tw.UnitScatter(measured, probe, {"size": 32, "steps": 64})
widget
"""
OBSERVE = """() => {
    window.measured = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.measured.push([entry.name, entry.duration]);
    }).observe({ entryTypes: ["measure"] });
    window.slide = (row, place) => {
        const slider = document.querySelectorAll(".twe-slider")[row];
        slider.value = String(place);
        slider.dispatchEvent(new Event("input", { bubbles: true }));
    };
}"""
# Samples of what the worker has to do, every few milliseconds: what it is at, and what waits and is still wanted.
WATCH = """
import threading, time
from tunewidgets.widgets.live import WORKER
seen = {"running": 0, "waiting": 0}
watching = True
def watch():
    while watching:
        wanted = [request for request in list(WORKER._waiting) if not request.stopped]
        seen["waiting"] = max(seen["waiting"], len(wanted))
        live = widget._live._current
        seen["running"] = max(seen["running"], int(live is not None and not live.over))
        time.sleep(0.003)
threading.Thread(target=watch, daemon=True).start()
"""
RESIDENT = "print(int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 1e6)"
RUSH = """async ([moves, seconds]) => {
    const frames = [];
    let going = true;
    const frame = (time) => { frames.push(time); if (going) requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
    for (let move = 0; move < moves; move++) {
        window.slide(move % 4, 11 * Math.random());
        await new Promise((resolve) => setTimeout(resolve, 1000 * seconds / moves));
    }
    going = false;
    return frames.slice(1).map((time, at) => time - frames[at]);
}"""


# In the page, where nothing is between the first sight of a growing image and the click.
STOP_AT_ONCE = """() => new MutationObserver(() => {
    if (document.querySelector("canvas.tws-partial")) document.querySelector(".tws-stop")?.click();
}).observe(document.body, { childList: true, subtree: true, attributes: true })"""


def measure(browser: Browser) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, jupyterlab(Path(folder)) as server:
        for name, probe in PROBES.items():
            context = browser.new_context(viewport={"width": 1400, "height": 1000})
            notebook = Notebook(context.new_page(), server)
            notebook.open(server.write_notebook(f"{name}.ipynb", FILM.replace("{probe}", probe)))
            notebook.page.evaluate(OBSERVE)
            notebook.run_all()
            notebook.page.get_by_role("button", name="All sliders together").click(timeout=120_000)
            _until_finished(notebook)
            found |= _single(notebook, name)
            found |= _canceled(notebook, name)
            found |= _rush(notebook, name)
            context.close()
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        notebook = Notebook(context.new_page(), server)
        notebook.open(server.write_notebook("units.ipynb", UNITS))
        notebook.page.evaluate(OBSERVE)
        notebook.run_all()
        notebook.page.locator(".tw-scatter .scatterlayer .point").first.wait_for(timeout=120_000)
        found |= _units(notebook)
        context.close()
    return found


def _units(notebook: Notebook, clicks: int = 12) -> dict[str, list[float]]:
    """Units opened one after the other, each until it is finished; then some that are stopped as they grow."""
    page = notebook.page
    page.evaluate("() => { window.measured = []; }")
    for unit in range(clicks):
        notebook.python(f"widget.unit = {unit}")
        page.wait_for_function(
            "(unit) => document.querySelector('.tws-unit h4')?.textContent.startsWith(`Unit ${unit}`)"
            " && document.querySelector('canvas.tws-large') && !document.querySelector('.tw-growth')",
            arg=unit,
        )
    found = {
        "live_first_ms units": _taken(notebook, "tunewidgets:live-first"),
        "live_final_ms units": _taken(notebook, "tunewidgets:live-final"),
    }
    page.evaluate("() => { window.measured = []; }")
    page.evaluate(STOP_AT_ONCE)
    for unit in range(clicks, 2 * clicks):
        notebook.python(f"widget.unit = {unit}")
        page.wait_for_timeout(600)
    return {**found, "live_cancel_ms units": _taken(notebook, "tunewidgets:live-cancel")}


def _until_finished(notebook: Notebook) -> None:
    notebook.page.wait_for_function("() => document.querySelector('.twe-count').textContent === 'finished'")


def _taken(notebook: Notebook, name: str) -> list[float]:
    return notebook.page.evaluate(
        "(name) => window.measured.filter(([n]) => n === name).map(([, ms]) => ms)", name
    )


def _single(notebook: Notebook, name: str, moves: int = 20) -> dict[str, list[float]]:
    """One slider at a time comes to rest, and the image is waited for."""
    notebook.page.evaluate("() => { window.measured = []; }")
    for move in range(moves):
        notebook.page.evaluate("([row, place]) => window.slide(row, place)", [move % 4, (move * 3.37) % 11])
        _until_finished(notebook)
        notebook.page.wait_for_timeout(100)
    return {
        f"live_first_ms {name}": _taken(notebook, "tunewidgets:live-first"),
        f"live_final_ms {name}": _taken(notebook, "tunewidgets:live-final"),
    }


def _canceled(notebook: Notebook, name: str, times: int = 10) -> dict[str, list[float]]:
    """Stopped as soon as the image grows."""
    notebook.page.evaluate("() => { window.measured = []; }")
    for time in range(times):
        notebook.page.evaluate(
            """async (place) => {
                window.slide(1, place);
                const stop = () => [...document.querySelectorAll(".twe-actions button")]
                    .find((button) => button.textContent === "Stop");
                while (!stop()) await new Promise((resolve) => setTimeout(resolve, 1));
                stop().click();
            }""",
            0.13 + time,
        )
        notebook.page.wait_for_timeout(400)
    notebook.page.evaluate("() => window.slide(1, 5.55)")
    _until_finished(notebook)
    return {f"live_cancel_ms {name}": _taken(notebook, "tunewidgets:live-cancel")}


def _rush(notebook: Notebook, name: str) -> dict[str, list[float]]:
    """200 moves in 10 seconds, twice: the first time fills what is remembered."""
    page = notebook.page
    page.evaluate(RUSH, [MOVES, SECONDS])
    _until_finished(notebook)
    before = float(notebook.python(RESIDENT))
    notebook.python(WATCH)
    frames = page.evaluate(RUSH, [MOVES, SECONDS])
    _until_finished(notebook)
    page.wait_for_timeout(300)
    last = "widget._combinations._finished and list(widget._combinations._finished)[-1] == tuple(widget.coordinates)"
    wrong = notebook.python(f"watching = False; print(int(not ({last})))")
    running, waiting = notebook.python("print(seen['running'], seen['waiting'])").split()
    return {
        f"live_running {name}": [float(running)],
        f"live_waiting {name}": [float(waiting)],
        f"live_wrong_last {name}": [float(wrong)],
        f"live_resident_mb {name}": [before, float(notebook.python(RESIDENT))],
        f"live_frame_ms {name}": [sum(frames) / len(frames)],
        f"live_longest_frame_ms {name}": [max(frames)],
    }
