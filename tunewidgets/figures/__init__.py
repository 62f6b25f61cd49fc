"""Figures: functions from a record to a plotly figure, shared by papers, pages and notebooks.

In: records. Out: `plotly.graph_objects.Figure`. One module per subject: `films`; for units `scatter`, `rs_selectivity`,
`by_layer`, `exceeding`, `unit_images` and `ablation`; `concepts`; `recovery`; `readability`. What they share is in
`style`, `panels` and `own_images`; `files` saves them, using `painting` where there is no browser. Imports no torch.
"""

from .ablation import ablation_curves
from .by_layer import importance_by_layer, rs_selectivity_by_layer
from .concepts import concept_bars, concept_map
from .exceeding import exceeding_units
from .files import save
from .films import film_sheet, film_strip
from .readability import readability_by_layer
from .recovery import recovery_table
from .rs_selectivity import rs_selectivity_panels
from .scatter import unit_scatter, unit_scatter_template
from .unit_images import unit_card, unit_gallery

__all__ = [
    "ablation_curves",
    "concept_bars",
    "concept_map",
    "exceeding_units",
    "film_sheet",
    "film_strip",
    "importance_by_layer",
    "readability_by_layer",
    "recovery_table",
    "rs_selectivity_by_layer",
    "rs_selectivity_panels",
    "save",
    "unit_card",
    "unit_gallery",
    "unit_scatter",
    "unit_scatter_template",
]
