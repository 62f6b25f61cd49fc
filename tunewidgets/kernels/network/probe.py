"""A model up to one layer, whatever input it takes: RGB, one channel, normalized. All kernels look through this.

In: a model, a layer's name and images in [0, 1]. Out: the layer's values as `(N, units, h, w)` or `(N, units)`,
whatever the module's own layout. The forward pass stops at the layer, and the model comes back as it was.
"""

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tunewidgets._checks import a_type
from tunewidgets._tensors import Images, LayerValues, choose_device
from tunewidgets.kernels.network.counters import counters
from tunewidgets.kernels.network.finite import check_rows, check_units, plain_values
from tunewidgets.kernels.network.names import LayerCall, find_layer
from tunewidgets.kernels.network.origin import origin
from tunewidgets.kernels.network.own_words import OwnWords, own_words
from tunewidgets.kernels.network.refusals import taking
from tunewidgets.kernels.network.sight import Sight, Watch
from tunewidgets.kernels.network.steadiness import warn_if_unsteady
from tunewidgets.kernels.network.tracing import (
    Values,
    check_model,
    evaluating,
    forward_to,
)
from tunewidgets.kernels.network.unfit import usable_on
from tunewidgets.kernels.network.working_size import Working, network_inputs, on_some_size, sizes_to_try
from tunewidgets.kernels.studies.fingerprint import fingerprint


