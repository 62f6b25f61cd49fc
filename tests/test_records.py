"""Records: what makes one valid, and that disk gives back what was saved."""

import json
import os
import subprocess
import sys
import warnings
import zipfile
from urllib.parse import unquote

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from tunewidgets import records
from tunewidgets.records import RecordError, group_name, layer_tree, new_attrs, open_record, save_record

D, P, U, Y, X, B = 2, 3, 4, 5, 6, 7
NASTY = [
    "a/b",
    "c:d",
    "100%",
    "a%2Fb",
    "..",
    ".hidden",
    "__meta",
    "con",
    "Blöcke 1",
    "trailing.",
    "layer2.0.conv1",
]


def make_film(layer="relu", linear=True, seed=0):
    rng = np.random.default_rng(seed)

    def real(*shape):
        return rng.normal(size=shape).astype("float32")

    point = ("dimension", "point")
    variables = {
        "coordinate": (point, real(D, P)),
        "quantile": (point, real(D, P)),
        "target": ((*point, "unit"), real(D, P, U)),
        "image": ((*point, "y", "x", "rgb"), rng.integers(0, 256, (D, P, Y, X, 3), dtype="uint8")),
        "cosine": (point, np.where(rng.random((D, P)) < 0.5, np.nan, 1).astype("float32")),
        "histogram": (("dimension", "bin"), real(D, B)),
        "bin_edge": (("dimension", "edge"), real(D, B + 1)),
        "explained_variance": ("dimension", real(D)),
        "status": ("dimension", ["", "constant direction: the target never turns"]),
        "label": ("dimension", ["Überkante — 方向 🧭", ""]),
        "suggested_label": ("dimension", ["", "<b>not html</b>"]),
        "unit_mask": ("unit", np.array([True, False, True, True])),
    }
    if linear:
        variables["component"] = (("dimension", "unit"), real(D, U))
        variables["unmixing"] = (("dimension", "unit"), real(D, U))
        variables["center"] = ("unit", real(U))
    attrs = new_attrs(
        "film",
        model="gabor_bank",
        model_sha256="0" * 64,
        layer=layer,
        settings={
            "method": "ica",
            "n_components": np.int64(D),
            "bounds": np.array([0.5, 1.5]),
            "größe": None,
        },
        seed=0,
        n_images=10,
        n_vectors=100,
    )
    return xr.Dataset(variables, attrs=attrs)


@pytest.fixture
def film():
    return make_film()


@pytest.mark.parametrize("name", ["film.zarr", "film.zarr.zip", "made/on/the/way/film.zarr"])
@pytest.mark.parametrize("linear", [True, False])
def test_a_film_comes_back_from_disk_as_it_was(tmp_path, name, linear):
    film = make_film(linear=linear)
    written = save_record(film, tmp_path / name)
    assert written == tmp_path / name
    assert written.is_file() == name.endswith(".zip")
    back = open_record(str(written))
    xr.testing.assert_identical(back, film)
    for variable, values in film.data_vars.items():
        assert back[variable].dtype == (object if values.dtype.kind == "U" else values.dtype), variable
    assert all(type(label) is str for label in back["label"].values)
    assert records.settings_of(back)["bounds"] == [0.5, 1.5]
    assert records.settings_of(back)["größe"] is None


def test_saving_and_opening_warn_of_nothing(tmp_path, film):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        open_record(save_record(film, tmp_path / "film.zarr.zip"))


def test_text_coordinates_and_any_kind_of_string_array_survive(tmp_path, film):
    film = film.assign_coords(unit=[f"relu:{i}" for i in range(U)], dimension=["eins", "zwei"])
    film["label"] = ("dimension", np.array(["ä", "bb"], dtype=object))
    back = open_record(save_record(film, tmp_path / "film.zarr"))
    xr.testing.assert_identical(back, film)
    xr.testing.assert_identical(open_record(save_record(back, tmp_path / "again.zarr.zip")), film)


def test_on_disk_a_record_is_zarr_v3_with_variable_length_strings_and_no_consolidated_metadata(
    tmp_path, film
):
    path = save_record(film, tmp_path / "film.zarr")
    root = json.loads((path / "zarr.json").read_text())
    assert root["zarr_format"] == 3
    assert not root.get("consolidated_metadata")
    assert json.loads((path / "label" / "zarr.json").read_text())["data_type"] == "string"


