"""Do the coordinates of a layer fit its CRS, and where does the layer belong?

A wrong zone, a lost zone number or swapped axes raise no error anywhere; the layer simply lies
somewhere else. The numbers are read in every way in which they are commonly mistaken, and the first
one that puts the layer into the bounds of the plan explains it. Nothing is corrected in the plan;
only the checks go on with the layer where it belongs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Transformer

from gis.crs import (
    CGCS2000,
    CrsPolicy,
    crs_of,
    gauss_kruger,
    gauss_kruger_epsg,
    geographic_code,
    refuse_old_crs,
    same_datum_code,
)
from gis.engine.index import Array
from gis.errors import CrsError
from gis.plan.quality.findings import ERROR, NOTE, Finding
from gis.plan.quality.layer_data import LayerData
from gis.plan.quality.thresholds import FAR_DEG, FITTING_SHARE, VERY_FAR_DEG

FloatArray = npt.NDArray[np.float64]
_SAMPLE = 2000


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read the numbers: columns turned round, zone number taken off, in a CRS."""

    crs: CRS
    swapped: bool = False
    stripped: bool = False

    def numbers(self, xy: FloatArray) -> FloatArray:
        """Return the coordinates as this reading understands them."""
        out = xy[:, ::-1].copy() if self.swapped else xy.copy()
        if self.stripped:
            out[:, 0] %= 1_000_000.0
        return out


def located(data: LayerData, policy: CrsPolicy) -> tuple[LayerData, tuple[Finding, ...]]:
    """Return the layer placed where it belongs, and what is wrong with its CRS.

    Parameters
    ----------
    data
        The layer as its file has it.
    policy
        Work CRS, accepted codes and bounds of the plan.
    """
    if not len(data) or not _has_place(data):
        return data, ()
    reading, findings = _understood(data, policy)
    if reading is None:
        return data, findings
    if any(f.code == "outside_plan" for f in findings):
        # Nothing is measured at the other end of the world.
        return data, findings
    placed = data.shapes.copy()
    there = ~shapely.is_missing(placed)
    placed[there] = shapely.transform(
        shapely.force_2d(placed[there]), _to(reading, policy.work_epsg)
    )
    data = replace(data, placed=placed)
    findings = tuple(_with_place(f, data, policy) for f in findings)
    return _without_far(data, reading, policy, findings)


def _has_place(data: LayerData) -> bool:
    return bool(np.isfinite(shapely.bounds(data.shapes)).all(axis=1).any())


def _understood(data: LayerData, policy: CrsPolicy) -> tuple[Reading | None, tuple[Finding, ...]]:
    points = _sample(data.shapes)
    declared = None if data.crs is None else Reading(data.crs)
    is_old = data.crs is not None and _is_old(data.crs)
    if declared is not None and not is_old and _share(declared, points, policy) > 0:
        return declared, tuple(_about_crs(data, policy))
    # The numbers of an old datum differ from today's by their shift alone.
    of_today = None if is_old else data.crs
    found = next((r for r in _readings(of_today, policy) if _fits(r, points, policy)), None)
    if is_old:
        return found or declared, tuple(_about_crs(data, policy))
    if data.crs is None:
        return found, (_missing(data, found),)
    if found is None:
        return declared, (_nowhere(data),)
    return found, (_explained(data, found),)


def _sample(shapes: Array) -> FloatArray:
    """Return some vertices, evenly spread, and the middles of the boxes of some features."""
    boxes = shapely.bounds(shapes)
    fine = np.isfinite(boxes).all(axis=1)
    xy = shapely.get_coordinates(shapes[fine])
    middles = (boxes[fine, :2] + boxes[fine, 2:]) / 2
    return np.vstack([_thinned(xy), _thinned(middles)])


