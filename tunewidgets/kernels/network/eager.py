"""Compiled models run uncompiled while they are being looked at.

In: a `with` block around a model's forward passes. Out: inside it, what `torch.compile` made of the model or its parts
is not used: code compiled earlier would run past the hooks by which layers are seen, and code compiled now would be
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
    """Don't use what `torch.compile` made of a model, for the length of a block.

    PyTorch has one stance for the whole process, so the last of several threads' blocks restores it.
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
    # Without the compiler imported nothing is compiled, and no module need be checked.
    compiler: Any = sys.modules.get("torch._dynamo")
    return compiler is not None and any(
        isinstance(module, compiler.OptimizedModule)
        or module._compiled_call_impl is not None
        or hasattr(module.forward, "_torchdynamo_orig_callable")
        for module in model.modules()
    )
