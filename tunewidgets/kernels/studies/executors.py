"""Chunks of work on the workers of any executor: processes, a cluster's nodes, other people's machines.

In: an executor with the interface of `concurrent.futures`, a function of a chunk, and chunks. Out: the results as they
come. The network travels to each worker once; what a chunk computes does not depend on where, or with whom.
"""

import io
import pickle
import time
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from functools import partial
from typing import Any, Protocol

import torch
from torch import nn

from tunewidgets._checks import a_type
from tunewidgets.kernels.studies.allocator import keep_freed_memory
from tunewidgets.kernels.studies.fingerprint import fingerprint

# A chunk that loses its worker this often in a row, with nothing finished in between, is given up.
TRIES = 3
POLL = 0.005  # seconds between two looks at what is finished

# On each worker: the networks that it was sent last, by key.
_networks: dict[str, nn.Module] = {}
KEPT = 2
# A pool that lost a worker takes no more work; this is what stands in for it.
_replaced: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


class Executor(Protocol):
    """What has workers: `ProcessPoolExecutor`, `dask.distributed.Client().get_executor()`, others of that interface."""

    def submit(self, work: Callable[..., Any], /, *args: Any) -> Any:
        """A future of what the work gives."""


def on_workers(executor: Executor, network: nn.Module, original: nn.Module) -> Callable[..., Iterator[Any]]:
    """A function that runs chunks as `in_threads` does, but on the executor's workers.

    `original` is the model that `network` is, or is a copy of; where work refers to either, a worker takes its own.

    Raises
    ------
    TypeError
        `executor` has no `submit`.
    """
    check_executor(executor)
    return partial(_spread, executor, network, original)


def check_executor(executor: Any) -> None:
    """Raise a TypeError unless work can be submitted."""
    if isinstance(executor, type) or not callable(getattr(executor, "submit", None)):
        kind = f"the class {executor.__name__}" if isinstance(executor, type) else a_type(executor)
        raise TypeError(
            f"executor is {kind}; give one with the interface of concurrent.futures, such as "
            "ProcessPoolExecutor(4) or dask.distributed.Client().get_executor()"
        )


def _spread(
    executor: Executor,
    network: nn.Module,
    original: nn.Module,
    run: Callable[[Any, Callable[[int], Any]], Any],
    chunks: Sequence[Any],
    on_step: Callable[[int], Any],
    device: torch.device,
) -> Iterator[Any]:
    key = f"{type(network).__qualname__} {fingerprint(network)}"
    work = _pickled(run, network, original)
    is_asked_for, networks = False, 0  # whether some worker lacks the network, and how often it was sent
    waiting: dict[int, Any] = dict(enumerate(chunks))
    lost = dict.fromkeys(waiting, 0)
    lacking = dict.fromkeys(waiting, 0)
    running: dict[Any, tuple[int, Any]] = {}  # by future: which chunk, and the pool that was given it
    sending: Any = None
    try:
        while waiting or running:
            pool = _replaced.get(executor, executor)
            try:
                if sending is None and is_asked_for:
                    sending = pool.submit(_install, key, _pickled(network), networks)
                    is_asked_for, networks = False, networks + 1
                if sending is None:
                    for number in list(waiting):
                        # Workers that start anew for each call keep nothing, so the network is sent along.
                        carried = _pickled(network) if lacking[number] >= TRIES - 1 else None
                        future = pool.submit(_run, key, work, pickle.dumps(waiting[number]), carried)
                        running[future] = number, pool
                        del waiting[number]
            except BrokenExecutor:
                _replace(executor, pool)
                continue
            if sending is not None and sending.done():
                _sent(sending)
                sending = None
                continue
            finished = [future for future in running if future.done()]
            if not finished:
                time.sleep(POLL)
            for future in finished:
                number, its_pool = running.pop(future)
                try:
                    kind, value = future.result()
                except Exception as error:  # whatever an executor raises when a worker is gone
                    lost[number] += 1
                    if lost[number] >= TRIES:
                        raise Lost(chunks[number], error) from error
                    waiting[number] = chunks[number]
                    if isinstance(error, BrokenExecutor):
                        _replace(executor, its_pool)
                    continue
                if kind == "lacking":
                    waiting[number] = chunks[number]
                    lacking[number] += 1
                    is_asked_for = is_asked_for or sending is None
                elif kind == "error":
                    raise pickle.loads(value)
                else:
                    lost = dict.fromkeys(lost, 0)
                    steps, result = pickle.loads(value)
                    on_step(steps)
                    yield result
    finally:
        for future in running:
            future.cancel()


