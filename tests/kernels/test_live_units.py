"""Units on request: the same images as a whole run makes, and a record that is one at any time."""

import json
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from units_networks import batches, branching, labeled_images

import tunewidgets as tw
from tunewidgets.kernels.live.unit_growth import GrowingUnits
from tunewidgets.kernels.live.units import LiveUnits, score
from tunewidgets.kernels.single_units.substitution_measures import substitution
from tunewidgets.records import settings_of, validate

LAYER = "relu"
OPTIONS = {"steps": 6, "size": 16}
QUICK = {"progress": False, "device": "cpu"}


@pytest.fixture(scope="module")
def network():
    return branching()


@pytest.fixture(scope="module")
def data():
    return batches(*labeled_images(), 5)


@pytest.fixture(scope="module")
def probe(network):
    return tw.Probe(network, LAYER, device="cpu")


@pytest.fixture(scope="module")
def bare(network, data):
    """A record of the data alone: no image in it."""
    return tw.class_selectivity(network, data, LAYER, critics=True, **QUICK)[LAYER].to_dataset()


def whole(network, data, **options):
    tree = tw.analyze_units(
        network, data, LAYER, ablation=False, exemplars=0, responses=True, **OPTIONS, **QUICK, **options
    )
    return tree[LAYER].to_dataset()


def made(live, unit, objective, restart=0, steps=None):
    *_, last = live.grow(unit, objective, restart, steps)
    return last.rendered


def grown(record, probe, options=OPTIONS, units=None):
    """The record with the given units, all by default, made one at a time."""
    live = LiveUnits(record, probe, options)
    growing = GrowingUnits(record, live)
    for unit in growing.waiting_units() if units is None else units:
        for objective in growing.waits(unit):
            for restart in range(live.restarts):
                growing.add(made(live, unit, objective, restart))
            validate(growing.record())
    if growing.is_full:
        list(growing.compare())
    return growing, live


def assert_alike(one, other, names=None, **tolerance):
    for name in names or other.data_vars:
        a, b = one[name], other[name]
        if "checkpoint" in b.dims:
            a = a.sel(checkpoint=b["checkpoint"])
        if tolerance and b.dtype.kind == "f":
            np.testing.assert_allclose(a, b, err_msg=str(name), **tolerance)
        else:
            np.testing.assert_array_equal(a, b, err_msg=str(name))


class TestTheSameAsAWholeRun:
    @pytest.mark.parametrize("restarts", [1, 2])
    def test_to_the_bit_in_the_same_chunks(self, network, data, probe, bare, restarts):
        run = whole(network, data, chunk=1, restarts=restarts)
        blank = run.isel(unit=slice(None))
        if restarts == 1:
            growing, _ = grown(bare, probe)
        else:
            growing, _ = grown(emptied(blank, range(run.sizes["unit"])), probe, {})
        record = growing.record()
        assert_alike(record, run)
        assert set(record.data_vars) == {*run.data_vars, "own_response_checkpoint"}
        mine, theirs = settings_of(record), settings_of(run)
        for name in ("size", "steps", "lr", "jitter", "band", "canvas", "precision", "restarts", "threads"):
            assert mine[name] == theirs[name], name
        assert record.attrs["seed"] == run.attrs["seed"]

    def test_the_missing_ones_of_a_run_that_was_stopped(self, network, data, probe):
        run = whole(network, data, chunk=4)
        stopped = emptied(run, [1, 3])
        growing, _ = grown(stopped, probe, {})
        record = growing.record()
        # In another chunk the last bits differ, and an optimization makes more of them.
        assert_alike(record, run, ["own_response", "rs"], atol=0.05, rtol=0.05)
        rest = [unit for unit in range(run.sizes["unit"]) if unit not in (1, 3)]
        assert_alike(record.isel(unit=rest), run.isel(unit=rest).drop_vars("substitutes"))
        assert settings_of(record)["chunk"] == 4
        assert settings_of(record)["live"]["chunk"] == 1
        assert settings_of(record)["live"]["units"] == {"am": [1, 3], "iam": [1, 3]}

    def test_measured_as_the_record_is(self, network, data, probe):
        run = whole(network, data, chunk=1, reduction="max")
        growing, _ = grown(emptied(run, [0, 2]), probe, {})
        assert_alike(growing.record(), run)

    def test_whatever_was_made_before(self, probe, bare):
        one, _ = grown(bare, probe, units=[2, 0])
        other, _ = grown(bare, probe, units=[0, 1, 2])
        assert_alike(one.record().isel(unit=[0, 2]), other.record().isel(unit=[0, 2]))


