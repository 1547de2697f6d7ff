"""Which projects does a sheet list, what does it say of each, and what are its totals?

Every row is a project, the continuation of one, a group, a total or a note. A cell that cannot be
read is a fault with its place; what stands in merged cells counts once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gis.errors import Fault
from gis.intake.table.cells import Cell, Row, Unreadable, plain, text_of
from gis.portfolio.cells import CellError, Value, read_cell
from gis.portfolio.columns import BY_NAME, SUMMED, Kind
from gis.portfolio.importing import values
from gis.portfolio.importing.grid import Grid, Heading
from gis.portfolio.importing.headings import NUMBER
from gis.portfolio.project import name_key
from gis.units import M2_PER_MU

# What several projects may share in one merged cell; money never.
_SHARED = frozenset({"town", "zone", "unit", "group", "responsible_unit", "problem_class"})
_PAPERS = ("land_approval", "planning_permit", "building_permit")
_TOTAL = re.compile(r"(?:总计|合计|小计|共计)")
_NOTE = re.compile(r"(?:注|说明|备注|填表|制表|填报|审核|联系|单位负责|打印|第.{1,4}页|共.{1,4}页)")
_ORDINAL = "[一二三四五六七八九十]{1,3}"
_GROUP = re.compile(rf"(?:{_ORDINAL}[、.．]|[（(]{_ORDINAL}[）)])\s*(.+)")
_COUNT = re.compile(r"[（(][^）)]*?(\d+)\s*[个项][^）)]*[）)]|(\d+)\s*[个项]")


@dataclass(frozen=True, slots=True)
class Listed:
    """One project of the list: its first row, its values by column, and where each stands."""

    row: int
    values: Mapping[str, Value]
    places: Mapping[str, str]

    @property
    def name(self) -> str:
        """The name as the list writes it."""
        return str(self.values["name"])


@dataclass(frozen=True, slots=True)
class Sum:
    """A total that the list states: for a group or, with an empty one, for all of it."""

    row: int
    group: str
    count: int | None
    values: Mapping[str, float]


@dataclass(slots=True)
class Listing:
    """What a sheet lists; ``skipped`` are rows that are no project, with why."""

    projects: list[Listed] = field(default_factory=list)
    sums: list[Sum] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)


def read_listing(grid: Grid, heading: Heading, money: str) -> Listing:
    """Return the projects below the heading of a sheet.

    Parameters
    ----------
    grid, heading
        The sheet and its heading.
    money
        The unit of sums whose heading names none; empty when nobody said it.
    """
    reader = _Reader(grid, heading, money)
    for row in grid.table.rows:
        if row.number > heading.last and not row.is_blank:
            reader.take(row)
    reader.finish()
    return reader.found


@dataclass(slots=True)
class _Open:
    """The project that is being read."""

    row: int
    values: dict[str, Value] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)


class _Reader:
    """Takes row after row."""

    def __init__(self, grid: Grid, heading: Heading, money: str) -> None:
        self.grid, self.heading, self.money = grid, heading, money
        self.found = Listing()
        self.group = ""
        self.open: _Open | None = None
        self._at = {name: placed.at for name, placed in heading.taken.items()}
        self._known: dict[str, int] = {}

    def take(self, row: Row) -> None:
        """Take one row that holds something."""
        name = text_of(self.grid.own(row.number, self._at["name"])).strip()
        first = next(iter(row.texts), "")
        if self._is_heading_again(row):
            self.found.skipped.append((row.number, "重复的表头"))
        elif _TOTAL.match(plain(first)) or _TOTAL.match(plain(name)):
            self._sum(row, first, "" if "小计" not in first + name else self.group)
        elif self._is_group(row, first, name):
            self._group(row, first)
        elif self._is_note(row, first):
            self.found.skipped.append((row.number, first[:60]))
        elif isinstance(unread := self.grid.own(row.number, self._at["name"]), Unreadable):
            self.finish()
            place = self.grid.table.cell_place(row.number, self._at["name"])
            self.found.faults.append(Fault(place, f"项目名称{unread.why}，这一行未导入"))
        elif name:
            self._begin(row, name)
        else:
            self._go_on(row)

    def finish(self) -> None:
        """End the last project."""
        if self.open is not None:
            own = self.open
            self.found.projects.append(Listed(own.row, own.values, own.places))
            self.open = None

    # --- what a row is ---------------------------------------------------------------------------

    def _is_heading_again(self, row: Row) -> bool:
        wanted = [p for p in self.heading.columns if p.meaning.column][:4]
        texts = {re.sub(r"\s+", "", text) for text in row.texts}
        heads = {re.sub(r"\s+", "", line) for p in wanted for line in p.text.split("\n")}
        return len(texts & heads) >= 3

    def _is_group(self, row: Row, first: str, name: str) -> bool:
        if _GROUP.fullmatch(plain(first)) is None and _GROUP.fullmatch(plain(name)) is None:
            return False
        filled = {n for n, at in self._at.items() if text_of(row.cell(at))}
        return filled <= {NUMBER, "name", *SUMMED, "done_total_wan"}

    def _is_note(self, row: Row, first: str) -> bool:
        alone = len(row.texts) == 1
        width = len(self.heading.columns)
        return bool(_NOTE.match(plain(first))) or (alone and self.grid.is_across(row.number, width))

    # --- rows ------------------------------------------------------------------------------------

    def _group(self, row: Row, first: str) -> None:
        text = _GROUP.fullmatch(plain(first))
        if text is None:
            text = _GROUP.fullmatch(plain(row.text(self._at["name"])))
        self.finish()
        self.group = _COUNT.sub("", text[1] if text else first).strip()
        self._sum(row, text[1] if text else first, self.group, is_title=True)

    def _sum(self, row: Row, text: str, group: str, *, is_title: bool = False) -> None:
        """Keep the totals that a row states."""
        self.finish()
        stated: dict[str, float] = {}
        for column in SUMMED:
            value = self._value(row, column) if column in self._at else None
            if isinstance(value, float):
                stated[column] = value
        counted = _COUNT.search(" ".join(row.texts))
        count = int(counted[1] or counted[2]) if counted else None
        if stated or count is not None:
            self.found.sums.append(Sum(row.number, group, count, stated))
        what = "分组" if is_title else "合计"
        self.found.skipped.append((row.number, f"{what}：{text[:40]}"))

    def _begin(self, row: Row, name: str) -> None:
        self.finish()
        unit, name = _split_name(name)
        first = self._known.setdefault(name_key(name), row.number)
        if first != row.number:
            text = f"“{name[:40]}”与第 {first} 行是同一个项目名称，这一行未导入"
            self.found.faults.append(Fault(self.grid.table.row_place(row.number), text))
            return
        self.open = _Open(row.number)
        self._put(row, "name", name)
        if unit and "unit" not in self._at:
            self._put(row, "unit", unit)
        if self.group and "group" not in self._at:
            self._put(row, "group", self.group)
        self._fill(row)

    def _go_on(self, row: Row) -> None:
        """Add a row without a name to the project above, or tell that its name is missing."""
        below = self.grid.is_below(row.number, self._at["name"])
        numbered = NUMBER in self._at and bool(text_of(self.grid.own(row.number, self._at[NUMBER])))
        if self.open is None or (numbered and not below):
            place = self.grid.table.row_place(row.number)
            self.found.faults.append(Fault(place, "没有项目名称，这一行未导入"))
            return
        self._fill(row, adds=True)

    def _fill(self, row: Row, *, adds: bool = False) -> None:
        for column in self._at:
            if column in ("name", NUMBER) or (adds and self._is_covered(row, column)):
                continue
            if column.removesuffix("_by") in _PAPERS and not column.endswith("_by"):
                self._paper(row, column)
                continue
            value = self._value(row, column)
            if value is not None:
                self._put(row, column, value)

    def _is_covered(self, row: Row, column: str) -> bool:
        return self.grid.own(row.number, self._at[column]) in (None, "")

    def _paper(self, row: Row, column: str) -> None:
        """Put an approval: who gave it, where no column of its own says so, and its number."""
        try:
            body, number = values.read_paper(self._cell(row, column))
        except CellError as problem:
            self._fault(row, column, problem)
            return
        if number is not None:
            self._put(row, column, number)
        if body is not None and f"{column}_by" not in self._at:
            self._put(row, f"{column}_by", body, at=self._at[column])

    def _put(self, row: Row, column: str, value: Value, *, at: int | None = None) -> None:
        """Keep a value of the open project; a further text is added, another value is a fault."""
        own = self.open
        if own is None:
            return
        old = own.values.get(column)
        column_at = self._at.get(column, self._at["name"]) if at is None else at
        place = self.grid.table.cell_place(row.number, column_at)
        if old is None or old == value:
            own.values[column] = value
            own.places.setdefault(column, place)
        elif isinstance(old, str) and isinstance(value, str) and BY_NAME[column].kind is Kind.TEXT:
            own.values[column] = f"{old}；{value}"
        else:
            text = f"{BY_NAME[column].title}与同一项目上一行不同（{old} 与 {value}），未采用"
            self.found.faults.append(Fault(place, text))

    # --- cells -----------------------------------------------------------------------------------

    def _cell(self, row: Row, column: str) -> Cell:
        """Return a cell; one that is merged with cells above only where projects may share it."""
        at = self._at[column]
        own = self.grid.own(row.number, at)
        if own not in (None, ""):
            return own
        if column in _SHARED:
            return self.grid.shown(row.number, at)
        merged = self.grid.is_below(row.number, at)
        if merged and text_of(self.grid.shown(row.number, at)) and self.open is not None:
            place = self.grid.table.cell_place(row.number, at)
            text = f"{BY_NAME[column].title}与上方单元格合并，只计入上方的项目"
            self.found.warnings.append(Fault(place, text))
        return None

    def _value(self, row: Row, column: str) -> Value:
        try:
            return self._read(column, self._cell(row, column))
        except CellError as problem:
            self._fault(row, column, problem)
            return None

    def _read(self, column: str, cell: Cell) -> Value:
        kind, unit = BY_NAME[column].kind, self.heading.taken[column].meaning.unit
        has_1904 = self.grid.table.has_1904
        if column.endswith("_wan"):
            return values.read_wan(cell, unit or self.money)
        if column == "area_mu":
            return values.read_area(cell, unit, M2_PER_MU)
        if column == "floor_area_m2":
            return values.read_area(cell, unit or "平方米", 1.0)
        if kind is Kind.DAY:
            return values.read_day(cell, has_1904=has_1904)
        if kind is Kind.PERIOD:
            return values.read_period(cell, has_1904=has_1904)
        if kind is Kind.STATE:
            return values.read_state(cell)
        text = values.read_text(cell)
        return None if text is None else read_cell(BY_NAME[column], text)

    def _fault(self, row: Row, column: str, problem: CellError) -> None:
        place = self.grid.table.cell_place(row.number, self._at[column])
        heading = self.heading.taken[column].text.replace("\n", "／")[:30]
        self.found.faults.append(Fault(place, f"“{heading}”{problem}，未采用"))


def _split_name(text: str) -> tuple[str, str]:
    """Return unit and name of a cell that holds both on two lines; the unit is empty otherwise."""
    parts = [part.strip() for part in re.split(r"[\r\n]+", text) if part.strip()]
    if len(parts) == 2 and re.search(r"公司|集团|中心|局|委|厂|合作社|学校|医院$", parts[0]):
        return parts[0], parts[1]
    return "", "".join(parts)
