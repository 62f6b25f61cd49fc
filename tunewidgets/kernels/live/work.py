"""Live work: what a probe does for a widget while a reader looks.

In: a probe, and the record that the widget shows. Out: the kernels that add to it, behind the protocols of
`tunewidgets.live_protocols`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import xarray as xr

from tunewidgets.kernels.live.images import LiveImages
from tunewidgets.kernels.live.unit_growth import GrowingUnits
from tunewidgets.kernels.live.units import LiveUnits
from tunewidgets.kernels.network.layers import sight_of
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.tuning.places import check_source, places_on
from tunewidgets.live_protocols import PhotoPlaces


class ProbeWork:
    """A probe's `LiveWork`."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    def film(self, film: xr.Dataset) -> LiveImages:
        return LiveImages(film, self._probe)

    def units(
        self, layers: Mapping[str, xr.Dataset], options: Mapping[str, Any] | None
    ) -> dict[str, GrowingUnits]:
        """One growing record per layer of the probe's model, whichever layer the probe itself is for."""
        probe = self._probe
        one = next(iter(layers.values()))
        check_source("this record", {**one.attrs, "layer": probe.layer}, probe)
        bare = [name for name, units in layers.items() if "rendered" not in units]
        if options and not bare:
            raise ValueError(
                "all layers already have images, and more are made with the same settings; leave image_options out"
            )
        growing = {}
        for name, units in layers.items():
            own = probe
            if name != probe.layer:
                own = Probe(probe.model, name, probe.preprocess, probe.device)
            growing[name] = GrowingUnits(units, LiveUnits(units, own, options if name in bare else None))
        return growing

    def places(self, film: xr.Dataset, photo: np.ndarray) -> PhotoPlaces:
        image = torch.from_numpy(photo).movedim(-1, 0).float() / 255
        coordinates = places_on(film, self._probe, image)
        down, across = sight_of(self._probe).step if coordinates[0].size > 1 else photo.shape[:2]
        return PhotoPlaces(coordinates, (down, across))
