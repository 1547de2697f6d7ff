"""The kinds that ask how much of the site lies where: forbid_overlap and require_within.

Each is a pair of pure functions: what it demands, and what it says to the answers. Land without
class is measured and left open, never taken for land of another class.
"""

from __future__ import annotations

from typing import NamedTuple

from gis.model import VERDICTS, Demand, Measure, Measured, Quantity, Verdict
from gis.rulebook import land_classes, texts
from gis.rulebook.facts import Facts, Outcome
from gis.rulebook.kinds.exceptions import resolve
from gis.rulebook.kinds.parts import (
    about_reach,
    area_demand,
    join_parts,
    join_whole,
    part_of,
    resolved_part,
    tolerance_text,
    unclassed_demand,
    unknown_part,
)
from gis.rulebook.remembered import once
from gis.rulebook.schema import AreaRule, ClassOutcome, ForbidOverlap, RequireWithin

_UNLISTED = "其中有规则未列明的类别"
_NO_CLASS, _NO_CLASS_NOTE = "类别未填的部分", "图层没有写明该部分的类别，须先查明"


# --- forbid_overlap ------------------------------------------------------------------------------


_QUANTITIES = {
    "area": Quantity.INSIDE,
    "length": Quantity.LENGTH,
    "count": Quantity.COUNT,
}


@once
def demands_of_forbid_overlap(rule: ForbidOverlap) -> tuple[Demand, ...]:
    """Ask what of the layer lies on the site, and for features without class if classes matter."""
    if rule.measure != "area":
        quantity = _QUANTITIES[rule.measure]
        hit = Demand(rule.layer, quantity, rule.classes)
        unclassed = Demand(rule.layer, quantity, ("*",), excluding=True)
        return (hit, unclassed) if rule.classes else (hit,)
    hit = area_demand(rule, Quantity.INSIDE, rule.classes, geometry=True)
    return (hit, unclassed_demand(rule)) if rule.classes else (hit,)


def forbid_overlap(rule: ForbidOverlap, facts: Facts) -> Outcome:
    """Judge a site that must stay off the layer."""
    if rule.measure != "area":
        return _lines_or_points(rule, facts)
    demands = demands_of_forbid_overlap(rule)
    part = resolved_part(
        rule, facts, demands[0], "重叠部分", rule.outcome, threshold_m2=rule.threshold_m2
    )
    parts = [part]
    if rule.classes and part.restricts:
        # What has no class may belong to the forbidden ones and add to their area.
        left = max(rule.threshold_m2 - facts.measures[demands[0]].decisive_m2, 0.0)
        measure = facts.measures[unclassed_demand(rule)]
        parts.append(unknown_part(measure, _NO_CLASS, _NO_CLASS_NOTE, threshold_m2=left))
    outcome = join_parts(rule, facts, parts)
    return about_reach(rule, facts, outcome, demands)


def _lines_or_points(rule: ForbidOverlap, facts: Facts) -> Outcome:
    """Judge lines by their length on the site, points by their number."""
    own, *unclassed = (facts.measures[d] for d in demands_of_forbid_overlap(rule))
    amount, measured = _amount(rule, own)
    doubt = [text for m in unclassed for text, row in [_amount(rule, m)] if row.value > 0]
    verdict, note = resolve(rule, facts, VERDICTS[rule.outcome])
    if measured.value > 0:
        values = {"area": amount, "parts": amount, "use": land_classes.use_label(facts.use)}
        said = [texts.fill(rule.text.hit, values)] if verdict is not Verdict.PASS else []
        return Outcome(verdict, texts.join([*said, note]), measured)
    if doubt and verdict is not Verdict.PASS:
        said = [f"另有类别未填的要素 {'、'.join(doubt)}", _NO_CLASS_NOTE]
        return Outcome(Verdict.UNDETERMINED, texts.join(said), measured)
    return Outcome(Verdict.PASS, "", measured, clear=_clear(rule, facts))


def _clear(rule: ForbidOverlap, facts: Facts) -> str:
    values = {"use": land_classes.use_label(facts.use)}
    return texts.join([texts.fill(rule.text.clear, values)])


