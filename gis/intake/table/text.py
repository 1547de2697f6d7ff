"""How is a delimited text cut into rows and cells?

The delimiter is the one under which a heading with coordinates, and points below it, appear: comma,
tab, semicolon, bar, full-width comma or blanks. Quotation marks must match, so that no row vanishes
inside a cell. What the cells mean is judged elsewhere.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gis.errors import FormatError, LimitError
from gis.intake.table.cells import MAX_COLUMNS, MAX_ROWS, Reading, Row, Table, read_number
from gis.intake.table.columns import Columns, Problem, columns_of
from gis.model import Remark

_DELIMITERS = {
    ",": "逗号",
    "\t": "制表符",
    ";": "分号",
    "|": "竖线",
    "，": "全角逗号",
    " ": "空格",
}
# The full-width comma stands beside the half-width one, semicolons likewise.
_HALF_WIDTH = str.maketrans("，；", ",;")
# As many as a sheet of Excel has; a line of 64 long cells stays below the other.
_MAX_LINES = 1_048_576
_MAX_LINE_LENGTH = 1_000_000
_HEAD_CHARACTERS = 100_000
_HEAD_LINES = 60
_SECTION = re.compile(r"[\[【［]\s*(属性描述|地块坐标)\s*[\]】］]|[@＠][ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Cut:
    """How well a delimiter does: whether there is a heading, and how many points lie below it."""

    delimiter: str
    is_complete: bool
    points: int


def looks_like_table(text: str) -> bool:
    r"""Whether a text has a row of headings with coordinates and is no boundary-point TXT.

    >>> looks_like_table("点号,X,Y\nJ1,4030411.110,39408498.270")
    True
    >>> looks_like_table("J1,4030411.110,39408498.270")
    False
    """
    return _SECTION.search(text[:_HEAD_CHARACTERS]) is None and _best_cut(text) is not None


def read_text(text: str) -> tuple[Table, Remark]:
    """Return the rows of a delimited text, and a note that names the delimiter.

    Raises
    ------
    FormatError
        Quotation marks that do not match.
    LimitError
        Too many rows, or a cell beyond reason.
    """
    cut = _best_cut(text)
    delimiter = cut.delimiter if cut is not None else _commonest(text)
    rows: list[Row] = []
    is_cut = False
    for row in _rows(text, delimiter):
        is_cut = is_cut or any(cell for cell in row.cells[MAX_COLUMNS:])
        if not row.is_blank:
            rows.append(Row(row.number, row.cells[:MAX_COLUMNS]))
        if len(rows) > MAX_ROWS:
            raise LimitError(
                f"表超过 {MAX_ROWS} 行", expected="只含界址点坐标的表", advice="分成几个文件提交"
            )
    note = Remark("table_delimiter", f"列以{_DELIMITERS[delimiter]}分隔")
    return Table(tuple(rows), is_cut=is_cut), note


# --- delimiters -----------------------------------------------------------------------------------


def _best_cut(text: str) -> _Cut | None:
    """Return the delimiter under which a heading appears, preferably with points below it."""
    head = text[:_HEAD_CHARACTERS]
    cuts = [cut for delimiter in _DELIMITERS if (cut := _cut(head, delimiter)) is not None]
    return max(cuts, key=lambda cut: (cut.is_complete, cut.points), default=None)


def _cut(head: str, delimiter: str) -> _Cut | None:
    rows = _head_rows(head, delimiter)
    above: Row | None = None
    found: Columns | Problem | None = None
    for row in rows:
        columns = columns_of(row, above)
        if isinstance(columns, Columns):
            below = [r for r in rows if r.number > row.number]
            points = sum(_is_point(r, columns) for r in below)
            # Single words of a sentence may be read as headings.
            return _Cut(delimiter, True, points) if points or delimiter != " " else None
        found = found or columns
        above = row
    return _Cut(delimiter, False, 0) if found is not None and delimiter != " " else None


def _is_point(row: Row, columns: Columns) -> bool:
    if columns.wkt is not None:
        return bool(row.text(columns.wkt))
    cells = row.cell(columns.north), row.cell(columns.east)
    return all(isinstance(read_number(cell), Reading) for cell in cells)


def _head_rows(head: str, delimiter: str) -> Sequence[Row]:
    rows = []
    try:
        for row in _rows(head, delimiter, strict=False):
            rows.append(row)
            if len(rows) == _HEAD_LINES:
                break
    except LimitError:
        return ()
    return rows


def _commonest(text: str) -> str:
    return max(list(_DELIMITERS)[:-1], key=text[:_HEAD_CHARACTERS].count)


# --- rows -----------------------------------------------------------------------------------------


def _rows(text: str, delimiter: str, *, strict: bool = True) -> Iterator[Row]:
    """Yield the rows with the number of their first line."""
    if delimiter == " ":
        for number, line in enumerate(_lines(text), start=1):
            yield Row(number, tuple(line.split()))
        return
    if delimiter == "，":
        text, delimiter = text.translate(_HALF_WIDTH), ","
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=strict, skipinitialspace=True)
    number = 1
    try:
        for cells in reader:
            if strict and reader.line_num > number and any(map(_holds_a_line, cells)):
                raise _unmatched(number)
            yield Row(number, tuple(cells))
            number = reader.line_num + 1
    except csv.Error as error:
        if "limit" in str(error):
            raise LimitError(
                f"第 {number} 行有过长的单元格",
                expected=f"不超过 {csv.field_size_limit()} 个字符",
                advice="核对引号；很长的 WKT 请单独提交",
            ) from None
        raise _unmatched(number) from None


def _holds_a_line(cell: str) -> bool:
    """Whether a cell holds a line of coordinates: a quotation mark is missing somewhere."""
    return any(
        re.search("[,;\t|]", line) and len(re.findall(r"\d{3,}", line)) > 1
        for line in cell.split("\n")[1:]
    )


def _lines(text: str) -> Iterator[str]:
    """Yield the lines with their ends, blank ones too, up to the limits."""
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        if number > _MAX_LINES or len(line) > _MAX_LINE_LENGTH:
            raise LimitError(
                f"第 {number} 行过长，或文件超过 {_MAX_LINES} 行", expected="只含界址点坐标的表"
            )
        yield line


def _unmatched(number: int) -> FormatError:
    return FormatError(
        f"第 {number} 行起引号不成对", expected="成对的半角双引号", advice="补全或删去引号"
    )
