"""Observers: who decides which of two patches looks more like the references.

In: a name, a probe or a callable. Out: something that embeds pictures, so that their squared distance says how unlike
they are, or that says itself how alike pictures and references are.
"""

import os
import warnings
from collections.abc import Callable
from typing import Any, Protocol, TypeGuard

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr

from tunewidgets._checks import a_type
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.readability.lpips import Lpips, heads_file
from tunewidgets.kernels.readability.texture import Texture

NAMES = ("auto", "lpips", "texture")
AT_ONCE = 32
# From pictures (n, y, x, 3) and references (m, y, x, 3), uint8, to their likeness (n, m).
Likeness = Callable[[np.ndarray, np.ndarray], Any]


class Observer(Protocol):
    """Compares pictures by the squared distance of their features; `alpha` makes a probability of a preference."""

    name: str
    alpha: float | None

    def embed(self, pictures: np.ndarray) -> np.ndarray:
        """Features `(N, F)` of pictures `(N, y, x, 3)` uint8."""
        ...


class Watching:
    """A layer of a network as an observer: pictures are alike where it responds alike, on average over positions."""

    alpha: float | None = None

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.name = f"{type(probe.model).__name__}, {probe.layer}"

    def embed(self, pictures: np.ndarray) -> np.ndarray:
        """Mean responses `(N, units)` of length 1."""
        parts = []
        for start in range(0, len(pictures), AT_ONCE):
            batch = (
                torch.from_numpy(np.ascontiguousarray(pictures[start : start + AT_ONCE])).movedim(3, 1) / 255
            )
            if tuple(batch.shape[2:]) != self.probe.image_size:
                batch = F.interpolate(
                    batch, self.probe.image_size, mode="bilinear", antialias=True, align_corners=False
                ).clamp(0, 1)
            values = self.probe.rectified(batch)
            mean = values.mean((2, 3)) if values.ndim == 4 else values
            parts.append(F.normalize(mean, dim=1).cpu().numpy())
        return np.concatenate(parts)


def is_observer(value: Any) -> TypeGuard[Observer]:
    """Whether this embeds pictures."""
    return callable(getattr(value, "embed", None))


def chosen(observer: Any, record: xr.Dataset) -> tuple[Observer | Likeness, str, float | None]:
    """What decides, what it is called, and its `alpha`.

    Raises
    ------
    ValueError
        There is no observer of that name.
    TypeError
        It is none of a name, a probe and a callable.
    ModuleNotFoundError, FileNotFoundError
        What LPIPS needs is not there.

    Warns
    -----
    UserWarning
        The observer is the network that the record is of.
    """
    found: Any = observer
    if isinstance(observer, str):
        if observer not in NAMES:
            raise ValueError(
                f"observer is {observer!r}; choose one of {', '.join(map(repr, NAMES))}, or give a tw.Probe or a "
                "function of pictures and references"
            )
        found = _best() if observer == "auto" else Lpips() if observer == "lpips" else Texture()
    elif isinstance(observer, Probe):
        found = Watching(observer)
    elif not callable(observer) and not is_observer(observer):
        raise TypeError(
            f"observer is {a_type(observer)}; give one of {', '.join(map(repr, NAMES))}, a tw.Probe, or a function of "
            "pictures and references"
        )
    if _is_the_probed_network(found, record):
        warnings.warn(
            f"the observer is the network that was probed ({record.attrs['model']}): that it finds its own dimensions "
            "readable says nothing of people; choose another observer",
            UserWarning,
            stacklevel=3,
        )
    name = str(getattr(found, "name", None) or getattr(found, "__name__", None) or type(found).__name__)
    return found, name, getattr(found, "alpha", None)


def _best() -> Observer:
    """LPIPS where its heads and its network are at hand, else what needs neither."""
    if heads_file() is None or not os.environ.get("TUNEWIDGETS_DATA"):
        return Texture()
    try:
        return Lpips()
    except FileNotFoundError:
        return Texture()


def _is_the_probed_network(observer: Any, record: xr.Dataset) -> bool:
    if isinstance(observer, Watching):
        return bool(observer.probe.provenance()["model_sha256"] == record.attrs["model_sha256"])
    # LPIPS uses a part of it, whose fingerprint is another.
    return isinstance(observer, Lpips) and str(record.attrs["model"]) == "SqueezeNet"
