"""What an image is optimized for: one score an image, many targets a batch.

In: a layer's values on a batch of images, one target each. Out: `(N,)` scores to maximize. No score depends on the
batch's other images, so the gradient of their sum is each image's own gradient.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tunewidgets.kernels.probe import Probe
from tunewidgets.kernels.tracing import Values

Score = Callable[[Values], Tensor]
STAGES = ("leaky", "pre", "post")
# In "dot_cosine": below this cosine a position still pulls, weakly; a length that keeps silent positions finite.
LEAST_COSINE, DOT_COSINE_FLOOR = 0.05, 1e-2


def staged(values: Values, at: str) -> Tensor:
    """The values that a unit's activation is optimized through.

    "leaky" lets a unit that starts silent still have a gradient while its rectified activation stays the goal.
    """
    if at == "leaky":
        return F.leaky_relu(values.pre.float(), 0.01)
    return values.pre.float() if at == "pre" else values.rectified()


def pooled(maps: Tensor) -> Tensor:
    """A unit's activation: the mean over positions, `(N, U)`."""
    return maps.flatten(2).mean(2) if maps.ndim > 2 else maps


class Objective(ABC):
    """A score for each of `len(objective)` targets; sums, differences and scalar multiples are objectives too."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def score(self, targets: Sequence[int], at: str, device: torch.device) -> Score:
        """The function from a layer's values to `(N,)` scores, image n being made for `targets[n]`."""

    @abstractmethod
    def check(self, probe: Probe) -> None:
        """Raise one clear sentence if the layer has not what the objective needs."""

    @abstractmethod
    def names(self) -> list[str]:
        """One name a target: it labels the result and decides the target's random numbers."""

    def own_units(self) -> np.ndarray | None:
        """The unit each target is made for, or None where a target is not a unit's."""
        return None

    # How far Adam may move a parameter over the whole run, and in one step at most; found on real layers.
    path, largest_rate = 25.6, 0.4

    def rate(self, steps: int) -> float:
        """Adam's step for a run of this length."""
        return min(self.largest_rate, self.path / steps)

    def __add__(self, other: Objective) -> Objective:
        return Combined([(1.0, self), (1.0, as_objective(other))])

    def __sub__(self, other: Objective) -> Objective:
        return Combined([(1.0, self), (-1.0, as_objective(other))])

    def __mul__(self, factor: float) -> Objective:
        return Combined([(float(factor), self)])

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> Objective:
        return self * (1 / divisor)

    def __neg__(self) -> Objective:
        return self * -1.0


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

    def own_units(self) -> np.ndarray | None:
        return self.terms[0][1].own_units() if len(self.terms) == 1 and self.terms[0][0] > 0 else None

    def rate(self, steps: int) -> float:
        return min(term.rate(steps) for _, term in self.terms)


class _Units(Objective):
    """Objectives whose targets are units of the layer."""

    def __init__(self, units: int | Sequence[int] | np.ndarray) -> None:
        self.units = np.atleast_1d(np.asarray(units))
        if self.units.ndim != 1 or len(self.units) == 0 or not np.issubdtype(self.units.dtype, np.integer):
            raise ValueError(
                f"units is {units!r}; give a unit's number or a list of them, such as range(64)."
            )

    def __len__(self) -> int:
        return len(self.units)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.units.tolist()})"

    def check(self, probe: Probe) -> None:
        beyond = self.units[(self.units < 0) | (self.units >= probe.units)]
        if len(beyond):
            raise ValueError(
                f"layer {probe.layer!r} has units 0 to {probe.units - 1}; there is no unit {beyond[0]}."
            )

    def names(self) -> list[str]:
        return [f"{type(self).__name__} {unit}" for unit in self.units]

    def own_units(self) -> np.ndarray:
        return self.units

    def _own_values(self, targets: Sequence[int], device: torch.device) -> Callable[[Values], Values]:
        """Each image's own unit only, `(N, 1, ...)`: the rest of the layer is then neither rectified nor summed."""
        pick = self._picker(targets, device)
        return lambda values: Values(
            pick(values.pre)[:, None], pick(values.post)[:, None], values.never_negative
        )

    def _picker(self, targets: Sequence[int], device: torch.device) -> Callable[[Tensor], Tensor]:
        rows = torch.arange(len(targets), device=device)
        columns = torch.as_tensor(self.units[list(targets)], device=device)
        return lambda table: table[rows, columns]


class AM(_Units):
    """Activation maximization: the image that maximizes a unit's activation.

    Eq. 2 of *Understanding the Importance of Single Directions via Representative Substitution*.

    Parameters
    ----------
    units : int or sequence of int
        One target a unit.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> len(tw.AM(range(28)))
    28
    """

    def score(self, targets: Sequence[int], at: str, device: torch.device) -> Score:
        own = self._own_values(targets, device)
        return lambda values: pooled(staged(own(values), at))[:, 0]


