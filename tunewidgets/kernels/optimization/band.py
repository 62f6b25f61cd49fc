"""Which spatial frequencies a layer can see. In: a probe and a canvas side. Out: a cutoff in cycles per pixel.

An optimizer is free to fill frequencies that hardly reach the layer with patterns that nobody can read; on a canvas
limited to the visible band it is not.
"""

import torch

from tunewidgets._checks import Auto
from tunewidgets.kernels.canvas.spectrum import radial_frequency
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.tracing import evaluating
from tunewidgets.kernels.optimization.gradient import gradients
from tunewidgets.kernels.optimization.loop import generator, network_values

# Share of the gradient's power that the band keeps.
VISIBLE = 0.99
NOISE_IMAGES = 8


def choose_band(probe: Probe, size: int, band: float | Auto | None) -> float | None:
    """The highest frequency a canvas may hold, cycles per pixel: as given, measured for "auto", or None for all."""
    return visible_band(probe, size) if band == "auto" else band


def visible_band(probe: Probe, size: int) -> float:
    """The frequency, cycles per pixel, below which 99% of the power of the layer's gradient lies.

    The gradient is that of random mixtures of all units with respect to the image, at weak noise around gray: its power
    at a frequency is how strongly a pattern of that frequency can drive the layer.
    """
    random = generator(0, "band")
    noise = 0.5 + 0.05 * torch.randn(NOISE_IMAGES, 3, size, size, generator=random)
    images = noise.clamp(0, 1).to(probe.device).requires_grad_()
    with evaluating(probe.network):
        values = network_values(probe, images, "float32").pre
    weights = torch.randn(values.shape, generator=random).to(probe.device)
    (gradient,) = gradients((values * weights).sum(), [images], probe)
    power = torch.fft.rfft2(gradient.cpu()).abs().square().mean((0, 1))
    # Half the spectrum stands for the whole: its inner columns count twice.
    power[:, 1 : (size + 1) // 2] *= 2
    frequency = radial_frequency(size)
    order = frequency.flatten().argsort()
    reached = power.flatten()[order].cumsum(0)
    if not float(reached[-1]) > 0:
        return 0.5**0.5
    cut = int(torch.searchsorted(reached, VISIBLE * reached[-1]))
    return float(frequency.flatten()[order][min(cut, len(order) - 1)])
