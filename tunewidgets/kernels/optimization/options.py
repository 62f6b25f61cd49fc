"""The options of how images are made: their defaults, their checks, and the key by which a store is resumed.

In: the options of `visualize` as they were given. Out: one object that everything below the public names passes on.
Each "auto" is still undecided in it; `recipes` decides them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, get_args

import numpy as np
from torch import Tensor

from tunewidgets._checks import STEPS, Auto, a_type, is_number, is_whole
from tunewidgets.kernels.canvas.canvases import CanvasName, canvas_name, check_canvas
from tunewidgets.kernels.canvas.jitter import Jitter
from tunewidgets.kernels.optimization.loop import OPTIMIZERS, Optimizer, Precision
from tunewidgets.kernels.optimization.scores import STAGES, Stage
from tunewidgets.kernels.optimization.starts import checked_images, digest_of
from tunewidgets.kernels.studies.store import plain

# What the images of a store were made with if it does not mention an option. An earlier version wrote it, so these are
# the defaults of that time, whatever they are now.
LEFT_OUT = {
    "size": "auto",
    "canvas": "fourier",
    "restarts": 1,
    "chunk": "auto",
    "optimizer": "adam",
    "lr": "auto",
    "jitter": None,
    "objective_at": "leaky",
    "checkpoints": "()",
    "precision": "auto",
    "band": None,
    "contrast": "auto",
    "floats": False,
    "start": None,
    "leave": None,
    "importance": False,
}


@dataclass(frozen=True, eq=False)
class ImageOptions:
    """Everything that changes an image and that a caller may choose, as `visualize` documents it.

    Raises
    ------
    ValueError, TypeError
        An option is outside its range, or two of them exclude each other.
    """

    size: int | Auto = "auto"
    steps: int = STEPS
    canvas: CanvasName = "fourier"
    restarts: int = 1
    seed: int = 0
    chunk: int | Auto = "auto"
    optimizer: Optimizer = "adam"
    lr: float | Auto = "auto"
    jitter: Jitter | None = None
    objective_at: Stage = "leaky"
    checkpoints: Sequence[int] = ()
    precision: Precision = "auto"
    band: float | Auto | None = None
    contrast: float | Auto | None = "auto"
    floats: bool = False
    start: Tensor | np.ndarray | None = None
    leave: float | None = None
    importance: bool | None = None

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(
                f"optimizer is {self.optimizer!r}; choose one of {', '.join(map(repr, OPTIMIZERS))}."
            )
        if self.objective_at not in STAGES:
            raise ValueError(
                f"objective_at is {self.objective_at!r}; choose one of {', '.join(map(repr, STAGES))}."
            )
        self._check_numbers()
        self._check_canvas()
        self._check_search()
        _check_start(self.start, self.leave)
        importance = self.canvas == "maco" if self.importance is None else bool(self.importance)
        object.__setattr__(self, "importance", importance)
        if self.optimizer == "cma":
            self._check_without_gradient()

    @classmethod
    def of_record(cls, settings: Mapping[str, Any], seed: int, **changes: Any) -> Self:
        """Options to make more images as a record's own were made, one at a time; its settings contain no "auto"."""
        same = ("size", "steps", "lr", "objective_at", "precision", "band")
        made: dict[str, Any] = {name: settings[name] for name in same}
        made |= {
            "canvas": canvas_name(settings["canvas"]),
            "jitter": Jitter(**settings["jitter"]),
            # A record from before contrast was bounded does not mention it.
            "contrast": settings.get("contrast"),
            "seed": seed,
            "chunk": 1,
            "importance": False,
        }
        return cls(**(made | changes))

    def key(self) -> dict[str, Any]:
        """Every option as plain values: what a store is resumed by."""
        options = {field.name: getattr(self, field.name) for field in fields(self)}
        return plain(options | {"start": None if self.start is None else digest_of(self.start)})

    def key_within(self, *beside: str) -> dict[str, Any]:
        """The key of a record that holds more than images: options `beside` its own, all others as "image_options"."""
        key = self.key()
        return {**{name: key.pop(name) for name in beside}, "image_options": key}

    def _check_numbers(self) -> None:
        if self.size != "auto" and not is_whole(self.size, 2):
            raise ValueError(f"size is {self.size!r}; give the side in pixels or 'auto'.")
        for name in ("steps", "restarts"):
            number = getattr(self, name)
            if not is_whole(number, 1):
                raise ValueError(f"{name} is {number!r}; give a whole number of at least 1.")
        if not is_whole(self.seed):
            raise ValueError(f"seed is {self.seed!r}; give a whole number.")
        # They may hold duplicates, or come from an iterator.
        object.__setattr__(self, "checkpoints", tuple(sorted(set(checked_steps(self.checkpoints)))))
        late = [step for step in self.checkpoints if not 0 < step <= self.steps]
        if late:
            raise ValueError(f"checkpoint {late[0]} is not among steps 1 to {self.steps}.")

    def _check_canvas(self) -> None:
        band, contrast = self.band, self.contrast
        if not (band is None or band == "auto" or (isinstance(band, float) and band > 0)):
            raise ValueError(
                f"band is {band!r}; give a frequency in cycles per pixel, such as 0.25, 'auto' or None."
            )
        if self.canvas == "pixel" and band not in (None, "auto"):
            raise ValueError(
                f"band is {band!r}, but canvas='pixel' has no frequencies to leave out; leave out band, or give "
                "canvas='fourier' or 'maco'."
            )
        if not (contrast is None or contrast == "auto" or _is_positive(contrast)):
            raise ValueError(
                f"contrast is {contrast!r}; give the largest standard deviation of an image's logits, such as 1.2, "
                "'auto' or None for no bound."
            )
        check_canvas(self.canvas, None if isinstance(contrast, str) else contrast)

    def _check_search(self) -> None:
        """Check what moves the parameters; without a gradient, some options have another meaning."""
        searched = self.optimizer == "cma"
        lr, chunk = self.lr, self.chunk
        if lr != "auto" and not _is_positive(lr):
            raise ValueError(
                f"lr is {lr!r}; give the initial spread of the parameters, such as 2.0, or 'auto'."
                if searched
                else f"lr is {lr!r}; give Adam's step, a number above 0, or 'auto'."
            )
        if self.jitter is not None and not isinstance(self.jitter, Jitter):
            raise TypeError(
                f"jitter is {a_type(self.jitter)}; give tw.Jitter(shift, scale, turn), or None for the "
                "default."
            )
        if self.precision not in get_args(Precision):
            raise ValueError(f"precision is {self.precision!r}; choose 'auto', 'float32' or 'bfloat16'.")
        if chunk != "auto" and not is_whole(chunk, 4 if searched else 1):
            raise ValueError(
                f"chunk is {chunk!r}; give the population, how many images make a generation: 4 or more, or 'auto'."
                if searched
                else f"chunk is {chunk!r}; give how many images go through the network together, or 'auto'."
            )

    def _check_without_gradient(self) -> None:
        if self.precision == "bfloat16":
            raise ValueError(
                "precision is 'bfloat16', but optimizer='cma' runs the network in float32; leave it out, or give "
                "optimizer='adam'."
            )
        if self.canvas == "maco":
            raise ValueError(
                "optimizer='cma' searches a few parameters, and canvas='maco' has a phase for every frequency; give "
                "canvas='fourier' or 'pixel', or optimizer='adam'."
            )
        if self.start is not None:
            raise ValueError(
                "optimizer='cma' searches around gray and can't start from an image; leave out start, or give "
                "optimizer='adam'."
            )
        if self.importance:
            raise ValueError(
                "importance is computed from gradients, which optimizer='cma' does without; leave it out, or give "
                "optimizer='adam'."
            )


