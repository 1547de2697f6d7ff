"""In which CRS are these numbers, and is the place inside the plan?

Order of trust: the code given by the user, the declaration of the input, the zone number in front
of the easting, the only accepted CRS that puts the numbers into the plan. The middle vertex
decides, so that one mistyped coordinate is reported as such and does not spoil the decision.
Nothing is fetched, and no CRS is assumed silently: every decision is a note, every correction a
warning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.crs import (
    CGCS2000,
    CrsPolicy,
    crs_of,
    gauss_kruger,
    gauss_kruger_epsg,
    geographic_code,
    refuse_old_datum,
    same_datum_code,
    transform,
)
from gis.errors import CrsError, OutsidePlanError
from gis.intake.draft import Declared, Faults, FloatArray, Shape
from gis.intake.geometry import show
from gis.model import Remark

# The middle vertex of a site that only touches the plan may lie this far outside it.
_NEAR_DEG = 0.5
# No vertex of a site in the plan lies further out; a mistyped digit does.
_FAR_DEG = 1.0
_METRES_PER_DEGREE = 111_000.0
_WEB_MERCATOR = 3857

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Understanding:
    """How the numbers are to be read: code, how it was found, and whether the columns change."""

    epsg: int
    how: str
    swapped: bool
    notes: tuple[Remark, ...]
    warnings: tuple[Remark, ...]


def understand(
    xy: FloatArray,
    policy: CrsPolicy,
    *,
    given: int | None = None,
    declared: Declared | None = None,
    lonlat_by_default: bool = False,
    may_swap: bool = False,
) -> Understanding:
    """Decide the CRS of the numbers.

    Parameters
    ----------
    xy
        (n, 2) finite coordinates, x = east or longitude as the format has it.
    policy
        Work CRS, accepted codes and bounds of the plan.
    given
        EPSG code named by the user; goes before ``declared``.
    declared
        What the input itself says.
    lonlat_by_default
        Without a declaration degrees are what the format means (RFC 7946).
    may_swap
        Put columns in the wrong order right, with a warning, instead of refusing them.

    Raises
    ------
    CrsError
        Not accepted, contradictory, ambiguous, or explained only by a CRS that is not accepted.
    OutsidePlanError
        A clear CRS, but not the place of the plan.
    """
    point = float(np.median(xy[:, 0])), float(np.median(xy[:, 1]))
    said = Declared((given,), f"EPSG:{given}") if given is not None else declared
    candidates = policy.accepted if said is None else _spellings(said, policy)
    swapped = False
    fits = _fitting(candidates, point, policy)
    if not fits and may_swap and _fitting(candidates, point[::-1], policy):
        fits, swapped, point = _fitting(candidates, point[::-1], policy), True, point[::-1]
    if not fits:
        raise _explain(point, policy, said)
    epsg = _one_of(fits, point, policy)
    how = _how(epsg, given, said, lonlat_by_default)
    notes, warnings = _remarks(epsg, how, policy, said, swapped)
    return Understanding(CGCS2000 if epsg == 4326 else epsg, how, swapped, notes, warnings)


def check_vertices_near(shape: Shape, epsg: int, policy: CrsPolicy) -> None:
    """Raise OutsidePlanError naming each vertex far away from the others: a mistyped number.

    Judged in the coordinates of the input, where every number is still finite.
    """
    west, south, east, north = policy.bounds
    reach = max(east - west, north - south) + _FAR_DEG
    if not crs_of(epsg).is_geographic:
        reach *= _METRES_PER_DEGREE
    middle = np.median(shape.xy, axis=0)
    faults = Faults()
    for ring in shape.rings:
        for i in np.flatnonzero((np.abs(ring.xy - middle) > reach).any(axis=1)):
            x, y = ring.xy[int(i)]
            faults.add(ring.place(int(i)), f"坐标（{show(x, y)}）远离其他界址点")
    if faults:
        raise faults.error(
            OutsidePlanError,
            "有界址点远离规划范围",
            expected=_bounds_text(policy),
            advice="核对坐标数字",
        )


def check_inside(geometry: BaseGeometry, policy: CrsPolicy) -> tuple[Remark, ...]:
    """Raise OutsidePlanError unless the site (work CRS) meets the bounds; warn when partly out."""
    base = geographic_code(policy.work_epsg)
    outline = transform(geometry, policy.work_epsg, base)
    box = shapely.box(*policy.bounds)
    if not shapely.intersects(shapely.box(*outline.bounds), box) or not outline.intersects(box):
        lon, lat = outline.centroid.coords[0]
        raise _outside((lon, lat), (lon, lat), policy)
    if shapely.box(*outline.bounds).within(box):
        return ()
    return (Remark("partly_outside_bounds", "地块有一部分超出规划数据的范围"),)


# --- candidates -----------------------------------------------------------------------------------


def _spellings(said: Declared, policy: CrsPolicy) -> tuple[int, ...]:
    """Return the codes that a declaration can mean: itself, then its twin with/without prefix."""
    codes: list[int] = []
    for epsg in said.epsgs:
        refuse_old_datum(epsg)
        zone = gauss_kruger(epsg)
        twin = gauss_kruger_epsg(zone.zone, prefixed=not zone.prefixed) if zone else None
        codes += [epsg] if twin is None else [epsg, twin]
    listed = {same_datum_code(code) for code in policy.accepted}
    if not any(same_datum_code(epsg) in listed for epsg in codes):
        raise CrsError(
            f"坐标系为 {said.text}",
            expected=f"可接受的坐标系：{_accepted_text(policy)}",
            advice="转换到可接受的坐标系后再提交",
        )
    return tuple(dict.fromkeys(codes))


def _fitting(codes: Sequence[int], point: Point, policy: CrsPolicy) -> list[int]:
    return [code for code in codes if _lands(code, point, policy)]


def _lands(epsg: int, point: Point, policy: CrsPolicy) -> bool:
    """Whether the point, read in this CRS, lies near the plan."""
    lonlat = _to_lonlat(epsg, point)
    if lonlat is None:
        return False
    west, south, east, north = policy.bounds
    return (
        west - _NEAR_DEG <= lonlat[0] <= east + _NEAR_DEG
        and south - _NEAR_DEG <= lonlat[1] <= north + _NEAR_DEG
    )


def _to_lonlat(epsg: int, point: Point) -> Point | None:
    code = same_datum_code(epsg)
    try:
        if crs_of(code).is_geographic:
            return point
        moved = transform(shapely.Point(point), code, geographic_code(code))
    except CrsError:
        return None
    lon, lat = shapely.get_coordinates(moved)[0]
    return float(lon), float(lat)


def _one_of(fits: Sequence[int], point: Point, policy: CrsPolicy) -> int:
    """Return the code to use among those that fit; they must mean the same place.

    Zone 39 (3 degrees) and zone 20 (6 degrees) share a meridian: without a prefix their numbers
    are identical, and the work CRS, then the 3-degree code, names them.
    """

    def rank(epsg: int) -> tuple[bool, bool, int]:
        zone = gauss_kruger(epsg)
        return (epsg != policy.work_epsg, zone is not None and zone.width == 6, fits.index(epsg))

    best = min(fits, key=rank)
    here = _to_lonlat(best, point)
    for other in fits:
        there = _to_lonlat(other, point)
        if here and there and max(abs(here[0] - there[0]), abs(here[1] - there[1])) > 1e-6:
            raise CrsError(
                f"坐标（{show(*point)}）按 EPSG:{best} 和 EPSG:{other} 都落在规划范围内",
                expected="声明坐标系",
                advice="在文件中写明坐标系，或用 crs=EPSG 代码 指定",
            )
    return best


def _how(epsg: int, given: int | None, said: Declared | None, lonlat_by_default: bool) -> str:
    if given is not None:
        return "given"
    if said is not None:
        return "declared"
    zone = gauss_kruger(epsg)
    if zone is not None and zone.prefixed:
        return "prefix"
    degrees = zone is None and crs_of(epsg).is_geographic
    return "declared" if degrees and lonlat_by_default else "guessed"


# --- what to tell ---------------------------------------------------------------------------------


def _explain(point: Point, policy: CrsPolicy, said: Declared | None) -> CrsError | OutsidePlanError:
    """Return the most likely reason why no accepted CRS puts the point near the plan."""
    back = point[::-1]
    codes = _spellings(said, policy) if said else policy.accepted
    if _fitting([*codes, *policy.accepted], back, policy):
        return CrsError(
            f"坐标（{point[0]:.10g}, {point[1]:.10g}）的两个数顺序相反（北/纬度在前）",
            expected="东坐标（经度）在前，北坐标（纬度）在后",
            advice="交换每个点的两个坐标",
        )
    conflict = _prefix_conflict(point, said)
    if conflict:
        return conflict
    likely = [code for code in policy.accepted if _lands(code, point, policy)]
    if said and likely:
        return CrsError(
            f"声明的坐标系 {said.text} 与坐标（{show(*point)}）不符",
            expected=f"EPSG:{likely[0]} 的坐标形式与此相符",
            advice="核对坐标系声明",
        )
    if _lands(_WEB_MERCATOR, point, policy):
        return CrsError(
            f"坐标（{show(*point)}）像是 Web 墨卡托投影（EPSG:3857）",
            expected=f"可接受的坐标系：{_accepted_text(policy)}",
            advice="转换到 CGCS2000 后再提交；Web 墨卡托的面积在中纬度偏大一半以上",
        )
    return _unplaced(point, policy, said)


def _unplaced(
    point: Point, policy: CrsPolicy, said: Declared | None
) -> CrsError | OutsidePlanError:
    zone = _prefix(point[0])
    code = gauss_kruger_epsg(zone, prefixed=True) if zone else None
    if said is None and code is not None and code not in policy.accepted:
        return CrsError(
            f"东坐标 {point[0]:.3f} 的带号为 {zone}（EPSG:{code}）",
            expected=f"可接受的坐标系：{_accepted_text(policy)}",
            advice="转换到可接受的坐标系后再提交",
        )
    readable = [*_spellings(said, policy)] if said else [code] if code else []
    for epsg in readable:
        lonlat = _to_lonlat(epsg, point)
        if lonlat is not None:
            return _outside(point, lonlat, policy)
    if _is_degrees(point) and not _lands(CGCS2000, point, policy):
        return _outside(point, point, policy)
    return CrsError(
        f"没有声明坐标系，坐标（{show(*point)}）按可接受的坐标系都不在规划范围内",
        expected=f"{_accepted_text(policy)}；{_bounds_text(policy)}",
        advice="在文件中写明坐标系，或用 crs=EPSG 代码 指定",
    )


def _outside(point: Point, lonlat: Point, policy: CrsPolicy) -> OutsidePlanError:
    place = "" if point == lonlat else f"，即{show(*lonlat)}"
    return OutsidePlanError(
        f"地块坐标（{show(*point)}{place}）不在规划范围内",
        expected=_bounds_text(policy),
        advice="核对坐标、带号和坐标系；若确在别处，请换用当地的规划数据",
    )


def _prefix_conflict(point: Point, said: Declared | None) -> CrsError | None:
    """Return the error for a declared zone and another zone number in front of the easting."""
    for x in point:
        zone = _prefix(x)
        stated = gauss_kruger(said.epsgs[0]) if said and said.epsgs else None
        if zone is not None and stated is not None and zone != stated.zone:
            return CrsError(
                f"声明的带号为 {stated.zone}（{said.text if said else ''}），"
                f"东坐标 {x:.3f} 却带有带号 {zone}",
                expected="带号一致",
                advice="核对文件中的带号、分带和坐标",
            )
    return None


def _prefix(easting: float) -> int | None:
    """Zone number in front of an easting of eight digits, or None."""
    zone = int(easting // 1e6) if 1e7 <= easting < 1e8 else 0
    return zone if gauss_kruger_epsg(zone, prefixed=True) else None


def _is_degrees(point: Point) -> bool:
    return abs(point[0]) <= 180 and abs(point[1]) <= 90


def _remarks(
    epsg: int, how: str, policy: CrsPolicy, said: Declared | None, swapped: bool
) -> tuple[tuple[Remark, ...], tuple[Remark, ...]]:
    reason = "default" if how == "declared" and said is None else how
    notes = [Remark("crs", f"坐标系：EPSG:{epsg}（{_zone_text(epsg)}），{_HOW[reason]}")]
    warnings: list[Remark] = []
    if epsg == 4326:
        notes.append(Remark("wgs84_as_cgcs2000", "WGS 84 经纬度按 CGCS2000（EPSG:4490）理解"))
    if swapped:
        warnings.append(Remark("xy_swapped", "X、Y 两列写反（X 列为东坐标），已按 X=北、Y=东 交换"))
    if said is not None and len(said.epsgs) == 1 and epsg not in said.epsgs:
        warnings.append(
            Remark("zone_prefix", f"声明为 {said.text}，按坐标中有无带号理解为 EPSG:{epsg}")
        )
    zone, work = gauss_kruger(epsg), gauss_kruger(policy.work_epsg)
    if zone is not None and zone.width == 6:
        warnings.append(Remark("six_degree_zone", "坐标为6度带；1:10000 及更大比例尺应采用3度带"))
    if zone and work and zone.central_meridian != work.central_meridian:
        warnings.append(
            Remark(
                "neighbour_zone",
                f"坐标属邻带（中央经线 {zone.central_meridian:g}°），"
                f"已换算到中央经线 {work.central_meridian:g}°",
            )
        )
    return tuple(notes), tuple(warnings)


_HOW = {
    "given": "由用户指定",
    "declared": "按文件声明",
    "default": "GeoJSON 未声明时即为经纬度",
    "prefix": "按东坐标的带号判定",
    "guessed": "按规划范围推定",
}


def _zone_text(epsg: int) -> str:
    zone = gauss_kruger(epsg)
    if zone is not None:
        prefix = "含带号" if zone.prefixed else "不含带号"
        return f"CGCS2000 {zone.width}度带第{zone.zone}带，{prefix}"
    return {4490: "CGCS2000 经纬度", 4326: "WGS 84 经纬度"}.get(epsg, crs_of(epsg).name)


def _accepted_text(policy: CrsPolicy) -> str:
    return "、".join(f"EPSG:{code}" for code in policy.accepted)


def _bounds_text(policy: CrsPolicy) -> str:
    west, south, east, north = policy.bounds
    return f"经度 {west:g}–{east:g}，纬度 {south:g}–{north:g}"
