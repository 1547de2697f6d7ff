"""May this project stand on this site? The pipeline, one arrow after another.

``Site -> measure -> Evidence -> evaluate -> Findings -> SiteCheck``. Each stage lives in its own
wing; this file only joins them, and reads nothing but its arguments (and, without ``as_of``, the
calendar).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np

from gis.claims import with_claims
from gis.crs import to_lonlat
from gis.digest import digest
from gis.doubt import alternatives, settled, settled_impact
from gis.engine import Screened, cross, drawn, screen
from gis.errors import ClaimError
from gis.judge import Judged, judge, judging
from gis.model import Contact, CrossRow, Finding, Impact, LayerState, Remedy, Site, SiteCheck
from gis.plan import Plan, as_plan
from gis.plan.areas import belongs
from gis.plan.impact import impact
from gis.remedy import Ground, remedies_for
from gis.rulebook import contacts, decide
from gis.stages import Staged, finished, side_by_side

_Row = TypeVar("_Row", Finding, Contact, Remedy)
# China has one time zone and no summer time, so the legal day needs no time-zone database.
CHINA = timezone(timedelta(hours=8))
# Checks of a chunk that go on side by side: enough to spare time, few enough to hold in memory.
_ABREAST = 32


def legal_day() -> date:
    """Return the calendar day in China, the default day of the law."""
    return datetime.now(tz=CHINA).date()


def check_site(
    site: Site,
    plan: Plan,
    *,
    use: str | None = None,
    attributes: Mapping[str, object] | None = None,
    as_of: date | None = None,
    remedies: bool = True,
    geometry: bool = True,
    met: Screened | None = None,
) -> SiteCheck:
    """Check one site against the rules of a plan that are in force on a day.

    Parameters
    ----------
    site
        From ``read_site`` with this plan.
    plan
        An opened plan package.
    use
        2023 land-use code of the project; wins over the one in the file.
    attributes
        Claims of the applicant, see ``gis.claims.ATTRIBUTES``.
    as_of
        The day of the law; default today in China. It is part of the decision.
    remedies
        Whether outlines that would comply are looked for; it takes several more judgements and
        changes neither verdict nor digest.
    geometry
        Whether the land that findings and contacts mark, and the outline, are drawn for showing;
        changes neither verdict nor digest.
    met
        What the site meets, where many were screened at once (``check_chunk``).

    Returns
    -------
    check
        A failed check is a result: the verdict is in it, no exception is raised for it.

    Raises
    ------
    ClaimError
        Unknown use or attribute.
    OutsidePlanError
        The site lies wholly outside the bounds of the plan.
    CrsError
        The site was read for another work CRS.

    Examples
    --------
    >>> from datetime import date
    >>> import gis
    >>> plan = gis.load_plan()
    >>> site = gis.read_site("data/samples/yizhong_xinxiao.txt", plan)
    >>> check = gis.check_site(site, plan, use="080403", as_of=date(2026, 11, 22))
    >>> check.verdict.label, check.deciding_rule
    ('有条件符合', 'shandong.archaeology')
    """
    asked = Asked(use, attributes, as_of, remedies, geometry)
    return finished(checking(site, plan, asked, met))


class Asked(NamedTuple):
    """What is asked of a check, as in ``check_site``."""

    use: str | None = None
    attributes: Mapping[str, object] | None = None
    as_of: date | None = None
    remedies: bool = True
    geometry: bool = True


def checking(
    site: Site, plan: Plan, asked: Asked, met: Screened | None = None
) -> Staged[SiteCheck]:
    """Check one site as ``check_site`` does, with a pause after each stage.

    For those who check several at once: ``gis.stages.side_by_side``, or turns of an event loop.
    """
    use, attributes, as_of, remedies, geometry = asked
    _check_call(site, plan, as_of)
    belongs(site, plan)
    day = as_of or legal_day()
    site = with_claims(site, use, attributes)
    judged = yield from judging(site, plan, day, met=met, marked=geometry or remedies)
    yield
    findings = _settled(site, plan, judged)
    offers = _offered(site, plan, day, findings, outlines=remedies)
    return _assembled(site, plan, judged, findings, offers, geometry=geometry)


def _check_call(site: object, plan: object, as_of: object) -> None:
    """Raise ClaimError for what people hand in by mistake, before it fails far inside."""
    if not isinstance(site, Site):
        swapped = isinstance(site, Plan)
        raise ClaimError(
            "site 与 plan 的次序相反" if swapped else f"site 是 {type(site).__name__}，不是地块",
            expected="check_site(site, plan)，site 是 read_site 的结果",
            advice="" if swapped else "先写 site = gis.read_site(文件, plan)；整张表用 check_sites",
        )
    as_plan(plan)
    if as_of is not None and not isinstance(as_of, date):
        raise ClaimError(
            f"as_of 是 {type(as_of).__name__}（{as_of!r:.40}）",
            expected="日期，如 datetime.date(2026, 11, 22)",
        )


def check_chunk(
    sites: Sequence[Site],
    plan: Plan,
    *,
    use: str | None = None,
    attributes: Mapping[str, object] | None = None,
    as_of: date | None = None,
    geometry: bool = False,
) -> Iterator[SiteCheck]:
    """Yield the check of each site, in order, without remedies.

    Decides the same as ``check_site``, and is faster for many: all are screened at once. Memory
    grows with the number of sites; some thousand at a time are enough. ``geometry`` draws outlines
    for showing, as ``check_site`` does.

    Raises
    ------
    ClaimError, OutsidePlanError, CrsError
        As ``check_site``, when the turn comes to the site.
    """
    outlines = np.array([site.geometry for site in sites], dtype=object)
    asked = Asked(use, attributes, as_of or legal_day(), remedies=False, geometry=geometry)
    seen = list(zip(sites, screen(outlines, plan.stack), strict=True))
    for start in range(0, len(seen), _ABREAST):
        group = seen[start : start + _ABREAST]
        for ended in side_by_side(checking(site, plan, asked, met) for site, met in group):
            if ended.error is not None:
                raise ended.error
            yield cast("SiteCheck", ended.result)


def with_remedies(check: SiteCheck, plan: Plan) -> SiteCheck:
    """Return a check that was made without them together with the outlines that would comply."""
    judged = judge(check.site, plan, check.as_of, with_evidence=False)
    findings = _settled(check.site, plan, judged)
    return replace(check, remedies=_offered(check.site, plan, check.as_of, findings))


def _offered(
    site: Site, plan: Plan, day: date, findings: tuple[Finding, ...], *, outlines: bool = True
) -> tuple[Remedy, ...]:
    """Return the remedies, outlines in longitude/latitude."""
    offers = remedies_for(site, findings, _ground(plan, day) if outlines else None)
    return _shown(offers, site.crs.work_epsg)


def _settled(site: Site, plan: Plan, judged: Judged) -> tuple[Finding, ...]:
    """Return the findings; when the place is in doubt, as they hold wherever else it may lie."""
    if site.doubt is None:
        return judged.findings
    day = judged.facts.as_of
    others = (judge(o, plan, day, with_evidence=False).findings for o in alternatives(site))
    return settled(judged.findings, others, site.doubt)


def _ground(plan: Plan, day: date) -> Ground:
    def findings(outline: Site, rules: frozenset[str] | None) -> tuple[Finding, ...]:
        return judge(outline, plan, day, rules, with_evidence=False).findings

    return Ground(
        judge=findings,
        rules={rule.id: rule for rule in plan.rulebook.in_force(day)},
        layers={layer.info.id: layer.index for layer in plan.layers.values()},
        coverages=plan.coverages,
    )


def _assembled(
    site: Site,
    plan: Plan,
    judged: Judged,
    findings: tuple[Finding, ...],
    offers: tuple[Remedy, ...],
    *,
    geometry: bool,
) -> SiteCheck:
    verdict, deciding_rule = decide(findings)
    epsg = site.crs.work_epsg
    check = SiteCheck(
        id="",
        verdict=verdict,
        deciding_rule=deciding_rule,
        site=site,
        evidence=judged.measured.evidence,
        findings=_shown(findings, epsg, geometry=geometry),
        contacts=_shown(contacts(plan.rulebook, judged.facts), epsg, geometry=geometry),
        layers=judged.measured.reports,
        impact=_impact(site, plan, tuple(judged.facts.budgets.values())),
        breakdown=_breakdown(site, plan),
        remedies=offers,
        as_of=judged.facts.as_of,
        plan=plan.ref,
        rulebook_id=plan.rulebook.id,
        rulebook_sha256=plan.rulebook.sha256,
        out_of_scope=plan.out_of_scope,
        outline=to_lonlat(site.geometry, epsg) if geometry else None,
    )
    decided = digest(check)
    return replace(check, id=decided[:16], digest=decided)


def _impact(site: Site, plan: Plan, rows: tuple[Impact, ...]) -> tuple[Impact, ...]:
    """Return what the site takes; when its place is in doubt, also what it takes elsewhere."""
    if site.doubt is None:
        return rows
    return settled_impact(rows, [impact(plan, other) for other in alternatives(site)], site.doubt)


def _shown(rows: Iterable[_Row], epsg: int, *, geometry: bool = True) -> tuple[_Row, ...]:
    """Return rows with their geometry in longitude/latitude, or without any."""
    return tuple(
        [
            row
            if row.geometry is None
            else replace(row, geometry=_lonlat(row, epsg) if geometry else None)
            for row in rows
        ]
    )


def _lonlat(row: _Row, epsg: int) -> dict[str, Any] | None:
    land = drawn(row.geometry)
    return None if land is None else to_lonlat(land, epsg)


def _breakdown(site: Site, plan: Plan) -> tuple[CrossRow, ...]:
    """Divide a corridor by current land class and planned zone; other sites need no table."""
    if site.corridor_width_m is None:
        return ()
    layers = [*plan.with_role("landuse")[:1], *plan.with_role("zone")[:1]]
    usable = [layer.index for layer in layers if layer.state is LayerState.CHECKED]
    if len(usable) < 2:
        return ()
    return cross(site, usable[0], usable[1])
