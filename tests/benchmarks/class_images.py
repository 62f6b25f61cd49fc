"""Class images of two networks, ours and the peers', each judged by the other network.

Peers' images at their defaults take minutes to hours, and are kept (one file a class) and made only once; ours, and
the peers' at our time, are made anew in every run, as are all times.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from engine_common import console, show, timed
from horama_peer import horama_image
from lucent_peer import lucent_image
from picture_measures import clipped, evenly, fine_share, gray, one_color, ranks
from PIL import Image
from torch import Tensor, nn

import tunewidgets as tw
from tunewidgets.kernels.network.tracing import evaluating

SIZE = 160
# Of (contrast, band); the first is the default.
VARIANTS = (("auto", None), (None, None), ("auto", "auto"), (None, "auto"))
# Where each network's class scores are units: SqueezeNet's before the last rectifier, at which a class that starts
# silent would leave the peers without a gradient.
LAYERS = {"googlenet": "loss3_classifier", "squeezenet": "classifier.1"}
JUDGES = {"googlenet": "squeezenet", "squeezenet": "googlenet"}
# Side of Horama's image times this is its side where it was optimized: crops of .275 of it, on average, seen at 224 px.
HORAMA_VIEW = 224 / (0.275 * 1280)
SHOWN = 320
OPTIMIZED_AT = ("optimized at, px", "top-1 there", "top-5 there")


class Peer(NamedTuple):
    """A peer's defaults: its own steps, and the side at which the network saw an image of so many pixels."""

    steps: int
    view: Callable[[int], int]


PEERS = {
    "lucent": Peer(512, lambda side: 224),
    "horama-fourier": Peer(1000, lambda side: round(side * HORAMA_VIEW)),
    "horama-maco": Peer(1000, lambda side: round(side * HORAMA_VIEW)),
}


def load(name: str) -> nn.Module:
    """A network with its trained weights, without operations in place: those would change what a peer's hook kept."""
    told = {"googlenet": ("googlenet_bvlc", "auto"), "squeezenet": ("squeezenet1_0", "deepcompression")}
    zoo_name, weights = told[name]
    network = tw.zoo.load(zoo_name, weights=weights)
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    return network


def peer_picture(peer: str, network: nn.Module, layer: str, unit: int, steps: int) -> dict[str, np.ndarray]:
    """A peer's `image`, uint8 `(H, W, 3)`, and where it has a view of its own, that one, `shown`, small."""
    if peer == "lucent":
        goal = f"network_{layer.replace('.', '_')}:{unit}"
        image, _ = lucent_image(network, goal, SIZE, steps, 0, None)
        return {"image": as_bytes(image[0].permute(1, 2, 0).numpy())}
    made = horama_image(network, layer, unit, peer.removeprefix("horama-"), steps, 0)
    shown = Image.fromarray(as_bytes(made.shown)).resize((SHOWN, SHOWN), Image.Resampling.LANCZOS)
    return {"image": as_bytes(made.image.permute(1, 2, 0).numpy()), "shown": np.asarray(shown)}


