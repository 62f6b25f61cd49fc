"""Selectivity's critics: how well a unit tells its preferred class from the others, by ranks instead of means.

In: unit activations and labels, a batch at a time. Out: precision among the k images that a unit responds to most, and
the area under the ROC curve, each for every unit and class. Memory does not grow with the number of images, and nothing
depends on their order or on the batch size.
"""

import math

import torch
from torch import Tensor

BINS = 4096
# What the histograms of all layers may take together, bytes.
HISTOGRAM_BYTES = 2 * 2**30


class TopImages:
    """Each unit's k largest activations, with their classes; ties at the k-th are counted by class, not broken."""

    def __init__(self, units: int, k: int) -> None:
        self.k = k
        self.values = torch.full((units, 0), -math.inf)
        self.labels = torch.zeros((units, 0), dtype=torch.int64)
        self.tied = torch.zeros(units, 0)  # images by class whose activation is the k-th largest

    def add(self, activations: Tensor, labels: Tensor, classes: int) -> None:
        """Take a batch, (N, U) and (N,)."""
        fresh = activations.T
        values = torch.cat([self.values, fresh], 1)
        classes_of = torch.cat([self.labels, labels.expand(len(fresh), -1)], 1)
        before = self.values[:, -1:] if self.values.shape[1] == self.k else None
        kept = min(self.k, values.shape[1])
        top, place = values.topk(kept, dim=1)
        threshold = top[:, -1:]
        if self.tied.shape[1] < classes:
            self.tied = torch.cat(
                [self.tied, self.tied.new_zeros(len(fresh), classes - self.tied.shape[1])], 1
            )
        # At an unchanged threshold the batch's ties join those counted so far; otherwise all that can tie is at hand.
        same = torch.zeros_like(threshold, dtype=torch.bool) if before is None else before == threshold
        equal = values == threshold
        equal[:, : self.values.shape[1]] &= ~same
        joined = torch.zeros_like(self.tied).scatter_add_(1, classes_of, equal.to(self.tied.dtype))
        self.tied = torch.where(same, self.tied, 0) + joined
        self.values, self.labels = top, classes_of.gather(1, place)

    def precision(self, preferred: Tensor) -> Tensor:
        """Share of `preferred` (U,) among the top k; of tied images, the share expected of a random choice."""
        above = self.values > self.values[:, -1:]
        right = (above & (self.labels == preferred[:, None])).sum(1).double()
        rest = self.values.shape[1] - above.sum(1)
        share = self.tied.gather(1, preferred[:, None])[:, 0].double() / self.tied.sum(1)
        return (right + rest * share) / self.values.shape[1]


class Histograms:
    """Activations by unit and class in `BINS` bins of equal width, whose range doubles when a larger value comes.

    Where values are rectified, bin 0 holds only the zeros. Doubling joins bins in pairs and is exact, so the result is
    the same in any order. `counter` is the type of the counts: there are fewer images than 32 bits can count.
    """

    def __init__(self, units: int, signed: bool, counter: torch.dtype = torch.int32) -> None:
        self.units = units
        self.zero = BINS // 2 - 1 if signed else 0
        self.half = BINS - 1 - self.zero  # bins on the positive side
        self.range = torch.zeros(units, dtype=torch.float64)
        self.counts = torch.zeros(0, units, BINS, dtype=counter)

    @staticmethod
    def needs(units: int, classes: int) -> int:
        """Bytes."""
        return units * classes * BINS * 4

    def add(self, activations: Tensor, labels: Tensor, classes: int) -> None:
        """Take a batch, (N, U) and (N,)."""
        if len(self.counts) < classes:
            extra = self.counts.new_zeros(classes - len(self.counts), self.units, BINS)
            self.counts = torch.cat([self.counts, extra])
        values = activations.double()
        largest = values.abs().amax(0)
        grows = largest > self.range
        for unit in grows.nonzero()[:, 0].tolist():
            self._widen(unit, 2.0 ** math.ceil(math.log2(float(largest[unit]))))
        scale = torch.where(self.range > 0, self.half / self.range, 0)
        bins = (values * scale).ceil().to(torch.int64) + self.zero
        bins.clamp_(0, BINS - 1)
        flat = (labels[:, None] * self.units + torch.arange(self.units)) * BINS + bins
        ones = torch.ones(1, dtype=self.counts.dtype).expand(flat.numel())
        self.counts.view(-1).scatter_add_(0, flat.flatten(), ones)

    def _widen(self, unit: int, wanted: float) -> None:
        if float(self.range[unit]) == 0:
            self.range[unit] = wanted
            return
        while float(self.range[unit]) < wanted:
            old = self.counts[:, unit].clone()
            offset = torch.arange(BINS) - self.zero
            target = torch.div(offset + 1, 2, rounding_mode="floor") + self.zero  # ceil(offset / 2)
            self.counts[:, unit] = torch.zeros_like(old).index_add_(1, target.clamp(0, BINS - 1), old)
            self.range[unit] *= 2

    def auc(self, preferred: Tensor) -> tuple[Tensor, Tensor]:
        """AUC of `preferred` (U,) against the other classes, and how far the true one can be from it.

        Images in one bin count as ties; the bound is half the share of pairs that tie outside the bin of zeros, where
        ties are true.
        """
        inside = self.counts[preferred, torch.arange(self.units)].double()
        outside = self.counts.sum(0).double() - inside
        below = outside.cumsum(1) - outside
        pairs = (inside.sum(1) * outside.sum(1)).clamp(min=1)
        auc = (inside * (below + outside / 2)).sum(1) / pairs
        tied = inside * outside
        if self.zero == 0:
            tied[:, 0] = 0
        return auc, tied.sum(1) / 2 / pairs
