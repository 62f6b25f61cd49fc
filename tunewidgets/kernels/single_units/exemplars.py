"""The images of a data set that a unit responds to: those it responds to most, and a spread down to the weakest.

In: a model and images. Out: a DataTree of unit records with the images' indices, the unit's activations and the
position of each map's maximum. One pass finds them; a second one fetches the pictures where they are asked for.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr
from torch import Tensor, nn

from tunewidgets import records
from tunewidgets._checks import check_flags, is_whole
from tunewidgets.kernels.data.labeled import LabeledImages, labeled
from tunewidgets.kernels.network.capture import Capture, Observed, Reduced, Reduction
from tunewidgets.kernels.single_units.selectivity import CHUNK, stream

# The spread chooses among so many equal steps of activation.
LEVELS = 64
NOBODY = 2**31 - 1


def exemplars(
    model: nn.Module,
    data: Any,
    layers: Sequence[str] | str | None = None,
    *,
    k: int = 9,
    pictures: int | None = None,
    reduction: Reduction = "mean",
    rectify: bool = True,
    classes: int | Sequence[str] | None = None,
    preprocess: Callable[[Tensor], Tensor] | None = None,
    device: str | torch.device = "auto",
    progress: bool = True,
) -> xr.DataTree:
    """The images that each unit responds to.

    Parameters
    ----------
    model : torch.nn.Module
    data : iterable, Dataset, DataLoader or zoo source
        Of `(images, labels)`, as of `class_selectivity`.
    layers : sequence of str, optional
        None: every activation module's output; in a model without one, every convolution's and linear layer's.
    k : int, default 9
        Images per unit, of each kind.
    pictures : int, optional
        Also keep the images themselves, this many pixels a side.
    reduction, rectify
        What a unit's activation on an image is, as of `class_selectivity`.
    classes, preprocess, device, progress
        As of `class_selectivity`.

    Returns
    -------
    xarray.DataTree
        One unit record per layer with `exemplar(unit, k)`, the indices of the images with the largest activation,
        strongest first (-1 where there are fewer), `exemplar_activation(unit, k)` and `exemplar_position(unit, k, yx)`,
        where on the layer's map the maximum is; `spread`, `spread_activation` and `spread_position`, the same for
        images in even steps from the strongest to the weakest activation, exact to a 32nd of the range from 0 (a step
        that would show the previous image again has -1); with `pictures` also `exemplar_image` and `spread_image`,
        uint8 `(unit, k, y, x, rgb)`.

    Raises
    ------
    ValueError
        `k` or `pictures` is not a positive whole number, the data shuffle, the model lacks a layer, or its weights are
        not finite; or something is wrong with labels or images, as in `class_selectivity`.
    TypeError
        `model` or `data` is of a kind that cannot be used.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> digits = tw.zoo.images("digits", n=60, size=32)
    >>> tree = tw.exemplars(tw.zoo.gabor_bank(), digits, "relu", k=3, progress=False)
    >>> tree["relu"].exemplar.shape
    (28, 3)
    """
    check_flags(rectify=rectify, progress=progress)
    observed = Observed(model, layers, preprocess, device)
    source = labeled(data, classes, observed)
    source.check_order()
    collector = Exemplars(observed, k)
    stream(Capture(observed, reduction, rectify, peaks=True), source, [collector], progress)
    found = collector.datasets()
    if pictures is not None:
        found = with_pictures(found, source, pictures)
    settings = {"exemplars": k, "reduction": reduction, "rectify": rectify, "images": source.describe()}
    return records.layer_tree(
        {
            layer: part.assign_attrs(
                records.new_attrs(
                    "units",
                    **observed.provenance(layer),
                    settings=settings,
                    seed=None,
                    n_images=source.count,
                    n_vectors=None,
                )
            )
            for layer, part in found.items()
        }
    )


class _Table(NamedTuple):
    """Images by unit and place, each `(U, places)`: index (NOBODY for none), activation, flat place of the maximum."""

    image: Tensor
    activation: Tensor
    position: Tensor

    def take(self, places: Tensor) -> "_Table":
        return _Table(*(part.gather(1, places) for part in self))

    def joined(self, other: "_Table") -> "_Table":
        return _Table(*(torch.cat(pair, 1) for pair in zip(self, other, strict=True)))


class Exemplars:
    """The strongest images and the levels of every layer, as they come."""

    def __init__(self, observed: Observed, k: int) -> None:
        if not is_whole(k, 1):
            raise ValueError(f"k is {k!r}; give how many images per unit, at least 1.")
        self.k = k
        units = {layer: probe.units for layer, probe in observed.probes.items()}
        self.top = {layer: _empty(n, 0) for layer, n in units.items()}
        self.levels = {layer: _empty(n, 2 * LEVELS) for layer, n in units.items()}
        self.range = {layer: torch.zeros(n, dtype=torch.float64) for layer, n in units.items()}
        self.width = dict.fromkeys(units, 1)

    def add(self, layer: str, reduced: Reduced, labels: Tensor, first: int) -> None:
        """Take a layer's activations on a batch."""
        values = reduced.activations.T.float()
        peaks = torch.zeros_like(values, dtype=torch.int64) if reduced.peak is None else reduced.peak.T
        index = torch.arange(first, first + values.shape[1]).expand(len(values), -1)
        batch = _Table(index, values, peaks)
        self.width[layer] = reduced.width
        both = self.top[layer].joined(batch)
        # A stable sort, so that of equals the earlier image comes first.
        order = both.activation.argsort(dim=1, descending=True, stable=True)[:, : self.k]
        self.top[layer] = both.take(order)
        self._add_levels(layer, batch)

    def _add_levels(self, layer: str, batch: _Table) -> None:
        """Keep the earliest image of every level; levels join in pairs when a larger value comes."""
        span, kept = self.range[layer], self.levels[layer]
        largest = batch.activation.double().abs().amax(1)
        wanted = torch.where(largest > 0, 2.0 ** largest.clamp(min=1e-300).log2().ceil(), 0)
        span = torch.maximum(span, wanted)
        self.range[layer] = span
        both = kept.joined(batch)
        scale = torch.where(span > 0, LEVELS / span.clamp(min=1e-300), 0)
        level = (both.activation.double() * scale[:, None]).ceil().to(torch.int64) + LEVELS - 1
        level.clamp_(0, 2 * LEVELS - 1)
        level[both.image == NOBODY] = 2 * LEVELS
        room = torch.full((len(level), 2 * LEVELS + 1), NOBODY, dtype=torch.int64)
        earliest = room.scatter_reduce(1, level, both.image, "amin")[:, :-1]
        winner = (both.image == earliest.gather(1, level.clamp(max=2 * LEVELS - 1))) & (level < 2 * LEVELS)
        rows, columns = winner.nonzero(as_tuple=True)
        fresh = _empty(len(level), 2 * LEVELS)
        for part, source in zip(fresh, both, strict=True):
            part[rows, level[rows, columns]] = source[rows, columns]
        self.levels[layer] = fresh

    def datasets(self) -> dict[str, xr.Dataset]:
        """What was found, by layer."""
        return {layer: self._dataset(layer) for layer in self.top}

    def _dataset(self, layer: str) -> xr.Dataset:
        columns: dict[str, Any] = {}
        for name, table in (("exemplar", self.top[layer]), ("spread", self._spread(layer))):
            lacking = self.k - table.image.shape[1]
            table = table.joined(_empty(len(table.image), lacking)) if lacking else table
            nobody = table.image == NOBODY
            place = torch.stack([table.position // self.width[layer], table.position % self.width[layer]], 2)
            columns[name] = (("unit", "k"), table.image.masked_fill(nobody, -1).to(torch.int32).numpy())
            activation = table.activation.masked_fill(nobody, math.nan)
            columns[f"{name}_activation"] = (("unit", "k"), activation.numpy())
            place = place.masked_fill(nobody[..., None], -1)
            columns[f"{name}_position"] = (("unit", "k", "yx"), place.to(torch.int32).numpy())
        coords = {"unit": np.arange(len(self.top[layer].image)), "yx": np.array(["y", "x"], dtype=object)}
        return xr.Dataset(columns, coords)

    def _spread(self, layer: str) -> _Table:
        """The images, of those kept by level, nearest to even steps of activation, strongest first."""
        kept, top = self.levels[layer], self.top[layer]
        both = kept.joined(_Table(*(part[:, :1] for part in top)))
        here = both.image != NOBODY
        low = both.activation.masked_fill(~here, math.inf).amin(1, keepdim=True)
        high = top.activation[:, :1]
        steps = torch.linspace(1, 0, self.k) if self.k > 1 else torch.ones(1)
        targets = low + (high - low) * steps
        distance = (both.activation[:, None] - targets[..., None]).abs()
        places = distance.masked_fill(~here[:, None], math.inf).argmin(2)
        # A step that chose the same image as the one before says nothing new.
        chosen = both.take(places)
        again = torch.zeros_like(places, dtype=torch.bool)
        again[:, 1:] = chosen.image[:, 1:] == chosen.image[:, :-1]
        return chosen._replace(image=chosen.image.masked_fill(again, NOBODY))


def _empty(units: int, places: int) -> _Table:
    return _Table(
        torch.full((units, places), NOBODY, dtype=torch.int64),
        torch.zeros(units, places),
        torch.zeros(units, places, dtype=torch.int64),
    )


def with_pictures(found: Mapping[str, xr.Dataset], source: LabeledImages, side: int) -> dict[str, xr.Dataset]:
    """The records with the images themselves, `side` pixels a side, from another pass over the data."""
    if not is_whole(side, 1):
        raise ValueError(f"pictures is {side!r}; give the side in pixels, or None for none.")
    kinds = ("exemplar", "spread")
    boards = {
        (layer, kind): np.zeros((*part[kind].shape, side, side, 3), np.uint8)
        for layer, part in found.items()
        for kind in kinds
    }
    for first, images, _ in source.passes(CHUNK):
        if images.shape[2:] != (side, side):
            images = F.interpolate(
                images, size=(side, side), mode="bilinear", antialias=True, align_corners=False
            )
        batch = (images.clamp(0, 1) * 255 + 0.5).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        for (layer, kind), board in boards.items():
            index = found[layer][kind].values - first
            here = (index >= 0) & (index < len(batch)) & (found[layer][kind].values >= 0)
            board[here] = batch[index[here]]
    return {
        layer: part.assign(
            {f"{kind}_image": (("unit", "k", "y", "x", "rgb"), boards[layer, kind]) for kind in kinds}
        )
        for layer, part in found.items()
    }
