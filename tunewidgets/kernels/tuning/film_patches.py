"""Patches of real images along a film, to see photographs beside optimized images.

In: a film, the probe it was made with, and the activations and images its dimensions were found in. Out: the film with
a few patches at each of its points. People tell what a unit responds to from real patches better than from
optimized images (Borowski et al., *Exemplary natural images explain CNN activations better than feature
visualizations*, 2020).
"""

from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr
from torch import Tensor

from tunewidgets import records
from tunewidgets._checks import allocating, check_flags, is_whole
from tunewidgets.kernels.data.image_batches import check_order, chunks, counted, described
from tunewidgets.kernels.network.layers import sight_of
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.tuning.dimension_checks import check_is_sample, in_unit_order
from tunewidgets.kernels.tuning.places import VectorsMade, check_probe, coordinates_of, made_as
from tunewidgets.zoo.progress import progress_bar

# Among this many vectors nearest to a point along its dimension, those nearest in direction are shown.
AMONG = 64
NOBODY = -1
# How far, as a share of the vectors' mean length, an image's vector may be from the sampled one: devices and batch
# sizes change it by far less, another image by far more.
ALIKE = 0.02


def add_patches(
    film: xr.Dataset,
    probe: Probe,
    activations: xr.DataArray,
    images: Any,
    k: int = 4,
    side: int = 48,
    *,
    progress: bool = True,
) -> xr.Dataset:
    """Give a film real patches at each of its points.

    A point's patches are what sampled vectors see: one receptive field each, or for pooled vectors those of their
    neighborhood together. Of the 64 vectors nearest to the point along its dimension, the `k` whose direction is
    nearest to the point's target are shown, no two from one image. At a dimension's ends these are its exemplars.

    Parameters
    ----------
    film : xarray.Dataset
        A film record of a method with a linear fit (all but LLE).
    probe : Probe
        The layer that the film was made for.
    activations : xarray.DataArray, (sample, unit)
        Of `sample_activations`, with the coordinate `image`.
    images : zoo source, Tensor, ndarray or iterable
        Those that `activations` came from, in the same order.
    k : int, default 4
        Patches per point.
    side : int, default 48
        Side of a patch in the record, pixels.
    progress : bool, default True

    Returns
    -------
    xarray.Dataset
        The film with `patch` uint8 `(dimension, point, exemplar, patch_y, patch_x, rgb)`, `patch_image`, the index of
        the image each comes from, `patch_position`, the position on the layer's map, and `patch_coordinate`, its own
        coordinate along the dimension. Where there are fewer patches, indices are -1 and coordinates NaN.

    Raises
    ------
    ValueError
        The film has no linear fit, or was made for another layer or with other weights; `activations` does not say
        which images it came from, names more than there are, or does not hold what they give; the images shuffle; `k`
        or `side` is not a positive whole number.
    TypeError
        `activations` is no DataArray.

    References
    ----------
    *Identifying and interpreting tuning dimensions in deep networks*; Borowski et al. (2020).

    Examples
    --------
    >>> import tunewidgets as tw
    >>> probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")
    >>> scenes = tw.zoo.images("dead-leaves", n=8, size=64)
    >>> sample = tw.sample_activations(probe, scenes, n=1000, progress=False)
    >>> dims = tw.TuningDimensions("pca", 2).fit(sample)
    >>> film = tw.render_film(probe, dims, points=3, size=32, steps=4, progress=False)
    >>> tw.add_patches(film, probe, sample, scenes, k=2, progress=False).patch.shape
    (2, 3, 2, 48, 48, 3)
    """
    check_flags(progress=progress)
    check_is_sample(activations)
    for name, value in (("k", k), ("side", side)):
        if not is_whole(value, 1):
            raise ValueError(f"{name}={value!r} can't be used; give a whole number from 1")
    records.validate(film)
    check_probe(film, probe)
    if "image" not in activations.coords:
        raise ValueError(
            "activations doesn't say which image each vector came from; take what sample_activations gives"
        )
    activations = in_unit_order(activations, None).transpose("sample", "unit")
    coordinates = coordinates_of(film, activations.values)
    chosen = _choose(film, activations, coordinates, k)
    place = np.zeros((activations.sizes["sample"], 2), np.int32)
    if probe.has_map:
        if not {"y", "x"} <= set(activations.coords):
            raise ValueError(
                "activations doesn't say where in its image each vector is; take what sample_activations gives"
            )
        place = np.stack([activations["y"].values, activations["x"].values], 1).astype(np.int32)
    here = chosen >= 0
    source = np.where(here, activations["image"].values[chosen], NOBODY).astype(np.int32)
    position = np.where(here[..., None], place[chosen], NOBODY).astype(np.int32)
    along = np.arange(len(chosen))[:, None, None]
    coordinate = np.where(here, coordinates[chosen, along], np.nan).astype(np.float32)
    check_order(images)
    batches, count = counted(images)
    if source.max() >= count:
        raise ValueError(
            f"activations came from at least {source.max() + 1} images and images gives {count}; give the same images"
        )
    wanted = Wanted(source, position, activations.values[chosen], made_as(activations.attrs))
    with allocating(f"patches of {side} px a side", "give a smaller side"):
        board = np.zeros((*source.shape, side, side, 3), np.uint8)
    patches, window = _cut(probe, batches, count, wanted, board, progress)
    dims = ("dimension", "point", "exemplar")
    about = {"k": k, "window": window, "images": described(images, count)}
    found = film.drop_vars([name for name in film.variables if str(name).startswith("patch")]).assign(
        patch=((*dims, "patch_y", "patch_x", "rgb"), patches),
        patch_image=(dims, source),
        patch_position=((*dims, "yx"), position),
        patch_coordinate=(dims, coordinate),
    )
    found = records.with_settings(found, patches=about)
    records.validate(found)
    return found


