"""The recovery record: an empty checklist, its cells as they are judged, and their summary over all bank seeds.

In: names of methods, numbers of components, seeds and banks, then one judgment per cell. Out: the root of a recovery
record; every state of it is a valid record, so that what is finished can be saved.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from tunewidgets.derived.recovery_marks import passes
from tunewidgets.derived.statistics import share_interval
from tunewidgets.kernels.gabor.cell import POINTS, Judgment
from tunewidgets.kernels.gabor.nulls import bootstrap_mean
from tunewidgets.kernels.reading.attributes import ATTRIBUTES, COMPONENTS
from tunewidgets.records import settings_of

CELL = ("attribute", "decomposition", "n_components", "seed", "bank", "readout")
FITTED = CELL[1:5]
TABLE = CELL[:3]
OVER_SEEDS = (*TABLE, "bank", "readout")
VALUES = (
    "p",
    "p_holm",
    "p_rotation",
    "observed",
    "sweep",
    "smoothness",
    "r2",
    "recovered",
    "on_axis",
)
# The reader's own.
ENTERED = ("verdict", "note")
NOT_YET = "not computed yet"


def blank(
    methods: Sequence[str],
    n_components: Sequence[int],
    seeds: Sequence[int],
    banks: Sequence[str],
    readouts: Sequence[str],
    draws: int,
    filters: int,
    attrs: dict[str, Any],
    *,
    attributes: Iterable[str] = ATTRIBUTES,
) -> xr.Dataset:
    """A record without a single finished cell."""
    coords = {
        "attribute": _text(attributes),
        "decomposition": _text(methods),
        "n_components": np.array(n_components),
        "seed": np.array(seeds),
        "bank": _text(banks),
        "readout": _text(readouts),
    }
    sizes = {name: len(values) for name, values in coords.items()}
    sizes |= {"draw": draws, "point": POINTS, "component": COMPONENTS, "filter": filters}

    def unknown(*dims: str) -> tuple[tuple[str, ...], np.ndarray]:
        return dims, np.full([sizes[dim] for dim in dims], np.nan, np.float32)

    def text(*dims: str, value: str = "") -> tuple[tuple[str, ...], np.ndarray]:
        return dims, np.full([sizes[dim] for dim in dims], value, object)

    variables = {name: unknown(*CELL) for name in VALUES}
    variables |= {name: unknown(*CELL, "draw") for name in ("null", "null_rotation")}
    variables |= {
        "best_dimension": (CELL, np.full([sizes[dim] for dim in CELL], -1, np.int32)),
        "readout_curve": unknown(*CELL, "point", "component"),
        "coordinate": unknown(*CELL, "point"),
        "statistic": text("bank"),
        "status": text(*FITTED, value=NOT_YET),
        "converged": unknown(*FITTED),
        "filter_attribute": unknown("attribute", "seed", "bank", "filter"),
        "embedding_scale": unknown("attribute", "seed", "bank"),
        "bank_sha256": text("seed", "bank"),
        "verdict": text(*TABLE),
        "note": text(*TABLE),
    }
    return xr.Dataset(variables, coords, attrs)


def enter(report: xr.Dataset, judged: Judgment, where: dict[str, Any]) -> None:
    """Write a judgment into its cell, `where` naming decomposition, n_components, seed, bank and readout."""
    for name in VALUES:
        report[name].loc[where] = judged.values[name]
    report["best_dimension"].loc[where] = judged.best
    report["null"].loc[where] = judged.null
    report["null_rotation"].loc[where] = judged.null_rotation
    report["readout_curve"].loc[where] = judged.curve
    report["coordinate"].loc[where] = judged.coordinate


def taken_over(report: xr.Dataset, earlier: xr.Dataset, store: str) -> xr.Dataset:
    """The blank `report`, filled with all that an earlier record of the same settings has, including its seeds.

    Raises
    ------
    ValueError
        If a bank has other weights than it had.
    """
    seeds = list(dict.fromkeys([*report["seed"].values.tolist(), *earlier["seed"].values.tolist()]))
    readouts = [str(name) for name in report["readout"].values]
    readouts += [str(name) for name in earlier["readout"].values if name not in readouts]
    filters = max(report.sizes["filter"], earlier.sizes["filter"])
    names, counts = (list(report[dim].values) for dim in ("decomposition", "n_components"))
    merged = blank(
        names,
        counts,
        seeds,
        list(report["bank"].values),
        readouts,
        report.sizes["draw"],
        filters,
        report.attrs,
    )
    same = {dim: [v for v in report[dim].values if v in earlier[dim].values] for dim in ("seed", "bank")}
    if not report["bank_sha256"].sel(same).equals(earlier["bank_sha256"].sel(same)):
        raise ValueError(
            f"{store} holds a record of banks with other weights; give another store, or remove it"
        )
    for part in (report, earlier):
        for name in merged.data_vars:
            found = part[name]
            where: dict[Any, Any] = {dim: part[dim].values for dim in found.dims if dim in part.coords}
            if "filter" in found.dims:
                where["filter"] = slice(0, part.sizes["filter"])
            merged[name].loc[where] = found.values
    merged.attrs["n_images"] = earlier.attrs["n_images"]
    return merged


def as_entered(report: xr.Dataset, shown: xr.Dataset | None) -> xr.Dataset:
    """The record with the verdicts and notes of `shown`, variables of a record that a reader may have edited.

    Cells that `shown` doesn't have keep their own.
    """
    if shown is None or not {*ENTERED, *TABLE} <= set(shown.variables):
        return report
    common = {dim: [v for v in report[dim].values if v in shown[dim].values] for dim in TABLE}
    entered = report.copy()
    for name in ENTERED:
        own = report[name].copy()
        own.loc[common] = shown[name].transpose(*TABLE).sel(common).values
        entered[name] = own
    return entered


def summarized(report: xr.Dataset) -> xr.Dataset:
    """The record with the shares of bank seeds that recover each attribute, and their intervals."""
    recovered, on_axis = (
        report[name].transpose("seed", *OVER_SEEDS).values for name in ("recovered", "on_axis")
    )
    swept = report["sweep"].transpose("seed", *OVER_SEEDS).values.astype(float)
    there = ~np.isnan(recovered)
    trials, successes = there.sum(axis=0), np.nansum(recovered, axis=0)
    low, high = share_interval(successes, trials)
    ends = np.full((2, *trials.shape), np.nan)
    for cell in np.argwhere(trials > 1):
        where = tuple(cell)
        own = swept[(slice(None), *where)]
        ends[(slice(None), *where)] = bootstrap_mean(own[~np.isnan(own)], np.random.default_rng(0))
    columns = {
        "share": _mean(recovered),
        "share_low": low,
        "share_high": high,
        "share_on_axis": _mean(on_axis),
        "sweep_mean": _mean(swept),
        "sweep_low": ends[0],
        "sweep_high": ends[1],
    }
    return report.assign(
        {name: (OVER_SEEDS, values.astype(np.float32)) for name, values in columns.items()}
        | {
            "share_all": (OVER_SEEDS[1:], _mean(_all_three(report)).astype(np.float32)),
            "n_seeds": (OVER_SEEDS, trials.astype(np.int32)),
        }
    )


def _all_three(report: xr.Dataset) -> np.ndarray:
    """Whether a bank seed's cells recover every attribute: `(seed, decomposition, n_components, bank, readout)`.

    Three claims made at once: Holm's p-values decide. NaN where a p-value is missing.
    """
    order = ("seed", *OVER_SEEDS)
    p, smooth = (report[name].transpose(*order).values for name in ("p_holm", "smoothness"))
    settings = settings_of(report)
    found = passes(p, smooth, settings["alpha"], settings["smoothness"])
    return np.asarray(found.min(axis=order.index("attribute")))


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the first axis of the values that are not NaN; NaN where there are none."""
    there = ~np.isnan(values)
    count = there.sum(axis=0)
    total = np.where(there, values, 0).sum(axis=0)
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


def _text(values: Iterable[str]) -> np.ndarray:
    return np.array(list(values), dtype=object)
