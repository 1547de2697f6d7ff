"""Which rules does a plan apply, and are they written without a mistake?

Reads the national book and the files of a plan package, refuses what it does not know with file
and line, and gives every book a hash that formatting and comments do not change. Judges no site.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from gis.errors import Fault, NotFoundError, RuleBookError
from gis.model import Basis, Document, Parameter, Rule
from gis.rulebook.memory import Memory
from gis.rulebook.mistakes import Mistake, SourceFile, mistakes
from gis.rulebook.parameters import filled, parameters_of
from gis.rulebook.schema import DocumentEntry, RuleEntry, RuleFile, plain
from gis.tomlfile import key_lines, read_model
from gis.viewable import Viewable

NATIONAL = "cn"
# Days that are looked at together: few, but a comparison over the years must not pile them up.
_DAYS = 256
# Selections of rules that a search for remedies asks for again and again.
_PARTS = 256
_PACKAGED = Path(__file__).parent / NATIONAL


@dataclass(frozen=True)
class RuleBook(Viewable):
    """The rules that a plan applies, sorted by id, the documents they cite, and the parameters."""

    id: str
    sha256: str
    rules: tuple[Rule, ...]
    documents: Mapping[str, Document] = field(default_factory=dict)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what was worked out: it is known by the identity of objects."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @cached_property
    def _by_id(self) -> Mapping[str, Rule]:
        return {rule.id: rule for rule in self.rules}

    def to_frame(self) -> Any:
        """Return a data frame with one row per rule, by id: kind, origin, dates, layers, basis."""
        import pandas as pd

        rows = [
            {
                "id": rule.id,
                "title": rule.title,
                "kind": rule.kind,
                "origin": rule.origin,
                "verified": rule.effect_verified,
                "valid_from": rule.valid_from,
                "valid_to": rule.valid_to,
                "layers": "、".join(rule.layers),
                "office": rule.office,
                "basis": "；".join(basis.text for basis in rule.basis),
            }
            for rule in self.rules
        ]
        return pd.DataFrame(rows).set_index("id") if rows else pd.DataFrame(rows)

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

    @cached_property
    def memory(self) -> Memory:
        """What these rules have found before."""
        return Memory()

    @cached_property
    def _parts(self) -> dict[frozenset[str], RuleBook]:
        return {}

    def part(self, rules: frozenset[str]) -> RuleBook:
        """Return the book with only some of its rules, by id; they share the memory."""
        found = self._parts.get(rules)
        if found is None:
            found = replace(self, rules=tuple(r for r in self.rules if r.id in rules))
            found.__dict__["memory"] = self.memory
            if len(self._parts) >= _PARTS:
                self._parts.clear()
            self._parts[rules] = found
        return found

    def in_force(self, as_of: date) -> tuple[Rule, ...]:
        """Return the rules that apply on a day."""
        found: tuple[Rule, ...] = self.derived(
            "in force", as_of, lambda: tuple(r for r in self.rules if r.in_force(as_of))
        )
        return found

    @cached_property
    def _derived(self) -> dict[tuple[str, date | None], Any]:
        return {}

    def derived(self, what: str, as_of: date | None, make: Callable[[], Any]) -> Any:
        """Return what follows from the rules in force on a day, worked out once."""
        key = what, as_of
        if key not in self._derived:
            if len(self._derived) >= _DAYS:
                self._derived.clear()
            self._derived[key] = make()
        return self._derived[key]


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
    found = list(mistakes(sources))
    if found:
        _refuse(found)
    documents = {d.id: _document(d) for s in sources for d in s.content.document}
    parameters = parameters_of(s.content for s in sources)
    rules = [_rule(filled(r, parameters), s, documents) for s in sources for r in s.content.rule]
    return RuleBook(
        id="+".join(PurePosixPath(entry).stem for entry in entries),
        sha256=_sha256(sources),
        rules=tuple(sorted(rules, key=lambda r: r.id)),
        documents=dict(sorted(documents.items())),
        parameters=dict(sorted(parameters.items())),
    )


# --- files ---------------------------------------------------------------------------------------


def rulebook_files(entries: Sequence[str], root: Path) -> Iterator[tuple[Path, str]]:
    """Yield path and shown name of every file that the rules of a plan rest on.

    Those of ``entries`` and the tables of land classes, by which uses and layers are understood.
    """
    yield from _files(entries, root)
    tables = sorted((_PACKAGED / "land_classes").iterdir())
    yield from ((path, f"{NATIONAL}/land_classes/{path.name}") for path in tables)


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


def _read(path: Path, shown: str) -> SourceFile:
    content = read_model(path, RuleFile, shown=shown, error=RuleBookError)
    return SourceFile(shown, content, key_lines(path.read_text(encoding="utf-8-sig")))


def _sha256(sources: Iterable[SourceFile]) -> str:
    """Hash the values alone, so that files may be split, reordered and commented freely."""
    files = [s.content for s in sources]
    content = {
        "documents": sorted((plain(d) for f in files for d in f.document), key=_id_of),
        "rules": sorted((plain(r) for f in files for r in f.rule), key=_id_of),
        "parameters": sorted((plain(p) for f in files for p in f.parameter), key=_id_of),
        "values": sorted(
            (plain(v) for f in files for v in f.parameter_value), key=lambda v: str(v["parameter"])
        ),
    }
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _id_of(row: Mapping[str, object]) -> str:
    return str(row["id"])


def _refuse(found: Sequence[Mistake]) -> None:
    source, location, message = found[0]
    raise RuleBookError(
        message,
        file=source.shown,
        line=source.line(location),
        advice="对照规则库说明修改",
        faults=[Fault(f"{s.shown} 第 {s.line(at)} 行", text) for s, at, text in found],
    )


# --- to the words of the model -------------------------------------------------------------------


def _document(entry: DocumentEntry) -> Document:
    return Document(**entry.model_dump())


def _rule(entry: RuleEntry, source: SourceFile, documents: Mapping[str, Document]) -> Rule:
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
        layers=entry.layers,
        source_file=source.shown,
        title_en=entry.title_en,
    )
