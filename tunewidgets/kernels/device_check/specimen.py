"""What a device is checked with: a network with the operations of many others, images, and how images are made of it.

In: nothing but seeds, so that every machine has the same. Out: GoogLeNet with random weights, and noise. Nothing is
downloaded.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from tunewidgets import zoo
from tunewidgets._tensors import Images
from tunewidgets.kernels.canvas.canvases import make_canvas
from tunewidgets.kernels.canvas.jitter import Jitter
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.optimization.loop import Job, Precision, Recipe
from tunewidgets.kernels.optimization.objectives import AM
from tunewidgets.kernels.optimization.scores import pooled

# Early, in the middle, and all of it but the classifier.
LAYERS = ("relu_conv2", "relu_inception_4a_3x3", "inception_5b_output")
# How images are made here: in small steps from strong noise. From a flat start, as `visualize` has it, rounding decides
# which of nearly equal values a pooling takes, and paths that differ by no more than that part at once.
DEVIATION, LR = 2.0, 0.01


@dataclass(frozen=True)
class Specimen:
    """A network with some units of its last layer, and on images of which side it is tried, for how many steps."""

    network: nn.Module
    units: tuple[int, ...]
    side: int
    steps: int

    @property
    def images(self) -> int:
        """How many images there are: one for each unit."""
        return len(self.units)

    @property
    def objective(self) -> AM:
        """What is optimized: a unit's activation for each image."""
        return AM(np.array(self.units))

    @property
    def jobs(self) -> list[Job]:
        """The images to make, each with its own random numbers."""
        return [Job(target, f"check/{target}") for target in range(self.images)]

    def pictures(self) -> Images:
        """Images to look at, one for each unit."""
        return smooth_noise(self.images, self.side)

    def recipe(self, precision: Precision = "float32", steps: int | None = None) -> Recipe:
        """How images are made, with every choice fixed."""
        return Recipe(
            canvas=make_canvas("fourier", self.side, deviation=DEVIATION),
            steps=steps or self.steps,
            lr=LR,
            jitter=Jitter(),
            at="leaky",
            precision=precision,
            seed=0,
            chunk=self.images,
        )


def make_specimen(side: int = 64, images: int = 8, steps: int = 4) -> Specimen:
    """GoogLeNet with weights of one seed, scaled so that activations keep their size from layer to layer.

    Its units are those that respond most strongly: where hardly a position responds, rounding decides which do, and an
    image's path with them.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = zoo.load("googlenet_bvlc", weights=None)
    random = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=random)
            nn.init.zeros_(cast(Tensor, module.bias))
    probe = Probe(network, LAYERS[-1], device="cpu")
    strongest = pooled(probe.rectified(smooth_noise(images, side))).amin(0).topk(images).indices
    return Specimen(network, tuple(strongest.tolist()), side, steps)


def smooth_noise(images: int, side: int) -> Images:
    """Noise of a few pixels, enlarged: it has more in common with photographs than white noise."""
    noise = torch.rand(images, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    return nn.functional.interpolate(noise, size=side, mode="bilinear")