class Probe:
    """A model seen up to one layer.

    Parameters
    ----------
    model : torch.nn.Module
        Any module that takes a batch of images. Every call leaves it unchanged: mode, hooks, gradients, device. If it
        lives on a device other than `device`, or was made in inference mode, it is copied once.
    layer : str
        Dotted name of a layer, as `tunewidgets.layers` lists them.
    preprocess : callable, optional
        From RGB images in [0, 1] to what the model takes; differentiable. None takes the model's own `preprocess`
        attribute, also of the network inside DataParallel, torch.compile or a wrapper that passes images on as they
        are; without one, images are passed on. A model of one channel is given gray ones, (N, 1, H, W).
    device : str or torch.device, default "auto"
        CUDA, then MPS, then the CPU.

    Attributes
    ----------
    units : int
        Channels, features or token features of the layer.
    has_map : bool
        Whether a unit responds at many positions (a channel, or a feature of tokens) or once (a feature).
    input_size : int
        An image side that the model takes; of one that takes oblong images only, the shorter side.
    image_size : (int, int)
        Height and width of an image that the model takes.

    Warns
    -----
    UserWarning
        The layer's values on an image depend on chance or on the other images of its batch; or the model changes images
        on their way to an inner network that carries a `preprocess`, which is not applied.

    Raises
    ------
    ValueError
        The layer does not exist (the sentence suggests similar names), is not reached or gives nothing that is a unit;
        no image size fits, or the model takes neither three channels nor one; the device is not available; the model
        has no weights yet, or can't be copied to the device.
    TypeError
        `model` is not a module, or its `forward` needs more than images; `layer` is not a name.

    Examples
    --------
    >>> import torch, tunewidgets as tw
    >>> probe = tw.Probe(tw.zoo.gabor_bank(), "relu")
    >>> probe(torch.rand(2, 3, 64, 64)).shape
    torch.Size([2, 28, 29, 29])
    """

    def __init__(
        self,
        model: nn.Module,
        layer: str,
        preprocess: Callable[[Tensor], Tensor] | None = None,
        device: str | torch.device = "auto",
    ) -> None:
        check_model(model)
        if not isinstance(layer, str):
            raise TypeError(f"layer is {a_type(layer)}; give its dotted name, such as 'features.3'.")
        self.model = model
        self.layer = layer
        self.device = choose_device(device)
        self._network = usable_on(model, self.device)
        self.place: LayerCall = find_layer(self._network, layer)
        self.preprocess, self.takes, self._weights_from = told_or_given(self._network, preprocess)
        self._sight, self._tokens_first = Sight(axis=None), False
        working = self._first_look(given=preprocess is not None)
        self.image_size, self.gray, value = working
        self.input_size = min(self.image_size)
        if self.takes != self.image_size:
            self.takes = None
        self._tokens = value.ndim == 3
        self._learn_layout(value)
        sample = self.arrange(value, self.image_size)
        self.units = int(sample.shape[1])
        self.has_map = sample.ndim == 4
        self._map = tuple(sample.shape[2:])
        self._look_twice()

    def __repr__(self) -> str:
        kind, seen = "channels" if self.has_map else "features", ""
        if self._tokens and self.has_map:
            kind = "features of tokens"
        if self.has_map:
            sides = self.image_size if len(set(self.image_size)) > 1 else self.image_size[:1]
            seen = f" on a map of {' × '.join(map(str, self._map))} at {' × '.join(map(str, sides))} px"
        apart = sum(self._sight.outside)
        if apart and self.has_map:
            seen += f", {apart} token{'s' if apart > 1 else ''} apart"
        name = type(self.model).__name__
        return f"Probe({name}, {self.layer!r}: {self.units} {kind}{seen}, {self.device})"

    def __call__(self, images: Images | np.ndarray) -> LayerValues:
        """The layer's values on `images`.

        Parameters
        ----------
        images : Tensor or ndarray, (N, 3, H, W), float in [0, 1]
            Or (N, 1, H, W) for a model of one channel.

        Returns
        -------
        Tensor, float32, (N, units, h, w) or (N, units)
            Without gradients, on the probe's device.

        Raises
        ------
        TypeError, ValueError
            `images` is not such a batch, or has a size that the model does not take.
        """
        # A copy, since a preprocess or a network may modify its input in place.
        batch = check_images(images, self.gray).to(self.device, copy=True)
        with torch.no_grad(), taking(batch), evaluating(self._network):
            return self.values(batch).post.float()

    def rectified(self, images: Images | np.ndarray) -> LayerValues:
        """The layer's values with negative ones set to 0: what unit activations and tuning dimensions are made of."""
        return self(images).relu()

    def values(self, images: Images) -> Values:
        """The layer before and after its nonlinearity, with gradients; `images` is not checked.

        The caller holds the model in evaluation mode (`evaluating`).
        """
        pre, post, never_negative = forward_to(self._network, self.place, self.inputs(images))
        arranged = self.units_of(post, images)
        return Values(arranged if pre is post else self.units_of(pre, images), arranged, never_negative)

    def inputs(self, images: Tensor) -> Tensor:
        """What the network takes for these images: gray if it has one channel, preprocessed, in its precision."""
        return network_inputs(self._network, self.preprocess, images, self.gray)

    def middle_gray(self) -> Images:
        """One image of a size that the model takes, `(1, 3, H, W)`, all of it middle gray."""
        return torch.full((1, 3, *self.image_size), 0.5, device=self.device)

    @cached_property
    def origin(self) -> str:
        """The name by which the layer's random numbers are drawn: the same for all names of its values."""
        return origin(self._network, self.place, self.inputs(self.middle_gray()))

    @property
    def network(self) -> nn.Module:
        """The model where it runs: the user's own, or its copy on the probe's device."""
        return self._network

    def provenance(self) -> dict[str, str]:
        """Model, fingerprint and (if known) origin of its weights, and layer, as attributes for a record.

        Buffers in which the network counts its own passes are left out of the fingerprint.
        """
        known = self._weights_from
        return {
            "model": type(self.model).__name__,
            "model_sha256": fingerprint(self.model, without=self._counters),
            "layer": self.layer,
            **({} if known is None else {"weights_from": known}),
        }

    @cached_property
    def _counters(self) -> frozenset[str]:
        """Buffers in which the network counts its passes, which are no part of its fingerprint."""
        return counters(self._network, self.inputs(self.middle_gray()))

    def _first_look(self, given: bool) -> Working:
        """An image size that the model takes, and the layer's module's own output on one such image."""

        def run(inputs: Tensor) -> Tensor:
            return forward_to(self._network, self.place, inputs).post

        sizes = sizes_to_try(self._network, self.takes, given=given)
        return on_some_size(self._network, self.preprocess, run, self.device, sizes)

    def _look_twice(self) -> None:
        """Warn if an image's values are not its own."""
        warn_if_unsteady(self._network, {self.layer: self.place}, self.inputs, self.image_size)

    def _learn_layout(self, value: Tensor) -> None:
        """Find which axis of the layer's own output holds its units, and which tokens belong to no place in the
        image.
        """
        one_by_one = value.ndim > 1 and value.shape[0] != 1
        if one_by_one and value.ndim == 3 and value.shape[1] == 1 and self._images_on_second_axis():
            self._tokens_first = True
        elif one_by_one:
            check_rows(self.layer, value.shape[0], 1)
        if value.ndim < 3 or isinstance(self.place.module, nn.Conv2d):
            return
        image = self.middle_gray()
        watch = Watch(image)
        with torch.no_grad(), evaluating(self._network), watch:
            seen = watch.get(forward_to(self._network, self.place, self.inputs(image)).post)
        if seen is None:
            return
        self._sight = seen
        if not seen.is_map(tuple(value.shape), self.image_size):
            raise ValueError(
                f"layer {self.layer!r} gives a tensor of shape {tuple(value.shape)} in which nothing is a unit at a "
                "place (heads of an attention, one by one); choose the attention's output, or the block it is in."
            )

    def _images_on_second_axis(self) -> bool:
        """Whether the rows of one image are its tokens, and not windows of one token each."""
        pair = self.middle_gray().repeat(2, 1, 1, 1)
        with torch.no_grad(), taking(pair), evaluating(self._network):
            return forward_to(self._network, self.place, self.inputs(pair)).post.shape[1] == len(pair)

    def unit_axis(self, dimensions: int) -> int:
        """The axis of the layer's own output, of so many dimensions, that holds its units."""
        return self._sight.unit_axis(dimensions)

    def check_units(self, count: int, size: Sequence[int]) -> None:
        """Raise a ValueError unless the layer has as many units on images of this size as the probe has."""
        check_units(self.layer, self.units, count, self.image_size, size)

    def units_of(self, value: Tensor, images: Images) -> Tensor:
        """A value of the layer's module on these images, arranged; a ValueError where its rows or units are others."""
        size = (int(images.shape[-2]), int(images.shape[-1]))
        arranged = self.arrange(value, size)
        check_rows(self.layer, arranged.shape[0], images.shape[0])
        self.check_units(arranged.shape[1], size)
        return arranged

    def arrange(self, value: Tensor, image_size: tuple[int, int] | None = None) -> Tensor:
        """A value of the layer's module with its units on axis 1.

        Parameters
        ----------
        value : Tensor, (N, units), (N, units, h, w), (N, h, w, units), (N, tokens, units) or (tokens, N, units)
            As the module gives it.
        image_size : (int, int), optional
            Height and width of the images, for the shape of the tokens' grid; None: a square.

        Returns
        -------
        Tensor, (N, units) or (N, units, h, w)
            Tokens as a map, without a class token or others that belong to no place in the image.

        Raises
        ------
        ValueError
            The tensor has another shape, in which nothing is a unit, or holds complex numbers.

        Examples
        --------
        >>> import torch, tunewidgets as tw
        >>> probe = tw.Probe(tw.zoo.gabor_bank(), "relu")
        >>> probe.arrange(torch.zeros(2, 17, 5)).shape
        torch.Size([2, 5, 4, 4])
        """
        value = plain_values(value, self.layer)
        if value.ndim == 4:
            return value.movedim(self.unit_axis(4), 1)
        if value.ndim == 3:
            return self._tokens_to_map(value, image_size)
        if value.ndim == 2:
            return value
        raise ValueError(
            f"layer {self.layer!r} gives a tensor of shape {tuple(value.shape)}; "
            "a unit needs (N, units), (N, units, h, w) or (N, tokens, units): choose another layer."
        )

    def _tokens_to_map(self, value: Tensor, image_size: tuple[int, int] | None) -> Tensor:
        if self._tokens_first:
            value = value.transpose(0, 1)
        elif self.unit_axis(3) == 1:
            value = value.transpose(1, 2)
        before, after = self._sight.outside
        tokens = value[:, before : value.shape[1] - after]
        if tokens.shape[1] == 0:
            # A class token by itself is not a map: its features are the layer's units.
            return value[:, 0]
        grid = None
        if image_size is not None:
            steps = self._sight.step
            grid = (max(1, image_size[0] // steps[0]), max(1, image_size[1] // steps[1]))
            if tokens.shape[1] == 1 < grid[0] * grid[1]:
                return tokens[:, 0]
        return tokens_to_map(tokens, grid, guess=not before + after)


def tokens_to_map(tokens: Tensor, grid: tuple[int, int] | None = None, guess: bool = True) -> Tensor:
    """`(N, L, C)` tokens as `(N, C, h, w)`: on `grid` where it has L places, else square.

    With `guess`, the first of a square plus one is taken for a class token and left out.
    """
    n, length, features = tokens.shape
    side = math.isqrt(length)
    if grid is not None and grid[0] * grid[1] == length:
        return tokens.transpose(1, 2).reshape(n, features, *grid)
    if guess and side * side != length and math.isqrt(length - 1) ** 2 == length - 1:
        tokens, length, side = tokens[:, 1:], length - 1, math.isqrt(length - 1)
    height, width = (side, side) if side * side == length else (length, 1)
    return tokens.transpose(1, 2).reshape(n, features, height, width)


def tensor_of(values: Any) -> Any:
    """An array as a tensor, anything else as it is; a flipped array's strides are negative, and torch takes none."""
    return torch.from_numpy(np.ascontiguousarray(values)) if isinstance(values, np.ndarray) else values


def check_images(images: Any, gray: bool = False) -> Tensor:
    """`images` as a float32 batch `(N, 3, H, W)` in [0, 1], or one sentence that says what is wrong with it.

    `gray`: images of one channel are taken too, as for networks of one channel.
    """
    images = tensor_of(images)
    if gray and isinstance(images, Tensor) and images.ndim == 4 and images.shape[1] == 1:
        images = images.expand(-1, 3, -1, -1)
    if not isinstance(images, Tensor):
        raise TypeError(f"images is {a_type(images)}; give a float tensor or array (N, 3, H, W) in [0, 1].")
    if images.ndim != 4 or images.shape[1] != 3:
        hint = ""
        if images.ndim == 3:
            hint = "; add a batch axis: images[None]"
        elif images.ndim == 4 and images.shape[-1] == 3:
            hint = "; move the channels: images.permute(0, 3, 1, 2)"
        elif images.ndim == 4 and images.shape[1] == 1:
            hint = "; repeat the gray channel: images.expand(-1, 3, -1, -1)"
        elif images.ndim == 4 and images.shape[1] == 4:
            hint = "; leave out the fourth channel: images[:, :3]"
        raise ValueError(f"images has shape {tuple(images.shape)}, not (N, 3, height, width){hint}.")
    if images.shape[0] == 0:
        raise ValueError("images is empty; give at least one image.")
    if not images.dtype.is_floating_point:
        raise ValueError(
            f"images is {str(images.dtype).removeprefix('torch.')}, not float in [0, 1]; divide it by 255."
        )
    low, high = (float(v) for v in torch.aminmax(images.detach()))
    if math.isnan(low) or math.isnan(high):
        raise ValueError("images contains NaN; leave out or repair the images that have it.")
    if low < -1e-4 or high > 1 + 1e-4:
        hint = "divide by 255" if high > 2 else "undo its normalization: the probe preprocesses by itself"
        raise ValueError(f"images ranges from {low:.3g} to {high:.3g}, not within [0, 1]; {hint}.")
    return images.float()


def check_is_probe(probe: Any) -> None:
    """Raise a TypeError for anything but a probe, such as a model without a layer."""
    if not isinstance(probe, Probe):
        raise TypeError(f"probe is {a_type(probe)}; give tw.Probe(model, layer).")


def told_or_given(network: nn.Module, given: Any) -> OwnWords:
    """What the network says of itself, with `given` in place of its own preprocessing where there is one.

    Raises
    ------
    TypeError
        What is given can't be called.
    """
    if given is None:
        return own_words(network)
    if not callable(given):
        raise TypeError(
            f"preprocess is {a_type(given)}; give a function of a batch, such as "
            "torchvision.transforms.Normalize(mean, std)."
        )
    return own_words(network, warn=False)._replace(preprocess=given)
