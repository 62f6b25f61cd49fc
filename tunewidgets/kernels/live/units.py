"""Live units: the image made for one unit, seen as it grows, and how the layer responds to it.

In: a unit record, its probe, a unit and an objective. Out: the image after every few steps, and at the end everything
that `analyze_units` would record about it. Steps are short, so the work stops as soon as the caller takes no more.
"""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
import xarray as xr

from tunewidgets.kernels.live.steps import apart, climb, leave_a_core
from tunewidgets.kernels.network.capture import Capture, Observed
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.tracing import evaluating
from tunewidgets.kernels.optimization.contrast import display_contrast, linearity
from tunewidgets.kernels.optimization.gallery import recipe_settings, to_uint8
from tunewidgets.kernels.optimization.loop import Ascent, Finished, Job, Recipe
from tunewidgets.kernels.optimization.options import ImageOptions
from tunewidgets.kernels.optimization.outcomes import is_better, reason, second_try, trouble
from tunewidgets.kernels.optimization.recipes import choose_canvas, make_recipe, prepare
from tunewidgets.kernels.optimization.scores import Objective, pooled
from tunewidgets.kernels.single_units.display_images import second_images
from tunewidgets.kernels.single_units.substitution_measures import substitution
from tunewidgets.kernels.single_units.unit_images import OBJECTIVES
from tunewidgets.kernels.tuning.places import check_source
from tunewidgets.live_protocols import Rendered, UnitLook
from tunewidgets.records import settings_of

# Images that go through the network together: one, so that its first steps show at once, and so that it is the same
# image whether a reader asked for it or its turn came in the background.
CHUNK = 1
# Measurements along the optimization, in addition to those that the record has.
MEASURED = 16
SETTINGS = ("size", "canvas", "band", "steps", "lr", "jitter", "objective_at", "precision")
OPTIONS = ("size", "steps", "seed", "canvas", "lr", "jitter", "objective_at", "precision", "band", "contrast")


def score(objective: str, response: np.ndarray, unit: int) -> float:
    """A unit's response to an image (AM), or how far it exceeds the mean response of the other units (IAM).

    Of two images made for a unit, the one with the larger score is better.
    """
    own, others = float(response[unit]), len(response) - 1
    if objective == "am" or not others:
        return own
    return own - (float(response.sum(dtype=np.float64)) - own) / others


class GrowingImage:
    """An image in progress, after `step` of `steps`; once it is finished, `rendered` holds it."""

    def __init__(self, ascent: Ascent, unit: int, steps: int, rendered: Rendered | None = None) -> None:
        self._ascent, self._unit, self.step, self.steps = ascent, unit, ascent.done, steps
        self.rendered = rendered

    def look(self) -> UnitLook:
        """The image as it is now, with its unit's response and RS on it."""
        with evaluating(self._ascent.probe.network):
            images, responses = self._ascent.measure()
        response = responses[:1].cpu().numpy()
        known = bool(np.isfinite(response).all())
        rs = float(substitution(response, np.array([self._unit]))[0])
        return UnitLook(
            to_uint8(images[0].movedim(0, -1).cpu().numpy()),
            float(response[0, self._unit]) if known else None,
            rs if known and not np.isnan(rs) else None,
        )


