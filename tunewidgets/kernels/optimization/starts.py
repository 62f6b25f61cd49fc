"""Images to start from, as a caller gives them.

In: one image for all targets or one for each. Out: each target's parameters on a canvas, and a digest by which a store
recognizes the images.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tunewidgets._checks import a_type
from tunewidgets.kernels.canvas.canvases import Canvas
from tunewidgets.zoo.pictures import fit, in_unit_range

# Adam's step from a photograph, as a share of that from noise: longer steps tear the photograph, swing about the bound
# on leaving it, and end with a smaller response within that.
GENTLE = 1 / 16


@dataclass(frozen=True)
class Starts:
    """Images `(1 or targets, 3, size, size)` to start from, and the digest of what they were before resizing."""

    images: Tensor
    digest: str

    def parameters(self, canvas: Canvas, target: int) -> Tensor:
        """A target's image as parameters of the canvas."""
        # One at a time: how many are transformed together may change the last bits.
        [parameters] = canvas.parameters(self.images[target % len(self.images)][None])
        return parameters


def as_starts(start: Tensor | np.ndarray | None, targets: int, size: int) -> Starts | None:
    """The images of `start`, fitted to a canvas; None where there are none.

    Raises
    ------
    TypeError, ValueError
        They are not images in [0, 1], or neither one for all targets nor one for each.
    """
    if start is None:
        return None
    batch = checked_images(start)
    if start.ndim == 4 and len(batch) != targets:
        raise ValueError(
            f"start has {len(batch)} images for {targets} targets; give one for each, or one (3, H, W) for all."
        )
    return Starts(torch.cat([fit(image[None], size) for image in batch]), digest_of(start))


def checked_images(start: Any) -> Tensor:
    """The given images as a batch `(1 or N, 3, H, W)` on the CPU.

    Raises
    ------
    TypeError, ValueError
        It is neither an image in [0, 1] nor a batch of them.
    """
    if not isinstance(start, Tensor | np.ndarray):
        raise TypeError(
            f"start is {a_type(start)}; give a tensor or array, (3, H, W) for all targets or one for each, "
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
    return in_unit_range(given, "start").reshape(-1, *given.shape[-3:])


def digest_of(start: Tensor | np.ndarray) -> str:
    """A short digest by which a store recognizes images."""
    pixels = checked_images(start).contiguous().numpy()
    return hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes()).hexdigest()[:12]
