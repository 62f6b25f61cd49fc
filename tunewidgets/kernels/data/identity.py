"""By what a user's data are known again: how many images there are, their labels, and what is in them.

In: data in any form that kernels take. Out: marks that a study compares with those of a later call. What lies in memory
is hashed; of what is read one by one, images spread over all of it are looked at.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, SequentialSampler, TensorDataset

from tunewidgets.kernels.data.items import Batches, is_data_set
from tunewidgets.kernels.studies.marks import sketch
from tunewidgets.zoo.own_images import Whole
from tunewidgets.zoo.pictures import to_picture
from tunewidgets.zoo.samples import holds_all, parted

SPREAD = 32  # images that are read to know data again
HASHED = 1 << 26  # bytes of images in memory that are hashed; of more, every so many images
# Machines decode and resize photographs differently, by less than this relative to their norm.
WITHIN = 0.02


def data_marks(data: Any, batches: Any = None) -> dict[str, Any]:
    """Marks of data; empty where they can't be known without a pass over them.

    Parameters
    ----------
    data : Any
        As they were given.
    batches : iterable, optional
        What was made of them (`as_batches`), which has kept what an iterator gave.

    Returns
    -------
    dict
        As far as they are known: `count` of the images, and marks of the `images` and of the `labels`.
    """
    if isinstance(data, Iterator):
        data = batches.given if isinstance(batches, Batches) else None
    for _ in range(2):  # a loader may hold what another loader holds
        if isinstance(data, DataLoader):
            if not isinstance(data.sampler, SequentialSampler) or not is_data_set(data.dataset):
                return {}
            data = data.dataset
    if isinstance(data, TensorDataset):
        data = data.tensors[:2] if len(data.tensors) > 1 else data.tensors[0]
    if isinstance(data, Tensor | np.ndarray):
        return _of_batches([(data, None)])
    if holds_all(data):
        pictures, labels = parted(data)
        if isinstance(pictures, Tensor | np.ndarray):
            return _of_batches([(pictures, labels)])
        return _of_items(Whole(data), labels)
    # Another class of lists may make its batches as they are asked for.
    if type(data) in (list, tuple) and (held := _batches(data)) is not None:
        return _of_batches(held)
    return _of_items(data) if is_data_set(data) and not isinstance(data, Mapping | str) and len(data) else {}


def without_labels(marks: dict[str, Any]) -> dict[str, Any]:
    """Marks of the images alone, for what labels don't matter to."""
    return {name: mark for name, mark in marks.items() if name != "labels"}


def _batches(data: list | tuple) -> list[tuple[Any, Any]] | None:
    """A list's batches, each with its labels; None where it holds anything else."""
    try:
        held = [parted(item) for item in data]
    except TypeError:
        return None
    are = all(isinstance(pictures, Tensor | np.ndarray) and pictures.ndim == 4 for pictures, _ in held)
    return held if held and are else None


def _of_batches(held: list[tuple[Any, Any]]) -> dict[str, Any]:
    count = sum(len(pictures) for pictures, _ in held)
    each = max(_bytes(pictures) for pictures, _ in held)
    step = max(1, -(-count * each // HASHED))
    digest, first = hashlib.sha256(), 0
    for pictures, _ in held:
        chosen = pictures[(-first) % step :: step]
        array = chosen.detach().cpu().numpy() if isinstance(chosen, Tensor) else np.asarray(chosen)
        digest.update(f"{array.dtype} {array.shape[1:]}".encode() if first == 0 else b"")
        digest.update(np.ascontiguousarray(array).tobytes())
        first += len(pictures)
    marks: dict[str, Any] = {"count": count, "images": digest.hexdigest()}
    labels = [_plain(own) for _, own in held if own is not None]
    if len(labels) == len(held):
        marks["labels"] = _of_labels([label for own in labels for label in own])
    return marks


def _of_items(data: Any, labels: Any = None) -> dict[str, Any]:
    """Marks of a data set from which images are read one by one."""
    count = len(data)
    read = getattr(data, "pair", None)
    take = read if callable(read) and callable(getattr(data, "describe", None)) else data.__getitem__
    marks: dict[str, Any] = {"count": count}
    places = sorted({place * count // SPREAD for place in range(SPREAD)})
    try:
        items = [parted(take(place)) for place in places]
        pictures = [_picture(value) for value, _ in items]
        steady = torch.equal(pictures[0], _picture(parted(take(places[0]))[0]))
    except Exception:
        return {}  # what is wrong with them, or whether they are batches, is said where they are read
    if not steady:
        return marks  # changed by chance at every reading
    marks["images"] = sketch(torch.cat([picture.reshape(-1) for picture in pictures]), WITHIN)
    every = labels if labels is not None else getattr(data, "targets", None)
    told = _plain(every) if every is not None and len(every) == count else [label for _, label in items]
    if all(label is not None for label in told):
        marks["labels"] = _of_labels(told)
    return marks


def _picture(value: Any) -> Tensor:
    return to_picture(value, None, "an image").float()


def _plain(labels: Any) -> list[Any]:
    return (
        list(_label(labels)) if isinstance(labels, Tensor | np.ndarray) else [_label(each) for each in labels]
    )


def _label(label: Any) -> Any:
    return label.tolist() if isinstance(label, Tensor | np.ndarray | np.generic) else label


def _of_labels(labels: list[Any]) -> str:
    return hashlib.sha256(repr([_label(label) for label in labels]).encode()).hexdigest()


def _bytes(pictures: Any) -> int:
    """The size of one image of a batch."""
    size = pictures.element_size() if isinstance(pictures, Tensor) else pictures.itemsize
    return int(size * np.prod(pictures.shape[1:]))
