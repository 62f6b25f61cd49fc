"""What figures are asked for, checked before anything is drawn.

In: an argument and its name. Out: its plain value, or an error of one sentence with the remedy.
"""

from collections.abc import Iterable
from math import inf, isfinite
from typing import Any

from tunewidgets._checks import is_number, is_whole

LAYERS = "the names of layers, or None for all"


def whole(name: str, value: Any, least: int = 1, remedy: str = "") -> int:
    """A whole number of at least `least`.

    Raises
    ------
    ValueError
        It is something else.
    """
    if not is_whole(value, least):
        raise ValueError(f"{name} is {value!r}; give a whole number, {least} or more{remedy}")
    return int(value)


def place_in(name: str, value: Any, count: int, there: str) -> int:
    """The number of one of `count` things; `there` says in a few words what has them.

    Raises
    ------
    ValueError
        There is none of that number.
    """
    if not is_whole(value, 0, count - 1):
        raise ValueError(f"{name} is {value!r}, but {there} has {count}; give 0 to {count - 1}")
    return int(value)


def positive(name: str, value: Any, most: float = inf, remedy: str = "a positive number") -> float:
    """A finite number above 0.

    Raises
    ------
    ValueError
        It is something else, or more than `most`.
    """
    if not (is_number(value) and isfinite(value) and 0 < value <= most):
        raise ValueError(f"{name} is {value!r}; give {remedy}")
    return float(value)


def listed(name: str, value: Any, remedy: str) -> list[Any] | None:
    """Several things, or one name for itself; None stays None.

    Raises
    ------
    TypeError, ValueError
        It is nothing that can be gone through, or holds nothing.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return [value]
    if not isinstance(value, Iterable):
        raise TypeError(f"{name} is {value!r}; give {remedy}")
    several = list(value)
    if not several:
        raise ValueError(f"{name} is empty; give {remedy}")
    return several
