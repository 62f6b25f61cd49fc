"""Effects of dimensions: the same numbers as hooks on the whole network give, and a null of the right size."""

import json

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

import tunewidgets as tw
from tunewidgets.kernels.network.outputs import first_tensor
from tunewidgets.kernels.tuning.effect_runs import Moved, Moves, Summed
from tunewidgets.kernels.tuning.effects import random_axes
from tunewidgets.kernels.tuning.places import places_on

QUIET = {"progress": False, "device": "cpu"}


class Net(nn.Module):
    """A small classifier with a map; its tail is not linear."""

    def __init__(self, rectified=True):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 6, 5, stride=3)
        self.act = nn.ReLU() if rectified else nn.Identity()
        self.second = nn.Conv2d(6, 8, 3)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        x = torch.relu(self.second(self.act(self.conv(x))))
        return self.head(x.mean((2, 3))) * 20


@pytest.fixture(scope="module")
def pictures():
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(40, 3, 6, 6, generator=generator)
    images = nn.functional.interpolate(coarse, size=24, mode="bilinear")
    return [(images, torch.arange(40) % 4)]


def film_of(net, layer, pictures, method="pca", k=3):
    probe = tw.Probe(net, layer, device="cpu")
    sample = tw.sample_activations(probe, pictures[0][0], n=400, progress=False)
    dims = tw.TuningDimensions(method, k).fit(sample)
    return tw.render_film(probe, dims, points=2, size=24, steps=1, progress=False)


def hooked(net, layer, images, change):
    """Scores in float64 with a layer's vectors changed, by an ordinary hook."""
    net = net.double()

    def hook(module, _, output):
        flat = output.movedim(1, -1)
        return change(flat).movedim(-1, 1)

    handle = net.get_submodule(layer).register_forward_hook(hook)
    with torch.no_grad():
        found = net(images.double())
    handle.remove()
    net.float()
    return found


@pytest.mark.parametrize("method", ["pca", "ica", "nmf", "sae"])
@pytest.mark.parametrize("rectified", [True, False])
def test_effects_are_those_of_hooks_on_the_whole_network(method, rectified, pictures):
    net, (images, labels) = Net(rectified).eval(), pictures[0]
    film = film_of(net, "act", pictures, method)
    shown = tw.add_effects(film, net, pictures, classes=4, sample=40, random=2, **QUIET)
    u, v = (film[name].values.astype(np.float64) for name in ("unmixing", "component"))
    center = film.center.values.astype(np.float64)
    kept = {}
    before = hooked(net, "act", images, lambda x: kept.setdefault("x", x))
    rows = kept["x"].relu().reshape(-1, 6).numpy()
    coordinates = (rows - center) @ u.T
    loss = nn.functional.cross_entropy(before, labels, reduction="none")
    for i in range(3):
        mean, deviation = coordinates[:, i].mean(), coordinates[:, i].std()

        def held(x):
            return x.clamp_min(0) if rectified else x

        def without(x, i=i, mean=mean):
            along = (x.relu() - torch.tensor(center)) @ torch.tensor(u[i])
            return held(x + (mean - along)[..., None] * torch.tensor(v[i]))

        after = hooked(net, "act", images, without)
        drop = (before.argmax(1) == labels).double() - (after.argmax(1) == labels).double()
        more = nn.functional.cross_entropy(after, labels, reduction="none") - loss
        np.testing.assert_allclose(shown.accuracy_drop[i], drop.mean(), atol=1e-6)
        np.testing.assert_allclose(shown.accuracy_drop_se[i], drop.std() / 40**0.5, atol=1e-6)
        np.testing.assert_allclose(shown.loss_increase[i], more.mean(), atol=1e-5)
        np.testing.assert_allclose(shown.loss_increase_se[i], more.std() / 40**0.5, atol=1e-5)
        for c in range(4):
            np.testing.assert_allclose(shown.class_accuracy_drop[i, c], drop[labels == c].mean(), atol=1e-6)
        for place, dose in enumerate((-2, -1, 1, 2)):
            steered = hooked(net, "act", images, lambda x: held(x + dose * deviation * torch.tensor(v[i])))  # noqa: B023
            change = steered - before
            effect = shown.class_effect[i, place]
            np.testing.assert_allclose(effect, change.mean(0), atol=1e-5)
            half = 1.96 * change.std(0) / 40**0.5
            np.testing.assert_allclose(shown.class_effect_high[i, place] - effect, half, atol=1e-5)
            chance = (steered.softmax(1) - before.softmax(1)).mean(0)
            np.testing.assert_allclose(shown.class_probability_effect[i, place], chance, atol=1e-6)
    share = tw.records.settings_of(shown)["effects"]["below_zero"]
    assert (0 < share < 1) if rectified else share == 0


