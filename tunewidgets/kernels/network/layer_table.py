"""The table of a model's layers, and how it is shown: every row and column, as plain text or in a notebook.

In: a row for each layer. Out: a pandas DataFrame that, unlike pandas' own, leaves nothing out when it is printed.
"""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import pandas as pd

# What is in the table, each with the two lines of its heading.
COLUMNS = {
    "name": ("", "name"),
    "kind": ("", "kind"),
    "units": ("", "units"),
    "output_shape": ("output", "shape"),
    "receptive_field": ("receptive", "field"),
    "stride": ("", "stride"),
    "rectified": ("", "rectified"),
}
NUMBERS = ("units", "output_shape", "receptive_field", "stride")
WIDTH = 100  # columns of a terminal
LONGEST_KIND = 20
GAP = "  "


class LayerTable(pd.DataFrame):
    """A DataFrame of layers: part of it, such as `table[table.units > 64]`, is one too.

    Its `attrs` are `suggested`, the names of the layers that are looked at when none is named, and `input_size`, that
    of the image that was sent through.
    """

    @property
    def _constructor(self) -> Callable[..., "LayerTable"]:
        return LayerTable

    def __repr__(self) -> str:
        return layer_text(self) if _is_of_layers(self) else super().__repr__()

    def _repr_html_(self) -> str | None:
        plain: Any = pd.DataFrame(self)
        html: str | None = _html(self) if _is_of_layers(self) else plain._repr_html_()
        return html


def layer_text(table: pd.DataFrame) -> str:
    """The whole table, at most 100 characters wide; a name that does not fit stands on a line of its own."""
    names, *others = list(table.columns)
    columns = [_column(table, name) for name in others]
    widths = [max(map(len, column)) for column in columns]
    marks = ["", "", *_marks(table)]
    first = [*COLUMNS[names], *map(str, table[names])]
    room = WIDTH - len(GAP) - sum(len(GAP) + width for width in widths)
    longest = max((len(name) for name in first if len(name) <= room), default=0)
    lines = []
    for mark, name, *cells in zip(marks, first, *columns, strict=True):
        if len(name) > longest:
            lines.append(f"{mark:<2}{name}")
            mark, name = "", ""
        aligned = [
            f"{cell:>{width}}" if column in NUMBERS else f"{cell:<{width}}"
            for column, cell, width in zip(others, cells, widths, strict=True)
        ]
        lines.append(f"{mark:<2}{name:<{longest}}{GAP}{GAP.join(aligned)}".rstrip())
    return "\n".join([*lines, "", *_notes(table)])


def _is_of_layers(table: pd.DataFrame) -> bool:
    """Whether this is a table of layers still, and not what became of one: a summary, or one with more columns."""
    columns = list(table.columns)
    return columns[:1] == ["name"] and set(columns) <= set(COLUMNS) and len(set(columns)) == len(columns)


def _column(table: pd.DataFrame, name: str) -> list[str]:
    return [*COLUMNS[name], *(_cell(name, value) for value in table[name])]


def _cell(name: str, value: Any) -> str:
    if name == "rectified":
        return "yes" if value else ""
    if isinstance(value, tuple):
        return " × ".join(map(str, value))
    text = str(value)
    return text if name != "kind" or len(text) <= LONGEST_KIND else f"{text[: LONGEST_KIND - 1]}…"


def _marks(table: pd.DataFrame) -> list[str]:
    suggested = set(table.attrs.get("suggested", ()))
    return ["*" if name in suggested else "" for name in table["name"]]


def _notes(table: pd.DataFrame) -> list[str]:
    """What the table's reader must know to read it."""
    count = f"{len(table)} layer{'s' * (len(table) != 1)}"
    size: Sequence[int] | None = table.attrs.get("input_size")
    seen = (
        f"; shapes, receptive fields and strides are for images of {size[1]} × {size[2]} px" if size else ""
    )
    notes = [f"{count}{seen}."]
    if any(_marks(table)):
        notes.append("* is looked at when no layer is named, as in tw.analyze_units(model, data).")
    return notes


def _html(table: pd.DataFrame) -> str:
    """The whole table, in a box that scrolls if there are many rows; names are text, whatever is in them."""
    head = "".join(f"<th>{escape(' '.join(filter(None, COLUMNS[name])))}</th>" for name in table.columns)
    columns = [[_html_cell(name, value) for value in table[name]] for name in table.columns]
    rows = [
        f"<tr><td>{mark}</td>{''.join(cells)}</tr>"
        for mark, *cells in zip(_marks(table), *columns, strict=True)
    ]
    notes = "<br>".join(map(escape, _notes(table)))
    return (
        '<div style="max-height: 40em; overflow: auto"><table class="dataframe">'
        f"<thead><tr><th></th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div><p>{notes}</p>"
    )


def _html_cell(column: str, value: Any) -> str:
    side = "right" if column in NUMBERS else "left"
    return f'<td style="text-align: {side}">{escape(_cell(column, value))}</td>'
