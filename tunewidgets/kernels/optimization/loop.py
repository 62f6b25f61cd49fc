"""The optimization loop: one batch, many targets, each image on its own.

In: a probe, an objective and jobs (which target, which random numbers). Out: finished images with the layer's responses
to them. The network always runs at one chunk shape, so an image does not depend on which others share its chunk.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor

from tunewidgets._tensors import Activations, Image, Images, multiplies_bfloat16
from tunewidgets.kernels.canvas.canvases import Canvas
from tunewidgets.kernels.canvas.jitter import Jitter
from tunewidgets.kernels.network.fastpaths import FastPaths
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.rectifiers import LeakingRectifiers
from tunewidgets.kernels.network.tracing import Values, evaluating
from tunewidgets.kernels.optimization.accentuation import brought_back, cost_of_leaving, distance
from tunewidgets.kernels.optimization.adam import Adam
from tunewidgets.kernels.optimization.flat_colors import FlatColors
from tunewidgets.kernels.optimization.gradient import check_leads_somewhere, gradients
from tunewidgets.kernels.optimization.scores import Objective, pooled
from tunewidgets.kernels.studies.workers import in_threads, worker_count

# Adam's memory is short because the path is: at the usual .9 most of a hundred steps go into turning around.
MOMENTA = (0.7, 0.99)
# The transformations fade out over this part of the steps; the rest polishes the image that is shown and measured.
JITTERED = 0.75
# By this part of the steps, an image for a layer that sees linearly must beat the best flat color; if not, it continues
# from that.
TRIED = 0.4
# What one chunk may keep for its backward pass, bytes; the peak is two to three times that per core.
CHUNK_BYTES = 256 * 2**20
LARGEST_CHUNK = 32
# Products summed per output below which matrix units stand idle and conversions cost more than they save.
WIDE = 100
Precision = Literal["auto", "float32", "bfloat16"]
Optimizer = Literal["adam", "cma"]
OPTIMIZERS = get_args(Optimizer)


class Job(NamedTuple):
    """One image to make: the objective's target it is made for and the name that decides its random numbers."""

    target: int
    key: str


@dataclass(frozen=True)
class Recipe:
    """Everything about a run that changes its images."""

    canvas: Canvas
    steps: int
    lr: float
    jitter: Jitter
    at: str
    precision: Precision
    seed: int
    chunk: int
    checkpoints: tuple[int, ...] = ()
    colors: FlatColors | None = None
    optimizer: Optimizer = "adam"
    # A digest of the images that these start from, and how far they may move from them in the layer.
    start: str = ""
    leave: float | None = None
    importance: bool = False

    def jitter_strength(self, step: int) -> float:
        """How much of the transformations is left at a step, 1 to 0."""
        return max(0.0, 1 - step / (JITTERED * self.steps))


class Finished(NamedTuple):
    """One job's outcome: image (3, H, W) in [0, 1], objective by step, unit activations, and those at checkpoints.

    Where the recipe asks for them, each pixel's importance (H, W) and the distance () from the start in the layer.
    """

    job: Job
    image: Image
    values: Tensor
    response: Tensor
    checkpoints: Tensor
    importance: Tensor | None = None
    distance: Tensor | None = None


