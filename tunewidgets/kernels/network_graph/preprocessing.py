"""A preprocess as what a page does to pixels: a scale and an offset for each channel.

In: a probe. Out: both, if its preprocess is no more than that.
"""

import torch

from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network_graph.operations import NotDrawable

# Float32 of values up to 255.
TOLERANCE = 1e-5


def scale_and_offset(probe: Probe) -> tuple[list[float], list[float]]:
    """By channel of the network's input: a pixel in [0, 1] times the scale plus the offset.

    Raises
    ------
    NotDrawable
        The preprocess does something else.
    """
    size = probe.image_size
    channels = 1 if probe.gray else 3
    pixels = torch.rand(1, channels, *size, generator=torch.Generator().manual_seed(0))
    ends = torch.stack([torch.zeros_like(pixels[0]), torch.ones_like(pixels[0])])
    with torch.no_grad():
        black, white = (_preprocessed(probe, one[None]) for one in ends)
        found = _preprocessed(probe, pixels)
    plain = found.shape == pixels.shape
    if plain:
        offset, scale = black[0, :, 0, 0], (white - black)[0, :, 0, 0]
        expected = pixels * scale[None, :, None, None] + offset[None, :, None, None]
        plain = bool((found - expected).abs().max() <= TOLERANCE * found.abs().max().clamp(min=1))
    if not plain:
        raise NotDrawable(
            "the preprocess does more than scale and shift each color, and a page can't do that; make the network's "
            "input of the size it takes, and give a preprocess such as torchvision.transforms.Normalize(mean, std)."
        )
    return scale.tolist(), offset.tolist()


def _preprocessed(probe: Probe, pixels: torch.Tensor) -> torch.Tensor:
    pixels = pixels.to(probe.device)
    made = pixels if probe.preprocess is None else probe.preprocess(pixels)
    return made.double().cpu()
