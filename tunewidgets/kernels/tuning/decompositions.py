"""Decompositions by PCA, ICA, NMF, LLE, sparse dictionaries and any of scikit-learn's, all brought to one form.

In: vectors `(n, units)` without constant units, and a method. Out: a `Linear`: components, center and unmixing with
`x ≈ center + s @ components`; or, for a method that is not a linear map, a `Curved`: a way there and a way back. The
decompositions themselves are scikit-learn's, and the sparse autoencoder ours. `BY_NAME` lists those that have a name.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from sklearn.base import clone
from sklearn.decomposition import NMF, PCA, FastICA
from sklearn.exceptions import ConvergenceWarning

from tunewidgets.kernels.tuning.dictionaries import Trained, is_dictionary
from tunewidgets.kernels.tuning.lle import InvertibleLLE
from tunewidgets.kernels.tuning.sparse import SparseAutoencoder

# Trying 200 first and then 1,000 would give nothing better: both start from the same place.
ITERATIONS = 1000
# By how much a dimension may explain more than all of the variance before that is no rounding.
MORE_THAN_ALL = 1e-6


class SparseCodes(NamedTuple):
    """Of codes that are mostly 0: which are never used, and how many are at a time."""

    dead: np.ndarray
    l0: float


@dataclass
class Linear:
    """A linear map from coordinates to vectors, and the way back.

    Attributes
    ----------
    components : ndarray, (k, units)
        What one step of each coordinate adds.
    center : ndarray, (units,)
        What coordinates of 0 give.
    unmixing : ndarray, (k, units)
        `s = (x - center) @ unmixing.T`: exactly, or in the least-squares sense where there is an `encoder`.
    encoder : object or None
        Where coordinates are not a linear function of vectors: the object whose `transform` gives them.
    columns, signs : ndarray, (k,), or None
        Which of the encoder's coordinates each of these is, and its sign.
    converged : bool
        Whether the method reached its tolerance.
    of_codes : SparseCodes or None
        What is known of codes that are mostly 0.
    """

    components: np.ndarray
    center: np.ndarray
    unmixing: np.ndarray
    encoder: Any = None
    converged: bool = True
    columns: np.ndarray | None = None
    signs: np.ndarray | None = None
    of_codes: "SparseCodes | None" = None

    def encode(self, X: np.ndarray) -> np.ndarray:
        """Coordinates `(n, k)` of vectors `(n, units)`."""
        if self.encoder is None:
            return (X - self.center) @ self.unmixing.T
        with warnings.catch_warnings():
            # What stops short of the tolerance here (NMF, after 1,000 iterations) is off by about as little.
            warnings.simplefilter("ignore", ConvergenceWarning)
            scores = np.asarray(self.encoder.transform(X))
        return scores if self.columns is None else scores[:, self.columns] * self.signs

    def decode(self, S: np.ndarray) -> np.ndarray:
        """Vectors `(n, units)` at coordinates `(n, k)`."""
        return self.center + S @ self.components

    def arranged(self, order: np.ndarray, sign: np.ndarray) -> "Linear":
        """The same map with its components in another order and with other signs."""
        return replace(
            self,
            components=self.components[order] * sign[:, None],
            unmixing=self.unmixing[order] * sign[:, None],
            columns=order,
            signs=sign,
            of_codes=None
            if self.of_codes is None
            else self.of_codes._replace(dead=self.of_codes.dead[order]),
        )


class Curved(Protocol):
    """A method that is not a linear map: coordinates on a curved manifold, and vectors for new coordinates."""

    embedding: np.ndarray  # (m, k), the coordinates of the vectors that were embedded

    def encode(self, X: np.ndarray) -> np.ndarray:
        """Coordinates `(n, k)` of vectors `(n, units)`."""

    def decode(self, S: np.ndarray) -> np.ndarray:
        """Vectors `(n, units)` at coordinates `(n, k)`."""

    def flip(self, sign: np.ndarray) -> None:
        """Turn the dimensions around whose `sign`, `(k,)`, is -1."""


class Asked(NamedTuple):
    """What is asked of a decomposition; the last two concern those that embed a subsample by its neighbors."""

    k: int
    random_state: Any
    n_neighbors: int
    subsample: int


def decompose(method: Any, X: np.ndarray, asked: Asked) -> Linear | Curved:
    """`method` fitted to `X`, `(n, units)` float64: a name of `BY_NAME` or a scikit-learn decomposition."""
    return BY_NAME[method](X, asked) if isinstance(method, str) else _other(method, X)


def _pca(X: np.ndarray, asked: Asked) -> Linear:
    pca, converged = fitted_quietly(
        PCA(asked.k, svd_solver="covariance_eigh", random_state=asked.random_state), X
    )
    return Linear(pca.components_, pca.mean_, pca.components_, converged=converged)


def _ica(X: np.ndarray, asked: Asked) -> Linear:
    # `eigh` whitens n ≫ units several times faster than `svd`, but its floor for small variances is absolute.
    scale = np.sqrt(X.var(axis=0).mean())
    ica = FastICA(
        asked.k,
        algorithm="parallel",
        fun="logcosh",
        whiten="unit-variance",
        whiten_solver="eigh",
        max_iter=ITERATIONS,
        random_state=asked.random_state,
    )
    ica, converged = fitted_quietly(ica, X / scale)
    return Linear(ica.mixing_.T * scale, ica.mean_ * scale, ica.components_ / scale, converged=converged)


def _nmf(X: np.ndarray, asked: Asked) -> Linear:
    # NMF's initialization cuts off what is below an absolute floor.
    scaled = X / np.sqrt((X**2).mean())
    nmf, converged = fitted_quietly(
        NMF(asked.k, init="nndsvda", max_iter=ITERATIONS, random_state=asked.random_state), scaled
    )
    norm = np.linalg.norm(nmf.components_, axis=1, keepdims=True)
    # How the two factors share their scale is arbitrary; here coordinates are in the units of the activations.
    nmf.components_ = nmf.components_ / np.where(norm > 0, norm, 1)
    components = nmf.components_
    return Linear(components, np.zeros(X.shape[1]), np.linalg.pinv(components).T, nmf, converged)


def _lle(X: np.ndarray, asked: Asked) -> Curved:
    return InvertibleLLE(asked.k, asked.n_neighbors, asked.subsample, asked.random_state).fit(X)


def _sae(X: np.ndarray, asked: Asked) -> Linear:
    return of_autoencoder(SparseAutoencoder(asked.k, random_state=asked.random_state).fit(X))


def of_autoencoder(fitted: SparseAutoencoder) -> Linear:
    """The linear map of a fitted sparse autoencoder."""
    rows = fitted.components_
    # Each direction by itself: of all of them together there is no inverse, for they are more than the units.
    return Linear(
        rows, fitted.mean_, rows, fitted, fitted.converged_, of_codes=SparseCodes(fitted.dead_, fitted.l0_)
    )


# The command line has the same names in `_checks.DECOMPOSITIONS`, which imports none of this.
BY_NAME: dict[str, Callable[[np.ndarray, Asked], Linear | Curved]] = {
    "pca": _pca,
    "ica": _ica,
    "nmf": _nmf,
    "lle": _lle,
    "sae": _sae,
}


def _other(method: Any, X: np.ndarray) -> Linear:
    if is_dictionary(method):
        estimator, converged = Trained(method, X.shape[1]), True
    else:
        estimator, converged = fitted_quietly(clone(method), X)
    if isinstance(estimator, SparseAutoencoder):
        return of_autoencoder(estimator)
    rows = getattr(estimator, "components_", None)
    if rows is None:
        raise TypeError(
            f"{type(method).__name__} has no components_ after it is fitted, so it is not a decomposition; "
            "give one such as sklearn.decomposition.FactorAnalysis, or 'pca', 'ica', 'nmf' or 'lle'"
        )
    k, units = rows.shape
    if hasattr(estimator, "inverse_transform"):
        # Found from what it does instead of its attributes: whitening rescales, and FastICA's rows unmix.
        center = estimator.inverse_transform(np.zeros((1, k)))[0]
        rows = estimator.inverse_transform(np.eye(k)) - center
    else:
        center = np.asarray(getattr(estimator, "mean_", np.zeros(units)))
    linear = Linear(rows, center, np.linalg.pinv(rows).T, converged=converged)
    scores = estimator.transform(X)
    if getattr(method, "reconstructs", True):
        _check_reconstruction(type(method).__name__, linear, X, scores)
    if not np.allclose(linear.encode(X), scores, rtol=1e-6, atol=1e-6 * np.abs(scores).max()):
        linear.encoder = estimator
    return linear


def _check_reconstruction(name: str, linear: Linear, X: np.ndarray, scores: np.ndarray) -> None:
    """Raise a ValueError unless vectors are nearer to what their coordinates give than to the center.

    Nor may a dimension explain more than there is: its images would be of what others take back.
    """
    remedy = (
        "so images along its dimensions would mean nothing; give a decomposition with x ≈ mean + s @ components_, such "
        "as sklearn.decomposition.FactorAnalysis, or 'pca', 'ica', 'nmf' or 'lle'"
    )
    counted = scores.shape == (len(X), len(linear.components))
    missed = float(np.square(X - linear.decode(scores)).sum()) if counted else np.inf
    if not missed < float(np.square(X - linear.center).sum()):
        raise ValueError(f"{name} does not reconstruct the vectors from their coordinates, {remedy}")
    shares = scores.var(axis=0) * np.square(linear.components).sum(axis=1) / X.var(axis=0).sum()
    if not (shares <= 1 + MORE_THAN_ALL).all():
        raise ValueError(
            f"a dimension of this {name} explains {shares.max():.3g} times the variance of the vectors, {remedy}"
        )


def fitted_quietly(estimator: Any, X: np.ndarray) -> tuple[Any, bool]:
    """The fitted estimator, and whether it converged: a flag in place of scikit-learn's warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # FastICA says this even of directions that are not asked for; the rank has been checked before.
        warnings.filterwarnings("ignore", "There are some small singular values")
        estimator.fit(X)
    for warning in caught:
        if not issubclass(warning.category, ConvergenceWarning):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return estimator, not any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
