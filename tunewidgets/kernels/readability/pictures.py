"""What each sampled place of a layer's map sees, as small pictures, and how bright and contrasty these are.

In: a probe, images and places. Out: uint8 pictures `(n, y, x, 3)`.
"""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr

from tunewidgets._checks import allocating
from tunewidgets.kernels.data.image_batches import chunks
from tunewidgets.kernels.network.layers import sight_of
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.tuning.film_patches import window_around
from tunewidgets.zoo.progress import progress_bar

# Rec. 601, as everywhere in this package.
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
AT_ONCE = 1024  # pictures whose luminance is held in full precision


def seen_at(
    probe: Probe,
    batches: Any,
    count: int,
    sample: xr.DataArray,
    pool: int,
    size: tuple[int, int],
    progress: bool,
) -> np.ndarray:
    """What each vector of a sample sees, `(n, y, x, 3)` uint8: its receptive field, or that of its neighborhood."""
    sight = sight_of(probe).through((pool, pool), (1, 1))
    image = sample["image"].values
    position = np.zeros((len(image), 2), np.int64)
    if probe.has_map:
        position = np.stack([sample["y"].values, sample["x"].values], 1)
    with allocating(
        f"{len(image)} patches of {size[0]}×{size[1]} px", "give fewer images, or a smaller per_image"
    ):
        board = np.zeros((len(image), *size, 3), np.uint8)
    shapes: dict[tuple[int, ...], tuple[int, int]] = {}
    first = 0
    with progress_bar(total=count, desc="Cutting patches", unit="image", show=progress) as bar:
        for pictures in chunks(batches):
            batch = pictures.cpu()
            sides = tuple(batch.shape[2:])
            if sides not in shapes:
                values = probe(batch[:1])
                shapes[sides] = (values.shape[2], values.shape[3]) if values.ndim == 4 else (1, 1)
            for at in np.flatnonzero((image >= first) & (image < first + len(batch))):
                picture = batch[image[at] - first]
                window = window_around(picture, sight.window, sight.step, shapes[sides], position[at])
                resized = F.interpolate(
                    window[None], size, mode="bilinear", antialias=True, align_corners=False
                )[0]
                board[at] = (resized.clamp(0, 1) * 255 + 0.5).to(torch.uint8).movedim(0, -1).numpy()
            first += len(batch)
            bar.update(len(batch))
    return board


def brightness(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean luminance and RMS contrast of each picture, both in parts of white."""
    means, spreads = [], []
    for start in range(0, len(pictures), AT_ONCE):
        luminance = pictures[start : start + AT_ONCE] @ (LUMINANCE / 255)
        means.append(luminance.mean((1, 2)))
        spreads.append(luminance.std((1, 2)))
    return np.concatenate(means), np.concatenate(spreads)
