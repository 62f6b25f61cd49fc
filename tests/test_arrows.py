"""Arrows go one way: kernels make records, views show them, and neither room imports the other."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import tunewidgets

PACKAGE = Path(tunewidgets.__file__).parent
PAGE_CODE = Path(__file__).parents[1] / "js" / "src"
KERNELS = ("tunewidgets.kernels", "tunewidgets.zoo")
VIEWS = ("tunewidgets.widgets", "tunewidgets.figures", "tunewidgets.export")
# What a terminal opens: everything by its public name.
DOORS = tuple(f"tunewidgets.{name}" for name in ("cli", "demo", "demo_page", "_arguments", "_parsers"))
TORCH = ("torch", "torchvision", "torch_lucent", "lucent")
# What the rooms that compute share: it knows torch, and none of them.
COMPUTING = ("tunewidgets._devices",)
# Models and images know no kernel; the commands that make records of them do.
ZOO = sorted(
    f"tunewidgets.zoo.{path.stem}"
    for path in (PACKAGE / "zoo").glob("*.py")
    if not path.stem.startswith(("__", "make_"))
)
# What both sides share knows neither.
SHARED = sorted(
    f"tunewidgets.{path.stem}"
    for path in PACKAGE.glob("*.py")
    if not path.stem.startswith("__") and f"tunewidgets.{path.stem}" not in (*VIEWS, *DOORS, *COMPUTING)
)

# A probe hands widgets what it can do for them; that is made of kernels, which begin with a probe.
BACK_BY_DESIGN = ("tunewidgets.kernels.probe", "tunewidgets.kernels.live.work")


def is_in(module, rooms):
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def imports(path):
    """Every module, and every name in one, that a file imports anywhere, for type checkers alone too."""
    inside = ("tunewidgets", *path.relative_to(PACKAGE).with_suffix("").parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = [*inside[: -node.level], *filter(None, [node.module])] if node.level else [node.module]
            yield from (".".join([*parts, alias.name]) for alias in node.names)


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(("tunewidgets", *parts)).removesuffix(".__init__"), path


@pytest.mark.parametrize(
    ("rooms", "never"),
    [
        (VIEWS, (*KERNELS, *DOORS, *COMPUTING, *TORCH)),
        (KERNELS, (*VIEWS, *DOORS)),
        (ZOO, KERNELS[:1]),
        (COMPUTING, (*KERNELS, *VIEWS, *DOORS)),
        (SHARED, (*KERNELS, *VIEWS, *DOORS, *COMPUTING, *TORCH)),
        (DOORS, (KERNELS[0], *COMPUTING, *TORCH)),
    ],
    ids=["views", "kernels", "zoo", "computing", "shared", "doors"],
)
def test_no_arrow_goes_back(rooms, never):
    found = [
        f"{name} imports {module}"
        for name, path in modules()
        if is_in(name, rooms)
        for module in imports(path)
        if is_in(module, never)
    ]
    assert found == []


def test_relative_imports_are_seen():
    assert "tunewidgets.live_work.live_work" in set(imports(PACKAGE / "widgets" / "film_live.py"))
    assert "tunewidgets.figures.scatter.unit_scatter" in set(imports(PACKAGE / "figures" / "__init__.py"))


def test_no_module_needs_one_that_needs_it():
    names = {name for name, _ in modules()} - {"tunewidgets"}  # which loads what it is asked for
    needs = {}
    for name, path in modules():
        found = {module if module in names else module.rpartition(".")[0] for module in imports(path)}
        needs[name] = (found & names) - {name} - {BACK_BY_DESIGN[1] if name == BACK_BY_DESIGN[0] else ""}
    assert BACK_BY_DESIGN[0] in needs[BACK_BY_DESIGN[1]]
    TopologicalSorter(needs).prepare()


def test_the_kernels_rooms_build_on_one_another_in_the_order_they_are_told_in():
    kernels = PACKAGE / "kernels"
    told = re.findall(r"^- `(\w+)`: ", (kernels / "__init__.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(told) == sorted(path.parent.name for path in kernels.glob("*/__init__.py"))
    for room in told:
        later = tuple(f"{KERNELS[0]}.{other}" for other in told[told.index(room) + 1 :])
        found = [
            module
            for path in (kernels / room).glob("*.py")
            for module in imports(path)
            if is_in(module, later)
        ]
        assert found == [], room


def test_no_file_of_the_page_code_needs_one_that_needs_it():
    files = [*PAGE_CODE.rglob("*.ts"), *PAGE_CODE.rglob("*.tsx")]
    needs = {}
    for path in files:
        paths = re.findall(r'from "(\.[^"]+)"', path.read_text(encoding="utf-8"))
        found = [(path.parent / one).resolve() for one in paths]
        needs[path] = {file for file in files if file.with_suffix("").resolve() in found}
    assert sum(map(len, needs.values())) > len(files)
    TopologicalSorter(needs).prepare()
