"""The demo as a page: a film, a network's units and a recovery checklist in one HTML file.

In: the demo's folder and a path. Out: records in the folder, made unless they are there, and the page.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tunewidgets import __version__
from tunewidgets._checks import local_path
from tunewidgets.cli.demo import (
    RECORD,
    DemoRecipe,
    checked_folder,
    is_made,
    make_film,
    save_made,
    units_record,
)

RECOVERY = "gabor_recovery.zarr"
MOST_MB = 4.0

WELCOME = """
# Look inside a vision network

Three views of what the units and the directions of a layer respond to. Everything on this page works without a network
connection: move the sliders, click the points, open the cells.

## Tuning dimensions of a Gabor bank

The activity of 28 Gabor filters that looked at photographs and synthetic scenes varies along a few directions. Each row
is one. **Before you move a slider, guess:** what will turn, the angle, the frequency or the phase? Then
[let the first one run](#explorer.dimension=0&explorer.playing=true).
"""
UNITS = """
## Single units of a small network

Each point is a unit of a network trained on CIFAR-10. To the right: it prefers one class. Further up: more of its
layer's units respond more strongly than it does to the very image made for it. **Guess:** which would the network miss
least? Click one, then [color the points by accuracy drop](#scatter.color=accuracy_drop), or look at [images in their
place](#scatter.images=true). Two to begin with: the unit of {layer} that is [most
selective](#scatter.layer={layer}&scatter.unit={selective}), and the one that the network [would miss
most](#scatter.layer={layer}&scatter.unit={missed}).
"""
CHECKLIST = """
## Does the method find what is there?

For Gabor filters we know frequency, angle and phase. A mark says that a method's dimensions sweep an attribute farther
than they would if the filters carried one another's labels. Open a cell, such as [angle by three dimensions of
ICA](#checklist.opened=angle/ica-3), look at its film, and judge before you look at the mark.
"""


@dataclass(frozen=True)
class RecoveryRecipe:
    """What decides the demo's recovery record: banks for shares, and films small enough for a page under 4 MB."""

    methods: tuple[str, ...] = ("pca", "ica", "nmf", "lle")
    n_components: tuple[int, ...] = (3, 6)
    seeds: int = 3
    n_images: int = 60
    samples: int = 10_000
    size: int = 32
    steps: int = 48

    def as_settings(self) -> dict[str, Any]:
        """The recipe as the record's settings keep it, with the version of tunewidgets."""
        plain = {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }
        return {**plain, "tunewidgets": __version__}


def write_demo_page(
    folder: Path, page: Path, recipe: DemoRecipe | None = None, recovery: RecoveryRecipe | None = None
) -> None:
    """Make the demo's records in `folder` unless they are there, and write them as one page.

    Parameters
    ----------
    folder : Path
        Where the records go.
    page : Path
        The HTML file.
    recipe : DemoRecipe, optional
        What the film is made of; the demo's own by default.
    recovery : RecoveryRecipe, optional
        What the recovery record is made of; the demo's own by default.

    Raises
    ------
    OSError
        If `folder` is a file, or the page's folder is missing.
    """
    page = local_path(page, "--html").resolve()
    if not page.parent.is_dir():
        raise FileNotFoundError(
            f"there is no folder {page.parent}; make it first, or give --html another path"
        )
    folder = checked_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    make_film(folder / RECORD, recipe or DemoRecipe())
    recovery = recovery or RecoveryRecipe()
    if not is_made(folder / RECOVERY, recovery.as_settings()):
        _judge_banks(folder / RECOVERY, recovery)
    import tunewidgets as tw

    written = tw.export_html(
        [
            WELCOME,
            tw.TuningExplorer(folder / RECORD),
            UNITS.format(**_telling_units()),
            tw.UnitScatter(units_record()),
            CHECKLIST,
            tw.RecoveryChecklist(folder / RECOVERY),
        ],
        page,
        title="tunewidgets: a look inside vision networks",
        max_mb=MOST_MB,
    )
    print(f"Wrote {written}. Open it in a browser.")


def _telling_units() -> dict[str, str | int]:
    """The unit whose loss costs the most accuracy, its layer, and that layer's most selective unit."""
    import tunewidgets as tw

    layers = tw.zoo.example("shallow_cnn").children
    layer = max(layers, key=lambda name: float(layers[name]["accuracy_drop"].max()))
    units = layers[layer].to_dataset()
    selective, missed = (
        int(np.nanargmax(units[measure].values)) for measure in ("selectivity", "accuracy_drop")
    )
    return {"layer": layer, "selective": selective, "missed": missed}


def _judge_banks(path: Path, recipe: RecoveryRecipe) -> None:
    import tunewidgets as tw

    print(f"Judging which attributes of {recipe.seeds} Gabor banks each method finds …", flush=True)
    report = tw.gabor_recovery(
        methods=recipe.methods,
        n_components=recipe.n_components,
        seeds=range(recipe.seeds),
        images=tw.zoo.images("dead-leaves", n=recipe.n_images),
        n=recipe.samples,
        films=True,
        random_directions=0,
        film_options={"size": recipe.size, "steps": recipe.steps},
    )
    save_made(report, path, recipe.as_settings())
