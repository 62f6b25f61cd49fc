"""The cheap paths give the numbers of the ordinary ones, values and gradients, on all geometries they take."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tunewidgets.kernels.network.fastpaths import FastPaths


def both_ways(function, x):
    """Value and gradient of `function` at `x`, with and without the cheap paths."""
    results = []
    for mode in (FastPaths(), None):
        leaf = x.clone().requires_grad_()
        if mode is None:
            value = function(leaf)
        else:
            with mode:
                value = function(leaf)
        weights = torch.linspace(-1, 1, value.numel()).view_as(value)
        (gradient,) = torch.autograd.grad((value * weights).sum(), leaf)
        results.append((type(value.grad_fn).__name__, value.detach(), gradient))
    return results


@settings(max_examples=30, deadline=None)
@given(
    channels=st.integers(1, 4), kernel=st.sampled_from([1, 2, 3, 7]), stride=st.integers(1, 3),
    padding=st.integers(0, 3), dilation=st.integers(1, 2), bias=st.booleans(), units=st.sampled_from([5, 16]),
)  # fmt: skip
def test_convolutions_over_few_channels(channels, kernel, stride, padding, dilation, bias, units):
    torch.manual_seed(0)
    conv = nn.Conv2d(channels, units, kernel, stride, padding, dilation, bias=bias)
    (name, value, gradient), (_, expected, expected_gradient) = both_ways(
        conv, torch.randn(2, channels, 17, 19)
    )
    assert name == "FewChannelConvBackward"
    torch.testing.assert_close(value, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(gradient, expected_gradient, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("units", "channels_last"), [(5, False), (16, True)])
def test_maps_of_many_channels_come_with_channels_last(units, channels_last):
    conv = nn.Conv2d(3, units, 3)
    with FastPaths():
        maps = conv(torch.zeros(1, 3, 9, 9).requires_grad_())
    assert maps.is_contiguous() != channels_last
    assert maps.is_contiguous(memory_format=torch.channels_last) == channels_last


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("beta", [0.75, 0.5])
def test_local_response_normalization(size, beta):
    x = torch.randn(2, 9, 5, 6, generator=torch.Generator().manual_seed(0)) * 3
    (name, value, gradient), (_, expected, expected_gradient) = both_ways(
        lambda v: F.local_response_norm(v, size, alpha=0.3, beta=beta, k=2.0), x
    )
    assert name == "ResponseNormBackward"
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, expected_gradient)


@pytest.mark.parametrize("channels", [8, 16])
@pytest.mark.parametrize("pool", [nn.MaxPool2d(3, 2, ceil_mode=True), lambda x: torch.max_pool2d(x, 2)])
def test_pooling_and_what_comes_after_it(pool, channels):
    torch.manual_seed(0)
    after = nn.Conv2d(channels, 5, 3)
    x = torch.randn(2, channels, 11, 12)
    (_, value, gradient), (_, expected, expected_gradient) = both_ways(lambda v: after(pool(v)), x)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, expected_gradient)
    assert gradient.is_contiguous()
    with FastPaths():
        assert pool(x).is_contiguous() == (channels < 16)


@pytest.mark.parametrize(
    ("module", "channels"),
    [(nn.Conv2d(8, 4, 3), 8), (nn.Conv2d(4, 4, 3, groups=2), 4), (nn.Conv2d(3, 4, 3, padding="same"), 3)],
)
def test_what_they_do_not_take_is_left_alone(module, channels):
    (name, value, gradient), (plain, expected, expected_gradient) = both_ways(
        module, torch.randn(2, channels, 9, 9)
    )
    assert name == plain
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, expected_gradient)
