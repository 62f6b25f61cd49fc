"""UnitScatter's units on request, from Python's side: what is asked, in which order, and what becomes of the record."""

import io
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr
from PIL import Image
from torch import nn

import tunewidgets as tw
from tunewidgets.kernels.live.units import LiveUnits
from tunewidgets.records import settings_of, validate
from tunewidgets.widgets.live import Reply
from tunewidgets.widgets.unit_run import Run, Task

OPTIONS = {"size": 12, "steps": 4}
QUICK = {"progress": False, "device": "cpu"}


class Page:
    """What a page would hear, with its images."""

    def __init__(self, widget, monkeypatch):
        self.widget, self.heard = widget, []
        monkeypatch.setattr(
            widget, "send", lambda message, buffers=None: self.heard.append((message, buffers))
        )

    def ask(self, id, **message):
        self.widget._reply(self.widget, {"id": id, "kind": "render", **message}, [])

    def kinds(self, id):
        return [message["kind"] for message, _ in self.heard if message["id"] == id]

    def wait(self, id, kind="done"):
        deadline = time.monotonic() + 30
        while kind not in self.kinds(id):
            assert time.monotonic() < deadline, (id, kind, self.heard[-3:])
            time.sleep(0.002)

    def grown(self):
        return [(m["unit"], m["objective"]) for m, _ in self.heard if "grown" in m]


