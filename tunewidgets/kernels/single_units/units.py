"""Everything about a network's units in one call: one unit record per layer.

In: a model and labeled images. Out: a DataTree of unit records with selectivity and its critics, exemplars, images and
RS, and importance. The data are streamed once for all layers, and once per layer for its ablation. With a store, every
finished layer is kept, a later call continues where this one stopped, and what is measured is shown as it comes:
class measures of every layer, then each layer's images, then its importance.
"""

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import xarray as xr
from torch import Tensor, nn

from tunewidgets import records
from tunewidgets._checks import STEPS, Auto, check_flags, check_options, is_whole
from tunewidgets.kernels.data.labeled import LabeledImages, labeled
from tunewidgets.kernels.network.capture import Capture, Observed, Reduction
from tunewidgets.kernels.network.on_noise import marks_of
from tunewidgets.kernels.network.tracing import evaluating
from tunewidgets.kernels.optimization.recipes import choose_size
from tunewidgets.kernels.single_units.ablation import ablation as ablate
from tunewidgets.kernels.single_units.exciting import Exciting
from tunewidgets.kernels.single_units.exemplars import Exemplars, with_pictures
from tunewidgets.kernels.single_units.selectivity import Selectivity, stream
from tunewidgets.kernels.single_units.unit_images import (
    BESIDE,
    NOT_SAID,
    ObjectiveName,
    UnitImages,
    check_objectives,
    options_of_units,
)
from tunewidgets.kernels.studies.executors import Executor, check_executor
from tunewidgets.kernels.studies.marks import MARKS
from tunewidgets.kernels.studies.store import Study, plain


