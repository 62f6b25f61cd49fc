"""The command line: `tunewidgets demo`, `units`, `tuning`, `gabor`, `view`, `info`, `layers` and `check`.

In: arguments. Out: files, text on the terminal, and an exit status: 0 done, 1 failed, 2 wrong arguments. Each command
imports what it needs when it runs, so help appears at once.
"""

import argparse
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from tunewidgets.cli.arguments import UsageError, images_from, labeled_from, model_from
from tunewidgets.cli.parsers import command_line
from tunewidgets.zoo.command import STOPPED, interruptions, write_any_sign


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
    write_any_sign()
    parser = command_line()
    try:
        args = parser.parse_args(argv)
    except SystemExit as stop:  # argparse has said what is wrong, or shown the help that was asked for
        return int(stop.code or 0)
    if args.command is None:
        parser.print_help(sys.stderr)
        return 2
    with interruptions() as interrupted:
        return _run(args, interrupted.is_set)


def _run(args: argparse.Namespace, interrupted: Callable[[], bool]) -> int:
    try:
        COMMANDS[args.command](args)
    except KeyboardInterrupt:
        print(STOPPED, file=sys.stderr)
        return 1
    except Exception as error:
        if interrupted():
            print(STOPPED, file=sys.stderr)
            return 1
        if args.debug:
            traceback.print_exc()
        else:
            print(f"tunewidgets {args.command}: {_sentence(error)}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, ValueError | TypeError | OSError | ImportError | MemoryError) and text:
        return text
    return f"{type(error).__name__}: {text or 'no more is known'} (--debug shows where)"


def _demo(args: argparse.Namespace) -> None:
    from tunewidgets.cli.demo import PAGE, checked_folder, run_demo, write_demo_page

    if args.html is not None:
        write_demo_page(args.html)
    elif args.page:
        folder = checked_folder(args.folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_demo_page(folder / PAGE, browser=not args.no_browser)
    else:
        run_demo(args.folder, browser=not args.no_browser, port=args.port)


def _units(args: argparse.Namespace) -> None:
    _check_out(args.out)
    unknown = sorted({*args.objectives} - {"am", "iam"})
    if unknown:
        raise UsageError(f"--objectives: there is no objective {unknown[0]!r}; give am, iam or both")
    model = model_from(args.model, args.weights)
    from tunewidgets.zoo.carried import only_size

    own = only_size(model)
    size = args.image_size or (224 if own is None else min(own))
    data = labeled_from(args.data, n=args.n_images, size=size, seed=args.seed)
    import tunewidgets as tw

    tree = tw.analyze_units(
        model, data, args.layers, args.objectives, ablation=not args.no_ablation, restarts=args.restarts,
        steps=args.steps, seed=args.seed, store=args.out, progress=True,
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

    probe = tw.Probe(model, args.layer)
    activations = tw.sample_activations(probe, images, n=args.samples, seed=args.seed, progress=True)
    dimensions = tw.TuningDimensions(args.method, args.components, random_state=args.seed).fit(activations)
    film = tw.render_film(
        probe, dimensions, points=args.points, steps=args.steps, seed=args.seed, progress=True, store=args.out
    )
    count = film.sizes["dimension"]
    print(
        f'Wrote {args.out}: {count} dimensions; open it in a notebook with tw.TuningExplorer("{args.out}").'
    )


def _gabor(args: argparse.Namespace) -> None:
    _check_out(args.out)
    images = images_from(args.images or "dead-leaves", n=args.n_images, size=args.image_size, seed=0)
    import tunewidgets as tw
    from tunewidgets.cli.checklist import checklist

    tree = tw.gabor_recovery(
        n_components=args.components, seeds=range(args.seeds), images=images, n=args.samples, films=args.films,
        store=args.out, pool=args.pool, pooling=args.pooling, normalize=args.normalize, progress=True,
    )  # fmt: skip
    print(checklist(tree))
    print(f'Wrote {args.out}; open it with tw.open_record("{args.out}").')


def _view(args: argparse.Namespace) -> None:
    from tunewidgets.export import export_html, page_path
    from tunewidgets.widgets.of_record import widget_of

    page_path(args.html, "--html")
    widget = widget_of(args.record)
    title = args.title or Path(args.record).name
    print(export_html([f"# {title}", widget], args.html, title=title, theme=args.theme, max_mb=args.max_mb))


def _info(args: argparse.Namespace) -> None:
    from tunewidgets.cli.summary import summary
    from tunewidgets.records import open_record
    from tunewidgets.records.files import is_url

    text = args.record
    unfinished = Path(f"{text}.unfinished")
    if not is_url(text) and not Path(text).expanduser().exists() and unfinished.expanduser().exists():
        print(
            f"A study that was begun and has nothing to show yet; its work so far is in {unfinished}, and "
            "running the same study again goes on with it."
        )
        return
    print(summary(open_record(text)))


def _layers(args: argparse.Namespace) -> None:
    model = model_from(args.model, args.weights, untrained=True)
    import tunewidgets as tw

    side = args.input_size
    print(tw.layers(model) if side is None else tw.layers(model, (3, side, side)))


def _check(args: argparse.Namespace) -> None:
    import tunewidgets as tw

    try:
        report = tw.check(args.device, progress=True)
    except ValueError as error:
        raise UsageError(f"--device: {error}") from None
    if not report.passed:
        print(report.table)
        raise ValueError(report.verdict)
    print(report)


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "demo": _demo,
    "units": _units,
    "tuning": _tuning,
    "gabor": _gabor,
    "view": _view,
    "info": _info,
    "layers": _layers,
    "check": _check,
}
