"""How much contrast an image may have. In: a probe. Out: a bound on the standard deviation of its logits, or None.

Without a bound an optimizer drives most pixels to black, white and pure colors. A deep layer responds less to such an
image than to one of bounded contrast, other networks recognize less in it, and so does an eye. Only where the layer is
linear in the image has the best image no finite contrast: there the bound would take what the image is made for.
"""

from collections.abc import Callable
from functools import cache, partial

import torch

from tunewidgets._checks import Auto
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.tracing import evaluating

# Standard deviation of logits: the colors of photographs have about that much.
NATURAL = 1.2
# Share of a layer's spread by which the value at a mean of two images may miss the mean of their values.
LINEAR = 1e-2
# Whether a layer sees images linearly, found out when it is first asked.
Linearity = Callable[[], bool]


def choose_contrast(contrast: float | Auto | None, linear: Linearity) -> float | None:
    """The bound on an image's logits: as asked, or for "auto" `NATURAL` unless the layer sees the image linearly."""
    if contrast == "auto":
        return None if linear() else NATURAL
    return None if contrast is None else float(contrast)


def display_contrast(contrast: float | Auto | None, canvas: str) -> float | None:
    """The bound on an image that is for the eye alone: `NATURAL` for "auto", whatever the layer.

    None where `canvas` is "maco", whose images have the contrast of photographs as they are.
    """
    if contrast == "auto":
        return None if canvas == "maco" else NATURAL
    return None if contrast is None else float(contrast)


def linearity(probe: Probe, size: int) -> Linearity:
    """`sees_linearly`, which is looked at once however often it is asked for, or never."""
    return cache(partial(sees_linearly, probe, size))


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
