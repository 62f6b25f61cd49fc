"""InceptionV1 as Lucid, Distill and OpenAI Microscope show it: torch-lucent's architecture and the weights it names.

In: weights or none. Out: torch-lucent's own `nn.Module`, with every ReLU as a module that kernels recognize, class
scores as its output, and its `preprocess`. Layers have Lucid's names: `conv2d0`, `mixed4a_3x3`, `mixed4a`.
"""

from typing import Any

from torch import nn

from tunewidgets.zoo.normalize import Normalize
from tunewidgets.zoo.weights import download, with_weights


def inceptionv1(weights: Any = "auto", progress: bool = True) -> nn.Module:
    """InceptionV1 in evaluation mode.

    Parameters
    ----------
    weights : "auto", path, state dict or None
        "auto": those that torch-lucent names, downloaded once; nobody publishes their checksum, so later uses are
        checked against that of the first download. None: random weights.
    progress : bool, default True

    Raises
    ------
    ConnectionError
        If they cannot be downloaded.
    FileNotFoundError, ValueError
        If the weights are not there, do not fit, or are not what was downloaded.

    Examples
    --------
    >>> inceptionv1(weights=None).conv2d0
    ReLU()
    """
    from lucent.modelzoo.inceptionv1.helper_layers import ReluLayer, SoftMaxLayer
    from lucent.modelzoo.inceptionv1.InceptionV1 import InceptionV1, model_urls

    source = None
    if isinstance(weights, str) and weights == "auto":
        weights = download(model_urls["inceptionv1"], "inceptionv1", progress=progress)
        source = "inception5h of torch-lucent"
    model = InceptionV1(pretrained=False, redirected_ReLU=False)
    for name, child in model.named_children():
        if isinstance(child, ReluLayer):
            setattr(model, name, nn.ReLU())
        elif isinstance(child, SoftMaxLayer):
            # Scores rather than probabilities, as in other networks, so that losses mean the same.
            setattr(model, name, nn.Identity())
    # The original takes 0..255 minus 117 in every channel.
    model.preprocess = Normalize([117 / 255] * 3, [1 / 255] * 3)
    network: nn.Module = with_weights(model, weights, "inceptionv1", source)
    return network
