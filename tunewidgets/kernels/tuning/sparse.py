"""Sparse autoencoders: a dictionary of more directions than there are units, few of them used at a time.

In: vectors `(n, units)`, at once or a block at a time. Out: a scikit-learn estimator with a dictionary of unit rows and
codes that are never negative. Training is PyTorch's; what is learned is kept as arrays.
"""

from collections.abc import Iterator
from typing import Any, Literal, Self, get_args

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from tunewidgets._checks import Auto, is_whole
from tunewidgets.kernels.tuning.sparse_training import Training

Selection = Literal["topk", "batch_topk"]
SELECTIONS = get_args(Selection)
# Codes in use at a time, by default: this share of them, up to so many.
ACTIVE_SHARE, MOST_ACTIVE = 8, 32
# Passes over the data, and the fewest and the most steps that are made however many passes that is.
PASSES, FEWEST, STEPS = 40, 200, 2000
SMALLEST_BATCH, LARGEST_BATCH = 64, 1024
ROWS = 4096  # encoded at a time


class SparseAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A sparse autoencoder, as a scikit-learn estimator.

    `z = TopK(relu(W (x - b)))` and `x ≈ b + z @ components_`: of all codes the few largest stay, so that every vector
    is made of few directions, of which there may be more than units. Codes that fall out of use learn to explain what
    the others leave over, and if that does not help begin again at the vectors that are explained worst.

    Parameters
    ----------
    n_components : int, default 256
        Codes, which may be more than units.
    active : int or "auto", default "auto"
        How many codes make up a vector: at most so many with `selection="topk"`, so many on average with
        `"batch_topk"`. "auto": an eighth of the codes, at most 32.
    selection : {"topk", "batch_topk"}, default "topk"
        Whether the largest codes are chosen for each vector (Gao et al. 2024) or over a batch (Bussmann et al. 2024);
        vectors encoded later then keep the codes above the threshold that the batches had on average.
    steps : int, default 2000
        Steps of Adam at most; fewer are made where 40 passes over the data take fewer, but not fewer than 200.
    device : str or torch.device, default "cpu"
        Where it is trained.
    random_state : int, RandomState or None, default 0
        An int gives the same codes every time on one machine, bit for bit on the CPU.

    Attributes
    ----------
    components_ : ndarray, (n_components, units)
        The dictionary, rows of length 1.
    encoder_ : ndarray, (n_components, units)
        `W`.
    mean_ : ndarray, (units,)
        `b`: what codes of 0 stand for. It is learned, and begins at the data's mean.
    threshold_ : float
        Codes below it are 0 with `selection="batch_topk"`; otherwise 0.
    dead_ : ndarray of bool, (n_components,)
        Codes that no vector of the last pass (or of the last 100 steps, if these are more) used.
    l0_ : float
        Codes in use per vector, on average over the last pass.
    explained_variance_ : float
        The share of the data's variance that the codes explain together, over the last pass.
    converged_ : bool
        Whether the last tenth of the steps lowered the loss by less than 1%.
    n_features_in_ : int

    References
    ----------
    Gao et al., *Scaling and evaluating sparse autoencoders* (2024), section 2.3 and appendix A.2. Bussmann et al.,
    *BatchTopK Sparse Autoencoders* (2024).

    Examples
    --------
    >>> X = np.random.default_rng(0).exponential(size=(500, 6)).astype("float32")
    >>> dictionary = SparseAutoencoder(12, active=2).fit(X)
    >>> codes = dictionary.transform(X)
    >>> codes.shape, int((codes > 0).sum(axis=1).max())
    ((500, 12), 2)
    """

    # More directions than the data's rank are no mistake.
    overcomplete = True

    def __init__(
        self,
        n_components: int = 256,
        active: int | Auto = "auto",
        selection: Selection = "topk",
        *,
        steps: int = STEPS,
        device: str | torch.device = "cpu",
        random_state: Any = 0,
    ) -> None:
        self.n_components = n_components
        self.active = active
        self.selection = selection
        self.steps = steps
        self.device = device
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn a dictionary for `X`, `(n_samples, n_units)`; `y` is ignored.

        Raises
        ------
        ValueError
            If a setting is outside its range, there are fewer than two vectors, or a value is NaN or infinite.
        """
        self._active()
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        mean, variance = X.mean(axis=0, dtype=np.float64), float(X.var(axis=0, dtype=np.float64).sum())
        size = batch_size(len(X))
        rng = check_random_state(self.random_state)

        def batches() -> Iterator[np.ndarray]:
            order = rng.permutation(len(X))
            for first in range(0, len(X) - size + 1, size):
                yield X[order[first : first + size]]

        return self.fit_batches(batches, len(X), mean, variance, rng)

    def fit_batches(self, batches: Any, n: int, mean: np.ndarray, variance: float, random_state: Any) -> Self:
        """Learn from batches of vectors that can be gone through again and again.

        Parameters
        ----------
        batches : callable
            Gives an iterator over arrays `(about batch_size(n), units)`: one pass over the `n` vectors.
        n : int
        mean : ndarray, (units,)
        variance : float
            Of the vectors, summed over units.
        random_state : int, RandomState or None
        """
        active = self._active()
        per_pass = max(1, n // batch_size(n))
        total = min(self.steps, max(FEWEST, PASSES * per_pass))
        seed = int(check_random_state(random_state).randint(2**31 - 1))
        first = np.concatenate([batch for batch, _ in zip(batches(), range(8), strict=False)])
        training = Training(
            first,
            self.n_components,
            active,
            self.selection == "batch_topk",
            mean,
            variance,
            self.device,
            seed,
        )
        training.run(batches, total, per_pass)
        self.components_, self.encoder_, self.mean_ = training.learned()
        self.threshold_ = training.threshold
        self.dead_ = training.dead
        self.l0_, self.explained_variance_, self.converged_ = training.outcome()
        self.n_features_in_ = self.components_.shape[1]
        self._n_features_out = self.n_components
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Codes `(n, n_components)`, all ≥ 0, of vectors `(n, n_units)`, in their dtype."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        codes = np.zeros((len(X), len(self.components_)), X.dtype)
        for first in range(0, len(X), ROWS):
            codes[first : first + ROWS] = self._codes(X[first : first + ROWS].astype(np.float64))
        return codes

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Vectors `(n, n_units)` that codes `(n, n_components)` stand for, in the codes' dtype."""
        check_is_fitted(self)
        codes = check_array(X, dtype=[np.float64, np.float32])
        return np.asarray(self.mean_ + codes @ self.components_, codes.dtype)

    def _codes(self, X: np.ndarray) -> np.ndarray:
        codes = np.maximum((X - self.mean_) @ self.encoder_.T, 0)
        if self.selection == "batch_topk":
            codes[codes < self.threshold_] = 0
            return codes
        rest = codes.shape[1] - self._active()
        if rest > 0:
            small = np.argpartition(codes, rest - 1, axis=1)[:, :rest]
            np.put_along_axis(codes, small, 0, axis=1)
        return codes

    def _active(self) -> int:
        """How many codes are used at a time.

        Raises
        ------
        ValueError
            A setting is outside its range.
        """
        for name in ("n_components", "steps"):
            if not is_whole(getattr(self, name), 1):
                raise ValueError(f"{name}={getattr(self, name)!r} can't be used; give a whole number from 1")
        if self.selection not in SELECTIONS:
            raise ValueError(f"selection is {self.selection!r}; choose {' or '.join(map(repr, SELECTIONS))}.")
        if self.active == "auto":
            return max(1, min(self.n_components // ACTIVE_SHARE, MOST_ACTIVE))
        if not is_whole(self.active, 1, self.n_components):
            raise ValueError(
                f"active={self.active!r} can't be used; give a whole number from 1 to n_components={self.n_components}"
            )
        return int(self.active)

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect of this estimator."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def batch_size(n: int) -> int:
    """Vectors that a step learns from, of `n`."""
    return min(n, LARGEST_BATCH, max(SMALLEST_BATCH, n // 16))
