"""Labeled images to train the zoo's classifiers on: CIFAR-10, or scikit-learn's digits.

In: the name of the data and the folder it is in. Out: uint8 images `(N, 3, 32, 32)` and int64 labels `(N,)`, for
training and for testing, in memory.
"""

import csv
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError

import numpy as np
import torch
from torch import Tensor

from tunewidgets.zoo.data_folder import data_folder

CIFAR10_CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
DATA_SETS = ("cifar10", "digits")
GRID = 100  # images along each side of a sheet


class Labeled(NamedTuple):
    """Images and their labels, in memory."""

    images: Tensor
    labels: Tensor


class HeldOut:
    """A data set's test images as `(image, label)` pairs, with the names of its classes."""

    def __init__(self, name: str) -> None:
        self._held = load_labeled(name, train=False)
        self.classes = CIFAR10_CLASSES if name == "cifar10" else tuple(map(str, range(10)))

    def __len__(self) -> int:
        return len(self._held.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self._held.images[index], int(self._held.labels[index])


def load_labeled(name: str, train: bool, folder: str | Path | None = None) -> Labeled:
    """A data set by name.

    Parameters
    ----------
    name : {"cifar10", "digits"}
        CIFAR-10's 50,000 and 10,000 photographs; or scikit-learn's 1,797 digits, enlarged from 8 to 32 pixels, every
        fifth of them held out for testing.
    train : bool
        The training images if True, else the test images.
    folder : path, optional
        Where CIFAR-10 is or will be. None: `cifar10` in the folder named by the environment variable
        `TUNEWIDGETS_DATA`, else torchvision downloads it to `~/.cache/tunewidgets`.

    Raises
    ------
    ValueError
        If there is no such data set.
    FileNotFoundError
        If the folder named by `TUNEWIDGETS_DATA` holds no CIFAR-10.
    ConnectionError
        If it cannot be downloaded.
    """
    if name == "digits":
        return _digits(train)
    if name == "cifar10":
        return _cifar10(train, folder)
    raise ValueError(f"there is no data set called {name!r}; choose {' or '.join(map(repr, DATA_SETS))}")


def _digits(train: bool) -> Labeled:
    from sklearn.datasets import load_digits

    digits = load_digits()
    small = torch.from_numpy(digits.images).float()[:, None] / 16
    images = torch.nn.functional.interpolate(small, size=32, mode="bilinear").expand(-1, 3, -1, -1)
    held_out = torch.arange(len(images)) % 5 == 0
    chosen = ~held_out if train else held_out
    labels = torch.from_numpy(digits.target).long()
    return Labeled((images[chosen] * 255 + 0.5).to(torch.uint8), labels[chosen])


def _cifar10(train: bool, folder: str | Path | None) -> Labeled:
    named = data_folder()
    if folder is None and named is not None:
        folder = named / "cifar10"
        if not (folder / "index.csv").is_file():
            raise FileNotFoundError(
                "the folder named by TUNEWIDGETS_DATA has no cifar10/index.csv; put CIFAR-10 there, or unset the "
                "variable to have torchvision download it"
            )
    if folder is not None and (Path(folder) / "index.csv").is_file():
        return _sheets(Path(folder), train)
    from torchvision.datasets import CIFAR10

    root = Path.home() / ".cache" / "tunewidgets" if folder is None else Path(folder)
    try:
        official = CIFAR10(str(root), train=train, download=True)
    except (URLError, TimeoutError, ConnectionError) as error:
        raise ConnectionError(
            f"CIFAR-10 could not be downloaded ({getattr(error, 'reason', error)}); try again with a network, or set "
            "the environment variable TUNEWIDGETS_DATA to a folder with cifar10/index.csv"
        ) from error
    return Labeled(torch.from_numpy(official.data).permute(0, 3, 1, 2), torch.tensor(official.targets))


def _sheets(folder: Path, train: bool) -> Labeled:
    """CIFAR-10 as sheets of 100 × 100 images, one per batch, and an index of labels."""
    from PIL import Image

    names = [f"data_batch_{number}" for number in range(1, 6)] if train else ["test_batch"]
    parts = []
    for name in names:
        with Image.open(folder / f"{name}.webp") as picture:
            sheet = np.asarray(picture.convert("RGB"))
        tiles = sheet.reshape(GRID, 32, GRID, 32, 3).transpose(0, 2, 4, 1, 3)
        parts.append(torch.from_numpy(tiles.reshape(-1, 3, 32, 32).copy()))
    with (folder / "index.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    by_batch = {name: [int(row["label"]) for row in rows if row["batch"] == name] for name in names}
    return Labeled(torch.cat(parts), torch.tensor([label for name in names for label in by_batch[name]]))
