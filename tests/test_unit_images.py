"""Figures of units' own images: each image stands where it is said to, in the order of the measure."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from unit_records import make_tree, make_units

from tunewidgets import figures


def picture(trace) -> np.ndarray:
    encoded = trace.source.partition(",")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB"), float)


def captions(figure) -> list[int]:
    return [int(note.text.removeprefix("<b>").partition("<")[0]) for note in figure.layout.annotations]


def under(figure, note, side: int) -> np.ndarray:
    """The image above a gallery's caption, cut out of its mosaic."""
    [trace] = figure.data
    whole = picture(trace)
    left = round((note.x - (trace.x0 - trace.dx / 2)) / trace.dx)
    bottom = round((note.y - (trace.y0 - trace.dy / 2)) / trace.dy)
    times = max(1, round(72 / side))
    middle = times // 2
    return whole[bottom - times * side + middle : bottom : times, left + middle : left + times * side : times]


@pytest.mark.parametrize("side", [16, 40, 100])
def test_a_gallery_has_every_unit_above_its_number_by_the_measure(side):
    units = make_units(20, side, failed={5: "failed: NaN"}, dead=[7])
    figure = figures.unit_gallery(units, across=6)
    order = captions(figure)
    assert sorted(order) == [unit for unit in range(20) if unit != 5]
    assert order[-1] == 7
    values = units["selectivity"].values[order[:-1]]
    assert (np.diff(values) <= 0).all()
    images = units["image"].sel(objective="iam").values
    for note, unit in zip(figure.layout.annotations, order, strict=True):
        assert np.abs(under(figure, note, side) - images[unit]).mean() < 12


def test_a_gallery_of_a_few_goes_from_the_largest_value_to_the_smallest():
    units = make_tree(2, 24, 8)
    figure = figures.unit_gallery(units, "features.4", objective="am", by="rs", count=5)
    rs = units["features.4"]["rs"].sel(objective="am").values
    shown = rs[captions(figure)]
    assert len(shown) == 5
    assert (shown[0], shown[-1]) == (rs.max(), rs.min())
    assert "5 of 24 units by RS" in figure.layout.title.text


def test_a_card_has_both_images_the_measures_and_the_strongest_classes():
    units = make_units(12, 16, exemplars=3)
    figure = figures.unit_card(units, 3)
    iam, am, exemplars, bars = figure.data
    for trace, name in ((iam, "iam"), (am, "am")):
        wanted = units["image"].sel(objective=name).values[3]
        assert np.abs(picture(trace)[6::12, 6::12] - wanted).mean() < 10
    assert picture(exemplars).shape[0] % 16 == 0
    means = units["class_mean"].values[3]
    assert list(bars.x) == sorted(means, reverse=True)[:10]
    assert figure.layout.yaxis2.ticktext[0] == units["cls"].values[means.argmax()]
    said = figure.layout.title.subtitle.text
    assert f"selectivity {units['selectivity'].values[3]:.2f}" in said
    assert said.startswith(f"prefers {units['cls'].values[units['preferred_class'].values[3]]}")


def test_a_card_of_a_record_with_nothing_but_images():
    units = make_units(6, 8, objectives=("am",), ablation=False).drop_vars("class_mean")
    figure = figures.unit_card(units, 0)
    assert [trace.type for trace in figure.data] == ["image"]


def test_what_has_no_image_has_no_card():
    with pytest.raises(ValueError, match=r"unit 1 has no image here \(failed: NaN"):
        figures.unit_card(make_units(4, 2, failed={1: "failed: NaN"}), 1)
    with pytest.raises(ValueError, match="no images of units; make them with analyze_units"):
        figures.unit_gallery(make_units(4, 2, images=False))


def test_a_long_class_name_leaves_the_card_its_room():
    units = make_units(12, 16, classes=[f"{at}, which has a name of many words" for at in range(10)])
    figure = figures.unit_card(units, 3)
    assert max(map(len, figure.layout.yaxis2.ticktext)) <= 24
    assert figure.data[-1].customdata[0].endswith("which has a name of many words")
    assert "of many words" not in figure.layout.title.subtitle.text


def test_names_are_text():
    classes = ["<b>1</b>", *map(str, range(9))]
    units = make_units(8, 4, classes=classes, layer="<b>1</b>")
    for figure in (figures.unit_card(units, 0), figures.unit_gallery(units, by="preferred_class")):
        assert "<b>1</b>" not in figure.to_json().replace("\\u003c", "<").replace("\\u003e", ">")
