"""Why does no accepted CRS put these numbers into the plan?

The most likely mistake is named (order of the columns, zone, unit, a CRS that is not accepted), so
that the person knows what to mend. It explains a refusal and never turns it into an acceptance.
"""

from __future__ import annotations

import math

from gis.crs import CGCS2000, CrsPolicy, gauss_kruger, gauss_kruger_epsg
from gis.errors import CrsError, Fault, OutsidePlanError
from gis.intake.draft import Declared
from gis.intake.drawing.defects import show
from gis.intake.position.landing import (
    Point,
    accepted_text,
    bounds_text,
    fitting,
    lands,
    spellings,
    to_lonlat,
)

_WEB_MERCATOR = 3857
# What the numbers would have to be multiplied by to become metres or decimal degrees.
_UNITS = (
    ("毫米", 1e-3),
    ("厘米", 1e-2),
    ("分米", 1e-1),
    ("千米", 1e3),
    ("英尺", 0.3048),
    ("市尺", 1 / 3),
    ("弧度", 180 / math.pi),
    ("角分", 1 / 60),
    ("角秒", 1 / 3600),
    ("梯度（百分度）", 0.9),
    ("百万分之一度", 1e-6),
    ("千万分之一度", 1e-7),
)


def explain(point: Point, policy: CrsPolicy, said: Declared | None) -> CrsError | OutsidePlanError:
    """Return the most likely reason why no accepted CRS puts the point near the plan."""
    back = point[::-1]
    codes = spellings(said, policy) if said else policy.accepted
    if fitting([*codes, *policy.accepted], back, policy):
        return CrsError(
            f"坐标（{point[0]:.10g}, {point[1]:.10g}）的两个数顺序相反（北/纬度在前）",
            expected="东坐标（经度）在前，北坐标（纬度）在后",
            advice="交换每个点的两个坐标",
        )
    conflict = _prefix_conflict(point, said)
    if conflict:
        return conflict
    likely = [code for code in policy.accepted if lands(code, point, policy)]
    if said and likely:
        return CrsError(
            f"声明的坐标系（{said.text}）与坐标（{show(*point)}）不符",
            expected=f"EPSG:{likely[0]} 的坐标形式与此相符",
            advice="核对坐标系声明",
            faults=_where_said(said, f"与坐标（{show(*point)}）不符"),
        )
    unit = _unit(point, policy)
    if unit:
        return CrsError(
            f"坐标（{point[0]:.10g}, {point[1]:.10g}）像是以{unit}为单位",
            expected="经纬度用十进制度，投影坐标用米",
            advice="换算单位后再提交",
        )
    if lands(_WEB_MERCATOR, point, policy):
        return CrsError(
            f"坐标（{show(*point)}）像是 Web 墨卡托投影（EPSG:3857）",
            expected=f"可接受的坐标系：{accepted_text(policy)}",
            advice="转换到 CGCS2000 后再提交；Web 墨卡托的面积在中纬度偏大一半以上",
        )
    return _unplaced(point, policy, said)


def _unit(point: Point, policy: CrsPolicy) -> str:
    """Return the unit in which the numbers would lie near the plan; empty when there is none."""
    x, y = point
    for name, factor in _UNITS:
        if fitting(policy.accepted, (x * factor, y * factor), policy):
            return name
    return ""


def _unplaced(
    point: Point, policy: CrsPolicy, said: Declared | None
) -> CrsError | OutsidePlanError:
    zone = _prefix(point[0])
    code = gauss_kruger_epsg(zone, prefixed=True) if zone else None
    if said is None and code is not None and code not in policy.accepted:
        return CrsError(
            f"东坐标 {point[0]:.3f} 的带号为 {zone}（EPSG:{code}）",
            expected=f"可接受的坐标系：{accepted_text(policy)}",
            advice="转换到可接受的坐标系后再提交",
        )
    readable = [*spellings(said, policy)] if said else [code] if code else []
    for epsg in readable:
        lonlat = to_lonlat(epsg, point)
        if lonlat is not None:
            return outside(point, lonlat, policy)
    if _is_degrees(point) and not lands(CGCS2000, point, policy):
        return outside(point, point, policy)
    return CrsError(
        f"没有声明坐标系，坐标（{show(*point)}）按可接受的坐标系都不在规划范围内",
        expected=f"{accepted_text(policy)}；{bounds_text(policy)}",
        advice="在文件中写明坐标系，或用 crs=EPSG 代码 指定",
    )


def outside(point: Point, lonlat: Point, policy: CrsPolicy) -> OutsidePlanError:
    """Return the error for a clear place that is not the plan's."""
    place = "" if point == lonlat else f"，即{show(*lonlat)}"
    return OutsidePlanError(
        f"地块坐标（{show(*point)}{place}）不在规划范围内",
        expected=bounds_text(policy),
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
                faults=_where_said(said, f"带号 {stated.zone} 与东坐标的带号 {zone} 不一致"),
            )
    return None


def _where_said(said: Declared | None, message: str) -> list[Fault]:
    """Return the fault at the place of a declaration, none where no place is known."""
    return [Fault(said.place, message)] if said is not None and said.place else []


def _prefix(easting: float) -> int | None:
    """Zone number in front of an easting of eight digits, or None."""
    zone = int(easting // 1e6) if 1e7 <= easting < 1e8 else 0
    return zone if gauss_kruger_epsg(zone, prefixed=True) else None


def _is_degrees(point: Point) -> bool:
    return abs(point[0]) <= 180 and abs(point[1]) <= 90
