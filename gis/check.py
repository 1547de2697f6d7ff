"""May this project stand on this site? The pipeline, one arrow after another.

``Site -> measure -> Evidence -> evaluate -> Findings -> SiteCheck``. Each stage lives in its own
wing; this file only joins them, and reads nothing but its arguments (and, without ``as_of``, the
calendar).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

from gis.canonical import digest
from gis.claims import with_claims
from gis.crs import to_lonlat
from gis.doubt import alternatives, settled, settled_impact
from gis.engine import Measurement, cross, measure
from gis.model import CrossRow, Finding, Impact, LayerState, Remedy, Site, SiteCheck, Verdict
from gis.plan import Plan
from gis.plan.areas import belongs
from gis.plan.impact import impact
from gis.rulebook import Facts, contacts, decide, demands, evaluate

# China has one time zone and no summer time, so the legal day needs no time-zone database.
CHINA = timezone(timedelta(hours=8))


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
    """
    belongs(site, plan)
    day = as_of or legal_day()
    site = with_claims(site, use, attributes)
    measured = _measured(site, plan, day)
    taken = impact(plan, site)
    facts = _facts(site, day, measured, taken)
    return _assembled(site, plan, measured, facts, _findings(site, plan, facts))


def _measured(site: Site, plan: Plan, day: date) -> Measurement:
    indexes = [layer.index for layer in plan.layers.values()]
    return measure(site, indexes, demands(plan.rulebook, day), coverages=plan.coverages)


def _findings(site: Site, plan: Plan, facts: Facts) -> tuple[Finding, ...]:
    """Evaluate the site; when its place is in doubt, also wherever else it may lie."""
    findings = evaluate(plan.rulebook, facts)
    if site.doubt is None:
        return findings
    day = facts.as_of
    others = (
        evaluate(
            plan.rulebook, _facts(other, day, _measured(other, plan, day), impact(plan, other))
        )
        for other in alternatives(site)
    )
    return settled(findings, others, site.doubt)


def _facts(site: Site, day: date, measured: Measurement, taken: Iterable[Impact]) -> Facts:
    return Facts(
        use=site.use,
        attributes=site.claims,
        as_of=day,
        site_area_m2=site.area.ellipsoidal_m2,
        measures=measured.measures,
        layers={report.info.id: report for report in measured.reports},
        corridor_width_m=site.corridor_width_m,
        budgets={row.id: row for row in taken},
    )


def _assembled(
    site: Site, plan: Plan, measured: Measurement, facts: Facts, findings: tuple[Finding, ...]
) -> SiteCheck:
    verdict, deciding_rule = decide(findings)
    check = SiteCheck(
        id="",
        verdict=verdict,
        deciding_rule=deciding_rule,
        site=site,
        evidence=measured.evidence,
        findings=tuple(_shown(finding, site) for finding in findings),
        contacts=contacts(plan.rulebook, facts),
        layers=measured.reports,
        impact=_impact(site, plan, tuple(facts.budgets.values())),
        breakdown=_breakdown(site, plan),
        remedies=tuple(_remedies(findings)),
        as_of=facts.as_of,
        plan=plan.ref,
        rulebook_id=plan.rulebook.id,
        rulebook_sha256=plan.rulebook.sha256,
        out_of_scope=plan.out_of_scope,
        outline=to_lonlat(site.geometry, site.crs.work_epsg),
    )
    decided = digest(check)
    return replace(check, id=decided[:16], digest=decided)


def _impact(site: Site, plan: Plan, rows: tuple[Impact, ...]) -> tuple[Impact, ...]:
    """Return what the site takes; when its place is in doubt, also what it takes elsewhere."""
    if site.doubt is None:
        return rows
    return settled_impact(rows, [impact(plan, other) for other in alternatives(site)], site.doubt)


def _shown(finding: Finding, site: Site) -> Finding:
    """Return the finding with what it marks in longitude/latitude."""
    if finding.geometry is None:
        return finding
    return replace(finding, geometry=to_lonlat(finding.geometry, site.crs.work_epsg))


def _breakdown(site: Site, plan: Plan) -> tuple[CrossRow, ...]:
    """Divide a corridor by current land class and planned zone; other sites need no table."""
    layers = [*plan.with_role("landuse")[:1], *plan.with_role("zone")[:1]]
    usable = [layer.index for layer in layers if layer.state is LayerState.CHECKED]
    if site.corridor_width_m is None or len(usable) < 2:
        return ()
    return cross(site, usable[0], usable[1])


def _remedies(findings: Iterable[Finding]) -> Iterator[Remedy]:
    for finding in findings:
        if finding.decides and finding.remedy and finding.verdict.rank > Verdict.PASS.rank:
            yield Remedy(finding.rule, finding.remedy)
