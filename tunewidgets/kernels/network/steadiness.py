"""Whether an image's values depend on the image alone, and not on chance or on the other images of its batch.

In: a network and layers of it. Out: nothing, or a warning that names the first layer where they do, which of the two it
is, and the remedy. One more pass over two small images tells; only where it looks wrong are there others.
"""

import warnings
import weakref
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from tunewidgets._checks import a_type
from tunewidgets.kernels.network.names import LayerCall
from tunewidgets.kernels.network.tracing import evaluating, run_to
from tunewidgets.kernels.network.working_size import weights_dtype

# How far an image's values in a batch may be from those alone before it is looked into, relative to their norm: kernels
# add up in another order for another number of images, and deep networks amplify what that rounds.
ROUNDING = {torch.float16: 0.05, torch.bfloat16: 0.2}
ROUNDING_ELSE = 1e-3
# Where it is looked into, the same kernels run on as many images: what then differs, beyond what a GPU's order of
# additions does, is no rounding.
DIFFERENT = 1e-5
# A block that is left out now and then may be there several times in a row.
REPEATS = 16

Inputs = Callable[[Tensor], Tensor]
Seen = dict[str, Tensor]
# The layers of each network that were looked at, and the networks that a warning was about.
_looked: "weakref.WeakKeyDictionary[nn.Module, set[str]]" = weakref.WeakKeyDictionary()
_told: "weakref.WeakSet[nn.Module]" = weakref.WeakSet()
_by_chance: "weakref.WeakSet[nn.Module]" = weakref.WeakSet()


class _NotByImage(Exception):
    """A layer gives as much for two images as for one."""


def depends_on_chance(network: nn.Module) -> bool:
    """Whether a layer that was looked at gives another value for the same image every time."""
    return network in _by_chance


def warn_if_unsteady(
    network: nn.Module, places: Mapping[str, LayerCall], inputs: Inputs, size: tuple[int, int]
) -> None:
    """Warn where a layer's values on an image depend on chance, or on the other images; once for a network.

    `inputs` makes the network's input of RGB images `(N, 3, *size)`.

    Raises
    ------
    ValueError
        A layer gives as much for two images as for one, as where the network loops over the images of a batch.
    """
    looked = _looked.setdefault(network, set())
    fresh = {name: place for name, place in places.items() if name not in looked}
    if not fresh or network in _told:
        return
    looked.update(fresh)
    try:
        found = _unsteady(network, fresh, inputs, size)
    except _NotByImage as alike:
        looked.difference_update(fresh)
        raise ValueError(
            f"layer {str(alike)!r} gives as much for two images as for one, so the model runs it for one image of a "
            "batch at a time, or without any; give a model that passes the whole batch on, such as the one inside its "
            "loop, or choose another layer."
        ) from None
    except Exception:
        # What a network says to several images is said where it is asked for them.
        return
    if found is None:
        return
    layer, by_chance = found
    _told.add(network)
    if by_chance:
        _by_chance.add(network)
    on_what, cause, example, remedy = (
        (
            "chance",
            "draws random numbers",
            "dropout or stochastic depth that is always on",
            "write training=self.training there, or switch it off",
        )
        if by_chance
        else (
            "the other images of its batch",
            "computes over the whole batch",
            "BatchNorm without running statistics",
            "give it running statistics (track_running_stats=True), or normalize each image by itself",
        )
    )
    warnings.warn(
        f"what layer {layer!r} gives for an image depends on {on_what}, since something in the model"
        f"{_suspect(network, by_chance)} {cause} in evaluation mode, as {example} does; {remedy}.",
        stacklevel=5,
    )


def _unsteady(
    network: nn.Module, places: Mapping[str, LayerCall], inputs: Inputs, size: tuple[int, int]
) -> tuple[str, bool] | None:
    """The first layer whose values on an image are not its own, and whether that is by chance.

    Raises
    ------
    _NotByImage
        A layer does not tell images apart.
    """
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    random = torch.Generator().manual_seed(0)
    image, other = torch.rand(2, 3, *size, generator=random)
    # Unlike the image in mean and contrast, which is what is normalized over a batch.
    third = (0.8 * other.sqrt()).to(device)
    image, other = image.to(device), (0.1 * other).to(device)
    shapes: dict[str, list[torch.Size]] = {}

    def values(*images: Tensor) -> Seen:
        """Each layer's values on the first of these images."""
        seen: Seen = {}
        batch = torch.stack(images)

        def reached(name: str, value: Tensor) -> None:
            shapes.setdefault(name, []).append(value.shape)
            # Tokens may come before images: (tokens, N, units).
            axis = 0 if value.shape[0] == len(batch) else 1 if value.ndim == 3 else None
            if axis is not None and value.shape[axis] == len(batch):
                seen[name] = value.select(axis, 0).float().clone()

        with torch.no_grad(), evaluating(network):
            run_to(places, lambda: network(inputs(batch)), reached)
        return seen

    before = _random_state(device)
    alone = values(image)
    draws = not torch.equal(before, _random_state(device))
    among = values(image, other)
    for name, of_one_and_two in shapes.items():
        if len(of_one_and_two) == 2 and len(set(of_one_and_two)) == 1:
            raise _NotByImage(name)
    rounding = ROUNDING.get(weights_dtype(network), ROUNDING_ELSE)
    if not draws and _first_apart(alone, among, rounding) is None:
        return None
    for _ in range(REPEATS):
        by_chance = _first_apart(among, values(image, other), DIFFERENT)
        if by_chance is not None:
            return by_chance, True
    by_number = next(
        (name for name in alone if name in among and alone[name].shape != among[name].shape), None
    )
    if by_number is not None:
        return by_number, False
    by_others = _first_apart(among, values(image, third), DIFFERENT)
    return None if by_others is None else (by_others, False)


def _first_apart(one: Seen, other: Seen, tolerance: float) -> str | None:
    """The first layer, in forward order, whose values differ in shape or by more than that, relative to their norm."""
    for name, value in one.items():
        here = other.get(name)
        if here is None:
            continue
        if here.shape != value.shape:
            return name
        # NaN, which is said elsewhere, is not more than anything.
        if float((here - value).norm()) > tolerance * float(value.norm()):
            return name
    return None


def _random_state(device: torch.device) -> Tensor:
    own = torch.get_rng_state()
    return torch.cat([own, torch.cuda.get_rng_state(device)]) if device.type == "cuda" else own


def _suspect(network: nn.Module, by_chance: bool) -> str:
    """The first module that may be why, in words; empty where none is of a known kind."""
    for name, module in network.named_modules():
        if by_chance:
            # PyTorch's own modules heed the mode.
            kind = type(module)
            own = kind.__module__.startswith(("torch.", "torchvision.", "timm."))
            known = not own and any(word in kind.__name__.lower() for word in ("drop", "noise", "depth"))
        else:
            known = isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is None
        if known:
            return f" (perhaps {name!r}, {a_type(module)})"
    return ""
