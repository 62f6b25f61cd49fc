"""What a reader types for a model or for images, turned into the thing itself.

In: the text of a command's MODEL or SOURCE. Out: a model, or an image source. Only what is named is imported.
"""

import importlib
import os
import sys
from pathlib import Path
from typing import Any


class UsageError(ValueError):
    """An argument that cannot be meant; the command line leaves with exit status 2."""


def model_from(text: str) -> Any:
    """The model that MODEL names: `module:function` (called without arguments), or a name in the zoo."""
    if ":" in text:
        return _call(text, "MODEL")
    from tunewidgets import zoo

    try:
        return zoo.load(text)
    except ValueError as error:
        raise UsageError(f"MODEL: {error} Or write module:function for a model of your own.") from None


def images_from(text: str, n: int | None, size: int, seed: int) -> Any:
    """The images that SOURCE names: a folder, `module:function`, or zoo sources with commas between them."""
    if Path(text).expanduser().is_dir():
        source: Any = Path(text).expanduser()
    elif ":" in text:
        source = _call(text, "SOURCE")
    elif os.sep in text:
        raise UsageError(f"SOURCE: there is no folder {text}; give one that exists")
    else:
        source = [name.strip() for name in text.split(",")]
    from tunewidgets import zoo

    return zoo.images(source, n=n, size=size, seed=seed)


def _call(text: str, what: str) -> Any:
    module_name, _, function_name = text.partition(":")
    # As with `python -m`: what lies in the folder one works in can be named.
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise UsageError(
                f"{what}: there is no module {error.name!r} here or among the installed packages; "
                "write module:function, such as mymodels:small_cnn for the function small_cnn in mymodels.py"
            ) from None
        raise
    function = getattr(module, function_name, None)
    if not callable(function):
        names = ", ".join(n for n, v in vars(module).items() if callable(v) and not n.startswith("_"))
        raise UsageError(f"{what}: {module_name} has no function {function_name!r}; it has {names or 'none'}")
    return function()
