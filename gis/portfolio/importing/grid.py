"""What stands in a cell of a sheet when cells are merged, and where is the heading?

Merged cells hold their value in the first of them. A heading has one line or two; it is where most
columns are recognised, the name of the project among them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gis.intake.table.cells import Cell, Row, Table, text_of
from gis.portfolio.importing.headings import NUMBER, Meaning, meaning_of

_RANGE = re.compile(r"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})")
_HEADING_WITHIN = 40
_FEWEST_COLUMNS = 3
_MAX_ROWS_MERGED = 2_000


@dataclass(frozen=True, slots=True)
class Placed:
    """One column of the sheet: its number from 0, its heading and what that means."""

    at: int
    text: str
    meaning: Meaning


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a list: its first and last row, and its columns from left to right."""

    first: int
    last: int
    columns: tuple[Placed, ...]

    @property
    def taken(self) -> Mapping[str, Placed]:
        """The columns by the name of the register; the first that means it counts."""
        found: dict[str, Placed] = {}
        for placed in self.columns:
            if placed.meaning.column is not None:
                found.setdefault(placed.meaning.column, placed)
        return found


@dataclass(slots=True)
class Grid:
    """A sheet as a grid in which merged cells know their first cell."""

    table: Table
    rows: dict[int, Row] = field(default_factory=dict)
    firsts: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = {row.number: row for row in self.table.rows}
        for reference in self.table.merged:
            self._merge(reference)

    def _merge(self, reference: str) -> None:
        found = _RANGE.fullmatch(reference)
        if found is None:
            return
        left, right = _column(found[1]), _column(found[3])
        top, bottom = int(found[2]), int(found[4])
        if not (left <= right < 64 and top <= bottom < top + _MAX_ROWS_MERGED):
            return
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                self.firsts[row, column] = (top, left)

    def own(self, row: int, column: int) -> Cell:
        """Return what the file has in a cell."""
        found = self.rows.get(row)
        return None if found is None else found.cell(column)

    def shown(self, row: int, column: int) -> Cell:
        """Return what a reader sees in a cell: for a merged one the value of the first."""
        return self.own(*self.firsts.get((row, column), (row, column)))

    def is_below(self, row: int, column: int) -> bool:
        """Whether a cell is merged with one above it."""
        return self.firsts.get((row, column), (row, column))[0] < row

    def is_across(self, row: int, columns: int) -> bool:
        """Whether the cells of a row are merged into one over most of its columns."""
        spans = [c for c in range(columns) if self.firsts.get((row, c), (row, c))[1] < c]
        return len(spans) >= max(columns // 2, 2)


def find_heading(grid: Grid) -> Heading | None:
    """Return the heading of a sheet; None when nothing in it looks like a list of projects."""
    best: Heading | None = None
    for row in grid.table.rows[:_HEADING_WITHIN]:
        for last in (row.number, row.number + 1):
            found = _heading(grid, row.number, last)
            if found is not None and (best is None or _worth(found) > _worth(best)):
                best = found
    return best


def _worth(heading: Heading) -> tuple[int, int]:
    """Return how many columns are recognised; of equal ones the shorter heading is better."""
    return len(heading.taken.keys() - {NUMBER}), heading.first - heading.last


def _heading(grid: Grid, first: int, last: int) -> Heading | None:
    if any(number not in grid.rows for number in (first, last)):
        return None
    if last > first and _holds_numbers(grid.rows[last]):
        return None
    width = max(len(grid.rows[number].cells) for number in (first, last))
    columns = []
    running = ""
    for at in range(width):
        upper = text_of(grid.shown(first, at))
        lower = text_of(grid.shown(last, at)) if last > first else ""
        running = upper or running
        # An upper cell without text belongs to the one on its left where a lower one stands.
        over = upper or (running if lower else "")
        text = over if not lower or lower == over else f"{over}\n{lower}".strip()
        if text:
            columns.append(Placed(at, text, meaning_of(text)))
        if grid.is_below(last, at):
            running = ""  # it stands over itself alone
    heading = Heading(first, last, tuple(columns))
    fits = "name" in heading.taken and len(heading.taken.keys() - {NUMBER}) >= _FEWEST_COLUMNS
    return heading if fits else None


def _holds_numbers(row: Row) -> bool:
    return any(isinstance(cell, float) for cell in row.cells)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
