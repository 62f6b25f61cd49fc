"""Recovery marks: whether each cell of a recovery checklist passes at a level, and what the paper's tables say of it.

In: a recovery record, and which bank, readout, bank seed and level are looked at. Out: cells with two marks, the number
of bank seeds that recover, the paper's mark and the reader's verdict; and how often marks and verdicts agree. Views
and figures all read a checklist here; js/src/recovery-checklist/report.ts does the same in the page. Imports no torch.
"""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from ..records import RecordError, kind_of, open_record, settings_of, validate
from .film_text import method_name

__all__ = [
    "VERDICTS",
    "Cell",
    "RecoveryLook",
    "agreement",
    "cells_of",
    "column_name",
    "is_of_films",
    "level_of",
    "look_at",
    "paper_mark",
    "passes",
    "recovery_record",
    "smooth_from",
]

VERDICTS = ("yes", "no", "unsure")
# Table 1 of "Identifying and interpreting tuning dimensions in deep networks": frequency, angle, phase; the
# same with 3 components and with 6. Judged by eye, on the authors' own bank and ImageNet.
PAPER = {
    "pca": (True, False, True),
    "ica": (True, True, True),
    "nmf": (False, False, False),
    "lle": (False, False, False),
}
PAPER_COUNTS = (3, 6)
# Its Table 2: frequency, angle, phase, green/purple, orange/blue, green/red, blue/red; two layers of InceptionV1, with
# 16 components. Judged by eye too.
PAPER_FILMS = {
    "conv2d0 PCA": (False, True, True, True, True, False, True),
    "conv2d0 ICA": (True,) * 7,
    "conv2d1 PCA": (True, True, True, True, True, False, True),
    "conv2d1 ICA": (True,) * 7,
}
PAPER_FILMS_COUNTS = (16,)
# Records hold float32, and the page's numbers have six decimals: neither may decide whether p reaches the level.
ROUNDING = 1e-6


@dataclass(frozen=True)
class Cell:
    """One cell of the checklist; None where something does not exist, which `reason` explains."""

    attribute: str
    method: str
    n_components: int
    in_subspace: bool | None
    on_axis: bool | None
    p: float | None
    p_rotation: float | None
    sweep: float | None
    smoothness: float | None
    recovering: int
    seeds: int
    paper: bool | None
    reason: str
    verdict: str
    note: str

    @property
    def key(self) -> str:
        """How the widget's traits name the cell: "angle/ica-6"."""
        return f"{self.attribute}/{self.method}-{self.n_components}"


@dataclass(frozen=True)
class RecoveryLook:
    """What is looked at: a bank, a readout, a bank seed and the level of the marks; or films of the network `bank`."""

    bank: str
    readout: str
    seed: int
    alpha: float
    films: bool = False


def recovery_record(report: xr.DataTree | xr.Dataset | str | os.PathLike[str]) -> xr.DataTree:
    """`report`, or the record at that path, checked to be a recovery record.

    Raises
    ------
    RecordError
        If it is not one.
    """
    record = open_record(report) if isinstance(report, (str, os.PathLike)) else report
    validate(record)
    if (kind := kind_of(record)) != "recovery":
        raise RecordError(
            f"a recovery record belongs here, and this is a {kind} record; make one with gabor_recovery"
        )
    return record if isinstance(record, xr.DataTree) else xr.DataTree(record)


def is_of_films(report: xr.Dataset | xr.DataTree) -> bool:
    """Whether it judges films by their pictures (`film_checklist`) instead of a bank by its filters."""
    return settings_of(report).get("subject") == "films"


def level_of(report: xr.Dataset | xr.DataTree) -> float:
    """The level that the record's own marks were made at."""
    return float(settings_of(report).get("alpha", 0.05))


def smooth_from(report: xr.Dataset | xr.DataTree) -> float:
    """The least smoothness η of a dimension that counts as recovering."""
    return float(settings_of(report).get("smoothness", 0.65))


def passes(p: Any, smoothness: Any, alpha: float, smooth: float) -> np.ndarray:
    """1 where p reaches the level on a smooth dimension, 0 where it doesn't, NaN where there is no p."""
    p, smoothness = np.asarray(p, float), np.asarray(smoothness, float)
    reached = (p <= alpha + ROUNDING) & (smoothness >= smooth - ROUNDING)
    return np.where(np.isnan(p), np.nan, reached)


def column_name(method: str, n_components: int) -> str:
    """A column's heading: the four short names in capitals, any other method by its own name."""
    return f"{method_name({'method': method})}-{n_components}"


def paper_mark(attribute: int, method: str, n_components: int) -> bool | None:
    """The mark in the paper's Tables 1 and 2; None where they have none, as for attributes that are not in them."""
    marks: tuple[bool, ...] = ()
    if method in PAPER_FILMS and n_components in PAPER_FILMS_COUNTS:
        marks = PAPER_FILMS[method]
    elif method in PAPER and n_components in PAPER_COUNTS:
        marks = PAPER[method]
    return marks[attribute] if attribute < len(marks) else None


