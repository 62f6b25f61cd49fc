"""Trials: which of two real patches lies further along a dimension, or excites a unit more?

In: a film or unit records, their probe, and photographs of which the record has seen none. Out: the record with
two-alternative forced choices for people and for machines, and the same on random axes, which nobody should be able to
tell apart from the others.
"""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from tunewidgets import records
from tunewidgets._checks import Auto, a_type, allocating, check_flags, is_whole
from tunewidgets.kernels.data.image_batches import check_order, counted, described, parts_of
from tunewidgets.kernels.dissection.features import layer_record
from tunewidgets.kernels.gabor.film_readout import film_options
from tunewidgets.kernels.network.layers import sight_of
from tunewidgets.kernels.network.probe import Probe, check_is_probe
from tunewidgets.kernels.readability.axes import Axes, axes_of
from tunewidgets.kernels.readability.pairs import GRADES, Places, draw_pairs, extremes
from tunewidgets.kernels.readability.pictures import brightness, seen_at
from tunewidgets.kernels.tuning.activations import room_of, sample_activations
from tunewidgets.kernels.tuning.films import render_film
from tunewidgets.kernels.tuning.places import check_probe, fit_of, made_as
from tunewidgets.records.validation import schema_of

REFERENCES = ("exemplars", "film", "both")
SIDE = 64  # of a patch in a record that has no images, pixels
LEAST = 1000  # places that are sampled at least, where the images have so many
RANDOM = -1  # in place of a dimension: the question is about a random axis
# What `readability` and readers add; it is about the trials that were there before.
ABOUT = ("trial", "question", "readability", "reader")


