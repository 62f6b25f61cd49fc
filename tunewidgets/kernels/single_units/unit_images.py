"""The images of a layer's units, one per unit and objective, and what they tell: which other units respond to them.

In: a layer of an observed model, and how its images are made. Out: the part of a unit record that rests on the images
made so far.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
import xarray as xr

from tunewidgets import records
from tunewidgets._checks import Auto, is_whole
from tunewidgets.kernels.network.capture import Capture, Observed, Reduction
from tunewidgets.kernels.optimization.contrast import display_contrast
from tunewidgets.kernels.optimization.gallery import Gallery
from tunewidgets.kernels.optimization.loop import Job
from tunewidgets.kernels.optimization.objectives import AM, IAM
from tunewidgets.kernels.optimization.options import LEFT_OUT, ImageOptions, checked_steps, left_out
from tunewidgets.kernels.optimization.outcomes import SILENT, reason
from tunewidgets.kernels.optimization.recipes import prepare
from tunewidgets.kernels.single_units.display_images import DisplayImages
from tunewidgets.kernels.single_units.selectivity import CHUNK
from tunewidgets.kernels.single_units.substitution_measures import (
    exceeders,
    mean_of_present,
    normalized_substitution,
    substitutes,
    substitution,
)
from tunewidgets.kernels.studies.executors import Executor
from tunewidgets.kernels.studies.store import Study

ObjectiveName = Literal["am", "iam"]
OBJECTIVES: dict[str, type[AM | IAM]] = {"am": AM, "iam": IAM}
# Options of images besides those that the signatures name.
MORE = ("band", "canvas", "chunk", "contrast", "jitter", "lr", "objective_at", "precision", "size")
# Options that stores name on their own; all others are "image_options", where older stores have only those that were
# asked for.
BESIDE = ("restarts", "steps", "seed")
NOT_SAID = {"image_options": left_out(*(name for name in LEFT_OUT if name not in BESIDE))}
# From units and a side in pixels to photographs: for each unit that any of them excites, the one that excites it most.
Photographs = Callable[[Sequence[int], int], Mapping[int, torch.Tensor]]


def check_objectives(objectives: Sequence[str], k: int, also: str = "") -> None:
    """Raise an error of one sentence for objectives, or a number of units, that can't be used; `also` may be given."""
    listed = isinstance(objectives, Iterable) and not isinstance(objectives, str)
    names = list(objectives) if listed else []
    if not names or any(name not in OBJECTIVES for name in names) or len(set(names)) < len(names):
        raise ValueError(f"objectives is {objectives!r}; give one or both of ('am', 'iam'){also}.")
    if not is_whole(k, 1):
        raise ValueError(f"k is {k!r}; give a whole number of at least 1.")


def options_of_units(more: Mapping[str, Any], **named: Any) -> ImageOptions:
    """The options of units' images: those that the signature names, and `more`."""
    for name in more:
        if name not in MORE:
            raise TypeError(f"there is no option {name!r}; those of the images are {', '.join(MORE)}.")
    return ImageOptions(**more, **named, importance=False)


