"""The recovery checklist: which attributes of a bank of Gabor filters does each method recover?

In: banks, methods, numbers of components, bank seeds, images. Out: a recovery record, with a null distribution for
every mark, and films of the first seed. *Identifying and interpreting tuning dimensions in deep networks*,
section 4.1, whose Table 1 was judged by eye.
"""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from tunewidgets import zoo
from tunewidgets._checks import check_flags, check_options, is_whole
from tunewidgets.kernels.gabor.bank_activations import Patches
from tunewidgets.kernels.gabor.banks import bank_of, banks_of, methods_of
from tunewidgets.kernels.gabor.run import RecoveryRun
from tunewidgets.kernels.tuning.activations import check_pool
from tunewidgets.kernels.tuning.films import render_film
from tunewidgets.kernels.tuning.points import OTHERS, Others

# Decides where in the images a bank looks; the bank seeds decide the banks, and the methods' random starts.
SAMPLE_SEED = 0
# For the films' null: enough to know the largest of 6 random directions to one in 20.
RANDOM_FILMS = 140


def gabor_recovery(
    bank: Any = None,
    methods: Sequence[Any] = ("pca", "ica", "nmf", "lle"),
    n_components: Sequence[int] = (3, 6),
    seeds: Sequence[int] = (0,),
    images: Any = None,
    n: int = 20_000,
    others: Others = "mean",
    permutations: int = 199,
    alpha: float = 0.05,
    films: bool = False,
    progress: bool = True,
    *,
    store: str | os.PathLike[str] | None = None,
    pool: int = 1,
    pooling: str = "mean",
    normalize: bool = False,
    random_directions: int = RANDOM_FILMS,
    film_options: dict[str, Any] | None = None,
) -> xr.DataTree:
    """Which attributes of Gabor filters the tuning dimensions of their activations recover.

    A dimension recovers an attribute if, along its points, the mean frequency, angle or phase of the filters that
    respond (a population vector) changes smoothly, and further than if other filters had changed by as much (`p`). It
    does so *on its axis* if it also beats arbitrary axes of the subspace that the method found (`p_rotation`).

    Parameters
    ----------
    bank : None, GaborBank, function or mapping of names to these
        A function with a parameter `seed` makes a bank for each seed, as `zoo.gabor_bank` does. None: the default
        bank, once "zero-mean", and once "with mean", whose filters respond to uniform light too.
    methods : sequence of {"pca", "ica", "nmf", "lle"} or scikit-learn decompositions
        By default all four.
    n_components : sequence of int, default (3, 6)
        Every method is fitted with each number.
    seeds : sequence of int, default (0,)
        Bank seeds.
    images : optional
        As `sample_activations` takes them; the same for all banks. None: 400 dead-leaves scenes.
    n : int, default 20_000
        Activation vectors.
    others : {"mean", "zero"}, default "mean"
        Where the other dimensions are held, as in `render_film`.
    permutations : int, default 199
        Draws of each null, from 19: fewer can't reach p = .05.
    alpha : float, default 0.05
        Level of the marks.
    films : bool, default False
        Add films of the first seed as child nodes, such as `tree["films/zero-mean-pca-3"]`, and judge them by their
        pictures too (readout "image").
    progress : bool, default True
    store : path or URL, optional
        A `.zarr` folder or `.zarr.zip` file to which finished cells go. When run again with the same settings,
        what it holds is not made again, what a reader entered is kept, and other seeds are added. Only one process at
        a time can write there.
    pool, pooling, normalize
        As of `sample_activations`; 1 and False are the paper's. With `pool=5`, `pooling="rms"`, `normalize=True` and 8
        components, PCA recovers frequency, angle and phase of nine banks in ten on photographs; from single positions,
        of hardly any. Of random directions, .05 to .06 then pass at .05; with 10 components, .07 pass for frequency.
    random_directions : int, default 140
        Films of random directions against which films are judged, 8 points each; 0: pictures get no marks.
    film_options : dict, optional
        Options of `render_film`, such as `steps` and `size`; points and `others` are those of the record.

    Returns
    -------
    xarray.DataTree
        A recovery record. By attribute, decomposition, n_components, seed, bank and readout: `p`, `p_holm` (Holm's,
        over the three attributes, for "recovers all"), `p_rotation` (NaN for LLE, which has no subspace), `sweep` D in
        standard deviations of the bank's attribute, `smoothness` η = D divided by the length of the curve, `r2` of the
        loading, `observed` (what `statistic` names, compared with `null`, the farthest above its average of all
        dimensions in units of the best one's, and with `null_rotation`), `recovered` (some dimension has p ≤ alpha and
        η ≥ .65) and `on_axis` as 1 or 0, `best_dimension`, and its `readout_curve` in log2 of cycles/px and parts of
        the unit sphere. Over seeds: `share` with its exact 95% interval, the mean of `sweep` with a
        bootstrap interval, and `share_all`, of those that recover all three attributes by `p_holm`. `verdict` and
        `note` are the reader's own, empty. Cells that don't exist are NaN (-1 in `best_dimension`), and `status`
        says why.

    Raises
    ------
    ValueError, TypeError
        An option is out of its range, a bank is not one that `zoo.gabor_bank` makes, no cell can be fitted, or the
        store holds a record made with other settings.
    FileExistsError
        The store's path holds something that is not a record.
    RuntimeError, OSError
        Another process is writing to the store, or it can't be written to.

    References
    ----------
    *Identifying and interpreting tuning dimensions in deep networks*, Table 1. Attributes are embedded so that (θ, ψ)
    and (θ + π, -ψ), which are one filter, are one point.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> scenes = tw.zoo.images("dead-leaves", n=20, size=64)
    >>> tree = tw.gabor_recovery(methods=("pca",), n_components=(3,), images=scenes, n=4000, progress=False)
    >>> float(tree["recovered"].sel(attribute="phase", bank="zero-mean").squeeze())
    1.0
    """
    check_flags(films=films, progress=progress, normalize=normalize)
    counts = _whole("n_components", n_components, 1)
    bank_seeds = _whole("seeds", seeds, 0)
    _check(n, others, permutations, alpha, random_directions)
    check_pool(pool, pooling)
    check_options(
        film_options or {}, "film_options", render_film, ("probe", "dimensions", "points", "others")
    )
    makers, banks = methods_of(methods), banks_of(bank, bank_seeds)
    patches = Patches(
        zoo.images("dead-leaves") if images is None else images,
        n,
        SAMPLE_SEED,
        progress,
        pool,
        pooling,
        normalize,
    )
    run = RecoveryRun(
        patches=patches,
        banks={(name, seed): bank_of(maker, seed) for seed in bank_seeds for name, maker in banks.items()},
        methods=makers,
        n_components=counts,
        others=others,
        permutations=permutations,
        alpha=alpha,
        films=films,
        store=store,
    )
    with run.study:
        run.take_over()
        run.judge_all(progress)
        if films and not run.why_nothing:
            run.film_all(bank_seeds[0], random_directions, {"progress": progress, **(film_options or {})})
        tree = run.finished()
        run.study.finish(tree)
    if run.why_nothing:
        raise ValueError(f"no method could be fitted: {run.why_nothing}")
    return tree


def _whole(name: str, values: Any, least: int) -> list[int]:
    """A list of whole numbers, each once."""
    listed = [values] if isinstance(values, int | np.integer) else list(values)
    whole = all(is_whole(value, least) for value in listed)
    if not (listed and whole and len(set(listed)) == len(listed)):
        raise ValueError(
            f"{name} is {values!r}; give whole numbers from {least}, each once, such as ({least + 3},)"
        )
    return [int(value) for value in listed]


def _check(n: int, others: Others, permutations: int, alpha: float, random_directions: int) -> None:
    for name, value, least in (
        ("n", n, 2),
        ("permutations", permutations, 19),
        ("random_directions", random_directions, 0),
    ):
        if not is_whole(value, least):
            raise ValueError(f"{name}={value!r} can't be used; give a whole number from {least}")
    if others not in OTHERS:
        raise ValueError(f"others is {others!r}; choose one of {', '.join(map(repr, OTHERS))}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha!r} is no level; give a number between 0 and 1, such as 0.05")
    if alpha * (permutations + 1) < 1:
        raise ValueError(
            f"{permutations} permutations can't reach p = {alpha}; give {int(np.ceil(1 / alpha)) - 1} or more"
        )