def add_trials(
    film_or_units: xr.Dataset | xr.DataTree,
    probe: Probe,
    images: Any,
    n: int = 20,
    seed: int = 0,
    *,
    references: str = "exemplars",
    grade: str = "standard",
    which: Sequence[int] | None = None,
    k: int = 9,
    catch: int = 32,
    per_image: int | Auto = "auto",
    progress: bool = True,
) -> Any:
    """Ask of two real patches which lies further along a dimension, or excites a unit more, many times over.

    Half of the images, drawn by `seed`, gives the exemplars that stand as references; the patches of the trials come
    from the other half. A trial's two patches lie in two bands of the coordinate (its 1 to 10% and 90 to 99% quantiles;
    with `grade="hard"` 5 to 15% and 85 to 95%, with "hardest" 25 to 35% and 65 to 75%: of a unit that seldom responds,
    even the hard band is where it hardly does) and are matched in mean luminance and RMS contrast. As many trials are
    made for each of `catch` random axes, which mix the film's dimensions, or all units of the layer, each in units of
    its standard deviation. They are the null for machines, and for people catch trials that look like all others.

    Parameters
    ----------
    film_or_units : xarray.Dataset or xarray.DataTree
        A film record with a linear fit, or unit records; of several layers, those of the probe's layer get trials.
    probe : Probe
        The layer that the record is of.
    images : zoo source, Tensor, ndarray or iterable
        Photographs, float in [0, 1], `(N, 3, H, W)` together, that took no part in the record: not in the fit, and not
        as exemplars. One position is sampled of each image, or as many as it takes to have 1,000.
    n : int, default 20
        Trials for each dimension or unit, and for each random axis.
    seed : int, default 0
        Decides the halves, positions, pairs and random axes.
    references : {"exemplars", "film", "both"}, default "exemplars"
        What a trial shows of the axis: the `k` patches furthest along it at either end; the images of a film's two
        ends, for which two images are also rendered along each random axis; or both.
    grade : {"standard", "hard", "hardest"}, default "standard"
        How far apart the patches of a pair lie.
    which : sequence of int, optional
        The dimensions or units that get trials, by their place in the record; None: all.
    k : int, default 9
        Exemplars at either end.
    catch : int, default 32
        Random axes, at least 8.
    per_image : int or "auto", default "auto"
        Positions sampled of each image.
    progress : bool, default True

    Returns
    -------
    xarray.Dataset or xarray.DataTree
        The record with `trial_patch` uint8 `(trial, side, y, x, rgb)`; `trial_dimension(trial)`, or `trial_unit`, the
        place in the record, -1 for a random axis; `trial_answer(trial)`, the side that lies further, 0 or 1, and -1
        where both have the same value; `trial_question(trial)`, the axis asked about; `trial_image` and
        `trial_coordinate` `(trial, side)`. By question: `question_dimension` or `question_unit`, and the references
        `question_exemplar` uint8 `(question, end, reference, y, x, rgb)`, outermost first, and `question_film`
        `(question, end, y, x, rgb)`, with the ends "low" and "high". Earlier trials, answers and scores are left out.

    Raises
    ------
    ValueError
        An option is out of its range; the record is of another layer or other weights than the probe, or has no linear
        fit; there are too few images or positions, or the images shuffle; units are asked for a film's references.
    TypeError
        The first argument is no film and no unit record.
    MemoryError
        The patches take more memory than there is.

    Warns
    -----
    UserWarning
        The images are described as those that the record was made from are.

    References
    ----------
    Borowski et al., *Exemplary natural images explain CNN activations better than state-of-the-art feature
    visualization* (2021); Zimmermann, Klein and Brendel, *Scale alone does not improve mechanistic interpretability in
    vision models* (2023). Random axes as the null are ours.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> probe = tw.Probe(tw.zoo.gabor_bank(n=9), "relu", device="cpu")
    >>> scenes = tw.zoo.images("dead-leaves", n=8, size=64)
    >>> sample = tw.sample_activations(probe, scenes, n=1000, progress=False)
    >>> dims = tw.TuningDimensions("pca", 2).fit(sample)
    >>> film = tw.render_film(probe, dims, points=2, size=16, steps=1, progress=False)
    >>> others = tw.zoo.images("dead-leaves", n=20, size=64, seed=1)
    >>> asked = tw.add_trials(film, probe, others, n=4, catch=8, progress=False)
    >>> asked.trial_patch.shape
    (40, 2, 16, 16, 3)
    """
    check_flags(progress=progress)
    if not isinstance(film_or_units, xr.Dataset | xr.DataTree):
        raise TypeError(f"film_or_units is {a_type(film_or_units)}; give a film record or unit records")
    check_is_probe(probe)
    _check(n, seed, references, grade, k, catch, per_image)
    record = layer_record(film_or_units, probe)
    kind, _ = schema_of(record.attrs)
    if kind not in ("film", "units"):
        raise TypeError(f"this is a record of kind {kind!r}; give a film record or unit records")
    if kind == "film":
        check_probe(record, probe)
        fit_of(record)
    elif references != "exemplars":
        raise ValueError(
            f"references={references!r} needs a film's two ends, which units don't have; leave references at "
            "'exemplars'"
        )
    asked = _Asked(kind, _chosen(record, kind, which, references), n, k, grade, seed)
    check_order(images)
    batches, count = counted(images)
    told = described(images, count)
    settings = records.settings_of(record)
    own = str(settings.get("images", ""))
    # Only sources that can say what they are tell others from themselves.
    same = told == own and callable(getattr(images, "describe", None))
    if same:
        warnings.warn(
            f"the record was made from images of the same description ({own}); if they are the same, the trials are "
            "not held out: give other images",
            UserWarning,
            stacklevel=2,
        )
    made = made_as(settings)
    each = (
        _per_image(probe, batches, count, made.pool, max(LEAST, 50 * n)) if per_image == "auto" else per_image
    )
    sample = sample_activations(
        probe, batches, count * each, seed=seed, pool=made.pool, pooling=made.pooling, progress=progress
    )
    axes = axes_of(record, kind, probe, sample, catch, seed)
    size = (record.sizes.get("y", SIDE), record.sizes.get("x", SIDE))
    patches = seen_at(probe, batches, count, sample, made.pool, size, progress)
    added = _trials(axes, sample["image"].values, patches, asked, exemplars=references != "film")
    if references != "exemplars":
        added["question_film"] = (
            ("question", "end", "y", "x", "rgb"),
            _ends(record, probe, axes, asked.chosen, seed, progress),
        )
    about = {
        "n": n,
        "seed": seed,
        "references": references,
        "grade": grade,
        "bands": GRADES[grade],
        "k": k,
        "catch": catch,
        "per_image": each,
        "images": told,
        "n_images": count,
        "same_description": same,
    }
    found = without_trials(record).assign(added).assign_coords(end=np.array(["low", "high"], dtype=object))
    found = records.with_settings(found, trials=about)
    records.validate(found)
    return found if isinstance(film_or_units, xr.Dataset) else with_layer(film_or_units, found)


def without_trials(record: xr.Dataset) -> xr.Dataset:
    """The record without trials and all that is about them."""
    names = [name for name in record.variables if str(name).partition("_")[0] in ABOUT]
    return record.drop_vars([*names, *(["end"] if "end" in record.coords else [])])


def with_layer(tree: xr.DataTree, record: xr.Dataset) -> xr.DataTree:
    """The tree in which a layer's record is replaced by this one."""
    names = [
        name for name, child in tree.children.items() if child.attrs.get("layer") == record.attrs["layer"]
    ]
    changed = tree.copy()
    for name in names:
        changed[name] = xr.DataTree(record.assign_attrs(tree[name].attrs | record.attrs))
    return changed


class _Asked(NamedTuple):
    """What is asked: of which kind of record, about which of its axes, and how."""

    kind: str
    chosen: np.ndarray
    n: int
    k: int
    grade: str
    seed: int


