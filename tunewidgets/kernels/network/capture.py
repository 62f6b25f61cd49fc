"""Unit activations of many layers, captured in one forward pass.

In: a model, layers' names and images. Out: each layer's unit activations `(N, U)`, reduced while the pass runs, so that
no map is kept and no later in-place operation can change what was seen. The pass stops after the last layer.
"""

import copy
import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from tunewidgets._checks import a_type
from tunewidgets._tensors import Activations, choose_device
from tunewidgets.kernels.network.finite import check_values, whole_weights
from tunewidgets.kernels.network.names import find_layer
from tunewidgets.kernels.network.probe import Probe, told_or_given
from tunewidgets.kernels.network.refusals import taking
from tunewidgets.kernels.network.steadiness import warn_if_unsteady
from tunewidgets.kernels.network.tracing import (
    ACTIVATIONS,
    check_model,
    evaluating,
    never_negative,
    run_to,
    watch_layers,
)
from tunewidgets.kernels.network.unfit import usable_on
from tunewidgets.kernels.network.working_size import on_some_size, sizes_to_try

Reduction = Literal["mean", "max", "center"]
REDUCTIONS = get_args(Reduction)


class Reduced(NamedTuple):
    """A layer on one batch: unit activations (N, U) and, where asked for, the flat position of each map's maximum.

    Activations are float32, or float64 where the model computes in it.
    """

    activations: Activations
    peak: Tensor | None  # None for features, which have no map
    width: int  # of the layer's map; 1 for features


class Observed:
    """A model that has been checked and put on its device, with the layers to look at.

    Parameters
    ----------
    model : torch.nn.Module
        Comes back as it was. In training mode it is measured in evaluation mode, with a warning.
    layers : sequence of str, str or None
        None: every activation module's output, or, in a model without one, every convolution's and linear layer's.
    preprocess, device
        As of `Probe`.

    Attributes
    ----------
    takes : (int, int) or None
        The one image size that the model says it takes.
    gray : bool
        Whether it takes images of one channel.

    Raises
    ------
    TypeError, ValueError
        `model` is not a module, has weights that are not finite, or lacks a layer.
    """

    def __init__(
        self,
        model: nn.Module,
        layers: Sequence[str] | str | None = None,
        preprocess: Callable[[Tensor], Tensor] | None = None,
        device: str | torch.device = "auto",
    ) -> None:
        check_model(model)
        if model.training:
            warnings.warn(
                "the model is in training mode; it is measured in evaluation mode and put back afterwards.",
                stacklevel=3,
            )
        self.model = model
        self.device = choose_device(device)
        self.network = usable_on(model, self.device)
        whole_weights(self.network)
        self._preprocess = preprocess
        if isinstance(layers, str):
            layers = [layers]
        if layers is not None and not isinstance(layers, Iterable):
            raise TypeError(
                f"layers is {a_type(layers)}; give names, such as ['features.3']: tw.layers(model) lists them."
            )
        names = default_layers(self.network, preprocess) if layers is None else list(dict.fromkeys(layers))
        if not names:
            raise ValueError("layers is empty; name at least one, or leave it out for all.")
        first = Probe(self.network, names[0], preprocess, self.device)
        # All others in the same passes, after which each is known.
        places = {name: find_layer(self.network, name) for name in names}
        warn_if_unsteady(self.network, places, first.inputs, first.image_size)
        others = {name: Probe(self.network, name, preprocess, self.device) for name in names[1:]}
        self.probes = {names[0]: first, **others}
        self.takes, self.gray = first.takes, first.gray

    def inputs(self, images: Tensor) -> Tensor:
        """What the network takes for these images, on its device: a copy, which may be worked on in place."""
        return next(iter(self.probes.values())).inputs(images.to(self.device, copy=True))

    def only(self, layers: Iterable[str]) -> "Observed":
        """The same model, with fewer layers to look at."""
        fewer = copy.copy(self)
        fewer.probes = {layer: self.probes[layer] for layer in layers}
        return fewer

    def provenance(self, layer: str) -> dict[str, str]:
        """Where the layer's values come from, for a record's attributes."""
        return {**self._identity, "layer": layer}

    @property
    def model_sha256(self) -> str:
        """The fingerprint of the model's weights, for a store."""
        return self._identity["model_sha256"]

    @cached_property
    def _identity(self) -> dict[str, str]:
        return next(iter(self.probes.values())).provenance()


