"""Horama as the peer in the benchmarks: one image at a time, as its README says.

In: a network that takes images in [0, 1] through its `preprocess`, and a class. Out: the image it ends at, that image
as its own `plot_maco` paints it, and the seconds it took.
"""

import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from engine_common import OUT
from horama import fourier, maco, maco_fv
from horama.common import get_color_correlation_svd_sqrt
from horama.plots import check_format, clip_percentile, normalize
from picture_measures import mean_magnitude
from torch import Tensor, nn

import tunewidgets as tw
from tunewidgets.zoo.normalize import IMAGENET

METHODS = {"fourier": fourier, "maco": maco}
# Its default range of values, which the network behind it sees as [0, 1].
LOW, HIGH = -2.5, 2.5
SPECTRUM = OUT / "horama-spectrum.npy"


class Made(NamedTuple):
    """An image `(3, 1280, 1280)` in [0, 1], how Horama shows it `(1280, 1280, 3)`, and seconds."""

    image: Tensor
    shown: np.ndarray
    seconds: float


def horama_image(network: nn.Module, layer: str, unit: int, method: str, steps: int, seed: int) -> Made:
    """Horama's image for the mean of a unit after `steps`, all else at its defaults."""
    if method == "maco":
        # Its spectrum lies on a server; it takes a file of that name instead where there is one.
        maco_fv.MACO_SPECTRUM_FILENAME = str(photographs_spectrum(SPECTRUM))
    torch.manual_seed(seed)
    seen: list[Tensor] = []

    def objective(images: Tensor) -> Tensor:
        seen.clear()
        network(network.preprocess((images - LOW) / (HIGH - LOW)))
        return seen[0][:, unit].mean()

    handle = network.get_submodule(layer).register_forward_hook(lambda _, __, values: seen.append(values))
    start = time.perf_counter()
    try:
        image, mask = METHODS[method](objective, total_steps=steps, device="cpu")
    finally:
        handle.remove()
        # Nobody asked for the gradients of the weights that it leaves there.
        network.zero_grad(set_to_none=True)
    seconds = time.perf_counter() - start
    image = image.detach()
    return Made((image - LOW) / (HIGH - LOW), painted(image, mask), seconds)


def painted(image: Tensor, mask: Tensor) -> np.ndarray:
    """What `plot_maco` shows: colors stretched, unimportant positions faded to white; `(H, W, 3)` in [0, 1]."""
    colors = normalize(clip_percentile(check_format(image), 1.0))
    importance = check_format(mask).mean(-1, keepdims=True)
    importance = np.clip(importance, None, np.percentile(importance, 80))
    importance = importance / max(float(importance.max()), 1e-12)
    return colors * importance + (1 - importance)


def photographs_spectrum(file: Path) -> Path:
    """The file, written first where it is missing, with the magnitudes of photographs' spectra in Horama's colors."""
    if not file.exists():
        photographs = tw.zoo.images("imagenet-sample", size=224, batch_size=32)
        colors = get_color_correlation_svd_sqrt("cpu")
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, mean_magnitude(photographs, torch.tensor(IMAGENET[0]), colors))
    return file.resolve()
