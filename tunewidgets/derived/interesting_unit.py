"""The unit that is worth a first look: which of a layer's units a reader meets before choosing any.

In: a layer's unit record and an objective. Out: a unit, or none. Imports no torch.
"""

import numpy as np
import xarray as xr

from .shown_images import is_flat, shown_images
from .unit_columns import waiting

__all__ = ["most_interesting"]


def most_interesting(units: xr.Dataset, objective: str) -> int | None:
    """The most class-selective of the units that respond well and whose image shows a pattern.

    A reader who opens the scatter then sees at once what the method is for: a picture, and a class that it belongs to.
    The unit has an image under every objective, and its image under `objective` is not one flat color and excites it.
    Of such units, only those count that respond to the data at least as strongly as half of them do, because a unit
    that hardly ever responds looks selective by chance: a single image decides its preferred class. Of these, only
    those count whose image varies at least as much as half of the images do, because a nearly even color shows nothing.

    Parameters
    ----------
    units : xarray.Dataset
        A layer's unit record.
    objective : str
        "am" or "iam".

    Returns
    -------
    int or None
        The unit's place; of equals the first. In a record without selectivity, the one with the lowest RS. None if no
        unit has such an image, or the record holds no images.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> units = tw.zoo.example("shallow_cnn")["relu3"].to_dataset()
    >>> unit = most_interesting(units, "iam")
    >>> bool(units["rendered"].sel(objective="iam")[unit])
    True
    """
    if "image" not in units or objective not in units["objective"].values:
        return None
    own = units.sel(objective=objective)
    there = own["rendered"].values & ~waiting(units).values.any(0) & ~is_flat(own)
    for flag in ("silent", "dead"):
        if flag in own:
            there &= ~own[flag].values
    merit = _merit(own)
    there &= np.isfinite(merit)
    if not there.any():
        return None
    if "mean_activation" in own:
        there &= _upper_half(own["mean_activation"].values, there)
    there &= _upper_half(_variation(shown_images(own)), there)
    return int(np.where(there, merit, -np.inf).argmax())


def _merit(own: xr.Dataset) -> np.ndarray:
    if "selectivity" in own:
        return own["selectivity"].values.astype(np.float64)
    if "rs" in own:
        return -own["rs"].values.astype(np.float64)
    return np.zeros(own.sizes["unit"])


def _upper_half(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Which values are at least the median of some."""
    return values >= np.median(values[among])


def _variation(images: np.ndarray) -> np.ndarray:
    """How much each image varies from place to place, by every fourth of its pixels along either side."""
    some = images[:, ::4, ::4] if min(images.shape[1:3]) >= 16 else images
    return some.std((1, 2), dtype=np.float32).mean(1)
