"""Labeled images for the kernels of units: checked, counted, any number of passes.

In: `(images, labels)` in any form a user may have them. Out: batches of float images and int64 labels with the index of
the first image, the same at every pass; or one sentence that says what is wrong with the data.
"""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tunewidgets._checks import a_type, is_whole
from tunewidgets.kernels.data.identity import data_marks
from tunewidgets.kernels.data.image_batches import check_order, look_of_first
from tunewidgets.kernels.data.items import as_batches, is_data_set
from tunewidgets.kernels.network.capture import Observed
from tunewidgets.kernels.network.probe import check_images, tensor_of
from tunewidgets.zoo.class_names import ClassNames, class_names, given_names, usable

# Classes that nobody has counted are fewer than this: larger labels are ids, and a table of them would fill the memory.
MOST_UNTOLD = 65_536
MOST_WHOLE = 2**63  # what int64 holds


class LabeledImages:
    """A user's data as batches.

    Parameters
    ----------
    data : iterable
        An iterable of `(images, labels)` batches (a list, a DataLoader), a map-style Dataset of `(image, label)` pairs,
        all images and labels at once, or a zoo source with labels; in place of a pair, a dict with an `image` and a
        `label`, as Hugging Face's data sets give. A one-shot iterator is kept in memory.
    classes : int, sequence of str or mapping, optional
        How many classes there are, or their names, also as a mapping of labels to names or of names to labels; None
        takes the data's own `classes`, or those of what it wraps, else the largest label decides.
    size : (int, int), optional
        The height and width that the images must have.
    gray : bool
        Whether images of one channel are taken too.

    Attributes
    ----------
    names : tuple of str
        The classes' names, empty where they have none. Those of a data set inside a wrapper are right after a pass.
    n_classes : int or None
        None while only the labels can tell.
    count : int or None
        How many images there are; None before the first pass.
    described : str or None
        The data's own description, if they have one.
    outputs : tuple of int
        For each class, the index of its score in the network's output; empty if label `i` is score `i`.

    Raises
    ------
    TypeError, ValueError
        The data are not labeled images; a wrong batch raises when it is read.
    """

    def __init__(
        self,
        data: Any,
        classes: int | Sequence[str] | Mapping[Any, Any] | None,
        size: tuple[int, int] | None = None,
        gray: bool = False,
    ) -> None:
        self._given, self._batches = data, _opened(data)
        self._found = class_names(data)
        describe = getattr(data, "describe", None)
        self.described = str(describe()) if callable(describe) else None
        if classes is not None and not is_whole(classes):
            self._found = ClassNames(given_names(classes))
        else:
            self._found = usable(self._found, asks=classes is None)
        if is_whole(classes):
            self._found = ClassNames()
        self.names = self._found.names
        # Names that may be those of other classes, or of more than there are, don't say how many there are.
        told = len(self.names) if self._found.sure == "all" else 0
        self.n_classes: int | None = int(classes) if is_whole(classes) else told or None
        if self.n_classes is not None and self.n_classes < 2:
            raise ValueError(
                f"there is one class only ({self.n_classes}); selectivity compares classes: give at least two."
            )
        self.outputs: tuple[int, ...] = tuple(getattr(data, "outputs", ()))
        self.size, self.gray = size, gray
        self.count: int | None = None
        self._first: Tensor | None = None

    def describe(self) -> str:
        """What the images are, in a few words, for a record's settings."""
        return self.described or f"{self.count} labeled images"

    def check_order(self) -> None:
        """Raise a ValueError if images come in another order at every pass."""
        check_order(self._batches)

    def look_of_first(self) -> str:
        """A description of the first images that tells these data from others."""
        return look_of_first(self._check(item, 0) for item in self._batches)

    def marks(self) -> dict[str, Any]:
        """By what these data are known again, as far as that costs no pass over them."""
        return data_marks(self._given, self._batches)

    def sample_batch(self, count: int) -> Tensor:
        """The first image `count` times, `(count, 3, H, W)`, in the images' own size.

        If no pass has read it yet, a pass is begun for it.

        Raises
        ------
        TypeError, ValueError
            There is none, or its batch is not a batch of labeled images.
        """
        if self._first is None:
            item = next(iter(self._batches), None)
            if item is None:
                raise ValueError("the data set is empty; give at least one image of every class.")
            self._first = self._check(item, 0)[0][:1].clone()
        return self._first.repeat(count, 1, 1, 1)

    def passes(self, size: int = 64) -> Iterator[tuple[int, Tensor, Tensor]]:
        """One pass: the index of the first image, images `(n, 3, H, W)` and labels `(n,)`, n at most `size`.

        Raises
        ------
        TypeError, ValueError
            A batch is not a batch of labeled images, a label is outside the classes, a class has no image, the data run
            dry, or images have the wrong size.
        """
        first, seen = 0, torch.zeros(self.n_classes or 0, dtype=torch.int64)
        for item in self._batches:
            images, labels = self._check(item, first)
            if self._first is None:
                self._first = images[:1].clone()
            seen = _grown(seen, int(labels.max()) + 1)
            seen += torch.bincount(labels, minlength=len(seen))
            for start in range(0, len(labels), size):
                yield first + start, images[start : start + size], labels[start : start + size]
            first += len(labels)
        self._finish(first, seen)

    def _check(self, item: Any, first: int) -> tuple[Tensor, Tensor]:
        if not (isinstance(item, (tuple, list)) and len(item) == 2):
            raise TypeError(
                f"data gives {a_type(item)} where a pair (images, labels) belongs; "
                "give batches of labeled images, such as a DataLoader's."
            )
        images = check_images(item[0], self.gray)
        _check_none_lacks(item[1], first)
        labels = _class_numbers(item[1], len(images), self.names)
        if labels.ndim != 1 or len(labels) != len(images) or labels.dtype.is_floating_point:
            raise ValueError(
                f"labels has shape {tuple(labels.shape)} and type {str(labels.dtype).removeprefix('torch.')} for "
                f"{len(images)} images; give one whole number per image."
            )
        labels = labels.cpu().to(torch.int64)
        if self.n_classes is None and int(labels.max()) >= MOST_UNTOLD:
            raise ValueError(
                f"labels go up to {int(labels.max()):,}, as ids do; number the classes from 0 without gaps, or say how "
                "many there are (classes=)."
            )
        outside = (labels < 0) | (labels >= (self.n_classes or MOST_UNTOLD))
        if bool(outside.any()):
            place = int(outside.nonzero()[0])
            top = "the number of classes" if self.n_classes is None else f"{self.n_classes - 1}"
            raise ValueError(
                f"image {first + place} has the label {int(labels[place])}, outside the classes 0 to {top}; "
                "correct the labels, or say how many classes there are (classes=)."
            )
        if self.size is not None and tuple(images.shape[2:]) != self.size:
            height, width = self.size
            way = "for instance with torch.nn.functional.interpolate"
            if height == width:
                way = f"for instance with tw.zoo.images(data, size={height})"
            raise ValueError(
                f"the images are {images.shape[2]} × {images.shape[3]} px and the model takes {height} × {width}; "
                f"resize them, {way}."
            )
        return images, labels

    def _finish(self, count: int, seen: Tensor) -> None:
        if count == 0:
            raise ValueError(
                "the data set ran dry: it gave no image in this pass; give data that can be read again, such as a "
                "list of batches or a DataLoader."
            )
        if self.count is not None and count != self.count:
            raise ValueError(
                f"the data set ran dry: it gave {self.count} images in one pass and {count} in another; "
                "give data that keep their number."
            )
        if len(seen) < 2:
            raise ValueError(
                "all images are of one class; selectivity compares classes: give images of at least two."
            )
        if bool((seen == 0).any()):
            missing = int((seen == 0).nonzero()[0])
            named = f" ({self.names[missing]})" if self.names else ""
            raise ValueError(
                f"class {missing}{named} has no image among the {count}; add some, or number the labels from 0 without "
                "gaps."
            )
        self.count, self.n_classes = count, len(seen)
        self._check_names()

    def _check_names(self) -> None:
        """Keep the names that a wrapper's data set has, where they can be those of the labels."""
        names, sure, _ = self._found
        assert self.n_classes is not None
        if sure == "some" and len(names) >= self.n_classes:
            self.names = names[: self.n_classes]
        elif names and sure != "all" and len(names) != self.n_classes:
            self.names, self._found = (), ClassNames()
            warnings.warn(
                f"the labels are of {self.n_classes} classes and the data set inside names {len(names)}, so the "
                "classes stay without names; give them as classes=",
                stacklevel=4,
            )


