"""Whether a network uses a film's dimensions: what it loses without one, and which classes rise with more of it.

In: a film record of linear dimensions, its model and labeled images. Out: the film with the effects of each dimension,
beside those of random directions of equal variance. Only what follows the layer runs again.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from tunewidgets import records
from tunewidgets._checks import check_flags, is_whole
from tunewidgets.kernels.data.labeled import LabeledImages, labeled
from tunewidgets.kernels.network.capture import Observed
from tunewidgets.kernels.network.refusals import taking
from tunewidgets.kernels.single_units.ablation import CACHE_BYTES, LARGEST_BATCH, class_scores
from tunewidgets.kernels.single_units.silencing import drop_error
from tunewidgets.kernels.tuning.effect_runs import Moved, Moves, Summed, mean_and_error
from tunewidgets.kernels.tuning.places import check_probe, fit_of
from tunewidgets.zoo.progress import progress_bar

DOSES = (-2.0, -1.0, 1.0, 2.0)  # standard deviations of the coordinate
INTERVAL = 1.96  # standard errors, for 95%
NAMES = (
    "accuracy_drop",
    "loss_increase",
    "class_accuracy_drop",
    "class_effect",
    "class_probability_effect",
    "random_",
    "effect_p",
    "dose",
    "cls",
)


def add_effects(
    film: xr.Dataset,
    model: nn.Module,
    data: Any,
    *,
    only: Sequence[int] | None = None,
    sample: int = 100,
    random: int = 19,
    classes: int | Sequence[str] | None = None,
    seed: int = 0,
    preprocess: Callable[[Tensor], Tensor] | None = None,
    device: str | torch.device = "auto",
    progress: bool = True,
) -> xr.Dataset:
    """Give a film what its network does without each dimension, and with more of it.

    Without a dimension, with component `v` and row `u` of the unmixing, the layer gives `a - ((a - m) · u) v` at every
    position, `m` its mean over the images, and the rest of the network runs on that. With a dose `d` it gives
    `a + d σ v`, `σ` the coordinate's standard deviation over the images. Random directions are drawn from the layer's
    covariance, and what is taken out along one is stretched to the variance that the dimension has.

    Parameters
    ----------
    film : xarray.Dataset
        A film record of a method with a linear fit (all but LLE), of vectors from single positions.
    model : torch.nn.Module
        The classifier that the film was made with.
    data : iterable, Dataset, DataLoader or zoo source
        Of `(images, labels)`, as of `ablation`. Read twice.
    only : sequence of int, optional
        The dimensions to measure; None measures all. Of the others, everything is NaN.
    sample : int, default 100
        On how many of the images, drawn by `seed`, doses and random directions are measured, which take most time.
    random : int, default 19
        Random directions for each dimension; 0 measures none.
    classes : int or sequence of str, optional
        How many classes the data have, or their names.
    seed : int, default 0
    preprocess, device
        As of `Probe`.
    progress : bool, default True

    Returns
    -------
    xarray.Dataset
        The film with, by dimension, `accuracy_drop` and `loss_increase` (cross entropy, nats) without it over all
        images, their standard errors `accuracy_drop_se` and `loss_increase_se`, and `class_accuracy_drop(dimension,
        cls)` with its `_se`; `class_effect(dimension, dose, cls)`, the mean change of every class's score (its logit)
        at each of the doses -2, -1, 1 and 2, and `class_probability_effect`, both with 95% intervals over images,
        `_low` and `_high`; `random_loss_increase(dimension, draw)` and `random_accuracy_drop`, without random
        directions of equal variance, and `effect_p`, the share of these, with the dimension itself among them, that
        raise the loss of the same images by at least as much. The settings under `effects` hold the images, how many
        there are, and `below_zero`, the share of the values of a rectified layer that a change took below 0, and that
        were kept at 0.

    Raises
    ------
    ValueError
        The film has no linear fit, was made for another layer or with other weights, or from pooled or normalized
        vectors; the network gives no class scores; a label is outside its classes; an option is outside its range.
    TypeError
        `model` is not a module, or `data` does not give pairs.

    References
    ----------
    Morcos et al., *On the importance of single directions for generalization* (2018), whose ablation of units this is
    for directions; Kim et al., *TCAV* (2018), section 3, for random directions as the measure of chance.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> net = tw.zoo.load("shallow_cnn", weights=None)
    >>> probe = tw.Probe(net, "relu5", device="cpu")
    >>> digits = tw.zoo.images("digits", n=30, size=32)
    >>> dims = tw.TuningDimensions("pca", 2).fit(tw.sample_activations(probe, digits, n=30, progress=False))
    >>> film = tw.render_film(probe, dims, points=2, size=32, steps=1, progress=False)
    >>> film = tw.add_effects(film, net, digits, random=3, sample=10, device="cpu", progress=False)
    >>> film.class_effect.sizes["dose"]
    4
    """
    check_flags(progress=progress)
    records.validate(film)
    chosen = _chosen(film, only)
    for name, value, least in (("sample", sample, 1), ("random", random, 0), ("seed", seed, 0)):
        if not is_whole(value, least):
            raise ValueError(f"{name}={value!r} can't be used; give a whole number from {least}")
    fit = fit_of(film)
    if fit.pool > 1 or fit.contrast is not None:
        raise ValueError(
            "this film's dimensions are of pooled or normalized vectors, along which a layer's positions can't be "
            "moved; sample activations with pool=1 and normalize=False, and make the film of these"
        )
    layer = str(film.attrs["layer"])
    observed = Observed(model, layer, preprocess, device)
    probe = observed.probes[layer]
    check_probe(film, probe)
    source = labeled(data, classes, observed)
    first = source.sample_batch(2)
    with taking(first):
        scores, probabilities = class_scores(observed, first, source)
        moved = Moved(observed.inputs(first), probe, source.outputs, scores, probabilities)
    size = int(max(1, min(LARGEST_BATCH, CACHE_BYTES // max(1, moved.replay.kept_bytes))))
    for _, images, _ in source.passes(size):
        with taking(images):
            moved.add_moments(observed.inputs(images))
    assert source.count is not None
    rows, reading = _rows(film, chosen), np.where(fit.unit_mask, fit.unmixing[chosen], 0).astype(np.float64)
    plan = _plan(moved, rows, reading, fit.center.astype(np.float64), random, seed)
    picked = np.zeros(source.count, bool)
    picked[np.random.default_rng([seed, 1]).permutation(source.count)[:sample]] = True
    sums = {place: Summed(moved.classes) for place in range(len(plan))}
    # Without each dimension on all images; and again on those picked, to which random directions are compared.
    whole = {place: plan[place] for place in range(len(chosen))}
    again = {place: plan[place] for place in range(len(chosen), len(plan))}
    _measure(observed, moved, source, (whole, again, picked), sums, size, progress)
    return _with_effects(film, chosen, sums, source, random, seed)


def _chosen(film: xr.Dataset, only: Sequence[int] | None) -> np.ndarray:
    """Which rows of the film are measured."""
    known = (
        film["dimension"].values.tolist()
        if "dimension" in film.coords
        else list(range(film.sizes["dimension"]))
    )
    wanted = known if only is None else list(only) if isinstance(only, Iterable) else []
    if not wanted or not set(wanted) <= set(known) or len(set(wanted)) < len(wanted):
        raise ValueError(
            f"only is {only!r}; the film has dimensions {known[0]} to {known[-1]}: name each wanted one once."
        )
    return np.array([known.index(each) for each in wanted])


def _rows(film: xr.Dataset, chosen: np.ndarray) -> np.ndarray:
    return np.where(film["unit_mask"].values, film["component"].values[chosen], 0).astype(np.float64)


def _plan(
    moved: Moved, rows: np.ndarray, reading: np.ndarray, center: np.ndarray, random: int, seed: int
) -> list[Moves]:
    """What is run: without each dimension; again so; each at each dose; without each of its random directions."""
    covariance = moved.covariance
    deviation = np.sqrt(np.clip(np.einsum("ku,uv,kv->k", reading, covariance, reading), 0, None))
    out = [moved.without(rows[i : i + 1], reading[i : i + 1], center) for i in range(len(rows))]
    more = [
        Moves(row[None], np.zeros_like(row)[None], np.array([dose * sd]), center)
        for row, sd in zip(rows, deviation, strict=True)
        for dose in DOSES
    ]
    drawn = []
    for place, (row, sd) in enumerate(zip(rows, deviation, strict=True)):
        for axis in random_axes(covariance, random, [seed, 2, place]):
            own = np.sqrt(max(float(axis @ covariance @ axis), 0.0))
            stretch = sd * np.linalg.norm(row) / own if own > 0 else 0.0
            drawn.append(moved.without(axis[None], stretch * axis[None], moved.mean))
    return [*out, *out, *more, *drawn]


def random_axes(covariance: np.ndarray, count: int, seed: Any) -> np.ndarray:
    """`(count, units)` directions of length 1, drawn as vectors of that covariance are."""
    values, axes = np.linalg.eigh(covariance)
    drawn = np.random.default_rng(seed).standard_normal((count, len(values))) * np.sqrt(
        np.clip(values, 0, None)
    )
    rows = drawn @ axes.T
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1))


def _measure(
    observed: Observed,
    moved: Moved,
    source: LabeledImages,
    runs: tuple[dict[int, Moves], dict[int, Moves], np.ndarray],
    sums: dict[int, Summed],
    size: int,
    progress: bool,
) -> None:
    whole, again, picked = runs
    with progress_bar(total=source.count, desc="effects", unit="image", show=progress) as bar:
        for start, images, labels in source.passes(size):
            mine = torch.from_numpy(picked[start : start + len(images)])
            with taking(images):
                moved.run(observed.inputs(images), labels, whole, sums)
                if bool(mine.any()):
                    moved.run(observed.inputs(images[mine]), labels[mine], again, sums)
            bar.update(len(images))


def _with_effects(
    film: xr.Dataset,
    chosen: np.ndarray,
    sums: dict[int, Summed],
    source: LabeledImages,
    random: int,
    seed: int,
) -> xr.Dataset:
    k, n_classes = len(chosen), source.n_classes or len(sums[0].by_class[0])
    every = list(sums.values())
    out, same, rest = every[:k], every[k : 2 * k], every[2 * k :]
    doses, drawn = rest[: k * len(DOSES)], rest[k * len(DOSES) :]
    count = film.sizes["dimension"]

    def placed(values: Any) -> np.ndarray:
        values = np.asarray(values)
        full = np.full((count, *values.shape[1:]), np.nan, np.float32)
        full[chosen] = values
        return full

    images, fewer, changed = np.stack([each.by_class.numpy() for each in out]).transpose(1, 0, 2)
    total = images.sum(1)
    drop = fewer.sum(1) / total
    losses = np.array([each.mean_loss() for each in out])
    with np.errstate(invalid="ignore", divide="ignore"):
        by_class = fewer / images
    columns: dict[str, Any] = {
        "accuracy_drop": ("dimension", placed(drop)),
        "accuracy_drop_se": ("dimension", placed(drop_error(drop, changed.sum(1), total))),
        "loss_increase": ("dimension", placed(losses[:, 0])),
        "loss_increase_se": ("dimension", placed(losses[:, 1])),
        "class_accuracy_drop": (("dimension", "cls"), placed(by_class[:, :n_classes])),
        "class_accuracy_drop_se": (
            ("dimension", "cls"),
            placed(drop_error(by_class, changed, images)[:, :n_classes]),
        ),
    }
    for row, name in enumerate(("class_effect", "class_probability_effect")):
        parts = [_of_images(each, row) for each in doses]
        mean, error = (
            np.stack(part)[:, :n_classes].reshape(k, len(DOSES), n_classes)
            for part in zip(*parts, strict=True)
        )
        dims = ("dimension", "dose", "cls")
        columns[name] = (dims, placed(mean))
        columns[f"{name}_low"] = (dims, placed(mean - INTERVAL * error))
        columns[f"{name}_high"] = (dims, placed(mean + INTERVAL * error))
    if random:
        null = np.array([each.mean_loss()[0] for each in drawn]).reshape(k, random)
        lost = np.array([float(each.by_class[1].sum()) / each.images for each in drawn]).reshape(k, random)
        own = np.array([each.mean_loss()[0] for each in same])
        columns["random_loss_increase"] = (("dimension", "draw"), placed(null))
        columns["random_accuracy_drop"] = (("dimension", "draw"), placed(lost))
        p = (1 + (null >= own[:, None]).sum(1)) / (random + 1)
        columns["effect_p"] = ("dimension", placed(p))
    below, values = (sum(getattr(each, name) for each in every) for name in ("below", "values"))
    about = {
        "images": source.describe(),
        "n_images": source.count,
        "sample": same[0].images,
        "random": random,
        "seed": seed,
        "below_zero": below / values if values else 0.0,
    }
    names = np.array(source.names, dtype=object) if source.names else np.arange(n_classes)
    found = film.drop_vars([name for name in film.variables if str(name).startswith(NAMES)])
    found = found.assign(columns).assign_coords(dose=np.array(DOSES, np.float32), cls=names)
    found = records.with_settings(found, effects=about)
    records.validate(found)
    return found


def _of_images(sums: Summed, row: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean change of each class's score (`row` 0) or probability (1), and its standard error."""
    total, squares = sums.effects[row].numpy()
    return mean_and_error(total, squares, sums.images)
