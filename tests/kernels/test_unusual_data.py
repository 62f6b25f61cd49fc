"""Labeled images in the forms that people have them in: measured the same, or refused in a sentence."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils.data import ChainDataset, ConcatDataset, DataLoader, Dataset, Subset, random_split

import tunewidgets as tw

LEVELS = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
IMAGES = torch.from_numpy(LEVELS).permute(0, 3, 1, 2).float() / 255
LABELS = [0, 1, 2, 1]
NAMES = ["ant", "bee", "cat"]
PILLOW = [Image.fromarray(each) for each in LEVELS]


def network():
    convolution = nn.Conv2d(3, 4, 3)
    with torch.no_grad():
        convolution.weight.copy_(torch.linspace(-0.1, 0.2, 108).reshape(4, 3, 3, 3))
        convolution.bias.zero_()
    return nn.Sequential(convolution, nn.ReLU()).eval()


def measured(data, **options):
    return tw.class_selectivity(network(), data, "1", progress=False, device="cpu", **options)["1"]


EXPECTED = measured([(IMAGES, torch.tensor(LABELS))])["class_mean"].values


class Columns(Dataset):
    """A data set of dicts with features, as Hugging Face's are."""

    class ClassLabel:
        names = NAMES

    def __init__(self):
        self.features = {"img": object(), "fine_label": self.ClassLabel()}

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return {"img": PILLOW[index], "fine_label": LABELS[index], "coarse_label": 0}


class Streamed:
    """Dicts one after the other, without a length."""

    def __iter__(self):
        return (Columns()[index] for index in range(4))


class Pairs(Dataset):
    def __init__(self, classes=NAMES, labels=LABELS):
        self.classes, self.labels = classes, labels

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return IMAGES[index], self.labels[index]


class Wrapped(Dataset):
    """A reader's own wrapper, which may number the classes otherwise."""

    def __init__(self, inner, number=int):
        self.inner, self.number = inner, number

    def __len__(self):
        return len(self.inner)

    def __getitem__(self, index):
        image, label = self.inner[index]
        return image, self.number(label)


