"""Points at equal angles on lines through activation space, which bend, rectified, wherever a unit falls silent.

In: many straight lines at once, since a null distribution needs thousands. Out: points on each whose rectified vectors
lie equal angles apart, in closed form: between two bends the vector turns in a plane.
"""

import numpy as np


def equal_angles(
    base: np.ndarray, directions: np.ndarray, low: np.ndarray, high: np.ndarray, count: int
) -> np.ndarray:
    """Coordinates of points on lines `base + t * direction`, as `place_points` places them with `sampling="arc"`.

    Parameters
    ----------
    base : ndarray, (units,)
    directions : ndarray, (lines, units)
    low, high : ndarray, (lines,)
        The ends of each line.
    count : int
        Points on each line.

    Returns
    -------
    ndarray, (lines, count)
        From low to high; in equal steps where a line never turns.

    Examples
    --------
    >>> line = equal_angles(np.array([1.0, 0.0]), np.array([[0.0, 1.0]]), np.zeros(1), np.ones(1), 3)
    >>> line.round(3)  # at 0, 22.5 and 45 degrees
    array([[0.   , 0.414, 1.   ]])
    """
    edges = _bends(base, directions, low, high)
    left, right = edges[:, :-1], edges[:, 1:]
    nearest, distance = _planes(base, directions, (left + right) / 2)
    start = np.arctan2(left - nearest, distance)
    turn = np.where(distance > 0, np.arctan2(right - nearest, distance) - start, 0)
    turned = np.concatenate([np.zeros((len(turn), 1)), np.cumsum(turn, axis=1)], axis=1)
    total = turned[:, -1:]
    wanted = total * np.linspace(0, 1, count)
    segment = (turned[:, None, 1:-1] < wanted[:, :, None]).sum(axis=2)

    def of_segment(values: np.ndarray) -> np.ndarray:
        return np.take_along_axis(values, segment, axis=1)

    angle = of_segment(start) + wanted - of_segment(turned)
    flat = of_segment(distance) == 0
    within = of_segment(nearest) + of_segment(distance) * np.tan(np.where(flat, 0, angle))
    placed = np.clip(np.where(flat, of_segment(left), within), of_segment(left), of_segment(right))
    placed[:, 0], placed[:, -1] = low, high
    steps = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, count)
    return np.asarray(np.where(total > 0, placed, steps))


def on_lines(base: np.ndarray, directions: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """The vectors `(lines, count, units)` at coordinates `(lines, count)`."""
    return np.asarray(base + coordinates[:, :, None] * directions[:, None, :])


def _bends(base: np.ndarray, directions: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """`(lines, units + 2)`, ascending: both ends, and where each unit's activation crosses 0."""
    crossing = np.divide(
        -base, directions, out=np.broadcast_to(low[:, None], directions.shape).copy(), where=directions != 0
    )
    inside = np.clip(crossing, low[:, None], high[:, None])
    return np.sort(np.concatenate([low[:, None], inside, high[:, None]], axis=1), axis=1)


def _planes(base: np.ndarray, directions: np.ndarray, middle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each segment, where the line of the active units comes nearest to 0, and how near, in steps of t.

    The vector at t is then seen at the angle `arctan((t - nearest) / distance)`; at a distance of 0, it doesn't turn.
    """
    active = (base + middle[:, :, None] * directions[:, None, :]) > 0
    squared = active @ base**2
    product = np.einsum("lsu,lu->ls", active, base * directions)
    speed = np.einsum("lsu,lu->ls", active, directions**2)
    moving = speed > 0
    nearest = np.divide(-product, speed, out=np.zeros_like(speed), where=moving)
    away = np.divide(squared, speed, out=np.zeros_like(speed), where=moving)
    gap = away - nearest**2
    # The difference of large equal numbers leaves their rounding instead of 0.
    return nearest, np.sqrt(np.where(gap > 1e-13 * away, gap, 0))
