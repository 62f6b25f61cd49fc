"""Pairs of places that lie far apart along an axis and look alike in brightness and contrast.

In: coordinates along an axis, and what else is known of the places. Out: which two are compared in each trial, and
which of them lies further.
"""

from typing import NamedTuple

import numpy as np

# The quantiles between which the lower and the higher place of a pair are drawn.
GRADES = {
    "standard": ((0.01, 0.10), (0.90, 0.99)),
    "hard": ((0.05, 0.15), (0.85, 0.95)),
    "hardest": ((0.25, 0.35), (0.65, 0.75)),
}
TIE = -1  # in place of an answer: neither lies further
# Costs of what is chosen only where nothing else is left, far above any difference in brightness.
OF_A_TIE, OF_ONE_IMAGE = 1e3, 1e6
# What a squared surplus of pairs whose further place is the brighter one costs, in standard deviations of brightness.
SURPLUS = 0.25


class Places(NamedTuple):
    """Places of images: what each looks like, and which image it is of."""

    image: np.ndarray  # (n,)
    luminance: np.ndarray  # mean
    contrast: np.ndarray  # standard deviation of the luminance


class Pairs(NamedTuple):
    """Places `(n, 2)`, left and right, and which side lies further along the axis, -1 for neither."""

    place: np.ndarray
    answer: np.ndarray


def band(order: np.ndarray, quantiles: tuple[float, float]) -> np.ndarray:
    """The part of an ascending order between two quantiles."""
    low, high = (round(q * len(order)) for q in quantiles)
    return order[low:high]


def ascending(coordinates: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The places in ascending order of their coordinates; equal ones in random order, not in that of the images."""
    return np.lexsort((rng.random(len(coordinates)), coordinates))


def draw_pairs(
    coordinates: np.ndarray, places: Places, n: int, grade: str, rng: np.random.Generator
) -> Pairs:
    """`n` pairs of one place of the low band and one of the high, no place twice, no pair of one image.

    Pairs are those that differ least in mean luminance and contrast, and in about as many the further place is the
    brighter one as the darker one, and the same for contrast, so that neither decides. Where the axis has too few
    distinct values, the rest are ties.

    Raises
    ------
    ValueError
        The bands hold too few places.
    """
    low, high = (band(ascending(coordinates, rng), quantiles) for quantiles in GRADES[grade])
    if min(len(low), len(high)) < n:
        raise ValueError(
            f"n={n} trials need {n} places in each band, and these images have {min(len(low), len(high))}; give more "
            "images, a larger per_image, or a smaller n"
        )
    differences = np.stack(
        [
            (values[high, None] - values[None, low]) / max(float(values.std()), 1e-12)
            for values in (places.luminance, places.contrast)
        ]
    )
    cost = np.hypot(*differences)
    cost = cost + OF_A_TIE * (coordinates[high, None] <= coordinates[None, low])
    cost = cost + OF_ONE_IMAGE * (places.image[high, None] == places.image[None, low])
    rows, columns = _matched(cost, np.sign(differences), n)
    further, nearer = high[rows], low[columns]
    side = rng.permutation(np.arange(n) % 2)
    place = np.where(side[:, None] == [0, 1], further[:, None], nearer[:, None])
    return Pairs(place, np.where(coordinates[further] > coordinates[nearer], side, TIE))


def _matched(cost: np.ndarray, signs: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """`n` rows and columns of `cost`, none twice, one pair after the other: the cheapest by which `signs` sum to 0."""
    left, total = cost.copy(), np.zeros(len(signs))
    chosen: list[tuple[int, int]] = []
    for _ in range(n):
        surplus = ((total[:, None, None] + signs) ** 2).sum(0)
        row, column = np.unravel_index(int((left + SURPLUS * surplus).argmin()), left.shape)
        if left[row, column] >= OF_ONE_IMAGE:
            raise ValueError(
                f"n={n} trials need so many pairs of two images each, and only {len(chosen)} were found; give more "
                "images, or a smaller n"
            )
        total += signs[:, row, column]
        left[row], left[:, column] = np.inf, np.inf
        chosen.append((int(row), int(column)))
    rows, columns = np.array(chosen).T
    return rows, columns


def extremes(coordinates: np.ndarray, image: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """The `k` places `(2, k)` furthest down and furthest up the axis, outermost first, each of another image.

    Raises
    ------
    ValueError
        There are fewer images.
    """
    order = ascending(coordinates, rng)
    ends = []
    for ranked in (order, order[::-1]):
        _, first = np.unique(image[ranked], return_index=True)
        ends.append(ranked[np.sort(first)[:k]])
    if min(map(len, ends)) < k:
        raise ValueError(
            f"k={k} exemplars need so many images in each half; give more images, or a smaller k"
        )
    return np.stack(ends)
