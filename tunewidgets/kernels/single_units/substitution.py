"""Representative substitution: which other units of the layer respond to the image made for a unit.

In: a model and its layers. Out: a DataTree of unit records with each unit's AM and IAM images, RS over restarts and
along the optimization, RS from gain-free activations, the units that exceed it and those that could stand in for it.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from tunewidgets._checks import STEPS, Auto, check_flags
from tunewidgets.kernels.data.identity import without_labels
from tunewidgets.kernels.data.labeled import labeled
from tunewidgets.kernels.network.capture import Capture, Observed, Reduction, check_by_layer
from tunewidgets.kernels.network.on_noise import WITHIN_ELSE, marks_of
from tunewidgets.kernels.optimization.options import checked_steps
from tunewidgets.kernels.single_units.selectivity import Selectivity, stream
from tunewidgets.kernels.single_units.unit_images import (
    BESIDE,
    NOT_SAID,
    ObjectiveName,
    UnitImages,
    check_objectives,
    options_of_units,
)
from tunewidgets.kernels.studies.executors import Executor
from tunewidgets.kernels.studies.marks import MARKS, sketch
from tunewidgets.kernels.studies.store import Study


def representative_substitution(
    model: nn.Module,
    layers: Sequence[str] | str | None = None,
    objectives: Sequence[ObjectiveName] = ("am", "iam"),
    *,
    data: Any = None,
    mean_activation: Mapping[str, np.ndarray] | None = None,
    restarts: int = 1,
    k: int = 9,
    responses: bool = False,
    reduction: Reduction = "mean",
    rectify: bool = True,
    checkpoints: Sequence[int] | Auto = "auto",
    steps: int = STEPS,
    seed: int = 0,
    preprocess: Callable[[Tensor], Tensor] | None = None,
    device: str | torch.device = "auto",
    progress: bool = True,
    store: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    **options: Any,
) -> xr.DataTree:
    """RS of every unit, from one image made for each.

    Eq. 4 of *Understanding the Importance of Single Directions via Representative Substitution*: on the image made for
    unit i, the number of units that respond more strongly than i, over the number of units. High RS means replaceable.
    An image whose unit does not fire on it (`silent`) has no RS.

    Parameters
    ----------
    model : torch.nn.Module
    layers : sequence of str, optional
        None: every activation module's output; in a model without one, every convolution's and linear layer's.
    objectives : sequence of {"am", "iam"}
        How the images are made (eqs. 2 and 3).
    data : iterable, Dataset, DataLoader or zoo source, optional
        Labeled images, as of `class_selectivity`, to measure mean activations on for `rs_normalized`.
    mean_activation : mapping of str to array, optional
        Each layer's mean activations, `(U,)`, where they are known already.
    restarts : int, default 1
        Images per unit and objective, from different starts.
    k : int, default 9
        How many exceeding units are listed.
    responses : bool, default False
        Also keep every unit's response to every image.
    reduction, rectify
        What a unit's activation on an image is, as of `class_selectivity`. The images are always optimized for
        the mean of the map, whatever is measured on them.
    checkpoints : sequence of int or "auto"
        Steps at which RS is measured too; "auto": after an eighth, a quarter and half of them. The last step is always
        measured, and is the only one where `reduction` or `rectify` are not the usual ones.
    steps, seed
        Of the optimization.
    preprocess, device
        As of `Probe`.
    progress : bool, default True
    store : path or URL, optional
        A `.zarr` folder, which can be opened meanwhile, or a `.zarr.zip` file. Every finished chunk goes there, and a
        later call with the same settings and data goes on where this one stopped.
    executor : optional
        Anything with the interface of `concurrent.futures`: its workers make the images, a chunk at a time.
    **options
        More options of `visualize`: `size`, `canvas`, `chunk`, `lr`, `jitter`, `objective_at`, `precision`, `band`. RS
        is defined on the image that maximizes, so the measured image has no bound on contrast; `contrast` bounds the
        second image, for the eye ("auto": 1.2; None: no second image).

    Returns
    -------
    xarray.DataTree
        One unit record per layer with, by `(objective, unit)`: `rendered` (an image was made), `silent` (its unit does
        not fire on it), `status` (empty, or what is wrong with the image), `image` (first restart), `own_response`,
        `rs` (mean over the restarts that have one), `rs_restarts(…, restart)`,
        `rs_checkpoint(…, checkpoint)` of the first restart, `rs_normalized` where mean activations are known,
        `exceeder(…, k)` and `exceeder_response(…, k)` on the first restart's image (-1 and NaN where there are fewer),
        and, on demand, `response(…, other)` in float16; the first restart's image for the eye, `display_image` with
        `display_response`, where `display` says "bounded contrast" (the measured pattern, optimized further for a
        quarter of the steps) or "one position" (`Neuron`, where the measured image is mostly one color); and
        `substitutes(unit)`, how many other units have a response pattern over the layer's images whose cosine with the
        unit's is above .9.

    Raises
    ------
    TypeError, ValueError
        The model, its layers or an option cannot be used, or the store holds records made with other settings.
    RuntimeError, FileExistsError
        Another process is writing to the store, workers kept getting lost, or what is at its path is not a record.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> tree = tw.representative_substitution(
    ...     tw.zoo.gabor_bank(n=4), "relu", ("am",), steps=8, size=16, progress=False)
    >>> tree["relu"].rs.dims, tree["relu"].rs.shape
    (('objective', 'unit'), (1, 4))
    """
    check_flags(responses=responses, rectify=rectify, progress=progress)
    check_objectives(objectives, k)
    images = options_of_units(options, restarts=restarts, steps=steps, seed=seed)
    checkpoints = checkpoints if isinstance(checkpoints, str) else checked_steps(checkpoints, ", or 'auto'")
    observed = Observed(model, layers, preprocess, device)
    first_images = None
    of_data: dict[str, Any] = {}
    check_by_layer("mean_activation", mean_activation)
    if data is not None and mean_activation is None:
        source = labeled(data, None, observed)
        if store is not None:
            first_images, of_data = source.look_of_first(), without_labels(source.marks())
        collector = Selectivity(observed, rectify)
        stream(Capture(observed, reduction, rectify), source, [collector], progress)
        mean_activation = {
            name: part.mean_activation.values for name, part in collector.datasets(source).items()
        }
    asked = {
        "objectives": list(objectives),
        "k": k,
        "responses": responses,
        "reduction": reduction,
        "rectify": rectify,
        "normalized": mean_activation is not None,
        "first_images": first_images,
        "checkpoints": checkpoints,
        **images.key_within(*BESIDE),
    }
    if store is not None:
        for layer, values in (mean_activation or {}).items():
            # The sums' order is another on another machine, and the network's rounding too.
            of_data.setdefault("mean activations", {})[layer] = sketch(torch.as_tensor(values), WITHIN_ELSE)
        asked[MARKS] = {"network": marks_of(observed.probes.values()), "data": of_data}
    study = Study(store, "units", observed.model_sha256 if store is not None else "", asked, NOT_SAID)
    done = study.layers()
    if set(observed.probes) <= set(done):
        study.tidy()
        return study.tree(list(observed.probes), {})
    made: dict[str, xr.Dataset] = {}
    with study:
        for layer in observed.probes:
            if layer in done:
                continue
            of_layer = UnitImages(
                observed,
                layer,
                objectives,
                None if mean_activation is None else mean_activation.get(layer),
                images,
                k=k,
                responses=responses,
                reduction=reduction,
                rectify=rectify,
                checkpoints=checkpoints,
                asked=None if store is None else study.asked_of(layer),
            )
            made[layer] = of_layer.make(study, progress, lambda record: record, executor)
            study.finish(made[layer], layer)
    return study.tree(list(observed.probes), made)
