"""Where in the whole area does this site lie?

Draws the planning area, its zones and the place of one site as a small SVG; no script, no map.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from markupsafe import Markup
from shapely.geometry.base import BaseGeometry

from gis.crs import geographic_code, transform
from gis.output.maps import style
from gis.output.maps.shapes import dissolved
from gis.output.maps.visible import drawable, zones_of

if TYPE_CHECKING:
    from gis.plan.area import Plan

_WIDTH = 168.0
_TOLERANCE_M = 60.0


def overview(plan: Plan, ceiling: str, site_bounds: Sequence[Sequence[float]]) -> Markup:
    """Return the SVG, or nothing when the planning area may not be shown."""
    areas = drawable(plan, "planning_area", ceiling)
    if not areas:
        return Markup()
    whole = _degrees(dissolved(areas[0].frame.geometry.to_numpy()), plan.work_epsg)
    west, south, east, north = whole.bounds
    squeeze = math.cos(math.radians((south + north) / 2))
    scale = (_WIDTH - 8) / ((east - west) * squeeze)
    height = (north - south) * scale + 8

    def place(xy: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        x = (xy[:, 0] - west) * squeeze * scale + 4
        y = (north - xy[:, 1]) * scale + 4
        return np.column_stack([x, y]).round(1)

    paths = [_path(shapely.transform(whole, place), "#fcfbf7", "#3c4650", 1.6)]
    for layer in drawable(plan, "zone", ceiling):
        for zone in zones_of(layer):
            geometry = dissolved(zone.frame.geometry.to_numpy())
            moved = shapely.transform(_degrees(geometry, plan.work_epsg), place)
            paths.append(_path(moved, style.zone_fill(zone.number), "#ffffff", 0.8))
    (s, w), (n_, e) = site_bounds
    x, y = place(np.array([[(w + e) / 2, (s + n_) / 2]]))[0]
    mark = (
        f'<circle cx="{x}" cy="{y}" r="8" fill="none" stroke="#111" stroke-width="2.4"/>'
        f'<circle cx="{x}" cy="{y}" r="2.6" fill="#111"/>'
    )
    return Markup(
        f'<svg viewBox="0 0 {_WIDTH:.0f} {height:.0f}" role="img" '
        f'aria-label="地块在规划范围中的位置">{"".join(paths)}{mark}</svg>'
    )


def _degrees(geometry: BaseGeometry, work_epsg: int) -> BaseGeometry:
    simple = shapely.simplify(geometry, _TOLERANCE_M)
    return transform(simple, work_epsg, geographic_code(work_epsg))


def _path(geometry: BaseGeometry, fill: str, stroke: str, width: float) -> str:
    rings = []
    for part in shapely.get_parts(geometry):
        if part.geom_type != "Polygon":
            continue
        for ring in (part.exterior, *part.interiors):
            points = " ".join(f"{x:g},{y:g}" for x, y in ring.coords[:-1])
            rings.append(f"M{points}Z")
    return f'<path d="{"".join(rings)}" fill="{fill}" stroke="{stroke}" stroke-width="{width}"/>'
