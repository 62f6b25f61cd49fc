"""Jupyter widgets for looking inside vision networks.

Kernels make records; views show records. This module only names what is public: each name is imported
from its room the first time it is asked for, so `import tunewidgets` stays light and a saved record opens
and shows where no torch is installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what an editor completes; the names that Python itself sees are in _HOMES
    from tunewidgets import figures, records, zoo
    from tunewidgets.derived import statistics
    from tunewidgets.derived.trials import merge_answers
    from tunewidgets.export import export_html
    from tunewidgets.kernels.canvas.jitter import Jitter
    from tunewidgets.kernels.device_check.check import check
    from tunewidgets.kernels.dissection.concepts import concepts
    from tunewidgets.kernels.gabor.film_checklist import film_checklist
    from tunewidgets.kernels.gabor.film_readout import read_film
    from tunewidgets.kernels.gabor.recovery import gabor_recovery
    from tunewidgets.kernels.network.layers import layers
    from tunewidgets.kernels.network.probe import Probe
    from tunewidgets.kernels.network_graph.record import network_record
    from tunewidgets.kernels.optimization.directions import Direction
    from tunewidgets.kernels.optimization.objectives import AM, IAM, Neuron
    from tunewidgets.kernels.optimization.visualize import visualize
    from tunewidgets.kernels.readability.score import readability
    from tunewidgets.kernels.readability.trials import add_trials
    from tunewidgets.kernels.single_units.ablation import ablation
    from tunewidgets.kernels.single_units.exemplars import exemplars
    from tunewidgets.kernels.single_units.selectivity import class_selectivity
    from tunewidgets.kernels.single_units.substitution import representative_substitution
    from tunewidgets.kernels.single_units.units import analyze_units
    from tunewidgets.kernels.tuning.activations import sample_activations
    from tunewidgets.kernels.tuning.dimensions import TuningDimensions
    from tunewidgets.kernels.tuning.effects import add_effects
    from tunewidgets.kernels.tuning.film_patches import add_patches
    from tunewidgets.kernels.tuning.films import render_film
    from tunewidgets.kernels.tuning.sparse import SparseAutoencoder
    from tunewidgets.kernels.tuning.stability import add_stability
    from tunewidgets.records import open_record, save_record
    from tunewidgets.widgets.reader_test import ReaderTest
    from tunewidgets.widgets.recovery_checklist import RecoveryChecklist
    from tunewidgets.widgets.tuning_explorer import TuningExplorer
    from tunewidgets.widgets.unit_scatter import UnitScatter

__version__ = "0.1.0"

# public name -> the module that defines it
_HOMES = {
    "Probe": "kernels.network.probe",
    "layers": "kernels.network.layers",
    "network_record": "kernels.network_graph.record",
    "AM": "kernels.optimization.objectives",
    "IAM": "kernels.optimization.objectives",
    "Neuron": "kernels.optimization.objectives",
    "Direction": "kernels.optimization.directions",
    "Jitter": "kernels.canvas.jitter",
    "visualize": "kernels.optimization.visualize",
    "analyze_units": "kernels.single_units.units",
    "class_selectivity": "kernels.single_units.selectivity",
    "representative_substitution": "kernels.single_units.substitution",
    "ablation": "kernels.single_units.ablation",
    "exemplars": "kernels.single_units.exemplars",
    "sample_activations": "kernels.tuning.activations",
    "TuningDimensions": "kernels.tuning.dimensions",
    "SparseAutoencoder": "kernels.tuning.sparse",
    "render_film": "kernels.tuning.films",
    "add_patches": "kernels.tuning.film_patches",
    "add_stability": "kernels.tuning.stability",
    "add_effects": "kernels.tuning.effects",
    "film_checklist": "kernels.gabor.film_checklist",
    "read_film": "kernels.gabor.film_readout",
    "gabor_recovery": "kernels.gabor.recovery",
    "add_trials": "kernels.readability.trials",
    "readability": "kernels.readability.score",
    "merge_answers": "derived.trials",
    "concepts": "kernels.dissection.concepts",
    "check": "kernels.device_check.check",
    "export_html": "export",
    "open_record": "records",
    "save_record": "records",
    "ReaderTest": "widgets.reader_test",
    "RecoveryChecklist": "widgets.recovery_checklist",
    "TuningExplorer": "widgets.tuning_explorer",
    "UnitScatter": "widgets.unit_scatter",
}
# public name of a room -> the module that it is
_ROOMS = {"figures": "figures", "records": "records", "statistics": "derived.statistics", "zoo": "zoo"}

__all__ = [
    "AM",
    "IAM",
    "Direction",
    "Jitter",
    "Neuron",
    "Probe",
    "ReaderTest",
    "RecoveryChecklist",
    "SparseAutoencoder",
    "TuningDimensions",
    "TuningExplorer",
    "UnitScatter",
    "__version__",
    "ablation",
    "add_effects",
    "add_patches",
    "add_stability",
    "add_trials",
    "analyze_units",
    "check",
    "class_selectivity",
    "concepts",
    "exemplars",
    "export_html",
    "figures",
    "film_checklist",
    "gabor_recovery",
    "layers",
    "merge_answers",
    "network_record",
    "open_record",
    "read_film",
    "readability",
    "records",
    "render_film",
    "representative_substitution",
    "sample_activations",
    "save_record",
    "statistics",
    "visualize",
    "zoo",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"{__name__}.{_ROOMS[name]}")
    if name in _HOMES:
        value = _from_home(f"{__name__}.{_HOMES[name]}", name)
        globals()[name] = value
        return value
    raise AttributeError(_unknown(name))


def _from_home(home: str, name: str) -> Any:
    try:
        return getattr(import_module(home), name)
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "torchvision", "lucent"):
            raise
        raise ModuleNotFoundError(
            f"{name} needs PyTorch, and {error.name} is not installed here; without it, saved records open and show",
            name=error.name,
        ) from error


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    by_lower_case = {public.lower(): public for public in __all__}
    near = [by_lower_case[match] for match in get_close_matches(name.lower(), by_lower_case, cutoff=0.5)]
    if near:
        return f"module {__name__!r} has no attribute {name!r}; did you mean {' or '.join(near)}?"
    return f"module {__name__!r} has no attribute {name!r}; its public names are {', '.join(__all__)}"


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
