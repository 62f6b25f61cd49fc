"""Outcomes: what is wrong with a finished image, and which second try may do better.

In: a finished image, and what it was made for. Out: the sentence that its record holds as `status`, empty if nothing is
wrong; the job of a second try; which of two is better.
"""

import torch
from torch import Tensor

from tunewidgets.kernels.optimization.loop import Finished, Job, Recipe
from tunewidgets.kernels.optimization.scores import Objective

SILENT = "silent: no image that was tried excites this unit"
FLAT = (
    "flat: one color is the best that was found; look at one position of it, tw.Neuron, or at its exemplars"
)


def trouble(outcome: Finished, objective: Objective) -> str:
    """Why an image shows nothing of its target, or an empty string."""
    if not bool(torch.isfinite(outcome.values).all() and torch.isfinite(outcome.response).all()):
        return "failed: the network gave NaN or infinite values; check its weights and preprocessing"
    if _own_response(outcome, objective) <= 0:
        return SILENT
    rounding = 1e-6 * float(outcome.response.abs().max())
    if float(outcome.values.max() - outcome.values[0]) <= rounding and len(outcome.values) > 1:
        return "failed: the objective never rose above its start; it may not depend on the image, or have no gradient"
    return ""


def reason(outcome: Finished, objective: Objective, recipe: Recipe) -> str:
    """Why an image shows nothing, or nothing but a color; or an empty string."""
    found, colors = trouble(outcome, objective), recipe.colors
    if found or colors is None:
        return found
    flat = colors.are_best(outcome.job.target, outcome.image, float(outcome.values[-1]))
    return FLAT if flat else ""


SecondTry = tuple[Job, Tensor | None]


def second_try(outcome: Finished, objective: Objective, recipe: Recipe) -> SecondTry | None:
    """The job that may do better than this outcome, if any, and the parameters it starts from (None: other noise)."""
    target, key = outcome.job
    if trouble(outcome, objective):
        return Job(target, f"{key}/again"), None
    colors = recipe.colors
    if colors is not None and not colors.early and bool(outcome.values[-1] < colors.scores[target]):
        return Job(target, f"{key}/color"), colors.start(target)
    return None


def is_better(second: Finished, first: Finished, objective: Objective) -> bool:
    """Whether another try's outcome should replace the first one."""
    if trouble(second, objective):
        return False
    return bool(trouble(first, objective)) or bool(second.values[-1] > first.values[-1])


def _own_response(outcome: Finished, objective: Objective) -> float:
    """The response of the unit that an image is made for; infinite if it is not made for a unit."""
    units = objective.own_units()
    return torch.inf if units is None else float(outcome.response[int(units[outcome.job.target])])
