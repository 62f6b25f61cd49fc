"""Representative substitution: who else in the layer answers to the image made for a unit.

In: a model and its layers. Out: a DataTree of unit records with each unit's AM and IAM images, RS over restarts and
along the optimization, RS by gain-free activations, the units that exceed it and those that could stand in for it.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from tunewidgets import records
from tunewidgets._numbers import is_whole
from tunewidgets.kernels.capture import Capture, Observed
from tunewidgets.kernels.labelled import labelled
from tunewidgets.kernels.objectives import AM, IAM
from tunewidgets.kernels.probe import Probe, fingerprint
from tunewidgets.kernels.recipes import prepare
from tunewidgets.kernels.selectivity import CHUNK, Selectivity, stream
from tunewidgets.kernels.store import Study, plain
from tunewidgets.kernels.substitution_measures import (
    exceeders,
    mean_of_present,
    normalized_substitution,
    substitutes,
    substitution,
)

OBJECTIVES = {"am": AM, "iam": IAM}


def representative_substitution(
    model: nn.Module,
    layers: Sequence[str] | str | None = None,
    objectives: Sequence[str] = ("am", "iam"),
    *,
    data: Any = None,
    mean_activation: Mapping[str, np.ndarray] | None = None,
    restarts: int = 1,
    k: int = 9,
    responses: bool = False,
    reduction: str = "mean",
    rectify: bool = True,
    checkpoints: Sequence[int] | str = "auto",
    steps: int = 128,
    seed: int = 0,
    preprocess: Callable[[Tensor], Tensor] | None = None,
    device: str | torch.device = "auto",
    progress: bool = True,
    store: str | os.PathLike[str] | None = None,
    executor: Any = None,
    **options: Any,
) -> xr.DataTree:
    """RS of every unit, from an image made for each.

    Eq. 4 of *Understanding the Importance of Single Directions via Representative Substitution*: on the image made for
    unit i, the number of units that answer more strongly than i, over the number of units. High RS means replaceable.
    An image whose unit does not fire on it (`silent`) has no RS.

    Parameters
    ----------
    model : torch.nn.Module
    layers : sequence of str, optional
        None: the output of every activation module.
    objectives : sequence of {"am", "iam"}
        How the images are made (eqs. 2 and 3).
    data : iterable, Dataset, DataLoader or zoo source, optional
        Labelled images, as of `class_selectivity`, to measure mean activations on for `rs_normalized`.
    mean_activation : mapping of str to array, optional
        Each layer's mean activations, `(U,)`, where they are known already.
    restarts : int, default 1
        Images a unit and objective, from different starts.
    k : int, default 9
        How many exceeding units are listed.
    responses : bool, default False
        Also keep every unit's response to every image.
    reduction, rectify
        What a unit's activation on an image is, as of `class_selectivity`. The images are optimized for the mean of
        the map whatever is measured on them.
    checkpoints : sequence of int or "auto"
        Steps at which RS is measured too; "auto": an eighth, a quarter and half of them. The last step always is, and
        alone where `reduction` or `rectify` are not the usual ones.
    steps, seed
        Of the optimization.
    preprocess, device
        As of `Probe`.
    progress : bool, default True
    store : path or URL, optional
        A `.zarr` folder to which every finished chunk goes, so that the record can be opened meanwhile and a later call
        with the same settings goes on where this one stopped.
    executor : optional
        Anything with the interface of `concurrent.futures`: its workers make the images, a chunk at a time.
    **options
        More options of `visualize`: `size`, `canvas`, `chunk`, `lr`, `jitter`, `objective_at`, `precision`, `band`.

    Returns
    -------
    xarray.DataTree
        A unit record a layer with, by `(objective, unit)`: `rendered` (an image was made), `silent` (its unit does not
        fire on it), `status` (empty, or what is wrong with the image), `image` (first restart), `own_response`,
        `rs` (mean over the restarts that have one), `rs_restarts(…, restart)`,
        `rs_checkpoint(…, checkpoint)` of the first restart, `rs_normalized` where mean activations are known,
        `exceeder(…, k)` and `exceeder_response(…, k)` on the first restart's image (-1 and NaN where there are fewer),
        `response(…, other)` float16 on demand; and `substitutes(unit)`, how many other units' response patterns over
        the layer's images have a cosine above .9 with the unit's.

    Raises
    ------
    TypeError, ValueError
        The model, its layers or an option cannot be used, or the store holds records made otherwise; said in one
        sentence.
    RuntimeError
        Another process is writing to the store.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> tree = tw.representative_substitution(
    ...     tw.zoo.gabor_bank(n=4), "relu", ("am",), steps=8, size=16, progress=False)
    >>> tree["relu"].rs.dims, tree["relu"].rs.shape
    (('objective', 'unit'), (1, 4))
    """
    check_options(objectives, k, options)
    observed = Observed(model, layers, preprocess, device)
    if data is not None and mean_activation is None:
        source = labelled(data, None, model)
        collector = Selectivity(observed, rectify)
        stream(Capture(observed, reduction, rectify), source, [collector], progress)
        mean_activation = {
            name: part.mean_activation.values for name, part in collector.datasets(source).items()
        }
    asked = {
        "objectives": list(objectives),
        "restarts": restarts,
        "k": k,
        "responses": responses,
        "reduction": reduction,
        "rectify": rectify,
        "steps": steps,
        "seed": seed,
        "normalized": mean_activation is not None,
        "image_options": plain(options),
    }
    asked["checkpoints"] = checkpoints if isinstance(checkpoints, str) else list(checkpoints)
    study = Study(store, "units", fingerprint(model) if store is not None else "", asked)
    done = study.layers()
    if set(observed.probes) <= set(done):
        study.tidy()
        return study.tree(list(observed.probes), {})
    made: dict[str, xr.Dataset] = {}
    with study:
        for layer in observed.probes:
            if layer in done:
                continue
            images = unit_images(
                observed,
                layer,
                objectives,
                None if mean_activation is None else mean_activation.get(layer),
                k=k,
                responses=responses,
                reduction=reduction,
                rectify=rectify,
                checkpoints=checkpoints,
                asked=None if store is None else study.asked,
                restarts=restarts,
                steps=steps,
                seed=seed,
                **options,
            )
            made[layer] = images.make(study, progress, lambda record: record, executor)
            study.finish(made[layer], layer)
    return study.tree(list(observed.probes), made)


def check_options(objectives: Sequence[str], k: int, options: Mapping[str, Any]) -> None:
    """Raise an error of one sentence for what `representative_substitution` can't be asked."""
    unknown = [name for name in objectives if name not in OBJECTIVES]
    if isinstance(objectives, str) or unknown or not objectives or len(set(objectives)) < len(objectives):
        raise ValueError(f"objectives is {objectives!r}; give one or both of ('am', 'iam').")
    if not is_whole(k, 1):
        raise ValueError(f"k is {k!r}; give a whole number of at least 1.")
    known = {"size", "canvas", "chunk", "lr", "jitter", "objective_at", "precision", "band"}
    for name in options:
        if name not in known:
            raise TypeError(
                f"there is no option {name!r}; those of the images are {', '.join(sorted(known))}."
            )


