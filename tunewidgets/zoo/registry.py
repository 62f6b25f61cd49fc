"""The networks that `zoo.load` knows by name.

In: a name. Out: an `nn.Module` in evaluation mode that carries its `preprocess` and the origin of its weights.
"""

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

# name -> (module of the zoo, function that makes the network, what the function is told first)
NETWORKS: dict[str, tuple[str, str, tuple[Any, ...]]] = {
    "gabor_bank": ("gabor", "gabor_bank", ()),
    **{name: ("classifiers", "classifier", (name,)) for name in ("mlp", "shallow_cnn", "vgg16_cifar10")},
    **{f"cifar_resnet{depth}": ("cifar_resnet", "cifar_resnet", (depth,)) for depth in (20, 32, 44, 56, 110)},
    "googlenet_bvlc": ("googlenet", "googlenet_bvlc", ()),
    "inceptionv1": ("inceptionv1", "inceptionv1", ()),
    **{
        name: ("torchvision_networks", "torchvision_network", (name,))
        for name in (
            "googlenet", "vgg16", "resnet18", "resnet50", "squeezenet1_0", "squeezenet1_1", "convnext_tiny", "vit_b_16",
        )
    },
}  # fmt: skip


def load(name: str, **options: Any) -> "nn.Module":
    """A network of the zoo, by name.

    Parameters
    ----------
    name : str
        - "gabor_bank", "mlp", "shallow_cnn", "vgg16_cifar10": of the two papers, small;
        - "cifar_resnet20", …32, …44, …56 and …110: for CIFAR-10;
        - "googlenet_bvlc" (Caffe's InceptionV1) and "inceptionv1" (Lucid's, by torch-lucent);
        - "googlenet", "vgg16", "resnet18", "resnet50", "squeezenet1_0", "squeezenet1_1", "convnext_tiny", "vit_b_16":
          of torchvision;
        - any network of timm, where timm is installed: "convnext_atto", or "timm:resnet18" where the zoo has its own.
    **options
        What the network takes. `gabor_bank`: `n`, `seed` and more. All others: `weights`, the name of published ones, a
        safetensors file or PyTorch checkpoint, a state dict, or None for random weights. Left out ("auto"), they are
        those that come with the package ("shallow_cnn"), random (the papers' others), in the folder that the
        environment variable `TUNEWIDGETS_DATA` names ("googlenet_bvlc", CIFAR's ResNets), or downloaded once.

    Returns
    -------
    torch.nn.Module
        In evaluation mode, with the attributes `preprocess`, `input_size` where it takes no other, and, except for
        "gabor_bank", `weights_from`: where its weights are from, "random" for random ones. Records carry that.

    Raises
    ------
    ValueError
        If there is no network of that name (the sentence lists near names, or all), or the weights do not fit (the
        sentence names the tensors that differ).
    TypeError
        If `weights` is of a kind that is not taken, or the network has no such option.
    FileNotFoundError, ConnectionError
        If the weights are not there, or cannot be downloaded.
    ModuleNotFoundError
        If a name begins with "timm:" and timm is not installed.

    Examples
    --------
    >>> load("gabor_bank", n=3).filters.weight.shape
    torch.Size([3, 1, 7, 7])
    >>> load("resnet18", weights=None).weights_from
    'random'
    """
    if name in NETWORKS:
        module, function, told = NETWORKS[name]
        network: nn.Module = getattr(import_module(f"tunewidgets.zoo.{module}"), function)(*told, **options)
        return network
    from tunewidgets.zoo.timm_networks import PREFIX, timm_names, timm_network

    plain = str(name).removeprefix(PREFIX)
    known = timm_names()
    if plain.partition(".")[0] in known or (plain != name and not known):
        return timm_network(plain, **options)
    candidates: Any = (
        [PREFIX + each for each in known] if plain != name else dict.fromkeys([*NETWORKS, *known])
    )
    near = get_close_matches(str(name), candidates, n=3)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are {', '.join(NETWORKS)}"
    if not near and known:
        hint += ", and those of timm.list_models()"
    raise ValueError(f"the zoo has no network called {name!r}; {hint}")
