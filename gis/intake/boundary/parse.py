"""Which lines of a boundary-point TXT belong together: head, plots with their points, the rest?

Every line is told apart once and keeps its number; what cannot be understood is a fault or, before
the first plot, skipped with a warning. The limits are kept while reading. It judges no coordinate.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gis.errors import LimitError
from gis.intake.boundary.head import Head, is_key
from gis.intake.boundary.lines import (
    Header,
    Mark,
    PointLine,
    Section,
    has_full_width,
    header_of,
    is_heading,
    is_ruler,
    mark_of,
    pair_of,
    plain,
    point_of,
    table_pair_of,
    usual_point_of,
    why_no_point,
)
from gis.intake.draft import MAX_FAULTS, Faults, check_features, check_vertices, in_rows
from gis.model import Remark

_MAX_LINES = 250_000
# A line of the form that can be nothing but a point.
_SURE_POINT = re.compile(r"^[^,\r\n]{1,20},\d{1,4},\d{1,8}\.\d+,\d{1,8}\.", re.MULTILINE)
_MAX_LINE_LENGTH = 2_000
_EDGE = " \t\x00\x1a\ufeff\u3000\u200b\xa0"
_COLLECTED = {
    "lines_skipped": "无法识别，已略过",
    "heading_skipped": "是列名，已略过",
    "full_width": "用了全角标点或数字，已按半角理解",
    "point_columns_skipped": "坐标之后还有其他内容，已略去",
    "key_misplaced": "是属性描述，却写在地块坐标之中，已采用",
}
_NOTES = ("heading_skipped", "point_columns_skipped")


@dataclass(slots=True)
class PlotLines:
    """One plot as it stands in the file; ``unread`` of its lines could not be understood.

    ``titled`` is False where the points stand alone, without a header line.
    """

    header: Header
    points: list[PointLine] = field(default_factory=list)
    unread: int = 0
    titled: bool = True

    @property
    def line(self) -> int:
        """The line of its header, or of its first point."""
        return self.header.line


@dataclass(slots=True)
class OtherSection:
    """A section that is not of the form, with how many of its lines look like coordinates."""

    name: str
    line: int
    lines: int = 0
    coordinates: int = 0


@dataclass(slots=True)
class BoundaryFile:
    """The file as parsed: head, plots, faults with line numbers, and remarks."""

    head: Head = field(default_factory=Head)
    plots: list[PlotLines] = field(default_factory=list)
    marks: list[tuple[Mark, int]] = field(default_factory=list)
    others: list[OtherSection] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    notes: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)


def parse(text: str) -> BoundaryFile:
    """Return the lines of the file sorted into head and plots; faults are collected, not raised.

    Raises
    ------
    LimitError
        Too many or too long lines, too many plots or points.
    """
    # Counted before anything is read: too many points are refused at once.
    check_vertices(sum(1 for _ in _SURE_POINT.finditer(text)))
    parser = _Parser()
    for number, line in lines_of(text):
        mark = mark_of(line)
        if mark is not None:
            parser.enter(mark, number)
        else:
            parser.take(line, number)
    parser.finish()
    return parser.file


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and content of every line that is not blank."""
    for number, raw in enumerate(re.split(r"\r*\n|\r", text), start=1):
        if number > _MAX_LINES or len(raw) > _MAX_LINE_LENGTH:
            raise LimitError(
                f"第 {number} 行过长，或文件超过 {_MAX_LINES} 行", expected="勘测定界界址点文件"
            )
        line = raw.strip(_EDGE)
        if line:
            yield number, line


