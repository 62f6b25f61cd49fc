"""Everything about a network's units in one call: one unit record a layer.

In: a model and labelled images. Out: a DataTree of unit records with selectivity and its critics, exemplars, images and
RS, and importance. The data are streamed once for all layers, and once a layer for its ablation. With a store, every
finished layer is kept and a later call goes on where this one stopped.
"""

import copy
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import torch
import xarray as xr
from torch import Tensor, nn

from tunewidgets import records
from tunewidgets.kernels.ablation import ablation as ablate
from tunewidgets.kernels.capture import Capture, Observed
from tunewidgets.kernels.exemplars import Exemplars, with_pictures
from tunewidgets.kernels.labelled import LabelledImages, labelled
from tunewidgets.kernels.selectivity import Selectivity, stream
from tunewidgets.kernels.substitution import representative_substitution
from tunewidgets.kernels.tracing import evaluating
from tunewidgets.kernels.visualize import choose_size


def analyze_units(
    model: nn.Module,
    data: Any,
    layers: Sequence[str] | str | None = None,
    objectives: Sequence[str] = ("am", "iam"),
    ablation: bool = True,
    exemplars: int = 9,
    restarts: int = 1,
    store: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    progress: bool = True,
    *,
    reduction: str = "mean",
    rectify: bool = True,
    critics: bool = True,
    responses: bool = False,
    pictures: int | None = None,
    classes: int | Sequence[str] | None = None,
    ablation_options: dict[str, Any] | None = None,
    steps: int = 128,
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
        None: the output of every activation module.
    objectives : sequence of {"am", "iam"}
        How images are made; empty: none, and no RS.
    ablation : bool, default True
        Whether importance is measured.
    exemplars : int, default 9
        Images of the data a unit, and exceeding units that are listed; 0: no exemplars, 9 exceeding units.
    restarts : int, default 1
        Images a unit and objective.
    store : path, optional
        A `.zarr` folder or `.zarr.zip` file to which every finished layer goes. Run again with the same settings, the
        layers that it holds are not made again.
    executor : concurrent.futures.Executor, optional
        Where the layers' images are made, each on a copy of the model; None: here, one after the other.
    progress : bool, default True
    reduction, rectify
        What a unit's activation on an image is, as of `class_selectivity`, wherever one is measured.
    critics : bool, default True
        Whether selectivity's critics are measured too.
    responses : bool, default False
        Whether every unit's response to every image is kept.
    pictures : int, optional
        Keep the exemplars themselves, this many pixels a side; with images made, it must be their side, as a record
        has one.
    classes : int or sequence of str, optional
    ablation_options : dict, optional
        Options of `tunewidgets.ablation`: `method`, `curves`, `points`, `random_orders`.
    steps, seed
        Of the images.
    preprocess, device
        As of `Probe`.
    **options
        More options of `visualize`, as `representative_substitution` takes them.

    Returns
    -------
    xarray.DataTree
        One whole unit record a layer; its variables are those of `class_selectivity`, `representative_substitution`,
        `ablation` and `exemplars`.

    Raises
    ------
    TypeError, ValueError
        The model, its layers, the data or an option cannot be used, or the store holds records made otherwise.

    Examples
    --------
    >>> import torch, tunewidgets as tw
    >>> data = [(torch.rand(8, 3, 16, 16), torch.arange(8) % 2)]
    >>> tree = tw.analyze_units(tw.zoo.gabor_bank(n=4), data, "relu", ("am",), ablation=False,
    ...                         steps=8, size=16, progress=False)
    >>> sorted(tree["relu"].data_vars)[:4]
    ['auc', 'auc_error', 'class_mean', 'dead']
    """
    if isinstance(exemplars, bool) or not isinstance(exemplars, int) or exemplars < 0:
        raise ValueError(f"exemplars is {exemplars!r}; give how many images a unit, or 0 for none.")
    observed = Observed(model, layers, preprocess, device)
    source = labelled(data, classes, model)
    asked = {
        "objectives": list(objectives),
        "ablation": bool(ablation),
        "exemplars": exemplars,
        "restarts": restarts,
        "reduction": reduction,
        "rectify": rectify,
        "critics": critics,
        "responses": responses,
        "pictures": pictures,
        "steps": steps,
        "seed": seed,
        "data": source.described,
        "ablation_options": _plain(ablation_options or {}),
        "image_options": _plain(options),
    }
    done = _stored(store, observed, asked)
    waiting = [layer for layer in observed.probes if layer not in done]
    if not waiting:
        return records.layer_tree({layer: done[layer] for layer in observed.probes})
    every = list(observed.probes)
    observed = observed.only(waiting)
    if pictures is not None and objectives:
        _check_sides(observed, pictures, options.get("size", "auto"))
    capture = Capture(observed, reduction, rectify, peaks=exemplars > 0)
    # Whatever is said about the model has been said: from here on it is in evaluation mode.
    with evaluating(model):
        streamed = _streamed(capture, source, exemplars, critics, pictures, progress)
        place = {"preprocess": preprocess, "device": device, "progress": progress}
        pending = {
            layer: _images(
                executor,
                model,
                layer,
                objectives,
                mean_activation={layer: part.mean_activation.values},
                restarts=restarts,
                k=exemplars or 9,
                responses=responses,
                **capture.settings,
                steps=steps,
                seed=seed,
                **place,
                **options,
            )
            for layer, part in streamed.items()
            if objectives
        }
        for layer in waiting:
            parts = [streamed[layer]]
            if ablation:
                chosen = {"selectivity": {layer: streamed[layer].selectivity.values}, "seed": seed, **place}
                tree = ablate(observed.model, source, layer, **{**chosen, **(ablation_options or {})})
                parts.append(_only(tree))
            if objectives:
                parts.append(pending[layer]())
            done[layer] = _joined(parts, observed.provenance(layer), source, capture.settings, asked, seed)
            if store is not None:
                records.save_record(records.layer_tree(done), store)
    return records.layer_tree({layer: done[layer] for layer in every})


def _check_sides(observed: Observed, pictures: int, size: int | str) -> None:
    for layer, probe in observed.probes.items():
        side = choose_size(probe, size)
        if side != pictures:
            raise ValueError(
                f"pictures is {pictures} and the images made for layer {layer!r} are {side} px a side, but a record "
                f"has one size; give pictures={side}, or size={pictures}."
            )


def _streamed(
    capture: Capture,
    source: LabelledImages,
    exemplars: int,
    critics: bool,
    pictures: int | None,
    progress: bool,
) -> dict[str, xr.Dataset]:
    """What one pass over the data tells of every layer."""
    selectivity = Selectivity(capture.observed, capture.rectify, k=100 if critics else None)
    shown = Exemplars(capture.observed, exemplars) if exemplars else None
    collectors = [selectivity, shown] if shown else [selectivity]
    stream(capture, source, collectors, progress)
    found = selectivity.datasets(source)
    if shown is None:
        return found
    images = shown.datasets()
    if pictures is not None:
        images = with_pictures(images, source, pictures)
    return {
        layer: xr.merge([part, images[layer]], combine_attrs="drop_conflicts")
        for layer, part in found.items()
    }


def _images(
    executor: Executor | None, model: nn.Module, layer: str, objectives: Sequence[str], **options: Any
) -> Callable[[], xr.Dataset]:
    """The layer's images and RS: promised by the executor, or made when they are asked for."""
    if executor is None:
        return lambda: _only(representative_substitution(model, layer, objectives, **options))
    # Each job has a model of its own: two passes through one would see each other's hooks.
    future = executor.submit(
        representative_substitution, copy.deepcopy(model), layer, objectives, **{**options, "progress": False}
    )
    return lambda: _only(future.result())


def _only(tree: xr.DataTree) -> xr.Dataset:
    """The record of a tree's only layer."""
    (node,) = tree.children.values()
    return node.to_dataset()


def _joined(
    parts: Sequence[xr.Dataset],
    provenance: dict[str, str],
    source: LabelledImages,
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


def _stored(
    store: str | os.PathLike[str] | None, observed: Observed, asked: dict[str, Any]
) -> dict[str, xr.Dataset]:
    """The layers that an earlier call finished."""
    if store is None or not Path(store).expanduser().exists():
        return {}
    tree = records.open_record(store)
    if not isinstance(tree, xr.DataTree):
        raise ValueError(f"{store} holds a record of another kind; give another store.")
    found = {}
    for node in tree.children.values():
        record = node.to_dataset()
        mine = observed.provenance(str(record.attrs["layer"]))
        if record.attrs["model_sha256"] != mine["model_sha256"]:
            raise ValueError(
                f"{store} holds records of a model with other weights; give another store, or remove it."
            )
        earlier = records.settings_of(record).get("asked", {})
        changed = [key for key, value in asked.items() if earlier.get(key) != value]
        if changed:
            key = changed[0]
            raise ValueError(
                f"{store} holds records made with {key}={earlier.get(key)!r}, not {asked[key]!r}; give another store, "
                "or the same settings to go on."
            )
        found[str(record.attrs["layer"])] = record
    return found


def _plain(options: dict[str, Any]) -> dict[str, Any]:
    """Options as JSON can hold them, to compare with those of a record."""
    return {
        name: value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)
        for name, value in sorted(options.items())
    }
