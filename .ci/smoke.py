"""An installed wheel, outside the clone and with no Node: records and widgets work, and ask for no torch."""

import shutil
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

import tunewidgets as tw

HEAVY = {"torch", "torchvision", "lucent", "xarray", "plotly", "sklearn"}
assert not HEAVY & set(sys.modules), f"importing tunewidgets loaded {HEAVY & set(sys.modules)}"
assert shutil.which("node") is None, "a Node is on PATH, so this proves nothing"
assert "site-packages" in tw.__file__, f"this is not the installed wheel but {tw.__file__}"

import numpy as np  # noqa: E402
import xarray as xr  # noqa: E402

rng = np.random.default_rng(0)
D, P, U, SIDE, BINS = 2, 3, 4, 8, 5
points = ("dimension", "point")


def real(*shape: int) -> np.ndarray:
    return rng.random(shape, dtype="float32")


film = xr.Dataset(
    {
        "coordinate": (points, np.sort(real(D, P))),
        "quantile": (points, np.sort(real(D, P))),
        "target": ((*points, "unit"), real(D, P, U)),
        "cosine": (points, real(D, P)),
        "image": ((*points, "y", "x", "rgb"), rng.integers(0, 256, (D, P, SIDE, SIDE, 3), dtype="uint8")),
        "histogram": (("dimension", "bin"), real(D, BINS)),
        "bin_edge": (("dimension", "edge"), np.sort(real(D, BINS + 1))),
        "explained_variance": ("dimension", real(D)),
        **{name: ("dimension", [""] * D) for name in ("status", "label", "suggested_label")},
    },
    attrs=tw.records.new_attrs(
        "film",
        model="smoke",
        model_sha256="0" * 64,
        layer="relu",
        settings={"method": "ica", "n_components": D, "converged": True},
        seed=0,
        n_images=1,
        n_vectors=1,
    ),
)
with tempfile.TemporaryDirectory() as folder:
    path = tw.save_record(film, Path(folder, "film.zarr.zip"))
    again = tw.open_record(path)
    xr.testing.assert_equal(again, film)
    explorer = tw.TuningExplorer(again)
    explorer.dimension, explorer.labels = 1, ["edges", "angle"]
    assert len(explorer._code.code) > 10_000, "the widget has no page code"
    command = Path(sys.executable).with_name("tunewidgets")
    told = subprocess.run([command, "info", path], capture_output=True, text=True, check=True).stdout
    assert "film" in told, told
assert "torch" not in sys.modules, "a saved record was not shown without torch"
assert list(files("tunewidgets").joinpath("notebooks").iterdir()), "the wheel brought no notebook"
print(f"tunewidgets {tw.__version__}: a film was saved, opened, told and shown; torch was not loaded")