def _choose(film: xr.Dataset, activations: xr.DataArray, coordinates: np.ndarray, k: int) -> np.ndarray:
    """`(dimension, point, k)` samples, best first, -1 where there are fewer."""
    vectors, images = activations.values, activations["image"].values
    lengths = np.linalg.norm(vectors, axis=1)
    chosen = np.full((film.sizes["dimension"], film.sizes["point"], k), NOBODY)
    among = min(AMONG, len(vectors))
    for dimension, own in enumerate(coordinates.T):
        for point, at in enumerate(film["coordinate"].values[dimension]):
            distance = np.abs(own - at)
            near = np.argpartition(distance, among - 1)[:among]
            target = np.maximum(film["target"].values[dimension, point], 0)
            likeness = vectors[near] @ target / np.maximum(lengths[near], 1e-12)
            # Ties go in the order of the samples, not in the partition's arbitrary one.
            ranked = near[np.lexsort((near, -likeness))]
            _, first = np.unique(images[ranked], return_index=True)
            best = ranked[np.sort(first)][:k]
            chosen[dimension, point, : len(best)] = best
    return chosen


class Wanted(NamedTuple):
    """What is cut out for each patch `(dimension, point, exemplar)`, and the vector that was sampled there."""

    image: np.ndarray  # -1 where there is no patch
    position: np.ndarray  # (..., yx)
    vector: np.ndarray  # (..., unit)
    made: VectorsMade


def _cut(
    probe: Probe, batches: Any, count: int, wanted: Wanted, board: np.ndarray, progress: bool
) -> tuple[np.ndarray, int | None]:
    """The patches on `board`, `(..., side, side, 3)`, and the side in pixels of the windows that were cut out; None for
    whole images.

    Raises
    ------
    ValueError
        An image does not give the vector that was sampled there. One is looked at for each chunk of images.
    """
    pool = wanted.made.pool
    sight = sight_of(probe).through((pool, pool), (1, 1))
    side = board.shape[-2]
    typical = float(np.linalg.norm(wanted.vector[wanted.image >= 0], axis=-1).mean())
    first = largest = 0
    with progress_bar(total=count, desc="Cutting patches", unit="image", show=progress) as bar:
        for pictures in chunks(batches):
            batch = pictures.cpu()
            largest = max(largest, min(batch.shape[2:]))
            here = np.argwhere((wanted.image >= first) & (wanted.image < first + len(batch)))
            if len(here):
                one = tuple(here[0])
                own = int(wanted.image[one]) - first
                values = probe(batch[own : own + 1])
                shape = (values.shape[2], values.shape[3]) if probe.has_map else (1, 1)
                places = wanted.position[tuple(here.T)]
                inside = (places >= pool // 2).all() and (places < np.array(shape) - pool // 2).all()
                seen = wanted.made.vector_at(values, wanted.position[one]) if inside else None
                if seen is None or np.linalg.norm(seen - wanted.vector[one]) > ALIKE * typical:
                    raise ValueError(
                        f"image {first + own} does not give the activations that were sampled from it; give the "
                        "images that activations came from, in their order and size, and a probe with the same "
                        "preprocess"
                    )
            for at in map(tuple, here):
                picture = batch[wanted.image[at] - first]
                window = window_around(picture, sight.window, sight.step, shape, wanted.position[at])
                resized = F.interpolate(
                    window[None], (side, side), mode="bilinear", antialias=True, align_corners=False
                )[0]
                board[at] = (resized.clamp(0, 1) * 255 + 0.5).to(torch.uint8).movedim(0, -1).numpy()
            first += len(batch)
            bar.update(len(batch))
    reach = max(sight.window) if sight.window else largest
    return board, reach if reach < largest else None


def window_around(
    picture: Tensor,
    window: tuple[int, int] | None,
    step: tuple[int, int],
    shape: tuple[int, int],
    position: np.ndarray,
) -> Tensor:
    """What a position of a layer's map sees of `(3, H, W)`: a square as wide as its receptive field, inside the image.

    `step` is the layer's stride in pixels and `shape` the size of its map, which lies centered on the image.
    """
    size = picture.shape[1:]
    side = min(*size, max(window)) if window else min(size)
    corner = []
    for pixels, stride, places, at in zip(size, step, shape, position, strict=True):
        center = (pixels - 1) / 2 + (int(at) - (places - 1) / 2) * stride
        corner.append(min(max(round(center - (side - 1) / 2), 0), pixels - side))
    return picture[:, corner[0] : corner[0] + side, corner[1] : corner[1] + side]