class IAM(_Units):
    """Independent activation maximization: a unit's activation less the mean of the layer's other units.

    Eq. 3 of *Understanding the Importance of Single Directions via Representative Substitution*. In a layer of one
    unit it is `AM`.

    Parameters
    ----------
    units : int or sequence of int
        One target a unit.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> tw.IAM([3, 17]).names()
    ['IAM 3', 'IAM 17']
    """

    def score(self, targets: Sequence[int], at: str, device: torch.device) -> Score:
        pick = self._picker(targets, device)

        def scores(values: Values) -> Tensor:
            activations = pooled(staged(values, at))
            own = pick(activations)
            others = activations.shape[1] - 1
            return own - (activations.sum(1) - own) / others if others else own

        return scores


class Neuron(_Units):
    """One position of a unit's map: the image of a single receptive field.

    Parameters
    ----------
    units : int or sequence of int
        One target a unit.
    at : "center" or (int, int), default "center"
        Row and column of the layer's map.

    Raises
    ------
    ValueError
        `at` is neither of these, or lies outside the layer's map on the canvas.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> tw.Neuron([5], at=(3, 3))
    Neuron([5])
    """

    def __init__(self, units: int | Sequence[int] | np.ndarray, at: str | tuple[int, int] = "center") -> None:
        super().__init__(units)
        if at != "center" and not (isinstance(at, tuple) and len(at) == 2):
            raise ValueError(f"at is {at!r}; give 'center' or (row, column) of the layer's map.")
        self.at = at

    def score(self, targets: Sequence[int], at: str, device: torch.device) -> Score:
        own = self._own_values(targets, device)
        return lambda values: position(staged(own(values), at), self.at)[:, 0]