def analyze_units(
    model: nn.Module,
    data: Any,
    layers: Sequence[str] | str | None = None,
    objectives: Sequence[ObjectiveName] = ("am", "iam"),
    ablation: bool = True,
    exemplars: int = 9,
    restarts: int = 1,
    store: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    progress: bool = True,
    *,
    reduction: Reduction = "mean",
    rectify: bool = True,
    critics: bool = True,
    responses: bool = False,
    pictures: int | None = None,
    classes: int | Sequence[str] | None = None,
    ablation_options: dict[str, Any] | None = None,
    steps: int = STEPS,
    seed: int = 0,
    preprocess: Callable[[Tensor], Tensor] | None = None,
    device: str | torch.device = "auto",
    **options: Any,
) -> xr.DataTree:
    """Selectivity, images, RS, importance and exemplars of every unit.

    Paper: *Understanding the Importance of Single Directions via Representative Substitution*.

    Parameters
    ----------
    model : torch.nn.Module
        A classifier, where `ablation` is wanted.
    data : iterable, Dataset, DataLoader or zoo source
        Of `(images, labels)`, as of `class_selectivity`.
    layers : sequence of str, optional
        None: every activation module's output; in a model without one, every convolution's and linear layer's.
    objectives : sequence of {"am", "iam"}
        How images are made; empty: none, and no RS.
    ablation : bool, default True
        Whether importance is measured.
    exemplars : int, default 9
        Images of the data per unit, and how many exceeding units are listed; 0: no exemplars, 9 exceeding units.
    restarts : int, default 1
        Images per unit and objective.
    store : path or URL, optional
        A `.zarr` folder, which can be opened meanwhile, or a `.zarr.zip` file. Everything finished goes there: class
        measures of every layer at once, then of each layer images, a chunk of units at a time, and importance last. A
        later call with the same settings and data continues where this one stopped. The records that are returned are
        then read from there; from a folder, only as they are used.
    executor : optional
        Anything with the interface of `concurrent.futures`, such as `ProcessPoolExecutor`: its workers make the images,
        a chunk at a time, and the model travels to each of them once. None: in this process, one chunk per core.
    progress : bool, default True
    reduction, rectify
        What a unit's activation on an image is, as in `class_selectivity`, wherever one is measured.
    critics : bool, default True
        Whether selectivity's critics are measured too.
    responses : bool, default False
        Whether every unit's response to every image is kept.
    pictures : int, optional
        Keep the exemplars themselves, this many pixels a side; where images are made, this must be their side, since a
        record has only one.
    classes : int or sequence of str, optional
    ablation_options : dict, optional
        Options of `tunewidgets.ablation`: `method`, `curves`, `points`, `random_orders`.
    steps
        Of the images' optimization.
    seed
        Of the images, and of the random orders of ablation.
    preprocess, device
        As of `Probe`.
    **options
        More options of `visualize`, as `representative_substitution` takes them.

    Returns
    -------
    xarray.DataTree
        One whole unit record per layer; its variables are those of `class_selectivity`, `representative_substitution`,
        `ablation` and `exemplars`.

    Raises
    ------
    TypeError, ValueError
        The model, its layers, the data or an option cannot be used, or the store holds records made with other
        settings. Data that shuffle can be used only without exemplars and without a store.
    RuntimeError
        Another process is writing to the store, or workers kept getting lost.
    FileExistsError
        Something that is not a record is at the store's path.

    Examples
    --------
    >>> import torch, tunewidgets as tw
    >>> data = [(torch.rand(8, 3, 16, 16), torch.arange(8) % 2)]
    >>> tree = tw.analyze_units(tw.zoo.gabor_bank(n=4), data, "relu", ("am",), ablation=False,
    ...                         steps=8, size=16, progress=False)
    >>> sorted(tree["relu"].data_vars)[:4]
    ['auc', 'auc_error', 'class_mean', 'dead']
    """
    check_flags(ablation=ablation, progress=progress, rectify=rectify, critics=critics, responses=responses)
    if not is_whole(exemplars, 0):
        raise ValueError(f"exemplars is {exemplars!r}; give how many images per unit, or 0 for none.")
    own = ("model", "data", "layers", "classes", "preprocess", "device", "progress")
    check_options(ablation_options or {}, "ablation_options", ablate, own)
    if executor is not None:
        check_executor(executor)
    if not isinstance(objectives, Sequence) or objectives:
        check_objectives(objectives, exemplars or 9, ", or () for none")
    image_options = options_of_units(options, restarts=restarts, steps=steps, seed=seed)
    observed = Observed(model, layers, preprocess, device)
    source = labeled(data, classes, observed)
    if exemplars or store is not None:
        source.check_order()
    asked = {
        "objectives": list(objectives),
        "ablation": bool(ablation),
        "exemplars": exemplars,
        "reduction": reduction,
        "rectify": rectify,
        "critics": critics,
        "responses": responses,
        "pictures": pictures,
        "data": source.described,
        "first_images": None if store is None else source.look_of_first(),
        "ablation_options": plain(ablation_options or {}),
        **image_options.key_within(*BESIDE),
    }
    if store is not None:
        network = marks_of(observed.probes.values(), whole=bool(ablation))
        asked[MARKS] = {"network": network, "data": source.marks()}
    study = Study(store, "units", observed.model_sha256 if store is not None else "", asked, NOT_SAID)
    done = study.layers()
    waiting = [layer for layer in observed.probes if layer not in done]
    every = list(observed.probes)
    if not waiting:
        study.tidy()
        return study.tree(every, {})
    observed = observed.only(waiting)
    if pictures is not None and objectives:
        _check_sides(observed, pictures, image_options.size)
    capture = Capture(observed, reduction, rectify, peaks=exemplars > 0)
    made: dict[str, xr.Dataset] = {}
    # Any warning about training mode has been given by now, so the model can go to evaluation mode.
    with study, evaluating(model):
        place = {"preprocess": preprocess, "device": device, "progress": progress}

        def joined(layer: str, *parts: xr.Dataset) -> xr.Dataset:
            """A layer's record of these parts."""
            about = observed.provenance(layer), source, capture.settings, study.asked_of(layer), seed
            return _joined(parts, *about)

        streamed = _streamed(study, capture, source, exemplars, critics, pictures, progress, joined)
        for layer in waiting:
            parts = [streamed[layer]]
            if objectives:
                images = UnitImages(
                    observed,
                    layer,
                    objectives,
                    streamed[layer].mean_activation.values,
                    image_options,
                    k=exemplars or 9,
                    responses=responses,
                    **capture.settings,
                )
                exciting = Exciting(capture, source, layer)
                whole = partial(joined, layer, *parts)
                parts.append(images.make(study, progress, whole, executor, exciting))
            if ablation:
                # Last, since it takes longest and images are what a reader opens the store for.
                study.show(partial(joined, layer, *parts), "importance is still to come", layer, now=True)
                chosen = {"selectivity": {layer: streamed[layer].selectivity.values}, "seed": seed, **place}
                tree = ablate(observed.model, source, layer, **{**chosen, **(ablation_options or {})})
                parts.append(_only(tree))
            made[layer] = joined(layer, *parts)
            study.finish(made[layer], layer)
            if study.keeps:
                del made[layer]
    return study.tree(every, made)


