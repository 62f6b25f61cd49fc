"""The checklist's images: films of its best dimensions, as many in the page as its budget allows.

In: a recovery record with films below it. Out: a table of strips, each one dimension of a film, and their encoded
mosaics; an empty one is kept by the kernel until the page asks for it.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import numpy as np
import xarray as xr

from ..derived.pictures import mosaic, square_columns, webp

FILM = "film/"


@dataclass(frozen=True)
class Strip:
    """One dimension of the film of one bank and column; `bank`, `column` and `seed` are places in the record."""

    bank: int
    column: int
    seed: int
    dimension: int
    film: xr.Dataset

    @property
    def facts(self) -> dict[str, Any]:
        """What the page needs to find it, and to cut it into images."""
        sizes = self.film.sizes
        return {
            "bank": self.bank,
            "column": self.column,
            "seed": self.seed,
            "dimension": self.dimension,
            "status": str(self.film["status"].values[self.dimension]),
            "points": sizes["point"],
            "cells": {"width": sizes["x"], "height": sizes["y"], "columns": square_columns(sizes["point"])},
        }

    def sprite(self, quality: int = 90) -> bytes:
        """Its images as one WebP, cells in reading order."""
        return webp(mosaic(self.film["image"].values[self.dimension]), quality)


def strips_of(tree: xr.DataTree) -> list[Strip]:
    """The strips of all best dimensions that have a film."""
    report = tree.to_dataset(inherit=False)
    names = [f"{m}-{k}" for m in report["decomposition"].values for k in report["n_components"].values]
    # A film's bank and seed are recognized by the bank's weights.
    banks = {
        str(sha): place
        for place, sha in np.ndenumerate(report["bank_sha256"].transpose("seed", "bank").values)
    }
    order = ("seed", "bank", "decomposition", "n_components", "attribute", "readout")
    every = report["best_dimension"].transpose(*order).values
    best = every.reshape(*every.shape[:2], len(names), -1)
    strips = []
    for node in tree.subtree:
        sha = str(node.attrs.get("model_sha256", ""))
        if not str(node.attrs.get("tunewidgets_record", "")).startswith(FILM):
            continue
        if sha not in banks:
            continue
        seed, bank = banks[sha]
        # Where there are banks, a film is named by its own too: "zero-mean-pca-3".
        name = unquote(unquote(node.name or "")).removeprefix(f"{report['bank'].values[bank]}-")
        if name not in names:
            continue
        film = node.to_dataset(inherit=False)
        column = names.index(name)
        for dimension in np.unique(best[seed, bank, column]).tolist():
            if 0 <= dimension < film.sizes["dimension"]:
                strips.append(Strip(bank, column, seed, dimension, film))
    return strips


def inline_sprites(strips: list[Strip], budget: int, quality: int = 90) -> list[bytes]:
    """The strips' sprites in their order, as long as they fit in `budget` bytes; empty bytes for the rest."""
    sprites = [b""] * len(strips)
    for at, strip in enumerate(strips):
        if strip.facts["status"]:
            continue
        sprite = strip.sprite(quality)
        budget -= len(sprite)
        if budget < 0:
            break
        sprites[at] = sprite
    return sprites
