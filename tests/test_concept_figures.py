"""Figures of concepts: the record's numbers in their places, and nothing written out that chance can do."""

import numpy as np
import pytest
import xarray as xr

from tunewidgets import figures, records
from tunewidgets.records import RecordError

CONCEPTS = ["<b>sky</b>", "grass", "leg"]


def make_concepts(features=4, masks=True, kind="dimensions") -> xr.Dataset:
    rng = np.random.default_rng(0)
    auc = rng.uniform(0.3, 0.7, (features, 3)).astype(np.float32)
    auc[0, 1], auc[2, 0] = 0.95, 0.02
    p = np.where(np.abs(auc - 0.5) > 0.4, 1e-6, 0.9)
    pairs, placed, edges = ("feature", "concept"), ("feature", "end", "concept"), ("feature", "end")
    columns = {
        "auc": (pairs, auc),
        "auc_low": (pairs, auc - np.float32(0.01)),
        "auc_high": (pairs, auc + np.float32(0.02)),
        "p_holm": (pairs, p),
        "positives": ("concept", np.array([10, 20, 30], np.int32)),
        "asked": ("concept", np.array([100, 100, 100], np.int32)),
    }
    coords = {"feature": np.arange(features) + 5, "concept": np.array(CONCEPTS, object)}
    coords["category"] = ("concept", np.array(["object", "object", "part"], object))
    if masks:
        coords["end"] = ["high", "low"]
        iou = rng.uniform(0, 0.1, (features, 2, 3)).astype(np.float32)
        columns |= {
            "iou": (placed, iou),
            "iou_low": (placed, iou / 2),
            "iou_high": (placed, iou * 2),
            "iou_chance": (placed, np.full_like(iou, 0.02)),
            "threshold": (edges, np.ones((features, 2), np.float32)),
            "active_share": (edges, np.full((features, 2), 0.005, np.float32)),
        }
    attrs = records.new_attrs(
        "concepts", model="net", model_sha256="0", layer="relu<1>", settings={"features": kind, "images": "100 scenes"},
        seed=0, n_images=100, n_vectors=None,
    )  # fmt: skip
    record = xr.Dataset(columns, coords, attrs)
    records.validate(record)
    return record


@pytest.fixture(scope="module")
def found():
    return make_concepts()


def test_the_map_writes_out_what_is_related_and_no_more(found):
    figure = figures.concept_map(found, best=3)
    [heat] = figure.data
    order = [name.replace("&lt;", "<").replace("&gt;", ">") for name in figure.layout.xaxis.ticktext]
    assert sorted(order) == sorted(CONCEPTS)
    own = found.sel(concept=order)
    np.testing.assert_array_equal(heat.z, own.auc)
    np.testing.assert_array_equal(heat.customdata[..., 0], own.auc_low)
    np.testing.assert_array_equal(heat.customdata[..., 1], own.auc_high)
    written = np.array(heat.text) != ""
    np.testing.assert_array_equal(written, own.p_holm.values <= 0.05)
    assert np.array(heat.text)[written].tolist() == ["0.95", "0.02"]
    assert figure.layout.yaxis.ticktext == ("5", "6", "7", "8")


def test_the_map_shows_only_concepts_that_are_among_the_best(found):
    figure = figures.concept_map(found, features=[5])
    assert figure.layout.xaxis.ticktext == ("grass",)
    np.testing.assert_array_equal(figure.data[0].z, found.auc.values[:1, 1:2])


def test_overlaps_have_a_row_an_end_and_are_held_against_chance(found):
    figure = figures.concept_map(found, best=3, measure="iou")
    [heat] = figure.data
    assert figure.layout.yaxis.ticktext[:3] == ("5 high", "5 low", "6 high")
    order = [name.replace("&lt;", "<").replace("&gt;", ">") for name in figure.layout.xaxis.ticktext]
    own = found.sel(concept=order)
    np.testing.assert_array_equal(heat.z, own.iou.values.reshape(8, 3))
    related = (own.iou_low > own.iou_chance).values.reshape(8, 3)
    np.testing.assert_array_equal(np.array(heat.text) != "", related)
    units = figures.concept_map(make_concepts(kind="units").isel(end=[0]), measure="iou")
    assert units.layout.yaxis.ticktext == ("5", "6", "7", "8")


def test_bars_run_from_the_most_to_the_least_with_their_intervals(found):
    figure = figures.concept_bars(found, 7)
    [points] = figure.data
    own = found.sel(feature=7).sortby("auc")
    np.testing.assert_array_equal(points.x, own.auc)
    np.testing.assert_allclose(points.error_x.array, 0.02, atol=1e-6)
    np.testing.assert_allclose(points.error_x.arrayminus, 0.01, atol=1e-6)
    assert points.marker.symbol == ("circle", "circle-open", "circle-open")
    assert points.customdata[0] == "&lt;b&gt;sky&lt;/b&gt;"
    assert figure.layout.yaxis.ticktext[0].startswith("&lt;b&gt;sky&lt;/b&gt;")
    assert len(figures.concept_bars(found, 7, best=1).data[0].x) == 1


def test_long_names_leave_the_figures_their_room_and_stay_apart(found):
    long = [f"American Staffordshire terrier, {name}" * 99 for name in "ab"]
    named = found.assign_coords(concept=np.array([*long, "leg"], object))
    bars, heat = figures.concept_bars(named, 7), figures.concept_map(named)
    assert len(set(bars.data[0].y)) == 3
    assert max(len(name) for name in heat.layout.xaxis.ticktext) <= 24
    assert heat.layout.height < 400


def test_titles_say_of_what_and_how_and_typed_text_stays_text(found):
    title = figures.concept_map(found).layout.title
    assert title.text == "<b>net</b> relu&lt;1&gt;: dimensions and concepts"
    said = title.subtitle.text.replace("<br>", " ")
    assert "p ≤ 0.05, adjusted by Holm’s method over 3 concepts and all dimensions" in said
    assert "100 scenes" in said


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (
            lambda r: figures.concept_map(r, features=[1]),
            ValueError,
            "has no dimension 1; give some of 5 to 8",
        ),
        (lambda r: figures.concept_map(r, measure="f1"), ValueError, "choose 'auc' or 'iou'"),
        (lambda r: figures.concept_map(r, best=0), ValueError, "best is 0; give a whole number"),
        (lambda r: figures.concept_bars(r, 9), ValueError, "has no dimension 9"),
        (lambda r: figures.concept_bars(xr.Dataset(), 0), RecordError, "not a tunewidgets record"),
        (
            lambda r: figures.concept_map(make_concepts(masks=False), measure="iou"),
            ValueError,
            "no masks were compared",
        ),
    ],
)
def test_what_can_not_be_drawn_is_refused_in_a_sentence(found, call, error, sentence):
    with pytest.raises(error, match=sentence):
        call(found)
