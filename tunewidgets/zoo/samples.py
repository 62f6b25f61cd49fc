"""A user's data as they come: an item taken apart into pictures and labels.

In: a picture, a pair, or named columns such as Hugging Face's data sets give, of one image or of many. Out: pictures
and labels.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

# What data sets call the column of pictures, and that of labels; the first that is there counts.
PICTURES = ("image", "img", "images", "pixel_values", "picture", "jpg", "jpeg", "png", "webp")
LABELS = ("label", "labels", "fine_label", "class", "target", "targets", "cls")


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
        return item[name], _in_order(item[label]) if (label := first_of(LABELS, item)) else None
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
        return first_of(PICTURES, data) is not None
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


def _is_column(values: Any) -> bool:
    """Whether values stand in a row, as in a list, and are no array."""
    other = isinstance(values, str | bytes | Mapping | Tensor | np.ndarray) or hasattr(values, "iloc")
    return hasattr(values, "__len__") and hasattr(values, "__getitem__") and not other


def _in_order(labels: Any) -> Any:
    """Labels by their places: those of pandas go by names."""
    return labels.to_numpy() if hasattr(labels, "iloc") else labels


def first_of(names: Iterable[str], there: Mapping[str, Any]) -> str | None:
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
