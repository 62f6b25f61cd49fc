"""Pictures and folders that are not as usual: read right, or said in a sentence, never wrong without a word."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

import tunewidgets as tw
from tunewidgets.zoo import pictures

RAMP = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)


def only(folder):
    return tw.zoo.images(folder, size=None)[0]


@pytest.mark.parametrize(
    ("name", "image", "levels"),
    [
        ("float.tif", Image.fromarray(RAMP), 1 << 20),
        ("32 bits.tif", Image.fromarray((RAMP * 65535).round().astype(np.int32)), 65535),
        ("16 bits.png", Image.fromarray((RAMP * 65535).round().astype(np.uint16)), 65535),
        ("8 bits.png", Image.fromarray((RAMP * 255).round().astype(np.uint8)), 255),
    ],
)
def test_every_depth_is_read_in_its_own_range(tmp_path, name, image, levels):
    image.save(tmp_path / name)
    assert torch.allclose(only(tmp_path), torch.from_numpy(RAMP).expand(3, 8, 8), atol=1 / levels)


@pytest.mark.parametrize(
    ("largest", "kind", "white", "told"),
    [
        (255, np.int32, 255, "are taken for those of 8 bits"),
        (4095, np.int32, 65535, "multiply them, by 16 for 12 bits"),
        (65535, np.int32, 65535, None),
        (255, np.uint16, 65535, "and so is almost black"),
        (65535, np.uint16, 65535, None),
        (0, np.int32, 65535, None),
    ],
)
@pytest.mark.parametrize("as_file", [False, True])
def test_a_depth_that_is_guessed_is_told_of(tmp_path, recwarn, as_file, largest, kind, white, told):
    values = (RAMP * largest).round()
    image = Image.fromarray(values.astype(kind))
    if as_file:
        image.save(tmp_path / "a.tif")
    picture = only(tmp_path) if as_file else tw.zoo.images([image], size=None)[0]
    assert torch.allclose(picture, torch.from_numpy(values).expand(3, 8, 8) / white)
    said = [str(each.message) for each in recwarn]
    assert bool(said) == (told is not None)
    assert all(told in each for each in said)


def test_a_dark_16_bit_pgm_keeps_its_depth(tmp_path):
    values = (RAMP * 200).round()
    (tmp_path / "gray.pgm").write_bytes(b"P5 8 8 65535\n" + values.astype(">u2").tobytes())
    with pytest.warns(UserWarning, match="almost black"):
        assert torch.allclose(only(tmp_path), torch.from_numpy(values).expand(3, 8, 8) / 65535)


def test_values_just_outside_the_range_are_clipped_and_told_of():
    images = torch.linspace(-0.001, 1.001, 192).reshape(1, 3, 8, 8)
    with pytest.warns(UserWarning, match="outside \\[0, 1\\], as resizing leaves them, and are clipped"):
        source = tw.zoo.images(images, size=None)
    assert torch.equal(source[0], images[0].clamp(0, 1))
    with pytest.raises(ValueError, match=r"ranges from 0 to 1\.0012, not within"):
        tw.zoo.images(images.clamp(min=0) * 1.0002, size=None)


def test_a_16_bit_pgm_is_read_in_its_own_range(tmp_path):
    values = (RAMP * 65535).round().astype(">u2")
    (tmp_path / "gray.pgm").write_bytes(b"P5 8 8 65535\n" + values.tobytes())
    assert torch.allclose(only(tmp_path), torch.from_numpy(RAMP).expand(3, 8, 8), atol=1e-4)


def test_float_images_of_pil_in_a_list_are_read_as_floats():
    [picture] = [tw.zoo.images([Image.fromarray(RAMP)], size=None)[0]]
    assert torch.allclose(picture, torch.from_numpy(RAMP).expand(3, 8, 8))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [(RAMP * 255, "divide by 255"), ((RAMP * 1e6).astype(np.int32), "no image of 16 bits")],
)
def test_values_of_no_known_range_are_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        tw.zoo.images([Image.fromarray(values)], size=None)[0]


@pytest.fixture
def save():
    def saved(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), "red").save(path)

    return saved


def test_images_that_cannot_be_read_are_told_of(tmp_path, save, monkeypatch):
    monkeypatch.setattr(pictures, "SOMETIMES", ())
    save(tmp_path / "one.jpg")
    for number in range(9):
        (tmp_path / f"{number}.heic").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("no image at all")
    with pytest.warns(UserWarning, match=r"left out \(9 \.heic\); convert them"):
        assert len(tw.zoo.images(tmp_path, size=None)) == 1


def test_a_class_may_be_a_link_to_a_folder_even_to_one_above(tmp_path, save):
    save(tmp_path / "elsewhere" / "a.png")
    save(tmp_path / "data" / "birds" / "b.png")
    (tmp_path / "data" / "cats").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "birds" / "around").symlink_to(tmp_path / "data" / "birds")
    source = tw.zoo.images(tmp_path / "data", size=None)
    assert source.classes == ("birds", "cats")
    assert [label for _, labels in source.labeled() for label in labels.tolist()] == [0, 1]


def test_an_empty_class_is_told_of(tmp_path, save):
    save(tmp_path / "birds" / "a.png")
    save(tmp_path / "dogs" / "a.png")
    (tmp_path / "cats").mkdir()
    with pytest.warns(UserWarning, match="cats in .* holds no images and so is no class"):
        assert tw.zoo.images(tmp_path, size=None).classes == ("birds", "dogs")


@pytest.mark.parametrize(
    "parts",
    [
        ("holdout", "test"),
        ("trainset", "test"),
        ("split0", "test"),
        ("images", "test"),
        ("fold1", "fold2"),
        ("Train", "a"),
    ],
)
def test_folders_above_the_same_classes_are_parts_whatever_they_are_called(tmp_path, save, parts):
    for part in parts:
        for name in ("birds", "cats"):
            save(tmp_path / part / name / "a.png")
    with pytest.warns(UserWarning, match="are parts of a data set and not classes"):
        source = tw.zoo.images(tmp_path, size=None)
    assert not source.has_labels
    with pytest.raises(ValueError, match="no labels"):
        source.labeled()


def test_classes_that_hold_the_same_folders_stay_classes_with_a_word(tmp_path, save):
    for name in ("birds", "cats"):
        for place in ("indoor", "outdoor"):
            save(tmp_path / name / place / "a.png")
    with pytest.warns(
        UserWarning, match=r"the same folders \(indoor, outdoor\) and are taken for the classes"
    ):
        assert tw.zoo.images(tmp_path, size=None).classes == ("birds", "cats")


@pytest.mark.parametrize(
    "folders",
    [
        {
            "birds": ["images"],
            "test": ["images"],
        },  # as in Tiny ImageNet, where every class has a folder "images"
        {"birds": ["images", "more"], "test": ["images", "others"]},
        {"birds": ["a", "b"], "test": ["c", "d"]},
    ],
)
def test_classes_with_folders_of_their_own_are_classes_without_a_word(tmp_path, save, recwarn, folders):
    for name, inside in folders.items():
        for own in inside:
            save(tmp_path / name / own / "a.png")
    assert tw.zoo.images(tmp_path, size=None).classes == ("birds", "test")
    assert not recwarn.list


def test_links_to_nothing_are_counted_and_named(tmp_path, save):
    save(tmp_path / "a" / "a.png")
    save(tmp_path / "c" / "a.png")
    (tmp_path / "b").symlink_to(tmp_path / "gone")
    for number in range(6):
        (tmp_path / "a" / f"z{number}.png").symlink_to(tmp_path / "gone.png")
    with pytest.warns(
        UserWarning, match=r"7 links in .* lead to nothing .*z0\.png.*, ….*labels of later folders are"
    ):
        assert tw.zoo.images(tmp_path, size=None).classes == ("a", "c")


def test_files_that_are_skipped_are_told_of_unless_they_are_texts(tmp_path, save, recwarn):
    save(tmp_path / "a.png")
    for name in ("notes.txt", "labels.csv", "README", "meta.json", ".DS_Store", "Thumbs.db", "page.html"):
        (tmp_path / name).write_text("no image")
    assert len(tw.zoo.images(tmp_path, size=None)) == 1
    assert not recwarn.list
    for name in ("scan.dcm", "b.npy", "c.npy", "IMG_0001"):
        (tmp_path / name).write_bytes(b"no picture")
    with pytest.warns(UserWarning, match=r"left out \(1 without a suffix, 1 \.dcm, 2 \.npy\); convert those"):
        assert len(tw.zoo.images(tmp_path, size=None)) == 1


def test_files_of_several_pictures_are_told_of(tmp_path, save, recwarn):
    save(tmp_path / "a.tif")
    assert len(list(tw.zoo.images(tmp_path, size=8))) == 1
    assert not recwarn.list
    pages = [Image.new("RGB", (8, 8), color) for color in ("red", "blue", "lime")]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    pages[0].save(tmp_path / "film.gif", save_all=True, append_images=pages[1:])
    source = tw.zoo.images(tmp_path, size=8)
    with pytest.warns(
        UserWarning, match=r"2 files hold several .* \(film\.gif with 3, stack\.tif with 3\); save each"
    ):
        [batch] = source
    assert torch.equal(batch[0], batch[2])


def test_folders_that_share_a_list_say_why_they_have_no_labels(tmp_path, save):
    for part, names in (("one", "ab"), ("two", "cd")):
        for name in names:
            save(tmp_path / part / name / "a.png")
    source = tw.zoo.images([tmp_path / "one", tmp_path / "two"], size=None)
    for each in (source, tw.zoo.images(source, size=8)):
        with pytest.raises(
            ValueError, match="no labels: each of their sources numbers its classes for itself"
        ):
            each.labeled()


def test_parts_of_a_data_set_are_no_classes(tmp_path, save):
    for part in ("train", "val"):
        for name in ("birds", "cats"):
            save(tmp_path / part / name / "a.png")
    with pytest.warns(UserWarning, match=r"train, val in .* are parts of a data set and not classes"):
        source = tw.zoo.images(tmp_path, size=None)
    assert len(source) == 4
    with pytest.raises(ValueError, match="no labels"):
        source.labeled()
    assert tw.zoo.images(tmp_path / "train", size=None).classes == ("birds", "cats")


def a_png(width, height, rows=b""):
    """A PNG that promises a size, with the rows that there are."""
    parts = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0),
        b"IDAT": zlib.compress(rows),
        b"IEND": b"",
    }
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts.items()
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_a_decompression_bomb_is_refused_in_a_sentence(tmp_path, recwarn):
    (tmp_path / "bomb.png").write_bytes(a_png(30_000, 30_000))
    with pytest.raises(
        ValueError, match=r"bomb\.png has more pixels than Pillow opens .*900000000.*; make it smaller"
    ):
        only(tmp_path)
    assert not recwarn.list


def test_a_very_large_picture_is_told_of_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    Image.new("RGB", (50, 30), "red").save(tmp_path / "large.png")
    with pytest.warns(UserWarning, match=r"large\.png has 50 × 30 px and takes 0\.0 GB"):
        assert only(tmp_path).shape == (3, 30, 50)


@pytest.fixture
def some_broken(tmp_path):
    """A folder of whole files of every format, and two that end too early, last."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    for suffix in ("bmp", "gif", "jpg", "png", "ppm", "tif", "webp"):
        Image.fromarray(noise).save(tmp_path / f"{suffix}.{suffix}")
    for name in ("y.jpg", "z.png"):
        whole = io.BytesIO()
        Image.fromarray(noise).save(whole, "jpeg" if name == "y.jpg" else "png")
        (tmp_path / name).write_bytes(whole.getvalue()[:1500])
    return tmp_path


