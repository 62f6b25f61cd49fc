"""A user's images as batches: counted, described, and read a few at a time.

In: a batch, any iterable of batches with or without labels, or a zoo source. Out: the number of images, what they are
in words, and the pictures in chunks that go through a network together.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import RandomSampler, SubsetRandomSampler, WeightedRandomSampler

from tunewidgets._checks import a_type
from tunewidgets.kernels.data.items import Batches, as_batches, is_data_set
from tunewidgets.kernels.network.probe import tensor_of

CHUNK = 32  # images in one forward pass
FIRST = 8  # images by which a source is recognized


def described(images: Any, count: int) -> str:
    """What the images are, in a few words, for a record's settings."""
    describe = getattr(images, "describe", None)
    return str(describe()) if callable(describe) else f"{count} images of {a_type(images)}"


def counted(images: Any) -> tuple[Iterable[Any], int]:
    """The images as batches, and how many they are.

    Raises
    ------
    TypeError, ValueError
        They are neither a batch nor an iterable of batches, or there are none.
    """
    if isinstance(images, str) or not (isinstance(images, Iterable | Tensor) or is_data_set(images)):
        raise TypeError(
            f"images is {a_type(images)}; give a batch (N, 3, H, W), an iterable of batches, "
            "or a source such as tunewidgets.zoo.images('photos')"
        )
    batches: Any = as_batches(images)
    if callable(getattr(images, "describe", None)) and hasattr(images, "__len__"):
        count = len(batches)  # a zoo source counts images; a DataLoader would count batches
    elif isinstance(batches, Batches) and batches.count is not None:
        count = batches.count
    else:
        count = sum(len(parts_of(batch)[0]) for batch in batches)
    if count == 0:
        raise ValueError("there are no images to sample; give at least one")
    return batches, count


def parts_of(batch: Any) -> tuple[Tensor, Any]:
    """A batch's pictures and its labels; None for labels if pictures come alone, as from a DataLoader of bare tensors.

    Raises
    ------
    TypeError
        It is not a batch.
    """
    pictures, *more = batch if isinstance(batch, tuple | list) and len(batch) else [batch]
    if not isinstance(pictures, Tensor | np.ndarray):
        raise TypeError(
            f"images gives {a_type(pictures)} where a batch (N, 3, H, W) belongs; "
            "wrap it in tunewidgets.zoo.images(...)"
        )
    return tensor_of(pictures), more[0] if more else None


def check_order(batches: Any) -> None:
    """Raise a ValueError where images come in another order at every pass, and none can be named by its number.

    Of batches that are no DataLoader's nobody knows.
    """
    given = batches.given if isinstance(batches, Batches) else batches
    if isinstance(
        getattr(given, "sampler", None), (RandomSampler, SubsetRandomSampler, WeightedRandomSampler)
    ):
        raise ValueError(
            f"the {type(given).__name__} shuffles, so an image has another number at every pass; give one with "
            "shuffle=False"
        )


def look_of_first(batches: Iterable[Any]) -> str:
    """Mean values and labels of the first images, in words: it tells one source from another without a pass over all of
    it.

    Written to as many digits as machines agree on, since their libraries decode photographs differently.
    """
    means: list[float] = []
    labels: list[int] = []
    for batch in batches:
        pictures, own = parts_of(batch)
        few = pictures[: FIRST - len(means)]
        means += few.double().mean(dim=(1, 2, 3)).tolist()
        if own is not None:
            labels += np.asarray(own)[: len(few)].tolist()
        if len(means) == FIRST:
            break
    told = f"images of mean {', '.join(f'{mean:.4f}' for mean in means)}"
    return f"{told} with labels {', '.join(map(str, labels))}" if labels else told


def chunks(batches: Iterable[Any]) -> Iterator[Tensor]:
    """The pictures of batches, a few at a time."""
    for batch in batches:
        pictures, _ = parts_of(batch)
        for start in range(0, len(pictures), CHUNK):
            yield pictures[start : start + CHUNK]
