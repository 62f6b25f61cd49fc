"""A store goes on with what it was begun with alone: the same preprocess, network and data; and says so of others."""

import json

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset
from units_networks import batches, branching, labeled_images

import tunewidgets as tw
from tunewidgets import records
from tunewidgets.kernels.data.identity import data_marks
from tunewidgets.kernels.studies.marks import apart, sketch
from tunewidgets.kernels.studies.store import Study

IMAGES, LABELS = labeled_images()
QUIET = {"progress": False, "device": "cpu"}


def shifted(images):
    return images * 2 - 1


def doubled():
    network = branching()
    network.norm.register_forward_hook(lambda _m, _i, output: output * 2)
    return network


def probe(preprocess=None, network=None):
    return tw.Probe(network or branching(), "relu", preprocess=preprocess, device="cpu")


def analyzed(store, network=None, data=None, **options):
    data = batches(IMAGES, LABELS, 5) if data is None else data
    options = {"ablation": False, "critics": False, **QUIET, **options}
    return tw.analyze_units(network or branching(), data, "relu", (), store=store, **options)


def substituted(store, network=None, preprocess=None, **options):
    options = {"steps": 2, "contrast": None, "preprocess": preprocess, **QUIET, **options}
    return tw.representative_substitution(network or branching(), "relu", ("am",), store=store, **options)


def sampled(store=None, network=None, preprocess=None, images=IMAGES):
    return tw.sample_activations(probe(preprocess, network), images, n=50, progress=False, store=store)


def made(store, network=None, preprocess=None):
    return tw.visualize(probe(preprocess, network), tw.AM([0]), size=16, steps=2, progress=False, store=store)


@pytest.mark.parametrize("study", [analyzed, substituted, sampled, made])
def test_a_store_is_not_gone_on_with_by_another_preprocess_or_another_computation(study, tmp_path):
    store = tmp_path / "s.zarr"
    study(store)
    study(store)
    with pytest.raises(ValueError, match="made with another preprocess"):
        study(store, preprocess=shifted)
    with pytest.raises(ValueError, match="same weights that computes something else"):
        study(store, network=doubled())


def test_a_film_is_of_the_preprocess_that_its_sample_and_its_store_have(tmp_path):
    dimensions = tw.TuningDimensions("pca", 2).fit(sampled())
    options = {"points": 2, "size": 16, "steps": 2, "progress": False}
    film = tw.render_film(probe(), dimensions, store=tmp_path / "f.zarr", **options)
    for other in (probe(shifted), probe(network=doubled())):
        with pytest.raises(ValueError, match="this sample of activations was made with a"):
            tw.render_film(other, dimensions, **options)
        with pytest.raises(ValueError, match="this film was made with a"):
            tw.add_patches(film, other, sampled(), IMAGES)
    # Dimensions that don't say where they are from leave it to the store.
    bare = tw.TuningDimensions("pca", 2).fit(sampled().values)
    tw.render_film(probe(), bare, store=tmp_path / "b.zarr", **options)
    with pytest.raises(ValueError, match="made with another preprocess"):
        tw.render_film(probe(shifted), bare, store=tmp_path / "b.zarr", **options)


def test_what_comes_after_the_layer_matters_to_importance_alone(tmp_path):
    network = branching()
    network.head.register_forward_hook(lambda _m, _i, output: -output)
    analyzed(tmp_path / "without.zarr")
    analyzed(tmp_path / "without.zarr", network)
    options = {"ablation": True, "ablation_options": {"curves": False}}
    analyzed(tmp_path / "with.zarr", **options)
    with pytest.raises(ValueError, match="computes something else"):
        analyzed(tmp_path / "with.zarr", network, **options)


def test_a_store_of_before_marks_goes_on(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        begin = Study.__init__

        def without(self, store, kind, sha256, asked, left_out=None):
            begin(self, store, kind, sha256, {k: v for k, v in asked.items() if k != "marks"}, left_out)

        patch.setattr(Study, "__init__", without)
        first = analyzed(tmp_path / "s.zarr")
    assert "marks" not in records.settings_of(first["relu"])["asked"]
    assert analyzed(tmp_path / "s.zarr")["relu"].created == first["relu"].created


def test_another_layer_is_added_to_a_store(tmp_path):
    analyzed(tmp_path / "s.zarr")
    data = batches(IMAGES, LABELS, 5)
    tree = tw.analyze_units(
        branching(),
        data,
        ["relu", "late"],
        (),
        ablation=False,
        critics=False,
        store=tmp_path / "s.zarr",
        **QUIET,
    )
    assert set(tree.children) == {"relu", "late"}
    assert list(records.settings_of(tree["late"])["asked"]["marks"]["network"]) == ["late"]


class Given(Dataset):
    """Images that are read one by one."""

    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index], int(self.labels[index])