def test_files_that_end_too_early_are_found_before_a_pass_begins(some_broken):
    source = tw.zoo.images(some_broken, size=16, batch_size=1)
    message = (
        r"2 image files can't be read, and the first of them is this: .*y\.jpg can't be read .*; repair it or"
    )
    for begun in (source, tw.zoo.images(source, n=9), tw.zoo.images([str(some_broken), "photos"], size=16)):
        with pytest.raises(ValueError, match=message):
            next(iter(begun))
    # One that is whole can be read all the same.
    assert source[0].shape == (3, 16, 16)
    (some_broken / "y.jpg").unlink()
    with pytest.raises(ValueError, match=r"^.*z\.png can't be read as an image"):
        next(iter(tw.zoo.images(some_broken, size=16)))
    (some_broken / "z.png").unlink()
    assert sum(len(batch) for batch in tw.zoo.images(some_broken, size=16)) == 7


def test_every_folder_of_a_mixture_is_looked_through_also_when_some_of_it_are_chosen(
    some_broken, tmp_path_factory
):
    whole = tmp_path_factory.mktemp("whole")
    (whole / "a.png").write_bytes((some_broken / "png.png").read_bytes())
    mixture = tw.zoo.images([str(whole), str(some_broken)], size=16)
    with pytest.raises(ValueError, match="2 image files can't be read"):
        next(iter(tw.zoo.images(mixture)))


def test_whole_files_are_not_decoded_to_find_broken_ones(some_broken, monkeypatch):
    from tunewidgets.zoo import truncated

    decoded = []
    monkeypatch.setattr(truncated, "read_picture", decoded.append)
    truncated.check_files(sorted(some_broken.iterdir()))
    assert [path.name for path in decoded] == ["y.jpg", "z.png"]


def test_what_follows_the_end_of_a_picture_is_no_fault(some_broken):
    from tunewidgets.zoo.truncated import check_files

    file = some_broken / "jpg.jpg"
    file.write_bytes(file.read_bytes() + b"0" * 500)
    check_files([file])


def test_pillows_image_of_a_broken_file_is_named_by_its_place(some_broken):
    with (
        Image.open(some_broken / "z.png") as image,
        pytest.raises(ValueError, match=r"image 0 can't be read"),
    ):
        tw.zoo.images([image], size=None)
