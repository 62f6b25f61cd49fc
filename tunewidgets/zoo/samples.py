"""A user's data as they come: an item taken apart into pictures and labels, and the names of a data set's classes.

In: a picture, a pair, or named columns such as Hugging Face's data sets give, of one image or of many; a data set,
wrapped or not. Out: pictures and labels; names, and how sure it is that they are those of the labels.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from PIL import Image
from torch import Tensor
from torch.utils.data import ChainDataset, ConcatDataset, DataLoader, Subset

from tunewidgets._checks import whole_text

# What data sets call the column of pictures, and that of labels; the first that is there counts.
PICTURES = ("image", "img", "images", "pixel_values", "picture", "jpg", "jpeg", "png", "webp")
LABELS = ("label", "labels", "fine_label", "class", "target", "targets", "cls")
DEEPEST = 8  # data sets around one another; more are one that holds itself


class ClassNames(NamedTuple):
    """The names of a data set's classes.

    `sure` says whose they are: of "all" labels that must be there; of the labels, of which "some" may be missing, as in
    a subset; or "perhaps" of other labels, since a wrapper may number its own.
    """

    names: tuple[str, ...] = ()
    sure: Literal["all", "some", "perhaps"] = "all"


def parted(item: Any) -> tuple[Any, Any]:
    """An item's pictures and its labels; None for labels if pictures come alone, as from a `TensorDataset` of images.

    Raises
    ------
    TypeError
        It has named columns, and none of them is called as pictures are.

    Examples
    --------
    >>> parted({"img": "a picture", "fine_label": 3, "coarse_label": 0})
    ('a picture', 3)
    """
    if isinstance(item, Mapping):
        name = next((one for one in PICTURES if one in item), None)
        if name is None:
            raise TypeError(_no_pictures(item))
        return item[name], _in_order(item[label]) if (label := _first(LABELS, item)) else None
    if isinstance(item, tuple | list) and len(item) in (1, 2):
        return item[0], _in_order(item[1]) if len(item) == 2 else None
    return item, None


def is_picture(value: Any) -> bool:
    """Whether a value can be one picture, rather than a batch of them."""
    return isinstance(value, Image.Image) or (
        isinstance(value, Tensor | np.ndarray) and value.ndim in (2, 3) and value.dtype != object
    )


def is_several(pictures: Any) -> bool:
    """Whether pictures are several that are not stacked."""
    return _is_column(pictures) and len(pictures) > 0 and is_picture(pictures[0])


def holds_all(data: Any) -> bool:
    """Whether data are all their pictures and all their labels at once, as `(X, y)` or as named columns.

    Examples
    --------
    >>> holds_all((np.zeros((5, 8, 8, 3)), [0, 1, 0, 1, 2]))
    True
    """
    if isinstance(data, Mapping):
        return _first(PICTURES, data) is not None
    if not (isinstance(data, tuple | list) and len(data) == 2):
        return False
    pictures, labels = data
    shape = getattr(labels, "shape", ())
    if not (shape or _is_column(labels)) or len(shape) > 2 or is_several(labels):
        return False
    if getattr(pictures, "ndim", 0) == 4:
        # Other lengths are a mistake to be told of.
        return True
    stacked = isinstance(pictures, Tensor | np.ndarray) and pictures.ndim == 3
    return (stacked or is_several(pictures)) and len(pictures) == len(labels)


def class_names(data: Any) -> ClassNames:
    """The names of a data set's classes: its own, those among its features, or those of what it wraps.

    Examples
    --------
    >>> from torch.utils.data import Dataset, Subset
    >>> class Birds(Dataset):
    ...     classes = ["crane", "heron"]
    >>> class_names(Subset(Birds(), [0])).names
    ('crane', 'heron')
    """
    return _names_in(data, 0)


def _names_in(data: Any, depth: int) -> ClassNames:
    if isinstance(known := getattr(data, "names", None), ClassNames):
        return known
    if own := _listed(getattr(data, "classes", None)):
        return ClassNames(own)
    features = getattr(data, "features", None)
    if isinstance(features, Mapping):
        named = _listed(getattr(features.get(_first(LABELS, features)), "names", None))
        return ClassNames(named, "some") if named else ClassNames()
    if depth == DEEPEST or isinstance(data, Tensor | np.ndarray | str | Mapping | list | tuple):
        return ClassNames()
    if isinstance(data, DataLoader):
        return _names_in(data.dataset, depth + 1)
    if isinstance(data, Subset | ConcatDataset | ChainDataset):
        parts = [data.dataset] if isinstance(data, Subset) else data.datasets
        found = {_names_in(part, depth + 1) for part in parts}
        agreed = {each.names for each in found}
        # Parts that name their classes otherwise number them otherwise, so that no name is right for all.
        sure = any(each.sure == "perhaps" for each in found)
        return ClassNames(agreed.pop(), "perhaps" if sure else "some") if len(agreed) == 1 else ClassNames()
    inside = [getattr(data, "dataset", None), *getattr(data, "__dict__", {}).values()]
    wrapped = [one for one in inside if hasattr(one, "__getitem__") and not isinstance(one, type)]
    held = {names for one in wrapped if (names := _names_in(one, depth + 1).names)}
    return ClassNames(held.pop(), "perhaps") if len(held) == 1 else ClassNames()


def _is_column(values: Any) -> bool:
    """Whether values stand in a row, as in a list, and are no array."""
    other = isinstance(values, str | bytes | Mapping | Tensor | np.ndarray) or hasattr(values, "iloc")
    return hasattr(values, "__len__") and hasattr(values, "__getitem__") and not other


def _in_order(labels: Any) -> Any:
    """Labels by their places: those of pandas go by names."""
    return labels.to_numpy() if hasattr(labels, "iloc") else labels


def _listed(names: Any) -> tuple[str, ...]:
    """Names as texts; those of ImageNet's classes are several each."""
    if isinstance(names, str) or not isinstance(names, Sequence | np.ndarray | Mapping):
        return ()
    texts = (", ".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in names)
    return tuple(map(whole_text, texts))


def _first(names: Iterable[str], there: Mapping[str, Any]) -> str | None:
    return next((name for name in names if name in there), None)


def _no_pictures(item: Mapping[Any, Any]) -> str:
    columns = ", ".join(repr(str(name)) for name in list(item)[:6])
    if _holds_items(next(iter(item.values()), None)):
        return f"the data are parts of a data set ({columns}); give one of them, such as data[{next(iter(item))!r}]"
    return (
        f"the data have the columns {columns or 'of an empty dict'} and none that is called image; rename yours to "
        "'image' and 'label', or give pairs (image, label)"
    )


def _holds_items(data: Any) -> bool:
    """Whether what a dict holds is a data set, and no column of one."""
    if isinstance(data, str | Tensor | np.ndarray | Mapping) or not hasattr(data, "__getitem__"):
        return False
    first = data[0] if hasattr(data, "__len__") and len(data) else None
    return isinstance(first, Mapping) or (isinstance(first, tuple | list) and len(first) == 2)