def labeled(
    data: Any, classes: int | Sequence[str] | Mapping[Any, Any] | None, observed: Observed
) -> LabeledImages:
    """The data as `LabeledImages`, unless they are already, checked for the size and the channels of the model."""
    if isinstance(data, LabeledImages):
        return data
    return LabeledImages(data, classes, observed.takes, observed.gray)


def _opened(data: Any) -> Iterable[Any]:
    """The data as batches, the same at every pass."""
    if callable(getattr(data, "labeled", None)):
        return _Labeled(data)
    wrong = isinstance(data, (Tensor, np.ndarray, str)) or hasattr(data, "iloc")
    if wrong or not (isinstance(data, Iterable) or is_data_set(data)):
        raise TypeError(
            f"data is {a_type(data)}; give batches of (images, labels), a Dataset, a DataLoader or a zoo "
            "source with labels."
        )
    if is_data_set(data) and len(data) == 0:
        raise ValueError("the data set is empty; give at least one image of every class.")
    return as_batches(data)


def _class_numbers(labels: Any, count: int, names: Sequence[str]) -> Tensor:
    """A batch's labels as numbers, where they are names, rows of a one-hot matrix, or whole numbers kept as floats."""
    if isinstance(labels, np.ndarray) and labels.dtype.kind in "UO":
        labels = labels.tolist()
    if names and isinstance(labels, (list, tuple)) and labels and all(isinstance(one, str) for one in labels):
        unknown = next((one for one in labels if one not in names), None)
        if unknown is not None:
            near = get_close_matches(unknown, names, n=1)
            raise ValueError(
                f"the label {unknown!r} is none of the classes; "
                + (f"did you mean {near[0]!r}?" if near else f"they are {', '.join(map(repr, names[:5]))}, …")
            )
        return torch.tensor([names.index(one) for one in labels])
    numbers = _numbers(labels, count)
    if numbers.ndim == 2 and numbers.shape[1] > 1:
        one_hot = bool(((numbers == 0) | (numbers == 1)).all()) and bool((numbers.sum(1) == 1).all())
        numbers = numbers.argmax(1) if one_hot else numbers
    if numbers.dtype.is_floating_point and bool((numbers == numbers.round()).all()):
        largest = float(numbers.abs().max())
        if largest >= MOST_WHOLE:
            raise ValueError(
                f"labels go up to {largest:.3g} in size, more than whole numbers do; number the classes from 0 without "
                "gaps."
            )
        numbers = numbers.to(torch.int64)
    return numbers


