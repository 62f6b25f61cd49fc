"""What figures of units share: a layer's images under one objective, units by their numbers, values as text.

In: a layer's unit record. Out: the part of it that a figure shows, checked to be there; short texts.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from tunewidgets.derived.shown_images import check_shown, how_shown, shown_images
from tunewidgets.derived.unit_columns import OBJECTIVE_NAMES, Column, made

from .arguments import place_in
from .style import hundredths, plain, shortened


def images_of(record: xr.Dataset, objective: str, shown: str) -> xr.Dataset:
    """The layer's record under one objective; its `image` holds those to show, for the eye ("display") or "measured".

    Raises
    ------
    ValueError
        If it has no images, or none of that objective; if `shown` is neither.
    """
    check_shown(shown)
    if "image" not in record or "exceeder" not in record:
        raise ValueError("this record has no images of units; make them with analyze_units")
    if objective not in (there := [str(name) for name in record["objective"].values]):
        raise ValueError(f"this record has no objective {objective!r}; it has {' and '.join(there)}")
    own = record.sel(objective=objective)
    return own.assign(image=(own["image"].dims, shown_images(own, shown)))


def how_made(own: xr.Dataset, objective: str, shown: str, units: Sequence[int]) -> str:
    """Whose images these units' are, how they were made and which of a unit's two they are, in a few words."""
    how = f"{OBJECTIVE_NAMES.get(objective, objective)} images, {made(own)}".removesuffix(", ")
    return "; ".join(filter(None, [how, how_shown(own, shown, units)]))


def checked_unit(own: xr.Dataset, unit: int) -> int:
    """The unit, once it is there and has an image.

    Raises
    ------
    ValueError
        If not.
    """
    unit = place_in("unit", unit, own.sizes["unit"], "this layer")
    if not own["rendered"].values[unit]:
        raise ValueError(f"unit {unit} has no image here ({own['status'].values[unit] or 'not rendered'})")
    return unit


def enlarged(images: np.ndarray, width: int) -> np.ndarray:
    """Images enlarged pixel by pixel to about `width` pixels; WebP would blur the colors of neighboring pixels."""
    times = max(1, round(width / images.shape[2]))
    return images.repeat(times, 1).repeat(times, 2)


def number_of(own: xr.Dataset, at: int) -> int:
    """What the unit at a place in the record is called."""
    return int(own["unit"].values[at]) if "unit" in own.coords else at


def written(record: xr.Dataset, column: Column, at: int) -> str:
    """A unit's value of a column, as short text; a dash where it has none."""
    value = column.values[at]
    if value is None:
        return "–"
    match column.kind:
        case "share":
            return hundredths(float(value))
        case "percent":
            return f"{100 * value:.1f}%".replace("-", "−")
        case "class":
            name = record["cls"].values[int(value)] if "cls" in record.coords else f"class {value}"
            return plain(shortened(str(name)))
        case "count":
            return str(value)
        case _:
            return np.format_float_positional(value, precision=3, fractional=False, trim="-")