def _amount(rule: ForbidOverlap, measure: Measure) -> tuple[str, Measured]:
    if rule.measure == "length":
        length = measure.length_m
        return f"长 {texts.metres(length)}", Measured("length", length, "m")
    return f"{measure.count} 处", Measured("count", float(measure.count), "处")


@once
def threshold_of_forbid_overlap(rule: ForbidOverlap) -> str:
    """Say what the rule allows."""
    if rule.measure != "area":
        return "地块内不得有线状要素" if rule.measure == "length" else "地块内不得有点状要素"
    if rule.threshold_m2 > 0:
        allowed = f"重叠不超过 {texts.square_metres(rule.threshold_m2)}"
    else:
        allowed = "不得重叠"
    return f"{allowed}（{tolerance_text(rule)}）"


# --- require_within ------------------------------------------------------------------------------


class _Asked(NamedTuple):
    """What require_within wants measured.

    ``rest`` is land of no class that the rule names, ``unclassed`` land of no class at all, where
    it may be something else than unlisted land, which stays open.
    """

    classes: tuple[tuple[ClassOutcome, Demand], ...]
    rest: Demand
    unclassed: Demand | None
    outside: Demand


@once
def demands_of_require_within(rule: RequireWithin) -> tuple[Demand, ...]:
    """Area of the site off the layer, on each class that the rule names, and on the others."""
    asked = _asked(rule)
    classes = [demand for _, demand in asked.classes]
    return (asked.outside, *classes, asked.rest, *([asked.unclassed] if asked.unclassed else []))


@once
def _asked(rule: RequireWithin) -> _Asked:
    open_ = Verdict(rule.unlisted).rank < Verdict.UNDETERMINED.rank
    classes = tuple(
        (entry, area_demand(rule, Quantity.INSIDE, entry.classes, geometry=entry.outcome != "pass"))
        for entry in rule.by_class
    )
    unclassed = unclassed_demand(rule) if rule.by_class and open_ else None
    return _Asked(classes, _rest_demand(rule), unclassed, outside_demand(rule))


@once
def outside_demand(rule: AreaRule) -> Demand:
    """Return the demand for land inside the coverage of the layer and on none of its features."""
    return area_demand(rule, Quantity.OUTSIDE, geometry=True)


def _rest_demand(rule: RequireWithin) -> Demand:
    """Land of no class that the rule names; all land of the layer when it names none."""
    if not rule.by_class:
        return area_demand(rule, Quantity.INSIDE)
    named = tuple(c for entry in rule.by_class for c in entry.classes)
    return area_demand(rule, Quantity.INSIDE, named, excluding=True, geometry=True)


def require_within(rule: RequireWithin, facts: Facts) -> Outcome:
    """Judge a site that must lie on the layer."""
    asked, measures = _asked(rule), facts.measures
    parts = [
        resolved_part(rule, facts, demand, entry.label, entry.outcome, cls=entry.label)
        for entry, demand in asked.classes
        if not measures[demand].is_nothing
    ]
    rest = measures[asked.rest]
    if not rest.is_nothing:
        unlisted = "其他类别", VERDICTS[rule.unlisted], _UNLISTED
        parts.append(part_of(rest, *(unlisted if rule.by_class else ("界内", Verdict.PASS))))
    if asked.unclassed is not None:
        unclassed = measures[asked.unclassed]
        if not unclassed.is_nothing:
            parts.append(unknown_part(unclassed, _NO_CLASS, _NO_CLASS_NOTE))
    if not measures[asked.outside].is_nothing:
        parts.append(resolved_part(rule, facts, asked.outside, "界外", rule.outside))
    return _seen(rule, facts, join_whole(rule, facts, parts))


def _seen(rule: RequireWithin, facts: Facts, outcome: Outcome) -> Outcome:
    """Leave open whether unseen features nearby reach the site, unless it complies already."""
    if rule.by_class or outcome.verdict is not Verdict.PASS:
        return about_reach(rule, facts, outcome, demands_of_require_within(rule))
    return outcome


def threshold_of_require_within(rule: RequireWithin) -> str:
    """Say what the rule allows."""
    return f"应全部位于范围内（{tolerance_text(rule)}）"
