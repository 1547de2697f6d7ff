"""Which parts of a rule can never be chosen, whatever the site? Sentences for the author.

An exception, row, cell or entry that nothing can lead to looks like law and is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import combinations
from typing import Any

from gis.model import Rule
from gis.rulebook.schema import (
    AttributeLimit,
    CompatibleUse,
    Condition,
    Convert,
    DocumentRequired,
    ExceptionEntry,
    LimitRow,
    RequireWithin,
    RuleEntry,
    UsePermitted,
)


def never_chosen(rule: Rule) -> Iterator[str]:
    """Yield one sentence for each part of a rule that no site can ever reach."""
    params: RuleEntry = rule.params
    if said := impossible(params.when):
        yield f"适用条件 when 永远不能成立：{said}"
    yield from _exceptions(params)
    if isinstance(params, AttributeLimit):
        yield from _rows(params)
    if isinstance(params, DocumentRequired):
        for document in params.documents:
            if said := impossible((*params.when, *document.when)):
                yield f"材料“{document.title}”的条件永远不能成立：{said}"
    if isinstance(params, UsePermitted):
        for cell in params.cells:
            yield from _strange(params, cell.uses, f"准入表 {'、'.join(cell.zones)} 的一格")
    if isinstance(params, CompatibleUse):
        yield from _entries(params)
    if isinstance(params, Convert):
        yield from _twice(((g.label, g.classes) for g in params.groups), "地类")
    if isinstance(params, RequireWithin):
        yield from _twice(((g.label, g.classes) for g in params.by_class), "类别")


# --- conditions ----------------------------------------------------------------------------------


def impossible(conditions: Sequence[Condition]) -> str:
    """Say why conditions can never hold together; empty when they can.

    >>> low = Condition(site="area_m2", above=5.0)
    >>> impossible([low, Condition(site="area_m2", at_most=5.0)])
    'area_m2 的范围是空的'
    """
    for subject in dict.fromkeys(_subject(c) for c in conditions):
        same = [c for c in conditions if _subject(c) == subject]
        if same[0].layer:
            lies = {c.lies for c in same}
            if "off" in lies and len(lies) > 1:
                return f"同时要求位于和不位于 {same[0].layer}"
        elif same[0].is_number and not _has_room(same):
            return f"{same[0].site or same[0].attribute} 的范围是空的"
        elif same[0].one_of and not set.intersection(*(set(c.one_of) for c in same)):
            return f"{same[0].site or same[0].attribute} 没有共同的取值"
    return ""


def _subject(condition: Condition) -> tuple[Any, ...]:
    if condition.layer:
        return (condition.layer, condition.classes)
    return (condition.site or condition.attribute,)


def _has_room(conditions: Iterable[Condition]) -> bool:
    """Whether some number keeps all bounds: strict bounds are a little more than their number."""
    lows, highs = [(0.0, 0)], [(float("inf"), 0)]
    for c in conditions:
        lows += [(v, s) for v, s in ((c.at_least, 0), (c.above, 1)) if v is not None]
        highs += [(v, s) for v, s in ((c.at_most, 0), (c.below, -1)) if v is not None]
    return max(lows) <= min(highs)


# --- uses ----------------------------------------------------------------------------------------


def _strange(params: RuleEntry, uses: Iterable[str], what: str) -> Iterator[str]:
    """Find uses that the rule never speaks of: neither under its own codes nor above them."""
    own = params.applies_to
    for use in uses:
        if own and not any(use.startswith(o) or o.startswith(use) for o in own):
            yield f"{what}写了用途 {use}，但本条只针对 {'、'.join(own)}"


def _exceptions(params: RuleEntry) -> Iterator[str]:
    for n, entry in enumerate(params.exceptions, 1):
        yield from _strange(params, entry.uses, f"第 {n} 个例外")
        if not _overlap(entry, params):
            yield f"第 {n} 个例外的有效期与本条没有重合"
    for (m, one), (n, two) in combinations(enumerate(params.exceptions, 1), 2):
        shared = set(one.uses) & set(two.uses)
        same = one.classes == two.classes and one.attributes == two.attributes
        if shared and same and _overlap(one, two):
            yield f"第 {m} 个和第 {n} 个例外对用途 {'、'.join(sorted(shared))} 重复，只有一个起作用"


def _overlap(one: ExceptionEntry | RuleEntry, two: ExceptionEntry | RuleEntry) -> bool:
    first = max(one.valid_from or date.min, two.valid_from or date.min)
    return first <= min(one.valid_to or date.max, two.valid_to or date.max)


# --- tables --------------------------------------------------------------------------------------


def _rows(params: AttributeLimit) -> Iterator[str]:
    for row in params.rows:
        yield from _strange(params, row.uses, f"行“{row.label}”")
        if said := impossible((*params.when, *row.when)):
            yield f"行“{row.label}”的条件永远不能成立：{said}"
    for one, two in combinations(params.rows, 2):
        if _same_case(one, two):
            yield f"行“{one.label}”和“{two.label}”的用途和条件相同，不能都起作用"


def _same_case(one: LimitRow, two: LimitRow) -> bool:
    uses = bool(set(one.uses) & set(two.uses)) or not (one.uses or two.uses)
    return uses and set(one.when) == set(two.when)


def _entries(params: CompatibleUse) -> Iterator[str]:
    for entry in params.entries:
        yield from _strange(params, entry.uses, f"规划 {'、'.join(entry.planned)} 的一项")
        for planned in entry.planned:
            # The planned use and everything under it complies before any entry is looked at.
            if vain := [use for use in entry.uses if use.startswith(planned)]:
                yield f"规划 {planned} 已包含用途 {'、'.join(vain)}，这一项不起作用"
    for one, two in combinations(params.entries, 2):
        both = set(one.planned) & set(two.planned)
        uses = set(one.uses) & set(two.uses)
        if both and uses:
            yield f"规划 {'、'.join(sorted(both))} 的用途 {'、'.join(sorted(uses))} 写了两次"


def _twice(groups: Iterable[tuple[str, tuple[str, ...]]], what: str) -> Iterator[str]:
    seen: dict[str, str] = {}
    for label, classes in groups:
        for cls in classes:
            if cls in seen:
                yield f"{what} {cls} 同时列入“{seen[cls]}”和“{label}”，只有一个起作用"
            seen.setdefault(cls, label)
