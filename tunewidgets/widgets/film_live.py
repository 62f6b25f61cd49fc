"""The explorer off the film's grid: images for all sliders together, and those that the reader keeps.

In: a film record, its probe and the dimensions shown, one per row. Out: replies to the page, image after image, and the
film with the kept images in it. What is finished is remembered, so that going back is free.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from ..derived.pictures import webp
from ..live_protocols import LiveImage
from ..live_work import live_work
from .film_page import top_units
from .live import Reply

# Finished images that are remembered, bytes.
REMEMBERED = 32_000_000
# Coordinates this close, in decimals, are the same: what a page sends comes back unchanged.
DIGITS = 5

# Which probe a film takes.
PROBE = "the layer that the film was made for"

Rows = tuple[float, ...]


class Combinations:
    """All rows' coordinates at once.

    Raises
    ------
    TypeError
        If `probe` is none.
    ValueError
        If the film has no linear fit or no image, or the probe is not its own.
    """

    def __init__(self, film: xr.Dataset, shown: Sequence[int], probe: Any) -> None:
        self._film, self._shown = film, list(shown)
        self._images = live_work(probe, PROBE).film(film)
        self.home: Rows = self._rows(self._images.space.home)
        self._finished: OrderedDict[Rows, LiveImage] = OrderedDict()
        self.kept: dict[Rows, LiveImage] = {}

    def rows(self, coordinates: Any) -> Rows:
        """Coordinates as the page sent them: one number per row.

        Raises
        ------
        ValueError
            If they are anything else.
        """
        numbers = isinstance(coordinates, list) and all(type(each) in (int, float) for each in coordinates)
        if not numbers or len(coordinates) != len(self._shown) or not np.isfinite(coordinates).all():
            raise ValueError(
                f"coordinates is {coordinates!r}; give a number for each of {len(self._shown)} rows"
            )
        return tuple(round(float(each), DIGITS) + 0.0 for each in coordinates)

    def completed(self, given: Mapping[int, float], before: Sequence[float]) -> list[float]:
        """Coordinates of all rows: those given by row, the others as before, or where the film holds them."""
        rows = list(before or self.home)
        for row, coordinate in given.items():
            rows[row] = float(coordinate)
        return rows

    def grow(self, rows: Rows) -> Iterator[Reply]:
        """The image at these coordinates as it comes, and what is known of its target."""
        done = self._finished.get(rows)
        if done is not None:
            self._finished.move_to_end(rows)
            yield self._reply_of(rows, done)
            return
        for image in self._images.grow(self._coordinates(rows)):
            if image.step == image.steps:
                self._remember(rows, image)
            yield self._reply_of(rows, image)

    def keep(self, rows: Rows, make: bool) -> None:
        """Put the finished image at these coordinates among those that go into the record; `make` it if it is not yet.

        Raises
        ------
        ValueError
            If it is not finished.
        """
        if make:
            for _ in self.grow(rows):
                pass
        if rows not in self._finished:
            raise ValueError("this image is not finished yet; add it when it is")
        self.kept[rows] = self._finished[rows]

    def into(self, film: xr.Dataset) -> xr.Dataset:
        """The film with the kept images, after those that it had."""
        if not self.kept:
            return film
        new = {
            "combined_image": np.stack([image.image for image in self.kept.values()]),
            "combined_coordinate": np.stack([self._coordinates(rows) for rows in self.kept]).astype(
                np.float32
            ),
            "combined_cosine": np.array([image.cosine for image in self.kept.values()], np.float32),
        }
        dims = {
            "combined_image": ("y", "x", "rgb"),
            "combined_coordinate": ("dimension",),
            "combined_cosine": (),
        }
        columns = {
            name: (
                ("combination", *dims[name]),
                np.concatenate([film[name].values, values]) if name in film else values,
            )
            for name, values in new.items()
        }
        return film.drop_vars(new, errors="ignore").assign(columns)

    def _reply_of(self, rows: Rows, image: LiveImage) -> Reply:
        target = self._images.space.target(self._coordinates(rows))
        nearest = self._images.space.nearest(target)
        [units], [weights] = top_units(target[None].astype(np.float32))
        facts = {
            "coordinates": list(rows),
            "step": image.step,
            "steps": image.steps,
            "cosine": float(f"{image.cosine:.4g}"),
            "units": units,
            "weights": [float(f"{weight:.4g}") for weight in weights],
            "from": [self._row_of(nearest.dimension), nearest.dimension, nearest.point],
        }
        return Reply(facts, [webp(image.image)])

    def _row_of(self, dimension: int) -> int | None:
        return self._shown.index(dimension) if dimension in self._shown else None

    def _remember(self, rows: Rows, image: LiveImage) -> None:
        self._finished[rows] = image
        while len(self._finished) * image.image.nbytes > REMEMBERED and len(self._finished) > 1:
            self._finished.popitem(last=False)

    def _rows(self, coordinates: np.ndarray) -> Rows:
        return tuple(round(float(each), DIGITS) + 0.0 for each in coordinates[self._shown])

    def _coordinates(self, rows: Rows) -> np.ndarray:
        """Coordinates along all of the film's dimensions: those that are not shown stay where the film holds them."""
        return self._images.space.completed(dict(zip(self._shown, rows, strict=True)))


def kept_in(film: xr.Dataset, shown: Sequence[int], kept: Mapping[Rows, LiveImage]) -> list[dict[str, Any]]:
    """The combined images of a film and of this session, as the page shows them."""
    found = []
    if "combined_image" in film:
        coordinates = film["combined_coordinate"].values[:, list(shown)]
        cosines = film["combined_cosine"].values if "combined_cosine" in film else np.zeros(0)
        for at, image in enumerate(film["combined_image"].values):
            rows = [round(float(each), DIGITS) for each in coordinates[at]]
            cosine = float(f"{cosines[at]:.4g}") if at < len(cosines) else None
            found.append({"coordinates": rows, "cosine": cosine, "image": webp(image)})
    for own, made in kept.items():
        found.append(
            {"coordinates": list(own), "cosine": float(f"{made.cosine:.4g}"), "image": webp(made.image)}
        )
    return found
