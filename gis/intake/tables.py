"""Excel and CSV: which plots does a table of boundary points (界址点成果表) hold?

Sheets and delimited texts go the same way: cells, heading, points, plots. Every fault is told with
its sheet, row and cell, all at once. A sheet without coordinates is left out with a note; one whose
columns are unclear is refused, because a plot could be lost with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gis.errors import FormatError, InputError
from gis.intake.draft import (
    Document,
    Draft,
    Faults,
    check_features,
    check_vertices,
    clean_text,
    first_of,
    in_rows,
)
from gis.intake.table.cells import MAX_COLUMNS, Table, plain
from gis.intake.table.columns import EXPECTED, bare_columns
from gis.intake.table.plots import drafts_of
from gis.intake.table.rows import TableRows, read_rows
from gis.intake.table.text import read_text
from gis.intake.table.titles import Stated, Title, read_titles
from gis.intake.table.wkt_column import wkt_drafts
from gis.intake.table.workbook import read_workbook
from gis.model import Remark


class NoCoordinatesError(FormatError):
    """No table has anything like coordinates: a list of other things."""


def read_csv(text: str, *, crs_given: bool = False) -> Document:
    """Return the plots of a delimited text with a row of headings.

    Parameters
    ----------
    text
        The text; the delimiter is found out from it.
    crs_given
        The user names the CRS, so what the titles say of it does not matter.

    Raises
    ------
    FormatError
        No columns of coordinates, or quotation marks that do not match.
    LimitError
        Too many rows, plots, rings or points.
    """
    table, note = read_text(text)
    document = _document("csv", (table,), crs_given)
    return replace(document, notes=(note, *document.notes))


def read_xlsx(data: bytes, *, crs_given: bool = False) -> Document:
    """Return the plots of all sheets of an Excel workbook; see :func:`read_csv`.

    Raises
    ------
    FormatError
        A damaged or unsafe workbook, or no columns of coordinates.
    LimitError
        Too large once unpacked, too many sheets, rows, plots, rings or points.
    """
    return _document("xlsx", read_workbook(data), crs_given)


@dataclass(slots=True)
class _Sheet:
    """One table with coordinates and its drafts."""

    rows: TableRows
    stated: Stated
    drafts: tuple[Draft, ...] = ()


def _document(kind: str, tables: Sequence[Table], crs_given: bool) -> Document:
    used, left = _sorted_out([read_rows(table) for table in tables])
    about_all = _about_all(left, crs_given)
    notes: list[Remark] = []
    warnings: list[Remark] = []
    sheets = [_Sheet(reading, _stated(reading, about_all, crs_given)) for reading in used]
    for sheet in sheets:
        warnings += _read_drafts(sheet, notes)
    notes += _left_out([*left, *(s.rows for s in sheets if not s.drafts)])
    drafts = _named([sheet for sheet in sheets if sheet.drafts])
    check_features(len(drafts))
    check_vertices(sum(len(ring.xy) for d in drafts for ring in d.shape.rings))
    faults = _faults(sheets, left, about_all)
    if not drafts and not faults:
        faults.add("全文", "表头之下没有界址点坐标")
    return Document(
        kind,
        drafts,
        may_swap=not any(s.rows.columns and s.rows.columns.is_named for s in sheets),
        clockwise_is_usual=True,
        faults=tuple(faults.rows),
        refused=next((s.stated.refused for s in sheets if s.stated.refused), None),
        notes=tuple(dict.fromkeys(notes)),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _sorted_out(readings: Sequence[TableRows]) -> tuple[list[TableRows], list[TableRows]]:
    """Return the tables with coordinates, and the others; a bare list counts if nothing else does.

    Raises
    ------
    FormatError
        No table has coordinates.
    """
    used = [r for r in readings if r.columns is not None]
    left = [r for r in readings if r.columns is None]
    if not used and not any(r.problem for r in readings):
        bare = [(r, bare_columns(r.table)) for r in readings]
        used = [read_rows(r.table, columns) for r, columns in bare if columns is not None]
        left = [r for r, columns in bare if columns is None]
    if not used:
        raise _no_columns(readings)
    return used, left


def _faults(sheets: Sequence[_Sheet], left: Sequence[TableRows], about_all: Stated) -> Faults:
    """Gather all faults in the order of the sheets; unclear columns could hide a plot."""
    faults = Faults()
    for fault in about_all.faults:
        faults.add_fault(fault)
    for sheet in sheets:
        for fault in (*sheet.stated.faults, *sheet.rows.faults.rows):
            faults.add_fault(fault)
    for reading in left:
        if reading.problem is not None:
            where = reading.table.row_place(reading.problem.row)
            faults.add(where, f"{reading.problem.text}，应有{EXPECTED}")
    return faults


def _about_all(left: Sequence[TableRows], crs_given: bool) -> Stated:
    """Return what sheets without coordinates say about the CRS; the first that says it counts."""
    said = [read_titles(_titles(r), r.table, crs_given=crs_given, with_units=False) for r in left]
    declaring = next((s for s in said if s.declared is not None), Stated())
    return replace(
        declaring,
        trace=next((s.trace for s in said if s.trace is not None), None),
        refused=next((s.refused for s in said if s.refused is not None), None),
        faults=tuple(fault for s in said for fault in s.faults),
    )


def _stated(reading: TableRows, about_all: Stated, crs_given: bool) -> Stated:
    """Return what a sheet says about its CRS; where it is silent, what a sheet of remarks says."""
    said = read_titles(_titles(reading), reading.table, crs_given=crs_given)
    if said.declared is None and not said.faults and about_all.declared is not None:
        said = replace(said, declared=about_all.declared, notes=about_all.notes)
    return replace(
        said,
        trace=said.trace or about_all.trace,
        refused=said.refused or about_all.refused,
    )


def _titles(reading: TableRows) -> list[Title]:
    name = reading.table.sheet
    return [*([Title(plain(name), 1)] if name else []), *reading.titles]


def _read_drafts(sheet: _Sheet, notes: list[Remark]) -> tuple[Remark, ...]:
    """Draw the plots of a sheet and add the notes on how it was read; return its warnings."""
    reading, columns = sheet.rows, sheet.rows.columns
    warnings: tuple[Remark, ...] = ()
    if columns is not None and columns.wkt is not None:
        drafts, warnings = wkt_drafts(reading.table, columns, reading.faults)
    else:
        found = drafts_of(reading)
        drafts = found.drafts
        notes += _how_read(reading) if not found.notes else found.notes
    notes += [*_about_cells(reading), *sheet.stated.notes]
    sheet.drafts = tuple(
        replace(d, declared=d.declared or sheet.stated.declared, trace=sheet.stated.trace)
        for d in drafts
    )
    return warnings


def _named(sheets: Sequence[_Sheet]) -> tuple[Draft, ...]:
    """Return all drafts, with the name of their sheet in front where there are several sheets."""
    if len(sheets) == 1:
        return sheets[0].drafts
    named = []
    for sheet in sheets:
        title = sheet.rows.table.sheet
        alone = len(sheet.drafts) == 1 and sheet.drafts[0].name == "地块 1"
        named += [replace(d, name=title if alone else f"{title}／{d.name}") for d in sheet.drafts]
    return tuple(named)


def _no_columns(readings: Sequence[TableRows]) -> InputError:
    """Return the error that lists the headings that were found, sheet by sheet."""
    faults = Faults()
    for reading in readings:
        table = reading.table
        if reading.problem is not None:
            faults.add(table.row_place(reading.problem.row), reading.problem.text)
            continue
        row = next((r for r in table.rows if len(r.texts) > 1), None)
        if row is not None:
            listed = "、".join(clean_text(text, limit=20)[0] for text in row.texts[:12])
            faults.add(table.row_place(row.number), f"各列为 {listed}，其中没有坐标列")
    if not faults:
        faults.add("全文", "没有坐标")
    advice = "在坐标上方写一行表头，如 点号、X、Y（X 为北坐标，Y 为东坐标）"
    is_unclear = any(reading.problem for reading in readings)
    cls = FormatError if is_unclear else NoCoordinatesError
    return faults.error(cls, "没有可用的坐标列", expected=EXPECTED, advice=advice)


# --- notes ----------------------------------------------------------------------------------------


def _how_read(reading: TableRows) -> list[Remark]:
    """Say which columns were taken for the coordinates."""
    table, columns = reading.table, reading.columns
    if columns is None:
        return []
    if not columns.headings:
        text = f"{table.prefix}没有表头，按“点号、X（北坐标）、Y（东坐标）”的顺序理解"
        return [Remark("table_columns", text)]
    north, east = (
        clean_text(columns.headings.get(column or 0, ""), limit=20)[0]
        for column in (columns.north, columns.east)
    )
    where = table.row_place(columns.row)
    return [Remark("table_columns", f"{where}为表头，“{north}”为北坐标，“{east}”为东坐标")]


def _about_cells(reading: TableRows) -> list[Remark]:
    table, notes = reading.table, []
    if reading.dms:
        text = f"{table.prefix}有 {reading.dms} 个点的坐标为度分秒，已换算为十进制度"
        notes.append(Remark("dms_converted", text))
    if reading.skipped:
        text = f"{table.prefix}{in_rows(reading.skipped)}不是界址点，已略过"
        notes.append(Remark("rows_skipped", text))
    if table.is_hidden:
        notes.append(Remark("sheet_hidden", f"{table.prefix}是隐藏的，也已读取"))
    if table.hidden_rows:
        text = f"{table.prefix}有 {table.hidden_rows} 行被隐藏，也已读取"
        notes.append(Remark("rows_hidden", text))
    if table.is_cut:
        notes.append(Remark("columns_cut", f"{table.prefix}第 {MAX_COLUMNS} 列以后未读取"))
    return notes


def _left_out(left: Sequence[TableRows]) -> list[Remark]:
    """Name the sheets that hold something, but no coordinates."""
    named = [r for r in left if r.table.sheet and r.table.rows and not (r.problem or r.faults)]
    names = [f"“{r.table.sheet}”" for r in named]
    if not names:
        return []
    text = f"工作表{first_of(names, counted='个')}中没有坐标，未读取"
    return [Remark("sheets_left_out", text)]
