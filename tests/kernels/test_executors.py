"""Chunks on workers: the same results wherever they are made, the model sent once a worker, lost workers made good."""

import os
import pickle
import signal
import threading
import time
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context

import numpy as np
import pytest
import torch
from torch import nn
from units_networks import batches, branching, labeled_images

import tunewidgets as tw
from tunewidgets.kernels.studies import executors

QUICK = {"size": 16, "steps": 3, "chunk": 2, "progress": False}


@pytest.fixture(scope="module")
def probe():
    return tw.Probe(branching(), "relu", device="cpu")


@pytest.fixture(scope="module")
def expected(probe):
    return tw.visualize(probe, tw.AM(range(6)), **QUICK)


@pytest.fixture(autouse=True)
def nothing_kept():
    executors._networks.clear()


class Workers:
    """Workers that run what they are given at once, in turn, each with a memory of its own; some are lost."""

    def __init__(self, count=1, forgetful=False, lost=()):
        self.memories = [{} for _ in range(count)]
        self.forgetful, self.lost = forgetful, set(lost)
        self.calls, self.sent = 0, 0

    def submit(self, function, *args):
        future, number = Future(), self.calls
        self.calls += 1
        self.sent += sum(isinstance(part, bytes) and len(part) > 20_000 for part in args)
        if number in self.lost:
            future.set_exception(ConnectionError("the worker is gone"))
            return future
        memory = {} if self.forgetful else self.memories[number % len(self.memories)]
        executors._networks.clear()
        executors._networks.update(memory)
        # As between processes: nothing is shared.
        future.set_result(pickle.loads(pickle.dumps(function(*pickle.loads(pickle.dumps(args))))))
        memory.update(executors._networks)
        return future


def test_results_are_those_of_this_process_and_do_not_depend_on_the_workers(probe, expected):
    for executor in (Workers(), Workers(3), Workers(2, forgetful=True), Workers(2, lost={1, 4, 5})):
        assert tw.visualize(probe, tw.AM(range(6)), **QUICK, executor=executor).equals(expected)


def test_images_without_a_gradient_are_made_by_the_workers_too(probe):
    pytest.importorskip("cmaes", reason="the extra cma is not installed")
    few = {"optimizer": "cma", "size": 16, "steps": 3, "chunk": 4, "progress": False}
    workers = Workers(2, lost={1})
    made = tw.visualize(probe, tw.AM(range(3)), **few, executor=workers)
    assert made.equals(tw.visualize(probe, tw.AM(range(3)), **few))
    assert workers.calls > 3


def test_the_model_travels_to_each_worker_once(probe):
    big = nn.Sequential(nn.Conv2d(3, 40, 5), nn.ReLU(), nn.Conv2d(40, 40, 5), nn.ReLU())
    big.input_size = 16
    workers = Workers(1)
    for layer in ("1", "3"):
        tw.visualize(tw.Probe(big, layer, device="cpu"), tw.AM(range(6)), **QUICK, executor=workers)
    assert workers.sent == 1
    with torch.no_grad():
        big[0].weight += 0.1
    tw.visualize(tw.Probe(big, "1", device="cpu"), tw.AM(range(6)), **QUICK, executor=workers)
    assert workers.sent == 2


def test_a_chunk_that_loses_worker_after_worker_is_reported_with_its_units(probe):
    with pytest.raises(
        RuntimeError, match=r"AM \d, AM \d of layer 'relu' can't be made: a chunk lost its worker 3 ti"
    ):
        tw.visualize(probe, tw.AM(range(6)), **QUICK, executor=Workers(lost=range(1000)))


def test_an_error_of_the_work_itself_is_raised_as_it_is(probe):
    class Wrong(tw.AM):
        def score(self, targets, at, device):
            raise ValueError("no such score")

    with pytest.raises((ValueError, TypeError), match=r"no such score|can't be sent to workers"):
        tw.visualize(probe, Wrong([0]), **QUICK, executor=Workers())


class Odd(Exception):
    """An error that can be packed, and not unpacked."""

    def __init__(self, what, where):
        super().__init__(f"{what} on {where}")

    def __reduce__(
        self,
    ):  # as every error's: said here, since dask's way to pack errors mends that of the others
        return Odd, self.args


def fails_oddly(chunk, step):
    raise Odd("dust", "the lens")


def test_an_error_that_can_not_travel_is_told_by_its_words(probe):
    spread = executors.on_workers(Workers(), probe.network, probe.model)
    with pytest.raises(RuntimeError, match="Odd: dust on the lens"):
        list(spread(fails_oddly, [1], print, probe.device))


