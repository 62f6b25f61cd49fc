"""Dictionaries that were trained elsewhere, as estimators that are already fitted.

In: an object with `encode` and `decode`, of PyTorch or not. Out: an estimator with `transform`, `inverse_transform` and
`components_`.
"""

from typing import Any

import numpy as np
import torch

ROWS = 4096  # encoded at a time


def is_dictionary(method: Any) -> bool:
    """Whether this is a trained dictionary: what can encode and decode, and can't be fitted as an estimator is."""
    both = hasattr(method, "encode") and hasattr(method, "decode")
    return both and not isinstance(method, type | str) and not hasattr(method, "transform")


class Trained:
    """A trained dictionary as a fitted estimator: `components_` is what each code adds when decoded by itself.

    Raises
    ------
    ValueError
        The dictionary can't encode vectors of so many units.
    """

    def __init__(self, dictionary: Any, units: int) -> None:
        self.dictionary = dictionary
        try:
            codes = self.transform(np.zeros((1, units)))
            alone = self.inverse_transform(np.vstack([np.zeros(codes.shape[1]), np.eye(codes.shape[1])]))
        except (RuntimeError, ValueError, IndexError) as error:
            raise ValueError(
                f"this {type(dictionary).__name__} can't encode and decode vectors of the {units} units that vary; "
                f"give one that was trained on these ({error})"
            ) from error
        self.components_ = alone[1:] - alone[0]

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Codes `(n, k)` of vectors `(n, units)`."""
        return np.concatenate(
            [_last(self._run("encode", X[first : first + ROWS])) for first in range(0, len(X), ROWS)]
        )

    def inverse_transform(self, S: np.ndarray) -> np.ndarray:
        """Vectors `(n, units)` that codes `(n, k)` stand for."""
        return _last(self._run("decode", S))

    @torch.no_grad()
    def _run(self, name: str, values: np.ndarray) -> Any:
        """What `encode` or `decode` gives: a module is given tensors, as it holds them, anything else arrays."""
        act = getattr(self.dictionary, name)
        if not isinstance(self.dictionary, torch.nn.Module):
            return act(values)
        own = next(iter(self.dictionary.parameters()), torch.zeros(0))
        return act(torch.from_numpy(values).to(own))


def _last(found: Any) -> np.ndarray:
    """The codes, where what comes before the choice of the largest is given along with them."""
    found = found[-1] if isinstance(found, tuple | list) else found
    return np.asarray(found.cpu() if isinstance(found, torch.Tensor) else found, dtype=np.float64)