def _thinned(xy: FloatArray) -> FloatArray:
    return xy[:: max(len(xy) // _SAMPLE, 1)]


def _fits(reading: Reading, points: FloatArray, policy: CrsPolicy) -> bool:
    return _share(reading, points, policy) >= FITTING_SHARE


def _share(reading: Reading, points: FloatArray, policy: CrsPolicy) -> float:
    """Return the share of the points that this reading puts into the bounds of the plan."""
    return float(_within(reading, points, policy, 0.0).mean()) if len(points) else 0.0


def _within(
    reading: Reading, points: FloatArray, policy: CrsPolicy, margin: float
) -> npt.NDArray[np.bool_]:
    """Return for each point whether this reading puts it into the bounds, give or take degrees."""
    lon, lat = _to(reading, geographic_code(policy.work_epsg))(points).T
    west, south, east, north = policy.bounds
    inside = (lon >= west - margin) & (lon <= east + margin)
    return np.asarray(inside & (lat >= south - margin) & (lat <= north + margin))


def _to(reading: Reading, target: int) -> Callable[[FloatArray], FloatArray]:
    move = _transformer(reading.crs, target)

    def moved(xy: FloatArray) -> FloatArray:
        numbers = reading.numbers(xy)
        return numbers if move is None else np.column_stack(move.transform(*numbers.T))

    return moved


@cache
def _transformer(source: CRS, target: int) -> Transformer | None:
    """Return the way between two CRS, None where they are the same one."""
    goal = crs_of(target)
    return None if source == goal else Transformer.from_crs(source, goal, always_xy=True)


def _readings(declared: CRS | None, policy: CrsPolicy) -> Iterator[Reading]:
    """Yield the ways in which the numbers may be meant, the simplest first."""
    others = [crs_of(code) for code in _codes(policy)]
    own = [] if declared is None else [declared]
    for crs in (*own, *others):
        yield Reading(crs)
    for crs in (*own, *others):
        yield Reading(crs, swapped=True)
    projected = [crs for crs in (*own, *others) if not crs.is_geographic]
    for swapped in (False, True):
        for crs in projected:
            yield Reading(crs, swapped=swapped, stripped=True)


def _codes(policy: CrsPolicy) -> list[int]:
    """Return the codes to try: the work CRS, the accepted ones, and the zones around them."""
    codes = [policy.work_epsg, *policy.accepted]
    work = gauss_kruger(policy.work_epsg)
    if work is not None:
        zones = [work.zone - 1, work.zone, work.zone + 1]
        codes += [
            code
            for zone in zones
            for prefixed in (False, True)
            if (code := gauss_kruger_epsg(zone, prefixed=prefixed))
        ]
        codes.append(CGCS2000)
    return list(dict.fromkeys(same_datum_code(code) for code in codes))


def _without_far(
    data: LayerData, reading: Reading, policy: CrsPolicy, findings: tuple[Finding, ...]
) -> tuple[LayerData, tuple[Finding, ...]]:
    """Take single features out that lie so far away that nothing about them can be measured."""
    boxes = shapely.bounds(data.shapes)
    fine = np.flatnonzero(np.isfinite(boxes).all(axis=1))
    corners = [boxes[fine][:, pair] for pair in ([0, 1], [2, 1], [2, 3], [0, 3])]
    near = np.any([_within(reading, xy, policy, FAR_DEG) for xy in corners], axis=0)
    sane = np.all([_within(reading, xy, policy, VERY_FAR_DEG) for xy in corners], axis=0)
    rows = fine[~(near & sane)]
    if not len(rows):
        return data, findings
    middles = (boxes[rows, :2] + boxes[rows, 2:]) / 2
    meant = next((r for r in _readings(data.crs, policy) if _fits(r, middles, policy)), None)
    hint = "" if meant is None else f"；按 {_told(meant)} 则落在规划范围内"
    placed: Array = np.asarray(data.placed).copy()
    placed[rows] = None
    text = f"个要素的坐标远离规划范围，没有测量{hint}"
    advice = "核对这些要素的坐标（带号、东北顺序、漏写数字）"
    found = replace(data, placed=placed).about("coordinates_far", ERROR, rows, text, advice=advice)
    return replace(data, placed=placed), (*findings, found)


def _is_old(crs: CRS) -> bool:
    try:
        refuse_old_crs(crs)
    except CrsError:
        return True
    return False


# --- what to say ---------------------------------------------------------------------------------


def _about_crs(data: LayerData, policy: CrsPolicy) -> Iterator[Finding]:
    """Yield what is to be said of a CRS that the coordinates fit."""
    crs: Any = data.crs
    try:
        refuse_old_crs(crs)
    except CrsError as problem:
        yield Finding(data.id, "crs_old", ERROR, problem.found, advice=problem.advice)
        return
    if crs == crs_of(policy.work_epsg) or crs.to_epsg() == policy.work_epsg:
        return
    yield Finding(
        data.id,
        "crs_other",
        NOTE,
        f"坐标系为 {_name(crs)}，载入时换算到规划坐标系 EPSG:{policy.work_epsg}",
    )


def _missing(data: LayerData, found: Reading | None) -> Finding:
    hint = "" if found is None else f"；坐标与 {_told(found)} 相符"
    return Finding(
        data.id,
        "crs_missing",
        ERROR,
        f"图层没有坐标系（{data.entry.crs_place}）{hint}",
        advice=f"向数据提供单位核实坐标系后补充 {data.entry.crs_place}",
    )


def _nowhere(data: LayerData) -> Finding:
    crs: Any = data.crs
    return Finding(
        data.id,
        "outside_plan",
        ERROR,
        f"按 {_name(crs)}，全部要素都在规划范围之外；换用常见的坐标系、带号和坐标顺序也不在其中",
        feature_ids=data.names_of(range(len(data))) if len(data) <= 100 else (),
        advice=f"核对坐标系（{data.entry.crs_place}）、坐标和 plan.toml 中的 bounds",
    )


def _explained(data: LayerData, found: Reading) -> Finding:
    crs: Any = data.crs
    said, meant = f"图层声明的坐标系为 {_name(crs)}", _told(found)
    where = data.entry.crs_place
    code, advice = "crs_wrong", f"核实后把 {where} 改为 {_name(found.crs)}，不要换算坐标"
    if found.swapped:
        code, advice = "axes_swapped", "交换东、北坐标后重新导出"
    elif found.stripped or _same_meridian(crs, found.crs):
        code, advice = "zone_prefix", f"使东坐标的带号与 {where} 一致（核实后改 {where}，或改坐标）"
    message = f"{said}，但坐标不在其中的规划范围内；按 {meant} 则落在规划范围内"
    return Finding(data.id, code, ERROR, message, advice=advice)


def _same_meridian(one: CRS, other: CRS) -> bool:
    zones = [gauss_kruger(int(crs.to_epsg() or 0)) for crs in (one, other)]
    return all(zones) and len({zone.central_meridian for zone in zones if zone}) == 1


def _told(reading: Reading) -> str:
    ways = ["去掉东坐标前多余的带号"] if reading.stripped else []
    ways += ["东、北坐标对调"] if reading.swapped else []
    return _name(reading.crs) + (f"（{'，'.join(ways)}）" if ways else "")


def _name(crs: CRS) -> str:
    epsg = crs.to_epsg()
    zone = gauss_kruger(epsg or 0)
    if zone is not None:
        prefix = "含带号" if zone.prefixed else "不含带号"
        return f"EPSG:{epsg}（{zone.width} 度带第 {zone.zone} 带，{prefix}）"
    return f"EPSG:{epsg}" if epsg else crs.name[:60]


def _with_place(finding: Finding, data: LayerData, policy: CrsPolicy) -> Finding:
    """Add to a displaced layer the line from where it lies to where it belongs."""
    if finding.code not in ("crs_wrong", "zone_prefix", "axes_swapped") or data.placed is None:
        return finding
    here = np.array(_middle(data.shapes)).reshape(1, 2)
    there = np.array(_middle(data.placed))
    crs: Any = data.crs
    lies = _to(Reading(crs), policy.work_epsg)(here)[0]
    if not np.isfinite(lies).all():
        return replace(finding, location=shapely.MultiPoint([there]))
    line = shapely.LineString([lies, there])
    return replace(
        finding, location=shapely.MultiLineString([line]), value=float(line.length), unit="m"
    )


def _middle(shapes: Sequence[Any] | Array) -> tuple[float, float]:
    boxes = shapely.bounds(shapes)
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    x, y = (low + high) / 2
    return float(x), float(y)
