"""Axes of units: values that lie crowded near 0 are spread, and ticks say what is there."""

import math

import numpy as np
import pytest

from tunewidgets.derived.unit_axes import axis_of, most_common, place, scale_of

# RS of a deep layer of 192 units: most images are exceeded by one unit or two.
DEEP = np.array([0] * 60 + [1] * 50 + [2] * 40 + [5] * 30 + [90] * 12) / 192


def value(text: str) -> float:
    plain = text.replace("−", "-")
    return float(plain[:-1]) / 100 if plain.endswith("%") else float(plain)


def test_a_deep_layer_is_spread():
    assert scale_of(DEEP, "share") == "root"
    axis = axis_of(DEEP, "share", "root")
    low, high = axis.range
    along = [(place(v, "root") - low) / (high - low) for v in np.unique(DEEP)]
    assert min(along) > 0
    assert max(along) < 1
    # One unit of 192 is far from none, where a plain axis has them 1% apart.
    assert along[1] - along[0] > 0.08


@pytest.mark.parametrize(
    ("values", "kind", "scale"),
    [
        (np.linspace(0, 1, 50), "share", "linear"),
        (np.geomspace(1e-3, 1, 50), "number", "log"),
        (np.geomspace(1e-3, 1, 50), "share", "root"),
        (np.zeros(9), "share", "linear"),
        (np.full(9, 3), "count", "linear"),
        (np.full(9, np.nan), "share", "linear"),
        (np.array([]), "number", "linear"),
        (np.array([0, 0, 1, 190]), "count", "root"),
        (np.array([-0.01, 0, 0.002, 0.3]), "percent", "root"),
        (np.array([0, 0, 0, 9]), "class", "linear"),
    ],
)
def test_each_column_has_the_scale_that_spreads_it(values, kind, scale):
    assert scale_of(values, kind) == scale


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (DEEP, "share"),
        (np.array([-0.2, -0.01, 0, 0.002, 0.3]), "percent"),
        (np.array([0, 0, 1, 190]), "count"),
        (np.array([1e-7, 2e-7, 1e-5]), "number"),
        (np.array([5.0, 6.0, 4000.0]), "number"),
    ],
)
def test_ticks_stand_where_their_value_does(values, kind):
    axis = axis_of(values, kind, "root")
    assert len(axis.ticks) >= 3
    for at, text in axis.ticks:
        assert math.copysign(at * at, at) == pytest.approx(value(text))
        assert axis.range[0] <= at <= axis.range[1]
    apart = np.diff([at for at, _ in axis.ticks])
    assert apart.min() >= 0.08 * (axis.range[1] - axis.range[0]) * (1 - 1e-9)
    if kind == "count":
        assert all(value(text) == int(value(text)) for _, text in axis.ticks)


def test_a_column_of_one_value_is_no_axis_for_a_layer():
    deep = np.zeros(192)
    deep[:9] = np.arange(1, 10) / 192
    assert most_common(deep) == (0, 183)
    assert not axis_of(deep, "share", "root").varied
    deep[9] = 0.5
    assert axis_of(deep, "share", "root").varied
    # Units without a value yet don't count as alike.
    assert axis_of(np.full(9, np.nan), "share", "linear").varied
    assert most_common(np.array([np.nan])) == pytest.approx((np.nan, 0), nan_ok=True)