def test_a_zip_holds_every_entry_once(tmp_path, film):
    path = save_record(film, tmp_path / "film.zarr.zip")
    names = zipfile.ZipFile(path).namelist()
    assert len(names) == len(set(names))
    assert "zarr.json" in names


@pytest.mark.parametrize("name", ["film.zarr", "film.zarr.zip"])
def test_saving_replaces_an_earlier_record_and_leaves_nothing_beside_it(tmp_path, name):
    save_record(make_film(seed=1), tmp_path / name)
    second = make_film(seed=2, linear=False)
    save_record(second, tmp_path / name)
    xr.testing.assert_identical(open_record(tmp_path / name), second)
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", ["film.zarr", "film.zarr.zip"])
def test_a_failure_while_writing_leaves_the_earlier_record_whole(tmp_path, film, name, monkeypatch):
    save_record(film, tmp_path / name)

    def full_disk(self, *args, **kwargs):
        raise OSError("no space left on device")

    monkeypatch.setattr(xr.Dataset, "to_zarr", full_disk)
    with pytest.raises(OSError, match="no space left"):
        save_record(make_film(seed=9), tmp_path / name)
    monkeypatch.undo()
    xr.testing.assert_identical(open_record(tmp_path / name), film)
    assert os.listdir(tmp_path) == [name]


def test_anything_else_at_the_path_is_left_alone(tmp_path, film):
    folder = tmp_path / "work.zarr"
    folder.mkdir()
    (folder / "thesis.tex").write_text("…")
    file = tmp_path / "notes.zarr.zip"
    file.write_text("not a zip")
    xr.Dataset({"a": 1}).to_zarr(tmp_path / "foreign.zarr", consolidated=False, zarr_format=3)
    for path in (folder, file, tmp_path / "foreign.zarr"):
        with pytest.raises(FileExistsError, match="left alone; choose another path"):
            save_record(film, path)
    assert (folder / "thesis.tex").read_text() == "…"
    assert file.read_text() == "not a zip"


def test_a_folder_that_can_not_be_written_to_is_named(tmp_path, film):
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(OSError, match=r"notes can't be written to \(.*\); give a path in a writable folder"):
        save_record(film, tmp_path / "notes" / "film.zarr")


@pytest.mark.parametrize("name", ["film", "film.nc", "film.zip"])
def test_a_path_of_another_ending_is_refused(tmp_path, film, name):
    with pytest.raises(ValueError, match=r"end it in \.zarr for a folder or \.zarr\.zip"):
        save_record(film, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", [".zarr", ".zarr.zip"])
def test_a_tree_of_nastily_named_layers_comes_back_as_it_was(tmp_path, ending):
    films = {layer: make_film(layer, seed=i) for i, layer in enumerate(NASTY)}
    tree = layer_tree(films)
    path = save_record(tree, tmp_path / f"all{ending}")
    back = open_record(path)
    assert isinstance(back, xr.DataTree)
    assert list(back.children) == list(tree.children)
    xr.testing.assert_identical(back, tree)
    for layer, node in zip(NASTY, back.children.values(), strict=True):
        assert node.attrs["layer"] == layer
        np.testing.assert_array_equal(node["image"].values, films[layer]["image"].values)


def test_group_names_on_disk_are_plain_and_carry_the_true_name(tmp_path):
    path = save_record(layer_tree({layer: make_film(layer) for layer in NASTY}), tmp_path / "all.zarr")
    groups = {p.name: json.loads((p / "zarr.json").read_text()) for p in path.iterdir() if p.is_dir()}
    assert len(groups) == len(NASTY)
    assert {meta["attributes"]["tunewidgets_name"] for meta in groups.values()} == set(NASTY)
    assert all(unquote(group) == meta["attributes"]["tunewidgets_name"] for group, meta in groups.items())
    assert "layer2.0.conv1" in groups


def test_a_tree_keeps_its_root_its_name_and_deeper_nodes(tmp_path, film):
    tree = xr.DataTree(
        film, name="recovery", children={"films": xr.DataTree(children={"ica:3": xr.DataTree(film)})}
    )
    xr.testing.assert_identical(open_record(save_record(tree, tmp_path / "t.zarr")), tree)
    alone = xr.DataTree(film)
    back = open_record(save_record(alone, tmp_path / "alone.zarr.zip"))
    assert isinstance(back, xr.DataTree)
    xr.testing.assert_identical(back, alone)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text(min_size=1))
