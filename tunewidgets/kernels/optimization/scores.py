"""What every objective is: a score for each target, and the arithmetic of scores.

In: a layer's values on a batch of images, each made for one target. Out: `(N,)` scores to maximize. No score depends on
the batch's other images, so the gradient of their sum is each image's own gradient.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tunewidgets._checks import a_type, is_number, is_whole
from tunewidgets._tensors import Activations, LayerValues, Scores
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.rectifiers import SLOPE
from tunewidgets.kernels.network.tracing import Values

Score = Callable[[Values], Scores]
Stage = Literal["leaky", "pre", "post"]
STAGES = get_args(Stage)
# For searches without a gradient: negative values count a little, so that silent images can be ranked.
SIGNED = "signed"


def staged(values: Values, at: str) -> LayerValues:
    """The values that a unit's activation is optimized through: rectified, or before the layer's own nonlinearity."""
    if at == "pre":
        return values.pre.float()
    if at == SIGNED:
        return F.leaky_relu(values.pre.float(), SLOPE)
    return values.rectified() if at == "leaky" else values.post.float().relu()


def pooled(maps: LayerValues) -> Activations:
    """A unit's activation: the mean over positions, `(N, U)`."""
    return maps.flatten(2).mean(2) if maps.ndim > 2 else maps


def position(maps: Tensor, at: str | tuple[int, int]) -> Tensor:
    """One position of every map, `(N, U)`; the center of an even side is the one right of its middle."""
    if maps.ndim == 2:
        if not isinstance(at, str):
            raise ValueError(f"the layer has no map, so there is no position {at}; leave out at.")
        return maps
    height, width = maps.shape[2:]
    row, column = (height // 2, width // 2) if isinstance(at, str) else at
    if not (-height <= row < height and -width <= column < width):
        raise ValueError(f"the layer's map is {height} x {width} on this canvas; there is no position {at}.")
    return maps[:, :, row, column]


def checked_place(at: Any, *names: str) -> Any:
    """A place of a layer's map: one of `names`, or a row and a column as plain numbers.

    Raises
    ------
    ValueError
        It is neither.
    """
    if isinstance(at, str) and at in names:
        return at
    pair = at.tolist() if isinstance(at, np.ndarray | Tensor) else at
    if not (isinstance(pair, tuple | list) and len(pair) == 2 and all(is_whole(place) for place in pair)):
        raise ValueError(
            f"at is {at!r}; give {', '.join(map(repr, names))} or (row, column) of the layer's map."
        )
    return int(pair[0]), int(pair[1])


class Objective(ABC):
    """A score for each of `len(objective)` targets; sums, differences and scalar multiples are objectives too."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def score(self, targets: Sequence[int], at: str, device: torch.device) -> Score:
        """The function from a layer's values to `(N,)` scores, image n being made for `targets[n]`."""

    @abstractmethod
    def check(self, probe: Probe) -> None:
        """Raise an error of one clear sentence if the layer lacks what the objective needs."""

    @abstractmethod
    def names(self) -> list[str]:
        """One name per target: it labels the result and decides the target's random numbers."""

    def own_units(self) -> np.ndarray | None:
        """The unit that each target is made for, or None where targets are not units."""
        return None

    def identity(self) -> str:
        """A few words and a digest that distinguish this objective from others, the same in every process."""
        digest = hashlib.sha256("\n".join(self.names()).encode())
        for name, value in sorted(vars(self).items()):
            if isinstance(value, Tensor):
                value = value.cpu().numpy()
            if isinstance(value, np.ndarray):
                digest.update(f"{name} {value.shape} {value.dtype}".encode() + value.tobytes())
            elif isinstance(value, str | int | float | tuple):
                digest.update(f"{name} {value!r}".encode())
        return f"{type(self).__name__} of {len(self)}, {digest.hexdigest()[:12]}"

    # How far Adam may move a parameter over the whole run, and in one step at most; tuned on real layers.
    path, largest_lr = 25.6, 0.4

    def lr(self, steps: int) -> float:
        """Adam's step for a run of this length."""
        return min(self.largest_lr, self.path / steps)

    # An array on the left would otherwise multiply by each of its numbers, and give an array of objectives.
    __array_ufunc__ = None

    def __add__(self, other: Objective) -> Objective:
        return Combined([(1.0, self), (1.0, _term(other))])

    def __radd__(self, other: Objective | int) -> Objective:
        # What Python's `sum` begins with.
        if is_whole(other, 0, 0):
            return self
        return Combined([(1.0, _term(other)), (1.0, self)])

    def __sub__(self, other: Objective) -> Objective:
        return Combined([(1.0, self), (-1.0, _term(other))])

    def __rsub__(self, other: Objective) -> Objective:
        return Combined([(1.0, _term(other)), (-1.0, self)])

    def __mul__(self, factor: float) -> Objective:
        return Combined([(_weight(factor), self)])

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> Objective:
        if _weight(divisor) == 0:
            raise ValueError("an objective can't be divided by 0; give another number.")
        return self * (1 / _weight(divisor))

    def __neg__(self) -> Objective:
        return self * -1.0


def _term(other: Any) -> Objective:
    """What is added to an objective: another one."""
    if not isinstance(other, Objective):
        raise TypeError(
            f"{a_type(other)} can't be added to an objective or taken from it; give another objective, such "
            "as tw.AM(units)."
        )
    return other


def _weight(factor: Any) -> float:
    """What an objective is multiplied by: a finite number."""
    number = factor.item() if isinstance(factor, np.ndarray | Tensor) and factor.ndim == 0 else factor
    if not is_number(number):
        raise TypeError(
            f"an objective can't be multiplied or divided by {a_type(factor)}; give one number for all of its "
            "targets."
        )
    if not np.isfinite(float(number)):
        raise ValueError(f"an objective can't be multiplied or divided by {number}; give a finite number.")
    return float(number)


class Combined(Objective):
    """A weighted sum of objectives with the same number of targets, or one target for all."""

    def __init__(self, terms: Sequence[tuple[float, Objective]]) -> None:
        self.terms = list(terms)
        counts = {len(term) for _, term in self.terms} - {1}
        if len(counts) > 1:
            raise ValueError(
                f"objectives with {' and '.join(map(str, sorted(counts)))} targets cannot be combined; "
                "give each the same number, or one."
            )
        self.count = max(len(term) for _, term in self.terms)

    def __len__(self) -> int:
        return self.count

    def score(self, targets: Sequence[int], at: str, device: torch.device) -> Score:
        parts = [
            (weight, term.score(targets if len(term) == self.count else [0] * len(targets), at, device))
            for weight, term in self.terms
        ]
        return lambda values: torch.stack([weight * part(values) for weight, part in parts]).sum(0)

    def check(self, probe: Probe) -> None:
        for _, term in self.terms:
            term.check(probe)

    def names(self) -> list[str]:
        columns = [
            [
                f"{weight:g}*{name}"
                for name in (term.names() if len(term) == self.count else term.names() * self.count)
            ]
            for weight, term in self.terms
        ]
        return [" + ".join(row) for row in zip(*columns, strict=True)]

    def identity(self) -> str:
        return " + ".join(f"{weight:g} * {term.identity()}" for weight, term in self.terms)

    def own_units(self) -> np.ndarray | None:
        return self.terms[0][1].own_units() if len(self.terms) == 1 and self.terms[0][0] > 0 else None

    def lr(self, steps: int) -> float:
        return min(term.lr(steps) for _, term in self.terms)
