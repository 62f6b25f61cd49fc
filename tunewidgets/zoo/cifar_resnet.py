"""The residual networks of He et al. (2015) for CIFAR-10: 6n + 2 layers, with every ReLU a module of its own.

In: the number of layers, and weights or none. Out: an `nn.Module` for RGB images in [0, 1] of 32 px, through its
`preprocess`.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from tunewidgets.zoo.normalize import IMAGENET, Normalize
from tunewidgets.zoo.weights import local_weights, with_weights

WIDTHS = (16, 32, 64)


class Block(nn.Module):
    """Two 3×3 convolutions and a shortcut without weights, which pads new channels with zeros ("option A")."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu2 = nn.ReLU()
        self.stride, self.padding = stride, (outputs - inputs) // 2

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        kept = x[:, :, :: self.stride, :: self.stride]
        if self.padding:
            kept = F.pad(kept, (0, 0, 0, 0, self.padding, self.padding))
        return self.relu2(y + kept)


class CifarResNet(nn.Module):
    """`conv1` → `bn1` → `relu` → `layer1` … `layer3` of n blocks each → mean → `linear`; logits `(N, classes)`."""

    input_size = 32

    def __init__(self, blocks: int, classes: int) -> None:
        super().__init__()
        # CIFAR-10's images, but normalized with ImageNet's constants, as the authors of these weights did.
        self.preprocess = Normalize(*IMAGENET)
        self.conv1 = nn.Conv2d(3, WIDTHS[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        self.relu = nn.ReLU()
        channels = WIDTHS[0]
        for number, width in enumerate(WIDTHS, start=1):
            first = Block(channels, width, stride=1 if number == 1 else 2)
            rest = [Block(width, width, stride=1) for _ in range(blocks - 1)]
            self.add_module(f"layer{number}", nn.Sequential(first, *rest))
            channels = width
        self.linear = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        for number in range(1, len(WIDTHS) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        logits: Tensor = self.linear(x.mean((2, 3)))
        return logits


def cifar_resnet(depth: int, weights: Any = "auto", classes: int = 10) -> CifarResNet:
    """A residual network for CIFAR-10, in evaluation mode.

    Parameters
    ----------
    depth : {20, 32, 44, 56, 110}
    weights : "auto", path, state dict or None
        None: random weights. "auto": `models/cifar10-resnet20.safetensors`, or with the other depth, of the folder that
        `TUNEWIDGETS_DATA` names.
    classes : int, default 10

    Raises
    ------
    FileNotFoundError, ValueError
        If the weights are not there, or do not fit.
    """
    name = f"cifar_resnet{depth}"
    if isinstance(weights, str) and weights == "auto":
        weights = local_weights(f"cifar10-resnet{depth}.safetensors", name)
    model: CifarResNet = with_weights(CifarResNet((depth - 2) // 6, classes), weights, name)
    return model
