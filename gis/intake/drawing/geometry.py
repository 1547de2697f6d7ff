"""Is the drawing a valid polygon, and what had to be tidied for it?

Rings are closed and freed of repeated points with a warning; everything that would make the area
depend on a repair method is refused with the place, in the coordinates of the input. A repair
happens on request only, with the method that cannot run away. It never guesses what was meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import shapely
from shapely.geometry import MultiLineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from gis.errors import Fault, GeometryError
from gis.intake.draft import Shape, ShapeKind, check_rings, first_of
from gis.intake.drawing.defects import Marker, defects, refuse_degenerate
from gis.intake.drawing.limits import check_complexity, check_corridor, check_repair
from gis.intake.drawing.tidy import Tidy, tidy
from gis.model import Remark


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A shape as a shapely geometry in its own coordinates.

    ``faults`` make it unusable unless it is repaired.
    """

    geometry: BaseGeometry
    faults: tuple[Fault, ...]
    notes: tuple[Remark, ...]
    warnings: tuple[Remark, ...]


def no_marker(_: BaseGeometry) -> None:
    """Return nothing: for callers who do not know where the drawing lies."""


def draw(shape: Shape, *, clockwise_is_usual: bool = False, marker: Marker = no_marker) -> Drawing:
    """Return the shape as a geometry, with what is wrong with it.

    Raises
    ------
    GeometryError
        Empty, a point, or rings that enclose nothing: no repair can help.
    LimitError
        More rings or more crossings than the service takes.
    """
    check_kind(shape)
    check_rings(len(shape.rings))
    check_complexity(shape)
    closed = shape.kind is ShapeKind.AREA
    rings = [tidy(ring, n, closed=closed) for n, ring in enumerate(shape.rings, start=1)]
    refuse_degenerate(shape, rings, marker)
    notes, warnings = _remarks(shape, rings)
    if not closed:
        return Drawing(MultiLineString([t.xy for t in rings]), (), notes, warnings)
    polygons = _polygons(shape, rings)
    geometry: BaseGeometry = polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)
    if not clockwise_is_usual and any(not p.exterior.is_ccw for p in polygons):
        notes = (*notes, Remark("clockwise", "外环为顺时针方向，已按面处理，不影响面积"))
    return Drawing(geometry, defects(geometry, rings, marker), notes, warnings)


def _polygons(shape: Shape, rings: Sequence[Tidy]) -> list[Polygon]:
    left = iter(rings)
    grouped = [[next(left).xy for _ in part] for part in shape.parts]
    return [Polygon(outer, holes) for outer, *holes in grouped]


# An outline of more vertices would make the answer larger than it is useful.
_MAX_OUTLINE_VERTICES = 20_000


def ring_lines(drawn: BaseGeometry) -> MultiLineString | None:
    """Return the rings of polygons that need not be valid as lines; None for too many vertices."""
    if shapely.get_num_coordinates(drawn) > _MAX_OUTLINE_VERTICES:
        return None
    polygons = [g for g in getattr(drawn, "geoms", [drawn]) if isinstance(g, Polygon)]
    rings = [ring for p in polygons for ring in (p.exterior, *p.interiors)]
    return MultiLineString([ring.coords for ring in rings]) if rings else None


def repaired(geometry: BaseGeometry) -> BaseGeometry:
    """Return the polygon part of ``make_valid(method="structure")``, the documented repair.

    Raises
    ------
    LimitError
        Too many crossings for a repair in reasonable time.
    GeometryError
        Nothing with an area is left.
    """
    check_repair(geometry)
    fixed = shapely.make_valid(geometry, method="structure", keep_collapsed=False)
    if not shapely.is_valid(fixed):
        # Of edges that lie on each other GEOS sometimes leaves parts that still share one.
        fixed = shapely.union_all(_areal(fixed))
    polygons = _areal(fixed)
    if not polygons or fixed.is_empty:
        raise GeometryError("修复后没有剩下任何面积", expected="有面积的面", advice="请重新绘制")
    whole = polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)
    if not shapely.is_valid(whole):
        raise GeometryError("图形无法自动修复", expected="边线不重叠的面", advice="请重新绘制")
    return whole


def _areal(geometry: BaseGeometry) -> list[Polygon]:
    return [g for g in getattr(geometry, "geoms", [geometry]) if isinstance(g, Polygon)]


def corridor(line: BaseGeometry, *, width_m: float) -> BaseGeometry:
    """Return the strip of ``width_m`` along a line in a metric CRS, ends cut flat.

    Raises
    ------
    LimitError
        More vertices than a corridor may have, or sides that overlap too often.
    """
    check_corridor(line, width_m=width_m)
    return line.buffer(width_m / 2, quad_segs=16, cap_style="flat", join_style="round")


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


def _remarks(shape: Shape, rings: Sequence[Tidy]) -> tuple[tuple[Remark, ...], tuple[Remark, ...]]:
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
    repeated = [t.ring.place(i) for t in rings for i in t.repeated]
    if repeated:
        text = f"有 {len(repeated)} 个连续重复的点（{first_of(repeated)}），已略去"
        warnings.append(Remark("duplicate_points", text))
    return tuple(notes), tuple(warnings)
