"""What a population of filters says of a dimension: analytic cases, slow references, the ways to lie."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunewidgets import TuningDimensions, zoo
from tunewidgets.derived.statistics import share_interval
from tunewidgets.kernels.gabor.lines import equal_angles, on_lines
from tunewidgets.kernels.gabor.nulls import (
    bootstrap_mean,
    holm,
    label_null,
    p_value,
    permuted,
    rotated_axes,
    rotation_null,
)
from tunewidgets.kernels.reading.attributes import ATTRIBUTES, columns_of, embed, points_of
from tunewidgets.kernels.reading.image_readout import image_readout
from tunewidgets.kernels.reading.readout import (
    explained,
    population_vector,
    readout_curves,
    smoothness,
    smoothnesses,
    sweep,
    sweeps,
)
from tunewidgets.kernels.tuning.points import place_points

angles = st.floats(-10, 10)


@pytest.fixture(scope="module")
def embedding():
    return embed(zoo.gabor_bank(seed=3).attributes)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.05, 0.5), angles, angles)
def test_both_ways_of_writing_a_filter_are_one_point(frequency, angle, phase):
    one, other = (
        points_of(np.array([frequency]), np.array([a]), np.array([p]))
        for a, p in ((angle, phase), (angle + np.pi, -phase))
    )
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_a_bank_is_centered_and_of_total_variance_one_by_attribute(embedding):
    np.testing.assert_allclose(embedding.values.mean(0), 0, atol=1e-12)
    for columns in map(columns_of, ATTRIBUTES):
        assert embedding.values[:, columns].var(0).sum() == pytest.approx(1)
    table = zoo.gabor_bank(seed=3).attributes
    np.testing.assert_allclose(
        embedding.natural(embedding.values), points_of(*(table[name].to_numpy() for name in ATTRIBUTES))
    )


def test_an_attribute_that_no_filter_differs_in_is_refused():
    table = pd.DataFrame({"frequency": [0.2, 0.2], "angle": [0.0, 1.0], "phase": [1.0, 2.0]})
    with pytest.raises(ValueError, match="all 2 filters of the bank have the same frequency"):
        embed(table)
    with pytest.raises(ValueError, match=r"attributes lack angle; give a table"):
        embed(table.drop(columns="angle"))


def test_the_population_vector_is_the_weighted_mean_of_those_that_answer():
    values = np.random.default_rng(0).normal(size=(5, 6))
    targets = np.array([[1.0, 0, 3, 0, -9], [0, 0, 0, 0, 2]])
    expected = np.stack([(values[0] + 3 * values[2]) / 4, values[4]])
    np.testing.assert_allclose(population_vector(targets, values), expected)
    np.testing.assert_allclose(population_vector(targets * 7, values), expected)


def test_a_point_that_asks_for_nothing_says_what_its_neighbor_says():
    values = np.eye(3)
    targets = np.array([[0.0, 0, 0], [-1, -2, -1], [1, 0, 0], [0, 0, 0], [0, 1, 0]])
    np.testing.assert_allclose(population_vector(targets, values).argmax(1), [0, 0, 0, 0, 1])
    silent = population_vector(np.zeros((4, 3)), values)
    np.testing.assert_allclose(silent, 1 / 3)


def test_sweep_and_smoothness_of_a_line_a_half_circle_and_a_walk_back_and_forth():
    t = np.linspace(0, 1, 400)
    line = np.stack([3 * t, 4 * t], axis=1)
    assert (sweep(line), smoothness(line)) == (pytest.approx(5), pytest.approx(1))
    half = np.stack([np.cos(np.pi * t), np.sin(np.pi * t)], axis=1)
    assert (sweep(half), smoothness(half)) == (pytest.approx(2), pytest.approx(2 / np.pi, rel=1e-4))
    zigzag = np.tile([[0.0], [1.0]], (8, 1))
    assert (sweep(zigzag), smoothness(zigzag)) == (1, pytest.approx(1 / 15))
    assert smoothness(np.ones((4, 2))) == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 3))
def test_sweep_is_the_largest_distance_of_all_pairs(seed, columns):
    curve = np.random.default_rng(seed).normal(size=(7, columns))
    assert sweep(curve) == pytest.approx(max(np.linalg.norm(a - b) for a in curve for b in curve))


def test_r2_is_that_of_a_regression_with_intercept(embedding):
    loadings = np.random.default_rng(1).normal(size=28)
    for row, name in enumerate(ATTRIBUTES):
        design = np.column_stack([np.ones(28), embedding.values[:, columns_of(name)]])
        residual = loadings - design @ np.linalg.lstsq(design, loadings, rcond=None)[0]
        expected = 1 - residual.var() / loadings.var()
        assert explained(loadings[None], embedding.values[None])[row, 0, 0] == pytest.approx(expected)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_points_on_lines_are_equal_angles_apart(seed):
    rng = np.random.default_rng(seed)
    base, direction = rng.normal(size=6) + 0.5, rng.normal(size=(1, 6))
    ends = np.array([-rng.exponential()]), np.array([rng.exponential()])
    placed = equal_angles(base, direction, *ends, 9)
    fine = np.linspace(ends[0][0], ends[1][0], 40_001)
    vectors = np.maximum(base + fine[:, None] * direction, 0)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if (lengths < 1e-3).any():
        return
    turn = np.linalg.norm(np.diff(vectors / lengths, axis=0), axis=1)
    turned = np.concatenate([[0], np.cumsum(turn)])
    expected = np.interp(np.linspace(0, turned[-1], 9), turned, fine)
    reached = np.interp(placed[0], fine, turned)
    np.testing.assert_allclose(reached, np.interp(expected, fine, turned), atol=2e-3 * turned[-1] + 1e-9)
    assert (np.diff(placed) >= 0).all()


def test_points_on_lines_are_those_of_a_film():
    vectors = np.random.default_rng(0).exponential(size=(300, 8)).astype("float32")
    dimensions = TuningDimensions("pca", 3).fit(vectors)
    ends = dimensions.score_quantiles_[:, [0, -1]].T
    placed = equal_angles(dimensions.mean_, dimensions.components_, *ends, 32)
    for index in range(3):
        film = place_points(dimensions, index, 32, "arc", "mean")
        np.testing.assert_allclose(placed[index], film.coordinates, atol=2e-3 * np.ptp(film.coordinates))
        np.testing.assert_allclose(
            on_lines(dimensions.mean_, dimensions.components_, placed)[index], film.targets, atol=0.02
        )


def test_a_line_that_never_turns_has_equal_steps():
    placed = equal_angles(np.zeros(3), np.array([[1.0, 2.0, 0.0]]), np.zeros(1), np.ones(1), 5)
    np.testing.assert_allclose(placed[0], np.linspace(0, 1, 5))


def test_the_label_null_is_a_loop_over_permuted_filters(embedding):
    rng = np.random.default_rng(0)
    targets, base = rng.normal(size=(2, 5, 28)), rng.normal(size=28)
    targets[1] *= np.linspace(0.1, 2, 5)[:, None]
    labels = permuted(embedding, 4, rng)
    null, average = label_null(targets, base, embedding, labels)

    def curve(one, order):
        answered = np.maximum(one, 0)
        kept = np.maximum(base, 0)
        said = [kept @ embedding.values + (row - kept) @ order for row in answered]
        return np.array(said) / answered.sum(axis=1, keepdims=True)

    for row, name in enumerate(ATTRIBUTES):
        drawn = np.array(
            [[sweep(curve(one, order)[:, columns_of(name)]) for one in targets] for order in labels]
        )
        np.testing.assert_allclose(average[row], drawn.mean(axis=0))
        np.testing.assert_allclose(null[row], (drawn / drawn.mean(axis=0)).max(axis=1))
    for order in labels:
        assert sorted(map(tuple, order)) == sorted(map(tuple, embedding.values))


def test_answering_more_in_all_is_no_tuning_however_unequally_the_base_answers(embedding):
    # Low frequencies answer most, as to natural images; along the dimension all filters answer more.
    base = np.exp(-1.5 * embedding.values[:, 0])
    targets = base + np.linspace(0, 3, 32)[None, :, None] * np.ones(28)
    labels = permuted(embedding, 199, np.random.default_rng(0))
    observed = sweeps(readout_curves(targets, embedding))
    null, average = label_null(targets, base, embedding, labels)
    assert (p_value(null, observed / average) > 0.3).all()
    # Labels permuted in the base too would call it frequency.
    null, average = label_null(targets, np.zeros(28), embedding, labels)
    assert p_value(null, observed / average)[0, 0] == 1 / 200


def test_a_dimension_that_goes_far_does_not_hide_one_that_goes_right(embedding):
    rng = np.random.default_rng(0)
    far = rng.exponential(size=(1, 6, 28)) * 5
    small = 1 + 0.2 * np.linspace(-1, 1, 6)[:, None] * np.sign(embedding.values[:, 0])
    targets = np.concatenate([far, small[None]])
    null, average = label_null(targets, np.ones(28), embedding, permuted(embedding, 199, rng))
    observed = sweeps(readout_curves(targets, embedding))
    assert p_value(null, observed / average)[0, 1] == pytest.approx(1 / 200)
    assert observed[0, 1] < np.median((null * average[:, :1])[0])


def test_a_dimension_that_stays_where_it_is_passes_for_nothing(embedding):
    rng = np.random.default_rng(0)
    targets = np.tile(rng.exponential(size=28), (1, 5, 1))
    null, average = label_null(targets, targets[0, 0], embedding, permuted(embedding, 19, rng))
    np.testing.assert_array_equal(average, 1)
    np.testing.assert_array_equal(p_value(null, sweeps(readout_curves(targets, embedding)) / average), 1)


def test_rotations_are_orthogonal_and_uniform():
    axes = rotated_axes(3, 4000, np.random.default_rng(0))
    np.testing.assert_allclose(axes @ axes.transpose(0, 2, 1), np.tile(np.eye(3), (4000, 1, 1)), atol=1e-12)
    # A coordinate of a uniform point on the sphere is uniform in [-1, 1] (Archimedes).
    assert np.abs(np.quantile(axes[:, 0, 0], [0.25, 0.5, 0.75]) - [-0.5, 0, 0.5]).max() < 0.05
    assert abs((np.linalg.det(axes) > 0).mean() - 0.5) < 0.03


def test_in_one_dimension_every_rotation_is_the_axis_itself(embedding):
    rng = np.random.default_rng(0)
    vectors = rng.exponential(size=(500, 28))
    dimensions = TuningDimensions("pca", 1).fit(vectors)
    null = rotation_null(vectors, dimensions.components_, dimensions.mean_, embedding, 32, 7, rng, "sweep")
    targets = place_points(dimensions, 0, 32, "arc", "mean").targets
    own = sweeps(readout_curves(targets[None], embedding))
    np.testing.assert_allclose(null, np.tile(own, (1, 7)), rtol=0.01)


def test_p_counts_draws_that_are_as_large_and_ties():
    null = np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]])
    np.testing.assert_allclose(p_value(null, np.array([[0.0, 1.0], [3.0, 9.0]])), [[1, 0.25], [0.5, 0.25]])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_holm_rejects_what_the_step_down_procedure_rejects(p):
    for alpha in (0.01, 0.05, 0.3):
        rejected = np.zeros(3, bool)
        for step, index in enumerate(np.argsort(p, kind="stable")):
            if p[index] * (3 - step) > alpha:
                break
            rejected[index] = True
        np.testing.assert_array_equal(holm(np.array(p)) <= alpha, rejected)


def test_intervals_over_seeds():
    low, high = share_interval(np.array([0, 10, 20, 0]), np.array([20, 20, 20, 0]))
    np.testing.assert_allclose(low[:3], [0, 0.272, 0.832], atol=1e-3)
    np.testing.assert_allclose(high[:3], [0.168, 0.728, 1], atol=1e-3)
    assert np.isnan([low[3], high[3]]).all()
    values = np.random.default_rng(0).normal(size=(400, 1))
    ends = bootstrap_mean(values, np.random.default_rng(1))[:, 0]
    np.testing.assert_allclose(
        ends - values.mean(), [-1.96 * values.std() / 20, 1.96 * values.std() / 20], rtol=0.1
    )
    assert np.isnan(bootstrap_mean(values[:1], np.random.default_rng(1))).all()


def factorial_bank(offset):
    """Four frequencies, angles and phases in all combinations: knowing one attribute tells nothing of the others."""
    steps = np.arange(4) / 4
    grid = np.meshgrid(
        np.geomspace(0.09, 0.3, 4), np.pi * (steps + offset / 4), 2 * np.pi * (steps + offset / 3)
    )
    return pd.DataFrame({name: values.ravel() for name, values in zip(ATTRIBUTES, grid, strict=True)})


def template(attribute, table, start):
    """Filters answer the more, the nearer their attribute is to one that moves, whatever their others are."""
    t = np.linspace(0, 1, 32)[:, None]
    own = table[attribute].to_numpy()
    if attribute == "frequency":
        return np.exp(-(np.log2(own / (0.09 * (0.3 / 0.09) ** t)) ** 2) / (2 * 0.4**2))
    period = np.pi if attribute == "angle" else 2 * np.pi
    return np.exp(2 * np.cos(2 * np.pi * ((own - start) / period - t / 3)))


def recovered(targets, embedding, seed):
    """Which attributes targets `(points, units)` recover, as a whole-row claim."""
    labels = permuted(embedding, 199, np.random.default_rng(seed))
    null, average = label_null(targets[None], np.zeros(len(labels[0])), embedding, labels)
    curves = readout_curves(targets[None], embedding)
    p = holm(p_value(null, sweeps(curves) / average)[:, 0])
    found = (p <= 0.05) & (smoothnesses(curves)[:, 0] >= 0.65)
    return [name for name, yes in zip(ATTRIBUTES, found, strict=True) if yes]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_a_template_swept_through_one_attribute_recovers_that_and_no_other(attribute, seed):
    table = factorial_bank(seed / 4)
    assert recovered(template(attribute, table, 0.4 * seed), embed(table), seed) == [attribute]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_a_template_is_recovered_in_random_banks_too(attribute, seed):
    table = zoo.gabor_bank(seed=seed).attributes
    assert attribute in recovered(template(attribute, table, 0.4 * seed), embed(table), seed)


def wave(frequency, angle, phase, size=64):
    """A grating with a second harmonic: bright lines on dark where `phase` is 0."""
    y, x = np.mgrid[:size, :size]
    along = 2 * np.pi * frequency * (x * np.cos(angle) + y * np.sin(angle))
    gray = 0.5 + 0.15 * np.cos(along) + 0.07 * np.cos(2 * along + phase)
    return np.repeat(gray[:, :, None], 3, axis=2)


@pytest.mark.parametrize("size", [48, 64])
def test_pictures_of_gratings_are_read_as_they_were_made(size):
    for cycles in [(8, 0), (6, 6), (0, 9), (-7, 4)]:
        u, v = np.array(cycles) / size
        y, x = np.mgrid[:size, :size]
        gray = 0.5 + 0.2 * np.cos(2 * np.pi * (u * x + v * y) + 1)
        read = image_readout(np.repeat(gray[:, :, None], 3, axis=2))
        theta = np.arctan2(v, u)
        np.testing.assert_allclose(
            read[:3], [np.log2(np.hypot(u, v)), np.cos(2 * theta), np.sin(2 * theta)], atol=1e-9
        )
        np.testing.assert_allclose(read[3:], 0, atol=1e-9)


def test_pictures_tell_bright_lines_from_dark_ones_and_which_way_edges_fall():
    bright, dark = wave(1 / 8, 0, 0), 1 - wave(1 / 8, 0, 0)
    assert image_readout(bright)[3] > 0.3
    np.testing.assert_allclose(image_readout(dark)[3:], -image_readout(bright)[3:], atol=1e-9)
    x = np.arange(64)
    saw = 0.3 + 0.4 * (x % 8 / 8)  # rises slowly, falls at once
    falling = np.repeat(np.tile(saw, (64, 1))[:, :, None], 3, axis=2)
    read = image_readout(falling)
    assert read[4] > 0.3
    assert abs(read[5]) < 1e-9
    np.testing.assert_allclose(image_readout(falling[:, ::-1])[4], -read[4])
    turned = image_readout(np.rot90(falling))
    assert abs(turned[4]) < 1e-9
    assert abs(turned[5]) == pytest.approx(read[4])


@pytest.mark.parametrize(("angle", "phase"), [(0.3, -np.pi / 2), (0.3, np.pi / 2), (1.9, 0), (2.5, np.pi)])
def test_the_picture_of_a_gabor_is_read_as_the_filter_is_embedded(angle, phase):
    y, x = np.mgrid[-16:16, -16:16]
    along = x * np.cos(angle) + y * np.sin(angle)
    gray = 0.5 + 0.3 * np.exp(-(x**2 + y**2) / 32) * np.cos(2 * np.pi * 0.15 * along + phase)
    read = image_readout(np.repeat(gray[:, :, None], 3, axis=2))
    expected = points_of(np.array([0.15]), np.array([angle]), np.array([phase]))[0]
    assert abs(read[0] - expected[0]) < 0.4
    assert read[1:3] @ expected[1:3] > 0.5
    assert read[3:] @ expected[3:] > 0.8 * np.linalg.norm(read[3:])


def test_uint8_floats_and_batches_read_alike_and_an_empty_picture_is_neutral():
    pictures = np.random.default_rng(0).integers(0, 256, (2, 3, 32, 32, 3), dtype=np.uint8)
    read = image_readout(pictures)
    assert read.shape == (2, 3, 6)
    np.testing.assert_allclose(read[1, 2], image_readout(pictures[1, 2] / 255))
    np.testing.assert_allclose(image_readout(np.full((32, 32, 3), 0.5))[1:], 0)
    with pytest.raises(ValueError, match="hold no frequency between"):
        image_readout(np.zeros((2, 2, 3)))
