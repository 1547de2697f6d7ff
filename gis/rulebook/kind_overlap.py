"""The kinds that ask how much of the site lies where: on a line, in an area, on some land.

``forbid_overlap``, ``require_within`` and ``convert``. Each is a pair of pure functions: what it
demands, and what it says to the answers.
"""

from __future__ import annotations

import math
from dataclasses import replace

from gis.model import Demand, Quantity, Verdict
from gis.rulebook import texts
from gis.rulebook.facts import Facts, Outcome
from gis.rulebook.parts import Part, area_demand, join_parts, part_of, resolve, tolerance_text
from gis.rulebook.schema import (
    AreaRule,
    ClassOutcome,
    Convert,
    ForbidOverlap,
    LandClassGroup,
    RequireWithin,
)

# Areas of parts are measured one by one; below this share their sum may miss the whole by rounding.
_REST_SHARE = 1e-5
_UNLISTED = "其中有规则未列明的类别"


# --- forbid_overlap ------------------------------------------------------------------------------


def demands_of_forbid_overlap(rule: ForbidOverlap) -> tuple[Demand, ...]:
    """Area of the site on the layer."""
    return (area_demand(rule, Quantity.INSIDE, rule.classes, geometry=True),)


def forbid_overlap(rule: ForbidOverlap, facts: Facts) -> Outcome:
    """Judge a site that must stay off the layer."""
    (demand,) = demands_of_forbid_overlap(rule)
    part = _resolved(rule, facts, demand, "重叠部分", rule.outcome, threshold_m2=rule.threshold_m2)
    return join_parts(rule, facts, [part])


def _resolved(
    rule: AreaRule,
    facts: Facts,
    demand: Demand,
    label: str,
    outcome: str,
    *,
    cls: str = "",
    note: str = "",
    threshold_m2: float = 0.0,
) -> Part:
    """Return a measured part with the outcome that the use of the site gives it."""
    base = Verdict(outcome)
    verdict, note = resolve(rule, facts, base, cls=cls, note=note)
    excused = verdict is Verdict.PASS and base is not Verdict.PASS
    measure = facts.measures[demand]
    return part_of(measure, label, verdict, note, threshold_m2=threshold_m2, excused=excused)


def threshold_of_forbid_overlap(rule: ForbidOverlap) -> str:
    """Say what the rule allows."""
    if rule.threshold_m2 > 0:
        allowed = f"重叠不超过 {texts.square_metres(rule.threshold_m2)}"
    else:
        allowed = "不得重叠"
    return f"{allowed}（{tolerance_text(rule)}）"


# --- require_within ------------------------------------------------------------------------------


def demands_of_require_within(rule: RequireWithin) -> tuple[Demand, ...]:
    """Area of the site off the layer, and on each class that the rule names."""
    return (_outside_demand(rule), *(_class_demand(rule, entry) for entry in rule.by_class))


def _outside_demand(rule: RequireWithin) -> Demand:
    return area_demand(rule, Quantity.OUTSIDE, geometry=True)


def _class_demand(rule: RequireWithin, entry: ClassOutcome) -> Demand:
    restricts = entry.outcome != "pass"
    return area_demand(rule, Quantity.INSIDE, entry.classes, geometry=restricts)


def require_within(rule: RequireWithin, facts: Facts) -> Outcome:
    """Judge a site that must lie on the layer."""
    parts = [
        _resolved(
            rule, facts, _class_demand(rule, entry), entry.label, entry.outcome, cls=entry.label
        )
        for entry in rule.by_class
    ]
    outside = _resolved(rule, facts, _outside_demand(rule), "界外", rule.outside)
    rest = rest_area(facts, [*parts, outside])
    if rule.by_class:
        parts.append(Part("其他类别", Verdict(rule.unlisted), _UNLISTED, rest, rest))
    else:
        parts.append(Part("界内", Verdict.PASS, "", rest, rest))
    return join_parts(rule, facts, [*parts, without_uncovered(rule, facts, outside)])


def without_uncovered(rule: AreaRule, facts: Facts, outside: Part) -> Part:
    """Return the part off the layer; land outside the coverage is unknown, so it does not count."""
    unknown = facts.share_uncovered(rule.layer) * facts.site_area_m2
    known = outside.decisive_m2 - unknown
    if unknown > 0 and known < rule.area_tolerance_m2:
        known = 0.0
    return replace(outside, area_m2=max(outside.area_m2 - unknown, 0.0), decisive_m2=known)


def rest_area(facts: Facts, parts: list[Part]) -> float:
    """Return the area that no part covers, 0 when it is no more than rounding."""
    rest = facts.site_area_m2 - math.fsum(p.area_m2 for p in parts)
    return rest if rest > max(1.0, facts.site_area_m2 * _REST_SHARE) else 0.0


def threshold_of_require_within(rule: RequireWithin) -> str:
    """Say what the rule allows."""
    return f"应全部位于范围内（{tolerance_text(rule)}）"


# --- convert -------------------------------------------------------------------------------------


def demands_of_convert(rule: Convert) -> tuple[Demand, ...]:
    """Area of the site on each group of land classes."""
    return tuple(_group_demand(rule, group) for group in rule.groups)


def _group_demand(rule: Convert, group: LandClassGroup) -> Demand:
    return area_demand(rule, Quantity.INSIDE, group.classes, geometry=True)


def convert(rule: Convert, facts: Facts) -> Outcome:
    """Judge a site on land that may be taken only by a procedure."""
    parts = [
        _resolved(
            rule,
            facts,
            _group_demand(rule, group),
            group.label,
            group.outcome,
            cls=group.label,
            note=group.procedure,
        )
        for group in rule.groups
    ]
    return join_parts(rule, facts, parts)


def threshold_of_convert(rule: Convert) -> str:
    """Say what the rule allows."""
    labels = "、".join(group.label for group in rule.groups)
    return f"涉及{labels}即须履行手续（{tolerance_text(rule)}）"
