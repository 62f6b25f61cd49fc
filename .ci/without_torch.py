"""An environment without torch: every kind of record opens, every widget shows it, and the page is written.

In: the installed wheel, and the folder of the tests. Then once more with no thread to be had, as in the Python of a
browser, where Zarr reads nothing.
"""

import _thread
import importlib
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from films import make_film
from recovery_records import make_recovery
from unit_records import make_tree

import tunewidgets as tw
from tunewidgets.cli.commands import main

for name in ("torch", "torchvision", "lucent"):
    try:
        importlib.import_module(name)
    except ImportError:
        continue
    raise AssertionError(f"{name} is installed here, so this proves nothing")
assert "site-packages" in tw.__file__, f"this is not the installed wheel but {tw.__file__}"


def refused(*_: object, **__: object) -> None:
    raise RuntimeError("can't start new thread")


def show(folder: Path) -> None:
    """Open the records, look at each in its widget, and write them as one page."""
    film, units, report = (
        tw.open_record(folder / f"{name}.zarr.zip") for name in ("film", "units", "report")
    )
    explorer, scatter, checklist = (
        tw.TuningExplorer(film),
        tw.UnitScatter(units),
        tw.RecoveryChecklist(report),
    )
    shipped = tw.UnitScatter(tw.zoo.example("shallow_cnn"))
    explorer.dimension, scatter.unit, shipped.unit = 1, 3, 3
    for widget in (explorer, scatter, checklist, shipped):
        assert widget.figure().data, f"{type(widget).__name__} has an empty figure"
        assert "image/png" in widget._repr_mimebundle_()[0], f"{type(widget).__name__} leaves no picture"
    page = tw.export_html(["# Without torch", explorer, [scatter, shipped], checklist], folder / "page.html")
    assert page.path.stat().st_size > 1e6


with tempfile.TemporaryDirectory() as place:
    folder = Path(place)
    tw.save_record(make_film(3, 8, 32), folder / "film.zarr.zip")
    tw.save_record(make_tree(), folder / "units.zarr.zip")
    report = make_recovery(seeds=(0,), methods=("pca", "ica"), films=True)
    tw.save_record(report, folder / "report.zarr.zip")
    show(folder)
    assert main(["info", str(folder / "film.zarr.zip")]) == 0
    for module in (_thread, threading):
        for start in ("start_new_thread", "start_joinable_thread"):
            for name in (start, f"_{start}"):
                if hasattr(module, name):
                    setattr(module, name, refused)
    show(folder)
print("Without torch, records opened and every widget showed them; with no threads too")
