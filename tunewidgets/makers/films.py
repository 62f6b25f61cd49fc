"""Make the films of a network's layers: `python -m tunewidgets.makers.films googlenet_bvlc`.

In: a network trained on ImageNet, and the 1,000 photographs in the folder that `TUNEWIDGETS_DATA` names. Out: for each
layer and method a film with its readout and, beside every point, patches of those photographs; and Table 2 of
*Identifying and interpreting tuning dimensions in deep networks* as a checklist of the first two layers. A film that is
already there is not made again, so a stopped run resumes with the next.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import xarray as xr

from tunewidgets._checks import STEPS
from tunewidgets.records import open_record, save_record
from tunewidgets.zoo.command import run, sizes


class FilmPlan(NamedTuple):
    """How a layer is examined.

    How many vectors its dimensions are found in; the methods; points per dimension, side in pixels and steps of their
    images; how many random axes they are compared with, and points along each.
    """

    vectors: int
    methods: tuple[str, ...]
    points: int
    side: int
    steps: int
    axes: int
    axis_points: int


FIRST = FilmPlan(100_000, ("ica", "pca"), 32, 64, STEPS, 199, 5)
HIGHER = FilmPlan(20_000, ("ica",), 9, 96, 48, 139, 3)
# network -> layers from the image on; the first two are those of Table 2, by the paper's names
TABLE_2 = ("conv2d0", "conv2d1")
LAYERS: dict[str, dict[str, FilmPlan]] = {
    "googlenet_bvlc": {
        "relu_conv1": FIRST,
        "relu_conv2_reduce": FIRST,
        "relu_conv2": HIGHER,
        **{f"inception_{block}_output": HIGHER for block in ("3a", "3b", "4a", "4c", "4e", "5b")},
    },
    "inceptionv1": {
        "conv2d0": FIRST,
        "conv2d1": FIRST,
        "conv2d2": HIGHER,
        **{f"mixed{block}": HIGHER for block in ("3a", "3b", "4a", "4c", "4e", "5b")},
    },
}


def make_films(
    network: str,
    out: str | Path = "films",
    *,
    layers: Sequence[str] | None = None,
    components: int = 16,
    photographs: int = 1_000,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
) -> list[Path]:
    """Find the tuning dimensions of a network's layers in photographs, draw them and read them.

    Parameters
    ----------
    network : {"googlenet_bvlc", "inceptionv1"}
    out : path
        Folder of the records.
    layers : sequence of str, optional
        Some of the network's in `LAYERS`; None takes all.
    components : int
        Dimensions per layer.
    photographs : int
    seed : int
    device : str
    progress : bool

    Returns
    -------
    list of pathlib.Path
        `NETWORK-LAYER-METHOD.zarr.zip` for each film and, with both first layers, `NETWORK-table2.zarr.zip`.

    Raises
    ------
    FileNotFoundError
        If the folder named by `TUNEWIDGETS_DATA` holds no such weights or photographs.
    ValueError
        If the network has no such layer.
    """
    # Imported here, since the command's help should not wait for torch.
    from tunewidgets.kernels.gabor.film_checklist import film_checklist
    from tunewidgets.kernels.network.probe import Probe
    from tunewidgets.kernels.tuning.activations import sample_activations
    from tunewidgets.zoo.registry import load
    from tunewidgets.zoo.sources import images as image_source

    plans = LAYERS[network]
    unknown = [layer for layer in layers or () if layer not in plans]
    if unknown:
        raise ValueError(f"{network} has no layer {unknown[0]!r} here; choose among {', '.join(plans)}")
    model = load(network)
    seen = image_source("imagenet-sample", n=photographs, seed=seed)
    made: dict[str, list[Path]] = {}
    for layer in layers or plans:
        plan = plans[layer]
        files = {method: Path(out) / f"{network}-{layer}-{method}.zarr.zip" for method in plan.methods}
        made[layer] = list(files.values())
        missing = [method for method, file in files.items() if not file.exists()]
        if not missing:
            continue
        probe = Probe(model, layer, device=device)
        activations = sample_activations(probe, seen, n=plan.vectors, seed=seed, progress=progress)
        finished = [open_record(file) for file in files.values() if file.exists()]
        null: Any = finished[0] if finished else plan.axes
        for method in missing:
            null = _film(
                probe, activations, seen, plan, method, components, seed=seed, null=null, progress=progress
            )
            save_record(null, files[method])
    written = [file for files in made.values() for file in files]
    first = list(plans)[: len(TABLE_2)]
    if set(first) <= set(made):
        films: dict[str, Any] = {
            name: [open_record(file) for file in made[layer]]
            for name, layer in zip(TABLE_2, first, strict=True)
        }
        table = film_checklist(films, seed=seed)
        written.append(save_record(table, Path(out) / f"{network}-table2.zarr.zip"))
    return written


def _film(
    probe: Any,
    activations: xr.DataArray,
    seen: Any,
    plan: FilmPlan,
    method: str,
    components: int,
    *,
    seed: int,
    null: Any,
    progress: bool,
) -> xr.Dataset:
    """One film with patches and readout. PCA and ICA span one subspace, so the second takes over the first's null."""
    from tunewidgets.kernels.gabor.film_readout import read_film
    from tunewidgets.kernels.tuning.dimensions import TuningDimensions
    from tunewidgets.kernels.tuning.film_patches import add_patches
    from tunewidgets.kernels.tuning.films import render_film

    dimensions = TuningDimensions(method, n_components=components, random_state=seed).fit(activations)
    film = render_film(
        probe,
        dimensions,
        plan.points,
        size=plan.side,
        steps=plan.steps,
        seed=seed,
        progress=progress,
    )
    film = add_patches(film, probe, activations, seen, progress=progress)
    return read_film(film, probe, activations, null, plan.axis_points, seed=seed, progress=progress)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tunewidgets.makers.films",
        description="Write films of a network's tuning dimensions, read and with patches, and Table 2's checklist. "
        "The photographs, and googlenet_bvlc's weights, lie in the folder named by TUNEWIDGETS_DATA. Run again after "
        "a stop, it goes on.",
    )
    parser.add_argument("network", choices=LAYERS)
    parser.add_argument("--layers", nargs="+", help="some of its layers (default all)")
    parser.add_argument("--out", default="films", help="folder of the records (default films)")
    parser.add_argument("--components", type=int, default=16, help="dimensions per layer (default 16)")
    parser.add_argument("--photographs", type=int, default=1_000, help="how many to use (default 1000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    chosen = vars(parser.parse_args(arguments))
    return run("make_films", lambda: sizes(*make_films(**chosen, progress=True)))


if __name__ == "__main__":
    raise SystemExit(main())
