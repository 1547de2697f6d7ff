"""WKT and EWKT: which sites does a text such as ``SRID=4548;POLYGON ((…))`` draw?

An own small reader, so that a fault is told with part, ring and point, and nothing but numbers is
accepted as a number. Several geometries in one text are several sites. Curves are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from gis.errors import FormatError
from gis.intake.draft import (
    Declared,
    Document,
    Draft,
    Faults,
    Ring,
    Shape,
    ShapeKind,
    as_array,
    check_features,
    check_rings,
    check_vertices,
    clean_text,
)

_KINDS = {
    "POLYGON": ShapeKind.AREA,
    "MULTIPOLYGON": ShapeKind.AREA,
    "LINESTRING": ShapeKind.LINE,
    "MULTILINESTRING": ShapeKind.LINE,
    "POINT": ShapeKind.POINT,
    "MULTIPOINT": ShapeKind.POINT,
}
_TOKEN = re.compile(r"\s*(?:([A-Za-z]+)|([^\s(),;A-Za-z][^\s(),;]*)|([(),;]))")
_SRID = re.compile(r"\s*SRID\s*=\s*(\d{1,6})\s*;", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
START = re.compile(
    r"\s*(SRID\s*=\s*\d+\s*;\s*)?"
    r"(MULTI|CURVE|COMPOUND)?(POINT|LINESTRING|POLYGON|CURVE|SURFACE|GEOMETRYCOLLECTION|CIRCULARSTRING"
    r"|TRIANGLE|TIN)\s*(Z|M|ZM)?\s*(\(|EMPTY)",
    re.IGNORECASE,
)


def read_wkt(text: str) -> Document:
    """Return the sites of a WKT text, one per geometry.

    Raises
    ------
    FormatError
        Not WKT, a kind of geometry that is not accepted, or members that are no numbers.
    LimitError
        Too many vertices or geometries.
    """
    # Fewer commas stand between rings and parts than brackets open, so this many vertices are sure.
    check_vertices(text.count(",") - text.count("("))
    found = _SRID.match(text)
    declared = Declared((int(found[1]),), f"SRID={found[1]}") if found else None
    reader = _Reader(text, found.end() if found else 0)
    drafts: list[Draft] = []
    while reader.more():
        drafts.append(Draft(f"地块 {len(drafts) + 1}", reader.geometry(len(drafts) + 1)))
        check_features(len(drafts))
    if reader.faults:
        raise reader.faults.error(FormatError, "WKT 有错误", advice="按所列位置改正")
    return Document("wkt", tuple(drafts), declared=declared)


class _Reader:
    """A cursor over the tokens of a WKT text."""

    def __init__(self, text: str, start: int) -> None:
        self.text = text.rstrip()
        self.at = start
        self.faults = Faults()
        self.vertices = 0
        self.dimensions: set[int] = set()

    def more(self) -> bool:
        """Whether another geometry follows; separators between geometries are skipped."""
        while self._peek() == ";":
            self._next()
        return self.at < len(self.text)

    def geometry(self, number: int) -> Shape:
        word = self._next().upper()
        flag = ""
        for suffix in ("ZM", "Z", "M"):
            if word not in _KINDS and word.endswith(suffix) and word[: -len(suffix)] in _KINDS:
                word, flag = word[: -len(suffix)], suffix
        if word not in _KINDS:
            raise FormatError(
                f"WKT 中的“{clean_text(word, limit=30)[0]}”不是可接受的图形",
                expected="POLYGON、MULTIPOLYGON，或带宽度的 LINESTRING",
            )
        if self._peek().upper() in ("Z", "M", "ZM"):
            flag = self._next().upper()
        where = f"第 {number} 个图形"
        if self._peek().upper() == "EMPTY":
            self._next()
            return Shape(ShapeKind.EMPTY, where)
        return self._body(word, flag, where)

    def _body(self, word: str, flag: str, where: str) -> Shape:
        kind = _KINDS[word]
        if kind is ShapeKind.POINT:
            self.at = len(self.text)  # refused anyway, so the rest does not matter
            return Shape(kind, where)
        self.dimensions = set()
        parts: list[tuple[Ring, ...]]
        if word == "LINESTRING":
            parts = [(self._ring(where),)]
        elif word == "MULTILINESTRING":
            lines = self._list(lambda n: self._ring(f"{where}第 {n} 条线"))
            parts = [(line,) for line in lines]
        elif word == "POLYGON":
            parts = [self._rings(where)]
        else:
            parts = self._list(lambda n: self._rings(f"{where}第 {n} 个面"))
        has_z = "Z" in flag or (3 in self.dimensions and flag != "M") or 4 in self.dimensions
        has_m = "M" in flag or 4 in self.dimensions
        return Shape(kind, where, tuple(parts), has_z, has_m)

    def _rings(self, where: str) -> tuple[Ring, ...]:
        return tuple(self._list(lambda n: self._ring(f"{where}第 {n} 环")))

    def _list(self, read: Callable[[int], Ring | tuple[Ring, ...]]) -> list:  # type: ignore[type-arg]  # rings or tuples of them, as read gives
        self._expect("(")
        items = [read(1)]
        while self._peek() == ",":
            self._next()
            items.append(read(len(items) + 1))
            check_rings(len(items))
        self._expect(")")
        return items

    def _ring(self, where: str) -> Ring:
        points: list[tuple[float, float]] = []
        self._expect("(")
        while True:
            points.append(self._position(f"{where}第 {len(points) + 1} 点"))
            self.vertices += 1
            check_vertices(self.vertices)
            token = self._next()
            if token == ")":
                return Ring(as_array(points), lambda i: f"{where}第 {i + 1} 点")
            if token != ",":
                self._fail(token, "，或）")

    def _position(self, where: str) -> tuple[float, float]:
        members: list[str] = []
        while self._peek() not in (",", ")", "(", ""):
            members.append(self._next())
            if len(members) > 4:
                self._fail(members[-1], "，或）")
        self.dimensions.add(len(members))
        values = [float(m) if _NUMBER.fullmatch(m) else math.nan for m in members]
        if not 2 <= len(members) <= 4:
            self.faults.add(where, f"有 {len(members)} 个数，应为 2 至 4 个")
        elif not all(map(math.isfinite, values)):
            bad = next(m for m, v in zip(members, values, strict=True) if not math.isfinite(v))
            self.faults.add(where, f"“{clean_text(bad, limit=20)[0]}”不是有限的数值")
        return (values[0], values[1]) if len(values) >= 2 else (math.nan, math.nan)

    def _peek(self) -> str:
        found = _TOKEN.match(self.text, self.at)
        return (found[1] or found[2] or found[3]) if found else ""

    def _next(self) -> str:
        found = _TOKEN.match(self.text, self.at)
        if found is None:
            if self.text[self.at :].strip():
                self._fail(self.text[self.at :].strip()[:1], "WKT 文本")
            return ""
        self.at = found.end()
        return found[1] or found[2] or found[3]

    def _expect(self, token: str) -> None:
        found = self._next()
        if found != token:
            self._fail(found, token)

    def _fail(self, found: str, expected: str) -> None:
        shown = clean_text(found, limit=20)[0] or "结尾"
        raise FormatError(
            f"WKT 第 {self.at} 个字符附近有错误：遇到“{shown}”", expected=f"“{expected}”"
        )
