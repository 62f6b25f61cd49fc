"""The widget that shows a record of a given kind.

In: a record or its path. Out: the widget for its kind.
"""

import os

import xarray as xr

from ..records import RecordError, kind_of, open_record
from .base import Widget


def widget_of(record: xr.Dataset | xr.DataTree | str | os.PathLike[str]) -> Widget:
    """The widget that shows a record of this kind.

    Raises
    ------
    RecordError
        If it is no valid record, or one of a kind that no widget shows.
    """
    opened = open_record(record) if isinstance(record, (str, os.PathLike)) else record
    kind = kind_of(opened)
    if kind == "film":
        from .tuning_explorer import TuningExplorer

        return TuningExplorer(opened)
    if kind == "units":
        from .unit_scatter import UnitScatter

        return UnitScatter(opened)
    if kind == "recovery":
        from .recovery_checklist import RecoveryChecklist

        return RecoveryChecklist(opened)
    raise RecordError(
        f"no widget shows a record of kind {kind!r}; films, unit records and recovery records have one"
    )
