"""Make a record that comes with the package: `python -m tunewidgets.makers.example googlenet_4a`.

In: a network's weights and images, most of them in the folder that `TUNEWIDGETS_DATA` names. Out: a film, or unit
records of some layers, in one `.zarr.zip` without photographs. What is finished is kept in a work folder, of units
every layer, from which a stopped run resumes.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from tunewidgets.records import open_record, save_record
from tunewidgets.zoo.command import run, sizes
from tunewidgets.zoo.examples import EXAMPLES

LARGEST = 4 * 10**6  # bytes; the package stays small
QUALITY = 85


@dataclass(frozen=True)
class FilmRecipe:
    """A layer's film: how many vectors of how many photographs, points, pixels and steps."""

    layer: str
    network: str = "googlenet_bvlc"
    source: str = "imagenet-sample"
    components: int = 16
    vectors: int = 40_000
    points: int = 9
    side: int = 112
    steps: int = 64
    quality: int | None = QUALITY


@dataclass(frozen=True)
class UnitsRecipe:
    """Layers' units: on how many images of which side they are measured; pixels and steps of what is made for them."""

    network: str
    layers: tuple[str, ...] | None
    source: str
    images: int | None
    side: int | None
    size: int | str
    steps: int
    restarts: int = 1
    ablation: bool = True
    quality: int | None = QUALITY


@dataclass(frozen=True)
class RecoveryRecipe:
    """What each method finds in how many Gabor banks, that look at dead leaves; films of one bank beside it."""

    methods: tuple[str, ...] = ("pca", "ica", "nmf", "lle")
    components: tuple[int, ...] = (3, 6)
    banks: int = 5
    images: int = 100
    vectors: int = 10_000
    side: int = 40
    steps: int = 64
    quality: int | None = QUALITY


Recipe = FilmRecipe | UnitsRecipe | RecoveryRecipe
RECIPES: dict[str, Recipe] = {
    "googlenet_4a": FilmRecipe("inception_4a_output", points=11, steps=96),
    "googlenet_conv2": FilmRecipe("relu_conv2"),
    "googlenet_3b": FilmRecipe("inception_3b_output"),
    "googlenet_4c": FilmRecipe("inception_4c_output"),
    "googlenet_4e": FilmRecipe("inception_4e_output"),
    "resnet20_units": UnitsRecipe(
        "cifar_resnet20", ("layer1", "layer2", "layer3"), "cifar10", 2_000, None, "auto", 128
    ),
    "gabor_recovery": RecoveryRecipe(),
    "shallow_cnn": UnitsRecipe("shallow_cnn", None, "cifar10", 250, None, "auto", 64, quality=None),
}


def make_example(
    name: str,
    out: str | Path | None = None,
    work: str | Path | None = None,
    *,
    images: int | None = None,
    steps: int | None = None,
    restarts: int | None = None,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
) -> Path:
    """Analyze a network and write its record.

    Parameters
    ----------
    name : str
        One of `RECIPES`.
    out : path, optional
        None: where `tunewidgets.zoo.example` looks for it.
    work : path, optional
        A `.zarr` folder for what is finished, with images to the last bit; None: `runs/NAME-example.zarr`.
    images, steps, restarts : int, optional
        In place of the recipe's: how many images to use, drawn by `seed`; optimization steps; images per unit and
        objective.
    seed, device
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
    if name not in RECIPES:
        raise ValueError(f"there is no example called {name!r}; there is {', '.join(RECIPES)}")
    recipe = RECIPES[name]
    common: dict[str, Any] = {"seed": seed, "device": device, "progress": progress}
    store = Path(work) if work is not None else Path("runs") / f"{name}-example.zarr"
    record: xr.Dataset | xr.DataTree
    if isinstance(recipe, UnitsRecipe):
        record = _units(recipe, images, steps or recipe.steps, restarts or recipe.restarts, store, **common)
    elif store.exists():
        record = open_record(store)
    else:
        if isinstance(recipe, FilmRecipe):
            record = _film(recipe, images, steps or recipe.steps, **common)
        else:
            record = _recovery(recipe, images or recipe.images, steps or recipe.steps, seed, progress)
        save_record(record, store)
    target = EXAMPLES[name] if out is None else Path(out)
    written = save_record(record, target, recipe.quality)
    size = written.stat().st_size
    if size > LARGEST:
        written.unlink()
        raise ValueError(
            f"the record takes {size / 1e6:.1f} MB, more than {LARGEST / 1e6:.0f}; leave something out"
        )
    return written


def _film(
    recipe: FilmRecipe, images: int | None, steps: int, *, seed: int, device: str, progress: bool
) -> xr.Dataset:
    # Imported here, since the command's help should not wait for torch.
    from tunewidgets.kernels.network.probe import Probe
    from tunewidgets.kernels.tuning.activations import sample_activations
    from tunewidgets.kernels.tuning.dimensions import TuningDimensions
    from tunewidgets.kernels.tuning.films import render_film
    from tunewidgets.zoo.registry import load
    from tunewidgets.zoo.sources import images as image_source

    probe = Probe(load(recipe.network), recipe.layer, device=device)
    seen = image_source(recipe.source, n=images, seed=seed)
    activations = sample_activations(probe, seen, n=recipe.vectors, seed=seed, progress=progress)
    dimensions = TuningDimensions("ica", recipe.components, random_state=seed).fit(activations)
    return render_film(
        probe, dimensions, recipe.points, size=recipe.side, steps=steps, seed=seed, progress=progress
    )


def _recovery(recipe: RecoveryRecipe, images: int, steps: int, seed: int, progress: bool) -> xr.DataTree:
    from tunewidgets.kernels.gabor.recovery import gabor_recovery
    from tunewidgets.zoo.sources import images as image_source

    return gabor_recovery(
        methods=recipe.methods,
        n_components=recipe.components,
        seeds=range(seed, seed + recipe.banks),
        images=image_source("dead-leaves", n=images, seed=seed),
        n=recipe.vectors,
        films=True,
        random_directions=0,
        film_options={"size": recipe.side, "steps": steps},
        progress=progress,
    )


def _units(
    recipe: UnitsRecipe, images: int | None, steps: int, restarts: int, store: Path, **common: Any
) -> xr.DataTree:
    from tunewidgets.kernels.single_units.units import analyze_units
    from tunewidgets.zoo.registry import load
    from tunewidgets.zoo.sources import images as image_source

    return analyze_units(
        load(recipe.network),
        image_source(recipe.source, n=images or recipe.images, size=recipe.side, seed=common["seed"]),
        layers=recipe.layers,
        size=recipe.size,
        steps=steps,
        restarts=restarts,
        ablation=recipe.ablation,
        store=store,
        **common,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tunewidgets.makers.example",
        description="Make the record that tunewidgets.zoo.example opens. Run again after a stop, units go on.",
    )
    parser.add_argument("name", choices=sorted(RECIPES))
    parser.add_argument("--out", help="the .zarr.zip to write (default: its place in the package)")
    parser.add_argument("--work", help="folder for what is finished (default runs/NAME-example.zarr)")
    parser.add_argument("--images", type=int, help="how many of the images to use (default: the recipe's)")
    parser.add_argument("--steps", type=int, help="optimization steps (default: the recipe's)")
    parser.add_argument("--restarts", type=int, help="images per unit and objective (default: the recipe's)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    chosen = vars(parser.parse_args(arguments))
    return run("make_example", lambda: sizes(make_example(**chosen, progress=True)))


if __name__ == "__main__":
    raise SystemExit(main())
