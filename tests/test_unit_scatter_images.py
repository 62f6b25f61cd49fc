"""Images in the scatter of units: each at its point, none over another, the same in Python's figure and the page's."""

import base64
import io
import json

import numpy as np
import pytest
from in_node import answer_in_node
from PIL import Image
from unit_records import make_units

import tunewidgets as tw
from tunewidgets import figures
from tunewidgets.figures.scatter_images import GAP, PLOT, SIDE


@pytest.fixture(scope="module")
def units():
    return make_units(200, 16, dead=[3], silent=[5], failed={7: "it is tired"})


def places(figure):
    """By unit: where its point is, as shares of the axes' lengths."""
    found = {}
    for trace in figure.data:
        for unit, x, y in zip(trace.customdata, trace.x, trace.y, strict=True):
            along = []
            for axis, value in ((figure.layout.xaxis, x), (figure.layout.yaxis, y)):
                low, high = axis.range
                along.append(((np.log10(value) if axis.type == "log" else value) - low) / (high - low))
            found[unit] = tuple(along)
    return found


def test_images_stand_at_points_and_never_overlap(units):
    figure = figures.unit_scatter(units, y="mean_activation", images=True)
    at = [(image.x, image.y) for image in figure.layout.images]
    known = {(round(x, 9), round(y, 9)) for x, y in places(figure).values()}
    assert {(round(x, 9), round(y, 9)) for x, y in at} <= known
    apart = np.abs(np.array(at)[:, None] - np.array(at)) * PLOT
    overlaps = (apart < SIDE + GAP).all(-1)
    assert overlaps.sum() == len(at) > 20
    # Points stay points where an image found no room.
    assert sum(len(trace.x) for trace in figure.data) > len(at)


def test_first_in_order_comes_first_and_what_has_no_image_stays_a_point(units):
    alone = figures.unit_scatter(units, images=[11]).layout.images
    both = figures.unit_scatter(units, images=[11, 7, 3, 11]).layout.images
    assert len(alone) == len(both) == 1
    x, y = places(figures.unit_scatter(units))[11]
    assert (alone[0].x, alone[0].y) == pytest.approx((x, y))
    assert figures.unit_scatter(units, images=[]).layout.images == ()


def test_an_image_is_the_unit_s_own_in_its_class_s_color(units):
    figure = figures.unit_scatter(units, images=[11])
    data = base64.b64decode(figure.layout.images[0].source.partition(",")[2])
    shown = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(float)
    own = units["image"].sel(objective="iam").values[11]
    inner = Image.fromarray(shown[8:-8, 8:-8].astype(np.uint8)).resize((16, 16), Image.Resampling.BOX)
    assert np.abs(np.asarray(inner).astype(float) - own).mean() < 6
    [color] = [trace.marker.color for trace in figure.data if 11 in trace.customdata]
    assert np.abs(shown[2, 2] - [int(color[i : i + 2], 16) for i in (1, 3, 5)]).max() < 16


@pytest.mark.parametrize(("shown", "name"), [("display", "display_image"), ("measured", "image")])
def test_of_two_images_the_one_for_the_eye_stands_in_the_plot_unless_the_other_is_asked_for(shown, name):
    two = make_units(6, 16, display=True)
    figure = figures.unit_scatter(two, y="mean_activation", images=[2], shown=shown)
    data = base64.b64decode(figure.layout.images[0].source.partition(",")[2])
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))[8:-8, 8:-8]
    inner = np.asarray(Image.fromarray(pixels).resize((16, 16), Image.Resampling.BOX)).astype(float)
    assert np.abs(inner - two[name].sel(objective="iam").values[2]).mean() < 6


def test_frames_have_their_value_s_color_on_the_scale():
    figure = figures.unit_scatter(make_units(6, 16), color="accuracy_drop", y="mean_activation", images=True)
    [trace] = figure.data
    at = {}
    for image in figure.layout.images:
        data = base64.b64decode(image.source.partition(",")[2])
        at[round(image.x, 9)] = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))[2, 2].astype(float)
    shown = {
        float(drop): at[round(places(figure)[unit][0], 9)]
        for unit, drop in zip(trace.customdata, trace.marker.color, strict=True)
        if round(places(figure)[unit][0], 9) in at
    }
    ends = {0: "#f0e51c", len(trace.x) - 1: "#440154"}
    for rank, color in ends.items():
        drop = sorted(trace.marker.color)[rank]
        if drop in shown:
            assert np.abs(shown[drop] - [int(color[i : i + 2], 16) for i in (1, 3, 5)]).max() < 24
    assert {min(trace.marker.color), max(trace.marker.color)} & set(shown)


def test_the_page_saves_the_same(units, tmp_path):
    scatter = tw.UnitScatter(
        units, y="mean_activation", unit=40, selected=[9, 8, *range(60, 160)], images=True
    )
    mine = scatter.figure()
    order = [unit for unit in (40, *scatter.selected) if units["rendered"].sel(objective="iam").values[unit]]
    figure = json.loads(figures.unit_scatter(units, y="mean_activation").to_json())
    page = answer_in_node(
        'import { fileFigure } from "./src/unit-scatter/plot/file-figure";',
        "fileFigure(given.figure, given.order, String)",
        {"figure": figure, "order": order},
        tmp_path,
    )
    assert (page["width"], page["height"]) == (mine.layout.width, mine.layout.height)
    theirs = [(image["x"], image["y"], image["sizex"], image["sizey"]) for image in page["layout"]["images"]]
    assert theirs == [pytest.approx((i.x, i.y, i.sizex, i.sizey)) for i in mine.layout.images]
    assert len(theirs) > 10


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"images": [200]}, "a unit of images is 200, but this layer has 200; give 0 to 199"),
        ({"images": True, "objective": "cam"}, "no objective 'cam'"),
    ],
)
def test_images_of_what_is_not_there_are_refused(units, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        figures.unit_scatter(units, **options)


def test_images_of_a_record_without_any_are_refused():
    plain = make_units(8, images=False)
    with pytest.raises(ValueError, match="no images of units; make them with analyze_units"):
        figures.unit_scatter(plain, y="accuracy_drop", images=True)
    # The widget draws what there is.
    assert tw.UnitScatter(plain, images=True).figure().layout.images == ()
