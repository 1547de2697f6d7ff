"""How do the boundary points of a table become drafts of sites?

Rings are told apart and put into each other as for a boundary-point TXT; statements of the table
about a plot (use, attributes, area) count where its rows agree. Nothing is judged or transformed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gis.intake.areas import read_area, unit_named
from gis.intake.boundary.lines import PointLine
from gis.intake.boundary.rings import parts_by_position, split_rings
from gis.intake.draft import (
    Draft,
    Ring,
    Shape,
    ShapeKind,
    StatedArea,
    check_rings,
    clean_text,
    name_warning,
)
from gis.intake.statements import read_properties
from gis.intake.table.cells import Cell, Reading, Table, plain, read_number, text_of
from gis.intake.table.rows import PlotRows, TableRows, Value
from gis.model import Claim, Remark
from gis.model.attributes import ATTRIBUTES

_LISTED = 5


@dataclass(frozen=True, slots=True)
class PlotDrafts:
    """The drafts of one table, and how degrees under X and Y were understood."""

    drafts: tuple[Draft, ...]
    notes: tuple[Remark, ...] = ()


def drafts_of(rows: TableRows) -> PlotDrafts:
    """Return the plots of a table as drafts in order of appearance, x = easting.

    Faults are added to those of ``rows``. A plot without a name is called 地块 n.

    Raises
    ------
    LimitError
        Too many rings in one plot.
    """
    turn, notes = _degrees_under_letters(rows)
    drafts = []
    for n, plot in enumerate(rows.plots.values(), start=1):
        if turn:
            plot.points = [replace(p, east=p.north, north=p.east) for p in plot.points]
        drafts.append(_draft(plot, n, rows))
    return PlotDrafts(tuple(drafts), notes)


def _degrees_under_letters(rows: TableRows) -> tuple[bool, tuple[Remark, ...]]:
    """Whether X and Y hold longitude and latitude, not northing and easting.

    Surveyors' X is the northing, in metres. Degrees under X and Y come from programs whose X is
    the longitude, unless no latitude can be as large.
    """
    points, columns = rows.points, rows.columns
    if columns is None or columns.is_named or not points:
        return False, ()
    largest = max(max(abs(p.north), abs(p.east)) for p in points)
    if largest > 180:
        return False, ()
    is_lon_first = not max(abs(p.east) for p in points) > 90
    order = "X=经度、Y=纬度" if is_lon_first else "X=纬度、Y=经度"
    text = f"{rows.table.prefix}X、Y 两列的数值为度，按{order}理解"
    return is_lon_first, (Remark("degrees_under_xy", text),)


def _draft(plot: PlotRows, n: int, rows: TableRows) -> Draft:
    table = rows.table
    found = split_rings(plot.points, closed=True)
    faults = [replace(f, where=table.prefix + f.where) for f in found.faults]
    for fault in faults:
        rows.faults.add_fault(fault)
    check_rings(len(found.runs))
    rings = [Ring(ring.xy, _placed(table, ring.place)) for ring in found.drawn()]
    parts = parts_by_position(rings)
    where = f"{table.row_place(plot.row)}起的地块"
    kind = ShapeKind.AREA if parts else ShapeKind.EMPTY
    said = _statements(plot, rows)
    name, changed = clean_text(said.name or plot.name)
    warnings = [Remark(w.code, table.prefix + w.message) for w in found.warnings]
    warnings += _joined(found.runs, rows)
    if len(parts) > 1 and not plot.name and not faults:
        text = f"{where}有 {len(parts)} 个环互不包含，没有列或标题区分，按一个地块的几部分理解"
        warnings.append(Remark("parts_united", text))
    warnings += [name_warning(where)] if changed else []
    return Draft(
        name or f"地块 {n}",
        Shape(kind, where, parts, has_z=rows.has_z),
        said.use,
        said.claims,
        broken=bool(plot.unread or faults or rows.is_broken),
        declared_area=said.area,
        notes=(_stacked(plot, table),) if plot.is_stacked else (),
        warnings=(*warnings, *said.warnings),
    )


def _stacked(plot: PlotRows, table: Table) -> Remark:
    text = f"{table.row_place(plot.row)}之前有另一个标题或重复的表头，从这一行起按另一个地块理解"
    return Remark("plots_stacked", text)


def _placed(table: Table, place: Callable[[int], str]) -> Callable[[int], str]:
    return lambda i: table.prefix + place(i)


def _joined(runs: Sequence[Sequence[PointLine]], rows: TableRows) -> list[Remark]:
    """Return the warning about points that go on after a gap in a ring that was still open."""
    lines = [p.line for run in runs for p in run[1:] if p.line in rows.gaps]
    if not lines:
        return []
    listed = "、".join(str(line) for line in lines[:_LISTED]) + ("…" if lines[_LISTED:] else "")
    text = (
        f"{rows.table.prefix}第 {listed} 行之前有空行、文字或重复的表头，"
        "其前的环没有闭合，按同一个环连续理解"
    )
    return [Remark("gap_in_ring", text)]


# --- statements -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    name: str
    use: str | None
    claims: dict[str, Claim]
    area: StatedArea | None
    warnings: tuple[Remark, ...]


def _statements(plot: PlotRows, rows: TableRows) -> _Said:
    """Return what the rows of a plot say about it, as far as they agree."""
    table, warnings = rows.table, []
    for key, value in plot.values.items():
        if not value.differs:
            continue
        heading = rows.columns.others.get(value.column, key) if rows.columns else key
        text = f"同一地块“{clean_text(heading, limit=20)[0]}”一列的值不一致"
        if key in ("use", "name"):  # a lost use misleads, and two names are two plots
            rows.faults.add(table.cell_place(value.row, value.column), text)
        else:
            where = table.row_place(value.row)
            warnings.append(Remark("attribute_varies", f"{where}起，{text}，未采用"))
    agreed = {key: value for key, value in plot.values.items() if not value.differs}
    use, claims, more = _properties(agreed, plot, rows)
    area = _area(agreed.get("area"), rows)
    name = text_of(agreed["name"].cell) if "name" in agreed else ""
    for key in ("plot_number", "land_use_text", "land_class"):
        text = text_of(agreed[key].cell) if key in agreed else ""
        if text and text != (name or plot.name):
            claims[key] = clean_text(text)[0]
    return _Said(name, use, claims, area, (*warnings, *more))


def _properties(
    agreed: dict[str, Value], plot: PlotRows, rows: TableRows
) -> tuple[str | None, dict[str, Claim], tuple[Remark, ...]]:
    known = {key: v for key, v in agreed.items() if key in ATTRIBUTES or key == "use"}
    values = {key: _plain_value(key, value.cell) for key, value in known.items()}
    where = rows.table.row_place(plot.row)
    said = read_properties(values, where=where)
    return said.use, dict(said.claims), said.warnings


def _plain_value(key: str, cell: Cell) -> Any:
    """Return a cell as the kind of value that the attribute has."""
    if key == "use" or ATTRIBUTES[key].kind == "word":
        return text_of(cell)
    if ATTRIBUTES[key].kind == "number" and isinstance(cell, str):
        found = read_number(cell)
        return found.value if isinstance(found, Reading) else cell
    return cell


def _area(value: Value | None, rows: TableRows) -> StatedArea | None:
    """Return the area as written; a unit in the heading speaks for all numbers under it."""
    if value is None:
        return None
    place = rows.table.cell_place(value.row, value.column)
    heading = plain(rows.columns.others.get(value.column, "")) if rows.columns else ""
    unit = unit_named(re.split(r"[(\[/:,]", heading)[-1])
    text = repr(value.cell) if isinstance(value.cell, float) else text_of(value.cell)
    try:
        return read_area(text, where=place, unit=unit)
    except ValueError as error:
        rows.faults.add(place, str(error))
        return None
