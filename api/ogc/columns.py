"""Which attributes do features have, and which features have the values that a query asks for?

Attributes are columns of equal length. A comparison with an empty value is neither true nor false,
as in SQL, so that ``NOT`` does not find what is not known. Geometry is not looked at.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from api.errors import QueryError

Array = np.ndarray[Any, Any]

# A pattern with many wildcards takes its time on a text that it almost fits.
_MOST_WILDCARDS = 4
CONDITIONS = "=、<>、<、<=、>、>=、[NOT] LIKE、[NOT] IN、BETWEEN、IS [NOT] NULL，以 AND、OR 相连"
_NUMBER, _TEXT = "number", "string"


@dataclass(frozen=True, slots=True)
class Field:
    """One attribute: its title for people, ``number`` or ``string``, and whether one may ask by it.

    ``format`` is that of JSON Schema, "" for none.
    """

    title: str
    type: str = _TEXT
    format: str = ""
    is_queryable: bool = True

    @property
    def schema(self) -> dict[str, Any]:
        """The field as JSON Schema; a new object, because its readers change it."""
        row = {"title": self.title, "type": self.type}
        return row | ({"format": self.format} if self.format else {})


def field_type(values: Array) -> str:
    """Return the type of a column: ``number`` when it has nothing else."""
    known = [value for value in values if value is not None]
    return _NUMBER if known and all(isinstance(v, float) for v in known) else _TEXT


def objects(values: list[Any]) -> Array:
    """Return values as a column."""
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known to hold and what is known not to hold, feature by feature."""

    yes: Array
    no: Array

    def __and__(self, other: Truth) -> Truth:
        return Truth(self.yes & other.yes, self.no | other.no)

    def __or__(self, other: Truth) -> Truth:
        return Truth(self.yes | other.yes, self.no & other.no)

    def __invert__(self) -> Truth:
        return Truth(self.no, self.yes)


