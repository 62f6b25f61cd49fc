"""Numbers that are said are right: shares of tied data, and values that are no numbers at all."""

import numpy as np
import pytest
import torch
from torch import nn

import tunewidgets as tw
from tunewidgets import Probe, TuningDimensions
from tunewidgets.kernels.tuning.points import place_points, share_below
from tunewidgets.zoo import gabor_bank

IMAGES = torch.rand(4, 3, 24, 24, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def sparse() -> np.ndarray:
    random = np.random.default_rng(0)
    return (random.exponential(size=(501, 6)) * (random.random((501, 6)) < 0.4)).astype(np.float32)


@pytest.mark.parametrize("sampling", ["uniform", "arc", "quantile"])
def test_nothing_lies_below_the_smallest_coordinate(sparse, sampling):
    dimensions = TuningDimensions("nmf", 2).fit(sparse)
    scores = dimensions.transform(sparse.astype(np.float64))
    for index in range(2):
        points = place_points(dimensions, index, 7, sampling, "mean")
        below = (scores[:, index, None] < points.coordinates.astype(np.float64) - 1e-6).mean(0)
        assert points.quantiles[0] == 0
        assert points.quantiles == pytest.approx(below, abs=0.01)


def test_ties_are_not_below_themselves_and_are_below_what_follows():
    observed = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 2.0])
    assert share_below(observed, np.array([0.0, 1e-9, 0.5, 1.0, 2.0])) == pytest.approx(
        [0, 0.4, 0.5, 0.6, 1], abs=1e-6
    )


def test_without_ties_the_share_is_the_quantile():
    observed = np.sort(np.random.default_rng(0).normal(size=1001))
    assert share_below(observed, observed) == pytest.approx(np.linspace(0, 1, 1001))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.relu, self.head = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.relu(self.conv(x)).mean((2, 3)))


@pytest.mark.parametrize("broken", [torch.nan, torch.inf])
def test_a_broken_weight_is_named_wherever_activations_are_collected(broken):
    net = Net().eval()
    vectors = tw.sample_activations(Probe(net, "relu", device="cpu"), IMAGES, n=40, progress=False)
    film = TuningDimensions("pca", 2).fit(vectors.drop_attrs())
    with torch.no_grad():
        net.conv.weight[2, 0, 0, 0] = broken
    probe = Probe(net, "relu", device="cpu")
    data = [(IMAGES, torch.arange(4) % 2)]
    sentence = r"the model's conv.weight holds"
    quiet = {"progress": False, "device": "cpu"}
    for call in (
        lambda: tw.sample_activations(probe, IMAGES, n=10, progress=False),
        lambda: tw.sample_activations([probe], IMAGES, n=10, pool=3, progress=False),
        lambda: tw.class_selectivity(net, data, "relu", **quiet),
        lambda: tw.ablation(net, data, "relu", **quiet),
        lambda: tw.exemplars(net, data, "relu", **quiet),
        lambda: tw.concepts(probe, IMAGES, np.arange(4) % 2, least=2, progress=False),
        lambda: tw.concepts(film, IMAGES, np.arange(4) % 2, probe=probe, least=2, progress=False),
    ):
        with pytest.raises(ValueError, match=sentence):
            call()


def test_gabor_recovery_names_a_banks_broken_weight():
    bank = gabor_bank(n=6)
    with torch.no_grad():
        bank.filters.weight[1, 0, 2, 2] = torch.nan
    with pytest.raises(
        ValueError, match=r"layer 'relu' gives NaN or infinite values .* filters.weight holds some"
    ):
        tw.gabor_recovery(
            bank, methods=("pca",), n_components=2, images=IMAGES, n=60, permutations=19, progress=False
        )


def test_half_precision_that_overflows_gets_its_own_remedy():
    net = Net().eval()
    with torch.no_grad():
        net.conv.weight.fill_(6e4)
    with pytest.raises(ValueError, match=r"as float16 does above 65,504; use the model in float32"):
        tw.sample_activations(Probe(net.half(), "relu", device="cpu"), IMAGES, n=10, progress=False)
