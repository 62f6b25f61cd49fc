"""The check of a machine and device: does it compute what it should, twice the same, how fast, in how much memory?

In: a device's name. Out: a report. It is how a device that nobody here has seen is checked by those who have one.
"""

import math
import platform
from collections.abc import Callable
from dataclasses import replace

import torch

from tunewidgets import __version__
from tunewidgets._checks import check_flags
from tunewidgets._tensors import choose_device
from tunewidgets.kernels.device_check.cost import forget_peak, peak_memory, speed
from tunewidgets.kernels.device_check.measured import (
    FARTHEST,
    RESULTS,
    activations,
    by_engine,
    distance,
    distances,
    in_full_float32,
    plainly,
)
from tunewidgets.kernels.device_check.repeated import deterministic, twice
from tunewidgets.kernels.device_check.report import DeviceReport, Part, Row
from tunewidgets.kernels.device_check.specimen import Specimen, make_specimen
from tunewidgets.kernels.network.refusals import first_line
from tunewidgets.kernels.network.tracing import check_mode
from tunewidgets.zoo.progress import progress_bar

# How far activations may be from the CPU's where products are rounded to TF32, CUDA's default for convolutions.
ROUNDED = 1e-2
SAME = "The same call twice gives the same images, bit for bit"
ALWAYS = "torch.use_deterministic_algorithms(True)"
# Images that are timed: large enough for the network to outweigh what surrounds it.
TIMED = {"cpu": (96, 4), "cuda": (224, 32), "mps": (224, 8)}


def check(device: str | torch.device = "auto", progress: bool = True) -> DeviceReport:
    """Check this machine and device, within a minute: parity, repeatability, speed and memory.

    A network with random weights (GoogLeNet; nothing is downloaded) is measured and visualized on the device. Its
    activations, `class_selectivity` means, the gradient to images and the first steps of `visualize` with the same
    random numbers are compared with the CPU's in float32; those of the CPU itself, with plain PyTorch (forward hooks,
    autograd, Adam) in float64. The same images are then made twice, and a step of the engine is timed against a bare
    forward and backward pass of the network.

    Parameters
    ----------
    device : str or torch.device, default "auto"
        CUDA, then MPS, then the CPU.
    progress : bool, default True
        Show a progress bar.

    Returns
    -------
    DeviceReport
        Printed or shown in a notebook, a table and a verdict. `passed` is False if a result is farther off than
        rounding explains, or if images on a CPU are not the same bit for bit; `verdict` says so in words; `rows` are
        the findings, each with `part` ("parity", "repeatability", "speed" or "memory"), `what`, `value` (parity: the
        norm of the difference as a share of the norm; speed: seconds, or a ratio; memory: bytes), `at_most`, `fine`.

    Raises
    ------
    ValueError
        The device is not on this machine.
    RuntimeError
        Inference mode is on.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> report = tw.check("cpu", progress=False)
    >>> report.passed
    True
    """
    check_flags(progress=progress)
    check_mode()
    chosen = choose_device(device)
    forget_peak(chosen)
    specimen = make_specimen()
    parts: dict[Part, Callable[[], list[Row]]] = {
        "parity": lambda: parity(specimen, chosen),
        "repeatability": lambda: repeatability(specimen, chosen),
        "speed": lambda: costs(specimen, chosen),
        "memory": lambda: [memory(chosen)],
    }
    rows: list[Row] = []
    for part, find in progress_bar(parts.items(), desc=str(chosen), unit="part", show=progress):
        rows += _attempted(part, find)
    reference = "the CPU in float32" if chosen.type != "cpu" else "plain PyTorch in float64"
    return DeviceReport(str(chosen), _machine(chosen), reference, tuple(rows))


def _attempted(part: Part, find: Callable[[], list[Row]]) -> list[Row]:
    """A part's rows; where the device refuses, one row that says why."""
    try:
        return find()
    except (RuntimeError, ValueError) as error:
        return [Row(part, f"{part} can't be checked", math.nan, "error", at_most=0.0, says=first_line(error))]


def parity(specimen: Specimen, device: torch.device) -> list[Row]:
    """How far the device's results are from the CPU's; the CPU's own, from plain PyTorch's in float64."""
    with in_full_float32():
        found = by_engine(specimen, device)
    expected = plainly(specimen) if device.type == "cpu" else by_engine(specimen, torch.device("cpu"))
    compared = [(name, found[name], expected[name], at_most) for name, at_most in RESULTS.items()]
    if device.type == "cuda":
        as_set = activations(specimen, device)
        compared.append(("activations as PyTorch is set", as_set, expected["activations"], ROUNDED))
    rows = []
    for name, ours, theirs, at_most in compared:
        apart = distance(ours, theirs)
        rows.append(Row("parity", name, apart, f"{apart:.1e}", at_most))
    farthest = distances(found["gradient"], expected["gradient"])[-1]
    rows.append(Row("parity", "gradient of the farthest image", farthest, f"{farthest:.1e}", FARTHEST))
    return rows


def repeatability(specimen: Specimen, device: torch.device) -> list[Row]:
    """Whether the same images come out twice: on a CPU they must; elsewhere, also with deterministic algorithms."""
    apart = twice(specimen, device)
    same = f"{SAME}." if apart == 0 else ""
    at_most = 0.0 if device.type == "cpu" else None
    rows = [Row("repeatability", "the same images twice", apart, _apart(apart), at_most, same)]
    if device.type == "cpu":
        return rows
    try:
        with deterministic():
            steady = twice(specimen, device)
        shown, helps = _apart(steady), f"Under {ALWAYS} it is {_apart(steady)}."
    except RuntimeError as error:
        steady, shown, helps = math.nan, "refused", f"{ALWAYS} is refused: {first_line(error)}"
    if apart > 0:
        helps = f"The same call twice gives images that are {apart:.1e} apart. {helps}"
    return [*rows, Row("repeatability", "with deterministic algorithms", steady, shown, says=helps)]


def _apart(apart: float) -> str:
    return "bit for bit" if apart == 0 else f"{apart:.1e} apart"


def costs(specimen: Specimen, device: torch.device) -> list[Row]:
    """The engine's time against a bare pass of the same network at the same batch."""
    side, images = TIMED.get(device.type, TIMED["cpu"])
    took = speed(replace(specimen, units=tuple(range(images)), side=side), device)
    many = f"{took.images} images of {side} px"
    ratio = took.engine / took.bare
    says = f"A step of the engine takes {ratio:.2f} times a bare pass of the network."
    return [
        Row("speed", f"bare pass, {many}, float32", took.bare, f"{1000 * took.bare:.0f} ms"),
        Row("speed", f"step of the engine, {took.precision}", took.engine, f"{1000 * took.engine:.0f} ms"),
        Row("speed", "engine / bare pass", ratio, f"{ratio:.2f}", says=says),
    ]


def memory(device: torch.device) -> Row:
    """What all of the above took at most."""
    bytes_, what = peak_memory(device)
    return Row("memory", what, bytes_, "not told here" if math.isnan(bytes_) else f"{bytes_ / 2**30:.2f} GiB")


def _machine(device: torch.device) -> str:
    """What the device is, in which machine, with which versions."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    else:
        name = f"{platform.machine()}, {torch.get_num_threads()} threads"
    return (
        f"tunewidgets {__version__} and PyTorch {torch.__version__} on {device} ({name}; {platform.system()})"
    )
