"""The visualization engine against torch-lucent, in one process and one run.

    uv run --group bench python tests/benchmarks/engine.py [PART ...] [--quick] [--seeds 1]

Prints a table a part and writes artifacts/benchmarks/engine.json; `quality` also saves sheets of both engines' images.
With TUNEWIDGETS_DATA set GoogLeNet has its trained weights, else random ones (said in the table).
"""

import argparse
import gc
import json
import os
import resource
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from lucent_peer import lucent_image
from PIL import Image
from rich.console import Console
from rich.table import Table

import tunewidgets as tw
from tunewidgets.kernels.loop import network_values
from tunewidgets.kernels.tracing import evaluating
from tunewidgets.zoo.googlenet import googlenet_bvlc

OUT = Path("artifacts/benchmarks")
SIZE = 128
LAYERS = ("relu_conv1", "relu_conv2", "relu_inception_3a_3x3", "relu_inception_4a_3x3")
GRID = (6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64, 96, 128)
console = Console(width=150)


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = call()
    return result, time.perf_counter() - start


def show(title: str, rows: list[dict[str, Any]]) -> None:
    table = Table(title=title, title_justify="left")
    for column in rows[0]:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*[f"{v:.3g}" if isinstance(v, float) else str(v) for v in row.values()])
    console.print(table)


def network() -> tuple[torch.nn.Module, str]:
    folder = os.environ.get("TUNEWIDGETS_DATA")
    if folder:
        return googlenet_bvlc(Path(folder) / "models" / "googlenet-bvlc-fp16.safetensors"), "BVLC's weights"
    torch.manual_seed(0)
    return googlenet_bvlc(), "random weights"


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


def constant_best(probe: tw.Probe) -> np.ndarray:
    """Every unit's activation on its best of 125 constant colors."""
    levels = torch.linspace(0, 1, 5)
    colors = torch.stack(torch.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3)
    images = colors[:, :, None, None].expand(-1, 3, SIZE, SIZE)
    return np.max(
        [probe.rectified(images[i : i + 25]).mean((2, 3)).amax(0).numpy() for i in range(0, 125, 25)], axis=0
    )


def picture_noise(images: np.ndarray) -> tuple[float, float]:
    """Mean total variation, and the share of spectral energy above half the Nyquist frequency."""
    gray = images.mean(-1)
    variation = np.abs(np.diff(gray, axis=1)).mean() + np.abs(np.diff(gray, axis=2)).mean()
    power = np.abs(np.fft.fft2(gray - gray.mean((1, 2), keepdims=True))) ** 2
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(n) for n in gray.shape[1:]], indexing="ij"))
    return float(variation), float(power[:, frequency > 0.25].sum() / power.sum())


