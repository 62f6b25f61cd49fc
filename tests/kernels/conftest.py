"""Small networks that every kernel test can share."""

import pytest
import torch
from torch import nn

from tunewidgets import Probe
from tunewidgets.zoo import gabor_bank


class Branched(nn.Module):
    """Convolutions, a reused ReLU, a functional pool, a branch and a linear head: what real networks do."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 5, stride=2, padding=2), nn.BatchNorm2d(6))
        self.left = nn.Conv2d(6, 4, 3, padding=1)
        self.right = nn.Conv2d(6, 4, 1)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.AdaptiveAvgPool2d(2)
        self.head = nn.Linear(32, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.stem(x))
        x = torch.nn.functional.max_pool2d(x, 2)
        x = self.relu(torch.cat([self.left(x), self.right(x)], dim=1))
        return self.head(self.pool(x).flatten(1))


@pytest.fixture
def branched() -> Branched:
    torch.manual_seed(0)
    return Branched()


@pytest.fixture(scope="session")
def bank() -> nn.Module:
    return gabor_bank()


@pytest.fixture(scope="session")
def bank_probe(bank: nn.Module) -> Probe:
    return Probe(bank, "relu", device="cpu")
