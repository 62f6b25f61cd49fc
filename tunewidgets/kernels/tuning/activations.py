"""A layer's responses at random places of many images: the data that tuning dimensions are found in.

In: a probe, images and how many vectors. Out: a DataArray `(sample, unit)` of rectified activations that says
which image and which position every vector comes from. Maps are streamed, never kept.
"""

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any, overload

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr
from torch import Tensor, nn

from tunewidgets._checks import check_flags, is_whole
from tunewidgets.kernels.data.identity import data_marks, without_labels
from tunewidgets.kernels.data.image_batches import check_order, chunks, counted, described, look_of_first
from tunewidgets.kernels.data.vectors import HeldVectors, StoredVectors, Vectors
from tunewidgets.kernels.network.finite import check_values
from tunewidgets.kernels.network.on_noise import marks_of
from tunewidgets.kernels.network.probe import Probe, check_is_probe
from tunewidgets.kernels.network.together import check_together, see_together
from tunewidgets.kernels.studies.marks import MARKS
from tunewidgets.zoo.progress import progress_bar

POOLINGS = ("mean", "rms")
LARGE = 1 << 30  # bytes of vectors, before which the images are asked whether they have so many


@overload
def sample_activations(
    probe: Probe,
    images: Any,
    n: int = ...,
    per_image: int | str = ...,
    seed: int = ...,
    *,
    pool: int = ...,
    pooling: str = ...,
    normalize: bool = ...,
    progress: bool = ...,
    store: str | os.PathLike[str] | None = ...,
) -> xr.DataArray: ...
@overload
def sample_activations(
    probe: Sequence[Probe],
    images: Any,
    n: int = ...,
    per_image: int | str = ...,
    seed: int = ...,
    *,
    pool: int = ...,
    pooling: str = ...,
    normalize: bool = ...,
    progress: bool = ...,
    store: str | os.PathLike[str] | None = ...,
) -> list[xr.DataArray]: ...
def sample_activations(
    probe: Probe | Sequence[Probe],
    images: Any,
    n: int = 100_000,
    per_image: int | str = "auto",
    seed: int = 0,
    *,
    pool: int = 1,
    pooling: str = "mean",
    normalize: bool = False,
    progress: bool = True,
    store: str | os.PathLike[str] | None = None,
) -> xr.DataArray | list[xr.DataArray]:
    """Rectified activation vectors at random positions of a layer.

    Positions are drawn uniformly among those whose `pool` × `pool` neighborhood is at least one away from all four
    borders of the layer's map, distinct within an image. An image's positions are decided by `seed` and its index
    alone. A layer without a map, or with a map of a single position, gives one vector per image.

    Parameters
    ----------
    probe : Probe, or a sequence of them
        The model and the layer. Several layers of one model take one forward pass together.
    images : zoo source, Tensor, ndarray or iterable
        A batch `(N, 3, H, W)` in [0, 1], or an iterable of such batches, alone or as `(images, labels)`: a
        `zoo.images(...)`, a DataLoader; or a data set of single images, in pairs and dicts too. One that doesn't tell
        how many images it has is passed over twice.
    n : int, default 100_000
        How many vectors.
    per_image : int or "auto", default "auto"
        How many of them per image; "auto" shares `n` among all images as evenly as possible. A number takes as
        few images as needed for `n` vectors, drawn by `seed`.
    seed : int, default 0
        Decides the positions, and which images give one more where `n` is no multiple of their number.
    pool : int, default 1
        An odd number: each vector is pooled over `pool` × `pool` neighboring positions. What depends on the
        exact place of a pattern, such as a wave's phase, averages out, and what it is, its frequency and angle, stays:
        from 5 × 5 positions PCA finds a Gabor bank's frequency, which single positions hardly show.
    pooling : {"mean", "rms"}
        By their mean, or by the root of their mean square, in which strong responses count for more.
    normalize : bool, default False
        Divide each vector by its own length plus the median one, so that strong contrast counts for less and what is
        seen for more (divisive normalization). Together with `pool=5` and `pooling="rms"`, eight dimensions of PCA find
        frequency, angle and phase in nine of ten Gabor banks.
    progress : bool, default True
        Show a progress bar.
    store : path or URL, optional
        A `.zarr` folder that the vectors go to as they come, so that memory stays bounded however many they are. A
        later call with the same settings and images continues where this one stopped, or opens what it finished. What
        is returned is then read from there as it is used; `TuningDimensions` fits what is too large for memory a block
        at a time.

    Returns
    -------
    xarray.DataArray, (sample, unit) float32, or a list of them
        One per probe, in the order of the images; coordinates `image` and, where the layer has a map, `y` and `x` in
        positions of that map. Attributes: `model`, `model_sha256`, `weights_from` where that is known, `layer`,
        `images` (a description), `seed`, `n_images` (those that gave vectors), `n_vectors`, above 1 `pool` and
        `pooling`, of normalized vectors `contrast`, the median length, and `on_noise`, by which the probe is known
        again. Vectors of one image are clustered: the sample size is `n_images`.

    Raises
    ------
    ValueError
        If there are no images, fewer positions than vectors are asked for, an option is out of its range, the layer
        gives NaN or infinite values, or the store holds vectors made with other settings; if probes are of several
        models, or several are to share one store.
    TypeError
        If `images` is neither a batch nor an iterable of batches.
    RuntimeError
        If another process is writing to the store.
    FileExistsError
        If something that is not a record is at the store's path.

    References
    ----------
    *Identifying and interpreting tuning dimensions in deep networks*, which takes one position per image. Divisive
    normalization: Heeger, *Normalization of cell responses in cat striate cortex*, Visual Neuroscience 9 (1992).

    Examples
    --------
    >>> from tunewidgets import Probe, zoo
    >>> source = zoo.images("dead-leaves", n=10, size=32)
    >>> vectors = sample_activations(Probe(zoo.gabor_bank(), "relu"), source, n=25, progress=False)
    >>> vectors.dims, vectors.shape, vectors.attrs["n_images"]
    (('sample', 'unit'), (25, 28), 10)
    """
    check_flags(normalize=normalize, progress=progress)
    _check(n, per_image, seed)
    check_pool(pool, pooling)
    given: Any = probe
    several = isinstance(given, Iterable) and not isinstance(given, nn.Module)
    probes: list[Probe] = list(given) if several else [given]
    if not probes:
        raise ValueError("there is no probe to sample; give at least one")
    for one in probes:
        check_is_probe(one)
    check_together(probes)
    for one in probes:
        if pool > 1 and not one.has_map:
            raise ValueError(f"pool={pool} can't be used on {one.layer!r}, which has no map; leave pool at 1")
    batches, count = counted(images)
    share = _shares(n, count, per_image, seed)
    about = _provenance(images, count, share, n, seed, pool, pooling)
    noise = marks_of(probes)
    attrs: list[dict[str, Any]] = [{**one.provenance(), **about} for one in probes]
    sinks: list[Vectors]
    if sum(4 * n * one.units for one in probes) > LARGE:
        _check_first(probes, batches, count, share, n, pool, pooling)
    if store is None:
        sinks = [_held(n, one) for one in probes]
    else:
        if len(probes) > 1:
            raise ValueError(
                f"{store} takes the vectors of one layer; give one probe, and a store to each of the others"
            )
        check_order(batches)
        asked = {
            **attrs[0],
            "per_image": per_image,
            "normalize": normalize,
            "first_images": look_of_first(batches),
            MARKS: {"network": noise, "data": without_labels(data_marks(images, batches))},
        }
        stored = StoredVectors(store, n, probes[0].units, attrs[0]["model_sha256"], asked)
        if (earlier := stored.earlier()) is not None:
            return earlier if isinstance(probe, Probe) else [earlier]
        sinks = [stored]
    # As text, which every format of files holds.
    attrs = [{**facts, "on_noise": json.dumps(noise.get(facts["layer"], {}))} for facts in attrs]
    with ExitStack() as opened:
        for sink in sinks:
            opened.enter_context(sink)
        _sample(probes, batches, count, share, n, seed, pool, pooling, sinks=sinks, progress=progress)
        found = [
            sink.finished(facts, one.has_map, normalize)
            for sink, facts, one in zip(sinks, attrs, probes, strict=True)
        ]
    return found[0] if isinstance(probe, Probe) else found


