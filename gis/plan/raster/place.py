"""Where do polygons of any CRS lie on a raster, and how large are they and its pixels?

Edges are straight in the CRS that the polygons come in; they are densified before they are moved to
the raster's CRS. Areas are those of the ellipsoid. Where pixels of one raster differ in size from
row to row (degrees, Mercator), rows are weighted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError as ProjCrsError
from pyproj.exceptions import ProjError
from shapely.geometry.base import BaseGeometry

from gis.crs import DENSIFY_M, crs_of, densified, ellipsoidal_areas, parse_epsg, refuse_old_crs
from gis.engine.grid import Edges, Grid, edges_of
from gis.engine.index import Array
from gis.engine.raster import RowWeights, sizes
from gis.errors import CrsError, GeometryError

# 0.0005 degrees of latitude are 56 m.
_DENSIFY_DEG = 0.0005
# Rows are weighted when their pixels differ by more than this; it is far above the rounding.
_ROWS_DIFFER = 1e-4
# Pixels of one row have one weight. Differences along it can shift a share by half of this.
_COLUMNS_DIFFER = 1e-3
_NODES = 65
# Degrees; some files run on beyond the date line.
_MOST_LON, _MOST_LAT = 360.0, 90.0

_POLYGONAL = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)

CrsLike = int | str | CRS | None


@dataclass(frozen=True, slots=True)
class Polygons:
    """Valid polygons with the CRS of their coordinates; ``m2`` are their ellipsoidal areas."""

    shapes: Array
    crs: CRS
    m2: Array

    @classmethod
    def of(cls, shapes: Sequence[BaseGeometry], crs: CRS, m2: Sequence[float]) -> Polygons:
        """Return polygons that are known to be valid, with their known areas in m²."""
        return cls(_objects(shapes), crs, np.array(m2, dtype=float))


@dataclass(frozen=True, slots=True)
class Placed:
    """Polygons in the pixel space of a raster.

    ``m2_per_unit`` turns pixels, times the weight of their row, into m² on the ellipsoid.
    """

    shapes: Array
    edges: Edges
    weights: RowWeights | None
    m2_per_unit: Array


def take_polygons(polygons: Any, crs: CrsLike = None) -> Polygons:
    """Return the caller's polygons, checked.

    Parameters
    ----------
    polygons
        A GeoDataFrame or GeoSeries with a CRS, or a sequence of polygons and multipolygons; what
        has been taken already is returned as it is.
    crs
        CRS of a sequence: EPSG code, ``EPSG:4548`` or a pyproj CRS.

    Raises
    ------
    CrsError
        No CRS, an unknown one, or an old Chinese datum.
    GeometryError
        Something that is not a valid polygon with an area.
    """
    if isinstance(polygons, Polygons):
        return polygons
    own = getattr(polygons, "crs", None)
    shapes = getattr(polygons, "geometry", polygons)
    if own is None and crs is None:
        raise CrsError(
            "多边形没有坐标系", expected="坐标系代码，如 EPSG:4548", advice="用 crs 写明坐标系"
        )
    array = _objects(shapes)
    _check(array)
    array = np.asarray(shapely.force_2d(array), dtype=object)
    found = _pyproj(own if own is not None else crs)
    _are_degrees(array, found)
    return Polygons(array, found, true_areas(array, found))


def _objects(shapes: Iterable[Any]) -> Array:
    """Return an array of objects, also when there are none."""
    return np.array([*shapes, None], dtype=object)[:-1]


def _pyproj(crs: Any) -> CRS:
    if isinstance(crs, int | str):
        return crs_of(parse_epsg(crs))
    try:
        found = CRS.from_user_input(crs)
    except ProjCrsError:
        raise CrsError("坐标系无法识别", expected="EPSG 代码，如 EPSG:4548") from None
    if not (found.is_geographic or found.is_projected):
        raise CrsError(f"“{found.name}”不是地理坐标系或投影坐标系", advice="核对坐标系")
    refuse_old_crs(found)
    return found


def _check(shapes: Array) -> None:
    """Raise for the first shape that is not a valid polygon with an area."""
    real = np.array([isinstance(shape, BaseGeometry) for shape in shapes], dtype=bool)
    if real.all():
        polygonal = np.isin(shapely.get_type_id(shapes), _POLYGONAL)
        # An empty polygon has no area.
        sound = polygonal & (shapely.area(shapes) > 0) & shapely.is_valid(shapes)
        if sound.all():
            return
        real = sound
    wrong = int(np.flatnonzero(~real)[0])
    _refuse(shapes[wrong], wrong + 1)


def _refuse(shape: Any, number: int) -> None:
    if not isinstance(shape, BaseGeometry) or shape.is_empty:
        raise GeometryError(f"第 {number} 个多边形为空", expected="有面积的多边形")
    if shape.geom_type not in {"Polygon", "MultiPolygon"}:
        raise GeometryError(
            f"第 {number} 个图形是 {shape.geom_type}", expected="Polygon 或 MultiPolygon"
        )
    reason = shapely.is_valid_reason(shape) if not shape.is_valid else "面积为 0"
    raise GeometryError(f"第 {number} 个多边形无效（{reason}）", advice="修复图形后重试")


def _are_degrees(shapes: Array, crs: CRS) -> None:
    """Refuse metres that are called degrees."""
    x, y = np.abs(shapely.get_coordinates(shapes)).T
    if crs.is_geographic and len(x) and (x.max() > _MOST_LON or y.max() > _MOST_LAT):
        raise CrsError(
            f"坐标不是经纬度，坐标系却是“{crs.name}”",
            expected="经度 -180 至 180 度、纬度 -90 至 90 度",
            advice="核对多边形的坐标系",
        )


def moved(shapes: Array, source: CRS, target: CRS) -> Array:
    """Return polygons in another CRS; edges are densified so that they keep their course.

    Raises
    ------
    CrsError
        A coordinate has no finite image: the numbers do not belong to the source CRS.
    """
    if source == target:
        return shapes
    try:
        transformer = _transformer(source, target)
    except ProjError:
        raise CrsError(f"不能从“{source.name}”换算到“{target.name}”", advice="核对坐标系") from None

    def move(xy: Array) -> Array:
        return np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))

    out = np.asarray(shapely.transform(_dense(shapes, source), move), dtype=object)
    if not np.isfinite(shapely.get_coordinates(out)).all():
        raise CrsError(
            f"坐标无法从“{source.name}”换算到“{target.name}”",
            advice="核对多边形和栅格的坐标系",
        )
    return out


@lru_cache(maxsize=64)
def _transformer(source: CRS, target: CRS) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def _dense(shapes: Array, crs: CRS) -> Array:
    if crs.is_geographic:
        return np.asarray(densified(shapes, _DENSIFY_DEG), dtype=object)
    metres = crs.axis_info[0].unit_conversion_factor or 1.0
    return np.asarray(densified(shapes, DENSIFY_M / metres), dtype=object)


def true_areas(shapes: Array, crs: CRS) -> Array:
    """Return m² on the ellipsoid of the CRS, edges straight in it."""
    if not len(shapes):
        return np.zeros(0)
    epsg = crs.to_epsg()
    if epsg is None:  # a projection of its own: measure on the ellipsoid in degrees
        epsg = 4326
        shapes = moved(shapes, crs, CRS.from_epsg(epsg))
    elif crs.is_geographic:
        shapes = _dense(shapes, crs)
    return ellipsoidal_areas(shapes, epsg)


def place(polygons: Polygons, grid: Grid, crs: CRS) -> Placed:
    """Return the polygons in pixel space with what makes m² of pixels.

    Raises
    ------
    CrsError
        The polygons cannot be moved there, or the pixels there differ too much in size.
    """
    shapes = grid.to_pixels(moved(polygons.shapes, polygons.crs, crs))
    edges = edges_of(shapes)
    # Polygons that the raster does not reach have no pixels that could differ.
    near = shapes[shapely.intersects(shapely.box(0, 0, grid.cols, grid.rows), shapes)]
    weights = _row_weights(near, grid, crs) if len(near) else None
    size = sizes(edges, np.ones(len(shapes), dtype=bool), weights)
    return Placed(shapes, edges, weights, polygons.m2 / size)


def _row_weights(shapes: Array, grid: Grid, crs: CRS) -> RowWeights | None:
    """Return the relative size of pixels by row, or None when they are all alike."""
    west, north, east, south = shapely.total_bounds(shapes)
    columns, rows = np.linspace(west, east, _NODES), np.linspace(north, south, _NODES)
    down = _cell_areas(np.full(_NODES, columns[_NODES // 2]), rows, grid, crs)
    along = _cell_areas(columns, np.full(_NODES, rows[_NODES // 2]), grid, crs)
    differ = _spread(along) > _COLUMNS_DIFFER
    if differ or (grid.is_rotated and _spread(down) > _COLUMNS_DIFFER):
        raise CrsError(
            f"栅格像元的实地面积在范围内相差 {max(_spread(along), _spread(down)):.2%}",
            expected="像元面积只随行变化",
            advice="先把栅格重投影到规划坐标系（重采样用最邻近法）",
        )
    if _spread(down) <= _ROWS_DIFFER:
        return None
    relative = down / down.mean()
    return lambda row: np.interp(np.asarray(row) + 0.5, rows, relative)


def _spread(areas: Array) -> float:
    return float(areas.max() / areas.min() - 1)


def _cell_areas(columns: Array, rows: Array, grid: Grid, crs: CRS) -> Array:
    """Return m² on the ellipsoid of cells of one pixel around places in pixel space."""
    corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    x, y = grid.to_coordinates(columns[:, None] + corners[:, 0], rows[:, None] + corners[:, 1])
    cells: Any = shapely.polygons(np.stack([x, y], axis=-1))
    return true_areas(np.asarray(cells, dtype=object), crs)
