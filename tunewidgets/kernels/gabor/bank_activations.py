"""Responses of banks of filters to one set of images, whose patches are cut once for all banks.

In: images and how many vectors. Out: for each bank a DataArray `(sample, unit)`, as `sample_activations` gives it.
Banks that differ only in their filters look at the same patches: cutting is slow, multiplying is not.
"""

import json
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
import xarray as xr
from torch import nn

from tunewidgets._checks import a_type
from tunewidgets.kernels.data.image_batches import look_of_first
from tunewidgets.kernels.data.items import as_batches
from tunewidgets.kernels.data.vectors import contrast_of, normalized
from tunewidgets.kernels.network.finite import check_values
from tunewidgets.kernels.network.on_noise import marks_of
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.tuning.activations import pooled, sample_activations
from tunewidgets.zoo.gabor import GaborBank

LAYER = "relu"


class Patches:
    """Luminance patches of the images, cut where a bank's filters stand.

    Parameters
    ----------
    images : zoo source, Tensor, ndarray or iterable
        As `sample_activations` takes them.
    n : int
        How many patches.
    seed : int
        Decides where they are cut.
    progress : bool
    pool, pooling, normalize
        As of `sample_activations`.
    """

    def __init__(
        self,
        images: Any,
        n: int,
        seed: int,
        progress: bool,
        pool: int = 1,
        pooling: str = "mean",
        normalize: bool = False,
    ) -> None:
        # An iterator can be passed over only once, but banks of several sizes need several passes.
        self.images = list(images) if isinstance(images, Iterator) else images
        self.n, self.seed, self.progress = n, seed, progress
        self.pool, self.pooling, self.normalize = pool, pooling, normalize
        self._cut: dict[tuple[Any, ...], xr.DataArray] = {}

    @property
    def described(self) -> str:
        """The images in words."""
        describe = getattr(self.images, "describe", None)
        return str(describe()) if callable(describe) else a_type(self.images)

    @property
    def first_images(self) -> str | None:
        """A fingerprint of images that do not describe themselves; None for those that do."""
        return (
            None
            if callable(getattr(self.images, "describe", None))
            else look_of_first(as_batches(self.images))
        )

    def activations(self, bank: GaborBank) -> xr.DataArray:
        """The bank's rectified responses to the patches, `(sample, unit)` float32."""
        patches = self.windows(bank)
        kernels = bank.filters.weight.detach().cpu()
        seen = torch.from_numpy(patches.values).view(self.n, 1, *self._window(bank))
        maps = F.conv2d(seen, kernels, stride=bank.filters.stride).relu_()
        check_values(bool(torch.isfinite(maps).all()), bank, LAYER)
        values = pooled(maps, self.pool, self.pooling).flatten(1).numpy()
        probe = Probe(bank, LAYER, device="cpu")
        # As of a sample of the bank itself, not of what cut its patches.
        attrs = {**patches.attrs, **probe.provenance(), "on_noise": json.dumps(marks_of([probe])[LAYER])}
        if self.pool > 1:
            attrs |= {"pool": self.pool, "pooling": self.pooling}
        if self.normalize:
            attrs["contrast"] = contrast_of(values)
            values = normalized(values, attrs["contrast"])
        return xr.DataArray(values, dims=("sample", "unit"), coords=patches.coords, attrs=attrs)

    def windows(self, bank: GaborBank) -> xr.DataArray:
        """What the bank's filters look at: luminance patches `(sample, pixel)`, row by row."""
        window, stride = self._window(bank), _pair(bank.filters.stride)
        luminance = bank.luminance.weight.detach().cpu()
        key = (window, stride, tuple(luminance.flatten().tolist()))
        if key not in self._cut:
            pixels = window[0] * window[1]
            # Filters that each see a single pixel: their responses at a position are the patch there.
            single = nn.Conv2d(1, pixels, window, stride, bias=False)
            gray = nn.Conv2d(3, 1, 1, bias=False)
            with torch.no_grad():
                single.weight.copy_(torch.eye(pixels).view(pixels, 1, *window))
                gray.weight.copy_(luminance)
            network = nn.Sequential(OrderedDict(luminance=gray, patches=single)).eval()
            probe = Probe(network, "patches", device="cpu")
            cut = sample_activations(probe, self.images, n=self.n, seed=self.seed, progress=self.progress)
            middle = self.pool // 2
            self._cut[key] = cut.assign_coords(y=cut["y"] + middle, x=cut["x"] + middle)
        return self._cut[key]

    def _window(self, bank: GaborBank) -> tuple[int, int]:
        """Height and width, in pixels, of what one vector depends on."""
        size, stride = _pair(bank.filters.kernel_size), _pair(bank.filters.stride)
        return size[0] + (self.pool - 1) * stride[0], size[1] + (self.pool - 1) * stride[1]


def _pair(sizes: tuple[int, ...]) -> tuple[int, int]:
    height, width = sizes
    return height, width
