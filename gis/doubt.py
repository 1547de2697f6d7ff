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
from gis.model import Area, Doubt, Finding, Site, Verdict
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
