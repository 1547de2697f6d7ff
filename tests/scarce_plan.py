"""A plan package whose budgets can be counted by hand.

Squares of 500 m in EPSG:4548, current classes; zones Z1 and Z2 meet at x = 1000::

    y 1000  0201K │ 0103  │ 1006  │ 0301       boundary 410: x 0-1000, y 0-750
            ──────┼───────┼───────┼─────       boundary 420: x 1000-1500, y 0-500
    y    0  0701  │ 0102  │ 0101  │ 0404       permanent farmland: the square of 0103
            x 0                    2000        core: x 0-1000; planned 1401, 1701 in its north
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas
import shapely

EAST, NORTH = 408_000.0, 4_030_000.0
SQUARES = ["0701", "0102", "0101", "0404"], ["0201K", "0103", "1006", "0301"]
# Per layer: role, coverage, and rows of class and box (west, south, east, north).
STANDARD: dict[str, tuple[str, str, list[tuple[str | None, Any]]]] = {
    "resort": ("planning_area", "bounds", [(None, (0, 0, 2000, 1000))]),
    "core": ("core", "resort", [(None, (0, 0, 1000, 1000))]),
    "zones": ("zone", "resort", [("Z1", (0, 0, 1000, 1000)), ("Z2", (1000, 0, 2000, 1000))]),
    "dev_boundary": (
        "dev_boundary",
        "resort",
        [("410", (0, 0, 1000, 750)), ("420", (1000, 0, 1500, 500))],
    ),
    "farmland": ("farmland", "resort", [(None, (500, 500, 1000, 1000))]),
    "landuse": (
        "landuse",
        "resort",
        [
            (cls, (500 * i, 500 * j, 500 * i + 500, 500 * j + 500))
            for j, row in enumerate(SQUARES)
            for i, cls in enumerate(row)
        ],
    ),
    "planned_use": (
        "planned_use",
        "core",
        [
            ("1401", (0, 500, 500, 1000)),
            ("1701", (500, 500, 1000, 1000)),
            ("0701", (0, 0, 1000, 500)),
        ],
    ),
}
SCHEMES = {
    "landuse": 'scheme = "三调"\nedition = "2019"\n',
    "planned_use": 'scheme = "用地用海"\nedition = "2023"\n',
}
HEAD = """[plan]
id = "scarce"
version = "1"
title = "测试规划"
status = "schematic"
work_crs = "EPSG:4548"
accepted_crs = ["EPSG:4548"]
bounds = [115.8, 36.2, 116.2, 36.5]
"""


def write(root: Path, layers: Mapping[str, Any] | None = None, extra: str = "") -> Path:
    """Write the package; ``layers`` replaces or drops (None) the rows of a layer."""
    parts = [HEAD]
    for layer_id, (role, coverage, standard) in STANDARD.items():
        rows = (layers or {}).get(layer_id, standard)
        if rows is not None:
            _frame(rows).to_file(root / f"{layer_id}.geojson", engine="pyogrio")
        parts.append(
            f'[[layer]]\nid = "{layer_id}"\ntitle = "{layer_id}"\npath = "{layer_id}.geojson"\n'
            f'role = "{role}"\ngeometry = "polygon"\nfields = {{ id = "n", class = "c" }}\n'
            f'coverage = "{coverage}"\nvintage = "2026"\nstatus = "schematic"\n'
            + SCHEMES.get(layer_id, "")
        )
    (root / "plan.toml").write_text("\n".join([*parts, extra]), encoding="utf-8")
    return root


def _frame(rows: list[tuple[str | None, Any]]) -> geopandas.GeoDataFrame:
    outlines = [shapely.box(*b) if isinstance(b, tuple) else b for _, b in rows]
    frame = geopandas.GeoDataFrame(
        {"n": [f"{n:03d}" for n in range(len(rows))], "c": [c for c, _ in rows]},
        geometry=[shapely.affinity.translate(outline, EAST, NORTH) for outline in outlines],
        crs=4548,
    )
    frame["c"] = frame["c"].astype(object)
    return frame
