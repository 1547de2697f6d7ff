"""Is this text strict JSON, and what does it hold?

The parser of the standard library takes NaN, keeps the last of two equal keys and recurses as deep
as the text wants; here each of these is refused, with its JSON path or a limit that is checked
before anything is parsed. It knows nothing of GeoJSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from gis.errors import FormatError, InputError, LimitError
from gis.intake.draft import MAX_FAULTS, MAX_VERTICES, Faults, clean_text

# GeoJSON needs eleven; properties may hold objects of their own.
MAX_DEPTH = 64
# One per vertex, and as many again for features, rings and properties.
MAX_CONTAINERS = 2 * MAX_VERTICES
# The largest number that fits a double has 309 digits; Python itself stops at 4,300.
_MAX_DIGITS = 400

# What a byte means for the nesting; bytes above 127 are parts of characters.
_OPEN, _CLOSE, _QUOTE = 1, 2, 3
_ROLE = np.zeros(256, dtype=np.uint8)
_ROLE[list(b"[{")] = _OPEN
_ROLE[list(b"]}")] = _CLOSE
_ROLE[list(b'"')] = _QUOTE


class Unusable(str):
    """Stands where the text has something that is no number: NaN, or thousands of digits."""

    __slots__ = ()


_CONSTANTS = {word: Unusable(word) for word in ("NaN", "Infinity", "-Infinity")}


class _Twice(dict[str, Any]):
    """An object with repeated keys; ``pairs`` are all its members as written."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


class Parsed(NamedTuple):
    """What a text holds, and every place where it is not strict JSON.

    Where a number is no number stands an ``Unusable``. With ``repeats`` a key stands twice
    somewhere, so that nobody knows what the text means; the last one is taken.
    """

    root: Any
    faults: Faults
    repeats: bool


def parse_json(text: str) -> Parsed:
    """Return what the text holds.

    Raises
    ------
    FormatError
        Not JSON at all; tells line and column.
    LimitError
        Too deep, or too many objects and arrays.
    """
    check_nesting(text)
    try:
        return Parsed(_plain(text), Faults(), repeats=False)
    except (_OddError, ValueError):  # to be told with its place
        odd = _Oddities()
    try:
        root = odd.load(text)
    except json.JSONDecodeError as error:
        raise _broken(text, error) from None
    return Parsed(root, odd.faults(root), odd.repeats)


class _OddError(Exception):
    """Something that strict JSON does not have."""


def _only_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _OddError
    return found


def _no_number(word: str) -> float:
    raise _OddError(word)


_plain = json.JSONDecoder(object_pairs_hook=_only_once, parse_constant=_no_number).decode


def canonical_text(value: Mapping[str, Any]) -> str:
    """Return a mapping as one JSON text: sorted keys, no blanks.

    Raises
    ------
    FormatError
        The mapping holds something that JSON cannot.
    LimitError
        Nested too deep, or in itself.
    """
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        inner = [child for holder in level for child in _members(holder)]
        level = [child for child in inner if isinstance(child, dict | list | tuple)]
        if not level:
            break
    else:
        raise _too_deep()
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError):
        raise FormatError("对象中有 JSON 不能表示的内容", expected="GeoJSON 对象（字典）") from None


def _members(holder: Any) -> Any:
    return holder.values() if isinstance(holder, Mapping) else holder


def check_nesting(text: str) -> None:
    """Raise LimitError when the text nests too deep or opens too many objects and arrays.

    Brackets inside strings do not count. Exact up to the first mistake in the text, which is as
    far as a parser gets.
    """
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return  # so few, in strings or not, that no more can lie in each other
    # First pairs of backslashes, then escaped quotes: every quote that is left begins or ends one.
    plain = text.encode("utf-8", "surrogatepass").replace(b"\\\\", b"").replace(b'\\"', b"")
    roles = _ROLE[np.frombuffer(plain, dtype=np.uint8)]
    roles = roles[roles != 0]
    quotes = roles == _QUOTE
    roles[np.logical_xor.accumulate(quotes) | quotes] = 0
    opened = np.cumsum(roles == _OPEN, dtype=np.int32)
    if not opened.size:
        return
    depth = opened - np.cumsum(roles == _CLOSE, dtype=np.int32)
    if int(depth.max()) > MAX_DEPTH:
        raise _too_deep()
    if int(opened[-1]) > MAX_CONTAINERS:
        raise LimitError(
            f"JSON 中有 {int(opened[-1])} 个数组和对象",
            expected=f"不超过 {MAX_VERTICES} 个顶点",
            advice="简化图形或分成几个文件提交",
        )


def _too_deep() -> LimitError:
    return LimitError(f"JSON 嵌套超过 {MAX_DEPTH} 层", expected=f"不超过 {MAX_DEPTH} 层")


def _broken(text: str, error: json.JSONDecodeError) -> InputError:
    where = f"第 {error.lineno} 行第 {error.colno} 列"
    if text[1:2] == "\x00":
        return FormatError(
            "JSON 是 UTF-16 或 UTF-32 编码，没有字节顺序标记（BOM）",
            expected="UTF-8",
            advice="另存为 UTF-8，或用 encoding 写明编码，如 utf-16-le",
        )
    faults = Faults()
    rest = error.msg == "Extra data"
    faults.add(where, "JSON 到此已经结束，后面还有内容" if rest else "附近不符合 JSON 的写法")
    return faults.error(FormatError, "不是有效的 JSON", expected="完整的 GeoJSON 文本")


class _Oddities:
    """Loads a text and counts what strict JSON does not have."""

    def __init__(self) -> None:
        self.count = 0
        self.repeats = False

    def load(self, text: str) -> Any:
        hooks: dict[str, Any] = {
            "parse_constant": self._constant,
            "object_pairs_hook": self._object,
        }
        try:
            return json.loads(text, **hooks)
        except json.JSONDecodeError:
            raise
        except ValueError:
            # An integer of thousands of digits. A hook for integers is slow, so only now.
            self.count = 0
            return json.loads(text, parse_int=self._integer, **hooks)

    def faults(self, root: Any) -> Faults:
        """Return the first of them with their paths; the others are only counted."""
        faults = Faults()
        if self.count:
            for where, message in islice(_found(root, "$"), MAX_FAULTS):
                faults.add(where, message)
            faults.more = self.count - len(faults.rows)
        return faults

    def _constant(self, word: str) -> Unusable:
        self.count += 1
        return _CONSTANTS[word]

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        self.count += len(pairs) - len(found)
        self.repeats = True
        return _Twice(pairs)

    def _integer(self, digits: str) -> int | Unusable:
        if len(digits) <= _MAX_DIGITS:
            return int(digits)
        self.count += 1
        return Unusable(f"{len(digits)} 位的整数")


def _found(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield path and message of every oddity under a value."""
    if isinstance(value, Unusable):
        yield path, f"{value} 不是可用的数值"
    elif isinstance(value, list):
        for i, item in enumerate(value):
            if isinstance(item, list | dict | Unusable):
                yield from _found(item, f"{path}[{i}]")
    elif isinstance(value, dict):
        told: set[str] = set()
        for key, item in value.pairs if isinstance(value, _Twice) else value.items():
            here = path + _step(key)
            if key in told:
                yield here, "键重复出现，不知以哪一个为准"
            told.add(key)
            if isinstance(item, list | dict | Unusable):
                yield from _found(item, here)


def _step(key: str) -> str:
    shown = clean_text(key, limit=40)[0]
    return f".{shown}" if shown == key and key.isidentifier() else f'["{shown}"]'
