"""A network's tail with a layer's activations moved along directions: taken out, or more of them put in.

In: a layer and batches of its images, twice: first for the layer's moments, then for the runs. Out: of each change of
the layer, what it does to every image's classification, loss and class scores, summed up.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tunewidgets.kernels.network.class_scores import Scores
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.replay import Replay
from tunewidgets.kernels.single_units.silencing import LEAST, scored


class Moves(NamedTuple):
    """Changes of a vector `x`: `x + (given - (x - center) @ reading.T) @ rows`, for rectified `x`."""

    rows: np.ndarray  # (k, units)
    reading: np.ndarray  # (k, units)
    given: np.ndarray  # (k,)
    center: np.ndarray  # (units,)


class Summed:
    """Sums over images of what one change does: by class, and of scores and probabilities where these are asked for."""

    def __init__(self, classes: int) -> None:
        self.images = self.below = self.values = 0
        self.by_class = torch.zeros(3, classes, dtype=torch.float64)  # images, fewer right, changed
        self.loss = torch.zeros(2, dtype=torch.float64)  # summed, and their squares
        self.effects = torch.zeros(
            2, 2, classes, dtype=torch.float64
        )  # scores and probabilities; summed, squared

    def mean_loss(self) -> tuple[float, float]:
        """The mean increase of the loss, and its standard error."""
        mean, error = mean_and_error(self.loss[0].numpy(), self.loss[1].numpy(), self.images)
        return float(mean), float(error)


class Moved:
    """One layer whose activations are moved; `sample` is a few of the inputs that will come."""

    def __init__(
        self, sample: Tensor, probe: Probe, outputs: tuple[int, ...], scores: Scores, probabilities: bool
    ) -> None:
        self.probabilities = probabilities
        self.outputs = torch.tensor(outputs) if outputs else None
        self.replay = Replay(probe.network, probe.place, sample, scores)
        logits = self.replay.record(sample)
        shape = self.replay.layer_output.shape
        self.classes = logits.shape[1] if self.outputs is None else len(self.outputs)
        self.scores = logits.shape[1]
        self.axis = probe.unit_axis(len(shape))
        probe.check_units(shape[self.axis], sample.shape[2:])
        self.replay.forget()
        self.count = 0
        self.sums = np.zeros(probe.units)
        self.products = np.zeros((probe.units, probe.units))
        self.rectified = True

    def add_moments(self, inputs: Tensor) -> None:
        """Take a batch's part of the mean and the covariance of the rectified activations, over all positions."""
        self.replay.record(inputs)
        raw = self.replay.layer_output.movedim(self.axis, -1).flatten(0, -2)
        self.rectified = self.rectified and bool((raw >= 0).all())
        rows = raw.relu().cpu().double().numpy()
        self.count += len(rows)
        self.sums += rows.sum(axis=0)
        self.products += rows.T @ rows
        self.replay.forget()

    @property
    def mean(self) -> np.ndarray:
        """Of the rectified activations, `(units,)`."""
        return self.sums / self.count

    @property
    def covariance(self) -> np.ndarray:
        """Of the rectified activations, `(units, units)`."""
        return self.products / self.count - np.outer(self.mean, self.mean)

    def without(self, rows: np.ndarray, reading: np.ndarray, center: np.ndarray) -> Moves:
        """Coordinates at their mean over the images: what is taken out is how they vary."""
        return Moves(rows, reading, (self.mean - center) @ reading.T, center)

    def run(self, inputs: Tensor, labels: Tensor, changes: dict[int, Moves], sums: dict[int, Summed]) -> None:
        """Add to `sums` what every one of `changes` does to a batch of images.

        Raises
        ------
        ValueError
            The labels are not the network's classes, or its scores are not finite.
        """
        logits = self.replay.record(inputs)
        self._check(logits, labels)
        intact = self._log_scores(logits)
        raw = self.replay.layer_output
        flat = raw.movedim(self.axis, -1)
        seen = flat.relu()
        with self.replay.running():
            for place, change in changes.items():
                if not change.rows.any():
                    self._add(sums[place], intact, intact, labels)
                    continue
                moved = flat + _step(seen, change)
                if self.rectified:
                    sums[place].below += int((moved < 0).sum())
                    sums[place].values += moved.numel()
                    moved = moved.clamp_min(0)
                after = moved.movedim(-1, self.axis).contiguous()
                logits = self.replay.run(lambda _, after=after: after)  # type: ignore[misc]
                self._add(sums[place], intact, self._log_scores(logits), labels)
        self.replay.forget()

    def _check(self, logits: Tensor, labels: Tensor) -> None:
        highest = int((labels if self.outputs is None else self.outputs).max())
        if highest >= self.scores:
            raise ValueError(
                f"a label is {highest} and the network has {self.scores} classes, 0 to {self.scores - 1}; correct the "
                "labels, or give the network they belong to."
            )
        if not bool(torch.isfinite(logits).all()):
            raise ValueError("the network gives NaN or infinite scores on these images; check its weights.")

    def _log_scores(self, logits: Tensor) -> Tensor:
        logits = logits.cpu().double()
        return logits.clamp_min(LEAST).log() if self.probabilities else logits

    def _add(self, sums: Summed, before: Tensor, after: Tensor, labels: Tensor) -> None:
        one, other = scored(before, labels, self.outputs), scored(after, labels, self.outputs)
        fewer, more = one.right - other.right, other.loss - one.loss
        sums.images += len(labels)
        for row, part in enumerate((torch.ones_like(fewer), fewer, fewer.abs())):
            sums.by_class[row].index_add_(0, labels, part)
        sums.loss += torch.stack([more.sum(), more.square().sum()])
        for row, change in enumerate((after - before, after.softmax(1) - before.softmax(1))):
            change = change if self.outputs is None else change[:, self.outputs]
            sums.effects[row] += torch.stack([change.sum(0), change.square().sum(0)])


def mean_and_error(total: np.ndarray, squares: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """A mean over images and its standard error, NaN below two images, from sums and sums of squares."""
    mean = total / n
    if n < 2:
        return mean, np.full_like(mean, np.nan)
    return mean, np.sqrt(np.clip(squares / n - mean**2, 0, None) / (n - 1))


def _step(seen: Tensor, change: Moves) -> Tensor:
    rows, reading, given, center = (torch.from_numpy(np.asarray(part)).to(seen) for part in change)
    return (given - (seen - center) @ reading.T) @ rows
