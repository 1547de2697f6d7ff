"""Is the drawing a valid polygon, and if not, where exactly is it wrong?

Rings are closed and freed of repeated points with a warning; everything that would make the area
depend on a repair method is refused with the place, in the coordinates of the input. A repair
happens on request only, with the method that cannot run away. It never guesses what was meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry import LineString, MultiLineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from gis.errors import Fault, GeometryError, LimitError
from gis.intake.draft import Faults, FloatArray, Ring, Shape, ShapeKind, check_rings
from gis.model import Remark

# Beyond this the list of all crossings would cost more than it tells.
_MAX_SEGMENTS_LISTED = 600
# Longer borders would need gigabytes once densified for the ellipsoidal area.
MAX_PERIMETER_M = 5_000_000.0
MAX_CORRIDOR_VERTICES = 5_000
# Pairs of edges with overlapping boxes. Validity tests 1e8 in 2 s; buffer and repair also cut the
# edges at every crossing: 1,000 random vertices (1e5 pairs) take 6 s and 2 s.
_FREE_PAIRS = {ShapeKind.AREA: 5e7, ShapeKind.LINE: 2e4}
_FREE_PAIRS_OF_REPAIR = 1e5
# Counted with boxes as wide as the corridor: its sides overlap before they are joined.
_FREE_PAIRS_OF_CORRIDOR = 3e5

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


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A shape as a shapely geometry in its own coordinates.

    ``faults`` make it unusable unless it is repaired; ``rings`` are the rings as drawn.
    """

    geometry: BaseGeometry
    faults: tuple[Fault, ...]
    notes: tuple[Remark, ...]
    warnings: tuple[Remark, ...]


def draw(shape: Shape, *, clockwise_is_usual: bool = False) -> Drawing:
    """Return the shape as a geometry, with what is wrong with it.

    Raises
    ------
    GeometryError
        Empty, a point, or rings that enclose nothing: no repair can help.
    LimitError
        More rings than the service takes.
    """
    check_kind(shape)
    check_rings(len(shape.rings))
    check_complexity(shape)
    tidied = [[_tidy(ring, closed=shape.kind is ShapeKind.AREA) for ring in p] for p in shape.parts]
    _refuse_degenerate(shape, tidied)
    notes, warnings = _remarks(shape, tidied)
    if shape.kind is ShapeKind.LINE:
        lines = MultiLineString([t.xy for part in tidied for t in part])
        return Drawing(lines, (), notes, warnings)
    polygons = [Polygon(part[0].xy, [t.xy for t in part[1:]]) for part in tidied]
    geometry: BaseGeometry = polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)
    if not clockwise_is_usual and any(not p.exterior.is_ccw for p in polygons):
        notes = (*notes, Remark("clockwise", "外环为顺时针方向，已按面处理，不影响面积"))
    return Drawing(geometry, _faults(geometry, tidied), notes, warnings)


def repaired(geometry: BaseGeometry) -> BaseGeometry:
    """Return the polygon part of ``make_valid(method="structure")``, the documented repair.

    Raises
    ------
    LimitError
        Too many crossings for a repair in reasonable time.
    GeometryError
        Nothing with an area is left.
    """
    rings = shapely.get_rings(shapely.get_parts(geometry))
    _check_pairs([shapely.get_coordinates(ring) for ring in rings], _FREE_PAIRS_OF_REPAIR)
    fixed = shapely.make_valid(geometry, method="structure", keep_collapsed=False)
    polygons = [g for g in getattr(fixed, "geoms", [fixed]) if isinstance(g, Polygon)]
    if not polygons or fixed.is_empty:
        raise GeometryError("修复后没有剩下任何面积", expected="有面积的面", advice="请重新绘制")
    return polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)


def corridor(line: BaseGeometry, *, width_m: float) -> BaseGeometry:
    """Return the strip of ``width_m`` along a line in a metric CRS, ends cut flat.

    Raises
    ------
    LimitError
        More vertices than a corridor may have, or sides that overlap too often.
    """
    if shapely.get_num_coordinates(line) > MAX_CORRIDOR_VERTICES:
        raise LimitError(f"线路超过 {MAX_CORRIDOR_VERTICES} 个顶点", advice="简化线路或分段提交")
    parts = [shapely.get_coordinates(part) for part in _parts(line)]
    _check_pairs(parts, _FREE_PAIRS_OF_CORRIDOR, margin_m=width_m)
    return line.buffer(width_m / 2, quad_segs=16, cap_style="flat", join_style="round")


def check_perimeter(geometry: BaseGeometry) -> None:
    """Raise LimitError when the border is longer than any real site has."""
    if geometry.length > MAX_PERIMETER_M:
        raise LimitError(
            f"边界总长 {geometry.length / 1000:.0f} km",
            expected=f"不超过 {MAX_PERIMETER_M / 1000:.0f} km",
            advice="核对坐标或简化图形",
        )