def _checkpoints(checkpoints: Sequence[int] | str, steps: int, usual: bool) -> list[int]:
    if isinstance(checkpoints, str):
        if checkpoints != "auto":
            raise ValueError(f"checkpoints is {checkpoints!r}; give steps, or 'auto'.")
        if not usual:
            return []
        checkpoints = [steps // 8, steps // 4, steps // 2]
        return sorted({step for step in checkpoints if 0 < step < steps})
    earlier = sorted({int(step) for step in checkpoints} - {steps})
    if earlier and not usual:
        raise ValueError(
            f"checkpoints asks for step {earlier[0]}, where rectified means alone are measured; leave it out, or use "
            "reduction='mean' and rectify=True."
        )
    return earlier


def unit_images(
    observed: Observed,
    layer: str,
    objectives: Sequence[str],
    mean_activation: np.ndarray | None,
    *,
    k: int,
    responses: bool,
    reduction: str,
    rectify: bool,
    checkpoints: Sequence[int] | str = "auto",
    asked: Mapping[str, Any] | None = None,
    **options: Any,
) -> "UnitImages":
    """The images of one layer's units, still to be made; the options are those of `representative_substitution`."""
    usual = (reduction, rectify) == ("mean", True)
    return UnitImages(
        observed.probes[layer],
        objectives,
        k,
        responses,
        mean_activation,
        observed.provenance(layer),
        None if usual else Capture(observed.only([layer]), reduction, rectify),
        asked,
        checkpoints=_checkpoints(checkpoints, options["steps"], usual),
        **options,
    )


class UnitImages:
    """The images of one layer's units, and the part of its record that they tell; `options` are those of `visualize`.

    `capture` measures the layer on the finished images; None leaves that to `visualize`, which measures as usual.
    """

    def __init__(
        self,
        probe: Probe,
        objectives: Sequence[str],
        k: int,
        responses: bool,
        mean_activation: np.ndarray | None,
        provenance: dict[str, str],
        capture: Capture | None = None,
        asked: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        units = probe.units
        if mean_activation is not None and np.shape(mean_activation) != (units,):
            raise ValueError(
                f"mean_activation has shape {np.shape(mean_activation)} for layer {probe.layer!r}; give ({units},), "
                "one value a unit."
            )
        self.layer, self.units, self.k, self.responses = probe.layer, units, k, responses
        self.mean_activation, self.provenance, self.capture = mean_activation, provenance, capture
        self.asked, self.options = asked, options
        defaults = {"size": "auto", "canvas": "fourier", "chunk": "auto"}
        self.galleries = {
            name: prepare(probe, OBJECTIVES[name](range(units)), **{**defaults, **options})
            for name in objectives
        }

    def make(
        self,
        study: Study,
        progress: bool,
        whole: Callable[[xr.Dataset], xr.Dataset],
        executor: Any = None,
    ) -> xr.Dataset:
        """Make the images; meanwhile the study shows the record that `whole` makes of what there is."""
        for name, (gallery, _) in self.galleries.items():
            gallery.fill(
                progress,
                study=study if study.keeps else None,
                part=f"{self.layer}/{name}",
                show=lambda now: study.show(lambda: whole(self.record()), self.note, self.layer, now),
                executor=executor,
            )
        return self.record()

    @property
    def note(self) -> str:
        """How far the images are."""
        return "; ".join(f"{name}: {gallery.note}" for name, (gallery, _) in self.galleries.items())

    def record(self) -> xr.Dataset:
        """What the images that there are tell."""
        units, options = self.units, self.options
        made = {
            name: gallery.dataset(names, options["restarts"], floats=self.capture is not None)
            for name, (gallery, names) in self.galleries.items()
        }
        if self.capture is not None:
            made = {name: _remeasured(images, self.capture) for name, images in made.items()}
        parts = [_measured(images, units, self.k, self.mean_activation) for images in made.values()]
        columns: dict[str, Any] = {}
        for name, (dims, _) in parts[0].items():
            columns[name] = (("objective", *dims), np.stack([part[name][1] for part in parts]))
        # Alike on the images made so far is not alike.
        if all(gallery.is_full for gallery, _ in self.galleries.values()):
            columns["substitutes"] = (
                ("unit",),
                substitutes(np.concatenate([_patterns(i, units) for i in made.values()])),
            )
        if self.responses:
            columns["response"] = _responses(made, units)
        first = next(iter(made.values()))
        objectives = list(self.galleries)
        coords: dict[str, Any] = {
            "objective": np.array(objectives, dtype=object),
            "unit": np.arange(units),
            "checkpoint": [*options["checkpoints"], options["steps"]],
        }
        settings = {**records.settings_of(first), "objectives": objectives, "restarts": options["restarts"]}
        settings |= {"reduction": "mean", "rectify": True} if self.capture is None else self.capture.settings
        if self.asked is not None:
            settings["asked"] = self.asked
        attrs = records.new_attrs(
            "units", **self.provenance, settings=settings, seed=options["seed"], n_images=None, n_vectors=None
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
    """Everything that one objective's images tell, by unit."""
    restarts = images.sizes["target"] // units
    response = images.response.values.reshape(restarts, units, units)
    status = images.status.values.reshape(restarts, units)
    # An objective that is flat, as IAM is among copies of one unit, has any image as its optimum, and so an RS.
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
