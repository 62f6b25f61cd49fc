"""Recovery tables as text: a checklist in Markdown, LaTeX or CSV, for a paper or a message.

In: cells of `recovery_marks`, and what they were looked at with. Out: text. The page writes the
same without a kernel (js/src/recovery-checklist/table-text.ts); a change here needs the same change there.
"""

import csv
import io
from collections.abc import Sequence

from .recovery_marks import Cell, RecoveryLook, column_name

__all__ = ["beside", "caption", "csv_text", "grid", "latex", "markdown", "row_names"]

YES, NO, ABSENT = "✓", "✗", "–"
ALL_THREE_ROWS = ("by Holm", "bank seeds", "paper, by eye")
ROWS = ("in the subspace", "on the axis", "bank seeds", "paper, by eye", "reader")
FILM_ROWS = ("beyond random axes", "paper, by eye", "reader")
BESIDE_FILMS = (
    "A mark asks whether some dimension goes further than the furthest of as many random axes of the same subspace. "
    "The paper's marks were judged by eye, on InceptionV1 with other weights; they stand here for comparison, not as "
    "something replicated."
)
BESIDE = (
    "The paper's marks were judged by eye, on another bank and other images; "
    "they stand here for comparison, not as something replicated. All three: frequency, angle and phase of one bank, "
    "corrected by Holm for three claims at once."
)
CSV_COLUMNS = (
    "attribute",
    "method",
    "n_components",
    "bank",
    "readout",
    "seed",
    "alpha",
    "in_subspace",
    "on_axis",
    "p",
    "p_rotation",
    "sweep",
    "smoothness",
    "seeds_recovering",
    "seeds",
    "paper",
    "verdict",
    "note",
)


def row_names(look: RecoveryLook) -> tuple[str, ...]:
    """The names of each attribute's rows."""
    return FILM_ROWS if look.films else ROWS


def beside(look: RecoveryLook) -> str:
    """The note on the paper's marks."""
    return BESIDE_FILMS if look.films else BESIDE


def caption(look: RecoveryLook) -> str:
    """What is looked at, in words."""
    if look.films:
        return f"What the pictures of tuning dimensions are about: {look.bank}, marks at α = {_short(look.alpha)}."
    return (
        f"Recovery of Gabor attributes: bank {look.bank}, readout from the {look.readout}, "
        f"marks of bank seed {look.seed} at α = {_short(look.alpha)}."
    )


def grid(cells: list[Cell], look: RecoveryLook, all_three: Sequence[Cell]) -> list[list[str]]:
    """The table as rows of text: a heading, five rows per attribute (three for films), and three for all of them."""
    columns = list(dict.fromkeys((cell.method, cell.n_components) for cell in cells))
    rows = [["", "", *(column_name(*column) for column in columns)]]
    for start in range(0, len(cells), len(columns)):
        row = cells[start : start + len(columns)]
        of_banks = (
            [_mark(cell.on_axis) for cell in row],
            _counts(row),
        )
        lines = (
            [_mark(cell.in_subspace) for cell in row],
            *(() if look.films else of_banks),
            [_mark(cell.paper) for cell in row],
            [cell.verdict or ABSENT for cell in row],
        )
        rows += [
            [row[0].attribute if at == 0 else "", name, *line]
            for at, (name, line) in enumerate(zip(row_names(look), lines, strict=True))
        ]
    if all_three:
        lines = (
            [_mark(cell.in_subspace) for cell in all_three],
            _counts(all_three),
            [_mark(cell.paper) for cell in all_three],
        )
        rows += [
            [all_three[0].attribute if at == 0 else "", name, *line]
            for at, (name, line) in enumerate(zip(ALL_THREE_ROWS, lines, strict=True))
        ]
    return rows


def markdown(cells: list[Cell], look: RecoveryLook, all_three: Sequence[Cell]) -> str:
    """A table for GitHub, JupyterLab or a note, with the reader's notes as a list below it."""
    head, *rows = [[_markdown(text) for text in row] for row in grid(cells, look, all_three)]
    table = [head, ["---"] * len(head), *rows]
    lines = [caption(look), "", *(f"| {' | '.join(row)} |" for row in table), "", beside(look)]
    noted = [
        f"- {cell.attribute}, {_markdown(column_name(cell.method, cell.n_components))}: {_markdown(cell.note)}"
        for cell in cells
        if cell.note.strip()
    ]
    return "\n".join([*lines, *([""] if noted else []), *noted]) + "\n"


def latex(cells: list[Cell], look: RecoveryLook, all_three: Sequence[Cell]) -> str:
    """A `tabular` in a `table`; its check marks need the package amssymb."""
    head, *rows = [[_latex(text) for text in row] for row in grid(cells, look, all_three)]
    lines = [
        r"% \usepackage{amssymb}",
        r"\begin{table}",
        r"\centering",
        rf"\begin{{tabular}}{{ll{'c' * (len(head) - 2)}}}",
        r"\hline",
        rf"{' & '.join(head)} \\",
    ]
    for at, row in enumerate(rows):
        if at % len(row_names(look)) == 0:
            lines.append(r"\hline")
        lines.append(rf"{' & '.join(row)} \\")
    words = _latex(f"{caption(look)} {beside(look)}")
    lines += [r"\hline", r"\end{tabular}", rf"\caption{{{words}}}", r"\end{table}"]
    return "\n".join(lines) + "\n"


def csv_text(cells: list[Cell], look: RecoveryLook, all_three: Sequence[Cell]) -> str:
    """One line per cell with its numbers; missing ones are empty."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for cell in (*cells, *all_three):
        writer.writerow(
            [
                cell.attribute,
                cell.method,
                cell.n_components,
                look.bank,
                look.readout,
                look.seed,
                _short(look.alpha),
                _word(cell.in_subspace),
                _word(cell.on_axis),
                *(
                    "" if value is None else _short(value)
                    for value in (cell.p, cell.p_rotation, cell.sweep, cell.smoothness)
                ),
                cell.recovering,
                cell.seeds,
                _word(cell.paper),
                cell.verdict,
                cell.note,
            ]
        )
    return target.getvalue()


def _counts(cells: Sequence[Cell]) -> list[str]:
    return [f"{cell.recovering}/{cell.seeds}" if cell.seeds else ABSENT for cell in cells]


def _mark(mark: bool | None) -> str:
    return ABSENT if mark is None else YES if mark else NO


def _word(mark: bool | None) -> str:
    return "" if mark is None else "yes" if mark else "no"


def _short(value: float) -> str:
    """A number with up to six decimals and no trailing zeros."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _markdown(text: str) -> str:
    for sign in ("\\", "|", "<", "*", "_", "`", "["):
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    YES: r"$\checkmark$",
    NO: r"$\times$",
    ABSENT: "--",
    "α": r"$\alpha$",
}


def _latex(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in text)
