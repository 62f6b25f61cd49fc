"""Kill -9 at random moments of a units, a film and a recovery run, go on, and compare with a run that nobody killed.

    uv run --group test python tests/faults/kills.py [--kills 50]

Each attempt is a fork of this process, so that none has to import torch again. Prints what it found; the exit status is
1 where anything differs.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import xarray as xr

sys.path.insert(0, str(Path(__file__).parents[1]))
from units_networks import batches, branching, labeled_images

import tunewidgets as tw
from tunewidgets.kernels.gabor import run as recovery_run
from tunewidgets.kernels.optimization import loop

LAYERS = ["relu", "body.2"]


class Outcome(NamedTuple):
    """What came of a number of kills: runs to their end, chunks that these have, chunks begun, and what differed.

    A chunk of a recovery run is a cell.
    """

    kills: int
    studies: int
    chunks: int
    begun: int
    different: int


def units(store: Path | None, steps: int = 6) -> dict[str, xr.Dataset]:
    """A units run of 12 chunks and more, with ablation."""
    tree = tw.analyze_units(
        branching(), batches(*labeled_images(), 5), LAYERS, steps=steps, chunk=2, exemplars=2, progress=False,
        device="cpu", store=store, ablation_options={"curves": False},
    )  # fmt: skip
    return {layer: tree[layer].to_dataset() for layer in LAYERS}


def film(store: Path | None, steps: int = 6) -> dict[str, xr.Dataset]:
    """A film run of 16 chunks."""
    probe = tw.Probe(branching(), "relu", device="cpu")
    vectors = np.random.default_rng(0).exponential(size=(60, 6)).astype(np.float32)
    dimensions = tw.TuningDimensions("pca", 4).fit(vectors)
    return {
        "": tw.render_film(probe, dimensions, 8, steps=steps, chunk=2, size=16, progress=False, store=store)
    }


def recovery(store: Path | None) -> dict[str, xr.Dataset]:
    """A checklist of 8 cells."""
    tree = tw.gabor_recovery(
        tw.zoo.gabor_bank, ("pca", "ica"), (2, 3), (0, 1), tw.zoo.images("dead-leaves", n=10, size=64), 1000,
        permutations=19, progress=False, store=store,
    )  # fmt: skip
    return {"": tree.to_dataset()}


def killed(run: Callable[[Path], object], store: Path, log: Path, after: float | None) -> bool:
    """Run in a fork; whether it was killed before its end."""
    pid = os.fork()
    if pid == 0:

        def telling(real: Callable[..., object]) -> Callable[..., object]:
            def told(*args, **kwargs):
                with log.open("a") as file:
                    file.write("chunk\n")
                return real(*args, **kwargs)

            return told

        loop._run_chunk, recovery_run.judge = telling(loop._run_chunk), telling(recovery_run.judge)
        status = 1
        try:
            run(store)
            status = 0
        finally:
            os._exit(status)
    if after is not None:
        time.sleep(after)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise RuntimeError("a run failed by itself")
    return os.WIFSIGNALED(status)


def identical(found: dict[str, xr.Dataset], expected: dict[str, xr.Dataset]) -> bool:
    """Bit for bit, what is in the records and how they were made."""
    return all(
        found[layer].equals(record)
        and found[layer].attrs["model_sha256"] == record.attrs["model_sha256"]
        and "unfinished" not in found[layer].attrs
        for layer, record in expected.items()
    )


def torment(run: Callable[..., dict[str, xr.Dataset]], kills: int, folder: Path, seed: int = 0) -> Outcome:
    """Kill `run` so many times, always going on with the same store; where it comes to its end, begin another."""
    torch.set_num_threads(1)
    draw = random.Random(seed)
    expected = run(None)
    log, whole = folder / "log", folder / "whole.zarr"
    start = time.perf_counter()
    killed(run, whole, log, None)
    length = time.perf_counter() - start
    chunks = len(log.read_text().split())
    log.unlink()
    done = studies = different = 0
    while done < kills:
        store = folder / f"{studies}.zarr"
        while done < kills and killed(run, store, log, draw.uniform(0.02, 0.5) * length):
            done += 1
            if store.exists():
                tw.records.validate(tw.open_record(store))
        killed(run, store, log, None)
        studies += 1
        found = tw.open_record(store)
        nodes = (
            {layer: found[layer].to_dataset() for layer in expected}
            if "" not in expected
            else {"": found.to_dataset() if isinstance(found, xr.DataTree) else found}
        )
        different += not identical(nodes, expected)
        different += sorted(p.name for p in folder.glob(f"*{store.name}*")) != [store.name]
        shutil.rmtree(store)
    return Outcome(done, studies, studies * chunks, len(log.read_text().split()), different)


def main() -> int:
    """Kill every kind of run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=50, help="of each kind of run (default: 50)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    wrong = 0
    for run in (units, film, recovery):
        with tempfile.TemporaryDirectory() as folder:
            found = torment(run, options.kills, Path(folder), options.seed)
        print(f"{run.__name__}: {found}", flush=True)
        wrong += found.different + (found.begun > found.chunks + found.kills)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
