"""Class selectivity of units, for all layers in one pass over the data.

In: a model and labeled images. Out: a DataTree of unit records with class means, the selectivity index and, on
demand, its critics (precision among the top k, AUC). Means are summed in float64: exact, whatever the batch size.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from tunewidgets import records
from tunewidgets._checks import check_flags, is_whole
from tunewidgets.kernels.data.labeled import LabeledImages, labeled
from tunewidgets.kernels.network.capture import Capture, Observed, Reduced, Reduction
from tunewidgets.kernels.single_units.critics import HISTOGRAM_BYTES, Histograms, TopImages
from tunewidgets.zoo.progress import progress_bar

CHUNK = 64  # images in one forward pass


def class_selectivity(
    model: nn.Module,
    data: Any,
    layers: Sequence[str] | str | None = None,
    *,
    reduction: Reduction = "mean",
    rectify: bool = True,
    critics: bool = False,
    k: int = 100,
    classes: int | Sequence[str] | None = None,
    preprocess: Callable[[Tensor], Tensor] | None = None,
    device: str | torch.device = "auto",
    progress: bool = True,
) -> xr.DataTree:
    """Class selectivity index of every unit.

    Eq. 1 of *Understanding the Importance of Single Directions via Representative Substitution*: with m_c the mean
    activation over the images of class c and c* the class of the largest, `(m_c* - mean of the other m_c) /
    (m_c* + mean of the other m_c)`. A unit that responds to nothing is `dead`: its index is 0 by definition.

    Parameters
    ----------
    model : torch.nn.Module
    data : iterable, Dataset, DataLoader or zoo source
        Of `(images, labels)`; images `(N, 3, H, W)` float in [0, 1], labels whole numbers from 0. Also all images and
        labels at once, single images, and dicts with an `image` and a `label`, as Hugging Face's data sets give.
    layers : sequence of str, optional
        None: every activation module's output; in a model without one, every convolution's and linear layer's.
    reduction : {"mean", "max", "center"}
        Over the positions of a map, after rectifying.
    rectify : bool, default True
        Whether negative values count as 0. Otherwise the index can leave [0, 1], and a warning says where it may.
    critics : bool, default False
        Also `precision_at_k` and `auc` for the preferred class; costs more than the index itself.
    k : int, default 100
        Of the precision; at most the number of images.
    classes : int, sequence of str or mapping, optional
        How many classes, or their names, also as a mapping of labels to names or of names to labels; None: the data's
        own, else as many as the labels name.
    preprocess, device
        As of `Probe`.
    progress : bool, default True

    Returns
    -------
    xarray.DataTree
        One unit record per layer with `selectivity(unit)`, `preferred_class(unit)`, `class_mean(unit, cls)`,
        `mean_activation(unit)`, `dead(unit)`; with `critics` also `precision_at_k(unit)`, `auc(unit)` and
        `auc_error(unit)`, how far the true AUC can be from the one computed with 4,096 bins.

    Raises
    ------
    ValueError
        A label is outside the classes, a class has no image, there is only one class, the images run dry or are of the
        wrong size; the model has weights that are not finite or lacks a layer; an option is outside its range.
    TypeError
        `model` is not a torch.nn.Module, or `data` does not give pairs of images and labels.

    Examples
    --------
    >>> import torch, tunewidgets as tw
    >>> data = [(torch.rand(8, 3, 32, 32), torch.arange(8) % 2)]
    >>> tree = tw.class_selectivity(tw.zoo.gabor_bank(), data, "relu", progress=False)
    >>> tree["relu"].selectivity.sizes["unit"]
    28
    """
    check_flags(rectify=rectify, critics=critics, progress=progress)
    observed = Observed(model, layers, preprocess, device)
    source = labeled(data, classes, observed)
    collector = Selectivity(observed, rectify, k if critics else None)
    stream(Capture(observed, reduction, rectify), source, [collector], progress)
    settings = {"reduction": reduction, "rectify": rectify, "images": source.describe()}
    return records.layer_tree(
        {
            layer: xr.Dataset(
                columns.data_vars,
                columns.coords,
                records.new_attrs(
                    "units",
                    **observed.provenance(layer),
                    settings={**settings, **columns.attrs},
                    seed=None,
                    n_images=source.count,
                    n_vectors=None,
                ),
            )
            for layer, columns in collector.datasets(source).items()
        }
    )


def stream(capture: Capture, source: LabeledImages, collectors: Sequence[Any], progress: bool) -> None:
    """One pass over the data; each collector's `add(layer, reduced, labels, first)` gets every layer of every batch."""
    with progress_bar(total=source.count, desc="units", unit="image", show=progress) as bar:
        for first, images, labels in source.passes(CHUNK):
            for layer, reduced in capture(images).items():
                for collector in collectors:
                    collector.add(layer, reduced, labels, first)
            bar.update(len(labels))