def check_complexity(shape: Shape) -> None:
    """Raise LimitError when too many edges lie over each other for an answer in reasonable time."""
    _check_pairs([ring.xy for ring in shape.rings], _FREE_PAIRS[shape.kind])


def _check_pairs(lines: Sequence[FloatArray], free_pairs: float, *, margin_m: float = 0.0) -> None:
    """Refuse lines with too many pairs of edges whose boxes overlap; all costs grow with these.

    A real outline has about as many pairs as edges, random vertices a fifth of n². Estimated from
    200 edges, so that the test itself stays cheap. ``margin_m`` widens the boxes.
    """
    edges = np.concatenate([np.hstack([xy[:-1], xy[1:]]) for xy in lines])
    count = len(edges)
    limit = free_pairs + 5 * count
    if count * count / 2 < limit:
        return
    west, east = np.sort(edges[:, [0, 2]], axis=1).T.copy()
    south, north = np.sort(edges[:, [1, 3]], axis=1).T.copy()
    picked = np.random.default_rng(count).choice(count, size=min(200, count), replace=False)
    west, south = west - margin_m, south - margin_m
    overlaps = 0
    for i in picked:
        beside = (west <= east[i]) & (east >= west[i])
        overlaps += int((beside & (south <= north[i]) & (north >= south[i])).sum()) - 1
    if overlaps / len(picked) * count / 2 > limit:
        raise LimitError(
            f"图形过于复杂（{count} 条边大量相互重叠）",
            advice="检查坐标顺序，简化图形后再提交",
        )


def show(x: float, y: float) -> str:
    """Return a coordinate for a person, axes named because their order differs by trade.

    >>> show(408498.27, 4030411.11)
    '东 408498.270，北 4030411.110'
    """
    if abs(x) <= 180 and abs(y) <= 180:
        return f"经度 {x:.8f}，纬度 {y:.8f}"
    return f"东 {x:.3f}，北 {y:.3f}"


# --- tidying --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Tidy:
    """A ring ready to draw; ``index`` leads from its vertices back to those of the input."""

    ring: Ring
    xy: FloatArray
    index: tuple[int, ...]
    closed_here: bool
    repeated: int

    def place(self, vertex: int) -> str:
        return self.ring.place(self.index[vertex % len(self.index)])


def _tidy(ring: Ring, *, closed: bool) -> _Tidy:
    """Drop consecutive repeated points and close the ring."""
    xy = ring.xy
    keep = np.ones(len(xy), dtype=bool)
    keep[1:] = (xy[1:] != xy[:-1]).any(axis=1)
    kept = xy[keep]
    index = tuple(int(i) for i in np.flatnonzero(keep))
    open_ring = closed and len(kept) > 0 and (kept[0] != kept[-1]).any()
    if open_ring:
        kept = np.vstack([kept, kept[:1]])
        index = (*index, 0)
    return _Tidy(ring, kept, index, bool(open_ring), int((~keep).sum()))


def check_kind(shape: Shape) -> None:
    """Raise GeometryError when the shape is a point or empty."""
    if shape.kind is ShapeKind.POINT:
        raise GeometryError(
            "图形是点",
            expected="面，或带宽度的线",
            faults=[Fault(shape.where, "点没有面积，无法检测")],
        )
    if shape.kind is ShapeKind.EMPTY or not shape.parts or not all(shape.parts):
        raise GeometryError(
            "图形为空", expected="有面积的面", faults=[Fault(shape.where, "没有坐标")]
        )


def _refuse_degenerate(shape: Shape, parts: Sequence[Sequence[_Tidy]]) -> None:
    faults = Faults()
    for tidy in (t for part in parts for t in part):
        where = tidy.ring.place(0)
        distinct = len(np.unique(tidy.xy, axis=0))
        if shape.kind is ShapeKind.LINE:
            if distinct < 2:
                faults.add(where, "线不足两个不同的点")
        elif distinct < 3:
            faults.add(where, f"环只有 {distinct} 个不同的点，至少需要三个")
        elif not _encloses(tidy.xy):
            faults.add(where, "环的各点在一条直线上，没有面积")
    if faults:
        raise faults.error(
            GeometryError, "图形没有面积", expected="有面积的面", advice="按所列位置改正坐标"
        )


def _encloses(xy: FloatArray) -> bool:
    """Whether a ring is more than a line there and back (a bow-tie of area 0 still is)."""
    return LineString(xy).convex_hull.area > 0.0


