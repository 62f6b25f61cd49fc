"""The checklist's still picture: the table of marks where no widget can run.

In: cells of `recovery_marks` and what they were looked at with. Out: one Pillow image, in a few milliseconds.
"""

from PIL import Image, ImageDraw, ImageFont

from ..derived.recovery_marks import Cell, RecoveryLook, column_name
from ..derived.recovery_text import caption
from .stills import BLUE, INK, LINE, QUIET, fitted

MARGIN, HEAD, NAME, ROW = 16, 64, 92, 66
WARM, WIDEST = (185, 80, 0), 160  # pixels of a column


def recovery_still(cells: list[Cell], all_three: list[Cell], look: RecoveryLook, seeds: int) -> Image.Image:
    """One row per attribute and one for all three, one column per method and number of components; the paper's mark in
    small type.
    """
    columns = list(dict.fromkeys((cell.method, cell.n_components) for cell in cells))
    bold, plain, small = ImageFont.load_default(15), ImageFont.load_default(12), ImageFont.load_default(11)
    names = [fitted(column_name(*column), plain, WIDEST) for column in columns]
    wide = max(84, *(int(plain.getlength(name)) + 16 for name in names))
    rows = (len(cells) + len(all_three)) // len(columns)
    size = (max(2 * MARGIN + NAME + wide * len(columns), 640), HEAD + 28 + ROW * rows + 46)
    still = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(still)
    title = (
        "What are the tuning dimensions about?"
        if look.films
        else "Which attributes of a Gabor bank are recovered?"
    )
    draw.text((MARGIN, MARGIN - 4), title, INK, bold)
    line = (
        caption(look)
        if look.films
        else f"bank {look.bank}; readout from the {look.readout}; bank seed {look.seed} of {seeds}; α = {look.alpha:g}"
    )
    # Pillow's own font has no Greek.
    line = fitted(line.replace("α", "alpha"), plain, size[0] - 2 * MARGIN)
    draw.text((MARGIN, MARGIN + 18), line, QUIET, plain)
    for at, name in enumerate(names):
        draw.text((MARGIN + NAME + at * wide + wide // 2, HEAD), name, INK, plain, anchor="ma")
    for at, cell in enumerate([*cells, *all_three]):
        row, column = divmod(at, len(columns))
        left, top = MARGIN + NAME + column * wide, HEAD + 24 + row * ROW
        if column == 0:
            draw.line([(MARGIN, top), (size[0] - MARGIN, top)], LINE, 1)
            draw.text((MARGIN, top + 8), fitted(cell.attribute, plain, NAME - 8), INK, plain)
        middle = left + wide // 2
        alone = look.films or at >= len(cells)
        both = ((0, cell.in_subspace),) if alone else ((-14, cell.in_subspace), (14, cell.on_axis))
        for place, mark in both:
            _mark(draw, middle + place, top + 16, mark)
        count = f"{cell.recovering}/{cell.seeds} seeds" if cell.seeds else "not there"
        count = "" if look.films and cell.seeds else count
        draw.text((middle, top + 28), count, QUIET, small, anchor="ma")
        paper = "" if cell.paper is None else f"paper {'yes' if cell.paper else 'no'}"
        draw.text((middle, top + 43), paper, QUIET, small, anchor="ma")
    below = HEAD + 24 + rows * ROW + 12
    draw.line([(MARGIN, below - 12), (size[0] - MARGIN, below - 12)], LINE, 1)
    _mark(draw, MARGIN + 8, below + 8, True)
    draw.text((MARGIN + 20, below + 1), "recovered", QUIET, small)
    _mark(draw, MARGIN + 92, below + 8, False)
    draw.text((MARGIN + 104, below + 1), "not", QUIET, small)
    text = (
        "beyond random axes of the subspace, or not; the paper judged by eye"
        if look.films
        else "left: in the subspace, right: on the axis; a dash: not there; the paper judged by eye"
    )
    draw.text((MARGIN + 140, below + 1), text, QUIET, small)
    return still


def _mark(draw: ImageDraw.ImageDraw, x: int, y: int, mark: bool | None) -> None:
    """A blue disk with a tick, a ring with a cross, or a dash: told apart without color."""
    box = [x - 8, y - 8, x + 8, y + 8]
    if mark is None:
        draw.line([(x - 5, y), (x + 5, y)], QUIET, 2)
    elif mark:
        draw.ellipse(box, fill=BLUE)
        draw.line([(x - 4, y), (x - 1, y + 3), (x + 4, y - 4)], "white", 2)
    else:
        draw.ellipse(box, outline=WARM, width=1)
        draw.line([(x - 3, y - 3), (x + 3, y + 3)], WARM, 2)
        draw.line([(x - 3, y + 3), (x + 3, y - 3)], WARM, 2)
