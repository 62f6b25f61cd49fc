"""A black box as a probe: any function from images to activations, of which nothing else is known.

In: a function, such as a neuron's recorded responses or a network behind an interface. Out: something that the kernels
treat as a layer, with everything the function returns checked. It has no gradient.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tunewidgets._checks import a_type, is_whole
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.working_size import Working

SIDE = 64  # pixels, where neither the caller nor the function says


class BlackBox(Probe):
    """A function of images that can be called but not looked into.

    Parameters
    ----------
    function : callable
        From float32 images `(N, 3, H, W)` in [0, 1], an array, to activations `(N, units)` or `(N, units, h, w)`, an
        array or a tensor.
    size : int or "auto"
        Side of the images; "auto" takes the function's own `input_size`, else 64.

    Raises
    ------
    TypeError, ValueError
        `function` can't be called, is a network, or returns something else; `size` is not a side.
    """

    def __init__(self, function: Callable[[np.ndarray], Any], size: int | str) -> None:
        if isinstance(function, nn.Module) or not callable(function):
            raise TypeError(
                f"probe is {a_type(function)}; give tw.Probe(model, layer), or a function from images to "
                "activations."
            )
        if size == "auto":
            own = getattr(function, "input_size", None)
            size = own if isinstance(own, int) else SIDE
        if not is_whole(size, 2):
            raise ValueError(f"size is {size!r}; give the side in pixels or 'auto'.")
        super().__init__(_Asked(function, int(size)), "answers", device="cpu")

    def __repr__(self) -> str:
        return f"BlackBox({self.provenance()['model']}: {self.units} units)"

    @property
    def origin(self) -> str:
        """The name of its one layer: nothing else is known about a function, and calling it may be costly."""
        return self.layer

    def provenance(self) -> dict[str, str]:
        """The function's name; what it computes can't be known, so it has no fingerprint."""
        function = self.model.function
        name = getattr(function, "__qualname__", type(function).__name__)
        return {"model": str(name), "model_sha256": "", "layer": self.layer}

    def _first_look(self, given: bool) -> Working:
        # With two images, a function that returns one row for all of them is found out.
        side = int(getattr(self.model, "input_size"))  # noqa: B009  (a module's attribute has no type)
        return Working((side, side), False, self.model(torch.full((2, 3, side, side), 0.5))[:1])

    def _look_twice(self) -> None:
        """Nothing to look at: calling a function may be costly, and a recorded neuron is never the same twice."""

    def _learn_layout(self, value: Tensor) -> None:
        """Nothing to learn: by contract a function returns its units on axis 1."""


class _Asked(nn.Module):
    """The function as a network of one layer, `answers`."""

    def __init__(self, function: Callable[[np.ndarray], Any], size: int) -> None:
        super().__init__()
        self.function = function
        self.input_size = size
        self.answers = nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        given = self.function(images.detach().cpu().numpy())
        if isinstance(given, Tensor):
            given = given.detach().cpu().numpy()
        values = np.asarray(given)
        if values.dtype.kind not in "fiub":
            raise ValueError(
                f"the function returned {a_type(given)} of type {values.dtype}; it has to give numbers, "
                "an array or a tensor (N, units) or (N, units, h, w)."
            )
        if values.ndim not in (2, 4) or len(values) != len(images) or values.size == 0:
            raise ValueError(
                f"the function returned shape {values.shape} for {len(images)} images; it has to give one row per "
                "image: (N, units) or (N, units, h, w)."
            )
        return self.answers(torch.from_numpy(values.astype(np.float32)))
