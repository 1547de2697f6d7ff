"""What stands in a cell of a table, and where?

One shape for the cells of a spreadsheet and of a delimited text, so that both are judged by one set
of rules. Numbers are read as people write them: full-width digits, thousands separators, degrees
with minutes and seconds. What is no number stays one fault with its cell, never a guess.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from gis.intake.draft import clean_text

MAX_ROWS = 250_000
MAX_COLUMNS = 64
# Excel holds no longer text in a cell.
MAX_CELL = 32_767

# Before the compatibility form, which would make two primes of a double one and "o" of the ordinal.
_MARKS = str.maketrans(
    {"″": '"', "“": '"', "”": '"', "〞": '"', "′": "'", "‘": "'", "’": "'", "º": "°", "˚": "°"}
    | {"−": "-", "–": "-", "—": "-", "﹣": "-"}
)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?", re.ASCII)
_OTHER_DIGITS = re.compile("[²³¹\u2070-\u209f\u2150-\u218f\u2460-\u24ff\u3220-\u33ff]")
_MAX_NUMBER = 100
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([, ])\d{3}(\1\d{3})*(\.\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
# Hyphens and colons are marks of an angle only where all three parts stand; 12-3 is a label.
_ANGLES = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        r"(\d{1,3}(?:\.\d+)?)[°度]",
        r"(\d{1,3})[°度]\s*(\d{1,2}(?:\.\d+)?)['分]?",
        r"(\d{1,3})[°度]\s*(\d{1,2})['分]\s*(\d{1,2}(?:\.\d+)?)(?:\"|''|秒)?",
        r"(\d{1,3})([:-])(\d{1,2})\2(\d{1,2}(?:\.\d+)?)",
    )
)
_HEMISPHERE = re.compile(r"(东经|北纬|西经|南纬|[ENWS])|(?<=.)([ENWS])$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a cell holds no value: an error, a date, a formula without a result ….

    ``stored`` is what stands in the file for a date: days as a number, or the date as a text.
    """

    why: str
    stored: str = field(default="", compare=False)


Cell: TypeAlias = str | float | bool | Unreadable | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row with its number in the file, from 1."""

    number: int
    cells: Sequence[Cell]

    def cell(self, column: int | None) -> Cell:
        """Return the cell of a column, from 0; None beyond the row."""
        return self.cells[column] if column is not None and column < len(self.cells) else None

    def text(self, column: int | None) -> str:
        """Return the cell as text; see :func:`text_of`."""
        return text_of(self.cell(column))

    @property
    def is_blank(self) -> bool:
        """Whether nothing stands in it."""
        return all(cell is None or cell == "" for cell in self.cells)

    @property
    def texts(self) -> list[str]:
        """The cells that hold anything, as texts."""
        return [text for text in map(text_of, self.cells) if text]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one sheet, or of a delimited text (then ``sheet`` is empty).

    ``is_cut``: cells beyond the last column that is read were left out. ``merged`` are the ranges
    of cells that stand as one, as the sheet writes them (``A1:C2``); ``has_1904`` says that its
    dates count from 1904 instead of 1900.
    """

    rows: Sequence[Row]
    sheet: str = ""
    is_hidden: bool = False
    hidden_rows: int = 0
    is_cut: bool = False
    merged: Sequence[str] = ()
    has_1904: bool = False

    @property
    def prefix(self) -> str:
        """What goes before the row to tell a place."""
        return f"工作表“{self.sheet}”" if self.sheet else ""

    def row_place(self, number: int) -> str:
        """Tell a person where a row stands."""
        return f"{self.prefix}第 {number} 行"

    def cell_place(self, number: int, column: int) -> str:
        """Tell a person where a cell stands: ``B12`` in a sheet, row and column in a text."""
        if self.sheet:
            return f"{self.row_place(number)} {_letters(column)}{number}"
        return f"{self.row_place(number)}第 {column + 1} 列"