def moved_layer(net, images):
    probe = tw.Probe(net, "act", device="cpu")
    moved = Moved(images[:2], probe, (), first_tensor, False)
    moved.add_moments(images)
    return moved


def test_projecting_out_nothing_changes_nothing(pictures):
    net, (images, labels) = Net().eval(), pictures[0]
    moved = moved_layer(net, images)
    nothing = moved.without(np.zeros((1, 6)), np.zeros((1, 6)), np.zeros(6))
    sums = {0: Summed(4), 1: Summed(4)}
    # The second is run to its end: no step of 0 is left out.
    still = Moves(np.ones((1, 6)), np.zeros((1, 6)), np.zeros(1), np.zeros(6))
    moved.run(images, labels, {0: nothing, 1: still}, sums)
    for each in sums.values():
        assert not each.loss.any()
        assert not each.effects.any()
        assert not each.by_class[1:].any()


def test_all_dimensions_of_a_full_pca_taken_out_leave_the_mean(pictures):
    net, (images, labels) = Net().eval(), pictures[0]
    moved = moved_layer(net, images)
    values, axes = np.linalg.eigh(moved.covariance)
    assert values.min() > 0
    rows = axes.T
    sums = {0: Summed(4)}
    moved.run(images, labels, {0: moved.without(rows, rows, np.full(6, 0.3))}, sums)
    mean = torch.tensor(moved.mean)
    before, after = (
        hooked(net, "act", images, lambda x: x),
        hooked(net, "act", images, lambda x: mean.expand_as(x)),
    )
    np.testing.assert_allclose(sums[0].effects[0, 0] / 40, (after - before).mean(0), atol=1e-5)


class Decided(nn.Module):
    """Two classes that one direction of 8 units alone decides."""

    def __init__(self, direction):
        super().__init__()
        self.act = nn.ReLU()
        self.head = nn.Linear(8, 2)
        with torch.no_grad():
            self.head.weight[:] = torch.stack([direction, -direction]) * 8
            self.head.bias[:] = torch.tensor([-1.0, 1.0]) * 4 * float(direction.sum())

    def forward(self, x):
        return self.head(self.act(x[:, :, :2, :2].flatten(1)[:, :8]))


def decided_film(direction, images, components):
    net = Decided(torch.tensor(direction, dtype=torch.float32)).eval()
    probe = tw.Probe(net, "act", device="cpu")
    sample = tw.sample_activations(probe, images, n=len(images), progress=False)
    dims = tw.TuningDimensions("pca", len(components)).fit(sample)
    dims.components_ = dims.unmixing_ = components
    return net, tw.render_film(probe, dims, points=2, size=8, steps=1, progress=False)


