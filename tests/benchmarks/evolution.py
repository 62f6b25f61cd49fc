"""Images without a gradient against the gradient's, on units whose best image is known to be a grating.

    uv run --group bench --extra cma python tests/benchmarks/evolution.py [--units 8] [--generations 256]

Prints, for units of the Gabor bank, the share of the gradient's activation that CMA-ES reaches after so many
evaluations, and how alike the two images are; writes artifacts/benchmarks/evolution.json and evolution.png, the images.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from PIL import Image
from rich.console import Console
from rich.table import Table

import tunewidgets as tw

OUT = Path("artifacts/benchmarks")
SIDE = 32
STEPS = 128  # of the gradient


def alike(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """How far two images `(y, x, rgb)` correlate: shifted to fit best, and by the power of their frequencies.

    Brightness alone counts, which is all that the bank sees. A unit answers at every position, so that its image may be
    shifted, and where patches of a grating meet out of phase no shift fits all of it; its frequencies stay.
    """
    gray = [np.fft.fft2(image @ np.array([0.299, 0.587, 0.114])) for image in (one, other)]
    for spectrum in gray:
        spectrum[0, 0] = 0
    lengths = [np.linalg.norm(spectrum) for spectrum in gray]
    shifted = np.fft.ifft2(gray[0] * gray[1].conj()).real.max() * gray[0].size
    power = [np.abs(spectrum) ** 2 for spectrum in gray]
    return float(shifted / np.prod(lengths)), float(np.corrcoef(power[0].ravel(), power[1].ravel())[0, 1])


def own_responses(made: xr.Dataset) -> np.ndarray:
    """Each target's own unit's activation."""
    return made["response"].values[np.arange(made.sizes["target"]), made["own_unit"].values]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--units", type=int, default=8, help="how many units of the bank's 28, evenly spread")
    parser.add_argument("--generations", type=int, default=256)
    asked = parser.parse_args()
    probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")
    units = np.linspace(0, probe.units - 1, asked.units).round().astype(int)
    goal = tw.AM(units)
    seen = [asked.generations // part for part in (8, 4, 2, 1)]

    began = time.perf_counter()
    climbed = tw.visualize(probe, goal, size=SIDE, steps=STEPS)
    gradient_s = time.perf_counter() - began
    began = time.perf_counter()

    def black_box(images: np.ndarray) -> torch.Tensor:
        return probe.rectified(images)

    evolved = tw.visualize(
        black_box, goal, size=SIDE, steps=asked.generations, checkpoints=seen, optimizer="cma"
    )
    evolution_s = time.perf_counter() - began

    best = own_responses(climbed)
    rows = np.arange(len(units))
    course = evolved["response_checkpoint"].values[rows, :, units] / best[:, None]
    last = own_responses(evolved) / best
    likeness = [
        alike(one, other)
        for one, other in zip(climbed["image"].values / 255, evolved["image"].values / 255, strict=True)
    ]
    population = tw.records.settings_of(evolved)["chunk"]
    table = Table(title=f"Share of the gradient's activation after {STEPS} steps, {SIDE} px")
    columns = ["unit", *[f"{n * population:,} images" for n in seen], "shown", "shifted", "power"]
    for column in columns:
        table.add_column(column, justify="right")
    for row, unit in enumerate(units):
        numbers = [*course[row], last[row], *likeness[row]]
        table.add_row(str(unit), *[f"{number:.2f}" for number in numbers])
    numbers = [*np.median(course, 0), np.median(last), *np.median(likeness, 0)]
    table.add_row("median", *[f"{number:.2f}" for number in numbers])
    Console().print(table)
    print(
        f"gradient {gradient_s / len(units):.2f} s a unit, evolution {evolution_s / len(units):.2f} s; "
        f"population {population}"
    )
    OUT.mkdir(parents=True, exist_ok=True)
    found = {
        "units": units.tolist(),
        "evaluations": [n * population for n in seen],
        "share": course.round(4).tolist(),
        "shown": last.round(4).tolist(),
        "correlation_shifted": [round(one, 4) for one, _ in likeness],
        "correlation_power": [round(one, 4) for _, one in likeness],
        "seconds": {"gradient": gradient_s, "evolution": evolution_s},
    }
    (OUT / "evolution.json").write_text(json.dumps(found, indent=2))
    both = np.stack([climbed["image"].values, evolved["image"].values])
    sheet = both.transpose(0, 2, 1, 3, 4).reshape(2 * SIDE, len(units) * SIDE, 3)
    Image.fromarray(sheet).resize((len(units) * SIDE * 4, 2 * SIDE * 4), Image.Resampling.NEAREST).save(
        OUT / "evolution.png"
    )


if __name__ == "__main__":
    main()
