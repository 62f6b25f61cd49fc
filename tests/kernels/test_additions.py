"""What a contributor adds in one place works everywhere: an attribute, a decomposition that is no linear map."""

import numpy as np
import pytest
import torch

import tunewidgets as tw
from tunewidgets import _checks, zoo
from tunewidgets.cli.checklist import checklist as table_of
from tunewidgets.derived.film_text import method_name
from tunewidgets.kernels.reading import attributes
from tunewidgets.kernels.tuning import decompositions


def options(**more):
    scenes = zoo.images("dead-leaves", n=10, size=48)
    return {"images": scenes, "n": 800, "permutations": 19, "n_components": (2,), "progress": False, **more}


def test_a_fourth_attribute_needs_its_points_and_no_more(monkeypatch, tmp_path):
    # Whether filters weigh more on one side, a column that only this bank's table has.
    slope = attributes.Attribute(1, lambda filters: filters["slope"][:, None])
    monkeypatch.setitem(attributes.ATTRIBUTES, "slope", slope)

    def bank(seed):
        made = zoo.gabor_bank(seed=seed)
        weight = made.filters.weight.detach()[:, 0]
        made.attributes["slope"] = (weight * torch.linspace(-1, 1, weight.shape[2])).sum((1, 2)).numpy()
        return made

    film = {"films": True, "random_directions": 2, "film_options": {"size": 16, "steps": 1}}
    store = tmp_path / "r.zarr"
    tree = tw.gabor_recovery(bank, ("pca", "lle"), **options(**film, store=store))
    assert tree["attribute"].values.tolist() == ["frequency", "angle", "phase", "slope"]
    activation = tree["p"].sel(attribute="slope", readout="activation")
    assert np.isfinite(activation).all()
    # Pictures are not read for it.
    assert np.isnan(tree["p"].sel(attribute="slope", readout="image")).all()
    assert np.isfinite(tree["p"].sel(attribute="phase", readout="image")).all()
    scale = float(tree["embedding_scale"].sel(attribute="slope").item())
    assert scale == pytest.approx(bank(0).attributes["slope"].std(ddof=0), rel=1e-5)
    # The others are as they are without it, but for Holm's correction, which is for one claim more.
    monkeypatch.delitem(attributes.ATTRIBUTES, "slope")
    three = tw.gabor_recovery(bank, ("pca", "lle"), **options())
    for name in ("p", "observed", "sweep", "null"):
        found = tree[name].sel(attribute=three["attribute"].values, readout=["activation"])
        np.testing.assert_allclose(found, three[name], rtol=1e-4)

    shown = tw.RecoveryChecklist(store)
    of_slope = [cell for cell in shown.cells() if cell.attribute == "slope"]
    assert [cell.paper for cell in of_slope] == [None, None]
    assert shown._still().size[1] > tw.RecoveryChecklist(three)._still().size[1]
    assert "slope" in shown.to_markdown()
    assert "slope" in table_of(tree)
    assert "slope" in str(tw.figures.recovery_table(tree).data[0].cells["values"])


class Spiral:
    """Coordinates by angle and radius in the first two principal components: no linear map."""

    def __init__(self, X, k):
        self.mean = X.mean(0)
        self.axes = np.linalg.svd(X - self.mean, full_matrices=False)[2][:k]
        self.sign = np.ones(k)
        self.embedding = self.encode(X)

    def encode(self, X):
        return np.arcsinh((X - self.mean) @ self.axes.T) * self.sign

    def decode(self, S):
        return self.mean + np.sinh(S * self.sign) @ self.axes

    def flip(self, sign):
        self.sign, self.embedding = self.sign * sign, self.embedding * sign


def test_a_decomposition_that_is_no_linear_map_needs_one_function_and_its_name(monkeypatch):
    with pytest.raises(ValueError, match="no method 'spiral'"):
        tw.TuningDimensions("spiral", 2).fit(np.eye(4))
    monkeypatch.setitem(decompositions.BY_NAME, "spiral", lambda X, asked: Spiral(X, asked.k))
    monkeypatch.setattr(_checks, "DECOMPOSITIONS", (*_checks.DECOMPOSITIONS, "spiral"))

    X = np.random.default_rng(0).exponential(size=(200, 6)).astype(np.float32)
    fitted = tw.TuningDimensions("spiral", 6).fit(X)
    np.testing.assert_allclose(fitted.inverse_transform(fitted.transform(X)), X, atol=1e-4)
    assert not hasattr(fitted, "components_")
    assert method_name({"method": "spiral"}) == "SPIRAL"

    tree = tw.gabor_recovery(zoo.gabor_bank, ("pca", "spiral"), **options())
    spiral = tree["p"].sel(decomposition="spiral")
    assert np.isfinite(spiral).all()
    assert np.isnan(tree["p_rotation"].sel(decomposition="spiral")).all()
    assert np.isfinite(tree["p_rotation"].sel(decomposition="pca")).all()
    network = zoo.gabor_bank()
    probe = tw.Probe(network, "relu", device="cpu")
    sample = tw.sample_activations(probe, zoo.images("dead-leaves", n=5, size=48), n=300, progress=False)
    film = tw.render_film(
        probe, tw.TuningDimensions("spiral", 2).fit(sample), points=3, size=16, steps=1, progress=False
    )
    tw.records.validate(film)
    assert "component" not in film


def test_what_goes_by_a_name_is_known_to_the_command_line():
    assert tuple(decompositions.BY_NAME) == _checks.DECOMPOSITIONS
