"""The Gabor recovery checklist: how often chance passes, what known answers give, and all of Table 1.

    uv run --group bench python tests/benchmarks/recovery.py [PART ...] [--draws 1000] [--seeds 20]

Parts: calibration, controls, table. Prints a table for each and writes artifacts/benchmarks/recovery.json.
"""

import argparse
import json
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from rich.console import Console
from rich.table import Table

import tunewidgets as tw
from tunewidgets.cli.checklist import checklist
from tunewidgets.derived.statistics import share_interval
from tunewidgets.kernels.gabor.bank_activations import Patches
from tunewidgets.kernels.gabor.cell import SMOOTH, measure
from tunewidgets.kernels.gabor.nulls import holm, label_null, loading_null, p_value, permuted
from tunewidgets.kernels.reading.attributes import ATTRIBUTES, embed
from tunewidgets.kernels.reading.readout import readout_curves, smoothnesses, sweeps
from tunewidgets.kernels.tuning.points import place_points
from tunewidgets.kernels.tuning.random_axes import RandomDirections
from tunewidgets.zoo.gabor import GaborBank

OUT = Path("artifacts/benchmarks")
PARTS = ("calibration", "controls", "table")
console = Console(width=130)


def show(title: str, rows: list[dict[str, Any]]) -> None:
    table = Table(title=title, title_justify="left")
    for column in rows[0]:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*[f"{v:.3f}" if isinstance(v, float) else str(v) for v in row.values()])
    console.print(table)


