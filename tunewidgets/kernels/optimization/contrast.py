"""How much contrast an image may have. In: a probe. Out: a bound on the standard deviation of its logits, or None.

Without a bound an optimizer drives most pixels to black, white and pure colors. A deep layer responds less to such an
image than to one of bounded contrast, other networks recognize less in it, and so does an eye. Only where the layer is
linear in the image has the best image no finite contrast: there the bound would take what the image is made for.
"""

from typing import Any

import torch

from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.tracing import evaluating

# Standard deviation of logits: the colors of photographs have about that much.
NATURAL = 1.2
# Share of a layer's spread by which the value at a mean of two images may miss the mean of their values.
LINEAR = 1e-2


def choose_contrast(probe: Probe, contrast: float | str | None, size: int) -> float | None:
    """The bound on an image's logits: as asked, or for "auto" `NATURAL` unless the layer sees the image linearly.

    Raises
    ------
    ValueError
        `contrast` is none of these.
    """
    if isinstance(contrast, str) and contrast == "auto":
        return None if sees_linearly(probe, size) else NATURAL
    return _checked(contrast)


def display_contrast(contrast: float | str | None, canvas: str) -> float | None:
    """The bound on an image that is for the eye alone: `NATURAL` for "auto", whatever the layer.

    None where `canvas` is "maco", whose images have the contrast of photographs as they are.

    Raises
    ------
    ValueError
        `contrast` is none of these.
    """
    if isinstance(contrast, str) and contrast == "auto":
        return None if canvas == "maco" else NATURAL
    return _checked(contrast)


def sees_linearly(probe: Probe, size: int) -> bool:
    """Whether the layer, before it is rectified, is linear in the image: a first convolution is."""
    random = torch.Generator().manual_seed(0)
    one, other = torch.rand(2, 3, size, size, generator=random)
    images = torch.stack([one, other, (one + other) / 2]).to(probe.device)
    with torch.no_grad(), evaluating(probe.network):
        values = probe.values(images).pre.float()
    first, second, middle = values
    miss, spread = (middle - (first + second) / 2).abs(), (first - second).abs().max()
    if bool((values >= 0).all()):
        # Rectified in the layer's own forward pass: what is above 0 in all three tells.
        miss = miss[(values > 0).all(0)]
    return miss.numel() > 0 and bool(miss.max() <= LINEAR * spread)


def _checked(contrast: Any) -> float | None:
    if contrast is None or (
        isinstance(contrast, int | float) and not isinstance(contrast, bool) and 0 < contrast < float("inf")
    ):
        return None if contrast is None else float(contrast)
    raise ValueError(
        f"contrast is {contrast!r}; give the largest standard deviation of an image's logits, such as 1.2, 'auto' or "
        "None for no bound."
    )
