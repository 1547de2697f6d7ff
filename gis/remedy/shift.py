"""Where is the nearest place on which the same outline complies?

Rings of positions around the site are tried against the land that the failing rules mark, first
coarse, then to the metre around the best ones. The winner is judged in full; what it then fails by
is added to the marked land and the search goes on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from gis.model import Finding, Remedy, Site, Verdict
from gis.remedy.ground import Ground, against, at, layers_of, marked
from gis.remedy.outlines import MARGIN_M, as_read, on_paper
from gis.remedy.texts import cured, outcome, verdict_of

DISTANCE_M = 500.0
_RINGS_M = np.array([*range(5, 50, 5), *range(50, 150, 10), *range(150, 501, 25)], dtype=float)
_COARSE_DEG = np.arange(0.0, 360.0, 15.0)
_AROUND_DEG = np.arange(-12.0, 12.5, 3.0)
_ROUNDS = 4
_WINDS = ("北", "东北", "东", "东南", "南", "西南", "西", "西北")

Array = NDArray[np.float64]


def shifted(
    site: Site, findings: Sequence[Finding], ground: Ground, distance_m: float
) -> Remedy | None:
    """Return the smallest move found that makes the failing rules pass, None when there is none.

    Smallest on a grid of one metre and three degrees. Failing rules that mark no land, such as a
    plot ratio, are left as they are; no other rule may come out worse than it was, except that a
    procedure may be needed.
    """
    curable = [f for f in against(findings, Verdict.FAIL) if _has_place(ground, f, site)]
    blocking = frozenset(f.rule for f in curable)
    if not blocking:
        return None
    around = at(site, site.geometry.buffer(distance_m, quad_segs=2))
    blocked: BaseGeometry = shapely.Polygon()
    wanted, avoided = blocking, frozenset[str]()
    for _ in range(_ROUNDS):
        more = shapely.union(blocked, _blocked(ground, around, wanted))
        if more.area <= blocked.area:  # what is in the way has no place that could be avoided
            return None
        blocked, avoided = more, avoided | layers_of(ground, wanted)
        move = _nearest(site.geometry, blocked, distance_m)
        if move is None:
            return None
        outline = as_read(on_paper(affinity.translate(site.geometry, *_offset(*move))), site)
        after = ground.judge(at(site, outline), None)
        wanted = _still_against(findings, after, blocking)
        if not wanted:
            offer = _remedy(site, outline, move, findings, after)
            return replace(offer, layers=tuple(sorted(avoided)))
    return None


def _has_place(ground: Ground, finding: Finding, site: Site) -> bool:
    return not marked(ground, [finding], site.geometry).is_empty


def _still_against(
    before: Sequence[Finding], after: Sequence[Finding], blocking: frozenset[str]
) -> frozenset[str]:
    """Return the rules that keep a position from being offered.

    Those that it should cure and does not, and those that it would fail or leave open anew.
    """
    ranks = {f.rule: f.verdict.rank for f in before}
    left = {f.rule for f in against(after, Verdict.CONDITIONAL) if f.rule in blocking}
    open_ = against(after, Verdict.UNDETERMINED)
    return frozenset(left | {f.rule for f in open_ if f.verdict.rank > ranks[f.rule]})


def _blocked(ground: Ground, around: Site, rules: frozenset[str]) -> BaseGeometry:
    """Return the land around the site on which one of the rules does not pass.

    A finding shows its worst part only, so what it marks is taken away and the rest judged again.
    """
    left, found = around.geometry, []
    for _ in range(_ROUNDS):
        findings = against(ground.judge(at(around, left), rules), Verdict.CONDITIONAL)
        land = marked(ground, findings, left)
        if land.is_empty:
            break
        found.append(land.buffer(MARGIN_M, join_style="mitre"))
        left = shapely.difference(left, found[-1])
        if left.is_empty or left.area < around.geometry.area * 1e-6:
            break
    return shapely.union_all(found)


def _nearest(
    outline: BaseGeometry, blocked: BaseGeometry, distance_m: float
) -> tuple[float, float] | None:
    """Return distance and bearing of the nearest free position found."""
    shapely.prepare(blocked)
    rings = _RINGS_M[distance_m >= _RINGS_M]
    if blocked.is_empty or not rings.size:
        return None
    inner = 0.0
    for ring in rings:
        free = _free(outline, blocked, np.full(_COARSE_DEG.size, ring), _COARSE_DEG)
        if free.any():
            return _fine(outline, blocked, inner, float(ring), _COARSE_DEG[free])
        inner = float(ring)
    return None


def _fine(
    outline: BaseGeometry, blocked: BaseGeometry, inner: float, ring: float, bearings: Array
) -> tuple[float, float]:
    near = np.unique(np.add.outer(bearings, _AROUND_DEG) % 360.0)
    for metres in np.arange(inner + 1.0, ring + 0.5):
        free = _free(outline, blocked, np.full(near.size, metres), near)
        if free.any():
            return float(metres), float(_middle(near[free]))
    return ring, float(bearings[0])


def _middle(bearings: Array) -> float:
    """Return the middle one of the free bearings, which keeps clear of both ends."""
    return float(bearings[bearings.size // 2])


def _free(outline: BaseGeometry, blocked: BaseGeometry, metres: Array, degrees: Array) -> Array:
    """Return which moved outlines meet no blocked land."""
    offsets = np.array([_offset(m, d) for m, d in zip(metres, degrees, strict=True)])
    vertices = shapely.get_num_coordinates(outline)
    copies = np.full(len(offsets), outline, dtype=object)
    moved = shapely.transform(copies, lambda xy: xy + np.repeat(offsets, vertices, axis=0))
    return np.asarray(~shapely.intersects(blocked, moved))


def _offset(metres: float, degrees: float) -> tuple[float, float]:
    """Return east and north of a move; bearings run clockwise from grid north."""
    angle = math.radians(degrees)
    return metres * math.sin(angle), metres * math.cos(angle)


def _remedy(
    site: Site,
    outline: BaseGeometry,
    move: tuple[float, float],
    before: Sequence[Finding],
    after: Sequence[Finding],
) -> Remedy:
    metres, degrees = move
    wind = _WINDS[round(degrees / 45.0) % 8]
    gone = cured(before, after)
    said = outcome(gone, after)
    text = f"整体向{wind}（坐标方位角 {degrees:.0f}°）平移 {metres:.0f} m，形状不变；{said}"
    return Remedy(
        gone[0].rule,
        text,
        kind="shift",
        rules=tuple(f.rule for f in gone),
        verdict=verdict_of(after),
        geometry=outline,
        area_m2=at(site, outline).area.ellipsoidal_m2,
        shift_m=metres,
        bearing_deg=degrees,
    )
