"""Image files that end too early, found before a long pass reaches them.

In: paths. Out: nothing, or one sentence. A file's last bytes say whether it ends as its format does, so that only
suspicious files are decoded; formats without a mark at their end are taken for whole.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from tunewidgets.derived.picture_files import read_picture

TAIL = 64  # bytes in which a format's mark must be


def check_files(paths: Iterable[Path]) -> None:
    """Raise a ValueError that counts the files that can't be read and names the first.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "a.png")
    >>> _ = path.write_bytes(b"no picture")
    >>> check_files([path])
    Traceback (most recent call last):
        ...
    ValueError: ...a.png can't be read as an image (cannot identify image file ...); repair it or take it out
    """
    broken: list[str] = []
    for path in paths:
        if not _seems_whole(path):
            try:
                read_picture(path)
            except (OSError, ValueError) as error:
                broken.append(str(error))
    if len(broken) > 1:
        raise ValueError(
            f"{len(broken)} image files can't be read, and the first of them is this: {broken[0]}"
        )
    if broken:
        raise ValueError(broken[0])


def _seems_whole(path: Path) -> bool:
    """Whether a file begins and ends as its format does."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            tail = file.read()
    except OSError:
        return False
    if head.startswith(b"\xff\xd8"):
        return b"\xff\xd9" in tail
    if head.startswith(b"\x89PNG"):
        return b"IEND" in tail
    if head.startswith(b"GIF8"):
        return tail.rstrip(b"\0").endswith(b";")
    if head.startswith(b"RIFF"):
        return size >= 8 + int.from_bytes(head[4:8], "little")
    if head.startswith(b"BM"):
        return size >= int.from_bytes(head[2:6], "little")
    return size > len(head)
