"""The terminal: the commands' arguments, what each command does, and what it prints.

- `parsers`, `arguments`: the commands with their options, and how the text of an argument is read
- `commands`: what each command does
- `summary`, `checklist`: records as text
- `demo`, `demo_page`: the tour, as a notebook and as a page
"""

from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; see `commands.main`. Interrupted while it is still being loaded, it ends quietly too.

    Examples
    --------
    >>> main(["--version"])
    tunewidgets 0.1.0
    0
    """
    try:
        from .commands import main as run
    except KeyboardInterrupt:
        import sys

        from tunewidgets.zoo.command import STOPPED

        print(STOPPED, file=sys.stderr)
        return 1
    return run(argv)
