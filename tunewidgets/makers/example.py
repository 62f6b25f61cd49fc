"""Make a record that comes with the package: `python -m tunewidgets.makers.example shallow_cnn`.

In: the network's shipped weights and CIFAR-10's test images. Out: the unit records of all its rectified layers in one
`.zarr.zip`. Every finished layer is kept in a work folder, from which a stopped run resumes. The shipped one was made
with `--images 250 --steps 64 --restarts 1`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tunewidgets._checks import STEPS
from tunewidgets.records import save_record
from tunewidgets.zoo.command import run, sizes
from tunewidgets.zoo.examples import EXAMPLES

LARGEST = 4 * 10**6  # bytes; the package stays small


def make_example(
    name: str,
    out: str | Path | None = None,
    work: str | Path | None = None,
    *,
    images: int | None = None,
    steps: int = STEPS,
    restarts: int = 3,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
) -> Path:
    """Analyze a network and write its record.

    Parameters
    ----------
    name : {"shallow_cnn"}
    out : path, optional
        None: where `tunewidgets.zoo.example` looks for it.
    work : path, optional
        A `.zarr` folder for what is finished; None: `runs/NAME-example.zarr`.
    images : int, optional
        How many of the test images to use, drawn by `seed`; None: all.
    steps, restarts, seed, device
        As in `tunewidgets.analyze_units`.
    progress : bool

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ValueError
        There is no such example, or the record would be larger than 4 MB.
    """
    if name not in EXAMPLES:
        raise ValueError(f"there is no example called {name!r}; there is {', '.join(EXAMPLES)}")
    # Imported here, since the command's help should not wait for torch.
    from tunewidgets.kernels.single_units.units import analyze_units
    from tunewidgets.zoo.registry import load
    from tunewidgets.zoo.sources import images as image_source

    store = Path(work) if work is not None else Path("runs") / f"{name}-example.zarr"
    tree = analyze_units(
        load(name),
        image_source("cifar10", n=images, size=None, seed=seed),
        steps=steps,
        restarts=restarts,
        seed=seed,
        store=store,
        device=device,
        progress=progress,
    )
    target = EXAMPLES[name] if out is None else Path(out)
    written = save_record(tree, target)
    size = written.stat().st_size
    if size > LARGEST:
        written.unlink()
        raise ValueError(
            f"the record takes {size / 1e6:.1f} MB, more than {LARGEST / 1e6:.0f}; leave something out"
        )
    return written


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tunewidgets.makers.example",
        description="Make the record that tunewidgets.zoo.example opens. Run again after a stop, it goes on.",
    )
    parser.add_argument("name", choices=sorted(EXAMPLES))
    parser.add_argument("--out", help="the .zarr.zip to write (default: its place in the package)")
    parser.add_argument("--work", help="folder for what is finished (default runs/NAME-example.zarr)")
    parser.add_argument("--images", type=int, help="how many of the test images to use (default: all)")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"optimization steps (default {STEPS})")
    parser.add_argument("--restarts", type=int, default=3, help="images per unit and objective (default 3)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    chosen = vars(parser.parse_args(arguments))
    return run("make_example", lambda: sizes(make_example(**chosen, progress=sys.stderr.isatty())))


if __name__ == "__main__":
    raise SystemExit(main())
