"""A user's data in any form as batches, the same at every pass.

In: a batch, all images with all labels, a data set of single images, an iterable of batches or of single ones, pairs or
named columns. Out: batches, as they were given where they are such; or pairs of float images and labels.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tunewidgets.zoo.own_images import Whole
from tunewidgets.zoo.pictures import to_picture
from tunewidgets.zoo.samples import holds_all, is_picture, is_several, parted

TOGETHER = 64  # single images in a batch


def as_batches(data: Any) -> Iterable[Any]:
    """The data as an iterable of batches; zoo sources, and what is no data at all, come as they are.

    Raises
    ------
    TypeError
        They are a dict without pictures.
    """
    if isinstance(data, Batches) or callable(getattr(data, "describe", None)):
        return data
    if isinstance(data, Tensor | np.ndarray):
        return [data]
    if holds_all(data):
        pictures, labels = parted(data)
        if _is_batch(pictures):  # it needs no copy
            return [pictures if labels is None else (pictures, labels)]
        return Batches(_InOrder(Whole(data)), len(pictures))
    if isinstance(data, Mapping):
        parted(data)  # raises, and says which column is missing
    if isinstance(data, str):
        return data
    if is_data_set(data) and len(data) and is_picture(parted(data[0])[0]):
        return Batches(_InOrder(data), len(data))
    if is_data_set(data) and not isinstance(data, Iterable):
        return Batches(_InOrder(data))
    if isinstance(data, Iterable):
        return Batches(list(data) if isinstance(data, Iterator) else data)
    return data


def is_data_set(data: Any) -> bool:
    """Whether data have a length and give items by their number."""
    return hasattr(data, "__getitem__") and hasattr(data, "__len__")


class Batches:
    """Items as batches: single images are gathered, and named columns become pairs; anything else passes through.

    Attributes
    ----------
    given : iterable
        The items.
    count : int or None
        How many images there are, where that is known.
    """

    def __init__(self, items: Iterable[Any], count: int | None = None) -> None:
        self.given = items
        self.count = count

    def __iter__(self) -> Iterator[Any]:
        waiting = _Waiting()
        for item in self.given:
            if _is_ready(item):
                yield from waiting.given()
                yield item
                continue
            pictures, labels = parted(item)
            bare = not isinstance(item, Mapping | tuple | list)
            if is_picture(pictures):
                pictures, labels = [pictures], [labels]
            elif _is_batch(pictures):
                yield from waiting.given()
                yield pictures, labels
                continue
            for number in range(len(pictures)):
                label = None if labels is None else labels[number]
                yield from waiting.take(pictures[number], label, bare)
        yield from waiting.given()


class _Waiting:
    """Single images of one size, until there are enough of them."""

    def __init__(self) -> None:
        self._seen = 0
        self._pictures: list[Tensor] = []
        self._labels: list[Any] = []
        self._bare = False

    def take(self, picture: Any, label: Any, bare: bool) -> Iterator[Any]:
        tensor = to_picture(picture, None, f"image {self._seen}")
        self._seen += 1
        if self._pictures and (
            len(self._pictures) == TOGETHER or tensor.shape != self._pictures[0].shape or bare != self._bare
        ):
            yield from self.given()
        self._bare = bare
        self._pictures.append(tensor)
        self._labels.append(_plain(label))

    def given(self) -> Iterator[Any]:
        if self._pictures:
            pictures = torch.stack(self._pictures)
            labels = None if all(label is None for label in self._labels) else self._labels
            yield pictures if self._bare else (pictures, labels)
            self._pictures, self._labels = [], []


class _InOrder:
    """A data set's items by their numbers, since not every data set can be iterated over."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def __iter__(self) -> Iterator[Any]:
        return (self._data[number] for number in range(len(self._data)))


def _is_ready(item: Any) -> bool:
    """Whether an item is a batch already, or nothing that could become one."""
    if isinstance(item, Mapping):
        return False
    pictures, _ = parted(item)
    return not (is_picture(pictures) or is_several(pictures))


def _is_batch(pictures: Any) -> bool:
    """Whether pictures are a batch as networks take it: floats, channels first."""
    if not isinstance(pictures, Tensor | np.ndarray) or pictures.ndim != 4 or pictures.shape[1] != 3:
        return False
    kind = pictures.dtype
    return kind.is_floating_point if isinstance(kind, torch.dtype) else kind.kind == "f"


def _plain(label: Any) -> Any:
    return label.tolist() if isinstance(label, Tensor | np.ndarray | np.generic) else label
