"""The demo: a Gabor bank's tuning dimensions, made on this machine and opened as a tour in JupyterLab.

In: a folder. Out: a film record, the record of a network's units that comes with the package and the notebooks that
show them, and a JupyterLab. A record made by the same recipe is reused instead of made again.
"""

import json
import os
import shutil
import signal
import socket
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tunewidgets import __version__
from tunewidgets._checks import STEPS, local_path

RECORD = "gabor_film.zarr"
UNITS = "units.zarr.zip"
TOUR = "01_tuning_dimensions.ipynb"
NEXT = "02_single_directions.ipynb"


@dataclass(frozen=True)
class DemoRecipe:
    """What decides the demo's film; a film made by another recipe is made again."""

    images: tuple[str, ...] = ("photos", "dead-leaves")
    n_images: int = 120
    samples: int = 20_000
    method: str = "ica"
    components: int = 6
    points: int = 32
    size: int = 64
    steps: int = STEPS
    seed: int = 0

    def as_settings(self) -> dict[str, Any]:
        """The recipe as the record's settings keep it, with the version of tunewidgets."""
        return {**asdict(self), "images": list(self.images), "tunewidgets": __version__}


def run_demo(
    folder: Path, browser: bool = True, port: int | None = None, recipe: DemoRecipe | None = None
) -> None:
    """Make the demo's film in `folder` unless it is there; show the tour in JupyterLab until it is stopped.

    Parameters
    ----------
    folder : Path
        Made if it is missing. What is already there is kept, except that a film made by another recipe is renamed.
    browser : bool
        Whether a browser is opened; without one, JupyterLab prints its address.
    port : int, optional
        JupyterLab's port; by default the first free one from 8888.
    recipe : DemoRecipe, optional
        What the film is made of; the demo's own by default.

    Raises
    ------
    ImportError
        If JupyterLab is not installed.
    OSError
        If `port` is taken or `folder` is a file.
    """
    recipe = recipe or DemoRecipe()
    # Everything that can be wrong is checked before the film is made, which takes a while.
    _check_jupyterlab()
    if port is not None:
        _check_port(port)
    folder = checked_folder(folder)
    shipped = {name: notebook(name) for name in (TOUR, NEXT)} | {UNITS: units_record()}
    folder.mkdir(parents=True, exist_ok=True)
    make_film(folder / RECORD, recipe)
    for name, source in shipped.items():
        lay_out(source, folder / name)
    print(f"{UNITS}, the units of a small network, is there too; {NEXT} is about them.")
    print(f"Opening {folder / TOUR} in JupyterLab; Ctrl-C here stops it.", flush=True)
    _serve(folder, browser, port)
    print(f"\nJupyterLab has stopped. What you made is in {folder}.")


def checked_folder(folder: Path) -> Path:
    """Where records and notebooks go, in full.

    Raises
    ------
    NotADirectoryError
        If it is a file.
    """
    folder = local_path(folder, "--folder").resolve()
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; give --folder a folder, or a name that is not taken")
    return folder


def make_film(path: Path, recipe: DemoRecipe) -> None:
    """Save the recipe's film at `path`, unless a film by the same recipe is there."""
    if not is_made(path, recipe.as_settings()):
        _compute_film(path, recipe)


def is_made(path: Path, recipe: dict[str, Any]) -> bool:
    """Whether a record by this recipe is at `path`; a different one is renamed, since it may hold a reader's work."""
    from tunewidgets.records import RecordError, open_record, settings_of

    if not path.exists():
        return False
    try:
        if settings_of(open_record(path)).get("recipe") == recipe:
            print(f"{path.name} is there already, made by the same recipe.")
            return True
        why = "made by another recipe"
    except RecordError as error:
        why = str(error)
    aside = _set_aside(path)
    print(f"The earlier {path.name} is kept as {aside.name}: {why}.")
    return False


