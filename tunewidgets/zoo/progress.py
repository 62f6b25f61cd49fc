"""How long work shows how far it is: a bar where someone looks, a line a minute where it is written to a file.

In: how much there is to do. Out: a bar of tqdm's.
"""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm.auto import tqdm
from tqdm.autonotebook import tqdm as of_this_place
from tqdm.std import tqdm as plain

MINUTE = 60.0


class LineBar(plain):
    """A bar for a file: a new line once a minute, and none for what takes less."""

    def __init__(self, *args: Any, **options: Any) -> None:
        often: dict[str, Any] = dict.fromkeys(("mininterval", "maxinterval", "delay"), MINUTE)
        super().__init__(*args, **{**often, **options})

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Write the bar as it is now; an empty message, by which a bar in a terminal is cleared, is none here."""
        text = str(self) if msg is None else msg
        if text:
            self.fp.write(f"{text}\n")
            self.fp.flush()

    def close(self) -> None:
        """Write the end, if the beginning was written."""
        if self.disable:
            return
        begun = self.last_print_t >= self.start_t + MINUTE
        # tqdm's own would end the line once more.
        self.leave = False
        if begun:
            self.display()
        super().close()


def progress_bar(things: Iterable[Any] | None = None, *, show: bool, **options: Any) -> Any:
    """Tqdm's bar for this place, with its `options`; not shown unless `show`."""
    is_notebook = of_this_place is not plain
    kind = tqdm if is_notebook or sys.stderr.isatty() else LineBar
    return kind(things, disable=not show, **options)
