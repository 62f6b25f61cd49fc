"""Real patches along a film, and a photo placed along its dimensions, against slow and plain references."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import tunewidgets as tw
from tunewidgets.kernels.tuning.film_patches import window_around
from tunewidgets.kernels.tuning.places import coordinates_of, places_on

K = 3


@pytest.fixture(scope="module")
def scenes():
    return tw.zoo.images("dead-leaves", n=12, size=49, seed=3)


@pytest.fixture(scope="module")
def probe():
    return tw.Probe(tw.zoo.gabor_bank(n=9), "relu", device="cpu")


@pytest.fixture(scope="module")
def sample(probe, scenes):
    return tw.sample_activations(probe, scenes, n=1500, progress=False)


@pytest.fixture(scope="module")
def fitted(sample):
    return tw.TuningDimensions("pca", 2).fit(sample)


@pytest.fixture(scope="module")
def film(probe, fitted):
    return tw.render_film(probe, fitted, points=4, size=16, steps=2, progress=False)


@pytest.fixture(scope="module")
def patched(film, probe, sample, scenes):
    return tw.add_patches(film, probe, sample, scenes, k=K, side=7, progress=False)


def test_coordinates_are_the_estimators(film, fitted, sample):
    np.testing.assert_allclose(
        coordinates_of(film, sample.values), fitted.transform(sample), atol=2e-6 * np.abs(sample).max().item()
    )


def test_patches_are_what_a_loop_over_all_samples_chooses(patched, film, fitted, sample):
    own = fitted.transform(sample)
    for dimension in range(2):
        for point in range(4):
            distance = np.abs(own[:, dimension] - float(film["coordinate"][dimension, point]))
            near = sorted(range(len(own)), key=lambda i: distance[i])[:64]
            target = np.maximum(film["target"][dimension, point].values, 0)

            def likeness(i, target=target):
                return sample.values[i] @ target / max(np.linalg.norm(sample.values[i]), 1e-12)

            expected: list[int] = []
            for i in sorted(near, key=likeness, reverse=True):
                if int(sample.image[i]) not in expected:
                    expected.append(int(sample.image[i]))
            assert patched["patch_image"][dimension, point].values.tolist() == expected[:K]


def test_a_patch_is_what_its_position_sees(patched, scenes):
    # A Gabor filter of 7 px at stride 2 without padding: position p sees 7 px from pixel 2p on.
    for at in np.ndindex(patched["patch_image"].shape):
        y, x = patched["patch_position"].values[at]
        scene = scenes[int(patched["patch_image"].values[at])]
        seen = (scene[:, 2 * y : 2 * y + 7, 2 * x : 2 * x + 7] * 255 + 0.5).to(torch.uint8).movedim(0, -1)
        assert (patched["patch"].values[at] == seen.numpy()).all()


def test_a_pooled_vector_s_patch_is_what_its_whole_neighborhood_sees(film, probe, scenes):
    sample = tw.sample_activations(probe, scenes, n=600, pool=3, progress=False)
    patched = tw.add_patches(film, probe, sample, scenes, k=K, side=11, progress=False)
    assert tw.records.settings_of(patched)["patches"]["window"] == 7 + 2 * 2
    for at in np.ndindex(patched["patch_image"].shape):
        y, x = patched["patch_position"].values[at]
        scene = scenes[int(patched["patch_image"].values[at])]
        first = (slice(2 * (y - 1), 2 * (y - 1) + 11), slice(2 * (x - 1), 2 * (x - 1) + 11))
        seen = (scene[:, *first] * 255 + 0.5).to(torch.uint8).movedim(0, -1)
        assert (patched["patch"].values[at] == seen.numpy()).all()


def test_a_layer_that_sees_more_than_a_probe_was_tried_with_has_patches_of_its_own_field():
    # 7 px and five times 2 × 8 more: 87, wider than the 64 px at which a probe is tried first.
    torch.manual_seed(0)
    more = [torch.nn.Conv2d(4, 4, 3, padding=1) for _ in range(5)]
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 7, 8, 3), *more, torch.nn.ReLU()).eval()
    probe = tw.Probe(network, "6", device="cpu")
    scenes = torch.rand(3, 3, 160, 160, generator=torch.Generator().manual_seed(0))
    for images, window in ((scenes, 87), (scenes[..., :80, :80], None)):
        sample = tw.sample_activations(probe, images, n=150, progress=False)
        dimensions = tw.TuningDimensions("pca", 1).fit(sample)
        film = tw.render_film(probe, dimensions, points=2, size=64, steps=1, progress=False)
        patched = tw.add_patches(film, probe, sample, images, k=1, progress=False)
        assert tw.records.settings_of(patched)["patches"]["window"] == window


def test_images_may_be_a_flipped_array(patched, film, probe, sample, scenes):
    turned = np.stack([scenes[i].numpy() for i in range(12)])[::-1].copy()[::-1]
    again = tw.add_patches(film, probe, sample, turned, k=K, side=7, progress=False)
    assert (again["patch"].values == patched["patch"].values).all()


def test_the_order_of_units_does_not_matter(patched, film, probe, sample, scenes):
    numbered = sample.assign_coords(unit=range(9))
    again = tw.add_patches(film, probe, numbered[:, ::-1].T, scenes, k=K, side=7, progress=False)
    assert again.identical(patched)


@pytest.mark.parametrize("vectors", [{}, {"pool": 3, "normalize": True}])
@pytest.mark.parametrize(
    "others",
    [
        lambda images: images.flip(0),
        lambda images: images.flip(3),
        lambda images: images.flip(1),
        lambda images: images.repeat_interleave(2, 2).repeat_interleave(2, 3),
        lambda images: images[:, :, :25, :25],
    ],
    ids=["other order", "mirrored", "BGR", "larger", "smaller"],
)
def test_images_that_the_sample_is_not_of_are_refused(film, probe, scenes, vectors, others):
    images = torch.stack([scenes[i] for i in range(12)])
    own = tw.sample_activations(probe, images, n=600, progress=False, **vectors)
    with pytest.raises(
        ValueError, match="does not give the activations that were sampled from it; give the images"
    ):
        tw.add_patches(film, probe, own, others(images), k=K, side=7, progress=False)


def test_another_preprocess_than_the_samples_is_refused(film, probe, sample, scenes):
    dark = tw.Probe(probe.model, "relu", preprocess=lambda images: images / 2, device="cpu")
    with pytest.raises(ValueError, match="made with another preprocess; give the probe it was made with"):
        tw.add_patches(film, dark, sample, scenes, k=K, side=7, progress=False)


def test_vectors_that_are_nowhere_and_patches_for_which_there_is_no_room(film, probe, sample, scenes):
    with pytest.raises(ValueError, match="doesn't say where in its image"):
        tw.add_patches(film, probe, sample.drop_vars(["y", "x"]), scenes, progress=False)
    with pytest.raises(TypeError, match="give the DataArray that sample_activations gives"):
        tw.add_patches(film, probe, sample.values, scenes, progress=False)
    with pytest.raises(MemoryError, match="give a smaller side"):
        tw.add_patches(film, probe, sample, scenes, side=10**7, progress=False)


def test_a_window_stays_inside_its_image():
    picture = torch.arange(100.0).view(1, 10, 10)
    for position, corner in (((0, 0), 0), ((4, 4), 44), ((9, 9), 77)):
        window = window_around(picture, (3, 3), (1, 1), (10, 10), np.array(position))
        assert window.shape == (1, 3, 3)
        assert window[0, 0, 0] == (corner - 11 if corner == 44 else corner)
    assert window_around(picture, None, (10, 10), (1, 1), np.array([0, 0])).shape == (1, 10, 10)


def test_fewer_images_than_asked_for_leave_places_empty(film, probe, scenes):
    few = tw.sample_activations(probe, scenes[0][None], n=200, progress=False)
    patched = tw.add_patches(film, probe, few, scenes[0][None], k=2, side=7, progress=False)
    assert (patched["patch_image"][..., 0] == 0).all()
    assert (patched["patch_image"][..., 1] == -1).all()
    assert np.isnan(patched["patch_coordinate"][..., 1]).all()


def test_patches_come_back_from_disk_and_can_be_made_again(patched, probe, sample, scenes, tmp_path):
    back = tw.open_record(tw.save_record(patched, tmp_path / "film.zarr.zip"))
    assert back.identical(patched)
    again = tw.add_patches(back, probe, sample, scenes, k=1, side=5, progress=False)
    assert again["patch"].shape == (2, 4, 1, 5, 5, 3)


@pytest.mark.parametrize("vectors", [{}, {"pool": 3, "normalize": True}, {"pool": 3, "pooling": "rms"}])
def test_a_photo_is_placed_as_its_sampled_vectors_are(probe, scenes, vectors):
    sample = tw.sample_activations(probe, scenes, n=600, progress=False, **vectors)
    dimensions = tw.TuningDimensions("ica", 2).fit(sample)
    film = tw.render_film(probe, dimensions, points=2, size=16, steps=1, progress=False)
    expected = dimensions.transform(sample)
    middle = vectors.get("pool", 1) // 2
    for image in (0, 7):
        places = places_on(film, probe, scenes[image])
        here = np.flatnonzero(sample.image == image)
        found = places[:, sample.y.values[here] - middle, sample.x.values[here] - middle].T
        np.testing.assert_allclose(found, expected[here], atol=1e-4)


def test_what_cannot_be_done_is_said_in_one_sentence(film, probe, sample, scenes):
    bank = probe.model
    for options, sentence in (
        ({"k": 0}, "k=0 can't be used"),
        ({"side": 2.5}, "side=2.5 can't be used"),
        ({"activations": sample.drop_vars("image")}, "doesn't say which image"),
        ({"activations": sample[:, :4]}, "the vectors have 4 units and the film 9"),
        ({"images": scenes[0][None]}, "came from at least 12 images and images gives 1"),
        ({"images": DataLoader(list(scenes), shuffle=True)}, "DataLoader shuffles"),
        (
            {"probe": tw.Probe(bank, "filters", device="cpu")},
            "film is of layer 'relu' and the probe of 'filters'",
        ),
        (
            {"probe": tw.Probe(tw.zoo.gabor_bank(n=9, seed=1), "relu", device="cpu")},
            "made with other weights",
        ),
        ({"film": film.drop_vars(["component", "unmixing", "center", "unit_mask"])}, "no linear fit"),
    ):
        given = {"film": film, "probe": probe, "activations": sample, "images": scenes, **options}
        with pytest.raises(ValueError, match=sentence):
            tw.add_patches(**given, progress=False)
