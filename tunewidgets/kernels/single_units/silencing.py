"""One layer whose units are silenced, set after set, and what the network still gets right.

In: a layer, batches of inputs and labels. Out: counts and losses by class for the intact network and for every set of
silenced units, and from them the layer's part of a unit record.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr
from torch import Tensor

from tunewidgets import records
from tunewidgets.kernels.data.labeled import LabeledImages
from tunewidgets.kernels.network.class_scores import Scores
from tunewidgets.kernels.network.outputs import first_tensor
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.replay import Replay

# The least probability that counts as one: smaller ones are 0 in float32, and their loss would be infinite.
LEAST = float(torch.finfo(torch.float32).tiny)
ORDERS = ("most selective first", "least selective first", "random")


class Outcome(NamedTuple):
    """What a network's scores on a batch amount to, by class.

    Images, correct classifications, summed loss, and images that are now right and were not before, or the reverse.
    """

    images: Tensor
    right: Tensor
    loss: Tensor
    changed: Tensor


class Scored(NamedTuple):
    """Of each image of a batch, float64 on the CPU: 1 where it is classified correctly, and its loss."""

    right: Tensor
    loss: Tensor


def scored(logits: Tensor, labels: Tensor, outputs: Tensor | None = None) -> Scored:
    """What the scores say of each image; `outputs`: the score of each class, if not its own number."""
    targets = labels if outputs is None else outputs[labels]
    logits = logits.cpu().double()  # in this order, for not every device has double precision
    return Scored((logits.argmax(1) == targets).double(), F.cross_entropy(logits, targets, reduction="none"))


def outcome(images: Scored, labels: Tensor, classes: int, intact: Scored) -> Outcome:
    """Counts and float64 sums by class; `intact`: the same images with nothing silenced."""
    zeros = torch.zeros(classes, dtype=torch.float64)
    return Outcome(
        torch.bincount(labels, minlength=classes).double(),
        zeros.index_add(0, labels, images.right),
        zeros.index_add(0, labels, images.loss),
        zeros.index_add(0, labels, (images.right - intact.right).abs()),
    )


def drop_error(drop: np.ndarray, changed: np.ndarray, images: np.ndarray | float) -> np.ndarray:
    """Standard error of an accuracy's drop over images that both networks classified; NaN below two images.

    An image's own drop is 1, 0 or -1, so that its square is 1 where the classification changed.
    """
    images = np.asarray(images, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.clip(changed / images - drop**2, 0, None)
        return np.where(images > 1, np.sqrt(variance / (images - 1)), np.nan)


class SilencedLayer:
    """One layer's counts, as the images come; `sample` is a few of the inputs that will.

    `scores` finds the class scores in the network's output, and `probabilities` says that they are those already.

    The layer's own `input_size` is no size for a sample: what follows the layer may take one size alone.
    """

    def __init__(
        self,
        sample: Tensor,
        probe: Probe,
        orders: list[np.ndarray] | None,
        points: int,
        outputs: Sequence[int],
        scores: Scores = first_tensor,
        probabilities: bool = False,
    ) -> None:
        self.probe, self.probabilities = probe, probabilities
        self.outputs = torch.tensor(outputs) if outputs else None
        self.replay = Replay(probe.network, probe.place, sample, scores)
        shape = self._sample_shape(sample)
        self.axis = probe.unit_axis(len(shape))
        probe.check_units(shape[self.axis], sample.shape[2:])
        units = probe.units
        self.steps = np.unique(np.linspace(0, units, min(points, units + 1)).round().astype(int))
        singles = [np.array([unit]) for unit in range(units)]
        self.orders = orders
        curves = [order[:step] for order in orders or () for step in self.steps[1:-1]]
        # Every order begins with nothing silenced and ends with everything silenced.
        self.sets = [*singles, *curves, *([np.arange(units)] if orders else [])]
        self.classes = 0
        self.base: Outcome | None = None
        self.totals: list[Tensor] = []
        self.means: Tensor | None = None
        self.mean_sum: Tensor | None = None
        self.mean_count = 0

    def _sample_shape(self, sample: Tensor) -> tuple[int, ...]:
        self.replay.record(sample)
        shape = tuple(self.replay.layer_output.shape)
        self.replay.forget()
        return shape

    def add_mean(self, inputs: Tensor) -> None:
        """Take a batch's part of every unit's mean output."""
        self.replay.record(inputs)
        value = self.replay.layer_output.movedim(self.axis, 0).flatten(1).cpu().double()
        part = value.sum(1)
        self.mean_sum = part if self.mean_sum is None else self.mean_sum + part
        self.mean_count += value.shape[1]
        self.means = self.mean_sum / self.mean_count
        self.replay.forget()

    def add(self, inputs: Tensor, labels: Tensor, on_run: Callable[[], Any]) -> None:
        """Take a batch: the intact network, then every set of silenced units."""
        logits = self.replay.record(inputs)
        highest = int((labels if self.outputs is None else self.outputs).max())
        if highest >= logits.shape[1]:
            raise ValueError(
                f"a label is {highest} and the network has {logits.shape[1]} classes, 0 to "
                f"{logits.shape[1] - 1}; correct the labels, or give the network they belong to."
            )
        if not bool(torch.isfinite(logits).all()):
            raise ValueError("the network gives NaN or infinite scores on these images; check its weights.")
        if self.base is None:
            self.classes = logits.shape[1] if self.outputs is None else len(self.outputs)
            zeros = torch.zeros(len(Outcome._fields), self.classes, dtype=torch.float64)
            self.base, self.totals = Outcome(*zeros), [zeros.clone() for _ in self.sets]
        intact = self._scored(logits, labels)
        here = torch.stack(outcome(intact, labels, self.classes, intact))
        self.base = Outcome(*(torch.stack(self.base) + here))
        value = self.replay.layer_output
        scratch = value if self.replay.writable else value.clone()
        with self.replay.running():
            for place, units in enumerate(self.sets):
                after = self._silenced(scratch, torch.from_numpy(units), labels)
                changed = here if after is None else torch.stack(outcome(after, labels, self.classes, intact))
                self.totals[place] += changed
                on_run()
        self.replay.forget()

    def _silenced(self, scratch: Tensor, units: Tensor, labels: Tensor) -> Scored | None:
        """The images' scores with `units` silenced, None if they were silent; `scratch` is written to and put back."""
        here = units.to(scratch.device)
        before = scratch.index_select(self.axis, here)
        if self.means is None:
            after = torch.zeros_like(before)
        else:
            shape = [1] * scratch.ndim
            shape[self.axis] = len(units)
            after = self.means[units].to(before).view(shape).expand_as(before)
        if torch.equal(before, after):
            return None
        scratch.index_copy_(self.axis, here, after.contiguous())
        try:
            logits = self.replay.run(lambda _: scratch)
            # Counted before the values are put back: in the last layer, these are the scores themselves.
            return self._scored(logits, labels)
        finally:
            scratch.index_copy_(self.axis, here, before)

    def _scored(self, scores: Tensor, labels: Tensor) -> Scored:
        if self.probabilities:
            scores = scores.cpu().double().clamp_min(LEAST).log()
        return scored(scores, labels, self.outputs)

    def dataset(
        self, provenance: dict[str, str], source: LabeledImages, settings: dict[str, Any], seed: int
    ) -> xr.Dataset:
        """The layer's part of a unit record."""
        assert self.base is not None
        n_classes = source.n_classes or self.classes
        images, right, loss, _ = (part.numpy() for part in self.base)
        count = images.sum()
        totals = np.stack([total.numpy() for total in self.totals])
        units = self.probe.units
        drop = (right.sum() - totals[:units, 1].sum(1)) / count
        by_class = (right - totals[:units, 1])[:, :n_classes] / images[:n_classes]
        error = drop_error(drop, totals[:units, 3].sum(1), count)
        class_error = drop_error(by_class, totals[:units, 3, :n_classes], images[:n_classes])
        columns: dict[str, Any] = {
            "accuracy_drop": ("unit", drop.astype(np.float32)),
            "accuracy_drop_se": ("unit", error.astype(np.float32)),
            "loss_increase": ("unit", ((totals[:units, 2].sum(1) - loss.sum()) / count).astype(np.float32)),
            "class_accuracy_drop": (("unit", "cls"), by_class.astype(np.float32)),
            "class_accuracy_drop_se": (("unit", "cls"), class_error.astype(np.float32)),
        }
        coords: dict[str, Any] = {
            "unit": np.arange(units),
            "cls": np.array(source.names, dtype=object) if source.names else np.arange(n_classes),
        }
        intact = {"accuracy": right.sum() / count, "loss": loss.sum() / count}
        if self.orders:
            columns |= self._curves(totals[units:, 1].sum(1) / count, intact["accuracy"])
            coords |= {"order": np.array(ORDERS, dtype=object), "step": self.steps}
            settings = {**settings, "random_orders": len(self.orders) - 2}
        attrs = records.new_attrs(
            "units",
            **provenance,
            settings={**settings, **intact},
            seed=seed,
            n_images=source.count,
            n_vectors=None,
        )
        return xr.Dataset(columns, coords, attrs)

    def _curves(self, accuracy: np.ndarray, intact: float) -> dict[str, Any]:
        assert self.orders is not None
        inner = accuracy[:-1].reshape(len(self.orders), len(self.steps) - 2)
        ends = np.ones((len(self.orders), 1))
        curves = np.concatenate([ends * intact, inner, ends * accuracy[-1]], axis=1)
        fixed, drawn = curves[:2], curves[2:]
        rows = {
            "cumulative_accuracy": drawn.mean(0),
            "cumulative_low": drawn.min(0),
            "cumulative_high": drawn.max(0),
        }
        return {
            name: (("order", "step"), np.vstack([fixed, row]).astype(np.float32))
            for name, row in rows.items()
        }
