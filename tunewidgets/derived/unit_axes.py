"""Axes that spread a layer's units: a column's scale, its ends and its ticks.

In: a column's values. Out: an axis on which they don't lie on one line, as on a plain axis they would in deep layers,
where most units have an RS of nearly 0. Imports no torch.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

__all__ = ["Axis", "Kind", "Scale", "axis_of", "ends_of", "most_common", "place", "scale_of"]

Kind = Literal["share", "percent", "number", "count", "class"]
Scale = Literal["linear", "log", "root"]

# From this ratio of its largest to its smallest value upward, a column reads better on a log scale.
WIDE = 100
# A root scale is for values of which half lie within this share of the way from 0 to the farthest.
CROWDED = 0.2
# Where more than this share of the units have one and the same value, no scale spreads them.
ALIKE = 0.95
PADDING = 0.04
# Between two ticks of a root scale, as a share of the axis.
APART = 0.08


@dataclass(frozen=True)
class Axis:
    """A column's axis.

    `scale`: "linear", "log", or "root", on which a value stands at its signed square root. `range`: the ends, in powers
    of ten where the scale is "log", in signed roots where it is "root". `ticks`: of a root scale, where each stands and
    the plain value it has; empty elsewhere, where plotly sets them. `varied`: whether it spreads the layer at all; it
    does not where one value is that of more than 19 in 20 units.
    """

    scale: Scale
    range: tuple[float, float]
    ticks: tuple[tuple[float, str], ...] = ()
    varied: bool = True

    def facts(self) -> dict[str, Any]:
        """The axis, ready for JSON."""
        return {
            "scale": self.scale,
            "range": list(self.range),
            "ticks": [list(tick) for tick in self.ticks],
            "varied": self.varied,
        }


def scale_of(values: np.ndarray, kind: Kind) -> Scale:
    """The scale that spreads values: NaN among them are none.

    Examples
    --------
    >>> import numpy as np
    >>> scale_of(np.array([0, 0, 0.01, 0.02, 0.6]), "share"), scale_of(np.array([0.1, 0.4, 0.6]), "share")
    ('root', 'linear')
    """
    finite = _finite(values)
    if kind == "class" or not len(finite):
        return "linear"
    if kind == "number" and finite.min() > 0 and finite.max() >= WIDE * finite.min():
        return "log"
    size = np.abs(finite)
    crowded = np.ptp(finite) > 0 and np.median(size) <= CROWDED * size.max()
    return "root" if crowded else "linear"


def axis_of(values: np.ndarray, kind: Kind, scale: Scale) -> Axis:
    """The axis of this scale that holds the values, with room for a point's mark at either end."""
    finite = _finite(values)
    varied = most_common(values)[1] <= ALIKE * np.size(values)
    if scale == "log":
        return Axis(scale, ends_of(np.log10(finite), kind), varied=varied)
    if scale == "linear":
        return Axis(scale, ends_of(finite, kind), varied=varied)
    ends = ends_of(np.sign(finite) * np.sqrt(np.abs(finite)), kind)
    return Axis(scale, ends, tuple(_ticks(ends, kind)), varied)


def most_common(values: np.ndarray) -> tuple[float, int]:
    """The value that most have, and how many; NaN and 0 where there are none."""
    known, counts = np.unique(_finite(values), return_counts=True)
    return (float(known[counts.argmax()]), int(counts.max())) if len(known) else (math.nan, 0)


def ends_of(values: np.ndarray, kind: Kind) -> tuple[float, float]:
    """The ends of a linear axis that holds finite values, with room at either end."""
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    if low == high and kind == "share":
        low, high = 0.0, 1.0
    # A constant column stands in the middle of an axis that shows its magnitude.
    room = PADDING * (high - low) or 0.1 * abs(high) or 0.1
    return (float(f"{low - room:.6g}"), float(f"{high + room:.6g}"))


def place(value: float, scale: Scale) -> float:
    """Where a value stands on an axis of plotly's: its signed root on a root scale, itself elsewhere."""
    return math.copysign(math.sqrt(abs(value)), value) if scale == "root" else value


def _finite(values: np.ndarray) -> np.ndarray:
    known = np.asarray(values, np.float64).ravel()
    return known[np.isfinite(known)]


def _ticks(ends: tuple[float, float], kind: Kind) -> list[tuple[float, str]]:
    """Round values, in ascending order, far enough apart on a root scale."""
    low, high = ends
    gap, far = APART * (high - low), max(-low, high)
    sizes, last = [], 0.0
    for power in range(math.floor(2 * math.log10(gap)), math.ceil(2 * math.log10(far)) + 1):
        for digit in (1, 2, 5):
            size = float(f"{digit}e{power}")
            root = math.sqrt(size)
            if root - last >= gap and root <= far and (kind != "count" or size >= 1):
                sizes.append(size)
                last = root
    values = [-size for size in reversed(sizes)] + [0.0] + sizes
    return [
        (place(value, "root"), _text(value, kind)) for value in values if low <= place(value, "root") <= high
    ]


def _text(value: float, kind: Kind) -> str:
    text = f"{100 * value:g}%" if kind == "percent" else f"{value:g}"
    return text.replace("-", "−") if value < 0 else text
