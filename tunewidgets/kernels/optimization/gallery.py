"""The gallery: a run's images as they are made, and the Dataset that they end up in.

In: jobs and a recipe. Out: every job's image, made again from another start if the first one failed, and the reason for
every image that failed nevertheless.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor
from tqdm.std import tqdm

from tunewidgets import records
from tunewidgets.kernels.network.blackbox import BlackBox
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.rectifiers import SLOPE
from tunewidgets.kernels.optimization.evolution import evolve
from tunewidgets.kernels.optimization.loop import Finished, Job, Recipe, optimize
from tunewidgets.kernels.optimization.outcomes import SecondTry, is_better, reason, second_try
from tunewidgets.kernels.optimization.scores import Objective
from tunewidgets.kernels.studies.executors import Executor, Lost, on_workers
from tunewidgets.kernels.studies.store import Study
from tunewidgets.kernels.studies.table import Table
from tunewidgets.kernels.studies.workers import in_threads, in_turn
from tunewidgets.zoo.progress import progress_bar

# Images that go through the network together when only a few are made again: a full chunk would be mostly padding.
FEW = 2


class Gallery:
    """The images of a run as they are made, by job.

    `starts` are the parameters, `canvas.shape`, that jobs start from; by default each starts from its own noise.
    """

    def __init__(
        self,
        probe: Probe,
        objective: Objective,
        jobs: Sequence[Job],
        recipe: Recipe,
        starts: Mapping[Job, Tensor] | None = None,
    ) -> None:
        self.probe = probe
        self.objective = objective
        self.jobs = list(jobs)
        self.recipe = recipe
        self.starts = starts
        self.finished: dict[Job, Finished] = {}
        self.interrupted = False

    def fill(
        self,
        progress: bool,
        retry: bool = True,
        study: Study | None = None,
        part: str = "images",
        show: Callable[[bool], Any] = lambda now: None,
        executor: Executor | None = None,
    ) -> None:
        """Make every image, and make again those that may do better from another start, unless theirs was given.

        An interruption keeps what is finished.

        With a study, finished chunks are kept as `part` of its store and are not made again; `show` is called after
        each, and with True when the run is interrupted. With an executor, its workers make the images.

        Raises
        ------
        TypeError, ValueError
            The executor is not one, or the model can't be sent to its workers.
        RuntimeError
            Workers were lost again and again.
        """
        spread = self._spread(executor)
        total = len(self.jobs) * self.recipe.steps
        try:
            with progress_bar(total=total, unit="image-step", show=progress, desc=self.probe.layer) as bar:
                self._make(bar, study, part, show, spread)
                if retry and not self.recipe.start:
                    self._try_again(bar, study, f"{part}-again", show, spread)
        except KeyboardInterrupt:
            show(True)
            if not self.finished or study is not None:
                raise
            self.interrupted = True

    def start_over(
        self,
        starts: Mapping[Job, Tensor],
        progress: bool,
        study: Study | None = None,
        part: str = "images-photographs",
        executor: Executor | None = None,
    ) -> None:
        """Make some images again from the parameters in `starts`, and keep the better one of each."""
        total = len(starts) * self.recipe.steps
        with progress_bar(total=total, unit="image-step", show=progress, desc=self.probe.layer) as bar:
            seconds = {
                job: (Job(job.target, f"{job.key}/photograph"), start) for job, start in starts.items()
            }
            self._replace(seconds, bar, study, part, lambda now: None, self._spread(executor))

    def _try_again(
        self,
        bar: tqdm,
        study: Study | None,
        part: str,
        show: Callable[[bool], Any],
        spread: Callable[..., Any],
    ) -> None:
        tries = {job: second_try(self.finished[job], self.objective, self.recipe) for job in self.jobs}
        self._replace(
            {job: second for job, second in tries.items() if second}, bar, study, part, show, spread
        )

    def _replace(
        self,
        seconds: Mapping[Job, SecondTry],
        bar: tqdm,
        study: Study | None,
        part: str,
        show: Callable[[bool], Any],
        spread: Callable[..., Any],
    ) -> None:
        """Run jobs again, and keep the better outcome of each under the first job's name."""
        jobs = [job for job, _ in seconds.values()]
        starts = {job: start for job, start in seconds.values() if start is not None}
        recipe = self.recipe
        if recipe.optimizer != "cma":
            recipe = replace(recipe, chunk=min(recipe.chunk, FEW))
        again = Gallery(self.probe, self.objective, jobs, recipe, starts)
        again._make(bar, study, part, show, spread)
        for first, (second, _) in seconds.items():
            outcome = again.finished[second]
            if is_better(outcome, self.finished[first], self.objective):
                self.finished[first] = outcome._replace(job=first)

    def _spread(self, executor: Executor | None) -> Callable[..., Any]:
        """The function that runs the chunks."""
        if executor is not None:
            return on_workers(executor, self.probe.network, self.probe.model)
        return in_turn if isinstance(self.probe, BlackBox) else in_threads

    def _make(
        self,
        bar: tqdm,
        study: Study | None,
        part: str,
        show: Callable[[bool], Any],
        spread: Callable[..., Any],
    ) -> None:
        """Make every job's image, once."""
        jobs, table = self.jobs, self._table(study, part)
        if table is not None:
            earlier = table.load()
            self.finished |= {jobs[row]: _outcome(jobs[row], values) for row, values in earlier.items()}
            bar.update(len(earlier) * self.recipe.steps)
        rows = {job: row for row, job in enumerate(jobs) if job not in self.finished}

        def shrink(chunk: int) -> None:
            self.recipe = replace(self.recipe, chunk=chunk)
            if table is not None:
                table.say(chunk=chunk)

        def keep(chunk: list[Finished]) -> None:
            if table is not None:
                for outcome in chunk:
                    table.add(rows[outcome.job], _columns(outcome))

        make = evolve if self.recipe.optimizer == "cma" else optimize
        keeping = _keeping(spread, keep)
        made = make(
            self.probe, self.objective, list(rows), self.recipe, bar.update, shrink, keeping, self.starts
        )
        for chunk in self._named(made):
            self.finished |= {outcome.job: outcome for outcome in chunk}
            if table is not None:
                show(False)

    def _named(self, made: Iterator[list[Finished]]) -> Iterator[list[Finished]]:
        """The chunks as they come; if one is lost for good, the error says which images it was to make."""
        try:
            yield from made
        except Lost as lost:
            names = self.objective.names()
            which = ", ".join(names[job.target] for job in lost.chunk)
            raise RuntimeError(
                f"{which} of layer {self.probe.layer!r} can't be made: {lost}; what is finished is kept with store=, "
                "and a smaller chunk takes less memory"
            ) from lost

    def _table(self, study: Study | None, part: str) -> Table | None:
        """The jobs' part of the study's store; from here on the network runs at the chunk shape it began with."""
        if study is None or not self.jobs:
            return None
        recipe, side = self.recipe, self.recipe.canvas.size
        fields: dict[str, tuple[int, ...]] = {
            "image": (3, side, side),
            "values": (recipe.steps,),
            "response": (self.probe.units,),
            "checkpoints": (len(recipe.checkpoints), self.probe.units),
        }
        if recipe.importance:
            fields["importance"] = (side, side)
        if recipe.start:
            fields["distance"] = ()
        # Evolved images come one at a time: a chunk is the generation that the image is chosen from.
        together = 1 if recipe.optimizer == "cma" else recipe.chunk
        table = study.table(part, len(self.jobs), together, fields, recipe_settings(recipe, self.probe))
        if table is not None:
            self.recipe = replace(recipe, chunk=int(table.about["chunk"]))
        return table

    @property
    def note(self) -> str:
        """How many of the images are made, in words."""
        return f"{sum(job in self.finished for job in self.jobs):,} of {len(self.jobs):,} images made"

    @property
    def is_full(self) -> bool:
        """Whether every job has its outcome, good or bad."""
        return all(job in self.finished for job in self.jobs)

    def dataset(self, names: list[str], restarts: int, floats: bool = False) -> xr.Dataset:
        """What `visualize` returns."""
        side, recipe, probe = self.recipe.canvas.size, self.recipe, self.probe
        blank = Finished(
            Job(-1, ""),
            torch.zeros(3, side, side),
            torch.full((recipe.steps,), torch.nan),
            torch.full((probe.units,), torch.nan),
            torch.full((len(recipe.checkpoints), probe.units), torch.nan),
            torch.full((side, side), torch.nan),
            torch.tensor(torch.nan),
        )
        outcomes = [self.finished.get(job, blank) for job in self.jobs]
        status = [
            ("not made: interrupted" if self.interrupted else "not made yet")
            if outcome is blank
            else reason(outcome, self.objective, self.recipe)
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
        if recipe.importance:
            columns["importance"] = (("target", "y", "x"), _stacked([o.importance for o in outcomes]))
        if recipe.start:
            columns["distance"] = (("target",), _stacked([o.distance for o in outcomes]))
        goals = np.array([job.target for job in self.jobs])
        coords: dict[str, Any] = {
            "target": [names[goal] for goal in goals],
            "goal": ("target", goals),
            "restart": ("target", np.repeat(np.arange(restarts), len(names))),
            "step": np.arange(1, recipe.steps + 1),
        }
        if recipe.checkpoints:
            coords["checkpoint"] = list(recipe.checkpoints)
        if (units := self.objective.own_units()) is not None:
            coords["own_unit"] = ("target", units[goals])
        attrs = records.new_attrs(
            "images",
            **probe.provenance(),
            settings=recipe_settings(recipe, probe),
            seed=recipe.seed,
            n_images=0,
            n_vectors=0,
        )
        return xr.Dataset(columns, coords, attrs)


def _keeping(
    spread: Callable[..., Iterator[list[Finished]]], keep: Callable[[list[Finished]], None]
) -> Callable[..., Iterator[list[Finished]]]:
    """`spread`, with every chunk kept before its worker takes the next: only what is being made can be lost."""

    def in_this_process(run: Callable, chunks: Any, on_step: Any, device: Any) -> Iterator[list[Finished]]:
        def made(chunk: Any, step: Any) -> list[Finished]:
            finished: list[Finished] = run(chunk, step)
            keep(finished)
            return finished

        return in_threads(made, chunks, on_step, device)

    def elsewhere(*work: Any) -> Iterator[list[Finished]]:
        for finished in spread(*work):
            keep(finished)
            yield finished

    return in_this_process if spread is in_threads else elsewhere


def _columns(outcome: Finished) -> Mapping[str, np.ndarray]:
    """An outcome as a table keeps it."""
    columns = {name: value for name, value in outcome._asdict().items() if isinstance(value, Tensor)}
    return {name: value.numpy() for name, value in columns.items()}


def _outcome(job: Job, columns: Mapping[str, np.ndarray]) -> Finished:
    """An outcome from what a table kept."""
    return Finished(job, **{name: torch.from_numpy(np.array(value)) for name, value in columns.items()})


def _stacked(values: Sequence[Tensor | None]) -> np.ndarray:
    """Values that every outcome of a recipe has, in one array."""
    return torch.stack([value for value in values if value is not None]).numpy()


def recipe_settings(recipe: Recipe, probe: Probe) -> dict[str, Any]:
    """A recipe as a record's settings, with the threads and the device that it ran on."""
    started = {"start": recipe.start, "leave": recipe.leave} if recipe.start else {}
    return {
        "size": recipe.canvas.size,
        "canvas": type(recipe.canvas).__name__,
        "band": getattr(recipe.canvas, "band", None),
        "contrast": recipe.canvas.contrast,
        # What all rectifiers let through backward where they are flat.
        "leak": SLOPE if recipe.at == "leaky" and recipe.optimizer == "adam" else 0.0,
        "optimizer": recipe.optimizer,
        "steps": recipe.steps,
        "lr": recipe.lr,
        "jitter": asdict(recipe.jitter),
        "objective_at": recipe.at,
        "precision": recipe.precision,
        "chunk": recipe.chunk,
        "threads": 1 if probe.device.type == "cpu" else torch.get_num_threads(),
        "device": str(probe.device),
        **({"importance": True} if recipe.importance else {}),
        **started,
    }


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Images in [0, 1] as bytes, rounded."""
    return (np.nan_to_num(images) * 255 + 0.5).astype(np.uint8)
