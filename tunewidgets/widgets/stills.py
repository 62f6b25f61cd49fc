"""What still pictures share: colors, and text cut to the room it has.

In: text, its type and its room. Out: the text as far as it fits.
"""

from bisect import bisect_right

from PIL import ImageFont

INK, QUIET, LINE, BLUE = (31, 31, 31), (110, 110, 110), (217, 217, 217), (0, 114, 178)
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def fitted(text: str, font: Font, room: float) -> str:
    """The text on one line, cut with an ellipsis where it is wider than `room` pixels."""
    line = " ".join(text.split())
    if font.getlength(line) <= room:
        return line
    fits = bisect_right(range(len(line)), room, key=lambda count: font.getlength(f"{line[:count]}…"))
    return f"{line[: max(fits - 1, 0)]}…"
