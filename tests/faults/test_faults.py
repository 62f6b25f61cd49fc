"""Faults on purpose: kills, a full disk, a cut store, a clock that jumps, an impatient reader."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest
from faults import kills
from units_networks import batches, branching, labeled_images

import tunewidgets as tw
from tunewidgets.kernels.optimization import loop
from tunewidgets.kernels.studies import workers

LAYERS = kills.LAYERS
TESTS = Path(__file__).parents[1]
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork to kill")


def alone(*arguments):
    """The exit status of a fresh Python: a fork of this one would inherit torch's threads, which don't survive it."""
    return subprocess.run([sys.executable, *map(str, arguments)], timeout=280).returncode


def called(function, *arguments):
    """The exit status of a fresh Python that calls a function of this module."""
    code = f"import sys; sys.path.insert(0, {str(TESTS)!r}); from faults import test_faults as tests"
    return alone("-c", f"{code}; tests.{function.__name__}(*{arguments!r})")


@pytest.fixture(scope="module")
def whole():
    return kills.units(None)


@needs_fork
def test_runs_that_are_killed_again_and_again_end_as_if_they_had_not_been():
    assert alone(TESTS / "faults" / "kills.py", "--kills", 4) == 0


def limited(store, size):
    """A run in which no file may grow beyond `size` bytes; what it raises is told by its exit status."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        kills.units(Path(store))
    except OSError:
        os._exit(3)
    os._exit(0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
def test_a_full_disk_ends_the_run_and_leaves_a_store_to_go_on_with(tmp_path, whole):
    store = tmp_path / "u.zarr"
    assert called(limited, str(store), 3000) == 3
    if store.exists():
        tw.records.validate(tw.open_record(store))
    assert kills.identical(kills.units(store), whole)


def stopped(store, monkeypatch, after):
    """A run that Ctrl-C stops after so many chunks."""
    real, ran = loop._run_chunk, []

    def run(*args, **kwargs):
        ran.append(1)
        if len(ran) > after:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "_run_chunk", run)
        # One at a time: a second worker's chunk would stop the run before the first one's is told.
        patch.setattr(workers, "worker_count", lambda device: 1)
        with pytest.raises(KeyboardInterrupt):
            kills.units(store)


@pytest.mark.parametrize("seed", range(4))
def test_a_store_cut_at_random_places_is_mended(tmp_path, monkeypatch, whole, seed):
    store, draw = tmp_path / "u.zarr", random.Random(seed)
    stopped(store, monkeypatch, 9)
    files = sorted(p for p in tmp_path.rglob("*") if p.is_file() and p.stat().st_size > 20)
    for path in draw.sample(files, 5):
        if path.name == "zarr.json" and path.parent == store:
            continue  # without it nothing says that this is a record of ours, so that it is left alone
        raw = path.read_bytes()
        path.write_bytes(raw[: draw.randrange(len(raw))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert kills.identical(kills.units(store), whole)
    opened = tw.open_record(store)
    assert kills.identical({layer: opened[layer].to_dataset() for layer in LAYERS}, whole)


def test_a_clock_that_jumps_changes_nothing(tmp_path, monkeypatch, whole):
    draw = random.Random(0)
    monkeypatch.setattr(time, "time", lambda: draw.uniform(0, 4e9))
    stopped(tmp_path / "u.zarr", monkeypatch, 5)
    assert kills.identical(kills.units(tmp_path / "u.zarr"), whole)


def impatient(store):
    def press():
        while not Path(f"{store}.unfinished").exists():
            time.sleep(0.01)
        time.sleep(0.2)
        for _ in range(2):
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.01)

    # A shell that started the tests in the background has Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=press, daemon=True).start()
    try:
        try:
            kills.units(Path(store), steps=2000)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:  # the second one may come at any moment, here too
        os._exit(4)
    os._exit(0)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another thing on Windows")
def test_ctrl_c_twice_stops_at_once_and_leaves_a_store_to_go_on_with(tmp_path):
    store = tmp_path / "u.zarr"
    assert called(impatient, str(store)) == 4
    if store.exists():
        tw.records.validate(tw.open_record(store))
    with pytest.raises(ValueError, match="made with steps=2000, not 6"):
        kills.units(store)


def test_a_folder_that_cannot_be_written_to_is_said_before_any_work(monkeypatch):
    monkeypatch.setattr(loop, "_run_chunk", None)
    data = batches(*labeled_images(), 5)
    with pytest.raises(OSError, match=r"/proc can't be written to .*; give a store in a writable folder"):
        tw.analyze_units(branching(), data, "relu", store="/proc/u.zarr", progress=False, device="cpu")
