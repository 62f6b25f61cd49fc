"""How a command ends: with files written, one sentence about what is wrong, or a stop from which it can resume.

In: a command's name and its work. Out: its exit status.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path


def run(name: str, work: Callable[[], Iterable[str]]) -> int:
    """Do the work and print the lines that it yields; 0, or 1 if it was stopped or what was asked for is not
    available.
    """
    try:
        lines = work()
    except (ValueError, FileNotFoundError, ConnectionError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{name}: stopped; run the same command again to go on", file=sys.stderr)
        return 1
    for line in lines:
        print(line)
    return 0


def sizes(*written: Path) -> list[str]:
    """Files that were written, one line each."""
    return [f"{path}: {path.stat().st_size / 1e6:.2f} MB" for path in written]
