"""The package as a whole: what importing it costs, which names it has, and what it is built from."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import tunewidgets as tw

ROOT = Path(__file__).parents[1]
TORCH = {"torch", "torchvision", "lucent"}
HEAVY = [*sorted(TORCH), "xarray", "plotly", "sklearn", "scipy", "pandas", "zarr", "anywidget"]


def loaded_after(statements):
    """Which heavy packages a fresh interpreter has loaded after `statements`."""
    code = f"{statements}\nimport sys, json; print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return json.loads(run.stdout.splitlines()[-1])


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_after("import tunewidgets; dir(tunewidgets)") == []


def test_the_command_line_loads_nothing_heavy_before_a_command_needs_it():
    assert loaded_after("from tunewidgets.cli import main\nassert main(['--help']) == 0") == []


def test_records_need_no_torch():
    assert not TORCH & set(loaded_after("import tunewidgets; tunewidgets.open_record"))


def test_views_need_no_torch():
    assert not TORCH & set(loaded_after("import tunewidgets; tunewidgets.TuningExplorer"))


def test_dir_lists_the_public_names():
    assert set(tw.__all__) <= set(dir(tw))


@pytest.mark.parametrize("name", tw.__all__)
def test_every_public_name_is_there(name):
    assert getattr(tw, name) is not None


def test_editors_see_the_names_that_python_sees():
    tree = ast.parse(Path(tw.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in block.body for alias in node.names}
    homes = {name: f"tunewidgets.{home}" for name, home in tw._HOMES.items()}
    rooms = {name: f"tunewidgets.{module}".rpartition(".")[0] for name, module in tw._ROOMS.items()}
    assert seen == homes | rooms
    assert set(seen) | {"__version__"} == set(tw.__all__)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("probe", "Probe"), ("TuningExplorr", "TuningExplorer"), ("renderfilm", "render_film")],
)
def test_an_unknown_name_suggests_a_near_one(wrong, right):
    with pytest.raises(AttributeError, match=rf"did you mean .*\b{right}\b"):
        getattr(tw, wrong)


def test_a_name_like_no_other_lists_the_public_ones():
    with pytest.raises(AttributeError, match=r"its public names are .*TuningExplorer"):
        tw.qqqqqq  # noqa: B018


def test_a_type_checker_may_trust_the_hints():
    assert (Path(tw.__file__).parent / "py.typed").is_file()
