"""Values that are no numbers: NaN and infinite ones, in weights and in what a layer gives.

In: a network, and whether a layer's values are finite. Out: nothing, or one sentence that names the weights, if it is
they. An infinite number that a rectifier has set to 0 is one that no unit responds with.
"""

import torch
from torch import nn


def whole_weights(model: nn.Module) -> None:
    """Raise a ValueError if a weight or a buffer of the model is not finite."""
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
    """The name of the first weight or buffer that is not finite; empty if all are."""
    for name, value in [*model.named_parameters(), *model.named_buffers()]:
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            return name
    return ""
