"""Images that start from others: how far one has moved, in the layer, from the image that it started from.

In: a layer's values on an image and on its start. Out: the distance, the cost of moving too far, and parameters that
have not. Feature accentuation (Hamblin et al. 2024) stays close by the same means, a distance in a layer.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from tunewidgets.kernels.network.tracing import Values

# Cost, in scores, of the squared relative excess over the allowed distance: a tenth too far costs a tenth of the score.
STIFFNESS = 10.0
# Least squared norms: a root has no slope at 0, where an image is its start, and a layer may be silent on the start.
STILL, SILENT = 1e-36, 1e-24
# Halvings by which a finished image that has moved too far is brought back.
HALVINGS = 10


def distance(values: Tensor, start: Tensor) -> Tensor:
    """Relative distance of a layer's rectified activations from those on the start: `(N,)` of two `(N, U, ...)`."""
    moved = (values - start).flatten(1).square().sum(1)
    return moved.clamp(min=STILL).sqrt() / start.flatten(1).square().sum(1).clamp(min=SILENT).sqrt()


def cost_of_leaving(values: Values, start: Values, scores: Tensor, leave: float) -> Tensor:
    """The cost `(N,)` to images of having left their starts by more than `leave`, in the unit of their scores.

    Zero within the bound. Beyond it, the cost rises faster than a score that grows with the distance, whatever the
    scale of the layer's values.
    """
    before = start.rectified().detach()
    beyond = (distance(values.rectified(), before) / leave - 1).clamp(min=0)
    # The score of a unit that is still silent gives no scale; the layer's activations do.
    unit = torch.maximum(scores.detach().abs(), before.flatten(1).mean(1))
    return STIFFNESS * unit * beyond.square()


def brought_back(
    parameters: Tensor, start: Tensor, distance_of: Callable[[Tensor], Tensor], leave: float
) -> Tensor:
    """Parameters `(N, ...)` of images within `leave` of their starts: those too far away are moved toward these."""
    along = (-1,) + (1,) * (parameters.ndim - 1)

    def at(share: Tensor) -> Tensor:
        return torch.where(
            share.view(along) == 1, parameters, start + share.view(along) * (parameters - start)
        )

    far = torch.ones(len(parameters), device=parameters.device)
    within = distance_of(at(far)) <= leave
    near = within.float()
    for _ in range(HALVINGS if not bool(within.all()) else 0):
        middle = (near + far) / 2
        within = distance_of(at(middle)) <= leave
        near, far = torch.where(within, middle, near), torch.where(within, far, middle)
    return at(near)