class TestRecordsOfBeforeContrastWasBounded:
    """Their settings name no contrast: they open, and go on as they were begun, with one image a unit."""

    @pytest.mark.parametrize("known", [True, False])
    def test_images_go_on_with_what_they_have(self, network, known):
        options = {"size": 16, "steps": 24, "chunk": 1}
        tree = tw.representative_substitution(network, "relu_1", ("am",), **options, **QUICK)
        deep = tree["relu_1"].to_dataset()
        settings = settings_of(deep)
        assert settings["contrast"] is None
        assert settings["display_contrast"] == 1.2
        if not known:
            del settings["contrast"], settings["display_contrast"]
            deep = deep.drop_vars(["display", "display_image", "display_response"])
        record = emptied(deep, [0]).assign_attrs(settings=json.dumps(settings))
        probe = tw.Probe(network, "relu_1", device="cpu")
        rendered = made(LiveUnits(record, probe, {}), 0, "am")
        assert (rendered.image == deep.image.values[0, 0]).all()
        assert rendered.display == (tree["relu_1"].display.values[0, 0] if known else "")
        if known:
            assert (rendered.display_image == deep.display_image.values[0, 0]).all()
        else:
            assert rendered.display_image is None


def emptied(record: xr.Dataset, units) -> xr.Dataset:
    """The record as a run leaves it that was stopped before these units."""
    empty = record.copy(deep=True).drop_vars("substitutes")
    blank = {
        "rendered": False,
        "silent": False,
        "image": 0,
        "exceeder": -1,
        "display": "",
        "display_image": 0,
    }
    for name, column in empty.data_vars.items():
        if "objective" in column.dims:
            at = dict.fromkeys(column.dims, slice(None)) | {"unit": list(units)}
            value = "not made: interrupted" if name == "status" else blank.get(str(name), np.nan)
            column.values[tuple(at.values())] = value
    return empty