class Selectivity:
    """Class sums of every layer, and the critics' counts where `k` is given."""

    def __init__(self, observed: Observed, rectify: bool = True, k: int | None = None) -> None:
        if k is not None and not is_whole(k, 1):
            raise ValueError(f"k is {k!r}; give a whole number of at least 1.")
        units = {layer: probe.units for layer, probe in observed.probes.items()}
        self.rectify, self.k = rectify, k
        self.counts = {layer: torch.zeros(0, dtype=torch.float64) for layer in units}
        self.sums = {layer: torch.zeros(0, n, dtype=torch.float64) for layer, n in units.items()}
        self.negative: set[str] = set()
        self.tops = {layer: TopImages(n, k) for layer, n in units.items()} if k is not None else {}
        self.histograms = (
            {layer: Histograms(n, not rectify) for layer, n in units.items()} if k is not None else {}
        )

    def add(self, layer: str, reduced: Reduced, labels: Tensor, first: int) -> None:
        """Take a layer's activations on a batch."""
        values = reduced.activations
        classes = max(len(self.sums[layer]), int(labels.max()) + 1)
        missing = classes - len(self.sums[layer])
        if missing:
            sums, counts = self.sums[layer], self.counts[layer]
            self.sums[layer] = torch.cat([sums, sums.new_zeros(missing, sums.shape[1])])
            self.counts[layer] = torch.cat([counts, counts.new_zeros(missing)])
            self._check_memory(classes)
        self.sums[layer].index_add_(0, labels, values.double())
        self.counts[layer] += torch.bincount(labels, minlength=classes)
        if not self.rectify and bool((values < 0).any()):
            self.negative.add(layer)
        if self.k is not None:
            self.tops[layer].add(values, labels, classes)
            self.histograms[layer].add(values, labels, classes)

    def _check_memory(self, classes: int) -> None:
        needed = sum(Histograms.needs(histogram.units, classes) for histogram in self.histograms.values())
        if needed > HISTOGRAM_BYTES:
            raise ValueError(
                f"AUC for {classes} classes and these layers would keep {needed / 2**30:.1f} GiB of histograms; name "
                "fewer layers at a time, or leave the critics out."
            )

    def datasets(self, source: LabeledImages) -> dict[str, xr.Dataset]:
        """What was found, by layer; `attrs` holds what belongs to a record's settings."""
        if self.negative:
            warnings.warn(
                f"layer {min(self.negative)!r} has negative activations and rectify=False keeps them: the selectivity "
                "index can leave [0, 1].",
                stacklevel=3,
            )
        return {layer: self._dataset(layer, source) for layer in self.sums}

    def _dataset(self, layer: str, source: LabeledImages) -> xr.Dataset:
        means = (self.sums[layer] / self.counts[layer][:, None]).T.numpy()
        index, preferred, dead = selectivity_index(means)
        overall = (self.sums[layer].sum(0) / self.counts[layer].sum()).numpy()
        columns: dict[str, Any] = {
            "selectivity": ("unit", index.astype(np.float32)),
            "preferred_class": ("unit", preferred.astype(np.int32)),
            "class_mean": (("unit", "cls"), means.astype(np.float32)),
            "mean_activation": ("unit", overall.astype(np.float32)),
            "dead": ("unit", dead),
        }
        settings: dict[str, Any] = {}
        if self.k is not None:
            best = torch.from_numpy(preferred)
            auc, bound = self.histograms[layer].auc(best)
            precision = self.tops[layer].precision(best)
            settings["precision_k"] = self.tops[layer].values.shape[1]
            for name, value in (("precision_at_k", precision), ("auc", auc), ("auc_error", bound)):
                columns[name] = ("unit", value.numpy().astype(np.float32))
        coords = {"unit": np.arange(len(index))}
        coords["cls"] = np.array(source.names, dtype=object) if source.names else np.arange(means.shape[1])
        return xr.Dataset(columns, coords, settings)


def selectivity_index(class_means: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eq. 1 for class means `(units, classes)`: index, preferred class, and which units are dead, each `(units,)`."""
    means = np.asarray(class_means, dtype=np.float64)
    preferred = means.argmax(1)
    best = means.max(1)
    rest = (means.sum(1) - best) / (means.shape[1] - 1)
    dead = (means == 0).all(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        index = np.where(dead, 0.0, (best - rest) / (best + rest))
    return index, preferred, dead
