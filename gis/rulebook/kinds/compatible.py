"""The kind that asks whether the use is the planned one or compatible with it: compatible_use.

A use equal to the planned class, or under it, complies. A use above it is too coarse to tell. For
any other the entry with the longest planned code, then the longest use code, decides; without one
the answer is what the rule says of uses that nobody listed, never "compatible" by silence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from gis.model import VERDICTS, Demand, Measured, Quantity, Touched, Verdict, class_matches
from gis.rulebook import land_classes, texts
from gis.rulebook.facts import Facts, Outcome
from gis.rulebook.kinds.exceptions import (
    NO_USE,
    cap,
    is_coarser,
    longest_match,
    needs_finer,
    resolve,
)
from gis.rulebook.kinds.overlap import outside_demand
from gis.rulebook.kinds.parts import Part, apart, area_demand, join_whole, part_of, tolerance_text
from gis.rulebook.remembered import once
from gis.rulebook.schema import CompatibleEntry, CompatibleUse

_VERDICTS = {
    "permitted": (Verdict.PASS, "兼容"),
    "conditional": (Verdict.CONDITIONAL, "有条件兼容"),
    "prohibited": (Verdict.FAIL, "不兼容"),
}


@once
def demands_of_compatible_use(rule: CompatibleUse) -> tuple[Demand, ...]:
    """Ask for the planned land that the site touches, class by class, and for land with no plan."""
    return (_planned_demand(rule), outside_demand(rule))


@once
def _planned_demand(rule: CompatibleUse) -> Demand:
    return replace(area_demand(rule, Quantity.INSIDE, geometry=True), by_class=True)


def compatible_use(rule: CompatibleUse, facts: Facts) -> Outcome:
    """Judge the use against every planned class that the site touches."""
    by_class = _by_class(facts.measures[_planned_demand(rule)].features)
    planned = "；".join(
        f"{_label(rule, cls)} {texts.percent(facts.share(_area(touched)))}"
        for cls, touched in by_class.items()
    )
    if facts.use is None:
        site = facts.site_area_m2
        where = f"规划用途：{planned}" if planned else ""
        measured = Measured("area", site, "m²", facts.share(site))
        return Outcome(Verdict.UNDETERMINED, texts.join([NO_USE, where]), measured)
    parts = [_class_part(rule, facts, facts.use, c, t) for c, t in by_class.items()]
    off = facts.measures[outside_demand(rule)]
    if not off.is_nothing:
        note = "该部分没有规划用途，须先查明"
        parts.append(part_of(off, "没有规划用途的部分", VERDICTS[rule.outside], note))
    return join_whole(rule, facts, parts, extra={"planned": planned})


def _by_class(features: Iterable[Touched]) -> dict[str | None, list[Touched]]:
    found: dict[str | None, list[Touched]] = {}
    for feature in sorted(features, key=lambda f: (f.cls or "", f.feature_id)):
        found.setdefault(feature.cls, []).append(feature)
    return found


def _area(touched: Iterable[Touched]) -> float:
    return math.fsum(t.area_m2 for t in touched)


@once
def _label(rule: CompatibleUse, cls: str | None) -> str:
    if cls is None:
        return "类别未填"
    if not land_classes.scheme(rule.scheme, rule.edition).exists(cls):
        return f"规划类别“{cls}”（不在分类标准中）"
    return f"规划{land_classes.label(rule.scheme, rule.edition, cls)}"


def _class_part(
    rule: CompatibleUse, facts: Facts, use: str, cls: str | None, touched: list[Touched]
) -> Part:
    known = cls is not None and land_classes.scheme(rule.scheme, rule.edition).exists(cls)
    base, said = (
        verdict_for(rule, cls, use)
        if known and cls is not None
        else (Verdict.UNDETERMINED, "规划用途类别为空或者不在分类标准中，须先查明")
    )
    verdict, note = resolve(rule, facts, base, note=said) if base.rank > 1 else (base, said)
    excused = verdict is Verdict.PASS and bool(note)
    return apart(touched, _label(rule, cls), verdict, note, excused=excused, unknown=not known)


@once
def verdict_for(rule: CompatibleUse, planned: str, use: str) -> tuple[Verdict, str]:
    """Return what land planned for one class says to a use, and why.

    Both are codes of the scheme of the rule; the sentence is empty when the use is the planned one.
    """
    if use.startswith(planned):
        return Verdict.PASS, ""
    if planned.startswith(use):
        return Verdict.UNDETERMINED, needs_finer(use)
    best = _entry_for(rule, planned, use)
    own = _said(rule, best)
    finer = [e for e in rule.entries if _is_planned(e, planned) and is_coarser(use, e.uses)]
    if any(_said(rule, e)[0] is not own[0] for e in finer):
        return Verdict.UNDETERMINED, needs_finer(use)
    return own


def _is_planned(entry: CompatibleEntry, planned: str) -> bool:
    return longest_match(planned, entry.planned) > 0 or class_matches(planned, entry.planned)


def _entry_for(rule: CompatibleUse, planned: str, use: str) -> CompatibleEntry | None:
    fitting = [e for e in rule.entries if _is_planned(e, planned) and longest_match(use, e.uses)]
    return max(
        fitting,
        key=lambda e: (longest_match(planned, e.planned), longest_match(use, e.uses)),
        default=None,
    )


def _said(rule: CompatibleUse, entry: CompatibleEntry | None) -> tuple[Verdict, str]:
    if entry is None:
        return Verdict(rule.unlisted), rule.unlisted_reason
    verdict, word = _VERDICTS[entry.verdict]
    condition = f"，条件：{entry.condition}" if verdict is Verdict.CONDITIONAL else ""
    doubt = "" if entry.verified else "，原文尚未核实"
    unsure = entry.origin == "assumption" or not entry.verified
    return cap(verdict, unsure=unsure), f"{word}{condition}（{entry.phrase}{doubt}）"


@once
def threshold_of_compatible_use(rule: CompatibleUse) -> str:
    """Say what the rule allows."""
    return f"拟建用途应与规划用途相同、属于其下级用途或者列为兼容（{tolerance_text(rule)}）"
