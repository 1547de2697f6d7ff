"""What does a class of one table become in another, and where must a person decide?

Editions of one classification reuse numbers for other classes, and the land survey numbers its
classes differently again. Each mapping is a table with one row per source class. A class that may
become one of several is 待细分: it has candidates and no default, and is never decided here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache

from gis.errors import RuleBookError, SplitClassError
from gis.rulebook.class_tables import Key, LandClass, Scheme, read_rows, read_toml, scheme

_MISSING = {"", "nan", "none", "<na>", "nat"}  # what tables print for an empty cell


class MappingKind(StrEnum):
    """How a class passes into the other table."""

    SAME = "same"
    RENAMED = "renamed"
    MERGED = "merged"
    SPLIT = "split"

    @property
    def label(self) -> str:
        """The kind as people read it."""
        return _KIND_LABELS[self]


_KIND_LABELS = {
    MappingKind.SAME: "相同",
    MappingKind.RENAMED: "改码或改名",
    MappingKind.MERGED: "并入",
    MappingKind.SPLIT: "待细分",
}


@dataclass(frozen=True, slots=True)
class Conversion:
    """What one class becomes: one target, or the candidates of a class that has to be split.

    ``note`` says what the target leaves open; it belongs beside every converted area.
    """

    code: str
    name: str
    targets: tuple[LandClass, ...]
    kind: MappingKind
    note: str
    source: tuple[str, str]
    target: tuple[str, str]

    def single(self) -> LandClass:
        """Return the one class that the code becomes.

        Raises
        ------
        SplitClassError
            There are several candidates; the error lists them.
        """
        if self.kind is not MappingKind.SPLIT:
            return self.targets[0]
        candidates = "、".join(f"{t.code} {t.name}" for t in self.targets)
        raise SplitClassError(
            f"{_shown(self.source)}{self.code} {self.name} 在{_shown(self.target)}中待细分",
            expected=f"逐个图斑选定其一：{candidates}",
            advice=self.note,
        )


@dataclass(frozen=True)
class ClassMapping:
    """One mapping between two editions, with one conversion per class of the source table."""

    source: Scheme
    target: Scheme
    origin: str
    verified: bool
    checked_on: date
    conversions: Mapping[str, Conversion]


class CodeState(StrEnum):
    """What could be done with a code of a layer."""

    CONVERTED = "converted"
    SPLIT = "split"
    UNKNOWN = "unknown"
    MISSING = "missing"

    @property
    def label(self) -> str:
        """The state as people read it."""
        return _STATE_LABELS[self]


_STATE_LABELS = {
    CodeState.CONVERTED: "可转换",
    CodeState.SPLIT: "待细分",
    CodeState.UNKNOWN: "未知编码",
    CodeState.MISSING: "无编码",
}


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One code of a layer: how often it occurs and what it becomes (``targets``: codes)."""

    code: str
    name: str
    count: int
    state: CodeState
    targets: tuple[str, ...] = ()
    kind: MappingKind | None = None
    note: str = ""


def mappings() -> tuple[ClassMapping, ...]:
    """Return every mapping, in file order."""
    return tuple(_mappings().values())


def mapping(source: Key, target: Key) -> ClassMapping:
    """Return the mapping between two editions.

    Parameters
    ----------
    source, target
        Scheme and edition, both always stated.

    Raises
    ------
    RuleBookError
        A scheme or an edition is missing or unknown, or there is no table between the two.
    """
    pair = (scheme(*source).key, scheme(*target).key)
    found = _mappings().get(pair)
    if found is None:
        known = "；".join(f"{_shown(a)}→{_shown(b)}" for a, b in _mappings())
        raise RuleBookError(
            f"没有从{_shown(pair[0])}到{_shown(pair[1])}的地类对照表", expected=known
        )
    return found


def convert(code: str, *, source: Key, target: Key) -> Conversion:
    """Return what one class becomes in another table.

    Parameters
    ----------
    code
        A class of the source edition.
    source, target
        Scheme and edition, both always stated.

    Raises
    ------
    RuleBookError
        A scheme or an edition is missing or unknown, or there is no table between the two.
    NotFoundError
        The source edition has no such code.

    Examples
    --------
    >>> plan = ("用地用海", "2023")
    >>> convert("1107A", source=("三调", "2019"), target=plan).single().name
    '水工设施用地'
    >>> [t.code for t in convert("1006", source=("三调", "2019"), target=plan).targets]
    ['060101', '060102']
    """
    table = mapping(source, target)
    return table.conversions[table.source.land_class(code).code]


def convert_codes(codes: Iterable[object], *, source: Key, target: Key) -> tuple[CodeRow, ...]:
    """Return, for the codes of a layer, what could be converted and what is to be split.

    Parameters
    ----------
    codes
        One code per feature: a list, an array or a column. Nothing is guessed: a code that a
        spreadsheet has turned into the number 101 is unknown, not 0101.
    source, target
        Scheme and edition, both always stated.

    Returns
    -------
    rows
        One per distinct code, in order of code; the counts add up to the number of features.

    Raises
    ------
    RuleBookError
        A scheme or an edition is missing or unknown, or there is no table between the two.
    """
    table = mapping(source, target)
    counts = Counter(_text(code) for code in codes)
    return tuple(_code_row(table, code, counts[code]) for code in sorted(counts))


def _code_row(table: ClassMapping, code: str, count: int) -> CodeRow:
    if not code:
        return CodeRow("", "", count, CodeState.MISSING, note="没有填写地类编码")
    found = table.conversions.get(code)
    if found is None:
        note = f"{_shown(table.source.key)}没有这个编码"
        return CodeRow(code, "", count, CodeState.UNKNOWN, note=note)
    state = CodeState.SPLIT if found.kind is MappingKind.SPLIT else CodeState.CONVERTED
    targets = tuple(t.code for t in found.targets)
    return CodeRow(code, found.name, count, state, targets, found.kind, found.note)


def _text(code: object) -> str:
    text = "" if code is None else str(code).strip()
    return "" if text.lower() in _MISSING else text


def _shown(key: tuple[str, str]) -> str:
    return f"{key[0]}（{key[1]}）"


# --- tables --------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _mappings() -> Mapping[tuple[tuple[str, str], tuple[str, str]], ClassMapping]:
    found = {}
    for row in read_toml("mappings.toml")["mapping"]:
        source, target = scheme(*row["source"]), scheme(*row["target"])
        found[(source.key, target.key)] = ClassMapping(
            source=source,
            target=target,
            origin=row["origin"],
            verified=row["verified"],
            checked_on=row["checked_on"],
            conversions={
                line["from"]: _conversion(line, source, target) for line in read_rows(row["file"])
            },
        )
    return found


def _conversion(line: Mapping[str, str], source: Scheme, target: Scheme) -> Conversion:
    return Conversion(
        code=line["from"],
        name=source.name(line["from"]),
        targets=tuple(target.land_class(code) for code in line["to"].split()),
        kind=MappingKind(line["kind"]),
        note=line["note"],
        source=source.key,
        target=target.key,
    )
