"""What does one cell of the register say?

Texts in, values out; what cannot be read is a sentence, never a guess. The same words are read
from ``projects.csv`` and written back to it.
"""

from __future__ import annotations

import math
import re
from datetime import date
from typing import TypeAlias

from gis.portfolio.columns import WORDS, Column, Kind
from gis.units import m2_to_mu

Value: TypeAlias = str | float | int | None

MAX_TEXT = 2000
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", re.ASCII)
_AMOUNT = re.compile(r"\d{1,12}(\.\d{1,6})?|\d{1,3}(,\d{3}){1,3}(\.\d{1,6})?", re.ASCII)
_DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


class CellError(ValueError):
    """A cell that cannot be read; the message says what stands there and what should."""


def read_cell(column: Column, text: str) -> Value:
    """Return the value of a cell, None for an empty one.

    Raises
    ------
    CellError
        It holds something else than its column is for.

    Examples
    --------
    >>> from gis.portfolio.columns import BY_NAME
    >>> read_cell(BY_NAME["investment_wan"], "154,234"), read_cell(BY_NAME["period"], "2020-02至")
    (154234.0, '2020-02至')
    """
    text = text.strip()
    if not text:
        return None
    if _CONTROL.search(text):
        raise CellError("含有换行或控制字符，应为一行文字")
    if len(text) > MAX_TEXT:
        raise CellError(f"有 {len(text)} 个字，应不超过 {MAX_TEXT} 个")
    readers = {
        Kind.ID: _id,
        Kind.AMOUNT: _amount,
        Kind.ORDER: _order,
        Kind.DAY: _day,
        Kind.PERIOD: _period,
    }
    if column.kind in WORDS:
        return _word(text, WORDS[column.kind])
    reader = readers.get(column.kind)
    return text if reader is None else reader(text)


def shown(value: Value) -> str:
    """Return a value as it is written into a cell; numbers without idle zeros.

    >>> shown(154234.0), shown(419.17), shown(None), shown("")
    ('154234', '419.17', '', '')
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def earliest(text: str) -> date:
    """Return the first day that a date as written may mean.

    >>> earliest("2020-02"), earliest("2019")
    (datetime.date(2020, 2, 1), datetime.date(2019, 1, 1))
    """
    found = _DAY.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return date(int(found[1]), int(found[2] or 1), int(found[3] or 1))


def ends_of(period: str) -> tuple[str, str]:
    """Return begin and end of a period as written; an end that is not stated is empty.

    >>> ends_of("2019-08至2023-12"), ends_of("2022-06")
    (('2019-08', '2023-12'), ('2022-06', ''))
    """
    begin, _, end = period.partition("至")
    return begin, end


def differs(area_m2: float, stated_mu: float, share: float) -> bool:
    """Whether an area is not the stated one: by more than a share of it."""
    return abs(m2_to_mu(area_m2) - stated_mu) > share * stated_mu


def _id(text: str) -> Value:
    if not _ID.fullmatch(text):
        raise CellError(f"为“{text[:40]}”，应为字母、数字和 - _ . 组成的编号，不超过 40 个字符")
    return text


def _amount(text: str) -> Value:
    if not _AMOUNT.fullmatch(text):
        raise CellError(f"为“{text[:40]}”，应为不小于 0 的数，如 15000 或 419.17")
    value = float(text.replace(",", ""))
    if not math.isfinite(value):
        raise CellError(f"为“{text[:40]}”，应为有限的数")
    return value


def _order(text: str) -> Value:
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text) > 0):
        raise CellError(f"为“{text[:40]}”，应为从 1 开始的整数")
    return int(text)


def _day(text: str) -> Value:
    try:
        earliest(text)
    except ValueError:
        raise CellError(f"为“{text[:40]}”，应为 2022-06-15、2022-06 或 2022 这样的日期") from None
    return text


def _period(text: str) -> Value:
    begin, end = ends_of(text)
    try:
        first = earliest(begin)
        last = earliest(end) if end else None
    except ValueError:
        raise CellError(f"为“{text[:40]}”，应为 2020-02至2022-10 这样的起止时间") from None
    if last is not None and (last < first and not first.isoformat().startswith(end)):
        raise CellError(f"为“{text[:40]}”，结束早于开始")
    return text


def _word(text: str, words: tuple[str, ...]) -> Value:
    if text not in words:
        raise CellError(f"为“{text[:40]}”，应为 {'或'.join(words)}")
    return text
