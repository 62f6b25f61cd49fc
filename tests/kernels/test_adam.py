"""Adam: the same steps as PyTorch's own, to the bit, and nothing of PyTorch that an image does not need."""

import subprocess
import sys

import pytest
import torch

from tunewidgets.kernels.optimization.adam import Adam


@pytest.mark.parametrize("rate", [0.05, 1.0])
def test_its_steps_are_torchs(rate):
    torch.manual_seed(0)
    start, betas = torch.randn(3, 2, 5), (0.7, 0.99)
    ours, theirs = start.clone(), start.clone().requires_grad_()
    mine, reference = Adam(ours, rate, betas), torch.optim.Adam([theirs], rate, betas, fused=True)
    for _ in range(7):
        gradient = torch.randn_like(start)
        mine.step(gradient.clone())
        theirs.grad = gradient
        reference.step()
    assert torch.equal(ours, theirs.detach())


def test_a_forgotten_row_goes_on_as_its_history_were_zero():
    torch.manual_seed(0)
    gradients = torch.randn(4, 2, 5)
    parameters = torch.zeros(2, 5)
    adam = Adam(parameters, 0.1, (0.7, 0.99))
    for gradient in gradients:
        adam.step(gradient)
    before = parameters.clone()
    adam.forget(0)
    adam.step(torch.zeros(2, 5))
    assert torch.equal(parameters[0], before[0])
    assert not torch.equal(parameters[1], before[1])


def test_an_image_is_made_without_importing_the_compiler():
    code = """
import sys, torch
import tunewidgets as tw
network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 5), torch.nn.ReLU()).eval()
tw.visualize(tw.Probe(network, "1", device="cpu"), tw.AM([0]), size=16, steps=2, progress=False)
print([name for name in ("torch._dynamo", "torch._inductor") if name in sys.modules])
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
