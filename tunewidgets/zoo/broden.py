"""Broden's folder layout: pictures with masks of named concepts, as network dissection reads them.

In: a folder with `index.csv`, `label.csv` and `images/`. Out: one picture at a time, and for each category that it was
annotated with, the mask of every concept in it. Only the index is kept in memory.
"""

import csv
from pathlib import Path

import numpy as np
from torch import Tensor

from tunewidgets._checks import READ_HERE, local_path
from tunewidgets.derived.picture_files import read_picture
from tunewidgets.zoo.pictures import open_picture

INDEX, NAMES, PICTURES = "index.csv", "label.csv", "images"
# The columns of the index that are not categories of concepts.
OTHER_COLUMNS = ("image", "split", "ih", "iw", "sh", "sw")


class Broden:
    """A folder in the layout of Broden (Bau et al., *Network dissection*, 2017).

    `index.csv` has one line per picture: its file under `images/`, the size `sh` × `sw` of its masks, and one column
    per category. A category's field is empty if nobody annotated it, else a list, separated by semicolons, of
    whole-picture concepts (numbers) and of mask files (`.png` under `images/`), whose pixels are a concept's number,
    red + 256 × green, 0 for none. `label.csv` names the numbers.

    Attributes
    ----------
    categories : tuple of str
    names : dict of int to str
    shape : (int, int)
        Height and width of the masks: the first picture's; others are resized to it.

    Raises
    ------
    FileNotFoundError
        The folder, one of its tables, a picture or a mask is not there.
    ValueError
        A table lacks a column, or no picture has a concept.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = local_path(folder, "the folder of images and masks", READ_HERE)
        for name in (INDEX, NAMES):
            if not (self.folder / name).is_file():
                raise FileNotFoundError(
                    f"{self.folder} has no {name}, which Broden's layout needs; give the folder that holds {INDEX}, "
                    f"{NAMES} and {PICTURES}/, or other images as tw.zoo.images(...) with labels"
                )
        self.names = {int(row["number"]): row["name"] for row in self._table(NAMES, ("number", "name"))}
        self._rows = self._table(INDEX, ("image", "sh", "sw"))
        columns = [name for name in (self._rows[0] if self._rows else {}) if name not in OTHER_COLUMNS]
        self.categories = tuple(name for name in columns if any(row[name] for row in self._rows))
        if not self.categories:
            raise ValueError(
                f"no picture of {self.folder / INDEX} has a mask or a label; fill in a column such as 'object'"
            )
        self.shape = (int(self._rows[0]["sh"]), int(self._rows[0]["sw"]))
        self._check_files()

    def __len__(self) -> int:
        return len(self._rows)

    def describe(self) -> str:
        """What the pictures are, in a few words, for a record's settings."""
        return f"{len(self)} pictures of {self.folder.resolve().name} with masks"

    def picture(self, index: int) -> Tensor:
        """Picture `index`, `(3, H, W)` in [0, 1]."""
        return open_picture(self._file(self._rows[index]["image"]), None)

    def masks(self, index: int) -> dict[str, dict[int, np.ndarray]]:
        """For each category that picture `index` was annotated with, the mask of every concept in it, bool `shape`.

        Raises
        ------
        ValueError
            A mask holds a number that `label.csv` does not name.
        """
        found: dict[str, dict[int, np.ndarray]] = {}
        for category in self.categories:
            parts = _parts(self._rows[index][category])
            if not parts:
                continue
            layers = [
                np.full(self.shape, int(part)) if part.isdigit() else self._label_map(part) for part in parts
            ]
            numbers = sorted({int(n) for layer in layers for n in np.unique(layer)} - {0})
            unnamed = [number for number in numbers if number not in self.names]
            if unnamed:
                raise ValueError(
                    f"{self._rows[index]['image']} has the concept {unnamed[0]}, which {NAMES} does not name; add it "
                    "there, or repair the mask"
                )
            found[category] = {
                number: np.any([layer == number for layer in layers], axis=0) for number in numbers
            }
        return found

    def _label_map(self, name: str) -> np.ndarray:
        pixels = np.asarray(read_picture(self._file(name)).convert("RGB"), dtype=np.int32)
        numbers = pixels[..., 0] + 256 * pixels[..., 1]
        if numbers.shape != self.shape:
            rows, columns = (
                (np.arange(wanted) * there) // wanted
                for wanted, there in zip(self.shape, numbers.shape, strict=True)
            )
            numbers = numbers[rows][:, columns]
        return numbers

    def _file(self, name: str) -> Path:
        return self.folder / PICTURES / name

    def _table(self, name: str, needed: tuple[str, ...]) -> list[dict[str, str]]:
        with (self.folder / name).open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = [column for column in needed if column not in (reader.fieldnames or ())]
            if missing:
                raise ValueError(
                    f"{self.folder / name} has no column {missing[0]!r}, which Broden's layout needs; add it"
                )
            return [{key: value or "" for key, value in row.items() if key} for row in reader]

    def _check_files(self) -> None:
        for row in self._rows:
            masks = [part for name in self.categories for part in _parts(row[name]) if not part.isdigit()]
            for name in (row["image"], *masks):
                if not self._file(name).is_file():
                    raise FileNotFoundError(
                        f"{self.folder / INDEX} names {name}, and there is no such file in {PICTURES}/; put it there, "
                        "or take it out of the index"
                    )


def _parts(field: str) -> list[str]:
    return [part.strip() for part in field.split(";") if part.strip()]
