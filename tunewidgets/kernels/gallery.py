"""The gallery: a run's images as they come, and the Dataset they end as.

In: jobs and a recipe. Out: every job's image, once more with another start where the first one failed, and for every
image that failed all the same the reason.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
import xarray as xr
from tqdm.auto import tqdm

from tunewidgets import records
from tunewidgets.kernels.evolution import evolve
from tunewidgets.kernels.loop import Finished, Job, Recipe, optimize
from tunewidgets.kernels.probe import Probe
from tunewidgets.kernels.scores import Objective


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

        run = evolve if self.recipe.optimizer == "cma" else optimize
        for chunk in run(probe, objective, jobs, self.recipe, bar.update, shrink):
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
        "optimizer": recipe.optimizer,
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
        return "failed: the objective never rose above its start; it may not depend on the image, or have no gradient"
    return ""


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Images in [0, 1] as bytes, rounded."""
    return (np.nan_to_num(images) * 255 + 0.5).astype(np.uint8)