def test_group_names_are_reversible_safe_and_distinct(name, other):
    group = group_name(name)
    assert unquote(group) == name or (len(group) < 220 and "~" in group)
    assert group.isascii()
    assert not set(group) & set('/\\:*?"<>| ')
    assert not group.startswith((".", "__"))
    assert not group.endswith(".")
    assert group.lower() not in {"con", "nul", "aux", "prn"}
    try:
        other.encode()
    except UnicodeEncodeError:
        return
    assert (group_name(other) == group) == (other == name)


def test_new_attrs_says_how_the_record_was_made(film):
    attrs = film.attrs
    assert attrs["tunewidgets_record"] == "film/1"
    assert records.SCHEMA["film"] == 1
    versions = json.loads(attrs["versions"])
    assert versions["numpy"] == np.__version__
    assert versions["xarray"] == xr.__version__
    assert attrs["created"].endswith("+00:00")
    assert all(v is None or type(v) in (str, int) for v in attrs.values())


GIVEN = {"model": "m", "model_sha256": "s", "layer": "l", "seed": None, "n_images": None, "n_vectors": None}


@pytest.mark.parametrize(
    ("kind", "settings", "error", "sentence"),
    [
        ("movie", {}, ValueError, "no kind of record called 'movie'; the kinds are film"),
        ("film", {"x": float("nan")}, ValueError, "NaN or an infinity.*use None"),
        ("film", {"x": object()}, TypeError, "of type object.*describe it as text"),
    ],
)
def test_new_attrs_refuses(kind, settings, error, sentence):
    with pytest.raises(error, match=sentence):
        new_attrs(kind, settings=settings, **GIVEN)


def without_attr(name):
    def change(film):
        film = film.copy()
        del film.attrs[name]
        return film

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (without_attr("tunewidgets_record"), "not a tunewidgets record: it has no attribute"),
        (lambda f: f.assign_attrs(tunewidgets_record="film"), "is 'film', where a kind and a version"),
        (lambda f: f.assign_attrs(tunewidgets_record="film/²"), "where a kind and a version"),
        (lambda f: f.assign_attrs(tunewidgets_record=7), "is 7, where a kind and a version"),
        (
            lambda f: f.assign_attrs(tunewidgets_record="film/3"),
            r"^made by a newer tunewidgets \(film/3, this one reads up to film/1\); upgrade tunewidgets$",
        ),
        (lambda f: f.assign_attrs(tunewidgets_record="dream/1"), "doesn't know 'dream' records.*upgrade"),
        (without_attr("settings"), "lacks the attribute settings"),
        (
            lambda f: f.drop_vars(["image", "label"]),
            "lacks the variables image, label; make the film record again",
        ),
        (lambda f: f.drop_vars("unmixing"), "has component but not unmixing, and they belong together"),
        (lambda f: f.drop_vars("unit_mask"), "has component but not unit_mask"),
        (lambda f: f.transpose(), r"coordinate .* has the dims \(point, dimension\)"),
        (lambda f: f.assign(image=f["image"].astype("float32")), "image .* is float32, where uint8 belongs"),
        (lambda f: f.assign(cosine=f["cosine"].astype("float64")), "cosine .* is float64, where float32"),
        (
            lambda f: f.assign(label=("dimension", np.array(["a", None], object))),
            "label .* is object, where str",
        ),
        (lambda f: f.assign(status=("dimension", [0, 1])), "status .* is int64, where str belongs"),
        (lambda f: f.isel(point=[]), "has no points; render it again with points=1 or more"),
        (lambda f: f.isel(dimension=[]), "has no dimensions; fit again"),
        (lambda f: f.isel(unit=[]), "has no units"),
        (lambda f: f.isel(x=[]), "0 pixels wide"),
        (lambda f: f.isel(rgb=[0]), "dim rgb .* has size 1, where 3 belongs"),
        (lambda f: f.isel(edge=slice(B)), "7 bins but 7 edges, where 8 are needed"),
        (lambda f: f["image"], "it is a DataArray, where an xarray Dataset or DataTree belongs"),
        (lambda f: {"image": 1}, "it is a dict"),
        (lambda f: xr.DataTree(), "not a tunewidgets record: it has no attribute"),
        (
            lambda f: xr.DataTree(children={"conv1": xr.DataTree(f.isel(point=[]))}),
            "^in '/conv1': this film has no points",
        ),
    ],
)
def test_validate_says_in_one_sentence_what_is_wrong(film, tmp_path, change, sentence):
    records.validate(film)
    bad = change(film)
    with pytest.raises(RecordError, match=sentence) as caught:
        records.validate(bad)
    assert "\n" not in str(caught.value)
    with pytest.raises(RecordError, match=sentence):
        save_record(bad, tmp_path / "bad.zarr")
    assert not list(tmp_path.iterdir())