def quality(options: argparse.Namespace) -> dict[str, Any]:
    """Time until our images drive their units as hard as Lucent's images after its default 512 steps do."""
    net, weights = network()
    seeds = tuple(range(1 if options.quick else options.seeds))
    rows = []
    for layer in LAYERS:
        probe = tw.Probe(net, layer, device="cpu")
        units = [i * probe.units // 8 for i in range(8)][:: 4 if options.quick else 1]
        peers = {"default": None} if options.quick else {"default": None, "fixed 128": SIZE}
        reached, spent = {}, {}
        for peer, fixed in peers.items():
            # The fairer setting is there for comparison: one seed and every fourth unit do, the rest stays NaN.
            used = seeds if fixed is None else seeds[:1]
            asked = units if fixed is None else units[::4]
            outcomes = [[peer_value(net, weights, probe, u, s, fixed) for u in asked] for s in used]
            values = np.full((len(used), len(units)), np.nan)
            values[:, [units.index(u) for u in asked]] = [[o["value"] for o in row] for row in outcomes]
            times = [outcome["seconds"] for row in outcomes for outcome in row if outcome["seconds"]]
            while len(times) < 2:
                times.append(
                    lucent_image(net, f"network_{layer}:{units[len(times)]}", SIZE, 512, 0, fixed)[1]
                )
            if fixed is None:
                pictures = [np.array(outcome["image"]) for outcome in outcomes[0]]
            reached[peer] = values.mean(0)
            spent[peer] = statistics.median(times)
            console.print(
                f"[dim]{layer}, {peer}: Lucent {spent[peer]:.1f} s a unit, reaches {reached[peer].round(1)}"
            )
        floor = constant_best(probe)[units]
        for peer, wanted in reached.items():
            steps, seconds, ours, made = time_to(probe, units, wanted, floor, seeds)
            row = {
                "layer": layer,
                "peer": peer,
                "Lucent, s a unit": spent[peer],
                "ours, s a unit": seconds / len(units),
                "times faster": spent[peer] / (seconds / len(units)),
                "steps": steps,
                "ms an image-step": seconds / len(units) / steps * 1e3,
                "Lucent, ms a step": spent[peer] / 512 * 1e3,
                "activation, ours/Lucent's": float(ours[wanted >= 0].mean() / np.nanmean(wanted)),
                "least unit": float(np.min(ours[wanted > 0] / wanted[wanted > 0])),
                "against constant": float((ours / np.maximum(floor, 1e-9)).min()),
            }
            if peer == "default":
                theirs = np.stack(pictures)
                row |= dict(zip(("variation, ours", "high freq, ours"), picture_noise(made), strict=True))
                row |= dict(
                    zip(("variation, Lucent's", "high freq, Lucent's"), picture_noise(theirs), strict=True)
                )
                full = tw.visualize(
                    probe, tw.AM(units), size=SIZE, floats=True, progress=False
                ).image_float.values
                row |= dict(
                    zip(("variation, 128 steps", "high freq, 128 steps"), picture_noise(full), strict=True)
                )
                save_sheet(layer, made, full, theirs)
            rows.append(row)
    columns = list(rows[0])
    show(
        f"Time to Lucent's quality, GoogLeNet with {weights}, {SIZE} px",
        [{c: r.get(c, "") for c in columns[:11]} for r in rows],
    )
    show(
        "Pictures",
        [{c: r.get(c, "") for c in ("layer", *columns[11:])} for r in rows if r["peer"] == "default"],
    )
    return {"weights": weights, "rows": rows}


def peer_value(
    net: torch.nn.Module, weights: str, probe: tw.Probe, unit: int, seed: int, fixed: int | None
) -> dict[str, Any]:
    """The activation Lucent's image ends at, the better of its native size and its 224-px view, and its seconds.

    What it ends at does not hang on how busy the machine is, so it is kept between runs; its time is not: a kept value
    comes without one.
    """
    kept = OUT / "lucent" / f"{weights.split()[0]}-{probe.layer}-{unit}-{seed}-{fixed or 'default'}.npz"
    seconds = None
    if kept.exists():
        image = torch.from_numpy(np.load(kept)["image"])
    else:
        image, seconds = lucent_image(net, f"network_{probe.layer}:{unit}", SIZE, 512, seed, fixed)
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(kept, image=image.numpy())
    view = F.interpolate(image, size=224, mode="bilinear", align_corners=True)
    value = max(float(probe.rectified(x)[0, unit].mean()) for x in (image, view))
    return {"value": value, "seconds": seconds, "image": image[0].permute(1, 2, 0).numpy()}


def time_to(
    probe: tw.Probe, units: list[int], wanted: np.ndarray, floor: np.ndarray, seeds: tuple[int, ...]
) -> tuple[int, float, np.ndarray, np.ndarray]:
    """The first number of steps whose images meet the peer's, with the median time of a whole call of `visualize`."""
    tw.visualize(probe, tw.AM(units), size=SIZE, steps=2, progress=False)
    for steps in GRID:
        runs = [
            timed(
                lambda seed=seed, steps=steps: tw.visualize(
                    probe, tw.AM(units), size=SIZE, steps=steps, seed=seed, floats=True, progress=False
                )
            )
            for seed in seeds
        ]
        ours = np.mean([made.response.values[range(len(units)), units] for made, _ in runs], axis=0)
        known = ~np.isnan(wanted)
        reached = ours[known].mean() >= wanted[known].mean() and (ours >= 0.8 * wanted)[known].all()
        # A color at the very end of its range is out of the sigmoid's reach: a thousandth stands for that.
        if reached and (ours >= 0.999 * floor).all():
            again = [
                timed(
                    lambda steps=steps: tw.visualize(
                        probe, tw.AM(units), size=SIZE, steps=steps, progress=False
                    )
                )[1]
                for _ in range(3)
            ]
            return steps, statistics.median([t for _, t in runs] + again), ours, runs[0][0].image_float.values
    raise SystemExit(f"{probe.layer}: {GRID[-1]} steps do not reach Lucent's activation; show the trajectory")


def save_sheet(layer: str, made: np.ndarray, full: np.ndarray, theirs: np.ndarray) -> None:
    """Three rows: ours at the steps of the table, ours after 128, Lucent's after 512."""
    OUT.mkdir(parents=True, exist_ok=True)
    rows = [np.concatenate(list(images), axis=1) for images in (made, full, theirs)]
    Image.fromarray((np.concatenate(rows) * 255).astype(np.uint8)).save(OUT / f"sheet-{layer}.png")


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


def peak(options: argparse.Namespace) -> dict[str, Any]:
    """Share of the machine's measured peak that a forward and backward pass reaches, by layer and precision."""
    net, _ = network()
    rows = []
    for precision, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        a = torch.randn(4096, 4096).to(dtype)
        x = torch.randn(16, 256, 32, 32).to(dtype).contiguous(memory_format=torch.channels_last)
        w = torch.randn(256, 256, 3, 3).to(dtype).contiguous(memory_format=torch.channels_last)
        matrix = 2 * 4096**3 / best(lambda a=a: a @ a, 3)
        convolution = 2 * 16 * 32 * 32 * 256 * 256 * 9 / best(lambda x=x, w=w: F.conv2d(x, w, padding=1))
        for layer in LAYERS:
            probe = tw.Probe(net, layer, device="cpu")
            work = 2 * 2 * multiply_adds(net, probe)
            images = torch.rand(8, 3, SIZE, SIZE).requires_grad_()

            def step(
                probe: tw.Probe = probe, images: torch.Tensor = images, precision: str = precision
            ) -> None:
                with evaluating(net):
                    maps = network_values(probe, images, precision).pre
                torch.autograd.grad(F.leaky_relu(maps.float(), 0.01)[:, 0].mean((1, 2)).sum(), images)

            seconds = best(step) / 8
            rows.append(
                {
                    "layer": layer,
                    "precision": precision,
                    "peak, GFLOP/s (matrix)": matrix / 1e9,
                    "peak (convolution)": convolution / 1e9,
                    "loop, GFLOP/s": work / seconds / 1e9,
                    "share of matrix peak": work / seconds / matrix,
                    "share of convolution peak": work / seconds / convolution,
                    "ms an image-step": seconds * 1e3,
                }
            )
    show("Share of the machine's peak, multiply-adds forward and backward to the image", rows)
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
    """What another chunk shape changes: the final activation of every unit, and its RS, the share that answers more."""
    net, _ = network()
    rows = []
    for layer in LAYERS[:2]:
        probe = tw.Probe(net, layer, device="cpu")
        units = np.arange(probe.units)[:: 4 if options.quick else 1]
        made = {
            shape: tw.visualize(
                probe, tw.AM(units), size=64, steps=64, chunk=shape, progress=False
            ).response.values
            for shape in (8, 16)
        }
        own = {shape: response[range(len(units)), units] for shape, response in made.items()}
        exceeders = {shape: (made[shape] > own[shape][:, None]).sum(1) for shape in made}
        apart = np.abs(own[8] - own[16]) / np.maximum(own[8], own[16])
        rows.append(
            {
                "layer": layer,
                "units": len(units),
                "activation, median difference": float(np.median(apart)),
                "activation within 2%": float((apart <= 0.02).mean()),
                "mean activation, difference": float(abs(own[8].mean() / own[16].mean() - 1)),
                "RS within 2 ranks": float((np.abs(exceeders[8] - exceeders[16]) <= 2).mean()),
            }
        )
    show("The same units in chunks of 8 and of 16, 64 px, 64 steps", rows)
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


PARTS = {"film": film, "quality": quality, "peak": peak, "leak": leak, "chunks": chunks, "memory": memory}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="which parts to run; all by default")
    parser.add_argument("--quick", action="store_true", help="fewer units and targets: a first impression")
    parser.add_argument("--seeds", type=int, default=2, help="Lucent's runs of each unit in `quality`")
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
