"""Finished cells of a recovery checklist, kept in a store's table until the record that holds them is whole.

In: a study, and judgments one at a time. Out: those that an earlier call has finished. Without a store, nothing
is kept.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tunewidgets.kernels.gabor.cell import POINTS, Judgment
from tunewidgets.kernels.gabor.record import VALUES
from tunewidgets.kernels.reading.attributes import ATTRIBUTES, COMPONENTS
from tunewidgets.kernels.studies.store import Study

Fit = tuple[str, int]  # a decomposition and its number of components


class KeptCells:
    """The cells of one bank, one bank seed and one readout.

    Parameters
    ----------
    study : Study
    part : str
        Their name in the study.
    columns : sequence of (str, int)
        All the columns that there will be, in any order.
    draws : int
        The number of draws of a null.
    about : mapping
        What else decides them; a table with other values is refused.

    Attributes
    ----------
    about : dict
        What is known of the cells as a whole.
    judged : dict of (str, int) to (Judgment, float)
        The finished cells, and whether each fit converged.
    reasons : dict of (str, int) to str
        Why a cell has no judgment.
    """

    def __init__(
        self, study: Study, part: str, columns: Sequence[Fit], draws: int, about: Mapping[str, Any]
    ) -> None:
        self._columns = sorted(columns)
        self.about = dict(about)
        self._table = study.table(part, len(columns), 1, _fields(draws), about)
        self.judged: dict[Fit, tuple[Judgment, float]] = {}
        self.reasons: dict[Fit, str] = {}
        if self._table is not None:
            self.about = self._table.about
            for row, values in self._table.load().items():
                self.judged[self._columns[row]] = _judgment(values), float(values["converged"])
            for text, why in self.about.get("reasons", {}).items():
                self.reasons[self._columns[int(text)]] = why

    def __contains__(self, column: Fit) -> bool:
        return column in self.judged or column in self.reasons

    def say(self, **about: Any) -> None:
        """Record something about the cells as a whole."""
        self.about |= about
        if self._table is not None:
            self._table.say(**about)

    def keep(self, column: Fit, judged: Judgment, converged: float = np.nan) -> None:
        """Keep a finished cell."""
        self.judged[column] = judged, converged
        if self._table is not None:
            own = {
                name: getattr(judged, name)
                for name in ("best", "null", "null_rotation", "curve", "coordinate")
            }
            row = {**judged.values, **own, "converged": np.float32(converged)}
            self._table.add(self._columns.index(column), row)

    def give_up(self, column: Fit, why: str) -> None:
        """Record why a cell can't be made."""
        self.reasons[column] = why
        self.say(reasons={str(self._columns.index(one)): text for one, text in self.reasons.items()})


def _fields(draws: int) -> dict[str, tuple[int, ...]]:
    count = len(ATTRIBUTES)
    return {
        **dict.fromkeys((*VALUES, "best"), (count,)),
        **dict.fromkeys(("null", "null_rotation"), (count, draws)),
        "curve": (count, POINTS, COMPONENTS),
        "coordinate": (count, POINTS),
        "converged": (),
    }


def _judgment(row: Mapping[str, np.ndarray]) -> Judgment:
    return Judgment(
        row["best"].astype(int),
        {name: row[name] for name in VALUES},
        row["null"],
        row["null_rotation"],
        row["curve"],
        row["coordinate"],
    )