DICTS = [{"image": image, "label": label} for image, label in zip(PILLOW, LABELS, strict=True)]
FORMS = {
    "X, y": (IMAGES, torch.tensor(LABELS)),
    "list of X and y": [IMAGES, LABELS],
    "arrays of bytes, channels last": (LEVELS, np.array(LABELS)),
    "y of pandas, numbered otherwise": (LEVELS, pd.Series(LABELS, index=[3, 2, 1, 0])),
    "Pillow's images and y": (PILLOW, LABELS),
    "dict of all": {"image": IMAGES, "label": LABELS},
    "dict of Pillow's images": {"image": PILLOW, "label": LABELS},
    "batches of dicts": [
        {"pixel_values": IMAGES[:2], "labels": LABELS[:2]},
        {"pixel_values": IMAGES[2:], "labels": LABELS[2:]},
    ],
    "batches of bytes in dicts": [
        {"image": torch.from_numpy(LEVELS).permute(0, 3, 1, 2), "label": torch.tensor(LABELS)}
    ],
    "dicts of single images": DICTS,
    "dicts of a data set": Columns(),
    "dicts that stream": Streamed(),
    "dicts that come once": iter(DICTS),
    "pairs that come once": ((image, label) for image, label in zip(IMAGES, LABELS, strict=True)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_measures_the_same(form):
    data = FORMS[form]
    found = measured(data)["class_mean"].values
    assert np.allclose(found, EXPECTED, rtol=1e-6, atol=0)


@pytest.mark.parametrize("form", [form for form in FORMS if not form.endswith("once")])
def test_every_form_is_a_source_with_labels_and_can_be_sampled(form):
    data = FORMS[form]
    source = tw.zoo.images(data, size=None)
    assert torch.equal(torch.cat([images for images, _ in source.labeled()]), IMAGES)
    assert torch.cat([labels for _, labels in source.labeled()]).tolist() == LABELS
    probe = tw.Probe(network(), "1", device="cpu")
    sampled, plain = (tw.sample_activations(probe, each, n=12, progress=False) for each in (data, IMAGES))
    assert np.allclose(sampled.values, plain.values, rtol=1e-5, atol=1e-6)


def test_dicts_are_concepts_too():
    record = tw.concepts(
        tw.Probe(network(), "1", device="cpu"),
        [{"image": IMAGES.repeat(10, 1, 1, 1), "label": [NAMES[label] for label in LABELS * 10]}],
        progress=False,
    )
    assert record["concept"].values.tolist() == NAMES


@pytest.mark.parametrize(
    ("data", "error", "sentence"),
    [
        ([(IMAGES, [0, None, 2, 1])], ValueError, "image 1 has None as its label; give its class, or take"),
        ([(IMAGES, np.array([0, 1, None, 1]))], ValueError, "image 2 has None as its label"),
        ([{"image": IMAGES, "label": [0, 1, 2, None]}], ValueError, "image 3 has None as its label"),
        (Pairs(labels=[0, 1, None, 2]), ValueError, "image 2 has None as its label"),
        (Pairs(labels=[None] * 4), ValueError, "images come without labels; give pairs"),
        ([{"image": IMAGES}], ValueError, "dicts with a column called 'label'"),
        (
            [{"scan": IMAGES, "label": LABELS}],
            TypeError,
            "columns 'scan', 'label' and none that is called image",
        ),
        (
            {"train": Columns(), "test": Columns()},
            TypeError,
            r"parts of a data set .* such as data\['train'\]",
        ),
        ((LEVELS, LABELS[:3]), ValueError, "there are 4 images and 3 labels; give one label per image"),
        (pd.DataFrame({"image": PILLOW, "label": LABELS}), TypeError, "data is a DataFrame; give batches"),
    ],
)
def test_what_lacks_a_label_or_a_column_is_refused_in_a_sentence(data, error, sentence):
    with pytest.raises(error, match=sentence):
        measured(data)


def test_concepts_without_a_name_are_refused():
    probe, many = tw.Probe(network(), "1", device="cpu"), IMAGES.repeat(10, 1, 1, 1)
    labels = ["ant", "bee"] * 19 + [None, "bee"]
    for data in ((many, labels), {"image": list(many), "label": labels}):
        with pytest.raises(ValueError, match=r"label at place .* is None; give every image a label"):
            tw.concepts(probe, data, progress=False)
    with pytest.raises(ValueError, match="the label at place 38 is None"):
        tw.concepts(probe, many, labels, progress=False)


def test_a_sources_missing_label_is_told_of_as_it_is_read():
    source = tw.zoo.images(Pairs(labels=[0, 1, None, 2]), size=None)
    with pytest.raises(ValueError, match="image 2 of the 4 images of a Pairs has no class as its label"):
        list(source.labeled())


WRAPPERS = {
    "Subset": Subset(Pairs(), [0, 1, 2]),
    "random_split": random_split(Pairs(), [4, 0])[0],
    "ConcatDataset": ConcatDataset([Pairs(), Pairs()]),
    "DataLoader of a Subset": DataLoader(Subset(Pairs(), [0, 1, 2, 3]), batch_size=2),
    "Subset of a ConcatDataset": Subset(ConcatDataset([Pairs()]), [0, 1, 2]),
    "wrapper": Wrapped(Pairs()),
    "DataLoader of a wrapper of a Subset": DataLoader(Wrapped(Subset(Pairs(), [0, 1, 2]))),
    "features": Columns(),
    "Subset of features": Subset(Columns(), [0, 1, 2]),
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_names_are_found_inside_wrappers(wrapper):
    assert measured(WRAPPERS[wrapper])["cls"].values.tolist() == NAMES
    assert measured(tw.zoo.images(WRAPPERS[wrapper], size=None))["cls"].values.tolist() == NAMES


def test_a_part_without_the_last_classes_keeps_the_names_of_the_others():
    part = Subset(Pairs(), [0, 1, 3])
    assert measured(part)["cls"].values.tolist() == ["ant", "bee"]
    assert measured(tw.zoo.images(part, size=None))["cls"].values.tolist() == ["ant", "bee"]


def test_names_of_other_classes_are_not_taken():
    relabeled = Wrapped(Pairs(), lambda label: int(label > 0))
    with pytest.warns(UserWarning, match=r"labels are of 2 classes and the data set inside names 3"):
        assert measured(relabeled)["cls"].values.tolist() == [0, 1]
    assert tw.zoo.images(relabeled, size=None).classes == ()
    assert measured(relabeled, classes=["insect", "other"])["cls"].values.tolist() == ["insect", "other"]


MIXED = ConcatDataset([Pairs(), Pairs(["dog", "elk", "fox"])])


@pytest.mark.parametrize("data", [MIXED, DataLoader(MIXED, batch_size=2), Subset(MIXED, [0, 1, 2, 3])])
def test_parts_that_name_classes_otherwise_are_refused(data):
    for given in (data, tw.zoo.images(data, size=None)):
        with pytest.raises(
            ValueError, match=r"label 0 is 'ant' in one part .* and 'dog' in another, so no label"
        ):
            measured(given)
        # With names for what the labels stand for, and where labels play no part, nothing is wrong.
        assert measured(given, classes=["x", "y", "z"])["cls"].values.tolist() == ["x", "y", "z"]
    sampled = tw.sample_activations(tw.Probe(network(), "1", device="cpu"), data, n=8, progress=False)
    assert sampled.shape == (8, 4)


def test_concepts_of_parts_that_name_classes_otherwise_are_refused_before_the_network_runs(monkeypatch):
    probe, many = tw.Probe(network(), "1", device="cpu"), ConcatDataset([MIXED] * 5)
    monkeypatch.setattr("tunewidgets.kernels.dissection.concepts._seen", lambda *_: pytest.fail("it ran"))
    with pytest.raises(ValueError, match="so no label stands for one class"):
        tw.concepts(probe, many, progress=False)


def test_a_part_that_lacks_the_last_classes_agrees_with_the_others():
    both = ConcatDataset([Pairs(), Pairs(["ant", "bee"], [0, 1, 0, 1])])
    assert measured(both)["cls"].values.tolist() == NAMES


class Transformed(Pairs):
    """Labels that are changed as they are given, as torchvision's data sets do."""

    def __init__(self, target_transform):
        super().__init__()
        self.target_transform = target_transform

    def __getitem__(self, index):
        return IMAGES[index], self.target_transform(LABELS[index])


@pytest.mark.parametrize("change", [lambda label: 2 - label, lambda label: int(label > 0)])
@pytest.mark.parametrize("wrap", [lambda data: data, lambda data: Subset(data, range(4))])
def test_names_no_longer_belong_to_labels_that_a_data_set_changes(change, wrap):
    data = wrap(Transformed(change))
    with pytest.warns(UserWarning, match="the target_transform of the Transformed changes its labels"):
        found = measured(data)
    changed = torch.tensor([change(label) for label in LABELS])
    plain = measured([(IMAGES, changed)])
    assert found["cls"].values.tolist() == plain["cls"].values.tolist()
    assert np.allclose(found["class_mean"].values, plain["class_mean"].values, rtol=1e-6, atol=0)
    assert tw.zoo.images(data, size=None).classes == ()


@pytest.mark.filterwarnings("error:.*target_transform")
def test_a_target_transform_that_keeps_the_classes_keeps_their_names():
    for change in (torch.tensor, float, lambda label: np.eye(3)[label]):
        assert measured(Transformed(change))["cls"].values.tolist() == NAMES
    names = ["x", "y", "z"]
    found = measured(Transformed(lambda label: 2 - label), classes=names)
    assert found["cls"].values.tolist() == names


@pytest.mark.parametrize(
    "classes",
    [
        {0: "ant", 1: "bee", 2: "cat"},
        {2: "cat", 0: "ant", 1: "bee"},
        {"2": "cat", "0": "ant", "1": "bee"},
        {"cat": 2, "ant": 0, "bee": 1},
        {np.int64(1): "bee", np.int64(0): "ant", np.int64(2): "cat"},
    ],
)
def test_classes_may_be_a_mapping_either_way(classes):
    data = [(IMAGES, torch.tensor(LABELS))]
    assert measured(data, classes=classes)["cls"].values.tolist() == NAMES
    assert measured([(IMAGES, [NAMES[i] for i in LABELS])], classes=classes)["cls"].values.tolist() == NAMES
    assert measured(Pairs(classes=classes))["cls"].values.tolist() == NAMES
    record = tw.concepts(
        tw.Probe(network(), "1", device="cpu"),
        IMAGES.repeat(10, 1, 1, 1),
        LABELS * 10,
        classes=classes,
        progress=False,
    )
    assert sorted(record["concept"].values.tolist()) == NAMES


def test_names_that_are_numbers_are_told_from_numbers():
    data = [(IMAGES, torch.tensor(LABELS))]
    assert measured(data, classes={"7": 0, "9": 1, "8": 2})["cls"].values.tolist() == ["7", "9", "8"]


def test_names_of_a_chain_and_of_a_wrapper_that_holds_itself():
    from tunewidgets.zoo.class_names import class_names

    around = Wrapped(Pairs())
    assert class_names(ChainDataset([around])).names == tuple(NAMES)
    around.inner = around
    assert class_names(around).names == ()
