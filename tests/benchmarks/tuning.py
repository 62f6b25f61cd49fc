"""Tuning dimensions of GoogLeNet's first two layers on photographs: what it costs, and how often chance gets a label.

    uv run --group bench python tests/benchmarks/tuning.py [PART ...] [--lucent-steps 512]

Prints a table a part and writes artifacts/benchmarks/tuning.json. With TUNEWIDGETS_DATA set: GoogLeNet's trained
weights and 1,000 photographs; else random weights and dead leaves, said in the table.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from engine import show, timed
from lucent_peer import lucent_image
from scipy.optimize import linear_sum_assignment

import tunewidgets as tw
from tunewidgets.derived.statistics import share_interval
from tunewidgets.kernels.data.image_batches import CHUNK
from tunewidgets.kernels.gabor.film_readout import random_curves, suggestions
from tunewidgets.kernels.gabor.nulls import holm, p_value
from tunewidgets.kernels.network.tracing import evaluating, forward_to
from tunewidgets.kernels.reading.film_attributes import (
    FILM_ATTRIBUTES,
    attribute_smoothnesses,
    attribute_sweeps,
)
from tunewidgets.zoo.googlenet import googlenet_bvlc

OUT = Path("artifacts/benchmarks")
LAYERS = ("relu_conv1", "relu_conv2_reduce")
SIZE, POINTS, COMPONENTS = 96, 32, 16
DRAWS, RESAMPLES = 199, 20


def network() -> tuple[torch.nn.Module, str]:
    folder = os.environ.get("TUNEWIDGETS_DATA")
    if folder:
        return googlenet_bvlc(Path(folder) / "models" / "googlenet-bvlc-fp16.safetensors"), "BVLC's weights"
    torch.manual_seed(0)
    return googlenet_bvlc(None), "random weights"


def photographs(n: int | None = None) -> Any:
    folder = os.environ.get("TUNEWIDGETS_DATA")
    return tw.zoo.images(Path(folder) / "imagenet-sample" if folder else "dead-leaves", n=n, batch_size=CHUNK)


def fitted(layer: str, n: int = 20_000, images: int = 200) -> tuple[tw.Probe, Any, Any]:
    """A probe, a sample and its ICA, of fewer vectors than a study would take: costs and chance are the same."""
    probe = tw.Probe(network()[0], layer, device="cpu")
    sample = tw.sample_activations(probe, photographs(images), n=n, progress=False)
    return probe, sample, tw.TuningDimensions("ica", COMPONENTS).fit(sample)


def film(_: argparse.Namespace) -> list[dict[str, Any]]:
    """The whole film of conv1 at its defaults."""
    probe, _, dimensions = fitted(LAYERS[0])
    tw.render_film(probe, dimensions, points=2, size=SIZE, steps=2, only=[0], progress=False)
    _, seconds = timed(lambda: tw.render_film(probe, dimensions, POINTS, size=SIZE, progress=False))
    return [{"film": f"{COMPONENTS} x {POINTS}, {SIZE} px, 128 steps, dot_cosine", "seconds": seconds}]


def lucent(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The paper's mode on two dimensions, and Lucent on four of the same targets."""
    from lucent.optvis import objectives

    probe, _, dimensions = fitted(LAYERS[0])
    shown = [0, COMPONENTS // 2 - 1]
    chosen = [(dimension, point) for dimension in shown for point in (0, POINTS - 1)]
    tw.render_film(probe, dimensions, points=2, size=SIZE, steps=2, only=[0], progress=False)
    ours, spent = timed(
        lambda: tw.render_film(
            probe,
            dimensions,
            POINTS,
            mode="cosine",
            size=SIZE,
            steps=options.steps,
            only=shown,
            progress=False,
        )
    )
    per_image = spent / (len(shown) * POINTS)
    mine = [float(ours.cosine.sel(dimension=d).values[p]) for d, p in chosen]
    rows = []
    for peer, fixed in (("its defaults (224 px)", None), (f"fixed_image_size={SIZE}", SIZE)):
        asked = list(range(len(chosen)))[:: 1 if fixed is None else 3]
        times, cosines = [], []
        for at in asked:
            d, p = chosen[at]
            target = torch.as_tensor(ours.target.sel(dimension=d).values[p])
            goal = objectives.direction(f"network_{probe.layer}", target)
            image, taken = lucent_image(probe.network, goal, SIZE, options.lucent_steps, 0, fixed)
            # Lucent's image is the better of its own size and the view that it was optimized in.
            views = (image, F.interpolate(image, size=224, mode="bilinear", align_corners=True))
            maps = [probe.rectified(view.clamp(0, 1)) for view in views]
            cosines.append(
                max(float(F.cosine_similarity(m, target.view(1, -1, 1, 1), dim=1).mean()) for m in maps)
            )
            times.append(taken)
        rows.append(
            {
                "Lucent with": f"{peer}, {options.lucent_steps} steps, {len(times)} targets",
                "Lucent, s an image": float(np.median(times)),
                f"ours ({options.steps} steps), s an image": per_image,
                "times faster": float(np.median(times)) / per_image,
                "cosine, ours": float(np.mean([mine[at] for at in asked])),
                "cosine, Lucent's": float(np.mean(cosines)),
                "least of ours less Lucent's": float(
                    min(mine[at] - own for at, own in zip(asked, cosines, strict=True))
                ),
            }
        )
    return rows


def sampling(_: argparse.Namespace) -> list[dict[str, Any]]:
    """100,000 vectors of both layers in one pass, against the bare pass to the second layer."""
    batches = list(photographs())
    probes = [tw.Probe(network()[0], LAYERS[0], device="cpu")]
    probes.append(tw.Probe(probes[0].model, LAYERS[1], device="cpu"))
    last = probes[-1]

    def bare() -> None:
        with torch.no_grad(), evaluating(last.network):
            for batch in batches:
                forward_to(last.network, last.place, last.inputs(batch))

    def ours() -> Any:
        return tw.sample_activations(probes, batches, n=100_000, progress=False)

    bare()
    # In turns, so that a slow spell of the machine falls on both.
    pairs = [(timed(bare)[1], timed(ours)[1]) for _ in range(3)]
    plain, taken = (float(np.median(times)) for times in zip(*pairs, strict=True))
    images = sum(map(len, batches))
    peak = int(subprocess.check_output([sys.executable, __file__, "peak"], text=True).split()[-1])
    return [
        {
            "images": images,
            "bare pass, s": plain,
            "sampling, s": taken,
            "ratio": taken / plain,
            "peak of a fresh process, MB": peak,
        }
    ]


def peak(_: argparse.Namespace) -> None:
    """Samples from the folder in this process and prints the most memory it ever had, MB."""
    model, _ = network()
    tw.sample_activations(
        [tw.Probe(model, layer, device="cpu") for layer in LAYERS], photographs(), n=100_000, progress=False
    )
    # Not getrusage: there a process starts with the high water of the one that started it.
    [line] = [one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM")]
    print(int(line.split()[1]) // 1024)


def ica(_: argparse.Namespace) -> list[dict[str, Any]]:
    """FastICA of a million vectors: those of 20,000, each with noise of its own."""
    _, sample, _ = fitted(LAYERS[0])
    rng = np.random.default_rng(0)
    many = np.tile(sample.values, (50, 1))
    many += rng.standard_normal(many.shape, np.float32) * 0.1 * many.std(axis=0)
    np.maximum(many, 0, out=many)
    dimensions, seconds = timed(lambda: tw.TuningDimensions("ica", COMPONENTS).fit(many))
    return [
        {
            "vectors": f"{len(many):,} x {many.shape[1]}",
            "seconds": seconds,
            "converged": dimensions.converged_,
        }
    ]


def stability(_: argparse.Namespace) -> list[dict[str, Any]]:
    """How far dimensions come back: in the same photographs drawn again, and in one vector a photograph."""
    rows = []
    for layer in LAYERS:
        probe = tw.Probe(network()[0], layer, device="cpu")
        sample = tw.sample_activations(probe, photographs(), n=100_000, progress=False)
        single = tw.sample_activations(probe, photographs(), n=sample.attrs["n_images"], progress=False)
        image = sample["image"].values
        of_image = [np.flatnonzero(image == number) for number in np.unique(image)]
        rng = np.random.default_rng(0)
        drawn = [rng.integers(len(of_image), size=len(of_image)) for _ in range(RESAMPLES)]
        for method in ("pca", "ica"):

            def axes(vectors: Any, method: str = method) -> np.ndarray:
                return tw.TuningDimensions(method, COMPONENTS).fit(vectors).components_

            whole = axes(sample.values)
            again = [
                alike(whole, axes(sample.values[np.concatenate([of_image[one] for one in draw])]))
                for draw in drawn
            ]
            typical = np.median(again, axis=0)
            rows.append(
                {
                    "layer": layer,
                    "method": method.upper(),
                    "resampled, median |cos|": float(np.median(typical)),
                    "least dimension": float(typical.min()),
                    "above .9": float((typical > 0.9).mean()),
                    "2.5% of all": float(np.quantile(again, 0.025)),
                    "one vector a photograph": float(np.median(alike(whole, axes(single.values)))),
                }
            )
    return rows


def alike(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """|cos| of each row with its partner, where partners are chosen for the largest sum."""
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (some, others)]
    cosines = np.abs(unit[0] @ unit[1].T)
    return cosines[linear_sum_assignment(cosines, maximize=True)]


def calibration(options: argparse.Namespace) -> list[dict[str, Any]]:
    """How often a random axis of the subspace gets a label, judged against other random axes."""
    rows = []
    for layer in LAYERS:
        probe, sample, dimensions = fitted(layer)
        record = tw.render_film(
            probe, dimensions, 2, size=options.size, steps=options.chance_steps, progress=False
        )
        curves = random_curves(record, probe, sample, options.axes, 5, seed=11, progress=False)
        rows.append({"layer": layer, **chance(curves)})
    return rows


def chance(curves: dict[str, np.ndarray]) -> dict[str, Any]:
    """Each axis in turn against `DRAWS` of the others, drawn at random."""
    swept, smooth = attribute_sweeps(curves), attribute_smoothnesses(curves)
    rng = np.random.default_rng(0)
    labels = []
    for own in range(len(swept)):
        others = rng.permutation(np.delete(np.arange(len(swept)), own))[:DRAWS]
        null = swept[others].T
        p = p_value(null, swept[own][:, None])[:, 0]
        found = {"observed": swept[None, own], "p_holm": holm(p)[None], "smoothness": smooth[None, own]}
        labels.append(suggestions(found, null, 0.05)[0])
    given = sum(label != "" for label in labels)
    low, high = share_interval(np.array(given), np.array(len(labels)))
    by_name = {name: sum(label.startswith(f"{name},") for label in labels) for name in FILM_ATTRIBUTES}
    return {"axes": len(labels), "labeled": given / len(labels), "95% from": low, "to": high, **by_name}


PARTS: dict[str, Callable[[argparse.Namespace], list[dict[str, Any]]]] = {
    "film": film,
    "lucent": lucent,
    "sampling": sampling,
    "ica": ica,
    "stability": stability,
    "calibration": calibration,
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", default=list(PARTS), choices=[*PARTS, "peak"], metavar="PART")
    parser.add_argument("--steps", type=int, default=192, help="ours, where Lucent is compared with")
    parser.add_argument("--chance-steps", type=int, default=24, help="of the calibration's images")
    parser.add_argument("--lucent-steps", type=int, default=512, help="Lucent's; 512 is its default")
    parser.add_argument("--axes", type=int, default=400, help="random axes of the calibration")
    parser.add_argument("--size", type=int, default=64, help="side of the calibration's images")
    options = parser.parse_args(arguments)
    if options.parts == ["peak"]:
        peak(options)
        return
    _, weights = network()
    results: dict[str, Any] = {"weights": weights, "made": time.strftime("%Y-%m-%d %H:%M")}
    for part in options.parts:
        rows, seconds = timed(lambda part=part: PARTS[part](options))
        for row in rows:
            show(f"{part}, GoogLeNet with {weights}", [row])
        results[part] = {"rows": rows, "seconds": seconds}
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "tuning.json").write_text(json.dumps(results, indent=1, default=float))


if __name__ == "__main__":
    main()
