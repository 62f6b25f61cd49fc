"""Studies at scale: what a store costs, how memory grows, what workers gain, and activations out of core.

    uv run --group bench --group test python tests/benchmarks/studies.py PART [--quick]

PART is overhead, memory, workers or activations; each prints JSON. Run one at a time: the peak is the whole process's.
"""

import argparse
import json
import os
import resource
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import numpy as np
import torch

import tunewidgets as tw
from tunewidgets.kernels.studies.table import Table

QUIET = {"progress": False, "device": "cpu"}


def timed(call: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    call()
    return clock() - start


def data(images: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    pictures = torch.rand(images, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return list(zip(pictures.split(64), (torch.arange(images) % 10).split(64), strict=True))


def overhead(quick: bool) -> dict[str, Any]:
    """CPU time of a units run with and without a store, in turn; the median ratio (bound: 1.03)."""
    torch.manual_seed(0)
    network = tw.zoo.load("shallow_cnn")
    images = tw.zoo.images("digits", n=200, size=32)
    options = {"steps": 16 if quick else 128, "ablation": False, **QUIET}
    with_store, without = [], []
    with tempfile.TemporaryDirectory() as folder:
        # What is imported and built once is no part of either.
        tw.analyze_units(network, images, "relu1", store=Path(folder) / "u.zarr", **{**options, "steps": 1})
    for turn in range(2 if quick else 3):
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder) / "u.zarr"
            calls = [
                (without, lambda: tw.analyze_units(network, images, ["relu1", "relu2"], **options)),
                (
                    with_store,
                    lambda store=store: tw.analyze_units(
                        network, images, ["relu1", "relu2"], store=store, **options
                    ),
                ),
            ]
            for times, call in calls if turn % 2 else reversed(calls):
                times.append(timed(call, time.process_time))
    return {
        "without_s": without,
        "with_store_s": with_store,
        "ratio": statistics.median(a / b for a, b in zip(with_store, without, strict=True)),
    }


def memory(quick: bool) -> dict[str, Any]:
    """Resident memory by layer while VGG16's 13 convolutions, 4,224 units at 32 px, are rendered in a few steps."""
    torch.manual_seed(0)
    network = tw.zoo.load("vgg16_cifar10", weights=None)
    layers = [name for name, module in network.named_modules() if isinstance(module, torch.nn.Conv2d)]
    units = sum(network.get_submodule(name).out_channels for name in layers)
    seen: list[tuple[str, float]] = []
    real = Table.__init__

    def watched(self: Table, store: str, *args: Any, **kwargs: Any) -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        seen.append((Path(store).parent.name, pages * resource.getpagesize() / 2**20))
        real(self, store, *args, **kwargs)

    Table.__init__ = watched  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        took = timed(
            lambda: tw.analyze_units(
                network, data(128), layers, ("am",) if quick else ("am", "iam"), ablation=False, steps=2, chunk=32,
                size=32, store=Path(folder) / "u.zarr", **QUIET,
            )
        )  # fmt: skip
    return {"units": units, "seconds": took, "mb_at_each_table": seen, "peak_mb": peak()}


def workers(quick: bool) -> dict[str, Any]:
    """One thread here, two Dask workers, and two of which one is killed (bound: 1.6 times, equal results)."""
    from dask.distributed import Client, LocalCluster

    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = tw.zoo.load("shallow_cnn")
    layer = tw.Probe(network, "relu3", device="cpu")
    options = {"steps": 16 if quick else 96, "chunk": 8, "progress": False}
    made: dict[str, Any] = {}

    def run(name: str, executor: Any = None) -> float:
        def call() -> None:
            made[name] = tw.visualize(layer, tw.AM(range(64)), **options, executor=executor)

        return timed(call)

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        run("warm", client.get_executor())
        one = [run("one thread")]
        two = [run("two workers", client.get_executor())]
        one.append(run("one thread"))
        two.append(run("two workers", client.get_executor()))
        victim = next(iter(cluster.workers.values())).pid
        killer = threading.Timer(0.3 * two[-1], os.kill, (victim, signal.SIGKILL))
        killer.start()
        killed = run("one killed", client.get_executor())
    return {
        "one_thread_s": one,
        "two_workers_s": two,
        "speedup": statistics.median(one) / statistics.median(two),
        "equal": made["one thread"].equals(made["two workers"]),
        "one_killed_s": killed,
        "one_killed_equal": made["one thread"].equals(made["one killed"]),
    }


def activations(quick: bool) -> dict[str, Any]:
    """A million vectors of 64 units to disk, ICA-16 from there, in one process: peak memory (bound: 1.5 GB)."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 64, 5, stride=2), torch.nn.ReLU()).eval()
    probe = tw.Probe(network, "1", device="cpu")
    n = 100_000 if quick else 1_000_000

    class Pictures:
        """Noise with a spectrum, made as it is asked for."""

        def __iter__(self) -> Any:
            for seed in range(40):
                draws = np.random.default_rng(seed)
                yield torch.from_numpy(draws.random((32, 3, 64, 64), dtype=np.float32) ** 3)

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        vectors = tw.sample_activations(probe, Pictures(), n, progress=False, store=Path(folder) / "a.zarr")
        sampled = time.perf_counter() - start
        after_sampling = peak()
        dimensions = tw.TuningDimensions("ica", 16)
        fitted = timed(lambda: dimensions.fit(vectors))
    return {
        "vectors": vectors.shape,
        "sampling_s": sampled,
        "fitting_s": fitted,
        "streamed": dimensions.streamed_,
        "peak_after_sampling_mb": after_sampling,
        "peak_mb": peak(),
    }


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


PARTS = {"overhead": overhead, "memory": memory, "workers": workers, "activations": activations}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    print(json.dumps({options.part: PARTS[options.part](options.quick)}, indent=2))


if __name__ == "__main__":
    main()
