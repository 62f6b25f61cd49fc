"""Random axes as scikit-learn decompositions: what a method that finds nothing would give.

In: a subspace, as rows that span it, or nothing. Out: decompositions whose axes are drawn uniformly, through the mean
of the data that they are fitted to.
"""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state


class _Axes(TransformerMixin, BaseEstimator):
    """Axes through the mean of the data; a subclass draws them."""

    # They are directions, each by itself, and need not make up the data.
    reconstructs = False
    random_state: Any

    def _drawn(self, rng: np.random.RandomState, units: int) -> np.ndarray:
        """`(axes, units)`, each of length 1."""
        raise NotImplementedError

    def fit(self, X: np.ndarray, y: Any = None) -> Self:
        """Draw axes through the mean of `X`, `(n, units)`."""
        self.mean_ = X.mean(axis=0)
        self.components_ = self._drawn(check_random_state(self.random_state), X.shape[1])
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Coordinates `(n, axes)`."""
        return np.asarray((X - self.mean_) @ self.components_.T)

    def inverse_transform(self, S: np.ndarray) -> np.ndarray:
        """Vectors `(n, units)`."""
        return np.asarray(self.mean_ + S @ self.components_)


class SubspaceAxes(_Axes):
    """Axes of a subspace, drawn uniformly in orthonormal frames, each of as many axes as the subspace has dimensions.

    Parameters
    ----------
    within : ndarray, (k, units)
        Independent rows that span the subspace.
    axes : int
        How many axes. More than k are not a basis: each is then a direction by itself.
    random_state : int, RandomState or None
    """

    def __init__(self, within: np.ndarray, axes: int = 1, random_state: Any = None) -> None:
        self.within = within
        self.axes = axes
        self.random_state = random_state

    def _drawn(self, rng: np.random.RandomState, units: int) -> np.ndarray:
        basis = np.linalg.qr(self.within.T)[0]
        return np.asarray(_frames(basis.shape[1], self.axes, rng) @ basis.T)


class MixedAxes(_Axes):
    """Axes that mix fitted dimensions, each in units of its standard deviation, drawn as those of `SubspaceAxes`.

    Among axes that are uniform in activation space, nearly all resemble the dimension that varies most; here every
    dimension counts alike.

    Parameters
    ----------
    component, unmixing : ndarray, (k, units)
        The fit: vectors along the dimensions, and what gives coordinates of centered vectors.
    axes : int
        How many axes.
    random_state : int, RandomState or None
    """

    def __init__(
        self, component: np.ndarray, unmixing: np.ndarray, axes: int = 1, random_state: Any = None
    ) -> None:
        self.component = component
        self.unmixing = unmixing
        self.axes = axes
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: Any = None) -> Self:
        """Draw axes through the mean of `X`, `(n, units)`."""
        self.mean_ = X.mean(axis=0)
        spread = ((X - self.mean_) @ self.unmixing.T).std(axis=0)
        weights = _frames(len(self.component), self.axes, check_random_state(self.random_state))
        self.components_ = (weights * spread) @ self.component
        self.unmixing_ = (weights / np.where(spread > 0, spread, np.inf)) @ self.unmixing
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Coordinates `(n, axes)`, each of variance 1 where the dimensions are uncorrelated."""
        return np.asarray((X - self.mean_) @ self.unmixing_.T)


def _frames(k: int, count: int, rng: np.random.RandomState) -> np.ndarray:
    """`(count, k)` unit vectors, `k` after `k` orthonormal."""
    frames = [np.linalg.qr(rng.standard_normal((k, k)))[0].T for _ in range(-(-count // k))]
    return np.asarray(np.concatenate(frames)[:count])


class RandomDirections(_Axes):
    """Orthonormal directions of the whole activation space, drawn uniformly."""

    def __init__(self, n_components: int = 3, random_state: Any = None) -> None:
        self.n_components = n_components
        self.random_state = random_state

    def _drawn(self, rng: np.random.RandomState, units: int) -> np.ndarray:
        return np.asarray(np.linalg.qr(rng.standard_normal((units, self.n_components)))[0].T)
