"""The networks that `zoo.load` knows by name.

In: a name. Out: an `nn.Module` in evaluation mode that carries its `preprocess`.
"""

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

# name -> (module of the zoo, function that makes the network, what the function is told first)
NETWORKS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "gabor_bank": ("gabor", "gabor_bank", ()),
    "mlp": ("classifiers", "classifier", ("mlp",)),
    "shallow_cnn": ("classifiers", "classifier", ("shallow_cnn",)),
    "vgg16_cifar10": ("classifiers", "classifier", ("vgg16_cifar10",)),
}


def load(name: str, **options: Any) -> "nn.Module":
    """A network of the zoo, by name.

    Parameters
    ----------
    name : str
        "gabor_bank", "mlp", "shallow_cnn" or "vgg16_cifar10".
    **options
        What the network takes. `gabor_bank`: `n`, `seed` and more. The others: `classes` (10), and `weights`, a file
        of them or None for random ones; left out, "shallow_cnn" has those that come with the package, trained on
        CIFAR-10 by `python -m tunewidgets.zoo.train`, and the others have random ones.

    Returns
    -------
    torch.nn.Module
        In evaluation mode, with the attribute `preprocess`.

    Raises
    ------
    ValueError
        If there is no network of that name (the sentence lists near names, or all), or the file of weights belongs
        to another.
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> load("gabor_bank", n=3).filters.weight.shape
    torch.Size([3, 1, 7, 7])
    """
    if name not in NETWORKS:
        near = get_close_matches(str(name), NETWORKS, n=3)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are {', '.join(NETWORKS)}"
        raise ValueError(f"the zoo has no network called {name!r}; {hint}")
    module, function, told = NETWORKS[name]
    network: nn.Module = getattr(import_module(f"tunewidgets.zoo.{module}"), function)(*told, **options)
    return network
