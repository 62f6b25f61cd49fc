"""What a network says when it does not take an image.

In: a `with` block in which a network runs, or an error that it raised. Out: one sentence with the network's own words,
and whether the error is the network's at all or a sentence of the kernels themselves, which goes on as it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

# What networks, and PyTorch for them, raise about a size that they do not take. Hugging Face's raise ValueError.
REFUSALS = (RuntimeError, AssertionError, ValueError, KeyError, IndexError, TypeError)


def first_line(error: BaseException) -> str:
    """The first line of what an error says; its kind where it says nothing, as a bare `assert`."""
    # A KeyError would show what it is given in quotation marks.
    said = str(error.args[0] if isinstance(error, KeyError) and error.args else error).strip()
    return said.splitlines()[0] if said else type(error).__name__


def is_refusal(error: BaseException) -> bool:
    """Whether an error is a network's about its input, and no sentence of the kernels about something else."""
    if isinstance(error, torch.OutOfMemoryError) or not isinstance(error, REFUSALS) or _of_determinism(error):
        return False
    if isinstance(error, (RuntimeError, AssertionError)):
        return True
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    if frame is None or frame.tb_frame.f_code.co_name in ("__torch_dispatch__", "__torch_function__"):
        return True  # an operation of the network's, which was only passed on
    return not str(frame.tb_frame.f_globals.get("__name__", "")).startswith("tunewidgets.kernels.")


def _of_determinism(error: BaseException) -> bool:
    """Whether torch refuses an operation because of `torch.use_deterministic_algorithms(True)`: it says what to do."""
    return torch.are_deterministic_algorithms_enabled() and "deterministic" in str(error)


@contextmanager
def taking(images: Tensor) -> Iterator[None]:
    """Wrap what a network does with these images; if it does not take them, an error of one sentence says so.

    Raises
    ------
    ValueError
        The network does not take the images.
    """
    try:
        yield
    except REFUSALS as error:
        if not is_refusal(error):
            raise
        raise ValueError(
            f"the model does not take images of {images.shape[2]} × {images.shape[3]} px: {first_line(error)}; resize "
            "them, for instance with tw.zoo.images(data, size=...)."
        ) from error
