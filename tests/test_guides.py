"""The guides' code runs, in the order in which it is read."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
# The code of "at scale" needs a cluster; tests/kernels/test_executors.py and tests/faults stand for it.
GUIDES = ("own-model", "own-images", "papers", "teaching")


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
    assert len(blocks) > 1
    if guide == "own-images":
        assert "400 vectors" in capsys.readouterr().out
    if guide == "teaching":
        assert (tmp_path / "units.html").stat().st_size > 1e6


def test_every_guide_is_in_the_menu_and_on_the_first_page():
    menu = (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8")
    first = (DOCS / "index.md").read_text(encoding="utf-8")
    for guide in DOCS.glob("*.md"):
        assert guide.name in menu
        assert guide.name in first or guide.name == "index.md"
