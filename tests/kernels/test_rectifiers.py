"""Rectifiers that leak backward: exact forward, exact where their own slope is not 0, and nothing left behind."""

import threading
from contextlib import nullcontext

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint
from torchvision import models

import tunewidgets as tw
from tunewidgets.kernels.canvas.canvases import make_canvas
from tunewidgets.kernels.network.rectifiers import SLOPE, LeakingRectifiers
from tunewidgets.kernels.network.tracing import evaluating
from tunewidgets.kernels.optimization.loop import network_values
from tunewidgets.kernels.optimization.scores import pooled, staged

aten = torch.ops.aten
MODULES = {
    repr(module): module
    for module in (
        nn.ReLU(), nn.ReLU(inplace=True), nn.ReLU6(), nn.ReLU6(inplace=True),
        nn.Hardtanh(-2, 1), nn.Hardtanh(-2, 1, inplace=True),
        nn.Threshold(0.5, 0.25), nn.Threshold(0.5, 0.25, inplace=True),
    )
} | {
    "Hardsigmoid": nn.Hardsigmoid(), "Hardsigmoid in place": nn.Hardsigmoid(inplace=True),
    "Hardswish": nn.Hardswish(), "Hardswish in place": nn.Hardswish(inplace=True),
}  # fmt: skip
FUNCTIONS = {
    "F.relu": F.relu,
    "F.relu(True)": lambda x: F.relu(x, True),
    "F.relu(inplace=)": lambda x: F.relu(input=x, inplace=True),
    "torch.relu": torch.relu,
    "F.relu_": F.relu_,
    "torch.relu_": torch.relu_,
    "F.relu6": F.relu6,
    "F.relu6(True)": lambda x: F.relu6(x, True),
    "F.hardtanh": F.hardtanh,
    "F.hardtanh(0, 6)": lambda x: F.hardtanh(x, 0.0, 6.0),
    "F.hardtanh_": lambda x: F.hardtanh_(x, min_val=-2.0, max_val=1.0),
    "F.threshold": lambda x: F.threshold(x, 0.5, 0.25),
    "F.threshold(True)": lambda x: F.threshold(x, threshold=0.5, value=0.25, inplace=True),
    "F.threshold_": lambda x: F.threshold_(x, 0.5, 0.25),
    "torch.threshold": lambda x: torch.threshold(x, 0.0, 0.0),
    "F.hardsigmoid": F.hardsigmoid,
    "F.hardsigmoid(True)": lambda x: F.hardsigmoid(x, inplace=True),
    "F.hardswish": F.hardswish,
    "F.hardswish(True)": lambda x: F.hardswish(x, True),
    "torch.clamp": lambda x: torch.clamp(x, 0.0),
    "torch.clamp(min=)": lambda x: torch.clamp(x, min=0),
    "torch.clamp(0, 6)": lambda x: torch.clamp(x, 0, 6),
    "torch.clamp(max=)": lambda x: torch.clamp(x, max=1),
    "torch.clamp(1, 0)": lambda x: torch.clamp(x, 1, 0),
    "torch.clip": lambda x: torch.clip(x, 0, 6),
    "torch.clamp_": lambda x: torch.clamp_(x, min=0),
    "torch.clip_": lambda x: torch.clip_(x, 0),
    "torch.clamp_min": lambda x: torch.clamp_min(x, 0),
    "torch.clamp_min_": lambda x: torch.clamp_min_(x, min=0),
    "torch.clamp_max": lambda x: torch.clamp_max(x, 1),
    "torch.clamp_max_": lambda x: torch.clamp_max_(x, max=1),
    "torch.maximum": lambda x: torch.maximum(x, torch.zeros_like(x)),
    "torch.maximum(0, x)": lambda x: torch.maximum(torch.zeros(()), x),
    "torch.max": lambda x: torch.max(x, torch.zeros(1)),
    "torch.max(other=)": lambda x: torch.max(x, other=torch.zeros(())),
}
METHODS = {
    "x.relu": lambda x: x.relu(),
    "x.relu_": lambda x: x.relu_(),
    "x.clamp(min=)": lambda x: x.clamp(min=0),
    "x.clamp": lambda x: x.clamp(0),
    "x.clamp_": lambda x: x.clamp_(0),
    "x.clip": lambda x: x.clip(0, 6),
    "x.clip_": lambda x: x.clip_(min=0),
    "x.clamp_min": lambda x: x.clamp_min(0),
    "x.clamp_min_": lambda x: x.clamp_min_(0),
    "x.clamp_max": lambda x: x.clamp_max(1),
    "x.clamp_max_": lambda x: x.clamp_max_(1),
    "x.maximum": lambda x: x.maximum(torch.zeros(())),
    "x.max": lambda x: x.max(torch.zeros(())),
}
# What an exported program calls.
OPERATORS = {
    "aten.relu": aten.relu.default,
    "aten.relu_": aten.relu_.default,
    "aten.relu6": aten.relu6.default,
    "aten.hardtanh": lambda x: aten.hardtanh.default(x, 0.0, 6.0),
    "aten.clamp": lambda x: aten.clamp.default(x, 0, 6),
    "aten.clamp_min": lambda x: aten.clamp_min.default(x, 0),
    "aten.hardswish": aten.hardswish.default,
    "aten.hardsigmoid_": aten.hardsigmoid_.default,
    "aten.maximum": lambda x: aten.maximum.default(x, torch.zeros(1)),
}
RECTIFIERS = MODULES | FUNCTIONS | METHODS | OPERATORS
DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
LAYOUTS = (torch.contiguous_format, torch.channels_last)


