"""Which cells does an Excel workbook (.xlsx) hold?

Sheets are read as streams: values as stored, and for a date, an error or a formula without a result
why there is no value. Nothing is evaluated, no link followed, macros and pictures are not unpacked.
Limits hold while reading, so that a small file cannot become a large one in memory: the reason why
this is not left to openpyxl, which builds a row of four million cells as a whole (1.2 GB out of
20 kB) and takes a formula that was never calculated for an empty cell.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from xml.parsers import expat

from gis.errors import FormatError, LimitError, WuquError
from gis.intake.draft import clean_text
from gis.intake.outside.archive import Package
from gis.intake.table.cells import MAX_ROWS, Table
from gis.intake.table.sheet import Gathering, SheetReader, damaged

MAX_SHEETS = 100
# 250,000 rows of five cells have 5.5 million tags; tags cost time, not bytes.
MAX_TAGS = 7_000_000
_WORKBOOK = re.compile(r"xl/workbook\d*\.xml")
_BINARY = "xl/workbook.bin"
_CHUNK = 64 * 1024
# One tag: expat builds it whole, attributes cost twenty times their length.
_MAX_TOKEN = 1024 * 1024
# Formats of dates and times by number; 27-36 and 50-58 are those of Chinese and Japanese Excel.
_DATE_FORMATS = {*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)}

_Start = Callable[[str, Mapping[str, str]], None]
_End = Callable[[str], None]


def is_workbook(data: bytes) -> bool:
    """Whether a zip is a workbook of Excel or of OpenDocument, readable here or not.

    Raises
    ------
    InputError
        The zip is damaged or unsafe.
    """
    names = {name.lower() for name in Package(data).names}
    is_excel = any(_WORKBOOK.fullmatch(name) for name in names) or _BINARY in names
    return is_excel or {"mimetype", "content.xml"} <= names


def read_workbook(data: bytes) -> tuple[Table, ...]:
    """Return the sheets of a workbook in order, hidden ones too; charts are no sheets.

    Raises
    ------
    FormatError
        Damaged, unsafe, or without sheets.
    LimitError
        Too large once unpacked, too many sheets, rows or tags.
    """
    parts = _Parts(Package(data))
    if not parts.workbook:
        raise FormatError(
            "内容是 Excel 二进制（.xlsb）或 OpenDocument 文件",
            expected="普通的 .xlsx 文件",
            advice="在 Excel 或 WPS 中另存为 .xlsx 再提交",
        )
    tables = tuple(_tables(parts))
    if not tables:
        raise damaged("没有工作表")
    return tables


class _Parts:
    """The members of the package by name without regard to case, and what they have cost so far."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.names = {name.lower(): name for name in package.names}
        self.workbook = next((name for name in self.names if _WORKBOOK.fullmatch(name)), "")
        self.tags = 0

    def parse(
        self, name: str, start: _Start, end: _End | None = None, text: _End | None = None
    ) -> None:
        """Run through one XML member."""
        if name.lower() not in self.names:
            raise damaged(f"缺少 {name}")
        data = self.package.read(self.names[name.lower()])
        self.tags += data.count(b"<")
        if self.tags > MAX_TAGS:
            raise LimitError(
                f"Excel 文件的单元格过多（标签超过 {MAX_TAGS} 个）",
                advice="只保留界址点坐标的工作表，删去空白行列的格式",
            )
        try:
            _feed(data, start, end, text)
        except WuquError:
            raise
        except (expat.ExpatError, LookupError, ValueError):
            raise damaged(f"{name} 不是有效的 XML") from None


