"""Published weights on real images: the accuracy shows that weights, architecture, preprocessing and labels agree."""

import os

import pytest
import torch
from torch import nn

import tunewidgets as tw

pytestmark = pytest.mark.skipif(
    not os.environ.get("TUNEWIDGETS_DATA"),
    reason="needs the weights and photographs of the folder that TUNEWIDGETS_DATA names",
)


def right_answers(model: nn.Module, source, side: int) -> list[bool]:
    """Of every image, its middle `side` pixels seen, whether the largest score is its label's."""
    right: list[bool] = []
    with torch.no_grad():
        for images, labels in source.labeled():
            edge = (images.shape[-1] - side) // 2
            middle = images[:, :, edge : edge + side, edge : edge + side]
            right += (model(model.preprocess(middle)).argmax(1) == labels).tolist()
    return right


def every(step: int) -> list[tuple[torch.Tensor, int]]:
    """Every so manieth of the thousand photographs, whose short sides are 256 px."""
    source = tw.zoo.images("imagenet-sample", size=256)
    assert len(source) == 1000
    return [source.pair(index) for index in range(0, 1000, step)]


def test_cifars_resnet_knows_the_test_images():
    source = tw.zoo.images("cifar10", size=None)
    quarter = tw.zoo.images([source.pair(at) for at in range(0, len(source), 4)], size=None, batch_size=500)
    right = right_answers(tw.zoo.load("cifar_resnet20"), quarter, 32)
    assert len(right) == 2_500
    # Of all 10,000 91.73% measured, 91.73% published; of these so many, less two for another machine's rounding.
    assert sum(right) >= 2_289 - 2


@pytest.mark.parametrize(
    ("name", "weights", "side", "step", "least"),
    # A fifth of the photographs, on which so many are right, less two for another machine's rounding.
    [("googlenet_bvlc", "auto", 224, 5, 155 - 2), ("squeezenet1_0", "deepcompression", 227, 5, 134 - 2)],
)
def test_imagenets_networks_know_the_photographs(name, weights, side, step, least):
    source = tw.zoo.images(every(step), size=None)
    right = right_answers(tw.zoo.load(name, weights=weights), source, side)
    assert len(right) == 1000 // step
    assert sum(right) >= least
