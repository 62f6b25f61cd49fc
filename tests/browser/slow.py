"""Browser tests: a network that takes its time, so that there is a middle of a computation to do something in, and that
can fail; and what a reader sees when it does.
"""

from browser.lab import WAIT, Notebook
from playwright.sync_api import Locator, expect

SLOWLY = """
import time
class Slowly:
    broken, pause = False, 0.0
    def forward(self, x):
        time.sleep(self.pause)
        if self.broken:
            raise RuntimeError("the lights went out")
        return super().forward(x)
"""
"""To inherit from, before a network's own class."""
GONE = "kernel not connected: showing what the record holds"
KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"


def expect_said_and_try_again(notebook: Notebook, root: Locator) -> None:
    """What the broken network of class `Slow` raised is said, its traceback folded; once mended, the view goes on."""
    trouble = root.locator(".tw-trouble")
    expect(trouble.locator("p")).to_have_text("RuntimeError: the lights went out", timeout=WAIT)
    expect(root.locator(".tw-growth")).to_have_count(0)
    trouble.locator("summary").click()
    expect(trouble.locator("pre")).to_contain_text("Traceback")
    notebook.python("Slow.broken = False")
    root.get_by_role("button", name="Try again").click()
    expect(trouble).to_have_count(0)
