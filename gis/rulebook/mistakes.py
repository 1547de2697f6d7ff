"""What is wrong in a rule book that the schema cannot see? Every mistake, with its place.

References that lead nowhere, dates that run backwards, codes that no scheme has, placeholders that
a kind does not fill. What is merely doubtful is left to ``gis.rulebook.lint``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from gis.errors import RuleBookError
from gis.rulebook import land_classes, texts
from gis.rulebook.mistakes_of_kinds import claimed, mistakes_of_kind, of_condition
from gis.rulebook.schema import (
    AttributeLimit,
    Condition,
    DocumentRequired,
    Limit,
    RuleEntry,
    RuleFile,
    ShareLimit,
)
from gis.tomlfile import Location, line_of


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file that was read, with the lines of its keys."""

    shown: str
    content: RuleFile
    lines: dict[Location, int]

    def line(self, location: Location) -> int | None:
        """Return the line of a key, or of the nearest one above it."""
        return line_of(location, self.lines)


Mistake = tuple[SourceFile, Location, str]


def mistakes(sources: Sequence[SourceFile]) -> Iterator[Mistake]:
    """Yield every mistake of a rule book: file, key, what is wrong."""
    for what in ("document", "parameter", "rule"):
        yield from _repeated(sources, what)
    documents = {d.id for s in sources for d in s.content.document}
    parameters = {p.id: p.unit for s in sources for p in s.content.parameter}
    for source in sources:
        yield from ((source, at, text) for at, text in _file_mistakes(source.content, parameters))
        for n, rule in enumerate(source.content.rule):
            for at, message in _rule_mistakes(rule, documents, parameters):
                yield source, ("rule", n, *at), f"{rule.id}：{message}"
    yield from _doubled_values(sources)


_Found = Iterator[tuple[Location, str]]


def _repeated(sources: Sequence[SourceFile], what: str) -> Iterator[Mistake]:
    seen: dict[str, str] = {}
    for source in sources:
        for n, item in enumerate(getattr(source.content, what)):
            if item.id in seen:
                yield source, (what, n, "id"), f"编号“{item.id}”重复，已见于 {seen[item.id]}"
            seen.setdefault(item.id, source.shown)


def _file_mistakes(content: RuleFile, parameters: Mapping[str, str]) -> _Found:
    for n, document in enumerate(content.document):
        if not rises(document.valid_from, document.valid_to):
            yield ("document", n, "valid_to"), f"{document.id}：有效期首尾颠倒"
    for n, entry in enumerate(content.parameter_value):
        at: Location = ("parameter_value", n)
        if entry.parameter not in parameters:
            yield (*at, "parameter"), f"规划参数“{entry.parameter}”没有登记"
        elif parameters[entry.parameter] == "share" and entry.value > 1:
            yield (*at, "value"), f"规划参数“{entry.parameter}”是占比，应在 0 到 1 之间"


def _doubled_values(sources: Sequence[SourceFile]) -> Iterator[Mistake]:
    seen: set[str] = set()
    for source in sources:
        for n, entry in enumerate(source.content.parameter_value):
            if entry.parameter in seen:
                at = ("parameter_value", n, "parameter")
                yield source, at, f"规划参数“{entry.parameter}”给出了两次"
            seen.add(entry.parameter)


def rises(first: date | None, last: date | None) -> bool:
    """Whether a period does not end before it begins."""
    return first is None or last is None or first <= last


