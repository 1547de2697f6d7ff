"""How far does a boundary-point TXT keep to the form that the receiving systems expect?

Small departures that a reader copes with and a surveyor should know: encoding, missing keys, gaps
in the point numbers, few decimals. Each is a remark with its line; none of them is an error. It
judges neither coordinates nor geometry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from gis.intake.boundary.head import EXPECTED
from gis.intake.boundary.lines import KINDS, PointLine, Section, plain
from gis.intake.boundary.parse import BoundaryFile, PlotLines, lines_of
from gis.intake.boundary.rings import parts_by_position, split_rings
from gis.intake.draft import ShapeKind, in_rows
from gis.model import Remark

_DECIMALS = 3
_CLOSE_M = 0.05
_NAMED = 5
# What replacement characters, byte-order marks and filler bytes look like in the wrong encoding.
_GARBLED = re.compile("\ufffd|锟斤拷|烫烫|屯屯|ï»¿|锘")
_SPLIT_LABEL = re.compile(r"(\D*)(\d{1,9})")


@dataclass(slots=True)
class Departures:
    """What departs from the form: worth a correction, and worth knowing."""

    warnings: list[Remark] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)


def departures(file: BoundaryFile, text: str) -> Departures:
    """Return all departures of a parsed file from the form."""
    found = Departures()
    found.notes += [*_marks(file), *_keys(file), *_line_ends(text)]
    if numbers := [n for n, line in lines_of(text) if _GARBLED.search(line)]:
        found.warnings.append(Remark("text_garbled", f"{in_rows(numbers)}有乱码，核对文字编码"))
    for plot in file.plots:
        found.notes += [*_header(plot), *_counts(plot), *_ring_numbers(plot)]
        found.warnings += [*_decimals(plot)]
        for run in split_rings(plot.points, closed=_is_area(plot)).runs:
            found.notes += [*_gaps(run), *_renumbered(run), *_close_points(run)]
    return found


def _is_area(plot: PlotLines) -> bool:
    return KINDS.get(plain(plot.header.kind), ShapeKind.AREA) is ShapeKind.AREA


# --- the file -------------------------------------------------------------------------------------


def _marks(file: BoundaryFile) -> Iterator[Remark]:
    lines = {mark.section: number for mark, number in reversed(file.marks)}
    titles = ((Section.HEAD, "属性描述"), (Section.PLOTS, "地块坐标"))
    missing = [title for section, title in titles if section not in lines]
    if missing:
        yield Remark("marks_missing", f"文件缺少小节 {'、'.join(f'[{m}]' for m in missing)}")
    elif lines[Section.PLOTS] < lines[Section.HEAD]:
        text = f"第 {lines[Section.HEAD]} 行的 [属性描述] 应在 [地块坐标] 之前"
        yield Remark("section_order", text)


def _keys(file: BoundaryFile) -> Iterator[Remark]:
    missing = [key for key in EXPECTED if file.head.get(key) is None]
    if missing:
        yield Remark("keys_missing", f"属性描述没有填写 {'、'.join(missing)}")
    for row in file.head.unknown:
        yield Remark("key_unknown", f"第 {row.line} 行的“{row.written[:20]}”不是属性描述的内容")


def _line_ends(text: str) -> Iterator[Remark]:
    if re.search(r"(?<!\r)\n|\r(?!\n)", text.replace("\r\r\n", "\r\n")):
        yield Remark("line_end", "行尾不是回车换行（CRLF），个别接收系统不能识别")


# --- one plot -------------------------------------------------------------------------------------


def _header(plot: PlotLines) -> Iterator[Remark]:
    header = plot.header
    if not plot.titled:
        return
    fields = (("地块编号", header.number), ("地块名称", header.name), ("地块面积", header.area))
    empty = [title for title, text in fields if not text]
    if not plain(header.kind):
        empty.append("记录图形属性")
    if empty:
        yield Remark("field_empty", f"第 {plot.line} 行没有填写 {'、'.join(empty)}")


def _counts(plot: PlotLines) -> Iterator[Remark]:
    text = plain(plot.header.count)
    if not plot.titled or not re.fullmatch(r"\d{0,7}", text):
        return
    if not text or not int(text):
        yield Remark("count_not_stated", f"第 {plot.line} 行没有填写界址点数")
    elif int(text) < len(plot.points) and plot.points:
        yield Remark(
            "count_without_closing",
            f"第 {plot.line} 行界址点数填写 {text}，坐标有 {len(plot.points)} 行，未计闭合点",
        )


def _ring_numbers(plot: PlotLines) -> Iterator[Remark]:
    """Tell ring numbers that a reader by the letter would take for a hole, or for a shell."""
    rings = split_rings(plot.points, closed=True)
    if not _is_area(plot) or len(rings.runs) < 2:
        return
    drawn = rings.drawn()
    numbers = {id(ring): run[0] for ring, run in zip(drawn, rings.runs, strict=True)}
    for n, (outer, *holes) in enumerate(parts_by_position(drawn)):
        first = numbers[id(outer)]
        if n and first.ring not in ("", "1"):
            text = f"第 {first.line} 行起的圈号 {first.ring} 不是洞，而是另一个外环"
            yield Remark("ring_number", text)
        for hole in holes:
            first = numbers[id(hole)]
            if first.ring == "1":
                yield Remark("ring_number", f"第 {first.line} 行起的圈号 1 是洞，圈号应大于 1")


def _decimals(plot: PlotLines) -> Iterator[Remark]:
    if any(abs(p.east) <= 180 for p in plot.points):
        return
    few = [p.line for p in plot.points if p.decimals < _DECIMALS]
    if few:
        yield Remark("few_decimals", f"{in_rows(few)}坐标的小数不足 {_DECIMALS} 位（毫米）")


# --- one ring -------------------------------------------------------------------------------------


def _is_closed(run: Sequence[PointLine]) -> bool:
    first, last = run[0], run[-1]
    return len(run) > 3 and abs(first.east - last.east) + abs(first.north - last.north) < 3e-3


def _open(run: Sequence[PointLine]) -> Sequence[PointLine]:
    return run[:-1] if _is_closed(run) else run


def _gaps(run: Sequence[PointLine]) -> Iterator[Remark]:
    """Tell where numbers that run on by one leave some out: a line may be missing there."""
    found = [_SPLIT_LABEL.fullmatch(p.label) for p in _open(run)]
    for a, b, point in zip(found, found[1:], run[1:], strict=False):
        if a and b and a[1] == b[1] and int(b[2]) > int(a[2]) + 1:
            text = f"第 {point.line} 行的点号由 {a[0]} 跳到 {b[0]}，中间可能缺点"
            yield Remark("point_number_gap", text)


def _renumbered(run: Sequence[PointLine]) -> Iterator[Remark]:
    first, last = run[0], run[-1]
    if _is_closed(run) and first.label != last.label:
        text = f"第 {last.line} 行的闭合点编为 {last.label}，应与起点 {first.label} 同号"
        yield Remark("closing_renumbered", text)


def _close_points(run: Sequence[PointLine]) -> Iterator[Remark]:
    """Tell neighbours so close together that a stake could hardly mark both."""
    xy = np.array([(p.east, p.north) for p in run])
    if len(xy) < 2 or np.abs(xy).max() <= 180:
        return
    steps = np.hypot(*np.diff(xy, axis=0).T)
    for i in np.flatnonzero((steps > 0) & (steps < _CLOSE_M))[:_NAMED]:
        a, b = run[int(i)], run[int(i) + 1]
        if not (int(i) + 2 == len(run) and _is_closed(run)):
            text = f"第 {a.line} 行与第 {b.line} 行的点相距只有 {steps[i]:.3f} m"
            yield Remark("points_close", text)
