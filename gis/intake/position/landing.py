"""Where do numbers land when they are read in a CRS?

The small questions under every CRS decision and every explanation: which codes a declaration can
mean, which of them put a point near the plan, and how a plan's CRS are named to a person. Nothing
is decided here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from gis.crs import (
    CrsPolicy,
    gauss_kruger,
    gauss_kruger_epsg,
    geographic_code,
    is_geographic,
    refuse_old_datum,
    same_datum_code,
    transform_point,
)
from gis.errors import CrsError
from gis.intake.draft import Declared

# The middle vertex of a site that only touches the plan may lie this far outside it.
NEAR_DEG = 0.5
# Degrees read as metres of a zone lie at the equator, or nowhere.
_DEGREES, _NEAR_EQUATOR_DEG = 360.0, 1.0

Point = tuple[float, float]


def spellings(said: Declared, policy: CrsPolicy) -> tuple[int, ...]:
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
            f"坐标系（{said.text}）不在可接受之列",
            expected=f"可接受的坐标系：{accepted_text(policy)}",
            advice="转换到可接受的坐标系后再提交",
        )
    return tuple(dict.fromkeys(codes))


def fitting(codes: Sequence[int], point: Point, policy: CrsPolicy) -> list[int]:
    """Return those of the codes that put the point near the plan, in their order."""
    return [code for code in codes if lands(code, point, policy)]


def lands(epsg: int, point: Point, policy: CrsPolicy) -> bool:
    """Whether the point, read in this CRS, lies near the plan."""
    west, south, east, north = policy.bounds
    if gauss_kruger(epsg) and max(map(abs, point)) <= _DEGREES and south > _NEAR_EQUATOR_DEG:
        return False
    lonlat = to_lonlat(epsg, point)
    if lonlat is None:
        return False
    return (
        west - NEAR_DEG <= lonlat[0] <= east + NEAR_DEG
        and south - NEAR_DEG <= lonlat[1] <= north + NEAR_DEG
    )


def to_lonlat(epsg: int, point: Point) -> Point | None:
    """Return a point in degrees, None when it has no finite place in this CRS."""
    code = same_datum_code(epsg)
    try:
        if is_geographic(code):
            return point
        lonlat = transform_point(point, code, geographic_code(code))
    except CrsError:
        return None
    return lonlat if all(map(math.isfinite, lonlat)) else None


def accepted_text(policy: CrsPolicy) -> str:
    """Return the accepted codes as a person reads them."""
    return "、".join(f"EPSG:{code}" for code in policy.accepted)


def bounds_text(policy: CrsPolicy) -> str:
    """Return the bounds of the plan as a person reads them."""
    west, south, east, north = policy.bounds
    return f"经度 {west:g}–{east:g}，纬度 {south:g}–{north:g}"
