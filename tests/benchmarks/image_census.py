"""A census of units' images at `visualize`'s defaults: silent, of one color, burnt out.

A row a layer, printed as it comes and kept in a JSON file, so that a run that was stopped goes on at the next layer.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from engine_common import console, show, timed
from picture_measures import clipped, one_color
from torchvision.models.squeezenet import Fire

import tunewidgets as tw
from tunewidgets.zoo.googlenet import BLOCKS

PHOTOGRAPHS = 200
SIZE = 112
# name -> (the zoo's name, its weights, photographs to ask whether a unit responds to anything, their side)
NETWORKS = {
    "googlenet": ("googlenet_bvlc", "auto", "imagenet-sample", 224),
    "squeezenet": ("squeezenet1_0", "deepcompression", "imagenet-sample", 224),
    "resnet20": ("cifar_resnet20", "auto", "cifar10", 32),
}


def load(name: str) -> torch.nn.Module:
    zoo_name, weights, _, _ = NETWORKS[name]
    return tw.zoo.load(zoo_name, weights=weights)


def census_layers(name: str, network: torch.nn.Module) -> list[str]:
    """The layers that are counted: outputs of blocks, of fire modules, of stages."""
    if name == "googlenet":
        return [f"inception_{block}_output" for block in BLOCKS]
    if name == "squeezenet":
        return [layer for layer, module in network.named_modules() if isinstance(module, Fire)]
    return ["layer1", "layer2", "layer3"]


def responding(probe: tw.Probe, units: np.ndarray, photographs: Any) -> np.ndarray:
    """Which of the units respond to any of the photographs, at any position."""
    found = np.zeros(len(units), dtype=bool)
    for batch in photographs:
        values = probe.rectified(batch)[:, units]
        found |= (values.amax(tuple(d for d in range(values.ndim) if d != 1)) > 0).numpy()
    return found


def counted(record: Any, units: list[int], responds: Any) -> dict[str, Any]:
    """What a record's images come to; `responds(silent units)` is asked only where some are."""
    status = record["status"].values.astype(str)
    pictures = record["image"].values
    silent = np.char.startswith(status, "silent")
    flat = one_color(pictures) & ~silent
    own = record["response"].values[np.arange(len(units)), units]
    heard = responds(np.array(units)[silent]) if silent.any() else np.zeros(0, dtype=bool)
    return {
        "units": len(units),
        "silent": int(silent.sum()),
        "of those respond to photographs": int(heard.sum()),
        "flat": int(flat.sum()),
        "flat by its status": int(np.char.startswith(status, "flat").sum()),
        "failed": int(np.char.startswith(status, "failed").sum()),
        "clipped": float(clipped(pictures[~silent]).mean()) if not silent.all() else 0.0,
        "own response": float(own.mean()),
    }


def layer_row(
    name: str, network: torch.nn.Module, layer: str, every: int, steps: int, most: int | None
) -> dict[str, Any]:
    """The census of one layer."""
    _, _, source, side = NETWORKS[name]
    probe = tw.Probe(network, layer, device="cpu")
    units = list(range(0, probe.units, every))[:most]
    size: int | str = "auto" if name == "resnet20" else SIZE
    record, seconds = timed(lambda: tw.visualize(probe, tw.AM(units), size=size, steps=steps, progress=False))

    def responds(silent: np.ndarray) -> np.ndarray:
        photographs = tw.zoo.images(source, n=PHOTOGRAPHS, size=side, batch_size=20)
        return responding(probe, silent, photographs)

    return {"network": name, "layer": layer, **counted(record, units, responds), "s": seconds}


def finished(file: Path) -> list[dict[str, Any]]:
    """Rows of earlier runs."""
    return json.loads(file.read_text()) if file.exists() else []


def wanted_layers(options: argparse.Namespace) -> Iterator[tuple[str, torch.nn.Module, str]]:
    for name in options.census_networks:
        network = load(name)
        layers = census_layers(name, network)
        for layer in layers[:1] if options.quick else layers:
            yield name, network, layer


def alive(options: argparse.Namespace) -> dict[str, Any]:
    """How many units' images show nothing, or nothing but a color."""
    file = options.root / "alive.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    if options.again:
        file.unlink(missing_ok=True)
    rows = finished(file)
    done = {(row["network"], row["layer"], row["every"]) for row in rows}
    for name, network, layer in wanted_layers(options):
        if (name, layer, options.every) in done:
            continue
        most = 4 if options.quick else None
        row = layer_row(name, network, layer, options.every, options.steps, most) | {"every": options.every}
        rows.append(row)
        file.write_text(json.dumps(rows, indent=1, default=float))
        said = ", ".join(f"{k} {v:.3g}" for k, v in row.items() if not isinstance(v, str))
        console.print(f"[dim]{name} {layer}: {said}", soft_wrap=True)
    asked = [r for r in rows if r["every"] == options.every and r["network"] in options.census_networks]
    for name in dict.fromkeys(row["network"] for row in asked):
        show(
            f"Every {options.every}th unit of {name}",
            [
                {k: v for k, v in r.items() if k not in ("network", "every")}
                for r in asked
                if r["network"] == name
            ],
        )
    return {"rows": asked}
