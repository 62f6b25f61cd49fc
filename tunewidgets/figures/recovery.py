"""The recovery checklist as a table, with the paper's marks beside ours.

In: a recovery record. Out: `plotly.graph_objects.Figure`.
"""

import os

import plotly.graph_objects as go
import xarray as xr

from tunewidgets.derived.recovery_all_three import all_three_of
from tunewidgets.derived.recovery_marks import cells_of, look_at, recovery_record
from tunewidgets.derived.recovery_text import beside, caption, grid, row_names

from .style import FONT, GRAY, INK, LINE, TITLE, WHITE, plain

HEIGHT = 26


def recovery_table(
    report: xr.DataTree | xr.Dataset | str | os.PathLike[str],
    bank: str | None = None,
    readout: str | None = None,
    seed: int | None = None,
    alpha: float | None = None,
) -> go.Figure:
    """Which attributes of a Gabor bank each method recovers, beside what the paper found by eye.

    Parameters
    ----------
    report : xarray.DataTree, xarray.Dataset, str or path
        A recovery record (`gabor_recovery`, `film_checklist`), or where one was saved.
    bank, readout : str, optional
        Which of the record's; the first by default.
    seed : int, optional
        Whose marks are shown; the first by default. Shares are over all bank seeds.
    alpha : float, optional
        Level of the marks, at most the record's own, which is the default.

    Returns
    -------
    plotly.graph_objects.Figure
        A table: five lines per attribute and three for all together (three per attribute for films); one column per
        method and number of components. The reader's line is left out if it holds no verdict. A dash means "not there".

    Raises
    ------
    RecordError
        If `report` is not a recovery record.
    FileNotFoundError
        If there is no record at the path given.
    ValueError
        If it has no such bank, readout or seed, or was not made at a level that high.

    References
    ----------
    *Identifying and interpreting tuning dimensions in deep networks*, Table 1.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> tw.figures.recovery_table("recovery.zarr").show()  # doctest: +SKIP
    """
    record = recovery_record(report).to_dataset(inherit=False)
    look = look_at(record, bank, readout, seed, alpha)
    head, *rows = grid(cells_of(record, look), look, all_three_of(record, look))
    # The reader's line is shown only once it holds a verdict.
    rows = [row for row in rows if row[1] != row_names(look)[-1] or any(text != "–" for text in row[2:])]
    rows = [[f"<b>{plain(row[0])}</b>" if row[0] else "", *map(plain, row[1:])] for row in rows]
    align = ["left", "left", *["center"] * (len(head) - 2)]
    quiet = [GRAY if row[1] in row_names(look)[-2:] else INK for row in rows]
    table = go.Table(
        columnwidth=[80, 110, *[64] * (len(head) - 2)],
        header={
            "values": [f"<b>{plain(text)}</b>" for text in head],
            "align": align,
            "fill": {"color": "#ffffff"},
            "line": {"color": LINE},
            "font": FONT,
            "height": HEIGHT,
        },
        cells={
            "values": [list(column) for column in zip(*rows, strict=True)],
            "align": align,
            "fill": {"color": "#ffffff"},
            "line": {"color": LINE},
            "font": {**FONT, "color": [quiet] * len(head)},
            "height": HEIGHT,
        },
    )
    title = {
        **TITLE,
        "text": plain(caption(look)),
        "subtitle": {"text": plain(beside(look)), "font": {"size": 12, "color": GRAY}},
    }
    layout = {
        **WHITE,
        "title": title,
        "margin": {"l": 16, "r": 16, "t": 84, "b": 16},
        "width": 240 + 84 * (len(head) - 2),
        "height": 116 + HEIGHT * (len(rows) + 1),
    }
    return go.Figure(table, layout)
