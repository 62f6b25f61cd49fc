"""Importance of units: what a network loses when one of them is silenced, or more and more of them are.

In: a classifier and labeled images. Out: a DataTree of unit records with the drop in accuracy and the rise of the
loss, overall and by class, and cumulative curves. Only what follows a layer runs again. Images are the outer loop, so
that only one batch is kept at a time.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from tunewidgets import records
from tunewidgets._checks import check_flags, is_whole
from tunewidgets.kernels.data.labeled import LabeledImages, labeled
from tunewidgets.kernels.network.capture import Capture, Observed, check_by_layer
from tunewidgets.kernels.network.class_scores import Scores, are_probabilities, which_scores
from tunewidgets.kernels.network.refusals import taking
from tunewidgets.kernels.network.tracing import evaluating
from tunewidgets.kernels.single_units.selectivity import CHUNK, Selectivity, stream
from tunewidgets.kernels.single_units.silencing import SilencedLayer
from tunewidgets.zoo.progress import progress_bar

# What one batch's recording may keep, bytes.
CACHE_BYTES = 256 * 2**20
LARGEST_BATCH = 256
Replacement = Literal["zero", "mean"]
REPLACEMENTS = get_args(Replacement)


def ablation(
    model: nn.Module,
    data: Any,
    layers: Sequence[str] | str | None = None,
    *,
    method: Replacement = "zero",
    curves: bool = True,
    points: int = 11,
    random_orders: int = 8,
    selectivity: Mapping[str, np.ndarray] | xr.DataTree | None = None,
    classes: int | Sequence[str] | None = None,
    seed: int = 0,
    preprocess: Callable[[Tensor], Tensor] | None = None,
    device: str | torch.device = "auto",
    progress: bool = True,
) -> xr.DataTree:
    """Importance of every unit, by ablation.

    A unit's output is set to 0, or to its mean over the data, at every position (a class token included), and the rest
    of the network runs on it: *Understanding the Importance of Single Directions via Representative Substitution*. The
    cumulative curves are those of Morcos et al. (2018).

    Parameters
    ----------
    model : torch.nn.Module
        A classifier: its output is `(N, classes)` scores, or of several tensors the one that is named `logits` or has
        as many columns as there are classes. Scores that are probabilities count by their logarithm.
    data : iterable, Dataset, DataLoader or zoo source
        Of `(images, labels)`, as of `class_selectivity`; with an attribute `outputs`, as the zoo's ImageNet sources
        have, label `i` is the network's score `outputs[i]`. Read once, twice with `method="mean"`, and once more for
        the curves where `selectivity` is not given.
    layers : sequence of str, optional
        None: every activation module's output; in a model without one, every convolution's and linear layer's.
    method : {"zero", "mean"}
    curves : bool, default True
        Also ablate more and more units, in three orders.
    points : int, default 11
        How many numbers of ablated units each curve has, from none to all.
    random_orders : int, default 8
        How many random orders the curve "random" is the mean of.
    selectivity : mapping of str to array, or DataTree, optional
        Each layer's selectivity indices, `(U,)`, for the orders; or what `class_selectivity` gives.
    classes : int or sequence of str, optional
        How many classes the data have, or their names.
    seed : int, default 0
        Decides the random orders.
    preprocess, device
        As of `Probe`.
    progress : bool, default True

    Returns
    -------
    xarray.DataTree
        One unit record per layer with `accuracy_drop(unit)` and `loss_increase(unit)` (cross entropy, nats) over all
        images, `class_accuracy_drop(unit, cls)`, and the standard errors of both drops over the images,
        `accuracy_drop_se` and `class_accuracy_drop_se` (NaN below two images); with `curves`
        `cumulative_accuracy(order, step)` and the band
        `cumulative_low`, `cumulative_high` (lowest and highest of the random orders), with the number of ablated units
        as coordinate `step`. The settings hold the intact network's `accuracy` and `loss`.

    Raises
    ------
    ValueError
        The network gives no class scores `(N, classes)`, has weights that are not finite or lacks a layer; a label is
        outside its classes; the images run dry or are of the wrong size; an option is outside its range.
    TypeError
        `model` is not a module, or `data` does not give pairs.

    Warns
    -----
    UserWarning
        The scores are probabilities, as after a softmax.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> digits = tw.zoo.images("digits", n=60, size=32)
    >>> net = tw.zoo.load("shallow_cnn", weights=None)
    >>> tree = tw.ablation(net, digits, "relu5", curves=False, progress=False)
    >>> tree["relu5"].accuracy_drop.sizes["unit"]
    256
    """
    check_flags(curves=curves, progress=progress)
    _check(method, points=points, random_orders=random_orders, seed=seed)
    if isinstance(selectivity, xr.DataTree | xr.Dataset):
        selectivity = _indices(selectivity)
    check_by_layer("selectivity", selectivity)
    observed = Observed(model, layers, preprocess, device)
    source = labeled(data, classes, observed)
    if curves and selectivity is None:
        collector = Selectivity(observed)
        stream(Capture(observed), source, [collector], progress)
        selectivity = {name: part.selectivity.values for name, part in collector.datasets(source).items()}
    work = {}
    first = source.sample_batch(2)
    with taking(first):
        scores, probabilities = class_scores(observed, first, source)
        sample = observed.inputs(first)
    for layer, probe in observed.probes.items():
        orders = None
        if curves and selectivity is not None:
            shape = np.shape(selectivity.get(layer, ()))
            if shape != (probe.units,):
                raise ValueError(
                    f"selectivity has shape {shape} for layer {layer!r}; give "
                    f"({probe.units},), one index per unit."
                )
            indices = np.asarray(selectivity[layer])
            if indices.dtype.kind not in "iuf" or not np.isfinite(indices).all():
                raise ValueError(
                    f"selectivity of layer {layer!r} is not all finite numbers, so its units have no order; give "
                    "what class_selectivity gives, or curves=False."
                )
            orders = cumulative_orders(indices, random_orders, seed, layer)
        with taking(first):
            work[layer] = SilencedLayer(sample, probe, orders, points, source.outputs, scores, probabilities)
    if method == "mean":
        _measure_means(observed, work, source)
    _measure(observed, work, source, progress)
    settings = {"ablation": method, "points": points if curves else None, "images": source.describe()}
    return records.layer_tree(
        {
            layer: part.dataset(observed.provenance(layer), source, settings, seed)
            for layer, part in work.items()
        }
    )


def _indices(units: xr.DataTree | xr.Dataset) -> dict[str, np.ndarray]:
    """Each layer's selectivity indices, of a unit record."""
    found = records.layers_of(units)
    for layer, record in found.items():
        if "selectivity" not in record:
            raise ValueError(
                f"layer {layer!r} of this record has no selectivity; measure it with class_selectivity."
            )
    return {layer: record["selectivity"].values for layer, record in found.items()}