def _provenance(
    images: Any, count: int, share: np.ndarray, n: int, seed: int, pool: int, pooling: str
) -> dict[str, Any]:
    return {
        "images": described(images, count),
        "seed": seed,
        "n_images": int(np.count_nonzero(share)),
        "n_vectors": n,
        **({"pool": pool, "pooling": pooling} if pool > 1 else {}),
    }


def _sample(
    probes: Sequence[Probe],
    batches: Iterable[Any],
    count: int,
    share: np.ndarray,
    n: int,
    seed: int,
    pool: int,
    pooling: str,
    *,
    sinks: Sequence[Vectors],
    progress: bool,
) -> None:
    """Put every image's vectors into their places; images whose vectors are all there already are skipped."""
    starts = np.concatenate([[0], np.cumsum(share)])
    first = 0
    with progress_bar(total=count, desc="Sampling activations", unit="image", show=progress) as bar:
        for chunk in chunks(batches):
            asked = share[first : first + len(chunk)]
            lacking = [
                sinks[0].lacks(starts[first + i], starts[first + i] + asked[i]) for i in range(len(asked))
            ]
            wanted = np.flatnonzero(asked * lacking)
            if len(wanted):
                images, each = first + wanted, asked[wanted]
                rows = np.repeat(np.arange(len(wanted)), each)
                places = np.concatenate([np.arange(starts[i], starts[i + 1]) for i in images])

                def take(
                    layer: int,
                    values: Tensor,
                    images: np.ndarray = images,
                    each: np.ndarray = each,
                    rows: np.ndarray = rows,
                    places: np.ndarray = places,
                ) -> None:
                    # Single positions are rectified after they are gathered, to spare a pass over whole maps.
                    seen = values if pool == 1 else pooled(values.relu(), pool, pooling)
                    _check_room(seen, n, count, int(share.max()))
                    here = _positions(seen, images, each, seed)
                    offset = np.array([0, pool // 2, pool // 2])
                    vectors = np.maximum(_gather(seen, rows, here), 0)
                    check_values(bool(np.isfinite(vectors).all()), probes[layer].network, probes[layer].layer)
                    sinks[layer].take(places, vectors, here + offset)

                see_together(probes, chunk[wanted], take)
            first += len(chunk)
            bar.update(len(chunk))
    if first < count:
        raise ValueError(
            f"the images gave {first} in one pass and {count} in another; give a source that keeps its number"
        )


def _check_first(
    probes: Sequence[Probe],
    batches: Iterable[Any],
    count: int,
    share: np.ndarray,
    n: int,
    pool: int,
    pooling: str,
) -> None:
    """Raise a ValueError where the first image has fewer positions than are asked of one."""

    def take(layer: int, values: Tensor) -> None:
        _check_room(pooled(values, pool, pooling), n, count, int(share[0]))

    see_together(probes, next(chunks(batches))[:1], take)


def _held(n: int, probe: Probe) -> HeldVectors:
    try:
        return HeldVectors(n, probe.units)
    except (MemoryError, ValueError) as error:
        raise ValueError(
            f"n={n} vectors of {probe.units} units take {4 * n * probe.units / 2**30:.0f} GiB, more than there is "
            "memory; ask for fewer, or give store="
        ) from error


def _check(n: int, per_image: int | str, seed: int) -> None:
    for name, value, least in (("n", n, 1), ("per_image", per_image, 1), ("seed", seed, 0)):
        if name == "per_image" and value == "auto":
            continue
        if not is_whole(value, least):
            other = ' or "auto"' if name == "per_image" else ""
            raise ValueError(f"{name}={value!r} can't be used; give a whole number from {least}{other}")


def check_pool(pool: int, pooling: str) -> None:
    """Raise a ValueError unless `pool` is an odd number of positions, so that neighborhoods have a middle, and
    `pooling` is one of `POOLINGS`.
    """
    if not is_whole(pool, 1) or pool % 2 == 0:
        raise ValueError(f"pool={pool!r} can't be used; give an odd number of positions, such as 3")
    if pooling not in POOLINGS:
        raise ValueError(f"pooling is {pooling!r}; choose one of {', '.join(map(repr, POOLINGS))}")


def pooled(values: Tensor, pool: int, pooling: str) -> Tensor:
    """The mean, or the root mean square, over each neighborhood that lies in the map."""
    if pool == 1:
        return values
    if min(values.shape[2:]) < pool:
        raise ValueError(
            f"pool={pool} is wider than the layer's {values.shape[2]}×{values.shape[3]} map; give larger images, or a "
            "smaller pool"
        )
    if pooling == "rms":
        return F.avg_pool2d(values.square(), pool, stride=1).sqrt_()
    return F.avg_pool2d(values, pool, stride=1)


def _shares(n: int, count: int, per_image: int | str, seed: int) -> np.ndarray:
    """`(count,)` how many vectors each image gives, `n` together."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(int(seed))).numpy()
    if per_image == "auto":
        share = np.full(count, n // count)
        share[order[: n % count]] += 1
        return share
    each = int(per_image)
    if each * count < n:
        raise ValueError(
            f"{each} vectors from each of {count} images are {each * count}, not the n={n} asked for; "
            "raise per_image, lower n or give more images"
        )
    share = np.zeros(count, np.int64)
    share[order[: n // each]] = each
    if n % each:
        share[order[n // each]] = n % each
    return share


def room_of(values: Tensor) -> int:
    """How many positions of each map can be drawn."""
    if values.ndim == 2 or values.shape[2] * values.shape[3] == 1:
        return 1
    return max(values.shape[2] - 2, 0) * max(values.shape[3] - 2, 0)


def _check_room(values: Tensor, n: int, count: int, most: int) -> None:
    room = room_of(values)
    if most <= room:
        return
    if room == 0:
        raise ValueError(
            f"the layer's map is {values.shape[2]}×{values.shape[3]} on these images, with no position away "
            "from its border; give larger images, or choose an earlier layer"
        )
    if values.ndim == 2 or room == 1:
        place = "one vector per image"
    else:
        place = f"{room} per image, away from the border of its {values.shape[2]}×{values.shape[3]} map"
    raise ValueError(
        f"n={n} vectors are asked for, up to {most} per image, but {count} images have only {room * count} "
        f"positions ({place}); ask for n={room * count} or fewer, or give more images"
    )


def _positions(values: Tensor, index: np.ndarray, share: np.ndarray, seed: int) -> np.ndarray:
    """`(samples, 3)` image, y and x of the vectors that each of these images gives."""
    drawn = []
    for i, k in zip(index, share, strict=True):
        # torch's generator starts from 32 bits, so image and seed are mixed into that many.
        start = int(np.random.SeedSequence([seed, int(i)]).generate_state(1)[0])
        generator = torch.Generator().manual_seed(start)
        room = room_of(values)
        draw = (
            torch.randint(room, (1,), generator=generator)
            if k == 1
            else torch.randperm(room, generator=generator)
        )
        drawn.append(draw[:k].numpy())
    flat = np.concatenate(drawn)
    inner = values.shape[3] - 2 if values.ndim == 4 and room_of(values) > 1 else 1
    border = int(values.ndim == 4 and values.shape[2] > 1)
    return np.stack([np.repeat(index, share), flat // inner + border, flat % inner + border], axis=1)


def _gather(values: Tensor, rows: np.ndarray, where: np.ndarray) -> np.ndarray:
    if values.ndim == 4:
        y, x = (torch.from_numpy(where[:, axis]).to(values.device) for axis in (1, 2))
        values = values[torch.from_numpy(rows).to(values.device), :, y, x]
    return values.cpu().numpy()