class Capture:
    """Unit activations of all layers of an `Observed` model, a batch at a time.

    Parameters
    ----------
    observed : Observed
    reduction : {"mean", "max", "center"}
        Over positions, after rectifying.
    rectify : bool
        Negative values count as 0.
    peaks : bool
        Also say where each map has its maximum.
    """

    def __init__(
        self, observed: Observed, reduction: Reduction = "mean", rectify: bool = True, peaks: bool = False
    ) -> None:
        if reduction not in REDUCTIONS:
            raise ValueError(f"reduction is {reduction!r}; choose one of {', '.join(map(repr, REDUCTIONS))}.")
        self.observed = observed
        self.reduction = reduction
        self.rectify = rectify
        self.peaks = peaks

    @property
    def settings(self) -> dict[str, Any]:
        """What is measured, for a record's settings."""
        return {"reduction": self.reduction, "rectify": self.rectify}

    @torch.no_grad()
    def __call__(self, images: Tensor) -> dict[str, Reduced]:
        """Run the network on `images` (float, in [0, 1]) up to its last layer.

        Raises
        ------
        ValueError
            The network does not take images of this size, or a layer gives values that are not finite.
        """
        seen: dict[str, Reduced] = {}

        def run() -> None:
            with taking(images), evaluating(self.observed.network):
                self.observed.network(self.observed.inputs(images))

        def reached(layer: str, value: Tensor) -> None:
            seen[layer] = self._reduce(self.observed.probes[layer], value, images)

        run_to({layer: probe.place for layer, probe in self.observed.probes.items()}, run, reached)
        for layer, reduced in seen.items():
            finite = math.isfinite(float(reduced.activations.sum()))
            check_values(finite, self.observed.network, layer)
        return {layer: seen[layer] for layer in self.observed.probes}

    def _reduce(self, probe: Probe, value: Tensor, images: Tensor) -> Reduced:
        maps = probe.units_of(value, images)
        if maps.dtype != torch.float64:
            maps = maps.float()
        # What a rectifier gives is rectified already, and doing it again would be a good part of the pass's cost.
        if self.rectify and not never_negative(probe.place.module):
            maps = maps.relu()
        if maps.ndim == 2:
            # A copy, since the network may go on in place.
            return Reduced(maps.clone().cpu(), None, 1)
        peak = None
        if self.peaks:
            peak = maps.flatten(2).argmax(2).cpu()
        if self.reduction == "mean":
            reduced = maps.mean((2, 3))
        elif self.reduction == "max":
            reduced = maps.amax((2, 3))
        else:
            reduced = maps[:, :, maps.shape[2] // 2, maps.shape[3] // 2].clone()
        return Reduced(reduced.cpu(), peak, maps.shape[3])


def check_by_layer(name: str, given: Any) -> None:
    """Raise a TypeError of one sentence unless `given` says which layer each of its values belongs to."""
    if given is not None and not isinstance(given, Mapping):
        raise TypeError(
            f"{name} is {a_type(given)}; give a mapping from layers to arrays, such as {{'relu': values}}."
        )


def default_layers(network: nn.Module, preprocess: Callable[[Tensor], Tensor] | None) -> list[str]:
    """The layers to look at when none is named, in forward order.

    Raises
    ------
    ValueError
        The network takes none of the image sizes tried, or has no such layer.
    """
    found: list[tuple[str, nn.Module]] = []

    def seen(name: str, module: nn.Module, value: Tensor) -> None:
        found.append((name, module))

    given = preprocess is not None
    preprocess, only, _ = told_or_given(network, preprocess)
    first = next(network.parameters(), None)
    device = torch.device("cpu") if first is None else first.device

    def run(inputs: Tensor) -> None:
        found.clear()
        watch_layers(network, inputs, seen)

    sizes = sizes_to_try(network, only, given=given)
    on_some_size(network, preprocess, run, device, sizes, "name the layers and give a preprocess")
    names = suggested(found)
    if not names:
        raise ValueError("the model has no activation, convolution or linear module; name the layers.")
    return names


def suggested(layers: Iterable[tuple[str, nn.Module]]) -> list[str]:
    """Of layers with their modules, those worth a look: activation modules, or without one convolutions and linear
    layers.
    """
    found: dict[bool, list[str]] = {True: [], False: []}
    for name, module in layers:
        if isinstance(module, (*ACTIVATIONS, nn.Conv2d, nn.Linear)):
            found[isinstance(module, ACTIVATIONS)].append(name)
    return found[True] or found[False]