def some(dtype=torch.float32, layout=torch.contiguous_format):
    """Values on both sides of every bound, the bounds themselves and both zeros among them."""
    x = torch.randn(2, 5, 6, 7, generator=torch.Generator().manual_seed(0)) * 4
    x.view(-1)[:10] = torch.tensor([0.0, -0.0, 1.0, -1.0, -2.0, 0.5, 3.0, -3.0, 6.0, 7.0])
    return x.to(dtype).contiguous(memory_format=layout)


def passed(function, x, leaking):
    """A function's value, and the gradient that random weights of it send back to `x`."""
    leaf = x.clone().requires_grad_()
    with LeakingRectifiers() if leaking else nullcontext():
        # In-place functions take no leaf.
        value = function(leaf.clone())
    weights = torch.randn(value.shape, generator=torch.Generator().manual_seed(1)).to(value.dtype)
    (gradient,) = torch.autograd.grad(value, leaf, weights)
    return value.detach(), gradient, weights


def bits(value):
    return value.contiguous().view({2: torch.int16, 4: torch.int32, 8: torch.int64}[value.element_size()])


@pytest.mark.parametrize("name", RECTIFIERS)
def test_forward_is_exact_and_backward_leaks_where_the_slope_is_0(name):
    rectifier = RECTIFIERS[name]
    for x in (some(dtype, layout) for dtype in DTYPES for layout in LAYOUTS):
        value, gradient, weights = passed(rectifier, x, leaking=True)
        expected, own, _ = passed(rectifier, x, leaking=False)
        assert value.dtype == expected.dtype
        assert value.stride() == expected.stride()
        assert torch.equal(bits(value), bits(expected))
        flat = own == 0
        assert flat.any()
        if "cl" in name or "ardswish" in name:
            # What these pass right at a bound is not the same in all versions of PyTorch.
            at_bound = torch.isin(x, torch.tensor([-3, 0, 1, 6], dtype=x.dtype))
            gradient, own, weights, flat = (part[~at_bound] for part in (gradient, own, weights, flat))
        assert torch.equal(gradient[~flat], own[~flat])
        torch.testing.assert_close(gradient[flat], (weights * SLOPE).to(gradient.dtype)[flat])


def test_under_autocast():
    torch.manual_seed(0)
    conv = nn.Conv2d(5, 4, 1).requires_grad_(False)
    x = some(torch.float32, torch.channels_last)
    for name, rectifier in RECTIFIERS.items():

        def network(x, rectifier=rectifier):
            with torch.autocast("cpu", torch.bfloat16):
                return rectifier(conv(x) * 3)

        value, gradient, _ = passed(network, x, leaking=True)
        expected, own, _ = passed(network, x, leaking=False)
        assert value.dtype == expected.dtype, name
        assert torch.equal(bits(value), bits(expected)), name
        assert torch.isfinite(gradient).all(), name
        assert not torch.equal(gradient, own), name


