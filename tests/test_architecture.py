"""The floors of the house: a file imports only lower floors, and nothing goes round in circles."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]

FLOORS = {
    "gis": 0,
    "gis.errors": 0,
    "gis.rounding": 0,
    "gis.stages": 0,
    "gis.units": 1,
    "gis.crs": 1,
    "gis.tomlfile": 1,
    "gis.webmap": 1,
    "gis.viewable": 1,
    "gis.written": 1,
    "gis.files": 1,
    "gis.model": 2,
    "gis.canonical": 3,
    "gis.digest": 4,
    "gis.json_text": 5,
    "gis.intake": 3,
    "gis.engine": 3,
    "gis.rulebook": 3,
    "gis.plan": 4,
    "gis.claims": 4,
    "gis.doubt": 5,
    "gis.judge": 5,
    "gis.remedy": 5,
    "gis.check": 6,
    "gis.parcels": 6,
    "gis.comparison": 7,
    "gis.portfolio": 7,
    "gis.siting": 7,
    "gis.runners": 7,
    "gis.scenario": 8,
    "gis.batch": 8,
    "gis.output": 9,
    "gis.jobs": 10,
    "gis.commands": 10,
    "gis.console": 10,
    "gis.cli": 10,
    "api": 11,
}
WINGS = {"gis.intake", "gis.engine", "gis.rulebook"}


def modules() -> dict[str, Path]:
    found = {}
    for top in ("gis", "api"):
        for path in (REPO / top).rglob("*.py"):
            parts = path.relative_to(REPO).with_suffix("").parts
            found[".".join(p for p in parts if p != "__init__")] = path
    return found


MODULES = modules()


def imports_of(name: str) -> set[str]:
    """Modules of the project that a module imports anywhere, type-checking blocks left out."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    skipped = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for child in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # `from gis.rulebook import land_classes` imports a module, `… import Rule` a name.
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in MODULES else node.module)
    return {m for m in found if m.split(".")[0] in {"gis", "api"}}


def room(module: str) -> str:
    """The longest entry of FLOORS that a module belongs to."""
    fitting = [r for r in FLOORS if module == r or module.startswith(r + ".")]
    return max(fitting, key=len)


def is_terminal(module: str) -> bool:
    """Whether a module is one of the commands or of what they print."""
    return module in {"gis.cli", "gis.commands", "gis.console"}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_file_has_a_floor_of_its_own(name: str) -> None:
    assert name in {"gis", "api"} or room(name) != "gis", f"{name} stands on no floor"


@pytest.mark.parametrize("name", sorted(m for m in MODULES if m != "gis"))
def test_a_file_imports_only_lower_floors_or_its_own_room(name: str) -> None:
    own = room(name)
    for target in imports_of(name):
        other = room(target)
        assert (
            other == own or FLOORS[other] < FLOORS[own] or (is_terminal(own) and is_terminal(other))
        ), f"{name} (floor {FLOORS[own]}) imports {target} (floor {FLOORS[other]})"


@pytest.mark.parametrize("name", sorted(m for m in MODULES if room(m) in WINGS))
def test_the_wings_do_not_know_each_other(name: str) -> None:
    assert {room(t) for t in imports_of(name)} & WINGS <= {room(name)}


@pytest.mark.parametrize("name", sorted(m for m in MODULES if m.startswith("gis")))
def test_the_toolkit_never_imports_the_service(name: str) -> None:
    assert not any(t.split(".")[0] == "api" for t in imports_of(name))


def test_no_import_goes_round_in_a_circle() -> None:
    graph = {name: imports_of(name) & set(MODULES) for name in MODULES}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path, name])
        if name in done:
            return
        for target in sorted(graph[name]):
            visit(target, (*path, name))
        done.add(name)

    for name in sorted(graph):
        visit(name, ())


def prepared_by(code: str) -> list[int]:
    """The lines on which a module prepares a geometry, whatever name it gave to shapely."""
    tree, own, found = ast.parse(code), {"shapely"}, []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            own |= {
                alias.asname for alias in node.names if alias.name == "shapely" and alias.asname
            }
            found += [node.lineno for alias in node.names if alias.name in PREPARING]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [node.lineno for name in [str(node.module), *full] if name in PREPARING]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = "shapely" if node.value.id in own else node.value.id
            found += [node.lineno] if f"{name}.{node.attr}" in PREPARING else []
    return sorted(set(found))


PREPARING = {"shapely.prepare", "shapely.prepared"}


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("import shapely\nshapely.prepare(land)", [2]),
        ("import shapely as s\ndef f(land):\n    s.prepare(land)", [3]),
        ("from shapely import area, prepare", [1]),
        ("from shapely.prepared import prep", [1]),
        ("from shapely import prepared", [1]),
        ("import shapely.prepared", [1]),
        ("import shapely\nwork = shapely.prepared.prep", [2]),
        ("stack.prepare()\n# shapely.prepare(land)\nimport shapely\nshapely.area(land)", []),
    ],
)
def test_preparing_is_seen_whatever_it_is_called(code: str, lines: list[int]) -> None:
    assert prepared_by(code) == lines


@pytest.mark.parametrize("name", sorted(m for m in MODULES if room(m) == "gis.engine"))
def test_the_engine_prepares_no_geometry_that_threads_would_share(name: str) -> None:
    # Layers are shared by all threads, and a race over a prepared geometry crashes GEOS.
    assert prepared_by(MODULES[name].read_text(encoding="utf-8")) == []


def loaded_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint('\\n'.join(sys.modules))"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPO
    )
    return set(out.stdout.split())


@pytest.mark.parametrize("module", ["gis.units", "gis.model", "gis.canonical", "gis.rulebook"])
def test_the_ground_floor_and_the_rule_book_load_no_geometry_library(module: str) -> None:
    loaded = loaded_after(f"import {module}")
    assert module in loaded
    assert not loaded & {"shapely", "geopandas", "pyogrio", "pyproj", "rasterio"}


def test_import_gis_loads_no_library_of_others() -> None:
    loaded = loaded_after("import gis")
    assert not loaded & {"geopandas", "shapely", "pandas", "numpy", "folium", "fastapi", "pydantic"}


def test_no_file_of_the_toolkit_names_the_place_of_the_bundled_plan() -> None:
    places = (
        "聊城",
        "度假区",
        "湖西",
        "李海务",
        "朱老庄",
        "于集",
        "望岳湖",
        "liaocheng",
        "江北水城",
    )
    for name, path in MODULES.items():
        text = path.read_text(encoding="utf-8").lower()
        assert not [p for p in places if p in text], name
