"""Records and choices by which Python's scatter and the page's are compared.

In: nothing. Out: a small tree of unit records with all that makes trouble (dead, silent, failed and waiting units,
ties, a wide column, a crowded one, a constant one, names with markup, a layer without ablation), and the choices a
reader has on each layer.
"""

from itertools import product

import numpy as np
import xarray as xr
from unit_records import CLASSES, make_units

from tunewidgets.derived.unit_columns import table
from tunewidgets.records import layer_tree


def make_comparison(units: int = 24) -> xr.DataTree:
    """Two layers; the second has a wide column, a constant one, and no ablation."""
    names = ["<i>cats</i> & dogs", *CLASSES[1:]]
    absent = {5: "failed: NaN", 7: "not made yet"}
    first = make_units(units, 2, layer="block<1>", classes=names, dead=[2], silent=[3], failed=absent, seed=1)
    second = make_units(units, 2, layer="fc", classes=names, ablation=False, seed=2)
    rng = np.random.default_rng(0)
    wide = np.exp(rng.normal(scale=4, size=units) - 6).astype(np.float32)
    second["mean_activation"] = ("unit", wide)
    second["rs"] = xr.zeros_like(second["rs"])
    first["selectivity"] = first["selectivity"].round(1)
    return layer_tree({"block<1>": first, "fc": second})


def choices(layer: xr.Dataset) -> list[dict[str, str]]:
    """Every x, y, color and objective of a layer."""
    columns = table(layer)
    axes = [name for name, column in columns["columns"].items() if column["kind"] != "class"]
    colors = ["none", *(name for name in ("preferred_class", "accuracy_drop") if name in columns["columns"])]
    return [
        {"x": x, "y": y, "color": color, "objective": objective}
        for x, y, color, objective in product(axes, axes, colors, columns["objectives"])
    ]