def _feed(data: bytes, start: _Start, end: _End | None, text: _End | None) -> None:
    """Hand the tags of an XML text over by their names without prefix."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    locals_: dict[str, str] = {}
    heard = 0

    def on_start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal heard
        heard += 1
        if name not in locals_:
            locals_[name] = name.rpartition(":")[2]
        start(locals_[name], attributes)

    def on_end(name: str) -> None:
        if end is not None:
            end(locals_[name])

    parser.StartElementHandler = on_start
    parser.EndElementHandler = on_end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    silent_since, before = 0, 0
    for at in range(0, len(data), _CHUNK):
        parser.Parse(data[at : at + _CHUNK], False)
        if heard != before:
            silent_since, before = at, heard
        elif at - silent_since > _MAX_TOKEN:
            raise LimitError("Excel 文件中有过长的标签或文字")
    parser.Parse(b"", True)


def _refuse_doctype(*_: object) -> None:
    raise FormatError(
        "Excel 文件中有 DOCTYPE 或实体声明", advice="在 Excel 或 WPS 中另存为 .xlsx 再提交"
    )


# --- the parts of a workbook ----------------------------------------------------------------------


def _tables(parts: _Parts) -> Iterator[Table]:
    (sheets, has_1904), targets = _sheet_list(parts), _targets(parts)
    if len(sheets) > MAX_SHEETS:
        raise LimitError(f"有 {len(sheets)} 个工作表", expected=f"不超过 {MAX_SHEETS} 个")
    strings = _strings(parts, _target(targets, "/sharedStrings"))
    dates = _date_styles(parts, _target(targets, "/styles"))
    rows_left = MAX_ROWS
    for name, relation, is_hidden in sheets:
        kind, target = targets.get(relation, ("", ""))
        if kind.endswith("chartsheet"):
            continue
        reader = SheetReader(strings, dates, max_rows=rows_left)
        parts.parse(target, reader.start, reader.end, reader.text)
        rows_left -= len(reader.rows)
        shown = clean_text(name, limit=31)[0]
        yield Table(
            tuple(reader.rows),
            shown,
            is_hidden,
            reader.hidden_rows,
            reader.is_cut,
            tuple(reader.merged),
            has_1904,
        )


def _sheet_list(parts: _Parts) -> tuple[list[tuple[str, str, bool]], bool]:
    """Return name, relation and whether it is hidden of each sheet, in the order of the tabs.

    The flag says whether dates count from 1904.
    """
    found = []
    has_1904 = False

    def start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal has_1904
        if name == "workbookPr":
            has_1904 = attributes.get("date1904", "0") in ("1", "true")
        elif name == "sheet":
            relation = next((v for k, v in attributes.items() if k.endswith(":id")), "")
            is_hidden = attributes.get("state", "visible") != "visible"
            found.append((attributes.get("name", ""), relation, is_hidden))

    parts.parse(parts.workbook, start)
    return found, has_1904


def _targets(parts: _Parts) -> dict[str, tuple[str, str]]:
    """Return type and member of each relation of the workbook."""
    found = {}

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            member = posixpath.normpath(posixpath.join("/xl", attributes.get("Target", "")))
            found[attributes.get("Id", "")] = (attributes.get("Type", ""), member.lstrip("/"))

    folder, _, name = parts.workbook.rpartition("/")
    parts.parse(f"{folder}/_rels/{name}.rels", start)
    return found


def _target(targets: Mapping[str, tuple[str, str]], kind: str) -> str:
    """Return the member of the only relation of a kind; empty when there is none."""
    return next((member for found, member in targets.values() if found.endswith(kind)), "")


def _strings(parts: _Parts, member: str) -> list[str]:
    """Return the shared texts; phonetic guides are left out."""
    found: list[str] = []
    gather = Gathering()

    def start(name: str, _: Mapping[str, str]) -> None:
        if name == "si":
            gather.reset()
        gather.start(name)

    def end(name: str) -> None:
        gather.end(name)
        if name == "si":
            found.append(gather.value)

    if member:
        parts.parse(member, start, end, gather.text)
    return found


def _date_styles(parts: _Parts, member: str) -> frozenset[int]:
    """Return the numbers of the cell styles that show a number as date or time."""
    custom: dict[str, str] = {}
    formats: list[str] = []
    section = ""

    def start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal section
        if name == "numFmt":
            custom.setdefault(attributes.get("numFmtId", ""), attributes.get("formatCode", ""))
        elif name in ("cellStyleXfs", "cellXfs", "cellStyles", "dxfs"):
            section = name
        elif name == "xf" and section == "cellXfs":
            formats.append(attributes.get("numFmtId", "0"))

    if member:
        parts.parse(member, start)
    dates = {number for number, code in custom.items() if _is_date_format(code)}
    dates |= {str(number) for number in _DATE_FORMATS} - custom.keys()
    return frozenset(i for i, number in enumerate(formats) if number in dates)


def _is_date_format(code: str) -> bool:
    from openpyxl.styles.numbers import is_date_format

    return bool(is_date_format(code[:255]))