def save_made(record: Any, path: Path, recipe: dict[str, Any]) -> None:
    """Save a record with the recipe by which `is_made` recognizes it."""
    from tunewidgets.records import save_record, settings_of

    kept = record.copy()
    kept.attrs["settings"] = json.dumps({**settings_of(record), "recipe": recipe}, ensure_ascii=False)
    save_record(kept, path)


def _compute_film(path: Path, recipe: DemoRecipe) -> None:
    print("Loading PyTorch …", flush=True)
    import tunewidgets as tw

    bank = tw.zoo.gabor_bank(seed=recipe.seed)
    probe = tw.Probe(bank, "relu")
    images = tw.zoo.images(list(recipe.images), n=recipe.n_images, seed=recipe.seed)
    print(f"Showing {recipe.n_images} images to {probe.units} Gabor filters …", flush=True)
    activations = tw.sample_activations(probe, images, n=recipe.samples, seed=recipe.seed)
    print(f"Finding {recipe.components} tuning dimensions by {recipe.method.upper()} …", flush=True)
    dimensions = tw.TuningDimensions(recipe.method, recipe.components, random_state=recipe.seed).fit(
        activations
    )
    print(f"Drawing {recipe.points} images along each …", flush=True)
    film = tw.render_film(
        probe,
        dimensions,
        points=recipe.points,
        size=recipe.size,
        steps=recipe.steps,
        seed=recipe.seed,
        progress=True,
    )
    save_made(film, path, recipe.as_settings())


def _set_aside(path: Path) -> Path:
    """Rename an earlier record, in which a reader may have saved labels."""
    stem = path.name.removesuffix(".zarr")
    number = 1
    while (aside := path.with_name(f"{stem}-earlier-{number}.zarr")).exists():
        number += 1
    return path.rename(aside)


def notebook(name: str) -> Path:
    """The path of a notebook: in the package if a wheel was installed, beside it in a checkout.

    Raises
    ------
    FileNotFoundError
        If it is in neither.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"the notebook {name} is missing from {package}; install tunewidgets again")


def units_record() -> Path:
    """The record of units that comes with the package.

    Raises
    ------
    FileNotFoundError
        If it is missing.
    """
    from tunewidgets.zoo.examples import EXAMPLES

    path = EXAMPLES["shallow_cnn"]
    if not path.is_file():
        raise FileNotFoundError(
            f"the record {path.name} is missing from {path.parent}; install tunewidgets again"
        )
    return path


def lay_out(source: Path, copy: Path) -> None:
    """Copy what is shipped to `copy`; a file already there is the reader's, edited or run, and stays."""
    if not copy.exists():
        shutil.copyfile(source, copy)
    elif copy.is_dir() or copy.read_bytes() != source.read_bytes():
        print(f"Your {copy.name} is kept as you left it; delete it to start from a fresh one.")


def _check_jupyterlab() -> None:
    if find_spec("jupyterlab") is None:
        raise ImportError(
            "the demo opens a notebook in JupyterLab, which is not installed; "
            "`pip install 'tunewidgets[demo]'` brings it"
        )


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        # As servers do, so that one that was just stopped is not in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise OSError(
                f"port {port} is taken or not allowed; give another --port, or none for the first free one"
            ) from None


def _serve(folder: Path, browser: bool, port: int | None) -> None:
    from jupyterlab.labapp import LabApp

    options = [
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{TOUR}",
        f"--ServerApp.open_browser={browser}",
        "--ServerApp.log_level=WARN",
        # The demo makes no network requests.
        "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
        "--LabApp.news_url=",
        "--LabApp.extension_manager=readonly",
    ]
    if port is not None:
        options += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")  # in a container there is often no other user
    os.chdir(folder)
    server = LabApp.initialize_server(argv=options)
    if not server.identity_provider.token_generated:
        # JupyterLab itself prints its address only with a token that it made for this run.
        print(f"JupyterLab is at {server.display_url}", flush=True)
    # Ctrl-C stops it at once and cleanly, like being terminated; by itself it would ask a question on the terminal.
    signal.signal(signal.SIGINT, signal.getsignal(signal.SIGTERM))
    server.start()
