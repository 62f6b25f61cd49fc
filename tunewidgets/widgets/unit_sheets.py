"""Widgets, the scatter's images: pages of units as mosaics, as many of them in the page as its budget allows.

In: layers' unit records. Out: for each layer a table of its sheets ("am", "iam", "exemplar"), and their encoded
pages in one list, empty where the kernel keeps one until it is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..pictures import mosaic, square_columns, webp

# Pixels of one page: small enough to decode within a frame, large enough that hundreds of units need few.
PAGE_PIXELS = 2**18
EXEMPLARS = "exemplar"


@dataclass(frozen=True)
class Sheet:
    """One layer's images of one kind: `images` is (unit, y, x, rgb), or (unit, k, y, x, rgb) of exemplars."""

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
        """Units `at * units_per_page` onward as one WebP, cells in reading order."""
        first = at * self.units_per_page
        units = self.images[first : first + self.units_per_page]
        return webp(mosaic(units.reshape(-1, *units.shape[-3:]), self.columns), quality)

    def facts(self, first: int) -> dict[str, Any]:
        """What the page needs to find a unit's cell; `first` is the place of page 0 in the list of sprites."""
        height, width = self.images.shape[-3:-1]
        return {
            "cells": {"width": width, "height": height, "columns": self.columns},
            "perUnit": self.per_unit,
            "unitsPerPage": self.units_per_page,
            "first": first,
        }


class Sheets:
    """All layers' sheets, and the order in which their pages are sent."""

    def __init__(self, layers: Mapping[str, xr.Dataset]) -> None:
        found = [
            (layer, kind, sheet)
            for layer, units in layers.items()
            for kind, sheet in sheets_of(units).items()
        ]
        # Exemplars come last: what a unit prefers is what the view is about.
        found.sort(key=lambda one: one[1] == EXEMPLARS)
        self._pages = [(sheet, at) for _, _, sheet in found for at in range(sheet.pages)]
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

    def inline(self, budget: int, quality: int = 90) -> list[bytes]:
        """The pages from the first on, as long as they fit in `budget` bytes; from there on empty bytes."""
        sent: list[bytes] = []
        for at in range(len(self)):
            page = self.encoded(at, quality)
            budget -= len(page)
            if budget < 0:
                break
            sent.append(page)
        return sent + [b""] * (len(self) - len(sent))


def sheets_of(units: xr.Dataset) -> dict[str, Sheet]:
    """The sheets that one layer's record has images for, by objective and `EXEMPLARS`."""
    found: dict[str, Sheet] = {}
    if "image" in units:
        for at, objective in enumerate(units["objective"].values):
            found[str(objective)] = Sheet(units["image"].values[at])
    if "exemplar_image" in units:
        found[EXEMPLARS] = Sheet(units["exemplar_image"].values)
    return found
