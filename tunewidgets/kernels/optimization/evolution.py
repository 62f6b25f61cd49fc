"""Optimization without a gradient: images evolve by how a layer responds to them, or by what a black box returns.

In: a probe, an objective and jobs, as for the loop with gradients. Out: finished images. Each target has its own search
(CMA-ES), whose generations go through the network one at a time, so no image depends on another target's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tunewidgets.kernels.canvas.canvases import Canvas, FourierCanvas
from tunewidgets.kernels.canvas.jitter import Jitter
from tunewidgets.kernels.canvas.spectrum import radial_frequency
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.tracing import evaluating
from tunewidgets.kernels.optimization.loop import Finished, Job, Recipe, generator
from tunewidgets.kernels.optimization.options import ImageOptions
from tunewidgets.kernels.optimization.scores import SIGNED, Objective, pooled
from tunewidgets.kernels.studies.workers import in_threads, one_thread

# The search starts at gray with this spread of every parameter: images of full contrast, some of which every unit
# responds to.
SPREAD = 2.0
# Parameters of the default band: more of them allow finer patterns and take more generations.
PARAMETERS = 600
STILL = Jitter(0, 0, 0)


def low_band(size: int) -> float:
    """The highest frequency, cycles per pixel, below which a Fourier canvas of this side has about 600 parameters."""
    frequency = radial_frequency(size)
    ascending = frequency[_independent(size)[..., 0]].sort().values
    return float(ascending[min(PARAMETERS // 6, len(ascending)) - 1])


def evolution_recipe(canvas: Canvas, options: ImageOptions) -> Recipe:
    """Everything that changes an image, with every "auto" decided: `chunk` is the population, `lr` the initial spread.

    Raises
    ------
    ImportError
        The package `cmaes` is not installed.
    """
    _library()
    count = len(free_parameters(canvas))
    return Recipe(
        canvas=canvas,
        steps=options.steps,
        lr=SPREAD if options.lr == "auto" else float(options.lr),
        jitter=STILL if options.jitter is None else options.jitter,
        at=options.objective_at,
        precision="float32",
        seed=options.seed,
        chunk=4 + int(3 * np.log(count)) if options.chunk == "auto" else options.chunk,
        checkpoints=tuple(options.checkpoints),
        optimizer="cma",
    )


def evolve(
    probe: Probe,
    objective: Objective,
    jobs: Sequence[Job],
    recipe: Recipe,
    on_step: Callable[[int], Any] = lambda images: None,
    on_smaller_chunk: Callable[[int], Any] = lambda chunk: None,
    spread: Callable[..., Iterator[list[Finished]]] = in_threads,
    starts: Mapping[Job, Tensor] | None = None,
) -> Iterator[list[Finished]]:
    """Make the images of `jobs`, a target at a time, as `optimize` makes them by chunks.

    Separable CMA-ES (Ros and Hansen 2008): a diagonal covariance is learned in a time that grows with the number of
    parameters, not with its square. Generations are never cut, so `on_smaller_chunk` is not called; a search starts
    from a distribution and not from an image, so `starts` are ignored.

    Yields
    ------
    list of Finished
        A single one, whose values are the best of each generation.
    """
    run = partial(_evolved, probe, objective, recipe)
    with evaluating(probe.network):
        yield from spread(run, [[job] for job in jobs], on_step, probe.device)


@torch.no_grad()
def _evolved(
    probe: Probe, objective: Objective, recipe: Recipe, jobs: Sequence[Job], on_step: Callable[[int], Any]
) -> list[Finished]:
    [job] = jobs
    canvas = recipe.canvas
    free = free_parameters(canvas)
    random = generator(recipe.seed, job.key)
    draws = recipe.jitter.draw(recipe.steps, random)
    search = _library().SepCMA(
        mean=np.zeros(len(free)),
        sigma=recipe.lr,
        seed=int(torch.randint(2**31, (1,), generator=random)),
        population_size=recipe.chunk,
    )
    at = SIGNED if recipe.at == "leaky" else recipe.at
    score = objective.score([job.target] * recipe.chunk, at, probe.device)
    trajectory = torch.full((recipe.steps,), torch.nan)
    checkpoints = torch.full((len(recipe.checkpoints), probe.units), torch.nan)
    best, best_score = np.zeros(len(free)), -np.inf
    for step in range(recipe.steps):
        candidates = np.stack([search.ask() for _ in range(recipe.chunk)])
        with one_thread():
            images = _images(canvas, free, candidates)
            # One transformation for a whole generation: its images are compared with each other.
            same = draws[step].expand(len(images), -1)
            images = recipe.jitter.apply(images, same, recipe.jitter_strength(step))
        scores = score(probe.values(images.to(probe.device))).cpu().double().numpy()
        on_step(1)
        if not np.isfinite(scores).all():
            break
        trajectory[step] = float(scores.max())
        if scores.max() > best_score:
            best, best_score = candidates[scores.argmax()], scores.max()
        search.tell([(candidate, -value) for candidate, value in zip(candidates, scores, strict=True)])
        if step + 1 in recipe.checkpoints:
            shown = _images(canvas, free, search.mean[None]).to(probe.device)
            reached = pooled(probe.values(shown).rectified())[0]
            checkpoints[recipe.checkpoints.index(step + 1)] = reached.cpu()
    # The search's mean or its best image, whichever scores higher when both are shown again: with a noisy black box the
    # best may just have been lucky.
    last = _images(canvas, free, np.stack([search.mean, best]))
    values = probe.values(last.to(probe.device))
    pair = objective.score([job.target] * 2, at, probe.device)(values)
    chosen = int(torch.nan_to_num(pair, nan=-torch.inf).argmax())
    response = pooled(values.rectified())[chosen].cpu()
    return [Finished(job, last[chosen], trajectory, response, checkpoints)]


def free_parameters(canvas: Canvas) -> Tensor:
    """Positions, in the flattened parameters, of those that change the image independently of one another."""
    if not isinstance(canvas, FourierCanvas):
        return torch.arange(int(np.prod(canvas.shape)))
    allowed = _independent(canvas.size)
    if canvas.band is not None:
        allowed = allowed & (radial_frequency(canvas.size) <= canvas.band)[..., None]
    return allowed.expand(canvas.shape).flatten().nonzero()[:, 0]


def _independent(size: int) -> Tensor:
    """Which numbers `(size, size // 2 + 1, 2)` of a real image's half spectrum do not merely repeat another one."""
    free = torch.ones(size, size // 2 + 1, 2, dtype=torch.bool)
    columns = [0] if size % 2 else [0, -1]
    middle = [0] if size % 2 else [0, size // 2]
    for column in columns:
        # These columns mirror themselves: rows beyond the middle repeat those before it.
        free[size // 2 + 1 :, column] = False
        free[middle, column, 1] = False
    return free


def _images(canvas: Canvas, free: Tensor, candidates: np.ndarray) -> Tensor:
    parameters = torch.zeros(len(candidates), int(np.prod(canvas.shape)))
    parameters[:, free] = torch.from_numpy(candidates).float()
    return canvas.image(parameters.view(-1, *canvas.shape))


def _library() -> Any:
    try:
        import cmaes
    except ImportError as error:
        raise ImportError(
            "optimizer='cma' needs the package cmaes; install it with: pip install 'tunewidgets[cma]'"
        ) from error
    return cmaes
