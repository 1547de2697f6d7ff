"""How does a draft become a site? Read, drawn, put into the work CRS, measured; or refused.

A site is a valid polygon in the work CRS of the plan with both areas, a note for every decision and
a warning for every defect. It knows no format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import shapely
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from gis.crs import (
    CGCS2000,
    CrsPolicy,
    ellipsoidal_area,
    is_geographic,
    to_lonlat,
    transform,
)
from gis.errors import ClaimError, DeclaredAreaError, Fault, GeometryError, InputError
from gis.intake.areas import ComparedArea, compared
from gis.intake.draft import Declared, Document, Draft, Ring, Shape, ShapeKind, Trace
from gis.intake.drawing import geometry
from gis.intake.drawing.limits import check_doubtful, check_perimeter
from gis.intake.drawing.slivers import sliver_warnings
from gis.intake.position import coordinates
from gis.intake.position.coordinates import Understanding
from gis.model import Area, CrsDecision, Doubt, Remark, Site, Source
from gis.webmap import REACH_M, unshifted

MIN_AREA_M2 = 0.01


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller wants, the same for every site of an input."""

    policy: CrsPolicy
    given: Declared | None
    repair: bool
    width_m: float | None
    source: Source


@dataclass(frozen=True, slots=True)
class _Outline:
    """A drawing as a valid polygon in the work CRS."""

    geometry: BaseGeometry
    notes: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()
    repaired: bool = False


def site_of(draft: Draft, document: Document, options: Options) -> Site:
    """Return the site of a draft.

    Raises
    ------
    InputError
        The draft cannot be judged; the subclass says why.
    """
    _refuse_statements(draft)
    geometry.check_kind(draft.shape)
    reading = _understood(draft, document, options)
    shape = draft.shape.swapped() if reading.swapped else draft.shape
    coordinates.check_vertices_near(shape, reading.epsg, options.policy)
    drawing = geometry.draw(
        shape, clockwise_is_usual=document.clockwise_is_usual, marker=reading.marker
    )
    _refuse_faults(draft, drawing, reading, options)
    outline = _outline(shape, drawing, reading, options)
    area = _area(draft, outline.geometry, options.policy)
    doubt = _doubt(draft, document, reading, outline, options)
    try:
        said = _agreed_area(draft, area)
    except DeclaredAreaError as error:
        error.outline = _outline_of(drawing, reading)
        raise
    slivers = () if outline.repaired else sliver_warnings(shape, drawing, outline.geometry)
    notes = (document, draft, reading, drawing, outline, said)
    warnings = (document, draft, reading, drawing, outline)
    return Site(
        name=draft.name,
        geometry=outline.geometry,
        area=area,
        crs=CrsDecision(reading.epsg, options.policy.work_epsg, reading.how, reading.shift),
        source=options.source,
        use=draft.use,
        corridor_width_m=options.width_m if shape.kind is ShapeKind.LINE else None,
        doubt=doubt,
        claims={**draft.claims, **said.claims},
        notes=tuple(note for source in notes for note in source.notes),
        warnings=(
            *(warning for source in warnings for warning in source.warnings),
            *coordinates.check_inside(outline.geometry, options.policy),
            *slivers,
            *said.warnings,
            *_doubtful(doubt),
        ),
    )


def _refuse_statements(draft: Draft) -> None:
    if draft.faults:
        first = draft.faults[0]
        raise ClaimError(
            f"“{draft.name}”{first.where}：{first.message}",
            advice="改正属性 use 后再提交",
            faults=draft.faults,
        )


def _understood(draft: Draft, document: Document, options: Options) -> Understanding:
    return coordinates.understand(
        draft.shape.xy,
        options.policy,
        given=options.given,
        declared=draft.declared or document.declared,
        lonlat_by_default=document.lonlat_by_default,
        may_swap=document.may_swap,
    )


def _agreed_area(draft: Draft, area: Area) -> ComparedArea:
    """Return what the input states as its area; raise when the coordinates belie it."""
    said = compared(draft.declared_area, area)
    if said.fault is not None:
        raise DeclaredAreaError(
            f"{said.fault.where}，{said.fault.message}",
            expected="两者相差不超过 1 %",
            advice="核对填写的面积及其单位，或补全界址点",
            faults=[said.fault],
        )
    return said


def _refuse_faults(
    draft: Draft, drawing: geometry.Drawing, reading: Understanding, options: Options
) -> None:
    if drawing.faults and not options.repair:
        error = GeometryError(
            f"“{draft.name}”{drawing.faults[0].where}：{drawing.faults[0].message}",
            expected="边线不自相交、洞在外环之内、各部分不重叠的面",
            advice="改正坐标；或用 repair=true 自动修复（面积可能变化）",
            faults=drawing.faults,
        )
        error.outline = _outline_of(drawing, reading)
        raise error


def _outline_of(drawing: geometry.Drawing, reading: Understanding) -> Mapping[str, object] | None:
    lines = geometry.ring_lines(drawing.geometry)
    return None if lines is None else reading.marker(lines)


