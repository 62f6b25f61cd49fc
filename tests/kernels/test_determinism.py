"""`torch.use_deterministic_algorithms(True)`: honored on a CPU, and asked for nothing that CUDA does not have."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import tunewidgets as tw
from tunewidgets.kernels.canvas.jitter import resampled


@pytest.fixture
def deterministic():
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


def scenes(n=12, side=24):
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(0))


def test_nothing_of_ours_is_refused_and_images_come_twice_the_same(branched, deterministic):
    images, labels = scenes(), torch.arange(12) % 2
    probe = tw.Probe(branched.eval(), "relu_1", device="cpu")
    made = [
        tw.visualize(probe, tw.AM(range(4)), 24, 6, floats=True, progress=False, canvas=canvas, band=band)
        for canvas, band in (("fourier", "auto"), ("fourier", "auto"), ("pixel", None), ("maco", None))
    ]
    np.testing.assert_array_equal(made[0].image_float.values, made[1].image_float.values)
    tree = tw.analyze_units(
        branched, [(images, labels)], ["relu"], steps=4, size=24, exemplars=3, progress=False, device="cpu"
    )
    assert "rs" in tree["relu"]
    critics = tw.class_selectivity(
        branched, [(images, labels)], critics=True, k=4, progress=False, device="cpu"
    )
    assert "auc" in critics["relu"]
    sample = tw.sample_activations(probe, images, n=100, progress=False)
    dimensions = tw.TuningDimensions("pca", 2).fit(sample)
    film = tw.render_film(probe, dimensions, points=3, size=24, steps=4, progress=False)
    film = tw.add_patches(film, probe, sample, images)
    assert set(film.status.values) == {""}


def test_resampling_without_grid_sample_gives_the_same_images_and_gradients():
    images = torch.rand(3, 3, 12, 17, dtype=torch.float64, requires_grad=True)
    places = torch.rand(3, 9, 8, 2, dtype=torch.float64) * torch.tensor([16.0, 11.0]) + 0.5
    places[0, 0, 0], places[0, 0, 1] = torch.tensor([0.5, 0.5]), torch.tensor([16.5, 11.5])  # both corners
    theirs = F.grid_sample(images, places * 2 / torch.tensor([17, 12]) - 1, align_corners=False)
    ours = resampled(images, places)
    torch.testing.assert_close(ours, theirs)
    weights = torch.rand(ours.shape, dtype=torch.float64)
    gradients = [torch.autograd.grad((made * weights).sum(), images)[0] for made in (ours, theirs)]
    torch.testing.assert_close(*gradients)


def test_on_an_accelerator_the_jitter_resamples_so(monkeypatch, deterministic):
    """Its images claim to be elsewhere; nothing else here knows of it."""

    class Elsewhere(torch.Tensor):
        device = torch.device("cuda")

    used = []
    monkeypatch.setattr(
        "tunewidgets.kernels.canvas.jitter.resampled", lambda *given: used.append(given) or given[0]
    )
    grid = torch.zeros(1, 8, 8, 2)
    monkeypatch.setattr(F, "affine_grid", lambda *_, **__: grid)
    images, draws = scenes(1, 8), torch.ones(1, 4)
    tw.Jitter().apply(images, draws)
    assert used == []
    tw.Jitter().apply(images.as_subclass(Elsewhere), draws)
    assert len(used) == 1


def test_what_a_network_itself_may_not_do_is_said_by_torch(deterministic):
    class Refused(nn.Conv2d):
        def forward(self, x):
            raise RuntimeError("histc_cuda does not have a deterministic implementation, but you set …")

    network = nn.Sequential(Refused(3, 2, 3)).eval()
    for look in (
        lambda: tw.Probe(network, "0"),
        lambda: tw.class_selectivity(network, [(scenes(4), torch.arange(4) % 2)], progress=False),
    ):
        with pytest.raises(RuntimeError, match=r"^histc_cuda does not have a deterministic implementation"):
            look()
