"""Concepts: how far each unit or tuning dimension goes with each named label or mask.

In: a film, dimensions or units of a layer, and images with labels or masks. Out: a concepts record: areas under ROC
curves over images and, where there are masks, intersection over union of positions, each with an interval.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tunewidgets import records
from tunewidgets._checks import check_flags, is_whole
from tunewidgets.derived.statistics import LEVEL
from tunewidgets.kernels.dissection.broden import dissect
from tunewidgets.kernels.dissection.features import Features, features_of, reduced
from tunewidgets.kernels.dissection.labels import Concepts, Pictures, concepts_in
from tunewidgets.kernels.dissection.scores import areas
from tunewidgets.kernels.gabor.nulls import holm
from tunewidgets.kernels.network.capture import REDUCTIONS, Reduction
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.zoo.broden import Broden
from tunewidgets.zoo.class_names import given_names
from tunewidgets.zoo.progress import progress_bar

PAIRS, EDGES, OVERLAPS = ("feature", "concept"), ("feature", "end"), ("feature", "end", "concept")


def concepts(
    film_or_units: Any,
    images: Any,
    labels: Any = None,
    *,
    probe: Probe | None = None,
    reduction: Reduction = "mean",
    least: int = 10,
    share: float = 0.005,
    classes: Sequence[str] = (),
    draws: int = 200,
    seed: int = 0,
    progress: bool = True,
) -> xr.Dataset:
    """How far each unit or tuning dimension goes with each named concept.

    By image: the area under the ROC curve, the chance that an image with the concept has a larger value than one
    without (ties counted half); .5 is no relation, and below .5 a dimension's low end has the concept. Its 95% interval
    is a percentile bootstrap over images. `p_holm` is the p-value of a Mann-Whitney test that stays valid with ties,
    adjusted by Holm's method over all pairs of feature and concept: if no pair is related, the chance that any pair of
    this record is called related at level alpha is at most alpha.

    By place, where there are masks (network dissection, Bau et al. 2017): a feature is active where its map,
    interpolated to the masks' resolution, exceeds the value `T` that a share of .005 of all positions of all images
    exceeds. With `M` the active area and `L` a concept's mask, `IoU = Σ|M ∩ L| / Σ|M ∪ L|`, summed over the images
    that the concept's category was annotated in. Its 95% interval takes images as independent (a ratio of sums, on
    the logit scale).

    Parameters
    ----------
    film_or_units : film record, TuningDimensions, unit records or Probe
        Where the dimensions or units come from; a Probe stands for the units of its layer.
    images : zoo source, Tensor, ndarray, iterable of batches, or path
        Images in [0, 1], alone or with labels; or a folder in Broden's layout, whose masks and labels are then the
        concepts.
    labels : sequence of int or str, mapping or DataFrame, optional
        One label per image; or, for each concept's name, whether each image has it (an image may have several). None
        takes the labels that come with the images.
    probe : Probe
        The network and the layer; not needed where the first argument is a Probe.
    reduction : {"mean", "max", "center"}, default "mean"
        How an image's map becomes its value.
    least : int, default 10
        Concepts that fewer than this many images have, or fewer lack, are left out before anything is tested.
    share : float, default 0.005
        The share of all positions where a feature counts as active.
    classes : sequence of str or mapping
        Names for labels that are whole numbers; empty takes those of the images.
    draws, seed : int, default 200 and 0
        Resamples and seed of the bootstrap.
    progress : bool, default True

    Returns
    -------
    xarray.Dataset
        A concepts record: `auc`, `auc_low`, `auc_high`, `p_holm` `(feature, concept)`; `positives(concept)`, the number
        of images that have it, out of `asked(concept)` that were labeled for it. With masks `iou`, `iou_low`,
        `iou_high` and `iou_chance`, the IoU of unrelated masks of the same areas, `(feature, end, concept)`;
        `threshold` and `active_share` `(feature, end)`. A dimension has two ends, "high" and "low"; a unit only its
        high one. The coordinate `category` says what kind of concept each is.

    Raises
    ------
    ValueError
        There are more or fewer labels than images, only one label, or no concept with `least` images; there is no
        probe, or the film or records are of another layer or other weights; activations are not finite; an option is
        out of its range.
    TypeError
        The first argument or `images` is of another type.
    FileNotFoundError
        A folder lacks Broden's tables, or a picture or mask of its index.

    References
    ----------
    Bau, Zhou, Khosla, Oliva and Torralba, *Network dissection: quantifying interpretability of deep visual
    representations* (2017). Holm, *A simple sequentially rejective multiple test procedure* (1979). Proposed for
    tuning dimensions in *Identifying and interpreting tuning dimensions in deep networks*.

    Examples
    --------
    >>> import torch, tunewidgets as tw
    >>> probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")
    >>> flat, rough = torch.full((20, 3, 32, 32), 0.5), torch.rand(20, 3, 32, 32)
    >>> found = tw.concepts(probe, torch.cat([flat, rough]), ["flat"] * 20 + ["rough"] * 20, progress=False)
    >>> found.auc.sel(feature=0).values.tolist(), found.concept.values.tolist()
    ([0.0, 1.0], ['flat', 'rough'])
    """
    _check(reduction, least, share, draws, seed)
    check_flags(progress=progress)
    named = given_names(classes)
    features = features_of(film_or_units, probe)
    if isinstance(images, str | Path):
        if labels is not None:
            raise ValueError(
                "a folder in Broden's layout brings its own labels; leave labels out, or give tw.zoo.images(folder)"
            )
        source = Broden(images)
        values, found, places = dissect(features, source, reduction, share, progress)
        kept = found.common(least)
        described, count = source.describe(), len(source)
    else:
        pictures = Pictures(images)
        if labels is not None:
            found = concepts_in(labels, pictures.count, named)
            found.common(least)  # raises, where there is nothing to ask, before the network runs
        elif not named:
            pictures.settle_names()
        values, own = _seen(features, pictures, labels is None, reduction, progress)
        if labels is None:
            found = concepts_in(own, pictures.count, named or pictures.names_of(own))
        kept, places = found.common(least), None
        described, count = pictures.described, pictures.count
    chosen = found.take(kept)
    columns = _scored(values, chosen, draws, seed)
    if places is not None:
        columns |= {name: (EDGES, value) for name, value in places.edges.items()}
        columns |= {name: (OVERLAPS, value[:, :, kept]) for name, value in places.overlaps.items()}
    settings = {
        "features": features.kind,
        "images": described,
        "reduction": reduction,
        "least": least,
        "left_out": len(found.names) - len(kept),
        "draws": draws,
        "level": LEVEL,
        **({"share": share} if places is not None else {}),
    }
    record = xr.Dataset(
        columns,
        {
            "feature": features.numbers,
            "concept": np.array(_unique(chosen), dtype=object),
            "category": ("concept", np.array(chosen.categories, dtype=object)),
            **({"end": list(features.ends)} if places is not None else {}),
        },
        records.new_attrs(
            "concepts",
            **features.probe.provenance(),
            settings=settings,
            seed=seed,
            n_images=count,
            n_vectors=None,
        ),
    )
    records.validate(record)
    return record


def _check(reduction: Reduction, least: int, share: float, draws: int, seed: int) -> None:
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is {reduction!r}; choose one of {', '.join(map(repr, REDUCTIONS))}")
    for name, value, smallest in (("least", least, 1), ("draws", draws, 1), ("seed", seed, 0)):
        if not is_whole(value, smallest):
            raise ValueError(f"{name} is {value!r}; give a whole number from {smallest}")
    if not 0 < share < 1:
        raise ValueError(
            f"share is {share!r}; give the part of all positions that counts as active, such as 0.005"
        )


def _seen(
    features: Features, pictures: Pictures, labeled: bool, reduction: Reduction, progress: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Each image's values, `(images, features)`, and the labels that came with the images, if they are asked for."""
    seen, labels = [], []
    with progress_bar(total=pictures.count, desc="Concepts", unit="image", show=progress) as bar:
        for batch, own in pictures.pairs(labeled):
            seen.append(reduced(features.maps(batch), reduction))
            if own is not None:
                labels.append(own)
            bar.update(len(batch))
    return np.concatenate(seen), np.concatenate(labels) if labels else np.zeros(0)


