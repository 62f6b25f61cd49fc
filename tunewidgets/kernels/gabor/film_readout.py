"""Readout of a film: what its pictures say each dimension is about, compared with films of random axes.

In: a film, its probe and the activations its dimensions were found in. Out: the film with p-values of seven attributes
per dimension, and a suggested label where one is supported. *Identifying and interpreting tuning dimensions in deep
networks*, Table 2, whose marks were given by eye.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from tunewidgets import records
from tunewidgets._checks import check_flags, is_whole
from tunewidgets.kernels.canvas.canvases import canvas_name
from tunewidgets.kernels.canvas.jitter import Jitter
from tunewidgets.kernels.gabor.cell import SMOOTH
from tunewidgets.kernels.gabor.nulls import holm, p_value
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.reading.film_attributes import (
    FILM_ATTRIBUTES,
    attribute_curves,
    attribute_smoothnesses,
    attribute_sweeps,
)
from tunewidgets.kernels.tuning.dimension_checks import check_is_sample, in_unit_order
from tunewidgets.kernels.tuning.dimensions import TuningDimensions
from tunewidgets.kernels.tuning.films import render_film
from tunewidgets.kernels.tuning.places import check_probe, coordinates_of
from tunewidgets.kernels.tuning.random_axes import SubspaceAxes
from tunewidgets.zoo.progress import progress_bar

# Random axes fitted and rendered together: meanwhile all vectors' coordinates along them are kept.
AT_ONCE = 64
# Sine of the largest angle at which two subspaces count as one: records keep single precision.
SAME_SUBSPACE = 1e-2


def read_film(
    film: xr.Dataset,
    probe: Probe,
    activations: xr.DataArray,
    null: int | xr.Dataset = 199,
    points: int | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    *,
    progress: bool = True,
) -> xr.Dataset:
    """Read off a film's pictures what each of its dimensions is about, and suggest labels.

    Seven attributes are read: `frequency`, `angle` and `phase` of the luminance, and four oppositions of hues in OKLab
    (the CSS colors of these names), `green/purple`, `orange/blue`, `green/red` and `blue/red`: pictures that go from
    one hue to the other, or in which the contrast of both grows. How far an attribute goes along a dimension is
    compared with films of random axes of the subspace that the film's dimensions span, made by the same optimizer: an
    attribute that any axis of the subspace sweeps is not a finding. P-values are Holm's over the attributes; the best
    supported attribute becomes the suggested label, with its p. Most dimensions of most layers get none.

    Parameters
    ----------
    film : xarray.Dataset
        A film record of a method with a linear fit (all but LLE).
    probe : Probe
        The layer that the film was made for.
    activations : xarray.DataArray, (sample, unit)
        What the dimensions were found in; its range decides how far a random axis goes.
    null : int or xarray.Dataset, default 199
        How many random axes are rendered, from 139: with fewer no p-value of seven can reach .05. Or a film that has
        been read already, whose null is reused: PCA and ICA with as many components span the same subspace.
    points : int, optional
        Points along a random axis; the film is compared with them by as many points of its own. None: five, or
        as many as the film has.
    alpha : float, default 0.05
        Level at which a label is suggested.
    seed : int, default 0
        Decides the axes.
    progress : bool, default True

    Returns
    -------
    xarray.Dataset
        The film with `suggested_label`, such as "orange/blue, p = .035", empty where nothing is supported, and
        `(dimension, attribute)`: `attribute_p`, `attribute_p_holm`, `attribute_sweep` (in octaves; in parts of the unit
        circle, up to 2; in skewness; in OKLab's chroma), `attribute_observed`, the same of the few points, and
        `attribute_smoothness`, at least .65 for a label; `attribute_null(attribute, draw)`, the random axes' sweeps.
        Dimensions without pictures have NaN.

    Raises
    ------
    ValueError
        The film has no linear fit, or another layer or other weights than the probe or `null`; an option is out of its
        range.

    References
    ----------
    *Identifying and interpreting tuning dimensions in deep networks*, Table 2. S. Holm, *A simple sequentially
    rejective multiple test procedure*, 1979.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")
    >>> scenes = tw.zoo.images("dead-leaves", n=8, size=64)
    >>> sample = tw.sample_activations(probe, scenes, n=1000, progress=False)
    >>> dims = tw.TuningDimensions("pca", 2).fit(sample)
    >>> film = tw.render_film(probe, dims, points=3, size=16, steps=1, progress=False)
    >>> read = tw.read_film(film, probe, sample, null=139, points=2, progress=False)
    >>> read.attribute_p.shape
    (2, 7)
    """
    check_flags(progress=progress)
    check_is_sample(activations)
    records.validate(film)
    check_probe(film, probe)
    if not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha!r} is no level; give a number between 0 and 1, such as 0.05")
    if isinstance(null, xr.Dataset):
        swept, points, seed = _taken_over(null, film)
    else:
        points = min(5, film.sizes["point"]) if points is None else points
        _check_null(null, points, alpha, film.sizes["point"])
        coordinates_of(film, activations.isel(sample=[0]).transpose("sample", "unit").values)
        swept = random_axes(film, probe, activations, null, points, seed, progress)
    found = judged(film, swept, points)
    dims = ("dimension", "attribute")
    about = {"null": swept.shape[1], "points": points, "alpha": alpha, "seed": seed, "smoothness": SMOOTH}
    read = film.drop_vars([name for name in film.variables if str(name).startswith("attribute")]).assign(
        {f"attribute_{name}": (dims, values.astype(np.float32)) for name, values in found.items()}
    )
    read = read.assign(
        attribute_null=(("attribute", "draw"), swept.astype(np.float32)),
        suggested_label=("dimension", np.array(suggestions(found, swept, alpha), dtype=object)),
    ).assign_coords(attribute=np.array(FILM_ATTRIBUTES, dtype=object))
    read = records.with_settings(read, readout=about)
    records.validate(read)
    return read


def random_axes(
    film: xr.Dataset,
    probe: Probe,
    activations: xr.DataArray,
    count: int,
    points: int,
    seed: int,
    progress: bool,
) -> np.ndarray:
    """How far the pictures along random axes of a film's subspace sweep each attribute: `(attribute, count)`."""
    curves = random_curves(film, probe, activations, count, points, seed, progress)
    return attribute_sweeps(curves).T


def random_curves(
    film: xr.Dataset,
    probe: Probe,
    activations: xr.DataArray,
    count: int,
    points: int,
    seed: int,
    progress: bool,
) -> dict[str, np.ndarray]:
    """What pictures along random axes of a film's subspace say: by attribute `(axes, points, columns)`.

    Axes come in orthogonal frames, each of as many axes as the subspace has dimensions.
    """
    activations = in_unit_order(activations, None)
    # A unit that never varies is left out of every fit, and has no part in the film's dimensions.
    vectors = activations.transpose("sample", "unit").values
    varies = vectors.max(axis=0) > vectors.min(axis=0)
    basis = film["component"].values.astype(float)[:, varies]
    options = film_options(film)
    parts = []
    with progress_bar(total=count, desc="Rendering random axes", unit="axis", show=progress) as bar:
        for start in range(0, count, AT_ONCE):
            number = min(AT_ONCE, count - start)
            method = SubspaceAxes(basis, number, np.random.RandomState([seed, start]))
            axes = TuningDimensions(method).fit(activations)
            made = render_film(probe, axes, points, seed=seed + 1 + start, progress=False, **options)
            parts += [attribute_curves(one) for one in made["image"].values[made["status"].values == ""]]
            bar.update(number)
    return {name: np.stack([part[name] for part in parts]) for name in FILM_ATTRIBUTES}


def judged(film: xr.Dataset, swept: np.ndarray, points: int) -> dict[str, np.ndarray]:
    """`p`, `p_holm`, `sweep`, `observed` and `smoothness` of a film, each `(dimension, attribute)`.

    Parameters
    ----------
    film : Dataset
    swept : ndarray, (attribute, draws)
        Of `random_axes`.
    points : int
        How many points those had.
    """
    shape = (film.sizes["dimension"], len(FILM_ATTRIBUTES))
    found = {name: np.full(shape, np.nan) for name in ("p", "p_holm", "sweep", "observed", "smoothness")}
    few = np.linspace(0, film.sizes["point"] - 1, points).round().astype(int)
    for row in np.flatnonzero(film["status"].values == ""):
        curves = attribute_curves(film["image"].values[row])
        observed = attribute_sweeps({name: curve[few] for name, curve in curves.items()})
        found["observed"][row] = observed
        found["sweep"][row] = attribute_sweeps(curves)
        found["smoothness"][row] = attribute_smoothnesses(curves)
        found["p"][row] = p_value(swept, observed[:, None])[:, 0]
        found["p_holm"][row] = holm(found["p"][row])
    return found


def suggestions(found: Mapping[str, np.ndarray], swept: np.ndarray, alpha: float) -> list[str]:
    """One label per dimension: its best supported attribute with Holm's p; empty where none reaches `alpha`.

    Of several with the same p, the one that lies farthest out in standard deviations of its null.
    """
    spread = swept.std(axis=1)
    far = (found["observed"] - swept.mean(axis=1)) / np.where(spread > 0, spread, np.inf)
    supported = (found["p_holm"] <= alpha) & (found["smoothness"] >= SMOOTH)
    labels = []
    for row, able in enumerate(supported):
        order = sorted(np.flatnonzero(able), key=lambda at: (found["p_holm"][row, at], -far[row, at]))
        labels.append(
            f"{FILM_ATTRIBUTES[order[0]]}, p = {short(found['p_holm'][row, order[0]])}" if order else ""
        )
    return labels


def short(p: float) -> str:
    """A p-value with at most three decimals, written as .035."""
    return f"{p:.3f}".lstrip("0").rstrip("0") if p >= 0.0005 else "< .001"


def film_options(film: xr.Dataset) -> dict[str, Any]:
    """The options that `render_film` made the film with, as far as they change its pictures."""
    settings = records.settings_of(film)
    at = settings["at"]
    return {
        **{
            name: settings[name]
            for name in ("sampling", "mode", "others", "size", "steps", "lr", "precision")
        },
        "at": at if isinstance(at, str) else tuple(at),
        "canvas": canvas_name(settings["canvas"]),
        "band": settings["band"],
        # A film from before contrast was bounded does not name it.
        "contrast": settings.get("contrast"),
        "jitter": Jitter(**settings["jitter"]),
    }


def _check_null(null: Any, points: Any, alpha: float, most: int) -> None:
    least = int(np.ceil(len(FILM_ATTRIBUTES) / alpha)) - 1
    if not is_whole(null, least):
        raise ValueError(
            f"null={null!r} can't be used; give {least} or more random axes (fewer can't reach p = {alpha:g} after "
            f"Holm's correction for {len(FILM_ATTRIBUTES)} attributes), or a film that has been read already"
        )
    if not is_whole(points, 2, most):
        raise ValueError(
            f"points={points!r} can't be used; give a whole number from 2 to the film's own {most} points"
        )


def _taken_over(earlier: xr.Dataset, film: xr.Dataset) -> tuple[np.ndarray, int, int]:
    """The null of a film that has been read already, its number of points and its seed."""
    if "attribute_null" not in earlier:
        raise ValueError("null is a film that was not read; give what read_film gave, or a number of axes")
    mine, theirs = records.settings_of(film), records.settings_of(earlier)
    for name in (
        "sampling",
        "mode",
        "others",
        "at",
        "size",
        "steps",
        "canvas",
        "band",
        "contrast",
        "leak",
        "lr",
        "jitter",
    ):
        if mine.get(name) != theirs.get(name):
            raise ValueError(
                f"null was made with {name}={theirs.get(name)!r} and this film with {mine.get(name)!r}; give a film "
                "made with the same options, or a number of axes"
            )
    here, there = (np.linalg.qr(one["component"].values.astype(float).T)[0] for one in (film, earlier))
    same = here.shape == there.shape and np.linalg.norm(here - there @ (there.T @ here), 2) < SAME_SUBSPACE
    if not same or any(film.attrs[name] != earlier.attrs[name] for name in ("layer", "model_sha256")):
        raise ValueError("null is of another subspace than this film; give a number of axes instead")
    about = theirs["readout"]
    return earlier["attribute_null"].values.astype(float), int(about["points"]), int(about["seed"])
