"""Images of units for the eye, beside those that RS is measured on.

In: a gallery of measured images, which may burn out, since RS asks for the image that maximizes. Out: the same patterns
taken on at a bounded contrast; and for a unit whose measured image is little but one color, the image for one position
of its map, which shows where it looks.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tunewidgets.kernels.network.capture import Capture, Reduced
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.optimization.flat_colors import is_mostly_one_color
from tunewidgets.kernels.optimization.gallery import Gallery, to_uint8
from tunewidgets.kernels.optimization.loop import Finished, Job, Recipe
from tunewidgets.kernels.optimization.objectives import Neuron
from tunewidgets.kernels.optimization.outcomes import trouble
from tunewidgets.kernels.optimization.recipes import prepare

BOUNDED, ONE_POSITION = "bounded contrast", "one position"
# Of the measured image's steps, so many more take its pattern on at a bounded contrast.
PART = 4


class DisplayImages:
    """The images for the eye of one objective's measured ones: of the first restart, where an image was made.

    `options` are the measured images' own; `contrast` is the bound.
    """

    def __init__(self, measured: Gallery, units: int, contrast: float, options: dict[str, Any]) -> None:
        self._measured, self._units, self._contrast = measured, units, contrast
        self._options = {**options, "restarts": 1, "checkpoints": (), "contrast": contrast}
        self.galleries: list[Gallery] = []

    def fill(self, progress: bool, **place: Any) -> None:
        """Make them; `place` says where they are kept and by whom they are made, as of `Gallery.fill`."""
        measured = self._measured
        seen = [
            job
            for job in measured.jobs[: self._units]
            if not trouble(measured.finished[job], measured.objective)
        ]
        plain = [job for job in seen if self._is_plain(job)]
        part = place.pop("part")
        patterned = [job for job in seen if job not in plain]
        self.galleries = []
        if patterned:
            self.galleries.append(self._bounded(patterned))
            self.galleries[-1].fill(progress, retry=False, part=f"{part}-display", **place)
        if plain:
            units = np.array([job.target for job in plain])
            gallery, _ = prepare(measured.probe, Neuron(units), **self._options)
            self.galleries.append(gallery)
            gallery.fill(progress, part=f"{part}-position", **place)

    def columns(self, capture: Capture | None) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
        """What a unit record holds of them, by unit; empty words and zeros where there is none.

        `capture` is what measures units on them, where that is not by rectified means.
        """
        side = self._measured.recipe.canvas.size
        image = np.zeros((self._units, side, side, 3), np.uint8)
        response = np.full(self._units, np.nan, np.float32)
        kind = np.full(self._units, "", dtype=object)
        for gallery in self.galleries:
            own = gallery.objective.own_units()
            assert own is not None
            for job, outcome in gallery.finished.items():
                unit = int(own[job.target])
                if trouble(outcome, gallery.objective):
                    continue
                image[unit] = to_uint8(outcome.image.movedim(0, -1).numpy())
                measured = outcome.response if capture is None else _only(capture(outcome.image[None]))
                response[unit] = float(measured[unit])
                kind[unit] = ONE_POSITION if isinstance(gallery.objective, Neuron) else BOUNDED
        return {
            "display": (("unit",), kind),
            "display_image": (("unit", "y", "x", "rgb"), image),
            "display_response": (("unit",), response),
        }

    def _is_plain(self, job: Job) -> bool:
        return needs_one_position(self._measured.probe, self._measured.finished[job])

    def _bounded(self, jobs: list[Job]) -> Gallery:
        measured = self._measured
        recipe = taken_on(measured.recipe, self._contrast)
        images = torch.stack([measured.finished[job].image for job in jobs])
        parameters = measured.recipe.canvas.parameters(images)
        starts = {displayed(job): start for job, start in zip(jobs, parameters, strict=True)}
        return Gallery(measured.probe, measured.objective, list(starts), recipe, starts)


def needs_one_position(probe: Probe, measured: Finished) -> bool:
    """Whether a measured image shows its unit worse than the image for one position would."""
    return probe.has_map and is_mostly_one_color(measured.image)


def displayed(job: Job) -> Job:
    """The job that takes a measured image on for the eye."""
    return Job(job.target, f"{job.key}/display")


def taken_on(recipe: Recipe, contrast: float) -> Recipe:
    """How a measured image, made by `recipe`, is taken on at a bounded contrast."""
    canvas: Any = recipe.canvas
    bounded = replace(canvas, contrast=contrast)
    return replace(recipe, canvas=bounded, steps=max(1, recipe.steps // PART), checkpoints=(), colors=None)


def _only(reduced: Mapping[str, Reduced]) -> Tensor:
    """The activations `(U,)` of the only layer on the only image."""
    [layer] = reduced.values()
    return layer.activations[0]
