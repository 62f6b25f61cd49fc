"""Networks of other people: a sweep over timm's and torchvision's models, and over outputs in Hugging Face's shapes.

    uv run --group bench --group test python tests/benchmarks/architectures.py [--names 400] [--only TEXT]

All with random weights. Every network is checked in a worker process, which is replaced when it takes too long; what
was found is a line of artifacts/benchmarks/architectures.jsonl, and a later run goes on where this one stopped.
`--write` makes the page of the documentation from those lines.
"""

import argparse
import json
import multiprocessing
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from architecture_checks import check
from engine_common import OUT, console
from torch import Tensor, nn

import tunewidgets as tw

FOUND, SIZES = OUT / "architectures.jsonl", OUT / "architecture_sizes.json"
SIDE = 224
KINDS = ("classification", "segmentation", "detection", "video", "quantization", "optical flow")


@dataclass
class Output:
    """As Hugging Face's models give it."""

    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None


class Wrapped(nn.Module):
    """A network whose output is in a shape of Hugging Face's."""

    def __init__(self, shape: str) -> None:
        super().__init__()
        from torchvision.models import resnet18

        self.backbone, self.shape = resnet18(weights=None), shape

    def forward(
        self, pixel_values: Tensor, labels: Tensor | None = None, return_dict: bool | None = None
    ) -> Any:
        scores = self.backbone(pixel_values)
        outputs = {
            "dataclass": Output(scores),
            "dict": {"logits": scores},
            "tuple": (None, scores),
            "list": [scores],
        }
        return outputs[self.shape]


def timm_sizes() -> dict[str, tuple[str, float]]:
    """Of each of timm's names its file and its millions of parameters, counted without memory for them; kept."""
    if SIZES.exists():
        return {name: (file, size) for name, (file, size) in json.loads(SIZES.read_text()).items()}
    import timm

    files = {name: module for module in timm.list_modules() for name in timm.list_models(module=module)}
    sizes = {}
    for name, module in files.items():
        try:
            with torch.device("meta"):
                network = timm.create_model(name)
            size = sum(p.numel() for p in network.parameters()) / 1e6
        except Exception:
            # Some compute in their constructor, which no meta tensor can; they come last.
            size = float("inf")
        sizes[name] = (module, size)
    SIZES.parent.mkdir(parents=True, exist_ok=True)
    SIZES.write_text(json.dumps(sizes))
    return sizes


def timm_names(count: int) -> Iterator[str]:
    """The smallest of every file, then the smallest of all, `count` names or one a file."""
    sizes = timm_sizes()
    by_size = sorted(sizes, key=lambda name: sizes[name][1])
    first = {}
    for name in by_size:
        first.setdefault(sizes[name][0], name)
    rest = [name for name in by_size if name not in first.values()]
    chosen = [*first.values(), *rest[: max(0, count - len(first))]]
    yield from sorted(chosen, key=by_size.index)


def torchvision_names() -> Iterator[tuple[str, str]]:
    """Each of torchvision's names with what it is for."""
    from torchvision import models

    for part, kind in ((models, KINDS[0]), *((getattr(models, kind), kind) for kind in KINDS[1:5])):
        for name in models.list_models(module=part):
            yield name, kind


def names(count: int) -> Iterator[tuple[str, str]]:
    """Every network's kind and name."""
    for shape in ("dataclass", "dict", "tuple", "list"):
        yield "outputs", shape
    for name, kind in torchvision_names():
        yield f"torchvision, {kind}", name
    for name in timm_names(count):
        yield "timm", name


def made(kind: str, name: str) -> tuple[nn.Module, int]:
    """A network with random weights, and the side of its images."""
    if kind == "outputs":
        return Wrapped(name), SIDE
    if kind == "timm":
        network = tw.zoo.load(f"timm:{name}", weights=None)
        return network, getattr(network, "input_size", None) or SIDE
    from torchvision import models

    options: dict[str, Any] = {"weights": None}
    if kind.endswith(("segmentation", "detection")):
        options["weights_backbone"] = None
    return models.get_model(name, **options), 299 if name == "inception_v3" else SIDE


def found(kind: str, name: str) -> dict[str, Any]:
    """All that is found of one network."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    try:
        network, side = made(kind, name)
    except Exception as error:
        return {"not made": f"{type(error).__name__}: {error}"[:300]}
    return check(network, side)


def in_worker(connection: Any) -> None:
    """What a worker does: a network after the other."""
    while True:
        connection.send(found(*connection.recv()))


class Worker:
    """A process that checks networks; one that takes too long is replaced."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=in_worker, args=(there,), daemon=True)
        self._process.start()

    def found(self, kind: str, name: str, limit: float) -> dict[str, Any]:
        self._here.send((kind, name))
        try:
            if self._here.poll(limit):
                answer: dict[str, Any] = self._here.recv()
                return answer
            reason = f"stopped after {limit:.0f} s"
        except EOFError:
            reason = "the process died, most likely for lack of memory"
        self._process.kill()
        self._start()
        return {"stopped": reason}


