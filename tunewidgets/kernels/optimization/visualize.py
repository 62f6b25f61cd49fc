"""Feature visualization: an image for each target of an objective.

In: a probe and an objective. Out: a Dataset with the images, the objective's course, the layer's response on the final
images, and for every image that failed the reason.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from torch import Tensor

from tunewidgets._checks import STEPS, Auto
from tunewidgets.kernels.canvas.canvases import CanvasName
from tunewidgets.kernels.canvas.jitter import Jitter
from tunewidgets.kernels.network.blackbox import BlackBox
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.optimization.loop import Optimizer, Precision
from tunewidgets.kernels.optimization.objectives import AnyObjective
from tunewidgets.kernels.optimization.options import ImageOptions, left_out
from tunewidgets.kernels.optimization.recipes import prepare
from tunewidgets.kernels.optimization.scores import Stage
from tunewidgets.kernels.studies.executors import Executor
from tunewidgets.kernels.studies.store import Study
from tunewidgets.records import with_settings


def visualize(
    probe: Probe | Callable[..., Any],
    objective: AnyObjective,
    size: int | Auto = "auto",
    steps: int = STEPS,
    canvas: CanvasName = "fourier",
    restarts: int = 1,
    seed: int = 0,
    chunk: int | Auto = "auto",
    progress: bool = True,
    *,
    optimizer: Optimizer = "adam",
    lr: float | Auto = "auto",
    jitter: Jitter | None = None,
    objective_at: Stage = "leaky",
    checkpoints: Sequence[int] = (),
    precision: Precision = "auto",
    band: float | Auto | None = None,
    contrast: float | Auto | None = "auto",
    floats: bool = False,
    store: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    start: Tensor | np.ndarray | None = None,
    leave: float | None = None,
    importance: bool | None = None,
) -> xr.Dataset:
    """Optimize one image for each target.

    Activation maximization (eqs. 2 and 3 of *Understanding the Importance of Single Directions via Representative
    Substitution*) and directions (eq. 1 of *Identifying and interpreting tuning dimensions in deep networks*).

    Without a gradient, `optimizer="cma"`, images are found by separable CMA-ES over the canvas's parameters: each
    generation draws `chunk` candidates from a normal distribution, and its mean and variances move to where the better
    half scored. It needs answers only, so that the layer may be any function of images, a recorded neuron's included.

    Parameters
    ----------
    probe : Probe, or callable with optimizer="cma"
        The layer; or a black box: from float32 images `(N, 3, H, W)` in [0, 1], an array, to activations `(N, units)`
        or `(N, units, h, w)`. It is asked `chunk` images at a time, one target after the other, in the caller's thread.
    objective : Objective, str or Lucent objective, or a list of strings or of Lucent objectives
        What each image maximizes: `AM`, `IAM`, `Neuron`, `Direction`, their sums and differences, or `"layer:unit"`.
    size : int or "auto", default "auto"
        Side of the images, pixels; "auto" takes the side the model insists on, else twice the receptive field
        within 64 and 224, and one that the model takes where the layer sees all of the image (of a black box: its
        attribute `input_size`, else 64).
    steps : int, default 128
        With "cma" generations.
    canvas : {"fourier", "pixel", "maco"}
        What is moved: the spectrum of decorrelated colors, the pixels, or the spectrum's phases alone, each frequency
        at the magnitude that it has in photographs. "maco" holds no flat color, and is not for "cma".
    restarts : int, default 1
        Images a target from different starts, one restart of all targets after the other along `target`.
    seed : int, default 0
        With the target's name it decides the start and the transformations.
    chunk : int or "auto", default "auto"
        Images that go through the network together. Part of what decides an image's last bits. With "cma" the
        population; "auto" takes 4 + 3 ln(number of parameters).
    progress : bool, default True
        Show a progress bar.
    optimizer : {"adam", "cma"}
        Adam follows the gradient; "cma" needs none, and the package cmaes (`pip install 'tunewidgets[cma]'`).
    lr : float or "auto"
        Adam's step; "auto" takes the objective's own for a run of this many steps, and with `start` a sixteenth of it.
        With "cma" the initial spread of the parameters; "auto" takes 2.
    jitter : Jitter, optional
        Random transformations, `tw.Jitter(shift, scale, turn)`; None takes the default strength (with "cma" none),
        `tw.Jitter(0, 0, 0)` none.
    objective_at : {"leaky", "pre", "post"}
        Where a unit's activation is optimized. "leaky": as it is measured, with every rectifier up to and including
        the layer's own leaking backward, so that a silent start has a gradient too; "pre" and "post": before and
        after the layer's own rectifier, by the exact gradient, for comparison.
    checkpoints : sequence of int
        Steps at which the response is measured too.
    precision : {"auto", "float32", "bfloat16"}
        What the network runs in while images are optimized; measurements are float32 always, as is "cma".
    band : float, "auto" or None
        Highest frequency of the Fourier canvas, cycles per pixel; "auto" measures what the layer can see, by its
        gradient. None takes all of them (with "cma" the lowest, about 600 parameters).
    contrast : float, "auto" or None
        Largest standard deviation of an image's logits, so that it doesn't burn out; "auto" takes 1.2, and no bound for
        a layer that is linear in the image, whose best image has none, with "cma", and with `start`, whose contrast is
        its own. None: no bound, and all there is for "maco", whose contrast is that of photographs.
    floats : bool, default False
        Keep the images before rounding too, as `image_float(target, y, x, rgb)` float32.
    store : path or URL, optional
        A `.zarr` folder, which can be opened meanwhile, or a `.zarr.zip` file. Every finished chunk goes there, and a
        later call with the same settings goes on where this one stopped.
    executor : optional
        Anything with the interface of `concurrent.futures`: its workers make the images, a chunk at a time.
    start : Tensor or ndarray, optional
        An image to go on from, `(3, H, W)` for all targets or `(N, 3, H, W)`, one for each; in [0, 1], resized on the
        short side and center-cropped. Restarts differ by their transformations alone. On "maco" the image keeps its
        phases, at the magnitudes of photographs.
    leave : float, optional
        How far an image may leave its start: the largest distance of the layer's rectified activations from those on
        the start, relative to the norm of these. On the way it costs to go farther, under the same transformation; the
        finished image is brought back to within the bound. None: no bound.
    importance : bool, optional
        Whether to keep what each pixel had to do with the objective; None keeps it for "maco".

    Returns
    -------
    xarray.Dataset
        `image(target, y, x, rgb)` uint8; `value(target, step)` float32, the objective on the transformed images (with
        "cma" the best of each generation);
        `response(target, unit)` float32, every unit's activation on the final image;
        `status(target)` str, empty or why the image says nothing; with checkpoints
        `response_checkpoint(target, checkpoint, unit)`; with importance `importance(target, y, x)` float32, the size of
        the gradient of what is maximized to the untransformed image, summed over colors and steps; with a start
        `distance(target)` float32, as `leave` counts it, of the finished image from its start as the canvas shows
        that. Coordinates say each target's `goal` (its place in the objective), `restart` and, for units, `own_unit`.
        Settings are in `attrs`.

    Raises
    ------
    ValueError, TypeError
        A target that the layer does not have, or an option outside its range; a start that is no image in [0, 1], or
        not one for each target; `leave` without a start; a function without optimizer="cma", or one that answers with
        something else; a store with images made otherwise.
    ImportError
        "cma" without the package cmaes.
    RuntimeError
        Another process is writing to the store, inference mode is on, or workers were lost again and again.
    FileExistsError
        Something that is no record is at the store's path.

    References
    ----------
    Hansen and Ostermeier, *Completely derandomized self-adaptation in evolution strategies* (2001); Ros and Hansen, *A
    simple modification in CMA-ES achieving linear time and space complexity* (2008). Images evolved for neurons: Ponce
    et al., *Evolving images for visual neurons using a deep generative network* (2019). "maco" and importance: Fel et
    al., *Unlocking feature visualization for deeper networks with magnitude constrained optimization* (2023). Images to
    go on from: Hamblin et al., *Feature accentuation: revealing 'what' features respond to in natural images* (2024).

    Examples
    --------
    >>> import tunewidgets as tw
    >>> probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")
    >>> made = tw.visualize(probe, tw.AM([0, 5]), size=32, steps=8, progress=False)
    >>> made.image.shape, made.status.values.tolist()
    ((2, 32, 32, 3), ['', ''])

    What unit 5 would have more of in a photograph, without leaving it by more than half:

    >>> photograph = tw.zoo.images("photos", size=32)[0]
    >>> made = tw.visualize(probe, tw.AM([5]), size=32, steps=8, start=photograph, leave=0.5, progress=False)
    >>> bool(made.distance <= 0.5), bool(made.value[0, -1] > made.value[0, 0])
    (True, True)

    Of a black box, here one that answers to redness:

    >>> def redness(images):
    ...     return images[:, :1].mean((2, 3)) - images[:, 1:].mean((1, 2, 3))[:, None]
    >>> made = tw.visualize(redness, tw.AM([0]), size=8, steps=30, optimizer="cma", progress=False)
    >>> made.status.item(), bool(made.value[0, -1] > made.value[0, 0])
    ('', True)
    """
    options = ImageOptions(
        size=size,
        steps=steps,
        canvas=canvas,
        restarts=restarts,
        seed=seed,
        chunk=chunk,
        optimizer=optimizer,
        lr=lr,
        jitter=jitter,
        objective_at=objective_at,
        checkpoints=checkpoints,
        precision=precision,
        band=band,
        contrast=contrast,
        floats=floats,
        start=start,
        leave=leave,
        importance=importance,
    )
    if isinstance(probe, Probe):
        gallery, names = prepare(probe, objective, options)
    else:
        probe = _black_box(probe, options, executor)
        gallery, names = prepare(probe, objective, replace(options, size="auto"))
    asked = {"layer": probe.layer, "objective": gallery.objective.identity(), **options.key()}
    study = Study(
        store,
        "images",
        probe.provenance()["model_sha256"] if store is not None else "",
        asked,
        left_out("optimizer", "start", "leave", "importance"),
    )
    if (earlier := study.record()) is not None:
        return earlier

    def record() -> xr.Dataset:
        made = gallery.dataset(names, restarts, floats)
        return made if store is None else with_settings(made, asked=study.asked)

    with study:
        gallery.fill(
            progress,
            study=None if store is None else study,
            show=lambda now: study.show(record, gallery.note, now=now),
            executor=executor,
        )
        made = record()
        study.finish(made)
    return made


def _black_box(function: Callable[..., Any], options: ImageOptions, executor: Executor | None) -> BlackBox:
    """A function as a probe, if what is asked can be had without a gradient."""
    box = BlackBox(function, options.size)
    if options.optimizer != "cma":
        raise ValueError(
            f"a function has no gradient for optimizer={options.optimizer!r} to follow; give optimizer='cma', or a "
            "network and a layer as tw.Probe(model, layer)."
        )
    if options.band == "auto":
        raise ValueError(
            "band='auto' is measured by the gradient, which a function has not; give a frequency in cycles per pixel, "
            "or None for the lowest."
        )
    if executor is not None:
        raise ValueError(
            "a function is asked in this process, for what it stands for may be in one place only; leave out "
            "executor, or give a network and a layer as tw.Probe(model, layer)."
        )
    return box
