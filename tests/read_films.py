"""Films that were read: gratings with numbers as `tunewidgets.read_film` gives them, for checklists of films."""

import numpy as np
import xarray as xr
from films import make_film

from tunewidgets.kernels.reading.film_attributes import FILM_ATTRIBUTES

K, DRAWS = 4, 150


def make_read_film(
    method: str = "ica",
    strong: tuple[str, ...] = (),
    points: int = 32,
    status: tuple[str, ...] = ("",) * K,
) -> xr.Dataset:
    """A film of K dimensions, of which row 2 lies beyond every draw in the `strong` attributes."""
    rng = np.random.default_rng(0)
    film = make_film(K, points, 16, method=method)
    observed = rng.random((K, 7)) * 0.3
    for name in strong:
        observed[2, FILM_ATTRIBUTES.index(name)] = 5
    dims = ("dimension", "attribute")
    own = {name: (dims, observed.astype(np.float32)) for name in ("attribute_observed", "attribute_sweep")}
    film = film.assign(
        **own,
        attribute_p=(dims, np.ones((K, 7), np.float32)),
        attribute_p_holm=(dims, np.ones((K, 7), np.float32)),
        attribute_smoothness=(dims, np.full((K, 7), 0.9, np.float32)),
        attribute_null=(("attribute", "draw"), rng.random((7, DRAWS)).astype(np.float32)),
        status=("dimension", np.array(status, dtype=object)),
    )
    return film.assign_coords(attribute=np.array(FILM_ATTRIBUTES, dtype=object))
