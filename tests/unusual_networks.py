"""A small network to make unusual ones of, and a check that every way of looking at a layer sees the same.

In: a network and a layer. Out: what a plain hook on the layer's module sees, once everything was compared with it.
"""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from units_networks import batches, labeled_images

import tunewidgets as tw
from tunewidgets.kernels.network.outputs import first_tensor, with_first

QUIET = {"progress": False, "device": "cpu"}
IMAGES, LABELS = labeled_images(6)
DATA = batches(IMAGES, LABELS, 6)


class Small(nn.Module):
    """Two rectified convolutions and a head."""

    input_size = 16

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.relu = nn.Conv2d(3, 4, 3), nn.ReLU()
        self.mid, self.relu2 = nn.Conv2d(4, 5, 3), nn.ReLU(inplace=True)
        self.head = nn.Linear(5, 3)

    def features(self, x: Tensor) -> Any:
        return self.mid(self.relu(self.conv(x)))

    def forward(self, x: Tensor) -> Any:
        return self.head(self.relu2(self.features(x)).mean((2, 3)))


def hooked(module: nn.Module, model: nn.Module, images: Tensor, call: int = 0) -> Tensor:
    """The reference: what a plain hook sees last in a plain pass."""
    seen: list[Tensor] = []
    handle = module.register_forward_hook(lambda _m, _i, output: seen.append(first_tensor(output).clone()))
    with torch.no_grad():
        model.eval()(images)
    handle.remove()
    return seen[call]


def silenced(module: nn.Module, model: nn.Module, unit: int, call: int = 0) -> float:
    """The reference: the rise of the loss when a hook that comes last sets a unit to 0 in one of the calls."""
    calls = 0

    def loss() -> float:
        with torch.no_grad():
            scores = first_tensor(model(IMAGES))
            assert scores is not None
            return float(F.cross_entropy(scores.double(), LABELS))

    def zero(_m: nn.Module, _i: Any, output: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls != call + 1:
            return None
        changed = first_tensor(output).clone()
        changed[:, unit] = 0
        return with_first(output, lambda _: changed)

    intact = loss()
    handle = module.register_forward_hook(zero)
    without = loss()
    handle.remove()
    return without - intact


def check_alike(model: nn.Module, layer: str, call: int = 0, module: nn.Module | None = None) -> Tensor:
    """Every way of looking at a layer gives what a plain hook on its module sees."""
    model.eval()
    module = model.get_submodule(layer) if module is None else module
    expected = hooked(module, model, IMAGES, call)
    probe = tw.Probe(model, layer, device="cpu")
    torch.testing.assert_close(probe(IMAGES), expected)
    with torch.no_grad():
        torch.testing.assert_close(probe.values(IMAGES).rectified(), expected.relu())
    means = expected.relu().mean((0, 2, 3)).numpy()
    found = tw.class_selectivity(model, DATA, layer, **QUIET)[layer]
    np.testing.assert_allclose(found.mean_activation, means, atol=1e-6)
    sampled = tw.sample_activations(probe, IMAGES, n=24, progress=False)
    places = [torch.from_numpy(sampled[axis].values) for axis in ("image", "y", "x")]
    torch.testing.assert_close(
        torch.from_numpy(sampled.values), expected.relu()[places[0], :, places[1], places[2]]
    )
    image = tw.visualize(probe, tw.AM([0]), size=16, steps=2, progress=False)
    shown = torch.from_numpy(image.image.values).movedim(-1, 1).float() / 255
    responses = hooked(module, model, shown, call).relu().mean((2, 3)).numpy()
    np.testing.assert_allclose(image.response.values, responses, rtol=0.05, atol=5e-3)
    lost = tw.ablation(model, DATA, layer, curves=False, **QUIET)[layer].loss_increase.values
    reference = [silenced(module, model, unit, call) for unit in range(expected.shape[1])]
    np.testing.assert_allclose(lost, reference, atol=1e-6)
    return expected
