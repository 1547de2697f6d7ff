"""GeoJSON: which sites does a JSON text draw, and where exactly is it malformed?

RFC 7946: a geometry, a Feature or a FeatureCollection in longitude/latitude; the older ``crs``
member is understood by name. Every fault of structure is listed with its JSON path. It never
follows a link, and never takes a text, a truth value or null for a number.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from gis.crs import parse_epsg
from gis.errors import CrsError, FormatError, LimitError
from gis.intake.draft import (
    Declared,
    Document,
    Draft,
    Faults,
    Ring,
    Shape,
    ShapeKind,
    as_array,
    check_features,
    check_rings,
    check_vertices,
    clean_text,
)
from gis.intake.statements import read_properties

_KINDS = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")
# Path of the feature that is made up around a bare geometry; it is not part of the input.
_BARE = "$ "


class _NotFinite(str):
    """What stands for NaN and Infinity, so that the path can be told."""


def canonical_text(value: Mapping[str, Any]) -> str:
    """Return a mapping as one JSON text: sorted keys, no blanks.

    Raises
    ------
    FormatError
        The mapping holds something that JSON cannot.
    """
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    except RecursionError:
        raise _too_deep() from None
    except (TypeError, ValueError):
        raise FormatError("对象中有 JSON 不能表示的内容", expected="GeoJSON 对象（字典）") from None


def read_geojson(text: str) -> Document:
    """Return the sites of a GeoJSON text.

    Raises
    ------
    FormatError
        No JSON, no GeoJSON, or faults of structure; all of them, with paths.
    CrsError
        A ``crs`` member that is no name of a code.
    LimitError
        Too deep, too many vertices or features.
    """
    root, not_finite = _parse(text)
    if not isinstance(root, dict):
        raise FormatError("JSON 的最外层不是对象", expected="GeoJSON 的几何、Feature 或集合")
    declared = _declared(root.get("crs"))
    reader = _Reader()
    drafts = tuple(
        reader.draft(feature, path, default=f"地块 {n}")
        for n, (feature, path) in enumerate(_features(root), start=1)
    )
    if reader.faults:
        raise reader.faults.error(
            FormatError, "GeoJSON 有错误", advice="按所列路径（JSON path）改正"
        )
    if not_finite:
        raise FormatError(f"JSON 中有 {not_finite[0]}", expected="有限的数值")
    return Document("geojson", drafts, declared=declared, lonlat_by_default=True)


def _parse(text: str) -> tuple[Any, list[str]]:
    seen: list[str] = []

    def constant(word: str) -> _NotFinite:
        seen.append(word)
        return _NotFinite(word)

    try:
        return json.loads(text, parse_constant=constant), seen
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError as error:
        raise FormatError(
            f"不是有效的 JSON：第 {error.lineno} 行第 {error.colno} 列附近有错误",
            expected="完整的 GeoJSON 文本",
        ) from None
    except ValueError:
        raise FormatError("JSON 中有位数过多的整数", expected="普通数值") from None


def _too_deep() -> LimitError:
    return LimitError("JSON 嵌套过深", expected="不超过几百层")


def _features(root: Mapping[str, Any]) -> list[tuple[Any, str]]:
    """Return the features, each with its path; a bare geometry counts as one."""
    kind = root.get("type")
    if kind == "FeatureCollection":
        features = root.get("features")
        if not isinstance(features, list):
            raise FormatError("$.features 不是数组", expected="Feature 的数组")
        if not features:
            raise FormatError("$.features 为空", expected="至少一个 Feature")
        check_features(len(features))
        return [(f, f"$.features[{i}]") for i, f in enumerate(features)]
    if kind == "Feature":
        return [(root, "$")]
    if isinstance(kind, str) and (kind in _KINDS or kind == "GeometryCollection"):
        return [({"type": "Feature", "geometry": root, "properties": None}, _BARE)]
    if "rings" in root:
        raise FormatError("这是 Esri JSON，不是 GeoJSON", advice="导出为 GeoJSON（RFC 7946）")
    found = clean_text(kind, limit=40)[0] if isinstance(kind, str) else "缺失"
    raise FormatError(
        f"$.type 为“{found}”", expected="Feature、FeatureCollection 或 Polygon 等几何类型"
    )


def _declared(crs: Any) -> Declared | None:
    """Read the old ``crs`` member: a name is understood, a link refused and never followed."""
    if crs is None:
        return None
    kind = crs.get("type") if isinstance(crs, dict) else None
    inner = crs.get("properties") if isinstance(crs, dict) else None
    name = inner.get("name") if isinstance(inner, dict) else None
    if kind == "link":
        raise CrsError(
            "$.crs 是链接（link）",
            expected="按名称声明，如 urn:ogc:def:crs:EPSG::4527",
            advice="本工具不访问任何链接；改写名称或去掉 crs",
        )
    if kind != "name" or not isinstance(name, str):
        raise CrsError(
            "$.crs 不是按名称声明的坐标系", expected='{"type":"name","properties":{"name":…}}'
        )
    shown = clean_text(name, limit=60)[0]
    return Declared((parse_epsg(shown),), shown)


class _Reader:
    """Reads features one after the other and collects every fault of structure."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.vertices = 0

    def draft(self, feature: Any, path: str, *, default: str) -> Draft:
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            self.faults.add(path, "不是 Feature 对象")
            return Draft(default, Shape(ShapeKind.EMPTY, path))
        properties = feature.get("properties")
        said = read_properties(properties if isinstance(properties, dict) else {}, where=path)
        shape = self.shape(feature.get("geometry"), "$" if path == _BARE else f"{path}.geometry")
        return Draft(said.name or default, shape, said.use, said.claims, warnings=said.warnings)

    def shape(self, geometry: Any, path: str) -> Shape:
        if geometry is None:
            return Shape(ShapeKind.EMPTY, path)
        kind = geometry.get("type") if isinstance(geometry, dict) else None
        if kind == "GeometryCollection":
            return self.collection(geometry, path)
        if not isinstance(kind, str) or kind not in _KINDS:
            self.faults.add(f"{path}.type", "不是 GeoJSON 的几何类型")
            return Shape(ShapeKind.EMPTY, path)
        return self.coordinates(kind, geometry.get("coordinates"), f"{path}.coordinates")

    def collection(self, geometry: Mapping[str, Any], path: str) -> Shape:
        """Read a GeometryCollection of polygons as one site; any other is refused."""
        members = geometry.get("geometries")
        if not isinstance(members, list):
            self.faults.add(f"{path}.geometries", "不是数组")
            return Shape(ShapeKind.EMPTY, path)
        check_features(len(members))
        shapes = []
        for i, member in enumerate(members):
            here = f"{path}.geometries[{i}]"
            if not isinstance(member, dict) or member.get("type") not in (
                "Polygon",
                "MultiPolygon",
            ):
                self.faults.add(here, "集合中只能有面（Polygon 或 MultiPolygon）")
                continue
            shapes.append(self.shape(member, here))
        parts = tuple(part for s in shapes for part in s.parts)
        has_z, has_m = any(s.has_z for s in shapes), any(s.has_m for s in shapes)
        return Shape(ShapeKind.AREA if parts else ShapeKind.EMPTY, path, parts, has_z, has_m)

    def coordinates(self, kind: str, value: Any, path: str) -> Shape:
        sizes: set[int] = set()
        parts: list[tuple[Ring, ...]]
        if kind in ("Point", "MultiPoint"):
            return Shape(ShapeKind.POINT, path)
        if not isinstance(value, list):
            self.faults.add(path, "不是坐标数组")
            return Shape(ShapeKind.EMPTY, path)
        if kind == "LineString":
            parts = [(self.ring(value, path, sizes),)] if value else []
        elif kind == "MultiLineString":
            parts = [(self.ring(v, f"{path}[{i}]", sizes),) for i, v in enumerate(value)]
        elif kind == "Polygon":
            parts = [self.rings(value, path, sizes)] if value else []
        else:
            check_rings(len(value))
            parts = [self.rings(v, f"{path}[{i}]", sizes) for i, v in enumerate(value)]
        drawn = ShapeKind.LINE if "Line" in kind else ShapeKind.AREA
        has_z, has_m = any(n >= 3 for n in sizes), any(n >= 4 for n in sizes)
        return Shape(drawn if parts else ShapeKind.EMPTY, path, tuple(parts), has_z, has_m)

    def rings(self, value: Any, path: str, sizes: set[int]) -> tuple[Ring, ...]:
        if not isinstance(value, list) or not value:
            self.faults.add(path, "不是环的数组，或为空")
            return ()
        check_rings(len(value))
        return tuple(self.ring(v, f"{path}[{i}]", sizes) for i, v in enumerate(value))

    def ring(self, value: Any, path: str, sizes: set[int]) -> Ring:
        points: list[tuple[float, float]] = []
        if not isinstance(value, list) or not value:
            self.faults.add(path, "不是坐标点的数组，或为空")
            value = []
        self.vertices += len(value)
        check_vertices(self.vertices)
        for i, position in enumerate(value):
            point = self.position(position, path, i)
            if point is not None:
                points.append(point)
                sizes.add(len(position))
        return Ring(as_array(points), _place(path))

    def position(self, value: Any, path: str, i: int) -> tuple[float, float] | None:
        """Return the first two numbers of a position, or None with the fault noted."""
        if not isinstance(value, list) or not 2 <= len(value) <= 4:
            self.faults.add(f"{path}[{i}]", "不是坐标点（应为 2 至 4 个数的数组）")
            return None
        for k, number in enumerate(value):
            problem = _problem(number)
            if problem:
                self.faults.add(f"{path}[{i}][{k}]", problem)
                return None
        return float(value[0]), float(value[1])


def _place(path: str) -> Callable[[int], str]:
    def place(i: int) -> str:
        return f"{path}[{i}]"

    return place


def _problem(value: Any) -> str:
    """Why a member of a position is no usable number; empty when it is one."""
    if isinstance(value, _NotFinite):
        return f"{value} 不是有限的数值"
    if isinstance(value, bool):
        return "是真假值，不是数值"
    if isinstance(value, str):
        return f"是文字“{re.sub(r'[^0-9A-Za-z.+-]', '?', value[:20])}”，不是数值"
    if value is None:
        return "为空（null）"
    if not isinstance(value, int | float):
        return "不是数值（嵌套层次有误）"
    if isinstance(value, int) and abs(value) > 10**15:
        return "数值过大"
    return "" if math.isfinite(value) else "不是有限的数值"
