"""The Gabor recovery checklist: how often chance passes, what known answers give, and all of Table 1.

    uv run --group bench python tests/benchmarks/recovery.py [PART ...] [--draws 1000] [--seeds 20]

Parts: calibration, controls, table. Prints a table for each and writes artifacts/benchmarks/recovery.json.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import tunewidgets as tw
from tunewidgets._checklist import checklist
from tunewidgets.kernels.bank_activations import Patches
from tunewidgets.kernels.gabor_attributes import ATTRIBUTES, embed
from tunewidgets.kernels.nulls import holm, label_null, loading_null, p_value, permuted, share_interval
from tunewidgets.kernels.points import place_points
from tunewidgets.kernels.readout import readout_curves, smoothnesses, sweeps
from tunewidgets.kernels.recovery_cell import SMOOTH, measure
from tunewidgets.kernels.recovery_films import RandomDirections

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
    rows = []
    for bank_name, zero_mean in (("zero-mean", True), ("with mean", False)):
        for k in options.k:
            found = {statistic: np.zeros((2, 3)) for statistic in ("sweep", "r2")}
            for draw in range(options.draws):
                scenes = tw.zoo.images("dead-leaves", n=20, size=48, seed=10_000 + draw)
                bank = tw.zoo.gabor_bank(seed=20_000 + draw, zero_mean=zero_mean)
                embedding = embed(bank.attributes)
                activations = Patches(scenes, 1000, draw, False, options.pool, options.normalize).activations(
                    bank
                )
                fitted = tw.TuningDimensions(RandomDirections(k, random_state=draw)).fit(activations)
                targets = np.stack([place_points(fitted, i, 32, "arc", "mean").targets for i in range(k)])
                labels = permuted(embedding, 199, np.random.default_rng([draw, k]))
                values = measure(targets, embedding)
                for statistic, null in (("sweep", label_null), ("r2", loading_null)):
                    draws, average = null(targets, labels)
                    passed = p_value(draws, values[statistic] / average) <= 0.05
                    smooth = passed & (values["smoothness"] >= SMOOTH)
                    found[statistic] += np.stack([passed.any(1), smooth.any(1)])
            rows += [
                {"bank": bank_name, "statistic": statistic, "k": k, "mark": name}
                | dict(zip(ATTRIBUTES, _with_interval(counts, options.draws), strict=True))
                for statistic, both in found.items()
                for name, counts in zip(("p alone", "with smoothness"), both, strict=True)
            ]
    show(f"False positives at .05, {options.draws} draws, with exact 95% intervals", rows)
    return rows


def _with_interval(counts: np.ndarray, draws: int) -> list[str]:
    ends = share_interval(counts, np.full(3, draws)).T
    return [
        f"{count / draws:.3f} [{low:.3f}, {high:.3f}]"
        for count, (low, high) in zip(counts, ends, strict=True)
    ]


def stimuli(kind: str, attribute: str, seed: int, bank: Any) -> np.ndarray:
    """The bank's answers, `(points, units)`, to Gabors or gratings that change in one attribute only."""
    rng = np.random.default_rng([seed, ATTRIBUTES.index(attribute)])
    frequency = np.geomspace(0.09, 0.3, 32) if attribute == "frequency" else np.full(32, 0.16)
    angle = np.full(32, rng.uniform(0, np.pi)) + (attribute == "angle") * np.linspace(0, np.pi / 3, 32)
    phase = np.full(32, rng.uniform(0, 2 * np.pi)) + (attribute == "phase") * np.linspace(
        0, 2 * np.pi / 3, 32
    )
    y, x = np.mgrid[-3:4, -3:4]
    along = x * np.cos(angle)[:, None, None] + y * np.sin(angle)[:, None, None]
    pictures = np.cos(2 * np.pi * frequency[:, None, None] * along + phase[:, None, None])
    if kind == "Gabors":
        pictures = pictures * np.exp(-(x**2 + y**2) / 8)
    kernels = bank.filters.weight.detach().numpy().reshape(-1, 49)
    return np.maximum(pictures.reshape(32, 49) @ kernels.T, 0)


def controls(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Share of banks in which Gabors and gratings of one changing attribute recover which attributes."""
    rows = []
    for kind in ("Gabors", "gratings"):
        for attribute in ATTRIBUTES:
            hits = np.zeros((options.seeds, 3), bool)
            for seed in range(options.seeds):
                bank = tw.zoo.gabor_bank(seed=seed)
                embedding = embed(bank.attributes)
                targets = stimuli(kind, attribute, seed, bank)[None]
                labels = permuted(embedding, 199, np.random.default_rng([seed, 0]))
                null, average = label_null(targets, labels)
                curves = readout_curves(targets, embedding)
                p = holm(p_value(null, sweeps(curves) / average)[:, 0])
                hits[seed] = (p <= 0.05) & (smoothnesses(curves)[:, 0] >= SMOOTH)
            rows.append(
                {"stimuli": kind, "changing": attribute}
                | {f"{name} found": float(hits[:, i].mean()) for i, name in enumerate(ATTRIBUTES)}
            )
    show(f"Stimuli of one changing attribute, Holm at .05, {options.seeds} banks", rows)
    return rows


def table(options: argparse.Namespace) -> dict[str, Any]:
    """All of Table 1 on the zero-mean bank, without films, and the time it takes."""
    source = tw.zoo.images(["photos"], n=400) if options.photos else tw.zoo.images("dead-leaves")
    start = time.perf_counter(), time.process_time()
    tree = tw.gabor_recovery(
        {"zero-mean": tw.zoo.gabor_bank}, seeds=range(options.seeds), images=source, others=options.others
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
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=list(PARTS))
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--k", type=int, nargs="+", default=[3, 6], help="dimensions, in the calibration")
    parser.add_argument("--pool", type=int, default=1, help="as of gabor_recovery, in the calibration")
    parser.add_argument("--normalize", action="store_true", help="as of gabor_recovery, in the calibration")
    parser.add_argument("--others", default="mean", choices=("mean", "zero"))
    parser.add_argument("--photos", action="store_true", help="crops of photographs in the table's part")
    options = parser.parse_args()
    torch.set_num_threads(1)
    made = {part: globals()[part](options) for part in options.parts}
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "recovery.json").write_text(json.dumps(made, indent=1))


if __name__ == "__main__":
    main()
