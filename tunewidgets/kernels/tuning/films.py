"""Films: one image for each point along each tuning dimension of a layer.

In: a probe and fitted dimensions (with the activations they were fitted on, for the range of each coordinate). Out: a
film record. Paper B, section 3.3 (*Identifying and interpreting tuning dimensions in deep networks*).
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import xarray as xr

from tunewidgets import records
from tunewidgets._checks import STEPS, Auto, check_flags, is_whole
from tunewidgets.kernels.canvas.canvases import CanvasName
from tunewidgets.kernels.canvas.jitter import Jitter
from tunewidgets.kernels.network.on_noise import marks_of
from tunewidgets.kernels.network.probe import Probe, check_is_probe
from tunewidgets.kernels.network.tracing import check_mode, evaluating
from tunewidgets.kernels.optimization.contrast import linearity
from tunewidgets.kernels.optimization.directions import PLACES, At, Direction, Mode, check_mode_name, cosine
from tunewidgets.kernels.optimization.gallery import Gallery, recipe_settings, to_uint8
from tunewidgets.kernels.optimization.loop import Job, Precision
from tunewidgets.kernels.optimization.options import ImageOptions, left_out
from tunewidgets.kernels.optimization.recipes import choose_canvas, choose_size, make_recipe
from tunewidgets.kernels.optimization.scores import checked_place, position
from tunewidgets.kernels.studies.executors import Executor
from tunewidgets.kernels.studies.marks import MARKS
from tunewidgets.kernels.studies.store import Study
from tunewidgets.kernels.tuning.dimensions import TuningDimensions
from tunewidgets.kernels.tuning.places import check_source
from tunewidgets.kernels.tuning.points import OTHERS, SAMPLINGS, Others, Points, Sampling, place_points

CONSTANT = "constant direction: every point along this dimension asks for the same image; hold the others at the mean"
# Images that start from one structure stay alike along a film; from near gray each finds its own.
START_NOISE = 0.1
# Largest distance between unit targets that still counts as one direction.
SAME_DIRECTION = 1e-4
INTERRUPTED = "not made: interrupted before this dimension was finished; render it again"
NOT_YET = "not made yet: run the study again to go on with it"
# Options of images that a film's caller does not choose, and that older stores do not name.
NOT_SAID = ("restarts", "objective_at", "checkpoints", "optimizer", "floats", "start", "leave", "importance")
EMPTY = "no direction: no point along this dimension asks any unit to respond"


def render_film(
    probe: Probe,
    dimensions: TuningDimensions,
    points: int = 32,
    sampling: Sampling = "arc",
    mode: Mode = "dot_cosine",
    others: Others = "mean",
    at: At = "everywhere",
    size: int | Auto = "auto",
    steps: int = STEPS,
    seed: int = 0,
    *,
    only: Sequence[int] | None = None,
    canvas: CanvasName = "fourier",
    band: float | Auto | None = "auto",
    contrast: float | Auto | None = "auto",
    jitter: Jitter | None = None,
    lr: float | Auto = "auto",
    precision: Precision = "auto",
    chunk: int | Auto = "auto",
    progress: bool = True,
    store: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
) -> xr.Dataset:
    """Optimize an image for each point along each tuning dimension.

    Eq. 1 of *Identifying and interpreting tuning dimensions in deep networks*. All points of a dimension start from
    one image and go through the same random transformations, so that the image changes because the point moved.

    Parameters
    ----------
    probe : Probe
        The layer that the dimensions were fitted on.
    dimensions : TuningDimensions
        Fitted on that layer's activations.
    points : int, default 32
        Points along each dimension.
    sampling : {"arc", "uniform", "quantile"}, default "arc"
        "uniform": equal steps between the observed minimum and maximum (the paper's); "quantile": equal shares of the
        data (the paper's A.1); "arc": equal steps of the angle of the target vector. A sparse code goes from 0 to its
        99.9% quantile.
    mode : {"dot_cosine", "cosine"}, default "dot_cosine"
        See `Direction`; "cosine" is the paper's.
    others : {"mean", "zero"}, default "mean"
        Where the other dimensions are held.
    at : "everywhere", "center" or (int, int), default "everywhere"
        Which positions of the layer's map should respond.
    jitter : Jitter, optional
        Random transformations; None shifts over the whole image to the end, so that the images are seamless tiles
        (with `at` a position, the weak shifts of `visualize`).
    size, steps, seed, canvas, contrast, lr, precision, chunk, progress
        As in `visualize`; "auto" chooses the chunk for the points of one dimension, so that its images do not depend
        on which others are rendered.
    band : float, "auto" or None, default "auto"
        As in `visualize`, where the default is None.
    only : sequence of int, optional
        The dimensions to render; None renders all.
    store : path or URL, optional
        A `.zarr` folder, which can be opened meanwhile, or a `.zarr.zip` file. Every finished chunk goes there, and a
        later call with the same settings continues where this one stopped.
    executor : optional
        Anything with the interface of `concurrent.futures`: its workers make the images, a chunk at a time.

    Returns
    -------
    xarray.Dataset
        A film record: by `(dimension, point)` `coordinate`, `quantile` (the share of the data strictly below it),
        `target` (…, unit), `image` (…, y, x, rgb) uint8 and `cosine`, as reached; by dimension `histogram` and
        `bin_edge` of the data's coordinates, `explained_variance`, `status`, `label` and `suggested_label`, both empty;
        and, for all methods but LLE, the linear fit `component`, `unmixing`, `center` with `unit_mask`. A dimension
        that cannot be shown has the reason in `status`, NaN as `cosine` and a black `image`.

    Raises
    ------
    ValueError, TypeError
        Dimensions that are not fitted or belong to another layer; an option outside its range; a store with a film made
        with other settings.
    RuntimeError
        Another process is writing to the store, inference mode is on, or workers kept getting lost.
    FileExistsError
        Something that is not a record is at the store's path.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")
    >>> scenes = tw.zoo.images("dead-leaves", n=8, size=64)
    >>> sample = tw.sample_activations(probe, scenes, n=2000)
    >>> dims = tw.TuningDimensions("pca", 2).fit(sample)
    >>> film = tw.render_film(probe, dims, points=3, size=32, steps=4, progress=False)
    >>> film.image.shape
    (2, 3, 32, 32, 3)
    """
    check_flags(progress=progress)
    options = ImageOptions(
        size=size,
        steps=steps,
        canvas=canvas,
        seed=seed,
        chunk=chunk,
        lr=lr,
        jitter=jitter,
        precision=precision,
        band=band,
        contrast=contrast,
        importance=False,
    )
    _check_fit(probe, dimensions)
    at = checked_place(at, *PLACES)
    check_mode_name(mode)
    count = dimensions.n_components_
    chosen = list(range(count)) if only is None else list(only) if isinstance(only, Iterable) else []
    if not chosen or not all(is_whole(i, 0, count - 1) for i in chosen) or len(set(chosen)) < len(chosen):
        raise ValueError(
            f"only is {only!r}; the fit has dimensions 0 to {count - 1}: name each wanted one once."
        )
    if not is_whole(points, 2):
        raise ValueError(f"points is {points!r}; a film needs at least 2 points per dimension.")
    if sampling not in SAMPLINGS:
        raise ValueError(f"sampling is {sampling!r}; choose one of {', '.join(map(repr, SAMPLINGS))}.")
    if others not in OTHERS:
        raise ValueError(f"others is {others!r}; choose one of {', '.join(map(repr, OTHERS))}.")
    check_mode()
    side = choose_size(probe, options.size)
    options = replace(options, size=side)
    if not isinstance(at, str):
        _check_inside(probe, side, at)
    if jitter is None and at == "everywhere":
        options = replace(options, jitter=Jitter(shift=side / 2, steady=True))
    linear = linearity(probe, side)
    board = choose_canvas(probe, options, side, linear, START_NOISE)
    placed = [place_points(dimensions, index, points, sampling, others) for index in chosen]
    status = [_why_not(points_of_one.targets) for points_of_one in placed]
    shown = [row for row, reason in enumerate(status) if not reason]
    settings = {
        "method": dimensions.method_name_,
        "n_components": count,
        "converged": bool(dimensions.converged_),
        "sampling": sampling,
        "mode": mode,
        "others": others,
        "at": at if isinstance(at, str) else list(at),
        "size": side,
        "steps": steps,
        "images": dimensions.sample_["images"],
        # How vectors were made from the layer's map: a new image is placed in the same way.
        **{
            name: dimensions.sample_[name]
            for name in ("pool", "pooling", "contrast")
            if name in dimensions.sample_
        },
    }
    goal = None
    if shown:
        goal = Direction(np.concatenate([asked_for(placed[row].targets, mode) for row in shown]), mode, at)
        goal.check(probe)
    asked = {"layer": probe.layer, "points": points, "only": chosen, **settings}
    asked["dimensions"] = "none" if goal is None else goal.identity()
    asked |= options.key_within("size", "steps", "seed")
    noise = marks_of([probe])
    if store is not None:
        asked[MARKS] = {"network": noise}
    settings["on_noise"] = noise.get(probe.layer, {})
    provenance = probe.provenance()
    study = Study(store, "film", provenance["model_sha256"], asked, {"image_options": left_out(*NOT_SAID)})
    if (earlier := study.record()) is not None:
        return earlier
    gallery = None
    if goal is not None:
        jobs = [
            Job(place * points + point, f"{probe.origin}/dimension {chosen[row]}")
            for place, row in enumerate(shown)
            for point in range(points)
        ]
        recipe = make_recipe(probe, goal, board, points, options, linear)
        gallery = Gallery(probe, goal, jobs, recipe)

    def film() -> xr.Dataset:
        images = np.zeros((len(chosen), points, side, side, 3), np.uint8)
        reached = np.full((len(chosen), points), np.nan, np.float32)
        why = list(status)
        for place, row in enumerate(shown):
            assert gallery is not None
            assert goal is not None
            own = slice(place * points, (place + 1) * points)
            outcomes = [gallery.finished.get(job) for job in gallery.jobs[own]]
            if any(outcome is None for outcome in outcomes):
                why[row] = INTERRUPTED if gallery.interrupted else NOT_YET
                continue
            strip = torch.stack([outcome.image for outcome in outcomes if outcome is not None])
            images[row] = to_uint8(strip.movedim(1, -1).numpy())
            reached[row] = achieved(probe, strip, goal.vectors[own], at)
        ran = recipe_settings(gallery.recipe, probe) if gallery is not None else {}
        attrs = records.new_attrs(
            "film",
            **provenance,
            settings={
                **ran,
                **settings,
                # The canvas has a contrast, too.
                "vector_contrast": dimensions.sample_.get("contrast"),
                **({} if store is None else {"asked": study.asked}),
            },
            seed=seed,
            n_images=dimensions.sample_["n_images"],
            n_vectors=dimensions.sample_["n_vectors"],
        )
        return _assemble(dimensions, chosen, placed, images, reached, why, attrs)

    with study:
        if gallery is not None:
            shower = gallery
            gallery.fill(
                progress,
                retry=False,
                study=None if store is None else study,
                show=lambda now: study.show(film, shower.note, now=now),
                executor=executor,
            )
        made = film()
        study.finish(made)
    return made


def asked_for(targets: np.ndarray, mode: Mode) -> np.ndarray:
    """The vectors that the images are optimized for: rectified, or as they are in the paper's mode.

    A point that asks for nothing at all has no direction of its own and takes that of its nearest neighbor.
    """
    vectors = targets if mode == "cosine" else np.maximum(targets, 0)
    empty = ~vectors.any(axis=1)
    if not empty.any():
        return vectors
    filled = np.flatnonzero(~empty)
    nearest = filled[np.abs(np.arange(len(vectors))[:, None] - filled).argmin(axis=1)]
    return vectors[nearest]


def achieved(probe: Probe, images: torch.Tensor, vectors: torch.Tensor, at: At) -> np.ndarray:
    """Mean cosine, over the positions asked for, of each untransformed image's activations with its target."""
    # The network has taken these images all along: what it raises now is not about their size, and is said as it is.
    with torch.no_grad(), evaluating(probe.network):
        maps = probe.values(images.to(probe.device, copy=True)).rectified()
    if at != "everywhere":
        maps = position(maps, at)
    if maps.ndim == 2:
        maps = maps[:, :, None, None]
    return cosine(maps, vectors.to(maps.device)).flatten(1).mean(1).cpu().numpy()


def _check_fit(probe: Probe, dimensions: TuningDimensions) -> None:
    check_is_probe(probe)
    if not hasattr(dimensions, "score_quantiles_"):
        raise ValueError(
            "these dimensions are not fitted; call dimensions.fit(tw.sample_activations(probe, images)) first."
        )
    if dimensions.n_features_in_ != probe.units:
        raise ValueError(
            f"the dimensions were fitted on {dimensions.n_features_in_} units and layer {probe.layer!r} has "
            f"{probe.units}; "
            "fit them on this layer's activations."
        )
    if "layer" in dimensions.sample_:
        check_source("this sample of activations", dimensions.sample_, probe)


def _check_inside(probe: Probe, side: int, at: tuple[int, int]) -> None:
    """Raise a ValueError if the layer has no such position on images of this side."""
    with torch.no_grad(), evaluating(probe.network):
        position(probe.values(torch.full((1, 3, side, side), 0.5, device=probe.device)).post, at)


def _why_not(targets: np.ndarray) -> str:
    """Why a dimension has nothing to show, or an empty string."""
    rectified = np.maximum(targets, 0)
    lengths = np.linalg.norm(rectified, axis=1)
    if not lengths.any():
        return EMPTY
    directions = rectified[lengths > 0] / lengths[lengths > 0, None]
    if np.linalg.norm(directions - directions[0], axis=1).max() < SAME_DIRECTION:
        return CONSTANT
    return ""


def _assemble(
    dimensions: TuningDimensions,
    chosen: list[int],
    placed: list[Points],
    images: np.ndarray,
    reached: np.ndarray,
    status: list[str],
    attrs: dict[str, Any],
) -> xr.Dataset:
    count = len(chosen)
    blank = np.full(count, "", dtype=object)
    columns: dict[str, Any] = {
        "coordinate": (("dimension", "point"), np.stack([p.coordinates for p in placed])),
        "quantile": (("dimension", "point"), np.stack([p.quantiles for p in placed])),
        "target": (("dimension", "point", "unit"), np.stack([p.targets for p in placed])),
        "image": (("dimension", "point", "y", "x", "rgb"), images),
        "cosine": (("dimension", "point"), reached),
        "histogram": (("dimension", "bin"), dimensions.score_histogram_[chosen].astype(np.float32)),
        "bin_edge": (("dimension", "edge"), dimensions.score_edges_[chosen].astype(np.float32)),
        "explained_variance": (
            ("dimension",),
            dimensions.explained_variance_ratio_[chosen].astype(np.float32),
        ),
        "status": (("dimension",), np.array(status, dtype=object)),
        "label": (("dimension",), blank),
        "suggested_label": (("dimension",), blank.copy()),
        "unit_mask": (("unit",), dimensions.unit_mask_),
    }
    if hasattr(dimensions, "components_"):
        columns |= {
            "component": (("dimension", "unit"), dimensions.components_[chosen].astype(np.float32)),
            "unmixing": (("dimension", "unit"), dimensions.unmixing_[chosen].astype(np.float32)),
            "center": (("unit",), dimensions.mean_.astype(np.float32)),
        }
    film = xr.Dataset(columns, {"dimension": np.array(chosen)}, attrs)
    records.validate(film)
    return film
