"""The folder of what the package neither contains nor may download: photographs, and other people's weights.

In: the environment variable `TUNEWIDGETS_DATA`. Out: the folder that it names.
"""

import os
from pathlib import Path


def data_folder() -> Path | None:
    """The folder, which need not exist; None where the variable is not set."""
    named = os.environ.get("TUNEWIDGETS_DATA")
    return Path(named).expanduser() if named else None
