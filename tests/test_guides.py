"""The guides' code runs, in the order in which it is read."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import tunewidgets as tw

DOCS = Path(__file__).parents[1] / "docs"
# The code of "at scale" needs a cluster; tests/kernels/test_executors.py and tests/faults stand for it.
GUIDES = ("own-model", "which-layer", "own-images", "papers", "teaching", "networks", "readability")


@pytest.mark.parametrize("guide", GUIDES)
def test_a_guides_code_runs(guide, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if guide == "papers":
        # What it draws is saved by tests/test_figure_export.py; here no browser need be started.
        monkeypatch.setattr("tunewidgets.figures.save", lambda figure, path, **_: Path(path).touch())
    blocks = re.findall(
        r"^```python\n(.*?)^```", (DOCS / f"{guide}.md").read_text(encoding="utf-8"), re.M | re.S
    )
    names: dict = {"__name__": "guide"}
    for block in blocks:
        exec(compile(block, f"{guide}.md", "exec"), names)
    assert blocks
    if guide == "own-images":
        assert "400 vectors" in capsys.readouterr().out
    if guide == "teaching":
        assert (tmp_path / "units.html").stat().st_size > 1e6


class Small(nn.Module):
    """A model with layers of the names that the first page uses, as a residual network has them."""

    def __init__(self):
        super().__init__()
        self.layer1 = nn.Sequential(nn.ModuleDict({"conv1": nn.Conv2d(3, 8, 5, stride=4), "relu": nn.ReLU()}))
        self.head = nn.Linear(8, 2)

    def forward(self, images):
        block = self.layer1[0]
        return self.head(block["relu"](block["conv1"](images)).mean((2, 3)))


SIZES = {
    "n=2_000)": "n=8, size=32)",
    "n=50_000": "n=200",
    "n_components=16": "n_components=2",
    "render_film(probe, dimensions)": "render_film(probe, dimensions, size=16, steps=2, points=4)",
    'store="units.zarr")': 'store="units.zarr", size=16, steps=2)',
    "gabor_recovery(films=True)": (
        "gabor_recovery(films=True, images=tw.zoo.images('dead-leaves', n=8), n=500, methods=('pca',),"
        "n_components=(3,), permutations=39, random_directions=0, film_options={'size': 16, 'steps': 2})"
    ),
}


def test_the_first_pages_code_runs_and_is_twelve_lines_a_paper(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    for name in ("cats", "dogs"):
        folder = tmp_path / "path" / "to" / "photos" / name
        folder.mkdir(parents=True)
        for number in range(4):
            noise = np.random.default_rng(number).integers(0, 255, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(noise).save(folder / f"{number}.png")
    monkeypatch.setattr("tunewidgets.figures.save", lambda figure, path, **_: Path(path).touch())
    page = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    names: dict = {"model": Small().eval()}
    for block in blocks:
        assert sum(bool(line.strip()) for line in block.splitlines()) <= 12
        for large, small in SIZES.items():
            block = block.replace(large, small)
        exec(compile(block, "README.md", "exec"), names)
    assert (tmp_path / "page.html").stat().st_size > 1e5


def test_the_first_pages_pictures_are_there_and_small_enough():
    page = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"""^!\[.+\]\((.+)\)$|src(?:set)?="([^"]+)\"""", page, re.M)
    pictures = [DOCS.parent / (marked or tagged) for marked, tagged in found]
    assert len(pictures) == 4
    for path in pictures:
        with Image.open(path) as picture:
            assert picture.n_frames > 10
        assert path.stat().st_size <= 2e6


def test_the_gallerys_pages_are_what_its_code_shows(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    from live_pages import on_page_markdown, write_pages

    pages = write_pages(DOCS / "gallery.md", tmp_path)
    text = (DOCS / "gallery.md").read_text(encoding="utf-8")
    assert len(pages) == text.count("```python") == len(re.findall(r"^## ", text, re.M)) > 4
    for page in pages:
        assert '"code":"' in page.read_text(encoding="utf-8")
        assert page.stat().st_size <= 4e6

    class Page:
        class file:  # noqa: N801
            src_uri = "gallery.md"

    framed = on_page_markdown(text, Page)
    assert [f'src="{number}.html"' in framed for number in range(len(pages))] == [True] * len(pages)


def test_every_guide_is_in_the_menu_and_on_the_first_page():
    menu = (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8")
    first = (DOCS / "index.md").read_text(encoding="utf-8")
    for guide in DOCS.glob("*.md"):
        assert guide.name in menu
        assert guide.name in first or guide.name == "index.md"


def test_the_reference_has_every_public_name():
    pages = [path.read_text(encoding="utf-8") for path in (DOCS / "reference").glob("*.md")]
    paths = re.findall(r"^::: (\S+)$", "\n".join(pages), re.M)
    described = {path.rpartition(".")[2] for path in paths}
    index = (DOCS / "reference.md").read_text(encoding="utf-8")
    assert [path for path in paths if f"`{path.removeprefix('tunewidgets.')}`" not in index] == []
    rooms = {"__version__", "records", "statistics", "zoo"}
    assert {*tw.__all__, *tw.zoo.__all__} - rooms <= described


PAGES = sorted(
    path.relative_to(DOCS.parent).as_posix()
    for folder in (".", "docs", "docs/*", "notebooks", "tests/*")
    for path in DOCS.parent.glob(f"{folder}/*.md")
)


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_links_to_is_there(page):
    here = DOCS.parent / page
    links = re.findall(r"\]\(([^)#]+)\)", here.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (here.parent / link).exists()] == []
