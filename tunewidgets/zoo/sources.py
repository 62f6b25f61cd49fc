"""Image sources by name: which built-in data sets there are, and what else images may come from.

In: the name of built-in images, a folder, a dataset, arrays, or several of these. Out: an `ImageSource`, which can be
iterated over any number of times and always gives the same float batches.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tunewidgets._checks import a_type, is_whole
from tunewidgets.zoo.cifar10 import DATA_SETS, HeldOut
from tunewidgets.zoo.dead_leaves import dead_leaves
from tunewidgets.zoo.image_source import ImageSource, ending
from tunewidgets.zoo.imagenet import SETS, ImageNetPhotographs
from tunewidgets.zoo.own_images import (
    NAMED,
    Whole,
    dimensions,
    from_array,
    from_folder,
    from_iterable,
    from_sequence,
    from_source,
)
from tunewidgets.zoo.pictures import fit
from tunewidgets.zoo.samples import holds_all, parted

SCENES = 400  # dead-leaves scenes where no number is asked for


def images(
    source: Any, n: int | None = None, size: int | None = 224, seed: int = 0, *, batch_size: int = 64
) -> ImageSource:
    """Images from anywhere, as batches in [0, 1].

    Parameters
    ----------
    source : str, path, Tensor, ndarray, dataset, iterable, or a list of sources
        - `"photos"`: the two photographs that scikit-learn ships, then random crops of them;
        - `"dead-leaves"`: synthetic scenes (`dead_leaves`);
        - `"cifar10"` or `"digits"`: the 10,000 photographs, or 360 digits, of 32 px that the data set keeps for
          testing, with their labels (CIFAR-10 is read from the folder named by `TUNEWIDGETS_DATA`, or downloaded);
        - `"imagenet-sample"` or `"imagenet-labelled"`: 1,000 photographs of as many classes, or 2,500 of ten, with
          their labels, from the folder named by `TUNEWIDGETS_DATA`;
        - a folder of image files, whose sub-folders, if it has any, are labels; hidden ones are left out, and of files
          of several pictures all but the first;
        - a batch `(N, 3, H, W)`, tensor or array, uint8 or float in [0, 1];
        - a torchvision-style dataset or any sequence of images, `(image, label)` pairs, or dicts with an `image` and
          a `label`, as Hugging Face's data sets give (`img`, `pixel_values` and the like too);
        - all images and all labels at once, as `(X, y)` or such a dict;
        - any other iterable of these or of batches, such as a DataLoader: read once, and kept in memory;
        - a list of names, folders and sources, which share `n` evenly.
    n : int, optional
        How many images. None: all there are, the 2 whole photographs, or 400 dead-leaves scenes. If fewer than there
        are, they are drawn by `seed` and kept in their order; one-shot iterables yield their first n.
    size : int or None, default 224
        Side in pixels: images are resized on the short side and center-cropped. None leaves them as they are.
    seed : int, default 0
        Decides crops, scenes and which images are drawn.
    batch_size : int, default 64
        Images per batch.

    Returns
    -------
    ImageSource

    Warns
    -----
    UserWarning
        A folder holds files that are left out, links that lead nowhere, or folders that may be no classes.

    Raises
    ------
    ValueError, TypeError, FileNotFoundError
        If the source is none of these, is empty, holds fewer than `n` images, or holds values outside [0, 1]; if an
        option is out of its range.
    ConnectionError
        If CIFAR-10 is neither at hand nor can be downloaded.

    Examples
    --------
    >>> source = images(["photos", "dead-leaves"], n=6, size=32)
    >>> len(source), [tuple(batch.shape) for batch in source]
    (6, [(6, 3, 32, 32)])
    >>> source.describe()
    '3 crops of photographs, 32 px, seed 0 + 3 dead-leaves scenes, 32 px, seed 0'
    """
    for name, value in (("n", n), ("size", size), ("batch_size", batch_size)):
        if value is not None and not is_whole(value, 1):
            raise ValueError(f"{name}={value!r} makes no image; give a whole number from 1")
    if not is_whole(seed, 0):
        raise ValueError(f"seed={seed!r} is no seed; give a whole number from 0")
    made = _make(source, n, size, seed)
    made.batch_size = batch_size
    return made


def _make(source: Any, n: int | None, size: int | None, seed: int) -> ImageSource:
    if isinstance(source, ImageSource):
        return from_source(source, n, size, seed)
    if isinstance(source, str | Path):
        if source == "photos":
            return _photos(n, size, seed)
        if source == "dead-leaves":
            return _scenes(n, size, seed)
        if isinstance(source, str) and source in DATA_SETS:
            return from_sequence(HeldOut(source), n, size, seed, f"test images of {source}")
        if isinstance(source, str) and source in SETS:
            return from_sequence(ImageNetPhotographs(source), n, size, seed, f"photographs of {source}")
        return from_folder(source, n, size, seed)
    if isinstance(source, Tensor | np.ndarray):
        return from_array(source, n, size, seed)
    if isinstance(source, list | tuple) and source and isinstance(source[0], str | Path | ImageSource):
        return _mixture(source, n, size, seed)
    if holds_all(source):
        return from_sequence(Whole(source), n, size, seed, f"images of {a_type(source)}")
    if isinstance(source, Mapping):
        parted(source)  # raises, and says which column is missing
    if hasattr(source, "__len__") and hasattr(source, "__getitem__"):
        if len(source) == 0:
            raise ValueError("the source of images is empty; give at least one image")
        if dimensions(source[0]) != 4:
            return from_sequence(source, n, size, seed, f"images of {a_type(source)}")
    if isinstance(source, Iterable):
        return from_iterable(source, n, size)
    raise TypeError(
        f"{a_type(source)} is no source of images; "
        f"give {', '.join(map(repr, NAMED))}, a folder, a dataset, or an iterable of images"
    )


def _mixture(sources: Sequence[Any], n: int | None, size: int | None, seed: int) -> ImageSource:
    if n is not None and n < len(sources):
        raise ValueError(
            f"n={n} images can't be shared by {len(sources)} sources; give n={len(sources)} or more"
        )
    share: list[int | None] = [
        None if n is None else n // len(sources) + (i < n % len(sources)) for i in range(len(sources))
    ]
    parts = [_make(source, k, size, seed) for source, k in zip(sources, share, strict=True)]
    where = [(part, i) for part in parts for i in range(len(part))]

    def picture(index: int) -> tuple[Tensor, None]:
        part, i = where[index]
        return part[i], None

    def check(indices: Iterable[int]) -> None:
        places = [where[index] for index in indices]
        for part in parts:
            if part.check is not None:
                part.check([i for own, i in places if own is part])

    made = ImageSource(len(where), picture, " + ".join(part.describe() for part in parts))
    made.check = check
    if all(part.has_labels for part in parts):
        made.why_no_labels = (
            "each of their sources numbers its classes for itself; give one source, such as a folder with a sub-folder "
            "for each class of all"
        )
    return made


@lru_cache(maxsize=1)
def _photographs() -> list[Tensor]:
    from sklearn.datasets import load_sample_images

    return [
        torch.from_numpy(image.copy()).permute(2, 0, 1).float() / 255 for image in load_sample_images().images
    ]


def _photos(n: int | None, size: int | None, seed: int) -> ImageSource:
    count = 2 if n is None else n

    def picture(index: int) -> tuple[Tensor, None]:
        photographs = _photographs()
        photograph = photographs[index % len(photographs)]
        if index < len(photographs):
            return fit(photograph, size), None
        height, width = photograph.shape[1:]
        short = min(height, width)
        rng = np.random.default_rng([seed, index])
        # As many close views as distant ones; none so close that it would be mostly interpolation.
        smallest = min(size or short, short // 2)
        side = round(float(np.exp(rng.uniform(np.log(smallest), np.log(short)))))
        top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
        return fit(photograph[:, top : top + side, left : left + side], size), None

    what = "photographs" if count <= 2 else "crops of photographs"
    return ImageSource(count, picture, f"{count} {what}{ending(size, seed)}")


def _scenes(n: int | None, size: int | None, seed: int) -> ImageSource:
    count = SCENES if n is None else n
    if size is None:
        raise ValueError("dead-leaves scenes have no size of their own; give size in pixels")
    side = size
    dead_leaves(side, seed, 0)  # says at once if the size is too small

    def picture(index: int) -> tuple[Tensor, None]:
        return torch.from_numpy(dead_leaves(side, seed, index)).permute(2, 0, 1).contiguous(), None

    return ImageSource(count, picture, f"{count} dead-leaves scenes{ending(size, seed)}")
