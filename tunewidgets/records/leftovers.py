"""A place beside a file or folder where its next version is made; what killed processes left of theirs is cleared away.

In: the path that is to be written. Out: a path beside it that nobody else has, locked as long as it is in use. The
operating system releases the lock of a process that dies, so that what it leaves can be told from another's work.
"""

import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .lock import InUseError, Lock

REPLACED = "replaced"  # in a folder that is made: what it takes the place of


@contextmanager
def place_beside(target: Path, ending: str = "") -> Iterator[Path]:
    """A free path beside `target`, for a file or a folder; whatever is there goes at the end.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp(), "film.zarr")
    >>> with place_beside(target) as place:
    ...     place.mkdir()
    ...     _ = place.rename(target)
    >>> [path.name for path in target.parent.iterdir()]
    ['film.zarr']
    """
    clear_leftovers(target, ending)
    place = target.with_name(f"{_beginning(target)}{uuid.uuid4().hex[:8]}{ending}")
    # Before there is a place: one that another process sees is never without its lock.
    lock = _lock(place)
    try:
        yield place
    finally:
        _remove(place)
        if lock is not None:
            lock.release()


def clear_leftovers(target: Path, ending: str = "") -> None:
    """Remove what killed processes left beside `target`, and put back what they had moved away to replace it."""
    for place in leftovers(target, ending):
        try:
            lock = Lock(_lock_of(place), place.name)
        except (InUseError, OSError):
            continue
        replaced = place / REPLACED
        if replaced.exists() and not target.exists():
            replaced.rename(target)
        _remove(place)
        lock.release()


def leftovers(target: Path, ending: str = "") -> list[Path]:
    """Places beside `target` that are in use, or that a killed process left."""
    name = re.compile(re.escape(_beginning(target)) + "[0-9a-f]{8}" + re.escape(ending))
    try:
        beside = list(target.parent.iterdir())
    except OSError:
        return []
    return [path for path in beside if name.fullmatch(path.name) and _lock_of(path).exists()]


def _beginning(target: Path) -> str:
    # File systems allow names of 255 bytes; a character may take four.
    return f".{target.name[:48]}."


def _lock_of(place: Path) -> Path:
    return place.with_name(f"{place.name}.lock")


def _lock(place: Path) -> Lock | None:
    """The lock on a place; None where the file system has no locks, or no room for one."""
    try:
        return Lock(_lock_of(place), place.name)
    except OSError:
        with suppress(OSError):
            _lock_of(place).unlink(missing_ok=True)
        return None


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)
