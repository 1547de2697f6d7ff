"""The kinds that ask how much of the site lies where: on a line, in an area, on some land.

``forbid_overlap``, ``require_within`` and ``convert``. Each is a pair of pure functions: what it
demands, and what it says to the answers. Land without class, of an unknown class or in a gap of the
layer is measured and left open, never taken for land of another class.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from gis.model import Demand, Quantity, Verdict, class_matches
from gis.rulebook import land_classes, texts
from gis.rulebook.facts import Facts, Outcome
from gis.rulebook.kinds.parts import (
    Part,
    area_demand,
    join_parts,
    join_whole,
    part_of,
    resolve,
    tolerance_text,
    unknown_part,
)
from gis.rulebook.schema import (
    AreaRule,
    ClassOutcome,
    Convert,
    ForbidOverlap,
    LandClassGroup,
    RequireWithin,
)

_UNLISTED = "其中有规则未列明的类别"
_NO_CLASS, _NO_CLASS_NOTE = "类别未填的部分", "图层没有写明该部分的类别，须先查明"


def unclassed_demand(rule: AreaRule) -> Demand:
    """Return the demand for features of the layer that have no class at all."""
    return area_demand(rule, Quantity.INSIDE, ("*",), excluding=True, geometry=True)


# --- forbid_overlap ------------------------------------------------------------------------------


def demands_of_forbid_overlap(rule: ForbidOverlap) -> tuple[Demand, ...]:
    """Area of the site on the layer; where classes are named, also on features without class."""
    hit = area_demand(rule, Quantity.INSIDE, rule.classes, geometry=True)
    return (hit, unclassed_demand(rule)) if rule.classes else (hit,)


def forbid_overlap(rule: ForbidOverlap, facts: Facts) -> Outcome:
    """Judge a site that must stay off the layer."""
    demand = demands_of_forbid_overlap(rule)[0]
    part = _resolved(rule, facts, demand, "重叠部分", rule.outcome, threshold_m2=rule.threshold_m2)
    parts = [part]
    if rule.classes and part.restricts:
        # What has no class may belong to the forbidden ones and add to their area.
        left = max(rule.threshold_m2 - part.decisive_m2, 0.0)
        measure = facts.measures[unclassed_demand(rule)]
        parts.append(unknown_part(measure, _NO_CLASS, _NO_CLASS_NOTE, threshold_m2=left))
    return join_parts(rule, facts, parts)


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
    """Area of the site off the layer, on each class that the rule names, and on the others."""
    classes = [_class_demand(rule, entry) for entry in rule.by_class]
    unlisted_is_open = Verdict(rule.unlisted).rank >= Verdict.UNDETERMINED.rank
    unclassed = [] if unlisted_is_open or not rule.by_class else [unclassed_demand(rule)]
    return (outside_demand(rule), *classes, _rest_demand(rule), *unclassed)


def outside_demand(rule: AreaRule) -> Demand:
    """Return the demand for land inside the coverage of the layer and on none of its features."""
    return area_demand(rule, Quantity.OUTSIDE, geometry=True)


def _rest_demand(rule: RequireWithin) -> Demand:
    """Land of no class that the rule names; all land of the layer when it names none."""
    if not rule.by_class:
        return area_demand(rule, Quantity.INSIDE)
    named = tuple(c for entry in rule.by_class for c in entry.classes)
    return area_demand(rule, Quantity.INSIDE, named, excluding=True, geometry=True)


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
    rest = facts.measures[_rest_demand(rule)]
    if rule.by_class:
        parts.append(part_of(rest, "其他类别", Verdict(rule.unlisted), _UNLISTED))
    else:
        parts.append(part_of(rest, "界内", Verdict.PASS))
    if (unclassed := unclassed_demand(rule)) in demands_of_require_within(rule):
        parts.append(unknown_part(facts.measures[unclassed], _NO_CLASS, _NO_CLASS_NOTE))
    parts.append(_resolved(rule, facts, outside_demand(rule), "界外", rule.outside))
    return join_whole(rule, facts, parts)


def threshold_of_require_within(rule: RequireWithin) -> str:
    """Say what the rule allows."""
    return f"应全部位于范围内（{tolerance_text(rule)}）"


# --- convert -------------------------------------------------------------------------------------


def demands_of_convert(rule: Convert) -> tuple[Demand, ...]:
    """Area of the site on each group of land classes, on unknown classes, and on no feature."""
    groups = (_group_demand(rule, group) for group in rule.groups)
    return (*groups, _unknown_class_demand(rule), outside_demand(rule))


def _group_demand(rule: Convert, group: LandClassGroup) -> Demand:
    return area_demand(rule, Quantity.INSIDE, group.classes, geometry=True)


def _unknown_class_demand(rule: Convert) -> Demand:
    named = tuple(c for group in rule.groups for c in group.classes)
    if not rule.scheme:
        return unclassed_demand(rule)
    known = known_codes(rule.scheme, rule.edition, named)
    return area_demand(rule, Quantity.INSIDE, known, excluding=True, geometry=True)


@lru_cache(maxsize=64)
def known_codes(scheme: str, edition: str, named: tuple[str, ...]) -> tuple[str, ...]:
    """Return the codes of a scheme of which it is sure whether they are among the named ones.

    A code above a named one is left out: land coded 03 may well be 0301.
    """
    codes = land_classes.scheme(scheme, edition).classes
    return tuple(c for c in codes if class_matches(c, named) or not _is_above(c, named))


def _is_above(code: str, named: Sequence[str]) -> bool:
    """Whether the code is a higher level of a named one; one letter more is no level (0201K)."""
    bases = (n.removesuffix("*") for n in named)
    return any(b.startswith(code) and len(b) - len(code) >= 2 for b in bases)


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
    if any(p.restricts for p in parts):  # else the use is excused, whatever the land is
        parts += _unknown_land(rule, facts)
    return join_parts(rule, facts, parts)


def _unknown_land(rule: Convert, facts: Facts) -> list[Part]:
    edition = f"、编码过粗或者不在“{rule.scheme}（{rule.edition}）”中" if rule.scheme else ""
    note = "须先查明该部分的现状地类"
    classes = facts.measures[_unknown_class_demand(rule)]
    gaps = facts.measures[outside_demand(rule)]
    return [
        unknown_part(classes, f"地类为空{edition}的部分", note),
        unknown_part(gaps, "没有现状地类数据的部分", note),
    ]


def threshold_of_convert(rule: Convert) -> str:
    """Say what the rule allows."""
    labels = "、".join(group.label for group in rule.groups)
    return f"涉及{labels}即须履行手续（{tolerance_text(rule)}）"