def calibration(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Random orthonormal directions of activation space, each draw on a bank and on 20 scenes of its own."""
    found: dict[tuple[str, str, int], np.ndarray] = {}
    for draw in range(options.draws):
        scenes = tw.zoo.images("dead-leaves", n=20, size=48, seed=10_000 + draw)
        patches = Patches(scenes, 1000, draw, False, options.pool, options.pooling, options.normalize)
        for name, k in product(options.banks, options.k):
            bank = tw.zoo.gabor_bank(seed=20_000 + draw, zero_mean=name == "zero-mean")
            for statistic, passed in chance(bank, patches, k, draw).items():
                found[name, statistic, k] = found.get((name, statistic, k), 0) + passed
        if (draw + 1) % 100 == 0 or draw + 1 == options.draws:
            rows = [
                {"bank": name, "statistic": statistic, "k": k}
                | dict(zip(ATTRIBUTES, _with_interval(counts, draw + 1), strict=True))
                for (name, statistic, k), counts in found.items()
            ]
            show(f"False positives at .05, {draw + 1} draws, with exact 95% intervals", rows)
    return rows


def chance(bank: GaborBank, patches: Patches, k: int, draw: int) -> dict[str, np.ndarray]:
    """Which attributes k random directions of a bank's activations pass for, `(attribute,)`, by statistic."""
    embedding, activations = embed(bank.attributes), patches.activations(bank)
    fitted = tw.TuningDimensions(RandomDirections(k, random_state=draw)).fit(activations)
    targets = np.stack([place_points(fitted, i, 32, "arc", "mean").targets for i in range(k)])
    labels = permuted(embedding, 199, np.random.default_rng([draw, k]))
    values = measure(targets, embedding)
    nulls = {
        "sweep": label_null(targets, activations.values.mean(0), embedding, labels),
        "r2": loading_null(targets, labels),
    }
    return {
        name: (p_value(null, values[name] / average) <= 0.05).any(axis=1)
        for name, (null, average) in nulls.items()
    }


def _with_interval(counts: np.ndarray, draws: int) -> list[str]:
    ends = share_interval(counts, np.full(3, draws)).T
    return [
        f"{count / draws:.3f} [{low:.3f}, {high:.3f}]"
        for count, (low, high) in zip(counts, ends, strict=True)
    ]


def stimuli(kind: str, attribute: str, seed: int, bank: Any, pool: int) -> np.ndarray:
    """The bank's answers, `(points, units)`, to Gabors or gratings that change in one attribute only.

    Each is the mean over `pool` × `pool` positions, two pixels apart.
    """
    rng = np.random.default_rng([seed, list(ATTRIBUTES).index(attribute)])
    frequency = np.geomspace(0.09, 0.3, 32) if attribute == "frequency" else np.full(32, 0.16)
    angle = np.full(32, rng.uniform(0, np.pi)) + (attribute == "angle") * np.linspace(0, np.pi / 3, 32)
    phase = np.full(32, rng.uniform(0, 2 * np.pi)) + (attribute == "phase") * np.linspace(
        0, 2 * np.pi / 3, 32
    )
    reach = 3 + pool - 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    along = x * np.cos(angle)[:, None, None] + y * np.sin(angle)[:, None, None]
    pictures = np.cos(2 * np.pi * frequency[:, None, None] * along + phase[:, None, None])
    if kind == "Gabors":
        pictures = pictures * np.exp(-(x**2 + y**2) / 8)
    kernels = bank.filters.weight.detach().numpy()[:, 0]
    windows = sliding_window_view(pictures, kernels.shape[1:], (1, 2))[:, ::2, ::2]
    return np.maximum(np.einsum("pyxvw,uvw->pyxu", windows, kernels), 0).mean((1, 2))


def controls(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Share of banks in which Gabors and gratings of one changing attribute recover which attributes."""
    rows = []
    for kind, pool, attribute in product(("Gabors", "gratings"), (1, 3), ATTRIBUTES):
        hits = np.zeros((options.seeds, 3), bool)
        for seed in range(options.seeds):
            bank = tw.zoo.gabor_bank(seed=seed)
            embedding = embed(bank.attributes)
            targets = stimuli(kind, attribute, seed, bank, pool)[None]
            labels = permuted(embedding, 199, np.random.default_rng([seed, 0]))
            null, average = label_null(targets, np.zeros(len(embedding.values)), embedding, labels)
            curves = readout_curves(targets, embedding)
            p = holm(p_value(null, sweeps(curves) / average)[:, 0])
            hits[seed] = (p <= 0.05) & (smoothnesses(curves)[:, 0] >= SMOOTH)
        rows.append(
            {"stimuli": kind, "positions": f"{pool} × {pool}", "changing": attribute}
            | {f"{name} found": float(hits[:, i].mean()) for i, name in enumerate(ATTRIBUTES)}
        )
    show(f"Stimuli of one changing attribute, Holm at .05, {options.seeds} banks", rows)
    return rows


def table(options: argparse.Namespace) -> dict[str, Any]:
    """All of Table 1 on the zero-mean bank, without films, and the time it takes."""
    source = tw.zoo.images(options.images, n=400)
    start = time.perf_counter(), time.process_time()
    tree = tw.gabor_recovery(
        {"zero-mean": tw.zoo.gabor_bank},
        options.methods,
        options.k,
        range(options.first, options.first + options.seeds),
        source,
        others=options.others,
        pool=options.pool,
        pooling=options.pooling,
        normalize=options.normalize,
    )
    wall, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
    console.print(checklist(tree), highlight=False)
    console.print(f"{options.seeds} bank seeds, B = 199: {wall:.0f} s, {cpu:.0f} s of processor time")
    report = tree.to_dataset(inherit=False)
    return {
        "seconds": wall,
        "processor seconds": cpu,
        "images": source.describe(),
        "share": {name: report["share"].sel(attribute=name).squeeze().values.tolist() for name in ATTRIBUTES},
        "all three": report["share_all"].squeeze().values.tolist(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=list(PARTS))
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument(
        "--first",
        type=int,
        default=0,
        help="in the table: the first bank seed; others test a choice made on 0",
    )
    parser.add_argument(
        "--banks", nargs="+", default=["zero-mean", "with mean"], choices=("zero-mean", "with mean")
    )
    parser.add_argument("--k", type=int, nargs="+", default=[3, 6], help="numbers of dimensions")
    parser.add_argument("--pool", type=int, default=1, help="as of gabor_recovery")
    parser.add_argument("--pooling", default="mean", choices=("mean", "rms"))
    parser.add_argument("--normalize", action="store_true", help="as of gabor_recovery")
    parser.add_argument("--methods", nargs="+", default=["pca", "ica", "nmf", "lle"], help="in the table")
    parser.add_argument("--others", default="mean", choices=("mean", "zero"))
    parser.add_argument(
        "--images", default="dead-leaves", help="in the table: dead-leaves, photos or a folder"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    made = {part: globals()[part](options) for part in options.parts}
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "recovery.json").write_text(json.dumps(made, indent=1))


if __name__ == "__main__":
    main()
