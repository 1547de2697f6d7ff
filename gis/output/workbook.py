"""How do checks stand in a spreadsheet? One XLSX: sites, findings, areas, scarce land, layers.

Every text is written as text, so nothing that an applicant typed runs as a formula. Numbers stay
numbers. Works from the JSON documents of checks; nothing is measured here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from gis.files import safe_cell, safe_text
from gis.model import citation
from gis.output.export import COLUMNS, sheet_row

Document = Mapping[str, Any]
Row = Sequence[Any]

# A spreadsheet refuses these characters; a name may bring them.
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LONGEST_CELL = 32_767
_WIDEST, _NARROWEST = 60, 9
# A fixed day: equal checks give equal documents.
_STAMP = datetime(2000, 1, 1)
_UNITS = {"area": "m²", "length": "m", "count": "个", "distance": "m"}


def xlsx_bytes(documents: Sequence[Document]) -> bytes:
    """Return the checks as an XLSX workbook with Chinese heads."""
    return book_bytes(_sheets(documents))


def book_bytes(sheets: Iterable[tuple[str, Row, Iterable[Row]]]) -> bytes:
    """Return sheets, each a title, heads and rows, as an XLSX workbook without formulas."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, head, rows in sheets:
        _fill(book.create_sheet(title), head, rows)
    book.properties.creator = "wuqu"
    book.properties.created = book.properties.modified = _STAMP
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def write_xlsx(documents: Sequence[Document], path: Path | str) -> Path:
    """Write ``xlsx_bytes`` to a file; return the path."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(xlsx_bytes(documents))
    return target


def _sheets(documents: Sequence[Document]) -> Iterator[tuple[str, Row, Iterable[Row]]]:
    yield "地块", list(COLUMNS.values()), (list(sheet_row(d).values()) for d in documents)
    yield (
        "各项结论",
        ["地块", "规则", "名称", "结论", "数值", "单位", "占地块比例", "标准", "理由", "依据",
         "主管部门", "处理办法"],
        (row for d in documents for row in _findings(d)),
    )  # fmt: skip
    yield (
        "涉及面积",
        ["地块", "图层", "地类", "名称", "数值", "单位", "平面面积_平方米", "占地块比例"],
        (row for d in documents for row in _evidence(d)),
    )
    yield (
        "用地指标",
        ["地块", "项目", "占用_平方米", "占用前剩余_平方米", "占用后剩余_平方米", "说明"],
        (row for d in documents for row in _impact(d)),
    )
    yield (
        "数据来源",
        ["地块", "图层", "名称", "状态", "现势性", "未覆盖比例", "说明"],
        (row for d in documents for row in _layers(d)),
    )


def _findings(document: Document) -> Iterator[Row]:
    for f in document["findings"]:
        measure = f["measure"] or {}
        yield [
            document["site"]["name"], f["rule"], f["title"], f["verdict_label"],
            measure.get("value"), measure.get("unit"), measure.get("share"), f["threshold"],
            f["reason"], "；".join(citation(b) for b in f["basis"]), f.get("office"), f["remedy"],
        ]  # fmt: skip


def _evidence(document: Document) -> Iterator[Row]:
    for e in document.get("evidence", ()):
        value = {
            "area": e["area_m2"],
            "length": e["length_m"],
            "count": e["count"],
            "distance": e["distance_m"],
        }.get(e["kind"])
        yield [
            document["site"]["name"], e["layer"], e["class"], e["name"], value,
            _UNITS.get(e["kind"]), e["planar_m2"], e["share"],
        ]  # fmt: skip


def _impact(document: Document) -> Iterator[Row]:
    for i in document.get("impact", ()):
        numbers = [i[key] for key in ("area_m2", "free_before_m2", "free_after_m2")]
        yield [document["site"]["name"], i["title"], *numbers, i["text"]]


def _layers(document: Document) -> Iterator[Row]:
    words = {"checked": "已检查", "no_data": "无数据", "failed": "读取失败"}
    for row in document.get("layers", ()):
        state = words.get(row["state"], row["state"])
        yield [
            document["site"]["name"], row["id"], row["title"], state, row["vintage"],
            row["uncovered_share"], row["reason"],
        ]  # fmt: skip


# --- cells ---------------------------------------------------------------------------------------


def _fill(sheet: Any, head: Row, rows: Iterable[Row]) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    widths = [_width(text) for text in head]
    for n, values in enumerate([head, *rows], start=1):
        for column, value in enumerate(values, start=1):
            shown = _cell(value)
            cell = sheet.cell(row=n, column=column)
            cell.value = shown
            if isinstance(shown, str):
                cell.data_type = "s"  # text that begins with = would become a formula
            widths[column - 1] = max(widths[column - 1], _width(shown))
            cell.alignment = Alignment(vertical="top", wrap_text=True)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="E2E5F4")
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = sheet.dimensions


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return safe_cell(_UNWRITABLE.sub("�", safe_text(value)))[:_LONGEST_CELL]


def _width(value: Any) -> float:
    """Return a column width that shows a value: a Chinese character is two digits wide."""
    text = f"{value}" if value is not None else ""
    wide = sum(2 if ord(c) > 0x2E80 else 1 for c in text)
    return min(max(wide + 2, _NARROWEST), _WIDEST)
