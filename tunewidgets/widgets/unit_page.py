"""The scatter's payload: the facts about a layer's units that its page is sent once.

In: one layer's unit record. Out: a JSON-ready dict of what is shown of an opened unit beside its columns: which units
exceed it, its classes, its exemplars, why it has no image. NaN becomes None; numbers are rounded to what a page shows.
"""

from typing import Any

import numpy as np
import xarray as xr

from ..derived.shown_images import has_display
from ..derived.unit_axes import axis_of, most_common
from ..derived.unit_columns import axes, columns

# RS along the optimization is sent with the page up to this many numbers per layer.
COURSES = 50_000
# With more classes than this, a unit's bars show only those it responds to most.
ALL_CLASSES, TOP_CLASSES = 24, 12


def layer_facts(units: xr.Dataset) -> dict[str, Any]:
    """Everything the page shows of one layer except its columns and images."""
    return {
        "notes": notes(units),
        "classes": class_names(units),
        "means": _class_means(units),
        "worst": _worst_class(units),
        "dropErrors": _drop_errors(units),
        "shown": {name: _shown(units.sel(objective=name)) for name in objectives_of(units)},
        "exemplars": _exemplars(units),
    }


def objectives_of(units: xr.Dataset) -> list[str]:
    """The objectives for which the record holds something, in its order."""
    if not any("objective" in variable.dims for variable in units.data_vars.values()):
        return []
    return [str(name) for name in units["objective"].values]


def class_names(units: xr.Dataset) -> list[str]:
    """The classes' names: the record's own, else `class 0`, `class 1` and so on."""
    if "cls" not in units.sizes:
        known = units["preferred_class"].values if "preferred_class" in units else np.zeros(0, int)
        return [f"class {at}" for at in range(int(known.max(initial=-1)) + 1)]
    names = units["cls"].values if "cls" in units.coords else np.arange(units.sizes["cls"])
    return [str(name) if isinstance(name, str) else f"class {name}" for name in names]


def notes(units: xr.Dataset) -> list[str]:
    """What a reader must know before reading the scatter, one sentence each."""
    found = []
    count = units.sizes["unit"]
    alive = ~units["dead"].values if "dead" in units else np.ones(count, bool)
    if "substitutes" in units and alive.sum() > 1:
        alike = units["substitutes"].values[alive] >= (alive.sum() - 1) / 2
        rs = units["rs"].values[:, alive] if "rs" in units else np.full((1, alive.sum()), np.nan)
        if alike.mean() > 0.5 and np.nanmax(np.append(rs[:, alike], 0)) < 1 / count:
            found.append(
                f"{int(alike.sum())} of {int(alive.sum())} living units respond alike, so each could stand in for  "
                "the others; still RS is 0, because copies never respond more strongly than one another.  "
                "Here, read the number of substitutes beside RS."
            )
    if not found and (said := _one_rs(units)):
        found.append(said)
    if "rendered" not in units:
        found.append(
            "This record has no RS and no images: it was made without an objective. Given probe=, they are made here."
        )
    elif "image" not in units:
        found.append("This record has no images, only what was measured on them.")
    return found


def _one_rs(units: xr.Dataset) -> str:
    """That RS tells this layer's units apart no further, where it doesn't; else empty."""
    if "rs" not in units:
        return ""
    names = [str(name) for name in units["objective"].values]
    objective = "iam" if "iam" in names else names[0]
    values = units["rs"].sel(objective=objective).values
    value, count = most_common(values)
    if axis_of(values, "share", "linear").varied:
        return ""
    return (
        f"RS ({objective.upper()}) is {value:g} for {count} of {len(values)} units, so it tells them apart no further, "
        "as in many deep layers; the plot opens on another measure. RS is among its axes."
    )


def grown_facts(units: xr.Dataset, objective: str, unit: int) -> dict[str, Any]:
    """What the page is told when a unit's image has been made: everything it shows of the unit, and the axes that
    changed.
    """
    one = units.isel(unit=[unit])
    shown = _shown(one.sel(objective=objective))
    return {
        "values": {
            name: column.values[0] for name, column in columns(one, objective).items() if column.per_objective
        },
        "axes": axes(units),
        "silent": bool(one["silent"].sel(objective=objective).item()),
        "missing": shown["missing"].get("0"),
        "said": shown["said"].get("0"),
        "display": next(iter(shown["display"]), ""),
        "displayResponse": shown["displayResponses"].get("0"),
        "exceeders": shown["exceeders"][0],
        "ratios": shown["ratios"][0],
        "course": shown["course"],
    }


