"""How readable units, tuning dimensions and random axes are, by layer; and the observers' α.

    TUNEWIDGETS_DATA=FOLDER uv run --group bench --extra lpips python tests/benchmarks/readability.py [--part alpha]

FOLDER holds imagenet-sample and the weights of GoogLeNet and SqueezeNet 1.1. Half of the photographs fits the
dimensions, the other half gives trials. `--part alpha` fits each observer's α by maximum likelihood to planted answers:
hard trials of gratings about their hue, orientation and frequency, with a single exemplar at either end.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import xarray as xr
from rich.console import Console
from rich.table import Table
from scipy.optimize import minimize_scalar
from scipy.special import expit
from scipy.stats import spearmanr

import tunewidgets as tw
from tunewidgets.kernels.readability.observers import chosen
from tunewidgets.kernels.readability.score import choices

sys.path.insert(0, str(Path(__file__).parents[1]))
from planted import Planted, gratings

LAYERS = ("relu_conv2", "inception_3b_output", "inception_4a_output")
UNITS, COMPONENTS, TRIALS, CATCH = 64, 16, 20, 48
MANY = 60  # trials a unit, of which two halves are compared
JSON = Path(__file__).parents[2] / "artifacts" / "benchmarks" / "readability.json"


def units_record(probe: tw.Probe) -> xr.Dataset:
    """A unit record that holds nothing yet but what it is of."""
    attrs = tw.records.new_attrs(
        "units", **probe.provenance(), settings={}, seed=0, n_images=None, n_vectors=None
    )
    return xr.Dataset({"mean_activation": ("unit", np.full(probe.units, np.nan, np.float32))}, attrs=attrs)


def fitted_alpha(name: str) -> tuple[float, float]:
    """An observer's α, and its share of right answers."""
    probe = tw.Probe(Planted(), "read", device="cpu")
    options = {"n": 40, "k": 1, "grade": "hardest", "which": [0, 1, 2], "catch": 8, "progress": False}
    asked = tw.add_trials(units_record(probe), probe, gratings(1000), **options)
    decider, _, _ = chosen(name, asked)
    mine = asked["trial_unit"].values >= 0

    def right(alpha: float | None) -> np.ndarray:
        return choices(asked, decider, alpha, False).right[mine]

    # Of Δ all that is needed is what α makes of it, so it is asked for once.
    delta = np.log(right(1e-3) / (1 - right(1e-3))) / 1e-3
    best = minimize_scalar(lambda log: -np.log(np.clip(expit(np.exp(log) * delta), 1e-12, 1)).mean(), (-3, 3))
    return float(np.exp(best.x)), float((delta > 0).mean())


