"""Feature visualization: an image for each target of an objective.

In: a probe and an objective. Out: a Dataset with the images, the objective's course, the layer's response on the final
images, and for every image that failed the reason.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
import xarray as xr
from tqdm.auto import tqdm

from tunewidgets import records
from tunewidgets.kernels.band import choose_band
from tunewidgets.kernels.canvas import CANVASES, Canvas, make_canvas
from tunewidgets.kernels.flat_colors import flat_colors
from tunewidgets.kernels.jitter import Jitter
from tunewidgets.kernels.layers import receptive_field
from tunewidgets.kernels.loop import Finished, Job, Recipe, choose_chunk, choose_precision, optimize
from tunewidgets.kernels.objectives import as_objective
from tunewidgets.kernels.probe import Probe
from tunewidgets.kernels.scores import STAGES, Objective

SMALLEST_CANVAS, LARGEST_CANVAS = 64, 224


def visualize(
    probe: Probe,
    objective: Objective | str | Any,
    size: int | str = "auto",
    steps: int = 128,
    canvas: str = "fourier",
    restarts: int = 1,
    seed: int = 0,
    chunk: int | str = "auto",
    progress: bool = True,
    *,
    lr: float | str = "auto",
    jitter: Jitter | None = None,
    objective_at: str = "leaky",
    checkpoints: Sequence[int] = (),
    precision: str = "auto",
    band: float | str | None = None,
    floats: bool = False,
) -> xr.Dataset:
    """Optimize one image for each target.

    Activation maximization (eqs. 2 and 3 of *Understanding the Importance of Single Directions via Representative
    Substitution*) and directions (eq. 1 of *Identifying and interpreting tuning dimensions in deep networks*).

    Parameters
    ----------
    probe : Probe
        The layer.
    objective : Objective, str or Lucent objective, or a list of strings or of Lucent objectives
        What each image maximizes: `AM`, `IAM`, `Neuron`, `Direction`, their sums and differences, or `"layer:unit"`.
    size : int or "auto", default "auto"
        Side of the images, pixels; "auto" takes the side the model insists on, else twice the receptive field
        within 64 and 224.
    steps : int, default 128
    canvas : {"fourier", "pixel"}
    restarts : int, default 1
        Images a target from different starts, one restart of all targets after the other along `target`.
    seed : int, default 0
        With the target's name it decides the start and the transformations.
    chunk : int or "auto", default "auto"
        Images that go through the network together. Part of what decides an image's last bits.
    progress : bool, default True
        Show a progress bar.
    lr : float or "auto"
        Adam's step; "auto" takes the objective's own for a run of this many steps.
    jitter : Jitter, optional
        Random transformations; None takes the default strength, `Jitter(0, 0, 0)` none.
    objective_at : {"leaky", "pre", "post"}
        Where a unit's activation is optimized: through a leaky rectifier, before or after the layer's own.
    checkpoints : sequence of int
        Steps at which the response is measured too.
    precision : {"auto", "float32", "bfloat16"}
        What the network runs in while images are optimized; measurements are float32 always.
    band : float, "auto" or None
        Highest frequency of the Fourier canvas, cycles per pixel; "auto" measures what the layer can see.
    floats : bool, default False
        Keep the images before rounding too, as `image_float(target, y, x, rgb)` float32.

    Returns
    -------
    xarray.Dataset
        `image(target, y, x, rgb)` uint8; `value(target, step)` float32, the objective on the transformed images;
        `response(target, unit)` float32, every unit's activation on the final image;
        `status(target)` str, empty or why the image says nothing; with checkpoints
        `response_checkpoint(target, checkpoint, unit)`. Coordinates say each target's `goal` (its place in the
        objective), `restart` and, for units, `own_unit`. Settings are in `attrs`.

    Raises
    ------
    ValueError, TypeError
        A target that the layer does not have, or an option outside its range.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")
    >>> made = tw.visualize(probe, tw.AM([0, 5]), size=32, steps=8, progress=False)
    >>> made.image.shape, made.status.values.tolist()
    ((2, 32, 32, 3), ['', ''])
    """
    goal = as_objective(objective)
    goal.check(probe)
    if objective_at not in STAGES:
        raise ValueError(f"objective_at is {objective_at!r}; choose one of {', '.join(map(repr, STAGES))}.")
    if canvas not in CANVASES:
        raise ValueError(f"canvas is {canvas!r}; choose one of {', '.join(map(repr, CANVASES))}.")
    for name, number in {"steps": steps, "restarts": restarts}.items():
        if not isinstance(number, int) or number < 1:
            raise ValueError(f"{name} is {number!r}; give a whole number of at least 1.")
    late = [step for step in checkpoints if not 0 < step <= steps]
    if late:
        raise ValueError(f"checkpoint {late[0]} is not among steps 1 to {steps}.")
    side = choose_size(probe, size)
    board = make_canvas(canvas, side, choose_band(probe, side, band))
    names = goal.names()
    jobs = [
        Job(target, f"{probe.layer}/{name}/{restart}")
        for restart in range(restarts)
        for target, name in enumerate(names)
    ]
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
        tuple(sorted(checkpoints)),
    )
    made = Gallery(jobs, recipe)
    made.fill(probe, goal, progress)
    return made.dataset(probe, goal, names, restarts, floats)


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
    if isinstance(size, bool) or not isinstance(size, int) or size < 2:
        raise ValueError(f"size is {size!r}; give the side in pixels or 'auto'.")
    try:
        probe(torch.full((1, 3, size, size), 0.5))
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f"layer {probe.layer!r} has no values on a canvas of {size} px: {reason}; give a larger size."
        ) from error
    return size


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
    """All that changes an image, with every "auto" decided."""
    chosen = choose_precision(precision, probe)
    if chunk == "auto":
        chunk = choose_chunk(probe, canvas, chosen, jobs)
    if not isinstance(chunk, int) or chunk < 1:
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
        flat=flat_colors(probe, objective, canvas, at),
    )


class Gallery:
    """The images of a run as they come, each job's in its own place."""

    def __init__(self, jobs: Sequence[Job], recipe: Recipe) -> None:
        self.jobs = list(jobs)
        self.recipe = recipe
        self.finished: dict[Job, Finished] = {}
        self.interrupted = False

    def fill(self, probe: Probe, objective: Objective, progress: bool, retry: bool = True) -> None:
        """Make every image, and once more with another start those that failed. Stopping keeps what is finished."""
        total = len(self.jobs) * self.recipe.steps
        try:
            with tqdm(total=total, unit="image-step", disable=not progress, desc=probe.layer) as bar:
                self._make(probe, objective, self.jobs, bar)
                failed = [job for job in self.jobs if reason(self.finished[job], objective)] if retry else []
                bar.total = total + len(failed) * self.recipe.steps
                again = {Job(job.target, f"{job.key}/again"): job for job in failed}
                self._make(probe, objective, list(again), bar)
        except KeyboardInterrupt:
            if not self.finished:
                raise
            self.interrupted = True
            return
        for second, first in again.items():
            outcome = self.finished.pop(second)
            if not reason(outcome, objective):
                self.finished[first] = outcome._replace(job=first)

    def _make(self, probe: Probe, objective: Objective, jobs: list[Job], bar: tqdm) -> None:
        def shrink(chunk: int) -> None:
            self.recipe = replace(self.recipe, chunk=chunk)

        for chunk in optimize(probe, objective, jobs, self.recipe, bar.update, shrink):
            self.finished |= {outcome.job: outcome for outcome in chunk}

    def dataset(
        self, probe: Probe, objective: Objective, names: list[str], restarts: int, floats: bool = False
    ) -> xr.Dataset:
        """What `visualize` returns."""
        side, recipe = self.recipe.canvas.size, self.recipe
        blank = Finished(
            Job(-1, ""),
            torch.zeros(3, side, side),
            torch.full((recipe.steps,), torch.nan),
            torch.full((probe.units,), torch.nan),
            torch.full((len(recipe.checkpoints), probe.units), torch.nan),
        )
        outcomes = [self.finished.get(job, blank) for job in self.jobs]
        status = [
            "not made: interrupted" if outcome is blank else reason(outcome, objective)
            for outcome in outcomes
        ]
        image = torch.stack([outcome.image for outcome in outcomes]).movedim(1, -1).numpy()
        columns: dict[str, tuple[tuple[str, ...], np.ndarray]] = {
            "image": (("target", "y", "x", "rgb"), to_uint8(image)),
            "value": (("target", "step"), torch.stack([o.values for o in outcomes]).numpy()),
            "response": (("target", "unit"), torch.stack([o.response for o in outcomes]).numpy()),
            "status": (("target",), np.array(status, dtype=object)),
        }
        if floats:
            columns["image_float"] = (("target", "y", "x", "rgb"), image)
        if recipe.checkpoints:
            checkpoints = torch.stack([o.checkpoints for o in outcomes]).numpy()
            columns["response_checkpoint"] = (("target", "checkpoint", "unit"), checkpoints)
        goals = np.array([job.target for job in self.jobs])
        coords: dict[str, Any] = {
            "target": [names[goal] for goal in goals],
            "goal": ("target", goals),
            "restart": ("target", np.repeat(np.arange(restarts), len(names))),
            "step": np.arange(1, recipe.steps + 1),
        }
        if recipe.checkpoints:
            coords["checkpoint"] = list(recipe.checkpoints)
        if (units := objective.own_units()) is not None:
            coords["own_unit"] = ("target", units[goals])
        attrs = records.new_attrs(
            "images",
            **probe.provenance(),
            settings=settings_of(recipe, probe),
            seed=recipe.seed,
            n_images=0,
            n_vectors=0,
        )
        return xr.Dataset(columns, coords, attrs)


