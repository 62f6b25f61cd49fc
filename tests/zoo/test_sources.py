"""Image sources: whatever can be one gives the same kind of batches, and the rest is told what is wrong."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.transform import rescale
from sklearn.datasets import load_sample_images
from torch.utils.data import DataLoader, TensorDataset

from tunewidgets.zoo import cifar10, images
from tunewidgets.zoo.dead_leaves import dead_leaves

RNG = np.random.default_rng(0)
BATCH = torch.rand(5, 3, 20, 30, generator=torch.Generator().manual_seed(0))


def all_of(source):
    return torch.cat(list(source))


@pytest.fixture
def folder(tmp_path):
    """Two classes, four images, of several formats and modes, none of them square."""
    for name, mode, color in [
        ("cats/a.png", "RGB", (255, 0, 0)),
        ("cats/b.JPG", "L", 128),
        ("dogs/deep/c.webp", "RGB", (0, 0, 255)),
        ("dogs/d.png", "RGBA", (0, 255, 0, 255)),
    ]:
        path = tmp_path / "pets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new(mode, (40, 24), color).save(path)
    (tmp_path / "pets" / "notes.txt").write_text("not an image")
    return tmp_path / "pets"


class Squares(torch.utils.data.Dataset):
    """A torchvision-style dataset of PIL images."""

    classes = ("dark", "light")

    def __len__(self):
        return 6

    def __getitem__(self, index):
        if index >= 6:
            raise IndexError
        return Image.new("L", (16, 12), 40 * index), int(index > 2)


def check(source, n, size):
    batches = list(source)
    assert len(source) == n == sum(map(len, batches))
    for batch in batches:
        assert batch.dtype == torch.float32
        assert batch.shape[1:] == (3, size, size)
        assert batch.min() >= 0
        assert batch.max() <= 1
    torch.testing.assert_close(torch.stack([source[i] for i in range(n)]), torch.cat(batches), rtol=0, atol=0)
    torch.testing.assert_close(all_of(source), torch.cat(batches), rtol=0, atol=0)
    assert source.describe()


def generator():
    yield from BATCH


@pytest.mark.parametrize(
    ("make", "n"),
    [
        (lambda: images("photos", size=24), 2),
        (lambda: images("photos", n=7, size=24), 7),
        (lambda: images("dead-leaves", n=9, size=24), 9),
        (lambda: images(["photos", "dead-leaves"], n=5, size=24), 5),
        (lambda: images(BATCH, size=24), 5),
        (lambda: images(BATCH, n=2, size=24), 2),
        (lambda: images(BATCH.numpy(), size=24), 5),
        (lambda: images(BATCH.numpy()[::-1], size=24), 5),
        (lambda: images((BATCH.permute(0, 2, 3, 1) * 255).byte().numpy(), size=24), 5),
        (lambda: images(list(BATCH), size=24), 5),
        (lambda: images([image.numpy() for image in BATCH[:, 0]], size=24), 5),
        (lambda: images([BATCH[:2], BATCH[2:]], size=24), 5),
        (lambda: images(generator(), size=24), 5),
        (lambda: images(generator(), n=3, size=24), 3),
        (lambda: images(DataLoader(BATCH, batch_size=2), size=24), 5),
        (lambda: images(DataLoader(TensorDataset(BATCH, torch.arange(5)), batch_size=2), size=24), 5),
        (lambda: images(Squares(), size=24), 6),
        (lambda: images(images("photos", n=4, size=30), n=3, size=24), 3),
    ],
)
def test_every_source_gives_the_same_kind_of_batches_again_and_again(make, n):
    check(make(), n, 24)


def test_a_source_gives_the_same_images_whatever_the_batch_size_and_however_many_follow():
    for name in ("photos", "dead-leaves"):
        few, many = images(name, n=5, size=20, batch_size=2), images(name, n=8, size=20)
        assert [len(batch) for batch in few] == [2, 2, 1]
        assert torch.equal(all_of(few), all_of(many)[:5])
        assert not torch.equal(all_of(images(name, n=5, size=20, seed=1))[2:], all_of(few)[2:])


def test_photographs_are_scikit_learns_whole_then_crops_of_them():
    source = images("photos", n=6, size=61)
    for i, photograph in enumerate(load_sample_images().images):
        short = rescale(photograph / 255, 61 / 427, channel_axis=-1, anti_aliasing=True)
        left = (short.shape[1] - 61) // 2
        expected = short[:61, left : left + 61]
        found = source[i].permute(1, 2, 0).numpy()
        assert np.abs(found - expected).mean() < 0.02
    assert len({picture.numpy().tobytes() for picture in all_of(source)}) == 6


def test_dead_leaves_are_the_scenes_of_seed_and_index():
    source = images("dead-leaves", n=3, size=32, seed=5)
    np.testing.assert_array_equal(source[2].permute(1, 2, 0), dead_leaves(32, 5, 2))
    assert len(images("dead-leaves", size=32)) == 400


def test_a_folder_gives_its_images_with_sub_folders_as_labels(folder):
    source = images(folder, size=16)
    check(source, 4, 16)
    assert source.classes == ("cats", "dogs")
    assert source.describe() == "4 images of pets, 16 px"
    pictures, labels = (torch.cat(parts) for parts in zip(*source.labeled(), strict=True))
    assert labels.tolist() == [0, 0, 1, 1]
    colors = pictures.mean((2, 3))
    expected = torch.tensor([[1, 0, 0], [0.5, 0.5, 0.5], [0, 1, 0], [0, 0, 1]])
    torch.testing.assert_close(colors, expected, atol=0.02, rtol=0)
    drawn = images(str(folder), n=2, size=16, seed=1)
    assert drawn.describe() == "2 images of pets, 16 px, seed 1"
    assert all((drawn[i] == pictures).flatten(1).all(1).any() for i in range(2))


def test_hidden_files_of_a_folder_are_no_images(folder):
    (folder / "cats" / "._a.png").write_bytes(b"what macOS keeps beside a.png")
    kept = folder / ".ipynb_checkpoints" / "a-checkpoint.png"
    kept.parent.mkdir()
    kept.write_bytes((folder / "cats" / "a.png").read_bytes())
    source = images(folder, size=16)
    check(source, 4, 16)
    assert source.classes == ("cats", "dogs")


def test_a_folder_with_loose_images_has_no_labels(folder):
    source = images(folder / "cats", size=16)
    assert not source.has_labels
    with pytest.raises(
        ValueError, match="2 images of cats, 16 px have no labels; give a folder with a sub-folder"
    ):
        source.labeled()


def test_a_photograph_is_turned_as_its_camera_says_and_16_bits_are_kept(tmp_path):
    wide = Image.new("RGB", (40, 20))
    wide.paste((255, 255, 255), (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    wide.save(tmp_path / "turned.png", exif=exif)
    Image.fromarray(np.full((20, 40), 32768, np.uint16)).save(tmp_path / "deep.png")
    source = images(tmp_path, size=None)
    assert source[1].shape == (3, 40, 20)
    assert source[1][:, :20].min() == 1
    assert source[1][:, 20:].max() == 0
    assert source[0].mean() == pytest.approx(0.5, abs=1e-3)
    assert [tuple(batch.shape) for batch in source] == [(1, 3, 20, 40), (1, 3, 40, 20)]


def test_labels_and_classes_come_from_datasets_and_loaders():
    source = images(Squares(), size=12)
    assert source.classes == ("dark", "light")
    assert torch.cat([labels for _, labels in source.labeled()]).tolist() == [0, 0, 0, 1, 1, 1]
    loader = images(DataLoader(TensorDataset(BATCH, torch.arange(5)), batch_size=2), size=None)
    assert torch.cat([labels for _, labels in loader.labeled()]).tolist() == list(range(5))
    kept = images(source, n=3, size=12)
    assert kept.classes == source.classes
    assert kept.has_labels


def test_images_that_come_alone_in_their_tuples_are_images():
    alone = TensorDataset(BATCH)
    for source in (alone, DataLoader(alone, batch_size=2)):
        found = images(source, size=None)
        assert not found.has_labels
        torch.testing.assert_close(all_of(found), BATCH)


def test_without_a_size_images_stay_as_they_are():
    assert torch.equal(all_of(images(BATCH, size=None)), BATCH)
    exact = images((BATCH * 255).byte(), size=None)
    assert torch.equal(all_of(exact), (BATCH * 255).byte() / 255)


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 1), (20, 30, 3), (20, 30, 4), (3, 20, 30), (1, 20, 30)])
@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_gray_rgb_and_alpha_are_read_with_channels_first_or_last(shape, kind):
    value = RNG.random(shape).astype("float32")
    channels = value if value.ndim == 3 else value[None]
    if channels.shape[-1] <= 4:
        channels = np.moveaxis(channels, -1, 0)
    expected = np.broadcast_to(channels[:3], (3, 20, 30))
    np.testing.assert_array_equal(images([kind(value)], size=None)[0], expected)


def test_an_array_and_a_photograph_of_the_same_pixels_are_resized_alike():
    photograph = load_sample_images().images[0][:300, :400]
    of_pil, of_array = (images([v], size=50)[0] for v in (Image.fromarray(photograph), photograph))
    assert (of_pil - of_array).abs().max() < 0.02


@pytest.mark.parametrize(
    ("make", "error", "sentence"),
    [
        (lambda d: images("photoz"), FileNotFoundError, "no images called 'photoz'.*did you mean 'photos'"),
        (
            lambda d: images("/no/such/place"),
            FileNotFoundError,
            "give 'photos', .* 'imagenet-labelled' or a folder",
        ),
        (lambda d: images(d / "empty"), ValueError, "the folder .*empty holds no images; put some there"),
        (lambda d: images(d / "file.jpg"), ValueError, "is a file; give the folder"),
        (lambda d: list(images(d, size=8)), ValueError, r"file\.jpg can't be read as an image"),
        (lambda d: images(3), TypeError, "an int is no source of images; give 'photos'"),
        (lambda d: images({"a": 1}), TypeError, "have the columns 'a' and none that is called image"),
        (lambda d: images([]), ValueError, "is empty; give at least one image"),
        (lambda d: images(iter([])), ValueError, "is empty; give at least one image"),
        (lambda d: images(BATCH[:0]), ValueError, "the Tensor of images is empty"),
        (lambda d: images(BATCH[0]), ValueError, r"shape \(3, 20, 30\), not \(N, 3.*images\[None\]"),
        (lambda d: images(BATCH * 255), ValueError, "not within.*; divide by 255"),
        (lambda d: images((BATCH - 0.5) * 4), ValueError, "not within.*; undo the normalization"),
        (lambda d: images([BATCH[0] * 9]), ValueError, "image 0 ranges from"),
        (lambda d: images(BATCH * float("nan")), ValueError, "holds NaN; repair it or take it out"),
        (lambda d: images((BATCH * 255).long()), ValueError, "of dtype int64; give uint8"),
        (lambda d: images(torch.rand(2, 2, 8, 8)), ValueError, r"image 0 has shape \(2, 8, 8\); give"),
        (lambda d: images(["photos", 3]), TypeError, "an int is no source"),
        (
            lambda d: images([{"image": 1}]),
            TypeError,
            "image 0 is an int; give PIL images, arrays or tensors",
        ),
        (lambda d: images(BATCH, n=6), ValueError, r"n=6 images.*only 5 .*; ask for n=5 or fewer"),
        (lambda d: images(generator(), n=6), ValueError, "there are only 5"),
        (lambda d: images("photos", n=0), ValueError, "n=0 makes no image; give a whole number from 1"),
        (lambda d: images("photos", size=1.5), ValueError, "size=1.5"),
        (lambda d: images("photos", seed=-1), ValueError, "seed=-1 is no seed"),
        (lambda d: images("dead-leaves", size=4), ValueError, "too small for dead leaves"),
        (lambda d: images("dead-leaves", size=None), ValueError, "have no size of their own"),
        (lambda d: images(["photos", "dead-leaves"], n=1), ValueError, "can't be shared by 2 sources"),
        (lambda d: images(BATCH)[5], IndexError, "there is no image 5; this source has 5"),
    ],
)
def test_what_is_no_source_gets_one_sentence(tmp_path, make, error, sentence):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.jpg").write_text("not a JPEG")
    with pytest.raises(error, match=sentence) as caught:
        make(tmp_path)
    assert "\n" not in str(caught.value)


def test_importing_the_zoo_imports_no_torch():
    code = "import sys, tunewidgets.zoo as z; print({*z.__all__} <= {*dir(z)}, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_the_zoo_names_its_names_where_one_is_unknown():
    import tunewidgets.zoo as zoo

    with pytest.raises(AttributeError, match="public names: example, gabor_bank, images, load"):
        _ = zoo.imagse


def test_a_data_set_is_a_source_with_labels_by_its_name():
    source = images("digits", n=20, size=None, seed=3)
    assert source.describe() == "20 test images of digits, seed 3"
    assert source.classes == tuple("0123456789")
    (pictures, labels), *_ = source.labeled()
    held_out = cifar10.load_labeled("digits", train=False)
    for picture, label in zip(pictures, labels, strict=True):
        same = (held_out.images.float() / 255 - picture).abs().amax((1, 2, 3)) < 1e-6
        assert held_out.labels[same].tolist() == [label]
    assert len(images("digits")) == 360
