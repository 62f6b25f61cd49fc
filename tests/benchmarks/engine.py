"""The visualization engine against torch-lucent, in one process and one run.

    uv run --group bench python tests/benchmarks/engine.py [PART ...] [--quick] [--seeds 0 1] [--layers LAYER ...]

Prints a table a part and writes artifacts/benchmarks/engine.json; `quality` also saves sheets of both engines' images.
With TUNEWIDGETS_DATA set GoogLeNet has its trained weights, else random ones (said in the table).
"""

import argparse
import gc
import json
import resource
import statistics
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from engine_common import LAYERS, OUT, SIZE, console, network, show, timed
from engine_quality import peer, quality
from lucent_peer import lucent_image

import tunewidgets as tw
from tunewidgets.kernels.canvas.canvases import make_canvas
from tunewidgets.kernels.network.tracing import evaluating
from tunewidgets.kernels.optimization.contrast import linearity
from tunewidgets.kernels.optimization.loop import Job, network_values, optimize
from tunewidgets.kernels.optimization.options import ImageOptions
from tunewidgets.kernels.optimization.recipes import make_recipe
from tunewidgets.kernels.studies.workers import in_threads, worker_count


def film(options: argparse.Namespace) -> dict[str, Any]:
    """The Gabor bank's film, and one image of it against Lucent's with its own objective."""
    from lucent.optvis import objectives

    bank = tw.zoo.gabor_bank()
    probe = tw.Probe(bank, "relu", device="cpu")
    scenes = tw.zoo.images(["photos", "dead-leaves"], n=40, seed=0)
    sample, sampling = timed(lambda: tw.sample_activations(probe, scenes, n=20_000, progress=False))
    dimensions = tw.TuningDimensions("ica", 6).fit(sample)
    tw.render_film(probe, dimensions, steps=2, progress=False)
    runs = [timed(lambda: tw.render_film(probe, dimensions, progress=False)) for _ in range(3)]
    record, seconds = runs[0][0], statistics.median(t for _, t in runs)
    flat = record.image.values.reshape(6, 32, -1).astype(float)
    flat -= flat.mean(-1, keepdims=True)
    flat /= np.linalg.norm(flat, axis=-1, keepdims=True)
    rows = [
        {
            "film 6 x 32 at 64 px, 128 steps, s": seconds,
            "20,000 activations of 40 scenes, s": sampling,
            "neighbors correlate": float((flat[:, 1:] * flat[:, :-1]).sum(-1).mean()),
            "ends correlate": float((flat[:, 0] * flat[:, -1]).sum(-1).mean()),
            "ends, most alike": float((flat[:, 0] * flat[:, -1]).sum(-1).max()),
            "cosine": float(record.cosine.mean()),
        }
    ]
    show("Film of a Gabor bank's tuning dimensions (dot_cosine)", rows)
    paper, paper_seconds = timed(lambda: tw.render_film(probe, dimensions, mode="cosine", progress=False))
    chosen = [(d, p) for d in range(6) for p in (0, 31)][:: 6 if options.quick else 2]
    versus = []
    for name, fixed in (("Lucent's defaults (224 px)", None), ("fixed_image_size=64", 64)):
        times, cosines = [], []
        for d, p in chosen:
            target = torch.as_tensor(paper.target.values[d, p])
            image, spent = lucent_image(bank, objectives.direction("network_relu", target), 64, 128, 0, fixed)
            maps = probe.rectified(image)
            cosines.append(float(F.cosine_similarity(maps, target.view(1, -1, 1, 1), dim=1).mean()))
            times.append(spent)
        ours = float(np.mean([paper.cosine.values[d, p] for d, p in chosen]))
        versus.append(
            {
                "peer": name,
                "Lucent, s an image": statistics.median(times),
                "ours, s an image": paper_seconds / 192,
                "times faster": statistics.median(times) / (paper_seconds / 192),
                "cosine, ours": ours,
                "cosine, Lucent's": float(np.mean(cosines)),
            }
        )
    show(
        f"mode='cosine' against Lucent's direction objective, 64 px, 128 steps, {len(chosen)} targets", versus
    )
    return {"film": rows, "versus": versus}


