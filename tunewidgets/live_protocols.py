"""What a widget may ask of a network while a reader looks, as protocols, so that widgets and kernels need not know each
other.

In: nothing. Out: protocols, which the kernels in `kernels/live` fulfill and widgets call, and the values that pass
between them; images are made in short steps, one after another. `live_work` brings the two together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import xarray as xr

from .derived.film_space import FilmSpace


@dataclass(frozen=True)
class LiveImage:
    """An unfinished image after `step` of `steps`, `(y, x, 3)` uint8, and the cosine it has reached."""

    step: int
    steps: int
    image: np.ndarray
    cosine: float


class FilmWork(Protocol):
    """A film's images off its grid."""

    @property
    def space(self) -> FilmSpace: ...

    def grow(self, coordinates: Sequence[float] | np.ndarray) -> Iterator[LiveImage]:
        """The image for a coordinate along each of the film's dimensions, as it comes; the last one is finished."""


@dataclass(frozen=True)
class Rendered:
    """A finished image, `(y, x, 3)` uint8, and the layer's response to it, `(U,)` float32.

    `responses`, `(len(at), U)`, are those to the image as it was after `at` steps, the finished one last. `status` is
    empty, or says what is wrong with the image. `display_image`, `(y, x, 3)` uint8, is the unit's image for the eye
    where that is a different one, `display` says which kind it is, and `display_response` is the unit's response to it.
    """

    unit: int
    objective: str
    restart: int
    steps: int
    image: np.ndarray
    response: np.ndarray
    status: str
    at: tuple[int, ...]
    responses: np.ndarray
    display_image: np.ndarray | None = None
    display: str = ""
    display_response: float | None = None


class UnitLook(NamedTuple):
    """A unit's unfinished image, `(y, x, 3)` uint8, the unit's response to it, and its RS; None where unknown."""

    image: np.ndarray
    own: float | None
    rs: float | None


class Growing(Protocol):
    """An image that is being made, after `step` of `steps`; at the end it is in `rendered`."""

    @property
    def step(self) -> int: ...

    @property
    def steps(self) -> int: ...

    @property
    def rendered(self) -> Rendered | None: ...

    def look(self) -> UnitLook: ...


class UnitsWork(Protocol):
    """One layer's record while its images are made, and what makes them."""

    @property
    def now(self) -> xr.Dataset:
        """The record itself, whose arrays change in place, so that a view of it sees it grow."""

    @property
    def objectives(self) -> tuple[str, ...]: ...

    @property
    def is_full(self) -> bool:
        """Whether every unit has its images, good or bad."""

    def waits(self, unit: int) -> list[str]:
        """The objectives for which a unit has no image yet."""

    def waiting_units(self, selected: Sequence[int] = ()) -> list[int]:
        """The units that wait: the selected ones, then the most class-selective, the dead last."""

    def tries(self, unit: int, objective: str, task: str) -> list[tuple[int, int]]:
        """The restarts that a task for a unit needs, and with how many steps each.

        `task`: its first "image", another "restart", or the same one for "longer".
        """

    def steps_of(self, unit: int, objective: str) -> int:
        """The most steps that the unit's image was tried with."""

    def grow(self, unit: int, objective: str, restart: int, steps: int) -> Iterator[Growing]:
        """A unit's image from its noise on."""

    def add(self, made: Rendered) -> bool:
        """Add an image to the record; returns whether it is the unit's image from now on."""

    def compare(self) -> Iterator[None]:
        """Find which units respond alike, in steps."""

    def record(self) -> xr.Dataset:
        """The record as it is now, for good."""


class PhotoPlaces(NamedTuple):
    """Where a photo falls along a film's dimensions.

    `coordinates`, `(dimensions, rows, columns)` float32, of each position of the layer's map; `step`, the pixels down
    and across from one position to the next.
    """

    coordinates: np.ndarray
    step: tuple[int, int]


class LiveWork(Protocol):
    """All of it, for one probe. A record of another layer or model raises a ValueError."""

    def film(self, film: xr.Dataset) -> FilmWork: ...

    def units(
        self, layers: Mapping[str, xr.Dataset], options: Mapping[str, Any] | None
    ) -> Mapping[str, UnitsWork]:
        """By layer; `options` of `visualize` for the layers without images."""

    def places(self, film: xr.Dataset, photo: np.ndarray) -> PhotoPlaces:
        """Of a photo `(H, W, 3)` uint8."""
