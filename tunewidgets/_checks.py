"""What users give: which numbers are whole, what goes by a name, the default number of steps, and what JSON can hold.

In: whatever was given. Out: an answer, or plain values. Loads no NumPy, which the command
line's help does not wait for.
"""

from math import inf
from numbers import Integral
from typing import Any, Literal, TypeGuard

# Whatever the network, the layer and the machine suggest.
Auto = Literal["auto"]
# Of an image's optimization, unless a caller asks for more or fewer.
STEPS = 128
# The decompositions that go by a name.
DECOMPOSITIONS = ("pca", "ica", "nmf", "lle")


def is_whole(value: Any, least: float = -inf, most: float = inf) -> TypeGuard[int]:
    """Whether this is a whole number within these bounds; True, which Python takes for 1, is none."""
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
        f"a record's settings hold a {type(value).__name__}, which JSON cannot; "
        "describe it as text or numbers"
    )
