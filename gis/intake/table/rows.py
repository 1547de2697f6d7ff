"""Which rows of a table are boundary points, and which plot does each belong to?

Every row is a heading, a point, a remark, or a fault with its cells. Plots are told apart by their
column, wherever their rows stand, or by a title or heading between the rows. It draws no ring and
decides no CRS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

from gis.errors import LimitError
from gis.intake.boundary.lines import PointLine, ring_number
from gis.intake.draft import MAX_VERTICES, Faults, check_features, check_vertices, clean_text
from gis.intake.table.cells import (
    Cell,
    Reading,
    Row,
    Table,
    Unreadable,
    plain,
    read_number,
    text_of,
)
from gis.intake.table.columns import Columns, Problem, columns_of, properties_of
from gis.intake.table.headings import units_of, wrong_unit
from gis.intake.table.stacked import Stack, plot_named
from gis.intake.table.titles import Title, title_of

# The heading stands near the top, below titles and remarks.
_HEADING_WITHIN = 200
_MAX_TITLES = 300
_MAX_OTHERS = 10_000
_POINT_NUMBER = re.compile(r"([A-Za-z]{0,6}|界|界址点|拐点|点|桩)[-_.#]?\d{1,7}([-_.]\d+)?")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass(slots=True)
class Value:
    """What a plot says in one column: the first value, its cell, and whether others differ."""

    cell: Cell
    row: int
    column: int
    differs: bool = False


@dataclass(slots=True)
class PlotRows:
    """The rows of one plot; ``unread`` of them have faults.

    ``title`` stands above it, ``is_stacked`` when a heading or title alone sets it apart.
    """

    name: str
    row: int
    title: str = ""
    is_stacked: bool = False
    points: list[PointLine] = field(default_factory=list)
    unread: int = 0
    values: dict[str, Value] = field(default_factory=dict)


@dataclass(slots=True)
class TableRows:
    """A table as read: its plots in order of appearance, and what else was found.

    ``gaps`` are the rows of points that follow a blank row, a remark or a repeated heading;
    ``is_broken``: unit or plots of the coordinates are unclear, so that no outline proves anything.
    """

    table: Table
    columns: Columns | None = None
    problem: Problem | None = None
    titles: list[Title] = field(default_factory=list)
    plots: dict[str, PlotRows] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    gaps: set[int] = field(default_factory=set)
    skipped: list[int] = field(default_factory=list)
    dms: int = 0
    has_z: bool = False
    is_broken: bool = False

    @property
    def points(self) -> list[PointLine]:
        """All points in the order of the plots."""
        return [point for plot in self.plots.values() for point in plot.points]


def read_rows(table: Table, columns: Columns | None = None) -> TableRows:
    """Return the points of a table by plot; faults are collected, not raised.

    Parameters
    ----------
    table
        The cells.
    columns
        What the columns hold where no heading says so.

    Raises
    ------
    LimitError
        Too many plots or points.
    """
    reader = _Reader(table)
    if columns is not None:
        reader.begin(columns)
    above: Row | None = None
    for n, row in enumerate(table.rows):
        if reader.found.columns is not None:
            reader.take(row, above)
        elif n < _HEADING_WITHIN:
            reader.seek(row, above)
        else:
            break
        above = row
    reader.finish()
    return reader.found


class _Reader:
    """Takes one row after the other; knows the columns and the running plot."""

    def __init__(self, table: Table) -> None:
        self.found = TableRows(table)
        self.columns = Columns(0)
        self.properties: dict[int, str] = {}
        self.plot_column: int | None = None
        self.labels: tuple[int, ...] = ()
        self.key = ""
        self.ring = ""
        self.stack = Stack()
        self.gap = False
        self.only_counted: list[int] = []
        self.crs_told: set[tuple[int, str]] = set()
        self.count = 0
        self.others = 0

    def seek(self, row: Row, above: Row | None) -> None:
        """Look for the heading."""
        columns = columns_of(row, above)
        if isinstance(columns, Columns):
            self.begin(columns)
        elif isinstance(columns, Problem):
            self.found.problem = self.found.problem or columns
        self._add_title(row)

    def begin(self, columns: Columns) -> None:
        """Read on with these columns."""
        is_repeated = replace(columns, row=0) == replace(self.columns, row=0)
        self.columns = columns
        if is_repeated:
            return
        self.found.columns = self.found.columns or columns
        self.properties = properties_of(columns)
        if columns.area is not None:
            self.properties[columns.area] = "area"
        for column, unit in columns.wrong_units.items():
            self._wrong_unit(columns.row, column, unit)
        self._choose_plot_column()

    def _choose_plot_column(self) -> None:
        """Tell plots by their number, else by name; a name or count that repeats is one, too."""
        c = self.columns
        unclear = [c.name, c.count if c.label is None else None]
        repeated = [i for i in unclear if i is not None and self._repeats(i)]
        candidates = [i for i in (c.plot_number, c.plot_name, *repeated) if i is not None]
        self.plot_column = candidates[0] if candidates else None
        self.labels = tuple(
            i for i in (c.label, c.name, c.count) if i is not None and i not in candidates
        )
        if c.plot_number is not None:
            self.properties[c.plot_number] = "plot_number"
        if candidates and c.plot_name is not None:
            self.properties[c.plot_name] = "name"

    def _repeats(self, column: int) -> bool:
        """Whether a column names groups of points, not single points.

        Numbers that start over in every ring do not follow each other, names of plots do.
        """
        rows = [r for r in self.found.table.rows if r.number > self.columns.row]
        points = [r for r in rows if text_of(r.cell(self.columns.east))][:_HEADING_WITHIN]
        texts = [r.text(column) for r in points]
        runs = [text for text, _ in groupby(texts) if text]
        if "" in texts and len(runs) > 1:
            self._refuse_sparse(column)
        return 3 * len(runs) <= len(texts) and bool(runs)

    def _refuse_sparse(self, column: int) -> None:
        """Add a fault: merged cells of plots and points without a name look the same."""
        heading = clean_text(self.columns.others.get(column, ""), limit=20)[0]
        self.found.is_broken = True
        self.found.faults.add(
            self.found.table.cell_place(self.columns.row, column),
            f"“{heading}”一列有空格，无法确定是点名还是地块名称，请改列名为“点号”或“地块名称”",
        )

    def take(self, row: Row, above: Row | None) -> None:
        """Put one row where it belongs."""
        if above is not None and row.number != above.number + 1:
            self.gap = True
        c = self.columns
        if c.wkt is not None:
            return
        north = read_number(row.cell(c.north), is_packed=c.is_packed)
        east = read_number(row.cell(c.east), is_packed=c.is_packed)
        if isinstance(north, Reading) and isinstance(east, Reading):
            if not self.found.table.sheet and len(row.cells) > c.width and self._is_shifted(row):
                return
            self._add_point(row, north, east)
        else:
            self._take_other(row, above, {c.north: north, c.east: east})

    def _is_shifted(self, row: Row) -> bool:
        """Add a fault for numbers beyond the heading: a thousands comma has cut a coordinate."""
        more = row.cells[self.columns.width :]
        if not any(isinstance(read_number(cell), Reading) for cell in more):
            return False
        self.found.faults.add(
            self.found.table.row_place(row.number),
            f"有 {len(row.cells)} 列，比表头多；数字中的千分位逗号须去掉或加引号",
        )
        self._plot(row).unread += 1
        return True

    def _add_point(self, row: Row, north: Reading, east: Reading) -> None:
        self._tell_only_counted()
        self.ring = row.text(self.columns.ring) or self.ring
        label = next((row.text(i) for i in self.labels if row.text(i)), "")
        z = read_number(row.cell(self.columns.height))
        point = PointLine(
            clean_text(label, limit=40)[0],
            ring_number(plain(self.ring)),
            east.value,
            north.value,
            row.number,
            has_z=isinstance(z, Reading),
        )
        if self.plot_column is None and self.stack.begins_plot(point):
            self._begin_plot(row)
        plot = self._plot(row)
        self.stack.take(point, is_first=not plot.points)
        plot.points.append(point)
        self.found.has_z = self.found.has_z or isinstance(z, Reading)
        self.found.dms += north.is_dms or east.is_dms
        if self.gap:
            self.found.gaps.add(row.number)
            self.gap = False
        for column in self.columns.crs:
            self._tell_crs(row, column)
        self.count += 1
        if self.count > MAX_VERTICES:
            check_vertices(self.count)

    def _tell_crs(self, row: Row, column: int) -> None:
        """Keep what a column 带号 or 坐标系 says like a title, each value once."""
        told = (column, row.text(column))
        if told[1] and told not in self.crs_told and len(self.crs_told) < _MAX_TITLES:
            self.crs_told.add(told)
            text = plain(f"{self.columns.others.get(column, '')}：{told[1][:60]}")
            self.found.titles.append(Title(text, row.number))

    def _begin_plot(self, row: Row) -> None:
        """Begin another plot, named by its title; then that of the first counts, too."""
        name = self.stack.new_title
        if name and len(self.found.plots) == 1:
            (first,) = self.found.plots.values()
            first.name = first.name or first.title
        self.key = f"\n{row.number}"  # no cell and no title is like this
        self.found.plots[self.key] = PlotRows(name, row.number, name, is_stacked=True)
        check_features(len(self.found.plots))

    def _plot(self, row: Row) -> PlotRows:
        """Return the plot of a row; a blank cell, as in merged cells, continues the one above."""
        self.key = row.text(self.plot_column) or self.key
        if self.key not in self.found.plots:
            self.found.plots[self.key] = PlotRows(self.key, row.number, self.stack.title)
            check_features(len(self.found.plots))
        plot = self.found.plots[self.key]
        for column, key in self.properties.items():
            cell = row.cell(column)
            if text_of(cell):
                first = plot.values.setdefault(key, Value(cell, row.number, column))
                first.differs = first.differs or text_of(first.cell) != text_of(cell)
        return plot

    # --- rows that are no points ------------------------------------------------------------------

    def _take_other(
        self, row: Row, above: Row | None, read: Mapping[int | None, Reading | Unreadable]
    ) -> None:
        self._count_other(row)
        columns = columns_of(row, above)
        if isinstance(columns, Columns):
            self.gap = True
            self.stack.see_heading()
            self.begin(columns)
            self._add_title(row)
            return
        units = units_of(row) if above is not None and above.number == self.columns.row else None
        if units is not None:
            for column, text in units.items():
                if column in read and wrong_unit(text):
                    self._wrong_unit(row.number, column, wrong_unit(text))
        elif not self._is_remark(row, read):
            self._add_faults(row, read)

    def _count_other(self, row: Row) -> None:
        """Stop where words go on and on: each could be a heading, which costs time."""
        self.others += any(isinstance(cell, str) and cell for cell in row.cells)
        if self.others > _MAX_OTHERS:
            raise LimitError(
                f"{self.found.table.row_place(row.number)}之前已有 {_MAX_OTHERS} 行不是界址点",
                expected="只含界址点坐标的表",
            )

    def _is_remark(self, row: Row, read: Mapping[int | None, object]) -> bool:
        """Take a row that holds no coordinates and is not numbered like a point."""
        cells = [row.cell(column) for column in read]
        words = [c for c in cells if isinstance(c, str) and c.strip()]
        if any(isinstance(c, float | bool | Unreadable) for c in cells):
            return False
        if not all(_CHINESE.search(word) for word in words):
            return False
        labels = [row.text(i) for i in self.labels if row.text(i)]
        numbered = [i for i in self.labels if _POINT_NUMBER.fullmatch(plain(row.text(i)))]
        if numbered == [self.columns.count] and len(row.texts) == 1:
            self.only_counted.append(row.number)  # a form with more lines than points
            return True
        if numbered or (not labels and len(words) == len(cells)):
            return False
        self._remark(row)
        return True

    def _remark(self, row: Row) -> None:
        """Keep the words of a row; lengths between two points say nothing here."""
        if not any(isinstance(cell, str) and _CHINESE.search(cell) for cell in row.cells):
            return
        self.gap = True
        if not self._add_title(row):
            self.found.skipped.append(row.number)

    def _add_title(self, row: Row) -> bool:
        """Keep the words of a row for what they say of the CRS; whether they name a plot."""
        if not row.texts:
            return False
        title = title_of(row)
        if len(self.found.titles) < _MAX_TITLES:
            self.found.titles.append(title)
        name = plot_named(title.text) if self.plot_column is None else ""
        if not name:
            self.stack.see_title(row)
            return False
        self.stack.see_name(is_new=name != self.key)
        self.key = name
        return True

    def _add_faults(self, row: Row, read: Mapping[int | None, Reading | Unreadable]) -> None:
        self._tell_only_counted()
        for column, reading in read.items():
            if isinstance(reading, Unreadable) and column is not None:
                heading = clean_text(self.columns.headings.get(column, "坐标"), limit=20)[0]
                self.found.faults.add(
                    self.found.table.cell_place(row.number, column), f"{heading} {reading.why}"
                )
        self._plot(row).unread += 1

    def _tell_only_counted(self) -> None:
        """Rows with nothing but a number are points that are missing when others follow."""
        for number in self.only_counted:
            self.found.faults.add(self.found.table.row_place(number), "只有序号，没有坐标")
        self.only_counted.clear()

    def _wrong_unit(self, row: int, column: int, unit: str) -> None:
        self.found.is_broken = True
        self.found.faults.add(
            self.found.table.cell_place(row, column),
            f"写明单位为{unit}，投影坐标应以米为单位，请换算后再提交",
        )

    def finish(self) -> None:
        """Leave the empty lines at the end of a form out."""
        self.found.skipped += self.only_counted
