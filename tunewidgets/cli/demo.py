"""The demo: what a middle layer of GoogLeNet looks for, on screen before anything is computed.

In: a folder. Out: the story and the course in it, as notebooks, and a JupyterLab that opens the story; or the story as
a page. What is shown comes with the package.
"""

import json
import multiprocessing
import os
import signal
import socket
import tempfile
import webbrowser
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tunewidgets._checks import local_path
from tunewidgets.cli.first_look import STORY, not_run_yet, story_parts, vouch_for, write_story

COURSE = ("01_tuning_dimensions.ipynb", "02_single_directions.ipynb", "03_gabor_recovery.ipynb")
PAGE = "first_look.html"
MOST_MB = 4.0
TITLE = "tunewidgets: what does a network look for?"
# JupyterLab's own: not asking whether it should be built anew spares its server 1.5 s before it gives a notebook.
NO_BUILD_CHECK = {"page_config_data": {"buildAvailable": False, "buildCheck": False}}
# JupyterLab asks about its news when it is first opened; here that would stand before the story.
NO_NEWS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}


def run_demo(folder: Path, browser: bool = True, port: int | None = None) -> None:
    """Lay out the story and the course in `folder`; show the story in JupyterLab until it is stopped.

    Parameters
    ----------
    folder : Path
        Made if it is missing. What is already there is kept.
    browser : bool
        Whether a browser is opened; without one, JupyterLab prints its address.
    port : int, optional
        JupyterLab's port; by default the first free one from 8888.

    Raises
    ------
    ImportError
        If JupyterLab is not installed.
    OSError
        If `port` is taken or `folder` is a file.
    """
    _check_jupyterlab()
    if port is not None:
        _check_port(port)
    folder = checked_folder(folder)
    story, *course = [notebook(name) for name in (STORY, *COURSE)]
    folder.mkdir(parents=True, exist_ok=True)
    for source in course:
        lay_out(source, folder / source.name)
    with tempfile.TemporaryDirectory() as settings:
        _add_defaults(Path(settings))
        with _story_beside(story, folder / STORY):
            server = _server(folder, browser, port)
        print(f"The course goes on with {COURSE[0]}, beside it.")
        print(f"Opening {folder / STORY} in JupyterLab; Ctrl-C here stops it.", flush=True)
        server.start()
    print(f"\nJupyterLab has stopped. What you made is in {folder}.")


def write_demo_page(page: Path, browser: bool = False) -> None:
    """Write the story as one page, and open it if asked to.

    Parameters
    ----------
    page : Path
        The HTML file.
    browser : bool
        Whether a browser opens it.

    Raises
    ------
    OSError
        If the page's folder is missing.
    """
    from tunewidgets.export import export_html, page_path

    page = page_path(page, "--html").resolve()
    written = export_html(story_parts(notebook(STORY)), page, title=TITLE, max_mb=MOST_MB)
    if browser and webbrowser.open(written.path.as_uri()):
        print(f"Wrote {written}, and opened it in the browser.")
    else:
        print(f"Wrote {written}. Open it in a browser.")


def checked_folder(folder: Path) -> Path:
    """Where notebooks and pages go, in full.

    Raises
    ------
    NotADirectoryError
        If it is a file.
    """
    folder = local_path(folder, "--folder").resolve()
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; give --folder a folder, or a name that is not taken")
    return folder


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


def lay_out(source: Path, copy: Path) -> None:
    """Copy what is shipped to `copy`, not run yet; a file already there is the reader's, edited or run, and stays."""
    shipped = json.dumps(not_run_yet(source), ensure_ascii=False, indent=1)
    if not copy.exists():
        copy.write_text(shipped, encoding="utf-8")
    elif copy.is_dir() or copy.read_bytes() != shipped.encode():
        print(f"Your {copy.name} is kept as you left it; delete it to start from a fresh one.")


def _check_jupyterlab() -> None:
    if find_spec("jupyterlab") is None:
        raise ImportError(
            "the demo opens a notebook in JupyterLab, which is not installed; "
            "`pip install 'tunewidgets[demo]'` brings it, and `tunewidgets demo --page` needs none"
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


@contextmanager
def _story_beside(story: Path, copy: Path) -> Iterator[None]:
    """Write the story in a process of its own while JupyterLab is got ready here: both take seconds."""
    if copy.exists():
        print(f"{copy.name} is there already, as you left it; delete it to start from a fresh one.")
        yield
        return
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as beside:
        written = beside.submit(write_story, story, copy)
        yield
        written.result()
    vouch_for(copy)


def _server(folder: Path, browser: bool, port: int | None) -> Any:
    """A JupyterLab that opens the story, ready to be started."""
    # The page asks for it before it shows a notebook; loaded here, while the story is written, nobody waits for it.
    import nbconvert.exporters  # noqa: F401
    from jupyterlab.labapp import LabApp

    options = [
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{STORY}",
        f"--ServerApp.open_browser={browser}",
        f"--ServerApp.tornado_settings={NO_BUILD_CHECK}",
        "--ServerApp.log_level=WARN",
        "--LabApp.log_level=WARN",
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
    return server


def _add_defaults(folder: Path) -> None:
    """Make `NO_NEWS` JupyterLab's defaults while this process runs; its user's own settings override them."""
    (folder / "labconfig").mkdir()
    (folder / "labconfig" / "default_setting_overrides.json").write_text(json.dumps(NO_NEWS))
    earlier = os.environ.get("JUPYTER_CONFIG_PATH")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join([str(folder), *filter(None, [earlier])])
