"""A film's space: coordinates along all dimensions at once, where the film itself moves along one at a time.

In: a film record with a linear fit. Out: the activations that any combination of coordinates asks for, and the film's
own image that comes nearest to them. Needs only the record; imports no torch.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

__all__ = ["FilmPoint", "FilmSpace"]


class FilmPoint(NamedTuple):
    """One image of a film: its dimension and its point."""

    dimension: int
    point: int


class FilmSpace:
    """What coordinates along all of a film's dimensions together ask for.

    Parameters
    ----------
    film : xarray.Dataset
        A film record with a linear fit.

    Attributes
    ----------
    home : ndarray, (dimensions,)
        Where the film holds the other dimensions while one of them moves: their mean, or 0.

    Raises
    ------
    ValueError
        If the film has no linear fit, as one made with LLE has none.
    """

    def __init__(self, film: xr.Dataset) -> None:
        if "component" not in film:
            raise ValueError(
                "this film's method has no linear fit, so its dimensions can't be combined; use a film made with "
                "'pca', 'ica' or 'nmf'"
            )
        self._component = film["component"].values.astype(np.float64)
        self._targets = film["target"].values.astype(np.float64)
        self._shown = film["status"].values == ""
        coordinate = film["coordinate"].values.astype(np.float64)
        scores = (self._targets - film["center"].values) @ film["unmixing"].values.T.astype(np.float64)
        count = len(coordinate)
        others = ~np.eye(count, dtype=bool)
        # The film does not record where it held the other dimensions, but its targets show it.
        held = scores.mean(1)
        self.home = np.array(
            [held[others[at], at].mean() if count > 1 else coordinate[at].mean() for at in range(count)]
        )
        self._start = self.home.copy()
        self._start[0] = coordinate[0, 0]

    def target(self, coordinates: Sequence[float] | np.ndarray) -> np.ndarray:
        """The activations `(unit,)` that these coordinates, one per dimension, ask for: the inverse transform."""
        away = np.asarray(coordinates, dtype=np.float64) - self._start
        return np.asarray(self._targets[0, 0] + away @ self._component)

    def completed(self, given: Mapping[int, float]) -> np.ndarray:
        """Coordinates along all dimensions: those given, and for the others the value at which the film holds them."""
        coordinates = self.home.copy()
        for dimension, coordinate in given.items():
            coordinates[dimension] = coordinate
        return coordinates

    def nearest(self, target: np.ndarray) -> FilmPoint:
        """The image of the film whose rectified target points most nearly in the direction of this one."""
        wanted = np.maximum(target, 0)
        known = np.maximum(self._targets, 0)
        lengths = np.linalg.norm(known, axis=2)
        cosine = np.divide(known @ wanted, lengths, out=np.full(lengths.shape, -1.0), where=lengths > 0)
        cosine[~self._shown] = -np.inf
        dimension, point = np.unravel_index(int(cosine.argmax()), cosine.shape)
        return FilmPoint(int(dimension), int(point))