def _remarks(
    shape: Shape, parts: Sequence[Sequence[_Tidy]]
) -> tuple[tuple[Remark, ...], tuple[Remark, ...]]:
    rings = [t for part in parts for t in part]
    notes: list[Remark] = []
    warnings: list[Remark] = []
    if shape.has_z:
        notes.append(Remark("z_dropped", "坐标带有高程（Z），已略去，只按平面位置检测"))
    if shape.has_m:
        warnings.append(Remark("m_dropped", "坐标带有 M 值，已略去"))
    opened = [t for t in rings if t.closed_here]
    if opened:
        warnings.append(
            Remark(
                "ring_closed", f"有 {len(opened)} 个环未闭合（{opened[0].place(0)}），已自动闭合"
            )
        )
    repeated = [t for t in rings if t.repeated]
    if repeated:
        total = sum(t.repeated for t in repeated)
        warnings.append(
            Remark(
                "duplicate_points",
                f"有 {total} 个连续重复的点（{repeated[0].place(0)}所在的环），已略去",
            )
        )
    return tuple(notes), tuple(warnings)


# --- faults ---------------------------------------------------------------------------------------


def _faults(geometry: BaseGeometry, parts: Sequence[Sequence[_Tidy]]) -> tuple[Fault, ...]:
    """Return all faults that can be named, with their places; empty when the geometry is valid."""
    if shapely.is_valid(geometry):
        return ()
    rings = [t for part in parts for t in part]
    faults = Faults()
    told: set[tuple[float, float]] = set()
    if sum(len(t.xy) for t in rings) <= _MAX_SEGMENTS_LISTED:
        _add_crossings(faults, rings, told)
    for candidate in [*(Polygon(t.xy) for t in rings), *_parts(geometry), geometry]:
        _add_reason(faults, candidate, rings, told)
    return tuple(faults.rows)


def _parts(geometry: BaseGeometry) -> list[BaseGeometry]:
    return list(getattr(geometry, "geoms", [geometry]))


def _add_reason(
    faults: Faults, geometry: BaseGeometry, rings: Sequence[_Tidy], told: set[tuple[float, float]]
) -> None:
    """Add what GEOS says about a geometry, unless that place is told already."""
    reason = shapely.is_valid_reason(geometry)
    if reason == "Valid Geometry":
        return
    found = re.match(r"(.*?)\[(\S+) (\S+)\]", reason)
    if found is None:
        faults.add(rings[0].place(0), "图形不符合面的规则")
        return
    place, x, y = _nearest(rings, float(found[2]), float(found[3]))
    if _rounded(x, y) not in told:
        told.add(_rounded(x, y))
        text = _REASONS.get(found[1], "图形不符合面的规则")
        faults.add(place, f"{text}，位置（{show(x, y)}）")


def _rounded(x: float, y: float) -> tuple[float, float]:
    digits = 9 if abs(x) <= 180 and abs(y) <= 180 else 4
    return round(x, digits), round(y, digits)


def _nearest(rings: Sequence[_Tidy], x: float, y: float) -> tuple[str, float, float]:
    """Place of the edge of the input that runs nearest to a point, and the point."""
    best = (np.inf, rings[0], 0)
    for tidy in rings:
        distances = np.atleast_1d(shapely.distance(_edges(tidy.xy), shapely.Point(x, y)))
        i = int(np.argmin(distances))
        if distances[i] < best[0]:
            best = (float(distances[i]), tidy, i)
    return best[1].place(best[2]), x, y


def _edges(xy: FloatArray) -> Any:
    return shapely.linestrings(np.stack([xy[:-1], xy[1:]], axis=1))


def _add_crossings(faults: Faults, rings: Sequence[_Tidy], told: set[tuple[float, float]]) -> None:
    """Add every pair of edges that cross or overlap; a mere touch of two rings is no fault."""
    owners = [(n, i) for n, t in enumerate(rings) for i in range(len(t.xy) - 1)]
    edges = np.concatenate([_edges(t.xy) for t in rings])
    pairs = shapely.STRtree(edges).query(edges, predicate="intersects").T
    first, second = pairs[pairs[:, 0] < pairs[:, 1]].T
    proper = shapely.crosses(edges[first], edges[second]) | shapely.relate_pattern(
        edges[first], edges[second], "1********"
    )
    for a, b in sorted(zip(first[proper].tolist(), second[proper].tolist(), strict=True)):
        meeting = shapely.intersection(edges[a], edges[b])
        x, y = meeting.coords[0]
        if _rounded(x, y) not in told:
            told.add(_rounded(x, y))
            place = [rings[n].place(i) for n, i in (owners[a], owners[b])]
            word = "相交" if meeting.geom_type == "Point" else "重叠"
            where = f"{place[0]} 与 {place[1]}"
            faults.add(where, f"从这两点起的边{word}，位置（{show(x, y)}）")
        if faults.more:
            return