def _trials(
    axes: Axes, image: np.ndarray, patches: np.ndarray, asked: _Asked, *, exemplars: bool
) -> dict[str, Any]:
    """The variables of all trials, in an order in which random axes are mixed in."""
    noun = "unit" if asked.kind == "units" else "dimension"
    columns = np.concatenate([axes.own[:, asked.chosen], axes.random], 1).T
    about = np.concatenate([asked.chosen, np.full(axes.random.shape[1], RANDOM)]).astype(np.int32)
    halves = np.random.default_rng([asked.seed, 2]).permutation(np.unique(image))
    shown = np.isin(image, halves[: len(halves) // 2])
    mine, others = np.flatnonzero(shown), np.flatnonzero(~shown)
    places = Places(image[others], *brightness(patches[others]))
    pairs, references = [], []
    for number, column in enumerate(columns):
        rng = np.random.default_rng([asked.seed, 3, number])
        pairs.append(draw_pairs(column[others], places, asked.n, asked.grade, rng))
        references.append(mine[extremes(column[mine], image[mine], asked.k, rng)])
    place = others[np.concatenate([each.place for each in pairs])]
    answer = np.concatenate([each.answer for each in pairs]).astype(np.int8)
    question = np.repeat(np.arange(len(columns), dtype=np.int32), asked.n)
    order = np.random.default_rng([asked.seed, 4]).permutation(len(question))
    place, answer, question = place[order], answer[order], question[order]
    with allocating(f"{len(question)} trials", "give a smaller n or catch, or fewer in which"):
        found: dict[str, Any] = {
            "trial_patch": (("trial", "side", "y", "x", "rgb"), patches[place]),
            f"trial_{noun}": ("trial", about[question]),
            "trial_answer": ("trial", answer),
            "trial_question": ("trial", question),
            "trial_image": (("trial", "side"), image[place].astype(np.int32)),
            "trial_coordinate": (
                ("trial", "side"),
                np.take_along_axis(columns[question], place, 1).astype(np.float32),
            ),
            f"question_{noun}": ("question", about),
        }
        if exemplars:
            found["question_exemplar"] = (
                ("question", "end", "reference", "y", "x", "rgb"),
                patches[np.stack(references)],
            )
    return found


def _ends(
    film: xr.Dataset, probe: Probe, axes: Axes, chosen: np.ndarray, seed: int, progress: bool
) -> np.ndarray:
    """Images `(questions, end, y, x, rgb)` of both ends of a film's dimensions and, made alike, of random axes."""
    assert axes.drawn is not None
    drawn = render_film(probe, axes.drawn, 2, seed=seed + 1, progress=progress, **film_options(film))
    parts = []
    for one, rows in ((film, chosen), (drawn, np.arange(drawn.sizes["dimension"]))):
        along = one["coordinate"].values[rows]
        ends = np.stack([along.argmin(1), along.argmax(1)], 1)
        parts.append(one["image"].values[rows[:, None], ends])
    return np.concatenate(parts)


def _per_image(probe: Probe, batches: Any, count: int, pool: int, wanted: int) -> int:
    """As many positions of each image as make `wanted` of all, where there are so many and they see different parts."""
    if count >= wanted or not probe.has_map or sight_of(probe).window is None:
        return 1
    pictures, _ = parts_of(next(iter(batches)))
    values = probe(pictures[:1])[:, :, pool - 1 :, pool - 1 :]
    return max(1, min(-(-wanted // count), room_of(values)))


def _chosen(record: xr.Dataset, kind: str, which: Sequence[int] | None, references: str) -> np.ndarray:
    dim = "unit" if kind == "units" else "dimension"
    count = record.sizes[dim]
    chosen = list(range(count)) if which is None else list(which)
    if not chosen or not all(is_whole(at, 0, count - 1) for at in chosen) or len(set(chosen)) < len(chosen):
        raise ValueError(
            f"which is {which!r}; the record has {dim}s 0 to {count - 1}: name each wanted one once"
        )
    if references != "exemplars":
        # What has no image has no end to show.
        chosen = [at for at in chosen if not str(record["status"].values[at])]
    if not chosen:
        raise ValueError("none of these dimensions has images; leave references at 'exemplars'")
    return np.array(chosen, np.int64)


def _check(n: int, seed: int, references: str, grade: str, k: int, catch: int, per_image: int | Auto) -> None:
    for name, value, least in (("n", n, 1), ("seed", seed, 0), ("k", k, 1), ("catch", catch, 8)):
        if not is_whole(value, least):
            raise ValueError(f"{name}={value!r} can't be used; give a whole number from {least}")
    if per_image != "auto" and not is_whole(per_image, 1):
        raise ValueError(f'per_image={per_image!r} can\'t be used; give a whole number from 1 or "auto"')
    for name, text, known in (("references", references, REFERENCES), ("grade", grade, tuple(GRADES))):
        if text not in known:
            raise ValueError(f"{name} is {text!r}; choose one of {', '.join(map(repr, known))}")
