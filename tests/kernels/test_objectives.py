"""Objectives: against loops, against torch-lucent's on the same image, and the laws of their arithmetic."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tunewidgets as tw
from tunewidgets.kernels.network.tracing import Values
from tunewidgets.kernels.optimization.directions import DirectionScore
from tunewidgets.kernels.optimization.objectives import as_objective

CPU = torch.device("cpu")
UNITS = 6


def values(seed: int = 0, n: int = 4, units: int = UNITS) -> Values:
    pre = torch.randn(n, units, 5, 5, generator=torch.Generator().manual_seed(seed))
    return Values(pre, pre.relu())


def scores(objective, targets=None, at="post", seed=0, layer=None):
    count = len(objective)
    targets = list(range(count)) if targets is None else targets
    return objective.score(targets, at, CPU)(layer or values(seed, len(targets)))


def test_am_is_the_mean_of_the_units_own_map():
    given_values = values()
    got = scores(tw.AM([3, 0, 5, 1]), layer=given_values)
    expected = [
        sum(max(v, 0) for v in given_values.pre[n, u].flatten().tolist()) / 25
        for n, u in enumerate([3, 0, 5, 1])
    ]
    assert got.tolist() == pytest.approx(expected, rel=1e-5)


def test_iam_takes_off_the_mean_of_the_others():
    given_values = values()
    got = scores(tw.IAM([3, 0, 5, 1]), layer=given_values)
    pooled = given_values.post.mean((2, 3))
    expected = [
        float(pooled[n, u]) - sum(float(pooled[n, j]) for j in range(UNITS) if j != u) / (UNITS - 1)
        for n, u in enumerate([3, 0, 5, 1])
    ]
    assert got.tolist() == pytest.approx(expected, rel=1e-5)


def test_iam_of_a_layer_with_one_unit_is_am():
    alone = values(units=1)
    assert torch.equal(scores(tw.IAM([0] * 4), layer=alone), scores(tw.AM([0] * 4), layer=alone))


@pytest.mark.parametrize("at", ["leaky", "pre", "post"])
def test_where_an_activation_is_optimized(at):
    given_values = values()
    expected = {
        "leaky": given_values.pre.relu(),
        "pre": given_values.pre,
        "post": given_values.pre.relu(),
    }[at][:, 2].mean((1, 2))
    torch.testing.assert_close(scores(tw.AM([2] * 4), at=at, layer=given_values), expected)


def test_a_neuron_is_one_position():
    given_values = values()
    assert torch.equal(scores(tw.Neuron([1] * 4), layer=given_values), given_values.post[:, 1, 2, 2])
    assert torch.equal(
        scores(tw.Neuron([1] * 4, at=(4, 0)), layer=given_values), given_values.post[:, 1, 4, 0]
    )
    with pytest.raises(ValueError, match="there is no position"):
        scores(tw.Neuron([1] * 4, at=(5, 0)), layer=given_values)


def test_cosine_equals_lucents_direction_on_the_same_image(bank, bank_probe):
    from lucent.optvis import objectives

    vector = torch.rand(28, generator=torch.Generator().manual_seed(3))
    image = torch.rand(1, 3, 64, 64)
    layer = bank_probe(image)
    lucent = -objectives.direction("relu", vector)(lambda name: layer)
    ours = tw.Direction(vector[None], mode="cosine").score([0], "post", CPU)(Values(layer, layer))
    assert float(ours) == pytest.approx(float(lucent), abs=1e-5)


def test_dot_cosine_against_a_loop():
    given_values = values(n=1)
    target = np.array([0.3, 0.0, 1.0, 0.2, 0.0, 0.7])
    unit = target / np.linalg.norm(target)
    total = 0.0
    for y in range(5):
        for x in range(5):
            a = given_values.post[0, :, y, x].double().numpy()
            dot = float(a @ unit)
            cos = dot / np.sqrt(float(a @ a) + 1e-4)
            total += dot * max(cos, 0.05) ** 3
    assert float(scores(tw.Direction(target[None]), layer=given_values)) == pytest.approx(
        total / 25, rel=1e-5
    )


def test_a_direction_does_not_depend_on_its_length():
    vectors = torch.rand(4, UNITS)
    for mode in ("cosine", "dot_cosine"):
        torch.testing.assert_close(
            scores(tw.Direction(vectors, mode)), scores(tw.Direction(vectors * 7, mode))
        )


def test_a_direction_is_made_of_whatever_holds_numbers():
    numbers = np.random.default_rng(0).random((4, UNITS), dtype=np.float32)
    expected = torch.tensor(numbers)
    # A network's own weights, and an array whose rows were turned round.
    weights = torch.nn.Parameter(expected.clone())
    for vectors in (weights, numbers[::-1].copy()[::-1], numbers.tolist()):
        torch.testing.assert_close(tw.Direction(vectors).vectors, expected)
    goal = tw.Direction(weights)
    with torch.no_grad():
        weights.mul_(2)
    torch.testing.assert_close(goal.vectors, expected)


def test_a_direction_at_one_position_reads_only_that():
    given_values = values()
    changed = Values(given_values.pre.clone(), given_values.post.clone())
    changed.post[:, :, 0, 0] += 5
    objective = tw.Direction(torch.rand(4, UNITS), at="center")
    assert torch.equal(scores(objective, layer=given_values), scores(objective, layer=changed))


def test_strings_and_lucent_objectives_give_the_same_value(bank_probe):
    from lucent.optvis import objectives

    layer = bank_probe(torch.rand(2, 3, 64, 64))
    both = Values(layer, layer)
    own = tw.AM([4, 9]).score([0, 1], "post", CPU)(both)
    named = as_objective(["relu:4", "relu:9"]).score([0, 1], "post", CPU)(both)
    lucent = as_objective([objectives.channel("relu", 4), objectives.channel("relu", 9)])
    lucent.check(bank_probe)
    torch.testing.assert_close(named, own)
    torch.testing.assert_close(lucent.score([0, 1], "post", CPU)(both), own)


def test_a_lucent_objective_of_another_layer_is_refused(bank_probe):
    from lucent.optvis import objectives

    elsewhere = as_objective(objectives.channel("filters", 4))
    with pytest.raises(ValueError, match="asks for layer 'filters', but the probe stops at 'relu'"):
        elsewhere.check(bank_probe)


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda a: a[:, 0].mean(), "not subscriptable"),
        (lambda a: a("relu"), "gives shape .* in place of one number"),
        (lambda a: 3, "gives an int for one image in place of one number"),
    ],
)
def test_a_function_that_is_no_objective_is_refused(bank_probe, function, sentence):
    with pytest.raises(TypeError, match=sentence):
        as_objective(function).check(bank_probe)


@pytest.mark.parametrize(
    "at", [(1, 2), [1, 2], np.array([1, 2]), (np.int64(1), np.uint8(2)), torch.tensor([1, 2])]
)
def test_a_place_is_a_pair_of_whole_numbers_of_any_kind(at):
    given_values = values()
    neuron = scores(tw.Neuron([1] * 4, at=at), layer=given_values)
    assert torch.equal(neuron, given_values.post[:, 1, 1, 2])
    vectors = torch.rand(4, UNITS)
    here, there = (tw.Direction(vectors, at=place) for place in (at, (1, 2)))
    assert here.identity() == there.identity()
    assert torch.equal(scores(here, layer=given_values), scores(there, layer=given_values))


def test_places_count_from_the_end_too_and_none_lies_beyond():
    given_values = values()
    last = scores(tw.Neuron([1] * 4, at=(-1, -1)), layer=given_values)
    assert torch.equal(last, given_values.post[:, 1, -1, -1])
    with pytest.raises(ValueError, match="there is no position"):
        scores(tw.Neuron([1] * 4, at=(-99, 0)), layer=given_values)
    flat = Values(*[torch.rand(4, UNITS)] * 2)
    with pytest.raises(ValueError, match="has no map"):
        scores(tw.Neuron([1] * 4, at=(0, 0)), layer=flat)


def test_numbers_multiply_from_either_side():
    given_values = values()
    once = scores(tw.AM([1] * 4), layer=given_values)
    for two in (2, 2.0, np.float64(2), np.array(2)):
        for doubled in (two * tw.AM([1] * 4), tw.AM([1] * 4) * two):
            torch.testing.assert_close(scores(doubled, layer=given_values), 2 * once)


@settings(max_examples=25, deadline=None)
@given(
    a=st.floats(-3, 3),
    b=st.floats(-3, 3),
    unit=st.integers(0, UNITS - 1),
    other=st.integers(0, UNITS - 1),
    seed=st.integers(0, 99),
)
def test_arithmetic_of_objectives_is_arithmetic_of_scores(a, b, unit, other, seed):
    first, second = tw.AM([unit] * 4), tw.IAM([other] * 4)
    x, y = scores(first, seed=seed), scores(second, seed=seed)
    torch.testing.assert_close(scores(a * first + second * b, seed=seed), a * x + b * y)
    torch.testing.assert_close(scores(first - second, seed=seed), x - y)
    torch.testing.assert_close(scores(-first / 2, seed=seed), -x / 2)


def test_one_target_joins_many():
    many, one = tw.AM([0, 1, 2, 3]), tw.AM([5])
    torch.testing.assert_close(scores(many - one), scores(many) - scores(tw.AM([5] * 4)))
    assert (many - one).names() == [
        "1*AM 0 + -1*AM 5",
        "1*AM 1 + -1*AM 5",
        "1*AM 2 + -1*AM 5",
        "1*AM 3 + -1*AM 5",
    ]


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(range(4)), seed=st.integers(0, 99))
def test_a_score_follows_its_target_not_its_place(order, seed):
    objective = tw.IAM([5, 0, 3, 2])
    layer = values(seed)
    shuffled = Values(layer.pre[order], layer.post[order])
    assert torch.equal(
        objective.score(order, "leaky", CPU)(shuffled),
        objective.score(range(4), "leaky", CPU)(layer)[list(order)],
    )


@pytest.mark.parametrize(
    ("make", "error", "sentence"),
    [
        (lambda: tw.AM([]), ValueError, "such as range"),
        (lambda: tw.AM([0.5]), ValueError, "such as range"),
        (lambda: tw.AM([1, 2]) + tw.AM([1, 2, 3]), ValueError, "2 and 3 targets cannot be combined"),
        (lambda: tw.Direction(np.zeros((1, 4))), ValueError, "has no direction"),
        (lambda: tw.Direction(np.full((1, 4), np.nan)), ValueError, "finite numbers"),
        (lambda: tw.Direction(np.eye(4), mode="dot"), ValueError, "choose 'dot_cosine' or 'cosine'"),
        (lambda: tw.Neuron([1], at="left"), ValueError, "'center' or"),
        (lambda: as_objective("relu"), ValueError, "write 'layer:unit'"),
        (lambda: tw.Neuron([1], at=(1.0, 2.0)), ValueError, "'center' or"),
        (lambda: tw.Neuron([1], at=(True, False)), ValueError, "'center' or"),
        (lambda: tw.Neuron([1], at=np.zeros((2, 2), int)), ValueError, "'center' or"),
        (lambda: tw.Direction(np.eye(4), at="corner"), ValueError, "'everywhere', 'center' or"),
        (lambda: tw.Direction("abc"), TypeError, "a str that holds no table of real numbers"),
        (lambda: tw.Direction([["a"] * 8]), TypeError, "no table of real numbers"),
        (lambda: tw.Direction(None), TypeError, "NoneType that holds no table"),
        (lambda: tw.Direction([[1.0, 2.0], [3.0]]), TypeError, "no table of real numbers"),
        (lambda: tw.Direction(np.eye(4) * 1j), TypeError, "kind is complex128"),
        (lambda: tw.Direction(torch.eye(4) * 1j), TypeError, "kind is torch.complex64"),
        (lambda: tw.Direction(np.zeros((0, 8))), ValueError, "give at least one"),
        (lambda: tw.AM(0) + 5, TypeError, "give another objective"),
        (lambda: 5 - tw.AM(0), TypeError, "give another objective"),
        (lambda: tw.AM(0) - None, TypeError, "give another objective"),
        (lambda: tw.AM([0, 1]) * np.array([1, 2]), TypeError, "give one number for all"),
        (lambda: np.array([1, 2]) * tw.AM([0, 1]), TypeError, "give one number for all"),
        (lambda: tw.AM(0) * tw.AM(1), TypeError, "give one number for all"),
        (lambda: tw.AM(0) * "2", TypeError, "give one number for all"),
        (lambda: tw.AM(0) * np.nan, ValueError, "give a finite number"),
        (lambda: tw.AM(0) / np.inf, ValueError, "give a finite number"),
        (lambda: tw.AM(0) / 0, ValueError, "divided by 0"),
        (lambda: as_objective(3), TypeError, "give tw.AM"),
        (lambda: as_objective(tw.AM), TypeError, "the class AM; give tw.AM"),
        (lambda: as_objective([tw.AM, tw.IAM]), TypeError, "the class AM; give tw.AM"),
    ],
)
def test_what_is_no_objective_is_refused(make, error, sentence):
    with pytest.raises(error, match=sentence):
        make()


@pytest.mark.parametrize(
    ("objective", "sentence"),
    [
        (tw.AM([28]), "units 0 to 27; there is no unit 28"),
        (tw.AM([-1]), "there is no unit -1"),
        (tw.Direction(np.eye(5)), "5 columns and layer 'relu' has 28 units"),
        (tw.AM([3]) + tw.AM([99]), "there is no unit 99"),
        ("filters:3", "'filters:3' is a unit of layer 'filters', but the probe stops at 'relu'"),
        (["relu:3", "filters:3"], "make the probe there"),
    ],
)
def test_targets_that_the_layer_does_not_have(bank_probe, objective, sentence):
    with pytest.raises(ValueError, match=sentence):
        tw.visualize(bank_probe, objective, progress=False)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint64"])
def test_numbers_of_units_are_of_any_kind(dtype):
    values = Values(*[torch.rand(2, UNITS, 3, 3)] * 2)
    for kind in (tw.AM, tw.IAM, tw.Neuron):
        own = kind(np.array([3, 1], dtype)).score([0, 1], "post", CPU)(values)
        torch.testing.assert_close(own, kind([3, 1]).score([0, 1], "post", CPU)(values))


@pytest.mark.parametrize("mode", ["cosine", "dot_cosine"])
def test_a_directions_gradient_is_that_of_automatic_differentiation(mode):
    activations = torch.rand(3, UNITS, 7, dtype=torch.float64, requires_grad=True)
    wanted = torch.nn.functional.normalize(torch.rand(3, UNITS, dtype=torch.float64), dim=1)

    def naive(a):
        dot = torch.einsum("nup,nu->np", a, wanted)
        if mode == "cosine":
            return (dot / a.norm(dim=1)).mean(1)
        return (dot * (dot / (a.square().sum(1) + 1e-4).sqrt()).clamp(min=0.05) ** 3).mean(1)

    weights = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    (expected,) = torch.autograd.grad(naive(activations) @ weights, activations)
    (got,) = torch.autograd.grad(DirectionScore.apply(activations, wanted, mode) @ weights, activations)
    torch.testing.assert_close(got, expected)


def test_pythons_sum_of_objectives_is_their_sum():
    one, two = tw.AM([0]), tw.AM([1])
    probe = tw.Probe(tw.zoo.gabor_bank(n=4), "relu", device="cpu")
    options = {"size": 16, "steps": 3, "progress": False}
    of_sum, added = (tw.visualize(probe, each, **options) for each in (sum([one, two]), one + two))
    np.testing.assert_array_equal(of_sum.image, added.image)
