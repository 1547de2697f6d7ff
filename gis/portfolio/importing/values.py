"""What does a cell of a bureau's list say, in the words of the register?

Dates stand as days since 1900, as 2022.6 or as 2022年6月; money in yuan, 10,000 yuan or 亿元;
approvals with body and number in one cell. What can be read in two ways is told, never guessed.
"""

from __future__ import annotations

import math
import re
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from gis.intake.table.cells import Cell, Unreadable, plain, text_of
from gis.portfolio.approvals import is_not_yet
from gis.portfolio.cells import MAX_TEXT, CellError, earliest
from gis.portfolio.columns import CLOSED, OPEN
from gis.units import M2_PER_HA, M2_PER_MU

_NOTHING = re.compile(r"[/\\—–\-－×无]*|无|空|暂无|n/?a", re.IGNORECASE)
_SERIAL = range(20_000, 80_000)  # 1954 to 2119
_WAN = {"元": Decimal("0.0001"), "万元": Decimal(1), "亿元": Decimal(10_000)}
_AREA_M2 = {
    "亩": M2_PER_MU, "公顷": M2_PER_HA, "hm2": M2_PER_HA, "平方米": 1.0, "㎡": 1.0, "m2": 1.0,
    "万平方米": 10_000.0, "万㎡": 10_000.0,
}  # fmt: skip
_SUM = re.compile(r"(?:约|共|合计|计划)?\s*([\d,]+(?:\.\d+)?)\s*(亿元?|万元?|元)?")
_SIZE = re.compile(r"(?:约|共)?\s*([\d,]+(?:\.\d+)?)\s*(万平方米|万㎡|平方米|㎡|m2|公顷|hm2|亩)?")
_DAY = re.compile(r"(\d{4})(?:[.\-/年](\d{1,2})(?:[.\-/月](\d{1,2})日?)?月?(?:份|底|初)?|年)?")
_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})?")
_ONE = r"\d{4}(?:(?:[./年]|-(?=\d{1,2}(?!\d)))\d{1,2})?[月年]?"
_SPAN = re.compile(rf"({_ONE})\s*(?:[-—–~～－]+|至|到)\s*({_ONE}|今)")
_BODY = re.compile(
    r"([\u4e00-\u9fff()]{2,30}?(?:局|委员会|政府|厅|中心|管委会|委|处))[\s,，:：;；]*(?=\S)(.+)"
)
_YES = re.compile(r"[√✓是有]|已办(?:理|结)?|已取得|已批复|齐全")
_NO = re.compile(r"[×✗否无]|没有")


def read_wan(cell: Cell, unit: str) -> float | None:
    """Return a sum in 10,000 yuan; None for an empty cell.

    >>> read_wan("1.5亿元", "万元"), read_wan(36000.0, "万元"), read_wan("/", "万元")
    (15000.0, 36000.0, None)
    """
    found = _number(cell, _SUM)
    if found is None:
        return None
    value, own = found
    named = own if own.endswith("元") or not own else f"{own}元"
    if not (named or unit):
        raise CellError("没有写明单位（元、万元或亿元）")
    return float(value * _WAN[named or unit])


def read_area(cell: Cell, unit: str, per_m2: float) -> float | None:
    """Return an area in the unit of so many m²; None for an empty cell.

    >>> read_area("约121亩", "", M2_PER_MU), read_area(2.0, "公顷", M2_PER_MU)
    (121.0, 30.0)
    """
    found = _number(cell, _SIZE)
    if found is None:
        return None
    value, own = found
    if not (own or unit):
        raise CellError("没有写明单位（亩、公顷或平方米）")
    named = _AREA_M2[own or unit]
    if named == per_m2:
        return float(value)
    return round(float(value) * named / per_m2, 6)


def _number(cell: Cell, pattern: re.Pattern[str]) -> tuple[Decimal, str] | None:
    if isinstance(cell, Unreadable):
        raise CellError(cell.why)
    if isinstance(cell, bool):
        raise CellError("是逻辑值，应为数")
    if isinstance(cell, float):
        return _positive(Decimal(repr(cell)), repr(cell)), ""
    text = plain(text_of(cell))
    if _NOTHING.fullmatch(text):
        return None
    found = pattern.fullmatch(text)
    if found is None:
        raise CellError(f"为“{text[:40]}”，应为数")
    try:
        return _positive(Decimal(found[1].replace(",", "")), text), found[2] or ""
    except InvalidOperation:
        raise CellError(f"为“{text[:40]}”，应为数") from None


def _positive(value: Decimal, shown: str) -> Decimal:
    if not math.isfinite(value) or value < 0 or value > 10**12:
        raise CellError(f"为“{shown[:40]}”，应为不小于 0 的数")
    return value


# --- dates ---------------------------------------------------------------------------------------


