"""The command line's parsers: each command's name, its options, and what its help says.

In: nothing. Out: a parser. What the commands do is in `commands`; what their arguments mean, in `arguments`.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from tunewidgets import __version__
from tunewidgets._checks import DECOMPOSITIONS, STEPS
from tunewidgets.cli.arguments import names_from, port, positive

MODEL = (
    "a network of the zoo (gabor_bank, resnet18, googlenet_bvlc, …; tw.zoo.load lists them), timm:NAME for one of "
    "timm's, or module:function for one of your own"
)
SOURCE = "images: a folder, zoo sources such as photos or photos,dead-leaves, or module:function"
DATA = (
    "labeled images: a folder with a sub-folder for each class, cifar10, digits, or module:function for images "
    "with labels of your own"
)

DEBUG = "show the traceback of an error"

# As text, because argparse's own class takes a parameter only in type checkers.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

SHARED: dict[str, dict[str, Any]] = {
    "--out": {
        "required": True,
        "metavar": "PATH",
        "help": "where to write: a .zarr folder or a .zarr.zip file",
    },
    "--weights": {
        "metavar": "W",
        "help": "for a network of the zoo: a file, a name such as IMAGENET1K_V1, or none for random ones (default: its "
        "own, downloaded once where it must be)",
    },
    "--steps": {
        "type": positive,
        "default": STEPS,
        "metavar": "S",
        "help": f"optimization steps (default: {STEPS})",
    },
    "--n-images": {"type": positive, "metavar": "N", "help": "look at N images (default: all there are)"},
    "--image-size": {"type": positive, "default": 224, "metavar": "PX", "help": "their side (default: 224)"},
    "--seed": {"type": int, "default": 0, "metavar": "N", "help": "decides everything random (default: 0)"},
}


def command_line() -> argparse.ArgumentParser:
    """The parser of the whole command line; what it gives names its `command`, None where there is none."""
    parser = argparse.ArgumentParser(
        prog="tunewidgets",
        description="Look inside a vision network: what do the directions of a layer mean?",
        epilog="Start with `tunewidgets demo`. `tunewidgets COMMAND --help` explains each command.",
    )
    parser.add_argument("--debug", action="store_true", help=DEBUG)
    parser.add_argument("--version", action="version", version=f"tunewidgets {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for add in (
        _add_demo,
        _add_units,
        _add_tuning,
        _add_gabor,
        _add_view,
        _add_info,
        _add_layers,
        _add_check,
    ):
        command = add(commands)
        command.formatter_class = argparse.RawDescriptionHelpFormatter
        # Suppressed, so that a --debug before the command's name is not taken back here.
        command.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=DEBUG)
    return parser


def _add_demo(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "demo",
        help="what a layer of GoogLeNet looks for, in JupyterLab or as a page; nothing to download",
        description=(
            "Opens a notebook in JupyterLab in which the image that a layer of GoogLeNet looks for changes\n"
            "under a slider; then its units, a method that is put to the test, and a network of your own. What\n"
            "it shows first comes with the package. Run again, it opens what you left."
        ),
    )
    option = parser.add_argument
    option(
        "--folder", type=Path, default=Path("tunewidgets-demo"), metavar="FOLDER",
        help="where the notebooks go (default: ./tunewidgets-demo)",
    )  # fmt: skip
    option(
        "--page",
        action="store_true",
        help="open the same story as a page in the browser, without Jupyter",
    )
    option("--html", type=Path, metavar="FILE", help="only write that page, to this file")
    option("--no-browser", action="store_true", help="open no browser; JupyterLab prints its address")
    option("--port", type=port, metavar="N", help="JupyterLab's port (default: a free one from 8888 on)")
    return parser


def _add_units(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "units",
        help="measure every unit of a network's layers and draw the images that drive it",
        description=(
            "Shows labeled images to a classifier, measures how selective every unit is for a class,\n"
            "draws the images that drive it and counts who else in the layer responds to them, and measures\n"
            "what the network loses without it. Writes one unit record per layer, a chunk of units at a time: run\n"
            "again with the same arguments, it goes on where it stopped. Open it with tw.open_record."
        ),
        epilog="example:\n  tunewidgets units shallow_cnn --layers relu1,relu3 --data cifar10 --out units.zarr",
    )
    parser.add_argument("model", metavar="MODEL", help=MODEL)
    needed = parser.add_argument_group("needed").add_argument
    needed("--data", required=True, metavar="SOURCE", help=DATA)
    _add_shared(needed, "--out")
    option = parser.add_argument
    option(
        "--layers",
        type=names_from,
        metavar="A,B",
        help="the layers' dotted names (default: all activation modules)",
    )
    _add_shared(option, "--weights")
    option(
        "--objectives", type=names_from, default=["am", "iam"], metavar="A,B",
        help="how images are made: am, iam or both (default: am,iam)",
    )  # fmt: skip
    _add_shared(option, "--steps")
    option(
        "--restarts", type=positive, default=1, metavar="R", help="images per unit and objective (default: 1)"
    )
    option("--no-ablation", action="store_true", help="leave out what the network loses without a unit")
    _add_shared(option, "--n-images")
    option("--image-size", type=positive, metavar="PX", help="their side (default: the model's own, or 224)")
    _add_shared(option, "--seed")
    return parser


def _add_tuning(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "tuning",
        help="find a layer's tuning dimensions and draw the images along them",
        description=(
            "Shows images to a model, finds the directions along which a layer's activations vary, and\n"
            "draws an image for each point along each of them. Writes a film record, as its images are made: run\n"
            "again with the same arguments, it goes on where it stopped. Open it in a notebook with\n"
            'tw.TuningExplorer("film.zarr").'
        ),
        epilog=(
            "example:\n"
            "  tunewidgets tuning mymodels:small_cnn --layer features.3 --images photos/ --out film.zarr"
        ),
    )
    parser.add_argument("model", metavar="MODEL", help=MODEL)
    needed = parser.add_argument_group("needed").add_argument
    needed("--layer", required=True, metavar="NAME", help="the layer's dotted name, such as layer2.0.conv1")
    needed("--images", required=True, metavar="SOURCE", help=SOURCE)
    _add_shared(needed, "--out")
    option = parser.add_argument
    _add_shared(option, "--weights")
    option("--method", default="ica", choices=DECOMPOSITIONS, help="default: ica")
    option("--components", type=positive, default=16, metavar="K", help="how many dimensions (default: 16)")
    option("--points", type=positive, default=32, metavar="P", help="images per dimension (default: 32)")
    _add_shared(option, "--steps")
    _add_shared(option, "--n-images", "--image-size")
    option(
        "--samples", type=positive, default=100_000, metavar="N",
        help="activation vectors to collect, each at one position of an image (default: 100000)",
    )  # fmt: skip
    _add_shared(option, "--seed")
    return parser


def _add_gabor(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "gabor",
        help="which method finds what is there, on filters whose tuning is known",
        description=(
            "Lets PCA, ICA, NMF and LLE find the tuning dimensions of banks of Gabor filters, and checks\n"
            "against null distributions which of them recover the filters' frequency, angle and phase.\n"
            "Prints the table and writes a recovery record. Run again, it goes on where it stopped, and with\n"
            "more seeds it adds them. About 8 seconds per seed."
        ),
        epilog="example:\n  tunewidgets gabor --out recovery.zarr --seeds 20",
    )
    option = parser.add_argument
    _add_shared(option, "--out")
    option("--seeds", type=positive, default=1, metavar="N", help="how many banks of each kind (default: 1)")
    option("--images", metavar="SOURCE", help=f"{SOURCE} (default: 400 synthetic scenes)")
    _add_shared(option, "--n-images", "--image-size")
    option(
        "--samples", type=positive, default=20_000, metavar="N",
        help="activation vectors to collect (default: 20000)",
    )  # fmt: skip
    option(
        "--pool", type=positive, default=1, metavar="N",
        help="pool N × N neighboring positions, N odd (default: 1)",
    )  # fmt: skip
    option(
        "--pooling", choices=("mean", "rms"), default="mean",
        help="their mean, or their root mean square (default: mean)",
    )  # fmt: skip
    option(
        "--normalize", action="store_true",
        help="divide each vector by its contrast; with --pool 5 --pooling rms --components 8, PCA often finds all",
    )  # fmt: skip
    option(
        "--components", type=positive, nargs="+", default=[3, 6], metavar="K",
        help="how many dimensions each method looks for (default: 3 6)",
    )  # fmt: skip
    option("--films", action="store_true", help="draw the first seed's films too, and judge their pictures")
    return parser


def _add_view(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "view",
        help="a saved record as a page that opens in any browser",
        description=(
            "Writes the widget that shows a record as one HTML file: no kernel, no network, all its images\n"
            "inside. Sliders, clicks and labels work; what a reader does there stays in the page."
        ),
        epilog="example:\n  tunewidgets view film.zarr --html film.html --max-mb 3",
    )
    parser.add_argument("record", metavar="RECORD", help="a .zarr folder, a .zarr.zip file or a URL")
    parser.add_argument("--html", required=True, type=Path, metavar="FILE", help="where to write the page")
    option = parser.add_argument
    option("--title", metavar="TEXT", help="the page's title (default: the record's file name)")
    option("--theme", choices=("auto", "light", "dark"), default="auto", help="default: the reader's own")
    option("--max-mb", type=float, metavar="MB", help="lower the images' quality until the page fits")
    return parser


def _add_info(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "info",
        help="say what a record is and how it was made",
        description="Says what a saved record holds, whether it is whole, and how it was made.",
        epilog="example:\n  tunewidgets info film.zarr",
    )
    parser.add_argument("record", metavar="RECORD", help="a .zarr folder, a .zarr.zip file or a URL")
    return parser


def _add_layers(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "layers",
        help="a network's layers: their names, units, maps, and what each sees of the image",
        description=(
            "Prints the table of a network's layers, in the order in which they run. The names are those that\n"
            "--layers, --layer and tw.Probe take; a star marks the layers that `tunewidgets units` looks at when\n"
            "none is named. Weights make no difference here, so those of the zoo's networks are not downloaded."
        ),
        epilog="example:\n  tunewidgets layers resnet18 --input-size 64",
    )
    parser.add_argument("model", metavar="MODEL", help=MODEL)
    option = parser.add_argument
    option(
        "--input-size",
        type=positive,
        metavar="N",
        help="the side of the image that is sent through, pixels (default: the model's own, or 224)",
    )
    option("--weights", metavar="W", help=f"{SHARED['--weights']['help'].partition(' (')[0]} (default: none)")
    return parser


def _add_check(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "check",
        help="does this machine or GPU compute what it should, and how fast; within a minute",
        description=(
            "Measures a network with random weights on a device and makes images with it: compares the results\n"
            "with the CPU's, makes the same images twice, and times the engine against a bare pass of the network.\n"
            "Prints a table and what it amounts to; leaves with 1 if a result is not what it should be. Nothing is\n"
            "downloaded."
        ),
        epilog="example:\n  tunewidgets check --device cuda",
    )
    parser.add_argument(
        "--device", default="auto", metavar="D",
        help="auto, cpu, cuda, cuda:1 or mps (default: auto, a GPU if there is one)",
    )  # fmt: skip
    return parser


def _add_shared(add: Callable[..., Any], *names: str) -> None:
    """Give a command some of the options that commands share."""
    for name in names:
        add(name, **SHARED[name])
