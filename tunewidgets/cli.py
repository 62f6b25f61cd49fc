"""The command line: `tunewidgets demo`, `units`, `tuning`, `gabor`, `view` and `info`.

In: arguments. Out: files, words on the terminal, and an exit status: 0 done, 1 failed, 2 wrong arguments.
What a command needs is imported when it runs, so help comes at once.
"""

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from tunewidgets import __version__
from tunewidgets._arguments import (
    UsageError,
    add_shared,
    images_from,
    labelled_from,
    model_from,
    names_from,
    port,
    positive,
)

MODEL = (
    "a network of the zoo (gabor_bank, resnet18, googlenet_bvlc, …; tw.zoo.load lists them), timm:NAME for one of "
    "timm's, or module:function for one of your own"
)
SOURCE = "images: a folder, zoo sources such as photos or photos,dead-leaves, or module:function"
DATA = (
    "labelled images: a folder with a sub-folder for each class, cifar10, digits, or module:function for images "
    "with labels of your own"
)

DEBUG = "show the traceback of an error"

# As text, because argparse's own class takes a parameter only in type checkers.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.

    Returns
    -------
    int
        0 done, 1 failed, 2 wrong arguments.

    Examples
    --------
    >>> from tunewidgets.cli import main
    >>> main(["--version"])
    tunewidgets 0.1.0
    0
    """
    parser = _parser()
    try:
        args = parser.parse_args(argv)
    except SystemExit as stop:  # argparse has said what is wrong, or shown the help that was asked for
        return int(stop.code or 0)
    if "run" not in args:
        parser.print_help(sys.stderr)
        return 2
    try:
        args.run(args)
    except KeyboardInterrupt:
        print("\nStopped before it was done; what was saved earlier is as it was.", file=sys.stderr)
        return 1
    except Exception as error:
        if args.debug:
            traceback.print_exc()
        else:
            print(f"tunewidgets {args.command}: {_sentence(error)}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, ValueError | TypeError | OSError | ImportError) and text:
        return text
    return f"{type(error).__name__}: {text or 'no more is known'} (--debug shows where)"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tunewidgets",
        description="Look inside a vision network: what do the directions of a layer mean?",
        epilog="Start with `tunewidgets demo`. `tunewidgets COMMAND --help` explains each command.",
    )
    parser.add_argument("--debug", action="store_true", help=DEBUG)
    parser.add_argument("--version", action="version", version=f"tunewidgets {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for add in (_add_demo, _add_units, _add_tuning, _add_gabor, _add_view, _add_info):
        command = add(commands)
        command.formatter_class = argparse.RawDescriptionHelpFormatter
        # Suppressed, so that a --debug before the command's name is not taken back here.
        command.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=DEBUG)
    return parser


def _add_demo(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "demo",
        help="a guided tour in JupyterLab; about a minute, nothing to download",
        description=(
            "Finds the tuning dimensions of a bank of Gabor filters that looks at photographs and at\n"
            "synthetic scenes, draws an image for each point along them, and opens a notebook in JupyterLab\n"
            "in which a slider moves you along. All of it happens on this machine. Run again, it opens what\n"
            "it made."
        ),
    )
    option = parser.add_argument
    option(
        "--folder", type=Path, default=Path("tunewidgets-demo"), metavar="FOLDER",
        help="where the record and the notebook go (default: ./tunewidgets-demo)",
    )  # fmt: skip
    option(
        "--html",
        type=Path,
        metavar="FILE",
        help="write one page for any browser instead of opening JupyterLab",
    )
    option("--no-browser", action="store_true", help="open no browser; JupyterLab prints its address")
    option("--port", type=port, metavar="N", help="JupyterLab's port (default: a free one from 8888 on)")
    parser.set_defaults(run=_demo)
    return parser


def _add_units(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "units",
        help="measure every unit of a network's layers and draw the images that drive it",
        description=(
            "Shows labelled images to a classifier and tells of every unit how selective it is for a class,\n"
            "draws the images that drive it and counts who else in the layer answers to them, and measures\n"
            "what the network loses without it. Writes one unit record a layer, a chunk of units at a time: run\n"
            "again with the same arguments, it goes on where it stopped. Open it with tw.open_record."
        ),
        epilog="example:\n  tunewidgets units shallow_cnn --layers relu1,relu3 --data cifar10 --out units.zarr",
    )
    parser.add_argument("model", metavar="MODEL", help=MODEL)
    needed = parser.add_argument_group("needed").add_argument
    needed("--data", required=True, metavar="SOURCE", help=DATA)
    add_shared(needed, "--out")
    option = parser.add_argument
    option(
        "--layers", type=names_from, metavar="A,B", help="the layers' dotted names (default: all activations)"
    )
    add_shared(option, "--weights")
    option(
        "--objectives", type=names_from, default=["am", "iam"], metavar="A,B",
        help="how images are made: am, iam or both (default: am,iam)",
    )  # fmt: skip
    add_shared(option, "--steps")
    option(
        "--restarts", type=positive, default=1, metavar="R", help="images a unit and objective (default: 1)"
    )
    option("--no-ablation", action="store_true", help="leave out what the network loses without a unit")
    add_shared(option, "--n-images")
    option("--image-size", type=positive, metavar="PX", help="their side (default: what the model takes)")
    add_shared(option, "--seed")
    parser.set_defaults(run=_units)
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
    add_shared(needed, "--out")
    option = parser.add_argument
    add_shared(option, "--weights")
    option("--method", default="ica", choices=("pca", "ica", "nmf", "lle"), help="default: ica")
    option("--components", type=positive, default=16, metavar="K", help="how many dimensions (default: 16)")
    option("--points", type=positive, default=32, metavar="P", help="images a dimension (default: 32)")
    add_shared(option, "--steps")
    add_shared(option, "--n-images", "--image-size")
    option(
        "--samples", type=positive, default=100_000, metavar="N",
        help="activation vectors to collect, each at one position of an image (default: 100000)",
    )  # fmt: skip
    add_shared(option, "--seed")
    parser.set_defaults(run=_tuning)
    return parser


def _add_gabor(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "gabor",
        help="which method finds what is there, on filters whose tuning is known",
        description=(
            "Lets PCA, ICA, NMF and LLE find the tuning dimensions of banks of Gabor filters, and checks\n"
            "against null distributions which of them recover the filters' frequency, angle and phase.\n"
            "Prints the table and writes a recovery record. Run again, it goes on where it stopped, and with\n"
            "more seeds it adds them. About 8 seconds a seed."
        ),
        epilog="example:\n  tunewidgets gabor --out recovery.zarr --seeds 20",
    )
    option = parser.add_argument
    add_shared(option, "--out")
    option("--seeds", type=positive, default=1, metavar="N", help="how many banks of each kind (default: 1)")
    option("--images", metavar="SOURCE", help=f"{SOURCE} (default: 400 synthetic scenes)")
    add_shared(option, "--n-images", "--image-size")
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
    parser.set_defaults(run=_gabor)
    return parser


def _add_view(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "view",
        help="a saved record as a page that opens in any browser",
        description=(
            "Writes the widget that shows a record as one HTML file: no kernel, no network, all its images\n"
            "inside. Sliders, clicks and labels work; what one does there stays in the page."
        ),
        epilog="example:\n  tunewidgets view film.zarr --html film.html --max-mb 3",
    )
    parser.add_argument("record", metavar="RECORD", type=Path, help="a .zarr folder or a .zarr.zip file")
    parser.add_argument("--html", required=True, type=Path, metavar="FILE", help="where to write the page")
    option = parser.add_argument
    option("--title", metavar="TEXT", help="the page's title (default: the record's file name)")
    option("--theme", choices=("auto", "light", "dark"), default="auto", help="default: the reader's own")
    option("--max-mb", type=float, metavar="MB", help="lower the images' quality until the page fits")
    parser.set_defaults(run=_view)
    return parser


def _add_info(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "info",
        help="say what a record is and how it was made",
        description="Says what a saved record holds, whether it is whole, and how it was made.",
        epilog="example:\n  tunewidgets info film.zarr",
    )
    parser.add_argument("record", metavar="RECORD", help="a .zarr folder, a .zarr.zip file or a URL")
    parser.set_defaults(run=_info)
    return parser


def _demo(args: argparse.Namespace) -> None:
    if args.html is not None:
        from tunewidgets.demo_page import write_demo_page

        write_demo_page(args.folder, args.html)
        return
    from tunewidgets.demo import run_demo

    run_demo(args.folder, browser=not args.no_browser, port=args.port)


def _units(args: argparse.Namespace) -> None:
    _check_out(args.out)
    unknown = sorted({*args.objectives} - {"am", "iam"})
    if unknown:
        raise UsageError(f"--objectives: there is no objective {unknown[0]!r}; give am, iam or both")
    model = model_from(args.model, args.weights)
    own = getattr(model, "input_size", None)
    size = args.image_size or (own if isinstance(own, int) else 224)
    data = labelled_from(args.data, n=args.n_images, size=size, seed=args.seed)
    import tunewidgets as tw

    tree = tw.analyze_units(
        model, data, args.layers, args.objectives, ablation=not args.no_ablation, restarts=args.restarts,
        steps=args.steps, seed=args.seed, store=args.out, progress=sys.stderr.isatty(),
    )  # fmt: skip
    units = sum(layer.sizes["unit"] for layer in tree.children.values())
    print(
        f'Wrote {args.out}: {units} units of {", ".join(tree.children)}; open it with tw.open_record("{args.out}").'
    )


def _check_out(out: str) -> None:
    if not out.endswith((".zarr", ".zarr.zip")):
        raise UsageError(f"--out is {out!r}; end it in .zarr for a folder, or in .zarr.zip for one file")


def _tuning(args: argparse.Namespace) -> None:
    _check_out(args.out)
    if Path(args.out).exists() and not Path(f"{args.out}.unfinished").exists():
        raise UsageError(f"--out: {args.out} exists already; move it away or choose another name")
    model = model_from(args.model, args.weights)
    images = images_from(args.images, n=args.n_images, size=args.image_size, seed=args.seed)
    import tunewidgets as tw

    bar = sys.stderr.isatty()
    probe = tw.Probe(model, args.layer)
    activations = tw.sample_activations(probe, images, n=args.samples, seed=args.seed, progress=bar)
    dimensions = tw.TuningDimensions(args.method, args.components, random_state=args.seed).fit(activations)
    film = tw.render_film(
        probe, dimensions, points=args.points, steps=args.steps, seed=args.seed, progress=bar, store=args.out
    )
    count = film.sizes["dimension"]
    print(
        f'Wrote {args.out}: {count} dimensions; open it in a notebook with tw.TuningExplorer("{args.out}").'
    )


def _gabor(args: argparse.Namespace) -> None:
    _check_out(args.out)
    images = images_from(args.images or "dead-leaves", n=args.n_images, size=args.image_size, seed=0)
    import tunewidgets as tw
    from tunewidgets._checklist import checklist

    tree = tw.gabor_recovery(
        n_components=args.components, seeds=range(args.seeds), images=images, n=args.samples, films=args.films,
        store=args.out, pool=args.pool, pooling=args.pooling, normalize=args.normalize, progress=sys.stderr.isatty(),
    )  # fmt: skip
    print(checklist(tree))
    print(f'Wrote {args.out}; open it with tw.open_record("{args.out}").')


def _view(args: argparse.Namespace) -> None:
    from tunewidgets.export import export_html
    from tunewidgets.widgets.of_record import widget_of

    widget = widget_of(args.record)
    title = args.title or args.record.name
    print(export_html([f"# {title}", widget], args.html, title=title, theme=args.theme, max_mb=args.max_mb))


def _info(args: argparse.Namespace) -> None:
    from tunewidgets._record_files import is_url
    from tunewidgets._summary import summary
    from tunewidgets.records import open_record

    text = args.record
    unfinished = Path(f"{text}.unfinished")
    if not is_url(text) and not Path(text).expanduser().exists() and unfinished.expanduser().exists():
        print(
            f"A study that was begun and has nothing to show yet; what it has is in {unfinished}, and the same study "
            "run again goes on with it."
        )
        return
    print(summary(open_record(text)))