def _shown(units: xr.Dataset) -> dict[str, Any]:
    """What one objective's images tell about each unit."""
    count = units.sizes["unit"]
    status = [str(text) for text in units["status"].values] if "status" in units else [""] * count
    rendered = units["rendered"].values if "rendered" in units else np.zeros(count, bool)
    who: list[list[int]] = [[] for _ in range(count)]
    ratio: list[list[float]] = [[] for _ in range(count)]
    if "exceeder" in units and "own_response" in units:
        for unit in range(count):
            own = float(units["own_response"].values[unit])
            there = units["exceeder"].values[unit] >= 0
            if own > 0:
                who[unit] = units["exceeder"].values[unit][there].tolist()
                ratio[unit] = numbers(units["exceeder_response"].values[unit][there] / own, 3)
    there = np.flatnonzero(has_display(units)).tolist() if "image" in units else []
    which: dict[str, list[int]] = {}
    for unit in there:
        which.setdefault(str(units["display"].values[unit]), []).append(unit)
    return {
        "missing": {
            str(unit): status[unit] or "no image was made for this unit"
            for unit in np.flatnonzero(~rendered).tolist()
        },
        "said": {str(unit): status[unit] for unit in np.flatnonzero(rendered).tolist() if status[unit]},
        "display": which,
        "displayResponses": _display_responses(units, there),
        "exceeders": who,
        "ratios": ratio,
        "listed": units.sizes.get("k", 0) if "exceeder" in units else 0,
        "course": _courses(units),
    }


def _display_responses(units: xr.Dataset, there: list[int]) -> dict[str, Any]:
    """Units' responses to their images for the eye, where they were measured."""
    if "display_response" not in units:
        return {}
    return dict(zip(map(str, there), numbers(units["display_response"].values[there], 3), strict=True))


def _courses(units: xr.Dataset) -> dict[str, Any] | None:
    """RS, and the unit's own activation where it is known, at the steps where they were measured: one list per unit."""
    if "rs_checkpoint" not in units or "checkpoint" not in units.coords:
        return None
    rs, steps = units["rs_checkpoint"].values, units["checkpoint"].values
    own = units["own_response_checkpoint"].values if "own_response_checkpoint" in units else None
    # Many of the steps may belong to only a few units.
    some = np.isfinite(rs).any(0) if own is None else (np.isfinite(rs) | np.isfinite(own)).any(0)
    if rs[:, some].size * (1 if own is None else 2) > COURSES:
        return None
    return {
        "steps": steps[some].tolist(),
        "rs": [numbers(row, 3) for row in rs[:, some]],
        "own": None if own is None else [numbers(row, 3) for row in own[:, some]],
    }


def _class_means(units: xr.Dataset) -> dict[str, Any] | None:
    """Mean activation by class: of all of them in their order, or of the `TOP_CLASSES` strongest of each unit."""
    if "class_mean" not in units:
        return None
    means = units["class_mean"].values
    if means.shape[1] <= ALL_CLASSES:
        return {"classes": None, "means": [numbers(row, 3) for row in means]}
    best = np.argsort(-np.nan_to_num(means), axis=1, kind="stable")[:, :TOP_CLASSES]
    return {
        "classes": best.tolist(),
        "means": [numbers(row, 3) for row in np.take_along_axis(means, best, axis=1)],
    }


def _worst_class(units: xr.Dataset) -> dict[str, Any] | None:
    """Of each unit the class whose accuracy drops most without it, the drop, and its standard error where known."""
    if "class_accuracy_drop" not in units:
        return None
    drops = units["class_accuracy_drop"].values
    worst = np.argmax(np.nan_to_num(drops, nan=-np.inf), axis=1)

    def of_worst(name: str) -> list[Any]:
        return numbers(np.take_along_axis(units[name].values, worst[:, None], axis=1)[:, 0], 3)

    return {
        "classes": worst.tolist(),
        "drops": of_worst("class_accuracy_drop"),
        "errors": of_worst("class_accuracy_drop_se") if "class_accuracy_drop_se" in units else None,
    }


def _drop_errors(units: xr.Dataset) -> list[Any] | None:
    """The standard error of each unit's accuracy drop; records of before have none."""
    return numbers(units["accuracy_drop_se"].values, 3) if "accuracy_drop_se" in units else None


def _exemplars(units: xr.Dataset) -> dict[str, Any] | None:
    if "exemplar" not in units:
        return None
    activation = (
        [numbers(row, 3) for row in units["exemplar_activation"].values]
        if "exemplar_activation" in units
        else None
    )
    return {"images": units["exemplar"].values.tolist(), "activations": activation}


def numbers(values: Any, digits: int) -> list[Any]:
    """Numbers to `digits` significant digits, None for NaN."""
    return [float(f"{value:.{digits}g}") if np.isfinite(value) else None for value in np.asarray(values)]
