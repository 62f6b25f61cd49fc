"""What the explorer's page is told of the effects of a film's dimensions."""

import numpy as np
import pytest
import xarray as xr

from tunewidgets.widgets import film_page


@pytest.fixture
def film() -> xr.Dataset:
    names = [f"class {n}" for n in range(10)]
    effect = np.linspace(-1, 1, 10) * np.array([-2, -1, 1, 2])[:, None]
    return xr.Dataset(
        {
            "coordinate": ("point", [-8.0, -1.0, 0.0, 1.0, 8.0]),
            # A distribution of mean 0 and deviation 1.
            "histogram": ("bin", [1.0, 1.0]),
            "bin_edge": ("edge", [-2.0, 0.0, 2.0]),
            "loss_increase": ((), 0.25),
            "loss_increase_se": ((), 0.05),
            "class_effect": (("dose", "cls"), effect),
        },
        {"dose": [-2.0, -1.0, 1.0, 2.0], "cls": names},
    )


def test_classes_change_as_measured_at_the_doses_and_no_more_beyond(film):
    facts = film_page.effect_facts(film)
    assert facts["loss"] == 0.25
    assert facts["lossError"] == 0.05
    assert facts["p"] is None
    names = [each["name"] for each in facts["classes"]]
    assert names == ["class 9", "class 8", "class 7", "class 2", "class 1", "class 0"]
    np.testing.assert_allclose(facts["classes"][0]["change"], [-2, -1, 0, 1, 2])
    np.testing.assert_allclose(facts["classes"][-1]["change"], [2, 1, 0, -1, -2])


def test_what_was_not_measured_is_not_told(film):
    assert film_page.effect_facts(film.drop_vars("loss_increase")) is None
    assert film_page.effect_facts(film.assign(loss_increase=np.nan)) is None
    assert film_page.effect_facts(film.assign(class_effect=film.class_effect * np.nan))["classes"] == []
