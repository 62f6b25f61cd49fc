"""Tuning dimensions: the directions, or curves, along which a layer's responses vary.

In: activation vectors `(n_samples, n_units)`. Out: a scikit-learn estimator that gives coordinates for
vectors and vectors for coordinates, by PCA, ICA, NMF, LLE, a sparse dictionary or any decomposition of scikit-learn's.
"""

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import xarray as xr
from scipy.stats import skew
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from tunewidgets._checks import Decomposition, a_type
from tunewidgets.kernels.data.vectors import blocks_of, is_large
from tunewidgets.kernels.tuning.decompositions import Asked, Curved, Linear, decompose
from tunewidgets.kernels.tuning.dimension_checks import (
    asked_components,
    check_are_vectors,
    check_enough,
    check_finite,
    check_rank,
    in_unit_order,
    is_overcomplete,
    rank_of,
    unit_names,
)
from tunewidgets.kernels.tuning.streamed import STREAMED, Moments, decompose_blocks

QUANTILES = 1001  # of the coordinates observed along each dimension, from the smallest to the largest
BINS = 40
MOST_SCORES = 1 << 27  # of a sparse dictionary's that are kept at a time


class TuningDimensions(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Tuning dimensions of a layer, as a scikit-learn estimator.

    Units that never vary are left out. Dimensions come in the order of their explained variance (LLE: in the
    order of the embedding), and point to where their coordinates have the longer tail.

    Parameters
    ----------
    method : {"pca", "ica", "nmf", "lle", "sae"}, scikit-learn decomposition or dictionary, default "ica"
        - `"pca"`: principal components;
        - `"ica"`: independent components of variance 1 (FastICA, logcosh, up to 1,000 iterations);
        - `"nmf"`: non-negative factors of unit norm (`nndsvda`, up to 1,000 iterations) of vectors ≥ 0;
        - `"lle"`: locally linear embedding; a curve, so there are no `components_`;
        - `"sae"`: a sparse autoencoder, which may have more dimensions than there are units; `SparseAutoencoder`
          has its settings, and is a method too;
        - an object with `fit`, `transform` and, once fitted, `components_`; its own settings apply;
        - a trained dictionary with `encode` and `decode`, such as those of the package overcomplete; it stays as it is.
    n_components : int, default 16
        How many dimensions.
    random_state : int, RandomState or None, default 0
        An int gives the same dimensions every time, bit for bit.
    n_neighbors, subsample : int, default 15 and 3000
        LLE only: neighbors that a vector is a mixture of, and how many distinct vectors are embedded at most.

    Attributes
    ----------
    components_ : ndarray, (k, units)
        What one step along each dimension adds: `x ≈ mean_ + s @ components_`; 0 for units that never vary.
        Absent for LLE, as are `unmixing_` and `mean_`.
    unmixing_ : ndarray, (k, units)
        The way back: `s = (x - mean_) @ unmixing_.T`. Exact for PCA and ICA; the least-squares solution where
        coordinates are not a linear function of vectors (NMF's are held ≥ 0); for a sparse dictionary, of each
        dimension by itself.
    mean_ : ndarray, (units,)
        The center: the mean of the data, 0 for NMF; a unit that never varies has its constant here.
    unit_mask_ : ndarray of bool, (units,)
        False where a unit never varies.
    explained_variance_ratio_ : ndarray, (k,)
        Variance, summed over units, of what a dimension alone contributes (`s_i · components_[i]`), divided
        by the variance of the data. For PCA and ICA the shares add up to what all dimensions explain
        together; NMF's coordinates are correlated, so its shares overlap and do not add up. NaN for LLE.
    converged_ : bool
        Whether the method reached its tolerance.
    dead_ : ndarray of bool, (k,)
        Dimensions that no vector uses; of a sparse dictionary only, as is the next.
    l0_ : float
        How many dimensions a vector uses, on average.
    streamed_ : bool
        Whether the vectors were read a block at a time because they are on disk and too many for memory: PCA and ICA
        from exact moments, NMF and sparse autoencoders in mini-batches.
    score_quantiles_ : ndarray, (k, 1001)
        The coordinates of the data along each dimension, sorted and thinned: from the smallest to the largest
        (LLE: of the embedded vectors only, here and in the next three).
    score_mean_ : ndarray, (k,)
        Their means.
    score_histogram_, score_edges_ : ndarray, (k, 40) and (k, 41)
        Their histograms: counts, and the edges of the bins.
    sample_ : dict
        Where the data come from: `images` (a description), `n_images` (None where unknown), `n_vectors`; for
        vectors from `sample_activations`, all of their attributes.
    method_name_ : str
        The method, or the name of the decomposition's class.
    n_components_, n_features_in_ : int

    References
    ----------
    *Identifying and interpreting tuning dimensions in deep networks*.

    Examples
    --------
    >>> X = np.random.default_rng(0).exponential(size=(500, 6)).astype("float32")
    >>> dimensions = TuningDimensions("pca", n_components=2).fit(X)
    >>> coordinates = dimensions.transform(X)
    >>> coordinates.shape, dimensions.inverse_transform(coordinates).shape
    ((500, 2), (500, 6))
    """

    def __init__(
        self,
        method: Decomposition | BaseEstimator = "ica",
        n_components: int = 16,
        random_state: Any = 0,
        *,
        n_neighbors: int = 15,
        subsample: int = 3000,
    ) -> None:
        self.method = method
        self.n_components = n_components
        self.random_state = random_state
        self.n_neighbors = n_neighbors
        self.subsample = subsample

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the dimensions of `X`.

        Parameters
        ----------
        X : DataArray, DataFrame or array, (n_samples, n_units)
            Rectified activation vectors, such as `sample_activations` gives. If a DataArray has a coordinate `unit`,
            its units are taken by their numbers, here and in `transform`, in whatever order they come.
        y : None
            Ignored.

        Raises
        ------
        ValueError
            If `n_components` is more than the data's rank or than the vectors less one, no unit varies, a
            value is NaN or infinite, NMF is given a negative one, there is no method of that name, or a
            decomposition of scikit-learn's does not reconstruct the vectors.
        TypeError
            If `method` is not a decomposition.
        """
        asked = asked_components(self.method, self.n_components, self.n_neighbors, self.subsample)
        self.streamed_ = isinstance(self.method, str) and self.method in STREAMED and is_large(X)
        for left_by_a_dictionary in ("dead_", "l0_"):
            self.__dict__.pop(left_by_a_dictionary, None)
        scores = self._fit_blocks(X, asked or 0) if self.streamed_ else self._fit_array(X, asked)
        self.n_components_ = self._n_features_out = scores.shape[1]
        self.score_mean_ = scores.mean(axis=0)
        shares = np.linspace(0, 1, QUANTILES)
        self.score_quantiles_ = np.stack([np.quantile(column, shares) for column in scores.T])
        histograms = [np.histogram(column, BINS) for column in scores.T]
        self.score_histogram_, self.score_edges_ = (np.stack(part) for part in zip(*histograms, strict=True))
        return self

    def _fit_array(self, X: Any, asked: int | None) -> np.ndarray:
        data = self._checked(X, reset=True).astype(np.float64)
        mask = self._varying(X, data.min(axis=0), data.max(axis=0), len(data))
        live = data[:, mask]
        if asked is not None:
            centered = self.method_name_ != "nmf"
            if not is_overcomplete(self.method):
                check_rank(asked, live, len(mask), self.sample_["n_images"], centered=centered)
        self._constants = np.where(mask, 0.0, data[0])
        wanted = Asked(self.n_components, self.random_state, self.n_neighbors, self.subsample)
        fitted = decompose(self.method, live, wanted)
        if isinstance(fitted, Linear):
            return self._arrange(fitted, fitted.encode(live), live.var(axis=0).sum())
        return self._follow(fitted)

    def _fit_blocks(self, X: xr.DataArray, asked: int) -> np.ndarray:
        self._checked(X.isel(sample=slice(0, 2)), reset=True)

        def whole() -> Iterator[np.ndarray]:
            return (self._checked(block, reset=False).astype(np.float64) for block in blocks_of(X))

        moments = Moments(whole)
        mask = self._varying(X, moments.low, moments.high, moments.n)
        if not is_overcomplete(self.method):
            rank = rank_of(moments.gram(mask, centered=self.method_name_ != "nmf"))
            check_enough(asked, moments.n, rank, int(mask.sum()), len(mask), self.sample_["n_images"])
        self._constants = np.where(mask, 0.0, moments.first)
        covariance = moments.covariance[np.ix_(mask, mask)]

        def live() -> Iterator[np.ndarray]:
            return (block[:, mask] for block in whole())

        fitted = decompose_blocks(
            self.method_name_, live, moments.mean[mask], covariance, moments.n, asked, self.random_state
        )
        # Of thousands of codes the scores of all vectors would not fit in memory: then every so many-th vector's do.
        every = -(-moments.n * asked // MOST_SCORES) if is_overcomplete(self.method) else 1
        scores = np.empty((-(-moments.n // every), asked))
        seen = first = 0
        for block in live():
            thinned = block[-seen % every :: every]
            scores[first : first + len(thinned)] = fitted.encode(thinned) if len(thinned) else 0
            seen, first = seen + len(block), first + len(thinned)
        return self._arrange(fitted, scores, float(np.trace(covariance)))

    def _varying(self, X: Any, low: np.ndarray, high: np.ndarray, n: int) -> np.ndarray:
        """Which units vary; what is known about the data goes into attributes.

        Raises
        ------
        ValueError
            No unit does, or NMF is given negative values.
        """
        self.method_name_ = self.method if isinstance(self.method, str) else type(self.method).__name__
        if self.method_name_ == "nmf" and isinstance(self.method, str) and low.min() < 0:
            raise ValueError(
                f"Negative values in data passed to NMF, down to {low.min():.3g}; rectify the activations "
                "(sample_activations does) or use 'pca' or 'ica'"
            )
        mask = np.asarray(high > low)
        if not mask.any():
            raise ValueError(
                f"none of the {len(mask)} units varies over these {n} vectors, so there is no "
                "dimension; choose another layer or other images"
            )
        source = X.attrs if isinstance(X, xr.DataArray) else {}
        self.sample_ = {
            "images": f"{a_type(X)} of vectors",
            "n_images": None,
            **source,
            "n_vectors": n,
        }
        self.unit_mask_ = mask
        return mask

    def transform(self, X: Any) -> np.ndarray:
        """Coordinates `(n_samples, k)` of vectors `(n_samples, n_units)`, in the vectors' dtype.

        Raises
        ------
        ValueError
            If there are not `n_features_in_` units, a DataArray's coordinate `unit` names others than those fitted, or
            a value is NaN or infinite.
        """
        check_is_fitted(self)
        data = self._checked(X, reset=False)
        live = data[:, self.unit_mask_].astype(np.float64)
        return self._map.encode(live).astype(data.dtype)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Vectors `(n, n_units)` at coordinates `(n, k)`, in the coordinates' dtype.

        Raises
        ------
        ValueError
            If there are not `n_components_` coordinates in each row, or one is NaN or infinite.
        """
        check_is_fitted(self)
        coordinates = check_array(X, dtype=[np.float64, np.float32], ensure_all_finite=False)
        check_finite(coordinates, "the coordinates")
        if coordinates.shape[1] != self.n_components_:
            raise ValueError(
                f"the coordinates have {coordinates.shape[1]} columns; "
                f"give {self.n_components_}, one for each dimension"
            )
        vectors = np.tile(self._constants, (len(coordinates), 1))
        vectors[:, self.unit_mask_] = self._map.decode(coordinates.astype(np.float64))
        return vectors.astype(coordinates.dtype)

    def _checked(self, X: Any, *, reset: bool) -> np.ndarray:
        check_are_vectors(X)
        if isinstance(X, xr.DataArray):
            # What was pickled by an earlier version has no names.
            X = in_unit_order(X, None if reset else getattr(self, "_unit_names", None))
            if reset:
                self._unit_names = unit_names(X)
            X = X.transpose(..., "unit").values if "unit" in X.dims else X.values
        elif reset:
            self._unit_names = None
        data: np.ndarray = validate_data(
            self,
            X,
            reset=reset,
            dtype=[np.float64, np.float32],
            ensure_all_finite=False,
            ensure_min_samples=2 if reset else 1,
        )
        check_finite(data, "the vectors")
        return data

    def _arrange(self, fitted: Linear, scores: np.ndarray, variance: float) -> np.ndarray:
        """Put dimensions in the order of their variance, give them their signs, and return their scores."""
        share = scores.var(axis=0) * (fitted.components**2).sum(axis=1) / variance
        order = np.argsort(-share, kind="stable")
        scores = scores[:, order]
        sign = _signs(scores, fitted.components[order])
        arranged = fitted.arranged(order, sign)
        self._map: Linear | Curved = arranged
        self.components_ = self._all_units(arranged.components)
        self.unmixing_ = self._all_units(arranged.unmixing)
        self.mean_ = self._constants + self._all_units(arranged.center)
        self.explained_variance_ratio_ = share[order]
        self.converged_ = fitted.converged
        if arranged.of_codes is not None:
            self.dead_, self.l0_ = arranged.of_codes
        scores *= sign
        return scores

    def _follow(self, fitted: Curved) -> np.ndarray:
        """Keep the order of a method that is not a linear map; give dimensions their signs and return their scores."""
        for left_by_another_method in ("components_", "unmixing_", "mean_"):
            self.__dict__.pop(left_by_another_method, None)
        fitted.flip(_signs(fitted.embedding, None))
        self._map = fitted
        self.explained_variance_ratio_ = np.full(fitted.embedding.shape[1], np.nan)
        self.converged_ = True
        return fitted.embedding

    def _all_units(self, values: np.ndarray) -> np.ndarray:
        """`(..., units that vary)` → `(..., units)`, 0 elsewhere."""
        full = np.zeros((*values.shape[:-1], len(self.unit_mask_)))
        full[..., self.unit_mask_] = values
        return full

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect of this estimator."""
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = isinstance(self.method, str) and self.method == "nmf"
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _signs(scores: np.ndarray, components: np.ndarray | None) -> np.ndarray:
    """`(k,)` of ±1 that make every dimension's skewness positive; scores that are all ≥ 0 keep their sign."""
    # A column at a time, as in the quantiles: several copies of all the scores would take most of the memory.
    tail = np.array([skew(column) for column in scores.T])
    sign = np.where(tail < 0, -1.0, 1.0)
    if components is not None:
        largest = np.take_along_axis(components, np.abs(components).argmax(axis=1)[:, None], axis=1)[:, 0]
        sign = np.where(np.abs(tail) < 1e-9, np.where(largest < 0, -1.0, 1.0), sign)
    return np.where(scores.min(axis=0) >= 0, 1.0, sign)
