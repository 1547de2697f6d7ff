"""How does a draft become a site? Read, drawn, put into the work CRS, measured; or refused.

A site is a valid polygon in the work CRS of the plan with both areas, a note for every decision and
a warning for every defect. It knows no format.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import shapely
from shapely.geometry.base import BaseGeometry

from gis.crs import CrsPolicy, crs_of, ellipsoidal_area
from gis.errors import CrsError, DeclaredAreaError, GeometryError
from gis.intake.draft import Declared, Document, Draft, Shape, ShapeKind, Trace
from gis.intake.drawing import geometry
from gis.intake.drawing.limits import check_perimeter
from gis.intake.drawing.slivers import sliver_warnings
from gis.intake.position import coordinates
from gis.intake.position.coordinates import Understanding
from gis.intake.statements import declared_area
from gis.model import Area, CrsDecision, Doubt, Remark, Site, Source
from gis.webmap import REACH_M, unshifted

_MIN_AREA_M2 = 0.01


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
    warnings: tuple[Remark, ...] = ()


def site_of(draft: Draft, document: Document, options: Options) -> Site:
    """Return the site of a draft.

    Raises
    ------
    InputError
        The draft cannot be judged; the subclass says why.
    """
    geometry.check_kind(draft.shape)
    reading = coordinates.understand(
        draft.shape.xy,
        options.policy,
        given=options.given,
        declared=draft.declared or document.declared,
        lonlat_by_default=document.lonlat_by_default,
        may_swap=document.may_swap,
    )
    shape = draft.shape.swapped() if reading.swapped else draft.shape
    coordinates.check_vertices_near(shape, reading.epsg, options.policy)
    drawing = geometry.draw(
        shape, clockwise_is_usual=document.clockwise_is_usual, marker=reading.marker
    )
    _refuse_faults(draft, drawing, options)
    outline = _outline(drawing, reading, options)
    area = _area(draft, outline.geometry, options.policy)
    doubt = _doubt(draft, document, reading, drawing, options)
    said = declared_area(draft.declared_area, area, where=draft.area_place or draft.shape.where)
    if said.fault is not None:
        raise DeclaredAreaError(
            f"{said.fault.where}，{said.fault.message}",
            expected="两者相差不超过 1 %",
            advice="核对填写的面积及其单位，或补全界址点",
            faults=[said.fault],
        )
    lanes, width_m = _lane(shape, options)
    return Site(
        name=draft.name,
        geometry=outline.geometry,
        area=area,
        crs=CrsDecision(reading.epsg, options.policy.work_epsg, reading.how, reading.shift),
        source=options.source,
        use=draft.use,
        corridor_width_m=width_m,
        doubt=doubt,
        claims={**draft.claims, **said.claims},
        notes=(
            *document.notes,
            *draft.notes,
            *reading.notes,
            *drawing.notes,
            *lanes,
            *said.notes,
        ),
        warnings=(
            *document.warnings,
            *draft.warnings,
            *reading.warnings,
            *drawing.warnings,
            *outline.warnings,
            *coordinates.check_inside(outline.geometry, options.policy),
            *sliver_warnings(shape, drawing, outline.geometry),
            *said.warnings,
            *_doubtful(doubt),
        ),
    )


def _refuse_faults(draft: Draft, drawing: geometry.Drawing, options: Options) -> None:
    if drawing.faults and not options.repair:
        raise GeometryError(
            f"“{draft.name}”{drawing.faults[0].where}：{drawing.faults[0].message}",
            expected="边线不自相交、洞在外环之内、各部分不重叠的面",
            advice="改正坐标；或用 repair=true 自动修复（面积可能变化）",
            faults=drawing.faults,
        )


def _area(draft: Draft, outline: BaseGeometry, policy: CrsPolicy) -> Area:
    area = Area(ellipsoidal_area(outline, policy.work_epsg), float(outline.area))
    if not area.ellipsoidal_m2 >= _MIN_AREA_M2:
        raise GeometryError(f"“{draft.name}”面积不足 {_MIN_AREA_M2} m²", expected="有面积的面")
    return area


def _lane(shape: Shape, options: Options) -> tuple[tuple[Remark, ...], float | None]:
    """Return the note on a corridor and its width; nothing for an area."""
    if shape.kind is not ShapeKind.LINE or options.width_m is None:
        return (), None
    text = f"线路按 {options.width_m} m 宽的带状用地检测，两端平头"
    return (Remark("corridor", text),), options.width_m


# --- into the work CRS ----------------------------------------------------------------------------


def _outline(drawing: geometry.Drawing, reading: Understanding, options: Options) -> _Outline:
    work = reading.to(drawing.geometry, options.policy.work_epsg)
    check_perimeter(work)
    if work.geom_type == "MultiLineString":
        if options.width_m is None:
            raise GeometryError(
                "图形是线，没有宽度",
                expected="面，或带宽度的线",
                advice="用 width_m 给出宽度（米）",
            )
        return _Outline(geometry.corridor(work, width_m=options.width_m))
    ignored = Remark("width_ignored", "图形已是面，宽度 width_m 未采用")
    warnings = () if options.width_m is None else (ignored,)
    if not drawing.faults and shapely.is_valid(work):
        return _Outline(work, warnings)
    if not options.repair:
        raise GeometryError("图形换算到规划坐标系后自相交", advice="去掉过近的界址点")
    fixed = geometry.repaired(work)
    text = (
        f"图形有错误，已按要求自动修复：按原顶点顺序计算 {work.area:.2f} m²，"
        f"修复后 {fixed.area:.2f} m²（平面面积）"
    )
    return _Outline(fixed, (*warnings, Remark("repaired", text)))


# --- not survey grade -----------------------------------------------------------------------------


def _doubt(
    draft: Draft,
    document: Document,
    reading: Understanding,
    drawing: geometry.Drawing,
    options: Options,
) -> Doubt | None:
    """Return why the place of the site is uncertain; None for survey coordinates.

    Whoever names the CRS of degrees by its code takes the suspicion away.
    """
    if reading.shift:
        return Doubt(f"坐标为 {reading.shift}，由公开公式近似还原，误差可达十米", REACH_M)
    trace = draft.trace or document.trace
    if trace is None or options.given is not None or not crs_of(reading.epsg).is_geographic:
        return None
    return Doubt(trace.reason, REACH_M, _others(trace, reading, drawing, options))


def _others(
    trace: Trace, reading: Understanding, drawing: geometry.Drawing, options: Options
) -> tuple[BaseGeometry, ...]:
    """Return the outlines that the site has if its degrees are those of a web map."""
    found = []
    for shift in trace.shifts:
        moved = shapely.transform(drawing.geometry, partial(unshifted, shift=shift))
        try:
            outline = _outline(
                geometry.Drawing(moved, drawing.faults, (), ()), reading, options
            ).geometry
        except (CrsError, GeometryError):
            continue
        found.append(outline)
    return tuple(found)


def _doubtful(doubt: Doubt | None) -> tuple[Remark, ...]:
    if doubt is None:
        return ()
    text = f"非测量成果：{doubt.reason}。几米之差就会改变的结论一律为“需核实”，办理手续须用实测坐标"
    return (Remark("not_survey_grade", text),)
