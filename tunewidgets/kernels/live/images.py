"""Live images: the image for any combination of a film's coordinates, seen as it grows.

In: a film record, its probe and a coordinate along each dimension. Out: the image after every few steps, starting from
the film's nearest one. Steps are short, so the work stops as soon as the caller takes no more images. The same film,
probe, coordinates and number of steps give the same image, whatever was requested before.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import xarray as xr

from tunewidgets.derived.film_space import FilmSpace
from tunewidgets.kernels.live.steps import apart, climb, leave_a_core
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.optimization.contrast import linearity
from tunewidgets.kernels.optimization.directions import At, Direction, Mode
from tunewidgets.kernels.optimization.gallery import to_uint8
from tunewidgets.kernels.optimization.loop import Ascent, Job, Recipe
from tunewidgets.kernels.optimization.options import ImageOptions
from tunewidgets.kernels.optimization.recipes import choose_canvas, make_recipe
from tunewidgets.kernels.tuning.films import START_NOISE, achieved
from tunewidgets.kernels.tuning.places import check_probe
from tunewidgets.live_protocols import LiveImage
from tunewidgets.records import settings_of

# From the film's nearest image, this many steps get as far as 128 steps from noise, which the film's own images take.
STEPS = 48


class LiveImages:
    """A film's images off its grid.

    Parameters
    ----------
    film : xarray.Dataset
        A film record with a linear fit.
    probe : Probe
        The layer that it was made for.

    Raises
    ------
    ValueError
        If the film has no linear fit or no image at all, or was made for another layer or with other weights.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")
    >>> sample = tw.sample_activations(probe, tw.zoo.images("dead-leaves", n=8, size=64), n=2000)
    >>> dims = tw.TuningDimensions("pca", 2).fit(sample)
    >>> film = tw.render_film(probe, dims, points=3, size=32, steps=4, progress=False)
    >>> *_, last = LiveImages(film, probe).grow([0.5, -0.5], steps=4)
    >>> last.step, last.image.shape
    (4, (32, 32, 3))
    """

    def __init__(self, film: xr.Dataset, probe: Probe) -> None:
        self.space = FilmSpace(film)
        check_probe(film, probe)
        settings = settings_of(film)
        if "canvas" not in settings:
            raise ValueError("this film has no image to start from; render one of its dimensions first")
        self._film, self._probe, self._settings = film, apart(probe), settings

    def grow(self, coordinates: Sequence[float] | np.ndarray, steps: int = STEPS) -> Iterator[LiveImage]:
        """The image for these coordinates: the film's nearest one at once, then how it develops.

        Raises
        ------
        ValueError
            If no unit is to respond there.
        """
        target = self.space.target(coordinates)
        mode: Mode = self._settings["mode"]
        place = self._settings["at"]
        at: At = tuple(place) if isinstance(place, list) else place
        vector = (target if mode == "cosine" else np.maximum(target, 0)).astype(np.float32)
        if not vector.any():
            raise ValueError("no unit is to respond at these coordinates; move a slider toward its middle")
        nearest = self._film["image"].isel(self.space.nearest(target)._asdict()).values
        yield self._seen(nearest, 0, steps, vector, at)
        leave_a_core(self._probe)
        goal = Direction(vector, mode, at)
        recipe = self._recipe(goal, steps)
        job = Job(0, f"{self._probe.origin}/live")
        [start] = recipe.canvas.parameters(_as_batch(nearest))
        ascent = Ascent(self._probe, goal, [job], recipe, {job: start})
        while ascent.done < steps:
            climb(ascent, steps)
            image = to_uint8(ascent.measure()[0][0].movedim(0, -1).cpu().numpy())
            yield self._seen(image, ascent.done, steps, vector, at)

    def _seen(self, image: np.ndarray, step: int, steps: int, vector: np.ndarray, at: At) -> LiveImage:
        reached = achieved(self._probe, _as_batch(image), torch.from_numpy(vector[None]), at)
        return LiveImage(step, steps, image, float(reached[0]))

    def _recipe(self, goal: Direction, steps: int) -> Recipe:
        """The film's own, with fewer steps: an image that starts close to its goal has less far to go."""
        options = ImageOptions.of_record(self._settings, int(self._film.attrs["seed"]), steps=steps)
        linear = linearity(self._probe, self._settings["size"])
        canvas = choose_canvas(self._probe, options, self._settings["size"], linear, START_NOISE)
        return make_recipe(self._probe, goal, canvas, 1, options, linear)


def _as_batch(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image)).movedim(-1, 0)[None].float() / 255
