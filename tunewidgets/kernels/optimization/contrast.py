"""How much contrast an image may have. In: a probe. Out: a bound on the standard deviation of its logits, or None.

Without a bound, an optimizer drives most pixels to black, white and pure colors. A deep layer responds less to such an
image than to one of bounded contrast, and other networks, like the eye, recognize less in it. Only where the layer is
linear in the image does the best image have no finite contrast: there a bound would defeat the image's purpose.
"""

from collections.abc import Callable
from functools import cache, partial

import torch

from tunewidgets._checks import Auto
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.tracing import evaluating

# Standard deviation of logits: the colors of photographs have about that much.
NATURAL = 1.2
# How far the value at the mean of two images may be from the mean of their values, as a share of the layer's spread.
LINEAR = 1e-2
# Whether a layer sees images linearly, determined on the first call.
Linearity = Callable[[], bool]


def choose_contrast(contrast: float | Auto | None, linear: Linearity) -> float | None:
    """The bound on an image's logits: as given, or for "auto" `NATURAL` unless the layer sees the image linearly."""
    if contrast == "auto":
        return None if linear() else NATURAL
    return None if contrast is None else float(contrast)


def display_contrast(contrast: float | Auto | None, canvas: str) -> float | None:
    """The bound on an image that is made for display only: `NATURAL` for "auto", whatever the layer.

    None if `canvas` is "maco", whose images have the contrast of photographs anyway.
    """
    if contrast == "auto":
        return None if canvas == "maco" else NATURAL
    return None if contrast is None else float(contrast)


def linearity(probe: Probe, size: int) -> Linearity:
    """`sees_linearly`, computed on the first call alone, and not at all without one."""
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
        # Rectified in the layer's own forward pass: only values above 0 on all three images are informative.
        miss = miss[(values > 0).all(0)]
    return miss.numel() > 0 and bool(miss.max() <= LINEAR * spread)
