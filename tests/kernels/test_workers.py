"""Chunks side by side: every result once, errors and interrupts out at once, nothing left running."""

import threading
import time

import pytest
import torch

from tunewidgets.kernels.studies.workers import in_threads

CPU = torch.device("cpu")


def running() -> int:
    return sum(thread.name.startswith("tunewidgets") for thread in threading.enumerate())


def test_every_chunk_gives_its_result_once_and_every_step_is_told():
    steps = []

    def run(chunk, step):
        for _ in range(3):
            step(chunk)
        return chunk * 10

    assert sorted(in_threads(run, [1, 2, 3, 4, 5], steps.append, CPU)) == [10, 20, 30, 40, 50]
    assert sorted(steps) == sorted([1, 2, 3, 4, 5] * 3)
    assert running() == 0


def test_each_chunk_computes_on_one_thread_and_the_callers_threads_stay():
    before = torch.get_num_threads()
    assert list(in_threads(lambda chunk, step: torch.get_num_threads(), [0, 1], print, CPU)) == [1, 1]
    assert torch.get_num_threads() == before


def test_an_error_reaches_the_caller_and_stops_the_others():
    def run(chunk, step):
        if chunk == 0:
            raise ZeroDivisionError("chunk 0")
        while True:
            step(1)
            time.sleep(0.001)

    with pytest.raises(ZeroDivisionError, match="chunk 0"):
        list(in_threads(run, [0, 1, 2, 3], lambda count: None, CPU))
    assert running() == 0


def test_an_interrupt_in_the_caller_stops_the_workers():
    def endless(chunk, step):
        while True:
            step(1)
            time.sleep(0.001)

    def interrupt(count):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(in_threads(endless, [0, 1], interrupt, CPU))
    assert running() == 0


def test_a_caller_that_takes_no_more_ends_the_work():
    def run(chunk, step):
        for _ in range(100 if chunk else 1):
            step(1)
            time.sleep(0.001)
        return chunk

    results = in_threads(run, [0, 1, 2, 3], lambda count: None, CPU)
    next(results)
    results.close()
    assert running() == 0
