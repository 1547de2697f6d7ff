"""What is loaded before anything is asked for: start-up stays quick because libraries come late."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
SAMPLE = REPO / "data" / "samples" / "yizhong_xinxiao.txt"
HEAVY = {
    "fastapi",
    "folium",
    "geopandas",
    "jinja2",
    "numba",
    "numpy",
    "pandas",
    "pydantic",
    "pyogrio",
    "pyproj",
    "rasterio",
    "shapely",
    "sqlalchemy",
}


def loaded_by(statement: str) -> set[str]:
    """Return the libraries in memory when a statement in a fresh interpreter has ended."""
    last_words = "atexit.register(lambda: print(*sys.modules, file=sys.stderr))"
    code = f"import atexit, sys\n{last_words}\n{statement}"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPO
    )
    return {line.split(".")[0] for line in out.stderr.split()}


def command(*words: str) -> str:
    return f"sys.argv = ['wuqu', *{list(words)!r}]\nfrom gis.cli import main\nmain()"


def test_import_gis_loads_no_library() -> None:
    found = loaded_by("import gis")
    assert "gis" in found
    assert not found & HEAVY


@pytest.mark.parametrize("words", [("--help",), ("check", "--help"), ("txt", "--help")])
def test_help_loads_no_library_but_that_of_the_command_line(words: tuple[str, ...]) -> None:
    found = loaded_by(command(*words))
    assert "typer" in found
    assert not found & (HEAVY - {"pydantic"})  # the command line itself uses that


def test_opening_a_plan_and_counting_no_pixel_loads_no_compiler() -> None:
    found = loaded_by("import gis, gis.plan.landcover\ngis.load_plan()")
    assert {"shapely", "gis"} <= found
    assert not found & {"numba", "folium", "jinja2", "rasterio"}


def test_a_check_loads_no_maps_rasters_or_service() -> None:
    found = loaded_by(command("check", str(SAMPLE), "--as-of", "2026-11-22", "--format", "json"))
    assert "shapely" in found
    assert not found & {"fastapi", "folium", "jinja2", "rasterio", "sqlalchemy"}
