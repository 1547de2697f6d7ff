"""Which columns of a table hold coordinates, point numbers, rings and plots?

Judged by the row of headings, in one or two rows; two columns that could both be the easting are
refused, not chosen from. Only where there is no heading at all is the order that of a TXT.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gis.intake.draft import clean_text
from gis.intake.table.cells import MAX_COLUMNS, Reading, Row, Table, plain, read_number, text_of
from gis.intake.table.headings import OTHER_LENGTHS, PACKED, Heading, Role, heading_of
from gis.model.attributes import ATTRIBUTES

EXPECTED = (
    "一列北坐标（X、北坐标、纵坐标、N 或 纬度）和一列东坐标（Y、东坐标、横坐标、E 或 经度），"
    "或一列 WKT"
)

_USE_TEXT = ("用途", "地块用途", "土地用途", "规划用途", "用地性质")
_LAND_CLASS = ("地类编码", "地类代码", "dlbm")
_PROPERTIES: Mapping[str, str] = (
    {key: key for key in (*ATTRIBUTES, "use")}
    | {attribute.title: key for key, attribute in ATTRIBUTES.items()}
    | dict.fromkeys(_USE_TEXT, "land_use_text")
    | dict.fromkeys(_LAND_CLASS, "land_class")
)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what, by number from 0.

    ``row`` is that of the heading, which has ``width`` columns. ``is_named``: headings name east
    and north, so that a wrong order is refused. ``is_packed``: 115.5848 means 115°58′48″. ``label``
    is the number of the point, ``count`` that of the row; ``name`` may be that of a point or of a
    plot. ``headings`` are those of the coordinates, ``others`` those of all other columns.
    """

    row: int
    width: int = MAX_COLUMNS
    north: int | None = None
    east: int | None = None
    wkt: int | None = None
    is_named: bool = False
    is_packed: bool = False
    label: int | None = None
    count: int | None = None
    name: int | None = None
    ring: int | None = None
    plot_number: int | None = None
    plot_name: int | None = None
    area: int | None = None
    height: int | None = None
    crs: tuple[int, ...] = ()
    others: Mapping[int, str] = field(default_factory=dict)
    headings: Mapping[int, str] = field(default_factory=dict)
    wrong_units: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that looks like a heading but does not name one easting and one northing."""

    row: int
    text: str


def properties_of(columns: Columns) -> dict[int, str]:
    """Return which columns hold attributes of a plot, by their headings without unit."""
    found = {}
    for i, text in columns.others.items():
        bare = re.sub(r"[(\[【〔].*", "", re.sub(r"\s+", "", plain(text))).lower()
        if bare in _PROPERTIES:
            found[i] = _PROPERTIES[bare]
    return found


def bare_columns(table: Table) -> Columns | None:
    """Return the columns of a list of points without any heading, in the order of a TXT.

    That is number, ring (if any), northing, easting, height (if any), or only the two coordinates;
    every row must be a point. None for any other table.
    """
    rows = [row for row in table.rows if not row.is_blank]
    if len(rows) < 3:
        return None
    first = rows[0].cells
    filled = [i for i, cell in enumerate(first) if text_of(cell)]
    if len(filled) < 2 or len(filled) > 5:
        return None
    has_ring = len(filled) > 3 and re.fullmatch(r"\d{1,3}", text_of(first[filled[1]])) is not None
    at = 0 if len(filled) == 2 else 2 if has_ring else 1
    north, east = filled[at], filled[at + 1]
    if not all(_is_coordinate(row, north) and _is_coordinate(row, east) for row in rows):
        return None
    return Columns(
        0,
        north=north,
        east=east,
        label=filled[0] if at else None,
        ring=filled[1] if has_ring else None,
    )


def _is_coordinate(row: Row, column: int) -> bool:
    """Whether a cell holds a number that a coordinate could be: large, or with four decimals."""
    found = read_number(row.cell(column))
    if not isinstance(found, Reading):
        return False
    decimals = len(repr(found.value).partition(".")[2])
    return found.is_dms or abs(found.value) >= 1_000 or decimals >= 4


# --- the row of headings --------------------------------------------------------------------------


def columns_of(row: Row, above: Row | None = None) -> Columns | Problem | None:
    """Return the columns that a row of headings names; None when the row is none.

    Parameters
    ----------
    row
        The row in question.
    above
        The row before it: headings in two rows (坐标 over X and Y) are read together.
    """
    headings = {
        i: heading_of(c) for i, c in enumerate(row.cells) if isinstance(c, str) and c.strip()
    }
    if len(row.texts) < 2 or not any(h.role in _COORDINATES for h in headings.values()):
        return None
    if any(isinstance(cell, float) for cell in row.cells):
        return None
    over = _over(row, above)
    for i, text in over.items():
        if i not in headings and heading_of(text).role not in _COORDINATES:
            headings[i] = heading_of(text)
    return _columns(row, headings, over)


_COORDINATES = {Role.EAST, Role.NORTH, Role.X, Role.Y, Role.WKT}


def _over(row: Row, above: Row | None) -> dict[int, str]:
    """Texts of the row above by column; one that is merged over several columns counts for each."""
    if above is None or above.number != row.number - 1 or len(above.texts) < 2:
        return {}
    found: dict[int, str] = {}
    running = ""
    for i in range(max(len(row.cells), len(above.cells))):
        running = above.text(i) or running
        if above.text(i) or row.text(i):
            found[i] = running
    return found


def _columns(
    row: Row, headings: Mapping[int, Heading], over: Mapping[int, str]
) -> Columns | Problem:
    by_role: dict[Role, list[int]] = {}
    for i, heading in sorted(headings.items()):
        if heading.role is not None:
            by_role.setdefault(heading.role, []).append(i)
    wkt = by_role.get(Role.WKT, [])
    axes = _axes(by_role)
    if axes is None or (axes == (None, None) and len(wkt) != 1):
        return Problem(row.number, _complaint(headings))
    found = {i: headings[i].unit or heading_of(over.get(i, "")).unit for i in axes if i is not None}
    return Columns(
        row.number,
        max(len(row.cells), *(i + 1 for i in headings)),
        north=axes[0],
        east=axes[1],
        wkt=wkt[0] if axes == (None, None) else None,
        is_named=not any(i in by_role.get(role, []) for role in (Role.X, Role.Y) for i in axes),
        is_packed=any(unit in PACKED for unit in found.values()),
        label=_first(by_role, Role.LABEL),
        count=_first(by_role, Role.COUNT),
        name=_first(by_role, Role.NAME),
        ring=_first(by_role, Role.RING),
        plot_number=_first(by_role, Role.PLOT_NUMBER),
        plot_name=_first(by_role, Role.PLOT_NAME),
        area=_first(by_role, Role.AREA),
        height=_first(by_role, Role.HEIGHT),
        crs=tuple(by_role.get(Role.CRS, [])),
        others={i: h.text for i, h in headings.items() if i not in axes},
        headings={i: headings[i].text for i in axes if i is not None},
        wrong_units={i: OTHER_LENGTHS[unit] for i, unit in found.items() if unit in OTHER_LENGTHS},
    )


def _axes(by_role: Mapping[Role, Sequence[int]]) -> tuple[int | None, int | None] | None:
    """Return the columns of northing and easting, none for both without any; None when unclear.

    A letter beside a named axis means the other one: 北坐标 and Y.
    """
    named = [by_role.get(role, []) for role in (Role.NORTH, Role.EAST)]
    lettered = [by_role.get(role, []) for role in (Role.X, Role.Y)]
    if not any((*named, *lettered)):
        return None, None
    pair = [[*n, *x] for n, x in zip(named, lettered, strict=True)]
    if len(pair[0]) == len(pair[1]) == 1:
        return pair[0][0], pair[1][0]
    return None


def _first(by_role: Mapping[Role, Sequence[int]], role: Role) -> int | None:
    return next(iter(by_role.get(role, [])), None)


def _complaint(headings: Mapping[int, Heading]) -> str:
    """Say which headings were found and why they do not do."""
    listed = "、".join(clean_text(h.text, limit=20)[0] for _, h in sorted(headings.items())[:12])
    roles = [h.role for h in headings.values()]
    if not (_COORDINATES - {Role.WKT}) & set(roles):
        why = "WKT 不止一列，无法确定用哪一列"
    elif not {Role.NORTH, Role.X} & set(roles):
        why = "缺少北坐标（X）列"
    elif not {Role.EAST, Role.Y} & set(roles):
        why = "缺少东坐标（Y）列"
    else:
        why = "坐标列不止一组，无法确定用哪一组；请只保留一组，左右并排的表改为上下接续"
    return f"表头为 {listed}，{why}"
