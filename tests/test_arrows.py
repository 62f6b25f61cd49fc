"""Arrows go one way: kernels make records, views show them, and neither room imports the other."""

import ast
from pathlib import Path

import pytest

import tunewidgets

PACKAGE = Path(tunewidgets.__file__).parent
KERNELS = ("tunewidgets.kernels", "tunewidgets.zoo")
VIEWS = ("tunewidgets.widgets", "tunewidgets.figures", "tunewidgets.export")
# What a terminal opens: everything by its public name.
DOORS = ("tunewidgets.cli", "tunewidgets.demo", "tunewidgets.demo_page", "tunewidgets._arguments")
TORCH = ("torch", "torchvision", "torch_lucent", "lucent")
# What both sides share knows neither.
SHARED = sorted(
    f"tunewidgets.{path.stem}"
    for path in PACKAGE.glob("*.py")
    if not path.stem.startswith("__") and f"tunewidgets.{path.stem}" not in (*VIEWS, *DOORS)
)


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
        (VIEWS, (*KERNELS, *DOORS, *TORCH)),
        (KERNELS, (*VIEWS, *DOORS)),
        (SHARED, (*KERNELS, *VIEWS, *DOORS, *TORCH)),
        (DOORS, (KERNELS[0], *TORCH)),
    ],
    ids=["views", "kernels", "shared", "doors"],
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
