"""Images to go on from, as whoever has them gives them.

In: one image for all targets or one for each. Out: each target's parameters on a canvas, and a digest by which a store
knows the images.
"""

import hashlib
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tunewidgets.kernels.canvas.canvases import Canvas
from tunewidgets.zoo.pictures import fit, in_unit_range

# Adam's step from a photograph, of that from noise: longer ones tear the photograph, swing about a bound on leaving and
# respond less within it.
GENTLE = 1 / 16


@dataclass(frozen=True)
class Starts:
    """Images `(1 or targets, 3, size, size)` to go on from, and the digest of what they were before resizing."""

    images: Tensor
    digest: str

    def parameters(self, canvas: Canvas, target: int) -> Tensor:
        """What the canvas makes of a target's image."""
        # One at a time: how many are transformed together may decide the last bits.
        [parameters] = canvas.parameters(self.images[target % len(self.images)][None])
        return parameters


def as_starts(start: Any, leave: float | None, targets: int, size: int) -> Starts | None:
    """The images of `start`, fitted to a canvas; None where there are none.

    Raises
    ------
    TypeError, ValueError
        They are no images in [0, 1], or not one for all or one for each target; `leave` is no positive number, or
        there is nothing to leave.
    """
    if leave is not None:
        if start is None:
            raise ValueError(
                f"leave is {leave!r}, but there is no image to leave; give start=, an image to go on from."
            )
        if isinstance(leave, bool) or not isinstance(leave, Real) or not 0 < leave < float("inf"):
            raise ValueError(
                f"leave is {leave!r}; give the largest relative distance from the start in the layer, such as 0.5, or "
                "None for no bound."
            )
    if start is None:
        return None
    if not isinstance(start, Tensor | np.ndarray):
        raise TypeError(
            f"start is a {type(start).__name__}; give a tensor or array, (3, H, W) for all targets or one for each, "
            "(N, 3, H, W)."
        )
    given = (
        torch.from_numpy(np.ascontiguousarray(start))
        if isinstance(start, np.ndarray)
        else start.detach().cpu()
    )
    if given.ndim not in (3, 4) or given.shape[-3] != 3:
        raise ValueError(
            f"start has shape {tuple(given.shape)}; give (3, H, W) for all targets or (N, 3, H, W), one for each."
        )
    batch = in_unit_range(given, "start").reshape(-1, *given.shape[-3:])
    if given.ndim == 4 and len(batch) != targets:
        raise ValueError(
            f"start has {len(batch)} images for {targets} targets; give one for each, or one (3, H, W) for all."
        )
    pixels = batch.contiguous().numpy()
    digest = hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes()).hexdigest()[:12]
    return Starts(torch.cat([fit(image[None], size) for image in batch]), digest)