def test_a_wider_tensor_of_zeros_widens_the_result():
    narrow = some(torch.bfloat16)

    def rectifier(x):
        return torch.maximum(x, torch.zeros(1, 1, 1, 7))

    value, gradient, _ = passed(rectifier, narrow, leaking=True)
    assert value.dtype == torch.float32
    assert gradient.dtype == torch.bfloat16
    assert torch.equal(value, passed(rectifier, narrow, leaking=False)[0])


NOT_RECTIFIERS = {
    "max over a dimension": lambda x: torch.max(x, dim=1).values,
    "max over a dimension by position": lambda x: torch.max(x, 1, True)[0],
    "x.max(1)": lambda x: x.max(1, keepdim=True)[0],
    "the largest": lambda x: torch.max(x),
    "x.max()": lambda x: x.max(),
    "the larger of two maps": lambda x: torch.maximum(x, x.flip(1)),
    "the larger of a map and a constant": lambda x: torch.maximum(x, torch.ones(())),
    "zeros that are wider": lambda x: torch.maximum(x[:1], torch.zeros(2, 1, 1, 1)),
    "zeros that are learned": lambda x: torch.maximum(x, torch.zeros(1, requires_grad=True)),
    "bounds that are tensors": lambda x: torch.clamp(x, torch.zeros(()), torch.ones(7)),
    "a tensor as the lower bound": lambda x: x.clamp(min=torch.zeros(5, 1, 1)),
    "leaky by itself": lambda x: F.leaky_relu(x, 0.2),
    "smooth": lambda x: F.gelu(x) + F.silu(x) + F.softplus(x) + x.tanh(),
}


@pytest.mark.parametrize("name", NOT_RECTIFIERS)
def test_what_is_no_rectifier_stays_as_it_is(name):
    function, x = NOT_RECTIFIERS[name], some()
    value, gradient, _ = passed(function, x, leaking=True)
    expected, own, _ = passed(function, x, leaking=False)
    assert torch.equal(value, expected)
    assert torch.equal(gradient, own)


def test_errors_are_those_of_pytorch():
    x = some().requires_grad_()
    for wrong in (
        lambda: F.hardtanh(x * 1, 2.0, 1.0),
        lambda: torch.clamp(x * 1),
        lambda: torch.maximum(x * 1, torch.zeros(3, 9)),
        lambda: torch.clamp(x * 1, min=0, out=torch.empty_like(x)),
        lambda: F.relu_(x),
        lambda: F.relu_((x * 1).chunk(2, 1)[0]),
    ):
        with pytest.raises(Exception) as plain:  # noqa: PT011  (whatever PyTorch says is what is asked for)
            wrong()
        with LeakingRectifiers(), pytest.raises(type(plain.value)):
            wrong()


