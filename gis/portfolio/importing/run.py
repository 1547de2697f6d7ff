"""What does an Excel list of the bureau bring into the register, and what could not be taken?

The list is read, merged with the register that is there, checked, and written beside the old file
and moved over it. Everything that was not taken is named with its cell: a column without a place, a
cell that cannot be read, a value that contradicts the register.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gis.errors import ClaimError, Fault, FormatError, NotFoundError
from gis.intake.encoding import decode_text
from gis.intake.table.cells import MAX_COLUMNS, Table
from gis.intake.table.text import read_text
from gis.intake.table.workbook import read_workbook
from gis.plan.releases.folder import MANIFEST
from gis.portfolio.cells import shown
from gis.portfolio.columns import BY_NAME, SUMMED
from gis.portfolio.importing.grid import Grid, Heading, Placed, find_heading
from gis.portfolio.importing.headings import NUMBER, money_unit, year_in
from gis.portfolio.importing.listing import Listing, Sum, read_listing
from gis.portfolio.importing.merge import Change, Merged, merged
from gis.portfolio.importing.writing import write_head, write_register
from gis.portfolio.project import Register
from gis.portfolio.register import HEAD, broken, read_register
from gis.portfolio.totals import LABELS

if TYPE_CHECKING:
    from gis.plan import Plan

_MAX_BYTES = 20_000_000
_SAME_WAN = 0.5


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: columns placed and not placed, rows added and changed, what is open."""

    sheet: str
    heading: Heading
    listing: Listing
    merged: Merged
    warnings: tuple[Fault, ...]
    register: Register | None
    written: bool = False
    notes: tuple[str, ...] = field(default=())

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Cells and rows of the list that could not be taken."""
        return tuple(self.listing.faults)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "sheet": self.sheet,
            "heading_rows": [self.heading.first, self.heading.last],
            "columns": [
                {"heading": _told(p), "column": p.meaning.column}
                for p in self.heading.taken.values()
                if p.meaning.column != NUMBER
            ],
            "unplaced": [{"heading": _told(p), "why": why} for p, why in unplaced(self.heading)],
            "listed": len(self.listing.projects),
            "added": [{"id": p.id, "name": p.name} for p in self.merged.added],
            "filled": [change.to_dict() for change in self.merged.filled],
            "conflicts": [change.to_dict() for change in self.merged.conflicts],
            "unlisted": [{"id": p.id, "name": p.name} for p in self.merged.unlisted],
            "skipped": [{"row": row, "text": text} for row, text in self.listing.skipped],
            "faults": [fault.to_dict() for fault in self.faults],
            "warnings": [fault.to_dict() for fault in self.warnings],
            "notes": list(self.notes),
            "written": self.written,
        }


def import_projects(
    data: bytes,
    plan: Plan,
    *,
    file: str,
    sheet: str | None = None,
    money: str = "",
    list_wins: bool = False,
    write: bool = True,
) -> Imported:
    """Bring a bureau's list into the register of a plan package.

    Parameters
    ----------
    data
        An .xlsx workbook, or a CSV.
    plan
        The opened package; its ``projects.csv`` is written, or created.
    file
        What people call the list; added projects name it as their source.
    sheet
        The sheet to take, where several hold a list of projects.
    money
        The unit of sums whose heading and title name none: 万元, 亿元 or 元.
    list_wins
        Whether the list replaces what it contradicts; without it the register stays.
    write
        False to see only what would come of it.

    Raises
    ------
    InputError
        No list of projects can be found, or several.
    PlanError
        The register that is there has faults, or cannot be written.
    ClaimError
        The package is a release, which never changes.
    """
    if write and (plan.root / MANIFEST).exists():
        raise ClaimError(
            "规划数据包是已发布的版本，内容不能改动",
            expected="发布之前的规划数据包文件夹",
            advice="导入到编制用的数据包，再发布新版本",
        )
    old = _register(plan.root)
    grid, heading = _sheet(_tables(data), sheet)
    titles = [" ".join(row.texts) for row in grid.table.rows if row.number < heading.first]
    unit = money or next(filter(None, map(money_unit, titles)), "")
    listing = read_listing(grid, heading, unit)
    source = f"导入自“{file[:80]}”"
    found = merged(
        old.projects if old else (), listing.projects, source=source, list_wins=list_wins
    )
    year = _year(heading, titles)
    warnings = (*listing.warnings, *_warnings(found, listing, old, year, grid.table))
    done = Imported(grid.table.sheet, heading, listing, found, warnings, old)
    return _written(done, plan.root, file, year) if write else done


def _written(done: Imported, root: Path, file: str, year: int | None) -> Imported:
    found, old = done.merged, done.register
    changed = bool(found.added) or tuple(found.projects) != (old.projects if old else ())
    notes = []
    if changed:
        write_register(root, found.projects, old.extra_columns if old else ())
    if not (root / HEAD).exists():
        title = Path(file).stem
        write_head(root, title=title, source=file, year=year, sums=done.listing.sums)
        notes.append(f"已写出 {HEAD}：清单名称、年份和清单写明的合计，请核对")
    return replace(done, written=changed, notes=tuple(notes))


def unplaced(heading: Heading) -> list[tuple[Placed, str]]:
    """Return the columns that were not taken, each with why."""
    taken = {placed.at for placed in heading.taken.values()}
    return [
        (p, p.meaning.why or f"与另一列都是{BY_NAME[p.meaning.column or 'name'].title}，取前一列")
        for p in heading.columns
        if p.at not in taken
    ]


# --- what is read --------------------------------------------------------------------------------


def _register(root: Path) -> Register | None:
    try:
        register, faults = read_register(root)
    except NotFoundError:
        return None
    if faults:
        raise broken(faults)
    return register


def _tables(data: bytes) -> Sequence[Table]:
    if len(data) > _MAX_BYTES:
        raise FormatError(f"文件超过 {_MAX_BYTES // 1_000_000} MB", expected="项目清单")
    if data[:2] == b"PK":
        return read_workbook(data)
    if data[:4] == b"\xd0\xcf\x11\xe0":
        raise FormatError(
            "是旧版 Excel 文件（.xls）", expected=".xlsx", advice="另存为 .xlsx 再导入"
        )
    text, _ = decode_text(data)
    return (read_text(text)[0],)


def _sheet(tables: Sequence[Table], wanted: str | None) -> tuple[Grid, Heading]:
    """Return the sheet that lists projects, with its heading."""
    named = [t for t in tables if wanted is None or t.sheet == wanted]
    if not named:
        sheets = "、".join(t.sheet for t in tables)
        raise FormatError(f"没有工作表“{(wanted or '')[:40]}”", expected=sheets)
    grids = [Grid(table) for table in named]
    found = [(g, h) for g in grids if (h := find_heading(g)) is not None]
    if not found:
        raise FormatError(
            "没有找到项目清单的表头",
            expected="一行或两行的表头，含“项目名称”和另外至少两列（如 总投资、存在问题）",
            advice="核对表头，或用 --sheet 指定工作表",
        )
    if len(found) > 1:
        names = "、".join(f"“{grid.table.sheet}”" for grid, _ in found)
        raise FormatError(
            f"有 {len(found)} 个工作表像项目清单：{names}",
            expected="一个工作表",
            advice="用 --sheet 指定其中一个",
        )
    return found[0]


def _year(heading: Heading, titles: Sequence[str]) -> int | None:
    years = {p.meaning.year for p in heading.columns if p.meaning.year is not None}
    if len(years) == 1:
        return years.pop()
    return next((year for title in titles if (year := year_in(title)) is not None), None)


# --- what is to be looked at ---------------------------------------------------------------------


def _warnings(
    found: Merged, listing: Listing, old: Register | None, year: int | None, table: Table
) -> Iterator[Fault]:
    yield from _unseen(table)
    for own, project in found.alike:
        text = f"“{own.name[:40]}”与登记册的“{project.name[:40]}”（{project.id}）相近，按新项目增加"
        yield Fault(table.row_place(own.row), text)
    if old is not None and old.year is not None and year is not None and year != old.year:
        text = f"是 {year} 年的清单，登记册的年度计划和本期完成是 {old.year} 年的"
        yield Fault(f"工作表“{table.sheet}”" if table.sheet else "表头", text)
    for stated in listing.sums:
        yield from _unequal(stated, listing, table)


def _unseen(table: Table) -> Iterator[Fault]:
    """Yield what a person who looks at the sheet does not see, or what was not looked at."""
    sheet = f"工作表“{table.sheet}”"
    if table.is_hidden:
        yield Fault(sheet, "是隐藏的，也已读取")
    if table.hidden_rows:
        yield Fault(sheet, f"有 {table.hidden_rows} 行被隐藏，也已读取")
    if table.is_cut:
        yield Fault(sheet, f"第 {MAX_COLUMNS} 列以后未读取")


def _unequal(stated: Sum, listing: Listing, table: Table) -> Iterator[Fault]:
    """Yield where the rows do not add up to the total that the list states of them."""
    rows = [
        p for p in listing.projects if not stated.group or p.values.get("group") == stated.group
    ]
    if stated.count is not None and stated.count != len(rows):
        text = f"写 {stated.count} 个项目，各行共 {len(rows)} 个"
        yield Fault(table.row_place(stated.row), text)
    for column in SUMMED:
        if column in stated.values:
            known = math.fsum(float(p.values.get(column) or 0.0) for p in rows)
            if abs(known - stated.values[column]) > _SAME_WAN:
                said, own = shown(stated.values[column]), shown(round(known, 4))
                text = f"{LABELS[column]}合计写 {said} 万元，各行之和 {own} 万元"
                yield Fault(table.row_place(stated.row), text)


def _told(placed: Placed) -> str:
    return placed.text.replace("\n", "／")


def changes_told(changes: Sequence[Change]) -> list[str]:
    """Return changes as sentences."""
    return [
        f"{c.id} {c.name[:40]} {BY_NAME[c.column].title}：登记册 {shown(c.old) or '空'}，"
        f"清单 {shown(c.new)}（{c.place}）"
        for c in changes
    ]