def _rule_mistakes(rule: RuleEntry, documents: set[str], parameters: Mapping[str, str]) -> _Found:
    if not rises(rule.valid_from, rule.valid_to):
        yield ("valid_to",), "有效期首尾颠倒"
    for n, basis in enumerate(rule.basis):
        if basis.document not in documents:
            yield ("basis", n, "document"), f"依据引用了未登记的文件“{basis.document}”"
    yield from _exception_mistakes(rule)
    for key in ("clear", "hit"):
        yield from _text_mistakes(rule, key)
    yield from _threshold_mistakes(rule)
    uses = land_classes.uses()
    for code in dict.fromkeys(rule.use_codes):
        if not uses.exists(code):
            yield (), f"用途编码“{code}”不在{uses.title}（{uses.edition}）中"
    yield from _class_mistakes(rule)
    for at, condition in conditions_of(rule):
        yield from of_condition(at, condition)
    for at, limit in limits_of(rule):
        if limit.parameter and limit.parameter not in parameters:
            yield at, f"规划参数“{limit.parameter}”没有登记"
    yield from mistakes_of_kind(rule, parameters)


def conditions_of(rule: RuleEntry) -> Iterator[tuple[Location, Condition]]:
    """Yield every condition of a rule with its place in the rule."""
    yield from ((("when", n), c) for n, c in enumerate(rule.when))
    if isinstance(rule, AttributeLimit):
        for n, row in enumerate(rule.rows):
            yield from ((("rows", n, "when", k), c) for k, c in enumerate(row.when))
    if isinstance(rule, DocumentRequired):
        for n, document in enumerate(rule.documents):
            yield from ((("documents", n, "when", k), c) for k, c in enumerate(document.when))


def limits_of(rule: RuleEntry) -> Iterator[tuple[Location, Limit]]:
    """Yield every limit of a rule with its place in the rule."""
    if isinstance(rule, ShareLimit):
        yield from _given_limits((), rule)
    if isinstance(rule, AttributeLimit):
        for n, row in enumerate(rule.rows):
            yield from _given_limits(("rows", n), row)


def _given_limits(at: Location, holder: object) -> Iterator[tuple[Location, Limit]]:
    for key in ("at_least", "at_most"):
        if (limit := getattr(holder, key)) is not None:
            yield (*at, key), limit


def _exception_mistakes(rule: RuleEntry) -> _Found:
    """Find exceptions that could never apply: for a class or a claim that nobody has."""
    for n, entry in enumerate(rule.exceptions):
        if not rises(entry.valid_from, entry.valid_to):
            yield ("exceptions", n, "valid_to"), "有效期首尾颠倒"
        if missing := [c for c in entry.classes if c not in rule.labels]:
            known = "、".join(rule.labels) or "无"
            what = f"例外引用了本条没有的类别 {'、'.join(missing)}；本条类别：{known}"
            yield ("exceptions", n, "classes"), what
        for name, value in entry.attributes.items():
            yield from claimed(("exceptions", n, "attributes"), name, [value])


def _threshold_mistakes(rule: RuleEntry) -> _Found:
    try:
        unknown = texts.placeholders(rule.threshold) - {"numbers"}
    except ValueError as problem:
        yield ("threshold",), f"文字中的占位符有误：{problem}"
        return
    if unknown:
        yield ("threshold",), f"未知的占位符 {'、'.join(sorted(unknown))}；可用：numbers"


def _text_mistakes(rule: RuleEntry, key: str) -> _Found:
    try:
        unknown = texts.placeholders(getattr(rule.text, key)) - rule.placeholders
    except ValueError as problem:
        yield ("text", key), f"文字中的占位符有误：{problem}"
        return
    if unknown:
        allowed = "、".join(sorted(rule.placeholders))
        yield ("text", key), f"未知的占位符 {'、'.join(sorted(unknown))}；可用：{allowed}"


def _class_mistakes(rule: RuleEntry) -> _Found:
    codes = rule.class_codes
    if not codes:
        return
    try:
        scheme = land_classes.scheme(getattr(rule, "scheme", ""), getattr(rule, "edition", ""))
    except RuleBookError as problem:
        yield ("scheme",), problem.found
        return
    for code in dict.fromkeys(codes):
        if not scheme.exists(code.rstrip("*")):
            yield ("groups",), f"地类编码“{code}”不在{scheme.title}（{scheme.edition}）中"
