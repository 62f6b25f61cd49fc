"""A size of image that a network takes, and whether it takes gray ones.

In: a network, its preprocessing and what to run on its input. Out: the first size that works, of those that the network
says itself and of the usual ones; or one sentence in the network's own words.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from tunewidgets._checks import a_type
from tunewidgets.kernels.network.refusals import first_line, is_refusal
from tunewidgets.kernels.network.tracing import evaluating
from tunewidgets.zoo.carried import Size, likely_channels, likely_sizes

# Sides to try on a network that does not name the only one it takes. Layers are got to know on small images, since the
# cost grows with their area; the sides that a network was trained for come after the first of these.
TRIED_SIDES = (64, 224, 32, 28, 96, 128, 256, 299, 384)
# The side of the images that most networks are trained on.
USUAL_SIDE = 224
# What each of red, green and blue counts in a gray image, as ITU-R BT.601, Pillow and torchvision have it.
LUMA = (0.299, 0.587, 0.114)


class Working(NamedTuple):
    """Height and width of an image that works, whether it is made gray, and what was found on it."""

    size: Size
    gray: bool
    value: Any


def to_gray(images: Tensor) -> Tensor:
    """`(N, 3, H, W)` images as gray ones, `(N, 1, H, W)`."""
    weights = torch.tensor(LUMA, dtype=images.dtype, device=images.device).view(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True)


def network_inputs(
    network: nn.Module, preprocess: Callable[[Tensor], Tensor] | None, images: Tensor, gray: bool
) -> Tensor:
    """What a network takes for RGB images in [0, 1]: gray if it has one channel, preprocessed, in its precision.

    Raises
    ------
    TypeError, ValueError
        The preprocess gives no tensor, or another number of images than it was given.
    """
    images = to_gray(images) if gray else images
    inputs = images if preprocess is None else preprocess(images)
    if preprocess is not None:
        _check_preprocessed(inputs, len(images))
    return inputs.to(weights_dtype(network))


def _check_preprocessed(inputs: Any, count: int) -> None:
    if not isinstance(inputs, Tensor):
        raise TypeError(
            f"preprocess gives {a_type(inputs)}; give a function from a batch of images, a tensor "
            "(N, 3, H, W), to the tensor that the model takes."
        )
    if inputs.ndim == 0 or len(inputs) != count:
        raise ValueError(
            f"preprocess makes shape {tuple(inputs.shape)} of {count} image{'s' * (count != 1)}; it is given a batch "
            "(N, 3, H, W) and has to keep N."
        )


def weights_dtype(network: nn.Module) -> torch.dtype:
    """The precision of a network's weights; float32 where it has none."""
    return next((p.dtype for p in network.parameters() if p.is_floating_point()), torch.float32)


def sizes_to_try(
    network: nn.Module, only: Size | None, *, own_first: bool = False, given: bool = False
) -> Iterator[Size]:
    """The size that is said to be the only one; else small ones, those that the network was made for, and usual ones.

    `own_first`: those that it was made for come before small ones. `given`: there is a preprocess of the user's, which
    may bring square images to an oblong size.
    """
    if only is not None:
        if given and only[0] != only[1]:
            yield (min(only), min(only))
        yield only
        return
    if not own_first:
        yield (TRIED_SIDES[0], TRIED_SIDES[0])
    own = likely_sizes(network)
    yield from own
    usual = (USUAL_SIDE, *TRIED_SIDES) if own_first else TRIED_SIDES[1:]
    yield from (size for size in dict.fromkeys((side, side) for side in usual) if size not in own)


def on_some_size(
    network: nn.Module,
    preprocess: Callable[[Tensor], Tensor] | None,
    run: Callable[[Tensor], Any],
    device: torch.device,
    sizes: Iterable[Size],
    otherwise: str = "give a preprocess that makes its input",
) -> Working:
    """The first of these sizes that the network takes, and what `run` gives for its input from one gray image.

    Raises
    ------
    ValueError
        It takes none of them; `otherwise` says what to do instead of setting the size. Or it takes images of another
        number of channels than 1 and 3.
    """
    tried: list[Size] = []
    reasons: list[str] = []
    for gray in (False, True):
        for size in list(tried) if gray else sizes:
            tried.append(size)
            image = torch.full((1, 3, *size), 0.5, device=device)
            try:
                with torch.no_grad(), evaluating(network):
                    return Working(size, gray, run(network_inputs(network, preprocess, image, gray)))
            except Exception as error:
                if not is_refusal(error):
                    raise
                reasons.append(f"{size[0]} × {size[1]} px: {first_line(error)}")
    if preprocess is None:
        _check_channels(network, run, device, list(dict.fromkeys(tried)))
    raise ValueError(
        f"the model took no image of the sizes tried ({_said(reasons)}); set model.input_size to the side in pixels "
        f"that it takes, or to (height, width), or {otherwise}."
    )


def _check_channels(
    network: nn.Module, run: Callable[[Tensor], Any], device: torch.device, sizes: list[Size]
) -> None:
    """Raise a ValueError if the network takes images of some other number of channels."""
    for channels in likely_channels(network):
        for size in sizes if channels not in (1, 3) else ():
            image = torch.full((1, channels, *size), 0.5, device=device, dtype=weights_dtype(network))
            try:
                with torch.no_grad(), evaluating(network):
                    run(image)
            except Exception as error:
                if not is_refusal(error):
                    raise
            else:
                raise ValueError(
                    f"the model takes images of {channels} channels, and images here have three, red, green and blue; "
                    f"give a preprocess that makes {channels} channels (N, {channels}, H, W) of them (N, 3, H, W)."
                )


def _said(reasons: list[str]) -> str:
    """What the network said of the first size, and what it said in other words of another one."""
    first = reasons[0]
    words = first.partition(": ")[2]
    for other in reasons[1 : (len(reasons) + 1) // 2]:
        if difflib.SequenceMatcher(None, words, other.partition(": ")[2]).ratio() < 0.6:
            return f"{first}; {other}"
    return first
