"""Chunks of work in parallel: one per core, each computing on a single thread.

In: a function of a chunk. Out: its results as they come. Small operations lose more by handing work between threads
than they gain, most of all on a busy machine; whole chunks have nothing to hand over. What a chunk computes does not
depend on how many run beside it.
"""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

from tunewidgets.kernels.studies.allocator import keep_freed_memory

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")


class Stopped(Exception):
    """Ends a worker whose caller no longer wants its result."""


def worker_count(device: torch.device) -> int:
    """How many chunks run side by side: as many as torch has threads on a CPU, one on an accelerator."""
    return torch.get_num_threads() if device.type == "cpu" else 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch's operations on this thread alone, for the length of a block."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def in_turn(
    run: Callable[[Chunk, Callable[[int], Any]], Result],
    chunks: Sequence[Chunk],
    on_step: Callable[[int], Any],
    device: torch.device,
) -> Iterator[Result]:
    """Like `in_threads`, but one after another in the caller's own thread, for work that must stay there."""
    for chunk in chunks:
        yield run(chunk, on_step)


def in_threads(
    run: Callable[[Chunk, Callable[[int], Any]], Result],
    chunks: Sequence[Chunk],
    on_step: Callable[[int], Any],
    device: torch.device,
) -> Iterator[Result]:
    """Results of `run(chunk, step)` for each chunk, as they come.

    `run` calls its second argument with a number after each step; the numbers reach `on_step` in the caller's thread.
    When the caller stops (an error, an interrupt, or no more interest), every worker ends at its next step.
    """
    news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    stop = threading.Event()

    def step(count: int) -> None:
        if stop.is_set():
            raise Stopped
        news.put(("step", count))

    def work(chunk: Chunk) -> None:
        if device.type == "cpu":
            torch.set_num_threads(1)  # this thread's alone
        try:
            news.put(("result", run(chunk, step)))
        except Stopped:
            return
        except BaseException as error:
            news.put(("error", error))

    if device.type == "cpu":
        keep_freed_memory()
    left = len(chunks)
    pool = ThreadPoolExecutor(max_workers=worker_count(device), thread_name_prefix="tunewidgets")
    try:
        for chunk in chunks:
            pool.submit(work, chunk)
        while left:
            kind, value = news.get()
            if kind == "step":
                on_step(value)
            elif kind == "error":
                raise value
            else:
                left -= 1
                yield value
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