class TestOnlyInsideTheBlock:
    x = torch.tensor([-2.0, 3.0])

    def gradient(self):
        leaf = self.x.clone().requires_grad_()
        return torch.autograd.grad(F.relu(leaf).sum(), leaf)[0].tolist()

    def test_nothing_is_left_afterwards(self):
        with LeakingRectifiers():
            assert self.gradient() == pytest.approx([SLOPE, 1])
        assert self.gradient() == [0, 1]
        with pytest.raises(ValueError, match="stopped"), LeakingRectifiers():
            raise ValueError("stopped")
        assert self.gradient() == [0, 1]

    def test_a_pass_made_inside_leaks_wherever_its_gradient_is_taken(self):
        leaf = self.x.clone().requires_grad_()
        with LeakingRectifiers():
            value = F.relu(leaf)
        other = F.relu(leaf)
        assert torch.autograd.grad(value.sum(), leaf)[0].tolist() == pytest.approx([SLOPE, 1])
        with LeakingRectifiers():
            assert torch.autograd.grad(other.sum(), leaf)[0].tolist() == [0, 1]

    def test_nested_blocks_leak_once(self):
        with LeakingRectifiers():
            with LeakingRectifiers():
                assert self.gradient() == pytest.approx([SLOPE, 1])
            assert self.gradient() == pytest.approx([SLOPE, 1])
        assert self.gradient() == [0, 1]

    def test_two_threads_see_each_their_own(self):
        both, seen = threading.Barrier(2, timeout=20), {}

        def work(leaking):
            with LeakingRectifiers() if leaking else nullcontext():
                both.wait()
                seen[leaking] = [self.gradient() for _ in range(50)]
                both.wait()

        threads = [threading.Thread(target=work, args=(leaking,)) for leaking in (True, False)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(gradient == pytest.approx([SLOPE, 1]) for gradient in seen[True])
        assert all(gradient == [0, 1] for gradient in seen[False])

    def test_where_no_gradient_passes_the_ordinary_functions_run(self):
        with LeakingRectifiers():
            assert F.relu(self.x).grad_fn is None
            with torch.no_grad():
                leaf = self.x.clone().requires_grad_()
                assert not F.relu(leaf).requires_grad
                assert not leaf.relu_().grad_fn
            out = torch.empty(2)
            assert torch.clamp(self.x, min=0, out=out) is out
            assert out.tolist() == [0, 3]
            assert torch.clamp(torch.tensor([-1, 2]), min=0).tolist() == [0, 2]

    def test_no_out_is_none(self):
        leaf = self.x.clone().requires_grad_()
        with LeakingRectifiers():
            value = torch.clamp(leaf, min=0, out=None)
        assert torch.autograd.grad(value.sum(), leaf)[0].tolist() == pytest.approx([SLOPE, 1])


@pytest.mark.parametrize("name", ["F.relu6", "F.hardswish", "torch.clamp", "torch.maximum", "torch.clamp_"])
def test_what_comes_next_may_change_the_result_in_place(name):
    x = some()
    _, gradient, _ = passed(lambda v: RECTIFIERS[name](v).mul_(2).add_(1), x, leaking=True)
    _, single, _ = passed(RECTIFIERS[name], x, leaking=True)
    torch.testing.assert_close(gradient, 2 * single)


@pytest.mark.parametrize("name", ["F.relu_", "torch.clamp_", "F.hardtanh_", "F.hardswish(True)"])
def test_a_rectifier_in_place_on_a_part_of_a_map(name):
    def network(x):
        RECTIFIERS[name](x[:, 1:3])
        return x

    x = some()
    value, gradient, weights = passed(network, x, leaking=True)
    expected, own, _ = passed(network, x, leaking=False)
    assert torch.equal(value, expected)
    torch.testing.assert_close(gradient, torch.where(own == 0, weights * SLOPE, own))
    assert (gradient != own).any()
    assert torch.equal(gradient[:, 3:], weights[:, 3:])


class Checkpointed(nn.Module):
    """A block that is computed again for its backward pass."""

    def __init__(self, rectifier, reentrant):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.after = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 4, 3)
        self.rectifier, self.reentrant = rectifier, reentrant

    def forward(self, x):
        def block(x):
            return self.after(self.rectifier(self.conv(x) * 3))

        return block(x) if self.reentrant is None else checkpoint(block, x, use_reentrant=self.reentrant)


def test_checkpoints_that_save_tensors_leak():
    images = torch.rand(2, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    for name, rectifier in RECTIFIERS.items():
        plain, saved = (
            passed(Checkpointed(rectifier, reentrant), images, leaking=True)[1] for reentrant in (None, False)
        )
        torch.testing.assert_close(saved, plain, msg=name)


def test_checkpoints_that_run_the_block_again_still_run():
    """What they run again, they run after the pass, so that their gradient is the exact one."""
    images, gradients = torch.rand(2, 3, 12, 12), []
    for leaking in (True, False):
        leaf = images.clone().requires_grad_()
        with LeakingRectifiers() if leaking else nullcontext():
            value = Checkpointed(F.relu, True)(leaf)
        value.sum().backward()
        gradients.append(leaf.grad)
    assert torch.equal(*gradients)


def test_the_model_is_left_as_it_was(branched):
    before = {name: value.clone() for name, value in branched.state_dict().items()}
    forwards = {type(module): type(module).forward for module in branched.modules()}
    probe = tw.Probe(branched, "relu_1", device="cpu")
    with evaluating(branched):
        network_values(probe, torch.rand(1, 3, 32, 32).requires_grad_(), "float32")
    assert all(torch.equal(value, before[name]) for name, value in branched.state_dict().items())
    assert {type(module): type(module).forward for module in branched.modules()} == forwards
    assert torch.nn.functional.relu is F.relu
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in branched.modules())


