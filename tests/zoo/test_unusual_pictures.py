"""Pictures and folders that are not as usual: read right, or said in a sentence, never wrong without a word."""

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
