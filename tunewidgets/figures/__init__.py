"""Figures: from a record to a plotly figure, the one builder that papers, pages and notebooks share.

In: records. Out: `plotly.graph_objects.Figure`. A room a subject: `films`; of units `scatter`, `rs_selectivity`,
`by_layer`, `exceeding` and `ablation`; `concepts`; what they share is in `style` and `panels`, and `files` saves them.
Imports no torch.
"""

from .ablation import ablation_curves
from .by_layer import importance_by_layer, rs_selectivity_by_layer
from .concepts import concept_bars, concept_map
from .exceeding import exceeding_units
from .files import save
from .films import film_sheet, film_strip
from .recovery import recovery_table
from .rs_selectivity import rs_selectivity_panels
from .scatter import unit_scatter, unit_scatter_template

__all__ = [
    "ablation_curves",
    "concept_bars",
    "concept_map",
    "exceeding_units",
    "film_sheet",
    "film_strip",
    "importance_by_layer",
    "recovery_table",
    "rs_selectivity_by_layer",
    "rs_selectivity_panels",
    "save",
    "unit_scatter",
    "unit_scatter_template",
]