def _scored(values: np.ndarray, found: Concepts, draws: int, seed: int) -> dict[str, Any]:
    """AUC with its interval and the p-values of all pairs together."""
    shape = (values.shape[1], len(found.names))
    table = {name: np.full(shape, np.nan) for name in ("auc", "auc_low", "auc_high", "p_holm")}
    asked = np.zeros(shape[1], np.int32)
    for category, images in found.asked.items():
        own = np.flatnonzero([name == category for name in found.categories])
        if len(own):
            there = areas(values[images], found.has[own][:, images], draws, seed)
            for name, part in zip(table, there, strict=True):
                table[name][:, own] = part
            asked[own] = len(images)
    table["p_holm"] = holm(table["p_holm"].ravel()).reshape(shape)
    columns: dict[str, Any] = {
        name: (PAIRS, value if name == "p_holm" else value.astype(np.float32))
        for name, value in table.items()
    }
    return columns | {
        "positives": ("concept", found.positives.astype(np.int32)),
        "asked": ("concept", asked),
    }


def _unique(found: Concepts) -> list[str]:
    """Names that tell the concepts apart: with the category where several share one, and a number where one repeats it.

    Two classes of ImageNet are called crane.
    """
    named = list(zip(found.names, found.categories, strict=True))
    several, repeated, met = Counter(found.names), Counter(named), Counter[tuple[str, str]]()
    unique = []
    for name, category in named:
        met[name, category] += 1
        which = f" {met[name, category]}" if repeated[name, category] > 1 else ""
        unique.append(f"{name} ({category}{which})" if several[name] > 1 else name)
    return unique
