"""How well images' values separate a concept's images from the others: areas under ROC curves.

In: values `(images, features)` and which images have which concept. Out: AUC with intervals by resampling images, and
p-values adjusted for all that was asked at once.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.stats import norm

from tunewidgets.derived.statistics import LEVEL, doubled_ranks, resamples

# How many weights of images the bootstrap holds at a time.
BLOCK = 2**22


class Areas(NamedTuple):
    """AUC `(features, concepts)` with its interval's ends and the p-value of each, not adjusted."""

    auc: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray


def areas(values: np.ndarray, has: csr_array, draws: int, seed: int) -> Areas:
    """AUC of each feature for each concept.

    The AUC is the Mann-Whitney statistic: the chance that an image with the concept has a larger value than one
    without, ties counted half. Its interval is the percentile bootstrap's over images. The p-value is two-sided, by the
    normal approximation with the variance of values without ties, `(n + 1) / 12 / with / without`. Ties (a silent
    unit's zeros) only make the true variance smaller, and p too large rather than too small; the usual correction for
    them makes p far too small where few images of a rare concept excite a unit that is mostly silent.

    Parameters
    ----------
    values : (images, features) array
    has : (concepts, images) sparse array of 0 and 1
        Each concept has images with and without it.
    draws, seed
        Of the bootstrap.
    """
    images = len(values)
    members = has.T.tocsr().astype(np.float64)
    positives = np.asarray(has.sum(axis=1), dtype=float).ravel()
    rows = max(1, BLOCK // images)
    blocks = [np.ones((1, images))] + [
        resamples(range(start, min(start + rows, draws)), images, seed) for start in range(0, draws, rows)
    ]
    found = np.concatenate([_resampled(values, members, counts) for counts in blocks])
    auc = found[0]
    low, high = _percentiles(found[1:])
    deviation = np.sqrt((images + 1) / 12 / positives / (images - positives))
    return Areas(auc, low, high, 2 * norm.sf(np.abs(auc - 0.5) / deviation))


def _resampled(values: np.ndarray, members: csr_array, counts: np.ndarray) -> np.ndarray:
    """AUC `(draws, features, concepts)` where image i counts `counts[draw, i]` times; NaN where a side is empty."""
    inside = counts @ members
    outside = counts.sum(1, keepdims=True) - inside
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.stack(
            [
                ((counts * doubled_ranks(column, counts)) @ members - inside * (inside + 1))
                / (2 * inside * outside)
                for column in values.T
            ],
            axis=1,
        )


def _percentiles(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the percentile interval along the first axis, two of the draws' own values; NaN are left out."""
    ascending = np.sort(draws, axis=0)
    there = np.isfinite(ascending).sum(0)
    out = np.floor((1 - LEVEL) / 2 * there + 1e-9).astype(int)
    low, high = out, np.maximum(there - 1 - out, 0)
    ends = [np.take_along_axis(ascending, at[None], axis=0)[0] for at in (low, high)]
    return ends[0], ends[1]