def multiply_adds(net: torch.nn.Module, probe: tw.Probe) -> float:
    """Multiply-adds of one image's forward pass up to the layer."""
    total = 0
    handles = []

    def count(module: torch.nn.Module, _: Any, output: torch.Tensor) -> None:
        nonlocal total
        total += output[0].numel() * module.weight[0].numel()

    for module in net.modules():
        if isinstance(module, torch.nn.Conv2d):
            handles.append(module.register_forward_hook(count))
    probe(torch.full((1, 3, SIZE, SIZE), 0.5))
    for handle in handles:
        handle.remove()
    return total


def best(call: Callable[[], Any], repeats: int = 7) -> float:
    call()
    return min(timed(call)[1] for _ in range(repeats))


def side_by_side(probe: tw.Probe, precision: str) -> float:
    """Seconds an image-step of the network alone, forward and backward to the image, a chunk of 8 on each core."""

    def run(images: torch.Tensor, _: Any) -> None:
        for _ in range(4):
            maps = network_values(probe, images, precision).rectified()
            torch.autograd.grad(maps[:, 0].mean((1, 2)).sum(), images)

    batches = [torch.rand(8, 3, SIZE, SIZE).requires_grad_() for _ in range(worker_count(probe.device))]
    with evaluating(probe.network):
        seconds = best(lambda: list(in_threads(run, batches, lambda images: None, probe.device)), 5)
    return seconds / 4 / 8 / len(batches)


def whole_loop(probe: tw.Probe, precision: str) -> float:
    """Seconds an image-step of the loop itself: canvas, transformations, network and optimizer."""
    targets = 8 * worker_count(probe.device)
    goal = tw.AM(np.arange(targets) % probe.units)
    jobs = [Job(target, str(target)) for target in range(targets)]
    canvas = make_canvas("fourier", SIZE)

    def run(steps: int) -> float:
        options = ImageOptions(steps=steps, chunk=8, precision=precision, importance=False)
        recipe = make_recipe(probe, goal, canvas, targets, options, linearity(probe, SIZE))
        return best(lambda: list(optimize(probe, goal, jobs, replace(recipe, colors=None))), 3)

    # The difference leaves out what is done once a run.
    return (run(12) - run(4)) / 8 / targets


def peak(options: argparse.Namespace) -> dict[str, Any]:
    """Share of the machine's measured peak that the loop reaches, by layer and precision."""
    net, _ = network()
    rows = []
    for precision, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        a = torch.randn(4096, 4096).to(dtype)
        x = torch.randn(16, 256, 32, 32).to(dtype).contiguous(memory_format=torch.channels_last)
        w = torch.randn(256, 256, 3, 3).to(dtype).contiguous(memory_format=torch.channels_last)
        matrix = 2 * 4096**3 / best(lambda a=a: a @ a, 3)
        convolution = 2 * 16 * 32 * 32 * 256 * 256 * 9 / best(lambda x=x, w=w: F.conv2d(x, w, padding=1))
        for layer in options.layers:
            probe = tw.Probe(net, layer, device="cpu")
            work = 2 * 2 * multiply_adds(net, probe)
            network_seconds, loop_seconds = side_by_side(probe, precision), whole_loop(probe, precision)
            rows.append(
                {
                    "layer": layer,
                    "precision": precision,
                    "peak, GFLOP/s (matrix)": matrix / 1e9,
                    "(convolution)": convolution / 1e9,
                    "network, ms": network_seconds * 1e3,
                    "of matrix peak": work / network_seconds / matrix,
                    "of convolution peak": work / network_seconds / convolution,
                    "whole loop, ms": loop_seconds * 1e3,
                    "loop of matrix peak": work / loop_seconds / matrix,
                    "loop of convolution peak": work / loop_seconds / convolution,
                }
            )
    show(
        "Share of the machine's peak, multiply-adds forward and backward to the image; ms an image-step", rows
    )
    return {"rows": rows}


