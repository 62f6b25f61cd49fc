"""Whether a drawing is the network: values and gradients of both, on this machine.

In: a probe, a drawing and weights as a page gets them. Out: how far they are apart; an error of one sentence where that
is too much. Both run in float64, so that no rectifier flips by rounding alone, and on a copy of the network.
"""

import copy
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tunewidgets.kernels.network.names import find_layer
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.rectifiers import LeakingRectifiers, leak, leak_through
from tunewidgets.kernels.network.refusals import REFUSALS, first_line, is_refusal
from tunewidgets.kernels.network.tracing import (
    ACTIVATIONS,
    Values,
    evaluating,
    forward_to,
    never_negative,
)
from tunewidgets.kernels.network_graph.interpreter import run
from tunewidgets.kernels.network_graph.operations import Drawing, NotDrawable

IMAGES = 2
# Of the drawing itself, before its weights are rounded.
EXACT = 1e-5
# Of how far rounded weights may move the layer's values; gradients follow, and are told.
MOST_OFF = {"f32": 1e-5, "f16": 0.01, "i8": 0.2}


class Apart(NamedTuple):
    """How far values, and gradients to the image, are apart: the norm of the difference over the norm."""

    forward: float
    gradient: float


class Reference:
    """The network itself in float64, and what its layer gives for a few images."""

    def __init__(self, probe: Probe, scale: list[float], offset: list[float]) -> None:
        self._probe = probe
        self._scale = torch.tensor(scale, dtype=torch.float64).view(1, -1, 1, 1)
        self._offset = torch.tensor(offset, dtype=torch.float64).view(1, -1, 1, 1)
        self.through = _is_through(probe.place.module)
        self.images = self._noise(probe.image_size)
        try:
            self._network: nn.Module = copy.deepcopy(probe.network).cpu().double()
            self._place = find_layer(self._network, probe.layer)
            self._expected = self._of_network(self.images)
        except (*REFUSALS, copy.Error) as error:
            raise NotDrawable(
                f"a copy of the network does not run in float64, in which it would be checked: {first_line(error)}; "
                "give a network whose layers take the precision of its weights."
            ) from error

    def apart(self, drawing: Drawing, through: bool) -> Apart:
        """How far a drawing is from the network on these images."""
        return _apart(self._of_drawing(drawing, self.images, through), self._expected)

    def takes_any_size(self, drawing: Drawing) -> bool:
        """Whether the drawing is the network on images of another size too."""
        images = self._noise((self._probe.image_size[0] + 9, self._probe.image_size[1] + 13))
        try:
            apart = _apart(self._of_drawing(drawing, images, self.through), self._of_network(images))
        except Exception as error:
            if not is_refusal(error):
                raise
            return False
        return apart.forward <= EXACT

    def _noise(self, size: tuple[int, int]) -> Tensor:
        """Images whose neighboring pixels are alike, as in pictures, and every color from 0 to 1."""
        generator = torch.Generator().manual_seed(0)
        channels = 1 if self._probe.gray else 3
        coarse = torch.rand(IMAGES, channels, 8, 8, generator=generator, dtype=torch.float64)
        smooth = torch.nn.functional.interpolate(coarse, size, mode="bilinear")
        return 0.7 * smooth + 0.3 * torch.rand(smooth.shape, generator=generator, dtype=torch.float64)

    def _of_network(self, images: Tensor) -> tuple[Tensor, Tensor]:
        inputs = self._inputs(images)
        with evaluating(self._network), LeakingRectifiers():
            values = forward_to(self._network, self._place, inputs)
        return _both(values, inputs)

    def _of_drawing(self, drawing: Drawing, images: Tensor, through: bool) -> tuple[Tensor, Tensor]:
        inputs = self._inputs(images)
        with LeakingRectifiers():
            pre, post = run(drawing, inputs)
        return _both(Values(pre if through else post, post), inputs)

    def _inputs(self, images: Tensor) -> Tensor:
        return (images * self._scale + self._offset).requires_grad_()


def _is_through(module: nn.Module) -> bool:
    return isinstance(module, ACTIVATIONS) and not never_negative(module)


def _both(values: Values, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """The layer's values, and the gradient of a weighted sum of its units' responses."""
    post = values.post
    rectified = leak(post) if values.pre is post else leak_through(values.pre, post)
    generator = torch.Generator().manual_seed(1)
    weights = torch.rand(rectified.shape[1:], generator=generator, dtype=rectified.dtype)
    (gradient,) = torch.autograd.grad((rectified * weights).sum(), inputs)
    return post.detach(), gradient


def _apart(found: tuple[Tensor, Tensor], expected: tuple[Tensor, Tensor]) -> Apart:
    return Apart(*(_relative(one, other) for one, other in zip(found, expected, strict=True)))


def _relative(found: Tensor, expected: Tensor) -> float:
    if found.shape != expected.shape:
        return float("inf")
    length = float(expected.norm())
    difference = float((found - expected).norm())
    return difference / length if length > 0 else difference


def check_is_network(apart: Apart) -> None:
    """Raise a NotDrawable if a drawing with exact weights is not the network."""
    if not max(apart) <= EXACT:
        raise NotDrawable(
            f"what was followed of the network gives other values than the network itself, by {apart.forward:.2g} of "
            f"their size (gradients by {apart.gradient:.2g}); its operations depend on the image, or hooks change "
            "them, which a page can't do; choose an earlier layer."
        )


def check_is_close(apart: Apart, type: str) -> None:
    """Raise a NotDrawable if rounded weights are no longer the network's."""
    if not apart.forward <= MOST_OFF[type]:
        raise NotDrawable(
            f"with weights as {type} the layer's values are {apart.forward:.2g} of their size off; give larger "
            "numbers, such as weights='f32'."
        )
