"""Objectives for units, ours and torch-lucent's.

In: units of a layer, or Lucent's objectives. Out: an objective with one target for each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from tunewidgets._checks import a_type
from tunewidgets._tensors import Scores
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.refusals import first_line
from tunewidgets.kernels.network.tracing import Values, evaluating
from tunewidgets.kernels.optimization.scores import (
    Objective,
    Score,
    checked_place,
    pooled,
    position,
    staged,
)

# What `as_objective` accepts: an objective, a "layer:unit" string, a Lucent objective, or a list of either.
AnyObjective: TypeAlias = "Objective | str | Callable[..., Any] | Sequence[str | Callable[..., Any]]"


class _Units(Objective):
    """Objectives whose targets are units of the layer."""

    def __init__(self, units: int | Sequence[int] | np.ndarray) -> None:
        given = np.atleast_1d(np.asarray(units))
        if given.ndim != 1 or len(given) == 0 or not np.issubdtype(given.dtype, np.integer):
            raise ValueError(
                f"units is {units!r}; give a unit's number or a list of them, such as range(64)."
            )
        # PyTorch would take an array of bytes for a mask.
        self.units = given.astype(np.int64)

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
        One target per unit.

    Raises
    ------
    ValueError
        `units` is neither a whole number nor a list of them.

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
    """Independent activation maximization: a unit's activation minus the mean of the layer's other units.

    Eq. 3 of *Understanding the Importance of Single Directions via Representative Substitution*. In a layer
    with a single unit it equals `AM`.

    Parameters
    ----------
    units : int or sequence of int
        One target per unit.

    Raises
    ------
    ValueError
        `units` is neither a whole number nor a list of them.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> tw.IAM([3, 17]).names()
    ['IAM 3', 'IAM 17']
    """

    def score(self, targets: Sequence[int], at: str, device: torch.device) -> Score:
        pick = self._picker(targets, device)

        def scores(values: Values) -> Scores:
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
        One target per unit.
    at : "center" or (int, int), default "center"
        Row and column of the layer's map.

    Raises
    ------
    ValueError
        `units` is neither a whole number nor a list of them; `at` is neither "center" nor a pair of whole numbers, or
        lies outside the layer's map on the canvas.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> tw.Neuron([5], at=(3, 3))
    Neuron([5])
    """

    def __init__(self, units: int | Sequence[int] | np.ndarray, at: str | tuple[int, int] = "center") -> None:
        super().__init__(units)
        self.at = checked_place(at, "center")

    def score(self, targets: Sequence[int], at: str, device: torch.device) -> Score:
        own = self._own_values(targets, device)
        return lambda values: position(staged(own(values), at), self.at)[:, 0]


@dataclass
class _LayerView:
    """What a Lucent objective gets its layers from: the values of the probe's own layer on one image."""

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
    """Lucent objectives, one per target, each evaluated on its own image; they are losses, so their sign is flipped."""

    def __init__(self, objectives: Sequence[Callable]) -> None:
        self.objectives = list(objectives)
        self._layer = ""

    def __len__(self) -> int:
        return len(self.objectives)

    def check(self, probe: Probe) -> None:
        self._layer = probe.layer
        # Tried on one image before the long work: what can be called need not be an objective of Lucent's.
        with torch.no_grad(), evaluating(probe.network):
            value = probe.values(probe.middle_gray()).post.float()
        for loss in self.objectives:
            _check_lucent(loss, _LayerView(self._layer, value))

    def names(self) -> list[str]:
        return [f"lucent {getattr(o, 'description', '') or index}" for index, o in enumerate(self.objectives)]

    def score(self, targets: Sequence[int], at: str, device: torch.device) -> Score:
        chosen = [self.objectives[target] for target in targets]

        def scores(values: Values) -> Scores:
            return torch.stack(
                [
                    -loss(_LayerView(self._layer, values.post[n : n + 1].float()))
                    for n, loss in enumerate(chosen)
                ]
            )

        return scores


def _check_lucent(loss: Callable, view: _LayerView) -> None:
    name = getattr(loss, "description", "") or getattr(loss, "__name__", type(loss).__name__)
    remedy = "give tw.AM(units) or another objective of tunewidgets, or one of Lucent's, a function of T with T(layer)"
    try:
        with torch.no_grad():
            value = loss(view)
    except (TypeError, AttributeError, KeyError, IndexError, RuntimeError) as error:
        raise TypeError(f"the objective {name} can't be used ({first_line(error)}); {remedy}.") from error
    if not isinstance(value, Tensor) or value.numel() != 1:
        what = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else a_type(value)
        raise TypeError(f"the objective {name} gives {what} for one image in place of one number; {remedy}.")


def as_objective(objective: AnyObjective, layer: str | None = None) -> Objective:
    """One of our objectives, from one of ours, a `"layer:unit"` string, a Lucent objective, or a list of either.

    Raises
    ------
    TypeError, ValueError
        It is none of these; a string is not of the form "layer:unit", or names a layer other than `layer`.
    """
    if isinstance(objective, Objective):
        return objective
    several: list[Any] = list(objective) if isinstance(objective, (list, tuple)) else [objective]
    if several and all(isinstance(item, str) for item in several):
        return AM([unit_of(item, layer) for item in several])
    classes = [item for item in several if isinstance(item, type)]
    if several and not classes and all(callable(item) for item in several):
        return FromLucent(several)
    kind = f"the class {classes[0].__name__}" if classes else a_type(objective)
    raise TypeError(
        f"objective is {kind}; give tw.AM(units), tw.IAM(units), tw.Direction(vectors), "
        "tw.Neuron(units), 'layer:unit' or a Lucent objective."
    )


def unit_of(name: str, layer: str | None = None) -> int:
    """The unit that a `"layer:unit"` string names, in `layer` if that is given."""
    named, colon, unit = name.rpartition(":")
    if not colon or not unit.strip().isdigit():
        raise ValueError(f"{name!r} names no unit; write 'layer:unit', such as 'features.3:17'.")
    # Lucent writes the dots of a layer's name as underscores.
    if layer is not None and named not in (layer, layer.replace(".", "_")):
        raise ValueError(
            f"{name!r} is a unit of layer {named!r}, but the probe stops at {layer!r}; make the probe there."
        )
    return int(unit)
