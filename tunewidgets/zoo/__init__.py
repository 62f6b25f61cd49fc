"""Models and image sources that work out of the box, with no network and no downloads.

Names load lazily: importing the zoo imports no torch.
"""

from typing import TYPE_CHECKING, Any

from .. import _from_home

if TYPE_CHECKING:  # what an editor completes; the names that Python itself sees are in _HOMES
    from .examples import example
    from .gabor import gabor_bank
    from .registry import load
    from .sources import images

# public name -> the module that defines it
_HOMES = {"example": "examples", "gabor_bank": "gabor", "images": "sources", "load": "registry"}

__all__ = ["example", "gabor_bank", "images", "load"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = _from_home(f"{__name__}.{_HOMES[name]}", name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; public names: {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
