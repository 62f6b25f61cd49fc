"""Paths that are URLs, and what killed processes leave beside files: refused in a sentence, or cleared away."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from films import make_film

import tunewidgets as tw
from tunewidgets.cli.commands import main
from tunewidgets.derived.whole_files import written_whole
from tunewidgets.records.leftovers import place_beside

URLS = ["s3://bucket/{}", "gs://bucket/{}", "https://host/{}", Path("s3://bucket/{}")]


@pytest.fixture(scope="module")
def film():
    return make_film()


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, which must be empty afterward."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(params=URLS, ids=str)
def url(request):
    return lambda name: type(request.param)(str(request.param).format(name))


def test_nothing_is_written_to_a_folder_that_is_called_like_a_url(film, here, url):
    explorer = tw.TuningExplorer(film)
    for what, write in (
        ("record's", lambda: tw.save_record(film, url("film.zarr"))),
        ("page's", lambda: tw.export_html(explorer, url("page.html"))),
        ("figure's", lambda: tw.figures.save(explorer.figure(), url("figure.png"))),
    ):
        with pytest.raises(
            ValueError, match=rf"^the {what} path is a URL \(.*\); give a path on this machine, and copy"
        ):
            write()


def test_files_are_not_read_from_urls(film, here, url):
    from tunewidgets.widgets.photo_page import _pixels
    from tunewidgets.zoo.broden import Broden
    from tunewidgets.zoo.weights import read_weights

    for read in (
        lambda: tw.zoo.images(url("photographs")),
        lambda: Broden(url("broden")),
        lambda: _pixels(url("photo.png")),
        lambda: read_weights(url("weights.pt")),
    ):
        with pytest.raises(
            ValueError, match=r"is a URL \(.*\); download it, and give its path on this machine$"
        ):
            read()


def test_records_at_urls_are_named_by_text(here):
    for use in (
        tw.open_record,
        lambda path: tw.visualize(tw.Probe(tw.zoo.gabor_bank(), "relu"), tw.AM([0]), store=path),
    ):
        with pytest.raises(ValueError, match=r"is a URL \(s3:/bucket/film.zarr\); give the URL as text"):
            use(Path("s3://bucket/film.zarr"))
        with pytest.raises(
            ValueError, match=r"^nowhere://film.zarr can't be opened \(.*\); give a local path, or a URL"
        ):
            use("nowhere://film.zarr")


def test_a_url_of_a_package_that_is_missing_says_which(here, monkeypatch):
    import fsspec

    def missing(url):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(
        ImportError, match=r"^s3://b/f.zarr can't be opened \(Install s3fs .*\); install it, or give a"
    ):
        tw.open_record("s3://b/f.zarr")


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["demo", "--folder", "s3://b"], 1, "--folder is a URL (s3:/b); give a path on this machine"),
        (["demo", "--html", "s3://b/p.html"], 1, "--html is a URL"),
        (["view", "nowhere://f.zarr", "--html", "p.html"], 1, "nowhere://f.zarr can't be opened"),
        (["info", "nowhere://f.zarr"], 1, "nowhere://f.zarr can't be opened"),
        (
            ["tuning", "gabor_bank", "--layer", "relu", "--images", "s3://b", "--out", "f.zarr"],
            2,
            "SOURCE: s3://b is a URL",
        ),
        (
            ["units", "https://h/m.py:net", "--data", "digits", "--out", "u.zarr"],
            2,
            "MODEL: https://h/m.py:net is a URL",
        ),
    ],
)
def test_commands_say_it_in_one_line(arguments, status, says, here, capsys):
    assert main(arguments) == status
    [line] = capsys.readouterr().err.splitlines()
    assert says in line


def test_a_folder_may_be_called_like_a_url(film, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run:1").mkdir()
    assert tw.save_record(film, Path("run:1") / "film.zarr") == tmp_path / "run:1" / "film.zarr"


KILLED = """
import os, signal, sys
from pathlib import Path
from tunewidgets.records.leftovers import REPLACED, place_beside
target = Path(sys.argv[1])
with place_beside(target) as place:
    place.mkdir()
    (place / "half").write_text("half")
    if sys.argv[2] == "between":
        target.rename(place / REPLACED)
    if sys.argv[2] == "writing":
        print("writing", flush=True)
        sys.stdin.read()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(target, when="early"):
    run = subprocess.run([sys.executable, "-c", KILLED, str(target), when], capture_output=True, check=False)
    assert run.returncode == -signal.SIGKILL, run.stderr
    assert any(path.is_dir() and path.name.startswith(".film.zarr.") for path in target.parent.iterdir())


def test_what_a_killed_save_left_is_cleared_away_by_the_next(film, tmp_path):
    target = tmp_path / "film.zarr"
    killed(target)
    tw.save_record(film, target)
    assert [path.name for path in tmp_path.iterdir()] == ["film.zarr"]


def test_a_record_that_a_killed_save_moved_away_is_told_of_and_comes_back(film, tmp_path):
    target = tw.save_record(film, tmp_path / "film.zarr")
    killed(target, "between")
    with pytest.raises(FileNotFoundError, match=r"the earlier record is .*/replaced: move it back"):
        tw.open_record(target)
    with place_beside(target):
        assert tw.open_record(target).identical(film)


def test_the_work_of_a_process_that_lives_is_left_alone(film, tmp_path):
    target = tmp_path / "film.zarr"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(target), "writing"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"writing\n"
        tw.save_record(film, target)
        [place] = [path for path in tmp_path.iterdir() if path.is_dir() and path != target]
        assert (place / "half").read_text() == "half"
        other.stdin.close()
        other.wait()
    tw.save_record(film, target)
    assert [path.name for path in tmp_path.iterdir()] == ["film.zarr"]


def test_files_that_are_not_ours_stay(film, tmp_path):
    others = [".film.zarr.12345678", ".film.zarr.lock", ".film.zarr.notes.lock"]
    for name in others:
        (tmp_path / name).write_text("mine")
    tw.save_record(film, tmp_path / "film.zarr")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*others, "film.zarr"])


def test_what_a_killed_export_left_is_cleared_away_too(tmp_path):
    page = tmp_path / "page.html"
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom tunewidgets.derived.whole_files import written_whole\n"
        "with written_whole(Path(sys.argv[1])) as part:\n    part.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(page)], check=False)
    assert len(list(tmp_path.iterdir())) == 2
    with written_whole(page) as part:
        part.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_where_locks_are_missing_records_are_saved_all_the_same(film, tmp_path, monkeypatch):
    from tunewidgets.records import lock

    def none_here(file):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(lock, "_locked", none_here)
    tw.save_record(film, tmp_path / "film.zarr")
    assert [path.name for path in tmp_path.iterdir()] == ["film.zarr"]