def layer_scores(layer: str, network, photographs, observers: list[str], units: int, many: bool) -> dict:
    """Mean scores by observer and kind of axis, seconds, and how well two halves of the trials agree."""
    probe = tw.Probe(network, layer, device="cpu")
    fit, held = photographs[: len(photographs) // 2], photographs[len(photographs) // 2 :]
    sample = tw.sample_activations(probe, fit, n=2 * len(fit), progress=False)
    active = np.flatnonzero((sample.values > 0).mean(0) > 0.1)
    which = np.sort(np.random.default_rng(0).choice(active, min(units, len(active)), replace=False))
    records, seconds = {}, {}
    start = time.perf_counter()
    records["units"] = tw.add_trials(
        units_record(probe), probe, held, TRIALS, which=which.tolist(), catch=CATCH, progress=False
    )
    seconds["trials of units"] = time.perf_counter() - start
    for method in ("ica", "pca"):
        dimensions = tw.TuningDimensions(method, COMPONENTS).fit(sample)
        film = tw.render_film(probe, dimensions, points=2, size=64, steps=1, progress=False)
        records[method] = tw.add_trials(film, probe, held, TRIALS, catch=CATCH, progress=False)
    found: dict = {"layer": layer, "active": len(active)}
    by_unit = {}
    for observer in observers:
        for kind, asked in records.items():
            start = time.perf_counter()
            scored = tw.readability(asked, observer, progress=False)
            seconds[f"{observer}, {kind}"] = time.perf_counter() - start
            decider, _, _ = chosen(observer, asked)
            sure = choices(asked, decider, None, False).right
            own = asked["trial_unit" if kind == "units" else "trial_dimension"].values >= 0
            values = scored["readability"].values
            values = values[np.isfinite(values)]
            p = scored["readability_p"].values
            told = tw.records.settings_of(scored)["readability"]
            found[f"{observer} {kind}"] = {
                "mean": float(values.mean()),
                "se": float(values.std(ddof=1) / len(values) ** 0.5),
                "right": float(sure[own].mean()),
                "right on random axes": float(sure[~own].mean()),
                "random axes": told["null"],
                "permuted": told["permuted"],
                "p <= .05": float((p[np.isfinite(p)] <= 0.05).mean()),
                "Holm": int((scored["readability_p_holm"] <= 0.05).sum()),
            }
            if kind == "units":
                by_unit[observer] = values
    if many:
        options = {"which": which.tolist(), "catch": 8, "progress": False}
        asked = tw.add_trials(units_record(probe), probe, held, MANY, **options)
        decider, _, alpha = chosen(observers[0], asked)
        right = choices(asked, decider, alpha, False).right
        found[f"{observers[0]} halves"] = {n: halves(asked, right, n) for n in (TRIALS, MANY)}
    if len(by_unit) > 1:
        found["observers agree"] = float(spearmanr(*by_unit.values()).statistic)
    return found | {"seconds": seconds}


def halves(asked: xr.Dataset, right: np.ndarray, n: int, splits: int = 50) -> float:
    """Spearman's rho of units' scores over two halves of `n` of their trials, mean of many halvings."""
    rng, rho = np.random.default_rng(0), []
    units = np.unique(asked["trial_unit"].values)
    rows = np.stack([right[asked["trial_unit"].values == unit] for unit in units if unit >= 0])
    for _ in range(splits):
        turned = rng.permuted(rows, axis=1)
        rho.append(spearmanr(turned[:, : n // 2].mean(1), turned[:, n // 2 : n].mean(1)).statistic)
    return float(np.mean(rho))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=["layers", "alpha"], default="layers")
    parser.add_argument("--layers", nargs="+", default=LAYERS)
    parser.add_argument("--observers", nargs="+", default=["lpips", "texture"])
    parser.add_argument("--halves", nargs="*", default=("inception_4a_output",))
    parser.add_argument("--units", type=int, default=UNITS)
    asked = parser.parse_args()
    console = Console(width=140)
    if asked.part == "alpha":
        for name in asked.observers:
            alpha, share = fitted_alpha(name)
            console.print(f"{name}: α = {alpha:.3g}; {share:.3f} of planted answers right")
        return
    network = tw.zoo.load("googlenet_bvlc")
    photographs = np.concatenate([batch.numpy() for batch in tw.zoo.images("imagenet-sample")])
    photographs = photographs[np.random.default_rng(0).permutation(len(photographs))]
    found = []
    for layer in asked.layers:
        one = layer_scores(layer, network, photographs, asked.observers, asked.units, layer in asked.halves)
        found.append(one)
        table = Table(
            "who",
            "what",
            "right",
            "on random axes",
            "score",
            "random axes",
            "permuted",
            "p ≤ .05",
            "Holm",
            title=layer,
        )
        for name, row in one.items():
            if isinstance(row, dict) and "mean" in row:
                observer, kind = name.split()
                table.add_row(
                    observer,
                    kind,
                    f"{row['right']:.3f}",
                    f"{row['right on random axes']:.3f}",
                    f"{row['mean']:.3f} ± {row['se']:.3f}",
                    f"{row['random axes']:.3f}",
                    f"{row['permuted']:.3f}",
                    f"{row['p <= .05']:.2f}",
                    str(row["Holm"]),
                )
        console.print(table)
        console.print(
            {name: row for name, row in one.items() if not (isinstance(row, dict) and "mean" in row)}
        )
        JSON.parent.mkdir(parents=True, exist_ok=True)
        JSON.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