def as_bytes(image: np.ndarray) -> np.ndarray:
    """An image in [0, 1] as bytes, rounded."""
    return (image.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def write_picture(file: Path, made: dict[str, np.ndarray]) -> None:
    """The arrays as a file, which is never there half written."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    with part.open("wb") as opened:
        np.savez_compressed(opened, **made)
    part.replace(file)


def kept_picture(file: Path, make: Callable[[], dict[str, np.ndarray]], again: bool = False) -> np.ndarray:
    """The `image` of a file, made and written first where there is none, or anew with `again`."""
    if again or not file.exists():
        made, seconds = timed(make)
        write_picture(file, made)
        console.print(
            f"[dim]{file.parent.parent.name}, {file.parent.name}, class {file.stem}: {seconds:.1f} s"
        )
    return np.load(file)["image"]


def step_seconds(make: Callable[[int], Any], steps: int) -> float:
    """Seconds a step of `make(steps)`, after a first call that warms up."""
    make(1)
    return timed(make, steps)[1] / steps


def class_ranks(network: nn.Module, pictures: np.ndarray, classes: list[int], side: int) -> Tensor:
    """How many classes the network puts before each picture's own, the pictures seen at `side` pixels."""
    scores = []
    with evaluating(network), torch.no_grad():
        for picture in pictures:
            image = torch.from_numpy(picture).permute(2, 0, 1)[None] / 255
            if side != image.shape[-1]:
                image = nn.functional.interpolate(
                    image, size=side, mode="bilinear", align_corners=False, antialias=True
                )
            scores.append(network(network.preprocess(image)))
    return ranks(torch.cat(scores), torch.tensor(classes))


def judged(
    maker: str, pictures: np.ndarray, classes: list[int], judge: nn.Module, seconds: float, view: int
) -> dict[str, Any]:
    """A row of the table: what the judge sees in the pictures, and what a program can say of them."""
    side = pictures.shape[1]
    own = class_ranks(judge, pictures, classes, side)
    seen = own if view == side else class_ranks(judge, pictures, classes, view)
    # One at a time, as spectra of many pictures of 1280 px would fill the memory.
    single = [picture[None] for picture in pictures]
    is_gray = np.concatenate([gray(p) for p in single])
    is_flat = np.concatenate([one_color(p) for p in single]) & ~is_gray
    return {
        "images": maker,
        "classes": len(classes),
        "px": side,
        "top-1": float((own < 1).float().mean()),
        "top-5": float((own < 5).float().mean()),
        "optimized at, px": view,
        "top-1 there": float((seen < 1).float().mean()),
        "top-5 there": float((seen < 5).float().mean()),
        "s an image": seconds,
        "gray": float(is_gray.mean()),
        "flat": float(is_flat.mean()),
        "clipped": float(np.mean([clipped(p)[0] for p in single])),
        "above half Nyquist": float(np.mean([fine_share(p)[0] for p in single])),
    }


def variant_name(contrast: Any, band: Any) -> str:
    return f"contrast {contrast}, band {band}"


def own_images(
    name: str, network: nn.Module, classes: list[int], root: Path, steps: int, contrast: Any, band: Any
) -> tuple[np.ndarray, float]:
    """Our class images, kept for the sheets, and seconds an image."""
    probe = tw.Probe(network, LAYERS[name], device="cpu")

    def make(steps: int) -> Any:
        return tw.visualize(
            probe, tw.AM(classes), size=SIZE, steps=steps, contrast=contrast, band=band, progress=False
        )

    make(2)
    record, seconds = timed(make, steps)
    pictures = record["image"].values
    for unit, picture in zip(classes, pictures, strict=True):
        write_picture(root / "classes" / name / f"ours-{contrast}-{band}" / f"{unit}.npz", {"image": picture})
    return pictures, seconds / len(classes)


def asked_classes(peer: str, options: argparse.Namespace) -> list[int]:
    """The classes of a peer; those of fewer are among those of more where the one number divides the other."""
    return evenly(1000, options.peer_classes if peer == "lucent" else options.horama_classes)


def make_peers(options: argparse.Namespace) -> dict[str, Any]:
    """Only the peers' images at their defaults, kept for `classes`; stopped, it goes on where it was."""
    for name in options.networks:
        network = load(name)
        for peer in options.peers:
            default_pictures(name, network, peer, asked_classes(peer, options), options)
    return {}


def default_pictures(
    name: str, network: nn.Module, peer: str, classes: list[int], options: argparse.Namespace
) -> np.ndarray:
    """A peer's images after its default steps, made where they are missing."""
    folder = options.root / "classes" / name / f"{peer}-default"
    make = partial(peer_picture, peer, network, LAYERS[name])
    steps = options.peer_steps or PEERS[peer].steps
    return np.stack([kept_picture(folder / f"{u}.npz", partial(make, u, steps)) for u in classes])


def class_images(options: argparse.Namespace) -> dict[str, Any]:
    """Transfer of class images to the other network, ours in four variants and the peers'."""
    results = {}
    for name in options.networks:
        network, judge = load(name), load(JUDGES[name])
        classes = evenly(1000, options.classes)
        made, rows = {}, []
        for contrast, band in VARIANTS:
            pictures, seconds = own_images(
                name, network, classes, options.root, options.steps, contrast, band
            )
            made[contrast, band] = pictures
            title = variant_name(contrast, band)
            rows.append(judged(title, pictures, classes, judge, seconds, SIZE))
            console.print(
                f"[dim]{name}, {title}: top-1 {rows[-1]['top-1']:.2f}, top-5 {rows[-1]['top-5']:.2f}"
            )
        ours = rows[0]["s an image"]
        beside = peers_beside(name, network, judge, made[VARIANTS[0]], classes, ours, options)
        # Ours are judged at the size they were optimized at, so one pair of columns says it all.
        short = [{k: v for k, v in row.items() if k not in OPTIMIZED_AT} for row in rows]
        show(f"Class images of {name}, judged by {JUDGES[name]}: ours", short)
        if beside:
            show(f"Class images of {name}, judged by {JUDGES[name]}: ours and the peers'", beside)
        results[name] = {"ours": rows, "peers": beside}
    return results


def peers_beside(
    name: str,
    network: nn.Module,
    judge: nn.Module,
    pictures: np.ndarray,
    classes: list[int],
    ours: float,
    options: argparse.Namespace,
) -> list[dict[str, Any]]:
    """Rows of each peer at its defaults and at our time, below ours on the same classes."""
    rows = []
    for asked in dict.fromkeys(tuple(asked_classes(peer, options)) for peer in options.peers):
        units = list(asked)
        missing = sorted(set(units) - set(classes))
        if missing:
            raise SystemExit(
                f"classes {missing} of the peers are not among ours; let --classes be a multiple of --peer-classes and "
                "--horama-classes"
            )
        mine = pictures[[classes.index(unit) for unit in units]]
        rows.append(judged("ours", mine, units, judge, ours, SIZE))
        for peer in [peer for peer in options.peers if tuple(asked_classes(peer, options)) == asked]:
            rows += peer_rows(name, network, judge, peer, units, ours, options)
    return rows


def peer_rows(
    name: str,
    network: nn.Module,
    judge: nn.Module,
    peer: str,
    units: list[int],
    ours: float,
    options: argparse.Namespace,
) -> list[dict[str, Any]]:
    """A peer at its default steps, and at as many as fit into our seconds."""
    make = partial(peer_picture, peer, network, LAYERS[name])
    step = step_seconds(partial(make, units[0]), options.timed_steps)
    defaults = default_pictures(name, network, peer, units, options)
    view = PEERS[peer].view(defaults.shape[1])
    steps = options.peer_steps or PEERS[peer].steps
    rows = [judged(f"{peer}, {steps} steps", defaults, units, judge, step * steps, view)]
    fitting = max(1, int(ours / step))
    folder = options.root / "classes" / name / f"{peer}-our-time"
    quick = np.stack(
        [kept_picture(folder / f"{unit}.npz", partial(make, unit, fitting), again=True) for unit in units]
    )
    count = f"{fitting} step{'s' if fitting > 1 else ''}"
    return [*rows, judged(f"{peer}, {count}", quick, units, judge, step * fitting, view)]