def generator(seed: int, key: str) -> torch.Generator:
    """The random numbers of one target, whatever else is in the run."""
    digest = hashlib.sha256(f"{seed}/{key}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def optimize(
    probe: Probe,
    objective: Objective,
    jobs: Sequence[Job],
    recipe: Recipe,
    on_step: Callable[[int], Any] = lambda images: None,
    on_smaller_chunk: Callable[[int], Any] = lambda chunk: None,
    spread: Callable[..., Iterator[list[Finished]]] = in_threads,
    starts: Mapping[Job, Tensor] | None = None,
) -> Iterator[list[Finished]]:
    """Make the images of `jobs`, a chunk at a time; on a CPU one chunk per core, each on a single thread.

    Parameters
    ----------
    probe, objective, jobs, recipe
        What is made, and how.
    starts : mapping of Job to Tensor, optional
        The parameters, `canvas.shape`, that these jobs start from; all others start from noise.
    on_step : callable
        Called, in the caller's thread, with how many images have moved by one step (padding not counted).
    on_smaller_chunk : callable
        Called with the new chunk size when the device ran out of memory and the chunk was halved.
    spread : callable
        The function that runs the chunks: `in_threads` of this process, or `executors.on_workers`.

    Yields
    ------
    list of Finished
        One chunk's outcomes, as soon as it is done.
    """
    waiting = list(jobs)
    with evaluating(probe.network):
        while waiting:
            parts = [waiting[i : i + recipe.chunk] for i in range(0, len(waiting), recipe.chunk)]
            # A chunk carries its own starts alone: sending all of them to a remote worker would be slow.
            chunks = [
                {job: starts[job] if starts and job in starts else None for job in part} for part in parts
            ]
            run = partial(_run_chunk, probe, objective, recipe=recipe)
            try:
                for finished in spread(run, chunks, on_step, probe.device):
                    done = {outcome.job for outcome in finished}
                    waiting = [job for job in waiting if job not in done]
                    yield finished
            except torch.OutOfMemoryError:
                if recipe.chunk == 1:
                    raise
                recipe = replace(recipe, chunk=recipe.chunk // 2)
                on_smaller_chunk(recipe.chunk)


def _run_chunk(
    probe: Probe,
    objective: Objective,
    jobs: Mapping[Job, Tensor | None],
    on_step: Callable[[int], Any],
    recipe: Recipe,
) -> list[Finished]:
    starts = {job: start for job, start in jobs.items() if start is not None}
    ascent = Ascent(probe, objective, list(jobs), recipe, starts)
    for _ in range(recipe.steps):
        ascent.step()
        on_step(len(jobs))
    return ascent.finished()


class Ascent:
    """One chunk on its way up, a step at a time; the caller holds the network in evaluation mode.

    `starts` are parameters, `canvas.shape`; by default each job's own noise.
    """

    def __init__(
        self,
        probe: Probe,
        objective: Objective,
        jobs: Sequence[Job],
        recipe: Recipe,
        starts: Mapping[Job, Tensor] | None = None,
    ) -> None:
        canvas, device = recipe.canvas, probe.device
        self.probe, self.jobs, self.recipe = probe, jobs, recipe
        padded = [*jobs, *[jobs[0]] * (recipe.chunk - len(jobs))]
        generators = [generator(recipe.seed, job.key) for job in padded]
        starts = starts or {}
        # Noise is drawn for every image, so that its transformations do not depend on where it starts.
        noise = [canvas.start(g) for g in generators]
        begun = [starts.get(job, own) for job, own in zip(padded, noise, strict=True)]
        self._parameters = torch.stack(begun).to(device).requires_grad_()
        self._draws = torch.stack([recipe.jitter.draw(recipe.steps, g) for g in generators]).to(device)
        self._targets = [job.target for job in padded]
        self._score = objective.score(self._targets, recipe.at, device)
        self._adam = Adam(self._parameters, recipe.lr, MOMENTA)
        self._trajectory = torch.empty(recipe.steps, recipe.chunk, device=device)
        self._snapshots: list[Tensor] = []
        self._importance = torch.zeros(recipe.chunk, canvas.size, canvas.size, device=device)
        self._start = self._parameters.detach().clone()
        self.done = 0

    def step(self) -> None:
        """Move every image by one step."""
        recipe, parameters, step = self.recipe, self._parameters, self.done
        images = recipe.canvas.image(parameters)
        values = self._values(images)
        scores = self._score(values)
        goal = scores
        if recipe.leave is not None:
            with torch.no_grad():
                before = self._values(self._before)
            goal = scores - cost_of_leaving(values, before, scores, recipe.leave)
        # The images' gradients only if they are wanted: the backward pass goes through them anyway.
        wanted = [parameters, images] if recipe.importance else [parameters]
        total = goal.sum()
        gradient, *by_pixel = gradients(total, wanted, self.probe)
        if step == 0:
            check_leads_somewhere(gradient, total, self.probe)
        for each in by_pixel:
            self._importance += each.abs().sum(1)
        self._adam.step(gradient.neg_())
        self._trajectory[step] = scores.detach()
        self.done = step + 1
        if self.done in recipe.checkpoints:
            self._snapshots.append(self.measure()[1])
        colors = recipe.colors
        if colors is not None and colors.early and self.done == int(TRIED * recipe.steps):
            colors.restart(self._adam, self._targets, scores.detach())

    @cached_property
    def _before(self) -> Tensor:
        """The images that these started from: made only if they are compared with."""
        return self.recipe.canvas.image(self._start)

    def _values(self, images: Tensor) -> Values:
        """The layer's values on the images, transformed as this step's are."""
        recipe, step = self.recipe, self.done
        moved = recipe.jitter.apply(images, self._draws[:, step], recipe.jitter_strength(step))
        return network_values(self.probe, moved, recipe.precision, recipe.at == "leaky")

    @torch.no_grad()
    def measure(self) -> tuple[Images, Activations]:
        """The untransformed images as they are now, `(chunk, 3, H, W)`, and each unit's activation on them.

        In float32 whatever the loop runs in.
        """
        images = self.recipe.canvas.image(self._parameters)
        return images, pooled(self.probe.values(images).rectified())

    def finished(self) -> list[Finished]:
        """Every job's outcome."""
        recipe = self.recipe
        columns: dict[str, Tensor] = {}
        if recipe.start:
            columns["distance"] = self._distances()
        if recipe.importance:
            columns["importance"] = self._importance
        images, responses = self.measure()
        stacked = torch.stack(self._snapshots, dim=1) if self._snapshots else responses[:, None][:, :0]
        columns |= {
            "image": images,
            "values": self._trajectory.T,
            "response": responses,
            "checkpoints": stacked,
        }
        return [
            Finished(job, **{name: column[n].cpu() for name, column in columns.items()})
            for n, job in enumerate(self.jobs)
        ]

    @torch.no_grad()
    def _distances(self) -> Tensor:
        """How far the images are from their starts in the layer, once those too far away are brought back."""
        canvas, leave = self.recipe.canvas, self.recipe.leave
        before = self.probe.values(self._before).rectified()

        def of(parameters: Tensor) -> Tensor:
            return distance(self.probe.values(canvas.image(parameters)).rectified(), before)

        if leave is not None:
            self._parameters.copy_(brought_back(self._parameters, self._start, of, leave))
        return of(self._parameters)


def network_values(probe: Probe, images: Tensor, precision: Precision, leaking: bool = True) -> Values:
    """The layer's values with gradients, by the fast paths; `leaking`: whether rectifiers leak (see `rectifiers`)."""
    reduced = precision == "bfloat16"
    with ExitStack() as stack:
        stack.enter_context(LeakingRectifiers() if leaking else nullcontext())
        stack.enter_context(FastPaths() if images.device.type == "cpu" else nullcontext())
        if reduced:
            images = images.contiguous(memory_format=torch.channels_last)
            stack.enter_context(torch.autocast(images.device.type, torch.bfloat16))
        return probe.values(images)


def choose_precision(precision: Precision, probe: Probe) -> Precision:
    """bfloat16 if the machine multiplies it faster and the network's sums are wide enough to gain, else float32."""
    if precision == "auto":
        widest = max((p[0].numel() for p in probe.network.parameters() if p.ndim > 1), default=0)
        return "bfloat16" if widest >= WIDE and multiplies_bfloat16(probe.device) else "float32"
    return precision


def choose_chunk(probe: Probe, canvas: Canvas, precision: Precision, jobs: int) -> int:
    """Images per chunk: what one backward pass may keep, measured, and no more than a core's share of the jobs."""
    # The difference between two images and one is what an image keeps: weights are kept once for all.
    an_image = _kept(probe, canvas, precision, 2) - _kept(probe, canvas, precision, 1)
    largest = max(1, min(LARGEST_CHUNK, CHUNK_BYTES // max(1, an_image)))
    share = -(-jobs // worker_count(probe.device))
    needed = 1 << max(0, share - 1).bit_length()
    return min(1 << (largest.bit_length() - 1), needed)


def _kept(probe: Probe, canvas: Canvas, precision: Precision, images: int) -> int:
    """Bytes that a forward pass of this many images keeps for its backward pass."""
    kept = 0

    def count(tensor: Tensor) -> Tensor:
        nonlocal kept
        kept += tensor.numel() * tensor.element_size()
        # Detached, since a graph that keeps its own tensors through a hook is never freed.
        return tensor.detach()

    start = canvas.start(generator(0, "size"))
    parameters = torch.stack([start] * images).to(probe.device).requires_grad_()
    with evaluating(probe.network), torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        network_values(probe, canvas.image(parameters), precision)
    return kept
