"""Make the records of a reproduction: `python -m tunewidgets.makers.reproduction shallow_cnn --seeds 5 --epochs 4`.

In: one of the paper's networks, a data set, a number of training seeds. Out: for each seed one `.zarr.zip` of unit
records of all rectified layers, or of the named ones, which also say how the network was trained. Training and analysis
are kept in a work folder, from which a stopped run resumes.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from tunewidgets._checks import STEPS
from tunewidgets.records import layer_tree, layers_of, save_record, with_settings
from tunewidgets.zoo.command import run, sizes

TRAINED, DATA = ("mlp", "shallow_cnn", "vgg16_cifar10"), ("cifar10", "digits")


def make_reproduction(
    network: str,
    data: str = "cifar10",
    seeds: int = 5,
    epochs: int = 4,
    out: str | Path = "reproduction",
    *,
    first: int = 0,
    layers: Sequence[str] | None = None,
    ablation: bool = True,
    images: int | None = None,
    steps: int = STEPS,
    restarts: int = 1,
    batch: int = 64,
    limit: int | None = None,
    device: str = "auto",
    progress: bool = True,
) -> list[Path]:
    """Train a network from several seeds and analyze the units of each.

    The seed decides everything random, from the first weights to the starts of the units' images; only the test images
    that units are measured on are the same for all seeds.

    Parameters
    ----------
    network : {"mlp", "shallow_cnn", "vgg16_cifar10"}
    data : {"cifar10", "digits"}
    seeds : int
        How many seeds to train networks from.
    epochs : int
        How often each sees all training images.
    out : path
        Folder of the records; what is unfinished, checkpoints and weights go to its sub-folder `runs`.
    first : int, default 0
        The first of the seeds; several machines can each take some of them.
    layers : sequence of str, optional
        None: the output of every activation module.
    ablation : bool, default True
        Whether importance is measured: with many images it costs more than everything else together.
    images : int, optional
        How many of the test images to measure units on; None: all.
    steps, restarts
        As in `tunewidgets.analyze_units`.
    batch, limit
        As in the command `python -m tunewidgets.zoo.train`.
    device : str
    progress : bool

    Returns
    -------
    list of pathlib.Path
        One file per seed, `NETWORK-DATA-SEED.zarr.zip`. It holds no images, so that many files stay small, and ablation
        curves for seed 0 only; each layer's settings hold under `training` what the log says of the last epoch.

    Raises
    ------
    ValueError
        The network or the data are unknown, a number is out of its range, or the work folder holds a run with other
        settings.
    FileNotFoundError
        If the folder named by `TUNEWIDGETS_DATA` holds no CIFAR-10.
    """
    for number, value, least in (("seeds", seeds, 1), ("first", first, 0)):
        if value < least:
            raise ValueError(f"{number} is {value}; give a whole number of at least {least}")
    # Imported here, since the command's help should not wait for torch.
    from tunewidgets.kernels.single_units.units import analyze_units
    from tunewidgets.zoo.registry import load
    from tunewidgets.zoo.sources import images as image_source
    from tunewidgets.zoo.train import train

    written = []
    for seed in range(first, first + seeds):
        name = f"{network}-{data}-{seed}"
        work = Path(out) / "runs" / name
        train(
            network, data, epochs, seed, work, batch=batch, limit=limit, device=device, progress=progress
        )  # fmt: skip
        log = (work / "log.jsonl").read_text(encoding="utf-8")
        tree = analyze_units(
            load(network, weights=work / "weights.safetensors"),
            image_source(data, n=images, size=None, seed=0),
            layers,
            ablation=ablation,
            exemplars=0,
            restarts=restarts,
            # Curves cost as much as all single units together, and only one network's are shown.
            ablation_options={"curves": seed == 0},
            store=work / "units.zarr",
            steps=steps,
            seed=seed,
            device=device,
            progress=progress,
        )
        written.append(
            save_record(_kept(tree, json.loads(log.splitlines()[-1])), Path(out) / f"{name}.zarr.zip")
        )
    return written


def _kept(tree: xr.DataTree, training: dict[str, Any]) -> xr.DataTree:
    """The records without their images, with a note of how the network was trained."""
    return layer_tree(
        {
            layer: with_settings(record.drop_vars("image"), training=training)
            for layer, record in layers_of(tree).items()
        }
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tunewidgets.makers.reproduction",
        description="Train one of the paper's networks from several seeds and write the unit records that "
        "notebooks/reproduction.ipynb reads. Run again after a stop, it goes on.",
    )
    parser.add_argument("network", choices=TRAINED)
    parser.add_argument("--data", choices=DATA, default="cifar10")
    parser.add_argument("--seeds", type=int, default=5, help="how many networks are trained (default 5)")
    parser.add_argument("--first", type=int, default=0, help="the first of their seeds (default 0)")
    parser.add_argument("--epochs", type=int, default=4, help="how long each is trained (default 4)")
    parser.add_argument("--out", default="reproduction", help="folder of the records (default reproduction)")
    parser.add_argument(
        "--layers", nargs="+", help="analyze these layers alone (default: all rectified ones)"
    )
    parser.add_argument(
        "--no-ablation",
        dest="ablation",
        action="store_false",
        help="leave out what the network loses without each unit",
    )
    parser.add_argument("--images", type=int, help="how many of the test images to measure on (default: all)")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"optimization steps (default {STEPS})")
    parser.add_argument("--restarts", type=int, default=1, help="images per unit and objective (default 1)")
    parser.add_argument("--batch", type=int, default=64, help="images in a step of training (default 64)")
    parser.add_argument("--limit", type=int, help="use only this many training images, for a trial")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    chosen = vars(parser.parse_args(arguments))
    return run("make_reproduction", lambda: sizes(*make_reproduction(**chosen, progress=True)))


if __name__ == "__main__":
    raise SystemExit(main())
