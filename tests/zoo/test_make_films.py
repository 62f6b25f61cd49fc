"""Films of a network's layers as a command: what it writes, that it goes on, and that its layers are there."""

import numpy as np
import pytest
from PIL import Image

import tunewidgets as tw
from tunewidgets.makers import films as make_films
from tunewidgets.makers.films import LAYERS, FilmPlan

TINY = FilmPlan(vectors=400, methods=("ica", "pca"), points=32, side=8, steps=1, axes=139, axis_points=2)


@pytest.fixture
def command(tmp_path, monkeypatch):
    """The command's arguments, with eight photographs of noise and two small layers to look at."""
    folder = tmp_path / "data" / "imagenet-sample"
    folder.mkdir(parents=True)
    for number in range(8):
        noise = np.random.default_rng(number).integers(0, 256, (40, 48, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"n0{number}_thing_{number}.jpg")
    monkeypatch.setenv("TUNEWIDGETS_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(make_films, "LAYERS", {"shallow_cnn": {"relu1": TINY, "relu2": TINY}})
    out = str(tmp_path / "out")
    return ["shallow_cnn", "--components", "2", "--photographs", "8", "--device", "cpu", "--out", out]


def test_every_layer_and_method_is_read_and_shown_beside_photographs_and_table_2_follows(
    command, tmp_path, capsys
):
    assert make_films.main(command) == 0
    written = capsys.readouterr().out
    films = {}
    for layer in ("relu1", "relu2"):
        for method in ("ica", "pca"):
            name = f"shallow_cnn-{layer}-{method}.zarr.zip"
            assert name in written
            films[layer, method] = film = tw.open_record(tmp_path / "out" / name)
            assert film.attrs["layer"] == layer
            assert film.image.shape == (2, 32, 8, 8, 3)
            assert {"patch", "suggested_label", "attribute_p_holm"} <= set(film)
        # PCA and ICA of one subspace are held against the same random axes.
        first, second = (films[layer, method]["attribute_null"] for method in ("ica", "pca"))
        np.testing.assert_array_equal(first, second)
    table = tw.open_record(tmp_path / "out" / "shallow_cnn-table2.zarr.zip")
    assert list(table["decomposition"].values) == ["conv2d0 ICA", "conv2d0 PCA", "conv2d1 ICA", "conv2d1 PCA"]


def test_what_is_finished_is_not_made_again(command, tmp_path):
    assert make_films.main([*command, "--layers", "relu1"]) == 0
    [ica, pca] = sorted((tmp_path / "out").glob("*.zarr.zip"))
    pca.unlink()
    before = ica.stat().st_mtime_ns
    assert make_films.main([*command, "--layers", "relu1"]) == 0
    assert pca.exists()
    assert ica.stat().st_mtime_ns == before


def test_a_layer_that_is_not_looked_at_is_refused(command, capsys):
    assert make_films.main([*command, "--layers", "relu9"]) == 1
    assert "has no layer 'relu9' here; choose among relu1, relu2" in capsys.readouterr().err


@pytest.mark.parametrize("network", LAYERS)
def test_the_layers_it_names_are_the_networks(network):
    found = tw.layers(tw.zoo.load(network, weights=None)).set_index("name")
    assert set(LAYERS[network]) <= set(found.index)
    assert found.loc[list(LAYERS[network]), "rectified"].all()
