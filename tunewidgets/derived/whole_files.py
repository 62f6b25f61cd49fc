"""Files, written whole or not at all: a full disk or a stopped process leaves what was there before.

In: the path of a file. Out: a path beside it to write to, which then takes its place.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..records.leftovers import place_beside

__all__ = ["written_whole"]


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """A path to write to, with the suffix of `target`; it becomes `target` at the end, and goes if anything fails.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp(), "page.html")
    >>> with written_whole(target) as path:
    ...     _ = path.write_text("whole")
    >>> target.read_text(), [file.name for file in target.parent.iterdir()]
    ('whole', ['page.html'])
    """
    # A link stays a link, to what is written now.
    target = target.resolve()
    if target.exists() and not target.is_file():
        # Nothing can take the place of a pipe or a device.
        yield target
        return
    with place_beside(target, target.suffix) as part:
        yield part
        if target.exists():
            shutil.copymode(target, part)
        os.replace(part, target)