class TestGrowth:
    def test_is_valid_and_saved_at_any_time(self, probe, bare, tmp_path):
        growing = GrowingUnits(bare, live := LiveUnits(bare, probe, OPTIONS))
        validate(growing.record())
        growing.add(made(live, 3, "iam"))
        tw.save_record(growing.record(), tmp_path / "some.zarr.zip")
        again = tw.open_record(tmp_path / "some.zarr.zip")
        assert again["rendered"].values.sum() == 1
        assert np.isfinite(again["rs"].values).sum() == 1
        assert np.isfinite(again["response"].values).any(2).sum() == 1
        assert not again["image"].values[0].any()
        # And it goes on from there, by its own settings.
        resumed, _ = grown(again, probe, {})
        straight, _ = grown(bare, probe)
        # What was reopened has responses to its earlier images in half precision only.
        assert_alike(resumed.record(), straight.record())

    def test_what_was_given_stays_as_it_was(self, probe, bare):
        before = bare.copy(deep=True)
        growing, _ = grown(bare, probe, units=[0])
        xr.testing.assert_identical(bare, before)
        kept = growing.record()
        growing.add(made(LiveUnits(bare, probe, OPTIONS), 1, "am"))
        assert kept["rendered"].values.sum() == 2

    def test_a_second_image_comes_with_the_first_and_goes_with_it(self, probe, bare):
        live = LiveUnits(bare, probe, OPTIONS)
        growing = GrowingUnits(bare, live)
        plain = replace(made(live, 3, "iam"), display_image=None, display="", display_response=None)
        growing.add(plain)
        assert not [name for name in growing.record() if str(name).startswith("display")]
        eye = {"display_image": 255 - plain.image, "display": "bounded contrast"}
        growing.add(replace(plain, unit=1, **eye, display_response=0.5))
        validate(record := growing.record())
        own = record.sel(objective="iam")
        assert own["display"].values.tolist() == ["", "bounded contrast", *[""] * (record.sizes["unit"] - 2)]
        np.testing.assert_array_equal(own["display_image"].values[1], 255 - plain.image)
        assert own["display_response"].values[1] == 0.5
        assert np.isfinite(record["display_response"].values).sum() == 1
        # The same unit's next image has no other: the earlier one's is of no more use.
        growing.add(replace(plain, unit=1))
        assert "display" not in growing.record()

    def test_a_second_image_that_was_given_stays(self, network, data, probe):
        run = whole(network, data, chunk=1)
        shape = run["image"].shape
        given = run.assign(
            display=(("objective", "unit"), np.full(shape[:2], "one position", object)),
            display_image=(run["image"].dims, np.full(shape, 7, np.uint8)),
        )
        record = GrowingUnits(given, LiveUnits(given, probe, {})).record()
        assert (record["display"].values == "one position").all()
        assert (record["display_image"].values == 7).all()

    def test_most_interesting_first(self, probe, bare):
        record = bare.copy(deep=True)
        count = record.sizes["unit"]
        record["selectivity"].values[:] = np.linspace(0.1, 0.9, count)
        record["dead"].values[:] = [unit == count - 1 for unit in range(count)]
        growing = GrowingUnits(record, LiveUnits(record, probe, OPTIONS))
        falling = [*range(count - 2, -1, -1), count - 1]
        assert growing.waiting_units() == falling
        chosen = [0, 2]
        assert growing.waiting_units(chosen) == [2, 0, *[unit for unit in falling if unit not in chosen]]

    def test_a_unit_that_failed_does_not_wait(self, data):
        broken = branching()
        record = tw.class_selectivity(broken, data, LAYER, **QUICK)[LAYER].to_dataset()
        probe = tw.Probe(broken, LAYER, device="cpu", preprocess=lambda images: images * float("nan"))
        growing, _ = grown(record, probe, units=[0])
        record = growing.record()
        assert "failed: the network gave NaN" in record["status"].values[0, 0]
        assert not record["rendered"].values.any()
        assert 0 not in growing.waiting_units()
        assert np.isnan(record["rs"].values).all()


