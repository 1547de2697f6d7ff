"""What in a rule book is doubtful, although it can be read? Faults to mend and notes to know.

What cannot be read at all is refused by the loader (``mistakes``). A fault is something that no
author wants: a text nobody cites, a rule without any law on some day, an exception that can never
be chosen. A note is something that a bureau has to know or to do: a number that nobody has
published, a citation still to be read, a class that the data do not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Literal

from gis.model import Rule
from gis.rulebook.beforehand import basis_in_force
from gis.rulebook.conditions import demands_of_conditions
from gis.rulebook.kinds import demands_of
from gis.rulebook.lint_reach import never_chosen
from gis.rulebook.loader import RuleBook
from gis.rulebook.mistakes import limits_of
from gis.rulebook.schema import plain

Level = Literal["fault", "note"]
# A statement about the law that nobody has looked at for so long is worth another look.
_STALE = timedelta(days=548)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark on a rule book: ``where`` is the id of a rule, document or parameter."""

    level: Level
    code: str
    where: str
    message: str
    file: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the remark as plain JSON values."""
        return asdict(self)


def lint(
    book: RuleBook, today: date, layers: Mapping[str, frozenset[str] | None] | None = None
) -> tuple[Remark, ...]:
    """Return every remark on a rule book, faults first, then by code and id.

    Parameters
    ----------
    book
        A book that the loader accepted.
    today
        The day against which dates of checking are held.
    layers
        Per layer of the plan the classes that its data have, None where they are not known or
        there is no feature; without it nothing is said about layers.
    """
    found = [*_documents(book, today), *_parameters(book)]
    for rule in book.rules:
        found += _rule(rule, today)
        found += _on_layers(rule, layers) if layers is not None else ()
    found += _twins(book.rules)
    return tuple(sorted(found, key=lambda r: (r.level, r.code, r.where, r.message)))


def lint_document(found: Iterable[Remark], book: RuleBook) -> dict[str, Any]:
    """Return the remarks as the JSON document of ``wuqu rules lint``."""
    rows = [remark.to_dict() for remark in found]
    faults = sum(row["level"] == "fault" for row in rows)
    return {
        "rulebook": {"id": book.id, "sha256": book.sha256},
        "rules": len(book.rules),
        "documents": len(book.documents),
        "parameters": len(book.parameters),
        "faults": faults,
        "notes": len(rows) - faults,
        "remarks": rows,
    }


# --- documents and parameters --------------------------------------------------------------------


def _documents(book: RuleBook, today: date) -> Iterator[Remark]:
    cited = {basis.document.id for rule in book.rules for basis in rule.basis}
    for document in book.documents.values():
        if document.id not in cited:
            said = f"《{document.title}》没有任何规则引用"
            yield Remark("fault", "unused-document", document.id, said)
        if not document.verified:
            said = f"《{document.title}》尚未核对原文"
            yield Remark("note", "unverified-document", document.id, said)
        if document.checked_on:
            yield from _checked(document.id, document.checked_on, today, "")


def _checked(where: str, day: date, today: date, file: str) -> Iterator[Remark]:
    if day > today:
        said = f"核对日期 {day} 晚于今天 {today}"
        yield Remark("fault", "checked-in-future", where, said, file)
    elif today - day > _STALE:
        said = f"最后核对于 {day}，已超过 18 个月，应重新核对"
        yield Remark("note", "checked-long-ago", where, said, file)


def _parameters(book: RuleBook) -> Iterator[Remark]:
    used = {limit.parameter for rule in book.rules for _, limit in limits_of(rule.params)}
    for parameter in book.parameters.values():
        if parameter.id not in used:
            said = f"规划参数“{parameter.title}”没有任何规则使用"
            yield Remark("fault", "unused-parameter", parameter.id, said)
        elif parameter.value is None:
            said = f"规划参数“{parameter.title}”尚未录入，引用它的规则结论为需核实"
            yield Remark("note", "empty-parameter", parameter.id, said)


# --- one rule ------------------------------------------------------------------------------------


def _rule(rule: Rule, today: date) -> Iterator[Remark]:
    def remark(level: Level, code: str, message: str) -> Remark:
        return Remark(level, code, rule.id, message, rule.source_file)

    yield from _checked(rule.id, rule.checked_on, today, rule.source_file)
    if not rule.title_en:
        yield remark("fault", "no-english-title", "缺少英文标题 title_en")
    for first, last in days_without_law(rule):
        span = f"{first} 至 {last} " if last else f"{first} 起"
        # An older law that nobody has recorded yet leaves its days open; a gap later is a slip.
        early = first == rule.valid_from and last is not None and last != rule.valid_to
        level: Level = "note" if early else "fault"
        code = "older-law-not-recorded" if early else "no-law-in-force"
        yield remark(level, code, f"{span}没有任何有效的依据文件，这些日期的结论为需核实")
    for basis in rule.basis:
        if not _meet(rule, basis.document.valid_from, basis.document.valid_to):
            said = f"依据《{basis.document.title}》的有效期与本条没有重合，永远不会引用"
            yield remark("fault", "basis-never-in-force", said)
        if not basis.verified:
            yield remark("note", "unverified-basis", basis.text)
    unread = not any(basis.verified for basis in rule.basis)
    if rule.effect_verified and rule.origin != "assumption" and unread:
        said = "effect_verified 为 true，但没有一条依据核实过"
        yield remark("note", "effect-without-verified-basis", said)
    for message in never_chosen(rule):
        yield remark("fault", "unreachable", message)


def days_without_law(rule: Rule) -> tuple[tuple[date, date | None], ...]:
    """Return the spans inside the period of a rule on which no document that it cites is in force.

    A rule without a first day begins with its oldest document. The last day of a span is None
    when it never ends.
    """
    starts = [b.document.valid_from for b in rule.basis]
    begin = rule.valid_from or min((d or date.min for d in starts), default=date.min)
    ends = [b.document.valid_to + _DAY for b in rule.basis if b.document.valid_to]
    inside = sorted({begin, *(d for d in (*starts, *ends) if d and d > begin)})
    days = [d for d in inside if rule.valid_to is None or d <= rule.valid_to]
    spans: list[tuple[date, date | None]] = []
    for day, after in zip(days, [*days[1:], None], strict=False):
        if basis_in_force(rule, day):
            continue
        last = after - _DAY if after else rule.valid_to
        joined = bool(spans) and spans[-1][1] == day - _DAY
        spans[-1:] = [(spans[-1][0], last)] if joined else [*spans[-1:], (day, last)]
    return tuple(spans)


def _meet(rule: Rule, first: date | None, last: date | None) -> bool:
    """Whether a period shares a day with that of the rule."""
    begins = first is None or rule.valid_to is None or first <= rule.valid_to
    return begins and (last is None or rule.valid_from is None or rule.valid_from <= last)


def _on_layers(rule: Rule, layers: Mapping[str, frozenset[str] | None]) -> Iterator[Remark]:
    names = dict.fromkeys((*rule.layers, *rule.params.when_layers))
    for name in names:
        if name not in layers:
            said = f"规划数据包没有图层“{name}”，本条结论只能是需核实"
            yield Remark("fault", "no-such-layer", rule.id, said, rule.source_file)
    for name, wanted in _classes(rule).items():
        held = layers.get(name)
        missing = [c for c in wanted if held and not any(_fits(h, c) for h in held)]
        if missing:
            said = f"图层“{name}”的数据中没有类别 {'、'.join(missing)}"
            yield Remark("note", "class-not-in-data", rule.id, said, rule.source_file)


def _classes(rule: Rule) -> dict[str, dict[str, None]]:
    """Return the classes that a rule asks for, by layer, in its own order."""
    wanted: dict[str, dict[str, None]] = {}
    asked = (*demands_of(rule), *demands_of_conditions(rule.params.conditions))
    for demand in (d for a in asked for d in a.divided or (a,)):
        named = wanted.setdefault(demand.layer, {})
        named.update(dict.fromkeys(c for c in demand.classes if c != "*"))
        for part in (*demand.on, *demand.off):
            wanted.setdefault(part.layer, {}).update(dict.fromkeys(part.classes))
    return wanted


def _fits(held: str, wanted: str) -> bool:
    return held == wanted or (wanted[:1].isdigit() and held.startswith(wanted.rstrip("*")))


# --- rules side by side --------------------------------------------------------------------------


def _twins(rules: Iterable[Rule]) -> Iterator[Remark]:
    """Find rules that say the same of the same layer on the same days under two names."""
    seen: dict[str, str] = {}
    for rule in rules:
        # Names, titles and law do not tell two rules apart: what they ask for does.
        left_out = {"id", "title", "title_en", "basis", "checked_on", "priority", "text"}
        key = repr(sorted((k, v) for k, v in plain(rule.params).items() if k not in left_out))
        if key in seen:
            said = f"与 {seen[key]} 的要求完全相同"
            yield Remark("fault", "same-as-another", rule.id, said, rule.source_file)
        seen.setdefault(key, rule.id)
