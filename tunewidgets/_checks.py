"""Numbers as people give them, Python's or NumPy's: which of them are whole, and how JSON writes them.

In: whatever was given. Out: an answer, or plain values.
"""

from typing import Any, TypeGuard

import numpy as np


def is_whole(value: Any, least: float = -np.inf, most: float = np.inf) -> TypeGuard[int]:
    """Whether this is a whole number within these bounds; True, which Python takes for 1, is none."""
    return (
        isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(least <= value <= most)
    )


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
