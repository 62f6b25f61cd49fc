"""Checks of what users give (whole numbers, known names, what JSON can hold), and the default number of steps.

In: any value. Out: whether it passes, or its plain value. Loads no NumPy, so that the command line's help need not wait
for it.
"""

from math import inf
from numbers import Integral
from typing import Any, Literal, TypeGuard, get_args

# A value that follows from the network, the layer and the machine.
Auto = Literal["auto"]
# Steps of an image's optimization, unless a caller asks for more or fewer.
STEPS = 128
# The decompositions that are known by a name.
Decomposition = Literal["pca", "ica", "nmf", "lle"]
DECOMPOSITIONS: tuple[str, ...] = get_args(Decomposition)


def is_whole(value: Any, least: float = -inf, most: float = inf) -> TypeGuard[int]:
    """Whether this is a whole number within these bounds; True, which Python takes for 1, is not one."""
    return isinstance(value, Integral) and not isinstance(value, bool) and least <= int(value) <= most


def plain_value(value: Any) -> Any:
    """NumPy's numbers and arrays as numbers and lists: the `default` of `json.dumps` for what is kept with a record.

    Raises
    ------
    TypeError
        It is something else, which JSON cannot hold.
    """
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(
        f"a record's settings contain a value of type {type(value).__name__}, which JSON cannot hold; "
        "describe it as text or numbers"
    )
