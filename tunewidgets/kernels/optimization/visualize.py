"""Feature visualization: an image for each target of an objective.

In: a probe and an objective. Out: a Dataset with the images, the objective by step, the layer's responses to the final
images, and the reason for every image that failed.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from torch import Tensor

from tunewidgets._checks import STEPS, Auto, check_flags
from tunewidgets.kernels.canvas.canvases import CanvasName
from tunewidgets.kernels.canvas.jitter import Jitter
from tunewidgets.kernels.network.blackbox import BlackBox
from tunewidgets.kernels.network.on_noise import marks_of
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.optimization.loop import Optimizer, Precision
from tunewidgets.kernels.optimization.objectives import AnyObjective
from tunewidgets.kernels.optimization.options import ImageOptions, left_out
from tunewidgets.kernels.optimization.recipes import prepare
from tunewidgets.kernels.optimization.scores import Stage
from tunewidgets.kernels.studies.executors import Executor
from tunewidgets.kernels.studies.marks import MARKS
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
    half scored. It needs no more than responses, so the layer may be any function of images, even a recorded neuron.

    Parameters
    ----------
    probe : Probe, or callable with optimizer="cma"
        The layer; or a black box: a function from float32 images `(N, 3, H, W)` in [0, 1], an array, to activations
        `(N, units)` or `(N, units, h, w)`. It is called with `chunk` images at a time, one target after the other, in
        the caller's thread.
    objective : Objective, str or Lucent objective, or a list of strings or of Lucent objectives
        What each image maximizes: `AM`, `IAM`, `Neuron`, `Direction`, their sums and differences, or `"layer:unit"`.
    size : int or "auto", default "auto"
        Side of the images, pixels; "auto" takes the side that the model requires, else twice the receptive field
        (between 64 and 224), or a side that the model accepts if the layer sees the whole image (for a black box: its
        attribute `input_size`, else 64).
    steps : int, default 128
        Steps of the optimization; with "cma", generations.
    canvas : {"fourier", "pixel", "maco"}
        What is optimized: the spectrum of decorrelated colors, the pixels, or the spectrum's phases alone, with each
        frequency at the magnitude that it has in photographs. "maco" can't hold a flat color or be used with "cma".
    restarts : int, default 1
        Images per target, from different starts. Along `target`, each restart of all targets follows the one before.
    seed : int, default 0
        Together with the target's name, it decides the start and the transformations. On a CPU the same call gives the
        same images, bit for bit; on a GPU under `torch.use_deterministic_algorithms(True)`, or as `tunewidgets.check`
        says.
    chunk : int or "auto", default "auto"
        Images that go through the network together, which influences an image's last bits. With "cma", the population
        size; "auto" takes 4 + 3 ln(number of parameters).
    progress : bool, default True
        Show a progress bar.
    optimizer : {"adam", "cma"}
        Adam follows the gradient; "cma" needs none, and the package cmaes (`pip install 'tunewidgets[cma]'`).
    lr : float or "auto"
        Adam's step size; "auto" takes the objective's own for a run of this many steps, and a sixteenth of it with
        `start`. With "cma", the initial spread of the parameters; "auto" takes 2.
    jitter : Jitter, optional
        Random transformations, `tw.Jitter(shift, scale, turn)`; None takes the default strength (with "cma", no
        transformations), and `tw.Jitter(0, 0, 0)` turns them off.
    objective_at : {"leaky", "pre", "post"}
        Where a unit's activation is optimized. "leaky": as it is measured, with every rectifier up to and including
        the layer's own leaking backward, so that a silent start has a gradient too; "pre" and "post": before and
        after the layer's own rectifier, by the exact gradient, for comparison.
    checkpoints : sequence of int
        Steps after which the response is also measured.
    precision : {"auto", "float32", "bfloat16"}
        What the network runs in while images are optimized; measurements are always float32, as is "cma", which
        refuses "bfloat16".
    band : float, "auto" or None
        Highest frequency of the canvas, cycles per pixel; "auto" measures, by the gradient, what the layer can see.
        None keeps all frequencies (with "cma", the lowest: about 600 parameters). "pixel" has none and takes no number.
    contrast : float, "auto" or None
        Largest standard deviation of an image's logits, which keeps it from burning out; "auto" takes 1.2, but no bound
        for a layer that is linear in the image (whose best image has no finite contrast), with "cma", or with `start`
        (an image keeps its own contrast). None: no bound. "maco", whose contrast is that of photographs, takes no
        number.
    floats : bool, default False
        Keep the images before rounding too, as `image_float(target, y, x, rgb)` float32.
    store : path or URL, optional
        A `.zarr` folder, which can be opened during the run, or a `.zarr.zip` file. Every finished chunk is kept there,
        and a later call with the same settings continues where this one stopped.
    executor : optional
        Anything with the interface of `concurrent.futures`: its workers make the images, a chunk at a time.
    start : Tensor or ndarray, optional
        An image to start from, `(3, H, W)` for all targets or `(N, 3, H, W)`, one for each; in [0, 1], resized on the
        short side and center-cropped. Restarts differ in their transformations alone. On "maco" the image keeps its
        phases, with the magnitudes of photographs.
    leave : float, optional
        How far an image may move from its start: the largest distance of the layer's rectified activations from those
        on the start, relative to the norm of the latter. During the run, moving farther (both under the same
        transformation) lowers the score; the finished image is brought back within the bound. None: no bound.
    importance : bool, optional
        Whether to keep how much each pixel mattered to the objective; None keeps it for "maco".

    Returns
    -------
    xarray.Dataset
        `image(target, y, x, rgb)` uint8; `value(target, step)` float32, the objective on the transformed images (with
        "cma", the best of each generation);
        `response(target, unit)` float32, every unit's activation on the final image;
        `status(target)` str, empty or why the image shows nothing; with checkpoints
        `response_checkpoint(target, checkpoint, unit)`; with importance, `importance(target, y, x)` float32, the
        magnitude of the gradient of what is maximized with respect to the untransformed image, summed over colors and
        steps; with a start, `distance(target)` float32, as `leave` measures it, of the finished image from its start as
        the canvas shows it. Coordinates give each target's `goal` (its place in the objective), `restart` and, for
        units, `own_unit`. Settings are in `attrs`.

    Raises
    ------
    ValueError, TypeError
        A target that the layer does not have, or an option outside its range; a start that is not an image in [0, 1],
        or not one for each target; `leave` without a start; a function without optimizer="cma", or one that returns
        something else; a store whose images were made with other settings.
    ImportError
        "cma" without the package cmaes.
    MemoryError
        There is not enough memory for an image of this size.
    RuntimeError
        Another process is writing to the store, inference mode is on, or workers were lost again and again.
    FileExistsError
        Something other than a record is at the store's path.

    References
    ----------
    Hansen and Ostermeier, *Completely derandomized self-adaptation in evolution strategies* (2001); Ros and Hansen, *A
    simple modification in CMA-ES achieving linear time and space complexity* (2008). Images evolved for neurons: Ponce
    et al., *Evolving images for visual neurons using a deep generative network* (2019). "maco" and importance: Fel et
    al., *Unlocking feature visualization for deeper networks with magnitude constrained optimization* (2023). Images to
    start from: Hamblin et al., *Feature accentuation: revealing 'what' features respond to in natural images* (2024).

    Examples
    --------
    >>> import tunewidgets as tw
    >>> probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")
    >>> made = tw.visualize(probe, tw.AM([0, 5]), size=32, steps=8, progress=False)
    >>> made.image.shape, made.status.values.tolist()
    ((2, 32, 32, 3), ['', ''])

    A photograph, changed toward what unit 5 responds to, at a distance of at most one half:

    >>> photograph = tw.zoo.images("photos", size=32)[0]
    >>> made = tw.visualize(probe, tw.AM([5]), size=32, steps=8, start=photograph, leave=0.5, progress=False)
    >>> bool(made.distance <= 0.5), bool(made.value[0, -1] > made.value[0, 0])
    (True, True)

    A black box, here one that returns how red an image is:

    >>> def redness(images):
    ...     return images[:, :1].mean((2, 3)) - images[:, 1:].mean((1, 2, 3))[:, None]
    >>> made = tw.visualize(redness, tw.AM([0]), size=8, steps=30, optimizer="cma", progress=False)
    >>> made.status.item(), bool(made.value[0, -1] > made.value[0, 0])
    ('', True)
    """
    check_flags(progress=progress, floats=floats, importance=importance)
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
    if store is not None and not isinstance(probe, BlackBox):
        asked[MARKS] = {"network": marks_of([probe])}
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
    """A function as a probe, if the options can do without a gradient."""
    box = BlackBox(function, options.size)
    if options.optimizer != "cma":
        raise ValueError(
            f"a function has no gradient for optimizer={options.optimizer!r} to follow; give optimizer='cma', or a "
            "network and a layer as tw.Probe(model, layer)."
        )
    if options.band == "auto":
        raise ValueError(
            "band='auto' is measured by the gradient, and a function has none; give a frequency in cycles per pixel, "
            "or None for the lowest."
        )
    if executor is not None:
        raise ValueError(
            "a function is called in this process alone, since what it stands for may exist only here; leave out "
            "executor, or give a network and a layer as tw.Probe(model, layer)."
        )
    return box
