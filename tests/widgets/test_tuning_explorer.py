"""TuningExplorer from Python's side: traits, what it sends and answers, and what it leaves in a notebook."""

import base64
import io
import json
import subprocess
import sys

import numpy as np
import pytest
import traitlets
import xarray as xr
from films import make_film
from PIL import Image

import tunewidgets as tw
from tunewidgets.derived.film_text import dimension_name, film_warnings
from tunewidgets.records import RecordError
from tunewidgets.widgets import film_page, page_code


@pytest.fixture(scope="module")
def film() -> xr.Dataset:
    return make_film(3, 8, 16, failed={1: "constant direction: nothing turns"}, converged=False)


@pytest.fixture
def explorer(film: xr.Dataset) -> tw.TuningExplorer:
    return tw.TuningExplorer(film)


@pytest.fixture
def sent(explorer: tw.TuningExplorer, monkeypatch: pytest.MonkeyPatch) -> list:
    messages: list = []
    monkeypatch.setattr(explorer, "send", lambda content, buffers=None: messages.append((content, buffers)))
    return messages


def cell(film: xr.Dataset, sprite: bytes, point: int) -> np.ndarray:
    """One point's image, cut out of an encoded mosaic as the page does it."""
    cells = film_page.film_facts(film, [0])["cells"]
    whole = np.asarray(Image.open(io.BytesIO(sprite)).convert("RGB"), float)
    x, y = (point % cells["columns"]) * cells["width"], (point // cells["columns"]) * cells["height"]
    return whole[y : y + cells["height"], x : x + cells["width"]]


class TestTraits:
    def test_start(self, explorer, film):
        assert (explorer.dimension, explorer.playing) == (0, False)
        assert explorer.unit is None
        assert explorer.labels == ["", "", ""]
        assert explorer.film is film

    def test_starts_in_the_middle_of_the_data(self, film):
        quantile = np.array(
            [[0, 0.3, 0.45, 0.8, 0.9, 0.95, 0.99, 1], [np.nan] * 8, [0.4] + [0.9] * 7], np.float32
        )
        explorer = tw.TuningExplorer(film.assign(quantile=(("dimension", "point"), quantile)))
        assert explorer.points == [2, 3, 0]
        assert tw.TuningExplorer(explorer.film, dimensions=[2, 0]).points == [0, 2]

    def test_can_be_given_at_the_start(self, film):
        explorer = tw.TuningExplorer(
            film, dimension=2, points=[0, 1, 2], labels=["a", "b", "c"], playing=True
        )
        assert (explorer.dimension, explorer.points, explorer.playing) == (2, [0, 1, 2], True)
        assert explorer.labels == ["a", "b", "c"]

    def test_numpy_numbers_are_numbers(self, explorer, film):
        explorer.dimension = np.int64(2)
        explorer.points = list(np.argmax(film["cosine"].fillna(0).values, axis=1))
        assert json.dumps(explorer.points) == "[0, 0, 0]"

    @pytest.mark.parametrize(
        ("name", "value", "sentence"),
        [
            ("dimension", 3, "dimension is 3, but this explorer shows 3 dimensions; give 0 to 2"),
            ("dimension", -1, "dimension is -1"),
            (
                "points",
                [0, 0],
                r"points has 2 entries, but this explorer shows 3 dimensions; give a point from 0 to 7",
            ),
            ("points", [0, 8, 0], r"points\[1\] is 8, but the film has 8 points; give 0 to 7"),
            ("labels", ["one"], "labels has 1 entries, but this explorer shows 3 dimensions; give a label"),
            ("points", [0.5, 0, 0], "int"),
            ("dimension", True, "int"),
            ("unit", 12, "unit is 12, but the film's layer has 12 units; give 0 to 11, or None"),
        ],
    )
    def test_bad_values_are_refused_in_a_sentence(self, explorer, name, value, sentence):
        before = getattr(explorer, name)
        with pytest.raises(traitlets.TraitError, match=sentence):
            setattr(explorer, name, value)
        assert getattr(explorer, name) == before

    def test_labels_go_into_a_copy_of_the_film(self, explorer, film, tmp_path):
        explorer.labels = ["phase", "", "orientation <b>"]
        labeled = explorer.labeled()
        reopened = tw.open_record(tw.save_record(labeled, tmp_path / "film.zarr.zip"))
        assert list(reopened["label"].values) == ["phase", "", "orientation <b>"]
        assert list(film["label"].values) == ["", "", ""]
        assert tw.TuningExplorer(reopened).labels == ["phase", "", "orientation <b>"]

    def test_suggestions_turned_down_leave_the_copy(self, film):
        suggested = np.array(["angle, p = .035", "phase, p = .05", ""], dtype=object)
        explorer = tw.TuningExplorer(film.assign(suggested_label=("dimension", suggested)), dimensions=[1, 0])
        assert [d["suggestion"] for d in explorer._film["dimensions"]] == [
            "phase, p = .05",
            "angle, p = .035",
        ]
        explorer.labels, explorer.rejected = ["", "angle"], [True, False]
        assert list(explorer.labeled()["suggested_label"].values) == ["angle, p = .035", "", ""]
        assert list(explorer.labeled()["label"].values) == ["angle", "", ""]
        with pytest.raises(traitlets.TraitError, match="rejected has 1 entries"):
            explorer.rejected = [True]


class TestChoiceOfDimensions:
    def test_some_in_the_order_given(self, film):
        film = film.assign(label=("dimension", np.array(["a", "b", "c"], dtype=object)))
        explorer = tw.TuningExplorer(film, dimensions=[2, 0])
        assert explorer.labels == ["c", "a"]
        assert [d["index"] for d in explorer._film["dimensions"]] == [2, 0]
        explorer.labels = ["C", "A"]
        assert list(explorer.labeled()["label"].values) == ["A", "b", "C"]

    @pytest.mark.parametrize(
        ("dimensions", "sentence"),
        [([3], "holds 3; give different numbers from 0 to 2"), ([], "names none"), ([1, 1], "twice")],
    )
    def test_impossible_ones(self, film, dimensions, sentence):
        with pytest.raises(ValueError, match=sentence):
            tw.TuningExplorer(film, dimensions=dimensions)


class TestFilm:
    def test_may_be_a_path(self, film, tmp_path):
        path = tw.save_record(film, tmp_path / "film.zarr")
        assert tw.TuningExplorer(path).points == tw.TuningExplorer(film).points
        assert tw.TuningExplorer(str(path)).film.identical(tw.open_record(path))

    def test_must_be_one(self, tmp_path):
        with pytest.raises(RecordError, match="not a tunewidgets record"):
            tw.TuningExplorer(xr.Dataset())
        with pytest.raises(RecordError, match="it is a list"):
            tw.TuningExplorer([1, 2])
        with pytest.raises(FileNotFoundError, match="there is no record at"):
            tw.TuningExplorer(tmp_path / "nothing.zarr")

    def test_of_one_point_and_one_dimension(self):
        explorer = tw.TuningExplorer(make_film(1, 1, 8))
        assert explorer.points == [0]
        assert explorer._repr_mimebundle_()[0]["image/png"]


class TestWhatThePageIsSent:
    def test_facts(self, explorer, film):
        facts = explorer._film
        assert (facts["model"], facts["layer"], facts["method"]) == ("gabor_bank", "relu", "ICA")
        assert (facts["sampling"], facts["points"]) == ("arc", 8)
        assert "did not converge" in facts["warnings"][0]
        first = facts["dimensions"][0]
        np.testing.assert_allclose(first["coordinate"], film["coordinate"].values[0], rtol=1e-3)
        np.testing.assert_allclose(first["histogram"], film["histogram"].values[0], rtol=1e-3)
        assert facts["dimensions"][1]["status"] == "constant direction: nothing turns"
        assert facts["dimensions"][1]["cosine"] == [None] * 8

    def test_is_json_whatever_is_missing(self, film):
        film = film.assign(explained_variance=film["explained_variance"] * np.nan)
        facts = film_page.film_facts(film, [0, 1, 2])
        assert "NaN" not in json.dumps(facts, allow_nan=False)
        assert facts["dimensions"][0]["share"] is None

    def test_lle_is_called_unstable(self):
        assert "unstable" in film_warnings({"method": "lle", "converged": True})[0]
        assert film_warnings({"method": "pca", "converged": True}) == []

    def test_heaviest_units(self):
        target = np.array([[0.1, -5, 3, 0], [2, 2, 1, 4]], np.float32)
        units, weights = film_page.top_units(target)
        assert units == [[2, 0], [3, 0, 1, 2]]
        np.testing.assert_allclose(weights[1], [4, 2, 2, 1])

    def test_images(self, explorer, film):
        for point in (0, 3, 7):
            seen = cell(film, explorer._sprites[0], point)
            assert np.abs(seen - film["image"].values[0, point]).mean() < 12
        assert explorer._sprites[1] == b""

    def test_state_is_small(self):
        explorer = tw.TuningExplorer(make_film(6, 32, 64, 28, noise=6))
        state = {k: v for k, v in explorer.get_state().items() if k not in {"_esm", "_css", "_sprites"}}
        size = len(json.dumps(state)) + sum(map(len, explorer._sprites))
        assert size <= 600_000

    def test_beyond_the_budget_images_stay_in_the_kernel(self, film):
        whole = film_page.inline_sprites(film, [0, 1, 2], 10**6)
        assert [bool(s) for s in whole] == [True, False, True]
        some = film_page.inline_sprites(film, [0, 1, 2], len(whole[0]) + 1)
        assert some == [whole[0], b"", b""]


class TestRequests:
    def test_an_image_is_sent_on_request(self, explorer, sent, film):
        explorer._handle_custom_msg({"id": "a1", "kind": "sprite", "dimension": 2}, [])
        [(content, buffers)] = sent
        assert content == {"id": "a1", "kind": "done"}
        assert np.abs(cell(film, buffers[0], 5) - film["image"].values[2, 5]).mean() < 12

    @pytest.mark.parametrize("dimension", [3, -1, None, "0", True])
    def test_what_can_not_be_sent_is_refused_with_a_reason(self, explorer, sent, dimension):
        explorer._handle_custom_msg({"id": "a1", "kind": "sprite", "dimension": dimension}, [])
        [(content, _)] = sent
        assert content["kind"] == "error"
        assert "there is no dimension" in content["message"]

    @pytest.mark.parametrize("message", ["text", None, {"kind": "unknown"}, {}])
    def test_other_messages_are_not_ours(self, explorer, sent, message):
        explorer._handle_custom_msg(message, [])
        assert sent == []


class TestOutput:
    def test_carries_a_picture_for_viewers_without_widgets(self, explorer, film):
        data, _ = explorer._repr_mimebundle_()
        assert "application/vnd.jupyter.widget-view+json" in data
        picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGB")
        # The last image of the first row, where `film_still` puts it.
        pixels = np.asarray(picture, float)
        row = pixels[60:132, 206 : 206 + 7 * 75]
        wanted = Image.fromarray(film["image"].values[0, -1]).resize((72, 72), Image.Resampling.BILINEAR)
        assert np.abs(row[:, 6 * 75 : 6 * 75 + 72] - np.asarray(wanted, float)).mean() < 12

    def test_the_picture_frames_the_image_at_which_each_slider_stands(self, film):
        explorer = tw.TuningExplorer(film, points=[7, 0, 2])
        pixels = np.asarray(explorer._still())
        frame = [
            [tuple(pixels[59 + 75 * row, 206 + 75 * at + 36]) == (0, 114, 178) for at in range(7)]
            for row in range(3)
        ]
        # Seven of eight points: 0, 1, 2, 4, 5, 6 and 7; the second dimension has no images.
        assert [np.flatnonzero(row).tolist() for row in frame] == [[6], [], [2]]

    def test_the_picture_follows_the_reader(self, film):
        suggested = film.assign(
            suggested_label=("dimension", np.array(["angle, p = .035", "", ""], dtype=object))
        )
        explorer = tw.TuningExplorer(suggested)
        assert dimension_name(suggested, 0) == "angle"
        accepted = np.asarray(explorer._still())
        explorer.rejected = [True, False, False]
        assert dimension_name(explorer.labeled(), 0) == "dimension 0"
        assert (np.asarray(explorer._still()) != accepted).any()
        explorer.rejected, explorer.labels = [False] * 3, ["angle", "", ""]
        assert (np.asarray(explorer._still()) == accepted).all()

    def test_with_more_dimensions_than_fit(self):
        explorer = tw.TuningExplorer(make_film(12, 3, 8))
        assert explorer._still().height < 800

    def test_a_missing_bundle_is_one_sentence(self, film, monkeypatch, tmp_path):
        monkeypatch.setattr(page_code, "STATIC", tmp_path)
        monkeypatch.setattr(page_code, "_held", {})
        with pytest.raises(FileNotFoundError, match=r"tuning-explorer\.js is missing .* npm run build"):
            tw.TuningExplorer(film)

    def test_needs_no_torch(self, film, tmp_path):
        path = tw.save_record(film, tmp_path / "film.zarr.zip")
        code = (
            "import sys, tunewidgets as tw\n"
            f"tw.TuningExplorer({str(path)!r})._repr_mimebundle_()\n"
            "tw.figures\n"
            "print(sorted({'torch', 'torchvision', 'sklearn'} & set(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"


def test_the_figure_is_that_of_the_open_row(film):
    explorer = tw.TuningExplorer(film, dimensions=[2, 0], labels=["warm", ""])
    figure = explorer.figure()
    assert figure == tw.figures.film_strip(explorer.labeled(), 2)
    assert "warm" in figure.layout.title.text
