"""The layers of a model, in forward order, and what each sees of the image.

In: an `nn.Module`. Out: a pandas DataFrame (`layer_table`). Receptive field and stride follow from arithmetic over the
operations that really run (convolutions, pooling, whatever joins their results), so functional calls and branches count
too; what mixes all positions (attention, global pooling, a linear layer on a flattened map) sees the whole input.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from tunewidgets._checks import is_whole
from tunewidgets.kernels.network.capture import suggested
from tunewidgets.kernels.network.layer_table import COLUMNS, LayerTable
from tunewidgets.kernels.network.own_words import own_words
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.refusals import REFUSALS, first_line, is_refusal
from tunewidgets.kernels.network.sight import Sight, Watch
from tunewidgets.kernels.network.tracing import check_model, evaluating, forward_to, watch_layers
from tunewidgets.kernels.network.working_size import USUAL_SIDE, on_some_size, sizes_to_try, weights_dtype

# A caller who leaves the size out is told from one who asks for the same by being given this very object.
USUAL = (3, USUAL_SIDE, USUAL_SIDE)


def trace_layers(model: nn.Module, inputs: Tensor) -> list[dict[str, Any]]:
    """One row per layer, in forward order, for `inputs` of shape (1, 3, H, W)."""
    size = (int(inputs.shape[-2]), int(inputs.shape[-1]))
    rows: list[dict[str, Any]] = []
    watch = Watch(inputs)

    def seen(name: str, module: nn.Module, value: Tensor) -> None:
        sight = watch.get(value)
        if value.ndim not in (2, 3, 4) or sight is None or not sight.is_map(tuple(value.shape), size):
            return
        # A window as wide as the image sees all of it, whatever arithmetic adds for the padding.
        window = sight.window or size
        axis = sight.unit_axis(value.ndim)
        rows.append(
            {
                "name": name,
                "kind": type(module).__name__,
                "units": int(value.shape[axis]),
                "output_shape": tuple(int(n) for n in value.shape[1:]),
                "receptive_field": (min(window[0], size[0]), min(window[1], size[1])),
                "stride": sight.step,
                "rectified": sight.rectified,
                "module": module,
            }
        )

    with evaluating(model), torch.no_grad(), watch:
        watch_layers(model, inputs, seen)
    return rows


def layers(model: nn.Module, input_size: tuple[int, int, int] = USUAL) -> pd.DataFrame:
    """List the layers of a model in forward order.

    Parameters
    ----------
    model : torch.nn.Module
        Any module that takes a batch of images. It is left unchanged.
    input_size : (int, int, int), default (3, 224, 224)
        Channels, height and width of the image that is sent through. Where it is left out, the model's own size comes
        first, if it says one (its `input_size`, or what timm and Hugging Face write beside the weights).

    Returns
    -------
    pandas.DataFrame
        One row per layer: `name` (dotted; a module used again gives `relu`, `relu_1`, …), `kind` (its class), `units`,
        `output_shape` (without the batch), `receptive_field` (the input's size where a layer sees all of it) and
        `stride`, in input pixels (y, x), `rectified` (whether its values cannot be negative). Printed or shown in a
        notebook, no row or column is left out; `attrs["suggested"]` names the layers that `analyze_units` looks at when
        none is named, which are marked `*`.

    Raises
    ------
    TypeError
        `model` is not a module.
    ValueError
        `input_size` is not three whole numbers; the model does not take an image of this size, or of any that is tried
        where none is given.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> bank = tw.zoo.gabor_bank()
    >>> table = tw.layers(bank, input_size=(3, 64, 64))
    >>> table[["name", "units", "receptive_field", "rectified"]].values.tolist()[-1]
    ['relu', 28, (7, 7), True]
    """
    check_model(model)
    device = next((value.device for value in model.parameters()), torch.device("cpu"))
    if input_size is USUAL:
        words = own_words(model, warn=False)
        sizes = sizes_to_try(model, words.size, own_first=True)
        trace = partial(trace_layers, model)
        found = on_some_size(model, words.preprocess, trace, device, sizes, "give input_size")
        rows = found.value
        shape = (1 if found.gray else 3, *found.size)
    else:
        shape = _checked_size(input_size)
        rows = _on_size(model, shape, device)
    table = LayerTable(rows, columns=list(COLUMNS))
    table.attrs["suggested"] = suggested([(row["name"], row["module"]) for row in rows])
    table.attrs["input_size"] = shape
    return table


def _checked_size(size: Any) -> tuple[int, int, int]:
    numbers = size.tolist() if isinstance(size, np.ndarray | Tensor) else size
    several = isinstance(numbers, Sequence) and not isinstance(numbers, str)
    if not several or len(numbers) != 3 or not all(is_whole(number, 1) for number in numbers):
        raise ValueError(
            f"input_size is {size!r}; give channels, height and width of an image, such as (3, 224, 224), or leave it "
            "out."
        )
    channels, height, width = map(int, numbers)
    return channels, height, width


def _on_size(model: nn.Module, size: tuple[int, int, int], device: torch.device) -> list[dict[str, Any]]:
    try:
        return trace_layers(model, torch.zeros(1, *size, dtype=weights_dtype(model), device=device))
    except REFUSALS as error:
        if not is_refusal(error):
            raise
        raise ValueError(
            f"the model does not take an image of shape {tuple(size)}: {first_line(error)}; give its own input_size."
        ) from error


def receptive_field(probe: Probe) -> int | None:
    """Side in pixels of what one position of the probe's layer sees; None where it sees the whole input."""
    window = sight_of(probe).window
    return None if window is None else max(window)


def sight_of(probe: Probe) -> Sight:
    """What one position of the probe's layer sees; its `window` is None where that is the whole input.

    For a model that takes images of any size, the window may be wider than the images the probe was tried with.
    """
    image = probe.middle_gray()
    watch = Watch(image)
    with evaluating(probe.network), torch.no_grad(), watch:
        value = forward_to(probe.network, probe.place, probe.inputs(image)).post
    sight = watch.get(value) or Sight(None, probe.image_size, False, False)
    if probe.takes is not None and sight.window is not None and max(sight.window) >= max(probe.takes):
        return replace(sight, window=None)
    return sight
