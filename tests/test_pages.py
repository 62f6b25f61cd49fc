"""Pages from the command line: `tunewidgets view`."""

import pytest
from films import make_film

import tunewidgets as tw
from tunewidgets.cli.commands import main


@pytest.fixture
def film(tmp_path):
    return tw.save_record(make_film(2, 4, 16), tmp_path / "film.zarr")


def test_view_writes_a_page_and_says_how_large_it_is(film, tmp_path, capsys):
    page = tmp_path / "film.html"
    assert main(["view", str(film), "--html", str(page), "--theme", "dark", "--title", "A <film>"]) == 0
    assert f"{page}: " in capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    assert "<title>A &lt;film&gt;</title>" in text
    assert '<html lang="en" data-tw-theme="dark">' in text


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        ([], 2, "--html"),
        (["--html", "page.html", "--theme", "blue"], 2, "--theme"),
        (["--html", "page.html", "--max-mb", "much"], 2, "--max-mb"),
        (["--html", "page.html", "--max-mb", "0.001"], 1, "even with images at WebP quality 30"),
        (["--html", "nowhere/page.html"], 1, "there is no folder nowhere"),
    ],
)
def test_view_says_what_is_wrong(film, tmp_path, monkeypatch, capsys, arguments, status, sentence):
    monkeypatch.chdir(tmp_path)
    assert main(["view", str(film), *arguments]) == status
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.glob("*.html"))


def test_view_of_no_record_fails_in_a_sentence(tmp_path, capsys):
    assert main(["view", str(tmp_path / "none.zarr"), "--html", str(tmp_path / "page.html")]) == 1
    assert "there is no record at" in capsys.readouterr().err
