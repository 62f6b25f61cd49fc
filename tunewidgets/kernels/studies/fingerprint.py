"""Fingerprints: digests that tell one set of weights from another, in records, in stores and on other machines.

In: a model. Out: a digest of all its values, but for those that it changes by itself.
"""

import hashlib
from collections.abc import Collection

import torch
from torch import Tensor, nn


def fingerprint(model: nn.Module, without: Collection[str] = ()) -> str:
    """sha256 over the names, shapes, dtypes and values of a model's parameters and buffers, `without` some of them."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        if isinstance(value, Tensor) and name not in without:
            digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
            raw = value.detach().cpu().contiguous().flatten().view(torch.uint8) if value.numel() else value
            digest.update(raw.numpy().tobytes())
    return digest.hexdigest()
