"""Which of a unit's two images is shown: the one for the eye, or the one that RS was measured on.

In: a unit record under one objective. Out: images, and a few words that say which they are. The measured image is what
maximizes the unit's activation; where `display` names another, `display_image` is the one for the eye. An older record
has only the measured one, which then serves for both.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

__all__ = ["ONE_POSITION", "check_shown", "has_display", "how_shown", "is_flat", "shown_images"]

SHOWN = ("display", "measured")
# What `display` says of an image made for one position of a unit's map; anything else is the same pattern, adapted for
# the eye, such as "bounded contrast".
ONE_POSITION = "one position"
# How the status begins for a unit whose measured image is one color.
FLAT = "flat"


def check_shown(shown: str) -> None:
    """Raise a ValueError unless `shown` is one of `SHOWN`."""
    if shown not in SHOWN:
        raise ValueError(f"shown is {shown!r}; give {' or '.join(map(repr, SHOWN))}")


def has_display(own: xr.Dataset) -> NDArray[np.bool_]:
    """Which units have an image for the eye beside the measured one, `(unit,)` bool."""
    if "display_image" not in own:
        return np.zeros(own.sizes["unit"], bool)
    return np.asarray(own["display"].values != "", bool)


def is_flat(units: xr.Dataset) -> np.ndarray:
    """Whether each unit's measured image is one flat color, by its status, `(unit,)` bool."""
    if "status" not in units:
        return np.zeros(units.sizes["unit"], bool)
    said = units["status"].values
    return np.reshape([str(text).startswith(FLAT) for text in said.ravel().tolist()], said.shape)


def shown_images(own: xr.Dataset, shown: str = "display") -> NDArray[np.uint8]:
    """Every unit's image, `(unit, y, x, rgb)` uint8; "display" takes the measured one where there is no other.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> image = (("unit", "y", "x", "rgb"), np.zeros((2, 1, 1, 3), np.uint8))
    >>> other = (("unit", "y", "x", "rgb"), np.full((2, 1, 1, 3), 9, np.uint8))
    >>> names = ("unit", ["", "bounded contrast"])
    >>> own = xr.Dataset({"image": image, "display_image": other, "display": names})
    >>> shown_images(own)[:, 0, 0, 0].tolist(), shown_images(own, "measured")[:, 0, 0, 0].tolist()
    ([0, 9], [0, 0])
    """
    measured = own["image"].values
    instead = has_display(own)
    if shown == "measured" or not instead.any():
        return measured
    return np.where(instead[:, None, None, None], own["display_image"].values, measured)


def how_shown(own: xr.Dataset, shown: str, units: Sequence[int]) -> str:
    """Which images of these units `shown_images` gives, in a few words; empty if each has only one."""
    among = list(units)
    there = has_display(own)[among]
    if not there.any():
        return ""
    if shown == "measured":
        return "shown as RS was measured"
    names = own["display"].values[among][there].tolist()
    said = [f"with {name}" for name in dict.fromkeys(names) if name != ONE_POSITION]
    if single := names.count(ONE_POSITION):
        said.append(
            f"{single} at one position of the map" if len(among) > 1 else "at one position of its map"
        )
    return f"shown {', '.join(said)}"
