"""What does the head of a boundary-point TXT say about its coordinates?

The section [属性描述] names datum, zone width, zone number, projection and unit. Keys are spelled
in many ways, and missing or empty ones are usual; a statement that contradicts CGCS2000 in
Gauss-Krüger metres is refused. It never looks at the coordinates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gis.crs import gauss_kruger_epsg, refuse_old_datum
from gis.errors import CrsError
from gis.intake.draft import Declared, Faults
from gis.model import Remark

# Spelling in the wild -> the key of the form.
_ALIASES = {
    "坐标系统": "坐标系",
    "坐标系名称": "坐标系",
    "坐标系类型": "坐标系",
    "分带": "几度分带",
    "分带方式": "几度分带",
    "度带": "几度分带",
    "投影": "投影类型",
    "投影方式": "投影类型",
    "单位": "计量单位",
    "坐标单位": "计量单位",
    "投影带号": "带号",
    "代号": "带号",
}
_CHINESE_DIGITS = {"三": 3, "六": 6}


@dataclass(frozen=True, slots=True)
class HeadLine:
    """One ``key=value`` of the head with its line number."""

    value: str
    line: int


def key_of(text: str) -> str:
    """Return the key of the form for a key as spelled."""
    key = re.sub(r"\s+", "", text)
    return _ALIASES.get(key, key)


def declared_crs(
    head: Mapping[str, HeadLine], faults: Faults
) -> tuple[Declared | None, list[Remark]]:
    """Return what the head says about the CRS; faults of the head are added to ``faults``.

    Raises
    ------
    CrsError
        Another datum than CGCS2000 (or WGS 84), another projection or unit.
    """
    notes = _check_datum(head)
    _check_projection(head)
    zone = _zone(head, faults)
    width = _width(head, faults)
    if zone is None:
        return None, notes
    with_prefix = gauss_kruger_epsg(zone, prefixed=True)
    without = gauss_kruger_epsg(zone, prefixed=False)
    if with_prefix is None or without is None:
        faults.add(
            f"第 {head['带号'].line} 行", f"带号 {zone} 不在 13–23（6度带）或 25–45（3度带）内"
        )
        return None, notes
    if width is not None and width != (3 if zone >= 25 else 6):
        faults.add(f"第 {head['带号'].line} 行", f"带号 {zone} 与几度分带 {width} 矛盾")
        return None, notes
    return Declared((with_prefix, without), f"带号 {zone}"), notes


def _check_datum(head: Mapping[str, HeadLine]) -> list[Remark]:
    row = head.get("坐标系")
    if row is None or not row.value:
        return [Remark("datum_not_stated", "文件未写坐标系，按 2000国家大地坐标系理解")]
    text = re.sub(r"\s+", "", row.value)
    refuse_old_datum(text)
    if re.search(r"(^|\D)(19)?(80|54)(\D|$)", text):
        refuse_old_datum("1980西安" if "80" in text else "1954北京")
    upper = text.upper()
    if "2000" in upper or "CGCS" in upper:
        return []
    if "WGS" in upper:
        return [Remark("wgs84_as_cgcs2000", "坐标系写作 WGS 84，按 CGCS2000 理解")]
    raise CrsError(
        f"第 {row.line} 行坐标系写作“{row.value[:40]}”",
        expected="2000国家大地坐标系",
        advice="地方或独立坐标系请先由测绘单位转换",
    )


def _check_projection(head: Mapping[str, HeadLine]) -> None:
    row = head.get("投影类型")
    if row is not None and row.value and not re.search("高斯|gauss|GK", row.value, re.IGNORECASE):
        raise CrsError(
            f"第 {row.line} 行投影类型写作“{row.value[:40]}”", expected="高斯克吕格（高斯-克吕格）"
        )
    row = head.get("计量单位")
    if (
        row is not None
        and row.value
        and row.value.lower() not in ("米", "m", "meter", "metre", "度")
    ):
        raise CrsError(f"第 {row.line} 行计量单位写作“{row.value[:20]}”", expected="米")


def _zone(head: Mapping[str, HeadLine], faults: Faults) -> int | None:
    row = head.get("带号")
    if row is None or not row.value:
        return None
    found = re.fullmatch(r"第?(\d{1,3})带?", row.value)
    if found is None:
        faults.add(f"第 {row.line} 行", f"带号“{row.value[:20]}”不是数字")
        return None
    return int(found[1]) or None


def _width(head: Mapping[str, HeadLine], faults: Faults) -> int | None:
    row = head.get("几度分带")
    if row is None or not row.value:
        return None
    found = re.search(r"[36三六]", row.value)
    if found is None:
        faults.add(f"第 {row.line} 行", f"几度分带“{row.value[:20]}”应为 3 或 6")
        return None
    return _CHINESE_DIGITS.get(found[0]) or int(found[0])
