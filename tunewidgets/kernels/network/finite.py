"""Values that no unit can respond with: NaN and infinite ones, in weights and in what a layer gives, and complex ones.

In: a network, and whether a layer's values are finite; or the values, or how many units and images they are of. Out:
nothing, or one sentence, which names the weights if it is they. An infinite number that a rectifier has set to 0 is one
that no unit responds with.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tunewidgets._tensors import dense


def whole_weights(model: nn.Module) -> None:
    """Raise a ValueError if a weight of the model is not finite, or a buffer is that holds none by intention."""
    if name := _broken(model):
        raise ValueError(
            f"the model's {name} holds NaN or infinite values; load weights that are whole, or train again with a "
            "smaller learning rate."
        )


def check_values(finite: bool, network: nn.Module, layer: str) -> None:
    """Raise a ValueError unless a layer's values, on images just seen, are finite."""
    if finite:
        return
    said = f"layer {layer!r} gives NaN or infinite values on these images"
    if name := _broken(network):
        raise ValueError(
            f"{said}, since the model's {name} holds some; load weights that are whole, or train again with a smaller "
            "learning rate."
        )
    if any(value.dtype == torch.float16 for value in network.parameters()):
        raise ValueError(f"{said}, as float16 does above 65,504; use the model in float32: model.float().")
    raise ValueError(f"{said}; check the model's weights and preprocessing.")


def _broken(model: nn.Module) -> str:
    """The name of the first weight or buffer that is not finite; empty if all are.

    Masks and bounds may be infinite, running statistics may not; nothing may be NaN.
    """
    for name, value in [*model.named_parameters(), *model.named_buffers()]:
        if not value.is_floating_point():
            continue
        own = name.rpartition(".")[2]
        is_weight = isinstance(value, nn.Parameter) or own.startswith("running_")
        wrong = ~torch.isfinite(value) if is_weight else torch.isnan(value)
        if bool(wrong.any()):
            return name
    return ""


def plain_values(value: Tensor, layer: str) -> Tensor:
    """A layer's values as an ordinary tensor, whether they are sparse or quantized.

    Raises
    ------
    ValueError
        They are complex numbers.
    """
    if value.is_complex():
        raise ValueError(
            f"layer {layer!r} gives complex numbers, and a unit responds with a real one; choose a layer that gives "
            "their magnitude or their parts."
        )
    return dense(value)


def check_rows(layer: str, rows: int, images: int) -> None:
    """Raise a ValueError if a layer gives another number of rows than there are images."""
    if rows != images:
        raise ValueError(
            f"layer {layer!r} gives {rows} rows for {'one image' if images == 1 else f'{images} images'} (windows, or "
            "heads, one by one); choose a layer that gives one for each, such as the block it is in."
        )


def check_units(layer: str, units: int, count: int, own_size: Sequence[int], size: Sequence[int]) -> None:
    """Raise a ValueError if a layer has another number of units on images of this size than on those of `own_size`."""
    if count != units:
        own, here = (" × ".join(map(str, each)) for each in (own_size, size))
        raise ValueError(
            f"layer {layer!r} has {units} units on images of {own} px and {count} on these of {here} px, since its "
            "units are places in the image; choose another layer, or set model.input_size to the size of the images."
        )
