"""Image sources made from what a user has: a folder, arrays, a dataset, another source, any iterable.

In: one of these, how many images, their size and a seed. Out: an `ImageSource`.
"""

import os
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tunewidgets._checks import READ_HERE, a_type, local_path, whole_text
from tunewidgets.zoo.class_names import ClassNames, class_names
from tunewidgets.zoo.folder_words import (
    are_splits,
    warn_of_dead_links,
    warn_of_empty_classes,
    warn_of_left_out,
    warn_of_several_pages,
)
from tunewidgets.zoo.image_source import ImageSource, ending
from tunewidgets.zoo.pictures import (
    SUFFIXES,
    fit,
    in_unit_range,
    is_image_file,
    open_picture,
    readable_suffixes,
    to_picture,
)
from tunewidgets.zoo.samples import is_picture, is_several, parted
from tunewidgets.zoo.truncated import check_files

ALL_WHOLE = 2**53  # from here, floats no longer hold every whole number
NAMED = ("photos", "dead-leaves", "cifar10", "digits", "imagenet-sample", "imagenet-labelled")


def from_folder(source: str | Path, n: int | None, size: int | None, seed: int) -> ImageSource:
    folder = local_path(source, "the folder of images", READ_HERE)
    if not folder.exists():
        near = get_close_matches(str(source), NAMED, n=1)
        known = f"give {', '.join(map(repr, NAMED))} or a folder of images"
        hint = f"did you mean {near[0]!r}?" if near else known
        raise FileNotFoundError(f"there are no images called {str(source)!r}, and no such folder; {hint}")
    if not folder.is_dir():
        raise ValueError(f"{folder} is a file; give the folder that the images are in")
    found = _found_in(folder)
    readable = readable_suffixes()
    files = [path for path in found.images if path.suffix.lower() in readable]
    warn_of_dead_links(folder, found.dead_links)
    if not files:
        raise ValueError(f"the folder {folder} holds no images; put some there ({', '.join(SUFFIXES)})")
    warn_of_left_out(folder, found.images, files, found.others)
    chosen = _chosen(len(files), n, seed, f"the folder {folder}")
    parts = [path.relative_to(folder).parts for path in files]
    tops = [own[0] for own in parts]
    has_labels = all(len(own) > 1 for own in parts) and not are_splits(folder, parts)
    if has_labels:
        warn_of_empty_classes(folder, set(tops))
    classes = sorted(set(tops)) if has_labels else []
    label = {name: i for i, name in enumerate(classes)}

    def picture(index: int) -> tuple[Tensor, int | None]:
        i = chosen[index]
        return open_picture(files[i], size), label.get(tops[i])

    drawn_by = seed if len(chosen) < len(files) else None
    description = f"{len(chosen)} images of {whole_text(folder.resolve().name)}{ending(size, drawn_by)}"
    made = ImageSource(len(chosen), picture, description, list(map(whole_text, classes)), has_labels)

    def check(indices: Iterable[int]) -> None:
        used = [files[chosen[index]] for index in indices]
        check_files(used)
        warn_of_several_pages(used)

    made.check = check
    return made


class _Found(NamedTuple):
    """What a folder and all folders in it hold."""

    images: list[Path]
    others: list[Path]
    dead_links: list[Path]


def _found_in(folder: Path) -> _Found:
    """The files of a folder and of all folders in it, linked ones too, that are not hidden, each kind sorted.

    Hidden files are not photographs: there is macOS's "._cat.png" beside "cat.png", and what Jupyter keeps in
    ".ipynb_checkpoints", which would be a class.
    """
    found = _Found([], [], [])
    seen = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        # A link to a folder above would be followed forever.
        real = os.path.realpath(place)
        folders[:] = [] if real in seen else [name for name in folders if not name.startswith(".")]
        if real not in seen:
            for path in (Path(place, name) for name in files if not name.startswith(".")):
                is_image = is_image_file(path)
                if is_image and path.is_file():
                    found.images.append(path)
                elif path.is_symlink() and not path.exists():
                    # A link to a class's folder that is gone is among the files.
                    found.dead_links.extend([path] if is_image or not path.suffix else [])
                elif not is_image:
                    found.others.append(path)
        seen.add(real)
    for each in found:
        each.sort()
    return found


def from_source(source: ImageSource, n: int | None, size: int | None, seed: int) -> ImageSource:
    chosen = _chosen(len(source), n, seed, source.describe())

    def picture(index: int) -> tuple[Tensor, int | None]:
        value, label = source.pair(chosen[index])
        return fit(value, size), label

    description = source.describe()
    if len(chosen) < len(source):
        description = f"{len(chosen)} of {description}, drawn with seed {seed}"
    if picture(0)[0].shape != source[chosen[0]].shape:
        description += f", resized to {size} px"
    made = ImageSource(len(chosen), picture, description, source.names, source.has_labels)
    if (check := source.check) is not None:
        made.check = lambda indices: check(chosen[index] for index in indices)
    made.outputs, made.why_no_labels = source.outputs, source.why_no_labels
    return made


