"""Directions of activation space as objectives.

In: target activations. Out: for each image, how well the direction of the layer's activations matches its target's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike
from torch import Tensor

from tunewidgets._checks import a_type
from tunewidgets._tensors import Scores
from tunewidgets.kernels.network.probe import Probe, tensor_of
from tunewidgets.kernels.network.tracing import Values
from tunewidgets.kernels.optimization.scores import Objective, Score, checked_place, position, staged

Mode = Literal["dot_cosine", "cosine"]
# Which positions of a layer's map.
At = Literal["everywhere", "center"] | tuple[int, int]
PLACES = ("everywhere", "center")
# In "dot_cosine": below this cosine a position still pulls, weakly; a length that keeps silent positions finite.
LEAST_COSINE, DOT_COSINE_FLOOR = 0.05, 1e-2
# How far Adam goes, and in one step at most. A short path keeps the images from saturating, and neighbors along a film
# alike; the cosine alone, which no stronger image raises, gains from a longer one.
PATHS: dict[Mode, tuple[float, float]] = {"dot_cosine": (2.56, 0.1), "cosine": (9.6, 0.05)}


def check_mode_name(mode: Any) -> None:
    """Raise a ValueError unless there is such a mode."""
    if mode not in get_args(Mode):
        raise ValueError(f"mode is {mode!r}; choose 'dot_cosine' or 'cosine'.")


def _numbers(vectors: Any) -> Tensor:
    """Vectors as a float32 tensor of their own, `(targets, units)` or of as many axes as were given.

    Raises
    ------
    TypeError
        They are not real numbers.
    """
    # Of a tensor, only its numbers: a network's own weights have gradients and may be on a device.
    if isinstance(vectors, Tensor):
        kind, given = str(vectors.dtype), vectors.detach().cpu()
        real = not vectors.is_complex()
    else:
        try:
            array = np.asarray(vectors)
        except ValueError:  # rows of different lengths
            array = np.empty(0, dtype=object)
        kind, real = str(array.dtype), array.dtype.kind in "biuf"
        given = tensor_of(array) if real else torch.empty(0)
    if not real:
        raise TypeError(
            f"vectors is {a_type(vectors)} that holds no table of real numbers (its kind is {kind}); give "
            "numbers in shape (targets, units)."
        )
    return torch.atleast_2d(torch.as_tensor(given, dtype=torch.float32)).clone()


class Direction(Objective):
    """A direction of the layer's activation space, sought at every position (or one).

    Eq. 1 of *Identifying and interpreting tuning dimensions in deep networks*.

    Parameters
    ----------
    vectors : array or Tensor, (targets, units)
        Target activations; only their direction counts.
    mode : {"dot_cosine", "cosine"}, default "dot_cosine"
        "cosine": the mean over positions of cos(a, v), the paper's. "dot_cosine": the mean of dot * max(cos, .05)^3
        with the unit target, which also asks for a strong response and so shows what "cosine" leaves to nearly
        invisible patterns.
    at : "everywhere", "center" or (int, int), default "everywhere"
        Which positions of the map count.

    Raises
    ------
    ValueError
        The vectors are not finite, one is zero, there is none, or the mode or the place is unknown.
    TypeError
        The vectors are no real numbers.

    Examples
    --------
    >>> import numpy as np, tunewidgets as tw
    >>> len(tw.Direction(np.eye(28)[:4], mode="cosine"))
    4
    """

    def __init__(self, vectors: ArrayLike | Tensor, mode: Mode = "dot_cosine", at: At = "everywhere") -> None:
        self.vectors = _numbers(vectors)
        check_mode_name(mode)
        if self.vectors.ndim != 2 or not bool(torch.isfinite(self.vectors).all()):
            raise ValueError("vectors needs finite numbers in shape (targets, units).")
        if self.vectors.numel() == 0:
            raise ValueError(
                f"vectors has shape {tuple(self.vectors.shape)}, and so no direction; give at least one."
            )
        if bool((self.vectors.norm(dim=1) == 0).any()):
            raise ValueError("a vector of zeros has no direction; leave it out.")
        self.mode = mode
        self.path, self.largest_lr = PATHS[mode]
        self.at = checked_place(at, *PLACES)

    def __len__(self) -> int:
        return len(self.vectors)

    def check(self, probe: Probe) -> None:
        """Raise an error of one clear sentence if the layer lacks what the objective needs.

        Raises
        ------
        ValueError
            The vectors do not have one column per unit of the layer.
        """
        if self.vectors.shape[1] != probe.units:
            raise ValueError(
                f"vectors has {self.vectors.shape[1]} columns and layer {probe.layer!r} has {probe.units} units; "
                "give one column per unit."
            )

    def names(self) -> list[str]:
        return [f"direction {index}" for index in range(len(self))]

    def score(self, targets: Sequence[int], at: str, device: torch.device) -> Score:
        wanted = F.normalize(self.vectors[list(targets)].to(device), dim=1)

        def scores(values: Values) -> Scores:
            activations = staged(values, at)
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
    def forward(ctx: Any, activations: Tensor, wanted: Tensor, mode: Mode) -> Tensor:
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
