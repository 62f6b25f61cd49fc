"""Sheets for the eye: units' images from early to deep layers, and everybody's class images side by side."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import image_census
import numpy as np
from engine_common import console
from picture_measures import evenly
from PIL import Image, ImageDraw

import tunewidgets as tw
from tunewidgets.zoo.imagenet import ImageNetPhotographs

TILE, GAP, LABELS, HEADER = 160, 4, 150, 16
UNITS, ACROSS = 16, 8
# Early, middle and deep, at a rectifier and at blocks' outputs.
SHOWN_LAYERS = {
    "googlenet": (
        "relu_conv1", "relu_conv2", "relu_inception_3a_3x3", "relu_inception_4a_3x3", "relu_inception_5a_3x3",
        "inception_3b_output", "inception_4a_output", "inception_4d_output", "inception_5a_output",
        "inception_5b_output",
    ),
    "squeezenet": ("features.1", "features.3", "features.7", "features.12"),
    "resnet20": ("relu", "layer1", "layer2", "layer3"),
}  # fmt: skip


def sheet(
    rows: Sequence[tuple[str, Sequence[np.ndarray | None]]], columns: Sequence[str], tile: int = TILE
) -> Image.Image:
    """Rows of square pictures `(H, W, 3)` uint8, each with its words to the left, columns with theirs above.

    A place without a picture stays white.
    """
    across = max(len(pictures) for _, pictures in rows)
    size = (LABELS + across * (tile + GAP), HEADER + len(rows) * (tile + GAP))
    page = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(page)
    for at, words in enumerate(columns):
        pen.text((LABELS + at * (tile + GAP), 2), words[: tile // 6], fill="black")
    for row, (words, pictures) in enumerate(rows):
        top = HEADER + row * (tile + GAP)
        pen.multiline_text((2, top), words.replace(", ", "\n"), fill="black")
        for at, picture in enumerate(pictures):
            if picture is not None:
                grows = picture.shape[0] < tile
                how = Image.Resampling.NEAREST if grows else Image.Resampling.LANCZOS
                scaled = Image.fromarray(picture).resize((tile, tile), how)
                page.paste(scaled, (LABELS + at * (tile + GAP), top))
    return page


def layer_sheet(probe: tw.Probe, units: list[int], size: int | str, steps: int) -> Image.Image:
    """Images of some of a layer's units, eight a row."""
    record = tw.visualize(probe, tw.AM(units), size=size, steps=steps, progress=False)
    pictures, status = list(record["image"].values), record["status"].values.astype(str)
    rows = []
    for start in range(0, len(units), ACROSS):
        part = slice(start, start + ACROSS)
        notes = [f"{u}: {s.partition(':')[0]}" for u, s in zip(units[part], status[part], strict=True) if s]
        words = ", ".join([f"units {units[start]} to {units[part][-1]}", *notes])
        rows.append((words, pictures[part]))
    return sheet(rows, [], tile=max(112, pictures[0].shape[0]))


def class_rows(folder: Path, units: Sequence[int]) -> list[tuple[str, list[np.ndarray | None]]]:
    """Everybody's kept class images, a row each, and a second one of what a peer itself shows."""
    rows = []
    for maker in sorted(folder.iterdir(), key=lambda path: (not path.name.startswith("ours"), path.name)):
        files = [maker / f"{unit}.npz" for unit in units]
        kept = [dict(np.load(file)) if file.exists() else {} for file in files]
        for key, words in (("image", maker.name), ("shown", f"{maker.name}, as painted, by plot_maco")):
            pictures = [one.get(key) for one in kept]
            if any(picture is not None for picture in pictures):
                rows.append((words, pictures))
    return rows


def sheets(options: argparse.Namespace) -> dict[str, Any]:
    """PNG files of units' images by layer, and of the class images that `classes` left."""
    written = []
    options.root.mkdir(parents=True, exist_ok=True)
    for name in options.census_networks:
        network = image_census.load(name)
        for layer in SHOWN_LAYERS[name][: 1 if options.quick else None]:
            probe = tw.Probe(network, layer, device="cpu")
            units = [i * probe.units // UNITS for i in range(UNITS)][: 2 if options.quick else None]
            size: int | str = "auto" if name == "resnet20" else image_census.SIZE
            written.append(options.root / f"sheet-{name}-{layer}.png")
            layer_sheet(probe, units, size, options.steps).save(written[-1])
            console.print(f"[dim]{written[-1]}")
    for name in options.networks:
        folder = options.root / "classes" / name
        if folder.is_dir():
            units = evenly(1000, options.peer_classes)
            names = ImageNetPhotographs("imagenet-sample").classes
            written.append(options.root / f"sheet-classes-{name}.png")
            sheet(class_rows(folder, units), [f"{u} {names[u]}" for u in units]).save(written[-1])
            console.print(f"[dim]{written[-1]}")
    return {"sheets": [str(path) for path in written]}
