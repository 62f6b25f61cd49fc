"""What images cost on a device: the engine's time against a bare pass of the same network, and memory.

In: a specimen and a device. Out: seconds a step of a whole chunk, and bytes.
"""

import sys
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tunewidgets.kernels.device_check.specimen import LAYERS, Specimen
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.tracing import evaluating
from tunewidgets.kernels.optimization.loop import Ascent, choose_precision
from tunewidgets.kernels.studies.workers import in_threads, worker_count


class Speed(NamedTuple):
    """Seconds of a step of the engine, and of a bare pass, of as many images; what the engine computes in."""

    engine: float
    bare: float
    images: int
    precision: str


def speed(specimen: Specimen, device: torch.device, passes: int = 2, repeats: int = 3) -> Speed:
    """The loop of `visualize`, and the bare network forward and backward to the image in float32, in turn.

    On a CPU, as the engine does it: a chunk on each core, each on a single thread. The fastest of `repeats` counts.
    """
    probe, workers = Probe(specimen.network, LAYERS[-1], device=device), worker_count(device)
    precision = choose_precision("auto", probe)
    recipe = specimen.recipe(precision, steps=4 * (repeats + 1) * passes)
    preprocess: Any = probe.network.preprocess
    pictures = specimen.pictures().to(device)

    def step(ascent: Ascent, _: Any) -> None:
        for _ in range(passes):
            ascent.step()

    def bare(images: Tensor, _: Any) -> None:
        for _ in range(passes):
            torch.autograd.grad(probe.network(preprocess(images)).sum(), images)

    with evaluating(probe.network):
        ascents = [Ascent(probe, specimen.objective, specimen.jobs, recipe) for _ in range(workers)]
        batches = [pictures.clone().requires_grad_() for _ in range(workers)]
        times = [(_timed(step, ascents, device), _timed(bare, batches, device)) for _ in range(repeats + 1)]
    # The first of each warms up: memory is taken, and CUDA chooses its algorithms.
    engine, alone = (min(column) / passes for column in zip(*times[1:], strict=True))
    return Speed(engine, alone, workers * specimen.images, precision)


def _timed(run: Callable[[Any, Any], None], chunks: Sequence[Any], device: torch.device) -> float:
    finish(device)
    before = perf_counter()
    for _ in in_threads(run, chunks, lambda images: None, device):
        pass
    finish(device)
    return perf_counter() - before


def finish(device: torch.device) -> None:
    """Wait until an accelerator has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def forget_peak(device: torch.device) -> None:
    """Let the device's peak of memory begin here, where it has one."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> tuple[float, str]:
    """Bytes, and what they are the peak of; NaN where the system does not tell."""
    if device.type == "cuda":
        whole = torch.cuda.get_device_properties(device).total_memory / 2**30
        return float(torch.cuda.max_memory_allocated(device)), f"peak on the device, of {whole:.0f} GiB"
    if device.type == "mps":
        return float(torch.mps.driver_allocated_memory()), "on the device now"
    if sys.platform == "win32":
        return float("nan"), "peak of this process"
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak * (1 if sys.platform == "darwin" else 1024)), "peak of this process"
