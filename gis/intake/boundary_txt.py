"""Boundary-point TXT (勘测定界界址点坐标): which plots does the file of the land bureau hold?

Reads the form and its variants seen in the wild: 9, 12 or more header fields, full-width
punctuation, missing keys, several plots with equal headers, rings told apart by position and not by
number. Every fault is listed with its line. X is the northing; the drafts have x = easting. The
writer is :mod:`gis.intake.boundary.write`, re-exported here; the list of everything that is worth
knowing about a file is :mod:`gis.intake.boundary.lint`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from gis.crs import gauss_kruger_epsg
from gis.errors import CrsError, FormatError
from gis.intake.areas import read_area
from gis.intake.boundary.head import Head, Statement, statement_of
from gis.intake.boundary.lines import KINDS, Header, header_of, plain, point_of
from gis.intake.boundary.parse import PlotLines, parse
from gis.intake.boundary.rings import parts_by_position, split_rings
from gis.intake.boundary.write import Plot, boundary_txt, write_boundary_txt
from gis.intake.draft import (
    Declared,
    Document,
    Draft,
    Faults,
    Shape,
    ShapeKind,
    StatedArea,
    check_rings,
    clean_text,
    name_warning,
    without_points,
)
from gis.model import Claim, Remark

__all__ = ["Plot", "boundary_txt", "read_boundary_txt", "write_boundary_txt"]

_MARK = re.compile(r"(属性描述|地块坐标)\s*[\]】］〕」]")
_LOOKED_AT = 20_000


def looks_like_boundary_txt(text: str) -> bool:
    """Whether a text is this format: a section mark, a plot header, or lines of coordinates.

    >>> looks_like_boundary_txt("J1,1,4030411.110,39408498.270")
    True
    """
    start = text[:_LOOKED_AT]
    if _MARK.search(start):
        return True
    lines = [line.strip() for line in start.splitlines() if line.strip()]
    if any(point_of(line, 1) for line in lines[:3]):
        return True
    headers = (header_of(line, 1) for line in lines[:60] if line[-1] in "@＠")
    return any(headers)


def read_boundary_txt(text: str, *, crs_given: bool = False) -> Document:
    """Return the plots of a TXT as drafts; faults of structure are carried along in the document.

    Parameters
    ----------
    text
        The whole file.
    crs_given
        The user names the CRS, so what the head says about it is no obstacle.

    Raises
    ------
    FormatError
        No plot at all, or more faults than are told one by one.
    LimitError
        Too many plots, rings or points.
    """
    file = parse(text)
    said = statement_of(file.head, crs_given=crs_given)
    faults = Faults()
    for fault in (*file.faults.rows, *said.faults):
        faults.add_fault(fault)
    faults.more += file.faults.more
    reader = _PlotReader(said, faults, check_prefix=not crs_given)
    drafts = tuple(reader.draft(plot, n) for n, plot in enumerate(file.plots, start=1))
    _refuse_hopeless(drafts, faults, said)
    kept, skipped = without_points(drafts)
    return Document(
        "boundary_txt",
        kept,
        declared=said.declared,
        may_swap=True,
        clockwise_is_usual=True,
        faults=tuple(faults.rows),
        refused=said.refused,
        notes=(*file.notes, *said.notes),
        warnings=(*file.warnings, *_misspelt(file.head), *said.warnings, *skipped),
    )


def _refuse_hopeless(drafts: Sequence[Draft], faults: Faults, said: Statement) -> None:
    """Raise when there is nothing to judge, or too much wrong to be told with the drawings."""
    if drafts and not faults.more:
        return
    if not drafts:
        faults.add("全文", "没有地块坐标")
    for fault in said.refused.faults if said.refused else ():
        faults.add_fault(fault)
    faults.rows.sort(key=lambda fault: line_of(fault.where) or 0)
    raise faults.error(
        CrsError if said.refused else FormatError,
        "界址点文件有错误",
        expected=said.refused.expected if said.refused else "",
        advice="按所列行号改正，见勘测定界坐标文件格式",
    )


def line_of(text: str) -> int | None:
    """Return the first line number that a text names: ``第 12 行``."""
    found = re.search(r"第 (\d+)(?:、\d+)* (?:行|等)", text)
    return int(found[1]) if found else None


def _misspelt(head: Head) -> list[Remark]:
    return [
        Remark("key_misspelt", f"第 {row.line} 行“{row.written[:20]}”按“{row.key}”理解")
        for row in head.misspelt()
    ]


class _PlotReader:
    """Turns plots into drafts, one after the other, and collects their faults."""

    def __init__(self, said: Statement, faults: Faults, *, check_prefix: bool) -> None:
        self.said = said
        self.faults = faults
        self.check_prefix = check_prefix
        self.numbers: dict[str, int] = {}

    def draft(self, plot: PlotLines, n: int) -> Draft:
        """Return the draft of a plot."""
        header = plot.header
        kind = self._kind(header)
        warnings = [*header.changes, *self._check_count(plot), *self._check_number(header)]
        is_area = kind is ShapeKind.AREA
        rings = split_rings(plot.points, closed=is_area)
        check_rings(len(rings.runs))
        for fault in rings.faults:
            self.faults.add_fault(fault)
        drawn = rings.drawn()
        parts = parts_by_position(drawn) if is_area else tuple((ring,) for ring in drawn)
        where = f"第 {plot.line} 行起的地块"
        has_z = any(p.has_z for p in plot.points)
        shape = Shape(kind if parts else ShapeKind.EMPTY, where, parts, has_z=has_z)
        name, changed = clean_text(header.name)
        warnings += [name_warning(f"第 {plot.line} 行的地块名称")] if changed else []
        prefix_wrong = self._check_prefix(plot)
        area, notes = self._area(header)
        return Draft(
            name or clean_text(header.number)[0] or f"地块 {n}",
            shape,
            claims=_claims(header),
            declared=self._declared(plot),
            broken=plot.unread > 0 or bool(rings.faults) or not plot.points or prefix_wrong,
            declared_area=area,
            notes=notes,
            warnings=(*warnings, *rings.warnings),
        )

    def _kind(self, header: Header) -> ShapeKind:
        text = plain(header.kind)
        if text and text not in KINDS:
            self.faults.add(f"第 {header.line} 行", f"记录图形属性“{text[:10]}”应为 面、线 或 点")
        return KINDS.get(text, ShapeKind.AREA)

    def _check_count(self, plot: PlotLines) -> list[Remark]:
        """Compare the declared number of points: fewer lines mean that points are lost."""
        text, found = plain(plot.header.count), len(plot.points)
        where = f"第 {plot.line} 行"
        if not re.fullmatch(r"\d{0,7}", text):
            self.faults.add(where, f"界址点数“{text[:20]}”不是整数")
        elif not found + plot.unread:
            self.faults.add(where, "其下没有界址点坐标")
        elif not text or not int(text):
            return []
        elif found + plot.unread < int(text):
            message = f"界址点数填写 {text}，其下只有 {found + plot.unread} 行坐标，可能有缺失"
            self.faults.add(where, message)
        elif found > int(text) + (len({p.ring for p in plot.points}) or 1):
            message = f"{where}界址点数填写 {text}，其下有 {found} 行坐标"
            return [Remark("point_count_differs", message)]
        return []

    def _check_number(self, header: Header) -> list[Remark]:
        number = clean_text(header.number)[0]
        first = self.numbers.setdefault(number, header.line)
        if not number or first == header.line:
            return []
        text = f"第 {header.line} 行的地块编号 {number} 与第 {first} 行相同"
        return [Remark("plot_number_repeated", text)]

    def _area(self, header: Header) -> tuple[StatedArea | None, tuple[Remark, ...]]:
        """Return the area as stated."""
        if not header.area.strip():
            return None, ()
        where = f"第 {header.line} 行"
        try:
            stated = read_area(header.area, where=where)
        except ValueError as error:
            self.faults.add(where, f"地块{error}")
            return None, ()
        if stated.number == 0:
            return None, (Remark("area_not_stated", f"{where}没有填写地块面积"),)
        text = f"{where}的面积写有单位：{clean_text(header.area, limit=30)[0]}"
        return stated, (Remark("area_unit_written", text),) if stated.unit else ()

    def _check_prefix(self, plot: PlotLines) -> bool:
        """Compare the declared width of the zones with the number in front of the eastings."""
        width, zone = self.said.width_degrees, _prefix(plot)
        row = self.said.width
        if not self.check_prefix or width is None or row is None or zone is None:
            return False
        if self.said.declared or self.said.faults or width == (3 if zone >= 25 else 6):
            return False
        self.faults.add(
            f"第 {row.line} 行 与 第 {plot.points[0].line} 行",
            f"几度分带填写 {width}，东坐标的带号 {zone} 却是 {9 - width}度带",
        )
        return True

    def _declared(self, plot: PlotLines) -> Declared | None:
        """Return what the head declares, with the place of the coordinates beside it."""
        said = self.said.declared
        if said is None or not plot.points:
            return None
        return replace(said, place=f"{said.place} 与 第 {plot.points[0].line} 行")


def _prefix(plot: PlotLines) -> int | None:
    """Return the zone number in front of the eastings, in whichever column they stand."""
    if not plot.points:
        return None
    for value in np.median([(p.east, p.north) for p in plot.points], axis=0).tolist():
        zone = int(value // 1e6) if 1e7 <= value < 1e8 else 0
        if gauss_kruger_epsg(zone, prefixed=True):
            return zone
    return None


def _claims(header: Header) -> Mapping[str, Claim]:
    texts = {
        "plot_number": header.number,
        "land_use_text": header.use_text,
        "land_class": header.land_class,
    }
    return {key: clean_text(text)[0] for key, text in texts.items() if clean_text(text)[0]}
