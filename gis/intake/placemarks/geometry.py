"""What does a Placemark draw: an area, a line, a point, or something that is no site?

All polygons of one Placemark are one drawing; points and lines beside them are left out with a
warning, closed lines are areas. Every fault of the coordinates is listed with ring and point. It
decides nothing about CRS or validity.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gis.intake.draft import (
    MAX_VERTICES,
    Faults,
    FloatArray,
    Ring,
    Shape,
    ShapeKind,
    as_array,
    check_rings,
    check_vertices,
    clean_text,
)
from gis.intake.placemarks.xml_tree import Node
from gis.model import Remark

POLYGON = "Polygon"
LINES = ("LineString", "LinearRing")
POINTS = ("Point", "Track", "MultiTrack")
_COLLECTION = "MultiGeometry"
_TITLES = {"LineString": "线", "LinearRing": "环线", "Point": "点", "Track": "轨迹"}
_TITLES |= {"MultiTrack": "轨迹", "Model": "三维模型"}
_GEOMETRIES = (POLYGON, *LINES, *POINTS, "Model")
# What stands beside the geometries and draws nothing.
_SETTINGS = ("extrude", "tessellate", "altitudeMode", "drawOrder", "OvCoordType", "OvAttr")

NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_MAX_DIGITS = 60
# A number, then a comma with blanks around it, or only blanks.
_MEMBER = re.compile(r"([^\s,]+)(\s*,)?\s*")
# Points of one site lie this near together; longitudes and latitudes taken for each other do not.
_NEAR_DEG = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Coordinates:
    """One ``coordinates`` text: points, whether heights stand there, faults by point from 0.

    ``size`` is not 0 when points were told apart only by counting: so many numbers each.
    """

    xy: FloatArray
    has_z: bool = False
    size: int = 0
    faults: tuple[tuple[int, str], ...] = ()


def read_coordinates(text: str) -> Coordinates:
    """Return the points of a ``coordinates`` text, longitude and latitude.

    Blanks separate points and commas the numbers of one; blanks beside a comma belong to it. Where
    a text has only commas, or only blanks, the numbers are counted off by twos or threes, if just
    one of these puts all points near each other.

    Raises
    ------
    LimitError
        More points than the service takes.
    """
    groups: list[list[str]] = [[]]
    commas = end = 0
    for found in _MEMBER.finditer(text):
        if found.start() != end and text[end : found.start()].strip():
            groups[-1].append("")  # nothing between two commas
        end = found.end()
        groups[-1].append(found[1])
        commas += found[2] is not None
        if found[2] is None:
            check_vertices(len(groups))
            groups.append([])
        elif commas > 2 * MAX_VERTICES:
            check_vertices(commas)
    groups = [group for group in groups if group]
    if all(2 <= len(group) <= 3 for group in groups):
        return _points(groups)
    members = [member for group in groups for member in group]
    if len(groups) == 1 or all(len(group) == 1 for group in groups):
        fits = [size for size in (2, 3) if _counts_off(members, size)]
        if len(fits) == 1:
            counted = _points(_by(members, fits[0]))
            return Coordinates(counted.xy, counted.has_z, fits[0])
    return _points(groups)


def _by(members: list[str], size: int) -> list[list[str]]:
    return [members[i : i + size] for i in range(0, len(members), size)]


def _counts_off(members: list[str], size: int) -> bool:
    """Whether every so many numbers are a point near the others."""
    if len(members) % size or not all(not _problem(member) for member in members):
        return False
    rows = np.array(members, dtype=np.float64).reshape(-1, size)[:, :2]
    inside = (np.abs(rows) <= (180.0, 90.0)).all()
    return bool(inside and (np.ptp(rows, axis=0) <= _NEAR_DEG).all())


def _points(groups: Sequence[Sequence[str]]) -> Coordinates:
    faults: list[tuple[int, str]] = []
    points: list[tuple[float, float]] = []
    for i, group in enumerate(groups):
        bad = [problem for member in group if (problem := _problem(member))]
        if not 2 <= len(group) <= 3:
            faults.append((i, f"有 {len(group)} 个数，应为“经度,纬度”或“经度,纬度,高程”"))
        elif bad:
            faults.append((i, bad[0]))
        else:
            points.append((float(group[0]), float(group[1])))
    has_z = any(len(group) == 3 for group in groups)
    return Coordinates(as_array(points), has_z, faults=tuple(faults))


def _problem(member: str) -> str:
    """Why a member is no usable number; empty when it is one."""
    if not member:
        return "两个逗号之间缺少数值"
    if len(member) <= _MAX_DIGITS and NUMBER.fullmatch(member) and math.isfinite(float(member)):
        return ""
    return f"“{clean_text(member, limit=20)[0]}”不是有限的数值"


# --- geometries -----------------------------------------------------------------------------------


class GeometryReader:
    """Reads the drawings of one file after the other and collects every fault."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.vertices = 0
        self.has_z = False
        self.warnings: list[Remark] = []

    def shape(self, placemark: Node, where: str) -> tuple[Shape, tuple[Remark, ...]]:
        """Return what a Placemark draws, with warnings about what was left out or put right."""
        self.warnings, self.has_z = [], False
        found = list(_geometries(placemark, within=False))
        for kinds, read in (((POLYGON,), self._polygons), (LINES, self._lines)):
            picked = [node for node in found if node.name in kinds]
            if picked:
                self._tell_left_out([n for n in found if n.name not in kinds], where)
                kind, parts = read(picked, where)
                check_rings(sum(len(part) for part in parts))
                return Shape(kind, where, parts, self.has_z), tuple(self.warnings)
        if any(node.name in POINTS for node in found):
            return Shape(ShapeKind.POINT, where), ()
        for node in found:
            title = _TITLES.get(node.name, "图形")
            self.faults.add(where, f"{title}（{_shown(node)}）不能作为地块")
        return Shape(ShapeKind.EMPTY, where), ()

    def _tell_left_out(self, nodes: Sequence[Node], where: str) -> None:
        if not nodes:
            return
        counted = Counter(_TITLES.get(node.name, _shown(node)) for node in nodes)
        listed = "、".join(f"{title} {n} 个" for title, n in list(counted.items())[:5])
        text = f"{where}还有其他图形（{listed}），不是地块，已略去"
        self.warnings.append(Remark("geometry_skipped", text))

    def _polygons(
        self, nodes: Sequence[Node], where: str
    ) -> tuple[ShapeKind, tuple[tuple[Ring, ...], ...]]:
        parts = []
        for n, node in enumerate(nodes, start=1):
            here = where if len(nodes) == 1 else f"{where}第 {n} 个面"
            outer = [r for b in node.every("outerBoundaryIs") for r in b.every("LinearRing")]
            inner = [r for b in node.every("innerBoundaryIs") for r in b.every("LinearRing")]
            check_rings(len(inner))
            if len(outer) != 1:
                self.faults.add(here, f"有 {len(outer)} 个外环（outerBoundaryIs），应为 1 个")
                continue
            holes = [self._ring(r, f"{here}第 {i} 个内环") for i, r in enumerate(inner, start=1)]
            parts.append((self._ring(outer[0], f"{here}外环"), *holes))
        return ShapeKind.AREA if parts else ShapeKind.EMPTY, tuple(parts)

    def _lines(
        self, nodes: Sequence[Node], where: str
    ) -> tuple[ShapeKind, tuple[tuple[Ring, ...], ...]]:
        """Read lines; where each of them is closed, people mean the area inside."""
        parts = []
        closed = True
        for n, node in enumerate(nodes, start=1):
            ring = self._ring(node, where if len(nodes) == 1 else f"{where}第 {n} 条线")
            closed = closed and (node.name == "LinearRing" or _is_closed(ring.xy))
            parts.append((ring,))
        if closed:
            text = f"{where}是闭合的线，不是面（Polygon），已按它围成的面处理"
            self.warnings.append(Remark("closed_line", text))
        return ShapeKind.AREA if closed else ShapeKind.LINE, tuple(parts)

    def _ring(self, node: Node, where: str) -> Ring:
        texts = node.every("coordinates")
        if len(texts) > 1:
            self.faults.add(where, f"有 {len(texts)} 段坐标（coordinates），应为 1 段")
            return Ring(as_array([]), _place(where))
        read = read_coordinates(texts[0].text if texts else "")
        self.vertices += len(read.xy)
        check_vertices(self.vertices)
        self.has_z = self.has_z or read.has_z
        for i, problem in read.faults:
            self.faults.add(_place(where)(i), problem)
        if not len(read.xy) and not read.faults:
            self.faults.add(where, "没有坐标")
        if read.size:
            text = f"{where}的坐标点之间没有按规定分隔，已按每 {read.size} 个数一个点理解"
            self.warnings.append(Remark("coordinates_counted", text))
        return Ring(read.xy, _place(where))


def _geometries(node: Node, *, within: bool) -> list[Node]:
    """Return the single geometries of a Placemark or a collection, in file order.

    Beside a geometry a Placemark holds much else; in a collection everything is a geometry, so an
    unknown name is told there.
    """
    found: list[Node] = []
    for child in node.children:
        if child.name == _COLLECTION:
            found += _geometries(child, within=True)
        elif child.name in _GEOMETRIES or (within and child.name not in _SETTINGS):
            found.append(child)
    return found


def _is_closed(xy: FloatArray) -> bool:
    return len(xy) >= 4 and bool((xy[0] == xy[-1]).all())


def _place(where: str) -> Callable[[int], str]:
    def place(i: int) -> str:
        return f"{where}第 {i + 1} 点"

    return place


def _shown(node: Node) -> str:
    return clean_text(node.name, limit=30)[0]
