"""Images worth looking at: class images that another network recognizes, beside Lucent's and Horama's, and a census.

    uv run --group bench python tests/benchmarks/image_quality.py [PART ...] [--quick] [--classes 100] [--every 8]

Needs TUNEWIDGETS_DATA: GoogLeNet's, SqueezeNet's and ResNet-20's weights, and photographs. Prints tables and writes
artifacts/benchmarks/image_quality/, with a file for every class image of a peer: what is there is not made again.
"""

import argparse
import json
from collections.abc import Callable
from typing import Any

import torch
from class_images import LAYERS, PEERS, class_images, make_peers
from engine_common import OUT, console
from image_census import NETWORKS, alive
from image_sheets import sheets

PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "peers": make_peers,
    "classes": class_images,
    "alive": alive,
    "sheets": sheets,
}


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="which parts to run; all by default")
    parser.add_argument(
        "--quick", action="store_true", help="does everything once, in few steps, apart from the rest"
    )
    parser.add_argument("--classes", type=int, default=100, help="class images of ours, evenly spread")
    parser.add_argument("--peer-classes", type=int, default=20, help="class images of Lucent, among ours")
    parser.add_argument("--horama-classes", type=int, default=4, help="class images of Horama, among ours")
    parser.add_argument("--networks", nargs="+", default=list(LAYERS), choices=LAYERS, help="of class images")
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=PEERS)
    parser.add_argument("--every", type=int, default=8, help="the census counts every such unit")
    parser.add_argument(
        "--census-networks", nargs="+", default=list(NETWORKS), choices=NETWORKS, help="of census and sheets"
    )
    parser.add_argument("--again", action="store_true", help="the census forgets the layers of earlier runs")
    options = parser.parse_args()
    options.root = OUT / "image_quality"
    options.steps, options.peer_steps, options.timed_steps = 128, None, 4
    if options.quick:
        options.root = OUT / "image_quality-quick"
        options.steps, options.peer_steps, options.timed_steps = 16, 2, 1
        options.classes, options.peer_classes, options.horama_classes = 4, 2, 1
    return options


def main() -> None:
    options = parsed()
    options.root.mkdir(parents=True, exist_ok=True)
    path = options.root / "image_quality.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    console.print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    for part in options.parts or PARTS:
        results[part] = PARTS[part](options)
        path.write_text(json.dumps(results, indent=1, default=float))


if __name__ == "__main__":
    main()
