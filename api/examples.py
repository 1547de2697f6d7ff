"""Which sites do the documentation and the desk show? Small ones in the middle of the plan."""

from __future__ import annotations

from typing import Any

from gis.plan import Plan

# About 450 m x 330 m in middle latitudes.
_SIDE_DEG = (0.005, 0.003)
_SIDE_M = 500


def body_examples(plan: Plan) -> dict[str, Any]:
    """Return an example body per content type, so that "try it out" gives an answer."""
    west, south, east, north = plan.crs_policy.bounds
    x, y = round((west + east) / 2, 4), round((south + north) / 2, 4)
    right, top = round(x + _SIDE_DEG[0], 4), round(y + _SIDE_DEG[1], 4)
    ring = [[x, y], [right, y], [right, top], [x, top], [x, y]]
    feature = {
        "type": "Feature",
        "properties": {"name": "中学新校区", "use": "080403"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    points = ", ".join(f"{px} {py}" for px, py in ring)
    return {
        "application/geo+json": feature,
        "application/json": feature,
        "text/plain": f"POLYGON(({points}))",
    }


def point_lines(plan: Plan) -> tuple[str, ...]:
    """Return boundary points in the work CRS of the plan, one text line each, east before north."""
    middle = plan.bounds_polygon.centroid
    # Round numbers show that this is an example and not somebody's land.
    x, y = round(middle.x, -3), round(middle.y, -3)
    corners = ((x, y), (x + _SIDE_M, y), (x + _SIDE_M, y + _SIDE_M))
    return tuple(f"{east:.2f}, {north:.2f}" for east, north in corners)