def left_out(*names: str) -> dict[str, Any]:
    """What a store implies that does not mention these options."""
    return {name: LEFT_OUT[name] for name in names}


def checked_steps(checkpoints: Any, also: str = "") -> list[int]:
    """The steps of `checkpoints`, as plain numbers; `also` is what else may be given.

    Raises
    ------
    ValueError
        They are no whole numbers in a list or the like.
    """
    given = checkpoints.tolist() if isinstance(checkpoints, np.ndarray | Tensor) else checkpoints
    listed = isinstance(given, Iterable) and not isinstance(given, str)
    steps: list[Any] = list(given) if listed else [None]
    if not all(is_whole(step) for step in steps):
        raise ValueError(f"checkpoints is {checkpoints!r}; give steps, such as (16, 64){also}.")
    return [int(step) for step in steps]


def _check_start(start: Any, leave: Any) -> None:
    if leave is not None:
        if start is None:
            raise ValueError(
                f"leave is {leave!r}, but there is no image to leave; give start=, an image to start from."
            )
        if not _is_positive(leave):
            raise ValueError(
                f"leave is {leave!r}; give the largest relative distance from the start in the layer, such as 0.5, or "
                "None for no bound."
            )
    if start is not None:
        checked_images(start)


def _is_positive(value: Any) -> bool:
    return is_number(value) and 0 < float(value) < float("inf")
