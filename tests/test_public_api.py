"""The public names are those that the documentation lists, and each is documented."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import gis


def test_all_is_what_the_documentation_lists(repo: Path) -> None:
    text = (repo / "docs" / "python.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([A-Za-z_]+)`", text, flags=re.MULTILINE))
    assert listed == set(gis.__all__)


def test_every_public_name_can_be_loaded_and_has_a_docstring() -> None:
    for name in gis.__all__:
        value = getattr(gis, name)
        if inspect.isfunction(value) or inspect.isclass(value):
            assert inspect.getdoc(value), name


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(gis, "no_such_name")


def test_the_version_is_that_of_the_project(repo: Path) -> None:
    import tomllib

    project = tomllib.loads((repo / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert gis.__version__ == project["version"]


def test_no_public_name_is_that_of_a_module() -> None:
    # Importing a module makes it an attribute of its package, in place of the function.
    import pkgutil

    modules = {module.name for module in pkgutil.iter_modules(gis.__path__)}
    assert modules & set(gis.__all__) == set()