def test_opening_what_is_not_there_names_the_records_beside_it(tmp_path, film):
    save_record(film, tmp_path / "film.zarr")
    with pytest.raises(
        FileNotFoundError, match=r"no record at .*flim\.zarr; records beside it: film\.zarr; give"
    ):
        open_record(tmp_path / "flim.zarr")


def test_opening_what_is_not_a_record_says_so(tmp_path, film):
    (tmp_path / "empty.zarr").mkdir()
    (tmp_path / "text.zarr.zip").write_text("hello")
    with zipfile.ZipFile(tmp_path / "other.zarr.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    for name in ("empty.zarr", "text.zarr.zip", "other.zarr.zip"):
        with pytest.raises(RecordError, match="is not a tunewidgets record: it holds no Zarr v3 group"):
            open_record(tmp_path / name)
    xr.Dataset({"a": 1}).to_zarr(tmp_path / "foreign.zarr", consolidated=False, zarr_format=3)
    with pytest.raises(RecordError, match="has no attribute 'tunewidgets_record'"):
        open_record(tmp_path / "foreign.zarr")


def test_a_newer_record_is_named_as_such_before_it_is_decoded(tmp_path, film):
    path = save_record(film, tmp_path / "film.zarr")
    meta = json.loads((path / "zarr.json").read_text())
    meta["attributes"]["tunewidgets_record"] = "film/9"
    (path / "zarr.json").write_text(json.dumps(meta))
    (path / "image" / "zarr.json").write_text('{"zarr_format": 3, "node_type": "from the future"}')
    with pytest.raises(RecordError, match=r"made by a newer tunewidgets \(film/9"):
        open_record(path)


def test_a_damaged_record_is_named_as_such(tmp_path, film):
    path = save_record(film, tmp_path / "film.zarr")
    chunk = next(p for p in (path / "image").rglob("*") if p.is_file() and p.name != "zarr.json")
    chunk.write_bytes(b"\0" * 10)
    with pytest.raises(RecordError, match=r"film\.zarr is damaged .*copy it again"):
        open_record(path)


def test_settings_of_needs_settings():
    with pytest.raises(RecordError, match="'settings' is missing or not a JSON object"):
        records.settings_of(xr.Dataset())


def test_a_record_opens_where_torch_cannot_be_imported(tmp_path, film):
    path = save_record(film, tmp_path / "film.zarr.zip")
    code = (
        "import sys\n"
        "for name in ('torch', 'torchvision', 'sklearn', 'plotly'): sys.modules[name] = None\n"
        "import tunewidgets as tw\n"
        f"print(tw.open_record({str(path)!r})['label'].values[0].encode())\n"
        "for computes in (lambda: tw.render_film, lambda: tw.zoo.gabor_bank):\n"
        "    try: computes()\n"
        "    except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    label, *said = done.stdout.splitlines()
    assert label == repr("Überkante — 方向 🧭".encode())
    assert [line.partition(",")[0] for line in said] == [
        "render_film needs PyTorch",
        "gabor_bank needs PyTorch",
    ]
