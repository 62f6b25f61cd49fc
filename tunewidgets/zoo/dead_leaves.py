"""Dead leaves: synthetic scenes of discs that occlude each other, with the statistics of natural images.

In: a size, a seed and an index. Out: one RGB scene, made on the fly, always the same for the same three.
"""

import numpy as np

SMALLEST = 1.0  # px, radius of the smallest leaf: smaller ones fall between pixels and whiten the spectrum
LARGEST = 0.5  # radius of the largest leaf, as a share of the scene's side
DEPTH = 6.0  # leaves over a point on average; what no leaf covers (e^-6 of the scene) shows one last leaf
LUMINANCE_RANGE = (0.02, 0.98)
# How strongly leaves differ along the two opponent color axes, against .28 in luminance.
BLUE_YELLOW, RED_GREEN = 0.08, 0.04


def dead_leaves(size: int, seed: int, index: int) -> np.ndarray:
    """One scene of the dead leaves model with radii of density r^-3, the scale-invariant one.

    Its power spectrum falls as 1/f² (Lee, Mumford and Huang, *Occlusion models for natural images*, 2001).
    Luminance is uniform from leaf to leaf, color differs less, first along blue-yellow, then along red-green
    (Ruderman, Cronin and Chiao, *Statistics of cone responses to natural images*, 1998).

    Parameters
    ----------
    size : int
        Side in pixels, from 8.
    seed, index : int
        Both decide the scene; whole numbers from 0.

    Returns
    -------
    ndarray, (size, size, 3) float32 in [0, 1]

    Raises
    ------
    ValueError
        If the scene would be too small to hold leaves, or a seed or an index is negative.

    Examples
    --------
    >>> scene = dead_leaves(64, seed=0, index=3)
    >>> scene.shape, bool((scene == dead_leaves(64, seed=0, index=3)).all())
    ((64, 64, 3), True)
    """
    if size < 8:
        raise ValueError(f"size={size!r} px is too small for dead leaves; give 8 or more")
    if seed < 0 or index < 0:
        raise ValueError(f"seed={seed!r} and index={index!r} name no scene; give whole numbers from 0")
    rng = np.random.default_rng([seed, index])
    leaf = _topmost(rng, size, SMALLEST, size * LARGEST)
    return _colors(rng, int(leaf.max()) + 1)[leaf]


def _topmost(rng: np.random.Generator, side: int, smallest: float, largest: float) -> np.ndarray:
    """The number of the topmost leaf at every pixel, `(side, side)`; leaf 0 lies below all others."""
    radius = _radii(rng, side, smallest, largest)
    # Uniform over where a leaf of this radius can still touch the scene.
    center = rng.random((2, len(radius))) * (side - 1 + 2 * radius) - radius
    top, bottom = (np.clip(edge, 0, side) for edge in (np.ceil(center[0] - radius), center[0] + radius + 1))
    rows = np.maximum(bottom.astype(np.int64) - top.astype(np.int64), 0)
    leaf = np.repeat(np.arange(len(radius)), rows)
    y = top.astype(np.int64)[leaf] + _counted(rows)
    half = np.sqrt(np.maximum(radius[leaf] ** 2 - (y - center[0][leaf]) ** 2, 0))
    left = np.clip(np.ceil(center[1][leaf] - half), 0, side).astype(np.int64)
    right = np.clip(np.floor(center[1][leaf] + half) + 1, 0, side).astype(np.int64)
    pixels = np.maximum(right - left, 0)
    position = np.repeat(y * side + left, pixels) + _counted(pixels)
    scene = np.zeros(side * side, np.int64)
    # Where leaves meet, the assignment that comes last stays: the last leaf lies on top.
    scene[position] = np.repeat(leaf, pixels) + 1
    return scene.reshape(side, side)


def _radii(rng: np.random.Generator, side: int, smallest: float, largest: float) -> np.ndarray:
    """Radii of all leaves that touch the scene: density r^-3, and large ones reach in from further away."""
    per_area = DEPTH / (np.pi * np.log(largest / smallest))
    r = np.geomspace(smallest, largest, 512)
    density = per_area * r**-3 * (side + 2 * r) ** 2
    cumulative = np.concatenate([[0.0], np.cumsum(np.diff(r) * (density[1:] + density[:-1]) / 2)])
    return np.interp(rng.random(round(cumulative[-1])) * cumulative[-1], cumulative, r)


def _counted(lengths: np.ndarray) -> np.ndarray:
    """`[2, 3]` → `[0, 1, 0, 1, 2]`."""
    return np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def _colors(rng: np.random.Generator, n: int) -> np.ndarray:
    luminance = rng.uniform(*LUMINANCE_RANGE, (n, 1))
    blue_yellow, red_green = rng.standard_normal((2, n, 1)) * [[[BLUE_YELLOW]], [[RED_GREEN]]]
    colors = luminance + blue_yellow * [0.5, 0.5, -1.0] + red_green * [1.0, -1.0, 0.0]
    return np.clip(colors, 0, 1).astype(np.float32)