def read_day(cell: Cell, *, has_1904: bool = False) -> str | None:
    """Return a date as the register writes it; None for an empty cell.

    >>> read_day("2022年6月"), read_day(44713.0), read_day("2022.06.01")
    ('2022-06', '2022-06-01', '2022-06-01')
    """
    if isinstance(cell, Unreadable):
        return _stored(cell, has_1904=has_1904)
    if isinstance(cell, float):
        return _counted(cell, has_1904=has_1904)
    text = plain(text_of(cell))
    if _NOTHING.fullmatch(text):
        return None
    found = _DAY.fullmatch(text) or _DIGITS.fullmatch(text)
    if found is None:
        raise CellError(f"为“{text[:40]}”，应为 2022.6、2022年6月 或 2022-06-15 这样的日期")
    return _checked("-".join(f"{int(g):02d}" for g in found.groups() if g), text)


def read_period(cell: Cell, *, has_1904: bool = False) -> str | None:
    """Return a period as the register writes it; None for an empty cell.

    >>> read_period("2019.8-2023.12"), read_period("2019—2023"), read_period("2022年6月至今")
    ('2019-08至2023-12', '2019至2023', '2022-06至')
    """
    text = plain(text_of(cell)) if isinstance(cell, str) else ""
    found = _SPAN.fullmatch(re.sub(r"\s+", "", text))
    if found is None:
        return read_day(cell, has_1904=has_1904)
    begin = read_day(found[1].rstrip("月"))
    end = "" if found[2] == "今" else read_day(found[2].rstrip("月"))
    if end and begin and earliest(end) < earliest(begin) and not begin.startswith(end):
        raise CellError(f"为“{text[:40]}”，结束早于开始")
    return f"{begin}至{end}"


def _stored(cell: Unreadable, *, has_1904: bool) -> str:
    """Return the day that a date cell of a workbook holds."""
    if not cell.stored:
        raise CellError(cell.why)
    if re.match(r"\d{4}-\d{2}-\d{2}", cell.stored):
        return _checked(cell.stored[:10], cell.stored)
    return _serial(float(cell.stored), has_1904=has_1904)


def _counted(value: float, *, has_1904: bool) -> str:
    """Return the day that a plain number means: 44713, 2022, 2022.6 or 202206."""
    if int(value) in _SERIAL:
        return _serial(value, has_1904=has_1904)
    whole, _, fraction = repr(value).partition(".")
    if value.is_integer():
        found = _DIGITS.fullmatch(whole)
        parts = [whole] if len(whole) == 4 else [g for g in found.groups() if g] if found else []
        if parts:
            return _checked("-".join(parts), whole)
    elif len(whole) == 4 and len(fraction) <= 2:
        if fraction == "1":
            raise CellError(
                f"是数字 {value}，分不清是 1 月还是 10 月，应写成 {whole}年1月 或 {whole}年10月"
            )
        return _checked(f"{whole}-{int(fraction):02d}", repr(value))
    raise CellError(f"为“{value:g}”，应为日期")


def _serial(value: float, *, has_1904: bool) -> str:
    base = date(1904, 1, 1) if has_1904 else date(1899, 12, 30)
    if int(value) not in _SERIAL:
        raise CellError(f"为日期数 {value:g}，不在 1954 至 2119 年之间")
    return (base + timedelta(days=int(value))).isoformat()


def _checked(text: str, shown: str) -> str:
    try:
        earliest(text)
    except ValueError:
        raise CellError(f"为“{shown[:40]}”，不是有效的日期") from None
    return text


# --- words ---------------------------------------------------------------------------------------


def read_text(cell: Cell) -> str | None:
    """Return a text on one line; None for an empty cell or a mere dash."""
    if isinstance(cell, Unreadable):
        raise CellError(cell.why)
    parts = [part.strip() for part in re.split(r"[\r\n\v\f\u2028\u2029]+", text_of(cell))]
    text = re.sub(r"[\x00-\x1f\x7f]", " ", "；".join(part for part in parts if part)).strip()
    if re.fullmatch(r"[/\\—–\-－]*", text):
        return None
    if len(text) > MAX_TEXT:
        raise CellError(f"有 {len(text)} 个字，应不超过 {MAX_TEXT} 个")
    return text


def read_paper(cell: Cell) -> tuple[str | None, str | None]:
    """Return who gave an approval, and its number or the word that it is not there yet.

    >>> read_paper("某市自然资源局 地字第371501201930004号")
    ('某市自然资源局', '地字第371501201930004号')
    >>> read_paper("无"), read_paper("√")
    ((None, '未办理'), (None, '已办理'))
    """
    text = read_text(cell)
    if text is None:
        return None, None
    if _NO.fullmatch(text):
        return None, "未办理"
    if _YES.fullmatch(text):
        return None, "已办理"
    if not is_not_yet(text) and (found := _BODY.fullmatch(text)):
        return found[1], found[2].strip()
    return None, text


def read_state(cell: Cell) -> str | None:
    """Return 已销号 or 未销号; None for an empty cell.

    >>> read_state("是"), read_state("未销号")
    ('已销号', '未销号')
    """
    text = read_text(cell)
    if text is None:
        return None
    if re.fullmatch(r"否|×|未(?:销号|解决|完成)?|没有|正在.*|尚未.*", text):
        return OPEN
    if re.fullmatch(r"是|√|已(?:销号|解决|完成)", text):
        return CLOSED
    raise CellError(f"为“{text[:40]}”，应为 {CLOSED} 或 {OPEN}")
