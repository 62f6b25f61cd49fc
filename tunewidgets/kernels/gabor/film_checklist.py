"""Table 2 as a checklist: which attributes do a film's dimensions show beyond chance?

In: films that have been read, by layer. Out: a recovery record like that of a Gabor bank, for the same widget.
*Identifying and interpreting tuning dimensions in deep networks*, Table 2.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from tunewidgets import records
from tunewidgets._checks import a_type
from tunewidgets.derived.film_text import method_name
from tunewidgets.kernels.gabor.cell import POINTS, SMOOTH, Judgment, best_by_pictures
from tunewidgets.kernels.gabor.nulls import furthest_of, p_value
from tunewidgets.kernels.gabor.record import blank, enter, summarized
from tunewidgets.kernels.reading.attributes import COMPONENTS
from tunewidgets.kernels.reading.film_attributes import FILM_ATTRIBUTES, attribute_curves

READOUT = "image"
NO_FILM = "no film with so many dimensions was given"


def film_checklist(
    films: Mapping[str, xr.Dataset | Sequence[xr.Dataset]], alpha: float = 0.05, seed: int = 0
) -> xr.DataTree:
    """A checklist of seven attributes over films of several layers and methods, for `RecoveryChecklist`.

    A cell asks whether the dimension that goes furthest along the attribute goes further than the furthest of as many
    random axes of the same subspace: a mark is for the whole film, not for a dimension that was picked out of it.

    Parameters
    ----------
    films : mapping of str to film records
        By a name for the layer: a film that `read_film` has read, or several by different methods. If a layer is called
        "conv2d0" or "conv2d1", as in the paper, the paper's marks of PCA-16 and ICA-16 stand beside ours.
    alpha : float, default 0.05
        Level of the marks.
    seed : int, default 0
        Decides which random axes are grouped together.

    Returns
    -------
    xarray.DataTree
        A recovery record of one bank and one seed, the readout "image"; `p` compares within the subspace, `p_rotation`
        is NaN. The films are its child nodes.

    Raises
    ------
    ValueError
        No film is given; one has not been read, does not have 32 points, or has no dimension that can be shown; or two
        are of the same layer and method.
    TypeError
        `films` is no mapping.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> film = tw.open_record("film.zarr")  # doctest: +SKIP
    >>> tw.RecoveryChecklist(tw.film_checklist({"conv2d0": film}))  # doctest: +SKIP
    """
    if not isinstance(films, Mapping) or isinstance(films, xr.Dataset):
        raise TypeError(
            f"films is {a_type(films)}; give a dict from each layer's name to its film, such as "
            '{"conv2d0": film}'
        )
    columns: dict[tuple[str, int], xr.Dataset] = {}
    for layer, given in films.items():
        for film in [given] if isinstance(given, xr.Dataset) else given:
            _check(film)
            name = f"{layer} {method_name(records.settings_of(film))}"
            if any(known == name for known, _ in columns):
                raise ValueError(f"two films are of {name}; give one film per layer and method")
            columns[name, film.sizes["dimension"]] = film
    if not columns:
        raise ValueError("there is no film; give at least one that read_film has read")
    first = next(iter(columns.values()))
    settings = {
        "subject": "films",
        "alpha": alpha,
        "smoothness": SMOOTH,
        "films": {name: records.settings_of(film) for (name, _), film in columns.items()},
    }
    attrs = records.new_attrs(
        "recovery",
        model=first.attrs["model"],
        model_sha256=first.attrs["model_sha256"],
        layer=", ".join(dict.fromkeys(str(film.attrs["layer"]) for film in columns.values())),
        settings=settings,
        seed=seed,
        n_images=first.attrs["n_images"],
        n_vectors=first.attrs["n_vectors"],
    )
    names = [name for name, _ in columns]
    counts = sorted({count for _, count in columns})
    draws = first.sizes["draw"]
    bank = str(first.attrs["model"])
    report = blank(names, counts, [seed], [bank], [READOUT], draws, 1, attrs, attributes=FILM_ATTRIBUTES)
    report["statistic"][:] = "sweep"
    report["bank_sha256"][:] = str(first.attrs["model_sha256"])
    report["status"][:] = NO_FILM
    children = {}
    for (name, count), film in columns.items():
        where = {"decomposition": name, "n_components": count, "seed": seed, "bank": bank}
        enter(report, judge_read_film(film, alpha, seed, draws), {**where, "readout": READOUT})
        report["status"].loc[where] = ""
        converged = records.settings_of(film).get("converged")
        report["converged"].loc[where] = np.nan if converged is None else float(converged)
        children[f"/films/{records.group_name(f'{name}-{count}')}"] = film
    tree = xr.DataTree.from_dict({"/": summarized(report), **children})
    records.validate(tree)
    return tree


def judge_read_film(film: xr.Dataset, alpha: float, seed: int, draws: int) -> Judgment:
    """All attributes of one film: its furthest dimension against the furthest of as many random axes."""
    pool = film["attribute_null"].values.astype(float)
    observed, swept, smooth = (
        film[f"attribute_{name}"].values.T.astype(float) for name in ("observed", "sweep", "smoothness")
    )
    drawn = int((film["status"] == "").sum())
    null = furthest_of(pool, max(drawn, 1), draws, np.random.default_rng([seed, 3]))
    p = np.where(np.isnan(observed), np.nan, p_value(null, observed))
    best, values = best_by_pictures(p, observed, swept, smooth, alpha)
    curves = np.full((len(FILM_ATTRIBUTES), POINTS, COMPONENTS), np.nan)
    for row, name in enumerate(FILM_ATTRIBUTES):
        own = attribute_curves(film["image"].values[best[row]])[name]
        curves[row, :, : own.shape[1]] = own
    return Judgment(best, values, null, np.full(null.shape, np.nan), curves, film["coordinate"].values[best])


def _check(film: xr.Dataset) -> None:
    records.validate(film)
    if "attribute_null" not in film:
        raise ValueError("a film was not read; give what read_film gave")
    if film.sizes["point"] != POINTS:
        raise ValueError(
            f"a film has {film.sizes['point']} points and a checklist shows {POINTS}; render it with points={POINTS}"
        )
    if not (film["status"] == "").any():
        raise ValueError(f"a film has no dimension that can be shown: {film['status'].values[0]}")
