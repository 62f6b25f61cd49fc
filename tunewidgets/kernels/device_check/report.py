"""What was found out about a device: a table and a verdict in words.

In: rows. Out: text for a terminal, HTML for a notebook.
"""

from dataclasses import dataclass
from html import escape
from typing import Literal

Part = Literal["parity", "repeatability", "speed", "memory"]
HEADING = ("", "", "found", "at most", "")


@dataclass(frozen=True)
class Row:
    """One finding: its number, in words too, and how large it may be (None: as large as it is).

    `says` is what a reader should make of it.
    """

    part: Part
    what: str
    value: float
    shown: str
    at_most: float | None = None
    says: str = ""

    @property
    def fine(self) -> bool:
        """Whether the number is no larger than it may be."""
        return self.at_most is None or self.value <= self.at_most

    @property
    def cells(self) -> tuple[str, ...]:
        """The row's text, under `HEADING`."""
        bound = "" if self.at_most is None or self.value != self.value else f"{self.at_most:.0e}"
        return self.part, self.what, self.shown, bound, "" if self.fine else "FAILED"


@dataclass(frozen=True)
class DeviceReport:
    """What `tw.check` found out; printed, a table with its verdict.

    `device` is its name, `machine` what it is, `reference` what it was compared with.
    """

    device: str
    machine: str
    reference: str
    rows: tuple[Row, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing is farther off than it may be."""
        return all(row.fine for row in self.rows)

    @property
    def title(self) -> str:
        """What was checked, and against what."""
        return f"{self.machine}; compared with {self.reference}"

    @property
    def table(self) -> str:
        """The rows as text."""
        cells = [HEADING, *(row.cells for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            f"{part:<{widths[0]}}  {what:<{widths[1]}}  {found:>{widths[2]}}  {bound:>{widths[3]}}  {failed}"
            for part, what, found, bound, failed in cells
        ]
        return "\n".join([self.title, "", *(line.rstrip() for line in lines)])

    @property
    def verdict(self) -> str:
        """What the rows amount to, and what to do if that is not well."""
        failed = [row for row in self.rows if not row.fine]
        if failed:
            what = "; ".join(f"{row.what}: {row.says or row.shown}" for row in failed)
            return f"Something is wrong with {self.device} ({what}). {self._remedy}"
        told = [f"{self.device} computes what it should.", *(row.says for row in self.rows if row.says)]
        return " ".join(told)

    @property
    def _remedy(self) -> str:
        again = "If it stays so, report it with this table."
        if self.device == "cpu":
            return f"Don't trust what is computed here: reinstall or update PyTorch, and check again. {again}"
        return (
            'Don\'t trust what is computed there: give device="cpu" meanwhile, update PyTorch and the driver, and '
            f"check again. {again}"
        )

    def __str__(self) -> str:
        return f"{self.table}\n\n{self.verdict}"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(cell)}</th>" for cell in HEADING)
        rows = [
            "<tr>"
            + "".join(f'<td style="text-align: left">{escape(cell)}</td>' for cell in row.cells)
            + "</tr>"
            for row in self.rows
        ]
        return (
            f"<p>{escape(self.title)}</p>"
            f'<table class="dataframe"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
            f"<p>{escape(self.verdict)}</p>"
        )
