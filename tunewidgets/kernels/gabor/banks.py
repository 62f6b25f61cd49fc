"""Banks and methods of a recovery checklist, made from what a caller gives.

In: banks and methods by name, as objects or as functions. Out: functions from a bank seed to a bank, and functions from
a number of components to unfitted tuning dimensions, by name; or an error of one sentence.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from sklearn.base import clone

from tunewidgets._checks import a_type
from tunewidgets.kernels.tuning.dimension_checks import asked_components
from tunewidgets.kernels.tuning.dimensions import TuningDimensions
from tunewidgets.zoo.gabor import GaborBank, gabor_bank

ZERO_MEAN, WITH_MEAN = "zero-mean", "with mean"
# A filter responds to uniform light if its weights add up to more than this share of their norm.
LIGHT = 1e-4

BankMaker = Callable[[int], GaborBank]


@dataclass(frozen=True)
class MethodMaker:
    """Makes unfitted tuning dimensions by one method, when called with a number of components and a seed."""

    method: Any

    @property
    def described(self) -> str:
        """The method and its own settings in words."""
        return self.method if isinstance(self.method, str) else " ".join(repr(self.method).split())

    def __call__(self, k: int, seed: int) -> TuningDimensions:
        """Dimensions to be fitted; `seed` decides what the method draws, unless it has a seed of its own."""
        if isinstance(self.method, str):
            return TuningDimensions(self.method, k, random_state=seed)
        own = clone(self.method).set_params(n_components=k)
        if own.get_params().get("random_state", 0) is None:
            own.set_params(random_state=seed)
        return TuningDimensions(own, k, random_state=seed)


def banks_of(bank: Any, seeds: Sequence[int]) -> dict[str, BankMaker]:
    """Name → function from a seed to a bank."""
    if bank is None:
        return {ZERO_MEAN: _zoo_bank, WITH_MEAN: partial(_zoo_bank, zero_mean=False)}
    named = bank if isinstance(bank, Mapping) else {"bank": bank}
    if not named:
        raise ValueError("bank is empty; give at least one, or None for the default banks")
    return {_name(name): _maker(one, seeds) for name, one in named.items()}


def bank_of(maker: BankMaker, seed: int) -> GaborBank:
    """The bank of a seed."""
    bank = maker(seed)
    if not isinstance(bank, GaborBank):
        raise TypeError(
            f"bank gave {a_type(bank)} for seed {seed}; give a function that takes a seed to a bank such as "
            "zoo.gabor_bank makes"
        )
    return bank


def responds_to_light(bank: GaborBank) -> bool:
    """Whether any filter responds to a uniform image."""
    weight = bank.filters.weight.detach().flatten(1)
    return bool((weight.sum(1).abs() > LIGHT * torch.linalg.vector_norm(weight, dim=1)).any())


def methods_of(methods: Any) -> dict[str, MethodMaker]:
    """Name → function from a number of components and a seed to unfitted dimensions."""
    if isinstance(methods, str) or not isinstance(methods, Sequence):
        methods = [methods]
    if not len(methods):
        raise ValueError("methods is empty; give at least one, such as ('pca', 'ica')")
    makers: dict[str, MethodMaker] = {}
    for method in methods:
        # Tried with one component: what is wrong with a method is wrong with any number of them.
        asked_components(method, 1, 15, 3000)
        own = method if isinstance(method, str) else type(method).__name__
        if own in makers and isinstance(method, str):
            raise ValueError(f"methods names {own!r} twice; name each once")
        if not isinstance(method, str) and "n_components" not in method.get_params():
            raise TypeError(
                f"{own} has no parameter n_components, so its dimensions can't be counted; give a decomposition that "
                "has one"
            )
        name, count = own, 2
        while name in makers:
            name, count = f"{own}-{count}", count + 1
        makers[name] = MethodMaker(method)
    return makers


def _zoo_bank(seed: int, zero_mean: bool = True) -> GaborBank:
    return gabor_bank(seed=seed, zero_mean=zero_mean)


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise TypeError(f"a bank is called {name!r}; give each a name, such as 'zero-mean'")
    return name


def _maker(bank: Any, seeds: Sequence[int]) -> BankMaker:
    if isinstance(bank, GaborBank):
        if len(seeds) > 1:
            raise ValueError(
                f"one bank is given for {len(seeds)} bank seeds; give a single seed, or a function that takes a seed "
                "to a bank, such as zoo.gabor_bank"
            )
        return lambda seed: bank
    if callable(bank) and not isinstance(bank, torch.nn.Module):
        # By its name: the first parameter of zoo.gabor_bank is the number of filters.
        return lambda seed: bank(seed=seed)
    raise TypeError(
        f"bank is {a_type(bank)}; give a bank that zoo.gabor_bank made, or a function with a parameter seed "
        "that makes one"
    )
