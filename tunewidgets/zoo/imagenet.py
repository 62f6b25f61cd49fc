"""ImageNet photographs on this machine: one of each of 1,000 classes, or 250 of each of ten.

In: the folder named by the environment variable `TUNEWIDGETS_DATA`. Out: `(photograph, label)` pairs, with the names of
the classes and the index of each in an ImageNet network's output.
"""

import csv
from pathlib import Path

from PIL import Image

from tunewidgets.derived.picture_files import read_picture
from tunewidgets.zoo.data_folder import data_folder

SETS = ("imagenet-sample", "imagenet-labelled")
INDEX = "labels.csv"


def folder_of(name: str, holding: str) -> Path:
    """The folder `name` inside the one that `TUNEWIDGETS_DATA` names.

    Raises
    ------
    FileNotFoundError
        If the variable is not set, or there is no file `holding` in that folder.
    """
    named = data_folder()
    if named is None:
        raise FileNotFoundError(
            f"{name} is not downloaded: set the environment variable TUNEWIDGETS_DATA to a folder with "
            f"{name}/{holding}"
        )
    folder = named / name
    if not any(folder.glob(holding)):
        raise FileNotFoundError(f"the folder named by TUNEWIDGETS_DATA has no {name}/{holding}; put it there")
    return folder


class ImageNetPhotographs:
    """Labeled photographs of ImageNet, opened on demand.

    Parameters
    ----------
    name : {"imagenet-sample", "imagenet-labelled"}
        The first: `SYNSET_NAME.jpg` for each class, in the order of the classes. The second: `labels.csv`, which gives
        for each `path` the `name` of its class and, as `ilsvrc_index`, the class's index in the network's output.

    Attributes
    ----------
    classes : tuple of str
    outputs : tuple of int
        For each class, the index of its score among the 1,000 of a network trained on ImageNet.

    Raises
    ------
    FileNotFoundError
        If the folder named by `TUNEWIDGETS_DATA` does not hold them.
    """

    def __init__(self, name: str) -> None:
        if name == "imagenet-sample":
            folder = folder_of(name, "*.jpg")
            self._paths = sorted(folder.glob("*.jpg"))
            self._labels = list(range(len(self._paths)))
            self.classes = tuple(path.stem.partition("_")[2].replace("_", " ") for path in self._paths)
            self.outputs = tuple(self._labels)
            return
        folder = folder_of(name, INDEX)
        with (folder / INDEX).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        names = {int(row["ilsvrc_index"]): row["name"] for row in rows}
        self.outputs = tuple(sorted(names))
        self.classes = tuple(names[output] for output in self.outputs)
        self._paths = [folder / row["path"] for row in rows]
        self._labels = [self.outputs.index(int(row["ilsvrc_index"])) for row in rows]

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        return read_picture(self._paths[index]).convert("RGB"), self._labels[index]
