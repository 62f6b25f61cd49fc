"""What a module gives, whatever it is wrapped in: the tensor that is meant, the same with another in its place, a copy.

In: a module's output: a tensor, or tuples, lists, mappings and dataclasses that hold one somewhere. Out: of all that,
the tensor named `logits` if there is one (as in what Hugging Face's classifiers give, whose loss may come before it),
else the first. Everything that looks at a layer, changes it or reads class scores finds its tensor here.
"""

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from torch import Tensor

SCORES = "logits"


def first_tensor(output: Any) -> Tensor | None:
    """The tensor that is meant by a module's output; None where it holds none."""
    if isinstance(output, Tensor):
        return output
    for _, part in _by_preference(output):
        found = first_tensor(part)
        if found is not None:
            return found
    return None


def with_first(output: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """`output` with the tensor that `first_tensor` finds changed; what holds it is new, the rest the same."""
    if isinstance(output, Tensor):
        return change(output)
    for key, part in _by_preference(output):
        if first_tensor(part) is not None:
            return _with_parts(output, {key: with_first(part, change)})
    return output


def copy_of(output: Any) -> Any:
    """`output` with copies of all its tensors."""
    if isinstance(output, Tensor):
        return output.clone()
    parts = {key: copy_of(part) for key, part in _parts(output)}
    return _with_parts(output, parts) if parts else output


def tensors(output: Any) -> Iterator[Tensor]:
    """All tensors in `output`."""
    if isinstance(output, Tensor):
        yield output
    for _, part in _parts(output):
        yield from tensors(part)


def _parts(output: Any) -> list[tuple[Any, Any]]:
    """What a container holds, each by its place or name; nothing for what is no container."""
    if isinstance(output, (tuple, list)):
        return list(enumerate(output))
    # Before dataclasses, since Hugging Face's outputs are both and leave out as mappings what is None.
    if isinstance(output, Mapping):
        return list(output.items())
    if dataclasses.is_dataclass(output) and not isinstance(output, type):
        return [(field.name, getattr(output, field.name, None)) for field in dataclasses.fields(output)]
    return []


def _by_preference(output: Any) -> list[tuple[Any, Any]]:
    parts = _parts(output)
    if isinstance(output, tuple) and hasattr(output, "_fields"):
        names = list(output._fields)
        first = [part for part, name in zip(parts, names, strict=True) if name == SCORES]
    else:
        first = [part for part in parts if part[0] == SCORES]
    return [*first, *parts]


def _with_parts(output: Any, parts: dict) -> Any:
    """A container like `output`, of its own class, with other parts."""
    if isinstance(output, (tuple, list)):
        values = [parts.get(place, part) for place, part in enumerate(output)]
        # A named tuple takes its parts one by one.
        return type(output)(*values) if hasattr(output, "_fields") else type(output)(values)
    if isinstance(output, Mapping) and not isinstance(output, MutableMapping):
        return {**output, **parts}
    other = copy.copy(output)
    for name, part in parts.items():
        if isinstance(output, Mapping):
            # Some mappings give their values as attributes too, which their own class keeps alike.
            other[name] = part
        else:
            object.__setattr__(other, name, part)  # a frozen dataclass too
    return other