class TestMoreOfOneUnit:
    def test_restarts_keep_the_better_image(self, network, data, probe, bare):
        several = whole(network, data, chunk=1, restarts=4)
        growing, live = grown(bare, probe, units=[1])
        scores = [score("iam", made(live, 1, "iam", restart).response, 1) for restart in range(4)]
        for _ in range(3):
            [(restart, steps)] = growing.tries(1, "iam", "restart")
            candidate = made(live, 1, "iam", restart, steps)
            assert growing.add(candidate) == (scores[restart] >= max(scores[:restart]))
        record = growing.record()
        validate(record)
        # The values of each restart are those of a run with so many of them.
        assert_alike(
            record.sel(objective="iam").isel(unit=1),
            several.sel(objective="iam").isel(unit=1),
            ["rs_restarts", "rs"],
        )
        best = made(live, 1, "iam", int(np.argmax(scores)))
        assert (record["image"].sel(objective="iam").values[1] == best.image).all()
        assert record["own_response"].sel(objective="iam").values[1] == best.response[1]
        kept = {"restarts": 4, "kept": int(np.argmax(scores)), "steps": 6}
        assert settings_of(record)["live"]["more"] == {"iam": {"1": kept}}
        assert np.isnan(record["rs_restarts"].sel(objective="am").values[:, 1:]).all()

    def test_longer_is_a_longer_run(self, network, data, probe, bare):
        growing, live = grown(bare, probe, units=[2])
        longer = made(live, 2, "am", steps=12)
        assert growing.add(longer)
        record = growing.record()
        options = {**OPTIONS, "steps": 12}
        tree = tw.representative_substitution(network, LAYER, ("am",), chunk=1, **options, **QUICK)
        run = tree[LAYER].to_dataset().isel(objective=0, unit=2)
        one = record.sel(objective="am").isel(unit=2)
        assert_alike(one, run, ["image", "own_response", "rs", "exceeder", "rs_checkpoint"])
        # Another unit was not measured at these steps.
        assert np.isnan(record["rs_checkpoint"].sel(objective="am", checkpoint=12).values[0])
        assert growing.steps_of(2, "am") == 12
        assert growing.tries(2, "am", "longer") == [(0, 24)]

    def test_rs_and_activation_along_the_optimization(self, probe, bare):
        growing, _ = grown(bare, probe, units=[0])
        record = growing.record().sel(objective="am").isel(unit=0)
        assert record["checkpoint"].values.tolist() == [1, 2, 3, 4, 5, 6]
        shorter = made(LiveUnits(bare, probe, OPTIONS), 0, "am")
        assert record["own_response_checkpoint"].values[-1] == record["own_response"] == shorter.response[0]
        assert record["rs_checkpoint"].values[-1] == record["rs"]

    def test_a_look_is_what_the_record_would_say(self, probe, bare):
        *_, last = LiveUnits(bare, probe, OPTIONS).grow(0, "am")
        seen, response = last.look(), last.rendered.response[None]
        assert (seen.image == last.rendered.image).all()
        assert seen.own == response[0, 0]
        assert seen.rs == substitution(response, np.array([0]))[0]


class TestStops:
    def test_a_step_is_short_and_the_model_is_left_alone(self, network, bare):
        network.train()
        try:
            growing = LiveUnits(bare, tw.Probe(network, LAYER, device="cpu"), OPTIONS).grow(0, "am")
            first = next(growing)
            seen = first.look()
            assert seen.image.shape == (16, 16, 3)
            assert first.step < first.steps or first.rendered is None
            growing.close()
            assert all(module.training for module in network.modules())
            assert not any(module._forward_hooks for module in network.modules())
            assert all(parameter.grad is None for parameter in network.parameters())
        finally:
            network.eval()

    @pytest.mark.parametrize(
        ("change", "options", "error", "sentence"),
        [
            (
                lambda r: r.assign_attrs(layer="fc"),
                {},
                ValueError,
                "this record is of layer 'fc' and the probe",
            ),
            (lambda r: r.assign_attrs(model_sha256="0"), {}, ValueError, "made with other weights"),
            (lambda r: r, {"stepps": 3}, TypeError, "no image option 'stepps'; the options are size, steps"),
            (
                lambda r: r.assign(rendered=(("objective", "unit"), np.ones((2, r.sizes["unit"]), bool))),
                {"steps": 3},
                ValueError,
                "already has images, and more are made with the same settings; leave steps out",
            ),
            (
                lambda r: r.assign(rendered=(("objective", "unit"), np.ones((2, r.sizes["unit"]), bool))),
                {},
                ValueError,
                "does not say how its images were made",
            ),
        ],
    )
    def test_what_is_wrong_is_said_first(self, probe, bare, change, options, error, sentence):
        with pytest.raises(error, match=sentence):
            LiveUnits(change(bare), probe, options)

    def test_settings_are_json(self, probe, bare):
        growing, _ = grown(bare, probe, units=[0])
        assert json.loads(growing.record().attrs["settings"])["live"]["units"]["am"] == [0]
