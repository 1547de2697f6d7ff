"""What if the outline lies a few metres elsewhere? Findings that do not survive it are open.

A site that was traced on a web map is measured as drawn, and then again where it may also lie. A
finding that says the same everywhere stands; where metres decide, it becomes ``undetermined``. It
measures nothing itself and changes no number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import shapely
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_area
from gis.model import Area, Doubt, Finding, Impact, Site, Verdict
from gis.rulebook import sort_findings

_DIRECTIONS = 8
_REMEDY = "用实测坐标（如勘测定界界址点文件）重新检测"


def alternatives(site: Site) -> tuple[Site, ...]:
    """Return the site as it may also lie; empty for survey-grade input.

    Every outline that is as likely as the one drawn, grown by the reach and shrunk by it: whatever
    lies off the grown one is off every displaced one, whatever is on the shrunk one is on all. An
    outline too narrow to shrink is moved instead.
    """
    doubt = site.doubt
    if doubt is None:
        return ()
    outlines = [site.geometry, *doubt.others]
    shapes = [*doubt.others, *(s for outline in outlines for s in _around(outline, doubt))]
    return tuple(_at(site, shape) for shape in shapes)


def settled(
    findings: Sequence[Finding], others: Iterable[Sequence[Finding]], doubt: Doubt
) -> tuple[Finding, ...]:
    """Return the findings, those that do not hold for every alternative as ``undetermined``.

    Parameters
    ----------
    findings
        Of the site as drawn.
    others
        For each alternative its findings, of the same rules.
    doubt
        Why the place is uncertain.
    """
    elsewhere: dict[str, set[Verdict]] = {}
    for found in others:
        for finding in found:
            elsewhere.setdefault(finding.rule, set()).add(finding.verdict)
    return sort_findings(_settle(f, elsewhere.get(f.rule, set()), doubt) for f in findings)


def settled_impact(
    rows: Sequence[Impact], others: Sequence[Sequence[Impact]], doubt: Doubt
) -> tuple[Impact, ...]:
    """Return what a site takes as drawn, saying how much more or less it may be.

    Parameters
    ----------
    rows
        Of the site as drawn; their numbers stay.
    others
        For each alternative what it takes. A budget that only they meet gets a row of its own,
        whose area is unknown.
    doubt
        Why the place is uncertain.
    """
    drawn = {row.id for row in rows}
    extra = {row.id: row for found in others for row in found if row.id not in drawn}
    return (
        *(_spread(row, _elsewhere(row.id, others), doubt) for row in rows),
        *(_perhaps(row, _elsewhere(row.id, others), doubt) for row in extra.values()),
    )


def _elsewhere(row_id: str, others: Sequence[Sequence[Impact]]) -> list[Impact | None]:
    """Return the row of each alternative; None where it does not meet the budget."""
    return [next((row for row in found if row.id == row_id), None) for found in others]


def _spread(row: Impact, others: Sequence[Impact | None], doubt: Doubt) -> Impact:
    told = _span([row, *others])
    judged = {None if other is None else other.exceeded for other in others}
    exceeded = row.exceeded if judged - {None} <= {row.exceeded} else None
    place = f"坐标不是测量成果（{doubt.reason}）"
    return replace(row, exceeded=exceeded, text=f"{row.text}；{place}，{told}")


def _perhaps(row: Impact, others: Sequence[Impact | None], doubt: Doubt) -> Impact:
    """Return the row of a budget that the site meets only if it lies elsewhere."""
    place = f"按所绘位置不涉及；坐标不是测量成果（{doubt.reason}）"
    return Impact(
        row.id,
        row.title,
        None,
        total_m2=row.total_m2,
        free_before_m2=row.free_before_m2,
        share_before=row.share_before,
        held_by=row.held_by,
        text=f"{row.title}：{place}，{_span([None, *others])}",
    )


def _span(rows: Sequence[Impact | None]) -> str:
    areas = [0.0 if row is None else row.area_m2 for row in rows]
    known = [m2 for m2 in areas if m2 is not None]
    if len(known) < len(areas):
        return "实际面积未知"
    return f"实际面积可能为 {min(known):,.2f} 至 {max(known):,.2f} 平方米"


def _around(outline: BaseGeometry, doubt: Doubt) -> Iterator[BaseGeometry]:
    yield outline.buffer(doubt.reach_m)
    shrunk = outline.buffer(-doubt.reach_m)
    if not shrunk.is_empty:
        yield shrunk
        return
    for angle in np.arange(_DIRECTIONS) * (2 * np.pi / _DIRECTIONS):
        east, north = doubt.reach_m * np.cos(angle), doubt.reach_m * np.sin(angle)
        yield affinity.translate(outline, float(east), float(north))


def _at(site: Site, outline: BaseGeometry) -> Site:
    area = Area(ellipsoidal_area(outline, site.crs.work_epsg), float(shapely.area(outline)))
    return replace(site, geometry=outline, area=area)


def _settle(finding: Finding, elsewhere: set[Verdict], doubt: Doubt) -> Finding:
    if elsewhere <= {finding.verdict} or finding.verdict is Verdict.UNDETERMINED:
        return finding
    labels = "、".join(v.label for v in sorted(elsewhere | {finding.verdict}, key=lambda v: v.rank))
    place = f"坐标不是测量成果（{doubt.reason}）"
    why = f"{place}；地块可能的位置不同，本条结论随之不同（{labels}），需核实"
    return replace(
        finding,
        verdict=Verdict.UNDETERMINED,
        reason=f"{finding.reason.rstrip('。')}。{why}。",
        remedy=_REMEDY,
    )
