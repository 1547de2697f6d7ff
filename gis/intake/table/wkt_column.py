"""Which sites does a table with one geometry as WKT per row hold?

Each row is a site; name, use and attributes are those of its other columns. A fault is told with
its row and with the place inside the WKT.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gis.errors import ClaimError, FormatError
from gis.intake.draft import (
    Draft,
    Faults,
    Ring,
    Shape,
    ShapeKind,
    check_features,
    check_vertices,
    without_points,
)
from gis.intake.statements import read_properties
from gis.intake.table.cells import Cell, Reading, Row, Table, Unreadable, read_number, text_of
from gis.intake.table.columns import Columns
from gis.intake.wkt import START, read_wkt
from gis.model import Remark
from gis.model.attributes import ATTRIBUTES


def wkt_drafts(
    table: Table, columns: Columns, faults: Faults
) -> tuple[tuple[Draft, ...], tuple[Remark, ...]]:
    """Return the geometries of the rows below the heading, and warnings about what was left out.

    Raises
    ------
    LimitError
        Too many rows or vertices.
    """
    drafts: list[Draft] = []
    vertices = 0
    for row in table.rows:
        if row.number <= columns.row or row.is_blank:
            continue
        try:
            drafts += _drafts(row, table, columns, len(drafts) + 1)
        except (FormatError, ClaimError) as error:
            _add_faults(error, table.row_place(row.number), faults)
            continue
        check_features(len(drafts))
        shape = drafts[-1].shape
        vertices += sum(len(ring.xy) for ring in shape.rings)
        check_vertices(vertices)
    return without_points(drafts)


def _add_faults(error: FormatError | ClaimError, where: str, faults: Faults) -> None:
    for fault in error.faults:
        faults.add_fault(replace(fault, where=f"{where}{fault.where}"))
    if not error.faults:
        faults.add(where, error.found)


def _drafts(row: Row, table: Table, columns: Columns, n: int) -> list[Draft]:
    where = table.row_place(row.number)
    text = row.text(columns.wkt)
    cell = row.cell(columns.wkt)
    if isinstance(cell, Unreadable):
        raise FormatError(f"图形{cell.why}")
    if not text:
        raise FormatError("没有图形")
    if not START.match(text):
        raise FormatError("图形不是 WKT", expected="POLYGON 等 WKT 文本")
    document = read_wkt(text)
    others = {h: _value(h, row.cell(i)) for i, h in columns.others.items() if i != columns.wkt}
    said = read_properties(others, where=where)
    drafts: list[Draft] = []
    for draft in document.drafts:
        name = said.name or f"地块 {n + len(drafts)}"
        drafts.append(
            replace(
                draft,
                name=name,
                shape=_placed(draft.shape, where),
                use=said.use,
                claims=said.claims,
                declared=document.declared,
                faults=said.faults,
                warnings=said.warnings,
            )
        )
    return drafts


def _value(heading: str, cell: Cell) -> Any:
    """Return a cell as the kind of value that the attribute of this name has."""
    key = heading.strip().lower()
    if key in ATTRIBUTES and ATTRIBUTES[key].kind == "number" and isinstance(cell, str):
        found = read_number(cell)
        return found.value if isinstance(found, Reading) else cell
    return cell if isinstance(cell, bool) else text_of(cell) if key not in ATTRIBUTES else cell


def _placed(shape: Shape, where: str) -> Shape:
    """Return a shape whose places tell the row, too."""

    def placed(place: Callable[[int], str]) -> Callable[[int], str]:
        return lambda i: where + place(i)

    if shape.kind is ShapeKind.POINT:
        return replace(shape, where=where)
    parts = tuple(tuple(Ring(r.xy, placed(r.place)) for r in part) for part in shape.parts)
    return replace(shape, where=where + shape.where, parts=parts)
