"""Random axes of a subspace: what a method would give that found the subspace and no dimension in it.

In: the subspace, as rows that span it. Out: a scikit-learn decomposition whose axes are drawn uniformly.
"""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state


class SubspaceAxes(TransformerMixin, BaseEstimator):
    """Axes of a subspace, drawn uniformly, in frames: as many as it has dimensions are orthonormal, then the next.

    Parameters
    ----------
    within : ndarray, (k, units)
        Independent rows that span the subspace.
    axes : int
        How many axes. More than k are no basis: each is then a direction by itself.
    random_state : int, RandomState or None
    """

    def __init__(self, within: np.ndarray, axes: int = 1, random_state: Any = None) -> None:
        self.within = within
        self.axes = axes
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: Any = None) -> "SubspaceAxes":
        """Draw axes through the mean of `X`, `(n, units)`."""
        rng = check_random_state(self.random_state)
        basis = np.linalg.qr(self.within.T)[0]
        k = basis.shape[1]
        frames = [np.linalg.qr(rng.standard_normal((k, k)))[0].T for _ in range(-(-self.axes // k))]
        self.mean_ = X.mean(axis=0)
        self.components_ = np.concatenate(frames)[: self.axes] @ basis.T
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Coordinates `(n, axes)`."""
        return np.asarray((X - self.mean_) @ self.components_.T)

    def inverse_transform(self, S: np.ndarray) -> np.ndarray:
        """Vectors `(n, units)`."""
        return np.asarray(self.mean_ + S @ self.components_)
