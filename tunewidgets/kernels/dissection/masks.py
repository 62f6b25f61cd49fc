"""How well the positions where features are strongest cover the masks of concepts: intersection over union.

In: maps and masks, one image at a time. Out: thresholds, and for each concept the IoU with an interval over images.
Only counts are kept, never maps.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.stats import norm

from tunewidgets.derived.statistics import LEVEL
from tunewidgets.kernels.network.layers import sight_of
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.single_units.critics import Histograms


class Thresholds:
    """For each feature the value that a share of all positions exceeds, from counts in 4,096 bins.

    The bins are those of `Histograms`, so the threshold is a bin's upper end: the smallest above which lie no more
    positions than asked for.
    """

    def __init__(self, features: int) -> None:
        # All positions together can be more than 32 bits hold: 63,000 maps of 224 px have three billion.
        self._histograms = Histograms(features, signed=True, counter=torch.int64)

    def add(self, values: np.ndarray) -> None:
        """Take maps `(N, features, h, w)`."""
        for own in values:
            flat = torch.from_numpy(np.ascontiguousarray(own.reshape(len(own), -1).T))
            self._histograms.add(flat, torch.zeros(len(flat), dtype=torch.int64), 1)

    def at(self, share: float) -> tuple[np.ndarray, np.ndarray]:
        """Thresholds `(features,)`, and the share of positions that exceed each, at most `share`."""
        counts = self._histograms.counts[0].numpy().astype(np.float64)
        above = counts[:, ::-1].cumsum(1)[:, ::-1] - counts  # positions in higher bins
        total = counts.sum(1)
        first = (above <= share * total[:, None]).argmax(1)
        step = (self._histograms.range / self._histograms.half).numpy()
        rows = np.arange(len(counts))
        return (first - self._histograms.zero) * step, above[rows, first] / total


class Overlap(NamedTuple):
    """A concept's IoU `(features,)`, its interval's ends, and what two masks of these areas share by chance."""

    iou: np.ndarray
    low: np.ndarray
    high: np.ndarray
    chance: np.ndarray


class _Sums(NamedTuple):
    """What is summed over the images that have a concept; areas are in shares of an image."""

    inside: np.ndarray  # area active within the mask, (features,)
    inside_squared: np.ndarray
    inside_union: np.ndarray
    union_correction: np.ndarray  # union² less active², as the images without the concept have the latter
    mask: np.ndarray  # (1,)


class Overlaps:
    """Sums over images from which every concept's IoU and its interval follow.

    With `i` the area where a feature is active inside the mask and `u` that of either, `IoU = Σi / Σu` over all images
    that the concept's category was asked of (Bau et al. 2017). As a ratio of sums over independent images its variance
    is `n / (n-1) Σ(i - IoU u)² / (Σu)²`; the interval is taken on the logit scale, which keeps it within 0 and 1.
    """

    def __init__(self, features: int) -> None:
        self._features = features
        self._active: dict[str, list[Any]] = {}  # category -> number of images, active area, its squares
        self._sums: dict[tuple[str, int], _Sums] = {}

    def add(self, active: np.ndarray, masks: dict[str, dict[int, np.ndarray]]) -> None:
        """Take one image: bool `(features, H, W)`, and its masks by category and concept, bool `(H, W)`."""
        flat = active.reshape(self._features, -1)
        area = flat.mean(1, dtype=np.float64)
        ground = flat.astype(np.float32)
        for category, own in masks.items():
            known = self._active.setdefault(category, [0, np.zeros_like(area), np.zeros_like(area)])
            known[0] += 1
            known[1] += area
            known[2] += area**2
            if not own:
                continue
            pixels = np.stack([mask.ravel() for mask in own.values()])
            inside = (ground @ pixels.T.astype(np.float32)).astype(np.float64) / pixels.shape[1]
            for at, number in enumerate(own):
                i, mask = inside[:, at], pixels[at].mean()
                union = area + mask - i
                fresh = (i, i**2, i * union, union**2 - area**2, np.array([mask]))
                before = self._sums.get((category, number))
                self._sums[category, number] = _Sums(
                    *(fresh if before is None else (a + b for a, b in zip(before, fresh, strict=True)))
                )

    def of(self, category: str, number: int) -> Overlap:
        """One concept's."""
        images, active, active_squared = self._active[category]
        sums = self._sums[category, number]
        union = active + sums.mask - sums.inside
        iou = sums.inside / union
        spread = (
            sums.inside_squared
            - 2 * iou * sums.inside_union
            + iou**2 * (active_squared + sums.union_correction)
        )
        error = np.sqrt(images / max(images - 1, 1) * np.maximum(spread, 0)) / union
        low, high = logit_interval(iou, error)
        shared = active * sums.mask / images
        return Overlap(iou, low, high, shared / (active + sums.mask - shared))


def logit_interval(share: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 95% interval of a share with this standard error, within 0 and 1; the share itself where it is either."""
    inner = (share > 0) & (share < 1)
    safe = np.where(inner, share, 0.5)
    half = norm.ppf((1 + LEVEL) / 2) * error / (safe * (1 - safe))
    odds = np.log(safe / (1 - safe))
    low, high = (1 / (1 + np.exp(-(odds + sign * half))) for sign in (-1, 1))
    return np.where(inner, low, share), np.where(inner, high, share)


class Overlay:
    """Lays a layer's maps over masks: each position at its receptive field's center, in between interpolated.

    As in network dissection, a map's positions lie on the image by the layer's stride, not stretched to its edges.
    """

    def __init__(self, probe: Probe) -> None:
        sight = sight_of(probe)
        # A layer that sees everything (attention) has positions all the same, which then fill the image.
        self._step = sight.step if sight.window is not None else None

    def __call__(self, maps: np.ndarray, image: tuple[int, int], mask: tuple[int, int]) -> np.ndarray:
        """Maps `(features, h, w)` of an image of so many pixels, at the masks' resolution."""
        vertical, horizontal = (
            _weights(places, pixels, wanted, pixels / places if self._step is None else self._step[axis])
            for axis, (places, pixels, wanted) in enumerate(zip(maps.shape[1:], image, mask, strict=True))
        )
        return np.asarray(vertical @ maps @ horizontal.T)


def _weights(places: int, pixels: int, wanted: int, step: float) -> np.ndarray:
    """Linear interpolation along one axis: `(wanted, places)`, constant beyond the outermost places."""
    pixel = (np.arange(wanted) + 0.5) * pixels / wanted - 0.5
    place = np.clip((pixel - (pixels - 1) / 2) / step + (places - 1) / 2, 0, places - 1)
    below = np.minimum(place.astype(int), max(places - 2, 0))
    table = np.zeros((wanted, places), np.float32)
    rows = np.arange(wanted)
    table[rows, below] = 1 - (place - below)
    table[rows, np.minimum(below + 1, places - 1)] += place - below
    return table