def look_at(
    report: xr.Dataset,
    bank: str | None = None,
    readout: str | None = None,
    seed: int | None = None,
    alpha: float | None = None,
) -> RecoveryLook:
    """What is looked at of a record: its first bank, readout and seed and its own level, where no others are given.

    Raises
    ------
    ValueError
        If the record has no such bank, readout or seed, or was not made at a level that high.
    """
    return RecoveryLook(
        chosen(report, "bank", bank),
        chosen(report, "readout", readout),
        chosen(report, "seed", seed),
        checked_level(report, alpha),
        is_of_films(report),
    )


def cells_of(report: xr.Dataset | xr.DataTree, look: RecoveryLook | None = None) -> list[Cell]:
    """The checklist's cells, row by row: attributes, and in each the methods with their numbers of components.

    Parameters
    ----------
    report : xarray.Dataset or xarray.DataTree
        A recovery record.
    look : RecoveryLook, optional
        What to look at; `look_at(report)` by default.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> cells_of(tw.open_record("recovery.zarr"))[0].key  # doctest: +SKIP
    'frequency/pca-3'
    """
    whole = report.to_dataset(inherit=False) if isinstance(report, xr.DataTree) else report
    look = look_at(whole) if look is None else look
    alpha, smooth = look.alpha, smooth_from(whole)
    over_seeds = whole.sel(bank=look.bank, readout=look.readout)
    one = over_seeds.sel(seed=look.seed)
    subspace = passes(one["p"], one["smoothness"], alpha, smooth)
    axis = passes(one["p_rotation"], one["smoothness"], alpha, smooth)
    all_seeds = passes(
        over_seeds["p"].transpose(..., "seed"), over_seeds["smoothness"].transpose(..., "seed"), alpha, smooth
    )
    cells = []
    for a, attribute in enumerate(whole["attribute"].values):
        for m, method in enumerate(whole["decomposition"].values):
            for k, count in enumerate(whole["n_components"].values):
                at = (a, m, k)
                numbers = {
                    name: _number(one[name].values[at]) for name in ("p", "p_rotation", "sweep", "smoothness")
                }
                cells.append(
                    Cell(
                        str(attribute),
                        str(method),
                        int(count),
                        _mark(subspace[at]),
                        _mark(axis[at]),
                        **numbers,
                        recovering=int(np.nansum(all_seeds[at])),
                        seeds=int((~np.isnan(all_seeds[at])).sum()),
                        paper=paper_mark(a, str(method), int(count)),
                        reason=_reason(str(one["status"].values[m, k]), numbers["p"], look.readout),
                        verdict=str(whole["verdict"].values[at]),
                        note=str(whole["note"].values[at]),
                    )
                )
    return cells


def chosen(report: xr.Dataset, name: str, value: Any) -> Any:
    """`value`, which must be an entry of the coordinate `name`, or by default the first entry."""
    known = report[name].values.tolist()
    if value is None:
        return known[0]
    if value not in known:
        raise ValueError(
            f"{name} is {value!r}, which this record doesn't have; give one of {', '.join(map(repr, known))}"
        )
    return value


def checked_level(report: xr.Dataset | xr.DataTree, alpha: float | None) -> float:
    """`alpha`, or the record's own level, above which its best dimensions might be others.

    A record keeps one dimension per cell: the farthest of those that recover at its level. Below that level no other
    can recover where this one doesn't; above it, another might.
    """
    own = level_of(report)
    if alpha is None:
        return own
    if not 0 < alpha <= own + ROUNDING:
        raise ValueError(
            f"alpha is {alpha!r}; give a level above 0 and at most {own:g}, at which this record was made, or make it "
            "again with gabor_recovery(alpha=…)"
        )
    return float(alpha)


def agreement(cells: list[Cell]) -> dict[str, dict[str, int]]:
    """How many of the reader's verdicts agree with each kind of mark.

    Returns
    -------
    dict
        For `in_subspace` and `on_axis`: `agree` and `of`, counting verdicts of yes or no in cells with that mark;
        `unsure` and `unmarked`, the verdicts left out.

    Examples
    --------
    >>> agreement([])["on_axis"]
    {'agree': 0, 'of': 0, 'unsure': 0, 'unmarked': 0}
    """
    counts = {}
    for kind in ("in_subspace", "on_axis"):
        judged = [cell for cell in cells if cell.verdict in ("yes", "no")]
        marked = [cell for cell in judged if getattr(cell, kind) is not None]
        counts[kind] = {
            "agree": sum((cell.verdict == "yes") == getattr(cell, kind) for cell in marked),
            "of": len(marked),
            "unsure": sum(cell.verdict == "unsure" for cell in cells),
            "unmarked": len(judged) - len(marked),
        }
    return counts


def _reason(status: str, p: float | None, readout: str) -> str:
    if status:
        return status
    if p is not None:
        return ""
    return (
        "no film of this bank seed was judged by its pictures"
        if readout == "image"
        else "there is no p-value here"
    )


def _mark(value: float) -> bool | None:
    return None if np.isnan(value) else bool(value)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
