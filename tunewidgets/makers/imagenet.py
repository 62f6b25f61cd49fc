"""Make the records of the ImageNet reproduction: `python -m tunewidgets.makers.imagenet googlenet_bvlc`.

In: a network trained on ImageNet whose weights, like the 2,500 labeled photographs, are in the folder that
`TUNEWIDGETS_DATA` names. Out: one `.zarr.zip` of unit records of layers at several depths, without any photograph.
Finished work is kept in a work folder, from which a stopped run resumes.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import xarray as xr

from tunewidgets.records import layer_tree, layers_of, save_record
from tunewidgets.zoo.command import run, sizes


class UnitsPlan(NamedTuple):
    """How a layer is examined: the side in pixels of its units' images, and the number of photographs."""

    side: int
    photographs: int


SHALLOW, DEEP = UnitsPlan(64, 2_500), UnitsPlan(80, 500)
# network -> its weights, and layers from the image on
LAYERS: dict[str, tuple[str, dict[str, UnitsPlan]]] = {
    "googlenet_bvlc": (
        "auto",
        {
            "relu_conv1": SHALLOW,
            "relu_conv2_reduce": SHALLOW,
            "relu_conv2": SHALLOW,
            "relu_inception_3a_5x5": DEEP,
            "relu_inception_4a_5x5": DEEP,
            "relu_inception_5b_5x5_reduce": DEEP,
        },
    ),
    "squeezenet1_0": (
        "deepcompression",
        {
            "features.1": SHALLOW,
            "features.3.expand3x3_activation": SHALLOW,
            "features.5.expand3x3_activation": DEEP,
            "features.8.squeeze_activation": DEEP,
            "features.12.squeeze_activation": DEEP,
        },
    ),
}


def make_imagenet(
    network: str,
    out: str | Path = "reproduction",
    *,
    images: int | None = None,
    steps: int = 32,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
) -> Path:
    """Analyze the units of a network on the ten labeled classes of ImageNet.

    Importance is left out: silencing each unit of a layer on 2,500 photographs of 224 px would take days on a CPU.

    Parameters
    ----------
    network : {"googlenet_bvlc", "squeezenet1_0"}
    out : path
        Folder of the record; what is unfinished goes to its sub-folder `runs`.
    images : int, optional
        How many of the photographs to measure units on; None: all 2,500 in shallow layers, 500 of them in deep ones.
    steps, seed
        As in `tunewidgets.analyze_units`.
    device : str
    progress : bool

    Returns
    -------
    pathlib.Path
        `NETWORK-imagenet.zarr.zip`.

    Raises
    ------
    FileNotFoundError
        If the folder named by `TUNEWIDGETS_DATA` holds no such weights or photographs.
    """
    # Imported here, since the command's help should not wait for torch.
    from tunewidgets.kernels.single_units.units import analyze_units
    from tunewidgets.zoo.registry import load
    from tunewidgets.zoo.sources import images as image_source

    weights, plans = LAYERS[network]
    model = load(network, weights=weights)
    records: dict[str, xr.Dataset] = {}
    for plan in dict.fromkeys(plans.values()):
        tree = analyze_units(
            model,
            image_source("imagenet-labelled", n=images or plan.photographs),
            [layer for layer, own in plans.items() if own == plan],
            ablation=False,
            exemplars=0,
            steps=steps,
            seed=seed,
            size=plan.side,
            store=Path(out) / "runs" / f"{network}-imagenet-{plan.side}.zarr",
            device=device,
            progress=progress,
        )
        records |= layers_of(tree)
    kept = layer_tree({layer: records[layer].drop_vars("image") for layer in plans})
    return save_record(kept, Path(out) / f"{network}-imagenet.zarr.zip")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tunewidgets.makers.imagenet",
        description="Write the unit records that notebooks/reproduction_imagenet.ipynb reads, of a network whose "
        "weights lie in the folder named by TUNEWIDGETS_DATA. Run again after a stop, it goes on.",
    )
    parser.add_argument("network", choices=LAYERS)
    parser.add_argument("--out", default="reproduction", help="folder of the records (default reproduction)")
    parser.add_argument("--images", type=int, help="how many of the photographs to measure on")
    parser.add_argument("--steps", type=int, default=32, help="optimization steps (default 32)")
    parser.add_argument("--seed", type=int, default=0, help="of the images' starts (default 0)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    chosen = vars(parser.parse_args(arguments))
    return run("make_imagenet", lambda: sizes(make_imagenet(**chosen, progress=True)))


if __name__ == "__main__":
    raise SystemExit(main())