def earlier() -> dict[tuple[str, str], dict[str, Any]]:
    """What earlier runs found."""
    if not FOUND.exists():
        return {}
    rows = [json.loads(line) for line in FOUND.read_text().splitlines()]
    return {(row["kind"], row["name"]): row for row in rows}


def sweep(options: argparse.Namespace) -> None:
    """Check what is missing, and keep each row as it comes."""
    FOUND.parent.mkdir(parents=True, exist_ok=True)
    done, worker = earlier(), Worker()
    for kind, name in names(options.names):
        if (kind, name) in done or (options.only and options.only not in f"{kind} {name}"):
            continue
        row = {"kind": kind, "name": name, **worker.found(kind, name, options.limit)}
        with FOUND.open("a") as file:
            file.write(json.dumps(row) + "\n")
        console.print(f"[dim]{kind} {name}: {said(row)}", soft_wrap=True, markup=True, highlight=False)


def said(row: dict[str, Any]) -> str:
    """A row in a few words."""
    for key in ("not made", "stopped"):
        if key in row:
            return f"{key}: {row[key]}"
    equal = row.get("equal", {})
    parts = [f"{sum(equal.values())} of {len(equal)} layers equal"]
    parts += [f"{name} {'ok' if row[name] else 'WRONG'}" for name in CHECKS if name in row]
    parts += [
        f"{kind} {name}: {text}" for kind in ("refused", "raw") for name, text in row.get(kind, {}).items()
    ]
    return "; ".join(parts) + f"; {row.get('s', 0):.1f} s"


CHECKS = ("class means", "loss without a unit", "gradient")


def counted(rows: list[dict[str, Any]]) -> dict[str, str]:
    """What a kind's rows come to."""
    layers = [ok for row in rows for ok in row.get("equal", {}).values()]
    tally: dict[str, str] = {
        "networks": str(len(rows)),
        "layers equal to hooks": f"{sum(layers)} of {len(layers)}",
    }
    for name in CHECKS:
        told = [row[name] for row in rows if name in row]
        tally[name] = f"{sum(told)} of {len(told)}"
    tally["refused with a sentence"] = str(sum("refused" in row for row in rows))
    tally["otherwise"] = str(sum(bool({"raw", "stopped"} & set(row)) for row in rows))
    return tally


def written(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The page of the documentation, a line at a time."""
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    yield "# Tested architectures\n"
    yield (
        f"{len(rows)} networks with random weights, checked by `tests/benchmarks/architectures.py`: eight layers of "
        "each against plain forward hooks (equal to 1e-6 of the largest value), class means against a loop, the loss "
        "without a unit against a hook that zeroes it, and whether the first two steps of an image move it.\n"
    )
    header = ["", *counted(rows)]
    yield "| " + " | ".join(header) + " |"
    yield "| " + " | ".join("---" for _ in header) + " |"
    for kind in kinds:
        yield "| " + " | ".join([kind, *counted([r for r in rows if r["kind"] == kind]).values()]) + " |"
    stopped = [f"`{row['name']}`" for row in rows if "stopped" in row]
    if stopped:
        yield "\n## Not finished in the time that each is given\n"
        yield (
            "Large networks and detectors, of which a single pass takes seconds on the one core that the sweep uses: "
            + ", ".join(stopped)
            + "."
        )
    yield "\n## What is refused, and what it says\n"
    for row in rows:
        for where, text in [*row.get("refused", {}).items(), *row.get("raw", {}).items()]:
            yield f"- `{row['name']}` ({row['kind']}), {where}: {text}"
    yield "\n## Names\n"
    for kind in kinds:
        yield f"{kind}: " + ", ".join(f"`{row['name']}`" for row in rows if row["kind"] == kind) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--names", type=int, default=400, help="of timm, at least")
    parser.add_argument("--only", default="", help="only networks whose kind and name hold this")
    parser.add_argument("--limit", type=float, default=300, help="seconds a network")
    parser.add_argument("--write", type=Path, help="only write this page from what was found")
    options = parser.parse_args()
    if options.write is None:
        sweep(options)
    rows = list(earlier().values())
    for kind in dict.fromkeys(row["kind"] for row in rows):
        console.print(kind, counted([row for row in rows if row["kind"] == kind]))
    if options.write is not None:
        options.write.write_text("\n".join(written(rows)) + "\n")


if __name__ == "__main__":
    main()
