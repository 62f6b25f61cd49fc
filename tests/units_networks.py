"""Small classifiers of every kind of layer, and labeled images, that the tests of units share."""

import torch
from torch import nn


class Branching(nn.Module):
    """Strided, padded and batch-normed convolutions, a skip, in-place and reused rectifiers, functional pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 5, stride=2, padding=2)
        self.norm = nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace=True)
        self.body = nn.Sequential(nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU())
        self.late = nn.Conv2d(6, 4, 3)
        self.head = nn.Linear(16, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.norm(self.stem(x)))
        x = x + self.body(x)
        x = torch.nn.functional.max_pool2d(x, 2)
        x = self.relu(self.late(x))
        return self.head(torch.nn.functional.adaptive_avg_pool2d(x, 2).flatten(1))


class TinyViT(nn.Module):
    """Four patches and a class token, one block of attention."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 8, stride=8)
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.mlp = nn.Linear(8, 7)
        self.act = nn.ReLU()
        self.head = nn.Linear(7, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = self.block(torch.cat([self.token.expand(len(x), -1, -1), tokens], 1))
        return self.head(self.act(self.mlp(tokens))[:, 0])


def branching() -> nn.Module:
    torch.manual_seed(0)
    network = Branching()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.bias, 0, 0.3)
    network.input_size = 16
    return network.eval()


def tiny_vit() -> nn.Module:
    torch.manual_seed(0)
    network = TinyViT()
    network.input_size = 16
    return network.eval()


# Each network with layers of every kind: (make, layers).
CASES = {
    "convolutions": (branching, ["stem", "norm", "relu", "body.0", "body.2", "late", "relu_1", "head"]),
    "vit": (tiny_vit, ["patches", "block.linear1", "block", "mlp", "act", "head"]),
}


def labeled_images(n: int = 18, classes: int = 3, side: int = 16, seed: int = 1):
    """Images whose color depends on their class, and labels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % classes
    images = torch.rand(n, 3, side, side, generator=generator) * 0.6
    images[torch.arange(n), labels % 3] += 0.4
    return images, labels


def batches(images, labels, size):
    return list(zip(images.split(size), labels.split(size), strict=True))


# A network's precision, and how near the record's numbers (float32) must come to loops in float64.
PRECISIONS = {torch.float32: 1e-4, torch.float64: 1e-6}


def values_at(network, layer, images):
    """A layer's own output in float64 by a plain hook, `(N, U, positions)`, class token left out."""
    double = __import__("copy").deepcopy(network).double()
    name, _, call = layer.rpartition("_")
    name, call = (name, int(call)) if call.isdigit() and name else (layer, 0)
    found = []
    handle = double.get_submodule(name).register_forward_hook(lambda m, i, o: found.append(o.clone()))
    with torch.no_grad():
        double(images.double())
    handle.remove()
    value = found[call]
    if value.ndim == 3:
        return value[:, 1:].transpose(1, 2)
    return value.flatten(2) if value.ndim == 4 else value[:, :, None]
