"""LPIPS on SqueezeNet 1.1: an observer whose likeness was fitted to people's judgments.

In: pictures, uint8. Out: features, whose squared distance is LPIPS. The network is the zoo's, the linear heads are
those of the package `lpips`, of which only their file is read (Zhang et al., *The unreasonable effectiveness of deep
features as a perceptual metric*, 2018).
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tunewidgets.zoo.registry import load
from tunewidgets.zoo.weights import read_weights

SIDE = 64  # pixels at which pictures are compared
# The modules of SqueezeNet 1.1 after which LPIPS looks.
STAGES = (1, 4, 7, 9, 10, 11, 12)
MEAN, SPREAD = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
AT_ONCE = 64


def heads_file() -> Path | None:
    """Where the package `lpips` keeps the heads of SqueezeNet; None where it is not installed."""
    spec = find_spec("lpips")
    folders = list(spec.submodule_search_locations or []) if spec else []
    files = [Path(folder) / "weights" / "v0.1" / "squeeze.pth" for folder in folders]
    return next((file for file in files if file.is_file()), None)


class Lpips:
    """LPIPS on SqueezeNet 1.1.

    Raises
    ------
    ModuleNotFoundError
        The package `lpips`, which holds the linear heads, is not installed.
    FileNotFoundError
        SqueezeNet's weights are not there.
    """

    name = "lpips"
    # Fitted by maximum likelihood to planted answers (tests/benchmarks/readability.py), never to a record.
    alpha: float | None = 10.7

    def __init__(self) -> None:
        file = heads_file()
        if file is None:
            raise ModuleNotFoundError(
                "the observer 'lpips' needs the package lpips, which holds its linear heads; install "
                "tunewidgets[lpips], or use observer='texture'"
            )
        self.network = load("squeezenet1_1", weights="features").get_submodule("features")
        heads = read_weights(file)
        self.heads = [heads[f"lin{at}.model.1.weight"].flatten().clamp(min=0) for at in range(len(STAGES))]

    def embed(self, pictures: np.ndarray) -> np.ndarray:
        """Features `(N, F)` float16 of pictures `(N, y, x, 3)` uint8."""
        return np.concatenate(
            [self._embed(pictures[start : start + AT_ONCE]) for start in range(0, len(pictures), AT_ONCE)]
        )

    @torch.no_grad()
    def _embed(self, pictures: np.ndarray) -> np.ndarray:
        rgb = torch.from_numpy(np.ascontiguousarray(pictures)).movedim(3, 1).float() / 255
        if rgb.shape[2:] != (SIDE, SIDE):
            rgb = F.interpolate(rgb, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
        values = (2 * rgb - 1 - torch.tensor(MEAN)[:, None, None]) / torch.tensor(SPREAD)[:, None, None]
        features: list[Tensor] = []
        for at, module in enumerate(self.network.children()):
            values = module(values)
            if at in STAGES:
                unit = values / (values.square().sum(1, keepdim=True).sqrt() + 1e-10)
                head = self.heads[len(features)].sqrt()[:, None, None]
                features.append((unit * head / (values.shape[2] * values.shape[3]) ** 0.5).flatten(1))
        return torch.cat(features, 1).half().numpy()