def leak(options: argparse.Namespace) -> dict[str, Any]:
    """Hooks, live tensors, memory and time over 50 calls."""
    probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")

    def state() -> tuple[int, int]:
        gc.collect()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tensors = sum(issubclass(type(o), torch.Tensor) for o in gc.get_objects())
        return sum(
            len(m._forward_hooks) + len(m._forward_pre_hooks) for m in probe.network.modules()
        ), tensors

    def call() -> float:
        return timed(lambda: tw.visualize(probe, tw.AM(range(8)), size=64, steps=8, progress=False))[1]

    call()
    hooks, tensors = state()
    times = [call() for _ in range(10 if options.quick else 50)]
    slope = float(np.polyfit(range(len(times)), times, 1)[0])
    after = state()
    rows = [
        {
            "calls": len(times),
            "hooks before/after": f"{hooks}/{after[0]}",
            "live tensors before/after": f"{tensors}/{after[1]}",
            "median, s": statistics.median(times),
            "slope, s a call": slope,
            "slope, share of median": slope / statistics.median(times),
        }
    ]
    show("Leaks", rows)
    return {"rows": rows}


def chunks(options: argparse.Namespace) -> dict[str, Any]:
    """What another chunk shape or number of threads changes: every unit's final activation, and its RS by rank."""
    net, _ = network()
    rows = []
    threads = torch.get_num_threads()
    for layer in LAYERS[:2]:
        probe = tw.Probe(net, layer, device="cpu")
        units = np.arange(probe.units)[:: 4 if options.quick else 1]

        def response(
            chunk: int, workers: int, probe: tw.Probe = probe, units: np.ndarray = units
        ) -> np.ndarray:
            torch.set_num_threads(workers)
            made = tw.visualize(probe, tw.AM(units), size=64, steps=64, chunk=chunk, progress=False)
            torch.set_num_threads(threads)
            return made.response.values

        base = response(8, threads)
        for name, chunk, workers in (
            ("chunks of 16", 16, threads),
            ("one thread", 8, 1),
            ("alone", 1, threads),
        ):
            other = response(chunk, workers)
            own, others = (r[range(len(units)), units] for r in (base, other))
            ranks = [(r > o[:, None]).sum(1) for r, o in ((base, own), (other, others))]
            apart = np.abs(own - others) / np.maximum(own, others)
            rows.append(
                {
                    "layer": layer,
                    "units": len(units),
                    "against": name,
                    "activation, median difference": float(np.median(apart)),
                    "activation within 2%": float((apart <= 0.02).mean()),
                    "mean activation, difference": float(abs(own.mean() / others.mean() - 1)),
                    "RS within 2 ranks": float((np.abs(ranks[0] - ranks[1]) <= 2).mean()),
                }
            )
    show(f"The same units in chunks of 8 on {threads} threads and otherwise, 64 px, 64 steps", rows)
    return {"rows": rows}


def memory(options: argparse.Namespace) -> dict[str, Any]:
    """Peak memory of this process for 512 targets of 4a at 128 px (run it alone: the peak is the whole process's)."""
    net, _ = network()
    probe = tw.Probe(net, LAYERS[-1], device="cpu")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    made = tw.visualize(
        probe, tw.AM(np.arange(512) % probe.units), size=SIZE, steps=2 if options.quick else 8, progress=False
    )
    row = {
        "targets": 512,
        "chunk": json.loads(made.settings)["chunk"],
        "peak before, GB": before,
        "peak after, GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }
    show("Memory", [row])
    return {"rows": [row]}


PARTS = {
    "film": film,
    "peer": peer,
    "quality": quality,
    "peak": peak,
    "leak": leak,
    "chunks": chunks,
    "memory": memory,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="which parts to run; all by default")
    parser.add_argument("--quick", action="store_true", help="fewer units and targets: a first impression")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1], help="Lucent's runs of each unit")
    parser.add_argument("--layers", nargs="+", default=LAYERS, choices=LAYERS)
    options = parser.parse_args()
    path = OUT / "engine.json"
    OUT.mkdir(parents=True, exist_ok=True)
    results = json.loads(path.read_text()) if path.exists() else {}
    console.print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    for part in options.parts or PARTS:
        results[part] = PARTS[part](options)
        path.write_text(json.dumps(results, indent=1, default=float))


if __name__ == "__main__":
    main()