@dataclass(frozen=True, slots=True)
class Reading:
    """A number, and whether it was written in degrees, minutes and seconds."""

    value: float
    is_dms: bool = False


def text_of(cell: Cell) -> str:
    """Return a cell as text; whole numbers without a decimal point, nothing for what has no value.

    >>> text_of(12.0), text_of(" J1 "), text_of(None)
    ('12', 'J1', '')
    """
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    return ""


def plain(text: str) -> str:
    r"""Return the half-width form, quotation marks and dashes unified, for comparing.

    >>> plain("Ｘ（ｍ）"), plain("115°58′48″")
    ('X(m)', '115°58\'48"')
    """
    return unicodedata.normalize("NFKC", text.translate(_MARKS)).strip()


def read_number(cell: Cell, *, is_packed: bool = False) -> Reading | Unreadable:
    """Return the number of a cell, or why there is none.

    Parameters
    ----------
    cell
        The cell; texts may have separators, full-width digits, a unit m, or minutes and seconds.
    is_packed
        The heading says that 115.5848 means 115°58′48″.
    """
    if isinstance(cell, float):
        return _unpacked(Decimal(repr(cell))) if is_packed else Reading(cell)
    if isinstance(cell, Unreadable):
        return cell
    if isinstance(cell, bool):
        return Unreadable("是逻辑值，应为数字")
    if cell is None or not cell.strip():
        return Unreadable("为空")
    if len(cell) > _MAX_NUMBER or _OTHER_DIGITS.search(
        cell
    ):  # the half-width form would make 52 of 5²
        return Unreadable(f"{_shown(cell)}不是数字")
    text = plain(cell)
    text = re.sub(r"\s*(m|米)$", "", text, flags=re.IGNORECASE)
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "").replace(" ", "")
    if _NUMBER.fullmatch(text.lower()):
        value = float(text)
        if not math.isfinite(value):
            return Unreadable(f"{_shown(cell)}不是有限的数值")
        return _unpacked(Decimal(text)) if is_packed else Reading(value)
    if _DECIMAL_COMMA.fullmatch(text):
        return Unreadable(f"{_shown(cell)}的小数点写成了逗号")
    return _angle(text) or Unreadable(f"{_shown(cell)}不是数字")


def _angle(text: str) -> Reading | Unreadable | None:
    """Read ``115°58′48″``, ``115:58:48``, ``115-58-48`` or ``东经115°58.8′``; None for the rest."""
    side = _HEMISPHERE.search(text)
    bare = _HEMISPHERE.sub("", text).strip()
    found = next((m for pattern in _ANGLES if (m := pattern.fullmatch(bare))), None)
    if found is None:
        return None
    numbers = [float(part) for part in found.groups() if part not in ":-"]
    degrees, minutes, seconds = [*numbers, 0.0, 0.0][:3]
    if minutes >= 60 or seconds >= 60:
        return Unreadable(f"{_shown(text)}的分或秒不在 0–60 之间")
    is_negative = side is not None and side[0].upper() in ("W", "S", "西经", "南纬")
    value = degrees + minutes / 60 + seconds / 3600
    return Reading(-value if is_negative else value, is_dms=len(numbers) > 1)


def _unpacked(packed: Decimal) -> Reading | Unreadable:
    """Return 115.5848 as the 115°58′48″ that it means."""
    sign = -1 if packed < 0 else 1
    degrees, rest = divmod(abs(packed), 1)
    minutes, rest = divmod(rest * 100, 1)
    seconds = rest * 100
    if minutes >= 60 or seconds >= 60:
        return Unreadable(f"“{packed}”按“度.分秒”理解时分或秒不在 0–60 之间")
    value = float(degrees) + float(minutes) / 60 + float(seconds) / 3600
    return Reading(sign * value, is_dms=True)


def _shown(text: str) -> str:
    return f"“{clean_text(text, limit=20)[0]}”"


def _letters(column: int) -> str:
    """Name of a column from 0: A … Z, AA …."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
