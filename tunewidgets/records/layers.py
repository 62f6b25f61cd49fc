"""Unit records by layer: those that a tree holds, checked, by their layers' true names.

In: a unit record, or a tree of them. Out: a dict from layer to record. Public through `tunewidgets.records`.
"""

import xarray as xr

from tunewidgets._checks import a_type

from .validation import MARK, RecordError, check_flags, schema_of


def layers_of(units: xr.Dataset | xr.DataTree) -> dict[str, xr.Dataset]:
    """The unit records that `units` holds, by layer, in their order.

    Raises
    ------
    RecordError
        If one of them is not a unit record or has flags that are no longer bool, if two are of the same layer, or if
        there is none.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> list(layers_of(tw.zoo.example("shallow_cnn")))
    ['relu1', 'relu2', 'relu3', 'relu4', 'relu5']
    """
    if not isinstance(units, xr.Dataset | xr.DataTree):
        raise RecordError(
            f"{a_type(units)} is no unit record; give a Dataset or DataTree, as analyze_units or open_record "
            "gives them"
        )
    nodes = (
        {node.path: node.to_dataset() for node in units.subtree}
        if isinstance(units, xr.DataTree)
        else {"": units}
    )
    found: dict[str, xr.Dataset] = {}
    where: dict[str, str] = {}
    for path, record in nodes.items():
        if MARK not in record.attrs and isinstance(units, xr.DataTree):
            continue
        if (kind := schema_of(record.attrs)[0]) != "units":
            raise RecordError(
                f"this is not a unit record but a {kind} record; analyze_units makes unit records"
            )
        layer = str(record.attrs.get("layer", ""))
        if layer in found:
            raise RecordError(
                f"two records of this tree are of layer {layer!r}, {where[layer]} and {path}; give those of one "
                "network at a time"
            )
        check_flags(record)
        found[layer], where[layer] = record, path
    if not found:
        raise RecordError("there is no unit record in this tree; analyze_units makes one per layer")
    return found
