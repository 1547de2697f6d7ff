"""Boundary-point TXT (勘测定界界址点坐标): which plots does the file of the land bureau hold?

Reads the form and its variants seen in the wild: 9, 12 or more header fields, full-width
punctuation, missing keys, several plots with equal headers, rings told apart by position and not by
number. Every fault is listed with its line. X is the northing; the drafts have x = easting. The
writer is :mod:`gis.intake.boundary_write`, re-exported here.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gis.errors import FormatError, LimitError
from gis.intake.boundary_head import HeadLine, declared_crs, key_of
from gis.intake.boundary_rings import parts_by_position, split_rings
from gis.intake.boundary_write import Plot, boundary_txt, write_boundary_txt
from gis.intake.draft import (
    Document,
    Draft,
    Faults,
    Shape,
    ShapeKind,
    check_features,
    check_rings,
    check_vertices,
    clean_text,
    name_warning,
)
from gis.model import Claim, Remark

__all__ = ["Plot", "boundary_txt", "read_boundary_txt", "write_boundary_txt"]

_SECTION = re.compile(r"[\[【［〔]\s*([^\]】］〕]*?)\s*[\]】］〕]$")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?")
_MAX_LINES = 250_000
_MAX_LINE_LENGTH = 2_000
_FULL_HEADER_COMMAS = 7
_KINDS = {"面": ShapeKind.AREA, "": ShapeKind.AREA, "线": ShapeKind.LINE, "点": ShapeKind.POINT}


@dataclass(frozen=True, slots=True)
class PointLine:
    """One boundary point: number, ring number as written, easting, northing, line."""

    label: str
    ring: str
    east: float
    north: float
    line: int


@dataclass(slots=True)
class PlotLines:
    """One plot as it stands in the file; ``fields`` of its header line, without the ``@``."""

    fields: Sequence[str]
    line: int
    points: list[PointLine] = field(default_factory=list)

    def text(self, i: int) -> str:
        """Field i, cleaned; empty when the header is shorter."""
        return clean_text(self.fields[i])[0] if i < len(self.fields) else ""


@dataclass(slots=True)
class BoundaryFile:
    """The file as parsed: head, plots, faults with line numbers, and remarks."""

    head: dict[str, HeadLine] = field(default_factory=dict)
    plots: list[PlotLines] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    notes: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)


def looks_like_boundary_txt(text: str) -> bool:
    """Whether a text is this format: a section mark, a plot header, or lines of coordinates.

    >>> looks_like_boundary_txt("J1,1,4030411.110,39408498.270")
    True
    """
    if re.search(r"[\[【［]\s*(属性描述|地块坐标)\s*[\]】］]", text[:20_000]):
        return True
    lines = [line for line in text[:4000].splitlines() if line.strip()][:3]
    return bool(lines) and any(_point(line, 1) is not None or _is_header(line) for line in lines)


def read_boundary_txt(text: str) -> Document:
    """Return the plots of a TXT as drafts.

    Raises
    ------
    FormatError
        Faults of structure; all of them, with line numbers.
    CrsError
        A head that names another datum, projection or unit.
    LimitError
        Too many plots, rings or points.
    """
    file = parse(text)
    declared, notes = declared_crs(file.head, file.faults)
    drafts = tuple(_draft(plot, n, file.faults) for n, plot in enumerate(file.plots, start=1))
    if not drafts and not file.faults:
        file.faults.add("全文", "没有地块坐标")
    if file.faults:
        raise file.faults.error(
            FormatError, "界址点文件有错误", advice="按所列行号改正，见勘测定界坐标文件格式"
        )
    return Document(
        "boundary_txt",
        drafts,
        declared=declared,
        may_swap=True,
        clockwise_is_usual=True,
        notes=(*file.notes, *notes),
        warnings=tuple(file.warnings),
    )


def parse(text: str) -> BoundaryFile:
    """Return the lines of the file sorted into head and plots; faults are collected, not raised."""
    file = BoundaryFile()
    section, strange = "", []
    for number, line in _lines(text):
        mark = _SECTION.search(line)
        if mark and "," not in line:
            section = mark[1]
        elif "地块坐标" not in section and _is_pair(line) and not _is_header(line):
            key, value = re.split("[=＝]", line, maxsplit=1)
            file.head[key_of(_plain(key))] = HeadLine(_plain(value), number)
        elif section in ("", "地块坐标"):
            if not _add_line(file, line, number) and not file.plots and not section:
                strange.append(number)
            elif file.plots:
                check_features(len(file.plots))
    if strange:
        file.warnings.append(
            Remark("lines_skipped", f"第 {strange[0]} 行起有 {len(strange)} 行无法识别，已略过")
        )
    check_vertices(sum(len(plot.points) for plot in file.plots))
    return file


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, raw in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        if number > _MAX_LINES or len(raw) > _MAX_LINE_LENGTH:
            raise LimitError(
                f"第 {number} 行过长，或文件超过 {_MAX_LINES} 行", expected="勘测定界界址点文件"
            )
        line = raw.strip(" \t\x00\x1a\ufeff\u3000")
        if line:
            yield number, line


def _add_line(file: BoundaryFile, line: str, number: int) -> bool:
    """Put one line of the coordinate section where it belongs; False when it is neither."""
    if _is_header(line):
        file.plots.append(PlotLines(_fields(line), number))
        if not _plain(line).endswith("@"):
            file.warnings.append(Remark("header_mark_missing", f"第 {number} 行地块标题行末缺少 @"))
        return True
    point = _point(line, number)
    if point is None:
        if file.plots or _plain(line)[:1].isalnum():
            known = bool(file.plots)
            if known:
                file.faults.add(
                    f"第 {number} 行", "既不是地块标题行，也不是“点号,圈号,X坐标,Y坐标”"
                )
            return known
        return False
    if not (math.isfinite(point.east) and math.isfinite(point.north)):
        file.faults.add(f"第 {number} 行", "坐标不是有限的数值")
        return True
    if not file.plots:
        file.plots.append(PlotLines((), number))
        file.notes.append(Remark("no_plot_header", "没有地块标题行，全部坐标按一个地块理解"))
    file.plots[-1].points.append(point)
    return True


# --- lines ----------------------------------------------------------------------------------------


def _plain(text: str) -> str:
    """Half-width form of full-width punctuation, digits and letters."""
    return unicodedata.normalize("NFKC", text).replace("、", ",").strip()


def _is_pair(line: str) -> bool:
    return "=" in line or "＝" in line


def _fields(line: str) -> list[str]:
    """Fields of a header line; a name keeps its full-width brackets, and commas where it can."""
    separated = line if line.count(",") >= _FULL_HEADER_COMMAS else line.replace("，", ",")
    fields = [f.strip() for f in separated.split(",")]
    if fields[-1].endswith(("@", "＠")):
        fields[-1] = fields[-1][:-1].strip()
        if not fields[-1]:
            fields.pop()
    return fields


def _is_header(line: str) -> bool:
    plain = _plain(line)
    if plain.endswith("@") and plain.count(",") >= 3:
        return True
    return plain.count(",") >= 7 and _point(line, 0) is None


def _point(line: str, number: int) -> PointLine | None:
    """Read a point line: ``number,ring,X,Y``, ``number,X,Y`` or ``number X Y [Z]``; else None."""
    fields = [f.strip() for f in re.split(r"[,;]", _plain(line).strip("{}() "))]
    while len(fields) > 3 and not fields[-1]:
        fields.pop()
    if len(fields) == 1:
        fields = fields[0].split()
        if len(fields) == 4 and not re.fullmatch(r"\d{1,3}", fields[1]):
            fields.pop()  # name X Y Z
    if len(fields) == 3:
        fields = [fields[0], "", *fields[1:]]
    if len(fields) not in (4, 5) or not all(_NUMBER.fullmatch(f) for f in fields[2:4]):
        return None
    label, ring, north, east = fields[:4]
    return PointLine(label, ring, float(east), float(north), number)


# --- plots ----------------------------------------------------------------------------------------


def _draft(plot: PlotLines, n: int, faults: Faults) -> Draft:
    kind_text = _plain(plot.text(4))
    kind = _KINDS.get(kind_text)
    if kind is None:
        faults.add(f"第 {plot.line} 行", f"记录图形属性“{kind_text[:10]}”应为 面、线 或 点")
        kind = ShapeKind.AREA
    warnings = _check_count(plot, faults)
    is_area = kind is ShapeKind.AREA
    rings = split_rings(plot.points, faults, closed=is_area)
    check_rings(len(rings))
    parts = parts_by_position(rings) if is_area else tuple((ring,) for ring in rings)
    where = f"第 {plot.line} 行起的地块"
    shape = Shape(kind if parts else ShapeKind.EMPTY, where, parts)
    name, changed = clean_text(plot.fields[3]) if len(plot.fields) > 3 else ("", False)
    warnings += [name_warning(f"第 {plot.line} 行的地块名称")] if changed else []
    return Draft(
        name or plot.text(2) or f"地块 {n}",
        shape,
        claims=_claims(plot),
        declared_area=_stated_area(plot, faults),
        area_place=f"第 {plot.line} 行",
        warnings=tuple(warnings),
    )


def _claims(plot: PlotLines) -> Mapping[str, Claim]:
    keys = {"plot_number": 2, "land_use_text": 6, "land_class": 7}
    return {key: plot.text(i) for key, i in keys.items() if plot.text(i)}


def _stated_area(plot: PlotLines, faults: Faults) -> float | None:
    text = _plain(plot.text(1))
    if not text:
        return None
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        faults.add(f"第 {plot.line} 行", f"地块面积“{text[:20]}”不是数字")
        return None
    return float(text)


def _check_count(plot: PlotLines, faults: Faults) -> list[Remark]:
    """Compare the declared number of points: fewer lines mean that points are lost."""
    text = _plain(plot.text(0))
    found = len(plot.points)
    if not text:
        return []
    if not re.fullmatch(r"\d{1,7}", text):
        faults.add(f"第 {plot.line} 行", f"界址点数“{text[:20]}”不是整数")
        return []
    rings = len({p.ring for p in plot.points}) or 1
    if found < int(text):
        faults.add(
            f"第 {plot.line} 行", f"界址点数填写 {text}，其下只有 {found} 行坐标，可能有缺失"
        )
    elif found > int(text) + rings:
        message = f"第 {plot.line} 行界址点数填写 {text}，其下有 {found} 行坐标"
        return [Remark("point_count_differs", message)]
    return []
