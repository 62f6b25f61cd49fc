"""Checks of the settings and the data of tuning dimensions, made before anything is computed.

In: settings or vectors. Out: how many dimensions they ask for or hold, or an error of one sentence.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np
import xarray as xr
from scipy.sparse import issparse

from tunewidgets import _checks
from tunewidgets._checks import a_type, is_whole
from tunewidgets.kernels.tuning.dictionaries import is_dictionary


def asked_components(method: Any, n_components: int, n_neighbors: int, subsample: int) -> int | None:
    """How many dimensions are asked for, None where a method's own settings decide.

    Raises
    ------
    ValueError, TypeError
        If the method is unknown or not a decomposition, or a number is not a whole number from 1.
    """
    names = _checks.DECOMPOSITIONS
    known = f"give {', '.join(map(repr, names))}"
    if isinstance(method, str):
        if method not in names:
            near = get_close_matches(method, names, n=1, cutoff=0.3)
            hint = f"did you mean {near[0]!r}?" if near else known
            raise ValueError(f"there is no method {method!r}; {hint}")
        counts = {"n_components": n_components, "n_neighbors": n_neighbors, "subsample": subsample}
        for name, value in counts.items():
            if not is_whole(value, 1):
                raise ValueError(f"{name}={value!r} can't be used; give a whole number from 1")
        return int(n_components)
    if is_dictionary(method):
        return None
    if isinstance(method, type) or not (hasattr(method, "fit") and hasattr(method, "transform")):
        kind = f"the class {method.__name__}" if isinstance(method, type) else a_type(method)
        raise TypeError(
            f"method is {kind}; {known} or a scikit-learn decomposition object, "
            "such as sklearn.decomposition.FactorAnalysis(n_components=6)"
        )
    own = getattr(method, "n_components", None)
    return int(own) if is_whole(own) else None


def is_overcomplete(method: Any) -> bool:
    """Whether a method may have more dimensions than the data's rank: a sparse dictionary, scikit-learn's too."""
    if isinstance(method, str):
        return method == "sae"
    return any(hasattr(method, name) for name in ("overcomplete", "transform_algorithm", "encode"))


def check_are_vectors(X: Any) -> None:
    """Raise a TypeError for what is no table of vectors at all, such as None or a name."""
    # Some sparse matrices are mappings too; scikit-learn's own check speaks of them.
    if not issparse(X) and (X is None or isinstance(X, str | bytes | Mapping) or np.isscalar(X)):
        kind = "None" if X is None else a_type(X)
        raise TypeError(
            f"the vectors are {kind}; give a DataArray or an array (vectors, units), such as sample_activations gives"
        )


def check_is_sample(activations: Any) -> None:
    """Raise a TypeError for anything but a DataArray, such as its bare values."""
    if not isinstance(activations, xr.DataArray):
        raise TypeError(
            f"activations is {a_type(activations)}; give the DataArray that sample_activations gives"
        )


def check_finite(data: np.ndarray, name: str) -> None:
    """Raise a ValueError if a row of `data`, `(n, columns)`, holds NaN or infinity."""
    bad = ~np.isfinite(data).all(axis=1)
    if bad.any():
        raise ValueError(
            f"{bad.sum()} of {len(bad)} rows of {name} contain NaN or infinity (inf); "
            "repair them or leave them out"
        )


def unit_names(X: Any) -> np.ndarray | None:
    """What vectors with a coordinate `unit` call their units; None where they have none.

    Raises
    ------
    ValueError
        Two units have one name.
    """
    if not isinstance(X, xr.DataArray) or "unit" not in X.dims or "unit" not in X.coords:
        return None
    names = X["unit"].values
    if len(np.unique(names)) < len(names):
        raise ValueError(
            "the coordinate unit of the vectors names one unit twice; give each unit a name of its own"
        )
    return np.asarray(names)


def in_unit_order(X: xr.DataArray, names: np.ndarray | None) -> xr.DataArray:
    """Vectors with their units in the order of `names`; None: by their numbers, where they are those from 0 on.

    Raises
    ------
    ValueError
        They have other units.
    """
    own = unit_names(X)
    if own is None:
        return X
    wanted = np.arange(len(own)) if names is None else names
    if np.array_equal(own, wanted):
        return X
    if len(own) == len(wanted) and np.array_equal(np.sort(own), np.sort(wanted)):
        return X.sel(unit=wanted)
    if names is None:
        return X
    raise ValueError(
        "the vectors are of other units than those that were fitted (by their coordinate unit); give the same ones"
    )


def check_rank(asked: int, live: np.ndarray, units: int, n_images: int | None, *, centered: bool) -> None:
    """Raise a ValueError if `live`, `(n, units that vary)`, holds fewer dimensions than asked for."""
    check_enough(asked, len(live), _rank(live, centered=centered), live.shape[1], units, n_images)


def check_enough(asked: int, n: int, rank: int, live: int, units: int, n_images: int | None) -> None:
    """Raise a ValueError if `n` vectors of that rank hold fewer dimensions than asked for."""
    most = min(rank, n - 1)
    if asked > most:
        of_images = f" of {n_images} images" if n_images is not None else ""
        raise ValueError(
            f"n_components={asked} is more than the data hold: {n} vectors{of_images}, {live} of "
            f"{units} units that vary, rank {rank}; ask for n_components={most} or fewer, or give more images"
        )


def _rank(live: np.ndarray, *, centered: bool) -> int:
    """Rank of the data above the rounding of float32, whatever the scales of the units."""
    scaled = live - live.mean(axis=0) if centered else live
    scaled = scaled / np.linalg.norm(scaled, axis=0)
    gram = scaled.T @ scaled if len(scaled) >= scaled.shape[1] else scaled @ scaled.T
    return rank_of(gram)


def rank_of(gram: np.ndarray) -> int:
    """Rank of the data from their products, scaled to unit length."""
    values = np.linalg.eigvalsh(gram)
    return int((values > 1e-10 * values[-1]).sum())
