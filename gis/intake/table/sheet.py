"""What do the tags of one sheet of a workbook say, cell by cell?

Keeps the rows in which anything stands. What a cell shows instead of a value (an error, a date, a
formula without a result) is kept with its reason, so that the fault can be told where it matters.
Nothing is evaluated.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gis.errors import FormatError, LimitError
from gis.intake.draft import clean_text
from gis.intake.table.cells import MAX_CELL, MAX_COLUMNS, MAX_ROWS, Cell, Row, Unreadable

MAX_MERGED = 20_000
_LAST_ROW = 1_048_576
_LONGEST_RANGE = 21  # XFD1048576:XFD1048576
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})", re.ASCII)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def damaged(why: str) -> FormatError:
    """Return the error for a workbook that contradicts itself."""
    return FormatError(
        f"Excel 文件不完整或已损坏（{clean_text(why, limit=60)[0]}）",
        advice="在 Excel 或 WPS 中打开，另存为 .xlsx 再提交",
    )


@dataclass(slots=True)
class Gathering:
    """Puts the text of one cell or shared text together."""

    pieces: list[str] = field(default_factory=list)
    is_on: bool = False
    is_phonetic: bool = False
    size: int = 0

    def reset(self) -> None:
        """Begin another text."""
        self.pieces.clear()
        self.is_on = self.is_phonetic = False
        self.size = 0

    def start(self, name: str) -> None:
        """Take a start tag; guides to pronunciation are left out."""
        if name == "t" or name == "v":
            self.is_on = not self.is_phonetic
        elif name == "rPh":
            self.is_phonetic = True

    def end(self, name: str) -> None:
        """Take an end tag."""
        if name == "t" or name == "v":
            self.is_on = False
        elif name == "rPh":
            self.is_phonetic = False

    def text(self, piece: str) -> None:
        """Take a piece of text."""
        if self.is_on and self.size <= MAX_CELL:
            self.pieces.append(piece)
            self.size += len(piece)

    @property
    def value(self) -> str:
        """The text so far."""
        return "".join(self.pieces)


class SheetReader:
    """Takes the tags of one sheet and keeps the rows in which anything stands."""

    def __init__(self, strings: Sequence[str], dates: frozenset[int], *, max_rows: int) -> None:
        self.strings, self.dates, self.max_rows = strings, dates, max_rows
        self.rows: list[Row] = []
        self.hidden_rows = 0
        self.is_cut = False
        self.merged: list[str] = []
        self.number = 0
        self.is_hidden = False
        self.cells: list[Cell] = []
        self.column = -1
        self.kind, self.style = "n", "0"
        self.has_formula = self.has_value = False
        self.gather = Gathering()
        self.text = self.gather.text

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take a start tag."""
        if name == "c":
            found = _REFERENCE.fullmatch(attributes.get("r", ""))
            self.column = _column(found[1]) if found else self.column + 1
            self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "0")
            self.has_formula = self.has_value = False
            self.gather.reset()
        elif name == "row":
            self._open_row(attributes)
        elif name == "f":
            self.has_formula = True
        elif name == "mergeCell":
            self._merge(attributes.get("ref", ""))
        else:
            self.has_value = self.has_value or name == "v"
            self.gather.start(name)

    def end(self, name: str) -> None:
        """Take an end tag."""
        if name == "c":
            self._put(self._value())
        elif name == "row":
            self._close_row()
        else:
            self.gather.end(name)

    def _merge(self, reference: str) -> None:
        if len(self.merged) < MAX_MERGED and len(reference) <= _LONGEST_RANGE:
            self.merged.append(reference)

    def _open_row(self, attributes: Mapping[str, str]) -> None:
        stated = attributes.get("r", str(self.number + 1))
        number = int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 8 else 0
        if not self.number < number <= _LAST_ROW:
            raise damaged(f"行号“{stated[:12]}”有误")
        self.number, self.column, self.cells = number, -1, []
        self.is_hidden = attributes.get("hidden") in ("1", "true")

    def _put(self, value: Cell) -> None:
        if value is None:
            return
        if self.column >= MAX_COLUMNS:
            self.is_cut = True
            return
        self.cells += [None] * (self.column + 1 - len(self.cells))
        self.cells[self.column] = value

    def _close_row(self) -> None:
        if not self.cells:
            return
        self.rows.append(Row(self.number, tuple(self.cells)))
        self.cells = []
        self.hidden_rows += self.is_hidden
        if len(self.rows) > self.max_rows:
            raise LimitError(
                f"Excel 文件超过 {MAX_ROWS} 行",
                expected="只含界址点坐标的表",
                advice="分成几个文件提交",
            )

    def _value(self) -> Cell:
        text = self.gather.value
        if self.has_formula and (not self.has_value or (self.kind == "n" and not text)):
            return Unreadable("是没有计算结果的公式，请在 Excel 中打开并保存，或粘贴为数值")
        if self.kind == "n":
            return self._number(text)
        if self.kind == "s":
            is_index = text.isascii() and text.isdigit() and len(text) < 8
            if not is_index or int(text) >= len(self.strings):
                return Unreadable("的文字已损坏")
            text = self.strings[int(text)]
        elif self.kind == "b":
            return text.strip() == "1"
        elif self.kind == "e":
            return Unreadable(f"是错误值 {clean_text(text, limit=20)[0]}")
        elif self.kind == "d":
            return Unreadable("是日期，应为数字", stored=text.strip()[:40])
        if len(text) > MAX_CELL:
            return Unreadable("文字过长")
        return _ESCAPED.sub(_unescaped, text) if text.strip() else None

    def _number(self, text: str) -> Cell:
        if not text.strip():
            return None
        if not _NUMBER.fullmatch(text.strip()) or not math.isfinite(float(text)):
            return Unreadable(f"“{clean_text(text, limit=20)[0]}”不是有限的数值")
        if self.style.isdigit() and self.dates and int(self.style[:7]) in self.dates:
            return Unreadable("是日期或时间，应为数字", stored=text.strip())
        return float(text)


def _unescaped(found: re.Match[str]) -> str:
    """Return the character that a workbook writes as ``_x000D_``; halves stay as they are."""
    code = int(found[1], 16)
    return found[0] if 0xD800 <= code <= 0xDFFF else chr(code)


def _column(letters: str) -> int:
    """Return the number of a column, from 0, by its letters."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
