"""Exported pages: what is in the file, what it may do, and what is said when it can't be made."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import ipywidgets
import numpy as np
import pytest
from films import make_film
from recovery_records import make_recovery
from unit_records import make_units

import tunewidgets as tw
from tunewidgets.records import RecordError
from tunewidgets.widgets.of_record import widget_of


class Parts(HTMLParser):
    """The page as a browser reads it: its scripts by their attributes, its policy, its visible text."""

    def __init__(self, page):
        super().__init__()
        self.scripts, self.policy, self.text, self._inside = [], "", "", None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        if tag == "script":
            self.scripts.append([facts, ""])
        if facts.get("http-equiv") == "Content-Security-Policy":
            self.policy = facts["content"]
        self._inside = tag

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts[-1][1] += data
        elif self._inside != "style":
            self.text += data

    @property
    def data(self):
        return json.loads(
            next(text for facts, text in self.scripts if facts.get("type") == "application/json")
        )


def exported(content, tmp_path, **options):
    page = tw.export_html(content, tmp_path / "page.html", **options)
    return Parts(page.path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def explorer():
    return tw.TuningExplorer(make_film(2, 4, 16), labels=["a", "b"])


@pytest.fixture(scope="module")
def scatter():
    return tw.UnitScatter(make_units())


def test_a_page_holds_each_widgets_state_as_it_is_now(explorer, scatter, tmp_path):
    explorer.points = [1, 2]
    found = exported([explorer, scatter], tmp_path).data["widgets"]
    assert [one["code"] for one in found] == ["tuning-explorer", "unit-scatter"]
    assert found[0]["state"]["points"] == [1, 2]
    assert found[0]["state"]["labels"] == ["a", "b"]
    assert found[1]["state"]["layer"] == scatter.layer
    assert not any(
        name.startswith(("_esm", "_css", "_model", "_view", "layout")) for name in found[0]["state"]
    )


def test_all_images_are_in_the_page_where_a_notebook_would_ask_the_kernel(monkeypatch, tmp_path):
    monkeypatch.setattr("tunewidgets.widgets.tuning_explorer.INLINE_BUDGET", 10)
    explorer = tw.TuningExplorer(make_film(2, 4, 16))
    assert explorer._sprites == [b"", b""]
    sprites = exported(explorer, tmp_path).data["widgets"][0]["state"]["_sprites"]
    assert all(base64.b64decode(one["$bytes"])[8:12] == b"WEBP" for one in sprites)


def test_the_policy_allows_the_pages_own_scripts_and_nothing_else(explorer, scatter, tmp_path):
    parts = exported([explorer, scatter], tmp_path)
    rules = dict(rule.strip().split(" ", 1) for rule in parts.policy.split(";"))
    ours = [text for facts, text in parts.scripts if facts.get("type") == "module"]
    assert len(ours) == 3
    assert rules["script-src"].split() == [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in ours
    ]
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data: blob:"


HOSTILE = "</script><script>alert(1)</script><!-- <b>bold</b> \u2028 אב \"quoted\" 'and' &amp; {braces}"


def test_text_is_text_wherever_a_reader_put_it(tmp_path):
    explorer = tw.TuningExplorer(make_film(2, 4, 16), labels=[HOSTILE, "x" * 10_000])
    parts = exported([f"# {HOSTILE}", explorer, HOSTILE], tmp_path, title=HOSTILE)
    assert parts.data["widgets"][0]["state"]["labels"] == [HOSTILE, "x" * 10_000]
    # The data, the explorer's code and the host: none more.
    assert len(parts.scripts) == 3
    assert parts.text.count("<script>alert(1)</script>") == 3


def test_markdown_is_rendered_without_images_or_raw_html(explorer, tmp_path):
    page = tw.export_html(
        ["**bold** ![x](https://example.org/x.png) <i>i</i>", explorer], tmp_path / "page.html"
    ).path.read_text(encoding="utf-8")
    assert "<strong>bold</strong>" in page
    assert "<img" not in page
    assert "&lt;i&gt;" in page


def test_images_are_lowered_until_the_page_fits(tmp_path):
    explorer = tw.TuningExplorer(make_film(3, 16, 64, noise=20))
    best = tw.export_html(explorer, tmp_path / "best.html")
    assert (best.quality, best.at_best) == (90, best.bytes)
    assert best.bytes == best.path.stat().st_size
    smaller = tw.export_html(explorer, tmp_path / "smaller.html", max_mb=0.9 * best.bytes / 1e6)
    assert smaller.quality < 90
    assert smaller.bytes <= 0.9 * best.bytes
    assert smaller.at_best == best.bytes
    assert f"quality {smaller.quality}, lowered from" in str(smaller)
    with pytest.raises(ValueError, match="even with images at WebP quality 30 the page takes"):
        tw.export_html(explorer, tmp_path / "none.html", max_mb=0.01)
    assert not (tmp_path / "none.html").exists()


def test_links_are_kept_however_they_were_made(explorer, scatter, tmp_path):
    other = tw.UnitScatter(make_units())
    given = [
        ((scatter, "unit"), (other, "unit")),
        ipywidgets.jslink((scatter, "layer"), (other, "layer")),
        ipywidgets.jsdlink((scatter, "x"), (other, "y")),
    ]
    links = exported([explorer, [scatter, other]], tmp_path, links=given).data["links"]
    assert links == [
        {"source": [1, "unit"], "target": [2, "unit"], "back": True},
        {"source": [1, "layer"], "target": [2, "layer"], "back": True},
        {"source": [1, "x"], "target": [2, "y"], "back": False},
    ]


def test_a_widget_shown_twice_is_refused_nowhere_and_has_one_state(explorer, tmp_path):
    parts = exported([explorer, "again", explorer], tmp_path)
    assert len(parts.data["widgets"]) == 1
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert len(re.findall('data-widget="0"', page)) == 2


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"content": []}, ValueError, "there is no widget in content"),
        ({"content": "# only text"}, ValueError, "there is no widget in content"),
        ({"content": 3}, TypeError, "content is an int; give widgets"),
        ({"content": [ipywidgets.Label("x")]}, TypeError, "content holds a Label"),
        ({"content": [[3]]}, TypeError, "content holds an int"),
        ({"theme": "blue"}, ValueError, "theme is 'blue'; choose one of 'auto', 'light', 'dark'"),
        ({"quality": 0}, ValueError, "quality is 0; give a whole number from 1 to 100"),
        ({"quality": 80.5}, ValueError, "quality is 80.5"),
        ({"max_mb": 0}, ValueError, "max_mb is 0; give a positive number"),
        ({"max_mb": -1.5}, ValueError, "max_mb is -1.5"),
        ({"title": None}, TypeError, "title is a NoneType; give text"),
        ({"links": [3]}, ValueError, "a link can't be read"),
        ({"links": ["own", ("own", "nothing")]}, ValueError, "a link can't be read"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(explorer, tmp_path, change, error, sentence):
    options = {"content": explorer, "path": tmp_path / "page.html", **change}
    with pytest.raises(error, match=re.escape(sentence)):
        tw.export_html(**options)
    assert list(tmp_path.iterdir()) == []


def test_links_to_what_is_not_there_are_refused(explorer, scatter, tmp_path):
    for ends, sentence in (
        (((explorer, "points"), (scatter, "unit")), "a UnitScatter is not on the page"),
        (
            ((explorer, "_film"), (explorer, "points")),
            "'_film' is no trait of TuningExplorer that a reader changes",
        ),
    ):
        with pytest.raises(ValueError, match=sentence):
            tw.export_html(explorer, tmp_path / "page.html", links=[ends])


def test_widgets_have_names_for_addresses_and_say_which_traits_are_places(explorer, scatter, tmp_path):
    checklist = tw.RecoveryChecklist(make_recovery(seeds=(0,), methods=("pca",)))
    other = tw.UnitScatter(make_units())
    found = exported([explorer, scatter, [checklist, other]], tmp_path).data["widgets"]
    assert [one["name"] for one in found] == ["explorer", "scatter", "checklist", "scatter-2"]
    for one, widget in zip(found, (explorer, scatter, checklist, other), strict=True):
        assert set(one["place"]) <= set(widget.reader_traits())
        # What a reader wrote is no place: going back in the browser must not undo it.
        assert not {"labels", "rejected", "verdicts", "notes"} & set(one["place"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[a](#scater.unit=3)", "leads to 'scater.unit=3', which is not on the page; give one of scatter"),
        ("| |\n|-|\n|[a](#scatter.layer=relu&scatter.units=3)|", "leads to 'scatter.units=3'"),
        ("[a](<#scatter.labels=x>)", "give one of scatter.layer, scatter.objective"),
        ("[a][b]\n\n[b]: #scatter-2.unit=3", "leads to 'scatter-2.unit=3'"),
    ],
)
def test_words_that_would_move_what_is_not_there_are_refused(scatter, tmp_path, text, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        tw.export_html([text, scatter], tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_words_move_widgets_and_other_links_are_left_alone(scatter, tmp_path):
    text = "[unit](#scatter.unit=3&scatter.x=rs) [top](#top) [out](https://example.org/#scatter.units=1)"
    page = tw.export_html([text, scatter], tmp_path / "page.html").path.read_text(encoding="utf-8")
    assert '<a href="#scatter.unit=3&amp;scatter.x=rs">unit</a>' in page


def test_a_missing_folder_is_said(explorer, tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        tw.export_html(explorer, tmp_path / "nowhere" / "page.html")
    with pytest.raises(ValueError, match="is a folder; give a file in it"):
        tw.export_html(explorer, tmp_path)


def test_each_kind_of_record_has_its_widget(tmp_path):
    film, units, recovery = make_film(2, 3, 8), make_units(), make_recovery(seeds=(0,))
    assert isinstance(widget_of(film), tw.TuningExplorer)
    assert isinstance(widget_of(tw.save_record(units, tmp_path / "units.zarr")), tw.UnitScatter)
    assert isinstance(widget_of(recovery), tw.RecoveryChecklist)
    probe = tw.Probe(tw.zoo.gabor_bank(n=2), "relu", device="cpu")
    images = tw.visualize(probe, tw.AM([0]), size=16, steps=1, progress=False)
    with pytest.raises(RecordError, match="no widget shows a record of kind 'images'"):
        widget_of(images)


def test_recovery_strips_of_all_films_are_in_the_page(tmp_path):
    checklist = tw.RecoveryChecklist(make_recovery(seeds=(0,), methods=("pca",), films=True))
    state = exported(checklist, tmp_path).data["widgets"][0]["state"]
    assert len(state["_sprites"]) == len(state["_report"]["strips"]) > 0
    curves = np.frombuffer(base64.b64decode(state["_curves"]["$bytes"]), "<f4")
    assert np.isfinite(curves).any()