def _check_none_lacks(labels: Any, first: int) -> None:
    """Raise a ValueError for images without a label."""
    if labels is None:
        raise ValueError(
            "the images come without labels; give pairs (images, labels), or dicts with a column called 'label'."
        )
    if isinstance(labels, np.ndarray) and labels.dtype == object:
        labels = labels.tolist()
    if isinstance(labels, (list, tuple)) and any(label is None for label in labels):
        place = [label is None for label in labels].index(True)
        raise ValueError(
            f"image {first + place} has None as its label; give its class, or take the image out of the data."
        )


def _numbers(labels: Any, count: int) -> Tensor:
    """A batch's labels as a tensor.

    Raises
    ------
    TypeError
        They are not numbers but names, or something that a tensor can't hold.
    """
    if isinstance(labels, np.ndarray) and labels.dtype == object:
        labels = labels.tolist()
    if isinstance(labels, Tensor) and labels.is_meta:
        raise TypeError("labels is on the meta device and so has no values; give labels that have.")
    try:
        return torch.as_tensor(tensor_of(labels))
    except (TypeError, ValueError, RuntimeError):
        kind = type(labels[0]).__name__ if isinstance(labels, Sequence) and labels else type(labels).__name__
        raise TypeError(
            f"labels holds a {kind} for {count} images; give one whole number per image, and the classes' names as "
            "classes=."
        ) from None


class _Labeled:
    """A zoo source's labeled batches, any number of times."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def __iter__(self) -> Iterator[Any]:
        return iter(self._source.labeled())


def _grown(counts: Tensor, size: int) -> Tensor:
    return torch.cat([counts, counts.new_zeros(size - len(counts))]) if size > len(counts) else counts
