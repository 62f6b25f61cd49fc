"""Linear decompositions of vectors that do not fit in memory, a block at a time.

In: blocks of vectors that can be gone through again, and a method. Out: the same `Linear` that `decompose` gives. PCA
needs only moments, and is exact; ICA whitens with them and holds k coordinates per vector; NMF goes through the blocks
a few times, a sparse autoencoder in mini-batches.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sklearn.decomposition import FastICA, MiniBatchNMF
from sklearn.utils import check_random_state

from tunewidgets.kernels.tuning.decompositions import ITERATIONS, Linear, fitted_quietly, of_autoencoder
from tunewidgets.kernels.tuning.sparse import SparseAutoencoder, batch_size

# NMF's passes over the data, and the change of its components at which it stops early.
PASSES, TOLERANCE = 10, 1e-3
Blocks = Callable[[], Iterator[np.ndarray]]
STREAMED = ("pca", "ica", "nmf", "sae")


class Moments:
    """Count, extremes, mean and covariance of blocks of vectors `(n, units)`, summed in float64."""

    def __init__(self, blocks: Blocks) -> None:
        self.n = 0
        shift: np.ndarray | None = None
        for block in blocks():
            if shift is None:
                # Around the first block's mean, so that large means do not cost the variances their digits.
                shift = block.mean(axis=0)
                self.first = block[0]
                self.low, self.high = block.min(axis=0), block.max(axis=0)
                sums, products = np.zeros(len(shift)), np.zeros((len(shift), len(shift)))
            moved = block - shift
            self.n += len(block)
            self.low, self.high = np.minimum(self.low, block.min(0)), np.maximum(self.high, block.max(0))
            sums += moved.sum(axis=0)
            products += moved.T @ moved
        assert shift is not None
        self.mean = shift + sums / self.n
        self.covariance = products / self.n - np.outer(sums, sums) / self.n**2

    def gram(self, mask: np.ndarray, *, centered: bool) -> np.ndarray:
        """Products of the units that vary, each scaled to length 1: what the rank is read from."""
        found = self.covariance[np.ix_(mask, mask)]
        if not centered:
            found = found + np.outer(self.mean[mask], self.mean[mask])
        scale = np.sqrt(np.diag(found))
        return np.asarray(found / np.outer(scale, scale))


def decompose_blocks(
    method: str, blocks: Blocks, mean: np.ndarray, covariance: np.ndarray, n: int, k: int, random_state: Any
) -> Linear:
    """`method` fitted to blocks of vectors without constant units, whose mean and covariance are known."""
    if method == "nmf":
        return _nmf(blocks, np.sqrt((np.diag(covariance) + mean**2).mean()), k, random_state)
    if method == "sae":
        return _sae(blocks, mean, float(np.trace(covariance)), n, k, random_state)
    values, axes = np.linalg.eigh(covariance)
    order = np.argsort(-values)[:k]
    axes = axes[:, order].T
    # As scikit-learn signs them.
    axes *= np.sign(axes[np.arange(k), np.abs(axes).argmax(axis=1)])[:, None]
    if method == "pca":
        return Linear(axes, mean, axes)
    deviations = np.sqrt(values[order])
    return _ica(blocks, mean, axes, deviations, n, k, random_state)


def _ica(
    blocks: Blocks,
    mean: np.ndarray,
    axes: np.ndarray,
    deviations: np.ndarray,
    n: int,
    k: int,
    random_state: Any,
) -> Linear:
    white = np.empty((n, k))
    first = 0
    for block in blocks():
        white[first : first + len(block)] = (block - mean) @ (axes / deviations[:, None]).T
        first += len(block)
    ica, converged = fitted_quietly(
        FastICA(
            algorithm="parallel",
            fun="logcosh",
            whiten=False,
            max_iter=ITERATIONS,
            random_state=random_state,
        ),
        white,
    )
    turn = ica.components_
    # FastICA rotates white coordinates; the rotation is orthogonal, so its transpose turns them back.
    return Linear((turn * deviations) @ axes, mean, (turn / deviations) @ axes, converged=converged)


def _nmf(blocks: Blocks, scale: float, k: int, random_state: Any) -> Linear:
    nmf = MiniBatchNMF(k, init="nndsvda", random_state=check_random_state(random_state))
    before, converged = None, False
    for _ in range(PASSES):
        for block in blocks():
            if len(block) >= k:
                nmf.partial_fit(block / scale)
        norm = np.linalg.norm(nmf.components_, axis=1, keepdims=True)
        components = nmf.components_ / np.where(norm > 0, norm, 1)
        if before is not None and np.linalg.norm(components - before) < TOLERANCE * np.sqrt(k):
            converged = True
            break
        before = components
    nmf.components_ = components
    return Linear(components, np.zeros(components.shape[1]), np.linalg.pinv(components).T, nmf, converged)


def _sae(blocks: Blocks, mean: np.ndarray, variance: float, n: int, k: int, random_state: Any) -> Linear:
    rng = check_random_state(random_state)
    size = batch_size(n)

    def batches() -> Iterator[np.ndarray]:
        # Shuffled within a block, which already holds vectors of many images.
        for block in blocks():
            order = rng.permutation(len(block))
            for first in range(0, len(block), size):
                yield block[order[first : first + size]]

    fitted = SparseAutoencoder(k).fit_batches(batches, n, mean, variance, rng)
    return of_autoencoder(fitted)
