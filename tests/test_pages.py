"""Pages from the command line: `tunewidgets view`, and the demo as a page."""

import pytest
from films import make_film

import tunewidgets as tw
from tunewidgets.cli.commands import main
from tunewidgets.cli.demo import DemoRecipe
from tunewidgets.cli.demo_page import RECOVERY, RecoveryRecipe, write_demo_page

QUICK = DemoRecipe(n_images=4, samples=400, components=2, points=3, size=32, steps=3)


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


def test_the_demo_makes_its_records_once_and_writes_one_page(tmp_path, capsys):
    folder, page = tmp_path / "demo", tmp_path / "demo.html"
    few = RecoveryRecipe(("pca",), (3,), seeds=1, n_images=4, samples=400, size=16, steps=2)
    write_demo_page(folder, page, QUICK, few)
    text = page.read_text(encoding="utf-8")
    for code in ("tuning-explorer", "unit-scatter", "recovery-checklist"):
        assert f'"code":"{code}"' in text
    assert page.stat().st_size <= 4e6
    made = (folder / RECOVERY / "zarr.json").stat().st_mtime_ns
    capsys.readouterr()
    write_demo_page(folder, page, QUICK, few)
    assert capsys.readouterr().out.count("is there already") == 2
    assert (folder / RECOVERY / "zarr.json").stat().st_mtime_ns == made


def test_the_demo_page_says_first_what_stands_in_its_way(tmp_path, capsys):
    assert (
        main(["demo", "--folder", str(tmp_path / "demo"), "--html", str(tmp_path / "no" / "page.html")]) == 1
    )
    assert "there is no folder" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["demo", "--folder", str(tmp_path / "file"), "--html", str(tmp_path / "page.html")]) == 1
    assert "is a file" in capsys.readouterr().err
