"""How a command ends: with files written, one sentence about what is wrong, or a stop from which it can resume; and how
it writes on a terminal that knows few signs.

In: a command's name and its work. Out: its exit status.
"""

import codecs
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STOPPED = "\nStopped before it was done; what was saved earlier is as it was."
# How to write, where only ASCII is known, the signs that our texts hold.
PLAIN = {
    "…": "...", "–": "-", "—": "-", "−": "-", "×": "x", "·": ".", "²": "2", "³": "3", "°": " deg", "±": "+-", "≤": "<=",
    "≥": ">=", "→": "->", "’": "'", "‘": "'", "“": '"', "”": '"', "µ": "u", "α": "alpha", "η": "eta", "ρ": "rho",
}  # fmt: skip


def run(name: str, work: Callable[[], Iterable[str]]) -> int:
    """Do the work and print the lines that it yields; 0, or 1 if it was stopped or what was asked for is not
    available.
    """
    write_any_sign()
    with interruptions() as interrupted:
        try:
            for line in work():
                print(line)
        except KeyboardInterrupt:
            print(f"{name}: stopped; run the same command again to go on", file=sys.stderr)
            return 1
        except Exception as error:
            if interrupted.is_set():
                print(f"{name}: stopped; run the same command again to go on", file=sys.stderr)
            elif isinstance(error, ValueError | FileNotFoundError | ConnectionError):
                print(f"{name}: {error}", file=sys.stderr)
            else:
                raise
            return 1
    return 0


def write_any_sign() -> None:
    """Let the output write what the terminal's encoding lacks in plainer signs, rather than raise for it."""
    codecs.register_error("tunewidgets", _plainer)
    for stream in (sys.stdout, sys.stderr):
        # What is no terminal, such as a notebook's output, may not need it and can't do it.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="tunewidgets")


def _plainer(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    plain = (PLAIN.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in signs)
    return "".join(plain), error.end


@contextmanager
def interruptions() -> Iterator[threading.Event]:
    """Whether the reader has pressed Ctrl-C: what is interrupted as it is being imported may raise something else."""
    pressed = threading.Event()

    def press(number: int, frame: Any) -> None:
        pressed.set()
        signal.default_int_handler(number, frame)

    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if ours:
        signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def sizes(*written: Path) -> list[str]:
    """Files that were written, one line each."""
    return [f"{path}: {path.stat().st_size / 1e6:.2f} MB" for path in written]
