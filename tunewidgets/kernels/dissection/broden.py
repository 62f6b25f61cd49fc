"""Network dissection: a layer's features compared with the masks of a Broden folder, in two passes over its pictures.

In: features and the folder. Out: each picture's values, which concepts it holds, and how well the places where features
are active cover the concepts' masks. Bau et al., *Network dissection* (2017).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from scipy.sparse import csr_array
from torch import Tensor

from tunewidgets.kernels.data.image_batches import CHUNK
from tunewidgets.kernels.dissection.features import Features, reduced
from tunewidgets.kernels.dissection.labels import Concepts
from tunewidgets.kernels.dissection.masks import Overlaps, Overlay, Thresholds
from tunewidgets.kernels.network.capture import Reduction
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.zoo.broden import Broden
from tunewidgets.zoo.progress import progress_bar


class PlacedScores(NamedTuple):
    """By name, what is measured position by position: thresholds and active shares `(feature, end)`, and overlaps with
    masks `(feature, end, concept)`.
    """

    edges: dict[str, np.ndarray]
    overlaps: dict[str, np.ndarray]


def dissect(
    features: Features, source: Broden, reduction: Reduction, share: float, progress: bool
) -> tuple[np.ndarray, Concepts, PlacedScores]:
    """Values `(pictures, features)`, the concepts of the pictures, and how their masks overlap with active positions.

    Raises
    ------
    ValueError
        The layer has no map, or no mask holds a concept.
    """
    probe = features.probe
    if not probe.has_map:
        raise ValueError(
            f"layer {probe.layer!r} has no map to compare masks with; choose a layer before it, or give "
            "whole images with labels"
        )
    # The low end is the high end of the negated values.
    signs = [1 if end == "high" else -1 for end in features.ends]
    rows = len(signs) * len(features.numbers)
    counts, overlaps, overlay = Thresholds(rows), Overlaps(rows), Overlay(probe)
    values, found = [], _Found(source)
    with progress_bar(total=2 * len(source), desc="Concepts", unit="image", show=progress) as bar:
        for _, batch in _batches(source, probe):
            maps = features.maps(batch)
            values.append(reduced(maps, reduction))
            counts.add(np.concatenate([sign * maps for sign in signs], axis=1))
            bar.update(len(batch))
        threshold, active_share = counts.at(share)
        for first, batch in _batches(source, probe):
            for index, own in enumerate(features.maps(batch), start=first):
                masks = source.masks(index)
                found.add(index, masks)
                laid = overlay(own, (batch.shape[2], batch.shape[3]), source.shape)
                laid = np.concatenate([sign * laid for sign in signs])
                overlaps.add(laid > threshold[:, None, None], masks)
            bar.update(len(batch))

    def by_end(table: np.ndarray) -> np.ndarray:
        return np.moveaxis(table.reshape(len(signs), -1, *table.shape[1:]), 0, 1).astype(np.float32)

    edges = {
        "threshold": by_end(threshold) * np.array(signs, np.float32),
        "active_share": by_end(active_share),
    }
    if not found.order():
        raise ValueError(
            f"the masks of {source.folder} hold no concept, since all their pixels are 0; give masks that hold some"
        )
    each = [overlaps.of(*key) for key in found.order()]
    names = {"iou": "iou", "iou_low": "low", "iou_high": "high", "iou_chance": "chance"}
    shared = {
        name: by_end(np.stack([getattr(one, field) for one in each], axis=1)) for name, field in names.items()
    }
    return np.concatenate(values), found.concepts(), PlacedScores(edges, shared)


class _Found:
    """Which concepts were met in which pictures."""

    def __init__(self, source: Broden) -> None:
        self._source = source
        self._has: dict[tuple[str, int], list[int]] = {}
        self._asked: dict[str, list[int]] = {name: [] for name in source.categories}

    def add(self, index: int, masks: dict[str, dict[int, np.ndarray]]) -> None:
        for category, own in masks.items():
            self._asked[category].append(index)
            for number in own:
                self._has.setdefault((category, number), []).append(index)

    def order(self) -> list[tuple[str, int]]:
        """Category and number of each concept, category by category."""
        return sorted(self._has, key=lambda key: (self._source.categories.index(key[0]), key[1]))

    def concepts(self) -> Concepts:
        keys = self.order()
        rows = np.repeat(np.arange(len(keys)), [len(self._has[key]) for key in keys])
        columns = np.concatenate([self._has[key] for key in keys])
        has = csr_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(len(keys), len(self._source)))
        return Concepts(
            [self._source.names[number] for _, number in keys],
            [category for category, _ in keys],
            has,
            {category: np.array(indices, dtype=int) for category, indices in self._asked.items()},
        )


def _batches(source: Broden, probe: Probe) -> Iterator[tuple[int, Tensor]]:
    """The index of a first picture, and a batch of pictures of one size: the network's own, where it requires one."""
    waiting: list[Tensor] = []
    for index in range(len(source)):
        picture = source.picture(index)
        if probe.takes is not None and tuple(picture.shape[1:]) != probe.takes:
            # Stretched rather than cropped, so that its masks still cover it.
            stretched = F.interpolate(picture[None], probe.takes, mode="bilinear", antialias=True)
            picture = stretched[0].clamp(0, 1)
        if waiting and (len(waiting) == CHUNK or picture.shape != waiting[0].shape):
            yield index - len(waiting), torch.stack(waiting)
            waiting = []
        waiting.append(picture)
    yield len(source) - len(waiting), torch.stack(waiting)
