"""What is compared: the same five results by the engine on a device, and by plain PyTorch in double precision.

In: a specimen. Out: for each of `RESULTS` an array. The engine goes by its public functions and its own loop; the
reference by forward hooks, autograd and Adam alone, on the CPU.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tunewidgets.kernels.device_check.specimen import LAYERS, Specimen
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.rectifiers import SLOPE
from tunewidgets.kernels.network.tracing import evaluating
from tunewidgets.kernels.optimization.loop import MOMENTA, generator, network_values, optimize
from tunewidgets.kernels.single_units.selectivity import class_selectivity

# What is compared, and how far apart it may be: the norm of the difference, as a share of the norm. A kernel that is
# off by one percent is farther off in one row at least. Rounding alone gives a hundredth of that in the first rows, and
# a fifth in the last, since a step follows the sign of each gradient.
RESULTS = {
    "activations": 1e-4,
    "class means": 1e-4,
    "gradient": 3e-3,
    "objective by step": 5e-4,
    "images": 3e-3,
}
# How far the gradient of the farthest image may be: what is worse than rounding can be, in one image alone.
FARTHEST = 0.25
Measured = dict[str, np.ndarray]


def by_engine(specimen: Specimen, device: torch.device) -> Measured:
    """The results of the engine in float32 on a device."""
    images, classes = specimen.pictures(), torch.arange(specimen.images) % 2
    network = specimen.network
    tree = class_selectivity(network, [(images, classes)], LAYERS, device=device, progress=False)
    probe = Probe(network, LAYERS[-1], device=device)
    pixels = images.to(device).requires_grad_()
    with evaluating(probe.network):
        values = network_values(probe, pixels, "float32")
    scores = specimen.objective.score(range(specimen.images), "leaky", device)(values)
    (gradient,) = torch.autograd.grad(scores.sum(), pixels)
    chunks = list(optimize(probe, specimen.objective, specimen.jobs, specimen.recipe()))
    finished = [outcome for chunk in chunks for outcome in chunk]
    return {
        "activations": activations(specimen, device),
        "class means": joined([torch.from_numpy(tree[layer]["class_mean"].values) for layer in LAYERS]),
        "gradient": by_image(gradient.cpu()),
        "objective by step": by_image(torch.stack([outcome.values for outcome in finished])),
        "images": by_image(torch.stack([outcome.image - 0.5 for outcome in finished])),
    }


def activations(specimen: Specimen, device: torch.device) -> np.ndarray:
    """What the layers give on the specimen's pictures, rectified."""
    network, images = specimen.network, specimen.pictures()
    return joined([Probe(network, layer, device=device).rectified(images).cpu() for layer in LAYERS])


def plainly(specimen: Specimen) -> Measured:
    """The same in float64 on the CPU, with nothing of the engine's loop, its fast paths or its rectifiers."""
    network = copy.deepcopy(specimen.network).double()
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.ReLU):
            network.set_submodule(name, _LeakingBackward())
    images, recipe = specimen.pictures().double(), specimen.recipe()
    rows, units = torch.arange(specimen.images), torch.tensor(specimen.units)

    def score(batch: Tensor) -> Tensor:
        (maps,) = _hooked(network, batch, LAYERS[-1:])
        return maps[rows, units].mean((1, 2))

    with torch.no_grad():
        seen = _hooked(network, images, LAYERS)
    means = [torch.stack([maps[rows % 2 == c].mean((0, 2, 3)) for c in (0, 1)], 1) for maps in seen]
    pixels = images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(score(pixels).sum(), pixels)
    generators = [generator(recipe.seed, job.key) for job in specimen.jobs]
    parameters = torch.stack([recipe.canvas.start(g) for g in generators]).double().requires_grad_()
    draws = torch.stack([recipe.jitter.draw(recipe.steps, g) for g in generators]).double()
    adam = torch.optim.Adam([parameters], lr=recipe.lr, betas=MOMENTA, foreach=False)
    path = []
    for step in range(recipe.steps):
        made = recipe.canvas.image(parameters)
        scores = score(recipe.jitter.apply(made, draws[:, step], recipe.jitter_strength(step)))
        (slope,) = torch.autograd.grad(scores.sum(), parameters)
        parameters.grad = -slope
        adam.step()
        path.append(scores.detach())
    return {
        "activations": joined(seen),
        "class means": joined(means),
        "gradient": by_image(gradient),
        "objective by step": by_image(torch.stack(path, 1)),
        "images": by_image(recipe.canvas.image(parameters).detach() - 0.5),
    }


def joined(parts: Sequence[Tensor]) -> np.ndarray:
    """Every number of some tensors, in float64: one row."""
    return np.concatenate([part.double().flatten().numpy() for part in parts])[None]


def by_image(values: Tensor) -> np.ndarray:
    """The numbers of each image in a row, in float64."""
    return values.double().flatten(1).numpy()


def distances(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Each row's norm of the difference, as a share of the norm of what is expected; infinite where a number is none.

    The nearest first. A row is an image, or all there is.
    """
    apart = np.linalg.norm(found - expected, axis=1) / np.linalg.norm(expected, axis=1)
    return np.sort(np.where(np.isfinite(apart), apart, np.inf))


def distance(found: np.ndarray, expected: np.ndarray) -> float:
    """How far a result is off: in a quarter of its images at most they are nearer; infinite where a number is none.

    What is wrong with a kernel is wrong in every image. What rounding does is not: in some images it decides which of
    two nearly equal values a pooling takes, and their gradients then differ by a percent or more.
    """
    apart = distances(found, expected)
    return float(apart[len(apart) // 4]) if np.isfinite(apart).all() else float("inf")


@contextmanager
def in_full_float32() -> Iterator[None]:
    """Float32 as it is for a block: by default, torch lets convolutions on CUDA round to TF32's 10 bits."""
    convolutions: Any = getattr(torch.backends.cudnn, "conv", None)
    # Before torch 2.9 there was a switch where there are several precisions now.
    name, full = ("allow_tf32", False) if convolutions is None else ("fp32_precision", "ieee")
    holders = (convolutions or torch.backends.cudnn, torch.backends.cuda.matmul)
    before = [getattr(holder, name) for holder in holders]
    try:
        for holder in holders:
            setattr(holder, name, full)
        yield
    finally:
        for holder, value in zip(holders, before, strict=True):
            setattr(holder, name, value)


class _LeakingBackward(nn.Module):
    """A ReLU that lets through a share of the gradient where it is flat, written as simply as can be."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, x, SLOPE * (x - x.detach()))


def _hooked(network: nn.Module, images: Tensor, layers: Sequence[str]) -> list[Tensor]:
    """The layers' values, by plain forward hooks."""
    seen: dict[str, Tensor] = {}
    handles = [
        network.get_submodule(layer).register_forward_hook(
            lambda _, __, output, layer=layer: seen.__setitem__(layer, output)
        )
        for layer in layers
    ]
    preprocess: Any = network.preprocess
    network(preprocess(images))
    for handle in handles:
        handle.remove()
    return [seen[layer] for layer in layers]
