"""The check of a device: what is right passes, a kernel that is off by one percent does not, and both are said."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import tunewidgets as tw
from tunewidgets.kernels.device_check import check as checks
from tunewidgets.kernels.device_check.cost import peak_memory, speed
from tunewidgets.kernels.device_check.measured import (
    FARTHEST,
    RESULTS,
    by_engine,
    distance,
    in_full_float32,
    plainly,
)
from tunewidgets.kernels.device_check.repeated import deterministic, twice
from tunewidgets.kernels.device_check.report import DeviceReport, Row
from tunewidgets.kernels.device_check.specimen import make_specimen

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture(scope="module")
def specimen():
    return make_specimen(side=48, images=4, steps=2)


@pytest.fixture(scope="module")
def expected(specimen):
    return plainly(specimen)


def off_by_one_percent(real):
    """A kernel whose float32 version gives one percent too much."""

    def broken(x, *args, **kwargs):
        result = real(x, *args, **kwargs)
        return result * 1.01 if x.dtype in (torch.float32, torch.complex64) else result

    return broken


def test_the_engine_and_plain_torch_agree_far_within_the_tolerances(specimen, expected):
    found = by_engine(specimen, CPU)
    assert found.keys() == expected.keys() == RESULTS.keys()
    apart = {name: distance(found[name], expected[name]) for name in RESULTS}
    assert {name: apart[name] for name in RESULTS if apart[name] > RESULTS[name] / 3} == {}
    assert all(len(np.unique(values)) > 1 for values in expected.values())


@pytest.mark.parametrize(
    ("place", "name", "row"),
    [
        (torch.nn.functional, "conv2d", "activations"),
        (F, "max_pool2d", "class means"),
        (torch.Tensor, "mean", "objective by step"),
        (F, "grid_sample", "objective by step"),
        (torch.fft, "irfft2", "images"),
    ],
)
def test_a_kernel_that_is_off_by_one_percent_is_found(place, name, row, specimen, expected, monkeypatch):
    monkeypatch.setattr(place, name, off_by_one_percent(getattr(place, name)))
    monkeypatch.setattr(checks, "plainly", lambda _: expected)
    rows = {each.what: each for each in checks.parity(specimen, CPU)}
    assert not rows[row].fine


def test_a_backward_pass_that_is_off_by_one_percent_is_found(specimen, expected, monkeypatch):
    from tunewidgets.kernels.network import fastpaths

    real = fastpaths.FewChannelConv.backward
    monkeypatch.setattr(
        fastpaths.FewChannelConv, "backward", lambda ctx, g: (real(ctx, g)[0] * 1.01, *real(ctx, g)[1:])
    )
    monkeypatch.setattr(checks, "plainly", lambda _: expected)
    rows = {each.what: each for each in checks.parity(specimen, CPU)}
    assert rows["activations"].fine
    assert not rows["gradient"].fine


def test_the_same_images_come_twice_and_chance_is_found(specimen, monkeypatch):
    (row,) = checks.repeatability(specimen, CPU)
    assert (row.fine, row.shown) == (True, "bit for bit")
    with deterministic():
        assert torch.are_deterministic_algorithms_enabled()
        assert twice(specimen, CPU) == 0
    assert not torch.are_deterministic_algorithms_enabled()
    real = F.grid_sample
    monkeypatch.setattr(F, "grid_sample", lambda *args, **named: real(*args, **named) + 1e-4 * torch.rand(()))
    (row,) = checks.repeatability(specimen, CPU)
    assert not row.fine
    assert row.shown.endswith(" apart")


def on_a_gpu(monkeypatch, specimen, found, expected, steady=0.0):
    """The rows of a GPU that gives `found`, and whose images are `steady` under deterministic algorithms."""
    monkeypatch.setattr(checks, "by_engine", lambda _, device: expected if device == CPU else found)
    monkeypatch.setattr(checks, "activations", lambda *_: found["activations"])

    def fake(*_):
        if not torch.are_deterministic_algorithms_enabled():
            return 3e-4
        if steady is None:
            raise RuntimeError("gelu_cuda does not have a deterministic implementation")
        return steady

    monkeypatch.setattr(checks, "twice", fake)
    rows = (*checks.parity(specimen, CUDA), *checks.repeatability(specimen, CUDA))
    return DeviceReport("cuda", "a GPU", "the CPU in float32", rows)


def test_a_gpu_need_not_repeat_itself_and_its_report_says_what_helps(specimen, expected, monkeypatch):
    report = on_a_gpu(monkeypatch, specimen, expected, expected)
    assert report.passed
    assert "images that are 3.0e-04 apart" in report.verdict
    assert "Under torch.use_deterministic_algorithms(True) it is bit for bit." in report.verdict
    report = on_a_gpu(monkeypatch, specimen, expected, expected, steady=None)
    assert report.passed
    assert "is refused: gelu_cuda does not have a deterministic implementation" in report.verdict


def test_a_gpu_that_is_wrong_fails_with_what_to_do(specimen, expected, monkeypatch):
    found = {**expected, "gradient": expected["gradient"] * 1.01}
    report = on_a_gpu(monkeypatch, specimen, found, expected)
    assert not report.passed
    assert "Something is wrong with cuda (gradient: 1.0e-02). Don't trust" in report.verdict
    assert 'give device="cpu" meanwhile' in report.verdict
    found = {**expected, "images": expected["images"] * np.nan}
    assert "images: inf" in on_a_gpu(monkeypatch, specimen, found, expected).verdict


def test_rounding_that_decides_a_pooling_in_one_image_is_no_alarm_but_one_wrong_image_is(
    specimen, expected, monkeypatch
):
    wrong = np.eye(specimen.images)[:, :1]
    assert distance(expected["gradient"] * (1 + 0.02 * wrong), expected["gradient"]) == 0
    found = {**expected, "gradient": expected["gradient"] * (1 + 0.02 * wrong)}
    assert on_a_gpu(monkeypatch, specimen, found, expected).passed
    found = {**expected, "gradient": expected["gradient"] * (1 + 2 * FARTHEST * wrong)}
    report = on_a_gpu(monkeypatch, specimen, found, expected)
    assert not report.passed
    assert "(gradient of the farthest image: 5.0e-01)" in report.verdict


def test_the_specimen_is_the_same_whatever_chance_was_before(specimen):
    torch.manual_seed(3)
    again = make_specimen(side=48, images=4, steps=2)
    assert again.units == specimen.units
    theirs = again.network.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in specimen.network.state_dict().items())


def test_full_float32_lasts_for_its_block():
    before = torch.backends.cudnn.allow_tf32
    newer = getattr(torch.backends.cudnn, "conv", None)
    with in_full_float32():
        assert newer.fp32_precision == "ieee" if newer else not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.allow_tf32 == before


def test_speed_and_memory_are_numbers(specimen):
    took = speed(specimen, CPU, passes=1, repeats=1)
    assert took.engine > 0
    assert took.bare > 0
    assert took.images == specimen.images * torch.get_num_threads()
    assert peak_memory(CPU)[0] > 2**27
    assert "GiB" in checks.memory(CPU).shown


def test_what_a_device_refuses_is_a_row_of_the_report(monkeypatch, specimen):
    def refused(*_):
        raise NotImplementedError("The operator 'aten::col2im' is not implemented for this device")

    monkeypatch.setattr(checks, "make_specimen", lambda: specimen)
    for part in ("parity", "repeatability", "costs", "memory"):
        monkeypatch.setattr(checks, part, refused)
    report = tw.check("cpu", progress=False)
    assert not report.passed
    assert [row.part for row in report.rows] == ["parity", "repeatability", "speed", "memory"]
    assert "parity can't be checked: The operator 'aten::col2im' is not implemented" in report.verdict


def test_the_report_is_a_table_in_a_terminal_and_in_a_notebook():
    rows = (
        Row("parity", "activations <b>", 2e-7, "2.0e-07", 1e-4),
        Row("speed", "engine / bare pass", 1.1, "1.10", says="A step takes 1.10 times a bare pass."),
        Row("memory", "peak", math.nan, "not told here"),
    )
    report = DeviceReport("cpu", "PyTorch on cpu", "plain PyTorch in float64", rows)
    lines = str(report).splitlines()
    assert lines[0] == "PyTorch on cpu; compared with plain PyTorch in float64"
    assert lines[2].split() == ["found", "at", "most"]
    assert lines[3].split() == ["parity", "activations", "<b>", "2.0e-07", "1e-04"]
    assert lines[-1] == "cpu computes what it should. A step takes 1.10 times a bare pass."
    page = report._repr_html_()
    assert page.count("<tr>") == 4
    assert "<b>" not in page


@pytest.mark.parametrize("device", ["cuda:7", "mps", "meta", "xpu", "graphics"])
def test_a_device_that_is_not_there_is_one_sentence(device):
    with pytest.raises(ValueError, match=r"is not on this machine; give 'auto' or 'cpu'\.$|is unknown; give"):
        tw.check(device)


def test_a_second_gpu_where_there_is_one_is_not_there(monkeypatch):
    def one_card(*_, device, **__):
        raise RuntimeError("CUDA error: invalid device ordinal")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "ones", one_card)
    with pytest.raises(ValueError, match="device 'cuda:1' is not on this machine"):
        tw.Probe(tw.zoo.gabor_bank(), "relu", device="cuda:1")
