"""A network whose units are colors, a film of it, and tiny pictures in Broden's layout, for the tests of concepts."""

import csv

import numpy as np
import torch
from PIL import Image
from torch import nn

import tunewidgets as tw

NAMES = {1: "red-c", 2: "grass", 300: "sky", 4: "leg", 5: "kitchen"}


def colors(scale=1.0):
    """A network whose three units are the image's colors."""
    network = nn.Sequential(nn.Conv2d(3, 3, 1, bias=False), nn.ReLU())
    with torch.no_grad():
        network[0].weight.copy_(scale * torch.eye(3)[:, :, None, None])
    return network


def film_of_colors(probe):
    """Two dimensions of a network whose vectors are mixtures of two independent colors."""
    generator = torch.Generator().manual_seed(3)
    images = torch.rand(40, 3, 6, 6, generator=generator)
    sample = tw.sample_activations(probe, images, n=400, progress=False)
    dimensions = tw.TuningDimensions("pca", 2).fit(sample)
    film = tw.render_film(probe, dimensions, points=2, size=8, steps=1, progress=False)
    return images, dimensions, film


def write_broden(folder, pictures, fields, side):
    """A tiny folder in Broden's layout; a mask is an array of numbers, saved as red + 256 × green."""
    (folder / "images" / "set").mkdir(parents=True)
    categories = sorted({name for own in fields for name in own})
    with (folder / "label.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["number", "name", "category"])
        writer.writerows([number, name, ""] for number, name in NAMES.items())
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "split", "ih", "iw", "sh", "sw", *categories])
        for at, (picture, own) in enumerate(zip(pictures, fields, strict=True)):
            name = f"set/{at}.png"
            Image.fromarray(picture).save(folder / "images" / name)
            written = []
            for category in categories:
                parts = []
                for layer, value in enumerate(own.get(category, [])):
                    if isinstance(value, int):
                        parts.append(str(value))
                        continue
                    mask = f"set/{at}_{category}_{layer}.png"
                    coded = np.stack([value % 256, value // 256, 0 * value], -1).astype(np.uint8)
                    Image.fromarray(coded).save(folder / "images" / mask)
                    parts.append(mask)
                written.append(";".join(parts))
            writer.writerow([name, "train", *picture.shape[:2], side, side, *written])
    return folder


def scenes():
    """24 pictures with masks of two objects, one of them in two layers, a color of some and a scene of others."""
    rng = np.random.default_rng(5)
    pictures, fields = [], []
    for at in range(24):
        picture = rng.integers(0, 120, (8, 8, 3)).astype(np.uint8)
        top, left = rng.integers(0, 5, 2)
        sky = np.zeros((8, 8), int)
        sky[top : top + 3, left : left + 2] = 300
        picture[sky > 0, 0] = 255
        grass = np.where(rng.random((8, 8)) < 0.2, 2, 0)
        own = {"object": [sky, grass] if at % 3 else [sky * 0]}
        if at % 3 == 0:
            picture[..., 0] //= 4
        if at % 2:
            own["color"] = [np.where(picture[..., 0] > 100, 1, 0)]
        if at < 15:
            own["scene"] = [5] if at < 8 else [4]
        pictures.append(picture)
        fields.append(own)
    return pictures, fields