def _check_sides(observed: Observed, pictures: int, size: int | Auto) -> None:
    for layer, probe in observed.probes.items():
        side = choose_size(probe, size)
        if side != pictures:
            raise ValueError(
                f"pictures is {pictures} and the images made for layer {layer!r} are {side} px a side, but a record "
                f"has one size; give pictures={side}, or size={pictures}."
            )


def _streamed(
    study: Study,
    capture: Capture,
    source: LabeledImages,
    exemplars: int,
    critics: bool,
    pictures: int | None,
    progress: bool,
    joined: Callable[[str, xr.Dataset], xr.Dataset],
) -> dict[str, xr.Dataset]:
    """What one pass over the data tells about every layer; the study shows it at once, as records of their own."""
    kept = {layer: study.kept(f"{layer}/measures") for layer in capture.observed.probes}
    earlier = {layer: part for layer, part in kept.items() if part is not None}
    if len(earlier) == len(kept):
        source.count = int(next(iter(earlier.values())).attrs["n_images"])
        for part in earlier.values():
            del part.attrs["n_images"]
        return earlier
    selectivity = Selectivity(capture.observed, capture.rectify, k=100 if critics else None)
    shown = Exemplars(capture.observed, exemplars) if exemplars else None
    collectors = [selectivity, shown] if shown else [selectivity]
    stream(capture, source, collectors, progress)
    found = selectivity.datasets(source)
    if shown is not None:
        images = shown.datasets()
        if pictures is not None:
            images = with_pictures(images, source, pictures)
        found = {
            layer: xr.merge([part, images[layer]], combine_attrs="drop_conflicts")
            for layer, part in found.items()
        }
    for layer, part in found.items():
        study.keep(f"{layer}/measures", part.assign_attrs(n_images=source.count))
        study.show(partial(joined, layer, part), "more than class measures is still to come", layer, now=True)
    return found


def _only(tree: xr.DataTree) -> xr.Dataset:
    """The record of a tree's only layer."""
    (node,) = tree.children.values()
    return node.to_dataset()


def _joined(
    parts: Sequence[xr.Dataset],
    provenance: dict[str, str],
    source: LabeledImages,
    measured: dict[str, Any],
    asked: dict[str, Any],
    seed: int,
) -> xr.Dataset:
    """The parts as one whole record."""
    settings: dict[str, Any] = {"asked": asked, "images": source.describe(), **measured}
    for part in parts:
        if "settings" in part.attrs:
            settings = {**records.settings_of(part), **settings}
        else:
            settings |= part.attrs
    bare = [part.drop_attrs() for part in parts]
    return xr.merge(bare, compat="equals", join="exact").assign_attrs(
        records.new_attrs(
            "units", **provenance, settings=settings, seed=seed, n_images=source.count, n_vectors=None
        )
    )
