"""GeoJSON: which sites does a JSON text draw, and where exactly is it malformed?

RFC 7946: a geometry, a Feature or a FeatureCollection in longitude/latitude; the older ``crs``
member is understood by name, wherever it stands. Every fault of structure is listed with its JSON
path. It never follows a link, and never takes a text, a truth value or null for a number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from gis.crs import parse_epsg
from gis.errors import CrsError, Fault, FormatError, InputError
from gis.intake.draft import (
    Declared,
    Document,
    Draft,
    Faults,
    FloatArray,
    Ring,
    Shape,
    ShapeKind,
    Trace,
    as_array,
    check_features,
    check_rings,
    check_vertices,
    clean_text,
)
from gis.intake.statements import read_properties
from gis.intake.strict_json import Unusable, parse_json

_KINDS = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")
# Path of the feature that is made up around a bare geometry; it is not part of the input.
_BARE = "$ "
# A page on which people draw says so of its outlines: the property `drawn`.
_BY_HAND = Trace("范围是在图上手绘的")


_LARGEST = 10.0**15


def read_geojson(text: str) -> Document:
    """Return the sites of a GeoJSON text.

    Faults of single features are carried along in the document, so that they are told together
    with what is wrong with the drawings.

    Raises
    ------
    FormatError
        No JSON or no GeoJSON, or more faults than are told one by one.
    CrsError
        A ``crs`` member that is no name of a code.
    LimitError
        Too deep, too many vertices or features.
    """
    root, faults, repeats = parse_json(text)
    try:
        declared, features = _head(root)
    except InputError:
        if faults:
            raise _error(faults) from None
        raise
    reader = _Reader(faults)
    drafts = tuple(
        reader.draft(feature, path, default=f"地块 {n}")
        for n, (feature, path) in enumerate(features, start=1)
    )
    if faults.more or repeats or all(draft.broken for draft in drafts):
        raise _error(faults)
    return Document(
        "geojson", drafts, declared=declared, lonlat_by_default=True, faults=tuple(faults.rows)
    )


def _error(faults: Faults) -> InputError:
    return faults.error(FormatError, "GeoJSON 有错误", advice="按所列路径（JSON path）改正")


def _at(path: str, message: str, cls: type[InputError] = FormatError, **more: str) -> InputError:
    """Return an error about one place."""
    return cls(f"{path} {message}", faults=[Fault(path, message)], **more)


def _head(root: Any) -> tuple[Declared | None, list[tuple[Any, str]]]:
    """Return what the whole text says about its CRS, and its features."""
    if not isinstance(root, dict):
        raise _at("$", "不是对象", expected="GeoJSON 的几何、Feature 或集合")
    return _declared(root.get("crs"), "$.crs"), _features(root)


def _features(root: Mapping[str, Any]) -> list[tuple[Any, str]]:
    """Return the features, each with its path; a bare geometry counts as one."""
    kind = root.get("type")
    if kind == "FeatureCollection":
        features = root.get("features")
        if not isinstance(features, list):
            raise _at("$.features", "不是数组", expected="Feature 的数组")
        if not features:
            raise _at("$.features", "为空", expected="至少一个 Feature")
        check_features(len(features))
        return [(f, f"$.features[{i}]") for i, f in enumerate(features)]
    if kind == "Feature":
        return [(root, "$")]
    if isinstance(kind, str) and (kind in _KINDS or kind == "GeometryCollection"):
        return [({"type": "Feature", "geometry": root, "properties": None}, _BARE)]
    if "rings" in root:
        raise FormatError("这是 Esri JSON，不是 GeoJSON", advice="导出为 GeoJSON（RFC 7946）")
    found = clean_text(kind, limit=40)[0] if isinstance(kind, str) else "缺失"
    raise _at("$.type", f"为“{found}”", expected="Feature、FeatureCollection 或 Polygon 等几何类型")


def _declared(crs: Any, path: str) -> Declared | None:
    """Read the old ``crs`` member: a name is understood, a link refused and never followed."""
    if crs is None:
        return None
    kind = crs.get("type") if isinstance(crs, dict) else None
    inner = crs.get("properties") if isinstance(crs, dict) else None
    name = inner.get("name") if isinstance(inner, dict) else None
    if kind == "link":
        raise _at(
            path,
            "是链接（link）",
            CrsError,
            expected="按名称声明，如 urn:ogc:def:crs:EPSG::4527",
            advice="本工具不访问任何链接；改写名称或去掉 crs",
        )
    if kind != "name" or not isinstance(name, str):
        raise _at(
            path,
            "不是按名称声明的坐标系",
            CrsError,
            expected='{"type":"name","properties":{"name":…}}',
        )
    shown = clean_text(name, limit=60)[0]
    return Declared((parse_epsg(shown),), shown)


def _own_crs(feature: Mapping[str, Any], path: str, place: str) -> Declared | None:
    """Return the CRS that a feature or its geometry declares for itself."""
    said = [(feature.get("crs"), f"{path}.crs"), *_crs_members(feature.get("geometry"), place)]
    declared = [_declared(crs, where) for crs, where in said]
    found = {d.epsgs: d for d in declared if d is not None}
    if len(found) > 1:
        raise CrsError(f"{path.strip()} 的各部分声明了不同的坐标系", expected="同一坐标系")
    return next(iter(found.values()), None)


def _crs_members(geometry: Any, path: str) -> Iterator[tuple[Any, str]]:
    """Yield the ``crs`` members of a geometry, where databases write them: PostGIS, for one."""
    if not isinstance(geometry, dict):
        return
    yield geometry.get("crs"), f"{path}.crs"
    members = geometry.get("geometries")
    for i, member in enumerate(members if isinstance(members, list) else ()):
        yield from _crs_members(member, f"{path}.geometries[{i}]")


class _Reader:
    """Reads features one after the other and collects every fault of structure.

    ``broken`` and ``rings_read`` are about the feature at hand.
    """

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.vertices = 0
        self.broken = False
        self.rings_read = 0

    def draft(self, feature: Any, path: str, *, default: str) -> Draft:
        self.broken, self.rings_read = False, 0
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            self.fault(path, "不是 Feature 对象")
            return Draft(default, Shape(ShapeKind.EMPTY, path), broken=True)
        properties = feature.get("properties")
        if properties is not None and not isinstance(properties, dict):
            self.fault(f"{path}.properties", "不是对象")
            properties = None
        said = read_properties(properties or {}, where=path)
        place = "$" if path == _BARE else f"{path}.geometry"
        shape = self.shape(feature.get("geometry"), place)
        return Draft(
            said.name or default,
            shape,
            said.use,
            said.claims,
            declared=_own_crs(feature, path, place),
            broken=self.broken,
            faults=said.faults,
            warnings=said.warnings,
            trace=_BY_HAND if (properties or {}).get("drawn") is True else None,
        )

    def fault(self, where: str, message: str, vertex: int | None = None) -> None:
        """Add a fault of the feature at hand, so that its outline proves nothing."""
        self.broken = True
        ring = None if vertex is None else self.rings_read
        self.faults.add_fault(Fault(where, message, ring=ring, vertex=vertex))

    def shape(self, geometry: Any, path: str) -> Shape:
        if geometry is None:
            return Shape(ShapeKind.EMPTY, path)
        kind = geometry.get("type") if isinstance(geometry, dict) else None
        if kind == "GeometryCollection":
            return self.collection(geometry, path)
        if not isinstance(kind, str) or kind not in _KINDS:
            self.fault(f"{path}.type", "不是 GeoJSON 的几何类型")
            return Shape(ShapeKind.EMPTY, path)
        return self.coordinates(kind, geometry.get("coordinates"), f"{path}.coordinates")

    def collection(self, geometry: Mapping[str, Any], path: str) -> Shape:
        """Read a GeometryCollection of polygons as one site; any other is refused."""
        members = geometry.get("geometries")
        if not isinstance(members, list):
            self.fault(f"{path}.geometries", "不是数组")
            return Shape(ShapeKind.EMPTY, path)
        check_features(len(members))
        shapes = []
        for i, member in enumerate(members):
            here = f"{path}.geometries[{i}]"
            if not isinstance(member, dict) or member.get("type") not in (
                "Polygon",
                "MultiPolygon",
            ):
                self.fault(here, "集合中只能有面（Polygon 或 MultiPolygon）")
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
            self.fault(path, "不是坐标数组")
            return Shape(ShapeKind.EMPTY, path)
        if kind == "LineString":
            parts = [(self.ring(value, path, sizes),)] if value else []
        elif kind == "MultiLineString":
            check_rings(len(value))
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
            self.fault(path, "不是环的数组，或为空")
            return ()
        check_rings(len(value))
        return tuple(self.ring(v, f"{path}[{i}]", sizes) for i, v in enumerate(value))

    def ring(self, value: Any, path: str, sizes: set[int]) -> Ring:
        self.rings_read += 1
        if not isinstance(value, list) or not value:
            self.fault(path, "不是坐标点的数组，或为空")
            return Ring(as_array([]), _place(path))
        self.vertices += len(value)
        check_vertices(self.vertices)
        xy = _plain_numbers(value, sizes)
        if xy is None:
            xy = as_array(self.positions(value, path, sizes))
        return Ring(xy, _place(path))

    def positions(
        self, value: Sequence[Any], path: str, sizes: set[int]
    ) -> list[tuple[float, float]]:
        """Return the usable positions, one by one, with the exact place of every fault."""
        points: list[tuple[float, float]] = []
        for i, position in enumerate(value):
            if not isinstance(position, list) or not 2 <= len(position) <= 4:
                self.fault(f"{path}[{i}]", "不是坐标点（应为 2 至 4 个数的数组）", i + 1)
                continue
            problems = [(k, p) for k, number in enumerate(position) if (p := _problem(number))]
            for k, problem in problems:
                self.fault(f"{path}[{i}][{k}]", problem, i + 1)
            if any(isinstance(number, Unusable) for number in position):
                self.broken = True  # told by the reader of the JSON
            elif not problems:
                points.append((float(position[0]), float(position[1])))
                sizes.add(len(position))
        return points


def _plain_numbers(value: Sequence[Any], sizes: set[int]) -> FloatArray | None:
    """Return the positions of a ring at once, or None when any of them is out of the ordinary."""
    if set(map(type, value)) != {list}:
        return None
    lengths = set(map(len, value))
    size = next(iter(lengths))
    if len(lengths) > 1 or not 2 <= size <= 4:
        return None
    if not set(map(type, chain.from_iterable(value))) <= {float, int}:
        return None
    try:
        flat = np.fromiter(chain.from_iterable(value), np.float64, size * len(value))
    except OverflowError:
        return None
    if not (np.abs(flat) <= _LARGEST).all():
        return None
    sizes.add(size)
    return flat.reshape(-1, size)[:, :2].copy()


def _place(path: str) -> Callable[[int], str]:
    def place(i: int) -> str:
        return f"{path}[{i}]"

    return place


def _problem(value: Any) -> str:
    """Why a member of a position is no usable number; empty when it is one or is told already."""
    if isinstance(value, Unusable):
        return ""
    if isinstance(value, bool):
        return "是真假值，不是数值"
    if isinstance(value, str):
        return f"是文字“{re.sub(r'[^0-9A-Za-z.+-]', '?', value[:20])}”，不是数值"
    if value is None:
        return "为空（null）"
    if not isinstance(value, int | float):
        return "不是数值（嵌套层次有误）"
    if isinstance(value, float) and not math.isfinite(value):
        return "不是有限的数值"
    return "数值过大" if abs(value) > _LARGEST else ""