class Columns:
    """The attributes of features.

    Parameters
    ----------
    fields
        What each column is.
    values
        Object arrays of equal length; None is an empty value.
    length
        Number of features.
    """

    def __init__(
        self, fields: Mapping[str, Field], values: Mapping[str, Array], length: int
    ) -> None:
        self._fields = fields
        self._values = values
        self._length = length

    def equal(self, pairs: Sequence[tuple[str, str]]) -> Array:
        """Return which features have all of these values, given as texts (``name=value``)."""
        found = np.ones(self._length, dtype=bool)
        for name, text in pairs:
            wanted = _number(name, text) if self._field(name).type == _NUMBER else text
            found &= self._compared(name, partial(operator.eq, wanted)).yes
        return found

    def holds(self, condition: Any) -> Array:
        """Return for which features a parsed CQL text is true.

        Raises
        ------
        QueryError
            It compares what cannot be compared, or uses what is not offered.
        """
        return self._truth(condition).yes

    def ordered(self, at: Array, sort: Sequence[tuple[str, bool]]) -> Array:
        """Return row numbers sorted by columns, each with whether it goes down; empty ones last."""
        rows = at.tolist()
        for name, is_falling in reversed(sort):
            values = self._column(name)
            known = [row for row in rows if values[row] is not None]
            empty = [row for row in rows if values[row] is None]
            rows = [*sorted(known, key=lambda r: values[r], reverse=is_falling), *empty]
        return np.array(rows, dtype=int)

    # --- conditions ------------------------------------------------------------------------------

    def _truth(self, node: Any) -> Truth:
        kind = type(node).__name__
        if kind == "Not":
            return ~self._truth(node.sub_node)
        if kind in ("And", "Or"):
            left, right = self._truth(node.lhs), self._truth(node.rhs)
            return left & right if kind == "And" else left | right
        test = {
            "Between": self._between,
            "In": self._in,
            "Like": self._like,
            "IsNull": self._is_null,
            **dict.fromkeys(_COMPARISONS, self._comparison),
        }.get(kind)
        if test is None:
            raise _not_offered()
        truth = test(node)
        return ~truth if getattr(node, "not_", False) else truth

    def _comparison(self, node: Any) -> Truth:
        name = self._name(node.lhs)
        wanted = self._literal(name, node.rhs)
        compare = _COMPARISONS[type(node).__name__]
        return self._compared(name, lambda value: compare(value, wanted))

    def _between(self, node: Any) -> Truth:
        name = self._name(node.lhs)
        low, high = self._literal(name, node.low), self._literal(name, node.high)
        return self._compared(name, lambda value: low <= value <= high)

    def _in(self, node: Any) -> Truth:
        name = self._name(node.lhs)
        wanted = {self._literal(name, value) for value in node.sub_nodes}
        return self._compared(name, lambda value: value in wanted)

    def _like(self, node: Any) -> Truth:
        name = self._name(node.lhs)
        if self._field(name).type == _NUMBER:
            raise QueryError(f"filter 对数字字段 {name} 使用了 LIKE", expected="文字字段")
        pattern = _pattern(str(node.pattern), ignores_case=bool(node.nocase))
        return self._compared(name, lambda value: pattern.fullmatch(value) is not None)

    def _is_null(self, node: Any) -> Truth:
        values = self._column(self._name(node.lhs))
        empty = np.fromiter((value is None for value in values), bool, self._length)
        return Truth(empty, ~empty)

    def _compared(self, name: str, test: Callable[[Any], bool]) -> Truth:
        values = self._column(name)
        known = np.fromiter((value is not None for value in values), bool, self._length)
        yes = np.fromiter((v is not None and test(v) for v in values), bool, self._length)
        return Truth(yes, known & ~yes)

    def _literal(self, name: str, given: Any) -> Any:
        is_number = isinstance(given, (int, float)) and not isinstance(given, bool)
        if self._field(name).type == _NUMBER and is_number:
            return float(given)
        if self._field(name).type == _TEXT and isinstance(given, str):
            return given
        wanted = "数字，如 5" if self._field(name).type == _NUMBER else "单引号内的文字，如 '0301'"
        raise QueryError(f"filter 中与 {name} 比较的值类型不符", expected=wanted)

    def _name(self, node: Any) -> str:
        if type(node).__name__ != "Attribute":
            raise _not_offered()
        self._field(node.name)
        return str(node.name)

    def _field(self, name: str) -> Field:
        found = self._fields.get(name)
        if found is None or not found.is_queryable:
            offered = "、".join(n for n, f in self._fields.items() if f.is_queryable)
            raise QueryError(f"没有可查询的字段“{name[:60]}”", expected=offered)
        return found

    def _column(self, name: str) -> Array:
        self._field(name)
        return self._values[name]


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equal": operator.eq,
    "NotEqual": operator.ne,
    "LessThan": operator.lt,
    "LessEqual": operator.le,
    "GreaterThan": operator.gt,
    "GreaterEqual": operator.ge,
}


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise QueryError(f"参数 {name} 为“{text[:60]}”", expected="数字") from None


def _pattern(text: str, *, ignores_case: bool) -> re.Pattern[str]:
    """Return a LIKE pattern as a regular expression: ``%`` any text, ``_`` one character."""
    if text.count("%") > _MOST_WILDCARDS:
        raise QueryError(
            f"LIKE 中有 {text.count('%')} 个 %", expected=f"不超过 {_MOST_WILDCARDS} 个"
        )
    parts = {"%": ".*", "_": "."}
    written = "".join(parts.get(letter, re.escape(letter)) for letter in text)
    return re.compile(written, re.DOTALL | (re.IGNORECASE if ignores_case else 0))


def _not_offered() -> QueryError:
    return QueryError(
        "filter 中有不支持的运算",
        expected=CONDITIONS,
        advice="空间条件用 bbox，时间条件用 datetime",
    )
