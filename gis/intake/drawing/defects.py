"""What is wrong with an invalid drawing, and where exactly?

Every defect is told with ring, vertex and coordinate of the input and with a marker for a map:
edges that cross or overlap, rings that touch themselves, holes outside their shell, parts over each
other. It names defects and repairs none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import LineString, MultiPoint, Point, Polygon
from shapely.geometry.base import BaseGeometry

from gis.errors import Fault, GeometryError
from gis.intake.draft import Faults, Shape, ShapeKind
from gis.intake.drawing.limits import edge_pairs
from gis.intake.drawing.tidy import Tidy

IntArray: TypeAlias = npt.NDArray[np.intp]
# Turns a geometry in the coordinates of the input into GeoJSON in longitude/latitude.
Marker: TypeAlias = Callable[[BaseGeometry], Mapping[str, object] | None]

# Pairs of edges whose boxes overlap. Beyond this a list of the crossings costs seconds.
_MAX_PAIRS_LISTED = 1e6
_MAX_PAIRS_TOLD = 500
_CHUNK = 256
# The sine of an angle that no rounding makes of a straight line.
_SURELY = 1e-4

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
    if kind is ShapeKind.AREA and len(tidy.xy) >= 3 and _bends(tidy.xy):
        return ""  # more than a line there and back; a bow-tie of area 0 still is
    distinct = len(set(map(tuple, tidy.xy.tolist())))
    if kind is ShapeKind.LINE:
        return "线不足两个不同的点" if distinct < 2 else ""
    if distinct < 3:
        return f"环只有 {distinct} 个不同的点，至少需要三个"
    encloses = LineString(tidy.xy).convex_hull.area > 0.0
    return "" if encloses else "环的各点在一条直线上，没有面积"


def _bends(xy: npt.NDArray[np.float64]) -> bool:
    """Whether three of the first points surely do not lie on one line."""
    (x0, y0), (x1, y1), (x2, y2) = xy[:3].tolist()
    along, beside = (x1 - x0, y1 - y0), (x2 - x0, y2 - y0)
    turn = along[0] * beside[1] - along[1] * beside[0]
    return bool(abs(turn) > _SURELY * math.hypot(*along) * math.hypot(*beside))


def defects(geometry: BaseGeometry, rings: Sequence[Tidy], marker: Marker) -> tuple[Fault, ...]:
    """Return all defects that can be named, with their places; empty for a valid geometry."""
    if geometry.is_valid:  # unlike the function, it leaves the filters of the warnings alone
        return ()
    edges = _Edges(rings)
    faults = Faults()
    pairs: list[tuple[int, int]] = []
    countable = edge_pairs([tidy.xy for tidy in rings]) <= _MAX_PAIRS_LISTED
    if countable:
        pairs = list(islice(edges.crossing_pairs(), _MAX_PAIRS_TOLD + 1))
    _add(faults, _crossings(edges, pairs[:_MAX_PAIRS_TOLD], marker))
    # Where crossings are listed, GEOS would tell the first of them once more.
    known = ("Self-intersection",) if faults else ()
    _add(faults, _reasons(geometry, edges, marker, known))
    if not countable or len(pairs) > _MAX_PAIRS_TOLD:
        spot = Point(rings[0].xy[0])
        faults.add_fault(_fault(rings[0], 0, "相交的边过多，只列出其中一部分", spot, marker))
    return tuple(faults.rows)


def _add(faults: Faults, found: Iterable[Fault]) -> None:
    """Add defects at places that are not told yet, until no more are listed."""
    told = {_rounded(fault.coordinate) for fault in faults.rows}
    for fault in found:
        if _rounded(fault.coordinate) not in told:
            told.add(_rounded(fault.coordinate))
            faults.add_fault(fault)
        if faults.more:
            return


class _Edges:
    """All edges of a drawing in one tree, each with the ring and the vertex where it begins."""

    def __init__(self, rings: Sequence[Tidy]) -> None:
        self.rings = rings
        self.lines = np.concatenate([tidy.edges for tidy in rings])
        self.tree = shapely.STRtree(self.lines)
        self._ends = shapely.get_coordinates(self.lines).reshape(-1, 2, 2)
        counts = [len(tidy.xy) - 1 for tidy in rings]
        self._ring = np.repeat(np.arange(len(rings)), counts)
        self._first = np.cumsum([0, *counts[:-1]])

    def owner(self, edge: int) -> tuple[Tidy, int]:
        """Return ring and vertex where an edge begins."""
        ring = int(self._ring[edge])
        return self.rings[ring], edge - int(self._first[ring])

    def nearest(self, x: float, y: float) -> tuple[Tidy, int]:
        """Return ring and vertex where the edge begins that runs nearest to a point."""
        return self.owner(int(self.tree.nearest(Point(x, y))))

    def _only_touch(self, first: IntArray, second: IntArray) -> npt.NDArray[np.bool_]:
        """Whether edges share an end and do not run along each other: neighbours in a ring do."""
        a, b = self._ends[first], self._ends[second]
        shared = [(a[:, i] == b[:, j]).all(axis=1) for i in (0, 1) for j in (0, 1)]
        along, beside = a[:, 1] - a[:, 0], b[:, 1] - b[:, 0]
        turn = along[:, 0] * beside[:, 1] - along[:, 1] * beside[:, 0]
        parallel = np.abs(turn) <= 1e-9 * np.hypot(*along.T) * np.hypot(*beside.T)
        touches: npt.NDArray[np.bool_] = np.any(shared, axis=0) & ~parallel
        return touches

    def crossing_pairs(self) -> Iterator[tuple[int, int]]:
        """Yield the pairs of edges that cross or overlap, in order; a mere touch is none."""
        for start in range(0, len(self.lines), _CHUNK):
            chunk = self.lines[start : start + _CHUNK]
            inside, second = self.tree.query(chunk, predicate="intersects")
            first = start + inside
            kept = (first < second) & ~self._only_touch(first, second)
            first, second = first[kept], second[kept]
            one, other = self.lines[first], self.lines[second]
            proper = shapely.crosses(one, other) | shapely.relate_pattern(one, other, "1********")
            yield from sorted(zip(first[proper].tolist(), second[proper].tolist(), strict=True))


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


def _rounded(spot: tuple[float, float] | None) -> tuple[float, float]:
    x, y = spot or (np.inf, np.inf)
    digits = 9 if abs(x) <= 180 and abs(y) <= 180 else 4
    return round(x, digits), round(y, digits)


# --- what GEOS says -------------------------------------------------------------------------------


def _reasons(
    geometry: BaseGeometry, edges: _Edges, marker: Marker, known: Sequence[str]
) -> Iterator[Fault]:
    """Yield what GEOS says about each ring, each part, and the whole, but not what is known."""
    parts = getattr(geometry, "geoms", [geometry])
    for candidate in (*(Polygon(t.xy) for t in edges.rings), *parts, geometry):
        reason = shapely.is_valid_reason(candidate)
        if reason == "Valid Geometry":
            continue
        found = re.match(r"(.*?)\[(\S+) (\S+)\]", reason)
        if found is None:
            first = edges.rings[0]
            yield _fault(first, 0, "图形不符合面的规则", Point(first.xy[0]), marker)
        elif found[1] not in known:
            x, y = float(found[2]), float(found[3])
            text = _REASONS.get(found[1], "图形不符合面的规则")
            tidy, vertex = edges.nearest(x, y)
            yield _fault(tidy, vertex, f"{text}，位置（{show(x, y)}）", Point(x, y), marker)


# --- edges ----------------------------------------------------------------------------------------


def _crossings(edges: _Edges, pairs: Iterable[tuple[int, int]], marker: Marker) -> Iterator[Fault]:
    """Yield each pair of edges that cross or overlap, with the place where they begin to."""
    for a, b in pairs:
        meeting = shapely.intersection(edges.lines[a], edges.lines[b])
        x, y = meeting.coords[0]
        (first, i), (second, j) = edges.owner(a), edges.owner(b)
        word = "相交" if meeting.geom_type == "Point" else "重叠"
        message = f"从这两点起的边{word}，位置（{show(x, y)}）"
        where = f"{first.place(i)} 与 {second.place(j)}"
        fault = _fault(first, i, message, meeting, marker, where)
        # A crossing is told by the point where it begins, overlap or not.
        yield replace(fault, coordinate=(x, y))