class Functional(nn.Module):
    """Rectifiers that nobody registered, one of each kind."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.convs = nn.ModuleList(nn.Conv2d(3 if depth == 0 else 8, 8, 3, padding=1) for depth in range(8))
        self.last = nn.Identity()

    def forward(self, x):
        kinds = (
            lambda x: F.relu(x, inplace=True),
            lambda x: x.clamp(min=0),
            lambda x: torch.maximum(x, torch.zeros_like(x)),
            torch.relu_,
            lambda x: F.hardtanh(x, 0, 6),
            F.hardswish,
            lambda x: x.clamp_(0),
            lambda x: F.threshold(x, 0, 0),
        )
        for conv, rectifier in zip(self.convs, kinds, strict=True):
            # A bias that silences nearly every unit of a small image.
            x = rectifier(conv(x) - 0.5)
        return self.last(x)


def responses_to_noise(model, layer, size, leaking=True):
    """A small noise image as an image starts, and every unit's activation on it, as it is optimized."""
    probe, canvas = tw.Probe(model, layer, device="cpu"), make_canvas("fourier", size)
    start = canvas.start(torch.Generator().manual_seed(0))
    image = canvas.image(start[None]).detach().requires_grad_()
    with evaluating(probe.network):
        values = network_values(probe, image, "float32", leaking)
    return image, pooled(staged(values, "leaky" if leaking else "post"))[0]


def reached(image, responses):
    """For each unit whether the gradient of its activation reaches the image.

    A gradient that is not 0 has a product with random pixels that is not 0, and the gradient of a weighted sum of all
    units, differentiated by the weights, has the products of all of them at once.
    """
    weights = torch.ones_like(responses).requires_grad_()
    (gradient,) = torch.autograd.grad(responses @ weights, image, create_graph=True)
    pixels = torch.randn(image.shape, generator=torch.Generator().manual_seed(1))
    (products,) = torch.autograd.grad((gradient * pixels).sum(), weights)
    assert torch.isfinite(products).all()
    return products != 0


def test_a_network_of_functions_only():
    assert reached(*responses_to_noise(Functional(), "last", 16)).all()
    assert not reached(*responses_to_noise(Functional(), "last", 16, leaking=False)).all()


OF_TORCHVISION = {
    "googlenet": ("inception3b", "inception4d", "inception5b", "inception5b.branch2.1.conv"),
    "inception_v3": ("Mixed_5d", "Mixed_6c", "Mixed_7c", "Mixed_7c.branch3x3dbl_3a.conv"),
    "densenet121": ("features.denseblock2", "features.denseblock4.denselayer16.conv2", "features.norm5"),
    "efficientnet_b0": ("features.3", "features.6.3.block.1", "features.8"),
}


@pytest.mark.parametrize("name", OF_TORCHVISION)
def test_every_unit_of_torchvisions_networks(name):
    torch.manual_seed(0)
    quickly = {"aux_logits": False, "init_weights": False} if name.startswith(("goog", "inc")) else {}
    model = models.get_model(name, weights=None, **quickly)
    for layer in OF_TORCHVISION[name]:
        alive = reached(*responses_to_noise(model, layer, 75 if name == "inception_v3" else 64))
        assert alive.all(), f"{layer}: {int((~alive).sum())} of {len(alive)} units have no gradient"


def test_units_of_torchvisions_mobilenet():
    """One after the other, for PyTorch can't differentiate a hard sigmoid twice."""
    torch.manual_seed(0)
    model = models.mobilenet_v3_small(weights=None)
    for layer, apart in (("features.3", 1), ("features.8", 1), ("features.12", 8)):
        image, responses = responses_to_noise(model, layer, 64)
        for response in responses[::apart]:
            (gradient,) = torch.autograd.grad(response, image, retain_graph=True)
            assert torch.isfinite(gradient).all()
            assert gradient.any()
