"""GoogLeNet (InceptionV1) as the Caffe model zoo trained it (BVLC), with every ReLU a module of its own.

In: a safetensors file of its weights, or none for random ones. Out: an `nn.Module` that takes RGB images in [0, 1]
through its `preprocess`. Layers are named as in Caffe (`conv1`, `inception_4a_3x3`) with `relu_` before the name of
the ReLU that follows each.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tunewidgets.zoo.normalize import Normalize
from tunewidgets.zoo.weights import local_weights, with_weights

# output channels of each block's branches: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection
BLOCKS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
POOLED_AFTER = ("3b", "4e")
WEIGHTS = "googlenet-bvlc-fp16.safetensors"
BRANCHES = (("1x1", 1), ("3x3_reduce", 1), ("3x3", 3), ("5x5_reduce", 1), ("5x5", 5), ("pool_proj", 1))


class Concatenation(nn.Module):
    """Joins the branches of a block along the units: `(N, U_i, H, W)` each → `(N, sum of U_i, H, W)`."""

    def forward(self, *branches: Tensor) -> Tensor:
        return torch.cat(branches, dim=1)


class GoogLeNetBVLC(nn.Module):
    """GoogLeNet of Szegedy et al. (2014) in Caffe's arithmetic: symmetric padding, pooling that rounds up.

    A block's joined branches are the layer `inception_3a_output` and so on, as Caffe calls them.

    Input ``(N, 3, H, W)`` after `preprocess`, any size from 32 px; output ``(N, 1000)`` logits.
    """

    def __init__(self) -> None:
        super().__init__()
        # Caffe's networks take 0..255 minus the mean color.
        self.preprocess = Normalize([123 / 255, 117 / 255, 104 / 255], [1 / 255] * 3)
        self._add("conv1", 3, 64, kernel=7, stride=2)
        self._add("conv2_reduce", 64, 64, kernel=1)
        self._add("conv2", 64, 192, kernel=3)
        channels = 192
        for block, widths in BLOCKS.items():
            reduce3, reduce5 = widths[1], widths[3]
            inputs = (channels, channels, reduce3, channels, reduce5, channels)
            for (branch, kernel), i, o in zip(BRANCHES, inputs, widths, strict=True):
                self._add(f"inception_{block}_{branch}", i, o, kernel)
            self.add_module(f"inception_{block}_output", Concatenation())
            channels = widths[0] + widths[2] + widths[4] + widths[5]
        self.loss3_classifier = nn.Linear(channels, 1000)

    def _add(self, name: str, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        self.add_module(name, nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2))
        self.add_module(f"relu_{name}", nn.ReLU())

    def _conv(self, name: str, x: Tensor) -> Tensor:
        return self.get_submodule(f"relu_{name}")(self.get_submodule(name)(x))

    def forward(self, x: Tensor) -> Tensor:
        def pool(v: Tensor) -> Tensor:
            return F.max_pool2d(v, 3, 2, ceil_mode=True)

        def normalize(v: Tensor) -> Tensor:
            return F.local_response_norm(v, 5, alpha=1e-4, beta=0.75, k=1.0)

        x = normalize(pool(self._conv("conv1", x)))
        x = pool(normalize(self._conv("conv2", self._conv("conv2_reduce", x))))
        for block in BLOCKS:
            name = f"inception_{block}"
            x = self.get_submodule(f"{name}_output")(
                self._conv(f"{name}_1x1", x),
                self._conv(f"{name}_3x3", self._conv(f"{name}_3x3_reduce", x)),
                self._conv(f"{name}_5x5", self._conv(f"{name}_5x5_reduce", x)),
                self._conv(f"{name}_pool_proj", F.max_pool2d(x, 3, 1, 1)),
            )
            if block in POOLED_AFTER:
                x = pool(x)
        return self.loss3_classifier(x.mean((2, 3)))


def googlenet_bvlc(weights: Any = "auto") -> GoogLeNetBVLC:
    """GoogLeNet (BVLC) in evaluation mode.

    Parameters
    ----------
    weights : "auto", path, state dict or None
        None: random weights. "auto": `models/googlenet-bvlc-fp16.safetensors` of the folder that `TUNEWIDGETS_DATA`
        names.

    Raises
    ------
    FileNotFoundError, ValueError
        If the weights are not there, or do not fit.
    """
    if isinstance(weights, str) and weights == "auto":
        weights = local_weights(WEIGHTS, "googlenet_bvlc")
    model: GoogLeNetBVLC = with_weights(GoogLeNetBVLC(), weights, "googlenet_bvlc")
    return model
