"""The kernels of units: what they cost beside bare passes through the same network, in one process and one run.

    uv run --group bench python tests/benchmarks/units.py [PART ...] [--quick]

Prints a table a part and writes artifacts/benchmarks/units.json. Run `memory` alone: the peak is the whole process's.
Speed does not hang on what the weights are, so VGG16 has random ones.
"""

import argparse
import json
import resource
import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from engine_common import OUT, console, show, timed
from torch import nn

import tunewidgets as tw
from tunewidgets.kernels.data.labeled import labeled
from tunewidgets.kernels.network.capture import Observed
from tunewidgets.kernels.network.names import find_layer
from tunewidgets.kernels.network.replay import Replay
from tunewidgets.kernels.network.tracing import evaluating

CONVOLUTIONS = ["relu1", "relu2", "relu3", "relu4"]
# Early, middle and late layers of VGG16; features.21 is the tenth convolution.
ABLATED = ("features.7", "features.14", "features.21")
QUIET = {"progress": False, "device": "cpu"}


def data(images: int, batch: int = 64) -> list[tuple[torch.Tensor, torch.Tensor]]:
    draws = torch.Generator().manual_seed(0)
    pictures = torch.rand(images, 3, 32, 32, generator=draws)
    return list(zip(pictures.split(batch), (torch.arange(images) % 10).split(batch), strict=True))


def network(name: str) -> nn.Module:
    torch.manual_seed(0)
    return tw.zoo.load(name, weights=None)


