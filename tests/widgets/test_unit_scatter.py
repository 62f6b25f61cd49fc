"""UnitScatter from Python's side: traits, what it sends and answers, and what it leaves in a notebook."""

import base64
import io
import json
import re
import subprocess
import sys
import time

import numpy as np
import pytest
import traitlets
import xarray as xr
from films import make_film
from PIL import Image
from recovery_records import make_recovery
from unit_records import make_tree, make_units

import tunewidgets as tw
from tunewidgets.derived.interesting_unit import most_interesting
from tunewidgets.records import RecordError
from tunewidgets.widgets import unit_sheets
from tunewidgets.widgets.unit_page import layer_facts
from tunewidgets.widgets.unit_sheets import Sheet, Sheets


@pytest.fixture(scope="module")
def tree() -> xr.DataTree:
    return make_tree(2, 12, 16, dead=[3], silent=[5], failed={7: "the image held NaN"}, exemplars=4)


@pytest.fixture
def scatter(tree: xr.DataTree) -> tw.UnitScatter:
    return tw.UnitScatter(tree)


def pixels(encoded: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB"), float)


class TestTraits:
    def test_start(self, scatter):
        assert (scatter.layer, scatter.objective) == ("features.1", "iam")
        assert (scatter.x, scatter.y, scatter.color) == ("selectivity", "rs", "preferred_class")
        assert (scatter.pinned, scatter.selected) == (None, [])

    def test_opens_the_most_interesting_unit_unless_one_is_given(self, tree):
        scatter = tw.UnitScatter(tree, layer="features.4", objective="am")
        assert scatter.unit == most_interesting(tree["features.4"].to_dataset(), "am") is not None
        assert tw.UnitScatter(tree, unit=2).unit == 2
        assert tw.UnitScatter(tree, unit=None).unit is None
        assert tw.UnitScatter(make_units(6, 8, images=False)).unit is None

    def test_can_be_given_at_the_start(self, tree):
        scatter = tw.UnitScatter(
            tree, layer="features.4", unit=2, pinned=1, selected=[4, 3], objective="am", y="auc", color=None
        )
        assert (scatter.layer, scatter.unit, scatter.pinned, scatter.selected) == ("features.4", 2, 1, [3, 4])
        assert (scatter.objective, scatter.y, scatter.color) == ("am", "auc", None)

    def test_numpy_numbers_are_numbers_and_a_selection_is_sorted(self, scatter):
        scatter.unit, scatter.selected = np.int64(4), list(np.array([9, 2, 9]))
        assert json.dumps([scatter.unit, scatter.selected]) == "[4, [2, 9]]"

    @pytest.mark.parametrize(
        ("name", "value", "sentence"),
        [
            ("layer", "conv", "there is no layer 'conv' here; give 'features.1', 'features.4'"),
            ("objective", "max", "objective is 'max' on layer 'features.1'; give 'am', 'iam'"),
            ("unit", 12, "unit is 12, but layer 'features.1' has 12 units; give 0 to 11"),
            ("pinned", -1, "pinned is -1"),
            ("selected", [0, 12], "selected holds 12"),
            (
                "x",
                "preferred_class",
                "x is 'preferred_class', and layer .* no such column for an axis; give 'sel",
            ),
            ("y", "size", "y is 'size'"),
            ("color", "rs", "color is 'rs', .*; give 'preferred_class', 'accuracy_drop', None"),
            ("unit", True, "int"),
            ("unit", 0.5, "int"),
        ],
    )
    def test_bad_values_are_refused_in_a_sentence(self, scatter, name, value, sentence):
        before = getattr(scatter, name)
        with pytest.raises(traitlets.TraitError, match=sentence):
            setattr(scatter, name, value)
        assert getattr(scatter, name) == before

    def test_tells_who_listens_which_unit_is_opened_and_closed(self, scatter):
        opened = []
        scatter.on_unit(opened.append)
        scatter.unit, scatter.pinned = 5, 2
        scatter.unit = None
        assert opened == [5, None]

    def test_another_layer_forgets_the_units_of_this_one(self, scatter):
        scatter.unit, scatter.pinned, scatter.selected = 4, 2, [1]
        scatter.layer = "features.4"
        assert (scatter.unit, scatter.pinned, scatter.selected) == (None, None, [])

    def test_the_page_may_set_a_layer_and_its_unit_at_once(self, scatter):
        scatter.unit = 4
        scatter.set_state({"layer": "features.4", "unit": 6, "selected": [2]})
        assert (scatter.layer, scatter.unit, scatter.selected) == ("features.4", 6, [2])

    def test_a_layer_that_lacks_a_column_goes_back_to_its_first_ones(self):
        bare = make_units(6, 8, layer="b", images=False, ablation=False)
        scatter = tw.UnitScatter(tw.records.layer_tree({"a": make_units(6, 8, layer="a"), "b": bare}))
        scatter.color = "accuracy_drop"
        scatter.layer = "b"
        assert (scatter.objective, scatter.x, scatter.y) == ("", "selectivity", "mean_activation")
        assert scatter.color == "preferred_class"
        scatter.layer = "a"
        assert scatter.objective == "iam"

    def test_gives_the_record_shown(self, scatter, tree):
        xr.testing.assert_identical(scatter.record(), tree["features.1"].to_dataset())
        xr.testing.assert_identical(scatter.record("features.4"), tree["features.4"].to_dataset())
        with pytest.raises(ValueError, match="there is no layer 'x' here"):
            scatter.record("x")


class TestUnits:
    def test_may_be_one_layer_or_a_path(self, tmp_path):
        units = make_units(6, 8)
        assert tw.UnitScatter(units).layer == "features.1"
        tree = make_tree(2, 6, 8)
        assert tw.UnitScatter(tw.save_record(tree, tmp_path / "units.zarr.zip")).layer == "features.1"

    def test_must_be_unit_records(self, tmp_path):
        with pytest.raises(RecordError, match="film record"):
            tw.UnitScatter(make_film(2, 3, 8))
        with pytest.raises(RecordError, match="not a tunewidgets record"):
            tw.UnitScatter(xr.Dataset())
        with pytest.raises(FileNotFoundError, match="there is no record at"):
            tw.UnitScatter(tmp_path / "nothing.zarr")

    def test_must_be_whole_layers(self):
        some = make_units(6, 8).assign_coords(unit=np.arange(6)).isel(unit=[0, 3])
        with pytest.raises(RecordError, match="holds only some of its units"):
            tw.UnitScatter(some)

    def test_must_have_something_for_an_axis(self):
        bare = make_units(6, 8)[["class_mean"]]
        with pytest.raises(RecordError, match="no column of numbers to put on an axis"):
            tw.UnitScatter(bare)

    @pytest.mark.parametrize("missing", ["images", "ablation"])
    def test_may_lack_parts(self, missing):
        units = make_units(40, 8, **{missing: False})
        scatter = tw.UnitScatter(units)
        assert scatter._still().width > 300
        assert scatter.y == ("accuracy_drop" if missing == "images" else "rs")

    def test_opens_on_another_measure_where_rs_is_one_line_and_says_so(self):
        units = make_units(40, 8, ablation=False)
        flat = units.assign(rs=units["rs"].where(units["rs"].isnull(), 0))
        scatter = tw.UnitScatter(flat)
        assert (scatter.x, scatter.y) == ("selectivity", "mean_activation")
        assert "RS (IAM) is 0 for 40 of 40 units" in layer_facts(flat)["notes"][0]
        assert layer_facts(units)["notes"] == []
        scatter.y = "rs"

    def test_of_one_unit(self):
        scatter = tw.UnitScatter(make_units(1, 8), unit=0)
        assert scatter._repr_mimebundle_()[0]["image/png"]


class TestWhatThePageIsSent:
    def test_who_exceeds_a_unit_and_how_much(self, tree):
        units = tree["features.1"].to_dataset()
        shown = layer_facts(units)["shown"]["am"]
        for unit in range(12):
            count = 0 if np.isnan(rs := units["rs"].values[0, unit]) else round(float(rs) * 12)
            assert len(shown["exceeders"][unit]) == min(9, count)
            ratios = shown["ratios"][unit]
            assert ratios == sorted(ratios, reverse=True)
            assert all(ratio >= 1 for ratio in ratios)

    def test_why_a_unit_has_no_image(self, tree):
        shown = layer_facts(tree["features.1"].to_dataset())["shown"]
        assert shown["iam"]["missing"] == {"7": "the image held NaN"}

    def test_worst_class(self, tree):
        units = tree["features.1"].to_dataset()
        worst = layer_facts(units)["worst"]
        np.testing.assert_array_equal(worst["classes"], units["class_accuracy_drop"].values.argmax(1))
        np.testing.assert_allclose(worst["drops"], units["class_accuracy_drop"].values.max(1), rtol=1e-2)
        np.testing.assert_allclose(worst["errors"], 0.02)

    def test_drops_have_their_errors_where_they_are_known(self, tree):
        units = tree["features.1"].to_dataset()
        np.testing.assert_allclose(layer_facts(units)["dropErrors"], 0.004)
        before = units.drop_vars(["accuracy_drop_se", "class_accuracy_drop_se"])
        assert layer_facts(before)["dropErrors"] is None
        assert layer_facts(before)["worst"]["errors"] is None

    def test_of_many_classes_only_the_strongest(self):
        units = make_units(4, 8, classes=[f"class {c}" for c in range(100)])
        means = layer_facts(units)["means"]
        assert np.array(means["classes"]).shape == (4, 12)
        np.testing.assert_array_equal(np.array(means["classes"])[:, 0], units["class_mean"].values.argmax(1))

    def test_a_layer_of_copies_is_explained(self):
        [note] = layer_facts(make_units(8, 8, copies=True))["notes"]
        assert note.startswith("8 of 8 living units respond alike")
        assert layer_facts(make_units(40, 8))["notes"] == []

    def test_what_is_missing_is_said(self):
        assert "no RS and no images" in layer_facts(make_units(8, 8, images=False))["notes"][0]
        without = make_units(40, 8).drop_vars("image")
        assert layer_facts(without)["notes"] == ["This record has no images, only what was measured on them."]

    @pytest.mark.parametrize(
        "units",
        [lambda: make_tree(4, 384, 32), lambda: tw.zoo.example("shallow_cnn")],
        ids=["made up", "real"],
    )
    def test_is_json_and_small(self, units):
        state = tw.UnitScatter(units()).get_state()
        sprites = sum(map(len, state.pop("_sprites")))
        size = len(json.dumps({k: v for k, v in state.items() if k not in {"_esm", "_css"}}, allow_nan=False))
        assert sprites + size <= 1_500_000


class TestImages:
    def test_each_unit_is_where_the_page_looks_for_it(self, scatter, tree):
        for layer in scatter._units["layers"]:
            record = tree[layer["table"]["layer"]]
            for kind, images in (
                ("iam", record["image"].values[1]),
                ("exemplar", record["exemplar_image"].values),
            ):
                sheet = layer["sheets"][kind]
                for unit in (0, 11):
                    page = pixels(scatter._sprites[sheet["first"] + unit // sheet["unitsPerPage"]])
                    at = unit % sheet["unitsPerPage"] * sheet["perUnit"] + sheet["perUnit"] - 1
                    x, y = at % sheet["cells"]["columns"] * 16, at // sheet["cells"]["columns"] * 16
                    every = images if kind == "iam" else images[:, -1]
                    # Of all images it is likest to that unit's; the bytes themselves are lossy, colors most of all.
                    cell = page[y : y + 16, x : x + 16].ravel()
                    likeness = [np.corrcoef(cell, one.ravel())[0, 1] if one.std() else -1 for one in every]
                    assert np.argmax(likeness) == unit

    def test_large_layers_are_cut_into_pages(self, monkeypatch):
        monkeypatch.setattr(unit_sheets, "PAGE_PIXELS", 16 * 16 * 5)
        sheet = Sheet(make_units(12, 16)["image"].values[0])
        assert (sheet.units_per_page, sheet.pages, sheet.columns) == (5, 3, 3)
        assert pixels(sheet.page(2)).shape == (16, 48, 3)

    def test_beyond_the_budget_images_stay_in_the_kernel(self, tree):
        sheets = Sheets({"a": tree["features.1"].to_dataset()})
        whole = sheets.inline(10**7)
        assert len(whole) == 3
        assert all(whole)
        assert sheets.inline(len(whole[0]) + 1) == [whole[0], b"", b""]

    def test_a_page_is_sent_on_request(self, scatter, monkeypatch):
        sent: list = []
        monkeypatch.setattr(scatter, "send", lambda content, buffers=None: sent.append((content, buffers)))
        scatter._handle_custom_msg({"id": "a", "kind": "sprite", "page": 1}, [])
        assert sent == [({"id": "a", "kind": "done"}, [scatter._sprites[1]])]
        for page in (99, -1, None, True):
            scatter._handle_custom_msg({"id": "b", "kind": "sprite", "page": page}, [])
            assert sent[-1][0]["kind"] == "error"
            assert "there is no page" in sent[-1][0]["message"]


@pytest.fixture(scope="module")
def units() -> xr.Dataset:
    return make_units(
        12, 16, display=True, exemplars=2, silent=[5], failed={7: "NaN"}, flat=[3, 4], one_position=[4]
    )


class TestTwoImages:
    """Units of which the record has an image for the eye and the one that RS was measured on."""

    def cell(self, scatter, kind: str, unit: int) -> np.ndarray:
        sheet = scatter._units["layers"][0]["sheets"][kind]
        page = pixels(scatter._sprites[sheet["first"] + unit // sheet["unitsPerPage"]])
        row, column = divmod(unit % sheet["unitsPerPage"], sheet["cells"]["columns"])
        return page[16 * row : 16 * row + 16, 16 * column : 16 * column + 16]

    def test_each_is_where_the_page_looks_for_it(self, units):
        # A gray of its own for each unit, which lossy bytes keep.
        gray = (10 * np.arange(1, 13, dtype=np.uint8))[None, :, None, None, None]
        gray = np.broadcast_to(gray, units["image"].shape)
        dims = units["image"].dims
        scatter = tw.UnitScatter(units.assign(image=(dims, gray), display_image=(dims, gray + 100)))
        for unit in (0, 4, 11):
            assert self.cell(scatter, "am", unit).mean() == pytest.approx(110 + 10 * unit, abs=4)
            assert self.cell(scatter, "am measured", unit).mean() == pytest.approx(10 + 10 * unit, abs=4)
        # A unit of one image has it among those for the eye.
        assert self.cell(scatter, "am", 3).mean() == pytest.approx(40, abs=4)

    def test_the_page_is_told_which_image_is_what_and_why(self, units):
        shown = layer_facts(units)["shown"]["iam"]
        assert shown["display"] == {"bounded contrast": [0, 1, 2, 6, 8, 9, 10, 11], "one position": [4]}
        assert shown["said"]["3"].startswith("flat: one color is the best")
        assert shown["said"]["5"] == "silent: no image that was tried excites this unit"
        assert "7" not in shown["said"]
        response = float(units["display_response"].sel(objective="iam").values[4])
        assert shown["displayResponses"]["4"] == pytest.approx(response, rel=1e-2)
        assert layer_facts(units.drop_vars("image"))["shown"]["iam"]["display"] == {}

    def test_a_record_of_before_has_no_second_sheet(self):
        assert set(Sheets({"a": make_units(4, 8)}).table("a")) == {"am", "iam"}
        shown = layer_facts(make_units(4, 8))["shown"]["am"]
        assert [shown[name] for name in ("display", "said", "displayResponses")] == [{}, {}, {}]

    def test_the_budget_is_spent_on_what_is_looked_at_first(self, units):
        sheets = Sheets({"a": units})
        whole = sheets.inline(10**7)
        first = {kind: facts["first"] for kind, facts in sheets.table("a").items()}
        assert sorted(first, key=first.__getitem__) == [
            "am",
            "iam",
            "exemplar",
            "am measured",
            "iam measured",
        ]
        enough = sum(map(len, whole[:4]))
        assert [bool(page) for page in sheets.inline(enough)] == [True] * 4 + [False]
        # A page that has nobody to ask holds all but the second images, whatever it takes.
        assert [bool(page) for page in sheets.inline(0, least=True)] == [True] * 3 + [False] * 2
        assert sheets.inline(enough, least=True) == sheets.inline(enough)

    def test_where_no_unit_of_a_page_has_a_second_image_there_is_no_page(self, monkeypatch, units):
        monkeypatch.setattr(unit_sheets, "PAGE_PIXELS", 16 * 16)
        sheets = Sheets({"a": units})
        first = sheets.table("a")["am measured"]["first"]
        assert [bool(sheets.encoded(first + unit)) for unit in range(6)] == [True] * 3 + [False, True, False]

    def test_an_exported_page_has_both(self, units):
        state = tw.UnitScatter(units).page_state(60)
        assert all(state["_sprites"])


class TestOutput:
    def test_carries_a_picture_for_viewers_without_widgets(self, scatter, tree):
        scatter.unit = 2
        data, _ = scatter._repr_mimebundle_()
        assert "application/vnd.jupyter.widget-view+json" in data
        picture = pixels(base64.b64decode(data["image/png"]))
        wanted = Image.fromarray(tree["features.1"]["image"].values[1, 2])
        wanted = np.asarray(wanted.resize((72, 72), Image.Resampling.BILINEAR), float)
        # The opened unit comes first, right of the plot.
        left, top = picture.shape[1] - 4 * 78 - 16, 56
        found = min(
            np.abs(picture[top : top + 72, x : x + 72] - wanted).mean() for x in range(left - 20, left + 20)
        )
        assert found < 12

    def test_is_drawn_quickly(self):
        scatter = tw.UnitScatter(make_tree(1, 384, 32))
        scatter._still()
        begun = time.process_time()
        scatter._still()
        assert time.process_time() - begun < 0.25  # 20 ms where nothing else runs

    def test_needs_no_torch(self, tmp_path):
        path = tw.save_record(make_units(6, 8), tmp_path / "units.zarr.zip")
        code = (
            "import sys, tunewidgets as tw\n"
            f"tw.UnitScatter({str(path)!r})._repr_mimebundle_()\n"
            "print(sorted({'torch', 'torchvision', 'sklearn'} & set(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"


def test_the_figure_is_that_of_the_plot_as_it_stands():
    tree = make_tree()
    scatter = tw.UnitScatter(tree)
    scatter.layer = list(tree.children)[-1]
    scatter.x, scatter.color, scatter.objective = "accuracy_drop", None, "am"
    expected = tw.figures.unit_scatter(tree, "accuracy_drop", "rs", None, "am", scatter.layer)
    assert scatter.figure() == expected


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: tw.UnitScatter(make_units(), lyer="features.1"),
            "UnitScatter has no 'lyer'; did you mean 'layer'?",
        ),
        (
            lambda: tw.TuningExplorer(make_film(), speed=2),
            "TuningExplorer has no 'speed'; what can be set is ",
        ),
        (lambda: tw.RecoveryChecklist(make_recovery(), alfa=0.1), "no 'alfa'; did you mean 'alpha'?"),
    ],
)
def test_a_trait_that_no_widget_has_is_said(make, sentence):
    with pytest.raises(TypeError, match=re.escape(sentence)):
        make()