def _checkpoints(checkpoints: Sequence[int] | Auto, steps: int, usual: bool) -> list[int]:
    """The steps before the last at which RS is measured; `usual`: whether it is measured on rectified means."""
    if isinstance(checkpoints, str):
        if checkpoints != "auto":
            raise ValueError(f"checkpoints is {checkpoints!r}; give steps, such as (16, 64), or 'auto'.")
        if not usual:
            return []
        checkpoints = [steps // 8, steps // 4, steps // 2]
        return sorted({step for step in checkpoints if 0 < step < steps})
    earlier = sorted(set(checked_steps(checkpoints, ", or 'auto'")) - {steps})
    if earlier and not usual:
        raise ValueError(
            f"checkpoints asks for step {earlier[0]}, where rectified means alone are measured; leave it out, or use "
            "reduction='mean' and rectify=True."
        )
    return earlier


class UnitImages:
    """The images of one layer's units, still to be made, and the part of its record that rests on them.

    What is measured is described at `representative_substitution`; `asked` is what its caller was asked for, if stored.
    """

    def __init__(
        self,
        observed: Observed,
        layer: str,
        objectives: Sequence[str],
        mean_activation: np.ndarray | None,
        options: ImageOptions,
        *,
        k: int,
        responses: bool,
        reduction: Reduction,
        rectify: bool,
        checkpoints: Sequence[int] | Auto = "auto",
        asked: Mapping[str, Any] | None = None,
    ) -> None:
        probe = observed.probes[layer]
        if mean_activation is not None and np.shape(mean_activation) != (probe.units,):
            raise ValueError(
                f"mean_activation has shape {np.shape(mean_activation)} for layer {layer!r}; give ({probe.units},), "
                "one value per unit."
            )
        usual = (reduction, rectify) == ("mean", True)
        self.layer, self.units, self.k, self.responses = layer, probe.units, k, responses
        self.mean_activation, self.provenance, self.asked = mean_activation, observed.provenance(layer), asked
        # Measures the layer on the finished images; None leaves that to the galleries, which measure rectified means.
        self.capture = None if usual else Capture(observed.only([layer]), reduction, rectify)
        measured = _checkpoints(checkpoints, options.steps, usual)
        # RS is defined on the image that maximizes: a bound on contrast, which costs early layers a third of their
        # response, is for the second image only.
        self.contrast = display_contrast(options.contrast, options.canvas)
        self.options = replace(options, checkpoints=measured, contrast=None)
        self.galleries = {
            name: prepare(probe, OBJECTIVES[name](range(probe.units)), self.options) for name in objectives
        }
        self.display = {
            name: DisplayImages(gallery, probe.units, replace(self.options, contrast=self.contrast))
            for name, (gallery, _) in self.galleries.items()
            if self.contrast is not None
        }

    def make(
        self,
        study: Study,
        progress: bool,
        whole: Callable[[xr.Dataset], xr.Dataset],
        executor: Executor | None = None,
        photographs: Photographs | None = None,
    ) -> xr.Dataset:
        """Make the images; meanwhile the study shows the record that `whole` makes of those finished so far.

        With `photographs`, units that stayed silent start once more from the one that excites them most.
        """
        kept: dict[str, Any] = {"study": study if study.keeps else None, "executor": executor}

        def show(now: bool) -> None:
            study.show(lambda: whole(self.record()), self.note, self.layer, now)

        for name, (gallery, _) in self.galleries.items():
            part = f"{self.layer}/{name}"
            gallery.fill(progress, part=part, show=show, **kept)
            if photographs is not None:
                starts = self._from_photographs(gallery, photographs)
                gallery.start_over(starts, progress, part=f"{part}-photograph", **kept)
            if name in self.display:
                self.display[name].fill(progress, part=part, show=show, **kept)
        return self.record()

    @staticmethod
    def _from_photographs(gallery: Gallery, photographs: Photographs) -> dict[Job, torch.Tensor]:
        """For each job whose unit stayed silent, the parameters of the photograph that excites that unit most."""
        silent = [
            job
            for job in gallery.jobs
            if reason(gallery.finished[job], gallery.objective, gallery.recipe) == SILENT
        ]
        if not silent:
            return {}
        canvas = gallery.recipe.canvas
        found = photographs(sorted({job.target for job in silent}), canvas.size)
        return {job: canvas.parameters(found[job.target][None])[0] for job in silent if job.target in found}

    @property
    def note(self) -> str:
        """How far the images are."""
        return "; ".join(f"{name}: {gallery.note}" for name, (gallery, _) in self.galleries.items())

    def record(self) -> xr.Dataset:
        """The record of the images made so far."""
        units, options = self.units, self.options
        made = {
            name: gallery.dataset(names, options.restarts, floats=self.capture is not None)
            for name, (gallery, names) in self.galleries.items()
        }
        if self.capture is not None:
            made = {name: _remeasured(images, self.capture) for name, images in made.items()}
        parts = [_measured(images, units, self.k, self.mean_activation) for images in made.values()]
        columns: dict[str, Any] = {}
        for name, (dims, _) in parts[0].items():
            columns[name] = (("objective", *dims), np.stack([part[name][1] for part in parts]))
        # Units that are alike on the images made so far may differ on the rest.
        if all(gallery.is_full for gallery, _ in self.galleries.values()):
            columns["substitutes"] = (
                ("unit",),
                substitutes(np.concatenate([_patterns(i, units) for i in made.values()])),
            )
        shown = [display.columns(self.capture) for display in self.display.values()]
        for name, (dims, _) in shown[0].items() if shown else ():
            columns[name] = (("objective", *dims), np.stack([part[name][1] for part in shown]))
        if self.responses:
            columns["response"] = _responses(made, units)
        first = next(iter(made.values()))
        objectives = list(self.galleries)
        coords: dict[str, Any] = {
            "objective": np.array(objectives, dtype=object),
            "unit": np.arange(units),
            "checkpoint": [*options.checkpoints, options.steps],
        }
        settings = {**records.settings_of(first), "objectives": objectives, "restarts": options.restarts}
        settings["display_contrast"] = self.contrast
        settings |= {"reduction": "mean", "rectify": True} if self.capture is None else self.capture.settings
        if self.asked is not None:
            settings["asked"] = self.asked
        attrs = records.new_attrs(
            "units", **self.provenance, settings=settings, seed=options.seed, n_images=None, n_vectors=None
        )
        return xr.Dataset(columns, coords, attrs)


def _remeasured(images: xr.Dataset, capture: Capture) -> xr.Dataset:
    """The images with the responses that `capture` finds on them; those that failed keep their NaN."""
    response = images.response.values.copy()
    fine = np.isfinite(response).all(1)
    pictures = torch.from_numpy(images.image_float.values[fine]).permute(0, 3, 1, 2)
    if len(pictures):
        found = [next(iter(capture(part).values())).activations for part in pictures.split(CHUNK)]
        response[fine] = torch.cat(found).numpy()
    return images.drop_vars("image_float").assign(response=(("target", "unit"), response))


def _patterns(images: xr.Dataset, units: int) -> np.ndarray:
    """Responses to the first restart's images, those that failed left out."""
    response = images.response.values[:units]
    return response[np.isfinite(response).all(1)]


def _responses(made: Mapping[str, xr.Dataset], units: int) -> tuple[tuple[str, ...], np.ndarray]:
    response = np.stack([images.response.values[:units] for images in made.values()])
    largest = float(np.nanmax(response, initial=0.0))
    if largest > np.finfo(np.float16).max:
        raise ValueError(
            f"responses reach {largest:.3g}, more than half precision holds (65504); leave responses=False."
        )
    return ("objective", "unit", "other"), response.astype(np.float16)


Columns = dict[str, tuple[tuple[str, ...], np.ndarray]]


def _measured(images: xr.Dataset, units: int, k: int, mean_activation: np.ndarray | None) -> Columns:
    """All that one objective's images tell of each unit."""
    restarts = images.sizes["target"] // units
    response = images.response.values.reshape(restarts, units, units)
    status = images.status.values.reshape(restarts, units)
    # A flat objective, such as IAM among copies of one unit, has any image as its optimum, and therefore an RS.
    made = np.isfinite(response).all(2)
    own = np.einsum("rii->ri", response)
    silent = made & ~(own > 0)
    rs = np.stack([substitution(part) for part in response])
    rs[~made] = np.nan
    columns: Columns = {
        "rendered": (("unit",), made[0]),
        "silent": (("unit",), silent[0]),
        "status": (("unit",), status[0].astype(object)),
        "image": (("unit", "y", "x", "rgb"), images.image.values[:units]),
        "own_response": (("unit",), own[0].astype(np.float32)),
        "rs": (("unit",), mean_of_present(rs)),
        "rs_restarts": (("unit", "restart"), rs.T),
    }
    steps = [rs[0]]
    if "response_checkpoint" in images:
        snapshots = images.response_checkpoint.values[:units]
        earlier = [substitution(snapshots[:, step]) for step in range(snapshots.shape[1])]
        steps = [*(np.where(made[0], values, np.nan).astype(np.float32) for values in earlier), *steps]
    columns["rs_checkpoint"] = (("unit", "checkpoint"), np.stack(steps, 1))
    if mean_activation is not None:
        normalized = np.stack([normalized_substitution(part, mean_activation) for part in response])
        normalized[~made] = np.nan
        columns["rs_normalized"] = (("unit",), mean_of_present(normalized))
    who, how_much = exceeders(np.where(made[0][:, None], response[0], np.nan), k)
    columns["exceeder"] = (("unit", "k"), who)
    columns["exceeder_response"] = (("unit", "k"), how_much)
    return columns
