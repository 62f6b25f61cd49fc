"""Which of a unit's two images is shown, and what that is called."""

import numpy as np
import pytest
import xarray as xr
from unit_records import make_units

from tunewidgets import records
from tunewidgets.derived.shown_images import check_shown, has_display, how_shown, is_flat, shown_images
from tunewidgets.records import RecordError, validate


@pytest.fixture(scope="module")
def units() -> xr.Dataset:
    return make_units(
        6, 8, display=True, silent=[1], failed={2: "failed: NaN"}, flat=[3, 4], one_position=[4]
    )


@pytest.fixture(scope="module")
def own(units) -> xr.Dataset:
    return units.sel(objective="iam")


def test_a_record_with_two_images_a_unit_is_valid_and_reads_back(units, tmp_path):
    validate(units)
    again = records.open_record(records.save_record(units, tmp_path / "units.zarr"))
    for name in ("display", "display_image", "display_response"):
        np.testing.assert_array_equal(again[name].values, units[name].values)


@pytest.mark.parametrize("name", ["display_image", "display_response"])
def test_a_second_image_needs_the_words_for_it(units, name):
    rest = [other for other in ("display_image", "display_response", "display") if other != name]
    with pytest.raises(RecordError, match="display"):
        validate(units.drop_vars(rest))


def test_the_one_for_the_eye_is_shown_where_there_is_one(own):
    assert has_display(own).tolist() == [True, False, False, False, True, True]
    seen = shown_images(own)
    for unit in range(6):
        expected = own["display_image" if unit in (0, 4, 5) else "image"].values[unit]
        np.testing.assert_array_equal(seen[unit], expected)
    np.testing.assert_array_equal(shown_images(own, "measured"), own["image"].values)


def test_a_record_of_before_has_one_image_for_both():
    own = make_units(3, 8).sel(objective="am")
    assert not has_display(own).any()
    assert not is_flat(own).any()
    for shown in ("display", "measured"):
        np.testing.assert_array_equal(shown_images(own, shown), own["image"].values)
        assert how_shown(own, shown, range(3)) == ""


@pytest.mark.parametrize(
    ("shown", "among", "words"),
    [
        ("display", [0, 5], "shown with bounded contrast"),
        ("display", [0, 4, 3], "shown with bounded contrast, 1 at one position of the map"),
        ("display", [4], "shown at one position of its map"),
        ("measured", [0, 4], "shown as RS was measured"),
        ("display", [1, 3], ""),
        ("measured", [1, 3], ""),
    ],
)
def test_which_images_are_shown_is_said(own, shown, among, words):
    assert how_shown(own, shown, among) == words


def test_one_color_is_told_by_the_status(units):
    assert is_flat(units).tolist() == [[False, False, False, True, True, False]] * 2


def test_there_are_two_ways_to_show_an_image():
    with pytest.raises(ValueError, match="shown is 'pretty'; give 'display' or 'measured'"):
        check_shown("pretty")
