"""Tensors: the shapes in which they change hands, and the device that a network runs on.

In: a device's name, or "auto"; or a tensor, however it is stored. Out: a `torch.device`, or whether it multiplies
bfloat16 faster than float32; or an ordinary tensor.
"""

from typing import Annotated

import torch
from torch import Tensor

# N images, U units, T targets; a type checker sees tensors, a reader their shapes.
Image = Annotated[Tensor, "(3, H, W), RGB in [0, 1]"]
Images = Annotated[Tensor, "(N, 3, H, W), RGB in [0, 1]"]
CanvasParameters = Annotated[Tensor, "(N, *canvas.shape), what an optimizer moves"]
LayerValues = Annotated[Tensor, "(N, U, h, w), or (N, U) where the layer has no map"]
Activations = Annotated[Tensor, "(N, U), one number per unit: rectified and reduced over positions"]
Scores = Annotated[Tensor, "(N,), what each image's target is maximized by"]


def choose_device(device: str | torch.device) -> torch.device:
    """The device that is named; for "auto", CUDA where available, then MPS, then the CPU.

    Raises
    ------
    ValueError
        The named device does not exist on this machine, or there is none of that name.
    """
    if str(device) == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"device {device!r} is unknown; give 'auto', 'cpu', 'cuda', 'cuda:1' or 'mps'."
        ) from error
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not present.get(chosen.type, True) or not _works(chosen):
        raise ValueError(f"device {str(device)!r} is not on this machine; give 'auto' or 'cpu'.")
    return chosen


def _works(device: torch.device) -> bool:
    """Whether a number can go to a device and come back: not to a second GPU where there is one, nor to "meta"."""
    try:
        return device.type == "cpu" or torch.ones(1, device=device).cpu().item() == 1
    except (RuntimeError, AssertionError):  # torch was built without it, or there is no such number of it
        return False


def dense(values: Tensor) -> Tensor:
    """The values of a sparse or quantized tensor as an ordinary one; one that is ordinary, as it is."""
    if values.is_quantized:
        values = values.dequantize()
    return values if values.layout == torch.strided else values.to_dense()


def has_matrix_units(device: torch.device) -> bool:
    """Whether bfloat16 products run on dedicated units: recent CUDA cards, and CPUs with AMX tiles."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    has_tiles = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    return device.type == "cpu" and has_tiles()


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 products are faster than float32's: with matrix units, or with AVX-512's instructions for them.

    The latter gain half as much: nothing in a first convolution, a factor of 1.6 to 2 in those that follow.
    """
    has_instructions = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return has_matrix_units(device) or (device.type == "cpu" and has_instructions())
