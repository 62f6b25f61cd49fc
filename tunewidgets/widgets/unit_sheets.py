"""The scatter's images: mosaics of units, page by page, as many of them sent at once as the budget allows.

In: layers' unit records. Out: for each layer a table of its sheets, and their encoded pages in one list; an empty one
is kept by the kernel until it is asked for. "am" and "iam" are the images for the eye, "exemplar" those of the data;
"am measured" and "iam measured" are what RS was measured on, where units have another for the eye.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..derived.pictures import mosaic, square_columns, webp

# Pixels of one page: small enough to decode within a frame, large enough that hundreds of units need few.
PAGE_PIXELS = 2**18
EXEMPLARS, MEASURED = "exemplar", " measured"


@dataclass(frozen=True)
class Sheet:
    """One layer's images of one kind: `images` is (unit, y, x, rgb), or (unit, k, y, x, rgb) of exemplars.

    They may change in place: what is cut from them is cut when it is asked for.
    """

    images: NDArray[np.uint8]

    @property
    def per_unit(self) -> int:
        return self.images.shape[1] if self.images.ndim == 5 else 1

    @property
    def units_per_page(self) -> int:
        height, width = self.images.shape[-3:-1]
        return min(len(self.images), max(1, PAGE_PIXELS // (height * width * self.per_unit)))

    @property
    def pages(self) -> int:
        return -(-len(self.images) // self.units_per_page)

    @property
    def columns(self) -> int:
        return square_columns(self.units_per_page * self.per_unit)

    def page(self, at: int, quality: int = 90) -> bytes:
        """Units `at * units_per_page` onward as one WebP, cells in reading order; empty where nobody looks at any."""
        units = self.cut(slice(at * self.units_per_page, (at + 1) * self.units_per_page))
        if not len(units):
            return b""
        return webp(mosaic(units.reshape(-1, *units.shape[-3:]), self.columns), quality)

    def cut(self, some: slice) -> NDArray[np.uint8]:
        """The images of some units in a row."""
        return self.images[some]

    def facts(self, first: int) -> dict[str, Any]:
        """What the page needs to find a unit's cell; `first` is the place of page 0 in the list of sprites."""
        height, width = self.images.shape[-3:-1]
        return {
            "cells": {"width": width, "height": height, "columns": self.columns},
            "perUnit": self.per_unit,
            "unitsPerPage": self.units_per_page,
            "first": first,
        }


@dataclass(frozen=True)
class EyeSheet(Sheet):
    """Images for the eye: `instead` of a unit that `display` names one for, else its only one."""

    instead: NDArray[np.uint8]
    display: NDArray[np.object_]

    def cut(self, some: slice) -> NDArray[np.uint8]:
        return np.where(_named(self.display[some]), self.instead[some], self.images[some])


@dataclass(frozen=True)
class MeasuredSheet(Sheet):
    """What RS was measured on: a page is empty where `display` names no other of any unit."""

    display: NDArray[np.object_]

    def cut(self, some: slice) -> NDArray[np.uint8]:
        return self.images[some] if _named(self.display[some]).any() else self.images[:0]


def _named(display: NDArray[np.object_]) -> NDArray[np.bool_]:
    return np.asarray(display != "", bool)[:, None, None, None]


class Sheets:
    """All layers' sheets, and the order in which their pages are sent."""

    def __init__(self, layers: Mapping[str, xr.Dataset]) -> None:
        found = [
            (layer, kind, sheet)
            for layer, units in layers.items()
            for kind, sheet in sheets_of(units).items()
        ]
        # What a unit prefers is what the view is about; the second images are seen only where a reader asks for them.
        found.sort(key=lambda one: (one[1].endswith(MEASURED), one[1] == EXEMPLARS))
        self._pages = [(sheet, at) for _, _, sheet in found for at in range(sheet.pages)]
        self._spare = sum(sheet.pages for _, kind, sheet in found if kind.endswith(MEASURED))
        self._tables: dict[str, dict[str, Any]] = {layer: {} for layer in layers}
        first = 0
        for layer, kind, sheet in found:
            self._tables[layer][kind] = sheet.facts(first)
            first += sheet.pages

    def __len__(self) -> int:
        return len(self._pages)

    def table(self, layer: str) -> dict[str, Any]:
        """One layer's sheets by kind, ready for JSON."""
        return self._tables[layer]

    def encoded(self, at: int, quality: int = 90) -> bytes:
        """One page of the list of all pages."""
        sheet, page = self._pages[at]
        return sheet.page(page, quality)

    def inline(self, budget: int, quality: int = 90, least: bool = False) -> list[bytes]:
        """The pages from the first on, as long as they fit in `budget` bytes; from there on empty bytes.

        `least`: all of those that a view can't do without, whatever they take.
        """
        sent: list[bytes] = []
        for at in range(len(self)):
            page = self.encoded(at, quality)
            budget -= len(page)
            if budget < 0 and not (least and at < len(self) - self._spare):
                break
            sent.append(page)
        return sent + [b""] * (len(self) - len(sent))


def sheets_of(units: xr.Dataset) -> dict[str, Sheet]:
    """The sheets that one layer's record has images for, by kind."""
    found: dict[str, Sheet] = {}
    if "image" in units:
        two = "display_image" in units
        for at, objective in enumerate(units["objective"].values):
            image = units["image"].values[at]
            if not two:
                found[str(objective)] = Sheet(image)
                continue
            display = units["display"].values[at]
            found[str(objective)] = EyeSheet(image, units["display_image"].values[at], display)
            found[f"{objective}{MEASURED}"] = MeasuredSheet(image, display)
    if "exemplar_image" in units:
        found[EXEMPLARS] = Sheet(units["exemplar_image"].values)
    return found
