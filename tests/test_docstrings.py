"""Docstrings of the public names: there, in numpy's style, with examples that run and with what is raised."""

import ast
import doctest
import inspect
import re
import textwrap
from dataclasses import is_dataclass
from itertools import pairwise
from types import ModuleType

import pytest

import tunewidgets as tw

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def public_objects():
    """Dotted name -> function or class: all that `tunewidgets` and its rooms name in `__all__`."""
    found = {}
    for name in tw.__all__:
        value = getattr(tw, name)
        if isinstance(value, ModuleType):
            found |= {f"{name}.{inner}": getattr(value, inner) for inner in value.__all__}
        else:
            found[name] = value
    return {name: value for name, value in found.items() if callable(value)}


def methods(cls):
    """Name -> public method or property that the class itself defines, with `__call__`."""
    members = {
        name: value for name, value in vars(cls).items() if name == "__call__" or not name.startswith("_")
    }
    return {
        name: value
        for name, value in members.items()
        if inspect.isfunction(value) or isinstance(value, property)
    }


OBJECTS = public_objects()
FUNCTIONS = {name: value for name, value in OBJECTS.items() if inspect.isfunction(value)}
CLASSES = {name: value for name, value in OBJECTS.items() if inspect.isclass(value)}
METHODS = {
    f"{name}.{method}": value for name, cls in CLASSES.items() for method, value in methods(cls).items()
}
# An exception is made by the package, not by its reader, so it needs no example.
USED = {
    name: value for name, value in OBJECTS.items() if name not in CLASSES or not issubclass(value, Exception)
}


def sections(value):
    """The headings of a numpy-style docstring."""
    lines = (inspect.getdoc(value) or "").splitlines()
    return {line for line, under in pairwise(lines) if under and set(under) == {"-"}}


def raised_by(function):
    """The exceptions that the function's own lines raise, by name."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    raises = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    return {ast.unparse(exc.func).rpartition(".")[2] for exc in raises if isinstance(exc, ast.Call)}


@pytest.mark.parametrize("name", [*OBJECTS, *METHODS])
def test_a_public_name_says_in_a_sentence_what_it_is(name):
    value = OBJECTS.get(name, METHODS.get(name))
    first = (inspect.getdoc(value) or "").partition("\n\n")[0]
    assert first.rstrip().endswith((".", ":")), f"{name}: {first!r}"


@pytest.mark.parametrize("name", USED)
def test_every_parameter_is_documented(name):
    parameters = inspect.signature(USED[name]).parameters.values()
    names = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD and not p.name.startswith("_")]
    documented = inspect.getdoc(USED[name])
    # The one parameter of a small function may be told of in its first sentence.
    assert len(names) < 2 or "Parameters" in sections(USED[name])
    assert [p for p in names if not re.search(rf"\b{re.escape(p)}\b", documented)] == []


@pytest.mark.parametrize("name", FUNCTIONS | CLASSES | METHODS)
def test_what_is_raised_is_listed(name):
    value = (FUNCTIONS | CLASSES | METHODS)[name]
    function = value.fget if isinstance(value, property) else value
    if inspect.isclass(value):
        # A dataclass's own `__init__` has no source; what it checks stands beside it.
        function = vars(value).get("__post_init__" if is_dataclass(value) else "__init__")
    missing = (
        {error for error in raised_by(function) if error not in (inspect.getdoc(value) or "")}
        if function
        else set()
    )
    assert missing == set()
    if function and raised_by(function):
        assert "Raises" in sections(value)


@pytest.mark.parametrize("name", USED)
def test_the_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    value = USED[name]
    finder = doctest.DocTestFinder(recurse=False)
    module = inspect.getmodule(value)
    (test,) = finder.find(value, name, module=module)
    run = [example for example in test.examples if not example.options.get(doctest.SKIP)]
    assert run, f"{name} has no example that runs"
    said = []
    doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=said.append)
    assert not said, "".join(said)
