"""The checklist's payload: what its page is sent once of a recovery record.

In: a recovery record. Out: a JSON-ready dict of names and numbers, and packed bytes of what is too much for JSON: the
null distributions as histograms, the readout curves. NaN becomes None, numbers have six decimals.
"""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..derived.recovery_marks import column_name, is_of_films, level_of, paper_mark, smooth_from
from ..records import settings_of

CELL = ("attribute", "decomposition", "n_components", "seed", "bank", "readout")
NUMBERS = ("p", "p_holm", "p_rotation", "observed", "sweep", "smoothness")
BINS = 32


def report_facts(report: xr.Dataset) -> dict[str, Any]:
    """Everything the page shows of a report except its nulls, curves and images.

    The lists under `values` run over `CELL`, the last one fastest, as do `best` and `nulls`.
    """
    methods, counts = (report[name].values.tolist() for name in ("decomposition", "n_components"))
    settings = settings_of(report)
    facts = {name: report[name].values.tolist() for name in ("attribute", "seed", "bank", "readout")}
    return {
        **facts,
        "model": str(report.attrs["model"]),
        "others": str(settings.get("others", "mean")),
        "vectors": report.attrs["n_vectors"],
        "pool": int(settings.get("pool", 1)),
        "pooling": str(settings.get("pooling", "mean")),
        "normalized": bool(settings.get("normalize", False)),
        "subject": "films" if is_of_films(report) else "bank",
        "draws": report.sizes["draw"],
        "points": report.sizes["point"],
        "images": report.attrs["n_images"],
        "alpha": level_of(report),
        "smooth": smooth_from(report),
        "columns": [
            {
                "method": str(method),
                "count": int(count),
                "name": column_name(str(method), int(count)),
                "paper": [paper_mark(a, str(method), int(count)) for a in range(report.sizes["attribute"])],
            }
            for method in methods
            for count in counts
        ],
        "statistic": [str(name) for name in report["statistic"].values],
        "status": [str(text) for text in report["status"].values.ravel()],
        "values": {name: decimals(report[name].transpose(*CELL).values) for name in NUMBERS},
        "best": report["best_dimension"].transpose(*CELL).values.ravel().tolist(),
        "filters": [decimals(row) for row in _filters(report)],
        "intervals": _intervals(report.sizes["seed"]),
    }


def packed_curves(report: xr.Dataset) -> bytes:
    """Readout curves as little-endian float32, `CELL` then point then component."""
    return report["readout_curve"].transpose(*CELL, "point", "component").values.astype("<f4").tobytes()


def packed_nulls(report: xr.Dataset) -> bytes:
    """Both nulls' histograms: for each cell, for each null, its ends as float32, then `BINS` counts, all as "<f4".

    The ends are NaN where a cell has no such null. Both nulls of a cell, and the observed value, lie within the ends.
    """
    observed = report["observed"].transpose(*CELL).values.reshape(-1, 1)
    nulls = [
        report[name].transpose(*CELL, "draw").values.reshape(len(observed), -1)
        for name in ("null", "null_rotation")
    ]
    packed = np.full((len(observed), 2, BINS + 2), np.nan, "<f4")
    for at, seen in enumerate(observed):
        there = [null[at][np.isfinite(null[at])] for null in nulls]
        everything = np.concatenate([*there, seen[np.isfinite(seen)]])
        if not any(len(draws) for draws in there):
            continue
        low, high = float(everything.min()), float(everything.max())
        margin = 0.04 * (high - low) or 1e-3
        low, high = max(0.0, low - margin) if low >= 0 else low - margin, high + margin
        for which, draws in enumerate(there):
            if len(draws):
                packed[at, which, :2] = low, high
                packed[at, which, 2:] = np.histogram(draws, BINS, (low, high))[0]
    return packed.tobytes()


def decimals(values: NDArray[np.floating]) -> list[float | None]:
    """Numbers with six decimals in one list, None where there is none."""
    flat = np.round(np.asarray(values, float).ravel(), 6)
    return [float(value) if there else None for value, there in zip(flat, np.isfinite(flat), strict=True)]


def _filters(report: xr.Dataset) -> NDArray[np.floating]:
    """Attribute by attribute, the filters' own values: seed, bank, filter."""
    values = report["filter_attribute"].transpose("attribute", "seed", "bank", "filter").values
    return np.asarray(values.reshape(len(values), -1))


def _intervals(most: int) -> dict[str, list[list[float]]]:
    """Exact 95% intervals (Clopper and Pearson) of a share: for each number of trials up to `most`, of each count."""
    from scipy.special import betaincinv

    found = {}
    for trials in range(1, most + 1):
        hits = np.arange(trials + 1)
        low = np.where(hits > 0, betaincinv(np.maximum(hits, 1), trials - hits + 1, 0.025), 0)
        high = np.where(hits < trials, betaincinv(hits + 1, np.maximum(trials - hits, 1), 0.975), 1)
        found[str(trials)] = [
            [float(round(a, 3)), float(round(b, 3))] for a, b in zip(low, high, strict=True)
        ]
    return found
