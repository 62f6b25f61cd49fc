"""Traits of several values that can be changed in place: `explorer.labels[0] = "edge"` is checked and sent.

In: a list or a dict. Out: a trait whose value is one too, and whose every change is a change of the trait. A plain list
would change in Python alone, without a word to the page.
"""

import functools
from collections.abc import Callable
from typing import Any

import traitlets as t

from .._checks import whole_text

LIST_CHANGES = (
    "append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse",
    "__setitem__", "__delitem__", "__iadd__", "__imul__",
)  # fmt: skip
DICT_CHANGES = (
    "clear", "pop", "popitem", "setdefault", "update", "__setitem__", "__delitem__", "__ior__",
)  # fmt: skip


def _through_the_trait(kind: Any, name: str) -> Callable[..., Any]:
    """The method of a list or dict, done to a copy that is then assigned to the trait."""
    plain = getattr(kind, name)

    @functools.wraps(plain)
    def change(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.owner._trait_values.get(self.trait) is not self:
            # An earlier value of the trait, which is its reader's own.
            return plain(self, *args, **kwargs)
        changed = kind(self)
        result = plain(changed, *args, **kwargs)
        setattr(self.owner, self.trait, changed)
        # Whoever holds this value goes on with it: it stays the trait's.
        kind.clear(self)
        now = getattr(self.owner, self.trait)
        kind.extend(self, now) if kind is list else kind.update(self, now)
        self.owner._trait_values[self.trait] = self
        return self if result is changed else result

    return change


class _Changeable:
    """A value that knows whose it is."""

    owner: t.HasTraits
    trait: str

    def __reduce_ex__(self, protocol: Any) -> Any:
        # A copy is a plain one: it is nobody's.
        kind = list if isinstance(self, list) else dict
        return kind, (kind(self),)  # type: ignore[call-overload]

    def of(self, owner: t.HasTraits, trait: str) -> "_Changeable":
        self.owner, self.trait = owner, trait
        return self


class ChangeableList(_Changeable, list[Any]):
    """A list whose changes are changes of a trait."""


class ChangeableDict(_Changeable, dict[str, Any]):
    """A dict whose changes are changes of a trait."""


for _kind, _ours, _changes in ((list, ChangeableList, LIST_CHANGES), (dict, ChangeableDict, DICT_CHANGES)):
    for _name in _changes:
        setattr(_ours, _name, _through_the_trait(_kind, _name))


class Values(t.List):
    """A list trait that can be changed in place."""

    def _validate(self, obj: Any, value: Any) -> Any:
        return ChangeableList(super()._validate(obj, value) or ()).of(obj, str(self.name))


class Entries(t.Dict):
    """A dict trait that can be changed in place."""

    def _validate(self, obj: Any, value: Any) -> Any:
        return ChangeableDict(super()._validate(obj, value) or {}).of(obj, str(self.name))


class Text(t.Unicode):
    """A text trait that every file and page can hold: half of a character, as a page may send, is replaced."""

    def validate(self, obj: Any, value: Any) -> Any:
        return whole_text(super().validate(obj, value))