def from_array(batch: Tensor | np.ndarray, n: int | None, size: int | None, seed: int) -> ImageSource:
    kind = type(batch).__name__
    if batch.ndim != 4:
        hint = "; for one image add a batch axis: images[None]" if batch.ndim == 3 else ""
        raise ValueError(
            f"the {kind} of images has shape {tuple(batch.shape)}, not (N, 3, height, width){hint}"
        )
    if len(batch) == 0:
        raise ValueError(f"the {kind} of images is empty; give at least one image")
    values = batch if isinstance(batch, Tensor) else torch.from_numpy(np.ascontiguousarray(batch))
    if values.dtype != torch.uint8:
        in_unit_range(values, "the batch of images")
    return from_sequence(batch, n, size, seed, f"images of {'a' if kind == 'Tensor' else 'an'} {kind}")


def from_sequence(source: Any, n: int | None, size: int | None, seed: int, what: str) -> ImageSource:
    chosen = _chosen(len(source), n, seed, what)
    names = class_names(source)

    def picture(index: int) -> tuple[Tensor, int | None]:
        value, label = parted(source[chosen[index]])
        return to_picture(value, size, f"image {chosen[index]}"), _label(label, names)

    has_labels = picture(0)[1] is not None
    classes = names if has_labels else ClassNames()
    description = f"{len(chosen)} {what}{ending(size, seed if len(chosen) < len(source) else None)}"
    made = ImageSource(len(chosen), picture, description, classes, has_labels)
    made.outputs = tuple(getattr(source, "outputs", ()))
    return made


def from_iterable(source: Iterable[Any], n: int | None, size: int | None) -> ImageSource:
    pairs: list[tuple[Tensor, int | None]] = []
    names = class_names(source)
    for item in source:
        values, labels = parted(item)
        if dimensions(values) != 4 and not is_several(values):
            values, labels = [values], None if labels is None else [labels]
        for i, value in enumerate(values):
            label = None if labels is None else _label(labels[i], names)
            pairs.append((to_picture(value, size, f"image {len(pairs)}"), label))
        if n is not None and len(pairs) >= n:
            break
    what = f"images of {a_type(source)}"
    if not pairs:
        raise ValueError("the source of images is empty; give at least one image")
    if n is not None:
        pairs = pairs[:n]
        _chosen(len(pairs), n, 0, what)
    has_labels = all(label is not None for _, label in pairs)
    classes = names if has_labels else ClassNames()
    return ImageSource(
        len(pairs), pairs.__getitem__, f"{len(pairs)} {what}{ending(size, None)}", classes, has_labels
    )


def _chosen(there: int, n: int | None, seed: int, what: str) -> list[int]:
    if n is None or n == there:
        return list(range(there))
    if n > there:
        raise ValueError(
            f"n={n} images are asked for, but there are only {there} ({what}); ask for n={there} or fewer"
        )
    return sorted(np.random.default_rng(seed).permutation(there)[:n].tolist())


def _label(value: Any, names: ClassNames) -> int | None:
    """A class label as an int; None for anything else, such as a box, a mask or a measurement."""
    if isinstance(value, str):
        return names.names.index(value) if value in names.names else None
    if isinstance(value, Tensor) and value.is_meta:  # it has no value
        return None
    if isinstance(value, Tensor | np.ndarray) and value.ndim == 0:
        value = value.item()
    # Labels kept in a table with other numbers come as floats; what is not whole is no class.
    is_number = isinstance(value, int | np.integer) or (
        isinstance(value, float | np.floating) and float(value).is_integer()
    )
    return int(value) if is_number and abs(value) < ALL_WHOLE else None


def dimensions(item: Any) -> int:
    """How many axes an item's pictures have; 0 if it has no pictures."""
    return int(getattr(parted(item)[0], "ndim", 0))


class Whole(Sequence[tuple[Any, Any]]):
    """All pictures and all their labels, given as two, as pairs."""

    def __init__(self, data: Any) -> None:
        self._pictures, self._labels = parted(data)
        if np.ndim(self._labels) == 0 and is_picture(self._pictures):
            self._pictures, self._labels = [self._pictures], [self._labels]
        if self._labels is not None and len(self._labels) != len(self._pictures):
            raise ValueError(
                f"there are {len(self._pictures)} images and {len(self._labels)} labels; give one label per image"
            )

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        return self._pictures[index], None if self._labels is None else self._labels[index]
