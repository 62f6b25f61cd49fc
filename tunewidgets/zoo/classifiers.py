"""The networks of *Understanding the Importance of Single Directions via Representative Substitution*.

In: the number of classes, and weights from a file or none. Out: an `nn.Module` for 32-pixel RGB images in [0, 1], with
every ReLU a module of its own, its `preprocess` and its `input_size`.
"""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from tunewidgets.zoo.normalize import Normalize
from tunewidgets.zoo.weights import with_weights

SIDE = 32
HIDDEN = (128, 512, 2048, 2048)  # the paper's MLP
SHALLOW = (64, 64, 128, 128)  # the paper's shallow CNN
# VGG16's configuration D: channels of its convolutions, "M" a pooling.
VGG16 = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M")

SHIPPED = Path(__file__).parent / "data"
CIFAR10 = (
    (0.4914, 0.4822, 0.4465),
    (0.2470, 0.2435, 0.2616),
)  # the mean color and standard deviation of its images
TRAINED = ("shallow_cnn",)  # networks whose weights come with the package


class Classifier(nn.Module):
    """What the three have in common: `preprocess`, `input_size`, and logits `(N, classes)` as output."""

    input_size = SIDE

    def __init__(self) -> None:
        super().__init__()
        self.preprocess = Normalize(*CIFAR10)

    def _start_for_relu(self) -> None:
        """Weights that keep activations at the same size through ReLUs; PyTorch's defaults let them shrink with every
        layer.
        """
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)) and module is not self.get_submodule("classifier"):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)


class MLP(Classifier):
    """`fc1` → `relu1` → … → `fc4` → `relu4` → `classifier`."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        for number, (inputs, outputs) in enumerate(pairwise((3 * SIDE * SIDE, *HIDDEN)), start=1):
            self.add_module(f"fc{number}", nn.Linear(inputs, outputs))
            self.add_module(f"relu{number}", nn.ReLU())
        self.classifier = nn.Linear(HIDDEN[-1], classes)
        self._start_for_relu()

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        for number in range(1, len(HIDDEN) + 1):
            x = self.get_submodule(f"relu{number}")(self.get_submodule(f"fc{number}")(x))
        logits: Tensor = self.classifier(x)
        return logits


class ShallowCNN(Classifier):
    """`conv1` → `relu1` → … → `relu4`, pooled after the second and the fourth, `fc` → `relu5` → `classifier`."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        for number, (inputs, outputs) in enumerate(pairwise((3, *SHALLOW)), start=1):
            self.add_module(f"conv{number}", nn.Conv2d(inputs, outputs, 3, padding=1))
            self.add_module(f"relu{number}", nn.ReLU())
            if number in (2, 4):
                self.add_module(f"pool{number}", nn.MaxPool2d(2))
        self.average = nn.AdaptiveAvgPool2d(2)
        self.fc = nn.Linear(4 * SHALLOW[-1], 256)
        self.relu5 = nn.ReLU()
        self.classifier = nn.Linear(256, classes)
        self._start_for_relu()

    def forward(self, x: Tensor) -> Tensor:
        for number in range(1, len(SHALLOW) + 1):
            x = self.get_submodule(f"relu{number}")(self.get_submodule(f"conv{number}")(x))
            if number in (2, 4):
                x = self.get_submodule(f"pool{number}")(x)
        x = self.relu5(self.fc(self.average(x).flatten(1)))
        logits: Tensor = self.classifier(x)
        return logits


class VGG16Cifar10(Classifier):
    """VGG16 with batch normalization for 32 pixels: `features` of 13 convolutions, then `classifier`.

    Layers are numbered as in VGG16: `features.21` is the tenth convolution, normalized, and `features.22` its ReLU.
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        modules: list[nn.Module] = []
        channels = 3
        for width in VGG16:
            if isinstance(width, str):
                modules.append(nn.MaxPool2d(2))
                continue
            # Convolution and normalization as one, so that layers are numbered as in the paper's VGG16, which has none.
            convolution = nn.Conv2d(channels, width, 3, padding=1, bias=False)
            modules += [nn.Sequential(convolution, nn.BatchNorm2d(width)), nn.ReLU()]
            channels = width
        self.features = nn.Sequential(*modules)
        self.classifier = nn.Sequential(
            nn.Linear(channels, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, classes)
        )
        self._start_for_relu()

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.features(x).flatten(1))
        return logits


CLASSIFIERS: dict[str, Callable[[int], Classifier]] = {
    "mlp": MLP,
    "shallow_cnn": ShallowCNN,
    "vgg16_cifar10": VGG16Cifar10,
}


def classifier(name: str, weights: Any = "auto", classes: int = 10) -> Classifier:
    """One of the paper's networks, in evaluation mode.

    Parameters
    ----------
    name : {"mlp", "shallow_cnn", "vgg16_cifar10"}
        The multilayer perceptron 128-512-2048-2048; four 3×3 convolutions of 64, 64, 128 and 128 channels with stride
        1; VGG16 for CIFAR-10.
    weights : "auto", path, state dict or None
        None: random weights. "auto": those trained on CIFAR-10 that come with the package, if it has some for this
        network (it does for the shallow one) with ten classes; else random weights.
    classes : int, default 10

    Raises
    ------
    FileNotFoundError
        If the file is not there.
    ValueError
        If it holds the weights of another network; the sentence names the tensors that differ.

    Examples
    --------
    >>> classifier("mlp")(torch.rand(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """
    network = CLASSIFIERS[name](classes)
    if isinstance(weights, str) and weights == "auto":
        weights = SHIPPED / f"{name}.safetensors" if name in TRAINED and classes == 10 else None
    made: Classifier = with_weights(network, weights, f"{name} with {classes} classes")
    return made