class LiveUnits:
    """A layer's images, one at a time.

    Parameters
    ----------
    units : xarray.Dataset
        A layer's unit record. If it has images, more are made with the same settings.
    probe : Probe
        That layer, in the model that the record was made of.
    options : mapping, optional
        For a record without images, options of `visualize` (those in `OPTIONS`).

    Raises
    ------
    ValueError
        If the record is of another layer or other weights, its images were left out, or it has images and `options`
        are given.
    TypeError
        If there is no such option.

    Examples
    --------
    >>> import torch, tunewidgets as tw
    >>> bank = tw.zoo.gabor_bank(n=4)
    >>> data = [(torch.rand(8, 3, 16, 16), torch.arange(8) % 2)]
    >>> units = tw.class_selectivity(bank, data, "relu", progress=False)["relu"].to_dataset()
    >>> live = LiveUnits(units, tw.Probe(bank, "relu", device="cpu"), {"size": 16, "steps": 4})
    >>> *_, last = live.grow(2, "iam")
    >>> last.rendered.image.shape, last.rendered.response.shape
    ((16, 16, 3), (4,))
    """

    def __init__(self, units: xr.Dataset, probe: Probe, options: Mapping[str, Any] | None) -> None:
        check_source("this record", units.attrs, probe)
        options = dict(options or {})
        known = settings_of(units)
        has_images = "rendered" in units
        _check(units, probe.layer, known, options)
        self.units, self._probe = probe.units, apart(probe)
        self.objectives = (
            tuple(str(name) for name in units["objective"].values) if has_images else tuple(OBJECTIVES)
        )
        self.seed = int(units.attrs["seed"] or 0) if has_images else int(options.pop("seed", 0))
        self.restarts = int(known.get("restarts", 1)) if has_images else 1
        self.measured = {
            "reduction": str(known.get("reduction", "mean")),
            "rectify": bool(known.get("rectify", True)),
        }
        self.settings: dict[str, Any] = known
        if not has_images:
            self.settings = self._first_settings(units, options)
        earlier = units["checkpoint"].values.tolist() if "checkpoint" in units.coords else []
        self._checkpoints = {int(step) for step in earlier}

    @property
    def size(self) -> int:
        """Side of the images, pixels."""
        return int(self.settings["size"])

    @property
    def steps(self) -> int:
        """Steps of the optimization, unless more are requested."""
        return int(self.settings["steps"])

    def at(self, steps: int) -> tuple[int, ...]:
        """The steps at which RS is measured on the way to `steps`, the last one included."""
        if self._capture is not None:
            return (steps,)
        even = {steps * part // MEASURED for part in range(1, MEASURED)}
        usual = {steps // 8, steps // 4, steps // 2}
        return (*sorted(step for step in even | usual | self._checkpoints if 0 < step < steps), steps)

    def grow(
        self, unit: int, objective: str, restart: int = 0, steps: int | None = None
    ) -> Iterator[GrowingImage]:
        """A unit's image as it grows from noise, made as by `analyze_units`: if it fails, again from other noise."""
        leave_a_core(self._probe)
        steps = self.steps if steps is None else steps
        goal = OBJECTIVES[objective]([unit])
        recipe = self._recipe(goal, steps)
        first = Job(0, f"{self._probe.origin}/{goal.names()[0]}/{restart}")
        ascent, done = yield from self._tried(unit, goal, first, recipe)
        status = reason(done, goal, recipe)
        shown, kind = yield from self._displayed(unit, goal, first, recipe, done)
        response, at = self._response(done), self.at(steps)
        rendered = Rendered(
            unit=unit,
            objective=objective,
            restart=restart,
            steps=steps,
            image=to_uint8(done.image.movedim(0, -1).numpy()),
            response=response,
            status=status,
            at=at,
            responses=np.concatenate([done.checkpoints.numpy(), response[None]]),
            display_image=None if shown is None else to_uint8(shown.image.movedim(0, -1).numpy()),
            display=kind,
            display_response=None if shown is None else float(self._response(shown)[unit]),
        )
        yield GrowingImage(ascent, unit, steps, rendered)

    def respond(self, images: np.ndarray) -> np.ndarray:
        """The layer's responses `(N, U)` float32 to finished images, `(N, y, x, 3)` uint8."""
        leave_a_core(self._probe)
        batch = torch.from_numpy(np.ascontiguousarray(images)).movedim(-1, 1).float() / 255
        return self._measured(batch).numpy()

    def _tried(
        self,
        unit: int,
        goal: Objective,
        job: Job,
        recipe: Recipe,
        starts: Mapping[Job, torch.Tensor] | None = None,
    ) -> Generator[GrowingImage, None, tuple[Ascent, Finished]]:
        """An image or, where another start may do better, the better of two."""
        ascent, done = yield from self._climbed(unit, goal, job, recipe, starts)
        if (second := second_try(done, goal, recipe)) is not None:
            job, start = second
            again, other = yield from self._climbed(
                unit, goal, job, recipe, None if start is None else {job: start}
            )
            if is_better(other, done, goal):
                ascent, done = again, other
        return ascent, done

    def _displayed(
        self, unit: int, goal: Objective, job: Job, recipe: Recipe, measured: Finished
    ) -> Generator[GrowingImage, None, tuple[Finished | None, str]]:
        """The unit's image for display, if it has one, and its kind."""
        contrast = self.settings.get("display_contrast")
        if contrast is None:
            return None, ""
        options = replace(self._options(goal, recipe.steps), checkpoints=(), contrast=float(contrast))
        for second in second_images(self._probe, goal, {job: measured}, recipe, options):
            [own] = second.jobs
            take = self._climbed if second.starts else self._tried
            _, shown = yield from take(unit, second.objective, own, second.recipe, second.starts)
            if not trouble(shown, second.objective):
                return shown, second.kind
        return None, ""

    def _climbed(
        self,
        unit: int,
        goal: Objective,
        job: Job,
        recipe: Recipe,
        starts: Mapping[Job, torch.Tensor] | None = None,
    ) -> Generator[GrowingImage, None, tuple[Ascent, Finished]]:
        with evaluating(self._probe.network):
            ascent = Ascent(self._probe, goal, [job], recipe, starts)
        while ascent.done < recipe.steps:
            climb(ascent, recipe.steps)
            yield GrowingImage(ascent, unit, recipe.steps)
        with evaluating(self._probe.network):
            [done] = ascent.finished()
        return ascent, done

    def _response(self, done: Finished) -> np.ndarray:
        if self._capture is None or not bool(torch.isfinite(done.response).all()):
            return done.response.numpy()
        return self._measured(done.image[None])[0].numpy()

    @torch.no_grad()
    def _measured(self, images: torch.Tensor) -> torch.Tensor:
        if self._capture is not None:
            return self._capture(images)[self._probe.layer].activations
        with evaluating(self._probe.network):
            return pooled(self._probe.values(images.to(self._probe.device)).rectified()).cpu()

    @cached_property
    def _capture(self) -> Capture | None:
        """Measures the layer, unless by the mean of its rectified values, which needs no capture."""
        if self.measured == {"reduction": "mean", "rectify": True}:
            return None
        probe = self._probe
        observed = Observed(probe.network, probe.layer, probe.preprocess, probe.device)
        return Capture(observed, **self.measured)  # type: ignore[arg-type]

    def _options(self, goal: Objective, steps: int) -> ImageOptions:
        # Adam's default step size follows from the number of steps.
        usual = self.settings["lr"] == goal.lr(self.steps)
        return ImageOptions.of_record(
            self.settings,
            self.seed,
            steps=steps,
            chunk=CHUNK,
            lr="auto" if usual else float(self.settings["lr"]),
            checkpoints=self.at(steps)[:-1],
        )

    def _recipe(self, goal: Objective, steps: int) -> Recipe:
        options, linear = self._options(goal, steps), linearity(self._probe, self.size)
        canvas = choose_canvas(self._probe, options, self.size, linear)
        return make_recipe(self._probe, goal, canvas, 1, options, linear)

    def _first_settings(self, units: xr.Dataset, options: dict[str, Any]) -> dict[str, Any]:
        """Everything that decides an image, for a record that has none yet."""
        if "y" in units.sizes:
            # Its exemplars have a size, and a record has only one.
            options.setdefault("size", units.sizes["y"])
        asked = ImageOptions(**options, seed=self.seed, chunk=CHUNK, importance=False)
        display = display_contrast(asked.contrast, asked.canvas)
        gallery, _ = prepare(self._probe, OBJECTIVES["am"]([0]), replace(asked, contrast=None))
        recipe = gallery.recipe
        if units.sizes.get("y", recipe.canvas.size) != recipe.canvas.size:
            raise ValueError(
                f"size is {recipe.canvas.size} and the exemplars in this record are {units.sizes['y']} px per side, "
                f"but a record has one size; give size={units.sizes['y']}"
            )
        return {
            **recipe_settings(recipe, self._probe),
            "objectives": list(self.objectives),
            "restarts": 1,
            "display_contrast": display,
            **self.measured,
        }


def _check(units: xr.Dataset, layer: str, known: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    for name in options:
        if name not in OPTIONS:
            raise TypeError(f"there is no image option {name!r}; the options are {', '.join(OPTIONS)}")
    if "rendered" not in units:
        return
    if options:
        raise ValueError(
            f"layer {layer!r} already has images, and more are made with the same settings; leave "
            f"{next(iter(options))} out"
        )
    unknown = [name for name in SETTINGS if name not in known]
    if unknown:
        raise ValueError(
            f"layer {layer!r} does not say how its images were made ({', '.join(unknown)}), so no more can be "
            "made the same way; open it without probe=, or make it again"
        )
    if "image" not in units and bool(units["rendered"].any()):
        raise ValueError(
            f"layer {layer!r} was measured on images that this record does not hold; open it without probe=, or make "
            "its images again"
        )
