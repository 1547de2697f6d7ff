"""What does each rule say of the land, cell by cell, for one use?

A kind of land is judged as a site of the wanted size that consists of nothing else: what was
measured on one cell is scaled up, and the rules judge it as they judge every site. So the
thresholds of a rule are seen at the size that is wanted, and the law is read in one place only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gis.engine.index import Array
from gis.model import Area, Claim, Finding, Impact, Measure, Touched, Verdict
from gis.plan.impact import impact
from gis.rulebook import Facts, evaluate
from gis.siting.kinds import Ground, Sample

PASS, CONDITIONAL = Verdict.PASS.rank, Verdict.CONDITIONAL.rank
OPEN, FAIL = Verdict.UNDETERMINED.rank, Verdict.FAIL.rank


@dataclass(frozen=True, eq=False)
class RuleLand:
    """What one rule, or one wish, says of the cells.

    ``rank`` is that of the verdict of each cell, or a single one; ``finding`` is the worst that a
    rule says anywhere and ``mildest`` the best, None of a wish.
    """

    id: str
    title: str
    rank: Array
    finding: Finding | None = None
    mildest: Finding | None = None

    @property
    def least(self) -> int:
        """The best rank anywhere: what the rule says of all land, wherever it lies."""
        return int(self.rank.min(initial=FAIL))

    @property
    def worst(self) -> int:
        """The worst rank anywhere."""
        return int(self.rank.max(initial=0))


@dataclass(frozen=True, eq=False)
class Judged:
    """All rules and wishes over the cells."""

    ground: Ground
    lands: tuple[RuleLand, ...]

    @cached_property
    def rank(self) -> Array:
        """The worst that any of them says of each cell; land that nothing applies to stays open."""
        worst = np.zeros(len(self.ground.cells), dtype=np.uint8)
        for land in self.lands:
            np.maximum(worst, land.rank, out=worst)
        worst[worst == 0] = OPEN
        return worst

    @cached_property
    def against(self) -> Array:
        """How many rules and wishes leave each cell open or fail it."""
        count = np.zeros(len(self.ground.cells), dtype=np.int32)
        for land in self.lands:
            count += land.rank >= OPEN
        return count


def rule_lands(
    ground: Ground, use: str, claims: Mapping[str, Claim], wanted_m2: float
) -> Iterator[RuleLand]:
    """Yield what every rule in force says of the cells for a use and the claims made."""
    quotas = {int(n) for r in ground.rules if r.kind == "quota" for n in ground.kinds[r.id].samples}
    found: dict[int, dict[str, Finding]] = {}
    for n, sample in ground.samples.items():
        facts = _facts(ground, sample, use, claims, wanted_m2, with_budgets=n in quotas)
        found[n] = {f.rule: f for f in evaluate(ground.plan.rulebook, facts)}
    for rule in ground.rules:
        kinds = ground.kinds[rule.id]
        own = [found[int(n)][rule.id] for n in kinds.samples]
        ranks = np.array([f.verdict.rank if f.decides else 0 for f in own], dtype=np.uint8)
        order = sorted(own, key=lambda f: (f.decides, f.verdict.rank))
        yield RuleLand(rule.id, rule.title, kinds.spread(ranks), order[-1], order[0])


def _facts(
    ground: Ground,
    sample: Sample,
    use: str,
    claims: Mapping[str, Claim],
    wanted_m2: float,
    *,
    with_budgets: bool,
) -> Facts:
    site, measured = replace(sample.site, use=use), sample.measured
    times = wanted_m2 / site.area.ellipsoidal_m2
    rows = impact(ground.plan, site, sample.met) if with_budgets else ()
    nothing = measured.rest.measures
    return Facts(
        use=use,
        attributes=claims,
        as_of=ground.day,
        site_area_m2=wanted_m2,
        measures={
            demand: own if own is nothing.get(demand) else _scaled(own, times)
            for demand, own in measured.measures.items()
        },
        layers=measured.layers,
        budgets={row.id: _more(row, times) for row in rows},
        rest=measured.rest,
    )


def _scaled(measure: Measure, times: float) -> Measure:
    area = Area(measure.area.ellipsoidal_m2 * times, measure.area.planar_m2 * times)
    return replace(
        measure,
        area=area,
        decisive_m2=measure.decisive_m2 * times,
        length_m=measure.length_m * times,
        features=tuple(_larger(feature, times) for feature in measure.features),
    )


def _larger(feature: Touched, times: float) -> Touched:
    area, decisive = feature.area_m2 * times, feature.decisive_m2 * times
    return replace(feature, area_m2=area, decisive_m2=decisive)


def _more(row: Impact, times: float) -> Impact:
    """Return what a site so many times as large takes from a budget."""
    if row.area_m2 is None:
        return row
    taken = row.area_m2 * times
    if row.free_before_m2 is None:
        return replace(row, area_m2=taken)
    short = max(taken - row.free_before_m2, 0.0)
    return replace(row, area_m2=taken, shortfall_m2=short, exceeded=short > 0)
