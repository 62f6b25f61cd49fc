"""Which images have which named concept.

In: labels in any form that users have them. Out: named sets of images, without the rare ones.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array
from torch import Tensor

from tunewidgets.kernels.data.image_batches import CHUNK, counted, described, parts_of
from tunewidgets.kernels.network.probe import check_images
from tunewidgets.zoo.class_names import class_names, usable

LABEL = "label"


class Concepts(NamedTuple):
    """Named concepts, the category of each, which images have it, and which images each category was asked of.

    `has` is a sparse `(concepts, images)` array of 0 and 1; `asked` gives indices of images by category.
    """

    names: list[str]
    categories: list[str]
    has: csr_array
    asked: dict[str, np.ndarray]

    def common(self, least: int) -> np.ndarray:
        """Which concepts at least `least` of the images asked have, and at least as many lack.

        Raises
        ------
        ValueError
            None.
        """
        positives = self.positives
        asked = np.array([len(self.asked[category]) for category in self.categories])
        kept = np.flatnonzero(np.minimum(positives, asked - positives) >= least)
        if not len(kept):
            raise ValueError(_none_left(self.names, positives, asked, least))
        return kept

    def take(self, which: np.ndarray) -> "Concepts":
        """Some of them."""
        names, categories = ([column[at] for at in which] for column in (self.names, self.categories))
        return Concepts(names, categories, self.has[which], self.asked)

    @property
    def positives(self) -> np.ndarray:
        """How many images have each."""
        return np.asarray(self.has.sum(axis=1)).ravel()


def _none_left(names: list[str], positives: np.ndarray, asked: np.ndarray, least: int) -> str:
    if len(names) == 1 and positives[0] == asked[0]:
        return (
            f"all images have the one label {names[0]!r}, so there is nothing to tell it from; give images of at least "
            "two"
        )
    best = int(np.minimum(positives, asked - positives).argmax())
    return (
        f"no concept is in {least} images and absent from {least} others; {names[best]!r} comes nearest, with "
        f"{positives[best]} of {asked[best]}: give more images, or a smaller least="
    )


class Pictures:
    """A user's images in chunks, with the labels that came with them.

    Parameters
    ----------
    images : zoo source, Tensor, ndarray or iterable
        Batches, or pairs of batches and labels.

    Attributes
    ----------
    count : int
    described : str
    """

    def __init__(self, images: Any) -> None:
        self._own = bool(getattr(images, "has_labels", False))
        batches, self.count = counted(images)
        self._batches: Any = batches
        self._names = class_names(images)
        self.described = described(images, self.count)

    def pairs(self, labeled: bool) -> Iterator[tuple[Tensor, np.ndarray | None]]:
        """Checked float batches `(n, 3, H, W)`, each with its own labels if they are asked for.

        One pass gives both, since a second one may come in another order.

        Raises
        ------
        ValueError
            Labels are asked for, and the images come without labels, or not with one each.
        """
        for item in self._batches.labeled() if labeled and self._own else self._batches:
            pictures, labels = parts_of(item)
            checked = self._checked(labels, len(pictures)) if labeled else None
            for start in range(0, len(pictures), CHUNK):
                part = slice(start, start + CHUNK)
                yield check_images(pictures[part]), None if checked is None else checked[part]

    def settle_names(self) -> None:
        """Raise a ValueError where the labels that came with the images stand for several classes each."""
        self._names = usable(self._names)

    def names_of(self, labels: np.ndarray) -> tuple[str, ...]:
        """The names of the labels that came with the images; none where they may be those of other classes."""
        names, sure, _ = self._names
        fit = sure != "perhaps" or (labels.dtype.kind in "iu" and int(labels.max()) + 1 == len(names))
        return names if fit else ()

    @staticmethod
    def _checked(labels: Any, count: int) -> np.ndarray:
        if labels is None:
            raise ValueError(
                "these images come without labels; give labels=, one per image, or a folder with masks in Broden's "
                "layout"
            )
        values = np.asarray(labels)
        _check_none_lacks(values)
        if values.shape != (count,):
            raise ValueError(
                f"a batch of {count} images has labels of shape {values.shape}; give one per image"
            )
        return values


def concepts_in(labels: Any, count: int, classes: Sequence[str]) -> Concepts:
    """Labels of whole images as concepts.

    Parameters
    ----------
    labels : sequence of int or str, mapping or DataFrame
        One label per image; or, for each name, whether each image has it.
    count : int
        How many images there are.
    classes : sequence of str
        What whole numbers stand for.

    Raises
    ------
    ValueError
        There are more or fewer labels than images, or a label is neither a name nor a class.
    """
    if isinstance(labels, Mapping) or hasattr(labels, "columns"):
        names = [str(name) for name in labels]
        columns = [np.asarray(labels[name]) for name in labels]
        for name, column in zip(names, columns, strict=True):
            _check_length(column, count, f"the concept {name!r} has")
            if not set(np.unique(column).tolist()) <= {0, 1}:
                raise ValueError(
                    f"the concept {name!r} has other values than yes and no; give True or False an image"
                )
        if not names:
            raise ValueError("labels names no concept; give at least one, with True or False an image")
        has = csr_array(np.array(columns, dtype=np.int8))
    else:
        if isinstance(labels, str) or not isinstance(labels, Iterable):
            raise ValueError(f"labels is {labels!r}; give one per image, or True and False for each concept")
        values = np.asarray(labels if hasattr(labels, "__array__") else list(labels))
        _check_length(values, count, "there are")
        _check_none_lacks(values)
        if values.dtype.kind not in "iuUSObT":
            raise ValueError(f"labels are of type {values.dtype}; give a name or a whole number per image")
        kinds, code = np.unique(
            values.astype(str) if values.dtype.kind == "O" else values, return_inverse=True
        )
        names = [_named(kind, classes) for kind in kinds.tolist()]
        has = csr_array(
            (np.ones(count, np.int8), (code.ravel(), np.arange(count))), shape=(len(names), count)
        )
    return Concepts(names, [LABEL] * len(names), has, {LABEL: np.arange(count)})


def _named(kind: Any, classes: Sequence[str]) -> str:
    if isinstance(kind, int) and len(classes):
        if not 0 <= kind < len(classes):
            raise ValueError(
                f"a label is {kind}, outside the {len(classes)} classes 0 to {len(classes) - 1}; correct it, or name "
                "all classes"
            )
        return str(classes[kind])
    return str(kind)


def _check_none_lacks(values: np.ndarray) -> None:
    lacks = [value is None for value in values.ravel()] if values.dtype == object else []
    if any(lacks):
        raise ValueError(
            f"the label at place {lacks.index(True)} is None; give every image a label, or take out those without one"
        )


def _check_length(values: np.ndarray, count: int, there: str) -> None:
    if values.ndim != 1 or len(values) != count:
        shape = f"{len(values)} labels" if values.ndim == 1 else f"labels of shape {values.shape}"
        raise ValueError(f"{there} {shape} for {count} images; give one per image, in the images' order")
