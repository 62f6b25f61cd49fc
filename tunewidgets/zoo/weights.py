"""Weights for a network: from a file, a state dict or a download, and only if every tensor fits.

In: a network and what the user gave as `weights`. Out: the network with those weights and a note on where they come
from, which records carry. Downloads are kept in PyTorch's cache and checked.
"""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from torch import Tensor, nn

from tunewidgets._checks import READ_HERE, a_type, local_path
from tunewidgets.zoo.data_folder import data_folder

RANDOM = "random"
NAMES_SHOWN = 4


def read_weights(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """A state dict from a `.safetensors` file or a PyTorch checkpoint; half precision becomes float32.

    Parameters
    ----------
    path : path
        A checkpoint is read as tensors alone (`weights_only=True`). It may hold them under `model` or `state_dict`, and
        with the prefix `module.` of a parallel run.

    Raises
    ------
    FileNotFoundError
        If there is no file at `path`.
    ValueError
        If the file holds anything but tensors by name.
    """
    file = local_path(path, "weights", READ_HERE)
    if not file.is_file():
        raise FileNotFoundError(
            f"there are no weights at {file}; give a file that exists, or weights=None for random ones"
        )
    # A damaged file can raise any error, so all errors of reading are reported the same way.
    if file.suffix == ".safetensors":
        from safetensors.torch import load_file

        try:
            tensors = load_file(file)
        except Exception as error:
            raise ValueError(f"{file} is no whole safetensors file ({error}); fetch it again") from error
        return _plain_state(tensors, str(file))
    try:
        saved = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(
            f"{file} holds more than tensors, or is no PyTorch checkpoint, and is not read, as it could run any code; "
            "save the model's state_dict() as safetensors"
        ) from error
    return _plain_state(saved, str(file))


def _plain_state(saved: Any, name: str) -> dict[str, Tensor]:
    for key in ("model", "state_dict"):
        if isinstance(saved, Mapping) and isinstance(saved.get(key), Mapping):
            saved = saved[key]
    if not isinstance(saved, Mapping) or not all(isinstance(value, Tensor) for value in saved.values()):
        raise ValueError(f"{name} holds no tensors by name; give a model's state_dict()")
    parallel = bool(saved) and all(key.startswith("module.") for key in saved)
    return {
        key.removeprefix("module.") if parallel else key: value.float()
        if value.is_floating_point()
        else value
        for key, value in saved.items()
    }


def fit_weights(model: nn.Module, state: Mapping[str, Tensor], name: str, source: str) -> None:
    """Load a state dict where it fits exactly.

    Parameters
    ----------
    model : torch.nn.Module
    state : mapping of str to Tensor
    name, source : str
        What the network and the weights are called in errors.

    Raises
    ------
    ValueError
        If a tensor is missing, has another shape, or belongs to no part of the network; the sentence names the keys.
    """
    own = model.state_dict()
    # A count of batches that is read only in training without momentum; old checkpoints lack it.
    missing = [key for key in own if key not in state and not key.endswith("num_batches_tracked")]
    unknown = [key for key in state if key not in own]
    other = [
        f"{key} is {tuple(state[key].shape)} there and {tuple(own[key].shape)} here"
        for key in own
        if key in state and state[key].shape != own[key].shape
    ]
    problems = [
        f"{what} {_some(keys)}"
        for what, keys in (("without", missing), ("besides", unknown), ("shapes:", other))
        if keys
    ]
    if problems:
        first, given = next(iter(dict(model.named_children())), ""), {key.partition(".")[0] for key in state}
        alone = (
            f", part={first!r} to have that part alone" if given == {first} and not unknown + other else ""
        )
        raise ValueError(
            f"{source} does not hold the weights of {name} ({'; '.join(problems)}); give the file that belongs to it"
            f"{alone}, or weights=None for random ones"
        )
    model.load_state_dict(dict(state), strict=False)


def _some(keys: Sequence[str]) -> str:
    shown = ", ".join(keys[:NAMES_SHOWN])
    return shown + (f" and {len(keys) - NAMES_SHOWN} more" if len(keys) > NAMES_SHOWN else "")


def with_weights(
    model: Any,
    weights: Any,
    name: str,
    source: str | None = None,
    relevant: Callable[[str], bool] = lambda key: True,
) -> Any:
    """The model in evaluation mode with what the user gave as `weights`, and a note on where they come from.

    Parameters
    ----------
    model : torch.nn.Module
    weights : None, path or mapping of str to Tensor
        None: the random ones that it has.
    name : str
        The network's, for errors.
    source : str, optional
        What the weights are called; None: "a state dict", or the file's name.
    relevant : callable
        From a tensor's name to whether it is considered at all.

    Returns
    -------
    torch.nn.Module
        The same, with the attribute `weights_from`, which records carry.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If `weights` is none of these, cannot be read, or does not fit.
    """
    if weights is None:
        model.weights_from = RANDOM
        return model.eval()
    if isinstance(weights, Mapping):
        said = source or "a state dict"
        state = _plain_state(weights, said)
    elif isinstance(weights, (str, os.PathLike)):
        said = source or Path(weights).name
        state = read_weights(weights)
    else:
        raise TypeError(
            f"weights of {name} is {a_type(weights)}; give a name, a path, a state dict, or None for random "
            "ones"
        )
    fit_weights(model, {key: value for key, value in state.items() if relevant(key)}, name, said)
    model.weights_from = said
    return model.eval()


def local_weights(file: str, name: str) -> Path:
    """The file `models/FILE` of the folder that the environment variable `TUNEWIDGETS_DATA` names.

    Raises
    ------
    FileNotFoundError
        If the variable is not set, or the file is not there.
    """
    folder = data_folder()
    if folder is None:
        raise FileNotFoundError(
            f"the trained weights of {name} are not downloaded: set the environment variable TUNEWIDGETS_DATA to a "
            f"folder with models/{file}, give weights=PATH, or weights=None for random ones"
        )
    path = folder / "models" / file
    if not path.is_file():
        raise FileNotFoundError(
            f"the folder named by TUNEWIDGETS_DATA has no models/{file}; put it there, give weights=PATH, or "
            "weights=None for random ones"
        )
    return path


def unreachable(name: str, url: str, error: BaseException, others: Sequence[str] = ()) -> ConnectionError:
    """The error for a failed download; `others` are names of weights that don't need one."""
    reason = getattr(error, "reason", error)
    return ConnectionError(
        f"the trained weights of {name} could not be downloaded from {url} ({reason}); try again with a network, or "
        f"give weights={' or '.join([*map(repr, others), 'PATH'])}, or weights=None for random ones"
    )


def download(url: str, name: str, progress: bool) -> Path:
    """Fetch a file once, into the folder where PyTorch keeps its downloads, and check it at every use.

    Parameters
    ----------
    url : str
    name : str
        The network's, for errors.
    progress : bool

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ConnectionError
        If it cannot be fetched.
    ValueError
        If its checksum is not the one noted beside it when it was fetched; the file is left where it is, for a person
        to look at.
    """
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    path = folder / url.rpartition("/")[2]
    note = path.with_name(path.name + ".sha256")
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            # Written beside its place and moved there when it is whole, so a broken download leaves nothing.
            torch.hub.download_url_to_file(url, str(path), progress=progress)
        except (URLError, TimeoutError, ConnectionError) as error:
            raise unreachable(name, url, error) from error
        note.write_text(_sha256(path), encoding="ascii")
    wanted = note.read_text(encoding="ascii").strip() if note.is_file() else None
    if wanted is not None and _sha256(path) != wanted:
        raise ValueError(
            f"{path} has another checksum than it should (sha256 {wanted[:12]}…); remove it to have it fetched again"
        )
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
