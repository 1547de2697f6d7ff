"""Every example in a docstring runs, with the bundled plan, and none is skipped."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import api
import gis

REPO = Path(__file__).resolve().parents[1]
# Modules that run when they are imported: a child process and the migrations of alembic.
APART = ("gis.intake.outside.child", "gis.output.records.migrations")
MODULES = sorted(
    module.name
    for package in (gis, api)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not module.name.startswith(APART)
)
FINDER = doctest.DocTestFinder(exclude_empty=True)


@pytest.fixture
def workplace(plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Examples name files of the checkout, and open the bundled plan, which is open already."""
    monkeypatch.chdir(REPO)
    monkeypatch.setattr(gis, "load_plan", lambda: plan, raising=False)


def examples(name: str) -> list[doctest.DocTest]:
    module = importlib.import_module(name)
    return [test for test in FINDER.find(module, name) if test.examples]


@pytest.mark.usefixtures("workplace")
def test_examples_give_what_they_show() -> None:
    ran, said = 0, []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    for name in ("gis", *MODULES):
        for test in examples(name):
            skipped = [e for e in test.examples if e.options.get(doctest.SKIP)]
            assert not skipped, f"{test.name}: an example that is skipped shows nothing"
            runner.run(test, out=said.append)
            ran += len(test.examples)
    assert not runner.failures, "".join(said)
    assert ran > 120


@pytest.mark.parametrize(
    "name",
    ["load_plan", "read_site", "check_site", "check_sites", "find_sites", "check_portfolio",
     "load_projects", "budgets", "book", "overlap_table", "make_scenario", "compare_scenarios",
     "land_balance_chart", "raster_share", "convert", "use_chinese_font"],
)  # fmt: skip
def test_the_verbs_of_a_planner_show_how_they_are_called(name: str) -> None:
    assert ">>> " in (getattr(gis, name).__doc__ or ""), name
