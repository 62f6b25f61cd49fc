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


@pytest.fixture(scope="module")
def units():
    return make_units(12, 16, display=True, flat=[4, 6], one_position=[6])


class TestTwoImages:
    """Units of which the record has an image for the eye and the one that RS was measured on."""

    @pytest.mark.parametrize("shown", ["display", "measured"])
    def test_a_gallery_shows_the_ones_asked_for_and_says_which(self, units, shown):
        figure = figures.unit_gallery(units, shown=shown)
        own = units.sel(objective="iam")
        for note, unit in zip(figure.layout.annotations, captions(figure), strict=True):
            named = shown == "display" and own["display"].values[unit] != ""
            wanted = own["display_image" if named else "image"].values[unit]
            assert np.abs(under(figure, note, 16) - wanted).mean() < 12
        said = figure.layout.title.subtitle.text
        assert said.startswith("IAM images, 16 px, 128 steps, leaking rectifiers; shown")
        assert said.endswith(
            "bounded contrast, 1 at one position of the map" if shown == "display" else "as RS was measured"
        )

    def test_a_card_says_what_each_image_is(self, units):
        def said(*args, **options):
            figure = figures.unit_card(units, *args, **options)
            return [note.text.partition(">")[2].partition("<")[0] for note in figure.layout.annotations]

        assert said(0) == ["IAM image, bounded contrast", "AM image, bounded contrast"]
        assert said(0, shown="measured") == [
            "IAM image, as RS was measured",
            "AM image, as RS was measured",
        ]
        assert said(4)[0] == "IAM image, one flat color"
        assert said(6)[0] == "IAM image, one position"
        assert said(6, shown="measured")[0] == "IAM image, one flat color"

    def test_who_exceeds_a_unit_is_shown_on_the_measured_image(self, units):
        def first(**options):
            figure = figures.exceeding_units(units, 0, count=1, **options)
            return picture(figure.data[0])[
                6 : 12 * 16 : 12, 6 : 12 * 16 : 12
            ], figure.layout.title.subtitle.text

        own = units.sel(objective="iam")
        image, said = first()
        assert np.abs(image - own["image"].values[0]).mean() < 10
        assert "shown as RS was measured" in said.replace("<br>", " ")
        image, said = first(shown="display")
        assert np.abs(image - own["display_image"].values[0]).mean() < 10
        assert "shown with bounded contrast" in said.replace("<br>", " ")

    def test_a_narrow_gallery_has_room_for_what_it_says(self, units):
        narrow, wide = figures.unit_gallery(units, across=2), figures.unit_gallery(units)
        lines = narrow.layout.title.subtitle.text.count("<br>")
        assert lines > wide.layout.title.subtitle.text.count("<br>")
        assert narrow.layout.margin.t - wide.layout.margin.t == 17 * lines

    @pytest.mark.parametrize(
        "draw",
        [
            lambda units: figures.unit_gallery(units, shown="both"),
            lambda units: figures.unit_card(units, 0, shown="both"),
            lambda units: figures.exceeding_units(units, shown="both"),
            lambda units: figures.unit_scatter(units, images=True, shown="both"),
        ],
    )
    def test_there_is_no_third(self, units, draw):
        with pytest.raises(ValueError, match="shown is 'both'; give 'display' or 'measured'"):
            draw(units)


def test_names_are_text():
    classes = ["<b>1</b>", *map(str, range(9))]
    units = make_units(8, 4, classes=classes, layer="<b>1</b>")
    for figure in (figures.unit_card(units, 0), figures.unit_gallery(units, by="preferred_class")):
        assert "<b>1</b>" not in figure.to_json().replace("\\u003c", "<").replace("\\u003e", ">")
