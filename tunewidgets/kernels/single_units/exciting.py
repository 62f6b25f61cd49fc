"""The photographs that excite units most. In: labeled images, a layer and units. Out: one photograph per unit."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from tunewidgets.kernels.data.labeled import LabeledImages
from tunewidgets.kernels.network.capture import Capture
from tunewidgets.kernels.single_units.selectivity import CHUNK


class Exciting:
    """Maps units, and a side in pixels, to photographs `(3, side, side)`: one for each unit that any of them excites.

    Each call passes over the images once, for the few units that stayed silent on the images made for them.
    """

    def __init__(self, capture: Capture, source: LabeledImages, layer: str) -> None:
        self._source, self._layer = source, layer
        self._capture = Capture(capture.observed.only([layer]), capture.reduction, capture.rectify)

    def __call__(self, units: Sequence[int], side: int) -> dict[int, Tensor]:
        best = torch.zeros(len(units))
        found: dict[int, Tensor] = {}
        for _, images, _ in self._source.passes(CHUNK):
            responses = self._capture(images)[self._layer].activations[:, list(units)].float().cpu()
            largest, which = responses.max(0)
            for place in torch.nonzero(largest > best).flatten().tolist():
                found[units[place]] = images[which[place]].cpu()
            best = torch.maximum(best, largest)
        return {unit: _resized(photograph, side) for unit, photograph in found.items()}


def _resized(photograph: Tensor, side: int) -> Tensor:
    if photograph.shape[1:] == (side, side):
        return photograph
    whole = F.interpolate(photograph[None], size=(side, side), mode="bilinear", antialias=True)
    return whole[0].clamp(0, 1)
