"""The unit that is open at first: selective, well responding, and with something to see in its image."""

import numpy as np
import pytest
import xarray as xr
from unit_records import make_units

from tunewidgets.derived.interesting_unit import most_interesting


def layer(**changes) -> xr.Dataset:
    """Eight units, each more selective than the one before, all alike in strength and in how much their images vary."""
    units = make_units(8, 16, **{"ablation": False, **changes})
    pattern = np.zeros((2, 8, 16, 16, 3), np.uint8)
    pattern[:, :, :8] = 200
    return units.assign(
        selectivity=("unit", np.linspace(0.1, 0.8, 8, dtype=np.float32)),
        mean_activation=("unit", np.ones(8, np.float32)),
        dead=("unit", np.zeros(8, bool)),
        silent=units["silent"] & False,
        image=(units["image"].dims, pattern),
    )


def test_it_is_the_most_selective_one():
    assert most_interesting(layer(), "iam") == 7


def test_what_shows_nothing_is_passed_over():
    units = layer()
    units["silent"][:, 7] = True
    units["dead"][6] = True
    units["rendered"][:, 5] = False
    units["status"][:, 5] = "failed: NaN"
    units["status"][:, 4] = "flat: one color is the best that was found"
    assert most_interesting(units, "iam") == 3
    # An even color that nobody called flat, and a unit that hardly ever responds.
    units["image"][:, 3] = 90
    units["mean_activation"][2] = 1e-4
    assert most_interesting(units, "iam") == 1


def test_a_unit_that_waits_for_its_other_image_is_not_opened():
    units = layer()
    units["rendered"][0, 7] = False
    units["status"][0, 7] = "not made yet"
    assert most_interesting(units, "iam") == 6


def test_it_is_that_of_the_objective():
    units = layer()
    units["silent"][1, 7] = True
    assert [most_interesting(units, name) for name in ("am", "iam")] == [7, 6]


def test_without_selectivity_it_is_the_least_replaceable_one():
    units = layer().drop_vars("selectivity")
    units["rs"] = (("objective", "unit"), np.tile(np.float32([5, 4, 3, 0, 2, 2, 1, 1]) / 8, (2, 1)))
    assert most_interesting(units, "iam") == 3


@pytest.mark.parametrize(
    "units",
    [
        make_units(6, 8, images=False),
        make_units(6, 8).drop_vars("image"),
        make_units(3, 8, failed=dict.fromkeys(range(3), "the image held NaN")),
        make_units(3, 8, silent=[0, 1, 2]),
    ],
    ids=["no objective", "no images", "all failed", "all silent"],
)
def test_there_may_be_none(units):
    assert most_interesting(units, "iam") is None