def class_scores(observed: Observed, images: Tensor, source: LabeledImages) -> tuple[Scores, bool]:
    """What finds the class scores in the network's output, and whether they are probabilities."""
    # Of an image and of its half, since the scores of one may add up to 1 by chance.
    dimmed = images * torch.linspace(1, 0.5, len(images)).view(-1, 1, 1, 1)
    with torch.no_grad(), evaluating(observed.network):
        output = observed.network(observed.inputs(dimmed))
    # Labels that stand for some of the network's classes don't say how many it has.
    scores = which_scores(output, len(images), None if source.outputs else source.n_classes)
    found = scores(output)
    if found is None or found.ndim != 2 or not are_probabilities(found):
        return scores, False
    warnings.warn(
        "the network's scores are probabilities, as after a softmax, so the loss is taken from their logarithm; give "
        "the network without its softmax for losses of unlikely classes.",
        stacklevel=3,
    )
    return scores, True


def _check(method: str, **numbers: int) -> None:
    if method not in REPLACEMENTS:
        raise ValueError(f"method is {method!r}; choose {' or '.join(map(repr, REPLACEMENTS))}.")
    for name, least in (("points", 2), ("random_orders", 1), ("seed", 0)):
        if not is_whole(numbers[name], least):
            raise ValueError(f"{name} is {numbers[name]!r}; give a whole number of at least {least}.")


def cumulative_orders(selectivity: np.ndarray, random_orders: int, seed: int, layer: str) -> list[np.ndarray]:
    """Units in the order they are silenced: most selective first, least selective first, then random orders."""
    generator = np.random.default_rng([seed, *layer.encode()])
    most = np.argsort(-selectivity, kind="stable")
    return [most, most[::-1].copy(), *(generator.permutation(len(selectivity)) for _ in range(random_orders))]


def _batch_size(work: Mapping[str, SilencedLayer]) -> int:
    kept = max(part.replay.kept_bytes for part in work.values())
    return int(max(1, min(LARGEST_BATCH, CACHE_BYTES // max(1, kept))))


def _measure_means(observed: Observed, work: Mapping[str, SilencedLayer], source: LabeledImages) -> None:
    for _, images, _ in source.passes(min(CHUNK, _batch_size(work))):
        with taking(images):
            inputs = observed.inputs(images)
            for part in work.values():
                part.add_mean(inputs)


def _measure(
    observed: Observed, work: Mapping[str, SilencedLayer], source: LabeledImages, progress: bool
) -> None:
    runs = sum(len(part.sets) for part in work.values())
    size = _batch_size(work)
    batches = None if source.count is None else -(-source.count // size)
    total = None if batches is None else runs * batches
    with progress_bar(total=total, desc="ablation", unit="run", show=progress) as bar:
        for _, images, labels in source.passes(size):
            with taking(images):
                inputs = observed.inputs(images)
                for part in work.values():
                    part.add(inputs, labels, bar.update)
