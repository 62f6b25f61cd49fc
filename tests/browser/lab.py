"""Browser tests: a real JupyterLab, and one notebook in it as a person at the screen has it.

In: a folder of notebooks, Chromium. Out: a running server, and pages whose cells and kernel a test can ask.
"""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from playwright.sync_api import ConsoleMessage, Page

ROOT = Path(__file__).parents[2]
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START = 90
WAIT = 15_000
"""Milliseconds within which the page or the kernel shows what was done."""
GATHERING = 250
TOO_BUSY = "[anywidget] Failed to initialize model."


def eventually(value: Callable[[], object], wanted: object) -> None:
    """Waits until `value()` is `wanted`: what was done in the page takes a moment to reach Python."""
    deadline = time.monotonic() + WAIT / 1000
    while (found := value()) != wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found == wanted


def find_chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


@dataclass
class Server:
    url: str
    token: str
    folder: Path

    def write_notebook(self, name: str, *cells: str) -> str:
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        nbformat.write(notebook, self.folder / name)
        return name


@contextlib.contextmanager
def jupyterlab(folder: Path) -> Iterator[Server]:
    """A JupyterLab that serves `folder`/notebooks and knows nothing of the machine's own Jupyter settings."""
    notebooks = folder / "notebooks"
    notebooks.mkdir(parents=True)
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(
        json.dumps({"fetchNews": "false", "checkForUpdates": False})
    )
    port = free_port()
    token = secrets.token_hex(16)
    env = {
        **os.environ,
        "HOME": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        # The kernel sees the checkout, and the tests' synthetic films.
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]),
    }
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--ServerApp.ip=127.0.0.1",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={notebooks}",
        "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
        "--LabApp.news_url=",
        "--LabApp.extension_manager=readonly",
    ]
    url = f"http://127.0.0.1:{port}"
    with serving(command, f"{url}/api/status?token={token}", folder / "jupyterlab.log", folder, env):
        yield Server(url, token, notebooks)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def serving(
    command: list[str], url: str, log_path: Path, folder: Path, env: Mapping[str, str]
) -> Iterator[None]:
    """A server, from the moment at which `url` answers."""
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=dict(env), stdout=log, stderr=log)
        try:
            _wait_until_up(process, url, log_path)
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_up(process: subprocess.Popen, url: str, log: Path) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(
                f"the server ended with status {process.returncode}:\n{log.read_text()[-3000:]}"
            )
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the server did not answer within {START} s:\n{log.read_text()[-3000:]}")


class Notebook:
    """One open notebook. Keeps what the browser's console complained of in `complaints`."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page = page
        self.server = server
        self.complaints: list[str] = []
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(f"{error}\n{error.stack}"))

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def open(self, name: str) -> None:
        self.page.goto(f"{self.server.url}/lab/tree/{name}?reset&token={self.server.token}")
        self.page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=60_000)
        # A notebook takes a while to have its kernel: until then running cells would ask for one.
        self.page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status"
            " === 'idle'",
            timeout=60_000,
        )
        self._wait_for_splash()
        self.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")

    def open_again(self) -> None:
        """Load the page again, as a person does: once more where the machine was too busy for anywidget.

        anywidget gives a model two seconds from the state it is given, JupyterLab's own start included, and lets no
        message of the kernel through to one that took longer.
        """
        name = self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.path")
        for _ in range(3):
            before = len(self.complaints)
            self.open(name)
            self.page.locator(".tw").first.wait_for(timeout=4 * WAIT)
            self.page.wait_for_timeout(2_500)
            if not any(TOO_BUSY in complaint for complaint in self.complaints[before:]):
                return
            self.complaints[before:] = [c for c in self.complaints[before:] if TOO_BUSY not in c]
        raise AssertionError(
            "anywidget could not begin the page's models in two seconds, three times in a row"
        )

    def run_all(self) -> None:
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")

    def theme(self, name: str) -> None:
        self.page.evaluate(
            "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', {theme})",
            f"JupyterLab {name}",
        )
        self.page.wait_for_function(
            "(light) => document.body.dataset.jpThemeLight === light", arg=str(name == "Light").lower()
        )
        self._wait_for_splash()

    def _wait_for_splash(self) -> None:
        """JupyterLab veils the page while a theme loads, and takes the veil off 200 ms after.

        Asked for another theme meanwhile, it takes off twice what was there once: an error of its own in the console.
        """
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    def python(self, code: str) -> str:
        """Run code in the notebook's kernel, as a cell would; returns what it printed, raises its error."""
        done = self.page.evaluate(
            """async (code) => {
                const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                const running = kernel.requestExecute({ code });
                let text = "";
                running.onIOPub = (message) => {
                    if (message.header.msg_type === "stream") text += message.content.text;
                };
                const reply = await running.done;
                return { text, error: reply.content.evalue ?? "" };
            }""",
            code,
        )
        if done["error"]:
            raise RuntimeError(done["error"])
        return done["text"].strip()

    def set_back(self, code: str, holds: Callable[[int], None]) -> None:
        """Run `code`, which sets traits of `widget`, until the page shows it, as `holds(milliseconds)` expects, and it
        changes nothing more.

        Once is not enough: what the test before did in the page may reach Python later, and the last writer wins.
        """
        state = "widget.get_state(widget.reader_traits())"
        for _ in range(9):
            self.python(code)
            with contextlib.suppress(AssertionError):
                holds(1_500)
                # A page gathers a reader's changes this long, and then sends them.
                self.page.wait_for_timeout(GATHERING)
                if self.python(f"before = {state}; {code}; print(before == {state})") == "True":
                    return
        raise AssertionError(f"the page was not as it was at first: {self.python(f'print({state})')}")
