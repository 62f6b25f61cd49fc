"""Locally linear embedding with a way back, which scikit-learn's lacks.

In: vectors `(n, units)`. Out: coordinates on a curved manifold through a subsample of them, also for new
vectors, and vectors for new coordinates. Unstable: another subsample of the same data gives other dimensions.
"""

import numpy as np
from sklearn.manifold import LocallyLinearEmbedding
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state

# A share of the trace of the local covariance, as in scikit-learn's weights.
REGULARIZATION = 1e-3


class InvertibleLLE:
    """Locally linear embedding (Roweis and Saul, 2000) of a subsample, with a barycentric inverse.

    Parameters
    ----------
    n_components : int
        Dimensions of the embedding.
    n_neighbors : int
        How many neighbors a vector, and on the way back a point of the embedding, is a mixture of.
    subsample : int
        How many distinct vectors are embedded; drawn by `random_state` where there are more.
    random_state : int, RandomState or None

    Attributes
    ----------
    embedding : ndarray, (m, k)
        Coordinates of the embedded vectors, each of mean 0 and variance 1.
    vectors : ndarray, (m, units)
        The embedded vectors.
    """

    def __init__(self, n_components: int, n_neighbors: int, subsample: int, random_state: object) -> None:
        self.n_components = n_components
        self.n_neighbors = n_neighbors
        self.subsample = subsample
        self.random_state = random_state

    def fit(self, X: np.ndarray) -> "InvertibleLLE":
        """Embed a subsample of `X`, `(n, units)`.

        Raises
        ------
        ValueError
            If there are not more distinct vectors than `n_neighbors`.
        """
        rng = check_random_state(self.random_state)
        self.vectors = self._distinct(X, rng)
        m = len(self.vectors)
        if m <= self.n_neighbors:
            raise ValueError(
                f"LLE mixes n_neighbors={self.n_neighbors} vectors, but there are only {m} distinct ones; "
                "give more images or fewer neighbors"
            )
        seed = int(rng.randint(2**31 - 1))
        try:
            self._lle = self._embedded("arpack", seed)
        except ValueError:
            # Vectors that fall into separate groups make the sparse solver's matrix singular.
            self._lle = self._embedded("dense", seed)
        raw = self._lle.embedding_
        self._shift, self._scale = raw.mean(axis=0), raw.std(axis=0)
        self.embedding = (raw - self._shift) / self._scale
        self._near = NearestNeighbors(n_neighbors=self.n_neighbors).fit(self.embedding)
        return self

    def encode(self, X: np.ndarray) -> np.ndarray:
        """Coordinates `(n, k)` of vectors `(n, units)`: those nearest in the subsample, in the same mixture."""
        return (self._lle.transform(X) - self._shift) / self._scale

    def decode(self, S: np.ndarray) -> np.ndarray:
        """Vectors `(n, units)` at coordinates `(n, k)`: those nearest in the embedding, in the same mixture."""
        near = self._near.kneighbors(S, return_distance=False)
        weights = barycentric_weights(S, self.embedding[near])
        return np.einsum("nj,nju->nu", weights, self.vectors[near])

    def flip(self, sign: np.ndarray) -> None:
        """Turn the dimensions around whose `sign`, `(k,)`, is -1."""
        self._scale = self._scale * sign
        self.embedding = self.embedding * sign
        self._near = NearestNeighbors(n_neighbors=self.n_neighbors).fit(self.embedding)

    def _distinct(self, X: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
        # Copies are left out (rectified vectors are often all zero): neighbors that are equal give no direction.
        drawn = X[rng.permutation(len(X))[: 2 * self.subsample]]
        first = np.unique(drawn, axis=0, return_index=True)[1]
        return drawn[np.sort(first)[: self.subsample]]

    def _embedded(self, solver: str, seed: int) -> LocallyLinearEmbedding:
        lle = LocallyLinearEmbedding(
            n_neighbors=self.n_neighbors,
            n_components=self.n_components,
            reg=REGULARIZATION,
            eigen_solver=solver,
            random_state=seed,
        )
        return lle.fit(self.vectors)


def barycentric_weights(points: np.ndarray, neighbors: np.ndarray) -> np.ndarray:
    """Weights that add up to 1 and mix each point best from its neighbors.

    Parameters
    ----------
    points : ndarray, (n, k)
    neighbors : ndarray, (n, j, k)

    Returns
    -------
    ndarray, (n, j)

    Examples
    --------
    >>> barycentric_weights(np.array([[1.0]]), np.array([[[0.0], [4.0]]])).round(2)
    array([[0.75, 0.25]])
    """
    difference = neighbors - points[:, None]
    gram = difference @ difference.transpose(0, 2, 1)
    trace = np.trace(gram, axis1=1, axis2=2)
    ridge = REGULARIZATION * np.where(trace > 0, trace, 1)
    gram += ridge[:, None, None] * np.eye(gram.shape[1])
    weights = np.linalg.solve(gram, np.ones((*gram.shape[:2], 1)))[..., 0]
    return weights / weights.sum(axis=1, keepdims=True)