def settings_of(recipe: Recipe, probe: Probe) -> dict[str, Any]:
    """A recipe as a record's settings, with the threads and the device that it ran on."""
    return {
        "size": recipe.canvas.size,
        "canvas": type(recipe.canvas).__name__,
        "band": getattr(recipe.canvas, "band", None),
        "steps": recipe.steps,
        "lr": recipe.lr,
        "jitter": asdict(recipe.jitter),
        "objective_at": recipe.at,
        "precision": recipe.precision,
        "chunk": recipe.chunk,
        "threads": 1 if probe.device.type == "cpu" else torch.get_num_threads(),
        "device": str(probe.device),
    }


def reason(outcome: Finished, objective: Objective) -> str:
    """Why an image says nothing, or an empty string."""
    if not bool(torch.isfinite(outcome.values).all() and torch.isfinite(outcome.response).all()):
        return "failed: the network gave NaN or infinite values; check its weights and preprocessing"
    units = objective.own_units()
    if units is not None and float(outcome.response[int(units[outcome.job.target])]) <= 0:
        return "silent: the unit answers to no image that was tried; it may be dead"
    rounding = 1e-6 * float(outcome.response.abs().max())
    if float(outcome.values.max() - outcome.values[0]) <= rounding and len(outcome.values) > 1:
        return "failed: the objective never rose above its start; its gradient may be zero"
    return ""


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Images in [0, 1] as bytes, rounded."""
    return (np.nan_to_num(images) * 255 + 0.5).astype(np.uint8)
