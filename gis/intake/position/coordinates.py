"""In which CRS are these numbers, and is the place inside the plan?

Order of trust: the code given by the user, the declaration of the input, the zone number in front
of the easting, the only accepted CRS that puts the numbers into the plan. The middle vertex
decides, so that one mistyped coordinate is reported as such and does not spoil the decision.
Nothing is fetched, and no CRS is assumed silently: every decision is a note, every correction a
warning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.crs import (
    CGCS2000,
    CrsPolicy,
    crs_of,
    gauss_kruger,
    geographic_code,
    is_geographic,
    same_datum_code,
    transform,
)
from gis.crs import to_lonlat as to_lonlat_json
from gis.errors import CrsError, OutsidePlanError
from gis.intake.draft import Declared, Faults, FloatArray, Shape
from gis.intake.drawing.defects import show
from gis.intake.position.explain import explain, outside
from gis.intake.position.landing import Point, bounds_text, fitting, spellings, to_lonlat
from gis.model import Remark
from gis.webmap import unshifted

# No vertex of a site in the plan lies further out; a mistyped digit does.
_FAR_DEG = 1.0
_METRES_PER_DEGREE = 111_000.0
# So many numbers are sorted sooner than an array of them.
_FEW = 200
# Into so many pieces a side of the bounds is cut; its curve is off their chords by far less than
# a metre.
_STEPS = 1_000


@dataclass(frozen=True, slots=True)
class Understanding:
    """How the numbers are to be read: code, web-map shift, how it was found, order of columns."""

    epsg: int
    how: str
    swapped: bool
    shift: str
    notes: tuple[Remark, ...]
    warnings: tuple[Remark, ...]

    def to(self, geometry: BaseGeometry, target: int) -> BaseGeometry:
        """Return a geometry, given in the coordinates of the input, in another CRS.

        Raises
        ------
        CrsError
            A coordinate has no finite image.
        """
        if self.shift:
            geometry = shapely.transform(geometry, partial(unshifted, shift=self.shift))
        return transform(geometry, same_datum_code(self.epsg), target)

    def marker(self, geometry: BaseGeometry) -> Mapping[str, object] | None:
        """Return a geometry of the input as GeoJSON in longitude/latitude, None where it has none.

        Only for showing where a fault is, so nothing is refused here.
        """
        try:
            return to_lonlat_json(self.to(geometry, CGCS2000), CGCS2000)
        except CrsError:
            return None


def understand(
    xy: FloatArray,
    policy: CrsPolicy,
    *,
    given: Declared | None = None,
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
        What the user says; goes before ``declared``.
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
    point = middle(xy)
    said = given or declared
    candidates = _guessable(policy) if said is None else spellings(said, policy)
    swapped = False
    fits = fitting(candidates, point, policy)
    if not fits and may_swap and fitting(candidates, point[::-1], policy):
        fits, swapped, point = fitting(candidates, point[::-1], policy), True, point[::-1]
    if not fits:
        raise explain(point, policy, said)
    epsg = _one_of(fits, point, policy)
    how = _how(epsg, given, said, lonlat_by_default)
    notes, warnings = _remarks(epsg, how, policy, said, swapped)
    warnings = (*warnings, *_overruled(epsg, given, declared))
    code = CGCS2000 if epsg == 4326 else epsg
    return Understanding(code, how, swapped, said.shift if said else "", notes, warnings)


def middle(xy: FloatArray) -> Point:
    """Return the median of some eastings and of their northings."""
    if len(xy) > _FEW:
        x, y = np.median(xy, axis=0).tolist()
        return x, y
    eastings, northings = sorted(xy[:, 0].tolist()), sorted(xy[:, 1].tolist())
    low, high = (len(xy) - 1) // 2, len(xy) // 2
    return (eastings[low] + eastings[high]) / 2, (northings[low] + northings[high]) / 2


def check_vertices_near(shape: Shape, epsg: int, policy: CrsPolicy) -> None:
    """Raise OutsidePlanError naming each vertex far away from the others: a mistyped number.

    Judged in the coordinates of the input, where every number is still finite.
    """
    west, south, east, north = policy.bounds
    reach = max(east - west, north - south) + _FAR_DEG
    if not is_geographic(epsg):
        reach *= _METRES_PER_DEGREE
    xy = shape.xy
    centre = np.array(middle(xy))
    if not (np.abs(xy - centre) > reach).any():
        return
    faults = Faults()
    for ring in shape.rings:
        for i in np.flatnonzero((np.abs(ring.xy - centre) > reach).any(axis=1)):
            x, y = ring.xy[int(i)]
            faults.add(ring.place(int(i)), f"坐标（{show(x, y)}）远离其他界址点")
    raise faults.error(
        OutsidePlanError,
        "有界址点远离规划范围",
        expected=bounds_text(policy),
        advice="核对坐标数字",
    )


def check_inside(geometry: BaseGeometry, policy: CrsPolicy) -> tuple[Remark, ...]:
    """Raise OutsidePlanError unless the site (work CRS) meets the bounds; warn when partly out."""
    if _lies_within(geometry.bounds, policy):
        return ()
    base = geographic_code(policy.work_epsg)
    outline = transform(geometry, policy.work_epsg, base)
    box = shapely.box(*policy.bounds)
    if not shapely.intersects(shapely.box(*outline.bounds), box) or not outline.intersects(box):
        lon, lat = outline.centroid.coords[0]
        raise outside((lon, lat), (lon, lat), policy)
    if shapely.box(*outline.bounds).within(box):
        return ()
    return (Remark("partly_outside_bounds", "地块有一部分超出规划数据的范围"),)


def _lies_within(bounds: tuple[float, float, float, float], policy: CrsPolicy) -> bool:
    """Whether a box in the work CRS surely lies inside the bounds of the plan."""
    west, south, east, north = _inner_box(policy)
    return west < bounds[0] and south < bounds[1] and bounds[2] < east and bounds[3] < north


@lru_cache(maxsize=64)
def _inner_box(policy: CrsPolicy) -> tuple[float, float, float, float]:
    """Return a box in the work CRS that lies inside the bounds, a metre off their curved sides."""
    base, work = geographic_code(policy.work_epsg), policy.work_epsg
    west, south, east, north = policy.bounds
    corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
    lines = [shapely.LineString(corners[n : n + 2]) for n in range(4)]
    step = max(east - west, north - south) / _STEPS
    sides = [transform(shapely.segmentize(line, step), base, work).bounds for line in lines]
    (_, _, _, low), (right, _, _, _), (_, high, _, _), (_, _, left, _) = sides
    return left + 1.0, low + 1.0, right - 1.0, high - 1.0


# --- among several -------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _guessable(policy: CrsPolicy) -> tuple[int, ...]:
    """Return the accepted codes that numbers alone may mean.

    An easting without its zone, read in a 6-degree zone on another meridian, is the same number as
    one of a 3-degree zone that has lost its false easting of 500 km; nobody draws parcels in it, so
    it has to be declared.
    """
    work = gauss_kruger(policy.work_epsg)

    def is_far_fetched(epsg: int) -> bool:
        zone = gauss_kruger(epsg)
        if zone is None or work is None or zone.prefixed or zone.width == 3:
            return False
        return zone.central_meridian != work.central_meridian

    return tuple(code for code in policy.accepted if not is_far_fetched(code))


def _one_of(fits: Sequence[int], point: Point, policy: CrsPolicy) -> int:
    """Return the code to use among those that fit; they must mean the same place.

    Zone 39 (3 degrees) and zone 20 (6 degrees) share a meridian: without a prefix their numbers
    are identical, and the work CRS, then the 3-degree code, names them.
    """

    def rank(epsg: int) -> tuple[bool, bool, int]:
        zone = gauss_kruger(epsg)
        return (epsg != policy.work_epsg, zone is not None and zone.width == 6, fits.index(epsg))

    best = min(fits, key=rank)
    if len(fits) == 1:
        return best
    here = to_lonlat(best, point)
    for other in fits:
        there = to_lonlat(other, point)
        if here and there and max(abs(here[0] - there[0]), abs(here[1] - there[1])) > 1e-6:
            raise CrsError(
                f"坐标（{show(*point)}）按 EPSG:{best} 和 EPSG:{other} 都落在规划范围内",
                expected="声明坐标系",
                advice="在文件中写明坐标系，或用 crs=EPSG 代码 指定",
            )
    return best


def _how(epsg: int, given: Declared | None, said: Declared | None, lonlat_by_default: bool) -> str:
    if given is not None:
        return "given"
    if said is not None:
        return "declared"
    zone = gauss_kruger(epsg)
    if zone is not None and zone.prefixed:
        return "prefix"
    degrees = zone is None and is_geographic(epsg)
    return "declared" if degrees and lonlat_by_default else "guessed"


# --- what to tell ---------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _remarks(
    epsg: int, how: str, policy: CrsPolicy, said: Declared | None, swapped: bool
) -> tuple[tuple[Remark, ...], tuple[Remark, ...]]:
    reason = "default" if how == "declared" and said is None else how
    if said is not None and said.shift:
        text = f"坐标系：{said.shift}（网络地图经纬度），{_HOW[reason]}，已按公开公式近似还原"
        return (Remark("crs", text),), ()
    notes = [Remark("crs", f"坐标系：EPSG:{epsg}（{_zone_text(epsg)}），{_HOW[reason]}")]
    warnings: list[Remark] = []
    if epsg == 4326:
        notes.append(Remark("wgs84_as_cgcs2000", "WGS 84 经纬度按 CGCS2000（EPSG:4490）理解"))
    if swapped:
        warnings.append(Remark("xy_swapped", "X、Y 两列写反（X 列为东坐标），已按 X=北、Y=东 交换"))
    if said is not None and len(said.epsgs) == 1 and epsg not in said.epsgs:
        warnings.append(
            Remark("zone_prefix", f"声明（{said.text}）按坐标中有无带号理解为 EPSG:{epsg}")
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


def _overruled(epsg: int, given: Declared | None, declared: Declared | None) -> list[Remark]:
    """Return the warning about an input that names another zone than the user does."""
    if given is None or declared is None:
        return []
    used = gauss_kruger(epsg)
    zones = [zone for code in declared.epsgs if (zone := gauss_kruger(code))]
    if used is None or not zones or used.central_meridian in [z.central_meridian for z in zones]:
        return []
    text = f"文件声明的坐标系（{declared.text}）与用户指定的 {given.text} 不同，已按用户指定的理解"
    return [Remark("head_overruled", text)]


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
