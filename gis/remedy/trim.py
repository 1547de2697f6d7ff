"""What is the largest part of the site that complies, and can it still be used?

The marked land is cut away with a margin, necks that nobody can build on are dropped, and what is
left is judged again; what it then meets for the first time is cut away too. With a share limit or a
threshold all of the marked land goes, so that the part is on the safe side, not the largest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from gis.model import Finding, Remedy, Site, Verdict
from gis.remedy.ground import Ground, against, at, joined, layers_of, marked, polygons
from gis.remedy.outlines import MARGIN_M, as_read, on_paper
from gis.remedy.texts import cured, outcome, verdict_of
from gis.rulebook.texts import area

MIN_WIDTH_M = 20.0
_LEAST_SHARE = 0.3
_COMPACT = 0.2  # 4 pi A / P²: 1 for a disc, 0.79 for a square, 0.2 for a strip of 1 : 14
_ROUNDS = 4
_LEVELS = (Verdict.FAIL, Verdict.UNDETERMINED, Verdict.CONDITIONAL)


@dataclass(frozen=True, slots=True)
class _State:
    """A part of the site, what the rules say about it, and the layers that shaped it."""

    outline: BaseGeometry
    findings: tuple[Finding, ...]
    layers: frozenset[str] = frozenset()


def trims(
    site: Site, findings: Sequence[Finding], ground: Ground, min_width_m: float
) -> Iterator[Remedy]:
    """Return trimmed outlines, each with a better verdict than the one before.

    First without the land that makes the site fail, then without what leaves it open, at last
    without what needs a procedure; levels at which nothing usable is left are not offered.
    """
    state = _State(site.geometry, tuple(findings))
    best, offered = verdict_of(findings), False
    for level in _LEVELS:
        if not against(state.findings, level):
            continue
        trial = _trimmed(site, state, findings, ground, level, min_width_m)
        if trial is None:
            continue
        state, verdict = trial, verdict_of(trial.findings)
        gone = cured(findings, trial.findings)
        stuck = verdict is best and not offered and _only_claims_left(state, ground, level)
        if gone and (verdict.rank < best.rank or stuck):
            best, offered = verdict, True
            yield _remedy(site, state, gone)


def _trimmed(
    site: Site,
    state: _State,
    findings: Sequence[Finding],
    ground: Ground,
    level: Verdict,
    min_width_m: float,
) -> _State | None:
    """Cut until no rule marks anything at the level, None when nothing usable is left."""
    before = {f.rule: f.verdict.rank for f in findings}
    start = state
    for _ in range(_ROUNDS):
        worse = [
            f
            for f in against(state.findings, Verdict.CONDITIONAL)
            if f.verdict.rank >= level.rank or f.verdict.rank > before[f.rule]
        ]
        land = marked(ground, worse, state.outline)
        if land.is_empty or not land.intersects(state.outline):
            break
        left = _usable(shapely.difference(state.outline, _with_margin(land)), site, min_width_m)
        if left is None:
            return None
        outline = as_read(left, site)
        shaped = state.layers | layers_of(ground, (f.rule for f in worse))
        state = _State(outline, ground.judge(at(site, outline), None), shaped)
    return None if state is start else state


def _with_margin(land: BaseGeometry) -> BaseGeometry:
    return land.buffer(MARGIN_M, join_style="mitre")


def _usable(left: BaseGeometry, site: Site, min_width_m: float) -> BaseGeometry | None:
    """Return what can be built on: one piece per part of the site, wide and compact enough."""
    width = min(min_width_m, _width(site.geometry))
    kept = []
    for part in polygons(site.geometry):
        own = polygons(_opened(shapely.intersection(left, part), width))
        if own and _compactness(own[0]) >= min(_COMPACT, _compactness(part)):
            kept.append(own[0])
    if math.fsum(p.area for p in kept) < _LEAST_SHARE * site.geometry.area:
        return None
    left_over = polygons(on_paper(joined(kept)))
    return joined(left_over) if left_over else None


def _opened(left: BaseGeometry, width: float) -> BaseGeometry:
    """Drop what is narrower than the width; corners stay corners."""
    core = left.buffer(-width / 2, join_style="mitre")
    again = core.buffer(width / 2 + MARGIN_M, join_style="mitre", mitre_limit=3)
    return shapely.intersection(again, left)


def _width(geometry: BaseGeometry) -> float:
    """Return a width that the site surely has: half of that of a strip with its area and border."""
    return float(geometry.area / geometry.length)


def _compactness(part: Polygon) -> float:
    return float(4 * math.pi * part.area / part.length**2)


def _only_claims_left(state: _State, ground: Ground, level: Verdict) -> bool:
    """Whether what still stands against the part has no place on it, such as a plot ratio."""
    return marked(ground, against(state.findings, level), state.outline).is_empty


def _remedy(site: Site, state: _State, gone: Sequence[Finding]) -> Remedy:
    after = at(site, state.outline)
    kept = after.area.ellipsoidal_m2
    lost = site.area.ellipsoidal_m2 - kept
    whole = site.area.ellipsoidal_m2
    text = (
        f"裁去 {area(lost, lost / whole)}，保留 {area(kept, kept / whole)}；"
        f"{outcome(gone, state.findings)}"
    )
    return Remedy(
        gone[0].rule,
        text,
        kind="trim",
        rules=tuple(f.rule for f in gone),
        verdict=verdict_of(state.findings),
        geometry=state.outline,
        area_m2=kept,
        lost_m2=lost,
        layers=tuple(sorted(state.layers)),
    )
