"""Compiled models run as they were written while they are looked at.

In: a `with` block around a model's forward passes. Out: inside it, what `torch.compile` made of the model or of parts
of it is left aside: one compiled earlier runs past the hooks by which layers are seen, and one compiled now is
compiled again for every hook.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn

_lock = threading.Lock()
_blocks = 0
_stance = ExitStack()


@contextmanager
def eagerly(model: nn.Module) -> Iterator[None]:
    """Leave aside what `torch.compile` made of a model, for the length of a block.

    PyTorch knows one stance for the whole process, so the last of several threads' blocks puts it back.
    """
    global _blocks
    if not _is_compiled(model):
        yield
        return
    with _lock:
        if _blocks == 0:
            _stance.enter_context(torch.compiler.set_stance("force_eager"))
        _blocks += 1
    try:
        yield
    finally:
        with _lock:
            _blocks -= 1
            if _blocks == 0:
                _stance.close()


def _is_compiled(model: nn.Module) -> bool:
    # Who compiles has imported the compiler; who has not needs no look at any module.
    compiler: Any = sys.modules.get("torch._dynamo")
    return compiler is not None and any(
        isinstance(module, compiler.OptimizedModule)
        or module._compiled_call_impl is not None
        or hasattr(module.forward, "_torchdynamo_orig_callable")
        for module in model.modules()
    )
