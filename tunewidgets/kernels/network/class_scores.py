"""Which tensor of a network's output are its class scores, and whether they are probabilities already.

In: an output, how many images it is of, and how many classes there are, where that is known. Out: the tensor by its
place, so that it is the same one at every pass; or one sentence where several could be meant.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from tunewidgets.kernels.network.outputs import SCORES, first_tensor, tensors

Scores = Callable[[Any], Tensor | None]
# How far the probabilities of a row may add up to something else than 1.
ROUNDING = 1e-4


def which_scores(output: Any, images: int, classes: int | None) -> Scores:
    """What finds the class scores in the outputs of a network that gave `output` for so many images.

    A tensor by itself, or one that is named `logits`, is meant. Else, of those `(images, width)`, the only one with as
    many columns as there are classes.

    Raises
    ------
    ValueError
        Several could be meant, or none is, as in a detector.
    """
    every = list(tensors(output))
    first = first_tensor(output)
    if first is not None and first.ndim == 2 and len(first) != images and len(every) > 1:
        raise ValueError(
            f"the network gives {len(first)} rows for {images} image{'s' * (images > 1)}, so it gives no class scores, "
            "as a detector does not; give a module that returns scores, such as its backbone with a classifier."
        )
    wide = [place for place, each in enumerate(every) if each.ndim == 2 and len(each) == images]
    if len(every) < 2 or not wide or _is_named(output, every):
        return first_tensor
    fitting = [place for place in wide if every[place].shape[1] == classes]
    if len(wide) == 1 and not fitting:
        return first_tensor
    if len(fitting) != 1:
        widths = " and ".join(str(every[place].shape[1]) for place in wide)
        raise ValueError(
            f"the network gives {len(wide)} tensors that could be its class scores, with {widths} columns; give a "
            "module whose forward returns the scores alone, or in a dict as 'logits'"
            + (", or say how many classes there are (classes=)." if classes is None else ".")
        )
    (place,) = fitting
    return lambda output: list(tensors(output))[place]


def _is_named(output: Any, every: list[Tensor]) -> bool:
    """Whether the tensor that is meant is so by its name."""
    named = output.get(SCORES) if hasattr(output, "get") else getattr(output, SCORES, None)
    found = first_tensor(output)
    return isinstance(named, Tensor) and any(found is each for each in every) and found is named


def are_probabilities(scores: Tensor) -> bool:
    """Whether the rows of `(N, classes)` are probabilities, as after a softmax, rather than what goes into one."""
    if scores.shape[1] < 2 or bool((scores < 0).any()):
        return False
    return bool(((scores.double().sum(1) - 1).abs() <= ROUNDING).all())
