"""Recipes: how a run's images are made, with every "auto" decided by the network, the layer and the machine.

In: a probe, an objective and `ImageOptions`. Out: everything that changes an image, and the gallery that a run fills.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch

from tunewidgets._checks import Auto, allocating
from tunewidgets.kernels.canvas.canvases import Canvas, make_canvas
from tunewidgets.kernels.canvas.jitter import Jitter
from tunewidgets.kernels.network.layers import receptive_field
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.refusals import REFUSALS, first_line, is_refusal
from tunewidgets.kernels.network.tracing import check_mode, evaluating
from tunewidgets.kernels.optimization.band import choose_band
from tunewidgets.kernels.optimization.contrast import Linearity, choose_contrast, linearity
from tunewidgets.kernels.optimization.evolution import evolution_recipe, low_band
from tunewidgets.kernels.optimization.flat_colors import flat_colors
from tunewidgets.kernels.optimization.gallery import Gallery
from tunewidgets.kernels.optimization.loop import Job, Recipe, choose_chunk, choose_precision
from tunewidgets.kernels.optimization.objectives import AnyObjective, as_objective
from tunewidgets.kernels.optimization.options import ImageOptions
from tunewidgets.kernels.optimization.scores import Objective
from tunewidgets.kernels.optimization.starts import GENTLE, as_starts

SMALLEST_CANVAS, LARGEST_CANVAS = 64, 224


def prepare(probe: Probe, objective: AnyObjective, options: ImageOptions) -> tuple[Gallery, list[str]]:
    """The gallery of a run of `visualize`, still to be filled, and its targets' names."""
    check_mode()
    goal = as_objective(objective, probe.layer)
    goal.check(probe)
    side = choose_size(probe, options.size)
    names = goal.names()
    photographs = as_starts(options.start, len(names), side)
    if options.contrast == "auto" and (options.optimizer == "cma" or photographs is not None):
        # How a black box handles contrast is unknown, and its few frequencies can't burn out. A photograph keeps the
        # contrast that it has.
        options = replace(options, contrast=None)
    if options.optimizer == "cma" and options.canvas == "fourier" and options.band is None:
        options = replace(options, band=low_band(side))
    linear = linearity(probe, side)
    board = choose_canvas(probe, options, side, linear)
    jobs = jobs_of(probe, names, options.restarts)
    if options.optimizer == "cma":
        recipe = evolution_recipe(board, options)
    else:
        recipe = make_recipe(probe, goal, board, len(jobs), options, linear)
    if photographs is None:
        return Gallery(probe, goal, jobs, recipe), names
    recipe = replace(
        recipe,
        start=photographs.digest,
        leave=None if options.leave is None else float(options.leave),
        lr=recipe.lr * GENTLE if options.lr == "auto" else recipe.lr,
        # What starts from an image does not start over from a color.
        colors=None,
    )
    begun = [photographs.parameters(board, target) for target in range(len(names))]
    return Gallery(probe, goal, jobs, recipe, {job: begun[job.target] for job in jobs}), names


def jobs_of(probe: Probe, names: Sequence[str], restarts: int = 1) -> list[Job]:
    """A job for each target, as an objective names them, then those of the restarts."""
    return [
        Job(target, f"{probe.origin}/{name}/{restart}")
        for restart in range(restarts)
        for target, name in enumerate(names)
    ]


def choose_canvas(
    probe: Probe, options: ImageOptions, size: int, linear: Linearity, deviation: float = 0.01
) -> Canvas:
    """The canvas of the options, its band and contrast as they say, or as the layer needs them."""
    contrast = options.contrast
    if options.canvas == "maco" and contrast == "auto":
        contrast = None
    # A canvas of pixels has no band, so that none needs to be measured.
    band = None if options.canvas == "pixel" else choose_band(probe, size, options.band)
    bound = choose_contrast(contrast, linear)
    return make_canvas(options.canvas, size, band, deviation, bound, gray=probe.gray)


def choose_size(probe: Probe, size: int | Auto) -> int:
    """The canvas's side: as given, or chosen by the model and the layer's receptive field.

    Raises
    ------
    ValueError
        The model does not take an image of this side, or the layer has no position left on it.
    MemoryError
        There is not enough memory for an image of this side.
    """
    if size == "auto":
        if probe.image_size[0] != probe.image_size[1]:
            height, width = probe.image_size
            raise ValueError(
                f"the model takes images of {height} × {width} px, and those made here are square; give the probe a "
                "preprocess that resizes them too, such as lambda images: "
                f"torch.nn.functional.interpolate(images, ({height}, {width}))."
            )
        if probe.takes is not None:
            return probe.input_size
        window = receptive_field(probe)
        if window is None:
            return max(probe.input_size, SMALLEST_CANVAS)
        return int(min(max(2 * window, SMALLEST_CANVAS), LARGEST_CANVAS))
    try:
        with (
            allocating(f"an image of {size} px a side", "give a smaller size."),
            torch.no_grad(),
            evaluating(probe.network),
        ):
            probe.values(torch.full((1, 3, size, size), 0.5, device=probe.device))
    except REFUSALS as error:
        if not is_refusal(error):
            raise
        raise ValueError(
            f"layer {probe.layer!r} has no values on a canvas of {size} px: {first_line(error)}; give a larger size."
        ) from error
    return int(size)


def make_recipe(
    probe: Probe, objective: Objective, canvas: Canvas, jobs: int, options: ImageOptions, linear: Linearity
) -> Recipe:
    """Everything that changes an image, with every "auto" decided."""
    precision = choose_precision(options.precision, probe)
    chunk = choose_chunk(probe, canvas, precision, jobs) if options.chunk == "auto" else options.chunk
    return Recipe(
        canvas=canvas,
        steps=options.steps,
        lr=objective.lr(options.steps) if options.lr == "auto" else float(options.lr),
        jitter=Jitter() if options.jitter is None else options.jitter,
        at=options.objective_at,
        precision=precision,
        seed=options.seed,
        chunk=chunk,
        checkpoints=tuple(options.checkpoints),
        colors=flat_colors(probe, objective, canvas, options.objective_at, linear),
        importance=bool(options.importance),
    )
