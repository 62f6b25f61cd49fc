"""A recovery record as a table of text, with the paper's own marks beside ours.

In: a recovery record. Out: text for a terminal. Imports no torch.
"""

import numpy as np
import xarray as xr

from tunewidgets.derived.recovery_marks import paper_mark
from tunewidgets.records import settings_of

WIDTH = 9
PAPER_MARKS = {True: "+", False: "-", None: ""}


def checklist(report: xr.Dataset | xr.DataTree) -> str:
    """For each bank and readout a table of attributes by method: the share of bank seeds that recover them, in the
    subspace and on the axis; for a single seed, its p-values; and the paper's mark. Below, the share that recovers all
    three.
    """
    data = report.to_dataset(inherit=False) if isinstance(report, xr.DataTree) else report
    tables = [
        _table(data.sel({"bank": bank, "readout": readout}), str(bank), str(readout))
        for bank in data["bank"].values
        for readout in data["readout"].values
        if (data["n_seeds"].sel({"bank": bank, "readout": readout}) > 0).any()
    ]
    level = settings_of(data)["alpha"]
    legend = (
        f"recovered: share of bank seeds with p <= {level:g} against permuted filters, and a smooth curve; on axis:\n"
        "share that also beats arbitrary axes of the same subspace; paper: judged by eye (+ yes, - no); all three:\n"
        "share that recovers frequency, angle and phase with Holm's correction for three claims at once."
    )
    return "\n\n".join([*tables, legend])


def _table(data: xr.Dataset, bank: str, readout: str) -> str:
    seeds = int(data["n_seeds"].max())
    columns = [(str(m), int(k)) for m in data["decomposition"].values for k in data["n_components"].values]
    by = "R² of loadings" if data["statistic"].item() == "r2" else "sweep"
    lines = [
        f"{bank} bank, by {'activations' if readout == 'activation' else 'pictures'}, {by}, "
        f"{seeds} bank seed{'s' * (seeds > 1)}",
        " " * 22 + "".join(f"{f'{method}-{k}':>{WIDTH}}" for method, k in columns),
    ]
    for number, attribute in enumerate(map(str, data["attribute"].values)):
        rows = {
            "recovered": [f"{_at(data['share'], attribute, *column):.2f}" for column in columns],
            "on axis": [f"{_at(data['share_on_axis'], attribute, *column):.2f}" for column in columns],
        }
        if seeds == 1:
            rows["p"] = [f"{_smallest(data['p'], attribute, *column):.3f}" for column in columns]
        rows["paper"] = [PAPER_MARKS[paper_mark(number, *column)] for column in columns]
        for place, (name, cells) in enumerate(rows.items()):
            head = attribute if place == 0 else ""
            lines.append(_line(head, name, cells))
    if "share_all" in data:
        shares = [data["share_all"].sel({"decomposition": m, "n_components": k}).item() for m, k in columns]
        lines.append(_line("all three", "Holm", [f"{share:.2f}" for share in shares]))
    return "\n".join(lines)


def _line(head: str, name: str, cells: list[str]) -> str:
    return f"{head:<12}{name:<10}" + "".join(f"{_known(cell):>{WIDTH}}" for cell in cells)


def _at(values: xr.DataArray, attribute: str, method: str, k: int) -> float:
    return float(values.sel({"attribute": attribute, "decomposition": method, "n_components": k}))


def _smallest(values: xr.DataArray, attribute: str, method: str, k: int) -> float:
    # One seed is finished, or several with films of one.
    own = values.sel({"attribute": attribute, "decomposition": method, "n_components": k}).values
    return float(np.nanmin(own)) if np.isfinite(own).any() else float("nan")


def _known(cell: str) -> str:
    return "·" if cell == "nan" else cell
