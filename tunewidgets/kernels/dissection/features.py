"""Features of a layer: its units, or the tuning dimensions found in it.

In: a film, fitted dimensions, unit records or a probe. Out: values on images, `(N, features)` or `(N, features, h, w)`,
a batch at a time: rectified activations of units, coordinates along dimensions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from torch import Tensor

from tunewidgets import records
from tunewidgets._checks import a_type
from tunewidgets.kernels.network.capture import Reduction
from tunewidgets.kernels.network.finite import check_values
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.tuning.dimensions import TuningDimensions
from tunewidgets.kernels.tuning.places import Fit, check_source, fit_of
from tunewidgets.records.validation import schema_of


@dataclass(frozen=True)
class Features:
    """Units or dimensions of a probe's layer.

    Attributes
    ----------
    kind : {"units", "dimensions"}
    numbers : ndarray of int
        Which they are.
    """

    kind: str
    numbers: np.ndarray
    probe: Probe
    _look: Callable[[Tensor], np.ndarray]

    @property
    def ends(self) -> tuple[str, ...]:
        """Which ends mean something: a unit is silent at its low end, a dimension has two."""
        return ("high",) if self.kind == "units" else ("high", "low")

    def maps(self, images: Tensor) -> np.ndarray:
        """Values `(N, features, h, w)` on images `(N, 3, H, W)` in [0, 1]; a layer without a map has one position.

        Raises
        ------
        ValueError
            The network gives NaN or infinite values.
        """
        values = self._look(images)
        check_values(bool(np.isfinite(values.sum())), self.probe.network, self.probe.layer)
        return values if values.ndim == 4 else values[:, :, None, None]


def reduced(maps: np.ndarray, reduction: Reduction) -> np.ndarray:
    """One value per image, `(N, features)`, of maps: "mean", "max" or "center"."""
    if reduction == "mean":
        return np.asarray(maps.mean((2, 3)))
    if reduction == "max":
        return np.asarray(maps.max((2, 3)))
    return np.asarray(maps[:, :, maps.shape[2] // 2, maps.shape[3] // 2])


def features_of(source: Any, probe: Probe | None) -> Features:
    """The units or dimensions that `source` stands for.

    Raises
    ------
    TypeError
        It is none of the four.
    ValueError
        The probe is missing, or looks at another layer or at other weights than `source` was made with; the dimensions
        are not fitted, or have no linear fit.
    """
    if isinstance(source, Probe):
        return _units(np.arange(source.units), source)
    if not isinstance(source, xr.DataTree | xr.Dataset | TuningDimensions):
        raise TypeError(
            f"film_or_units is {a_type(source)}; give a film record, fitted TuningDimensions, unit records or "
            "a tw.Probe"
        )
    if not isinstance(probe, Probe):
        raise ValueError(
            "the network has to see the images; give it, and the layer, as probe=tw.Probe(model, layer)"
        )
    if isinstance(source, TuningDimensions):
        fit = _fitted(source, probe)
        return _dimensions(np.arange(len(fit.unmixing)), fit, probe)
    record = layer_record(source, probe)
    kind, _ = schema_of(record.attrs)
    if kind == "film":
        return _dimensions(record["dimension"].values, fit_of(record), probe)
    if kind == "units":
        return _units(numbers_of(record, probe), probe)
    raise TypeError(f"this is a record of kind {kind!r}; give a film record or unit records")


def _units(numbers: np.ndarray, probe: Probe) -> Features:
    every = np.array_equal(numbers, np.arange(probe.units))

    def look(images: Tensor) -> np.ndarray:
        values = probe.rectified(images).cpu().numpy()
        return values if every else values[:, numbers]

    return Features("units", numbers, probe, look)


def numbers_of(record: xr.Dataset, probe: Probe) -> np.ndarray:
    """Which units of the probe's layer a record holds, all of them or some."""
    numbers = np.arange(record.sizes["unit"]) if "unit" not in record.coords else record["unit"].values
    if not set(numbers.tolist()) <= set(range(probe.units)):
        raise ValueError(
            f"the record names units that layer {probe.layer!r} has not, which has 0 to {probe.units - 1}; give it "
            "as analyze_units made it"
        )
    return np.asarray(numbers)


def _dimensions(numbers: np.ndarray, fit: Fit, probe: Probe) -> Features:
    return Features("dimensions", numbers, probe, lambda images: fit.maps(probe, images))


def layer_record(source: xr.Dataset | xr.DataTree, probe: Probe) -> xr.Dataset:
    """The record of the probe's layer, checked."""
    record = source
    if isinstance(source, xr.DataTree):
        by_layer = {str(child.attrs.get("layer")): child for child in source.children.values()}
        if probe.layer not in by_layer:
            raise ValueError(
                f"the records have no layer {probe.layer!r}, which the probe looks at; they have "
                f"{', '.join(map(repr, by_layer)) or 'none'}"
            )
        record = by_layer[probe.layer].to_dataset()
    assert isinstance(record, xr.Dataset)
    records.validate(record)
    check_source("this record", record.attrs, probe)
    return record


def _fitted(dimensions: TuningDimensions, probe: Probe) -> Fit:
    if not hasattr(dimensions, "sample_"):
        raise ValueError(
            "these dimensions are not fitted; call dimensions.fit(tw.sample_activations(probe, images)) first"
        )
    if not hasattr(dimensions, "unmixing_"):
        raise ValueError(
            f"{dimensions.method_name_!r} has no linear fit, so no image can be placed along its dimensions; use "
            "'pca', 'ica' or 'nmf'"
        )
    sample = dimensions.sample_
    if "layer" in sample:
        check_source("this sample of activations", sample, probe)
    elif dimensions.n_features_in_ != probe.units:
        raise ValueError(
            f"the dimensions were fitted on {dimensions.n_features_in_} units and layer {probe.layer!r} has "
            f"{probe.units}; fit them on this layer's activations"
        )
    return Fit(
        dimensions.unmixing_,
        dimensions.mean_,
        dimensions.unit_mask_,
        int(sample.get("pool", 1)),
        str(sample.get("pooling", "mean")),
        sample.get("contrast"),
    )
