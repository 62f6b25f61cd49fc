"""Any network of timm, where timm is installed (`pip install tunewidgets[timm]`).

In: a name that timm knows, and weights. Out: timm's own `nn.Module` with the `preprocess` that timm lists for it and,
if it takes no other size, its `input_size`.
"""

from importlib.util import find_spec
from typing import Any

from torch import nn

from tunewidgets.zoo.normalize import IMAGENET, Normalize
from tunewidgets.zoo.weights import unreachable, with_weights

PREFIX = "timm:"


def has_timm() -> bool:
    """Whether timm is installed."""
    return find_spec("timm") is not None


def timm_names() -> list[str]:
    """What timm's networks are called; empty where timm is not installed."""
    if not has_timm():
        return []
    import timm

    return list(timm.list_models())


def timm_network(name: str, weights: Any = "auto", **options: Any) -> nn.Module:
    """A network of timm, in evaluation mode.

    Parameters
    ----------
    name : str
        As timm has it, such as "convnext_atto" or, with the name of its weights, "convnext_atto.d2_in1k".
    weights : "auto", path, state dict or None
        "auto": timm's pretrained ones of that name, downloaded once; None: random ones.
    **options
        Of `timm.create_model`.

    Raises
    ------
    ModuleNotFoundError
        If timm is not installed.
    ValueError
        If timm has no such network, or no pretrained weights for it, or the weights do not fit.
    FileNotFoundError, ConnectionError
        If the weights are not there, or cannot be downloaded.
    """
    if not has_timm():
        raise ModuleNotFoundError(
            f"{PREFIX}{name} is a network of timm, which is not installed; install it with "
            "pip install tunewidgets[timm]"
        )
    import timm

    automatic = isinstance(weights, str) and weights == "auto"
    if automatic and not timm.is_model_pretrained(name):
        raise ValueError(
            f"timm has no pretrained weights for {name!r}; give weights=PATH, or None for random ones"
        )
    model: Any = _made(name, automatic, options)
    told: dict[str, Any] = model.pretrained_cfg
    if automatic:
        model.weights_from = f"{told.get('tag') or 'pretrained'} of timm"
        model.eval()
    else:
        with_weights(model, weights, name)
    model.preprocess = Normalize(told.get("mean", IMAGENET[0]), told.get("std", IMAGENET[1]))
    side = _only_side(model, told)
    if side is not None:
        model.input_size = side
    return model


def _made(name: str, pretrained: bool, options: dict[str, Any]) -> nn.Module:
    import timm

    try:
        model: nn.Module = timm.create_model(name, pretrained=pretrained, **options)
    except Exception as error:
        # The libraries that timm downloads with raise their own errors for every way of being offline.
        if pretrained and not isinstance(error, (TypeError, KeyError)):
            cfg: Any = timm.get_pretrained_cfg(name)
            raise unreachable(name, str(cfg.hf_hub_id or cfg.url), error) from error
        raise
    return model


def _only_side(model: nn.Module, told: dict[str, Any]) -> int | None:
    """The only image side in pixels that a network takes; None if it takes any."""
    embedding: Any = getattr(model, "patch_embed", None)
    if hasattr(embedding, "strict_img_size"):
        return int(embedding.img_size[0]) if embedding.strict_img_size and embedding.img_size else None
    return int(told["input_size"][-1]) if told.get("fixed_input_size") else None
