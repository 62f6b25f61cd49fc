"""A network up to a layer as a record: what a page runs without Python.

In: a probe. Out: a record of kind `network`, checked against PyTorch on this machine.
"""

import json
from dataclasses import replace

import numpy as np
import torch
import xarray as xr

from tunewidgets._checks import is_number
from tunewidgets.kernels.network.probe import Probe, check_is_probe
from tunewidgets.kernels.network.working_size import LUMA
from tunewidgets.kernels.network_graph.check import Reference, check_is_close, check_is_network
from tunewidgets.kernels.network_graph.folding import folded, gray_first
from tunewidgets.kernels.network_graph.packing import NUMPY, Type, packed, unpacked
from tunewidgets.kernels.network_graph.preprocessing import scale_and_offset
from tunewidgets.kernels.network_graph.recording import recorded
from tunewidgets.records import new_attrs, validate


def network_record(probe: Probe, weights: Type = "f16", max_mb: float | None = None) -> xr.Dataset:
    """The network up to a probe's layer, as a record that a page can run.

    Parameters
    ----------
    probe : Probe
    weights : {"f16", "i8", "f32"}
        The numbers that convolutions and linear layers keep: half precision, whole numbers with a scale for each
        output channel (half the size), or single precision.
    max_mb : float, optional
        The largest size of the weights in megabytes (10⁶ bytes).

    Returns
    -------
    xarray.Dataset
        A record of kind `network`: `operation(operation)` as JSON, `weight(byte)` uint8, and `scale(channel)` and
        `offset(channel)`, by which a pixel in [0, 1] becomes the network's input. Its settings hold the image size,
        which value is the layer's, and how far values and gradients are from PyTorch's, relative.

    Raises
    ------
    ValueError
        The network does something that a page can't do, takes more than `max_mb`, or differs from what was followed of
        it; there is no such kind of weights.
    TypeError
        `probe` is no probe.

    Notes
    -----
    Batch norms are folded into convolutions, dropout is left out. Values and gradients, through rectifiers that leak,
    are compared in float64 on two images: those of the exact weights must agree to 1e-5.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> record = tw.network_record(tw.Probe(tw.zoo.gabor_bank(), "relu"))
    >>> record.sizes["operation"], record.sizes["byte"]
    (3, 2752)
    >>> tw.records.settings_of(record)["check"]["forward"] < 0.01
    True
    """
    check_is_probe(probe)
    if weights not in NUMPY:
        raise ValueError(f"weights is {weights!r}; choose one of {', '.join(map(repr, NUMPY))}.")
    if max_mb is not None and not (is_number(max_mb) and max_mb > 0):
        raise ValueError(f"max_mb is {max_mb!r}; give a positive number of megabytes, or None for no bound.")
    scale, offset = scale_and_offset(probe)
    drawing = folded(recorded(probe).needed())
    reference = Reference(probe, scale, offset)
    through = reference.through and drawing.before != drawing.output
    check_is_network(reference.apart(drawing, through))
    any_size = reference.takes_any_size(drawing)
    operations, data = packed(drawing, weights)
    if max_mb is not None and len(data) > max_mb * 1e6:
        raise ValueError(
            f"the weights up to layer {probe.layer!r} take {len(data) / 1e6:.2f} MB as {weights}, more than the "
            f"{max_mb:g} MB allowed; choose an earlier layer, smaller numbers (weights='i8'), or allow more."
        )
    rounded = replace(unpacked(operations, data, drawing.output), before=drawing.before)
    apart = reference.apart(rounded, through)
    check_is_close(apart, weights)
    if probe.gray:
        # The page's images have three colors; its first operation makes them gray, as the probe does.
        operations, data = packed(gray_first(drawing, LUMA, scale[0], offset[0]), weights)
        scale, offset = [1.0] * 3, [0.0] * 3
    settings = {
        "size": list(probe.image_size),
        "any_size": any_size,
        "output": drawing.output + probe.gray,
        "spatial": probe.has_map,
        "units": probe.units,
        "through": through,
        "weights": weights,
        "check": {**apart._asdict(), "torch": str(torch.__version__), "type": weights},
    }
    record = xr.Dataset(
        {
            "operation": ("operation", np.array([json.dumps(told) for told in operations], dtype=object)),
            "weight": ("byte", np.frombuffer(data, np.uint8)),
            "scale": ("channel", np.array(scale, np.float32)),
            "offset": ("channel", np.array(offset, np.float32)),
        },
        attrs=new_attrs(
            "network", **probe.provenance(), settings=settings, seed=None, n_images=None, n_vectors=None
        ),
    )
    validate(record)
    return record
