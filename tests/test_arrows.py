"""Arrows go one way: kernels make records, views show them, and neither room imports the other."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import tunewidgets

PACKAGE = Path(tunewidgets.__file__).parent
PAGE_CODE = Path(__file__).parents[1] / "js" / "src"
# A group is a folder of the package, or a file beside the folders. Of each, the groups that it may import, by their
# modules; the package itself, which loads public names when they are asked for, may be imported by all.
MAY_IMPORT = {
    "_checks": "",
    "_tensors": "",
    "records": "_checks",
    "derived": "_checks records",
    "zoo": "_checks _tensors records derived",
    "kernels": "_checks _tensors records derived zoo live_protocols",
    "live_protocols": "derived",
    # The one arrow from views to kernels, followed once there is a probe.
    "live_work": "_checks live_protocols kernels",
    "figures": "_checks records derived",
    "widgets": "_checks records derived live_protocols live_work figures",
    "export": "_checks derived widgets",
    "makers": "_checks records derived zoo kernels",
    "cli": "_checks records derived zoo widgets export",
    "__main__": "cli",
}
TORCH = ("torch", "torchvision", "torch_lucent", "lucent")
# Where torch may be imported.
COMPUTING = ("_tensors", "zoo", "kernels", "makers")
MOST_FILES = 8
MOST_LINES = 400
MOST_PARAMETERS = 8  # by position, of a function that is no public name


def is_in(module, rooms):
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def group(module):
    return module.split(".")[1]


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


def groups():
    return sorted({group(name) for name, _ in modules() if name != "tunewidgets"})


def test_every_group_is_told_of():
    assert groups() == sorted(MAY_IMPORT)


@pytest.mark.parametrize("inside", groups())
def test_no_arrow_goes_back(inside):
    there = set(MAY_IMPORT)
    found = [
        f"{name} imports {module}"
        for name, path in modules()
        if name.startswith("tunewidgets.") and group(name) == inside
        for module in imports(path)
        if module.startswith("tunewidgets.")
        if group(module) in there - {inside, *MAY_IMPORT[inside].split()}
        or (
            group(module) in ("figures", "zoo") and group(module) not in (inside, *MAY_IMPORT[inside].split())
        )
    ]
    assert found == []


def test_torch_is_for_what_computes():
    found = [
        f"{name} imports {module}"
        for name, path in modules()
        if name != "tunewidgets" and group(name) not in COMPUTING
        for module in imports(path)
        if is_in(module, TORCH)
    ]
    assert found == []


def test_few_files_stand_beside_the_folders_and_none_is_long():
    assert len([path for path in PACKAGE.iterdir() if path.is_file()]) <= MOST_FILES
    assert [path.name for path in (PACKAGE / "kernels").glob("*.py")] == ["__init__.py"]
    code = [*PACKAGE.rglob("*.py"), *PAGE_CODE.rglob("*.ts"), *PAGE_CODE.rglob("*.tsx")]
    assert [path for path in code if len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES] == []


def test_no_function_below_the_public_names_takes_many_parameters_by_position():
    public = {f"tunewidgets.{home}.{name}" for name, home in tunewidgets._HOMES.items()}
    found = []
    for module, path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names = [each.arg for each in [*node.args.posonlyargs, *node.args.args]]
                count = len(names) - (names[:1] in (["self"], ["cls"]))
                if count > MOST_PARAMETERS and f"{module}.{node.name}" not in public:
                    found.append(f"{module}.{node.name} takes {count}")
    assert found == []


def test_relative_imports_are_seen():
    assert "tunewidgets.live_work.live_work" in set(imports(PACKAGE / "widgets" / "film_live.py"))
    assert "tunewidgets.figures.scatter.unit_scatter" in set(imports(PACKAGE / "figures" / "__init__.py"))


def needs_of(name_of):
    """Who imports whom, by what `name_of` a module is; imports inside functions count."""
    names = {name for name, _ in modules()} - {"tunewidgets"}  # which loads what it is asked for
    needs = {}
    for name, path in modules():
        if name == "tunewidgets":
            continue
        found = {module if module in names else module.rpartition(".")[0] for module in imports(path)}
        needs.setdefault(name_of(name), set()).update(name_of(module) for module in found & names)
    return {name: found - {name} for name, found in needs.items()}


def test_no_file_needs_one_that_needs_it():
    TopologicalSorter(needs_of(lambda name: name)).prepare()


def test_no_folder_needs_one_that_needs_it():
    packages = {name for name, path in modules() if path.name == "__init__.py"}

    def folder(name):
        return name if name in packages else name.rpartition(".")[0]

    TopologicalSorter(
        needs_of(lambda name: folder(name) if folder(name) != "tunewidgets" else name)
    ).prepare()


def test_the_kernels_rooms_build_on_one_another_in_the_order_they_are_told_in():
    kernels = PACKAGE / "kernels"
    told = re.findall(r"^- `(\w+)`: ", (kernels / "__init__.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(told) == sorted(path.parent.name for path in kernels.glob("*/__init__.py"))
    for room in told:
        later = tuple(f"tunewidgets.kernels.{other}" for other in told[told.index(room) + 1 :])
        found = [
            module
            for path in (kernels / room).glob("*.py")
            for module in imports(path)
            if is_in(module, later)
        ]
        assert found == [], room


def page_code_needs():
    files = [*PAGE_CODE.rglob("*.ts"), *PAGE_CODE.rglob("*.tsx")]
    needs = {}
    for path in files:
        paths = re.findall(r'from "(\.[^"]+)"', path.read_text(encoding="utf-8"))
        found = [(path.parent / one).resolve() for one in paths]
        needs[path] = {file for file in files if file.with_suffix("").resolve() in found}
    assert sum(map(len, needs.values())) > len(files)
    return needs


def test_no_file_of_the_page_code_needs_one_that_needs_it():
    TopologicalSorter(page_code_needs()).prepare()


def test_no_folder_of_the_page_code_needs_one_that_needs_it():
    needs = {}
    for path, found in page_code_needs().items():
        needs.setdefault(path.parent, set()).update(file.parent for file in found)
    TopologicalSorter({folder: found - {folder} for folder, found in needs.items()}).prepare()
