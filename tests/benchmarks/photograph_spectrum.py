"""How much of each frequency photographs hold: the numbers that `tunewidgets/kernels/canvas/maco.py` ships.

    TUNEWIDGETS_DATA=FOLDER uv run python tests/benchmarks/photograph_spectrum.py

FOLDER holds imagenet-sample, a photograph for each of ImageNet's classes. Prints, in the units of the canvas (logits of
decorrelated colors), the mean magnitudes a pixel by cycles per image, of photographs at the side that they come in, and
what is left of them by cycles per pixel where the photographs are made smaller.
"""

import torch
from rich.console import Console
from rich.table import Table

import tunewidgets as tw
from tunewidgets.kernels.canvas.maco import CYCLES, FINE, interpolated
from tunewidgets.kernels.canvas.spectrum import image_spectrum, radial_frequency

FULL, SMALLER = 256, (112, 64)
# Entries within so many octaves of a frequency count as of that frequency.
NEAR = 0.25


def mean_spectrum(size: int) -> torch.Tensor:
    """Mean magnitudes a pixel, `(3, size, size // 2 + 1)`."""
    total, count = torch.zeros(3, size, size // 2 + 1, dtype=torch.float64), 0
    for images in tw.zoo.images("imagenet-sample", size=size):
        total += image_spectrum(images).abs().double().sum(0)
        count += len(images)
    return total / count / size


def by_frequency(spectrum: torch.Tensor, frequencies: tuple[float, ...]) -> torch.Tensor:
    """Means `(3, frequencies)` around frequencies in cycles per pixel."""
    octave = radial_frequency(spectrum.shape[1]).log2()
    near = [(octave - torch.tensor(f).log2()).abs() <= NEAR for f in frequencies]
    return torch.stack([spectrum[:, entries].mean(1) for entries in near], dim=1)


def main() -> None:
    console = Console(width=120)
    full = mean_spectrum(FULL)
    curves = by_frequency(full, tuple(cycles / FULL for cycles in CYCLES))
    table = Table(
        "color", "mean color", *map(str, CYCLES), title="Mean magnitude a pixel, by cycles per image"
    )
    for color, curve in enumerate(curves):
        table.add_row(str(color), *[f"{number:.3g}" for number in (full[color, 0, 0], *curve)])
    console.print(table)
    table = Table("side", *[f"{f:.3f}" for f in FINE], title="What is left, by cycles per pixel")
    for size in SMALLER:
        whole = [interpolated(radial_frequency(size) * size, CYCLES, curve.tolist()) for curve in curves]
        left = by_frequency(mean_spectrum(size) / torch.stack(whole), FINE).mean(0)
        table.add_row(str(size), *[f"{share:.2f}" for share in left])
    console.print(table)


if __name__ == "__main__":
    main()