def test_the_direction_that_alone_decides_a_class_is_found_first():
    images = torch.rand(200, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    basis = np.linalg.qr(np.random.default_rng(3).standard_normal((8, 8)))[0].T
    net, film = decided_film(basis[4], images, basis)
    labels = net(images).argmax(1)
    shown = tw.add_effects(film, net, [(images, labels)], classes=2, sample=200, **QUIET)
    assert int(shown.loss_increase.values.argmax()) == 4
    assert int(shown.accuracy_drop.values.argmax()) == 4
    assert shown.accuracy_drop[4] > 0.3
    assert float(shown.effect_p[4]) == pytest.approx(0.05)
    others = np.delete(np.arange(8), 4)
    assert (np.abs(shown.accuracy_drop[others]) < 0.05).all()
    assert shown.class_effect[4, 3, 0] > 10 * np.abs(shown.class_effect[others, 3, 0]).max()


def test_random_directions_are_found_no_more_often_than_chance_has_it():
    images = torch.rand(60, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    flat = images[:, :, :2, :2].flatten(1)[:, :8].numpy()
    false = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        drawn = random_axes(np.cov(flat.T), 25, seed)
        net, film = decided_film(np.linalg.qr(rng.standard_normal((8, 8)))[0][0], images, np.eye(8))
        shown = film.isel(dimension=[0] * 25).assign_coords(dimension=np.arange(25))
        shown["component"] = shown["unmixing"] = ("dimension", "unit"), drawn.astype(np.float32)
        labels = net(images).argmax(1)
        made = tw.add_effects(shown, net, [(images, labels)], classes=2, seed=seed, **QUIET)
        false += (made.effect_p.values <= 0.05).tolist()
    assert np.mean(false) <= 0.065 + 2 * (0.05 * 0.95 / len(false)) ** 0.5


def test_some_dimensions_alone_are_measured_and_all_is_kept(pictures, tmp_path):
    net = Net().eval()
    film = film_of(net, "act", pictures)
    some = tw.add_effects(film, net, pictures, only=[2], classes=4, sample=10, random=0, **QUIET)
    whole = tw.add_effects(some, net, pictures, classes=4, sample=10, random=3, **QUIET)
    assert np.isnan(some.accuracy_drop[:2]).all()
    np.testing.assert_array_equal(some.class_effect[2], whole.class_effect[2])
    assert "random_loss_increase" not in some
    assert whole.random_loss_increase.shape == (3, 3)
    tw.save_record(whole, tmp_path / "film.zarr")
    xr.testing.assert_identical(tw.open_record(tmp_path / "film.zarr").load(), whole)


def test_what_cannot_be_measured_is_refused(pictures):
    net = Net().eval()
    film = film_of(net, "act", pictures)
    with pytest.raises(ValueError, match="name each wanted one once"):
        tw.add_effects(film, net, pictures, only=[5], **QUIET)
    with pytest.raises(ValueError, match="sample=0"):
        tw.add_effects(film, net, pictures, sample=0, **QUIET)
    with pytest.raises(ValueError, match="pooled or normalized"):
        tw.add_effects(tw.records.with_settings(film, pool=3), net, pictures, **QUIET)
    other = Net().eval()
    with torch.no_grad():
        other.head.bias += 1
    with pytest.raises(ValueError, match="other weights"):
        tw.add_effects(film, other, pictures, **QUIET)
    with pytest.raises(ValueError, match="the network has 4 classes"):
        tw.add_effects(film, net, [(pictures[0][0], torch.arange(40) % 5)], **QUIET)


def test_a_bound_on_the_contrast_of_images_is_no_length_of_vectors(pictures):
    net, images = Net().eval(), pictures[0][0]
    probe = tw.Probe(net, "second", device="cpu")
    sample = tw.sample_activations(probe, images, n=100, progress=False)
    dims = tw.TuningDimensions("pca", 2).fit(sample)
    film = tw.render_film(probe, dims, points=2, size=24, steps=1, contrast=1.2, progress=False)
    settings = tw.records.settings_of(film)
    assert settings["contrast"] == 1.2
    earlier = film.assign_attrs(
        settings=json.dumps({k: v for k, v in settings.items() if k != "vector_contrast"})
    )
    vectors = probe.rectified(images[:1])[0].flatten(1).T.numpy()
    for record in (film, earlier):
        found = places_on(record, probe, images[0])
        np.testing.assert_allclose(found.reshape(2, -1).T, dims.transform(vectors), atol=1e-4)
