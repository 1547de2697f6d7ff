"""Which points bound the site? The 界址点成果表, numbered as the boundary TXT numbers them.

X is the northing, Y the easting, to the millimetre in the work CRS of the plan; a side is the
straight distance in that plane to the next point of its ring.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import shapely
from shapely.geometry.base import BaseGeometry

from gis.crs import crs_of, gauss_kruger
from gis.intake.boundary.write import ring_points
from gis.output.report.blocks import Column, Table, cells

# A ring of more points is handed on as a file; nobody checks forty pages by hand.
MOST_POINTS = 1500
_Line = tuple[str, str, str, str, str]


def boundary_table(site: BaseGeometry, work_epsg: int) -> Table:
    """Return the table of the boundary points of a polygon in the work CRS.

    Two points stand side by side in a row. Beyond ``MOST_POINTS`` the rest is left out, and the
    note says so.
    """
    lines = list(_lines(site))
    told = lines[:MOST_POINTS]
    half = math.ceil(len(told) / 2)
    blank = ("", "", "", "", "")
    rows = [(*told[n], *(told[n + half] if n + half < len(told) else blank)) for n in range(half)]
    heads = (
        Column("点号", 0.8, "center"),
        Column("圈号", 0.6, "center"),
        Column("X（北，m）", 1.6, "right"),
        Column("Y（东，m）", 1.5, "right"),
        Column("边长（m）", 1.1, "right"),
    )
    return Table(
        "界址点成果表",
        (*heads, *heads),
        tuple(map(cells, rows)),
        note=_note(work_epsg, len(lines)),
        dense=True,
    )


def _note(work_epsg: int, count: int) -> str:
    zone = gauss_kruger(work_epsg)
    meridian = f"，中央经线 {zone.central_meridian:g}°" if zone else ""
    left = count - MOST_POINTS
    more = f"共 {count} 点，余下 {left} 点未列，另用 wuqu txt write 导出。" if left > 0 else ""
    return (
        f"坐标系：{crs_of(work_epsg).name}（EPSG:{work_epsg}{meridian}）。边长为该点至同圈下一点的"
        f"平面距离。{more}"
    )


def _lines(site: BaseGeometry) -> Iterator[_Line]:
    """Yield number, ring, X, Y and side of each point; numbers run on through all rings."""
    number = ring_number = 0
    for part in shapely.get_parts(site):
        for n, ring in enumerate(shapely.get_rings(part)):
            points = ring_points(list(ring.coords), clockwise=n == 0)
            ring_number += 1
            for (x, y), (next_x, next_y) in zip(points, [*points[1:], *points[:1]], strict=True):
                number += 1
                side = math.hypot(next_x - x, next_y - y)
                yield (f"J{number}", str(ring_number), f"{y:.3f}", f"{x:.3f}", f"{side:.2f}")
