"""Labels as people keep them: numbers, whole floats, one-hot rows and names are classes; anything else is refused."""

import numpy as np
import pytest
import torch
from torch import nn

import tunewidgets as tw

IMAGES = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 1])
NAMES = ("ant", "bee", "cat")


def measured(data, **options):
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    nn.init.constant_(network[0].weight, 0.1)
    nn.init.zeros_(network[0].bias)
    tree = tw.class_selectivity(network, data, "1", progress=False, device="cpu", **options)
    return tree["1"]["class_mean"].values


@pytest.mark.parametrize(
    ("labels", "options"),
    [
        (LABELS.double(), {}),
        (LABELS.float().numpy(), {}),
        ([0.0, 1.0, 2.0, 1.0], {}),
        (torch.nn.functional.one_hot(LABELS), {}),
        (torch.nn.functional.one_hot(LABELS).float(), {}),
        ([NAMES[i] for i in LABELS], {"classes": NAMES}),
        (np.array(NAMES)[LABELS.numpy()], {"classes": NAMES}),
    ],
    ids=["doubles", "floats", "list", "one-hot", "one-hot floats", "names", "array of names"],
)
def test_each_way_of_writing_them_measures_the_same(labels, options):
    assert np.array_equal(measured([(IMAGES, labels)], **options), measured([(IMAGES, LABELS)]))


@pytest.mark.parametrize(
    ("labels", "options", "sentence"),
    [
        (torch.tensor([0, 1.9, 2, 1]), {}, "one whole number per image"),
        (torch.tensor([[0.2, 0.8], [1, 0], [0, 1], [1, 0]]), {}, "one whole number per image"),
        (torch.tensor([0, 1, 3_000_000, 1]), {}, "labels go up to 3,000,000, as ids do"),
        (torch.tensor([0, 1, 10**9, 1]), {}, "labels go up to 1,000,000,000, as ids do"),
        (torch.tensor([0, 1e20, 2, 1]), {}, "labels go up to 1e\\+20 in size, more than whole numbers do"),
        (torch.tensor([0, torch.inf, 2, 1]), {}, "labels go up to inf"),
        (["ant", "bee", "cta", "bee"], {"classes": NAMES}, "did you mean 'cat'"),
        (["ant", "bee", "dog", "bee"], {"classes": NAMES}, "none of the classes"),
    ],
)
def test_what_is_no_class_is_refused_in_a_sentence(labels, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        measured([(IMAGES, labels)], **options)


def test_labels_without_values_are_refused_in_a_sentence():
    with pytest.raises(TypeError, match="labels is on the meta device and so has no values"):
        measured([(IMAGES, LABELS.to("meta"))])
    source = tw.zoo.images(Pairs([0, 1e20, 2, 1]), size=None)
    with pytest.raises(ValueError, match=r"image 1 of the .* has no class as its label"):
        list(source.labeled())


class Pairs:
    """A data set of pairs, whose labels are numbers of any kind."""

    def __init__(self, labels):
        self.labels = labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return IMAGES[index], self.labels[index]


def test_a_data_sets_labels_may_be_whole_floats():
    for labels in (LABELS.tolist(), LABELS.double(), LABELS.double().tolist()):
        assert np.array_equal(measured(Pairs(labels)), measured([(IMAGES, LABELS)]))


def test_measurements_are_no_labels():
    with pytest.raises(ValueError, match="one whole number per image"):
        measured(Pairs([0.5, 1.9, 2.0, 1.0]))
