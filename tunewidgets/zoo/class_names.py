"""The names of a data set's classes: those that it brings, or that a user gives.

In: a data set, wrapped or not; or what was given as `classes=`. Out: names in the order of the labels, and how sure it
is that they are those of the labels.
"""

import warnings
from collections.abc import Iterable, KeysView, Mapping, Sequence, Set
from numbers import Integral
from typing import Any, Literal, NamedTuple

import numpy as np
from torch import Tensor
from torch.utils.data import ChainDataset, ConcatDataset, DataLoader, Subset

from tunewidgets._checks import whole_text
from tunewidgets.zoo.samples import LABELS, first_of

DEEPEST = 8  # data sets around one another; more are one that holds itself


class ClassNames(NamedTuple):
    """The names of a data set's classes.

    `sure` says whose they are: of "all" labels that must be there; of the labels, of which "some" may be missing, as in
    a subset; or "perhaps" of other labels, since a wrapper may number its own. Where there are none, `why` may say what
    takes them away: data that number their classes otherwise are "relabeled", and those whose parts name the same label
    differently "mixed", so that no label stands for one class.
    """

    names: tuple[str, ...] = ()
    sure: Literal["all", "some", "perhaps", "relabeled", "mixed"] = "all"
    why: str = ""


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


def usable(found: ClassNames, *, asks: bool = True) -> ClassNames:
    """The names that were found, if they can be used; `asks`: warn if not, and say how to give them.

    Raises
    ------
    ValueError
        A label stands for several classes.
    """
    if found.sure == "mixed":
        raise ValueError(
            f"{found.why}, so no label stands for one class; number the classes of all parts alike, or name what the "
            "labels stand for (classes=)"
        )
    if found.sure != "relabeled":
        return found
    if asks:
        warnings.warn(f"{found.why}, so the classes stay without names; give them as classes=", stacklevel=5)
    return ClassNames()


def given_names(classes: Any) -> tuple[str, ...]:
    """The names that a user gives for the classes, in the order of the labels.

    Raises
    ------
    TypeError, ValueError
        They are no names, or come in no order.
    """
    if isinstance(classes, Mapping):
        return mapped_names(classes)
    if isinstance(classes, Set) and not isinstance(classes, KeysView):
        raise TypeError("classes is a set, whose names come in no order; give a list, by label")
    if isinstance(classes, str | bytes) or hasattr(classes, "columns") or not isinstance(classes, Iterable):
        raise TypeError(f"classes is {classes!r}; give how many there are, or their names")
    return tuple(whole_text(str(name)) for name in classes)


def mapped_names(classes: Mapping[Any, Any]) -> tuple[str, ...]:
    """The names of classes in their order, from a mapping of numbers to names or of names to numbers.

    Raises
    ------
    ValueError
        It is neither, or a number is missing.

    Examples
    --------
    >>> mapped_names({1: "heron", 0: "crane"}), mapped_names({"heron": 1, "crane": 0})
    (('crane', 'heron'), ('crane', 'heron'))
    """
    named = {_place(key): name for key, name in classes.items()}
    if None in named or not all(isinstance(name, str | tuple) for name in named.values()):
        named = {_place(number): name for name, number in classes.items()}
    if None in named or not all(isinstance(name, str | tuple) for name in named.values()):
        raise ValueError(
            "classes maps neither numbers to names nor names to numbers; give a mapping such as {0: 'cat', 1: 'dog'}, "
            "or a list of names"
        )
    if missing := sorted({*range(len(classes))}.difference(named)):
        raise ValueError(
            f"classes maps {len(classes)} names and none of them to {missing[0]}; number them from 0 without gaps"
        )
    return _texts(named[number] for number in range(len(classes)))


def _place(number: Any) -> int | None:
    """A class's number, as JSON may have written it; None for anything else."""
    if isinstance(number, str):
        return int(number) if number.isdecimal() else None
    return int(number) if isinstance(number, Integral) and not isinstance(number, bool) else None


def _names_in(data: Any, depth: int) -> ClassNames:
    if isinstance(known := getattr(data, "names", None), ClassNames):
        return known
    if own := _listed(getattr(data, "classes", None)):
        return ClassNames(own) if _are_kept(data, len(own)) else _relabeled(data)
    features = getattr(data, "features", None)
    if isinstance(features, Mapping):
        named = _listed(getattr(features.get(first_of(LABELS, features)), "names", None))
        return ClassNames(named, "some") if named else ClassNames()
    if depth == DEEPEST or isinstance(data, Tensor | np.ndarray | str | Mapping | list | tuple):
        return ClassNames()
    if isinstance(data, DataLoader):
        return _names_in(data.dataset, depth + 1)
    if isinstance(data, Subset | ConcatDataset | ChainDataset):
        parts = [data.dataset] if isinstance(data, Subset) else data.datasets
        return _of_parts([_names_in(part, depth + 1) for part in parts], type(data).__name__)
    inside = [getattr(data, "dataset", None), *getattr(data, "__dict__", {}).values()]
    wrapped = [one for one in inside if hasattr(one, "__getitem__") and not isinstance(one, type)]
    held = {names for one in wrapped if (names := _names_in(one, depth + 1).names)}
    return ClassNames(held.pop(), "perhaps") if len(held) == 1 else ClassNames()


def _of_parts(found: list[ClassNames], whole: str) -> ClassNames:
    """The names that all parts of a data set agree on; a part may lack the last ones."""
    if (without := next((each for each in found if each.why), None)) is not None:
        return without
    longest = max((each.names for each in found), key=len, default=())
    is_sure = all(each.sure != "perhaps" for each in found)
    for own in (each.names for each in found):
        if own == longest[: len(own)]:
            continue
        if not is_sure:
            return ClassNames()
        label = next(i for i, name in enumerate(own) if name != longest[i])
        told = f"label {label} is {longest[label]!r} in one part of the {whole} and {own[label]!r} in another"
        return ClassNames((), "mixed", told)
    if not all(each.names for each in found):
        return ClassNames()
    return ClassNames(longest, "some" if is_sure else "perhaps")


def _are_kept(data: Any, count: int) -> bool:
    """Whether a data set, as torchvision's are, leaves its labels the numbers of its classes."""
    change = getattr(data, "target_transform", None)
    if not callable(change):
        return True
    try:
        changed = [change(label) for label in range(count)]
        return all(_number(value) == label for label, value in enumerate(changed))
    # It may ask for anything but a number.
    except Exception:
        return False


def _number(label: Any) -> int:
    """A label's number, also where it is a row of a one-hot matrix."""
    values = np.asarray(label, dtype=float)
    if values.ndim == 1 and values.sum() == 1 and set(values.tolist()) == {0.0, 1.0}:
        return int(values.argmax())
    return int(values) if values == np.round(values) else -1


def _relabeled(data: Any) -> ClassNames:
    told = f"the target_transform of the {type(data).__name__} changes its labels, to which its names no longer belong"
    return ClassNames((), "relabeled", told)


def _listed(names: Any) -> tuple[str, ...]:
    """Names as texts; those of ImageNet's classes are several each."""
    if isinstance(names, Mapping):
        try:
            return mapped_names(names)
        except ValueError:
            return ()
    return _texts(names) if isinstance(names, Sequence | np.ndarray) and not isinstance(names, str) else ()


def _texts(names: Iterable[Any]) -> tuple[str, ...]:
    texts = (", ".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in names)
    return tuple(map(whole_text, texts))