def changed_last(values):
    values = values.clone()
    values[-1] = values[0] * 0.3 if values.is_floating_point() else 1 - values[-1].clamp(max=1)
    return values


FORMS = {
    "batches": lambda images, labels: batches(images, labels, 5),
    "all at once": lambda images, labels: (images, labels),
    "tensors": TensorDataset,
    "loader": lambda images, labels: DataLoader(TensorDataset(images, labels), 4),
    "data set": Given,
    "iterator": lambda images, labels: iter(batches(images, labels, 5)),
    "source": lambda images, labels: tw.zoo.images(Given(images, labels), size=None),
}
OTHERS = {
    "other images": lambda: (changed_last(IMAGES), LABELS),
    "other images, colors turned": lambda: (IMAGES.flip(1), LABELS),
    "other images, mirrored": lambda: (IMAGES.flip(3), LABELS),
    "other labels": lambda: (IMAGES, changed_last(LABELS)),
    f"{len(IMAGES)} images, not {2 * len(IMAGES)}": lambda: (
        torch.cat([IMAGES] * 2),
        torch.cat([LABELS] * 2),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_store_is_not_gone_on_with_by_other_data(form, tmp_path):
    store, give = tmp_path / "s.zarr", FORMS[form]
    analyzed(store, data=give(IMAGES, LABELS), exemplars=0)
    analyzed(store, data=give(IMAGES, LABELS), exemplars=0)
    for says, other in OTHERS.items():
        # A source says in its description how many images it has.
        says = "made with" if form == "source" else says.partition(",")[0] if "not" not in says else says
        with pytest.raises(ValueError, match=says):
            analyzed(store, data=give(*other()), exemplars=0)


def test_a_sample_knows_later_images_and_a_study_of_rs_its_mean_activations(tmp_path):
    sampled(tmp_path / "a.zarr")
    with pytest.raises(ValueError, match="made with other images"):
        sampled(tmp_path / "a.zarr", images=changed_last(IMAGES))
    substituted(tmp_path / "b.zarr", mean_activation={"relu": np.ones(6)})
    with pytest.raises(ValueError, match="made with other mean activations"):
        substituted(tmp_path / "b.zarr", mean_activation={"relu": np.arange(6.0) + 1})


def test_data_that_change_by_chance_are_known_by_their_number():
    class Noisy(Given):
        def __getitem__(self, index):
            return torch.rand(3, 4, 4), 0

    assert data_marks(Noisy(IMAGES, LABELS)) == {"count": len(IMAGES)}


def test_large_images_in_memory_are_not_all_hashed(monkeypatch):
    monkeypatch.setattr("tunewidgets.kernels.data.identity.HASHED", IMAGES[0].numel() * 4 * 3)
    whole, again = data_marks(IMAGES), data_marks([IMAGES[:7], IMAGES[7:]])
    assert whole == again
    assert data_marks(IMAGES * 0.5) != whole


def test_a_sketch_shows_one_unit_of_hundreds_and_no_rounding():
    values = torch.rand(1, 256, 9, 9, generator=torch.Generator().manual_seed(0))
    first = sketch(values, 0.02)
    assert json.loads(json.dumps(first)) == first
    noise = 1 + 1e-3 * torch.randn(values.shape, generator=torch.Generator().manual_seed(1))
    assert apart(first, sketch(values * noise, 0.02)) is None
    lesioned = values.clone()
    lesioned[:, 17] = 0
    assert apart(first, sketch(lesioned, 0.02)) is not None
    assert apart(first, sketch(values.flip(3), 0.02)) is not None
    assert apart(first, sketch(values[:, :, :8], 0.02)) is not None


def test_sketches_are_as_far_apart_as_what_they_are_of():
    random = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, 5000, generator=random)
    a, b = (np.array(sketch(each, 0)["sketch"]) for each in (one, other))
    # 16 sums: the squared distance is right but for a standard deviation of a third.
    assert 0.3 < np.square(a - b).sum() / float((one - other).square().sum()) < 2
