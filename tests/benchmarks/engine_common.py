"""What the parts of the engine's benchmark share: the network, the layers, a clock and a table."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from tunewidgets.zoo.googlenet import googlenet_bvlc

OUT = Path("artifacts/benchmarks")
SIZE = 128
LAYERS = ("relu_conv1", "relu_conv2", "relu_inception_3a_3x3", "relu_inception_4a_3x3")
console = Console(width=150)


def timed(call: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    start = time.perf_counter()
    result = call(*arguments)
    return result, time.perf_counter() - start


def show(title: str, rows: list[dict[str, Any]]) -> None:
    table = Table(title=title, title_justify="left")
    for column in rows[0]:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*[f"{v:.3g}" if isinstance(v, float) else str(v) for v in row.values()])
    console.print(table)


def network() -> tuple[torch.nn.Module, str]:
    folder = os.environ.get("TUNEWIDGETS_DATA")
    if folder:
        return googlenet_bvlc(Path(folder) / "models" / "googlenet-bvlc-fp16.safetensors"), "BVLC's weights"
    torch.manual_seed(0)
    return googlenet_bvlc(None), "random weights"
