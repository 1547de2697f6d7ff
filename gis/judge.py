"""What do the rules say about one outline? Measured and evaluated, nothing else.

The part of a check that is repeated: for the site itself, for each place where it may also lie, and
for each outline that is tried as a remedy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np

from gis.engine import Measurement, Screened, screen, surveyed
from gis.model import Finding, Impact, Site
from gis.plan import Plan
from gis.plan.impact import impact
from gis.rulebook import Facts, evaluate
from gis.stages import Staged, in_one_go


@dataclass(frozen=True, slots=True)
class Judged:
    """One outline: what was measured, what the rules saw of it, and what they say."""

    measured: Measurement
    facts: Facts
    findings: tuple[Finding, ...]


def judging(
    site: Site,
    plan: Plan,
    day: date,
    rules: frozenset[str] | None = None,
    *,
    met: Screened | None = None,
    with_evidence: bool = True,
    marked: bool = True,
) -> Staged[Judged]:
    """Judge an outline by the rules in force on a day, or only by those named.

    Pauses after measuring and after the budgets; ``judge`` does it in one go.

    Parameters
    ----------
    site
        With its claims, inside the bounds of the plan.
    plan
        An opened plan package.
    day
        The day of the law.
    rules
        Ids; only the layers that these rules look at are measured.
    met
        What the outline meets, where many were screened at once.
    with_evidence
        Whether to list what the site touches, beyond what the rules ask for.
    marked
        Whether findings keep the land that they mark, for showing or for remedies.
    """
    book = plan.rulebook if rules is None else plan.rulebook.part(rules)
    if met is None:
        met = screen(np.array([site.geometry], dtype=object), plan.stack)[0]
    measured = surveyed(site, plan.survey(day, rules), met, with_evidence=with_evidence)
    yield
    needs_budgets = rules is None or any(rule.kind == "quota" for rule in book.in_force(day))
    taken = impact(plan, site, met) if needs_budgets else ()
    yield
    facts = _facts(site, day, measured, taken)
    return Judged(measured, facts, evaluate(book, facts, marked=marked))


judge = in_one_go(judging)


def _facts(site: Site, day: date, measured: Measurement, taken: Iterable[Impact]) -> Facts:
    return Facts(
        use=site.use,
        attributes=site.claims,
        as_of=day,
        site_area_m2=site.area.ellipsoidal_m2,
        measures=measured.measures,
        layers=measured.layers,
        corridor_width_m=site.corridor_width_m,
        budgets={row.id: row for row in taken},
        rest=measured.rest,
    )
