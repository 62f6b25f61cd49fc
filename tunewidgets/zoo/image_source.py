"""A source of images: any number of passes over the same images.

In: a function from an index to a picture. Out: float batches `(b, 3, H, W)`, single pictures, labels where
there are any, and a description in words.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor

from tunewidgets.zoo.class_names import ClassNames


class ImageSource:
    """Images that are made, read or converted on demand; `images` makes such sources.

    Iterating gives float32 batches `(b, 3, H, W)` in [0, 1] on the CPU, the same at every iteration.

    Attributes
    ----------
    classes : tuple of str
        The names of the labels; empty where there are no labels, or none has a name for sure.
    names : ClassNames
        The same, and those of a data set inside a wrapper that may number its classes otherwise.
    has_labels : bool
        Whether `labeled` has labels to give.
    outputs : tuple of int
        For each class, the index of its score in the network's output, if the network knows more classes than the
        images show; empty if label `i` is score `i`.
    """

    def __init__(
        self,
        count: int,
        picture: Callable[[int], tuple[Tensor, int | None]],
        description: str,
        classes: Sequence[str] | ClassNames = (),
        has_labels: bool = False,
    ) -> None:
        self._count = count
        self._picture = picture
        self._description = description
        self.names = classes if isinstance(classes, ClassNames) else ClassNames(tuple(classes))
        self.classes = () if self.names.sure == "perhaps" else self.names.names
        self.has_labels = has_labels
        # Called with the images' indices before the first pass, to find what would end it.
        self.check: Callable[[Iterable[int]], None] | None = None
        self._checked = False
        self.batch_size = 64
        self.outputs: tuple[int, ...] = ()
        # Why images whose own sources have labels have none together; empty where there is nothing to say.
        self.why_no_labels = ""

    def __len__(self) -> int:
        """The number of images."""
        return self._count

    def __getitem__(self, index: int) -> Tensor:
        """Image `index` as `(3, H, W)`."""
        return self.pair(index)[0]

    def pair(self, index: int) -> tuple[Tensor, int | None]:
        """Image `index` and its label, None where it has none."""
        if not -self._count <= index < self._count:
            raise IndexError(f"there is no image {index}; this source has {self._count}")
        return self._picture(index % self._count)

    def __iter__(self) -> Iterator[Tensor]:
        """Batches `(b, 3, H, W)`, each of up to `batch_size` images of one size."""
        for pictures, _ in self._batches():
            yield pictures

    def labeled(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches with their labels: `(b, 3, H, W)` float32 and `(b,)` int64.

        Raises
        ------
        ValueError
            If the source has no labels; as they are read, if an image has none.
        """
        if not self.has_labels:
            if self.why_no_labels:
                raise ValueError(f"{self._description} have no labels: {self.why_no_labels}")
            raise ValueError(
                f"{self._description} have no labels; give a folder with a sub-folder for each class, "
                "or a dataset of (image, label) pairs"
            )
        return self._labeled_batches()

    labelled = labeled  # as it was spelled at first, for code that calls it so

    def _labeled_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        first = 0
        for pictures, labels in self._batches():
            if None in labels:
                raise ValueError(
                    f"image {first + labels.index(None)} of the {self._description} has no class as its label; give "
                    "it one, or take the image out"
                )
            yield pictures, torch.tensor(labels)
            first += len(labels)

    def describe(self) -> str:
        """What the images are, in a few words, for a record's settings."""
        return self._description

    def __repr__(self) -> str:
        return f"<ImageSource: {self._description}>"

    def _batches(self) -> Iterator[tuple[Tensor, list[int | None]]]:
        if self.check is not None and not self._checked:
            self.check(range(self._count))
            self._checked = True
        pictures: list[Tensor] = []
        labels: list[int | None] = []
        for index in range(self._count):
            picture, label = self._picture(index)
            if pictures and (len(pictures) == self.batch_size or picture.shape != pictures[0].shape):
                yield torch.stack(pictures), labels
                pictures, labels = [], []
            pictures.append(picture)
            labels.append(label)
        if pictures:
            yield torch.stack(pictures), labels


def ending(size: int | None, seed: int | None) -> str:
    """How a description ends: `", 64 px, seed 0"`, less what is None."""
    return (f", {size} px" if size else "") + (f", seed {seed}" if seed is not None else "")
