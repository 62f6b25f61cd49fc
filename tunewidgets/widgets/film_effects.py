"""What a page tells of the effects of a film's dimension: how the network does without it, and which classes it moves.

In: a film record of one dimension. Out: what is sent to the page, None where it was not measured.
"""

from typing import Any

import numpy as np
import xarray as xr

CLASSES = 6  # those that change most


def effect_facts(film: xr.Dataset) -> dict[str, Any] | None:
    """Of a film of one dimension with effects: the loss without it, and the classes that change most."""
    if "loss_increase" not in film or not np.isfinite(film["loss_increase"].item()):
        return None
    return {
        "loss": round(film["loss_increase"].item(), 4),
        "lossError": _rounded(film.get("loss_increase_se")),
        "p": _rounded(film.get("effect_p")),
        "classes": _classes(film) if "class_effect" in film else [],
    }


def _classes(film: xr.Dataset) -> list[dict[str, Any]]:
    """Classes with the change of their score at each point, those that rise most with more of the dimension first.

    Between the doses that were measured the change is interpolated; beyond them it is the last one's.
    """
    change = film["class_effect"].values
    if not np.isfinite(change).all():
        return []
    doses = film["dose"].values.astype(np.float64)
    at = np.clip(_deviations(film), doses[0], doses[-1])
    most = np.argsort(-np.abs(change[-1]), kind="stable")[:CLASSES]
    most = most[np.argsort(-change[-1, most], kind="stable")]
    order = np.argsort(np.append(doses, 0))
    along = np.append(doses, 0)[order]
    return [
        {
            "name": str(film["cls"].values[cls]),
            "change": np.interp(at, along, np.append(change[:, cls], 0)[order]).round(3).tolist(),
        }
        for cls in most
    ]


def _deviations(film: xr.Dataset) -> np.ndarray:
    """Each point's coordinate in standard deviations of the data's, which the histogram tells."""
    edges, counts = film["bin_edge"].values.astype(np.float64), film["histogram"].values.astype(np.float64)
    middles = (edges[1:] + edges[:-1]) / 2
    mean = np.average(middles, weights=counts)
    deviation = np.sqrt(np.average((middles - mean) ** 2, weights=counts))
    return np.asarray((film["coordinate"].values - mean) / (deviation or 1.0))


def _rounded(value: xr.DataArray | None) -> float | None:
    return None if value is None or not np.isfinite(value.item()) else round(value.item(), 4)
