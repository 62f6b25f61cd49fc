"""Recovery marks of whole columns: does a method recover frequency, angle and phase of one bank together?

In: a recovery record, and what is looked at of it. Out: one cell per column. The page does the same in
js/src/recovery-checklist/report.ts. Imports no torch.
"""

import numpy as np
import xarray as xr

from .recovery_marks import Cell, RecoveryLook, cells_of, passes, smooth_from

__all__ = ["ALL_THREE", "all_three_of"]

ALL_THREE = "all three"


def all_three_of(report: xr.Dataset, look: RecoveryLook) -> list[Cell]:
    """One cell for each method and number of components: are all attributes recovered at once, on how many bank seeds?

    Three claims made at once need Holm's p-values: `p` is the largest of the three, and there is no mark on the axis.
    A record of films makes no such claim, so its list is empty.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> report = tw.open_record("recovery.zarr").to_dataset()  # doctest: +SKIP
    >>> all_three_of(report, look_at(report))[0].recovering  # doctest: +SKIP
    3
    """
    if look.films:
        return []
    cells = cells_of(report, look)
    columns = len(cells) // report.sizes["attribute"]
    shown = report.sel(bank=look.bank, readout=look.readout)
    order = ("attribute", "seed", "decomposition", "n_components")
    holm, smoothness = (shown[name].transpose(*order).values for name in ("p_holm", "smoothness"))
    # NaN where one of them has no p, since then nothing can be said of all three.
    found = passes(holm, smoothness, look.alpha, smooth_from(report)).min(axis=0)
    over_seeds = found.reshape(-1, columns)
    here = report["seed"].values.tolist().index(look.seed)
    largest = holm.max(axis=0).reshape(-1, columns)[here]
    return [
        Cell(
            ALL_THREE,
            cells[column].method,
            cells[column].n_components,
            None if np.isnan(over_seeds[here, column]) else bool(over_seeds[here, column]),
            None,
            p=None if np.isnan(largest[column]) else float(largest[column]),
            p_rotation=None,
            sweep=None,
            smoothness=None,
            recovering=int(np.nansum(over_seeds[:, column])),
            seeds=int((~np.isnan(over_seeds[:, column])).sum()),
            paper=_of_all([cell.paper for cell in cells[column::columns]]),
            reason=next((cell.reason for cell in cells[column::columns] if cell.reason), ""),
            verdict="",
            note="",
        )
        for column in range(columns)
    ]


def _of_all(marks: list[bool | None]) -> bool | None:
    return None if None in marks else all(marks)
