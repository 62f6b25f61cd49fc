"""Images of units for the eye, beside those that RS is measured on.

In: a gallery of measured images, which may burn out, since RS asks for the image that maximizes. Out: the same patterns
optimized further at a bounded contrast; and for a unit whose measured image is nearly a single color, the image for one
position of its map, which shows where it looks.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tunewidgets.derived.shown_images import ONE_POSITION
from tunewidgets.kernels.canvas.maco import MacoCanvas
from tunewidgets.kernels.network.capture import Capture, Reduced
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.optimization.contrast import linearity
from tunewidgets.kernels.optimization.flat_colors import is_mostly_one_color
from tunewidgets.kernels.optimization.gallery import Gallery, to_uint8
from tunewidgets.kernels.optimization.loop import Finished, Job, Recipe
from tunewidgets.kernels.optimization.objectives import Neuron
from tunewidgets.kernels.optimization.options import ImageOptions
from tunewidgets.kernels.optimization.outcomes import trouble
from tunewidgets.kernels.optimization.recipes import jobs_of, make_recipe
from tunewidgets.kernels.optimization.scores import Objective

BOUNDED = "bounded contrast"
# The measured image's pattern is optimized further for its steps divided by this, at a bounded contrast.
PART = 4


class SecondImages(NamedTuple):
    """Images for the eye that are made together: their kind, their objective and recipe, and where they start.

    A job without a start begins from its own noise and, if that fails, once more from elsewhere.
    """

    kind: str
    objective: Objective
    recipe: Recipe
    jobs: list[Job]
    starts: dict[Job, Tensor]


def second_images(
    probe: Probe,
    objective: Objective,
    measured: Mapping[Job, Finished],
    recipe: Recipe,
    options: ImageOptions,
) -> list[SecondImages]:
    """How the second images are made, for the units that get one.

    `measured` are outcomes by `recipe`; `options` are the second images' own, with their bound on contrast. A unit
    whose measured image failed gets none. One whose image is nearly a single color gets the image for one position of
    its map, if it has a map; any other gets its measured image, optimized further for a part of the steps.
    """
    units = objective.own_units()
    assert units is not None
    seen = {job: outcome for job, outcome in measured.items() if not trouble(outcome, objective)}
    plain = [job for job, outcome in seen.items() if probe.has_map and is_mostly_one_color(outcome.image)]
    patterned = [job for job in seen if job not in plain]
    canvas = recipe.canvas
    assert not isinstance(canvas, MacoCanvas)
    assert isinstance(options.contrast, float)
    bounded = replace(canvas, contrast=options.contrast)
    found = []
    if patterned:
        further = replace(
            recipe, canvas=bounded, steps=max(1, recipe.steps // PART), checkpoints=(), colors=None
        )
        parameters = canvas.parameters(torch.stack([seen[job].image for job in patterned]))
        jobs = [Job(job.target, f"{job.key}/display") for job in patterned]
        starts = dict(zip(jobs, parameters, strict=True))
        found.append(SecondImages(BOUNDED, objective, further, jobs, starts))
    if plain:
        goal = Neuron(np.array([units[job.target] for job in plain]))
        whole = make_recipe(probe, goal, bounded, len(plain), options, linearity(probe, canvas.size))
        found.append(SecondImages(ONE_POSITION, goal, whole, jobs_of(probe, goal.names()), {}))
    return found


class DisplayImages:
    """The images for the eye that belong to one objective's measured images, of the first restart where one was made.

    `options` are those of the measured images, except for the bound on contrast.
    """

    def __init__(self, measured: Gallery, units: int, options: ImageOptions) -> None:
        self._measured, self._units = measured, units
        self._options = replace(options, restarts=1, checkpoints=())
        self.galleries: list[Gallery] = []

    def fill(self, progress: bool, part: str, **place: Any) -> None:
        """Make them; `part` and `place` say where they are kept and what makes them, as in `Gallery.fill`."""
        measured = self._measured
        first = {job: measured.finished[job] for job in measured.jobs[: self._units]}
        self.galleries = []
        for second in second_images(
            measured.probe, measured.objective, first, measured.recipe, self._options
        ):
            gallery = Gallery(
                measured.probe, second.objective, second.jobs, second.recipe, second.starts or None
            )
            self.galleries.append(gallery)
            own = f"{part}-display" if second.starts else f"{part}-position"
            gallery.fill(progress, retry=not second.starts, part=own, **place)

    def columns(self, capture: Capture | None) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
        """What a unit record holds of them, by unit; empty strings and zeros where there is none.

        `capture` measures units on them where something other than rectified means is wanted.
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


def _only(reduced: Mapping[str, Reduced]) -> Tensor:
    """The activations `(U,)` of the only layer on the only image."""
    [layer] = reduced.values()
    return layer.activations[0]
