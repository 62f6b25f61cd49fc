"""Checks of what users give (whole numbers, known names, local paths, what JSON can hold), and the default number of
steps.

In: any value. Out: whether it passes, or its plain value. Loads no NumPy, so that the command line's help need not wait
for it.
"""

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from inspect import signature
from math import inf
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, TypeGuard, get_args

# A value that follows from the network, the layer and the machine.
Auto = Literal["auto"]
# What libraries say of an array that can't be allocated.
TOO_LARGE = (
    "allocate memory|out of memory|array is too big|Maximum allowed dimension|Storage size calculation"
)
# Steps of an image's optimization, unless a caller asks for more or fewer.
STEPS = 128
# The decompositions that are known by a name.
Decomposition = Literal["pca", "ica", "nmf", "lle", "sae"]
DECOMPOSITIONS: tuple[str, ...] = get_args(Decomposition)


def a_type(value: Any) -> str:
    """What kind of thing this is, with its article, for a sentence.

    Examples
    --------
    >>> a_type(3), a_type("three")
    ('an int', 'a str')
    """
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeio' or name == 'ndarray' else 'a'} {name}"


def is_whole(value: Any, least: float = -inf, most: float = inf) -> TypeGuard[int]:
    """Whether this is a whole number within these bounds; True, which Python takes for 1, is not one."""
    return isinstance(value, Integral) and not isinstance(value, bool) and least <= int(value) <= most


def is_number(value: Any) -> TypeGuard[float]:
    """Whether this is a real number, of Python's or NumPy's; True, which Python takes for 1, is not one."""
    return isinstance(value, Real) and not isinstance(value, bool)


def check_flags(**flags: Any) -> None:
    """That options which are on or off are one of both: a text such as "no" counts as True in Python.

    Raises
    ------
    TypeError
        One is something else than True and False (1 and 0, or None for off).

    Examples
    --------
    >>> check_flags(rectify=True, progress=0)
    >>> check_flags(rectify="no")
    Traceback (most recent call last):
        ...
    TypeError: rectify is 'no'; give True or False
    """
    for name, value in flags.items():
        # NumPy's own kind is no number for Python.
        is_flag = value is None or isinstance(value, Integral) or type(value).__name__ in ("bool", "bool_")
        if not is_flag or value not in (None, 0, 1):
            raise TypeError(f"{name} is {value!r}; give True or False")


@contextmanager
def allocating(what: str, remedy: str) -> Iterator[None]:
    """Wrap what takes memory by a number that a user gave; if there is too little, an error of one sentence says so.

    Raises
    ------
    MemoryError
        There is not enough memory.
    """
    try:
        yield
    except (MemoryError, RuntimeError, ValueError) as error:
        # PyTorch raises RuntimeErrors of several wordings, and NumPy a ValueError for what no machine could address.
        if not isinstance(error, MemoryError) and not re.search(TOO_LARGE, str(error)):
            raise
        raise MemoryError(f"there is not enough memory for {what}; {remedy}") from error


def check_options(options: Any, what: str, function: Callable[..., Any], own: Collection[str]) -> None:
    """Before long work: that the options which it will hand on to a function are ones that it takes.

    Raises
    ------
    TypeError
        They are no mapping, or the function has no option of a name.
    ValueError
        One is among its `own`, which are decided by the work itself.
    """
    if not isinstance(options, Mapping):
        raise TypeError(f"{what} is {a_type(options)}; give a dict of {function.__name__}'s options")
    known = [name for name in signature(function).parameters if name not in own]
    for name in options:
        if name in own:
            raise ValueError(f"{what} can't hold {name!r}, which is decided here; leave it out")
        if name not in known:
            near = get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise TypeError(f"{what}: {function.__name__} has no option {name!r}; {hint}")


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


# What to do with the URL of a file that is written, with one of a file that is read, and where URLs are known as text.
WRITE_HERE = "give a path on this machine, and copy what is written there"
READ_HERE = "download it, and give its path on this machine"
AS_TEXT = "give the URL as text, since a path object loses one of its slashes"


def local_path(path: Any, what: str, remedy: str = WRITE_HERE) -> Path:
    """A path on this machine, with `~` for the home folder.

    Raises
    ------
    TypeError
        It is no path.
    ValueError
        It is a URL, which would be taken for a folder called `s3:`, or holds a NUL character.

    Examples
    --------
    >>> local_path("films/film.zarr", "the record's path").name
    'film.zarr'
    >>> local_path("s3://bucket/film.zarr", "the record's path")
    Traceback (most recent call last):
        ...
    ValueError: the record's path is a URL (s3://bucket/film.zarr); give a path on this machine, and copy what is \
written there
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"{what} is {a_type(path)}; give a path, as text or as a path object")
    text = os.fspath(path)
    if ("\0" if isinstance(text, str) else b"\0") in text:
        raise ValueError(
            f"{what} holds a NUL character ({text!r}), which no file system takes; give another path"
        )
    # A path object has made one slash of two; a folder may have such a name all the same.
    scheme = re.match(r"[A-Za-z][\w+.-]+:(?=/)", text) if isinstance(text, str) else None
    if scheme and ("://" in text or not Path(scheme[0]).exists()):
        raise ValueError(f"{what} is a URL ({text}); {remedy}")
    return Path(path).expanduser()


def whole_text(text: str) -> str:
    r"""The text as UTF-8 can hold it: halves of a character are joined, and one that is alone becomes U+FFFD.

    Such halves come from file names that are no UTF-8, and from pages.

    Examples
    --------
    >>> whole_text("edge"), whole_text("a\ud800b") == "a\ufffdb", whole_text("\ud83d\ude00") == "\U0001f600"
    ('edge', True, True)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