def placed(fault: Fault, document: Document, options: Options) -> Fault:
    """Return a fault that knows its coordinate with a marker, where the coordinate has a place."""
    if fault.coordinate is None or fault.marker is not None:
        return fault
    try:
        reading = coordinates.understand(
            np.array([fault.coordinate]),
            options.policy,
            given=options.given,
            declared=document.declared,
            lonlat_by_default=document.lonlat_by_default,
        )
    except InputError:
        return fault
    return replace(fault, marker=reading.marker(Point(fault.coordinate)))


def _area(draft: Draft, outline: BaseGeometry, policy: CrsPolicy) -> Area:
    area = Area(ellipsoidal_area(outline, policy.work_epsg), float(outline.area))
    if not area.ellipsoidal_m2 >= MIN_AREA_M2:
        raise GeometryError(f"“{draft.name}”面积不足 {MIN_AREA_M2} m²", expected="有面积的面")
    return area


# --- into the work CRS ----------------------------------------------------------------------------


def _outline(
    shape: Shape, drawing: geometry.Drawing, reading: Understanding, options: Options
) -> _Outline:
    work = reading.to(drawing.geometry, options.policy.work_epsg)
    check_perimeter(work)
    if shape.kind is ShapeKind.LINE:
        return _strip(work, options.width_m)
    ignored = Remark("width_ignored", "图形已是面，宽度 width_m 未采用")
    warnings = () if options.width_m is None else (ignored,)
    if not drawing.faults and work.is_valid:
        return _Outline(work, warnings=warnings)
    if not options.repair:
        raise _bent(shape, reading, options.policy.work_epsg)
    fixed = geometry.repaired(work)
    text = (
        f"图形有错误，已按要求自动修复：按原顶点顺序计算 {work.area:.2f} m²，"
        f"修复后 {fixed.area:.2f} m²（平面面积）"
    )
    return _Outline(fixed, warnings=(*warnings, Remark("repaired", text)), repaired=True)


def _strip(line: BaseGeometry, width_m: float | None) -> _Outline:
    if width_m is None:
        raise GeometryError(
            "图形是线，没有宽度", expected="面，或带宽度的线", advice="用 width_m 给出宽度（米）"
        )
    strip = geometry.corridor(line, width_m=width_m)
    ends = "" if all(part.is_closed for part in shapely.get_parts(line)) else "，两端平头"
    note = Remark("corridor", f"线路按 {width_m:g} m 宽的带状用地检测{ends}")
    return _Outline(strip, notes=(note,))


def _bent(shape: Shape, reading: Understanding, work_epsg: int) -> GeometryError:
    """Return the error about edges that meet only in the work CRS: there they are curves."""

    def moved(ring: Ring) -> Ring:
        line = reading.to(shapely.LineString(ring.xy), work_epsg)
        return Ring(shapely.get_coordinates(line), ring.place)

    parts = tuple(tuple(moved(ring) for ring in part) for part in shape.parts)
    there = geometry.draw(
        replace(shape, parts=parts), marker=lambda spot: to_lonlat(spot, work_epsg)
    )
    first = there.faults[0] if there.faults else Fault(shape.where, "边线相交")
    return GeometryError(
        f"图形换算到规划坐标系后边线相交：{first.where}，{first.message}",
        advice="原坐标系的直边换算后是曲线，在该处加密界址点；或用 repair=true 自动修复",
        faults=there.faults,
    )


# --- not survey grade -----------------------------------------------------------------------------


def _doubt(
    draft: Draft, document: Document, reading: Understanding, outline: _Outline, options: Options
) -> Doubt | None:
    """Return why the place of the site is uncertain; None for survey coordinates.

    Whoever names the CRS of degrees by its code takes the suspicion away.

    Raises
    ------
    LimitError
        The outline is too winding to be judged at several places.
    """
    trace = draft.trace or document.trace
    if reading.shift:
        reason = f"坐标为 {reading.shift}，由公开公式近似还原，误差可达十米"
        doubt = Doubt(reason, REACH_M)
    elif trace is None or options.given is not None or not is_geographic(reading.epsg):
        return None
    else:
        doubt = Doubt(trace.reason, REACH_M, _others(trace, outline, options.policy))
    check_doubtful(outline.geometry, reach_m=REACH_M)
    return doubt


def _others(trace: Trace, outline: _Outline, policy: CrsPolicy) -> tuple[BaseGeometry, ...]:
    """Return the outlines that the site has if its degrees are those of a web map."""
    found = []
    for shift in trace.shifts:
        lonlat = transform(outline.geometry, policy.work_epsg, CGCS2000)
        moved = shapely.transform(lonlat, partial(unshifted, shift=shift))
        other = transform(moved, CGCS2000, policy.work_epsg)
        # The shift bends lines by millimetres, which may make a tight corner touch itself.
        found.append(other if shapely.is_valid(other) else shapely.buffer(other, 0))
    return tuple(found)


def _doubtful(doubt: Doubt | None) -> tuple[Remark, ...]:
    if doubt is None:
        return ()
    text = f"非测量成果：{doubt.reason}。几米之差就会改变的结论一律为“需核实”，办理手续须用实测坐标"
    return (Remark("not_survey_grade", text),)