class Gated(nn.Sequential):
    """A network that waits at a gate, and that can fail."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 3), nn.ReLU())
        self.gate, self.broken, self.passes = threading.Event(), False, 0
        self.gate.set()

    def __deepcopy__(self, memo):
        # The worker's twin listens to the same test.
        return self

    def forward(self, x):
        assert self.gate.wait(30)
        self.passes += 1
        if self.broken:
            raise RuntimeError("the lights went out")
        return super().forward(x)


@pytest.fixture
def network():
    return Gated().eval()


@pytest.fixture
def tree(network):
    data = [(torch.rand(8, 3, 12, 12, generator=torch.Generator().manual_seed(1)), torch.arange(8) % 2)]
    return tw.class_selectivity(network, data, ["1", "3"], **QUICK)


@pytest.fixture
def scatter(network, tree):
    return tw.UnitScatter(tree, tw.Probe(network, "1", device="cpu"), OPTIONS)


@pytest.fixture
def page(scatter, monkeypatch):
    return Page(scatter, monkeypatch)


def test_a_record_without_images_waits(scatter):
    assert (scatter.x, scatter.y, scatter.objective) == ("selectivity", "rs", "iam")
    table = scatter._units["layers"][0]["table"]
    assert table["waiting"] == {"am": [0, 1, 2, 3], "iam": [0, 1, 2, 3]}
    assert table["failed"] == {"am": [], "iam": []}
    validate(scatter.record())
    assert scatter._repr_mimebundle_()[0]["image/png"]


def test_a_click_makes_both_images_the_one_in_view_first(scatter, page):
    scatter.unit = 2
    page.ask("a", unit=2)
    page.wait("a")
    assert page.grown() == [(2, "iam"), (2, "am")]
    partial = [(m, b) for m, b in page.heard if m["kind"] == "partial" and "grown" not in m]
    assert all(len(buffers) == 1 for _, buffers in partial)
    assert {"own", "rs", "step", "steps"} <= set(partial[0][0])
    [grown] = [m["grown"] for m, _ in page.heard if m.get("objective") == "iam" and "grown" in m]
    record = scatter.record().sel(objective="iam").isel(unit=2)
    assert grown["values"]["rs"] == pytest.approx(record["rs"].item())
    assert grown["missing"] is None
    assert grown["course"]["steps"] == [1, 2, 3, 4]
    assert grown["course"]["own"][0][-1] == pytest.approx(record["own_response"].item(), rel=1e-2)


def test_a_unit_nobody_looks_at_sends_its_image_when_it_is_finished(scatter, page):
    page.ask("a", unit=0)
    page.wait("a")
    assert [len(buffers) for m, buffers in page.heard if m["kind"] == "partial" and "grown" not in m] == [
        0
    ] * (sum(m["kind"] == "partial" and "grown" not in m for m, _ in page.heard))
    # An image for each objective, and the one for the eye.
    assert [len(buffers) for m, buffers in page.heard if "grown" in m] == [2, 2]


def test_a_unit_with_two_images_sends_both_the_one_for_the_eye_first(scatter, page, monkeypatch):
    alone = LiveUnits.grow

    def grow(*args):
        for now in alone(*args):
            if now.rendered is not None:
                eye = {"display_image": np.full((12, 12, 3), 200, np.uint8), "display": "one position"}
                now.rendered = replace(now.rendered, **eye, display_response=0.25, status="")
            yield now

    monkeypatch.setattr(LiveUnits, "grow", grow)
    page.ask("a", unit=2)
    page.wait("a")
    told = [(m["grown"], buffers) for m, buffers in page.heard if "grown" in m]
    assert [(g["display"], g["displayResponse"], g["said"]) for g, _ in told] == [
        ("one position", 0.25, None)
    ] * 2
    record = scatter.record()
    validate(record)
    for (_, buffers), objective in zip(told, ("iam", "am"), strict=True):
        eye, measured = (np.asarray(Image.open(io.BytesIO(b)).convert("RGB"), float) for b in buffers)
        assert eye.mean() == pytest.approx(200, abs=2)
        assert measured.mean() == pytest.approx(
            record["image"].sel(objective=objective).values[2].mean(), abs=12
        )
    # A page that is opened later finds both among its pages.
    state = scatter.get_state()
    [layer, _] = state["_units"]["layers"]
    assert layer["shown"]["iam"]["display"] == {"one position": [2]}
    assert state["_sprites"][layer["sheets"]["iam measured"]["first"]]


def test_all_of_them_the_selected_first_then_the_selective(scatter, page):
    order = scatter.record()["selectivity"].values.argsort()[::-1].tolist()
    scatter.selected = [order[-1]]
    page.ask("a", all=True)
    page.wait("a")
    units = [unit for unit, objective in page.grown() if objective == "iam"]
    assert units == [order[-1], *order[:-1]]
    counts = [m["all"] for m, _ in page.heard if "grown" in m]
    assert counts[0] == [0, 4]
    assert counts[-1] == [3, 4]
    assert "substitutes" in scatter.record()
    whole = [m["whole"] for m, _ in page.heard if "whole" in m]
    assert whole[0]["table"]["waiting"] == {"am": [], "iam": []}
    scatter.x = "substitutes"


def test_what_is_made_is_what_a_whole_run_makes(network, scatter):
    scatter.render()
    run = tw.representative_substitution(network, "1", chunk=1, responses=True, **OPTIONS, **QUICK)["1"]
    record = scatter.record()
    for name in ("image", "rs", "response", "own_response", "exceeder", "substitutes"):
        np.testing.assert_array_equal(record[name], run[name], err_msg=name)


def test_renders_from_python_what_is_named(scatter, tmp_path):
    scatter.render([3, 1])
    record = scatter.record()
    assert record["rendered"].values.tolist() == [[False, True, False, True]] * 2
    validate(record)
    assert settings_of(record)["live"]["units"] == {"am": [1, 3], "iam": [1, 3]}
    scatter.layer = "3"
    scatter.render([0])
    assert scatter.record("3")["rendered"].values.sum() == 2
    assert scatter.record("1")["rendered"].values.sum() == 4
    tw.save_record(
        tw.records.layer_tree({name: scatter.record(name) for name in ("1", "3")}), tmp_path / "u.zarr"
    )
    again = tw.UnitScatter(tmp_path / "u.zarr")
    assert again._units["layers"][0]["table"]["waiting"]["am"] == [0, 2]
    with pytest.raises(ValueError, match="there is no unit 9 in layer '3'; it has 3 units, give 0 to 2"):
        scatter.render([9])
    with pytest.raises(TypeError, match=r"units is 1; give a list of units, such as \[17, 4\]"):
        scatter.render(1)


def test_who_opens_the_page_later_gets_all_of_it(scatter):
    stale = scatter.get_state("_units")["_units"]["layers"][0]["table"]["waiting"]["am"]
    assert stale == [0, 1, 2, 3]
    before = list(scatter._sprites)
    scatter.render([1])
    state = scatter.get_state()
    assert state["_units"]["layers"][0]["table"]["waiting"]["am"] == [0, 2, 3]
    assert state["_sprites"] != before
    assert scatter.page_state(80)["_units"]["layers"][0]["shown"]["am"]["missing"].keys() == {"0", "2", "3"}


def test_more_restarts_and_more_steps_of_one_unit(scatter, page):
    scatter.render([1])
    page.ask("a", unit=1, task="restart", objective="am")
    page.wait("a")
    page.ask("b", unit=1, task="longer", objective="am")
    page.wait("b")
    told = [m for m, _ in page.heard if "grown" in m and m["id"] in "ab"]
    assert [(m["task"], m["objective"], m["steps"]) for m in told] == [
        ("restart", "am", 4),
        ("longer", "am", 8),
    ]
    record = scatter.record()
    assert np.isfinite(record["rs_restarts"].sel(objective="am").values[1]).all()
    assert record.sizes["restart"] == 2
    assert settings_of(record)["live"]["more"]["am"]["1"]["steps"] == 8
    page.ask("c", unit=1, task="shorter")
    assert "there is no task 'shorter'" in page.heard[-1][0]["message"]
    page.ask("d", unit=1, objective="cam")
    assert "no images by 'cam' to make" in page.heard[-1][0]["message"]


def test_what_the_network_raises_is_told_and_nothing_finished_is_lost(network, scatter, page):
    scatter.render([0])
    network.broken = True
    page.ask("a", all=True)
    page.wait("a", "error")
    message = page.heard[-1][0]
    assert message["message"] == "RuntimeError: the lights went out"
    assert "Traceback" in message["details"]
    with pytest.raises(RuntimeError, match="the lights went out"):
        scatter.render([2])
    assert scatter.record()["rendered"].values[:, 0].all()
    network.broken = False
    page.ask("b", all=True)
    page.wait("b")
    assert scatter.record()["rendered"].values.all()


def test_a_click_in_the_meantime_is_served_first_and_the_rest_goes_on(network, scatter, page):
    order = scatter.record()["selectivity"].values.argsort()[::-1].tolist()
    network.gate.clear()
    page.ask("all", all=True)
    last, clicked = order[-1], order[-2]
    page.ask("one", unit=last)
    page.ask("two", unit=clicked)
    network.gate.set()
    page.wait("all")
    assert {"id": "two", "kind": "progress", "same": "all"} in [m for m, _ in page.heard]
    units = list(dict.fromkeys(unit for unit, _ in page.grown()))
    # The older click has lost to the newer one; its unit comes in its turn.
    assert units == [clicked, *[unit for unit in order if unit != clicked]]


def test_cancel_ends_it_all_and_keeps_what_is_finished(network, scatter, page):
    scatter.render([0])
    network.gate.clear()
    page.ask("a", all=True)
    scatter._reply(scatter, {"id": "a", "kind": "cancel"}, [])
    network.gate.set()
    page.wait("a", "canceled")
    passes = network.passes
    page.ask("b")
    page.wait("b")
    assert network.passes == passes
    assert scatter.record()["rendered"].values.sum() == 2
    # What is asked right after a cancel is no part of what was canceled.
    page.ask("c", unit=1)
    page.wait("c")
    assert scatter.record()["rendered"].values[:, 1].all()


def test_a_page_that_missed_a_unit_is_told_of_it_again(network, scatter, page):
    scatter.render([1])
    page.heard.clear()
    passes = network.passes
    page.ask("a", unit=1)
    page.wait("a")
    assert sorted(page.grown()) == [(1, "am"), (1, "iam")]
    assert network.passes == passes


def test_asking_what_is_under_way_joins_it(network, scatter, page):
    network.gate.clear()
    page.ask("a", unit=1)
    page.ask("reloaded")
    network.gate.set()
    page.wait("a")
    assert {"id": "reloaded", "kind": "progress", "same": "a"} in [m for m, _ in page.heard]


@pytest.mark.parametrize(
    ("given", "error", "sentence"),
    [
        (lambda tree, net: (tree, None, {"steps": 3}), ValueError, "give probe= too"),
        (lambda tree, net: (tree, net), TypeError, "probe is a Gated; give tw.Probe"),
        (
            lambda tree, net: (tree, tw.Probe(tw.zoo.gabor_bank(), "relu")),
            ValueError,
            "this record was made with other weights",
        ),
        (lambda tree, net: (tree, tw.Probe(net, "1"), {"stepps": 3}), TypeError, "no image option 'stepps'"),
    ],
)
def test_says_what_is_wrong_with_a_probe(network, tree, given, error, sentence):
    with pytest.raises(error, match=sentence):
        tw.UnitScatter(*given(tree, network))


def test_without_a_probe_nothing_is_rendered(tree):
    scatter = tw.UnitScatter(tree)
    assert scatter._rendering == {}
    with pytest.raises(ValueError, match="give probe=, the model that the record was made of"):
        scatter.render()
    xr.testing.assert_identical(scatter.record(), tree["1"].to_dataset())


class TestRun:
    """The queue alone."""

    @staticmethod
    def make(task):
        for step in range(3):
            yield Reply({"unit": task.unit, "kind": task.kind, "step": step}, [])

    def units(self, run):
        return list(dict.fromkeys(reply.facts["unit"] for reply in run))

    def rest(self, *units):
        return [Task("a", unit, "am") for unit in units]

    def test_goes_on_with_the_rest_where_it_was(self):
        run = Run(self.make, rest=self.rest(1, 2))
        assert next(run).facts == {"unit": 1, "kind": "image", "step": 0, "all": [0, 2]}
        assert run.join(Run(self.make, wanted=Task("a", 7, "am")))
        steps = [(reply.facts["unit"], reply.facts["step"]) for reply in run]
        assert steps == [(7, 0), (7, 1), (7, 2), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]

    def test_a_unit_whose_turn_has_come_is_not_begun_again(self):
        run = Run(self.make, rest=self.rest(1, 2))
        next(run)
        run.join(Run(self.make, wanted=Task("a", 1, "iam")))
        assert next(run).facts["step"] == 1

    def test_takes_nothing_after_its_end(self):
        run = Run(self.make, wanted=Task("a", 1, "am"))
        assert self.units(run) == [1]
        assert not run.join(Run(self.make, wanted=Task("a", 2, "am")))
        closed = Run(self.make, rest=self.rest(1))
        closed.close()
        assert not closed.join(Run(self.make))

    def test_another_order_replaces_the_rest(self):
        run = Run(self.make, rest=self.rest(1, 2, 3))
        next(run)
        run.join(Run(self.make, rest=self.rest(3, 1, 2)))
        assert self.units(run) == [1, 3, 2]
