"""The kind that asks what the land is now, and what must be applied for to take it: convert.

Land without class, of an unknown class or in a gap of the layer is measured and left open, never
taken for land of another class.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from gis.model import Demand, Quantity, class_matches
from gis.rulebook import land_classes, texts
from gis.rulebook.facts import Facts, Outcome
from gis.rulebook.kinds.overlap import outside_demand
from gis.rulebook.kinds.parts import (
    Part,
    about_reach,
    area_demand,
    join_parts,
    resolved_part,
    tolerance_text,
    unclassed_demand,
    unknown_part,
)
from gis.rulebook.remembered import once
from gis.rulebook.schema import Convert, LandClassGroup

_UNKNOWN_NOTE = "须先查明该部分的现状地类"


@once
def demands_of_convert(rule: Convert) -> tuple[Demand, ...]:
    """Area of the site on each group of land classes, on unknown classes, and on no feature."""
    groups = (demand for _, demand in _group_demands(rule))
    return (*groups, _unknown_class_demand(rule), outside_demand(rule))


@once
def _group_demands(rule: Convert) -> tuple[tuple[LandClassGroup, Demand], ...]:
    return tuple(
        (group, area_demand(rule, Quantity.INSIDE, group.classes, geometry=True))
        for group in rule.groups
    )


@once
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
    taken: list[Part] = []
    others: list[tuple[LandClassGroup, Demand]] = []
    for group, demand in _group_demands(rule):
        if facts.measures[demand].is_nothing:
            others.append((group, demand))
        else:
            taken.append(_group_part(rule, facts, group, demand))
    # When no group restricts, the use is excused, whatever the land is.
    parts = list(taken)
    if any(p.restricts for p in taken) or any(
        _group_part(rule, facts, *other).restricts for other in others
    ):
        parts += _unknown_land(rule, facts)
    outcome = join_parts(rule, facts, parts)
    return about_reach(rule, facts, outcome, demands_of_convert(rule))


def _group_part(rule: Convert, facts: Facts, group: LandClassGroup, demand: Demand) -> Part:
    """Return the land of a group; taking much of it asks for further procedures."""
    exceeded: tuple[int, ...] = ()
    if group.above:
        taken = round(facts.measures[demand].decisive_m2, 2)  # as printed
        exceeded = tuple([n for n, limit in enumerate(group.above) if taken > limit.area_m2])
    note = _procedures(group, exceeded)
    return resolved_part(
        rule, facts, demand, group.label, group.outcome, cls=group.label, note=note
    )


@once
def _procedures(group: LandClassGroup, exceeded: tuple[int, ...]) -> str:
    """Say what must be applied for when a group takes more than some of its areas."""
    further = [
        f"{group.label}超过 {texts.square_metres(limit.area_m2)}：{limit.procedure}"
        for limit in [group.above[n] for n in exceeded]
    ]
    return "；".join(said.rstrip("。；") for said in (group.procedure, *further) if said)


def _unknown_land(rule: Convert, facts: Facts) -> list[Part]:
    classes = facts.measures[_unknown_class_demand(rule)]
    gaps = facts.measures[outside_demand(rule)]
    found = []
    if not classes.is_nothing:
        edition = f"、编码过粗或者不在“{rule.scheme}（{rule.edition}）”中" if rule.scheme else ""
        found.append(unknown_part(classes, f"地类为空{edition}的部分", _UNKNOWN_NOTE))
    if not gaps.is_nothing:
        found.append(unknown_part(gaps, "没有现状地类数据的部分", _UNKNOWN_NOTE))
    return found


@once
def threshold_of_convert(rule: Convert) -> str:
    """Say what the rule allows."""
    labels = "、".join(group.label for group in rule.groups)
    further = [
        f"；{g.label}超过 {texts.square_metres(a.area_m2)}的：{a.procedure.rstrip('。；')}"
        for g in rule.groups
        for a in g.above
    ]
    return f"涉及{labels}即须履行手续{''.join(further)}（{tolerance_text(rule)}）"