class _Parser:
    """Takes one line after the other; knows the section it stands in."""

    def __init__(self) -> None:
        self.file = BoundaryFile()
        self.section = Section.START
        self.points = 0
        self.collected: dict[str, list[int]] = {}

    def enter(self, mark: Mark, number: int) -> None:
        """Begin a section."""
        self.section = mark.section
        self.file.marks.append((mark, number))
        if mark.section is Section.OTHER:
            self.file.others.append(OtherSection(mark.name, number))
        elif mark.is_misspelt:
            right = "属性描述" if mark.section is Section.HEAD else "地块坐标"
            self.warn("section_misspelt", f"第 {number} 行小节“{mark.name}”按“{right}”理解")

    def take(self, line: str, number: int) -> None:
        """Put one line where it belongs."""
        usual = usual_point_of(line, number) if self.section is Section.PLOTS else None
        if usual is not None:
            self._add_point(usual, line)
            return
        pair = pair_of(line)
        if pair is not None and is_key(pair[0]) and self.section is not Section.OTHER:
            self._add_pair(pair, number)
            return
        header = header_of(line, number)
        if header is not None and (header.marked or self.section is not Section.OTHER):
            self._begin_plot(header)
        elif self.section is Section.OTHER:
            other = self.file.others[-1]
            other.lines += 1
            other.coordinates += _may_be_coordinates(line)
        elif not self._take_other_pair(line, pair, number):
            self._take_point(line, number)

    def finish(self) -> None:
        """Turn what was collected on the way into remarks."""
        for code, numbers in self.collected.items():
            text = f"{in_rows(numbers)}{_COLLECTED[code]}"
            (self.file.notes if code in _NOTES else self.file.warnings).append(Remark(code, text))
        for other in self.file.others:
            text = f"第 {other.line} 行起的小节“{other.name}”（{other.lines} 行）不属于界址点格式"
            if other.coordinates:
                text += f"，其中有 {other.coordinates} 行像是坐标，未读取"
                self.warn("section_skipped", text)
            else:
                self.file.notes.append(Remark("section_skipped", f"{text}，已略过"))

    def warn(self, code: str, text: str) -> None:
        """Add a warning about the file."""
        self.file.warnings.append(Remark(code, text))

    def _begin_plot(self, header: Header) -> None:
        if plain(header.count).startswith("界址点"):  # the line of the form that names the fields
            self.collected.setdefault("heading_skipped", []).append(header.line)
            return
        if self.section is not Section.PLOTS:
            self._miss_section(header.line)
        self.file.plots.append(PlotLines(header))
        check_features(len(self.file.plots))

    def _miss_section(self, number: int) -> None:
        """Note that plots begin without their section mark; a bare list has no marks at all."""
        if self.section is not Section.START:
            text = f"第 {number} 行起是地块坐标，其前缺少 [地块坐标]"
            self.warn("section_missing", text)
        self.section = Section.PLOTS

    def _take_other_pair(self, line: str, pair: tuple[str, str] | None, number: int) -> bool:
        """Take a pair with an unknown key, or one cut by a spreadsheet; False when it is none."""
        if pair is None or point_of(line, number) is not None:
            pair = table_pair_of(line)
            if pair is None or not is_key(pair[0]):
                return False
        elif self.section is Section.PLOTS:
            return False
        self._add_pair(pair, number)
        return True

    def _add_pair(self, pair: tuple[str, str], number: int) -> None:
        if self.section is Section.PLOTS:
            self.collected.setdefault("key_misplaced", []).append(number)
        self.file.head.add(*pair, number)

    def _take_point(self, line: str, number: int) -> None:
        point = point_of(line, number)
        if point is None:
            self._take_strange(line, number)
            return
        if self.section is Section.HEAD:
            self._miss_section(number)
        self._add_point(point, line)

    def _add_point(self, point: PointLine, line: str) -> None:
        number = point.line
        if not self.file.plots:
            self.file.plots.append(PlotLines(Header(number), titled=False))
            text = f"第 {number} 行起没有地块标题行，全部坐标按一个地块理解"
            self.file.notes.append(Remark("no_plot_header", text))
        plot = self.file.plots[-1]
        if not (math.isfinite(point.east) and math.isfinite(point.north)):
            self.file.faults.add(f"第 {number} 行", "坐标不是有限的数值")
            plot.unread += 1
            return
        for code, found in (
            ("full_width", has_full_width(line)),
            ("point_columns_skipped", point.more),
        ):
            if found:
                self.collected.setdefault(code, []).append(number)
        plot.points.append(point)
        self.points += 1
        check_vertices(self.points)

    def _take_strange(self, line: str, number: int) -> None:
        """Skip what stands before the first plot; among the points it is a fault."""
        if is_ruler(line):
            return
        if is_heading(line):
            self.collected.setdefault("heading_skipped", []).append(number)
        elif not self.file.plots:
            self.collected.setdefault("lines_skipped", []).append(number)
        else:
            # Beyond the limit faults are only counted: to explain them costs the most.
            told = len(self.file.faults.rows) < MAX_FAULTS
            self.file.faults.add(f"第 {number} 行", why_no_point(line) if told else "")
            self.file.plots[-1].unread += 1


def _may_be_coordinates(line: str) -> bool:
    point = point_of(line, 0)
    return point is not None and max(abs(point.east), abs(point.north)) > 100_000
