"""Jupyter widgets for looking inside vision networks.

Kernels make records; views show records. This module only names what is public: each name is imported
from its room the first time it is asked for, so `import tunewidgets` stays light and a saved record opens
and shows where no torch is installed.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# public name -> the module that defines it
_HOMES = {
    "Probe": "kernels.probe",
    "layers": "kernels.layers",
    "Direction": "kernels.objectives",
    "visualize": "kernels.visualize",
    "sample_activations": "kernels.activations",
    "TuningDimensions": "kernels.dimensions",
    "render_film": "kernels.films",
    "open_record": "records",
    "save_record": "records",
    "TuningExplorer": "widgets.tuning_explorer",
}
_ROOMS = ("figures", "records", "zoo")

__all__ = ["__version__", *sorted(_HOMES), *_ROOMS]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    if name in _HOMES:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; public names: {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