def test_what_is_no_executor_and_what_cannot_travel_is_said(probe):
    with pytest.raises(TypeError, match="executor is an int; give one with the interface of"):
        tw.visualize(probe, tw.AM([0]), **QUICK, executor=4)
    data = batches(*labeled_images(), 5)
    with pytest.raises(TypeError, match="executor is an int"):
        tw.analyze_units(branching(), data, "relu", executor=4, progress=False)
    stuck = branching()
    stuck.preprocess = partial(lambda images, lock: images, lock=threading.Lock())
    with pytest.raises(TypeError, match="can't be sent to workers"):
        tw.visualize(tw.Probe(stuck, "relu", device="cpu"), tw.AM([0]), **QUICK, executor=Workers())


def test_a_pool_that_broke_and_cannot_be_made_anew_is_reported(probe):
    class Broken:
        def submit(self, *args):
            raise BrokenExecutor("it broke")

    with pytest.raises(
        RuntimeError, match=r"the Broken takes no more work, because it lost a worker; .*store="
    ):
        tw.visualize(probe, tw.AM([0]), **QUICK, executor=Broken())


@pytest.fixture
def pools(monkeypatch):
    """The pools of processes that were made, which are none."""
    pools = []

    class Pool(Workers):
        def __init__(self, *_):
            super().__init__()
            pools.append(self)

    monkeypatch.setattr(executors, "ProcessPoolExecutor", Pool)
    return pools


def broken_after(seconds):
    future = Future()
    threading.Timer(seconds, future.set_exception, [BrokenProcessPool("a process is gone")]).start()
    return future


def test_a_pool_whose_chunks_fail_one_after_another_is_replaced_once(probe, expected, pools):
    class Breaking(executors.ProcessPoolExecutor):
        def submit(self, *_):
            self.calls += 1
            return broken_after(0.2 * self.calls)

    with pytest.warns(UserWarning, match="a worker process was lost"):
        assert tw.visualize(probe, tw.AM(range(6)), **QUICK, executor=Breaking()).equals(expected)
    assert len(pools) == 2


def test_a_pool_that_breaks_when_the_network_is_asked_for_is_replaced_too(probe, expected, pools):
    class Breaking(executors.ProcessPoolExecutor):
        def submit(self, *work):
            if self.calls == 0:
                self.calls += 1
                return broken_after(0)
            if self.calls == 1:
                time.sleep(0.1)
                return super().submit(*work)
            raise BrokenProcessPool("a process is gone")

    with pytest.warns(UserWarning, match="a worker process was lost"):
        made = tw.visualize(probe, tw.AM(range(4)), **QUICK, executor=Breaking())
    assert made.equals(expected.isel(target=slice(4)))
    assert len(pools) == 2


def test_threads_will_do_and_films_have_executors_too(probe, expected):
    vectors = np.random.default_rng(0).exponential(size=(60, 6)).astype(np.float32)
    dimensions = tw.TuningDimensions("pca", 2).fit(vectors)
    film = tw.render_film(probe, dimensions, 4, **QUICK)
    with ThreadPoolExecutor(2) as executor:
        assert tw.visualize(probe, tw.AM(range(6)), **QUICK, executor=executor).equals(expected)
        assert tw.render_film(probe, dimensions, 4, **QUICK, executor=executor).equals(film)


def kill_soon(find, done):
    """From another thread: kill -9 the first worker that `find` gives."""

    def kill():
        while not done.is_set():
            for pid in find():
                os.kill(pid, signal.SIGKILL)
                return
            time.sleep(0.01)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def test_a_killed_process_is_made_good(probe, expected, tmp_path):
    executor, done = ProcessPoolExecutor(1, mp_context=get_context("spawn")), threading.Event()
    killer = kill_soon(lambda: list(executor._processes), done)
    try:
        with pytest.warns(UserWarning, match="a worker process was lost; its chunks are made again"):
            made = tw.visualize(
                probe, tw.AM(range(6)), **QUICK, executor=executor, store=tmp_path / "images.zarr"
            )
    finally:
        done.set()
        killer.join()
        executor.shutdown()
        executors._replaced.pop(executor).shutdown()
    assert made.equals(expected)


def test_dask_makes_the_same_images_and_a_killed_worker_is_made_good(probe, expected, monkeypatch):
    distributed = pytest.importorskip("distributed")
    done = threading.Event()
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        killer = kill_soon(lambda: [worker.pid for worker in cluster.workers.values() if worker.pid], done)
        try:
            made = tw.visualize(probe, tw.AM(range(6)), **QUICK, executor=client.get_executor())
        finally:
            done.set()
            killer.join()
    assert made.equals(expected)
