"""Files are written whole or not at all: what was there before outlives a full disk."""

import os
from pathlib import Path

import pytest
from films import make_film

import tunewidgets as tw
from tunewidgets.derived.whole_files import written_whole


def no_room(*_):
    raise OSError(28, "No space left on device")


def test_what_was_there_outlives_a_failure_and_nothing_stays_beside_it(tmp_path):
    target = tmp_path / "page.html"
    target.write_text("before")

    def fail_half_way():
        with written_whole(target) as part:
            part.write_text("half")
            no_room()

    with pytest.raises(OSError, match="No space"):
        fail_half_way()
    assert target.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


def test_a_link_stays_a_link_and_a_file_keeps_its_mode(tmp_path):
    file, link = tmp_path / "file.txt", tmp_path / "link.txt"
    file.write_text("before")
    file.chmod(0o640)
    link.symlink_to(file)
    with written_whole(link) as part:
        part.write_text("after")
    assert link.is_symlink()
    assert file.read_text() == "after"
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_device_is_written_to_and_not_replaced():
    with written_whole(Path(os.devnull)) as part:
        part.write_text("gone")
    assert not os.path.isfile(os.devnull)


def test_an_exported_page_outlives_a_full_disk(tmp_path, monkeypatch):
    page = tmp_path / "page.html"
    page.write_text("before")
    explorer = tw.TuningExplorer(make_film())
    monkeypatch.setattr("pathlib.Path.write_bytes", no_room)
    with pytest.raises(OSError, match="No space"):
        tw.export_html(explorer, page)
    assert page.read_text() == "before"


def test_a_saved_figure_outlives_a_full_disk(tmp_path, monkeypatch):
    from tunewidgets.figures import files

    figure = tw.figures.film_sheet(make_film())
    picture = tmp_path / "figure.png"
    picture.write_bytes(b"before")

    def no_browser(*_):
        raise files.NoChromeError("none here")

    monkeypatch.setattr(files, "_drawn", no_browser)
    monkeypatch.setattr(files, "_save_painted", no_room)
    with pytest.raises(OSError, match="No space"):
        tw.figures.save(figure, picture)
    assert picture.read_bytes() == b"before"
