"""What a user types, turned into models, images and numbers.

In: the text of a command's MODEL or SOURCE, or of an option. Out: a model, an image source, names or a number. Imports
only what is named.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any


class UsageError(ValueError):
    """An argument that makes no sense; the command line exits with status 2."""


def model_from(text: str, weights: str | None, untrained: bool = False) -> Any:
    """The model that MODEL names: `module:function` (called without arguments), or a name in the zoo.

    With `untrained`, a network of the zoo has random weights unless some are named, so nothing is downloaded.
    """
    if "://" in text:
        raise UsageError(f"MODEL: {text} is a URL; download what is there, and write module:function")
    if ":" in text and not text.startswith("timm:"):
        if weights is not None:
            raise UsageError(f"--weights is for networks of the zoo; let {text} load its own")
        return _call(text, "MODEL")
    from tunewidgets import zoo

    # The bank's filters are computed: it alone has no weights to choose.
    random = weights == "none" or (weights is None and untrained and text != "gabor_bank")
    options = {"weights": None} if random else {} if weights is None else {"weights": weights}
    try:
        return zoo.load(text, **options)
    except TypeError:
        if weights is None:
            raise
        raise UsageError(f"--weights: {text} takes none; leave it out") from None
    except (ValueError, FileNotFoundError) as error:
        if weights is not None:
            raise UsageError(f"--weights: {error}") from None
        if isinstance(error, FileNotFoundError):
            raise
        raise UsageError(f"MODEL: {error} Or write module:function for a model of your own.") from None


def images_from(text: str, n: int | None, size: int, seed: int) -> Any:
    """The images that SOURCE names: a folder, `module:function`, or comma-separated zoo sources."""
    if "://" in text:
        raise UsageError(f"SOURCE: {text} is a URL; download what is there, and give its folder")
    if not text.strip():
        raise UsageError("SOURCE is empty; give a folder, module:function or the name of zoo images")
    if Path(text).expanduser().is_dir():
        source: Any = Path(text).expanduser()
    elif ":" in text:
        source = _call(text, "SOURCE")
    elif os.sep in text:
        raise UsageError(f"SOURCE: there is no folder {text}; give one that exists")
    else:
        names = [name.strip() for name in text.split(",")]
        if "" in names:
            raise UsageError(f"SOURCE: {text!r} has an empty name; give names with commas between them")
        # A mixture has no labels, which a single source may have.
        source = names if len(names) > 1 else names[0]
    from tunewidgets import zoo

    return zoo.images(source, n=n, size=size, seed=seed)


def labeled_from(text: str, n: int | None, size: int, seed: int) -> Any:
    """The images that SOURCE names, which must have labels."""
    source = images_from(text, n, size, seed)
    if not source.has_labels:
        raise UsageError(
            f"SOURCE: {text} has no labels; give a folder with a sub-folder for each class, cifar10, digits, or a "
            "module:function whose images have labels"
        )
    return source


def names_from(text: str) -> list[str]:
    """Comma-separated names."""
    names = [name.strip() for name in text.split(",")]
    if "" in names:
        raise argparse.ArgumentTypeError(f"{text!r} has an empty name; give names with commas between them")
    return names


def positive(text: str) -> int:
    """A whole number, 1 or more."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not positive; give 1 or more")
    return value


def port(text: str) -> int:
    """A port's number."""
    value = int(text)
    if not 1 <= value <= 65_535:
        raise argparse.ArgumentTypeError(f"{value} is no port; give 1 to 65535")
    return value


def _call(text: str, what: str) -> Any:
    module_name, _, function_name = text.partition(":")
    if not module_name:
        raise UsageError(f"{what}: {text!r} names no module; write module:function")
    if not all(part.isidentifier() for part in module_name.split(".")):
        stem = Path(module_name.strip()).stem
        name = stem if stem.isidentifier() else "mymodels"
        raise UsageError(
            f"{what}: {module_name!r} is no name of a module; write module:function, such as "
            f"{name}:{function_name if function_name.isidentifier() else 'small_cnn'}, in the folder of {name}.py"
        )
    # As with `python -m`, modules in the working folder can be named.
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
    # A model can be called too, with images; only a function or a class makes one.
    if hasattr(function, "named_modules") and not isinstance(function, type):
        raise UsageError(
            f"{what}: {text} is a model and no function; name a function without arguments that gives it, such as "
            f"def {function_name}_model(): return {function_name}"
        )
    if lacking := _lacking(function):
        raise UsageError(
            f"{what}: {text} can't be called without arguments ({lacking}); name a function that can"
        )
    return function()


def _lacking(function: Callable[..., Any]) -> str:
    """Why a function can't be called without arguments; empty where it can, or doesn't say."""
    try:
        signature(function).bind()
    except TypeError as error:
        return str(error)
    except ValueError:
        return ""
    return ""
