"""What is wrong with an invalid drawing, and where exactly?

Every defect is told with ring, vertex and coordinate of the input and with a marker for a map:
edges that cross or overlap, rings that touch themselves, holes outside their shell, parts over each
other. It names defects and repairs none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import shapely
from shapely.geometry import LineString, MultiPoint, Point, Polygon
from shapely.geometry.base import BaseGeometry

from gis.errors import Fault, GeometryError
from gis.intake.draft import Faults, Shape, ShapeKind
from gis.intake.drawing.tidy import Tidy

# Turns a geometry in the coordinates of the input into GeoJSON in longitude/latitude.
Marker: TypeAlias = Callable[[BaseGeometry], Mapping[str, object] | None]

# Beyond this the list of all crossings would cost more than it tells.
_MAX_SEGMENTS_LISTED = 600

_REASONS = {
    "Self-intersection": "边线自相交",
    "Ring Self-intersection": "边线在一点上与自身相接",
    "Hole lies outside shell": "内环（洞）位于外环之外",
    "Holes are nested": "洞中套洞",
    "Nested shells": "一个面落在另一个面之内",
    "Interior is disconnected": "内环把面切成互不相连的部分",
    "Duplicate Rings": "两个环重复",
    "Too few points in geometry component": "点数不足",
}


def show(x: float, y: float) -> str:
    """Return a coordinate for a person, axes named because their order differs by trade.

    >>> show(408498.27, 4030411.11)
    '东 408498.270，北 4030411.110'
    """
    if abs(x) <= 180 and abs(y) <= 180:
        return f"经度 {x:.8f}，纬度 {y:.8f}"
    return f"东 {x:.3f}，北 {y:.3f}"


def refuse_degenerate(shape: Shape, rings: Sequence[Tidy], marker: Marker) -> None:
    """Raise GeometryError when a ring encloses nothing: no repair can help."""
    faults = Faults()
    for tidy in rings:
        message = _degenerate(tidy, shape.kind)
        if message:
            spot = MultiPoint(tidy.xy) if len(tidy.xy) else None
            faults.add_fault(_fault(tidy, 0, message, spot, marker))
    if faults:
        raise faults.error(
            GeometryError, "图形没有面积", expected="有面积的面", advice="按所列位置改正坐标"
        )


def _degenerate(tidy: Tidy, kind: ShapeKind) -> str:
    distinct = len(np.unique(tidy.xy, axis=0))
    if kind is ShapeKind.LINE:
        return "线不足两个不同的点" if distinct < 2 else ""
    if distinct < 3:
        return f"环只有 {distinct} 个不同的点，至少需要三个"
    # More than a line there and back; a bow-tie of area 0 still is.
    encloses = LineString(tidy.xy).convex_hull.area > 0.0
    return "" if encloses else "环的各点在一条直线上，没有面积"


def defects(geometry: BaseGeometry, rings: Sequence[Tidy], marker: Marker) -> tuple[Fault, ...]:
    """Return all defects that can be named, with their places; empty for a valid geometry."""
    if shapely.is_valid(geometry):
        return ()
    faults = Faults()
    told: set[tuple[float, float]] = set()
    found = _crossings(rings, marker) if _is_listed(rings) else iter(())
    for fault in (*found, *_reasons(geometry, rings, marker)):
        spot = _rounded(*(fault.coordinate or (np.nan, np.nan)))
        if spot not in told:
            told.add(spot)
            faults.add_fault(fault)
        if faults.more:
            break
    return tuple(faults.rows)


def _is_listed(rings: Sequence[Tidy]) -> bool:
    return sum(len(t.xy) for t in rings) <= _MAX_SEGMENTS_LISTED


def _fault(
    tidy: Tidy,
    vertex: int,
    message: str,
    spot: BaseGeometry | None,
    marker: Marker,
    where: str = "",
) -> Fault:
    """Return a defect at a vertex of a ring; ``spot`` is what a map should show."""
    xy = None if spot is None else shapely.get_coordinates(spot.centroid)[0].tolist()
    return Fault(
        where or tidy.place(vertex),
        message,
        ring=tidy.number,
        vertex=tidy.vertex(vertex),
        coordinate=None if xy is None else (xy[0], xy[1]),
        marker=None if spot is None else marker(spot),
    )


def _rounded(x: float, y: float) -> tuple[float, float]:
    digits = 9 if abs(x) <= 180 and abs(y) <= 180 else 4
    return round(x, digits), round(y, digits)


# --- what GEOS says -------------------------------------------------------------------------------


def _reasons(geometry: BaseGeometry, rings: Sequence[Tidy], marker: Marker) -> Iterator[Fault]:
    """Yield what GEOS says about each ring, each part, and the whole."""
    parts = getattr(geometry, "geoms", [geometry])
    for candidate in (*(Polygon(t.xy) for t in rings), *parts, geometry):
        reason = shapely.is_valid_reason(candidate)
        if reason == "Valid Geometry":
            continue
        found = re.match(r"(.*?)\[(\S+) (\S+)\]", reason)
        if found is None:
            yield _fault(rings[0], 0, "图形不符合面的规则", Point(rings[0].xy[0]), marker)
            continue
        x, y = float(found[2]), float(found[3])
        text = _REASONS.get(found[1], "图形不符合面的规则")
        tidy, vertex = _nearest(rings, x, y)
        yield _fault(tidy, vertex, f"{text}，位置（{show(x, y)}）", Point(x, y), marker)


def _nearest(rings: Sequence[Tidy], x: float, y: float) -> tuple[Tidy, int]:
    """Ring and vertex where the edge begins that runs nearest to a point."""
    best = (np.inf, rings[0], 0)
    for tidy in rings:
        distances = np.atleast_1d(shapely.distance(tidy.edges, Point(x, y)))
        i = int(np.argmin(distances))
        if distances[i] < best[0]:
            best = (float(distances[i]), tidy, i)
    return best[1], best[2]


# --- edges ----------------------------------------------------------------------------------------


def _crossings(rings: Sequence[Tidy], marker: Marker) -> Iterator[Fault]:
    """Yield every pair of edges that cross or overlap; a mere touch of two rings is no defect."""
    owners = [(tidy, i) for tidy in rings for i in range(len(tidy.xy) - 1)]
    edges = np.concatenate([tidy.edges for tidy in rings])
    for a, b in _crossing_pairs(edges):
        meeting = shapely.intersection(edges[a], edges[b])
        x, y = meeting.coords[0]
        (first, i), (second, j) = owners[a], owners[b]
        word = "相交" if meeting.geom_type == "Point" else "重叠"
        message = f"从这两点起的边{word}，位置（{show(x, y)}）"
        where = f"{first.place(i)} 与 {second.place(j)}"
        fault = _fault(first, i, message, meeting, marker, where)
        # A crossing is told by the point where it begins, overlap or not.
        yield Fault(where, message, fault.ring, fault.vertex, (x, y), fault.marker)


def _crossing_pairs(edges: Any) -> list[tuple[int, int]]:
    pairs = shapely.STRtree(edges).query(edges, predicate="intersects").T
    first, second = pairs[pairs[:, 0] < pairs[:, 1]].T
    proper = shapely.crosses(edges[first], edges[second]) | shapely.relate_pattern(
        edges[first], edges[second], "1********"
    )
    return sorted(zip(first[proper].tolist(), second[proper].tolist(), strict=True))
