"""The scatter's queue: which unit is rendered now and which next.

In: tasks, and a function from a task to its replies. Out: one stream of replies for a worker to go through; tasks may
be added while it runs. The unit that the reader clicked last goes first; the run through the rest waits meanwhile, and
then goes on where it was.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from .live import Reply


class Task(NamedTuple):
    """What is to be made of a unit: its first images, `objective`'s before the other's, or more of `objective`'s."""

    layer: str
    unit: int
    objective: str
    kind: str = "image"


class _Running(NamedTuple):
    task: Task
    replies: Iterator[Reply]


class Run:
    """All that one widget has to do.

    Parameters
    ----------
    make : callable
        From a task to its replies.
    wanted : Task, optional
        The reader's click.
    rest : iterable of Task
        What is done in the background, in this order.
    """

    def __init__(
        self, make: Callable[[Task], Iterator[Reply]], wanted: Task | None = None, rest: Iterable[Task] = ()
    ) -> None:
        self._make, self._wanted, self._rest = make, wanted, deque(rest)
        self._total = len(self._rest)
        self._front: _Running | None = None
        self._back: _Running | None = None
        self._over = False
        self._lock = threading.Lock()

    def join(self, other: "Run") -> bool:
        """Take over the work of another run, unless this one has ended: its click first, its rest instead of this
        one's.
        """
        with self._lock:
            if self._over:
                return False
            if other._wanted is not None:
                self._wanted = other._wanted
            if other._rest:
                under_way = self._back.task if self._back else None
                self._rest = deque(task for task in other._rest if task != under_way)
                self._total = len(self._rest) + (self._back is not None)
            return True

    def __iter__(self) -> "Run":
        return self

    def __next__(self) -> Reply:
        while (running := self._chosen()) is not None:
            reply = next(running.replies, None)
            if reply is not None:
                return reply._replace(facts={**reply.facts, "all": self._progress()})
            self._leave(running)
        raise StopIteration

    def close(self) -> None:
        """End here: what is under way is given up."""
        with self._lock:
            self._over = True
        for running in (self._front, self._back):
            if running is not None:
                _close(running)

    def _progress(self) -> list[int] | None:
        """How many units of the background run are done, and of how many; None where there is no such run."""
        with self._lock:
            left = len(self._rest) + (self._back is not None)
            return [self._total - left, self._total] if left else None

    def _chosen(self) -> _Running | None:
        with self._lock:
            wanted, self._wanted = self._wanted, None
            if wanted is not None and (self._front is None or self._front.task != wanted):
                if self._front is not None:
                    _close(self._front)
                if self._back is not None and self._back.task[:2] == wanted[:2] and wanted.kind == "image":
                    # Its turn has come anyway: it is not begun again.
                    self._front, self._back = self._back, None
                else:
                    self._front = _Running(wanted, self._make(wanted))
            if self._front is None and self._back is None and self._rest:
                task = self._rest.popleft()
                self._back = _Running(task, self._make(task))
            chosen = self._front or self._back
            self._over = chosen is None
            return chosen

    def _leave(self, running: _Running) -> None:
        with self._lock:
            if running is self._front:
                self._front = None
            elif running is self._back:
                self._back = None


def _close(running: _Running) -> None:
    close = getattr(running.replies, "close", None)
    if close is not None:
        close()
