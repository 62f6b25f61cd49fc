"""Train one of the zoo's classifiers: `python -m tunewidgets.zoo.train shallow_cnn --data cifar10 --epochs 100`.

In: a network's name, a data set and a number of epochs. Out: a checkpoint after every epoch, from which a stopped run
resumes; the weights in float16 as safetensors; and a log with one JSON line per epoch.
"""

import argparse
import hashlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.std import tqdm

from tunewidgets._checks import check_flags, local_path
from tunewidgets._tensors import choose_device, multiplies_bfloat16
from tunewidgets.zoo.cifar10 import DATA_SETS, Labeled, load_labeled
from tunewidgets.zoo.classifiers import CLASSIFIERS, classifier
from tunewidgets.zoo.command import run
from tunewidgets.zoo.progress import progress_bar

# Largest learning rate of the one-cycle schedule (SGD with momentum); batch normalization tolerates more.
RATES = {"mlp": 0.005, "shallow_cnn": 0.03, "vgg16_cifar10": 0.1}
EVALUATED = 500  # images in one forward pass
SHIFT = 4  # pixels by which a training image is moved at most


def train(
    name: str,
    data: str = "cifar10",
    epochs: int = 10,
    seed: int = 0,
    out: str | Path | None = None,
    *,
    batch: int = 64,
    rate: float | None = None,
    start: str | Path | None = None,
    device: str = "auto",
    folder: str | Path | None = None,
    limit: int | None = None,
    progress: bool = True,
) -> Path:
    """Train a network, or resume where an earlier call with the same settings was stopped.

    Parameters
    ----------
    name : {"mlp", "shallow_cnn", "vgg16_cifar10"}
    data : {"cifar10", "digits"}
    epochs, seed : int
        How often all images are seen; what decides the initial weights, the order and the augmentation.
    out : path, optional
        Folder for `checkpoint.pt`, `weights.safetensors` (float16) and `log.jsonl`. None:
        `runs/NAME-DATA-SEED`.
    batch : int
    rate : float, optional
        Largest learning rate; None takes the network's own.
    start : path, optional
        Weights or a checkpoint to go on from in a run of its own, with a schedule of its own; None: random weights.
    device : str
    folder : path, optional
        Where CIFAR-10 is (see `load_labeled`).
    limit : int, optional
        Use only this many training images, the first ones; for a trial.
    progress : bool

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    ValueError
        The network or the data are unknown, a number is out of its range, the folder holds a run with other
        settings, or training diverged.
    """
    check_flags(progress=progress)
    _check(name, data, epochs=epochs, batch=batch)
    target = local_path(out, "out") if out is not None else Path("runs") / f"{name}-{data}-{seed}"
    place = choose_device(device)
    largest = RATES[name] if rate is None else float(rate)
    settings: dict[str, Any] = {
        "network": name, "data": data, "epochs": epochs, "seed": seed, "batch": batch,
        "rate": largest, "limit": limit, "start": None if start is None else weights_digest(start),
    }  # fmt: skip
    checkpoint = target / "checkpoint.pt"
    saved = _read_checkpoint(checkpoint, settings)
    if saved and saved["epoch"] == epochs:
        return target
    training, testing = (load_labeled(data, which, folder) for which in (True, False))
    if limit is not None:
        training = Labeled(*(values[:limit] for values in training))
    target.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    # Channels last: pooling and the first convolution's gradient are several times faster so on a CPU.
    network = classifier(name, weights=start).to(place).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(
        network.parameters(), lr=largest, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    steps = -(-len(training.labels) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, largest, total_steps=epochs * steps + 1)
    history: list[dict[str, Any]] = []
    if saved:
        network.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        schedule.load_state_dict(saved["schedule"])
        history = saved["history"]
    bar = progress_bar(
        total=epochs * steps, initial=len(history) * steps, unit="step", desc=name, show=progress
    )
    with bar:
        for epoch in range(len(history) + 1, epochs + 1):
            began = time.perf_counter()
            loss = _epoch(network, training, optimizer, schedule, batch, seed * 100_003 + epoch, data, bar)
            accuracy = evaluate(network, testing)
            row = {
                "epoch": epoch, "loss": round(loss, 5), "test_accuracy": round(accuracy, 5),
                "last_rate": float(f"{schedule.get_last_lr()[0]:.3g}"),
                "seconds": round(time.perf_counter() - began, 1), **settings,
            }  # fmt: skip
            history.append(row)
            bar.set_postfix(loss=f"{loss:.3f}", accuracy=f"{accuracy:.1%}")
            _write(checkpoint, network, optimizer, schedule, settings, history)
    return target


def weights_digest(path: str | Path) -> str:
    """The first twelve digits of the sha256 of a file of weights, by which a log identifies it."""
    return hashlib.sha256(Path(path).expanduser().read_bytes()).hexdigest()[:12]


def _check(name: str, data: str, **numbers: int) -> None:
    if name not in CLASSIFIERS:
        raise ValueError(
            f"there is no network called {name!r} to train; choose one of {', '.join(CLASSIFIERS)}"
        )
    if data not in DATA_SETS:
        raise ValueError(f"there is no data set called {data!r}; choose one of {', '.join(DATA_SETS)}")
    for key, value in numbers.items():
        if value < 1:
            raise ValueError(f"{key} is {value}; give a whole number of at least 1")


def _read_checkpoint(path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """What an earlier run left, or nothing."""
    if not path.is_file():
        return {}
    saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    changed = [key for key, value in settings.items() if saved["settings"].get(key) != value]
    if changed:
        key = changed[0]
        raise ValueError(
            f"{path.parent} holds a run with {key}={saved['settings'].get(key)!r}, not {settings[key]!r}; "
            "give another --out, or the same settings to go on"
        )
    return saved


def _write(
    path: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: Any,
    settings: dict[str, Any],
    history: list[dict[str, Any]],
) -> None:
    """Checkpoint, weights and log; each appears whole or not at all, so being killed at any moment loses at most one
    epoch.
    """
    from safetensors.torch import save_file

    state = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    whole = {
        "model": state, "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict(),
        "settings": settings, "history": history, "epoch": len(history),
    }  # fmt: skip
    half = {key: v.half() if v.is_floating_point() else v for key, v in state.items()}
    fresh = {name: path.with_name(f"{name}.part") for name in ("weights.safetensors", "log.jsonl", path.name)}
    save_file(half, fresh["weights.safetensors"])
    fresh["log.jsonl"].write_text("".join(json.dumps(row) + "\n" for row in history), encoding="utf-8")
    torch.save(whole, fresh[path.name])
    for name, part in fresh.items():
        os.replace(part, path.with_name(name))


def _epoch(
    network: nn.Module,
    training: Labeled,
    optimizer: torch.optim.Optimizer,
    schedule: Any,
    batch: int,
    seed: int,
    data: str,
    bar: tqdm,
) -> float:
    """One pass over the images, in its own order and with its own augmentations; returns the mean loss."""
    network.train()
    device = next(network.parameters()).device
    draws = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)  # dropout's, so that a resumed run goes on as the whole one would
    total = 0.0
    for chosen in torch.randperm(len(training.labels), generator=draws).split(batch):
        images = training.images[chosen].float() / 255
        images = augment(images, draws, mirror=data == "cifar10").to(device)
        labels = training.labels[chosen].to(device)
        loss = F.cross_entropy(_logits(network, images).float(), labels, label_smoothing=0.05)
        if not bool(torch.isfinite(loss)):
            raise ValueError("training diverged: the loss is not finite; give a smaller --rate")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        total += float(loss.detach()) * len(chosen)
        bar.update()
    return total / len(training.labels)


def _logits(network: nn.Module, images: Tensor) -> Tensor:
    """The network's output, computed in bfloat16 if that is faster on this machine."""
    reduced = multiplies_bfloat16(images.device)
    preprocess: Any = network.preprocess
    with torch.autocast(images.device.type, torch.bfloat16, enabled=reduced):
        logits: Tensor = network(preprocess(images))
        return logits


def augment(images: Tensor, draws: torch.Generator, mirror: bool) -> Tensor:
    """Images moved by up to `SHIFT` pixels and, with `mirror`, half of them mirrored."""
    n, side = len(images), images.shape[-1]
    padded = F.pad(images, (SHIFT,) * 4)
    dy, dx = torch.randint(2 * SHIFT + 1, (2, n, 1), generator=draws)
    rows, columns = torch.arange(side) + dy, torch.arange(side) + dx
    if mirror:
        flipped = torch.rand(n, generator=draws) < 0.5
        columns[flipped] = columns[flipped].flip(1)
    return padded[torch.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(
        0, 3, 1, 2
    )


@torch.no_grad()
def evaluate(network: nn.Module, data: Labeled) -> float:
    """The share of images that the network classifies correctly."""
    network.eval()
    device = next(network.parameters()).device
    right = 0
    for start in range(0, len(data.labels), EVALUATED):
        images = data.images[start : start + EVALUATED].to(device).float() / 255
        labels = data.labels[start : start + EVALUATED].to(device)
        right += int((_logits(network, images).argmax(1) == labels).sum())
    return right / len(data.labels)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tunewidgets.zoo.train",
        description="Train one of the zoo's classifiers. Run again after a stop, it goes on at the last epoch.",
    )
    parser.add_argument("network", choices=sorted(CLASSIFIERS))
    parser.add_argument("--data", choices=DATA_SETS, default="cifar10")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--out", help="folder for checkpoint, weights and log (default runs/NETWORK-DATA-SEED)"
    )
    parser.add_argument(
        "--folder", help="where CIFAR-10 is (default $TUNEWIDGETS_DATA/cifar10, else downloaded)"
    )
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, help="largest learning rate (default: the network's own)")
    parser.add_argument("--start", help="weights or a checkpoint to go on from in a run of its own")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--limit", type=int, help="use only this many training images, for a trial")
    chosen = vars(parser.parse_args(arguments))
    network = chosen.pop("network")

    def work() -> list[str]:
        folder = train(network, **chosen, progress=True)
        return (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1:]

    return run("train", work)


if __name__ == "__main__":
    raise SystemExit(main())
