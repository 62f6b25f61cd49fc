"""What a network carries with it: `preprocess`, `input_size`, and what timm and Hugging Face write beside weights.

In: a network, or one that others are wrapped around. Out: attributes as they are, and image sizes to try. Nothing runs.
"""

from collections.abc import Iterator
from typing import Any

from torch import nn

# Where wrappers that pass images on as they are keep the network: DataParallel and its kin, torch.compile, FSDP.
INSIDE = ("module", "_orig_mod", "_fsdp_wrapped_module")
Size = tuple[int, int]


def unwrapped(network: nn.Module) -> nn.Module:
    """The network inside DataParallel, DistributedDataParallel, torch.compile and wrappers of their shape."""
    children = dict(network.named_children())
    name = next(iter(children), "")
    return unwrapped(children[name]) if len(children) == 1 and name in INSIDE else network


def as_size(given: Any) -> Size | None:
    """A height and width in pixels, from a side or a pair with or without channels before it; else None."""
    if isinstance(given, int) and not isinstance(given, bool) and given > 0:
        return (given, given)
    if isinstance(given, (tuple, list)) and len(given) in (2, 3):
        height, width = given[-2:]
        if isinstance(height, int) and isinstance(width, int) and min(height, width) > 0:
            return (height, width)
    return None


def only_size(network: nn.Module) -> Size | None:
    """The size that a network says it takes and no other, its `input_size`; None if it says nothing."""
    return as_size(getattr(unwrapped(network), "input_size", None))


def likely_sizes(network: nn.Module) -> list[Size]:
    """Sizes that a network or a part of it was made or trained for, outermost first, each once."""
    return list(dict.fromkeys(size for size in map(as_size, _told(network)) if size is not None))


def likely_channels(network: nn.Module) -> list[int]:
    """Numbers of input channels that a network says it has, or its first convolutions have, each once."""
    told = [size[0] for size in _told(network) if isinstance(size, (tuple, list)) and len(size) == 3]
    told += [getattr(getattr(module, "config", None), "num_channels", None) for module in network.modules()]
    told += [m.in_channels for m in network.modules() if isinstance(m, nn.Conv2d)][:2]
    return list(dict.fromkeys(number for number in told if isinstance(number, int) and number > 0))


def _told(network: nn.Module) -> Iterator[Any]:
    """What modules say of image sizes: as users set it, as timm, Hugging Face and torchvision do."""
    for module in network.modules():
        # A recurrent layer's `input_size` counts features.
        yield None if isinstance(module, nn.RNNBase) else getattr(module, "input_size", None)
        yield getattr(getattr(module, "config", None), "image_size", None)
        for name in ("pretrained_cfg", "default_cfg"):
            told: Any = getattr(module, name, None)
            yield told.get("input_size") if hasattr(told, "get") else getattr(told, "input_size", None)
        yield getattr(module, "image_size", None)
