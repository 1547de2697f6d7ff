"""Which rules does a plan apply, and are they written without a mistake?

Reads the national book and the files of a plan package, refuses what it does not know with file
and line, and gives every book a hash that formatting and comments do not change. Judges no site.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path, PurePosixPath

from gis.errors import Fault, NotFoundError, RuleBookError
from gis.model import Basis, Document, Rule
from gis.model.attributes import ATTRIBUTES
from gis.rulebook import land_classes, texts
from gis.rulebook.schema import (
    DocumentEntry,
    RuleEntry,
    RuleFile,
    UsePermitted,
    plain,
)
from gis.tomlfile import Location, key_lines, line_of, read_model

NATIONAL = "cn"
_PACKAGED = Path(__file__).parent / NATIONAL


@dataclass(frozen=True)
class RuleBook:
    """The rules that a plan applies, sorted by id, and the documents they cite."""

    id: str
    sha256: str
    rules: tuple[Rule, ...]
    documents: Mapping[str, Document] = field(default_factory=dict)

    @cached_property
    def _by_id(self) -> Mapping[str, Rule]:
        return {rule.id: rule for rule in self.rules}

    def rule(self, rule_id: str) -> Rule:
        """Return one rule.

        Raises
        ------
        NotFoundError
            The book has no such rule.
        """
        try:
            return self._by_id[rule_id]
        except KeyError:
            raise NotFoundError(
                f"规则库没有规则“{rule_id}”", advice="用 wuqu rules list 查看全部规则"
            ) from None

    def in_force(self, as_of: date) -> tuple[Rule, ...]:
        """Return the rules that apply on a day."""
        return tuple(rule for rule in self.rules if rule.in_force(as_of))


@dataclass(frozen=True, slots=True)
class _Source:
    """One file that was read, with the lines of its keys."""

    shown: str
    content: RuleFile
    lines: dict[Location, int]

    def line(self, location: Location) -> int | None:
        return line_of(location, self.lines)


def load_rulebook(entries: Sequence[str], root: Path) -> RuleBook:
    """Return the rule book of a plan.

    Parameters
    ----------
    entries
        ``cn`` for the national book, anything else a TOML file inside the plan package.
    root
        The folder of the plan package.

    Raises
    ------
    RuleBookError
        A file is missing or broken, or names something unknown; all mistakes with their lines.
    """
    sources = [_read(path, shown) for path, shown in _files(entries, root)]
    faults = list(_faults(sources))
    if faults:
        _refuse(faults)
    documents = {d.id: _document(d) for s in sources for d in s.content.document}
    rules = [_rule(r, s, documents) for s in sources for r in s.content.rule]
    return RuleBook(
        id="+".join(PurePosixPath(entry).stem for entry in entries),
        sha256=_sha256(sources),
        rules=tuple(sorted(rules, key=lambda r: r.id)),
        documents=dict(sorted(documents.items())),
    )


# --- files ---------------------------------------------------------------------------------------


def _files(entries: Sequence[str], root: Path) -> Iterator[tuple[Path, str]]:
    if len(set(entries)) != len(entries):
        raise RuleBookError("rulebooks 中有重复的条目", advice="每个规则文件只写一次")
    for entry in entries:
        if entry == NATIONAL:
            yield from ((p, f"{NATIONAL}/{p.name}") for p in sorted(_PACKAGED.glob("*.toml")))
            continue
        path = (root / entry).resolve()
        if not path.is_relative_to(root.resolve()):
            raise RuleBookError(f"规则文件“{entry}”在规划数据包之外", expected="数据包内的相对路径")
        yield path, entry


def _read(path: Path, shown: str) -> _Source:
    content = read_model(path, RuleFile, shown=shown, error=RuleBookError)
    return _Source(shown, content, key_lines(path.read_text(encoding="utf-8")))


def _sha256(sources: Iterable[_Source]) -> str:
    """Hash the values alone, so that files may be split, reordered and commented freely."""
    files = [s.content for s in sources]
    content = {
        "documents": sorted((plain(d) for f in files for d in f.document), key=_id_of),
        "rules": sorted((plain(r) for f in files for r in f.rule), key=_id_of),
    }
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _id_of(row: Mapping[str, object]) -> str:
    return str(row["id"])


# --- mistakes that the schema cannot see ---------------------------------------------------------

_Found = tuple[_Source, Location, str]


def _refuse(faults: Sequence[_Found]) -> None:
    source, location, message = faults[0]
    raise RuleBookError(
        message,
        file=source.shown,
        line=source.line(location),
        advice="对照规则库说明修改",
        faults=[Fault(f"{s.shown} 第 {s.line(at)} 行", text) for s, at, text in faults],
    )


def _faults(sources: Sequence[_Source]) -> Iterator[_Found]:
    yield from _repeated(sources, "document")
    yield from _repeated(sources, "rule")
    known = {d.id for s in sources for d in s.content.document}
    for source in sources:
        for n, document in enumerate(source.content.document):
            if not _rises(document.valid_from, document.valid_to):
                yield source, ("document", n, "valid_to"), f"{document.id}：有效期首尾颠倒"
        for n, rule in enumerate(source.content.rule):
            for at, message in _rule_faults(rule, known):
                yield source, ("rule", n, *at), f"{rule.id}：{message}"


def _repeated(sources: Sequence[_Source], what: str) -> Iterator[_Found]:
    seen: dict[str, str] = {}
    for source in sources:
        for n, item in enumerate(getattr(source.content, what)):
            if item.id in seen:
                yield source, (what, n, "id"), f"编号“{item.id}”重复，已见于 {seen[item.id]}"
            seen.setdefault(item.id, source.shown)


def _rises(first: date | None, last: date | None) -> bool:
    return first is None or last is None or first <= last


def _rule_faults(rule: RuleEntry, known: set[str]) -> Iterator[tuple[Location, str]]:
    if not _rises(rule.valid_from, rule.valid_to):
        yield ("valid_to",), "有效期首尾颠倒"
    for n, basis in enumerate(rule.basis):
        if basis.document not in known:
            yield ("basis", n, "document"), f"依据引用了未登记的文件“{basis.document}”"
    yield from _exception_faults(rule)
    for key in ("clear", "hit"):
        yield from _text_faults(rule, key)
    uses = land_classes.uses()
    for code in dict.fromkeys(rule.use_codes):
        if not uses.exists(code):
            yield (), f"用途编码“{code}”不在{uses.title}（{uses.edition}）中"
    yield from _class_faults(rule)
    if isinstance(rule, UsePermitted):
        yield from _cell_faults(rule)


def _exception_faults(rule: RuleEntry) -> Iterator[tuple[Location, str]]:
    """Find exceptions that could never apply: for a class or a claim that nobody has."""
    for n, entry in enumerate(rule.exceptions):
        if not _rises(entry.valid_from, entry.valid_to):
            yield ("exceptions", n, "valid_to"), "有效期首尾颠倒"
        if missing := [c for c in entry.classes if c not in rule.labels]:
            known = "、".join(rule.labels) or "无"
            what = f"例外引用了本条没有的类别 {'、'.join(missing)}；本条类别：{known}"
            yield ("exceptions", n, "classes"), what
        for name in entry.attributes:
            if name not in ATTRIBUTES:
                yield ("exceptions", n, "attributes"), f"未知的申报属性“{name}”"


def _text_faults(rule: RuleEntry, key: str) -> Iterator[tuple[Location, str]]:
    try:
        unknown = texts.placeholders(getattr(rule.text, key)) - rule.placeholders
    except ValueError as problem:
        yield ("text", key), f"文字中的占位符有误：{problem}"
        return
    if unknown:
        allowed = "、".join(sorted(rule.placeholders))
        yield ("text", key), f"未知的占位符 {'、'.join(sorted(unknown))}；可用：{allowed}"


def _class_faults(rule: RuleEntry) -> Iterator[tuple[Location, str]]:
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


def _cell_faults(rule: UsePermitted) -> Iterator[tuple[Location, str]]:
    """Two cells for one zone and one code would let the order of the file decide."""
    seen: set[tuple[str, str]] = set()
    for n, cell in enumerate(rule.cells):
        for key in ((zone, use) for zone in cell.zones for use in cell.uses):
            if key in seen:
                yield ("cells", n, "uses"), f"{key[0]} 的用途 {key[1]} 写了两次"
            seen.add(key)
        if cell.attribute and cell.attribute not in ATTRIBUTES:
            yield ("cells", n, "attribute"), f"未知的申报属性“{cell.attribute}”"


# --- to the words of the model -------------------------------------------------------------------


def _document(entry: DocumentEntry) -> Document:
    return Document(**entry.model_dump())


def _rule(entry: RuleEntry, source: _Source, documents: Mapping[str, Document]) -> Rule:
    basis = tuple(
        Basis(documents[b.document], b.article, b.verified and documents[b.document].verified)
        for b in entry.basis
    )
    return Rule(
        id=entry.id,
        title=entry.title,
        kind=str(getattr(entry, "kind", "")),
        params=entry,
        origin=entry.origin,
        effect_verified=entry.effect_verified,
        basis=basis,
        office=entry.office,
        priority=entry.priority,
        valid_from=entry.valid_from,
        valid_to=entry.valid_to,
        checked_on=entry.checked_on,
        remedy=entry.remedy,
        layers=(entry.layer,),
        source_file=source.shown,
    )