def position(maps: Tensor, at: str | tuple[int, int]) -> Tensor:
    """One position of every map, `(N, U)`; the center of an even side is the one right of its middle."""
    if maps.ndim == 2:
        return maps
    row, column = (maps.shape[2] // 2, maps.shape[3] // 2) if isinstance(at, str) else at
    if row >= maps.shape[2] or column >= maps.shape[3]:
        raise ValueError(
            f"the layer's map is {maps.shape[2]} x {maps.shape[3]} on this canvas; there is no position {at}."
        )
    return maps[:, :, row, column]


class Direction(Objective):
    """A direction of the layer's activation space, sought at every position (or one).

    Eq. 1 of *Identifying and interpreting tuning dimensions in deep networks*.

    Parameters
    ----------
    vectors : array, (targets, units)
        Target activations; only their direction counts.
    mode : {"dot_cosine", "cosine"}, default "dot_cosine"
        "cosine": the mean over positions of cos(a, v), the paper's. "dot_cosine": the mean of dot * max(cos, .05)^3
        with the unit target, which asks for a strong answer too and so shows what "cosine" leaves to near-invisible
        patterns.
    at : "everywhere", "center" or (int, int), default "everywhere"
        Which positions of the map count.

    Raises
    ------
    ValueError
        The vectors are not finite, one is zero, or the mode is unknown.

    Examples
    --------
    >>> import numpy as np, tunewidgets as tw
    >>> len(tw.Direction(np.eye(28)[:4], mode="cosine"))
    4
    """

    # A short path keeps the images from saturating, and neighbors along a film alike.
    path, largest_rate = 2.56, 0.1

    def __init__(
        self, vectors: Any, mode: str = "dot_cosine", at: str | tuple[int, int] = "everywhere"
    ) -> None:
        self.vectors = torch.as_tensor(np.atleast_2d(np.asarray(vectors)), dtype=torch.float32)
        if mode not in ("dot_cosine", "cosine"):
            raise ValueError(f"mode is {mode!r}; choose 'dot_cosine' or 'cosine'.")
        if self.vectors.ndim != 2 or not bool(torch.isfinite(self.vectors).all()):
            raise ValueError("vectors needs finite numbers in shape (targets, units).")
        if bool((self.vectors.norm(dim=1) == 0).any()):
            raise ValueError("a vector of zeros has no direction; leave it out.")
        self.mode = mode
        self.at = at
        self.labels: list[str] | None = None

    def __len__(self) -> int:
        return len(self.vectors)

    def check(self, probe: Probe) -> None:
        """Raise one clear sentence if the layer has not what the objective needs.

        Raises
        ------
        ValueError
            The vectors have not one column a unit of the layer.
        """
        if self.vectors.shape[1] != probe.units:
            raise ValueError(
                f"vectors has {self.vectors.shape[1]} columns and layer {probe.layer!r} has {probe.units} units; "
                "give one column a unit."
            )

    def names(self) -> list[str]:
        return [f"direction {index}" for index in range(len(self))]

    def score(self, targets: Sequence[int], at: str, device: torch.device) -> Score:
        wanted = F.normalize(self.vectors[list(targets)].to(device), dim=1)

        def scores(values: Values) -> Tensor:
            activations = values.rectified()
            if self.at != "everywhere":
                activations = position(activations, self.at)
            if activations.ndim == 2:
                activations = activations[:, :, None, None]
            return DirectionScore.apply(activations.flatten(2), wanted, self.mode)

        return scores


class DirectionScore(torch.autograd.Function):
    """Mean over positions of a score of activations `(N, U, P)` along unit targets `(N, U)`, `(N,)`.

    At each position the gradient is a mixture of the target and of the activations themselves, so the backward pass is
    two products where automatic differentiation would take a dozen passes over the map.
    """

    @staticmethod
    def forward(ctx: Any, activations: Tensor, wanted: Tensor, mode: str) -> Tensor:
        dot = torch.bmm(wanted[:, None], activations)
        squares = activations.square().sum(1, keepdim=True)
        if mode == "cosine":
            # As small as Lucent's: a silent position counts as 0 and pulls nowhere.
            inverse = squares.clamp(min=1e-16).rsqrt()
            value = dot * inverse
            along_target, along_self = inverse, -value * inverse.square()
        else:
            length = (squares + DOT_COSINE_FLOOR**2).sqrt()
            ratio = dot / length
            aligned = ratio > LEAST_COSINE
            cube = ratio.clamp(min=LEAST_COSINE) ** 3
            value = dot * cube
            along_target = torch.where(aligned, 4 * cube, cube)
            along_self = torch.where(aligned, -3 * value / length.square(), 0.0)
        ctx.save_for_backward(activations, wanted, along_target, along_self)
        return value.flatten(1).mean(1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        activations, wanted, along_target, along_self = ctx.saved_tensors
        weight = gradients[0][:, None, None] / activations.shape[2]
        gradient = torch.bmm(wanted[:, :, None], along_target * weight)
        return gradient.addcmul_(activations, along_self * weight), None, None


def cosine(activations: Tensor, wanted: Tensor) -> Tensor:
    """Cosine at each position, `(N, h, w)`, of `(N, U, h, w)` activations with `(N, U)` targets; 0 where one is 0."""
    return F.cosine_similarity(activations, wanted[:, :, None, None], dim=1)


@dataclass
class _LayerView:
    """What a Lucent objective asks layers from: one image's values of the probe's own layer."""

    layer: str
    value: Tensor

    def __call__(self, name: str) -> Tensor:
        if name not in (self.layer, self.layer.replace(".", "_")):
            raise ValueError(
                f"the Lucent objective asks for layer {name!r}, but the probe stops at {self.layer!r}; "
                "make the probe there."
            )
        return self.value


class FromLucent(Objective):
    """Lucent objectives, one a target, each read on its own image; they are losses, so their sign is turned."""

    def __init__(self, objectives: Sequence[Callable]) -> None:
        self.objectives = list(objectives)
        self._layer = ""

    def __len__(self) -> int:
        return len(self.objectives)

    def check(self, probe: Probe) -> None:
        self._layer = probe.layer

    def names(self) -> list[str]:
        return [f"lucent {getattr(o, 'description', '') or index}" for index, o in enumerate(self.objectives)]

    def score(self, targets: Sequence[int], at: str, device: torch.device) -> Score:
        chosen = [self.objectives[target] for target in targets]

        def scores(values: Values) -> Tensor:
            return torch.stack(
                [
                    -loss(_LayerView(self._layer, values.post[n : n + 1].float()))
                    for n, loss in enumerate(chosen)
                ]
            )

        return scores


def as_objective(objective: Any) -> Objective:
    """An objective of ours, from one of ours, a `"layer:unit"` string, a Lucent objective, or a list of either.

    Raises
    ------
    TypeError, ValueError
        It is none of these; a string is not of the form "layer:unit".
    """
    if isinstance(objective, Objective):
        return objective
    several = list(objective) if isinstance(objective, (list, tuple)) else [objective]
    if several and all(isinstance(item, str) for item in several):
        return AM([unit_of(item) for item in several])
    if several and all(callable(item) for item in several):
        return FromLucent(several)
    raise TypeError(
        f"objective is a {type(objective).__name__}; give tw.AM(units), tw.IAM(units), tw.Direction(vectors), "
        "tw.Neuron(units), 'layer:unit' or a Lucent objective."
    )


def unit_of(name: str) -> int:
    """The unit that a `"layer:unit"` string names."""
    _, colon, unit = name.rpartition(":")
    if not colon or not unit.strip().isdigit():
        raise ValueError(f"{name!r} names no unit; write 'layer:unit', such as 'features.3:17'.")
    return int(unit)
