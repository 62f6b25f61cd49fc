"""Networks of torchvision with its published weights, or with others.

In: a network's name and weights. Out: torchvision's own `nn.Module` with the preprocessing that the weights were
trained with, except resizing, as its `preprocess`. A network that takes a single size carries it as `input_size`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError

from torch import Tensor, nn

from tunewidgets.zoo.normalize import Normalize
from tunewidgets.zoo.weights import local_weights, unreachable, with_weights


class Local(NamedTuple):
    """Weights from elsewhere: their file, and the part of the network that they are of ("" for all of it)."""

    file: str
    part: str = ""


# Arguments for torchvision's functions. The published weights of its GoogLeNet want images in [-1, 1], which
# `transform_input` makes of ImageNet's normalization.
OPTIONS: dict[str, dict[str, Any]] = {
    "googlenet": {"aux_logits": False, "transform_input": True, "init_weights": True}
}
# Beginnings of the names of published tensors that are for training only.
TRAINING_ONLY = {"googlenet": ("aux1.", "aux2.")}
# Weights, by name, whose files are in the folder that `TUNEWIDGETS_DATA` names.
LOCAL = {
    "squeezenet1_0": {"deepcompression": Local("squeezenet1_0-deepcompression.safetensors")},
    "squeezenet1_1": {"features": Local("squeezenet1_1-features.safetensors", "features")},
}


class Part(nn.Module):
    """A network's first child alone, under its own name, so that its layers are called as in the whole."""

    def __init__(self, whole: nn.Module, part: str) -> None:
        super().__init__()
        # What images enter is a part that can do without the rest.
        first = next(name for name, _ in whole.named_children())
        if part != first:
            raise ValueError(
                f"part is {part!r}; of this network only {first!r}, which images enter, works by itself"
            )
        self.add_module(part, whole.get_submodule(part))
        self.part = part

    def forward(self, x: Tensor) -> Tensor:
        values: Tensor = self.get_submodule(self.part)(x)
        return values


def torchvision_network(name: str, weights: Any = "auto", part: str = "", **options: Any) -> nn.Module:
    """A network of torchvision, in evaluation mode.

    Parameters
    ----------
    name : str
        Of a function of torchvision.models, such as "resnet18".
    weights : str, path, state dict or None
        "auto": torchvision's default, downloaded once; a name of torchvision's, such as "IMAGENET1K_V1"; the name of
        weights in the folder that `TUNEWIDGETS_DATA` names ("deepcompression" of "squeezenet1_0", "features" of
        "squeezenet1_1", which are of that part alone); a file; a state dict; None for random ones.
    part : str
        Only this part of the network, under its own name, for weights that cover no more: "features" of a VGG, a
        SqueezeNet or a ConvNeXt. The network then has no class scores, so the importance of its units can't be
        measured.
    **options
        Of torchvision's function, such as `num_classes`.

    Raises
    ------
    ValueError
        If the weights do not fit, there are none of that name, or the network has no such part.
    FileNotFoundError, ConnectionError
        If the weights are not there, or cannot be downloaded.

    Examples
    --------
    >>> torchvision_network("squeezenet1_1", weights=None).weights_from
    'random'
    """
    import torchvision

    published = torchvision.models.get_model_weights(name)
    source, told = None, published.DEFAULT
    if isinstance(weights, str):
        weights, part, source, told = _named(name, weights, part)
    function: Callable[..., nn.Module] = getattr(torchvision.models, name)
    model = function(weights=None, **{**OPTIONS.get(name, {}), **options})
    side = getattr(model, "image_size", None)
    if part:
        model = Part(model, part)

    def relevant(key: str) -> bool:
        return key.startswith(f"{part}." if part else "") and not key.startswith(TRAINING_ONLY.get(name, ()))

    model = with_weights(model, weights, name, source, relevant)
    model.preprocess = _preprocess(told)
    if isinstance(side, int):
        model.input_size = side
    return model


def _named(name: str, weights: str, part: str) -> tuple[Any, str, str | None, Any]:
    """What a text given as `weights` stands for: weights, the part they are of, what they are called, whose input."""
    import torchvision

    published, local = torchvision.models.get_model_weights(name), LOCAL.get(name, {})
    if weights == "auto" or weights in published.__members__:
        chosen = published.DEFAULT if weights == "auto" else published[weights]
        try:
            # Kept where PyTorch keeps its downloads, and checked against the beginning of the checksum in its name.
            state = chosen.get_state_dict(progress=True, check_hash=True)
        except (URLError, TimeoutError, ConnectionError) as error:
            raise unreachable(name, chosen.url, error, [*local]) from error
        return state, part, f"{chosen.name} of torchvision", chosen
    if weights in local:
        file = local_weights(local[weights].file, name)
        return file, part or local[weights].part, None, published.DEFAULT
    if not Path(weights).expanduser().is_file():
        known = ", ".join(repr(each) for each in [*(w.name for w in published), *local])
        raise ValueError(
            f"{name} has no weights called {weights!r}, and there is no such file; there are {known}, files, and None "
            "for random ones"
        )
    return weights, part, None, published.DEFAULT


def _preprocess(weights: Any) -> Normalize:
    told = weights.transforms()
    return Normalize(told.mean, told.std)