class Lost(RuntimeError):
    """A chunk whose workers are gone again and again; `chunk` is what it was to make."""

    def __init__(self, chunk: Any, error: Exception) -> None:
        super().__init__(f"a chunk lost its worker {TRIES} times in a row ({type(error).__name__}: {error})")
        self.chunk = chunk


def _sent(future: Any) -> None:
    """Raise what went wrong with sending, unless the worker was lost."""
    try:
        failure = future.result()
    except Exception:  # lost: the next worker that lacks the network asks again
        return
    if failure:
        raise _not_unpacked(failure)


def _not_unpacked(failure: str) -> ValueError:
    return ValueError(
        f"the model can't be unpacked by a worker ({failure}); define its class in a module that workers can import"
    )


def _replace(executor: Executor, broken: Executor) -> None:
    """Another pool for one that lost a worker, where that can be made and has not been yet."""
    current = _replaced.get(executor, executor)
    if broken is not current:
        return
    if not isinstance(current, ProcessPoolExecutor):
        raise RuntimeError(
            f"the {type(executor).__name__} takes no more work, because it lost a worker; run the study again with "
            "another, and with store= it goes on where it stopped"
        )
    warnings.warn("a worker process was lost; its chunks are made again in new processes", stacklevel=2)
    known = vars(current)
    _replaced[executor] = ProcessPoolExecutor(
        known.get("_max_workers"),
        known.get("_mp_context"),
        known.get("_initializer"),
        known.get("_initargs", ()),
    )


def _pickled(value: Any, *networks: nn.Module) -> bytes:
    """The value as bytes, in which modules of the networks are replaced by their names."""
    names = {id(module): name for network in networks for name, module in network.named_modules()}
    try:
        from cloudpickle import Pickler  # functions and classes defined in a notebook can be sent too
    except ImportError:
        from pickle import Pickler

    class Naming(Pickler):
        def persistent_id(self, item: Any) -> str | None:
            return names.get(id(item)) if isinstance(item, nn.Module) else None

    file = io.BytesIO()
    try:
        Naming(file).dump(value)
    except Exception as error:
        raise TypeError(
            f"the model or the objective can't be sent to workers ({error}); define it in a module, without lambdas, "
            "or leave out executor"
        ) from error
    return file.getvalue()


class _Filling(pickle.Unpickler):
    """Reads what `_pickled` wrote, on a worker that has the network."""

    def __init__(self, file: io.BytesIO, network: nn.Module) -> None:
        super().__init__(file)
        self._network = network

    def persistent_load(self, name: str) -> nn.Module:
        return self._network.get_submodule(name)


def _install(key: str, network: bytes, number: int) -> str:
    """On a worker: keep a network. Gives what went wrong, or nothing."""
    try:
        found = pickle.loads(network)
        first = next(found.parameters(), None)
        if first is not None and first.device.type == "cuda":
            # One worker a device: the n-th to ask takes the n-th.
            found = found.to(f"cuda:{number % torch.cuda.device_count()}")
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    for module in found.modules():
        module.training = False
    _networks[key] = found
    for old in list(_networks)[:-KEPT]:
        del _networks[old]
    return ""


def _run(key: str, work: bytes, chunk: bytes, carried: bytes | None) -> tuple[str, Any]:
    """On a worker: run one chunk, on a single thread as everywhere; `carried` is the network, if it was sent along."""
    if carried is not None and (failure := _install(key, carried, 0)):
        return "error", pickle.dumps(_not_unpacked(failure))
    network = _networks.get(key)
    if network is None:
        return "lacking", None
    keep_freed_memory()
    threads, steps = torch.get_num_threads(), 0

    def step(count: int) -> None:
        nonlocal steps
        steps += count

    try:
        torch.set_num_threads(1)
        run = _Filling(io.BytesIO(work), network).load()
        result = run(pickle.loads(chunk), step)
        return "result", pickle.dumps((steps, result))
    except Exception as error:
        return "error", _packed_error(error)
    finally:
        torch.set_num_threads(threads)


def _packed_error(error: Exception) -> bytes:
    """The error as bytes that can be unpacked; only its message, if its class takes other arguments than that."""
    try:
        packed = pickle.dumps(error)
        pickle.loads(packed)
    except Exception:
        return pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
    return packed
