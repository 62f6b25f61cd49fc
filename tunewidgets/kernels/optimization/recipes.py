"""Recipes: how a run's images are made, with every "auto" decided by the network, the layer and the machine.

In: a probe, an objective and options. Out: all that changes an image, and the gallery that a run fills.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from tunewidgets._checks import is_whole
from tunewidgets.kernels.canvas.canvases import Canvas, make_canvas
from tunewidgets.kernels.canvas.jitter import Jitter
from tunewidgets.kernels.network.layers import receptive_field
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.tracing import check_mode, evaluating, first_line
from tunewidgets.kernels.optimization.band import choose_band
from tunewidgets.kernels.optimization.contrast import choose_contrast
from tunewidgets.kernels.optimization.evolution import check_without_gradient, evolution_recipe, low_band
from tunewidgets.kernels.optimization.flat_colors import flat_colors
from tunewidgets.kernels.optimization.gallery import Gallery
from tunewidgets.kernels.optimization.loop import Job, Recipe, choose_chunk, choose_precision
from tunewidgets.kernels.optimization.objectives import as_objective
from tunewidgets.kernels.optimization.scores import STAGES, Objective
from tunewidgets.kernels.optimization.starts import GENTLE, as_starts

SMALLEST_CANVAS, LARGEST_CANVAS = 64, 224


def prepare(
    probe: Probe,
    objective: Objective | str | Any,
    size: int | str,
    steps: int,
    canvas: str,
    restarts: int,
    seed: int,
    chunk: int | str,
    *,
    lr: float | str = "auto",
    jitter: Jitter | None = None,
    objective_at: str = "leaky",
    checkpoints: Sequence[int] = (),
    precision: str = "auto",
    band: float | str | None = None,
    contrast: float | str | None = "auto",
    optimizer: str = "adam",
    start: Any = None,
    leave: float | None = None,
    importance: bool = False,
) -> tuple[Gallery, list[str]]:
    """The gallery of a run of `visualize`, still to be filled, and its targets' names."""
    check_mode()
    goal = as_objective(objective, probe.layer)
    goal.check(probe)
    if objective_at not in STAGES:
        raise ValueError(f"objective_at is {objective_at!r}; choose one of {', '.join(map(repr, STAGES))}.")
    for name, number in {"steps": steps, "restarts": restarts}.items():
        if not is_whole(number, 1):
            raise ValueError(f"{name} is {number!r}; give a whole number of at least 1.")
    measured = tuple(sorted(set(checkpoints)))
    late = [step for step in measured if not 0 < step <= steps]
    if late:
        raise ValueError(f"checkpoint {late[0]} is not among steps 1 to {steps}.")
    side = choose_size(probe, size)
    names = goal.names()
    photographs = as_starts(start, leave, len(names), side)
    if optimizer == "cma":
        check_without_gradient(canvas, photographs is not None, importance)
        # A black box has no layer whose way with contrast is known, and its few frequencies can't burn out.
        contrast = None if contrast == "auto" else contrast
        band = low_band(side) if canvas == "fourier" and band is None else band
    if photographs is not None and contrast == "auto":
        # A photograph goes on at the contrast that it has.
        contrast = None
    board = choose_canvas(probe, canvas, side, band, contrast)
    jobs = [
        Job(target, f"{probe.origin}/{name}/{restart}")
        for restart in range(restarts)
        for target, name in enumerate(names)
    ]
    if optimizer == "cma":
        recipe = evolution_recipe(board, steps, seed, chunk, lr, jitter, objective_at, measured)
    else:
        recipe = make_recipe(
            probe,
            goal,
            board,
            len(jobs),
            steps,
            seed,
            chunk,
            lr,
            jitter,
            objective_at,
            precision,
            measured,
        )
    recipe = replace(recipe, importance=importance)
    if photographs is None:
        return Gallery(probe, goal, jobs, recipe), names
    recipe = replace(
        recipe,
        start=photographs.digest,
        leave=None if leave is None else float(leave),
        lr=recipe.lr * GENTLE if lr == "auto" else recipe.lr,
        # Who goes on from an image does not start over from a color.
        colors=None,
    )
    begun = [photographs.parameters(board, target) for target in range(len(names))]
    return Gallery(probe, goal, jobs, recipe, {job: begun[job.target] for job in jobs}), names


def choose_canvas(
    probe: Probe,
    canvas: str,
    size: int,
    band: float | str | None,
    contrast: float | str | None,
    deviation: float = 0.01,
) -> Canvas:
    """The canvas called so, its band and its contrast as asked, or as the layer needs them."""
    if canvas == "maco" and contrast == "auto":
        contrast = None
    return make_canvas(
        canvas, size, choose_band(probe, size, band), deviation, choose_contrast(probe, contrast, size)
    )


def choose_size(probe: Probe, size: int | str) -> int:
    """The canvas's side: as asked, or by the model and the layer's receptive field.

    Raises
    ------
    ValueError
        The model does not take an image of this side, or the layer has no position left on it.
    """
    own = getattr(probe.model, "input_size", None)
    if size == "auto":
        if isinstance(own, int):
            return own
        window = receptive_field(probe)
        if window is None:
            return max(probe.input_size, SMALLEST_CANVAS)
        return int(min(max(2 * window, SMALLEST_CANVAS), LARGEST_CANVAS))
    if not is_whole(size, 2):
        raise ValueError(f"size is {size!r}; give the side in pixels or 'auto'.")
    try:
        with torch.no_grad(), evaluating(probe.network):
            probe.values(torch.full((1, 3, size, size), 0.5, device=probe.device))
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"layer {probe.layer!r} has no values on a canvas of {size} px: {first_line(error)}; give a larger size."
        ) from error
    return int(size)


def make_recipe(
    probe: Probe,
    objective: Objective,
    canvas: Canvas,
    jobs: int,
    steps: int,
    seed: int,
    chunk: int | str,
    lr: float | str,
    jitter: Jitter | None,
    at: str,
    precision: str,
    checkpoints: tuple[int, ...] = (),
) -> Recipe:
    """All that changes an image, with every "auto" decided.

    Raises
    ------
    ValueError, TypeError
        An option is outside its range.
    """
    if not is_whole(steps, 1):
        raise ValueError(f"steps is {steps!r}; give a whole number of at least 1.")
    if not is_whole(seed):
        raise ValueError(f"seed is {seed!r}; give a whole number.")
    if lr != "auto" and not (isinstance(lr, int | float) and 0 < lr < float("inf")):
        raise ValueError(f"lr is {lr!r}; give Adam's step, a number above 0, or 'auto'.")
    if jitter is not None and not isinstance(jitter, Jitter):
        raise TypeError(
            f"jitter is a {type(jitter).__name__}; give tw.Jitter(shift, scale, turn), or None for the default."
        )
    chosen = choose_precision(precision, probe)
    if chunk == "auto":
        chunk = choose_chunk(probe, canvas, chosen, jobs)
    if not is_whole(chunk, 1):
        raise ValueError(
            f"chunk is {chunk!r}; give how many images go through the network together, or 'auto'."
        )
    return Recipe(
        canvas=canvas,
        steps=steps,
        lr=objective.lr(steps) if lr == "auto" else float(lr),
        jitter=Jitter() if jitter is None else jitter,
        at=at,
        precision=chosen,
        seed=seed,
        chunk=chunk,
        checkpoints=checkpoints,
        colors=flat_colors(probe, objective, canvas, at),
    )