def bare_pass(net: nn.Module, batches: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
    """What anybody would write: the network over the data, nothing else."""
    with evaluating(net), torch.no_grad():
        for images, _ in batches:
            net(net.preprocess(images))


def selectivity(options: argparse.Namespace) -> dict[str, Any]:
    """Selectivity for all layers of VGG16 against a bare forward pass over the same data (bound: 1.15)."""
    net, batches = network("vgg16_cifar10"), data(128 if options.quick else 1024)
    names = tw.layers(net, (3, 32, 32)).name.tolist()
    calls = {
        "bare pass": lambda: bare_pass(net, batches),
        "rectified layers": lambda: tw.class_selectivity(net, batches, **QUIET),
        "every layer": lambda: tw.class_selectivity(net, batches, names, **QUIET),
        "with critics": lambda: tw.class_selectivity(net, batches, critics=True, **QUIET),
    }
    bare_pass(net, batches[:1])
    # By turns, so that a machine that slows down slows all of them.
    rounds = [
        {name: timed(call)[1] for name, call in calls.items()} for _ in range(1 if options.quick else 5)
    ]
    rows = [
        {
            "what": name,
            "seconds": statistics.median(times[name] for times in rounds),
            "times a bare pass": statistics.median(times[name] / times["bare pass"] for times in rounds),
        }
        for name in calls
    ]
    show(f"Selectivity of VGG16 ({len(names)} layers), {sum(len(y) for _, y in batches)} images", rows)
    return {"rows": rows}


def multiply_adds(net: nn.Module, run: Callable[[], Any]) -> float:
    """Multiply-adds that convolutions and linear layers do while `run` runs."""
    total = 0

    def count(module: nn.Module, _: Any, output: torch.Tensor) -> None:
        nonlocal total
        total += output.numel() * module.weight[0].numel()

    weighty = [module for module in net.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    handles = [module.register_forward_hook(count) for module in weighty]
    try:
        run()
    finally:
        for handle in handles:
            handle.remove()
    return total


def ablation(options: argparse.Namespace) -> dict[str, Any]:
    """A unit ablated by replaying the tail, against a full pass, with the ratio of their multiply-adds."""
    net, size = network("vgg16_cifar10"), 16 if options.quick else 128
    images = data(size, size)[0][0]
    inputs = net.preprocess(images)
    runs = 2 if options.quick else 16
    rows = []
    for layer in ABLATED:
        replay = Replay(net, find_layer(net, layer), inputs[:2])
        with torch.no_grad():
            full_work = multiply_adds(net, lambda: net(inputs))
        replay.record(inputs)
        with replay.running():
            silence = partial(replay.run, torch.zeros_like)
            tail_work = multiply_adds(net, silence)
            tail = statistics.median(timed(silence)[1] for _ in range(runs))
        hook = find_layer(net, layer).module.register_forward_hook(lambda m, i, o: torch.zeros_like(o))
        with torch.no_grad():
            net(inputs)
            full = statistics.median(timed(lambda: net(inputs))[1] for _ in range(runs))
        hook.remove()
        rows.append(
            {
                "layer": layer,
                "full, ms": full * 1e3,
                "tail, ms": tail * 1e3,
                "times faster": full / tail,
                "full/tail multiply-adds": full_work / tail_work,
                "share of that": full / tail / (full_work / tail_work),
            }
        )
    show(f"One unit of VGG16 ablated, batch of {size} (bounds: share .8; 8 x at features.21)", rows)
    return {"rows": rows, "whole": whole_ablation(net, options)}


def whole_ablation(net: nn.Module, options: argparse.Namespace) -> list[dict[str, Any]]:
    """`tw.ablation` itself, bookkeeping and all, for every unit of features.21, against as many bare passes."""
    batches = data(16 if options.quick else 256)
    _, bare = timed(lambda: bare_pass(net, batches))
    _, spent = timed(lambda: tw.ablation(net, batches, "features.21", curves=False, **QUIET))
    row = {"units": 512, "seconds": spent, "512 bare passes": bare * 512, "times faster": bare * 512 / spent}
    show("All units of features.21", [row])
    return [row]


def images(options: argparse.Namespace) -> dict[str, Any]:
    """AM and IAM images of all convolutional units of the shallow CNN at 32 px (bounds: 120 s, 300 s)."""
    net = tw.zoo.load("shallow_cnn")
    layers = CONVOLUTIONS[:1] if options.quick else CONVOLUTIONS
    steps = 4 if options.quick else 128
    rows = []
    for restarts in (1, 3):
        made: list[Any] = []
        _, seconds = timed(
            lambda made=made, restarts=restarts: made.append(
                tw.representative_substitution(net, layers, restarts=restarts, steps=steps, **QUIET)
            )
        )
        units = sum(node.sizes["unit"] for node in made[0].children.values())
        shown = sum(int(node.rendered.sum()) for node in made[0].children.values())
        rows.append(
            {
                "restarts": restarts, "units": units, "steps": steps, "seconds": seconds,
                "ms an image-step": seconds / (2 * units * restarts * steps) * 1e3,
                "share rendered": shown / (2 * units),
            }
        )  # fmt: skip
    show("AM and IAM of the shallow CNN at 32 px", rows)
    return {"rows": rows}


def memory(options: argparse.Namespace) -> dict[str, Any]:
    """Peak memory of the ablation of one layer of VGG16, for as many images and for four times as many."""
    net = network("vgg16_cifar10")
    layer, few = ("features.28", 64) if options.quick else ("features.21", 256)
    observed = Observed(net, layer, device="cpu")
    sample = observed.inputs(torch.full((2, 3, 32, 32), 0.5))
    kept = Replay(net, find_layer(net, layer), sample).kept_bytes
    rows = []
    for count in (few, 4 * few):
        source = labeled(data(count), None, net)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        tw.ablation(net, source, layer, curves=False, **QUIET)
        rows.append(
            {
                "images": count,
                "kept an image, MB": kept / 2**20,
                "peak before, GB": before,
                "peak after, GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
            }
        )
    show(f"Memory of the ablation of {layer}", rows)
    return {"rows": rows}


PARTS = {"selectivity": selectivity, "ablation": ablation, "images": images, "memory": memory}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="which parts to run; all by default")
    parser.add_argument("--quick", action="store_true", help="few images, units and steps: does it work?")
    options = parser.parse_args()
    path = OUT / "units.json"
    OUT.mkdir(parents=True, exist_ok=True)
    results = json.loads(path.read_text()) if path.exists() else {}
    console.print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    for part in options.parts or PARTS:
        results[part] = PARTS[part](options)
        path.write_text(json.dumps(results, indent=1, default=float))


if __name__ == "__main__":
    main()
