"""Whether dimensions come back: the fit repeated with other seeds on resampled photographs.

In: a film, the fitted dimensions it was made of, and the activations they were fitted on. Out: the film with how near
each dimension's match comes in a repeated fit.
"""

from typing import Any

import numpy as np
import xarray as xr
from scipy.optimize import linear_sum_assignment
from sklearn.base import clone

from tunewidgets import records
from tunewidgets._checks import check_flags, is_whole
from tunewidgets.kernels.tuning.dimension_checks import check_is_sample, is_dictionary
from tunewidgets.kernels.tuning.dimensions import TuningDimensions
from tunewidgets.zoo.progress import progress_bar

# How far a film's components may be from the fit's, float32 as they are.
ALIKE = 1e-4


def add_stability(
    film: xr.Dataset,
    dimensions: TuningDimensions,
    activations: xr.DataArray,
    repeats: int = 8,
    seed: int = 0,
    *,
    progress: bool = True,
) -> xr.Dataset:
    """Tell of each of a film's dimensions whether it comes back when it is fitted again.

    The fit is repeated with other seeds on as many photographs drawn with replacement, each with all of its vectors. A
    repeated fit's dimensions are matched to these one to one, so that the cosines between their components, whatever
    their signs, add up to the most (the Hungarian method).

    Parameters
    ----------
    film : xarray.Dataset
        A film record of a method with a linear fit (all but LLE).
    dimensions : TuningDimensions
        Those that the film was made of.
    activations : xarray.DataArray, (sample, unit)
        What they were fitted on, as `sample_activations` gives it. Without a coordinate `image`, single vectors are
        drawn in place of photographs.
    repeats : int, default 8
        How many times the fit is repeated.
    seed : int, default 0
        Decides the fits' seeds and which photographs are drawn.
    progress : bool, default True

    Returns
    -------
    xarray.Dataset
        The film with `stability(dimension)`, float32: the median over the repeats of the absolute cosine between a
        dimension's component and its match, 1 where it always comes back the same. The settings hold `repeats` and
        `seed` under `stability`.

    Raises
    ------
    ValueError
        The method has no linear fit or is not fitted here (a dictionary trained elsewhere); the film was made of other
        dimensions; `repeats` or `seed` is outside its range; too few photographs remain for the fit.
    TypeError
        `activations` is no DataArray.

    References
    ----------
    Fel et al., *Archetypal SAE* (2025), section 3, for dictionaries that change from run to run. Kuhn, *The Hungarian
    method for the assignment problem* (1955).

    Examples
    --------
    >>> import tunewidgets as tw
    >>> probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")
    >>> scenes = tw.zoo.images("dead-leaves", n=8, size=64)
    >>> sample = tw.sample_activations(probe, scenes, n=1000, progress=False)
    >>> dims = tw.TuningDimensions("pca", 2).fit(sample)
    >>> film = tw.render_film(probe, dims, points=2, size=32, steps=1, progress=False)
    >>> film = tw.add_stability(film, dims, sample, repeats=3, progress=False)
    >>> bool((film.stability > 0.5).all())
    True
    """
    check_flags(progress=progress)
    check_is_sample(activations)
    for name, value, least in (("repeats", repeats, 1), ("seed", seed, 0)):
        if not is_whole(value, least):
            raise ValueError(f"{name}={value!r} can't be used; give a whole number from {least}")
    records.validate(film)
    chosen = _check_made_of(film, dimensions)
    rng = np.random.default_rng(seed)
    activations = activations.transpose("sample", "unit")
    cosines = []
    with progress_bar(total=repeats, desc="stability", unit="fit", show=progress) as bar:
        for _ in range(repeats):
            own = clone(dimensions).set_params(random_state=int(rng.integers(2**31 - 1)))
            own = _with_own_seed(own, rng).fit(_resampled(activations, rng))
            cosines.append(matched(dimensions.components_, own.components_)[chosen])
            bar.update()
    found = film.assign(stability=("dimension", np.median(cosines, axis=0).astype(np.float32)))
    found = records.with_settings(found, stability={"repeats": repeats, "seed": seed})
    records.validate(found)
    return found


def matched(components: np.ndarray, others: np.ndarray) -> np.ndarray:
    """`(k,)`: the absolute cosine of each row with its match among `others`, 0 for one that has none."""
    cosines = np.abs(_unit(components) @ _unit(others).T)
    rows, columns = linear_sum_assignment(cosines, maximize=True)
    found = np.zeros(len(components))
    found[rows] = cosines[rows, columns]
    return found


def _check_made_of(film: xr.Dataset, dimensions: Any) -> np.ndarray:
    """Which of the fit's dimensions the film shows.

    Raises
    ------
    ValueError
        It shows none of these, or they can't be fitted again.
    """
    if not hasattr(dimensions, "components_") or "component" not in film:
        raise ValueError(
            "these dimensions have no linear fit, so their directions can't be compared; fit 'pca', 'ica', "
            "'nmf' or 'sae'"
        )
    if is_dictionary(dimensions.method):
        raise ValueError(
            "this dictionary was trained elsewhere and can't be fitted again here; give a method such as 'sae'"
        )
    chosen = np.asarray(
        film["dimension"].values if "dimension" in film.coords else range(film.sizes["dimension"])
    )
    fitted = dimensions.components_
    scale = np.abs(fitted).max()
    if (
        film.sizes["unit"] != fitted.shape[1]
        or chosen.max() >= len(fitted)
        or not np.allclose(film["component"].values, fitted[chosen], atol=ALIKE * scale)
    ):
        raise ValueError("this film was made of other dimensions; give those that render_film was given")
    return chosen


def _with_own_seed(dimensions: TuningDimensions, rng: np.random.Generator) -> TuningDimensions:
    """A method that is an estimator with a seed of its own gets another one, too."""
    if "method__random_state" in dimensions.get_params():
        dimensions.set_params(method__random_state=int(rng.integers(2**31 - 1)))
    return dimensions


def _resampled(activations: xr.DataArray, rng: np.random.Generator) -> xr.DataArray:
    """As many photographs drawn with replacement, each with all of its vectors."""
    if "image" not in activations.coords:
        drawn = rng.integers(activations.sizes["sample"], size=activations.sizes["sample"])
        return activations.isel(sample=np.sort(drawn))
    images, inverse = np.unique(activations["image"].values, return_inverse=True)
    times = np.bincount(rng.integers(len(images), size=len(images)), minlength=len(images))
    return activations.isel(sample=np.repeat(np.arange(len(inverse)), times[inverse]))


def _unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1))
